// SPDX-License-Identifier: MIT OR Apache-2.0
//! NetCDF classic files: every array equals what netCDF4 reads, what is cut off is named, and a header costs what it must.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chunkref::store::{Cost, Counted, LocalSource, Location};
use chunkref::{ChunkRef, Scan, ScanErrorKind, ScanOptions, scan_source};
use futures::executor::block_on;
use serde_json::Value;

use crate::environment::{chunkref, corpus, files, fixtures, python, said, script};

fn scan(path: &Path, options: &ScanOptions) -> (Scan, Cost) {
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let source = Counted::new(LocalSource::open(location).unwrap());
    let scan = block_on(scan_source(&source, options)).unwrap();
    let cost = source.cost();
    (scan, cost)
}

/// Scans every file and compares it with what netCDF4 reads of the file behind it; returns the number of exact arrays.
#[track_caller]
fn compare(pairs: &[(PathBuf, PathBuf)], options: &[&str]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = Vec::new();
    for (number, (source, truth)) in pairs.iter().enumerate() {
        let refs = folder.path().join(format!("{number}.json"));
        let line = ["scan".as_ref(), source.as_os_str(), "-o".as_ref(), refs.as_os_str()];
        let ran = chunkref(line.into_iter().chain(options.iter().map(AsRef::as_ref)));
        assert!(ran.status.success() && ran.stderr.is_empty(), "{}", said(&ran));
        arguments.extend([refs, truth.clone()]);
    }
    let output =
        Command::new(python()).arg(script("netcdf3_differential.py")).args(arguments).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let differences = report["differences"].as_array().unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
    report["exact"].as_u64().unwrap()
}

/// netCDF-C takes the number of records of a file that is being written as it stands, so such a file is compared with the
/// finished one.
fn with_truth(path: PathBuf) -> (PathBuf, PathBuf) {
    let name = path.file_name().unwrap().to_str().unwrap().replace("streaming", "odd_records");
    let truth = path.with_file_name(name);
    (path, truth)
}

#[test]
fn fixtures_read_as_netcdf4_reads_them() {
    let pairs: Vec<_> = files(&fixtures("netcdf3"), &["nc"]).into_iter().map(with_truth).collect();
    assert_eq!(compare(&pairs, &[]), 1981);
    assert_eq!(compare(&pairs, &["--inline-threshold", "0"]), 1981);
    assert_eq!(compare(&pairs, &["--inline-threshold", "0", "--split-contiguous", "8"]), 1981);
}

#[test]
fn real_files_read_as_netcdf4_reads_them() {
    let Some(files) = corpus("netcdf3") else { return println!("no real files on this machine") };
    let pairs: Vec<_> = files.into_iter().map(|path| (path.clone(), path)).collect();
    assert!(compare(&pairs, &["--inline-threshold", "0"]) >= 170);
}

#[test]
fn contiguous_data_is_split_and_records_are_not() {
    let options = ScanOptions::default()
        .with_inline_threshold(0)
        .with_format_option("netcdf3.split-contiguous", "40");
    let (scan, _) = scan(&fixtures("netcdf3").join("types.cdf1.nc"), &options);
    let shape = |name: &str| scan.dataset.array(name).unwrap().chunk_grid.chunk_shape().to_vec();
    assert_eq!(shape("plane_f8"), [1, 5]);
    assert_eq!(shape("plane_i1"), [3, 5]);
    assert_eq!(shape("cube_f8"), [1, 3, 5]);
}

#[test]
fn what_is_cut_off_is_named_and_the_rest_stays() {
    let whole = fs::read(fixtures("netcdf3").join("types.cdf1.nc")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.nc");
    fs::write(&path, &whole[..whole.len() - 100]).unwrap();
    let (scan, _) = scan(&path, &ScanOptions::default());
    assert!(!scan.skipped.is_empty());
    for skipped in &scan.skipped {
        let about = format!("{}: {}", skipped.path, skipped.reason);
        assert!(
            about.contains("ends at byte") && about.contains("3 of its 4 records are whole"),
            "{about}"
        );
        assert!(scan.dataset.array(&skipped.path).is_none());
    }
    assert!(scan.dataset.array("plane_f8").is_some());
    let all = scan.dataset.arrays().len() + scan.skipped.len();
    assert_eq!(all, 5 * 6, "every variable is in one or the other");

    fs::write(&path, &whole[..200]).unwrap();
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let source = LocalSource::open(location).unwrap();
    let error = block_on(scan_source(&source, &ScanOptions::default())).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::Truncated);
    assert!(error.source.to_string().contains("at byte"), "{}", error.source);
}

#[test]
fn a_header_costs_one_round_for_every_fourfold() {
    let options = ScanOptions::default().with_inline_threshold(0);
    let folder = fixtures("netcdf3");
    let (small, cost) = scan(&folder.join("types.cdf5.nc"), &options);
    assert_eq!(cost, Cost { rounds: 1, requests: 1, bytes: 16_376, ..Cost::default() });
    let references = small.dataset.array("cube_f8").unwrap().manifest.present();
    assert_eq!(references, 4, "one for each record");
    let (long, cost) = scan(&folder.join("long_header.cdf1.nc"), &options);
    assert_eq!(long.dataset.arrays().len(), 600);
    assert_eq!(cost, Cost { rounds: 2, requests: 2, bytes: 204_044, ..Cost::default() });
    let last = long.dataset.array("variable_0599").unwrap().manifest.get(&[0]);
    assert!(matches!(last, ChunkRef::Virtual { offset: 204_036, length: 8, .. }), "{last:?}");
}
