// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets, groups and the objects that chunks lie in.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::secret::redact;
use crate::{Array, Attributes, Dimension, SourceId};

/// The identity of an object's bytes at the time it was scanned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// Bytes in the object.
    pub length: u64,
    /// The store's entity tag, where it has one.
    pub e_tag: Option<String>,
    /// When the object was last changed, where the store says so.
    pub last_modified: Option<SystemTime>,
}

/// An object that chunks lie in. `Debug` shows no secrets of its URL.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// Absolute URL, as it is to appear in references.
    pub location: String,
    /// The version that was scanned; `None` when it is not known (references read from kerchunk JSON).
    pub version: Option<ObjectVersion>,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Source")
            .field("location", &redact(&self.location))
            .field("version", &self.version)
            .finish()
    }
}

/// A tree of groups and arrays with the table of objects that its chunks lie in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Dataset {
    sources: Vec<Source>,
    /// The first source of each hash, so that a table of many thousands is not searched from end to end.
    #[serde(skip)]
    places: HashMap<u64, u32>,
    /// The root group.
    pub root: Group,
    /// Whether the groups below the root are datasets of their own, in the order of their names, which only one file
    /// holds together. kerchunk JSON says them as a list of documents.
    pub separate: bool,
}

impl Dataset {
    /// An empty dataset.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an object to the table, or finds the entry of the same location and version.
    ///
    /// # Panics
    /// Never in practice: only with 2³² − 2 sources, which memory does not hold.
    pub fn add_source(&mut self, source: Source) -> SourceId {
        // `DefaultHasher::new` has fixed keys, so equal tables have equal places.
        let mut hasher = DefaultHasher::new();
        source.hash(&mut hasher);
        let next = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let first = *self.places.entry(hasher.finish()).or_insert(next);
        let start = usize::try_from(first).unwrap_or(usize::MAX);
        if self.sources.get(start) == Some(&source) {
            return SourceId(first);
        }
        // Either the source is new, or another one has the same hash.
        if first != next
            && let Some(index) = self.sources.iter().position(|known| *known == source)
        {
            return SourceId(u32::try_from(index).unwrap_or(u32::MAX));
        }
        self.sources.push(source);
        SourceId(next)
    }

    /// The objects that chunks lie in; a [`SourceId`] is an index into it.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// One object of the table.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::try_from(id.0).ok()?)
    }

    /// The group at a `/`-separated path without leading slash; `""` is the root.
    #[must_use]
    pub fn group(&self, path: &str) -> Option<&Group> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(&self.root, |group, name| group.groups.get(name))
    }

    /// The array at a `/`-separated path without leading slash.
    #[must_use]
    pub fn array(&self, path: &str) -> Option<&Array> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.group(parent)?.arrays.get(name)
    }

    /// The group at a path, made with its parents where it is not there yet.
    pub fn group_mut(&mut self, path: &str) -> &mut Group {
        path.split('/')
            .filter(|part| !part.is_empty())
            .fold(&mut self.root, |group, name| group.groups.entry(name.to_owned()).or_default())
    }

    /// Calls `visit` with the path of every group, parents first, names in byte order; the root's path is `""`.
    pub fn visit_groups<'a>(&'a self, visit: &mut dyn FnMut(&str, &'a Group)) {
        self.root.visit("", visit);
    }

    /// Defines in each group the dimensions of its arrays that no group around it has with the same length, as formats need
    /// that name dimensions per array alone.
    pub fn define_dimensions(&mut self) {
        self.root.define_dimensions(&mut Vec::new());
    }

    /// Every array with its path, in the order of [`Dataset::visit_groups`].
    #[must_use]
    pub fn arrays(&self) -> Vec<(String, &Array)> {
        let mut arrays = Vec::new();
        self.visit_groups(&mut |path, group| {
            for (name, array) in &group.arrays {
                arrays.push((join_path(path, name), array));
            }
        });
        arrays
    }
}

