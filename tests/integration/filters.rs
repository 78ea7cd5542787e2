// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filters that no Zarr codec undoes, as the options say: inline, skipped, an error, or a codec of the user's own.
//!
//! That the values are right is for the differential tests, which read the same fixtures.

use crate::environment::{chunkref, fixtures, said};
use serde_json::Value;
use std::process::Output;

fn scan(fixture: &str, arguments: &[&str]) -> Output {
    let path = fixtures("hdf5").join(fixture);
    let path = path.to_str().unwrap();
    chunkref(["scan", path, "--stats", "--inline-threshold", "0"].iter().chain(arguments))
}

/// The references, and everything that was said.
fn read(fixture: &str, arguments: &[&str]) -> (Value, String) {
    let output = scan(fixture, arguments);
    assert!(output.status.success(), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    (document["refs"].clone(), String::from_utf8(output.stderr).unwrap())
}

/// The filters of an array.
fn filters(refs: &Value, array: &str) -> Value {
    let text = refs[format!("{array}/.zarray")].as_str().expect("the array is there");
    serde_json::from_str::<Value>(text).unwrap()["filters"].clone()
}

/// Chunks of an array in the references, and chunks that stay in the file.
fn places(refs: &Value, array: &str) -> (usize, usize) {
    let start = format!("{array}/");
    let chunks =
        refs.as_object().unwrap().iter().filter(|(key, _)| {
            key.strip_prefix(&start).is_some_and(|name| !name.starts_with(".z"))
        });
    let (inline, stored): (Vec<_>, Vec<_>) = chunks.partition(|(_, value)| value.is_string());
    (inline.len(), stored.len())
}

#[test]
fn by_default_the_data_goes_into_the_references() {
    let (refs, said) = read("no_codec.v1.h5", &[]);
    assert!(!said.contains("skipped"), "{said}");
    for (array, chunks) in [("cube", 6), ("lzf_zeros", 4), ("sparse", 2)] {
        assert_eq!(places(&refs, array), (chunks, 0), "{array}");
    }
    assert_eq!(filters(&refs, "cube")[0]["id"], "zlib");
    // Noise does not shrink, and chunks that were never written need no codec.
    assert_eq!(places(&refs, "noise"), (4, 0));
    assert_eq!(filters(&refs, "noise"), Value::Null);
    assert_eq!(
        (places(&refs, "never_written"), filters(&refs, "never_written")),
        ((0, 0), Value::Null)
    );
    assert_eq!(places(&refs, "words"), (1, 0));
    // N-bit changes nothing where every bit of a type counts.
    assert_eq!(
        (places(&refs, "nbit_record"), filters(&refs, "nbit_record")),
        ((0, 3), Value::Null)
    );
}

#[test]
fn a_budget_bounds_what_is_decoded() {
    let (refs, said) = read("no_codec.v1.h5", &["--option", "hdf5.inline-budget=2000"]);
    assert_eq!(places(&refs, "cube"), (6, 0));
    assert!(refs["lzf_zeros/.zarray"].is_null());
    let line = said.lines().find(|line| line.contains("lzf_zeros")).expect("it says what it skips");
    assert!(line.contains("its 16384 bytes") && line.contains("hdf5.inline-budget=2000"), "{line}");
}

#[test]
fn they_may_be_skipped_with_the_reason() {
    let (refs, said) = read("no_codec.v1.h5", &["--unsupported-filters", "skip"]);
    for array in ["cube", "noise", "sparse", "lzf_zeros"] {
        assert!(refs[format!("{array}/.zarray")].is_null(), "{array}");
    }
    let line =
        said.lines().find(|line| line.contains("array cube")).expect("it says what it skips");
    assert!(line.contains("filter 6 (scaleoffset)") && line.contains("=inline"), "{line}");
}

#[test]
fn they_may_be_an_error_that_names_dataset_and_filter() {
    let output = scan("no_codec.v1.h5", &["--unsupported-filters", "error"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("dataset /") && said.contains("filter "), "{said}");
    let whole = scan("deflate_and_shuffle.v1.h5", &["--unsupported-filters", "error"]);
    assert!(whole.status.success());
}

#[test]
fn a_filter_that_nobody_knows_is_named() {
    let (refs, said) = read("plugin_filters.v1.h5", &[]);
    assert!(refs["sperr_f4/.zarray"].is_null());
    let line = said.lines().find(|line| line.contains("sperr_f4")).expect("it says what it skips");
    assert!(line.contains("filter 32028") && line.contains("hdf5.codec"), "{line}");
}

#[test]
fn users_name_codecs_for_filters() {
    let table = r#"hdf5.codec=32013={"id":"mine","first":"$0"};32004=[{"id":"other"}]"#;
    let (refs, _) = read("plugin_filters.v1.h5", &["--option", table]);
    let mine = filters(&refs, "zfp_f4");
    assert_eq!(mine[0]["id"], "mine");
    assert!(mine[0]["first"].is_u64(), "{mine}");
    assert_eq!(places(&refs, "zfp_f4"), (0, 4));
    assert_eq!(filters(&refs, "lz4_i4")[0]["id"], "other");
    let output = scan("plugin_filters.v1.h5", &["--option", "hdf5.codec=32013"]);
    let said = said(&output);
    assert!(output.status.code() != Some(0) && said.contains("ID=JSON"), "{said}");
}

#[test]
fn codecs_of_imagecodecs_leave_the_chunks_in_the_file() {
    let (refs, _) = read("plugin_types.v1.h5", &[]);
    let (library, _) = read("library_filters.v1.h5", &[]);
    for (refs, array, codec) in [
        (&refs, "lz4_f4", "imagecodecs_lz4h5"),
        (&refs, "bits_f4", "imagecodecs_bitshuffle"),
        (&library, "szip_nn_i4", "imagecodecs_szip"),
        (&library, "lzf_i4", "imagecodecs_lzf"),
    ] {
        assert_eq!(filters(refs, array)[0]["id"], codec);
        let (inline, stored) = places(refs, array);
        assert!(inline == 0 && stored > 0, "{array}");
    }
}
