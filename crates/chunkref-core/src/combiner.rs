// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combining many datasets into one.

use std::fmt;
use std::str::FromStr;

use chunkref_model::{DataType, Dataset};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::resolution::Spelling;
use crate::{Conflict, Resolution};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Types by their names in Zarr version 2.
mod dtype {
    use chunkref_model::DataType;
    use chunkref_model::zarr::v2;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde gives the field")]
    pub(super) fn serialize<S: Serializer>(
        dtype: &Option<DataType>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let name = dtype.as_ref().map(v2::data_type_name).transpose();
        name.map_err(S::Error::custom)?.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DataType>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.as_deref().map(v2::data_type).transpose().map_err(D::Error::custom)
    }
}

/// Where the coordinates of a dimension come from, whatever an input has as coordinates of that name. An input that is made
/// of several objects may have been combined before; it has them already, and those count, except for
/// [`CoordinateSource::Index`] and [`CoordinateSource::Values`], which number all inputs anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CoordinateSource {
    /// The values of an array: a path, or a name that only one group has.
    Data(String),
    /// The CF times of an array (as for [`CoordinateSource::Data`]) as whole numbers since 1970-01-01 of their calendar: of
    /// seconds, or of milliseconds or microseconds where seconds would not be exact. Its other attributes and its bounds
    /// stay, and the bounds are counted alike.
    Cf(String),
    /// An attribute of the root group.
    Attribute(String),
    /// An attribute of an array.
    VariableAttribute {
        /// The array.
        variable: String,
        /// The attribute.
        name: String,
    },
    /// The place in the order of the inputs, from 0.
    Index,
    /// A regular expression that is looked for in the location of an input: its first group, or all that it matches.
    Pattern(String),
    /// These values, one for each place along the dimension, or one that all inputs have.
    Values(Vec<String>),
}

/// A dimension along which inputs follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ConcatDimension {
    /// Its name.
    pub name: String,
    /// Where its coordinates come from.
    pub coordinates: CoordinateSource,
    /// The type of coordinates that do not come from an array; `None` for 64-bit integers, floats or text as they need.
    /// Texts are dates where it is a type of dates.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "dtype")]
    pub dtype: Option<DataType>,
}

impl ConcatDimension {
    /// The dimension `name` with coordinates from the array of that name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { coordinates: CoordinateSource::Data(name.clone()), dtype: None, name }
    }

    /// The same dimension with other coordinates.
    #[must_use]
    pub fn with_coordinates(mut self, coordinates: CoordinateSource) -> Self {
        self.coordinates = coordinates;
        self
    }

    /// The same dimension with the coordinate that `value` gives for each of the inputs, of one place each, that will be
    /// combined in this order.
    #[must_use]
    pub fn with_values_of<'a>(
        self,
        inputs: impl IntoIterator<Item = &'a Dataset>,
        value: impl FnMut(&'a Dataset) -> String,
    ) -> Self {
        let values = inputs.into_iter().map(value).collect();
        self.with_coordinates(CoordinateSource::Values(values))
    }

    /// The same dimension with coordinates of this type.
    #[must_use]
    pub fn with_dtype(mut self, dtype: DataType) -> Self {
        self.dtype = Some(dtype);
        self
    }
}

/// A text that is not `DIMENSION` or `DIMENSION=SOURCE`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DimensionError {
    /// No name of a dimension.
    #[error("write it as DIMENSION or DIMENSION=SOURCE")]
    NoName,
    /// No source of coordinates.
    #[error(
        "{0:?} is no source of coordinates: write data:VARIABLE, cf:VARIABLE, attr:NAME, vattr:VARIABLE:NAME, regex:PATTERN, list:A,B,… or INDEX"
    )]
    NoSource(String),
}

impl FromStr for ConcatDimension {
    type Err = DimensionError;

