// SPDX-License-Identifier: MIT OR Apache-2.0
//! The combined dataset.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chunkref_core::{CombineError, CombineErrorKind};
use chunkref_model::array_values::{Block, filled, place_block};
use chunkref_model::{
    Array, ChunkGrid, Dataset, Dimension, Group, ManifestAssembler, ManifestError, ManifestPiece,
    SourceId,
};

use crate::analysis::{Analysis, for_each_place};
use crate::axis::Axis;
use crate::cut::cut;
use crate::input::Input;
use crate::placement::{Piece, Run};
use crate::variable::Variable;

/// Most places that what an input keeps once is repeated at.
const MOST_REPEATED: u64 = 1 << 20;

/// Makes what was decided. Of the inputs that are `empty` there are the sources, and what needs no place.
pub(crate) fn assemble(
    inputs: &[Input<'_>],
    empty: &[Input<'_>],
    analysis: &Analysis,
) -> Result<Dataset, CombineError> {
    let mut dataset = Dataset::new();
    let sources = adopt_sources(&mut dataset, inputs);
    let empty_sources = adopt_sources(&mut dataset, empty);
    let mut known = BTreeSet::new();
    for input in inputs.iter().chain(empty) {
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
    for axis in &analysis.axes {
        one_dimensional(&mut dataset, axis);
    }
    for (path, place) in &analysis.of_empty {
        let own = empty.get(*place).and_then(|input| input.dataset.array(path));
        if let (Some(array), Some(names)) = (own, empty_sources.get(*place)) {
            insert(&mut dataset, path, kept(path, array, names)?);
        }
    }
    Ok(dataset)
}

/// Makes arrays of other groups that hold the coordinates of an axis, along it and axes of one place, coordinates as the
/// axis has them: along it alone.
fn one_dimensional(dataset: &mut Dataset, axis: &Axis) {
    let Some((own, coordinates)) = &axis.variable else { return };
    let copies: Vec<_> = dataset
        .arrays()
        .into_iter()
        .filter(|(path, array)| {
            path != own
                && path.rsplit('/').next() == Some(axis.name.as_str())
                && array.dimensions.len() > 1
                && array.dimensions.contains(&axis.name)
                && array.dtype == coordinates.dtype
                && array.shape.iter().fold(1_u64, |all, &length| all.saturating_mul(length))
                    == axis.length
                && array.plain_values() == coordinates.plain_values()
        })
        .map(|(path, array)| {
            (path, Array { attributes: array.attributes.clone(), ..coordinates.clone() })
        })
        .collect();
    for (path, array) in copies {
        insert(dataset, &path, array);
    }
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
    let Some(dimensions) = &variable.dimensions else {
        return kept(&variable.path, first, names).map(Some);
    };
    let axes: Vec<Option<(usize, &Axis)>> = dimensions
        .iter()
        .map(|name| {
            let slots = variable.axes.iter().enumerate();
            let mut axes = slots.filter_map(|(slot, &at)| Some((slot, analysis.axes.get(at)?)));
            axes.find(|(_, axis)| axis.name == *name)
        })
        .collect();
    let lacking = dimensions.len().saturating_sub(first.shape.len());
    let shape: Vec<u64> = axes
        .iter()
        .zip(std::iter::repeat_n(&1, lacking).chain(&first.shape))
        .map(|(axis, &length)| axis.map_or(length, |(_, axis)| axis.length))
        .collect();
    let slots: Vec<Option<usize>> = axes.iter().map(|axis| axis.map(|(slot, _)| slot)).collect();
    let parts = variable.inputs.iter().zip(&variable.pieces).filter_map(|(&input, pieces)| {
        let (array, sources) = own(input)?;
        Some(Part { array, sources, pieces, slots: &slots })
    });
    let parts: Vec<_> = parts.collect();
    let repeated = parts.iter().map(Part::repeats).fold(0, u64::saturating_add);
    if repeated > MOST_REPEATED {
        let along = dimensions.join(", ");
        let what = format!(
            "it would be repeated at {repeated} places along {along}, which is more than {MOST_REPEATED}: leave it out of the \
             inputs"
        );
        return Err(unsupported(&variable.path, &what));
    }
    let mut attributes = first.attributes.clone();
    // What one input says of where its variables' descriptions are holds for all.
    for name in ["bounds", "climatology", "grid_mapping", "coordinates"] {
        let mut found = parts.iter().filter_map(|part| part.array.attributes.get(name));
        if let (None, Some(value)) = (attributes.get(name), found.next()) {
            attributes.insert(name, value.clone());
        }
    }
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
    let fault = |error: ManifestError| unsupported(&variable.path, &error.to_string());
    let mut assembler =
        ManifestAssembler::new(array.chunk_grid.grid_shape(&shape)).map_err(fault)?;
    for part in &parts {
        let own = match &variable.cut {
            Some(wanted) => Cow::Owned(
                cut(part.array, wanted)
                    .ok_or_else(|| unsupported(&variable.path, "its chunks cannot be cut"))?,
            ),
            None => Cow::Borrowed(part.array),
        };
        let pieces = part.chunks(&chunk_shape, own.manifest.grid_shape());
        assembler.place_pieces(&own.manifest, &pieces, part.sources).map_err(fault)?;
    }
    array.manifest = assembler.finish().map_err(fault)?;
    Ok(Some(array))
}

fn unsupported(path: &str, what: &str) -> CombineError {
    CombineError::new(CombineErrorKind::Unsupported, format!("{path}: {what}"))
}

/// An array as it is, with its sources named anew.
pub(crate) fn kept(path: &str, array: &Array, names: &[SourceId]) -> Result<Array, CombineError> {
    let grid_shape = array.manifest.grid_shape().to_vec();
    let origin = vec![0; grid_shape.len()];
    let manifest = ManifestAssembler::new(grid_shape).and_then(|mut assembler| {
        assembler.place(&array.manifest, &origin, names)?;
        assembler.finish()
    });
    let manifest = manifest.map_err(|error| unsupported(path, &error.to_string()))?;
    Ok(Array { manifest, ..array.clone() })
}

/// One input's array, and the boxes that it fills.
struct Part<'a> {
    array: &'a Array,
    sources: &'a [SourceId],
    pieces: &'a [Piece],
    /// Which run of a box is that of a dimension.
    slots: &'a [Option<usize>],
}

impl Part<'_> {
    /// Dimensions in front that the array lacks.
    fn lacking(&self) -> usize {
        self.slots.len().saturating_sub(self.array.shape.len())
    }

    /// The run of a box along each dimension; `None` where the array fills all of it.
    fn runs<'a>(&self, piece: &'a [Run]) -> Vec<Option<&'a Run>> {
        self.slots.iter().map(|slot| slot.and_then(|slot| piece.get(slot))).collect()
    }

    /// Calls `visit` with each place at which a box begins: one, or as many as it is long along dimensions that the
    /// array lacks.
    fn for_each_origin(&self, piece: &[Run], visit: &mut dyn FnMut(&[u64])) {
        let lacking = self.lacking();
        let runs = self.runs(piece).into_iter().enumerate();
        let ranges = runs.map(|(axis, run)| {
            let start = run.map_or(0, |run| run.start);
            (start, run.filter(|_| axis < lacking).map_or(1, |run| run.length))
        });
        for_each_place(&ranges.collect::<Vec<_>>(), visit);
    }

    /// At how many places the array begins along dimensions that it lacks, of all boxes; 0 where it lacks none.
    fn repeats(&self) -> u64 {
        let lacking = self.lacking();
        if lacking == 0 {
            return 0;
        }
        let of_piece = |piece: &Piece| {
            let lengths = self.runs(piece).into_iter().take(lacking).flatten();
            lengths.fold(1, |all: u64, run| all.saturating_mul(run.length))
        };
        self.pieces.iter().map(of_piece).fold(0, u64::saturating_add)
    }

    /// The array's own elements of a box: the first one along each axis, and how many.
    fn own(&self, piece: &[Run]) -> (Vec<u64>, Vec<u64>) {
        let runs = self.runs(piece).into_iter().skip(self.lacking());
        let ranges = runs.zip(&self.array.shape);
        ranges.map(|(run, &all)| run.map_or((0, all), |run| (run.own, run.length))).unzip()
    }

    /// The boxes in chunks; `grid_shape` are the array's own.
    fn chunks(&self, chunk_shape: &[u64], grid_shape: &[u64]) -> Vec<ManifestPiece> {
        let own_chunks = chunk_shape.iter().skip(self.lacking()).map(|&chunk| chunk.max(1));
        let own_chunks: Vec<u64> = own_chunks.collect();
        let mut found = Vec::new();
        for piece in self.pieces {
            let (from, shape) = self.own(piece);
            let from: Vec<u64> =
                from.iter().zip(&own_chunks).map(|(from, chunk)| from / chunk).collect();
            let shape =
                shape.iter().zip(&own_chunks).map(|(length, &chunk)| length.div_ceil(chunk));
            let shape: Vec<u64> =
                shape.zip(grid_shape).map(|(count, &all)| count.min(all)).collect();
            self.for_each_origin(piece, &mut |origin| {
                let origin = origin.iter().zip(chunk_shape);
                found.push(ManifestPiece {
                    from: from.clone(),
                    shape: shape.clone(),
                    origin: origin.map(|(start, &chunk)| start / chunk.max(1)).collect(),
                });
            });
        }
        found
    }
}

