// SPDX-License-Identifier: MIT OR Apache-2.0
//! From inputs to the combined dataset, or the reasons why not.

use std::collections::BTreeSet;

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, Combiner, Conflict, ConflictKind, Duplicates,
    OnConflict,
};
use chunkref_model::Dataset;

use crate::analysis::{Analysis, analyse};
use crate::assemble::assemble;
use crate::fill;
use crate::input::Input;
use crate::merge::{merge, merge_places};
use crate::promote::promote;
use crate::report::Report;
use crate::time::harmonise;
use crate::unstored;

/// Combines datasets into a data cube.
#[derive(Debug, Clone, Copy, Default)]
pub struct CubeCombiner;

/// A combined dataset.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Combined {
    /// The dataset.
    pub dataset: Dataset,
    /// What was left out or taken from the first input, as the options ask, a line each.
    pub notes: Vec<String>,
}

impl Combiner for CubeCombiner {
    fn combine(
        &self,
        inputs: &[Dataset],
        options: &CombineOptions,
    ) -> Result<Dataset, CombineError> {
        combine(inputs, options).map(|combined| combined.dataset)
    }
}

/// Combines `inputs`, and says what was left out on the way.
///
/// # Errors
/// [`CombineError`] with every conflict that the options do not resolve.
pub fn combine(inputs: &[Dataset], options: &CombineOptions) -> Result<Combined, CombineError> {
    if options.merge {
        if options.concat_dimensions.is_empty() {
            return Ok(Combined { dataset: merge(inputs)?, notes: Vec::new() });
        }
        let merged = merge_places(inputs, options)?;
        return combine(&merged, &options.clone().with_merge(false));
    }
    let [first, _, ..] = inputs else {
        return match inputs {
            [only] => Ok(Combined { dataset: only.clone(), notes: Vec::new() }),
            _ => Err(no_input()),
        };
    };
    let settled = settle(inputs, options)?;
    if !settled.analysis.conflicts.is_empty() {
        let Report { inputs, conflicts, .. } = settled.report();
        return Err(CombineError::from_conflicts(inputs, conflicts));
    }
    let dataset = match settled.inputs.as_slice() {
        // Whatever is alone stays as it is.
        [only] if settled.skipped.is_empty() => only.dataset.clone().into_owned(),
        [] => first.clone(),
        several => assemble(several, &settled.analysis)?,
    };
    let notes = settled.notes();
    Ok(Combined { dataset, notes })
}

/// What would become of `inputs`, and what stands in the way.
///
/// # Errors
/// [`CombineError`] when there is no input, an option makes no sense, or an input contradicts itself.
pub fn plan(inputs: &[Dataset], options: &CombineOptions) -> Result<Report, CombineError> {
    if inputs.is_empty() {
        return Err(no_input());
    }
    if options.merge {
        let merged = if options.concat_dimensions.is_empty() {
            vec![merge(inputs)?]
        } else {
            merge_places(inputs, options)?
        };
        let options = options.clone().with_merge(false);
        if let ([only], true) = (merged.as_slice(), options.concat_dimensions.is_empty()) {
            return Ok(Report::of_one(only));
        }
        return plan(&merged, &options);
    }
    settle(inputs, options).map(|settled| settled.report())
}

fn no_input() -> CombineError {
    CombineError::new(CombineErrorKind::NoInput, "there is nothing to combine".to_owned())
}

/// The inputs that are left, and what is decided about them.
struct Settled<'a> {
    inputs: Vec<Input<'a>>,
    analysis: Analysis,
    skipped: BTreeSet<String>,
    left_out: Vec<String>,
}

impl Settled<'_> {
    fn notes(&self) -> Vec<String> {
        self.left_out.iter().chain(&self.analysis.notes).cloned().collect()
    }

    fn report(&self) -> Report {
        Report {
            inputs: self.inputs.iter().map(|input| input.label.clone()).collect(),
            outline: self.outline(),
            notes: self.notes(),
            conflicts: self.analysis.conflicts.clone(),
        }
    }

    fn outline(&self) -> Vec<String> {
        let axes = self.analysis.axes.iter().map(|axis| {
            format!("{}: {} places of {} inputs", axis.name, axis.length, self.inputs.len())
        });
        let variables = self.analysis.variables.iter().map(|variable| match &variable.dimensions {
            None => format!("{}: kept once", variable.path),
            Some(dimensions) => format!("{}: along {}", variable.path, dimensions.join(", ")),
        });
        axes.chain(variables).collect()
    }
}