    /// `DIMENSION`, or `DIMENSION=SOURCE` where the source is `data:VARIABLE`, `cf:VARIABLE`, `attr:NAME`,
    /// `vattr:VARIABLE:NAME`, `regex:PATTERN`, `list:A,B,…` or `INDEX`.
    ///
    /// ```
    /// use chunkref_core::{ConcatDimension, CoordinateSource};
    ///
    /// let dimension: ConcatDimension = "time=cf:t".parse()?;
    /// assert_eq!(dimension.coordinates, CoordinateSource::Cf("t".to_owned()));
    /// # Ok::<_, chunkref_core::combiner::DimensionError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, DimensionError> {
        let (name, source) = match text.split_once('=') {
            Some((name, source)) => (name, Some(source)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(DimensionError::NoName);
        }
        let dimension = Self::new(name);
        let Some(source) = source else { return Ok(dimension) };
        if source == "INDEX" {
            return Ok(dimension.with_coordinates(CoordinateSource::Index));
        }
        let (kind, rest) = source.split_once(':').unwrap_or((source, ""));
        let coordinates = match kind {
            _ if rest.is_empty() => None,
            "data" => Some(CoordinateSource::Data(rest.to_owned())),
            "cf" => Some(CoordinateSource::Cf(rest.to_owned())),
            "attr" => Some(CoordinateSource::Attribute(rest.to_owned())),
            "vattr" => {
                rest.split_once(':').map(|(variable, name)| CoordinateSource::VariableAttribute {
                    variable: variable.to_owned(),
                    name: name.to_owned(),
                })
            }
            "regex" => Some(CoordinateSource::Pattern(rest.to_owned())),
            "list" => Some(CoordinateSource::Values(rest.split(',').map(str::to_owned).collect())),
            _ => None,
        };
        coordinates
            .map(|coordinates| dimension.with_coordinates(coordinates))
            .ok_or_else(|| DimensionError::NoSource(source.to_owned()))
    }
}

/// What is done with inputs that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnConflict {
    /// Nothing is combined.
    #[default]
    Error,
    /// Inputs that differ from the first one are left out.
    SkipFile,
    /// The variable is left out.
    SkipVariable,
    /// Inputs that differ from the first one are left out, and variables where that resolves nothing.
    Skip,
    /// Attributes that say what the values are and change none of them (`standard_name`) are taken of the first input for
    /// all. Others remain errors: units, calendars, packing, fill values, flags and grid mappings of one input are never
    /// taken for another's.
    First,
}

/// What is done with inputs at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Duplicates {
    /// Nothing is combined.
    #[default]
    Error,
    /// Each place is the first input's that has it.
    First,
    /// Each place is the last input's that has it.
    Last,
}

/// What is done where an input lacks a variable, or a combination of coordinates has no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Missing {
    /// Nothing is combined.
    #[default]
    Error,
    /// Those chunks are missing and read as the variable's fill value, which is NaN for floating-point numbers without one; any
    /// other variable without one remains an error.
    Fill,
}

/// What is done with inputs that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OnFailure {
    /// Nothing is combined.
    #[default]
    Error,
    /// They are left out and named, unless all of them fail.
    Skip,
}

/// How to combine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CombineOptions {
    /// Dimensions along which the inputs follow one another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub concat_dimensions: Vec<ConcatDimension>,
    /// The group of each input that is combined, by path, with the groups in it; `None` for all. It stays where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Names or paths of variables of which the first input's are kept, unchecked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identical: Vec<String>,
    /// Whether variables without the dimension are stacked along it even where they are equal in all inputs.
    #[serde(skip_serializing_if = "is_default")]
    pub stack_all: bool,
    /// Names or paths of variables for which that is so in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<String>,
    /// Whether inputs with the same coordinates, or all inputs when there is no dimension, are put together first: each
    /// gives variables that others lack, and those that several have must be equal.
    #[serde(skip_serializing_if = "is_default")]
    pub merge: bool,
    /// What is done with inputs that contradict each other.
    #[serde(skip_serializing_if = "is_default")]
    pub on_conflict: OnConflict,
    /// What is done with inputs that cannot be read.
    #[serde(skip_serializing_if = "is_default")]
    pub on_failure: OnFailure,
    /// What is done with inputs at one place.
    #[serde(skip_serializing_if = "is_default")]
    pub duplicates: Duplicates,
    /// What is done where there is nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub missing: Missing,
    /// Whether inputs are put in the order of their coordinates first.
    #[serde(skip_serializing_if = "is_default")]
    pub sort: bool,
    /// What messages call the inputs, in their order; one without a name is called by where its chunks lie. Not recorded.
    #[serde(skip)]
    pub names: Vec<String>,
}