/// All values in one chunk.
fn plain(
    variable: &Variable,
    shape: &[u64],
    parts: &[Part<'_>],
    described: Array,
) -> Result<Array, CombineError> {
    let fault = |what: &str| unsupported(&variable.path, what);
    let element = described.dtype.length_bytes().and_then(|bytes| usize::try_from(bytes).ok());
    let element = element.ok_or_else(|| fault("its elements have no fixed length"))?;
    let mut values = filled(&described.dtype, described.fill_value.as_ref(), shape)
        .ok_or_else(|| fault("its values do not fit into memory"))?;
    for part in parts {
        let bytes = part.array.plain_values().unwrap_or_default();
        let mut sound = true;
        for piece in part.pieces {
            let (from, lengths) = part.own(piece);
            let block = region(&bytes, &part.array.shape, &from, &lengths, element);
            let own: Vec<u64> = std::iter::repeat_n(1, part.lacking()).chain(lengths).collect();
            part.for_each_origin(piece, &mut |origin| {
                sound &= block.as_ref().is_some_and(|bytes| {
                    place_block(&mut values, shape, origin, &Block { bytes, shape: &own }, element)
                });
            });
        }
        if !sound {
            return Err(fault("its values do not have the length of its shape"));
        }
    }
    Ok(described.with_plain_values(values.into()))
}

/// The values of a box of an array, in C order.
fn region<'a>(
    bytes: &'a [u8],
    shape: &[u64],
    from: &[u64],
    lengths: &[u64],
    element: usize,
) -> Option<Cow<'a, [u8]>> {
    if lengths == shape {
        return Some(Cow::Borrowed(bytes));
    }
    let (&inner, outer) = lengths.split_last()?;
    let row = usize::try_from(inner).ok()?.checked_mul(element)?;
    let ranges: Vec<(u64, u64)> = from.iter().copied().zip(outer.iter().copied()).collect();
    let mut values = Vec::new();
    let mut sound = true;
    for_each_place(&ranges, &mut |place| {
        let place = place.iter().chain(from.last());
        let number =
            place.zip(shape).fold(0, |number: u64, (index, length)| number * length + index);
        let start = usize::try_from(number).ok().and_then(|number| number.checked_mul(element));
        let part = start.and_then(|start| bytes.get(start..start.checked_add(row)?));
        sound &= part.is_some();
        values.extend_from_slice(part.unwrap_or_default());
    });
    sound.then_some(Cow::Owned(values))
}
