// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text of any length, and of different lengths, brought to one: padded with NUL to the longest while inputs are combined.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_model::{Array, Codec, DataType, Dataset, Group};

use crate::input::{Input, any};

/// Most bytes of one input's text once it is padded.
const MOST_PADDED: usize = 64 << 20;

/// The type and codecs of text that was padded, by the path of its array.
pub(crate) type Padded = BTreeMap<String, (DataType, Vec<Codec>)>;

/// Pads text of any length that is in the references, and tells what it was. Text that ends with NUL stays as it is.
pub(crate) fn pad(inputs: &mut [Input<'_>]) -> Padded {
    let mut padded = Padded::new();
    for input in inputs.iter_mut() {
        let mut changed = Vec::new();
        for (path, array) in input.dataset.arrays() {
            let Some(texts) = array.plain_texts() else { continue };
            let longest = texts.iter().map(bytes::Bytes::len).max().unwrap_or_default().max(1);
            let small = longest.checked_mul(texts.len()).is_some_and(|all| all <= MOST_PADDED);
            if !small || texts.iter().any(|text| text.last() == Some(&0)) {
                continue;
            }
            let mut values = Vec::new();
            for text in &texts {
                let end = values.len() + longest;
                values.extend_from_slice(text);
                values.resize(end, 0);
            }
            padded.insert(path.clone(), (array.dtype.clone(), array.codecs.clone()));
            let dtype = DataType::FixedString { length: longest as u64 };
            let array = Array { dtype, fill_value: None, ..array.clone() };
            changed.push((path, array.with_plain_values(values.into())));
        }
        replace(input, changed);
    }
    padded
}

/// Makes text that was padded what it was.
pub(crate) fn restore(dataset: &mut Dataset, padded: &Padded) {
    for (path, (dtype, codecs)) in padded {
        let Some(array) = dataset.array(path) else { continue };
        let DataType::FixedString { length } = array.dtype else { continue };
        let (Some(values), Ok(length)) = (array.plain_values(), usize::try_from(length)) else {
            continue;
        };
        let texts = values.chunks(length.max(1)).map(|text| {
            let end = text.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            text.get(..end).unwrap_or_default()
        });
        let made = Array {
            dtype: dtype.clone(),
            codecs: codecs.clone(),
            fill_value: None,
            ..array.clone()
        };
        let Some(made) = made.with_plain_texts(texts) else { continue };
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        dataset.group_mut(parent).arrays.insert(name.to_owned(), made);
    }
}

/// Gives text that is padded to different lengths in different inputs one length, where its values are known: fixed text
/// by its type, and characters by the length of their last dimension.
pub(crate) fn widen(inputs: &mut [Input<'_>]) {
    if !any(inputs, &|array| text_length(array).is_some()) {
        return;
    }
    let mut lengths: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut others = BTreeSet::new();
    // Dimensions that count the characters of text and nothing else.
    let mut characters: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut elsewhere = BTreeSet::new();
    for input in inputs.iter() {
        for (path, array) in input.dataset.arrays() {
            let text = text_length(array).filter(|_| array.is_plain());
            let last = array.dimensions.last().filter(|_| text == Some(1));
            for (name, &length) in array.dimensions.iter().zip(&array.shape) {
                if Some(name) == last {
                    characters.entry(name.clone()).or_default().insert(length);
                } else {
                    elsewhere.insert(name.clone());
                }
            }
            match text {
                Some(length) => {
                    lengths.entry(path).or_default().insert(length);
                }
                None => {
                    others.insert(path);
                }
            }
        }
    }
    lengths.retain(|path, lengths| lengths.len() > 1 && !others.contains(path));
    characters.retain(|name, lengths| lengths.len() > 1 && !elsewhere.contains(name));
    for input in inputs {
        let mut changed = Vec::new();
        for (path, array) in input.dataset.arrays() {
            let longest = |lengths: &BTreeSet<u64>| lengths.last().copied();
            let by_type = lengths.get(&path).and_then(longest);
            let last = array.dimensions.last().filter(|_| text_length(array) == Some(1));
            let by_dimension = last.and_then(|name| characters.get(name)).and_then(longest);
            let wider = match (by_type, by_dimension) {
                (Some(length), _) => wider(array, length).map(|values| {
                    let dtype = DataType::FixedString { length };
                    Array { dtype, ..array.clone() }.with_plain_values(values.into())
                }),
                (None, Some(length)) => {
                    characters_of(array).and_then(|array| wider(&array, length)).map(|values| {
                        let mut array = array.clone();
                        if let Some(last) = array.shape.last_mut() {
                            *last = length;
                        }
                        array.with_plain_values(values.into())
                    })
                }
                (None, None) => None,
            };
            changed.extend(wider.map(|array| (path, array)));
        }
        if !changed.is_empty() {
            set_lengths(&mut input.dataset.to_mut().root, &characters);
        }
        replace(input, changed);
    }
}

/// An array of characters as text: without its last dimension, which counts them. `None` for other arrays.
pub(crate) fn characters_of(array: &Array) -> Option<Array> {
    let (&length, shape) = array.shape.split_last()?;
    if text_length(array) != Some(1) || length == 0 || !array.is_plain() {
        return None;
    }
    let values = array.plain_values()?;
    let mut text = Array {
        shape: shape.to_vec(),
        dtype: DataType::FixedString { length },
        fill_value: None,
        ..array.clone()
    };
    text.dimensions.pop();
    Some(text.with_plain_values(values.into()))
}

/// The values of fixed text padded to a length.
pub(crate) fn wider(array: &Array, length: u64) -> Option<Vec<u8>> {
    let own = usize::try_from(text_length(array)?).ok()?;
    let length = usize::try_from(length).ok()?;
    let mut values = Vec::new();
    for text in array.plain_values()?.chunks(own.max(1)) {
        let end = values.len() + length;
        values.extend_from_slice(text);
        values.resize(end, 0);
    }
    Some(values)
}

pub(crate) fn text_length(array: &Array) -> Option<u64> {
    match array.dtype {
        DataType::FixedString { length } => Some(length),
        _ => None,
    }
}

fn set_lengths(group: &mut Group, lengths: &BTreeMap<String, BTreeSet<u64>>) {
    for dimension in &mut group.dimensions {
        let longest = lengths.get(&dimension.name).and_then(|lengths| lengths.last());
        dimension.length = longest.copied().unwrap_or(dimension.length);
    }
    group.groups.values_mut().for_each(|group| set_lengths(group, lengths));
}

fn replace(input: &mut Input<'_>, arrays: Vec<(String, Array)>) {
    for (path, array) in arrays {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
    }
}
