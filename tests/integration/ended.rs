// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scans that are ended from outside, at every check that they make: an error that says why, never a part of the result.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chunkref::core::{Cancellation, Cancelled, MemorySource};
use chunkref::model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset, ManifestBuilder,
};
use chunkref::verify::{VerifyOptions, verify_dataset};
use chunkref::{AccessPolicy, ScanErrorKind, ScanOptions, Stores};
use futures::executor::block_on;

use crate::environment::{chunkref, fixtures, said};

/// Ends after so many checks, and counts them.
fn after(checks: u64, asked: &Arc<AtomicU64>, cause: Cancelled) -> Cancellation {
    let asked = Arc::clone(asked);
    Cancellation::when(move || (asked.fetch_add(1, Ordering::Relaxed) >= checks).then_some(cause))
}

#[test]
fn a_scan_ended_at_any_check_is_an_error_and_no_part_of_the_result() {
    for (folder, name, least) in [
        ("hdf5", "extensible_axes.v110.h5", 3),
        ("netcdf4", "coordinates.nc", 3),
        ("netcdf3", "odd_records.cdf1.nc", 5),
        ("grib2", "members.grib2", 10),
        ("grib2", "both_editions.grib2", 10),
    ] {
        let path = fixtures(folder).join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let source = MemorySource::new("memory://ended", bytes.into());
        let whole =
            block_on(chunkref::scan::scan_source(&source, &ScanOptions::default())).unwrap();
        let (mut checks, mut errors) = (0, 0);
        loop {
            let asked = Arc::new(AtomicU64::new(0));
            let cause = match checks % 2 {
                0 => Cancelled::TimedOut(Duration::from_mins(10)),
                _ => Cancelled::Stopped,
            };
            let options = ScanOptions::default().with_cancellation(after(checks, &asked, cause));
            match block_on(chunkref::scan::scan_source(&source, &options)) {
                Ok(scan) => {
                    assert!(asked.load(Ordering::Relaxed) <= checks, "{name} after {checks}");
                    break assert_eq!(scan, whole, "{name} after {checks} checks");
                }
                Err(error) => {
                    assert_eq!(error.kind, ScanErrorKind::from(cause), "{name}: {error}");
                    errors += 1;
                }
            }
            // Every check of the first ones, and every sixteenth of very many.
            checks += 1 + checks / 16;
        }
        println!("{name}: ended at {errors} of {checks} checks");
        assert!(errors >= least, "{name}: {errors}");
    }
}

/// An array with one inline chunk of so many zeros.
fn zeros(length: usize) -> Dataset {
    let stored = chunkref_codecs::zlib::encode(&vec![0; length], 1).unwrap();
    let mut manifest = ManifestBuilder::new([1]).unwrap();
    manifest.push(&[0], ChunkRef::Inline(stored.into())).unwrap();
    let array = Array {
        shape: vec![length as u64],
        dimensions: vec!["x".to_owned()],
        dtype: DataType::UInt { length: 1, order: ByteOrder::Little },
        fill_value: None,
        chunk_grid: ChunkGrid::regular([length as u64]),
        codecs: vec![Codec::new("zlib")],
        attributes: Attributes::new(),
        manifest: manifest.finish().unwrap(),
    };
    let mut dataset = Dataset::new();
    dataset.group_mut("").arrays.insert("a".to_owned(), array);
    dataset
}

#[test]
fn decoding_ends_within_a_chunk_and_is_no_damage() {
    let (length, asked) = (4 << 20, Arc::new(AtomicU64::new(0)));
    let (dataset, stores) = (zeros(length), Stores::default());
    let report = |questions| {
        asked.store(0, Ordering::Relaxed);
        let stores = stores.with_cancellation(&after(questions, &asked, Cancelled::Stopped));
        let (policy, options) = (AccessPolicy::in_memory(), VerifyOptions::default());
        block_on(verify_dataset(&stores, &policy, &dataset, None, &options))
    };
    let whole = report(u64::MAX);
    assert!(whole.is_sound() && whole.ended().is_none(), "{whole:?}");
    // At every 64 KiB of a chunk, and before it.
    let all = asked.load(Ordering::Relaxed);
    assert!(all > length as u64 >> 16, "{all}");
    for questions in [0, 1, all / 2, all - 1] {
        let report = report(questions);
        assert_eq!(report.ended(), Some(Cancelled::Stopped), "{questions}");
        assert!(report.checks.iter().all(|check| check.failed == 0), "{report:?}");
        assert!(!report.is_sound());
        assert!(asked.load(Ordering::Relaxed) <= questions + 3, "{questions}");
    }
}

#[test]
fn a_deadline_that_has_passed_ends_every_command_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("out.json");
    let input = fixtures("grib2").join("members.grib2");
    let ran = chunkref([
        "scan".as_ref(),
        input.as_os_str(),
        "-o".as_ref(),
        to.as_os_str(),
        "--deadline".as_ref(),
        "0.000001".as_ref(),
    ]);
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert!(said(&ran).contains("--deadline"), "{}", said(&ran));
    assert!(!to.exists());
}
