// SPDX-License-Identifier: MIT OR Apache-2.0
//! From inputs to the combined dataset, or the reasons why not.

use std::collections::BTreeSet;

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, Combiner, Conflict, ConflictKind, OnConflict,
    Resolution,
};
use chunkref_model::Dataset;

use crate::analysis::{Analysis, analyse, lengths};
use crate::assemble::assemble;
use crate::fill;
use crate::input::Input;
use crate::merge::{merge_all, merge_places};
use crate::promote::promote;
use crate::report::Report;
use crate::scopes::{combine_scopes, plan_scopes, scopes};
use crate::text::{self, Padded};
use crate::time::harmonise;
use crate::{unstored, valid_time};

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
    /// The places of inputs that were left out so that there is no conflict. What the inputs have in common may be more
    /// without them.
    pub left_out: Vec<usize>,
}

impl Combined {
    pub(crate) fn new(dataset: Dataset, notes: Vec<String>) -> Self {
        Self { dataset, notes, left_out: Vec::new() }
    }
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
            return Ok(Combined::new(merge_all(inputs, options)?, Vec::new()));
        }
        let merged = merge_places(inputs, options)?;
        let Combined { dataset, notes, .. } = combine(&merged, &of_merged(options))?;
        return Ok(Combined::new(dataset, notes));
    }
    match inputs {
        [] => return Err(no_input()),
        [only] if options.concat_dimensions.is_empty() => {
            return Ok(Combined::new(only.clone(), Vec::new()));
        }
        _ => {}
    }
    if let Some(scopes) = scopes(inputs, options) {
        return combine_scopes(inputs, options, &scopes);
    }
    let settled = settle(inputs, options)?;
    if !settled.analysis.conflicts.is_empty() {
        let Report { inputs, conflicts, .. } = settled.report();
        return Err(CombineError::from_conflicts(inputs, conflicts));
    }
    let mut dataset = assemble(&settled.inputs, &settled.empty, &settled.analysis)?;
    text::restore(&mut dataset, &settled.padded);
    valid_time::complete(&mut dataset);
    let notes = settled.notes();
    Ok(Combined { dataset, notes, left_out: settled.left_out })
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
            vec![merge_all(inputs, options)?]
        } else {
            merge_places(inputs, options)?
        };
        let options = of_merged(options);
        if let ([only], true) = (merged.as_slice(), options.concat_dimensions.is_empty()) {
            return Ok(Report::of_one(only));
        }
        return Ok(Report { left_out: Vec::new(), ..plan(&merged, &options)? });
    }
    if let Some(scopes) = scopes(inputs, options) {
        return plan_scopes(inputs, options, &scopes);
    }
    settle(inputs, options).map(|settled| settled.report())
}

/// The options for inputs that were merged, which are not those that have the names.
fn of_merged(options: &CombineOptions) -> CombineOptions {
    options.clone().with_merge(false).with_names(Vec::<String>::new())
}

fn no_input() -> CombineError {
    CombineError::new(CombineErrorKind::NoInput, "there is nothing to combine".to_owned())
}

/// The inputs that are left, and what is decided about them.
struct Settled<'a> {
    inputs: Vec<Input<'a>>,
    /// Those that have no place in the result.
    empty: Vec<Input<'a>>,
    analysis: Analysis,
    padded: Padded,
    /// What was left out, in words.
    reasons: Vec<String>,
    /// The places of inputs that were.
    left_out: Vec<usize>,
}