/// A dataset as it came from somewhere.
#[derive(Deserialize)]
struct Unchecked {
    sources: Vec<Source>,
    root: Group,
    separate: bool,
}

impl TryFrom<Unchecked> for Dataset {
    type Error = String;

    fn try_from(unchecked: Unchecked) -> Result<Self, String> {
        let Unchecked { sources, root, separate } = unchecked;
        let mut dataset = Self { root, separate, ..Self::default() };
        for (number, source) in sources.into_iter().enumerate() {
            if usize::try_from(dataset.add_source(source).0) != Ok(number) {
                return Err("two sources are the same".to_owned());
            }
        }
        let count = dataset.sources.len();
        for (path, array) in dataset.arrays() {
            if array.dimensions.len() != array.shape.len()
                || array.chunk_grid.chunk_shape().len() != array.shape.len()
                || array.manifest.grid_shape() != array.chunk_grid.grid_shape(&array.shape)
            {
                return Err(format!("array {path:?} contradicts itself"));
            }
            if !array.manifest.names_sources_below(count) {
                return Err(format!("array {path:?} has a reference to no source"));
            }
        }
        Ok(dataset)
    }
}

/// A group: attributes, dimensions, arrays and subgroups.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Group {
    /// Attributes, in the order of the file.
    pub attributes: Attributes,
    /// Dimensions that this group defines.
    pub dimensions: Vec<Dimension>,
    /// Arrays by name.
    pub arrays: BTreeMap<String, Array>,
    /// Subgroups by name.
    pub groups: BTreeMap<String, Group>,
}

impl Group {
    fn visit<'a>(&'a self, path: &str, visit: &mut dyn FnMut(&str, &'a Group)) {
        visit(path, self);
        for (name, group) in &self.groups {
            group.visit(&join_path(path, name), visit);
        }
    }

    fn define_dimensions(&mut self, visible: &mut Vec<Dimension>) {
        let outer = visible.len();
        for array in self.arrays.values() {
            for (name, &length) in array.dimensions.iter().zip(&array.shape) {
                let known =
                    visible.iter().enumerate().rev().find(|(_, dimension)| dimension.name == *name);
                // Within a group the first array decides.
                if known
                    .is_none_or(|(place, dimension)| place < outer && dimension.length != length)
                {
                    visible.push(Dimension { name: name.clone(), length, unlimited: false });
                }
            }
        }
        self.dimensions = visible.get(outer..).unwrap_or_default().to_vec();
        for subgroup in self.groups.values_mut() {
            subgroup.define_dimensions(visible);
        }
        visible.truncate(outer);
    }
}

/// The name of an axis that has none: its own, so that axes of different arrays are not taken for the same.
pub(crate) fn unnamed_dimension(path: &str, axis: usize) -> String {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    format!("{name}_dim_{axis}")
}

/// A child's path from its parent's; the root's path is `""`.
#[must_use]
pub fn join_path(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_stored_once() {
        let mut dataset = Dataset::new();
        let a = Source { location: "s3://bucket/a.nc".to_owned(), version: None };
        let b = Source { location: "s3://bucket/b.nc".to_owned(), version: None };
        assert_eq!(dataset.add_source(a.clone()), SourceId(0));
        assert_eq!(dataset.add_source(b), SourceId(1));
        assert_eq!(dataset.add_source(a), SourceId(0));
        assert_eq!(dataset.sources().len(), 2);
    }

    #[test]
    fn groups_are_visited_parents_first_in_name_order() {
        let mut dataset = Dataset::new();
        dataset.group_mut("b/c");
        dataset.group_mut("a");
        let mut paths = Vec::new();
        dataset.visit_groups(&mut |path, _| paths.push(path.to_owned()));
        assert_eq!(paths, ["", "a", "b", "b/c"]);
        assert!(dataset.group("b/c").is_some());
        assert!(dataset.group("b/x").is_none());
    }
}
