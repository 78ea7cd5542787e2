// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of one variable.

use std::collections::BTreeMap;

use chunkref_core::{
    Codecs, CombineOptions, Conflict, ConflictKind, Missing, OnConflict, Resolution, Side,
};
use chunkref_model::{Array, AttributeValue, FillValue};

use crate::aspect::{self, Compared, Holder, widened};
use crate::axis::Axis;
use crate::coordinates::has_text;
use crate::cut::{Cut, MOST_CHUNKS, can_cut, gcd};
use crate::fill;
use crate::input::Input;
use crate::placement::{self, Piece, Run};
use crate::value::values;
use crate::words::distance;

/// A variable of the result.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) path: String,
    /// The inputs that have it; the first one describes it.
    pub(crate) inputs: Vec<usize>,
    /// All dimensions, when it lies along one of the axes; `None` when the first input's is kept.
    pub(crate) dimensions: Option<Vec<String>>,
    /// The axes among its dimensions.
    pub(crate) axes: Vec<usize>,
    /// The boxes that each of the inputs fills, with a run along each of those axes.
    pub(crate) pieces: Vec<Vec<Piece>>,
    /// Whether it becomes one chunk of plain values.
    pub(crate) plain: bool,
    /// How its chunks are cut, so that inputs meet at their edges.
    pub(crate) cut: Option<Cut>,
    /// The fill value that it gets, because there are gaps and the inputs have none.
    pub(crate) fill: Option<FillValue>,
}

impl Variable {
    /// A variable of which nothing is decided.
    pub(crate) fn of(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            inputs: Vec::new(),
            dimensions: None,
            axes: Vec::new(),
            pieces: Vec::new(),
            plain: false,
            cut: None,
            fill: None,
        }
    }
}

/// What most conflicts have in common.
pub(crate) const SKIP_FILE: Resolution = Resolution::OnConflict(OnConflict::SkipFile);
pub(crate) const SKIP_VARIABLE: Resolution = Resolution::OnConflict(OnConflict::SkipVariable);

/// What all variables have in common.
pub(crate) struct Setting<'a> {
    pub(crate) inputs: &'a [Input<'a>],
    pub(crate) axes: &'a [Axis],
    /// The boxes that each input fills, with a run along each axis.
    pub(crate) pieces: &'a [Vec<Piece>],
    /// Those of variables that have some for themselves.
    pub(crate) own_pieces: &'a BTreeMap<String, Vec<Vec<Piece>>>,
    pub(crate) options: &'a CombineOptions,
    pub(crate) time_reasons: &'a BTreeMap<String, String>,
}

/// The dimensions that some holder has, in the order of the one that has most of them.
fn along(names: impl Iterator<Item = String>, holders: &[Holder<'_>]) -> Vec<String> {
    let place = |holder: &Holder<'_>, name: &String| {
        holder.array.dimensions.iter().position(|own| own == name)
    };
    let mut along: Vec<String> =
        names.filter(|name| holders.iter().any(|holder| place(holder, name).is_some())).collect();
    let count =
        |holder: &&Holder<'_>| along.iter().filter(|name| place(holder, name).is_some()).count();
    // The first of several.
    if let Some(most) = holders.iter().rev().max_by_key(count) {
        along.sort_by_key(|name| place(most, name));
    }
    along
}

