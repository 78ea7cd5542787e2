// SPDX-License-Identifier: MIT OR Apache-2.0
//! The values that combining needs to know: coordinates, and small arrays that are compared or must be written anew.
//!
//! Each input's are read on its own ([`Gatherer::gather`]); once all inputs are there, it is decided which of them take the
//! place of references ([`Gatherer::apply`]). Values that are the same in all inputs are in memory once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use chunkref_core::{CombineOptions, CoordinateSource};
use chunkref_model::{Array, Dataset};
use chunkref_read::{Open, ReadError, are_messages, read_arrays};

/// Most bytes of the coordinates of one input.
const MOST_COORDINATES: u64 = 64 << 20;
/// Most bytes of another dimension's coordinates that are compared.
const MOST_COMPARED_COORDINATES: u64 = 1 << 20;
/// Most bytes of any other array of one input that is compared or written anew.
const MOST_COMPARED: u64 = 64 << 10;
/// Most bytes of an array that is stored in the references although inputs differ.
const MOST_STORED: usize = 1 << 10;

/// Values of one input's arrays by path.
#[derive(Debug, Default)]
pub struct Gathered {
    values: BTreeMap<String, Bytes>,
}

/// Reads what combining with some options needs.
#[derive(Debug)]
pub struct Gatherer {
    options: CombineOptions,
    /// The first values of each path, or nothing when others differ.
    shared: Mutex<HashMap<String, Option<Bytes>>>,
}

impl Gatherer {
    /// For combining with these options.
    #[must_use]
    pub fn new(options: &CombineOptions) -> Self {
        Self { options: options.clone(), shared: Mutex::default() }
    }

    /// The group that is combined, when that is not all of an input.
    pub(crate) fn group(&self) -> Option<&str> {
        self.options.group.as_deref().filter(|group| !group.is_empty())
    }

    /// Reads the values of one input, in one round.
    ///
    /// # Errors
    /// [`ReadError`] when coordinates cannot be decoded, or values cannot be read.
    pub async fn gather(
        &self,
        dataset: &Dataset,
        objects: &dyn Open,
    ) -> Result<Gathered, ReadError> {
        let coordinates = self.coordinates(dataset);
        let paths: Vec<_> = dataset
            .arrays()
            .into_iter()
            // Text of any length is in the references as it is.
            .filter(|(_, array)| array.logical_bytes().is_some())
            .filter(|(path, array)| coordinates.contains(path) || self.wanted(path, array))
            .map(|(path, _)| path)
            .collect();
        let read = read_arrays(dataset, &paths, MOST_COORDINATES, objects).await?;
        let mut gathered = Gathered::default();
        for (path, bytes) in paths.into_iter().zip(read) {
            let compared = !coordinates.contains(&path)
                && dataset.array(&path).is_some_and(|array| !self.is_along(array));
            let kept = if compared { self.shared(&path, bytes) } else { Some(bytes) };
            gathered.values.extend(kept.map(|bytes| (path, bytes)));
        }
        Ok(gathered)
    }

    /// The arrays that coordinates of the dimensions may come from.
    fn coordinates(&self, dataset: &Dataset) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for dimension in &self.options.concat_dimensions {
            let name = &dimension.name;
            let source = match &dimension.coordinates {
                CoordinateSource::Data(source) | CoordinateSource::Cf(source) => source,
                _ => name,
            };
            for (path, array) in dataset.arrays() {
                let last = path.rsplit('/').next().unwrap_or(&path);
                let known = last == name && array.dimensions == [name.as_str()];
                let is_source = path == *source || last == source;
                let from_array = matches!(
                    dimension.coordinates,
                    CoordinateSource::Data(_) | CoordinateSource::Cf(_)
                );
                if known || (from_array && is_source) {
                    paths.insert(path);
                }
            }
        }
        paths
    }

    fn is_along(&self, array: &Array) -> bool {
        let mut names = self.options.concat_dimensions.iter().map(|dimension| &dimension.name);
        names.any(|name| array.dimensions.contains(name))
    }

    /// Whether the array's values may take the place of its references.
    fn wanted(&self, path: &str, array: &Array) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        if self.options.identical.iter().any(|known| known == path || known == name) {
            return false;
        }
        let most = match &*array.dimensions {
            [own] if own == name => MOST_COMPARED_COORDINATES,
            _ => MOST_COMPARED,
        };
        let small = array.logical_bytes().is_some_and(|bytes| bytes > 0 && bytes <= most);
        let chunk_bytes = array
            .chunk_grid
            .chunk_shape()
            .iter()
            .try_fold(1_u64, |all, &length| all.checked_mul(length));
        let sound = chunk_bytes.is_some_and(|elements| elements <= 1 << 22);
        // A message that holds a field is not taken apart for this.
        let decoded = are_messages(&array.codecs) == Some(false);
        small && sound && decoded && (!self.is_along(array) || self.is_partial(array))
    }

    /// Whether the array ends within a chunk along one of the dimensions.
    fn is_partial(&self, array: &Array) -> bool {
        let axes = array.dimensions.iter().zip(&array.shape).zip(array.chunk_grid.chunk_shape());
        let mut names = axes.filter(|((name, _), _)| {
            self.options.concat_dimensions.iter().any(|dimension| dimension.name == **name)
        });
        names.any(|((_, length), chunk)| length % chunk.max(&1) != 0)
    }

    /// The values, in one place of memory when other inputs have them too; nothing when they differ from input to input
    /// and are too large to be stored for each.
    fn shared(&self, path: &str, bytes: Bytes) -> Option<Bytes> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let first = shared.entry(path.to_owned()).or_insert_with(|| Some(bytes.clone()));
        if let Some(known) = first.as_ref().filter(|known| **known == bytes) {
            return Some(known.clone());
        }
        *first = None;
        (bytes.len() <= MOST_STORED).then_some(bytes)
    }

    /// Lets values take the place of references: coordinates; arrays that are the same in all inputs or tiny; and arrays
    /// along the dimensions that do not end at a chunk's edge in some input.
    pub fn apply(&self, datasets: &mut [Dataset], gathered: &[Gathered]) {
        let paths: BTreeSet<&String> =
            gathered.iter().flat_map(|gathered| gathered.values.keys()).collect();
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths {
            let coordinate =
                datasets.iter().any(|dataset| self.coordinates(dataset).contains(path));
            let complete = datasets.iter().zip(gathered).all(|(dataset, gathered)| {
                dataset
                    .array(path)
                    .is_none_or(|array| gathered.values.contains_key(path) || array.is_plain())
            });
            let tiny = gathered.iter().all(|gathered| {
                gathered.values.get(path).is_none_or(|bytes| bytes.len() <= MOST_STORED)
            });
            let along = datasets
                .iter()
                .any(|dataset| dataset.array(path).is_some_and(|array| self.is_along(array)));
            // One input alone may be the first of many that differ, or the last one, which ends within a chunk.
            let several =
                datasets.iter().filter(|dataset| dataset.array(path).is_some()).nth(1).is_some();
            let equal = shared.get(path).is_some_and(Option::is_some);
            if !(coordinate || (complete && (tiny || (several && (along || equal))))) {
                continue;
            }
            for (dataset, gathered) in datasets.iter_mut().zip(gathered) {
                let Some(bytes) = gathered.values.get(path) else { continue };
                let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
                if let Some(array) = dataset.group_mut(parent).arrays.get_mut(name) {
                    *array = array.clone().with_plain_values(bytes.clone());
                }
            }
        }
    }
}
