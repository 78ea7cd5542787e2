// SPDX-License-Identifier: MIT OR Apache-2.0
//! What combining and writing cost, counted in allocations: twice the references cost at most twice the memory, and no
//! reference costs an allocation of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod bombs;
#[cfg(test)]
mod codec_bombs;
#[cfg(test)]
mod hostile;

use allocation_counter::{AllocationInfo, measure};
use chunkref::combine::combine;
use chunkref::emit::emit;
use chunkref::kerchunk_json::{self, write_kerchunk_json};
use chunkref::{CombineOptions, ConcatDimension, Dataset, EmitOptions};
use chunkref_testkit::scenes::scene;

fn scenes(count: u32, side: u64) -> Vec<Dataset> {
    (0..count).map(|number| scene(number, 4, side).unwrap()).collect()
}

fn options() -> CombineOptions {
    CombineOptions::default().with_concat(ConcatDimension::new("t"))
}

fn combining(inputs: &[Dataset]) -> (AllocationInfo, Dataset) {
    let mut cube = None;
    let cost = measure(|| cube = Some(combine(inputs, &options()).unwrap().dataset));
    (cost, cube.unwrap())
}

fn references(dataset: &Dataset) -> u64 {
    dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum()
}

#[test]
fn references_cost_memory_alone() {
    let (small, cube) = combining(&scenes(8, 24));
    let (large, cubes) = combining(&scenes(8, 48));
    let (few, many) = (references(&cube), references(&cubes));
    assert!(many > 3 * few && few > 18_000, "{few} and {many} references");
    // Coordinates grow with the side and columns with its square; the number of allocations with neither, but for columns
    // that grow by doubling.
    assert!(large.count_total < small.count_total + small.count_total / 4, "{small:?} {large:?}");
    assert!(small.count_total < few / 4, "{small:?} for {few} references");
    assert!(large.bytes_total < 4 * small.bytes_total + 4096, "{small:?} {large:?}");
    // 20 bytes a reference in the result, and as much while columns grow.
    assert!(large.bytes_max < many * 60 + 8 * 48 * 226 * 8 * 2, "{large:?} for {many}");
}

#[test]
fn inputs_cost_alike() {
    let (small, few) = combining(&scenes(16, 8));
    let (large, many) = combining(&scenes(64, 8));
    assert_eq!(references(&many) - 3, 4 * (references(&few) - 3));
    assert!(large.count_total < 4 * small.count_total + 4096, "{small:?} {large:?}");
    assert!(large.bytes_total < 4 * small.bytes_total + 65_536, "{small:?} {large:?}");
}

#[test]
fn writing_costs_no_allocation_per_reference() {
    let (_, cube) = combining(&scenes(8, 48));
    let count = references(&cube);
    let cost = measure(|| {
        write_kerchunk_json(&cube, &EmitOptions::default(), std::io::sink()).unwrap();
    });
    assert!(cost.count_total < count / 50, "{cost:?} for {count} references");
    assert!(cost.bytes_max < 4 << 20, "{cost:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cube.parq");
    let cost = measure(|| {
        emit(&cube, &path, &EmitOptions::default()).unwrap();
    });
    // Threads of the emitter count for themselves; what is left here is metadata.
    assert!(cost.count_total < count / 20, "{cost:?} for {count} references");
}

/// A set of one array with a chunk of one inline byte for each place, and a member that no reader wants.
fn inline_set(count: u32, unwanted: &str) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        r#"{{"version":1,"x":{unwanted},"refs":{{".zgroup":"{{\"zarr_format\":2}}","a/.zarray":"{{\"shape\":[{count}],\"chunks\":[1],\"dtype\":\"|u1\",\"fill_value\":0,\"order\":\"C\",\"filters\":null,\"compressor\":null,\"zarr_format\":2}}""#
    );
    for chunk in 0..count {
        write!(text, r#","a/{chunk}":"x""#).unwrap();
    }
    text + "}}"
}

#[test]
fn reading_costs_columns_alone() {
    let count = 200_000;
    let text = inline_set(count, "0");
    let mut read = None;
    let cost = measure(|| read = Some(kerchunk_json::read(text.as_bytes()).unwrap()));
    assert_eq!(references(&read.unwrap()), u64::from(count));
    // 29 bytes a reference, and as much again while columns grow.
    assert!(cost.bytes_max < u64::from(count) * 100, "{cost:?}");
    assert!(cost.count_total < 2000, "{cost:?}");
}

#[test]
fn what_is_not_kept_costs_nothing() {
    let numbers = format!("[0{}]", ",0".repeat(2_000_000));
    let unwanted =
        format!("[{numbers},\"{}\",{}]", "x".repeat(4_000_000), " ".repeat(4_000_000) + "0");
    let text = inline_set(1, &unwanted);
    let cost = measure(|| drop(kerchunk_json::read(text.as_bytes()).unwrap()));
    assert!(cost.bytes_max < 1 << 20, "{cost:?}");
}

#[test]
fn generators_cost_columns_alone() {
    let zarray = r#"{"shape":[200000],"chunks":[1],"dtype":"|u1","fill_value":0,"order":"C","filters":null,"compressor":null,"zarr_format":2}"#;
    let url = format!("{{{{u}}}}/{}", "y".repeat(1000));
    let text = format!(
        r#"{{"version":1,"templates":{{"u":"s3://b"}},"gen":[{{"key":"a/{{{{i}}}}","url":"{url}","offset":"{{{{(i + 1) * 1000}}}}","length":"1000","dimensions":{{"i":{{"stop":200000}}}}}}],"refs":{{"a/.zarray":{zarray}}}}}"#
    );
    let mut read = None;
    let cost = measure(|| read = Some(kerchunk_json::read(text.as_bytes()).unwrap()));
    assert_eq!(references(&read.unwrap()), 200_000);
    assert!(cost.bytes_max < 200_000 * 100, "{cost:?}");
}