impl Setting<'_> {
    /// Decides about the variable at `path`.
    pub(crate) fn variable(&self, path: &str, conflicts: &mut Vec<Conflict>) -> Option<Variable> {
        let holders = self.holders(path);
        let (&first, _) = holders.split_first()?;
        let inputs = holders.iter().map(|holder| holder.input).collect();
        let mut variable = Variable { inputs, ..Variable::of(path) };
        let name = path.rsplit('/').next().unwrap_or(path);
        let along = along(self.axes.iter().map(|axis| axis.name.clone()), &holders);
        let identical =
            || self.options.identical.iter().any(|known| known == path || known == name);
        if let Some(conflict) = self.twice_along(path, &holders) {
            conflicts.push(conflict);
            return Some(variable);
        }
        // What lies along a dimension is joined: one input's alone would not have the length of the others.
        if along.is_empty() && identical() {
            return Some(variable);
        }
        variable.plain = holders.iter().all(|holder| holder.array.plain_values().is_some());
        let cut = if variable.plain { None } else { self.cut(path, &holders, &along) };
        let compared = Compared {
            path,
            holders: &holders,
            along: &along,
            cut: cut.as_ref().map(|cut| cut.dimension.as_str()),
            plain: variable.plain,
            time_reason: self.time_reasons.get(path),
        };
        let found = aspect::conflicts(&compared);
        let structural = found.iter().any(|conflict| {
            !matches!(conflict.kind, ConflictKind::Attribute | ConflictKind::FillValue)
        });
        conflicts.extend(found);
        conflicts.extend(self.lacking(path, &holders));
        if structural {
            return Some(variable);
        }
        // Stacking a dimension's own coordinates would make them none.
        let own_coordinate = first.array.dimensions == [name] && along.is_empty();
        let all = self.options.stack_all
            || self.options.stack.iter().any(|own| own == path || own == name);
        let is_single = self.inputs.len() == 1 && !own_coordinate && !self.is_auxiliary(path, name);
        let stacked = self.stacked(path, &holders, &along, all && !own_coordinate, is_single);
        // Nor is a grid of coordinates that tells which one it is stacked, unless that is asked for.
        let is_told = holders.iter().all(|holder| identity(holder.array).is_some());
        if (own_coordinate || (is_told && along.is_empty() && !all)) && !stacked.is_empty() {
            conflicts.push(self.other_coordinates(path, &holders));
            return Some(variable);
        }
        if stacked.is_empty() && along.is_empty() {
            return Some(variable);
        }
        let mut dimensions = stacked;
        dimensions.extend(widened(first.array, &along));
        let axes = (0..).zip(self.axes).filter(|(_, axis)| dimensions.contains(&axis.name));
        variable.axes = axes.map(|(axis, _)| axis).collect();
        variable.pieces = self.placed(path, &variable.inputs, &variable.axes);
        if !variable.plain && cut.is_none() {
            conflicts.extend(self.partial_chunks(&variable, &holders));
        }
        variable.cut = cut;
        let gaps = self.has_gaps(&variable);
        if gaps && first.array.fill_value.is_none() {
            variable.fill = fill::of_gaps(&holders);
        }
        if gaps
            && self.options.missing == Missing::Fill
            && first.array.fill_value.is_none()
            && variable.fill.is_none()
        {
            let message = "there would be gaps, and it has no fill value that could say so";
            conflicts.push(
                Conflict::new(ConflictKind::NoFillValue, path, message)
                    .with_resolutions([SKIP_VARIABLE]),
            );
        }
        variable.dimensions = Some(dimensions);
        Some(variable)
    }

    fn holders(&self, path: &str) -> Vec<Holder<'_>> {
        let inputs = self.inputs.iter().enumerate();
        let holders = inputs
            .filter_map(|(input, own)| Some(Holder { input, array: own.dataset.array(path)? }));
        holders.collect()
    }

    /// Conflicts between inputs that do not depend on where they lie.
    pub(crate) fn kinds(&self, path: &str) -> Vec<Conflict> {
        let holders = self.holders(path);
        let dimensions = self.options.concat_dimensions.iter();
        let along = along(dimensions.map(|dimension| dimension.name.clone()), &holders);
        let plain = holders.iter().all(|holder| holder.array.plain_values().is_some());
        let time_reason = self.time_reasons.get(path);
        let compared =
            Compared { path, holders: &holders, along: &along, cut: None, plain, time_reason };
        let found = aspect::conflicts(&compared).into_iter();
        // Chunks may be cut, which depends on where inputs meet.
        let found = found.filter(|conflict| conflict.kind != ConflictKind::ChunkShape);
        found.chain(self.lacking(path, &holders)).collect()
    }

    fn lacking(&self, path: &str, holders: &[Holder<'_>]) -> Option<Conflict> {
        if holders.len() == self.inputs.len() || self.options.missing == Missing::Fill {
            return None;
        }
        let having: Vec<_> = holders.iter().map(|holder| holder.input).collect();
        let lacking = (0..self.inputs.len()).filter(|input| !having.contains(input)).collect();
        let sides = [
            Side { says: "have it".to_owned(), inputs: having },
            Side { says: "do not".to_owned(), inputs: lacking },
        ];
        Some(
            Conflict::new(ConflictKind::MissingVariable, path, "some inputs do not have it")
                .with_sides(sides)
                .with_resolutions([Resolution::FillMissing, SKIP_VARIABLE, SKIP_FILE]),
        )
    }

    /// What lies twice along a dimension, such as a covariance, has values between inputs that none of them has.
    fn twice_along(&self, path: &str, holders: &[Holder<'_>]) -> Option<Conflict> {
        let twice = |array: &Array, name: &str| {
            array.dimensions.iter().filter(|own| *own == name).count() > 1
        };
        let axis = self
            .axes
            .iter()
            .find(|axis| holders.iter().any(|holder| twice(holder.array, &axis.name)))?;
        let message = format!(
            "it has {} twice: between inputs there would be values that none has",
            axis.name
        );
        let conflict = Conflict::new(ConflictKind::Dimensions, path, message);
        (self.inputs.len() > 1).then(|| conflict.with_resolutions([SKIP_VARIABLE]))
    }

    /// Whether other variables name this one as what describes them: coordinates, bounds, a grid mapping.
    fn is_auxiliary(&self, path: &str, name: &str) -> bool {
        self.is_named(path, name, &["coordinates", "bounds", "climatology", "grid_mapping"])
    }

    /// Whether the variable holds bounds, which depend on what their coordinates do.
    pub(crate) fn are_bounds(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.is_named(path, name, &["bounds", "climatology"])
    }

    fn is_named(&self, path: &str, name: &str, naming: &[&str]) -> bool {
        self.inputs.iter().any(|input| {
            let arrays = input.dataset.arrays();
            let mut attributes = arrays
                .iter()
                .flat_map(|(_, array)| naming.iter().map(|name| array.attributes.get(name)));
            let named = attributes.any(|value| match value {
                Some(AttributeValue::Text(text)) => text.split([' ', ':']).any(|word| {
                    !word.is_empty() && (word == name || word.trim_start_matches('/') == path)
                }),
                _ => false,
            });
            named
                || input
                    .dataset
                    .array(path)
                    .is_some_and(|array| has_text(array, "grid_mapping_name"))
        })
    }

    /// Whether some place along the variable's own axes is that of no input that has it.
    fn has_gaps(&self, variable: &Variable) -> bool {
        let axes = variable.axes.iter().filter_map(|&axis| self.axes.get(axis));
        let all = axes.fold(1_u64, |all, axis| all.saturating_mul(axis.length));
        let filled = variable.pieces.iter().flatten().map(|piece| placement::volume(piece));
        filled.fold(0, u64::saturating_add) < all
    }

    fn pieces_of(&self, path: &str) -> &[Vec<Piece>] {
        self.own_pieces.get(path).map_or(self.pieces, Vec::as_slice)
    }

    /// The boxes of some inputs along some of the axes.
    fn placed(&self, path: &str, inputs: &[usize], axes: &[usize]) -> Vec<Vec<Piece>> {
        let placement = placement::along(self.pieces_of(path), inputs, axes, self.axes.len());
        placement.map(|placement| placement.pieces).unwrap_or_default()
    }

    /// How chunks have to be cut so that inputs meet at their edges; `None` when they do, or cannot be cut.
    fn cut(&self, path: &str, holders: &[Holder<'_>], along: &[String]) -> Option<Cut> {
        let [dimension] = along else { return None };
        let place = self.axes.iter().position(|axis| axis.name == *dimension)?;
        let axis = self.axes.get(place)?;
        let (mut wanted, mut meet, mut first) = (0, true, None);
        let mut chunks = Vec::new();
        for holder in holders {
            let own = holder.array.dimensions.iter().position(|name| name == dimension)?;
            let chunk = *holder.array.chunk_grid.chunk_shape().get(own)?;
            meet &= *first.get_or_insert(chunk) == chunk;
            wanted = gcd(wanted, chunk);
            chunks.push(chunk);
            let pieces = self.pieces_of(path).get(holder.input).into_iter().flatten();
            for run in pieces.filter_map(|piece| piece.get(place)) {
                meet &= is_aligned(*run, chunk, axis.length);
                wanted = gcd(wanted, gcd(run.own, run.start));
                // The last one may end within a chunk, if that is stored whole.
                if run.end() < axis.length || run.length < chunk {
                    wanted = gcd(wanted, run.length);
                }
            }
        }
        if meet || wanted == 0 || !holders.iter().all(|holder| can_cut(holder.array, dimension)) {
            return None;
        }
        let pieces = holders.iter().zip(&chunks).try_fold(0_u64, |all, (holder, chunk)| {
            let parts = chunk.checked_div(wanted)?;
            all.checked_add(holder.array.manifest.count()?.checked_mul(parts)?)
        });
        pieces
            .is_some_and(|pieces| pieces <= MOST_CHUNKS)
            .then(|| Cut { dimension: dimension.clone(), chunk: wanted })
    }

    fn other_coordinates(&self, path: &str, holders: &[Holder<'_>]) -> Conflict {
        let mut sides: Vec<(&Holder<'_>, Side)> = Vec::new();
        for holder in holders {
            if let Some((_, side)) =
                sides.iter_mut().find(|(known, _)| equal(self.inputs, known, holder))
            {
                side.inputs.push(holder.input);
                continue;
            }
            let says = match sides.first() {
                None => "these values".to_owned(),
                Some((first, _)) => distance(first.array, holder.array).unwrap_or_else(|| {
                    let is_told = identity(holder.array).is_some();
                    let says = if is_told {
                        "other values"
                    } else {
                        "other values, or such as are not compared"
                    };
                    says.to_owned()
                }),
            };
            sides.push((holder, Side { says, inputs: vec![holder.input] }));
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let of_dimension = holders.iter().all(|holder| holder.array.dimensions == [name]);
        let message = if of_dimension {
            "the coordinates of this dimension differ, or are too large to be compared"
        } else {
            "the coordinates differ, and none of the dimensions tells them apart"
        };
        // One time for all would be a wrong one for the others; noise in a grid is not.
        let of_time = holders.iter().any(|holder| {
            matches!(holder.array.attributes.get("units"), Some(AttributeValue::Text(units)) if units.contains(" since "))
        });
        let resolutions = if of_time {
            vec![Resolution::Concat { dimension: name.to_owned() }, SKIP_VARIABLE, SKIP_FILE]
        } else {
            vec![Resolution::Identical { variable: path.to_owned() }, SKIP_FILE]
        };
        Conflict::new(ConflictKind::Coordinates, path, message)
            .with_sides(sides.into_iter().map(|(_, side)| side))
            .with_resolutions(resolutions)
    }

    /// Inputs that do not begin and end at edges of chunks.
    fn partial_chunks(&self, variable: &Variable, holders: &[Holder<'_>]) -> Option<Conflict> {
        let path = &variable.path;
        let partial = |array: &Array, pieces: &[Piece]| {
            (0..).zip(&variable.axes).find_map(|(slot, &axis): (usize, _)| {
                let axis = self.axes.get(axis)?;
                let own = array.dimensions.iter().position(|name| *name == axis.name)?;
                let chunk = *array.chunk_grid.chunk_shape().get(own)?;
                let mut runs = pieces.iter().filter_map(|piece| piece.get(slot));
                let run = runs.find(|run| !is_aligned(**run, chunk, axis.length))?;
                let part = if Some(&run.length) == array.shape.get(own) {
                    format!("{}", run.length)
                } else {
                    format!("{} from place {} on", run.length, run.own)
                };
                Some(format!("{part} along {} in chunks of {chunk}", axis.name))
            })
        };
        let mut sides: Vec<Side> = Vec::new();
        for (holder, pieces) in holders.iter().zip(&variable.pieces) {
            let Some(says) = partial(holder.array, pieces) else { continue };
            match sides.iter_mut().find(|side| side.says == says) {
                Some(side) => side.inputs.push(holder.input),
                None => sides.push(Side { says, inputs: vec![holder.input] }),
            }
        }
        let message = "inputs do not meet at edges of chunks: all chunks of a Zarr array have one shape, so a chunk that is \
                       not full may only be the last one, and chunks with codecs cannot be cut";
        (!sides.is_empty()).then(|| {
            Conflict::new(ConflictKind::PartialChunks, path, message)
                .with_sides(sides)
                .with_resolutions([Resolution::LeaveOut, SKIP_VARIABLE])
        })
    }
}

/// Whether chunks that hold a run hold nothing else of the result.
fn is_aligned(run: Run, chunk: u64, length: u64) -> bool {
    let chunk = chunk.max(1);
    run.own.is_multiple_of(chunk)
        && run.start.is_multiple_of(chunk)
        && (run.length.is_multiple_of(chunk) || run.end() == length)
}

/// Whether two inputs have the same values, as far as that can be told without reading.
pub(crate) fn equal(inputs: &[Input<'_>], a: &Holder<'_>, b: &Holder<'_>) -> bool {
    if let (Some(one), Some(other)) = (a.array.plain_values(), b.array.plain_values()) {
        // Zero has two signs.
        let numbers = || {
            let read = |holder: &Holder<'_>, bytes: &[u8]| values(&holder.array.dtype, bytes);
            read(a, &one).is_some_and(|one| Some(one) == read(b, &other))
        };
        return one == other || (a.array.dtype == b.array.dtype && numbers());
    }
    if let (Some(one), Some(other)) = (identity(a.array), identity(b.array)) {
        let is_one_codec = a.array.codecs == b.array.codecs;
        return one == other && is_one_codec && a.array.shape == b.array.shape;
    }
    let source = |holder: &Holder<'_>, id| {
        inputs.get(holder.input).and_then(|input| input.dataset.source(id))
    };
    a.array.codecs == b.array.codecs
        && a.array.chunk_grid == b.array.chunk_grid
        && a.array.manifest.same_chunks(&b.array.manifest, &mut |one, two| {
            source(a, one).is_some() && source(a, one) == source(b, two)
        })
}

/// What tells which values the array has, without reading them.
fn identity(array: &Array) -> Option<&AttributeValue> {
    Codecs::linked().ok()?.identity(&array.codecs, &array.attributes)
}
