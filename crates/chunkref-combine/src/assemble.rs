// SPDX-License-Identifier: MIT OR Apache-2.0
//! The combined dataset.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use chunkref_core::{CombineError, CombineErrorKind};
use chunkref_model::array_values::{Block, filled, place_block};
use chunkref_model::{
    Array, ChunkGrid, Dataset, Dimension, Group, ManifestAssembler, ManifestError, SourceId,
};

use crate::analysis::{Analysis, for_each_place};
use crate::axis::Axis;
use crate::cut::cut;
use crate::input::Input;
use crate::variable::Variable;

/// Makes what was decided.
pub(crate) fn assemble(inputs: &[Input<'_>], analysis: &Analysis) -> Result<Dataset, CombineError> {
    let mut dataset = Dataset::new();
    let sources = adopt_sources(&mut dataset, inputs);
    let mut known = BTreeSet::new();
    for input in inputs {
        input.dataset.visit_groups(&mut |path, group| {
            if known.insert(path.to_owned()) {
                let made = dataset.group_mut(path);
                made.attributes = group.attributes.clone();
                made.dimensions.clone_from(&group.dimensions);
            }
        });
    }
    for axis in &analysis.axes {
        if !set_length(&mut dataset.root, axis) {
            let name = axis.name.clone();
            let dimension = Dimension { name, length: axis.length, unlimited: false };
            dataset.root.dimensions.push(dimension);
        }
    }
    for axis in &analysis.axes {
        if let Some((path, array)) = &axis.variable {
            insert(&mut dataset, path, array.clone());
        }
    }
    for variable in &analysis.variables {
        if let Some(array) = array(inputs, analysis, variable, &sources)? {
            insert(&mut dataset, &variable.path, array);
        }
    }
    Ok(dataset)
}

/// Adds the sources of all inputs; the answer is what each input's are called in the dataset.
pub(crate) fn adopt_sources(dataset: &mut Dataset, inputs: &[Input<'_>]) -> Vec<Vec<SourceId>> {
    let mut names = Vec::new();
    for input in inputs {
        let own = input.dataset.sources().iter();
        names.push(own.map(|source| dataset.add_source(source.clone())).collect());
    }
    names
}

fn insert(dataset: &mut Dataset, path: &str, array: Array) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
}

/// Gives the dimension its new length wherever a group defines it.
fn set_length(group: &mut Group, axis: &Axis) -> bool {
    let mut found = false;
    for dimension in &mut group.dimensions {
        if dimension.name == axis.name {
            dimension.length = axis.length;
            found = true;
        }
    }
    for group in group.groups.values_mut() {
        found |= set_length(group, axis);
    }
    found
}

fn array(
    inputs: &[Input<'_>],
    analysis: &Analysis,
    variable: &Variable,
    sources: &[Vec<SourceId>],
) -> Result<Option<Array>, CombineError> {
    let own = |input: usize| {
        let array = inputs.get(input)?.dataset.array(&variable.path)?;
        Some((array, sources.get(input)?.as_slice()))
    };
    let Some((first, names)) = variable.inputs.first().and_then(|&input| own(input)) else {
        return Ok(None);
    };
    let fault = |error: ManifestError| {
        CombineError::new(CombineErrorKind::Unsupported, format!("{}: {error}", variable.path))
    };
    let Some(dimensions) = &variable.dimensions else {
        let mut assembler = ManifestAssembler::new(first.manifest.grid_shape()).map_err(fault)?;
        let origin = vec![0; first.manifest.grid_shape().len()];
        assembler.place(&first.manifest, &origin, names).map_err(fault)?;
        return Ok(Some(Array { manifest: assembler.finish().map_err(fault)?, ..first.clone() }));
    };
    let axes: Vec<Option<&Axis>> = dimensions
        .iter()
        .map(|name| analysis.axes.iter().find(|axis| axis.name == *name))
        .collect();
    let lacking = dimensions.len().saturating_sub(first.shape.len());
    let shape: Vec<u64> = axes
        .iter()
        .zip(std::iter::repeat_n(&1, lacking).chain(&first.shape))
        .map(|(axis, &length)| axis.map_or(length, |axis| axis.length))
        .collect();
    let parts = parts(variable, &axes, own);
    let mut attributes = first.attributes.clone();
    if variable.fill.is_some() {
        attributes.remove("_FillValue");
    }
    let described = |chunk_shape: &[u64]| Array {
        shape: shape.clone(),
        dimensions: dimensions.clone(),
        dtype: first.dtype.clone(),
        fill_value: variable.fill.clone().or_else(|| first.fill_value.clone()),
        chunk_grid: ChunkGrid::regular(chunk_shape),
        codecs: first.codecs.clone(),
        attributes: attributes.clone(),
        manifest: chunkref_model::Manifest::empty(Vec::new()),
    };
    if variable.plain {
        return plain(variable, &shape, &parts, described(&shape)).map(Some);
    }
    let thin = std::iter::repeat_n(1, lacking);
    let own = first.dimensions.iter().zip(first.chunk_grid.chunk_shape());
    let own = own.map(|(name, &chunk)| match &variable.cut {
        Some(cut) if cut.dimension == *name => cut.chunk,
        _ => chunk,
    });
    let chunk_shape: Vec<u64> = thin.chain(own).collect();
    let mut array = described(&chunk_shape);
    let mut assembler =
        ManifestAssembler::new(array.chunk_grid.grid_shape(&shape)).map_err(fault)?;
    for part in &parts {
        let origin: Vec<u64> = part
            .origin
            .iter()
            .zip(&chunk_shape)
            .map(|(start, chunk)| start / chunk.max(&1))
            .collect();
        let manifest = match &variable.cut {
            Some(wanted) => Cow::Owned(
                cut(part.array, wanted)
                    .ok_or_else(|| {
                        CombineError::new(
                            CombineErrorKind::Unsupported,
                            format!("{}: its chunks cannot be cut", variable.path),
                        )
                    })?
                    .manifest,
            ),
            None => Cow::Borrowed(&part.array.manifest),
        };
        assembler.place(&manifest, &origin, part.sources).map_err(fault)?;
    }
    array.manifest = assembler.finish().map_err(fault)?;
    Ok(Some(array))
}

/// One input's array in its place, in elements.
struct Part<'a> {
    array: &'a Array,
    sources: &'a [SourceId],
    origin: Vec<u64>,
}

/// Every input's array, as often as the input is long along the axes that its array lacks, and no place twice.
fn parts<'a>(
    variable: &Variable,
    axes: &[Option<&Axis>],
    own: impl Fn(usize) -> Option<(&'a Array, &'a [SourceId])>,
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut taken = HashSet::new();
    for &input in &variable.inputs {
        let Some((array, sources)) = own(input) else { continue };
        let lacking = axes.len().saturating_sub(array.shape.len());
        let ranges: Vec<(u64, u64)> = axes
            .iter()
            .enumerate()
            .map(|(place, axis)| {
                let range = axis.and_then(|axis| axis.ranges.get(input).copied());
                let (start, length) = range.unwrap_or((0, 1));
                // An input without places along an axis has no chunks to be placed.
                (start, if place < lacking { length } else { length.min(1) })
            })
            .collect();
        for_each_place(&ranges, &mut |origin| {
            if taken.insert(origin.to_vec()) {
                parts.push(Part { array, sources, origin: origin.to_vec() });
            }
        });
    }
    parts
}

/// All values in one chunk.
fn plain(
    variable: &Variable,
    shape: &[u64],
    parts: &[Part<'_>],
    described: Array,
) -> Result<Array, CombineError> {
    let fault = |what: &str| {
        CombineError::new(CombineErrorKind::Unsupported, format!("{}: {what}", variable.path))
    };
    let element = described.dtype.length_bytes().and_then(|bytes| usize::try_from(bytes).ok());
    let element = element.ok_or_else(|| fault("its elements have no fixed length"))?;
    let mut values = filled(&described.dtype, described.fill_value.as_ref(), shape)
        .ok_or_else(|| fault("its values do not fit into memory"))?;
    for part in parts {
        let bytes = part.array.plain_values().unwrap_or_default();
        let lacking = shape.len().saturating_sub(part.array.shape.len());
        let own: Vec<u64> =
            std::iter::repeat_n(1, lacking).chain(part.array.shape.iter().copied()).collect();
        let block = Block { bytes: &bytes, shape: &own };
        if !place_block(&mut values, shape, &part.origin, &block, element) {
            return Err(fault("its values do not have the length of its shape"));
        }
    }
    Ok(described.with_plain_values(values.into()))
}
