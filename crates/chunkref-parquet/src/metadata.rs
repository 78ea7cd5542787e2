// SPDX-License-Identifier: MIT OR Apache-2.0
//! `.zmetadata`: all documents, the size of partitions and where the references come from.

use chunkref_core::{EmitOptions, Limits};
use chunkref_model::json::reader::JsonReader;
use chunkref_model::provenance::{self, Recorded};
use chunkref_model::zarr::v2::{self, Documents, Hierarchy};
use chunkref_model::{AttributeValue, Dataset};
use serde_json::Value;

use crate::ParquetError;

/// The text of `.zmetadata`. Members that other readers do not know are passed over by them.
pub(crate) fn compose(
    dataset: &Dataset,
    record_size: u64,
    options: &EmitOptions,
) -> Result<String, ParquetError> {
    let documents = v2::documents(&dataset.root, dataset.sources().len())?;
    let mut text = String::from("{");
    if let Some(provenance) = &options.provenance {
        text.push_str(&provenance.member(dataset));
        text.push(',');
    }
    text.push_str("\"metadata\":{");
    for (number, document) in documents.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(document.key.as_str()).to_string());
        text.push(':');
        text.push_str(&document.text);
    }
    text.push_str("},\"record_size\":");
    text.push_str(&record_size.to_string());
    text.push('}');
    Ok(text)
}

/// What `.zmetadata` says.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Groups and arrays, whose manifests are empty.
    pub(crate) dataset: Dataset,
    pub(crate) record_size: u64,
    pub(crate) recorded: Option<Recorded>,
}

/// Reads the text of `.zmetadata`.
pub(crate) fn parse(text: &[u8], limits: &Limits) -> Result<Metadata, ParquetError> {
    let mut json = JsonReader::new(text, limits.of_json());
    let (mut documents, mut record_size, mut recorded) = (None, None, None);
    json.begin_object()?;
    let (mut first, mut key) = (true, String::new());
    while json.next_key(&mut first, &mut key)? {
        match key.as_str() {
            "metadata" => {
                let documents = documents.get_or_insert_with(Documents::default);
                json.begin_object()?;
                let mut first = true;
                while json.next_key(&mut first, &mut key)? {
                    documents.add(&key, json.value()?)?;
                }
            }
            "record_size" => record_size = unsigned(&json.value()?),
            provenance::MEMBER => recorded = provenance::recorded(&json.value()?),
            _ => json.skip()?,
        }
    }
    json.finish()?;
    let documents = documents.ok_or_else(|| bad("it has no member \"metadata\""))?;
    let record_size = record_size.ok_or_else(|| {
        bad("it has no \"record_size\" that is a count of references; is it the consolidated metadata of a Zarr store?")
    })?;
    if record_size == 0 {
        return Err(bad("its \"record_size\" is no count of references"));
    }
    let mut dataset = Dataset::new();
    for source in recorded.as_ref().map(Recorded::sources).unwrap_or_default() {
        dataset.add_source(source.clone());
    }
    let dataset = Hierarchy::new(documents, limits.objects)?.finish(dataset)?;
    Ok(Metadata { dataset, record_size, recorded })
}

fn unsigned(value: &AttributeValue) -> Option<u64> {
    match value {
        AttributeValue::Int(number) => u64::try_from(*number).ok(),
        AttributeValue::UInt(number) => Some(*number),
        _ => None,
    }
}

fn bad(reason: &str) -> ParquetError {
    ParquetError::Metadata { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_must_be_of_a_reference_set() {
        for (text, reason) in [
            ("{\"metadata\":{}}", "no \"record_size\""),
            ("{\"metadata\":{},\"record_size\":0}", "no count"),
            ("{\"metadata\":{},\"record_size\":\"x\"}", "no \"record_size\""),
            ("{\"record_size\":5}", "no member"),
            ("{\"record_size\":5", "not JSON"),
        ] {
            let error = parse(text.as_bytes(), &Limits::default()).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(parse(&[0xff], &Limits::default()).is_err());
    }

    #[test]
    fn spaces_and_not_a_number_are_read() {
        let text = r#"{"metadata": {".zgroup": {"zarr_format": 2}, ".zattrs": {"x": NaN}}, "record_size": 7}"#;
        let metadata = parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(metadata.record_size, 7);
        assert_eq!(metadata.dataset.root.attributes.len(), 1);
    }
}
