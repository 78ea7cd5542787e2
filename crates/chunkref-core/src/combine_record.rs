// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a cube was combined, kept with it, so that more inputs can be combined in the same way.

use crate::{CombineOptions, record};

/// What stands before the record, where words of other commands may stand. A reader that does not know its version, or an
/// option, must not combine by what it does know.
const WORD: &str = "combine";

impl CombineOptions {
    /// The options as text that [`CombineOptions::of_record`] reads: a word and a JSON object.
    ///
    /// ```
    /// use chunkref_core::CombineOptions;
    ///
    /// let options = CombineOptions::default().with_concat_dimensions(["time"]).with_sort(true);
    /// let record = options.to_record();
    /// assert_eq!(
    ///     record,
    ///     r#"combine {"version":1,"options":{"concat-dimensions":[{"name":"time","coordinates":{"data":"time"}}],"sort":true}}"#
    /// );
    /// assert_eq!(CombineOptions::of_record(&record), Some(options));
    /// ```
    #[must_use]
    pub fn to_record(&self) -> String {
        // A type that Zarr has no name for cannot be asked for either; without the record, nothing can be appended.
        record::write(WORD, self)
    }

    /// The options of a record; `None` when the text is none, or one of a later release that says more than is known here.
    #[must_use]
    pub fn of_record(text: &str) -> Option<Self> {
        record::read(WORD, text)
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::{ByteOrder, DataType};

    use super::*;
    use crate::{ConcatDimension, CoordinateSource, Duplicates, Missing, OnConflict, OnFailure};

    #[test]
    fn every_option_is_kept() {
        let sources = [
            CoordinateSource::Data("g/t".to_owned()),
            CoordinateSource::Cf("t".to_owned()),
            CoordinateSource::Attribute("a \"b\"".to_owned()),
            CoordinateSource::VariableAttribute { variable: "v".to_owned(), name: "n".to_owned() },
            CoordinateSource::Index,
            CoordinateSource::Pattern(r"_(\d+)\.nc".to_owned()),
            CoordinateSource::Values(vec!["1".to_owned(), "2,5".to_owned()]),
        ];
        let options = CombineOptions::default()
            .with_identical(["x", "y"])
            .with_group(Some("beam/land".to_owned()))
            .with_stack(["z"])
            .with_stack_all(true)
            .with_merge(true)
            .with_sort(true)
            .with_on_conflict(OnConflict::SkipVariable)
            .with_on_failure(OnFailure::Skip)
            .with_duplicates(Duplicates::Last)
            .with_missing(Missing::Fill);
        let options = sources.into_iter().fold(options, |options, source| {
            let dtype = DataType::Int { length: 4, order: ByteOrder::Little };
            options
                .with_concat(ConcatDimension::new("t").with_coordinates(source).with_dtype(dtype))
        });
        for options in [options, CombineOptions::default()] {
            assert_eq!(CombineOptions::of_record(&options.to_record()), Some(options));
        }
        for text in [
            "",
            "combine ",
            "combine [\"--concat=t\"]",
            "{\"version\":1,\"options\":{}}",
            "combine {\"version\":2,\"options\":{}}",
            "combine {\"version\":1,\"options\":{\"more\":true}}",
            "format=auto inline-threshold=500",
        ] {
            assert_eq!(CombineOptions::of_record(text), None, "{text}");
        }
    }
}
