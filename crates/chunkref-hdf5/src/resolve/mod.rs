// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the described stage to the resolved one: data that lies in external files or other datasets becomes chunks of those
//! files where chunk borders allow it, and is copied where they do not and it is small.

mod external;
mod object_references;
mod placed;
mod virtual_dataset;

use std::collections::BTreeMap;

use crate::attributes::NamedAttribute;
use crate::context::ObjectId;
use crate::error::{Hdf5Error, Result};
use crate::neighbours::Neighbours;
use crate::object::{DataLocation, Dataset, Described, Object, ObjectKind, Objects};
use crate::selection::Mapping;
use crate::tree::Resolver;
use crate::walk::Files;

pub(crate) use object_references::read_paths;

/// A virtual dataset whose data is not found yet.
struct Pending {
    offset: u64,
    attributes: Result<Vec<NamedAttribute>>,
    dataset: Dataset<Vec<Mapping>>,
    /// The dataset that each mapping takes elements from.
    sources: Result<Vec<ObjectId>>,
}

/// Finds the data of all datasets in open files; what cannot be found becomes an error.
pub(crate) async fn resolve(
    files: &Files<'_>,
    neighbours: &Neighbours,
    objects: Objects<Described>,
) -> Objects<Dataset> {
    let mut sources = sources(neighbours, &objects);
    let (mut resolved, mut pending) = (Objects::new(), BTreeMap::new());
    for (id, object) in objects {
        let Object { offset, attributes, kind } = match object {
            Ok(object) => object,
            Err(error) => {
                resolved.insert(id, Err(error));
                continue;
            }
        };
        let kind = match kind.into_dataset().map(Dataset::split) {
            Err(other) => other,
            Ok((dataset, DataLocation::Here(storage))) => ready(Ok(dataset.with_storage(storage))),
            Ok((dataset, DataLocation::External(pieces))) => {
                let placed =
                    external::resolve(files, neighbours, id, &dataset, &pieces, offset).await;
                ready(placed.map(|placed| placed.of(dataset)))
            }
            Ok((dataset, DataLocation::Virtual(mappings))) => {
                let sources = sources.remove(&id).unwrap_or_else(|| Ok(Vec::new()));
                let dataset = dataset.with_storage(mappings);
                pending.insert(id, Pending { offset, attributes, dataset, sources });
                continue;
            }
        };
        resolved.insert(id, Ok(Object { offset, attributes, kind }));
    }
    resolve_virtual(files, pending, &mut resolved).await;
    resolved
}

/// The sources of every virtual dataset.
fn sources(
    neighbours: &Neighbours,
    objects: &Objects<Described>,
) -> BTreeMap<ObjectId, Result<Vec<ObjectId>>> {
    let resolver = Resolver { objects, neighbours };
    let one = |(&id, object): (&ObjectId, &Result<Object<Described>>)| {
        let object = object.as_ref().ok()?;
        let DataLocation::Virtual(mappings) = &object.dataset()?.storage else { return None };
        Some((id, virtual_dataset::sources(resolver, id, mappings, object.offset)))
    };
    objects.iter().filter_map(one).collect()
}

/// Virtual datasets may have virtual sources: innermost first.
async fn resolve_virtual(
    files: &Files<'_>,
    mut pending: BTreeMap<ObjectId, Pending>,
    resolved: &mut Objects<Dataset>,
) {
    while !pending.is_empty() {
        let ids: Vec<ObjectId> = pending.keys().copied().collect();
        let before = pending.len();
        for id in ids {
            let waits = |one: &Pending| {
                one.sources
                    .as_ref()
                    .is_ok_and(|found| found.iter().any(|source| pending.contains_key(source)))
            };
            if pending.get(&id).is_none_or(waits) {
                continue;
            }
            let Some(Pending { offset, attributes, dataset, sources }) = pending.remove(&id) else {
                continue;
            };
            let placed = match sources {
                Ok(found) => {
                    let mappings = &dataset.storage;
                    virtual_dataset::resolve(files, resolved, &dataset, mappings, &found, offset)
                        .await
                }
                Err(error) => Err(error),
            };
            let kind = ready(placed.map(|placed| placed.of(dataset)));
            resolved.insert(id, Ok(Object { offset, attributes, kind }));
        }
        if pending.len() == before {
            break;
        }
    }
    for (id, Pending { offset, attributes, .. }) in pending {
        let reason = "the virtual dataset's sources lead back to itself";
        let kind = ready(Err(Hdf5Error::inconsistent("virtual dataset", offset, reason)));
        resolved.insert(id, Ok(Object { offset, attributes, kind }));
    }
}

fn ready(dataset: Result<Dataset>) -> ObjectKind<Dataset> {
    ObjectKind::Dataset(Box::new(dataset))
}
