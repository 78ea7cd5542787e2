// SPDX-License-Identifier: MIT OR Apache-2.0
//! The transcript: a small file in which libhdf5 writes down datatypes, fill values and filters that it has read.
//!
//! Each entry is a dataset without data. libhdf5 decodes what the scanned file has, shared or not, whatever its version,
//! and encodes it again; the parsers of this crate then read it from a file that is as plain as can be.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use chunkref_core::{Limits, MemorySource};
use futures::future::join_all;
use hdf5_metno::dataset::DatasetCreate;
use hdf5_metno::{Dataset, Datatype, Extent, Extents, File as Library, SimpleExtents};
use tempfile::NamedTempFile;

use super::fault;
use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::message::link::{Link, LinkTarget};
use crate::object::Described;
use crate::walk::{File, Frontier, dataset, links, object_header, open};

/// Types that are looked for before one is written again: objects of a file use few.
const REMEMBERED: usize = 24;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry(u64);

/// What the parsers read in the transcript.
pub(super) type Descriptions = HashMap<Entry, Result<Described>>;

/// The file while it is written.
#[derive(Debug)]
pub(super) struct Transcript {
    library: Library,
    file: NamedTempFile,
    next: u64,
    types: Vec<(Datatype, Entry)>,
}

impl Transcript {
    pub(super) fn new() -> Result<Self> {
        let file = NamedTempFile::new().map_err(|error| temporary(&error))?;
        let library = Library::create(file.path()).map_err(|error| fault::fault(0, &error))?;
        Ok(Self { library, file, next: 0, types: Vec::new() })
    }

    /// Writes a type.
    pub(super) fn datatype(&mut self, datatype: &Datatype) -> hdf5_metno::Result<Entry> {
        if let Some((_, entry)) = self.types.iter().find(|(known, _)| known == datatype) {
            return Ok(*entry);
        }
        let (entry, name) = self.name();
        self.library.new_dataset_builder().empty_as(datatype).create(name.as_str())?;
        if self.types.len() == REMEMBERED {
            self.types.remove(0);
        }
        self.types.push((datatype.clone(), entry));
        Ok(entry)
    }

    /// Writes a type with fill value and filters, but without elements.
    pub(super) fn properties(
        &mut self,
        datatype: &Datatype,
        properties: &DatasetCreate,
    ) -> hdf5_metno::Result<Entry> {
        let (entry, name) = self.name();
        let builder = self.library.new_dataset_builder().set_create_plist(properties);
        let builder = builder.empty_as(datatype);
        // Nothing is allocated for a chunked dataset that is empty, and next to nothing for a scalar.
        match properties.get_chunk()? {
            Some(chunk) => {
                let extents = chunk.iter().map(|_| Extent::resizable(0)).collect();
                let extents = Extents::Simple(SimpleExtents::from_vec(extents));
                builder.shape(extents).chunk(chunk).create(name.as_str())?
            }
            None => builder.shape(Extents::Scalar).no_chunk().create(name.as_str())?,
        };
        Ok(entry)
    }

    /// Copies a dataset with its elements, which must be few.
    pub(super) fn copy(&mut self, dataset: &Dataset) -> hdf5_metno::Result<Entry> {
        let (entry, name) = self.name();
        dataset.copy_to(&self.library, &name)?;
        Ok(entry)
    }

    fn name(&mut self) -> (Entry, String) {
        let entry = Entry(self.next);
        self.next = self.next.saturating_add(1);
        (entry, entry.0.to_string())
    }

    /// The bytes of the finished file.
    pub(super) fn finish(self) -> Result<Bytes> {
        let Self { library, file, types, .. } = self;
        drop(types);
        library.close().map_err(|error| fault::fault(0, &error))?;
        std::fs::read(file.path()).map(Bytes::from).map_err(|error| temporary(&error))
    }
}

fn temporary(error: &io::Error) -> Hdf5Error {
    let reason = format!("the temporary file that it needs cannot be used: {error}");
    Hdf5Error::inconsistent("libhdf5", 0, reason)
}

/// Reads a finished transcript.
pub(super) async fn parse(bytes: Bytes) -> Result<Descriptions> {
    let source = MemorySource::new("memory://transcript", bytes);
    // This program wrote the file: no limit of the scan is meant for it.
    let mut limits = Limits::default();
    limits.metadata_bytes = u64::MAX;
    limits.members = u64::MAX;
    let frontier = Frontier::new(&source, &limits);
    let file = open(frontier, FileNumber(0), &limits).await?;
    let walk = async {
        let root = object_header::read(&file, file.root).await?;
        let links = links(&file, &root).await?;
        let entries = links.iter().map(|link| entry(&file, link));
        Ok(join_all(entries).await.into_iter().flatten().collect())
    };
    file.frontier.run(walk).await
}

async fn entry(file: &File<'_>, link: &Link) -> Option<(Entry, Result<Described>)> {
    let entry = Entry(link.name.parse().ok()?);
    let LinkTarget::Hard(ObjectId { address, .. }) = link.target else { return None };
    let dataset = match object_header::read(file, address).await {
        Ok(header) => dataset(file, &header).await,
        Err(error) => Err(error),
    };
    Some((entry, dataset))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use hdf5_metno::dataset::DatasetCreate;

    use super::*;
    use crate::filter::id;
    use crate::message::FillValue;
    use crate::message::datatype::{BitRange, ByteOrder, Class};

    #[test]
    fn types_fill_values_and_filters_come_back() {
        let mut transcript = Transcript::new().unwrap();
        let short = Datatype::from_type::<i16>().unwrap();
        let first = transcript.datatype(&short).unwrap();
        assert_eq!(transcript.datatype(&short.clone()).unwrap(), first, "written once");
        let mut builder = DatasetCreate::build();
        let properties = builder.chunk((2, 3)).shuffle().deflate(4).fill_value(-7_i16);
        let second = transcript.properties(&short, &properties.finish().unwrap()).unwrap();
        let descriptions = block_on(parse(transcript.finish().unwrap())).unwrap();
        assert_eq!(descriptions.len(), 2);
        let order = if cfg!(target_endian = "big") { ByteOrder::Big } else { ByteOrder::Little };
        let bits = BitRange { offset: 0, precision: 16 };
        let class = Class::FixedPoint { order, signed: true, bits };
        assert_eq!(descriptions[&first].as_ref().unwrap().datatype.class, class);
        let second = descriptions[&second].as_ref().unwrap();
        assert_eq!(second.fill_value, FillValue::Defined((-7_i16).to_ne_bytes().to_vec()));
        let filters: Vec<_> = second.filters.iter().map(|f| (f.id, f.values.clone())).collect();
        assert_eq!(filters, [(id::SHUFFLE, vec![2]), (id::DEFLATE, vec![4])]);
    }
}
