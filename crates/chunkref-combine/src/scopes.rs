// SPDX-License-Identifier: MIT OR Apache-2.0
//! Groups that each have a dimension of one name: they are combined one by one, because each has a length and coordinates
//! of its own.

use std::collections::BTreeSet;

use chunkref_core::{
    CombineError, CombineOptions, Conflict, ConflictKind, Missing, OnConflict, Resolution,
};
use chunkref_model::{Dataset, Group};

use crate::combine::{Combined, combine, plan};
use crate::input::Input;
use crate::merge::merge;
use crate::report::Report;
use crate::variable::SKIP_VARIABLE;

/// The groups that have the dimensions, each of its own, by path; `None` where there are not several, and where they are
/// the same in all of them.
pub(crate) fn scopes(inputs: &[Dataset], options: &CombineOptions) -> Option<BTreeSet<String>> {
    let names: Vec<&str> =
        options.concat_dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    let groups = |is_scope: &dyn Fn(&Group) -> bool| {
        let mut found = BTreeSet::new();
        for input in inputs {
            input.visit_groups(&mut |path, group| {
                if is_scope(group) {
                    found.insert(path.to_owned());
                }
            });
        }
        found
    };
    if names.is_empty() {
        return None;
    }
    let mut found = groups(&|group| {
        let has =
            |name: &&str| group.arrays.get(*name).is_some_and(|array| array.dimensions == [*name]);
        names.iter().all(has)
    });
    let differ = |name: &&str| {
        inputs.iter().enumerate().any(|(at, input)| Input::new(input, at).length(name).is_err())
    };
    // A group that is not in all inputs has fewer places than the others.
    let lacks = |input: &Dataset| found.iter().any(|path| input.group(path).is_none());
    let differ =
        names.iter().any(differ) || (options.missing == Missing::Fill && inputs.iter().any(lacks));
    let are_one = |input: &Dataset| names.iter().all(|name| is_one(input, name, &found));
    if !differ && inputs.iter().all(are_one) {
        return None;
    }
    if let ([name], true, true) = (names.as_slice(), found.len() < 2, differ) {
        found.extend(groups(&|group| group.dimensions.iter().any(|own| own.name == *name)));
    }
    (found.len() > 1).then_some(found)
}

/// Whether a dimension has the same coordinates in all groups of an input.
fn is_one(input: &Dataset, name: &str, groups: &BTreeSet<String>) -> bool {
    let arrays = groups.iter().filter_map(|path| input.group(path)?.arrays.get(name));
    let values: BTreeSet<_> =
        arrays.map(|array| (array.plain_values(), array.plain_texts())).collect();
    // What is not known may be anything.
    values.len() < 2 && !values.contains(&(None, None))
}

/// Combines each of the groups on its own, and what lies in none of them once.
pub(crate) fn combine_scopes(
    inputs: &[Dataset],
    options: &CombineOptions,
    scopes: &BTreeSet<String>,
) -> Result<Combined, CombineError> {
    let (mut results, mut notes) = (Vec::new(), Vec::new());
    let (mut labels, mut conflicts) = (Vec::new(), Vec::new());
    for part in parts(inputs, options, scopes) {
        let combined = if part.is_along {
            combine(&part.inputs, &part.options)
        } else {
            once(part.inputs, options)
        };
        match combined {
            Ok(combined) => {
                results.push(combined.dataset);
                notes.extend(combined.notes);
            }
            Err(error) if error.conflicts.is_empty() => return Err(error),
            Err(error) => add(&mut labels, &mut conflicts, error.inputs, error.conflicts),
        }
    }
    if !conflicts.is_empty() {
        return Err(CombineError::from_conflicts(labels, conflicts));
    }
    Ok(Combined::new(merge(&results)?, notes))
}

/// What would become of each of the groups.
pub(crate) fn plan_scopes(
    inputs: &[Dataset],
    options: &CombineOptions,
    scopes: &BTreeSet<String>,
) -> Result<Report, CombineError> {
    let mut all = Report {
        inputs: Vec::new(),
        outline: Vec::new(),
        notes: Vec::new(),
        conflicts: Vec::new(),
        left_out: Vec::new(),
    };
    for part in parts(inputs, options, scopes) {
        let report = if part.is_along {
            plan(&part.inputs, &part.options)?
        } else {
            match once(part.inputs, options) {
                Ok(combined) => {
                    let notes = combined.notes;
                    Report { notes, ..Report::of_one(&combined.dataset) }
                }
                Err(error) if error.conflicts.is_empty() => return Err(error),
                Err(error) => Report {
                    inputs: error.inputs,
                    outline: Vec::new(),
                    notes: Vec::new(),
                    conflicts: error.conflicts,
                    left_out: Vec::new(),
                },
            }
        };
        all.outline.extend(report.outline);
        all.notes.extend(report.notes);
        if !report.conflicts.is_empty() {
            add(&mut all.inputs, &mut all.conflicts, report.inputs, report.conflicts);
        }
    }
    Ok(all)
}