impl Settled<'_> {
    fn notes(&self) -> Vec<String> {
        self.reasons.iter().chain(&self.analysis.notes).cloned().collect()
    }

    fn report(&self) -> Report {
        Report {
            inputs: self.inputs.iter().map(|input| input.label.clone()).collect(),
            outline: self.outline(),
            notes: self.notes(),
            conflicts: self.analysis.conflicts.clone(),
            left_out: self.left_out.clone(),
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
    check_names(inputs, options)?;
    let mut inputs = Input::all(inputs, options);
    let mut padded = text::pad(&mut inputs);
    let empty = take_empty(&mut inputs, options)?;
    text::widen(&mut inputs);
    let (mut skipped, mut reasons, mut left_out) = (BTreeSet::new(), Vec::new(), Vec::new());
    loop {
        // Anew each time: when the first input is left out, another one gives the epoch.
        let mut working = inputs.clone();
        unstored::adopt(&mut working);
        promote(&mut working, options);
        let times = harmonise(&mut working, options);
        fill::unify(&mut working, options);
        let time_reasons = times.reasons;
        let mut analysis = analyse(&working, options, &skipped, &time_reasons)?;
        // What others have all places of says nothing, unless those are left out.
        let mut places: Vec<usize> = (0..working.len()).collect();
        let mut without = Vec::new();
        while !analysis.superseded.is_empty() {
            without.extend(superseded(&analysis, &working));
            let is_left = |place: &usize| !analysis.superseded.contains_key(place);
            let left: Vec<usize> = (0..working.len()).filter(is_left).collect();
            places = left.iter().filter_map(|&place| places.get(place).copied()).collect();
            let mut place = 0..;
            working.retain(|_| place.next().is_some_and(|place| left.contains(&place)));
            analysis = analyse(&working, options, &skipped, &time_reasons)?;
        }
        let Some(step) = resolve(&analysis, working.len(), options) else {
            advise(&mut analysis.conflicts, options.on_conflict);
            reasons.extend(without);
            let number = |place: usize| working.iter().any(|input| input.number == place);
            left_out
                .extend(inputs.iter().map(|input| input.number).filter(|&place| !number(place)));
            analysis.keep_of_empty(&working, &empty, options, &skipped);
            for axis in &analysis.axes {
                if let (Some((path, _)), Some(source)) = (&axis.variable, &axis.source)
                    && let Some(text) = padded.get(source).cloned()
                {
                    padded.insert(path.clone(), text);
                }
            }
            return Ok(Settled { inputs: working, empty, analysis, padded, reasons, left_out });
        };
        for (path, reason) in step.variables {
            if skipped.insert(path.clone()) {
                reasons.push(format!("{path} is left out: {reason}"));
            }
        }
        let mut place = 0;
        inputs.retain(|input| {
            let known = |input: &usize| places.get(*input) == Some(&place);
            let reason = step.inputs.iter().find(|(input, _)| known(input));
            place += 1;
            if let Some((_, reason)) = reason {
                reasons.push(format!("{} is left out: {reason}", input.label));
                left_out.push(input.number);
            }
            reason.is_none()
        });
    }
}

/// Takes out the inputs that have no place along a dimension, unless none has: they say nothing of what the others are.
fn take_empty<'a>(
    inputs: &mut Vec<Input<'a>>,
    options: &CombineOptions,
) -> Result<Vec<Input<'a>>, CombineError> {
    let mut is_empty = vec![false; inputs.len()];
    for dimension in &options.concat_dimensions {
        let lengths = lengths(dimension, inputs)?;
        for (is_empty, length) in is_empty.iter_mut().zip(lengths) {
            *is_empty |= length == Some(0);
        }
    }
    if !is_empty.contains(&false) {
        return Ok(Vec::new());
    }
    let mut marks = is_empty.into_iter();
    let taken = inputs.extract_if(.., |_| marks.next().unwrap_or_default());
    Ok(taken.collect())
}

