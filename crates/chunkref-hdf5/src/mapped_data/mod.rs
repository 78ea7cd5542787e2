// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data that lies elsewhere: external files and virtual datasets, made into chunks of those files where chunk borders
//! allow it, and copied into the references where they do not and the data is small.

mod external;
mod virtual_dataset;

use crate::context::ObjectId;
use crate::error::{Hdf5Error, Result};
use crate::message::Filter;
use crate::neighbours::Neighbours;
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};
use crate::tree::Resolver;
use crate::walk::Files;

/// Bytes of a dataset that are copied into the references when its pieces do not fit a chunk grid.
const COPY_BYTES: u64 = 4 << 20;

/// Where the data is after all, and the filters it went through.
struct Resolved {
    storage: Storage,
    filters: Vec<Filter>,
}

/// Replaces external and virtual storage of all datasets by chunks or bytes; what cannot be becomes an error.
pub(crate) async fn resolve(files: &Files<'_>, neighbours: &Neighbours, objects: &mut Objects) {
    for id in with_storage(objects, |storage| matches!(storage, Storage::External(_))) {
        let Some((offset, dataset)) = dataset_at(objects, id) else { continue };
        let Storage::External(pieces) = &dataset.storage else { continue };
        let resolved = external::resolve(files, neighbours, id, dataset, pieces, offset).await;
        replace(objects, id, resolved);
    }
    // Virtual datasets may have virtual sources: innermost first.
    loop {
        let all = with_storage(objects, |storage| matches!(storage, Storage::Virtual(_)));
        let mut progress = false;
        for &id in &all {
            let Some((offset, dataset)) = dataset_at(objects, id) else { continue };
            let Storage::Virtual(mappings) = &dataset.storage else { continue };
            let links = Resolver { objects, neighbours };
            let found = virtual_dataset::sources(links, id, mappings, offset);
            if let Ok(found) = &found
                && found.iter().any(|source| all.contains(source) && is_virtual(objects, *source))
            {
                continue;
            }
            let resolved = match found {
                Ok(found) => {
                    virtual_dataset::resolve(files, objects, dataset, mappings, &found, offset)
                        .await
                }
                Err(error) => Err(error),
            };
            replace(objects, id, resolved);
            progress = true;
        }
        if !progress {
            for id in all {
                let offset = dataset_at(objects, id).map_or(0, |(offset, _)| offset);
                let reason = "the virtual dataset's sources lead back to itself";
                replace(
                    objects,
                    id,
                    Err(Hdf5Error::inconsistent("virtual dataset", offset, reason)),
                );
            }
            return;
        }
    }
}

fn with_storage(objects: &Objects, wanted: impl Fn(&Storage) -> bool) -> Vec<ObjectId> {
    let matching = objects.keys().filter(|&&id| {
        dataset_at(objects, id).is_some_and(|(_, dataset)| wanted(&dataset.storage))
    });
    matching.copied().collect()
}

fn dataset_at(objects: &Objects, id: ObjectId) -> Option<(u64, &Dataset)> {
    match objects.get(&id) {
        Some(Ok(Object { kind: ObjectKind::Dataset(dataset), offset, .. })) => {
            Some((*offset, dataset.as_ref().as_ref().ok()?))
        }
        _ => None,
    }
}

fn is_virtual(objects: &Objects, id: ObjectId) -> bool {
    dataset_at(objects, id)
        .is_some_and(|(_, dataset)| matches!(dataset.storage, Storage::Virtual(_)))
}

fn replace(objects: &mut Objects, id: ObjectId, resolved: Result<Resolved>) {
    if let Some(Ok(Object { kind: ObjectKind::Dataset(slot), .. })) = objects.get_mut(&id) {
        match (resolved, slot.as_mut()) {
            (Ok(resolved), Ok(dataset)) => {
                dataset.storage = resolved.storage;
                dataset.filters = resolved.filters;
            }
            (Err(error), _) => **slot = Err(error),
            (Ok(_), Err(_)) => {}
        }
    }
}