fn settle<'a>(
    inputs: &'a [Dataset],
    options: &CombineOptions,
) -> Result<Settled<'a>, CombineError> {
    if let Some(input) = inputs.iter().find(|input| input.separate) {
        let location = input.sources().first().map_or("an input", |source| &source.location);
        let message = format!(
            "each child group of {location} is an independent dataset: scan it in a layout of one dataset"
        );
        return Err(CombineError::new(CombineErrorKind::Unsupported, message));
    }
    check(options)?;
    let mut inputs: Vec<_> =
        inputs.iter().enumerate().map(|(number, input)| Input::new(input, number)).collect();
    let (mut skipped, mut left_out) = (BTreeSet::new(), Vec::new());
    loop {
        // Anew each time: when the first input is left out, another one gives the epoch.
        let mut working = inputs.clone();
        unstored::adopt(&mut working);
        promote(&mut working, options);
        let times = harmonise(&mut working, options);
        fill::unify(&mut working, options);
        let analysis = analyse(&working, options, &skipped, &times.reasons)?;
        let step = resolve(&analysis, working.len(), options);
        let Some(step) = step.filter(|_| !analysis.conflicts.is_empty()) else {
            return Ok(Settled { inputs: working, analysis, skipped, left_out });
        };
        for (path, reason) in step.variables {
            if skipped.insert(path.clone()) {
                left_out.push(format!("{path} is left out: {reason}"));
            }
        }
        let mut place = 0;
        inputs.retain(|input| {
            let reason = step.inputs.iter().find(|(input, _)| *input == place);
            place += 1;
            if let Some((_, reason)) = reason {
                left_out.push(format!("{} is left out: {reason}", input.label));
            }
            reason.is_none()
        });
    }
}

fn check(options: &CombineOptions) -> Result<(), CombineError> {
    let fault = |message: String| Err(CombineError::new(CombineErrorKind::InvalidOption, message));
    let names: Vec<_> = options.concat_dimensions.iter().map(|own| own.name.as_str()).collect();
    if names.is_empty() {
        return fault("no dimension is given along which the inputs follow one another".to_owned());
    }
    let unique: BTreeSet<_> = names.iter().collect();
    if unique.len() < names.len() {
        return fault(format!("a dimension is given twice: {}", names.join(", ")));
    }
    match options.identical.iter().find(|name| names.contains(&name.as_str())) {
        Some(name) => fault(format!(
            "{name} cannot be identical in all inputs and tell them apart at the same time"
        )),
        None => Ok(()),
    }
}

/// What is left out next.
struct Step {
    inputs: Vec<(usize, String)>,
    variables: Vec<(String, String)>,
}

/// What resolves all conflicts as the options ask; `None` when that is not possible.
fn resolve(analysis: &Analysis, inputs: usize, options: &CombineOptions) -> Option<Step> {
    let mut step = Step { inputs: Vec::new(), variables: Vec::new() };
    for conflict in &analysis.conflicts {
        let reason = format!("{}: {}", conflict.place, conflict.message);
        if conflict.kind == ConflictKind::Duplicate {
            for &(earlier, later) in &analysis.duplicates {
                let (kept, left) = match options.duplicates {
                    Duplicates::First => (earlier, later),
                    Duplicates::Last => (later, earlier),
                    _ => return None,
                };
                if !analysis.within(left, kept) {
                    return None;
                }
                step.inputs.push((left, reason.clone()));
            }
            continue;
        }
        match options.on_conflict {
            OnConflict::SkipFile => {
                let losers = losers(conflict)?;
                step.inputs.extend(losers.into_iter().map(|input| (input, reason.clone())));
            }
            OnConflict::SkipVariable if of_variable(conflict, analysis) => {
                step.variables.push((conflict.place.clone(), conflict.message.clone()));
            }
            _ => return None,
        }
    }
    let unique: BTreeSet<_> = step.inputs.iter().map(|(input, _)| *input).collect();
    (unique.len() < inputs).then_some(step)
}

/// The inputs that differ from the first one.
fn losers(conflict: &Conflict) -> Option<Vec<usize>> {
    match conflict.kind {
        ConflictKind::DataType
        | ConflictKind::Codecs
        | ConflictKind::ChunkShape
        | ConflictKind::FillValue
        | ConflictKind::Dimensions
        | ConflictKind::Shape
        | ConflictKind::Attribute
        | ConflictKind::Coordinates
        | ConflictKind::MissingVariable => {
            let others = conflict.sides.iter().skip(1);
            Some(others.flat_map(|side| side.inputs.iter().copied()).collect())
        }
        ConflictKind::NoCoordinates => {
            Some(conflict.sides.iter().flat_map(|side| side.inputs.iter().copied()).collect())
        }
        _ => None,
    }
}

/// Whether the conflict is about a variable that can be left out.
fn of_variable(conflict: &Conflict, analysis: &Analysis) -> bool {
    analysis.variables.iter().any(|variable| variable.path == conflict.place)
        && !analysis.axes.iter().any(|axis| axis.name == conflict.place)
}
