// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates and generators: what they expand to is what fsspec makes of them.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use chunkref::kerchunk_json;
use chunkref::{ChunkRef, Dataset};
use serde_json::{Value, json};

use crate::environment::{python, said, script};

/// Documents that are made.
const DOCUMENTS: usize = 400;

/// Numbers that are the same in every run (Knuth's linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn space(&mut self) -> &'static str {
        self.one_of(&["", "", " ", "  "])
    }
}

/// An expression that is a whole number, in which `names` are numbers.
fn number(numbers: &mut Numbers, names: &[&str], depth: u32) -> String {
    let kind = if depth == 0 { numbers.below(2) } else { numbers.below(8) };
    let inner = |numbers: &mut Numbers| number(numbers, names, depth.saturating_sub(1));
    match kind {
        0 => numbers.below(1000).to_string(),
        1 if names.is_empty() => numbers.below(7).to_string(),
        1 => numbers.one_of(names).to_owned(),
        2 => format!("({}{})", inner(numbers), numbers.space()),
        3 => format!("({} // {})", inner(numbers), numbers.below(9) + 1),
        4 => format!("({}%{})", inner(numbers), numbers.below(9) + 1),
        5 => {
            format!("({}{}*{}{})", inner(numbers), numbers.space(), numbers.space(), inner(numbers))
        }
        6 => format!("( -{} + {})", inner(numbers), inner(numbers)),
        _ => {
            let operator = numbers.one_of(&["+", "-", " - ", " + "]);
            format!("{}{operator}{}", inner(numbers), inner(numbers))
        }
    }
}

/// An expression of any kind.
fn expression(numbers: &mut Numbers, variables: &[&str], depth: u32) -> String {
    match if depth == 0 { numbers.below(3) } else { numbers.below(5) } {
        0 => numbers.one_of(&["u", "v_1", "é"]).to_owned(),
        1 => numbers
            .one_of(&["'text'", "\"it's\"", "'{{u}}'", "'}}'", r"'a\'b\\c'", "'<&>'", "''"])
            .to_owned(),
        2 => number(numbers, variables, 2),
        3 => format!(
            "f{}({}c{}={}{},{}d={})",
            numbers.space(),
            numbers.space(),
            numbers.space(),
            numbers.space(),
            expression(numbers, variables, depth - 1),
            numbers.space(),
            expression(numbers, variables, depth - 1)
        ),
        _ => format!(
            "g(c={}{})",
            expression(numbers, variables, depth - 1),
            numbers.one_of(&["", ",", ", e=1"])
        ),
    }
}

/// Text with expressions.
fn template(numbers: &mut Numbers, variables: &[&str]) -> String {
    let mut text = String::new();
    for _ in 0..=numbers.below(3) {
        text.push_str(numbers.one_of(&["", "s3://b/", "/", "x.nc", "}} ", "ü", "?a=1&b=%20"]));
        // Behind a sign right at the braces Jinja looks for control of white space.
        let _ = write!(text, "{{{{ {}{}}}}}", expression(numbers, variables, 2), numbers.space());
    }
    text.push_str(numbers.one_of(&["", "/end.nc", "}}"]));
    text
}

fn document(numbers: &mut Numbers) -> Value {
    let zarray = r#"{"shape":[1000],"chunks":[1],"dtype":"|u1","fill_value":0,"order":"C","filters":null,"compressor":null,"zarr_format":2}"#;
    let mut refs = serde_json::Map::new();
    refs.insert(".zgroup".to_owned(), json!(r#"{"zarr_format":2}"#));
    for array in ["a", "b", "c"] {
        refs.insert(format!("{array}/.zarray"), json!(zarray));
    }
    for chunk in 0..3 {
        refs.insert(format!("a/{chunk}"), json!([template(numbers, &[]), 10 * chunk, 7]));
    }
    refs.insert("a/5".to_owned(), json!(["plain/{x}", 1, 2]));
    let (key, url) = ("b/{{ i * 7 + j }}", template(numbers, &["i", "j"]));
    let offset = format!("{{{{ ({}) % 999983 }}}}", number(numbers, &["i", "j"], 3));
    let ranged = json!({
        "key": key, "url": url, "offset": offset, "length": "{{i+1}}",
        "dimensions": {"i": {"stop": numbers.below(4)}, "j": {"start": 6, "stop": 0, "step": -2}},
    });
    let whole = json!({
        "key": "c/{{n}}", "url": format!("{{{{u}}}}/{{{{n}}}}{{{{x}}}}{}", template(numbers, &["n"])),
        "dimensions": {"n": [3, 5, 8], "x": [numbers.one_of(&["t", "", "x y"])]},
    });
    json!({
        "version": 1,
        "templates": {"u": "s3://bucket/path", "v_1": "é{", "é": "", "f": "{{c}}/{{ d }}.nc", "g": "<{{c}}>"},
        "gen": [ranged, whole],
        "refs": refs,
    })
}

/// The references as fsspec has them.
fn references(dataset: &Dataset) -> Value {
    let mut all = serde_json::Map::new();
    for (path, array) in dataset.arrays() {
        array.manifest.visit(&mut |indices, reference| {
            let ChunkRef::Virtual { source, offset, length } = reference else { panic!("{path}") };
            let source = &dataset.sources()[usize::try_from(source.0).unwrap()].location;
            let value =
                if length == u64::MAX { json!([source]) } else { json!([source, offset, length]) };
            all.insert(format!("{path}/{}", indices[0]), value);
        });
    }
    Value::Object(all)
}

#[test]
fn templates_expand_as_in_fsspec() {
    let mut numbers = Numbers(14);
    let documents: Vec<Value> = (0..DOCUMENTS).map(|_| document(&mut numbers)).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.json");
    fs::write(&path, serde_json::to_string(&documents).unwrap()).unwrap();
    let output =
        Command::new(python()).arg(script("templates_check.py")).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let expected: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(expected.len(), DOCUMENTS);
    let mut compared = 0;
    for (document, expected) in documents.iter().zip(expected) {
        let read = kerchunk_json::read(serde_json::to_string(document).unwrap().as_bytes());
        let read = read.unwrap_or_else(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            panic!("{error}: {source:?}\n{document:#}\n{expected:#}")
        });
        assert_eq!(references(&read), expected, "{document:#}");
        compared += expected.as_object().unwrap().len();
    }
    assert!(compared > 1000, "only {compared} references were compared");
}