/// Adds conflicts whose sides name inputs by their places in a list of their own.
fn add(
    labels: &mut Vec<String>,
    conflicts: &mut Vec<Conflict>,
    more: Vec<String>,
    found: Vec<Conflict>,
) {
    let before = labels.len();
    labels.extend(more);
    conflicts.extend(found.into_iter().map(|mut conflict| {
        for side in &mut conflict.sides {
            side.inputs.iter_mut().for_each(|input| *input += before);
        }
        conflict
    }));
}

/// What is combined on its own.
struct ScopePart {
    inputs: Vec<Dataset>,
    options: CombineOptions,
    /// Whether some array lies along the dimension.
    is_along: bool,
}

fn parts(
    inputs: &[Dataset],
    options: &CombineOptions,
    scopes: &BTreeSet<String>,
) -> Vec<ScopePart> {
    let names: Vec<&str> =
        options.concat_dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    let wanted = scopes.iter().map(Some).chain([None]);
    let parts = wanted.map(|scope| {
        let inputs: Vec<Dataset> = inputs
            .iter()
            .map(|input| {
                let mut part = input.clone();
                keep(&mut part.root, "", scope.map(String::as_str), scopes);
                part
            })
            .collect();
        let known: BTreeSet<String> =
            inputs.iter().flat_map(Dataset::arrays).map(|(path, _)| path).collect();
        let has = |name: &String| {
            known.iter().any(|path| path == name || path.rsplit('/').next() == Some(name.as_str()))
        };
        let mut options = options.clone();
        options.identical.retain(|name| has(name));
        options.stack.retain(|name| has(name));
        let is_along = inputs
            .iter()
            .flat_map(Dataset::arrays)
            .any(|(_, array)| array.dimensions.iter().any(|own| names.contains(&own.as_str())));
        let inputs = match scope {
            Some(path) if options.missing == Missing::Fill => {
                inputs.into_iter().filter(|input| has_arrays(input, path)).collect()
            }
            _ => inputs,
        };
        ScopePart { inputs, options, is_along }
    });
    parts.collect()
}

fn has_arrays(input: &Dataset, group: &str) -> bool {
    let inside = |path: &str| path.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'));
    group.is_empty() || input.arrays().iter().any(|(path, _)| inside(path))
}

/// Keeps what lies in a scope and in none within it; without a scope, what lies in none.
fn keep(group: &mut Group, path: &str, scope: Option<&str>, scopes: &BTreeSet<String>) {
    if nearest(path, scopes) != scope {
        group.arrays.clear();
    }
    group.groups.retain(|name, inner| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        keep(inner, &path, scope, scopes);
        nearest(&path, scopes) == scope || !inner.groups.is_empty()
    });
}

/// The innermost scope that a group lies in.
fn nearest<'s>(path: &str, scopes: &'s BTreeSet<String>) -> Option<&'s str> {
    let mut inner = Some(path);
    while let Some(path) = inner {
        if let Some(scope) = scopes.get(path) {
            return Some(scope);
        }
        inner = match path.rsplit_once('/') {
            Some((outer, _)) => Some(outer),
            None if path.is_empty() => None,
            None => Some(""),
        };
    }
    None
}

/// Puts together what lies along no dimension: it has to be the same in all inputs.
fn once(mut inputs: Vec<Dataset>, options: &CombineOptions) -> Result<Combined, CombineError> {
    let mut notes = Vec::new();
    let identical = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        options.identical.iter().any(|own| own == path || own == name)
    };
    // Of what is taken from the first input, only that one's is left.
    let mut known = BTreeSet::new();
    for input in &mut inputs {
        let paths: Vec<String> = input.arrays().into_iter().map(|(path, _)| path).collect();
        for path in paths.into_iter().filter(|path| identical(path)) {
            if !known.insert(path.clone()) {
                remove(input, &path);
            }
        }
    }
    let error = match merge(&inputs) {
        Ok(dataset) => return Ok(Combined::new(dataset, notes)),
        Err(error) => error,
    };
    let skips = matches!(options.on_conflict, OnConflict::SkipVariable | OnConflict::Skip);
    if skips && !error.conflicts.is_empty() {
        for conflict in &error.conflicts {
            notes.push(format!("{} is left out: {}", conflict.place, conflict.message));
            for input in &mut inputs {
                remove(input, &conflict.place);
            }
        }
        return Ok(Combined::new(merge(&inputs)?, notes));
    }
    let conflicts = error.conflicts.into_iter().map(|conflict| {
        let message = match conflict.kind {
            ConflictKind::Duplicate => {
                "it lies in no group that has the dimension, and differs between inputs".to_owned()
            }
            _ => conflict.message.clone(),
        };
        let identical = Resolution::Identical { variable: conflict.place.clone() };
        Conflict::new(conflict.kind, conflict.place, message)
            .with_sides(conflict.sides)
            .with_resolutions([identical, SKIP_VARIABLE])
    });
    Err(CombineError::from_conflicts(error.inputs, conflicts.collect()))
}

