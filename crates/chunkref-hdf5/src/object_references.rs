// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets of object references as the paths of what they point to.

use std::collections::HashMap;

use bytes::Bytes;

use crate::context::ObjectId;
use crate::error::Result;
use crate::message::Datatype;
use crate::message::datatype::{Class, ReferenceKind};
use crate::object::{Object, ObjectKind, Objects};
use crate::value::{HeapObjects, Value, decode_each};
use crate::walk::{Files, elements};

/// Reads the elements of every dataset of object references and puts paths in their place: with a leading slash, empty
/// for a null reference and for an object that no path leads to.
pub(crate) async fn read_paths(
    files: &Files<'_>,
    objects: &mut Objects,
    paths: &HashMap<ObjectId, String>,
) {
    let wanted: Vec<ObjectId> = objects
        .iter()
        .filter_map(|(&id, object)| match object {
            Ok(Object { kind: ObjectKind::Dataset(dataset), .. }) => {
                let dataset = dataset.as_ref().as_ref().ok()?;
                is_reference(&dataset.datatype).then_some(id)
            }
            _ => None,
        })
        .collect();
    for id in wanted {
        let texts = texts(files, objects, id, paths).await;
        if let Some(Ok(Object { kind: ObjectKind::Dataset(slot), .. })) = objects.get_mut(&id) {
            match (texts, slot.as_mut()) {
                (Ok(texts), Ok(dataset)) => dataset.strings = texts,
                (Err(error), _) => **slot = Err(error),
                (Ok(_), Err(_)) => {}
            }
        }
    }
}

/// Whether elements are references to objects.
pub(crate) fn is_reference(datatype: &Datatype) -> bool {
    matches!(datatype.class, Class::Reference(ReferenceKind::Object))
}

async fn texts(
    files: &Files<'_>,
    objects: &Objects,
    id: ObjectId,
    paths: &HashMap<ObjectId, String>,
) -> Result<Option<Vec<Bytes>>> {
    let Some(file) = files.hdf5(id.file) else { return Ok(None) };
    let Some(Ok(Object { kind: ObjectKind::Dataset(dataset), offset, .. })) = objects.get(&id)
    else {
        return Ok(None);
    };
    let Ok(dataset) = dataset.as_ref() else { return Ok(None) };
    let Some(elements) = file.frontier.run(elements::elements(file, dataset, *offset)).await?
    else {
        return Ok(None);
    };
    let (count, heap) = (dataset.dataspace.count().unwrap_or(0), HeapObjects::new());
    let values = decode_each(&dataset.datatype, count, &elements, *offset, &file.context, &heap);
    let mut texts = Vec::new();
    for value in values {
        let path = match value? {
            Value::Object(Some(target)) => paths.get(&target),
            _ => None,
        };
        let text = path.map_or_else(String::new, |path| format!("/{path}"));
        file.context.take_value_bytes(text.len() as u64, *offset)?;
        texts.push(text.into());
    }
    Ok(Some(texts))
}
