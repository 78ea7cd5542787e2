// SPDX-License-Identifier: MIT OR Apache-2.0
//! One dataset among others.

use std::borrow::Cow;

use chunkref_core::{CombineOptions, redact};
use chunkref_model::{Array, Dataset, Group};

/// One dataset among others.
#[derive(Debug, Clone)]
pub(crate) struct Input<'a> {
    pub(crate) dataset: Cow<'a, Dataset>,
    /// What messages call it: where its chunks lie.
    pub(crate) label: String,
    /// Its place among all that are combined.
    pub(crate) number: usize,
}

impl<'a> Input<'a> {
    /// The inputs of a combination, with the names that the options give them.
    pub(crate) fn all(datasets: &'a [Dataset], options: &CombineOptions) -> Vec<Self> {
        let numbered = datasets.iter().enumerate();
        let named = numbered.map(|(number, dataset)| match options.names.get(number) {
            Some(name) if !name.is_empty() => {
                Self { dataset: Cow::Borrowed(dataset), label: redact(name).into_owned(), number }
            }
            _ => Self::new(dataset, number),
        });
        named.collect()
    }

    pub(crate) fn new(dataset: &'a Dataset, number: usize) -> Self {
        let label = match dataset.sources() {
            [] => format!("input {}", number + 1),
            [only] => redact(&only.location).into_owned(),
            [first, .., last] => {
                format!("{} to {}", redact(&first.location), redact(&last.location))
            }
        };
        Self { dataset: Cow::Borrowed(dataset), label, number }
    }

    /// The location that patterns are looked for in.
    pub(crate) fn location(&self) -> Option<&str> {
        self.dataset.sources().first().map(|source| source.location.as_str())
    }

    /// The array at a path, or with a name that it has in one group, the first of them in order.
    pub(crate) fn find(&self, name: &str) -> Option<(String, &Array)> {
        if let Some(array) = self.dataset.array(name) {
            return Some((name.to_owned(), array));
        }
        let named = |path: &str| path.rsplit_once('/').is_some_and(|(_, last)| last == name);
        self.dataset.arrays().into_iter().find(|(path, _)| named(path))
    }

    /// The length of a dimension, when an array has it; the paths of two arrays that disagree about it otherwise.
    pub(crate) fn length(&self, dimension: &str) -> Result<Option<u64>, [String; 2]> {
        let mut found: Option<(String, u64)> = None;
        for (path, array) in self.dataset.arrays() {
            for (name, &length) in array.dimensions.iter().zip(&array.shape) {
                match &found {
                    _ if name != dimension => {}
                    Some((_, known)) if *known == length => {}
                    Some((other, _)) => return Err([other.clone(), path]),
                    None => found = Some((path.clone(), length)),
                }
            }
        }
        Ok(found.map(|(_, length)| length))
    }
}

/// Whether all inputs have the same arrays, and `same` holds of each and that of the first input. Costs no allocation,
/// so that what need not be changed costs none.
pub(crate) fn alike(inputs: &[Input<'_>], same: &dyn Fn(&Array, &Array) -> bool) -> bool {
    inputs.split_first().is_none_or(|(first, others)| {
        others.iter().all(|other| groups_alike(&first.dataset.root, &other.dataset.root, same))
    })
}

fn groups_alike(a: &Group, b: &Group, same: &dyn Fn(&Array, &Array) -> bool) -> bool {
    a.arrays.len() == b.arrays.len()
        && a.groups.len() == b.groups.len()
        && a.arrays.iter().zip(&b.arrays).all(|((one, a), (other, b))| one == other && same(a, b))
        && a.groups
            .iter()
            .zip(&b.groups)
            .all(|((one, a), (other, b))| one == other && groups_alike(a, b, same))
}

/// Whether some input has an array of a kind; costs no allocation either.
pub(crate) fn any(inputs: &[Input<'_>], of_kind: &dyn Fn(&Array) -> bool) -> bool {
    inputs.iter().any(|input| any_in(&input.dataset.root, of_kind))
}

fn any_in(group: &Group, of_kind: &dyn Fn(&Array) -> bool) -> bool {
    group.arrays.values().any(of_kind) || group.groups.values().any(|group| any_in(group, of_kind))
}
