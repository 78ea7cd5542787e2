// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays of several inputs beside each other, as far as references tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chunkref_combine::element::elements;
use chunkref_model::{Array, ChunkRef, ManifestAssembler, Source, SourceId};
use chunkref_read::are_messages;

use super::Member;
use super::content::{form, same_type, signature};

/// The arrays of some inputs, and who has each.
pub(super) fn paths(members: &[Member], inputs: &[usize]) -> BTreeMap<String, Vec<usize>> {
    let mut paths: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &input in inputs {
        let Some(member) = members.get(input) else { continue };
        for (path, _) in member.dataset.arrays() {
            paths.entry(path).or_default().push(input);
        }
    }
    paths
}

/// The coordinates of an input along some dimensions, as far as they are plain values.
pub(super) fn place(members: &[Member], input: usize, names: &[String]) -> Vec<Option<Vec<u8>>> {
    let arrays = members.get(input).map(|member| member.dataset.arrays()).unwrap_or_default();
    let of = |name: &String| {
        let own = arrays.iter().find(|(path, _)| last(path) == name);
        own.and_then(|(_, array)| match elements(array, None) {
            // By what they mean: inputs may count the same times in other types or units.
            Some(elements) => Some(format!("{elements:?}").into_bytes()),
            None => array.plain_values(),
        })
    };
    names.iter().map(of).collect()
}

pub(super) fn array<'a>(members: &'a [Member], input: usize, path: &str) -> Option<&'a Array> {
    members.get(input)?.dataset.array(path)
}

pub(super) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether arrays can be one array whose values can be read: what differs otherwise is a conflict, or a difference that is
/// seen without reading.
pub(super) fn comparable(arrays: &[&Array]) -> bool {
    let readable = |array: &Array| {
        array.dtype.length_bytes().is_some_and(|length| length > 0)
            && array.logical_bytes().is_some_and(|bytes| bytes > 0)
            && are_messages(&array.codecs) == Some(false)
    };
    arrays.windows(2).all(|pair| match pair {
        [a, b] => {
            a.shape == b.shape
                && a.dimensions == b.dimensions
                && a.fill_value == b.fill_value
                && same_type(&a.dtype, &b.dtype)
        }
        _ => true,
    }) && arrays.iter().all(|array| readable(array))
}

pub(super) fn values_bytes(arrays: &[&Array]) -> u64 {
    let bytes = arrays.iter().map(|array| array.logical_bytes().unwrap_or(u64::MAX));
    bytes.fold(0, u64::saturating_add)
}

/// Whether references alone tell that the values are equal.
pub(super) fn all_same(members: &[Member], path: &str, holders: &[usize]) -> bool {
    holders.split_first().is_none_or(|(&first, others)| {
        others.iter().all(|&other| same_references(members, path, first, other))
    })
}

pub(super) fn same_references(members: &[Member], path: &str, one: usize, other: usize) -> bool {
    let (Some(a), Some(b)) = (array(members, one, path), array(members, other, path)) else {
        return false;
    };
    let source = |input: usize, id| members.get(input).and_then(|own| own.dataset.source(id));
    if let (Some(a), Some(b)) = (a.plain_values(), b.plain_values()) {
        return a == b;
    }
    a.codecs == b.codecs
        && a.chunk_grid == b.chunk_grid
        && a.manifest.same_chunks(&b.manifest, &mut |a, b| {
            source(one, a).is_some() && source(one, a) == source(other, b)
        })
}

pub(super) fn change(member: &mut Member, path: &str, change: impl FnOnce(Array) -> Array) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    let dataset = Arc::make_mut(&mut member.dataset);
    if let Some(array) = dataset.group_mut(parent).arrays.get_mut(name) {
        *array = change(array.clone());
    }
}

/// Lets the array of `input` name the bytes of `first`, whose values are equal. Attributes stay.
pub(super) fn adopt(members: &mut [Member], path: &str, first: usize, input: usize) {
    let Some(source) = members.get(first).cloned() else { return };
    let Some(model) = source.dataset.array(path) else { return };
    let Some(member) = members.get_mut(input) else { return };
    let dataset = Arc::make_mut(&mut member.dataset);
    let mut named = BTreeSet::new();
    model.manifest.visit(&mut |_, reference| {
        if let ChunkRef::Virtual { source, .. } = reference {
            named.insert(source);
        }
    });
    // Sources that the array does not name keep their place in the table, and any entry will do for them.
    let ids: Vec<SourceId> = (0..)
        .map(SourceId)
        .zip(source.dataset.sources())
        .map(
            |(id, source): (SourceId, &Source)| {
                if named.contains(&id) { dataset.add_source(source.clone()) } else { SourceId(0) }
            },
        )
        .collect();
    let grid_shape = model.manifest.grid_shape().to_vec();
    let origin = vec![0; grid_shape.len()];
    let manifest = ManifestAssembler::new(grid_shape).and_then(|mut assembler| {
        assembler.place(&model.manifest, &origin, &ids)?;
        assembler.finish()
    });
    if let Ok(manifest) = manifest {
        change(member, path, |own| Array { attributes: own.attributes, manifest, ..model.clone() });
    }
}

/// Inputs in groups of those whose stored chunks have the same lengths.
pub(super) fn signatures(members: &[Member], path: &str, inputs: &[usize]) -> Vec<Vec<usize>> {
    grouped(members, path, inputs, signature)
}

/// Inputs in groups of those that store an array in the same way.
pub(super) fn forms(members: &[Member], path: &str, inputs: &[usize]) -> Vec<Vec<usize>> {
    grouped(members, path, inputs, form)
}

fn grouped(
    members: &[Member],
    path: &str,
    inputs: &[usize],
    by: impl Fn(&Array) -> String,
) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for &input in inputs {
        let key = array(members, input, path).map(&by).unwrap_or_default();
        groups.entry(key).or_default().push(input);
    }
    groups.into_values().collect()
}
