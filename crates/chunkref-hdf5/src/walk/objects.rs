// SPDX-License-Identifier: MIT OR Apache-2.0
//! The walk over all objects of a file.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::file::File;
use super::{attributes, dataset, group, object_header};
use crate::attributes::NamedAttribute;
use crate::context::{Address, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::message::kind;
use crate::message::link::{Link, LinkTarget};
use crate::object::{Described, Object, ObjectKind, Objects};
use crate::object_header::ObjectHeader;

/// What one step of the walk found about an object.
enum Step {
    Header(Result<ObjectHeader>),
    Links(Result<Vec<Link>>),
    Dataset(Box<Result<Described>>),
    Attributes(Result<Vec<NamedAttribute>>),
}

type Steps<'f> = FuturesUnordered<BoxFuture<'f, (Address, Step)>>;

/// Reads every object that hard links lead to from the root, each once, all at the same time.
pub(crate) async fn read_objects(file: &File<'_>) -> Result<Objects<Described>> {
    let mut objects = Objects::new();
    let mut seen = HashSet::from([file.root]);
    let mut steps: Steps<'_> = FuturesUnordered::new();
    push_header(&steps, file, file.root);
    while let Some((address, step)) = steps.next().await {
        match step {
            Step::Header(Err(error)) => {
                objects.insert(file.context.object(address), Err(error));
            }
            Step::Header(Ok(header)) => {
                objects.insert(file.context.object(address), begin(&steps, file, address, header));
            }
            Step::Links(links) => {
                for link in links.iter().flatten() {
                    if let LinkTarget::Hard(ObjectId { address: target, .. }) = link.target
                        && seen.insert(target)
                    {
                        push_header(&steps, file, target);
                    }
                }
                let count = seen.len() as u64;
                Hdf5Error::check_limit(
                    "group",
                    file.context.file_offset(address),
                    "objects",
                    count,
                    file.context.limits.objects,
                )?;
                update(&mut objects, file.context.object(address), |object| {
                    object.kind = ObjectKind::Group(links);
                });
            }
            Step::Dataset(dataset) => {
                update(&mut objects, file.context.object(address), |object| {
                    object.kind = ObjectKind::Dataset(dataset);
                });
            }
            Step::Attributes(attributes) => {
                update(&mut objects, file.context.object(address), |object| {
                    object.attributes = attributes;
                });
            }
        }
    }
    Ok(objects)
}

fn push_header<'f>(steps: &Steps<'f>, file: &'f File<'_>, address: Address) {
    steps.push(Box::pin(async move {
        (address, Step::Header(object_header::read(file, address).await))
    }));
}

/// Starts the steps that an object's header asks for.
fn begin<'f>(
    steps: &Steps<'f>,
    file: &'f File<'_>,
    address: Address,
    header: ObjectHeader,
) -> Result<Object<Described>> {
    let offset = header.offset;
    let header = Arc::new(header);
    let kind = if header.is_dataset() {
        let header = Arc::clone(&header);
        steps.push(Box::pin(async move {
            (address, Step::Dataset(Box::new(dataset::dataset(file, &header).await)))
        }));
        ObjectKind::Datatype
    } else if header.is_group() {
        let header = Arc::clone(&header);
        steps.push(Box::pin(
            async move { (address, Step::Links(group::links(file, &header).await)) },
        ));
        ObjectKind::Group(Ok(Vec::new()))
    } else if header.message(kind::DATATYPE).is_some() {
        ObjectKind::Datatype
    } else {
        let reason = "the object is neither a group, a dataset nor a committed datatype";
        return Err(Hdf5Error::inconsistent("object header", offset, reason));
    };
    steps.push(Box::pin(async move {
        (address, Step::Attributes(attributes::attributes(file, &header).await))
    }));
    Ok(Object { offset, attributes: Ok(Vec::new()), kind })
}

fn update(
    objects: &mut Objects<Described>,
    id: ObjectId,
    change: impl FnOnce(&mut Object<Described>),
) {
    if let Some(Ok(object)) = objects.get_mut(&id) {
        change(object);
    }
}
