// SPDX-License-Identifier: MIT OR Apache-2.0
//! The attributes of an object, however they are stored, with their values decoded.

use bytes::Bytes;
use chunkref_core::Cursor;
use futures::future::{join_all, try_join};

use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::message::attribute::{MaybeShared, value_bytes};
use crate::message::shared::SharedLocation;
use crate::message::{Attribute, Dataspace, Datatype, kind};
use crate::object_header::{Message, ObjectHeader};
use crate::value::Value;

/// An attribute with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AttributeValue {
    pub(crate) datatype: Datatype,
    pub(crate) dataspace: Dataspace,
    /// The elements in C order; none for a null dataspace.
    pub(crate) values: Vec<Value>,
}

/// An attribute, or why it cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct NamedAttribute {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) value: Result<AttributeValue>,
}

/// An attribute message, where it is in the order of creation, and where it comes from.
struct Stored {
    creation_order: Option<u64>,
    message: Message,
}

impl File<'_> {
    /// All attributes of an object: in the order of creation where the object tracks it, else by name.
    pub(crate) async fn attributes(&self, header: &ObjectHeader) -> Result<Vec<NamedAttribute>> {
        let mut stored: Vec<Stored> = header
            .messages
            .iter()
            .filter(|message| message.kind == kind::ATTRIBUTE)
            .map(|message| Stored {
                creation_order: message.creation_order.map(u64::from),
                message: message.clone(),
            })
            .collect();
        if let Some((heap, index)) = self.dense(header, kind::ATTRIBUTE_INFO)? {
            stored.extend(self.dense_attributes(heap, index).await?);
        }
        Hdf5Error::check_limit(
            "object header",
            header.offset,
            "attributes",
            stored.len() as u64,
            self.limits().members,
        )?;
        let ordered =
            header.tracks_attribute_order && stored.iter().all(|one| one.creation_order.is_some());
        if ordered {
            stored.sort_by_key(|one| one.creation_order);
        }
        let mut attributes = join_all(stored.iter().map(|one| self.attribute(&one.message))).await;
        if !ordered {
            attributes.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Ok(attributes)
    }

    async fn dense_attributes(&self, heap: Address, index: Address) -> Result<Vec<Stored>> {
        // Records of type 8: heap ID, message flags, creation order, hash of the name.
        let (heap, records) =
            try_join(self.fractal_heap(heap), self.heap_ids(index, 8, 0, 13)).await?;
        let ids: Vec<Bytes> = records.iter().map(|record| record.slice(..8)).collect();
        let objects = heap.objects(self, &ids).await;
        let mut stored = Vec::new();
        for (record, object) in records.iter().zip(objects) {
            let mut cursor = Cursor::new(record, 0, "attribute name index");
            let id = cursor.array::<8>()?;
            let flags = cursor.u8()?;
            let creation_order = Some(u64::from(cursor.u32_le()?));
            let message = if flags & 2 != 0 {
                self.shared_message(SharedLocation::Heap(id), kind::ATTRIBUTE, 0).await?
            } else {
                Message::new(kind::ATTRIBUTE, 0, object?)
            };
            stored.push(Stored { creation_order, message });
        }
        Ok(stored)
    }

    async fn attribute(&self, message: &Message) -> NamedAttribute {
        let offset = message.offset;
        let name = |message: &Message| {
            Attribute::name_of(message.cursor("attribute"))
                .unwrap_or_else(|| format!("attribute at byte {offset}"))
        };
        match self.resolve(message).await {
            Ok(message) => {
                let value = self.attribute_value(&message).await;
                NamedAttribute { name: name(&message), offset, value }
            }
            Err(error) => NamedAttribute { name: name(message), offset, value: Err(error) },
        }
    }

    async fn attribute_value(&self, message: &Message) -> Result<AttributeValue> {
        let attribute = Attribute::parse(&mut message.cursor("attribute"), &self.context)?;
        let datatype = match attribute.datatype {
            MaybeShared::Here(datatype) => datatype,
            MaybeShared::Elsewhere(location) => {
                let message =
                    self.shared_message(location, kind::DATATYPE, attribute.offset).await?;
                Datatype::parse(&mut message.cursor("datatype"), &self.context)?
            }
        };
        let dataspace = match attribute.dataspace {
            MaybeShared::Here(dataspace) => dataspace,
            MaybeShared::Elsewhere(location) => {
                let message =
                    self.shared_message(location, kind::DATASPACE, attribute.offset).await?;
                Dataspace::parse(&mut message.cursor("dataspace"), &self.context)?
            }
        };
        let bytes = value_bytes(&attribute.value, attribute.offset, &datatype, &dataspace)?;
        let count = dataspace.count().unwrap_or(0);
        let values = self.values(&datatype, count, &bytes, attribute.offset).await?;
        Ok(AttributeValue { datatype, dataspace, values })
    }
}
