// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a scan costs on an object store: counted, so that the figures are the same on every machine.

use chunkref::store::{Cost, Counted, LocalSource, Location};
use chunkref::{Scan, ScanOptions, scan_source};
use futures::executor::block_on;
use serde_json::Value;
use std::fs;

use crate::environment::fixtures;

fn scan(name: &str, options: &ScanOptions) -> (Scan, Cost) {
    let path = fixtures("mcmipf").join(name);
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let source = Counted::new(LocalSource::open(location).unwrap());
    let scan = block_on(scan_source(&source, options)).unwrap();
    let cost = source.cost();
    (scan, cost)
}

fn references(scan: &Scan) -> u64 {
    scan.dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum()
}

/// The depth of the file: head with superblock and root group, symbol table nodes, object headers, continuations and
/// roots of the chunk B-trees, their leaves, and the global heap.
const DEPTH: u64 = 7;

#[test]
fn a_file_of_many_chunks_costs_its_depth_in_rounds_and_its_metadata_in_bytes() {
    let options = ScanOptions::default().with_inline_threshold(0);
    let (scan, cost) = scan("realistic.nc", &options);
    let counted = fs::read(fixtures("mcmipf").join("realistic.json")).unwrap();
    let counted: Value = serde_json::from_slice(&counted).unwrap();
    let metadata_bytes = counted["metadata_bytes"].as_u64().unwrap();
    assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
    // Every chunk, and one reference for each array that is not chunked; two scales are dimensions without variables.
    let chunks = counted["chunks"].as_u64().unwrap();
    let datasets = counted["datasets"].as_u64().unwrap();
    assert_eq!(references(&scan), chunks + (datasets - 2 - 32));
    // The pinned h5py puts the bytes where it does, and the scan asks for what it does: exactly this.
    assert_eq!(cost, Cost { rounds: DEPTH, requests: 373, bytes: 1_078_392, ..Cost::default() });
    assert!(cost.bytes * 2 <= metadata_bytes * 3, "{cost} for {metadata_bytes} bytes of metadata");
}

#[test]
fn small_chunks_cost_one_more_round() {
    let (scan, cost) = scan("realistic.nc", &ScanOptions::default());
    assert!(scan.skipped.is_empty());
    assert_eq!(cost.rounds, DEPTH + 1);
}

#[test]
fn more_chunks_take_no_more_rounds() {
    let options = ScanOptions::default().with_inline_threshold(0);
    for name in ["hdf5/fixed_array_700.v110.h5", "hdf5/contiguous.v1.h5"] {
        let (folder, file) = name.split_once('/').unwrap();
        let path = fixtures(folder).join(file);
        let location = Location::parse(path.to_str().unwrap()).unwrap();
        let source = Counted::new(LocalSource::open(location).unwrap());
        block_on(scan_source(&source, &options)).unwrap();
        // Small files come whole with their head.
        assert_eq!(source.cost().rounds, 1, "{name}: {}", source.cost());
    }
}
