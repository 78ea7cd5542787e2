// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets of object references as the paths of what they point to.

use std::collections::HashMap;

use bytes::Bytes;

use crate::context::ObjectId;
use crate::error::Result;
use crate::message::Datatype;
use crate::message::datatype::{Class, ReferenceKind};
use crate::object::{Dataset, Object, ObjectKind, Objects};
use crate::value::{HeapObjects, Value, decode_each};
use crate::walk::{Files, elements};

/// Reads the elements of every dataset of object references and puts paths in their place: with a leading slash, empty
/// for a null reference and for an object that no path leads to.
pub(crate) async fn read_paths(
    files: &Files<'_>,
    objects: Objects<Dataset>,
    paths: &HashMap<ObjectId, String>,
) -> Objects<Dataset> {
    let mut read = Objects::new();
    for (id, mut object) in objects {
        if let Ok(Object { kind: ObjectKind::Dataset(slot), offset, .. }) = &mut object
            && let Ok(dataset) = slot.as_mut()
            && is_reference(&dataset.datatype)
        {
            match texts(files, id, dataset, *offset, paths).await {
                Ok(texts) => dataset.strings = texts,
                Err(error) => **slot = Err(error),
            }
        }
        read.insert(id, object);
    }
    read
}

/// Whether elements are references to objects.
fn is_reference(datatype: &Datatype) -> bool {
    matches!(datatype.class, Class::Reference(ReferenceKind::Object))
}

async fn texts(
    files: &Files<'_>,
    id: ObjectId,
    dataset: &Dataset,
    offset: u64,
    paths: &HashMap<ObjectId, String>,
) -> Result<Option<Vec<Bytes>>> {
    let Some(file) = files.hdf5(id.file) else { return Ok(None) };
    let read = elements::elements(file, dataset, &dataset.storage, offset);
    let Some(elements) = file.frontier.run(read).await? else { return Ok(None) };
    let (count, heap) = (dataset.dataspace.count().unwrap_or(0), HeapObjects::new());
    let values = decode_each(&dataset.datatype, count, &elements, offset, &file.context, &heap);
    let mut texts = Vec::new();
    for value in values {
        let path = match value? {
            Value::Object(Some(target)) => paths.get(&target),
            _ => None,
        };
        let text = path.map_or_else(String::new, |path| format!("/{path}"));
        file.context.take_value_bytes(text.len() as u64, offset)?;
        texts.push(text.into());
    }
    Ok(Some(texts))
}