/// Inputs whose places are all those of others, in words.
fn superseded(analysis: &Analysis, inputs: &[Input<'_>]) -> Vec<String> {
    let label = |input: usize| inputs.get(input).map_or("another input", |input| &input.label);
    let paths = |input: &Input<'_>| -> BTreeSet<String> {
        input.dataset.arrays().into_iter().map(|(path, _)| path).collect()
    };
    let numbered = inputs.iter().enumerate();
    let stay = numbered.filter(|(place, _)| !analysis.superseded.contains_key(place));
    let kept: BTreeSet<String> = stay.flat_map(|(_, input)| paths(input)).collect();
    let words = analysis.superseded.iter().map(|(&input, &other)| {
        let own = inputs.get(input).map(paths).unwrap_or_default();
        let lost: Vec<String> = own.difference(&kept).cloned().collect();
        let lost = match &*lost {
            [] => String::new(),
            lost => format!("; with it {}, which no input has that is kept", lost.join(", ")),
        };
        format!(
            "{} is left out: inputs have the same coordinates, and {} has all of its own{lost}",
            label(input),
            label(other)
        )
    });
    words.collect()
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

/// A name of a variable that no input has is a slip.
fn check_names(inputs: &[Dataset], options: &CombineOptions) -> Result<(), CombineError> {
    let wanted = options.identical.iter().chain(&options.stack);
    let unknown: BTreeSet<&String> = wanted
        .filter(|name| {
            let has = |path: &str| path == *name || path.rsplit('/').next() == Some(name.as_str());
            !inputs.iter().any(|input| input.arrays().iter().any(|(path, _)| has(path)))
        })
        .collect();
    let Some(name) = unknown.first() else { return Ok(()) };
    let mut known: Vec<String> = inputs
        .first()
        .map(|input| input.arrays().into_iter().map(|(path, _)| path).collect())
        .unwrap_or_default();
    let more = known.len() > 12;
    known.truncate(12);
    let known = known.join(", ");
    let message = format!(
        "no input has a variable {name}: the first one has {known}{}",
        if more { " and more" } else { "" }
    );
    Err(CombineError::new(CombineErrorKind::InvalidOption, message))
}

/// Advice beside what is done about conflicts already: what has not resolved one is no advice, and what is taken instead
/// would bring the others back.
fn advise(conflicts: &mut [Conflict], given: OnConflict) {
    let skips = [OnConflict::SkipFile, OnConflict::SkipVariable, OnConflict::Skip];
    if !skips.contains(&given) {
        return;
    }
    for conflict in conflicts {
        let mut more = false;
        conflict.resolutions.retain(|resolution| match resolution {
            Resolution::OnConflict(answer) if skips.contains(answer) => {
                more |= *answer != given && given != OnConflict::Skip;
                false
            }
            _ => true,
        });
        if more {
            conflict.resolutions.push(Resolution::OnConflict(OnConflict::Skip));
        }
    }
}

/// What is left out next.
struct Step {
    inputs: Vec<(usize, String)>,
    variables: Vec<(String, String)>,
}

/// What resolves conflicts as the options ask; `None` when that is not possible for any of them.
fn resolve(analysis: &Analysis, inputs: usize, options: &CombineOptions) -> Option<Step> {
    match options.on_conflict {
        OnConflict::Skip => resolve_by(OnConflict::SkipFile, analysis, inputs)
            .or_else(|| resolve_by(OnConflict::SkipVariable, analysis, inputs)),
        answer => resolve_by(answer, analysis, inputs),
    }
}

fn resolve_by(answer: OnConflict, analysis: &Analysis, inputs: usize) -> Option<Step> {
    let mut step = Step { inputs: Vec::new(), variables: Vec::new() };
    for conflict in &analysis.conflicts {
        let reason = format!("{}: {}", conflict.place, conflict.message);
        match answer {
            OnConflict::SkipFile => {
                let losers = losers(conflict).unwrap_or_default();
                step.inputs.extend(losers.into_iter().map(|input| (input, reason.clone())));
            }
            OnConflict::SkipVariable if of_variable(conflict, analysis) => {
                step.variables.push((conflict.place.clone(), conflict.message.clone()));
            }
            _ => {}
        }
    }
    let unique: BTreeSet<_> = step.inputs.iter().map(|(input, _)| *input).collect();
    let any = !(step.inputs.is_empty() && step.variables.is_empty());
    (any && unique.len() < inputs).then_some(step)
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
            let first = conflict.sides.iter().flat_map(|side| side.inputs.iter().copied()).min();
            let others = conflict
                .sides
                .iter()
                .filter(|side| !first.is_some_and(|first| side.inputs.contains(&first)));
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
