// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs that the user names for filters, in the option `hdf5.codec`.
//!
//! Either `ID=JSON`, several of them with `;` or `,` between, or one JSON object from identifiers to JSON. The JSON is a
//! numcodecs configuration, or a list of them in the order in which they are applied when writing. In it, `"$0"`, `"$1"` …
//! stand for the filter's client data.

use std::collections::BTreeMap;

use chunkref_core::model::Codec;
use serde_json::{Deserializer, Map, Value};

use crate::message::Filter;

/// Codecs by filter identifier.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CodecTable {
    codecs: BTreeMap<u16, Vec<Map<String, Value>>>,
}

impl CodecTable {
    /// Parses the option's value; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut table = Self::default();
        let mut rest = text.trim();
        if rest.starts_with('{') {
            let all: Map<String, Value> =
                serde_json::from_str(rest).map_err(|error| error.to_string())?;
            for (id, value) in all {
                table.insert(&id, value)?;
            }
            return Ok(table);
        }
        while !rest.is_empty() {
            let (id, json) = rest
                .split_once('=')
                .ok_or_else(|| format!("{rest:?} is not of the form ID=JSON"))?;
            let mut values = Deserializer::from_str(json).into_iter::<Value>();
            let value = values
                .next()
                .ok_or_else(|| format!("there is no JSON behind {id}="))?
                .map_err(|error| format!("behind {id}=: {error}"))?;
            table.insert(id, value)?;
            rest = json.get(values.byte_offset()..).unwrap_or_default().trim_start();
            rest = match rest.strip_prefix([';', ',']) {
                Some(next) => next.trim_start(),
                None if rest.is_empty() => rest,
                None => return Err(format!("{rest:?} behind the codec of filter {id}")),
            };
        }
        Ok(table)
    }

    fn insert(&mut self, id: &str, value: Value) -> Result<(), String> {
        let id: u16 =
            id.trim().parse().map_err(|_| format!("{id:?} is not the identifier of a filter"))?;
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        let mut codecs = Vec::new();
        for value in values {
            match value {
                Value::Object(codec) if codec.get("id").is_some_and(Value::is_string) => {
                    codecs.push(codec);
                }
                other => return Err(format!("{other} is not a codec: it has no \"id\"")),
            }
        }
        match self.codecs.insert(id, codecs) {
            Some(_) => Err(format!("filter {id} is there twice")),
            None => Ok(()),
        }
    }

    /// The codecs for a filter; `None` when the table has nothing to say of it.
    pub(crate) fn codecs(&self, filter: &Filter) -> Option<Result<Vec<Codec>, String>> {
        let codecs = self.codecs.get(&filter.id)?;
        Some(codecs.iter().map(|codec| fill_in(codec, filter)).collect())
    }
}

fn fill_in(configuration: &Map<String, Value>, filter: &Filter) -> Result<Codec, String> {
    let id = configuration.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut codec = Codec::new(id);
    for (key, value) in configuration.iter().filter(|(key, _)| *key != "id") {
        codec = codec.with(key, substitute(value, filter)?);
    }
    Ok(codec)
}

fn substitute(value: &Value, filter: &Filter) -> Result<Value, String> {
    match value {
        Value::String(text) => {
            match text.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
                None => Ok(value.clone()),
                Some(number) => {
                    filter.values.get(number).map(|&value| Value::from(value)).ok_or_else(|| {
                        format!(
                            "the codec of filter {} wants {text}, and the file gives it {} values",
                            filter.id,
                            filter.values.len()
                        )
                    })
                }
            }
        }
        Value::Array(values) => {
            values.iter().map(|value| substitute(value, filter)).collect::<Result<Value, _>>()
        }
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| Ok((key.clone(), substitute(value, filter)?)))
            .collect::<Result<Map<_, _>, String>>()
            .map(Value::Object),
        plain => Ok(plain.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(id: u16, values: &[u32]) -> Filter {
        Filter { id, name: String::new(), values: values.to_vec() }
    }

    #[test]
    fn both_forms_say_the_same() {
        let list = CodecTable::parse(
            r#" 511={"id":"mine","level":"$1","more":["$0","a,b;"]} ; 300=[{"id":"x"},{"id":"y"}], 7=[] "#,
        )
        .unwrap();
        let object = CodecTable::parse(
            r#"{"511":{"id":"mine","level":"$1","more":["$0","a,b;"]},"300":[{"id":"x"},{"id":"y"}],"7":[]}"#,
        )
        .unwrap();
        assert_eq!(list, object);
        let mine = list.codecs(&filter(511, &[4, 9])).unwrap().unwrap();
        let more = Value::from(vec![Value::from(4), Value::from("a,b;")]);
        assert_eq!(mine, [Codec::new("mine").with("level", 9).with("more", more)]);
        let two = list.codecs(&filter(300, &[])).unwrap().unwrap();
        assert_eq!(two, [Codec::new("x"), Codec::new("y")]);
        assert_eq!(list.codecs(&filter(7, &[])).unwrap().unwrap(), []);
        assert!(list.codecs(&filter(8, &[])).is_none());
    }

    #[test]
    fn a_value_that_the_file_does_not_have_is_an_error() {
        let table = CodecTable::parse(r#"511={"id":"mine","in":{"deep":"$2"}}"#).unwrap();
        let error = table.codecs(&filter(511, &[1, 2])).unwrap().unwrap_err();
        assert!(error.contains("wants $2") && error.contains("2 values"), "{error}");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for wrong in [
            "511",
            "511=",
            "511={",
            "511=3",
            r#"511={"level":1}"#,
            r#"x={"id":"a"}"#,
            r#"70000={"id":"a"}"#,
            r#"511={"id":"a"} 512={"id":"b"}"#,
            r#"511={"id":"a"};511={"id":"b"}"#,
            r#"{"511":3}"#,
        ] {
            assert!(CodecTable::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(CodecTable::parse(" ").unwrap(), CodecTable::default());
    }
}
