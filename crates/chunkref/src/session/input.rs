// SPDX-License-Identifier: MIT OR Apache-2.0
//! One input of a cube, and what is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chunkref_core::{ReferenceFormats, ScanError, Skipped};
use chunkref_model::{Array, AttributeValue, Dataset, Group};
use chunkref_read::Open;
use chunkref_store::{AccessPolicy, Cost, Location, OpenOptions};

use super::{InputError, Session};
use crate::{Gathered, Gatherer, References, StoreObjects};

/// Something that a cube is made of.
#[derive(Debug, Clone)]
pub struct Input {
    /// What messages call it.
    name: String,
    what: What,
    /// Whether there is no result without it.
    required: bool,
}

#[derive(Debug, Clone)]
enum What {
    File(Location),
    References { location: Location, version: Option<String> },
    Dataset(Arc<Dataset>, Objects),
}

/// How the objects of a dataset are opened.
#[derive(Clone)]
enum Objects {
    Within(AccessPolicy),
    By(Arc<dyn Open>),
}

impl fmt::Debug for Objects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(policy) => policy.fmt(formatter),
            Self::By(_) => formatter.write_str("By(…)"),
        }
    }
}

impl Input {
    /// A file that is scanned.
    #[must_use]
    pub fn file(location: Location) -> Self {
        Self { name: location.to_string(), what: What::File(location), required: false }
    }

    /// A set of references.
    #[must_use]
    pub fn references(location: Location) -> Self {
        let what = What::References { location, version: None };
        let name = what.location().map(ToString::to_string).unwrap_or_default();
        Self { name, what, required: false }
    }

    /// References or a file, as the ending of its name says: one of an output format that is linked in, or another.
    #[must_use]
    pub fn by_name(location: Location) -> Self {
        let name = location.file_name().to_lowercase();
        // Formats that cannot be told apart are an error when references are opened.
        let is_set =
            ReferenceFormats::linked().is_ok_and(|formats| formats.of_name(&name).is_some());
        if is_set { Self::references(location) } else { Self::file(location) }
    }

    /// A dataset that names objects of memory only, or whose values need not be read.
    #[must_use]
    pub fn dataset(name: impl Into<String>, dataset: Dataset) -> Self {
        Self::dataset_within(name, Arc::new(dataset), AccessPolicy::in_memory())
    }

    /// A dataset whose objects are read as a policy allows.
    #[must_use]
    pub fn dataset_within(
        name: impl Into<String>,
        dataset: Arc<Dataset>,
        policy: AccessPolicy,
    ) -> Self {
        let what = What::Dataset(dataset, Objects::Within(policy));
        Self { name: name.into(), what, required: false }
    }

    /// A dataset whose objects the caller opens.
    #[must_use]
    pub fn dataset_by(
        name: impl Into<String>,
        dataset: Arc<Dataset>,
        objects: Arc<dyn Open>,
    ) -> Self {
        Self {
            name: name.into(),
            what: What::Dataset(dataset, Objects::By(objects)),
            required: false,
        }
    }

    /// The same with another name in messages.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same at a branch, tag or snapshot, of references that have versions.
    #[must_use]
    pub fn with_version(mut self, at: Option<String>) -> Self {
        if let What::References { version, .. } = &mut self.what {
            *version = at;
        }
        self
    }

    /// The same as one without which there is no result: it is not left out when it cannot be read, whatever the options
    /// say of others.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, unless it is in memory.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.what.location()
    }
}

impl What {
    fn location(&self) -> Option<&Location> {
        match self {
            Self::File(location) | Self::References { location, .. } => Some(location),
            Self::Dataset(..) => None,
        }
    }
}

/// What is known of an input.
pub(super) struct Known {
    pub(super) dataset: Dataset,
    pub(super) values: Gathered,
    pub(super) skipped: Vec<Skipped>,
    /// What references say was left out when they were made.
    pub(super) before: BTreeMap<String, u64>,
    /// Inputs that could not be read when references were made.
    pub(super) left_out: Vec<String>,
    pub(super) cost: Cost,
    /// How the objects that the dataset names are opened.
    pub(super) objects: Arc<dyn Open>,
}

/// Reads inputs.
#[derive(Debug)]
pub(super) struct Reader {
    session: Session,
    gatherer: Gatherer,
}

impl Reader {
    pub(super) fn new(session: &Session, gatherer: Gatherer) -> Self {
        Self { session: session.clone(), gatherer }
    }

    pub(super) fn gatherer(&self) -> &Gatherer {
        &self.gatherer
    }

    pub(super) async fn read(&self, input: Input) -> Result<Known, InputError> {
        match input.what {
            What::File(location) => self.file(&location).await,
            What::References { location, version } => {
                self.references(&location, version.as_deref()).await
            }
            What::Dataset(dataset, objects) => {
                let dataset = Arc::unwrap_or_clone(dataset);
                match objects {
                    Objects::Within(policy) => {
                        let policy = self.session.stores.policy_with_allowed(policy);
                        self.known(dataset, Arc::new(self.within(policy)), BTreeMap::new()).await
                    }
                    Objects::By(objects) => self.known(dataset, objects, BTreeMap::new()).await,
                }
            }
        }
    }

    async fn references(
        &self,
        location: &Location,
        version: Option<&str>,
    ) -> Result<Known, InputError> {
        let stores = &self.session.stores;
        let references = References::open_version(stores, location, version).await?;
        let policy = references.policy(stores)?;
        let recorded = references.recorded();
        let before = recorded.map(|recorded| recorded.provenance.skipped.clone());
        let left_out = recorded.map(|recorded| recorded.provenance.left_out.clone());
        let dataset = references.into_dataset().await?;
        let known = self.known(dataset, Arc::new(self.within(policy)), before.unwrap_or_default());
        Ok(Known { left_out: left_out.unwrap_or_default(), ..known.await? })
    }

