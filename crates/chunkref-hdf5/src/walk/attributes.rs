// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads the attributes of an object, however they are stored.

use bytes::Bytes;
use futures::future::{join_all, try_join};

use super::file::File;
use super::{fractal_heap, group, shared_message, values};
use crate::attributes::{AttributeValue, NamedAttribute};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::message::attribute::{MaybeShared, value_bytes};
use crate::message::shared::SharedLocation;
use crate::message::{Attribute, Dataspace, Datatype, DenseStorage, kind};
use crate::name_index::{DenseAttribute, NameIndex};
use crate::object_header::{Message, ObjectHeader};

/// An attribute message, and where it is in the order of creation.
struct Stored {
    creation_order: Option<u64>,
    message: Message,
}

/// All attributes of an object: in the order of creation where the object tracks it, else by name.
pub(crate) async fn attributes(
    file: &File<'_>,
    header: &ObjectHeader,
) -> Result<Vec<NamedAttribute>> {
    let mut stored: Vec<Stored> = header
        .messages
        .iter()
        .filter(|message| message.kind == kind::ATTRIBUTE)
        .map(|message| Stored {
            creation_order: message.creation_order.map(u64::from),
            message: message.clone(),
        })
        .collect();
    if let Some(dense) = DenseStorage::attributes(header, &file.context)? {
        stored.extend(dense_attributes(file, dense).await?);
    }
    let (count, limit) = (stored.len() as u64, file.context.limits.members);
    Hdf5Error::check_limit("object header", header.offset, "attributes", count, limit)?;
    let ordered =
        header.tracks_attribute_order && stored.iter().all(|one| one.creation_order.is_some());
    if ordered {
        stored.sort_by_key(|one| one.creation_order);
    }
    let mut attributes = join_all(stored.iter().map(|one| attribute(file, &one.message))).await;
    if !ordered {
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(attributes)
}

async fn dense_attributes(
    file: &File<'_>,
    (heap, index): (Address, Address),
) -> Result<Vec<Stored>> {
    let records = group::heap_ids(file, index, NameIndex::attributes());
    let (heap, records) = try_join(fractal_heap::heap(file, heap), records).await?;
    let ids: Vec<Bytes> = records.iter().map(|record| record.slice(..8)).collect();
    let objects = fractal_heap::objects(file, &heap, &ids).await;
    let mut stored = Vec::new();
    for (record, object) in records.iter().zip(objects) {
        let dense = DenseAttribute::parse(record)?;
        let message = if dense.is_shared {
            let location = SharedLocation::Heap(dense.heap_id);
            shared_message::read(file, location, kind::ATTRIBUTE, 0).await?
        } else {
            Message::new(kind::ATTRIBUTE, 0, object?)
        };
        stored.push(Stored { creation_order: Some(u64::from(dense.creation_order)), message });
    }
    Ok(stored)
}

async fn attribute(file: &File<'_>, message: &Message) -> NamedAttribute {
    let offset = message.offset;
    let name = |message: &Message| {
        Attribute::name_of(message.cursor("attribute"))
            .unwrap_or_else(|| format!("attribute at byte {offset}"))
    };
    match shared_message::resolve(file, message).await {
        Ok(message) => {
            let value = attribute_value(file, &message).await;
            NamedAttribute { name: name(&message), offset, value }
        }
        Err(error) => NamedAttribute { name: name(message), offset, value: Err(error) },
    }
}

async fn attribute_value(file: &File<'_>, message: &Message) -> Result<AttributeValue> {
    let context = &file.context;
    let attribute = Attribute::parse(&mut message.cursor("attribute"), context)?;
    let offset = attribute.offset;
    let datatype = match attribute.datatype {
        MaybeShared::Here(datatype) => datatype,
        MaybeShared::Elsewhere(location) => {
            let message = shared_message::read(file, location, kind::DATATYPE, offset).await?;
            Datatype::parse(&mut message.cursor("datatype"), context)?
        }
    };
    let dataspace = match attribute.dataspace {
        MaybeShared::Here(dataspace) => dataspace,
        MaybeShared::Elsewhere(location) => {
            let message = shared_message::read(file, location, kind::DATASPACE, offset).await?;
            Dataspace::parse(&mut message.cursor("dataspace"), context)?
        }
    };
    let bytes = value_bytes(&attribute.value, offset, &datatype, &dataspace)?;
    let count = dataspace.count().unwrap_or(0);
    let values = values::values(file, &datatype, count, &bytes, offset).await?;
    Ok(AttributeValue { datatype, dataspace, values })
}
