// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups and arrays of a session made those of a dataset.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_model::dataset::join_path;
use chunkref_model::zarr::v3;
use chunkref_model::{Array, Dataset};
use icechunk::format::Path;
use icechunk::format::snapshot::{ArrayShape, DimensionName, NodeSnapshot, NodeType};
use icechunk::session::Session;

use crate::IcechunkError;
use crate::error::library;

/// A group or array as it is to be.
pub(crate) struct Node<'a> {
    pub(crate) name: String,
    pub(crate) path: Path,
    document: Bytes,
    pub(crate) array: Option<&'a Array>,
}

/// Everything of `dataset`, parents first.
pub(crate) fn nodes(dataset: &Dataset) -> Result<Vec<Node<'_>>, IcechunkError> {
    let mut nodes = Vec::new();
    let mut fault = None;
    dataset.visit_groups(&mut |name, group| {
        let document = v3::group_metadata(&group.attributes);
        let mut add = || -> Result<(), IcechunkError> {
            nodes.push(node(name.to_owned(), document.clone(), None)?);
            for (own, array) in &group.arrays {
                let name = join_path(name, own);
                check_grid(&name, array)?;
                let document = v3::array_metadata(array)
                    .map_err(|source| IcechunkError::Document { path: name.clone(), source })?;
                nodes.push(node(name, document, Some(array))?);
            }
            Ok(())
        };
        if fault.is_none() {
            fault = add().err();
        }
    });
    fault.map_or(Ok(nodes), Err)
}

fn node(name: String, document: String, array: Option<&Array>) -> Result<Node<'_>, IcechunkError> {
    match Path::new(&format!("/{name}")) {
        Ok(path) => Ok(Node { name, path, document: document.into(), array }),
        Err(error) => Err(IcechunkError::Name { path: name, reason: error.to_string() }),
    }
}

fn check_grid(name: &str, array: &Array) -> Result<(), IcechunkError> {
    let grid_shape = array.manifest.grid_shape();
    if grid_shape.iter().all(|&length| u32::try_from(length).is_ok()) {
        return Ok(());
    }
    let grid_shape = grid_shape.to_vec();
    Err(IcechunkError::GridTooLarge { array: name.to_owned(), grid_shape })
}

/// The nodes that a session has, by path.
pub(crate) async fn present(
    session: &Session,
) -> Result<BTreeMap<String, NodeSnapshot>, IcechunkError> {
    let nodes = session.list_nodes(&Path::root()).await.map_err(library("read"))?;
    nodes
        .map(|node| node.map(|node| (node.path.to_string(), node)).map_err(library("read")))
        .collect()
}

/// Makes the nodes of `session` those of `nodes`. The result says of each whether an array of its name stays, whose
/// references may be right already.
pub(crate) async fn apply(
    session: &mut Session,
    nodes: &[Node<'_>],
) -> Result<Vec<bool>, IcechunkError> {
    let mut old = present(session).await?;
    let mut stays = Vec::new();
    for node in nodes {
        let same = old.get(&node.path.to_string()).is_some_and(|old| fits(old, node));
        stays.push(same);
    }
    let kept: BTreeMap<String, NodeSnapshot> = nodes
        .iter()
        .zip(&stays)
        .filter(|(_, stays)| **stays)
        .filter_map(|(node, _)| old.remove_entry(&node.path.to_string()))
        .collect();
    // Groups after what is in them.
    for (_, node) in old.into_iter().rev() {
        session.delete_node(node).await.map_err(library("changed"))?;
    }
    for node in nodes {
        let (path, document) = (&node.path, node.document.clone());
        let known = kept.get(&path.to_string());
        if known.is_some_and(|known| known.user_data == document) {
            continue;
        }
        let changed = match (node.array, known) {
            (None, None) => session.add_group(path.clone(), document).await,
            (None, Some(_)) => session.update_group(path, document).await,
            (Some(array), known) => {
                let shape = ArrayShape::new(array.shape.iter().copied().zip(grid(array)));
                let shape = shape.ok_or_else(|| IcechunkError::GridTooLarge {
                    array: node.name.clone(),
                    grid_shape: array.manifest.grid_shape().to_vec(),
                })?;
                let names = array.dimensions.iter().map(|name| DimensionName::from(name.as_str()));
                let names = Some(names.collect());
                match known {
                    None => session.add_array(path.clone(), shape, names, document).await,
                    Some(_) => session.update_array(path, shape, names, document).await,
                }
            }
        };
        changed.map_err(library("changed"))?;
    }
    Ok(stays)
}

fn grid(array: &Array) -> impl Iterator<Item = u32> {
    array.manifest.grid_shape().iter().map(|&length| u32::try_from(length).unwrap_or(u32::MAX))
}

/// Whether a node can become another one, references and all: of the same kind, and an array whose chunks stay in their
/// places.
fn fits(old: &NodeSnapshot, new: &Node<'_>) -> bool {
    let Some(array) = new.array else { return old.node_type() == NodeType::Group };
    if old.node_type() != NodeType::Array {
        return false;
    }
    let text = std::str::from_utf8(&old.user_data).unwrap_or_default();
    match v3::parse(&new.name, text) {
        Ok(v3::Node::Array(old)) => {
            old.chunk_grid == array.chunk_grid
                && old.shape.len() == array.shape.len()
                && old.shape.iter().zip(&array.shape).all(|(old, new)| old <= new)
        }
        _ => false,
    }
}