impl CombineOptions {
    /// The same options with these dimensions to concatenate along, with coordinates from the arrays of their names.
    #[must_use]
    pub fn with_concat_dimensions(
        self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        names
            .into_iter()
            .map(ConcatDimension::new)
            .fold(Self { concat_dimensions: Vec::new(), ..self }, Self::with_concat)
    }

    /// The same options with one more dimension to concatenate along. A path in the place of its name (`group/time`) chooses
    /// its group too, unless another one is chosen.
    #[must_use]
    pub fn with_concat(mut self, mut dimension: ConcatDimension) -> Self {
        let path = dimension.name.clone();
        if let Some((group, name)) = path.rsplit_once('/')
            && !name.is_empty()
        {
            let group = group.trim_matches('/');
            if self.group.as_deref().is_none_or(|known| known == group) {
                self.group = Some(group.to_owned()).filter(|group| !group.is_empty());
                name.clone_into(&mut dimension.name);
            }
        }
        self.concat_dimensions.push(dimension);
        self
    }

    /// The same options for one group of each input.
    #[must_use]
    pub fn with_group(mut self, group: Option<String>) -> Self {
        self.group = group.map(|group| group.trim_matches('/').to_owned());
        self
    }

    /// The same options with these variables kept as the first input has them.
    #[must_use]
    pub fn with_identical(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.identical = names.into_iter().map(Into::into).collect();
        self
    }

    /// The same options with or without stacking of all variables.
    #[must_use]
    pub fn with_stack_all(mut self, stack_all: bool) -> Self {
        self.stack_all = stack_all;
        self
    }

    /// The same options with these variables stacked along the dimensions.
    #[must_use]
    pub fn with_stack(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stack = names.into_iter().map(Into::into).collect();
        self
    }

    /// The same options with or without merging of inputs that give different variables.
    #[must_use]
    pub fn with_merge(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// The same options with another answer to conflicts.
    #[must_use]
    pub fn with_on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// The same options with another answer to inputs that cannot be read.
    #[must_use]
    pub fn with_on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// The same options with another answer to duplicates.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// The same options with another answer to gaps.
    #[must_use]
    pub fn with_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// The same options with other names of the inputs in messages.
    #[must_use]
    pub fn with_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The same options with or without sorting.
    #[must_use]
    pub fn with_sort(mut self, sort: bool) -> Self {
        self.sort = sort;
        self
    }
}

/// What kind of fault kept datasets from being combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombineErrorKind {
    /// There is nothing to combine.
    NoInput,
    /// Inputs contradict each other: type, codecs, chunks, attributes that change meaning.
    Mismatch,
    /// The result cannot be said in Zarr's terms.
    Unsupported,
    /// An option has no such value.
    InvalidOption,
}

/// Datasets could not be combined.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CombineError {
    /// What kind of fault.
    pub kind: CombineErrorKind,
    /// What is wrong, where it is no conflict between inputs.
    pub message: String,
    /// What helps; each of them does.
    pub resolutions: Vec<Resolution>,
    /// Everything that stands in the way, for errors of kind [`CombineErrorKind::Mismatch`].
    pub conflicts: Vec<Conflict>,
    /// What the inputs are called that the conflicts name by their positions.
    pub inputs: Vec<String>,
}

