// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of one variable.

use std::collections::BTreeMap;

use chunkref_core::{
    CombineOptions, Conflict, ConflictKind, Missing, OnConflict, Resolution, Side,
};
use chunkref_model::{Array, FillValue};

use crate::aspect::{self, Compared, Holder, widened};
use crate::axis::Axis;
use crate::cut::{Cut, MOST_CHUNKS, can_cut, gcd};
use crate::fill;
use crate::input::Input;

/// A variable of the result.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) path: String,
    /// The inputs that have it; the first one describes it.
    pub(crate) inputs: Vec<usize>,
    /// All dimensions, when it lies along one of the axes; `None` when the first input's is kept.
    pub(crate) dimensions: Option<Vec<String>>,
    /// Whether it becomes one chunk of plain values.
    pub(crate) plain: bool,
    /// How its chunks are cut, so that inputs meet at their edges.
    pub(crate) cut: Option<Cut>,
    /// The fill value that it gets, because there are gaps and the inputs have none.
    pub(crate) fill: Option<FillValue>,
}

/// What most conflicts have in common.
pub(crate) const SKIP_FILE: Resolution = Resolution::OnConflict(OnConflict::SkipFile);
pub(crate) const SKIP_VARIABLE: Resolution = Resolution::OnConflict(OnConflict::SkipVariable);

/// What all variables have in common.
pub(crate) struct Setting<'a> {
    pub(crate) inputs: &'a [Input<'a>],
    pub(crate) axes: &'a [Axis],
    pub(crate) options: &'a CombineOptions,
    pub(crate) time_reasons: &'a BTreeMap<String, String>,
    /// Whether some combination of coordinates has no input.
    pub(crate) gaps: bool,
}