    fn within(&self, policy: AccessPolicy) -> StoreObjects {
        StoreObjects::new(self.session.stores.clone(), policy)
    }

    async fn known(
        &self,
        dataset: Dataset,
        objects: Arc<dyn Open>,
        before: BTreeMap<String, u64>,
    ) -> Result<Known, InputError> {
        let dataset = self.narrowed(dataset)?;
        let values = self.gatherer.gather(&dataset, &*objects).await?;
        let (skipped, left_out, cost) = (Vec::new(), Vec::new(), Cost::default());
        Ok(Known { dataset, values, skipped, before, left_out, cost, objects })
    }

    /// The group that is asked for, where it is, with the coordinates that it has from the groups around it, and nothing
    /// else of the dataset.
    fn narrowed(&self, mut dataset: Dataset) -> Result<Dataset, InputError> {
        let Some(path) = self.gatherer.group() else { return Ok(dataset) };
        if dataset.group(path).is_none() {
            let mut groups = Vec::new();
            dataset.visit_groups(&mut |path, group| {
                if !group.arrays.is_empty() && groups.len() < 10 {
                    groups.push(if path.is_empty() { "/" } else { path }.to_owned());
                }
            });
            let known = groups.join(", ");
            return Err(InputError::NoGroup { group: path.to_owned(), known });
        }
        let mut outer = &mut dataset.root;
        let mut around = BTreeMap::new();
        for name in path.split('/') {
            around.extend(std::mem::take(&mut outer.arrays));
            outer.groups.retain(|own, _| own == name);
            let Some(inner) = outer.groups.get_mut(name) else { break };
            outer = inner;
        }
        inherit(dataset.group_mut(path), &around);
        Ok(dataset)
    }

    /// A file stays open between its scan and the reading of values.
    async fn file(&self, location: &Location) -> Result<Known, InputError> {
        let Session { stores, registry, scan_options, .. } = &self.session;
        let opening = OpenOptions::default().with_allowed_outside(&scan_options.allow_outside);
        let opened = stores.open(location, &opening).await;
        let opened = opened.map_err(|error| ScanError::from_source(error, None))?;
        let options = crate::options_within(stores, scan_options);
        let scan = crate::scan_with(registry, &opened.source, &options).await?;
        let cost = opened.cost();
        let policy = stores.policy_of_file(location, &scan_options.allow_outside);
        let objects = self.within(policy.clone()).with_opened(Arc::from(opened.source));
        let (dataset, skipped) = (self.narrowed(scan.dataset)?, scan.skipped);
        let values = self.gatherer.gather(&dataset, &objects).await?;
        // What is read later opens the file again, so that not all files are open at one time.
        let objects = Arc::new(self.within(policy));
        let (before, left_out) = (BTreeMap::new(), Vec::new());
        Ok(Known { dataset, values, skipped, before, left_out, cost, objects })
    }
}

/// Gives a group the coordinates of its dimensions, and their bounds, that are in a group around it.
fn inherit(group: &mut Group, around: &BTreeMap<String, Array>) {
    let mut used = BTreeSet::new();
    dimensions(group, &mut used);
    for name in used {
        let Some(array) = around.get(&name).filter(|array| array.dimensions == [name.as_str()])
        else {
            continue;
        };
        if group.arrays.contains_key(&name) {
            continue;
        }
        for attribute in ["bounds", "climatology"] {
            if let Some(AttributeValue::Text(bounds)) = array.attributes.get(attribute)
                && let Some(own) = around.get(bounds)
            {
                group.arrays.entry(bounds.clone()).or_insert_with(|| own.clone());
            }
        }
        group.arrays.insert(name, array.clone());
    }
}

/// The dimensions of all arrays of a group and below it.
fn dimensions(group: &Group, used: &mut BTreeSet<String>) {
    used.extend(group.arrays.values().flat_map(|array| array.dimensions.iter().cloned()));
    for inner in group.groups.values() {
        dimensions(inner, used);
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::{Attributes, ByteOrder, ChunkGrid, DataType, Manifest};

    use super::*;

    fn array(dimensions: &[&str]) -> Array {
        Array {
            shape: vec![2; dimensions.len()],
            dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
            dtype: DataType::Float { length: 8, order: ByteOrder::Little },
            fill_value: None,
            chunk_grid: ChunkGrid::regular(vec![2; dimensions.len()]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: Manifest::empty(vec![1; dimensions.len()]),
        }
    }

    #[test]
    fn a_group_keeps_the_coordinates_that_it_has_from_around_it() {
        let mut time = array(&["time"]);
        time.attributes.insert("bounds", "time_bnds");
        let around = [
            ("time", time),
            ("time_bnds", array(&["time", "two"])),
            ("x", array(&["x"])),
            ("y", array(&["y"])),
            ("flag", array(&["time"])),
        ];
        let around = around.map(|(name, array)| (name.to_owned(), array)).into();
        let mut group = Group::default();
        group.arrays.insert("v".to_owned(), array(&["time", "x"]));
        group.arrays.insert("x".to_owned(), array(&["time", "x"]));
        inherit(&mut group, &around);
        let names: Vec<_> = group.arrays.keys().map(String::as_str).collect();
        assert_eq!(names, ["time", "time_bnds", "v", "x"]);
        assert_eq!(group.arrays["x"].dimensions, ["time", "x"]);
    }
}
