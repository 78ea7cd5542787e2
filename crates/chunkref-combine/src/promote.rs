// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays of numbers whose types differ from input to input, in one type that holds them all exactly.
//!
//! Only arrays that are plain values in all inputs can be written in another type.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_core::{CombineOptions, CoordinateSource};
use chunkref_model::{Array, ByteOrder, DataType};

use crate::input::{Input, alike};
use crate::value::{encode, fill_of, of_fill, values};

/// Attributes that belong to the type of the numbers.
const OF_TYPE: [&str; 3] = ["scale_factor", "add_offset", "_Unsigned"];

/// Lets arrays with different types of numbers have one, where that is exact.
pub(crate) fn promote(inputs: &mut [Input<'_>], options: &CombineOptions) {
    if alike(inputs, &|a, b| a.dtype == b.dtype) {
        return;
    }
    for places in groups(inputs, options) {
        let arrays: Vec<(usize, &str, &Array)> = places
            .iter()
            .filter_map(|(input, path)| {
                Some((*input, path.as_str(), inputs.get(*input)?.dataset.array(path)?))
            })
            .collect();
        for (input, path, array) in promoted(&arrays).unwrap_or_default() {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(input) = inputs.get_mut(input) {
                input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
            }
        }
    }
}

/// The arrays of which the types differ: those of one path, and those that one dimension's coordinates come from.
fn groups(inputs: &[Input<'_>], options: &CombineOptions) -> Vec<Vec<(usize, String)>> {
    let mut first: BTreeMap<String, DataType> = BTreeMap::new();
    let mut unlike: BTreeSet<String> = BTreeSet::new();
    for input in inputs {
        for (path, array) in input.dataset.arrays() {
            match first.get(&path) {
                Some(dtype) if *dtype == array.dtype => {}
                Some(_) => drop(unlike.insert(path)),
                None => drop(first.insert(path, array.dtype.clone())),
            }
        }
    }
    let has = |input: &Input<'_>, path: &str| input.dataset.array(path).is_some();
    let mut groups: Vec<Vec<(usize, String)>> = Vec::new();
    let mut taken = BTreeSet::new();
    for dimension in &options.concat_dimensions {
        let (CoordinateSource::Data(source) | CoordinateSource::Cf(source)) =
            &dimension.coordinates
        else {
            continue;
        };
        let mut group = Vec::new();
        for (place, input) in inputs.iter().enumerate() {
            let along = input
                .find(&dimension.name)
                .filter(|(_, array)| array.dimensions == [dimension.name.as_str()]);
            if let Some((path, _)) = along.or_else(|| input.find(source)) {
                taken.insert(path.clone());
                group.push((place, path));
            }
        }
        groups.push(group);
    }
    for path in unlike.difference(&taken) {
        let places = inputs.iter().enumerate().filter(|(_, input)| has(input, path));
        groups.push(places.map(|(place, _)| (place, path.clone())).collect());
    }
    groups
}

/// The arrays that change.
fn promoted(arrays: &[(usize, &str, &Array)]) -> Option<Vec<(usize, String, Array)>> {
    let (.., first) = arrays.first()?;
    if arrays.iter().all(|(.., array)| array.dtype == first.dtype)
        || !arrays.iter().all(|(.., array)| array.is_plain() || array.shape.contains(&0))
    {
        return None;
    }
    let dtype = arrays
        .iter()
        .try_fold(first.dtype.clone(), |dtype, (.., array)| wider(&dtype, &array.dtype))?;
    let only_order = arrays.iter().all(|(.., array)| {
        std::mem::discriminant(&array.dtype) == std::mem::discriminant(&dtype)
            && array.dtype.length_bytes() == dtype.length_bytes()
    });
    let of_type = |array: &Array| OF_TYPE.iter().any(|name| array.attributes.get(name).is_some());
    if !only_order && arrays.iter().any(|(.., array)| of_type(array)) {
        return None;
    }
    let mut changed = Vec::new();
    for (input, path, array) in arrays {
        if array.dtype == dtype {
            continue;
        }
        let mut bytes = Vec::new();
        if !array.shape.contains(&0) {
            for value in values(&array.dtype, &array.plain_values()?)? {
                bytes.extend(encode(&dtype, &value)?);
            }
        }
        let fill_value = match &array.fill_value {
            Some(fill) => Some(fill_of(&dtype, &of_fill(&array.dtype, fill)?)?),
            None => None,
        };
        let array = Array { dtype: dtype.clone(), fill_value, ..(*array).clone() };
        let array = array.with_plain_values(bytes.into());
        changed.push((*input, (*path).to_owned(), array));
    }
    Some(changed)
}

/// The narrowest type that may hold the numbers of both, in the order of bytes of the first.
fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Float, Int, UInt};
    let order = match a {
        Int { order, length: 2.. } | UInt { order, length: 2.. } | Float { order, .. } => *order,
        Int { .. } | UInt { .. } => ByteOrder::Little,
        _ => return None,
    };
    Some(match (a, b) {
        (Int { length: a, .. }, Int { length: b, .. }) => Int { length: *a.max(b), order },
        (UInt { length: a, .. }, UInt { length: b, .. }) => UInt { length: *a.max(b), order },
        (Int { length: signed, .. }, UInt { length: unsigned, .. })
        | (UInt { length: unsigned, .. }, Int { length: signed, .. }) => {
            Int { length: (*signed).max(unsigned.saturating_mul(2)).min(8), order }
        }
        (Float { length: a, .. }, Float { length: b, .. }) => Float { length: *a.max(b), order },
        (Float { length, .. }, Int { length: whole, .. } | UInt { length: whole, .. })
        | (Int { length: whole, .. } | UInt { length: whole, .. }, Float { length, .. }) => {
            Float { length: if *whole > 2 { 8 } else { (*length).max(4) }, order }
        }
        _ => return None,
    })
}
