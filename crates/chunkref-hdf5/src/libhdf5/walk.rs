// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk over all objects with libhdf5.

use std::path::Path;

use bytes::Bytes;
use hdf5_metno::plist::group_create::AttrCreationOrder;
use hdf5_metno::{
    File, Group, IndexType, IterationOrder, LinkType, Location, LocationToken, LocationType,
};

use super::found::{Found, FoundKind, FoundLink, FoundObject, FoundTarget};
use super::transcript::Transcript;
use super::{address, attribute, dataset, fault};
use crate::context::{Address, Context};
use crate::error::{Hdf5Error, Result};

/// Reads every object that hard links lead to from the root, and writes a transcript of their types.
pub(super) fn walk(path: &Path, context: &Context) -> Result<(Found, Bytes)> {
    hdf5_metno::silence_errors(true);
    let file = File::open(path).map_err(|error| fault::fault(0, &error))?;
    let root = file.loc_info().map_err(|error| fault::fault(0, &error))?.token;
    let mut walk = Walk { file, context, transcript: Transcript::new()?, pending: vec![root] };
    let mut found = Found::new();
    while let Some(token) = walk.pending.pop() {
        let address = walk.address(token)?;
        if !found.contains_key(&address) {
            let offset = context.file_offset(address);
            Hdf5Error::check_limit(
                "libhdf5",
                offset,
                "objects",
                found.len() as u64,
                context.limits.objects,
            )?;
            found.insert(address, walk.object(token, offset));
        }
    }
    Ok((found, walk.transcript.finish()?))
}

struct Walk<'a> {
    file: File,
    context: &'a Context,
    transcript: Transcript,
    /// Objects that links were found to.
    pending: Vec<LocationToken>,
}

impl Walk<'_> {
    fn address(&self, token: LocationToken) -> Result<Address> {
        address::of_token(token).ok_or_else(|| {
            Hdf5Error::unsupported(
                "libhdf5",
                self.context.base,
                format!("an object token {token:?}"),
            )
        })
    }

    fn object(&mut self, token: LocationToken, offset: u64) -> Result<FoundObject> {
        let fault = |error: hdf5_metno::Error| fault::fault(offset, &error);
        let location = self.file.open_by_token(token).map_err(fault)?;
        let (kind, order) = match location.loc_type().map_err(fault)? {
            LocationType::Group => {
                let group = location.as_group().map_err(fault)?;
                let order =
                    group.gcpl().and_then(|properties| properties.get_attr_creation_order());
                (FoundKind::Group(self.links(&group, offset)), Some(order.map_err(fault)?))
            }
            LocationType::Dataset => {
                let handle = location.as_dataset().map_err(fault)?;
                let order =
                    handle.dcpl().and_then(|properties| properties.get_attr_creation_order());
                let read = dataset::dataset(&handle, &mut self.transcript, self.context, offset);
                (FoundKind::Dataset(Box::new(read)), Some(order.map_err(fault)?))
            }
            LocationType::NamedDatatype => (FoundKind::Datatype, None),
            LocationType::TypeMap => {
                return Err(Hdf5Error::unsupported("libhdf5", offset, "a map object"));
            }
        };
        Ok(FoundObject { attributes: self.attributes(&location, order, offset), kind })
    }

    fn attributes(
        &mut self,
        location: &Location,
        order: Option<AttrCreationOrder>,
        offset: u64,
    ) -> Result<Vec<super::found::FoundAttribute>> {
        attribute::attributes(location, order, &mut self.transcript, self.context, offset)
    }

    /// The links of a group by name; what hard ones lead to becomes pending.
    fn links(&mut self, group: &Group, offset: u64) -> Result<Vec<FoundLink>> {
        let fault = |error: hdf5_metno::Error| fault::fault(offset, &error);
        let links = group.links(IndexType::Name, IterationOrder::Increasing).map_err(fault)?;
        let mut found = Vec::new();
        for (name, info) in links {
            let target = match info.link_type {
                LinkType::Hard => {
                    let token = group.loc_info_by_name(&name).map_err(fault)?.token;
                    self.pending.push(token);
                    FoundTarget::Hard(self.address(token)?)
                }
                LinkType::Soft => FoundTarget::Soft,
                LinkType::External => FoundTarget::Other,
            };
            found.push(FoundLink { name, target });
        }
        Ok(found)
    }
}