fn remove(dataset: &mut Dataset, path: &str) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    dataset.group_mut(parent).arrays.remove(name);
}

#[cfg(test)]
mod tests {
    use chunkref_core::CombineOptions;
    use chunkref_model::{Dataset, Dimension};

    use super::*;
    use crate::testing::{data, elements, ints};

    /// Two beams with a time of their own each, and the number of the orbit.
    fn granule(name: &str, lengths: [u64; 2], start: i32, orbit: i32) -> Dataset {
        let mut dataset = Dataset::new();
        let location = format!("s3://bucket/{name}.h5");
        for (beam, length) in ["a", "b"].into_iter().zip(lengths) {
            let path = format!("beam_{beam}/land");
            let offset = if beam == "a" { 1000 } else { 9000 };
            let height = data(&mut dataset, &location, &["time"], &[length], &[1], offset);
            // The times of the second beam lie between those of the first.
            let first = start * 10 + i32::from(beam == "b");
            let times: Vec<i32> =
                (0..i32::try_from(length).unwrap()).map(|step| first + 2 * step).collect();
            let group = dataset.group_mut(&path);
            group.dimensions.push(Dimension { name: "time".to_owned(), length, unlimited: true });
            group.arrays.insert("height".to_owned(), height);
            group.arrays.insert("time".to_owned(), ints(&["time"], &times));
        }
        dataset.group_mut("orbit").arrays.insert("number".to_owned(), ints(&[], &[orbit]));
        dataset
    }

    #[test]
    fn each_group_has_its_own_dimension() {
        let options = CombineOptions::default().with_concat_dimensions(["time"]);
        let inputs = [granule("f", [2, 3], 0, 7), granule("g", [4, 1], 1, 7)];
        let cube = combine(&inputs, &options).unwrap().dataset;
        for (path, lengths) in [("beam_a/land", [2, 4]), ("beam_b/land", [3, 1])] {
            let all: u64 = lengths.iter().sum();
            assert_eq!(cube.group(path).unwrap().dimensions[0].length, all);
            assert_eq!(cube.array(&format!("{path}/time")).unwrap().shape, [all]);
            let path = format!("{path}/height");
            let sources = inputs.each_ref().map(|input| elements(input, &path));
            for (place, says) in elements(&cube, &path) {
                let input = usize::from(place[0] >= lengths[0]);
                let own = vec![place[0] - [0, lengths[0]][input]];
                assert_eq!(says, sources[input][&own]);
            }
        }
        assert!(cube.array("orbit/number").is_some());
        assert!(plan(&inputs, &options).unwrap().conflicts.is_empty());
        let first = combine(&inputs[..1], &options).unwrap().dataset;
        let second = combine(&inputs[1..], &options).unwrap().dataset;
        assert_eq!(combine(&[first, second], &options).unwrap().dataset, cube);
    }

    /// One time for all beams: what differs is stacked along it, wherever it is.
    #[test]
    fn the_same_dimension_in_several_groups_is_one() {
        let options = CombineOptions::default().with_concat_dimensions(["time"]);
        let granule = |name: &str, start: i32, orbit: i32| {
            let mut dataset = granule(name, [1, 1], start, orbit);
            let times = dataset.array("beam_a/land/time").unwrap().clone();
            dataset.group_mut("beam_b/land").arrays.insert("time".to_owned(), times);
            dataset
        };
        let inputs = [granule("f", 0, 7), granule("g", 1, 8)];
        let cube = combine(&inputs, &options).unwrap().dataset;
        assert_eq!(cube.array("orbit/number").unwrap().shape, [2]);
        assert_eq!(cube.array("beam_b/land/time"), cube.array("beam_a/land/time"));
    }

    #[test]
    fn what_lies_in_no_group_has_to_be_the_same() {
        let options = CombineOptions::default().with_concat_dimensions(["time"]);
        let inputs = [granule("f", [2, 3], 0, 7), granule("g", [4, 1], 1, 8)];
        let error = combine(&inputs, &options).unwrap_err();
        let [conflict] = error.conflicts.as_slice() else { panic!("{error}") };
        assert_eq!(conflict.place, "orbit/number");
        assert_eq!(plan(&inputs, &options).unwrap().conflicts, error.conflicts);
        let kept = options.clone().with_identical(["orbit/number"]);
        let cube = combine(&inputs, &kept).unwrap().dataset;
        assert_eq!(cube.array("orbit/number"), inputs[0].array("orbit/number"));
        let without = options.with_on_conflict(OnConflict::SkipVariable);
        let combined = combine(&inputs, &without).unwrap();
        assert!(combined.dataset.array("orbit/number").is_none());
        assert_eq!(combined.notes.len(), 1);
        assert_eq!(combined.dataset.array("beam_a/land/height").unwrap().shape, [6]);
    }
}
