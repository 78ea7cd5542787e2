// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scans that are ended from outside, at every check that they make: an error that says why, never a part of the result.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chunkref::core::{Cancellation, Cancelled, MemorySource};
use chunkref::{ScanErrorKind, ScanOptions};
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
