// SPDX-License-Identifier: MIT OR Apache-2.0
//! Different variables from different inputs, put together.

use std::collections::BTreeMap;

use chunkref_core::{
    CombineError, CombineErrorKind, CombineOptions, Conflict, ConflictKind, CoordinateSource,
    Resolution, Side,
};
use chunkref_model::Dataset;

use crate::analysis::lengths;
use crate::aspect::{self, Compared, Holder};
use crate::assemble::{adopt_sources, kept};
use crate::coordinates::coordinates;
use crate::fill;
use crate::input::Input;
use crate::promote::promote;
use crate::text;
use crate::time::harmonise;
use crate::unstored;
use crate::variable::equal;

/// Puts the variables of all inputs into one dataset. One that several inputs have must be equal in all of them: by value
/// where the values are in the references as they are, else by its references.
///
/// # Errors
/// [`CombineError`] with every variable that differs, and when there is no input.
pub fn merge(inputs: &[Dataset]) -> Result<Dataset, CombineError> {
    merge_all(inputs, &CombineOptions::default())
}

/// [`merge()`] with the names that the options give the inputs.
pub(crate) fn merge_all(
    inputs: &[Dataset],
    options: &CombineOptions,
) -> Result<Dataset, CombineError> {
    merged(&Input::all(inputs, options))
}

fn merged(inputs: &[Input<'_>]) -> Result<Dataset, CombineError> {
    let Some(first) = inputs.first() else {
        let message = "there is nothing to merge".to_owned();
        return Err(CombineError::new(CombineErrorKind::NoInput, message));
    };
    let mut variables: BTreeMap<String, Vec<Holder<'_>>> = BTreeMap::new();
    for (input, own) in inputs.iter().enumerate() {
        for (path, array) in own.dataset.arrays() {
            variables.entry(path).or_default().push(Holder { input, array });
        }
    }
    let conflicts: Vec<_> =
        variables.iter().flat_map(|(path, holders)| conflicts(path, holders, inputs)).collect();
    if !conflicts.is_empty() {
        let names = inputs.iter().map(|input| input.label.clone()).collect();
        return Err(CombineError::from_conflicts(names, conflicts));
    }
    let mut dataset = Dataset::new();
    let sources = adopt_sources(&mut dataset, inputs);
    for input in inputs {
        input.dataset.visit_groups(&mut |path, group| {
            let made = dataset.group_mut(path);
            for (name, value) in group.attributes.iter() {
                if made.attributes.get(name).is_none() {
                    made.attributes.insert(name, value.clone());
                }
            }
            for dimension in &group.dimensions {
                if !made.dimensions.iter().any(|known| known.name == dimension.name) {
                    made.dimensions.push(dimension.clone());
                }
            }
        });
    }
    dataset.separate = first.dataset.separate;
    for (path, holders) in variables {
        let Some(holder) = holders.first() else { continue };
        let names = sources.get(holder.input).map(Vec::as_slice).unwrap_or_default();
        let array = kept(&path, holder.array, names)?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        dataset.group_mut(parent).arrays.insert(name.to_owned(), array);
    }
    Ok(dataset)
}

fn conflicts(path: &str, holders: &[Holder<'_>], inputs: &[Input<'_>]) -> Vec<Conflict> {
    let plain = holders.iter().all(|holder| holder.array.plain_values().is_some());
    let compared = Compared { path, holders, along: &[], cut: None, plain, time_reason: None };
    let mut found = aspect::conflicts(&compared);
    if !found.is_empty() {
        return found;
    }
    let Some((first, others)) = holders.split_first() else { return found };
    let (like, unlike): (Vec<_>, Vec<_>) =
        others.iter().partition(|holder| equal(inputs, first, holder));
    if unlike.is_empty() {
        return found;
    }
    let side = |says: &str, holders: Vec<&Holder<'_>>| Side {
        says: says.to_owned(),
        inputs: holders.into_iter().map(|holder| holder.input).collect(),
    };
    let like = std::iter::once(first).chain(like).collect();
    let message = "several inputs with the same coordinates have it, and it differs, or is too large to be compared";
    found.push(
        Conflict::new(ConflictKind::Duplicate, path, message)
            .with_sides([side("values 1", like), side("other values", unlike)])
            .with_resolutions([Resolution::LeaveOut, Resolution::AnotherDimension]),
    );
    found
}

/// The inputs with those of the same coordinates merged.
pub(crate) fn merge_places(
    inputs: &[Dataset],
    options: &CombineOptions,
) -> Result<Vec<Dataset>, CombineError> {
    let mut own = Input::all(inputs, options);
    unstored::adopt(&mut own);
    promote(&mut own, options);
    harmonise(&mut own, options);
    fill::unify(&mut own, options);
    let mut padded = own.clone();
    text::pad(&mut padded);
    text::widen(&mut padded);
    let mut keys: Vec<Vec<Vec<u8>>> = own.iter().map(|_| Vec::new()).collect();
    for dimension in &options.concat_dimensions {
        if matches!(dimension.coordinates, CoordinateSource::Index | CoordinateSource::Values(_)) {
            let message = format!(
                "the coordinates of {} number the inputs, so none of them are at one place to be merged",
                dimension.name
            );
            return Err(CombineError::new(CombineErrorKind::InvalidOption, message));
        }
        let lengths = lengths(dimension, &padded)?;
        let Some(found) = coordinates(dimension, &padded, &lengths, &mut Vec::new())? else {
            // What is missing is said when they are combined.
            return Ok(inputs.to_vec());
        };
        for (key, bytes) in keys.iter_mut().zip(found.bytes) {
            key.push(bytes);
        }
    }
    let mut groups: Vec<(Vec<Vec<u8>>, Vec<Input<'_>>)> = Vec::new();
    let mut places: BTreeMap<Vec<Vec<u8>>, usize> = BTreeMap::new();
    for (key, input) in keys.into_iter().zip(own) {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(input),
            None => groups.push((key, vec![input])),
        }
    }
    groups
        .into_iter()
        .map(|(_, group)| match group.as_slice() {
            [only] => Ok(only.dataset.clone().into_owned()),
            several => merged(several),
        })
        .collect()
}
