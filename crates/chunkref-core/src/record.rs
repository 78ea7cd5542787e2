// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one form in which sets keep options: a word and a JSON object with a version.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version of all records. Another one may mean other things by the same members.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<T> {
    version: u32,
    options: T,
}

/// Options as text that [`read`] reads. What JSON cannot say is no record: the text is empty.
pub(crate) fn write<T: Serialize>(word: &str, options: &T) -> String {
    let record = Record { version: VERSION, options };
    serde_json::to_string(&record).map(|text| format!("{word} {text}")).unwrap_or_default()
}

/// The options that a line of a text says; `None` when there is none of that word, or it is of another version.
pub(crate) fn read<T: DeserializeOwned>(word: &str, text: &str) -> Option<T> {
    let mut lines = text.lines();
    let text = lines.find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))?;
    let record: Record<T> = serde_json::from_str(text).ok()?;
    (record.version == VERSION).then_some(record.options)
}