impl Setting<'_> {
    /// Decides about the variable at `path`.
    pub(crate) fn variable(&self, path: &str, conflicts: &mut Vec<Conflict>) -> Option<Variable> {
        let holders: Vec<Holder<'_>> = self
            .inputs
            .iter()
            .enumerate()
            .filter_map(|(input, own)| Some(Holder { input, array: own.dataset.array(path)? }))
            .collect();
        let (&first, _) = holders.split_first()?;
        let inputs = holders.iter().map(|holder| holder.input).collect();
        let mut variable = Variable {
            path: path.to_owned(),
            inputs,
            dimensions: None,
            plain: false,
            cut: None,
            fill: None,
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.options.identical.iter().any(|known| known == path || known == name) {
            return Some(variable);
        }
        let names = self.axes.iter().map(|axis| axis.name.clone());
        let along: Vec<String> = names
            .filter(|name| holders.iter().any(|holder| holder.array.dimensions.contains(name)))
            .collect();
        variable.plain = holders.iter().all(|holder| holder.array.plain_values().is_some());
        let cut = if variable.plain { None } else { self.cut(&holders, &along) };
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
        let stacked = self.stacked(&holders, &along, all && !own_coordinate);
        if own_coordinate && !stacked.is_empty() {
            conflicts.push(self.other_coordinates(path, &holders));
            return Some(variable);
        }
        if stacked.is_empty() && along.is_empty() {
            return Some(variable);
        }
        let mut dimensions = stacked;
        dimensions.extend(widened(first.array, &along));
        if !variable.plain && cut.is_none() {
            conflicts.extend(self.partial_chunks(path, &holders));
        }
        variable.cut = cut;
        let gaps = self.gaps || holders.len() < self.inputs.len();
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

    /// The axes that a variable which lies along none of them has to be stacked along: those that it depends on.
    fn stacked(&self, holders: &[Holder<'_>], along: &[String], all: bool) -> Vec<String> {
        let mut needed: Vec<&Axis> =
            self.axes.iter().filter(|axis| !along.contains(&axis.name)).collect();
        if !all {
            let candidates = needed.clone();
            for candidate in candidates {
                let others: Vec<&Axis> = self
                    .axes
                    .iter()
                    .filter(|axis| axis.name != candidate.name)
                    .filter(|axis| {
                        along.contains(&axis.name)
                            || needed.iter().any(|known| known.name == axis.name)
                    })
                    .collect();
                let mut groups: BTreeMap<Vec<(u64, u64)>, &Holder<'_>> = BTreeMap::new();
                let same = holders.iter().all(|holder| {
                    let place = others
                        .iter()
                        .filter_map(|axis| axis.ranges.get(holder.input).copied())
                        .collect();
                    let first = groups.entry(place).or_insert(holder);
                    first.input == holder.input || equal(self.inputs, first, holder)
                });
                if same {
                    needed.retain(|axis| axis.name != candidate.name);
                }
            }
        }
        needed.into_iter().map(|axis| axis.name.clone()).collect()
    }

    /// How chunks have to be cut so that inputs meet at their edges; `None` when they do, or cannot be cut.
    fn cut(&self, holders: &[Holder<'_>], along: &[String]) -> Option<Cut> {
        let [dimension] = along else { return None };
        let axis = self.axes.iter().find(|axis| axis.name == *dimension)?;
        let mut wanted = 0;
        let mut lengths = Vec::new();
        for holder in holders {
            let own = holder.array.dimensions.iter().position(|name| name == dimension)?;
            let chunk = *holder.array.chunk_grid.chunk_shape().get(own)?;
            let &(start, length) = axis.ranges.get(holder.input)?;
            wanted = gcd(wanted, gcd(chunk, start));
            // The last one may end within a chunk, if that is stored whole.
            if start.saturating_add(length) < axis.length || length < chunk {
                wanted = gcd(wanted, length);
            }
            lengths.push((chunk, start, length));
        }
        let (first, ..) = *lengths.first()?;
        let meet = lengths.iter().all(|&(chunk, start, length)| {
            chunk == first
                && start.checked_rem(chunk) == Some(0)
                && (length.checked_rem(chunk) == Some(0)
                    || start.saturating_add(length) == axis.length)
        });
        if meet || wanted == 0 || !holders.iter().all(|holder| can_cut(holder.array, dimension)) {
            return None;
        }
        let pieces = holders.iter().zip(&lengths).try_fold(0_u64, |all, (holder, (chunk, ..))| {
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
            let says = format!("values {}", sides.len() + 1);
            sides.push((holder, Side { says, inputs: vec![holder.input] }));
        }
        let message = "the coordinates of this dimension differ, or are too large to be compared";
        let identical = Resolution::Identical { variable: path.to_owned() };
        Conflict::new(ConflictKind::Coordinates, path, message)
            .with_sides(sides.into_iter().map(|(_, side)| side))
            .with_resolutions([identical, SKIP_FILE])
    }

    /// Inputs that do not begin and end at edges of chunks.
    fn partial_chunks(&self, path: &str, holders: &[Holder<'_>]) -> Option<Conflict> {
        let partial = |array: &Array, input: usize| {
            self.axes.iter().find_map(|axis| {
                let own = array.dimensions.iter().position(|name| *name == axis.name)?;
                let chunk = *array.chunk_grid.chunk_shape().get(own)?;
                let &(start, length) = axis.ranges.get(input)?;
                let aligned = start % chunk.max(1) == 0
                    && (length % chunk.max(1) == 0 || start + length == axis.length);
                (!aligned).then(|| format!("{length} along {} in chunks of {chunk}", axis.name))
            })
        };
        let mut sides: Vec<Side> = Vec::new();
        for holder in holders {
            let Some(says) = partial(holder.array, holder.input) else { continue };
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

/// Whether two inputs have the same values, as far as that can be told without reading.
pub(crate) fn equal(inputs: &[Input<'_>], a: &Holder<'_>, b: &Holder<'_>) -> bool {
    if let (Some(a), Some(b)) = (a.array.plain_values(), b.array.plain_values()) {
        return a == b;
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