impl CombineError {
    /// An error that is no conflict between inputs.
    #[must_use]
    pub fn new(kind: CombineErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            resolutions: Vec::new(),
            conflicts: Vec::new(),
            inputs: Vec::new(),
        }
    }

    /// The error of inputs with these names that contradict each other.
    #[must_use]
    pub fn from_conflicts(inputs: Vec<String>, conflicts: Vec<Conflict>) -> Self {
        Self { conflicts, inputs, ..Self::new(CombineErrorKind::Mismatch, "") }
    }

    /// The same error with what helps against it.
    #[must_use]
    pub fn with_resolution(mut self, resolution: Resolution) -> Self {
        self.resolutions.push(resolution);
        self
    }

    /// The error in words, with a front-end's own options in its advice.
    #[must_use]
    pub fn in_words(&self, spelling: Spelling<'_>) -> String {
        let mut words = format!("the inputs cannot be combined: {}", self.message);
        if !self.conflicts.is_empty() {
            words.push_str(&Conflict::all_in_words(&self.conflicts, &self.inputs, spelling));
        }
        if !self.resolutions.is_empty() {
            words.push_str(": ");
            words.push_str(&Resolution::all_in_words(&self.resolutions, spelling));
        }
        words
    }
}

impl fmt::Display for CombineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.in_words(&Resolution::unspelled))
    }
}

impl std::error::Error for CombineError {}

/// Many datasets in, one out.
///
/// # Contract
/// - No I/O: everything needed is in the inputs.
/// - Deterministic: the same inputs in the same order give the same result.
/// - The order and grouping of the inputs do not change the result beyond what the options ask for.
/// - Inputs are checked before anything is made: a mismatch is an error that names all inputs at fault.
/// - Chunks move only by renumbering, or are cut into ranges of their bytes where they are stored without codecs; the
///   bytes that a reference names are never changed. Values that are in the references as they are, without codecs, may be put together into other chunks, and times among them be counted
///   from another epoch.
/// - One input is combined as many are, and what is combined combines to itself. None is an error of kind
///   [`CombineErrorKind::NoInput`].
pub trait Combiner: Send + Sync {
    /// Combines `inputs`.
    ///
    /// # Errors
    /// [`CombineError`] when they do not fit together.
    fn combine(
        &self,
        inputs: &[Dataset],
        options: &CombineOptions,
    ) -> Result<Dataset, CombineError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_coordinates() {
        let source =
            |text: &str| text.parse().map(|dimension: ConcatDimension| dimension.coordinates);
        assert_eq!(source("t"), Ok(CoordinateSource::Data("t".to_owned())));
        assert_eq!(source("t=data:g/time"), Ok(CoordinateSource::Data("g/time".to_owned())));
        assert_eq!(source("t=cf:time"), Ok(CoordinateSource::Cf("time".to_owned())));
        assert_eq!(source("t=attr:hour"), Ok(CoordinateSource::Attribute("hour".to_owned())));
        let variable = CoordinateSource::VariableAttribute {
            variable: "SST".to_owned(),
            name: "hour".to_owned(),
        };
        assert_eq!(source("t=vattr:SST:hour"), Ok(variable));
        assert_eq!(source("t=INDEX"), Ok(CoordinateSource::Index));
        assert_eq!(
            source("t=regex:s(\\d+)=:"),
            Ok(CoordinateSource::Pattern("s(\\d+)=:".to_owned()))
        );
        let list = CoordinateSource::Values(vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(source("t=list:1,2"), Ok(list));
        let options = CombineOptions::default().with_concat(ConcatDimension::new("/beam/land/t"));
        assert_eq!(options.group.as_deref(), Some("beam/land"));
        assert_eq!(options.concat_dimensions[0].name, "t");
        assert_eq!(source("/beam/land/t"), Ok(CoordinateSource::Data("/beam/land/t".to_owned())));
        for wrong in ["=x", "t=", "t=x", "t=data:", "t=vattr:SST", "t=VARNAME"] {
            assert!(source(wrong).is_err(), "{wrong}");
        }
    }
}
