// SPDX-License-Identifier: MIT OR Apache-2.0
//! `.zmetadata`: all documents, the size of partitions and where the references come from.

use chunkref_core::EmitOptions;
use chunkref_model::Dataset;
use chunkref_model::kerchunk_json::{self, Recorded};
use serde_json::Value;

use crate::ParquetError;

/// The text of `.zmetadata`. Members that other readers do not know are passed over by them.
pub(crate) fn compose(
    dataset: &Dataset,
    record_size: u64,
    options: &EmitOptions,
) -> Result<String, ParquetError> {
    let documents = kerchunk_json::documents(dataset)?;
    let mut text = String::from("{");
    if let Some(provenance) = &options.provenance {
        text.push_str(&provenance.member(dataset));
        text.push(',');
    }
    text.push_str("\"metadata\":{");
    for (number, (key, document)) in documents.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        text.push_str(document);
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
pub(crate) fn parse(text: &[u8]) -> Result<Metadata, ParquetError> {
    // Not as `serde_json` values throughout: documents of NaN are none of JSON, and the model reads them.
    let text = std::str::from_utf8(text).map_err(|error| bad(format!("{error}")))?;
    let record_size = record_size(text)?;
    let head = format!("{{\"version\":1,\"refs\":{{\"{}\":", crate::METADATA);
    let wrapped = format!("{head}{text}}}}}");
    let mut dataset = kerchunk_json::read(wrapped.as_bytes())?;
    let recorded = kerchunk_json::read_provenance(text.as_bytes());
    for source in recorded.as_ref().map(Recorded::sources).unwrap_or_default() {
        dataset.add_source(source.clone());
    }
    Ok(Metadata { dataset, record_size, recorded })
}

fn record_size(text: &str) -> Result<u64, ParquetError> {
    let place = text.rfind("\"record_size\"").ok_or_else(|| {
        bad("it has no \"record_size\"; is it the consolidated metadata of a Zarr store?"
            .to_owned())
    })?;
    let rest = text.get(place..).unwrap_or_default();
    let rest = rest.trim_start_matches("\"record_size\"").trim_start();
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse() {
        Ok(0) | Err(_) => Err(bad("its \"record_size\" is no count of references".to_owned())),
        Ok(size) => Ok(size),
    }
}

fn bad(reason: String) -> ParquetError {
    ParquetError::Metadata { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_must_be_of_a_reference_set() {
        for (text, reason) in [
            ("{\"metadata\":{}}", "no \"record_size\""),
            ("{\"metadata\":{},\"record_size\":0}", "no count"),
            ("{\"metadata\":{},\"record_size\":\"x\"}", "no count"),
            ("{\"record_size\":5}", "make no dataset"),
            ("{\"record_size\":5", "make no dataset"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(parse(&[0xff]).is_err());
    }

    #[test]
    fn spaces_and_not_a_number_are_read() {
        let text = r#"{"metadata": {".zgroup": {"zarr_format": 2}, ".zattrs": {"x": NaN}}, "record_size": 7}"#;
        let metadata = parse(text.as_bytes()).unwrap();
        assert_eq!(metadata.record_size, 7);
        assert_eq!(metadata.dataset.root.attributes.len(), 1);
    }
}
