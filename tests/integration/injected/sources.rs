// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scans of which one read, or one opening of a neighbour, fails. The scanners themselves are held to it, without what the
//! front-end puts around them.

use std::fs;
use std::path::{Path, PathBuf};

use chunkref::store::LocalSource;
use chunkref::{
    Location, Registry, Scan, ScanError, ScanErrorKind, ScanOptions, ScannerEntry, SourceErrorKind,
};
use chunkref_testkit::FailingSource;
use futures::executor::block_on;

use crate::environment::{files, fixtures};

/// Kinds of failure of a store. `NotFound` is one of an object that is open, and says something of one that is not.
const KINDS: [SourceErrorKind; 5] = [
    SourceErrorKind::Io,
    SourceErrorKind::PermissionDenied,
    SourceErrorKind::Changed,
    SourceErrorKind::TimedOut,
    SourceErrorKind::NotFound,
];

/// Failures injected, and the places where that is.
#[derive(Debug, Default)]
struct Injected {
    points: u64,
    openings: u64,
    files: u64,
}

/// Every operation of the scan of a file fails, each with one kind after the other.
fn inject(entry: &ScannerEntry, path: &Path, options: &ScanOptions, injected: &mut Injected) {
    let open = || LocalSource::open(Location::from_path(path).unwrap()).unwrap();
    let scan = |source: &dyn chunkref::ByteSource| -> Result<Scan, ScanError> {
        block_on((entry.scanner)().scan(source, options))
    };
    let whole = scan(&open());
    injected.files += 1;
    for number in 0.. {
        for kind in KINDS {
            let source = FailingSource::once(open(), number, kind);
            let outcome = scan(&source);
            if !source.has_failed() {
                return;
            }
            injected.points += 1;
            let is_opening = !source.has_failed_to_read();
            injected.openings += u64::from(is_opening);
            if is_opening && (!kind.is_fault_of_sibling() || is_same(&outcome, &whole)) {
                continue;
            }
            let found = outcome.map(|_| ()).map_err(|error| error.kind);
            let name = path.display();
            assert_eq!(
                found,
                Err(ScanErrorKind::from(kind)),
                "{name}: operation {number}, {kind:?}"
            );
        }
    }
}

fn is_same(a: &Result<Scan, ScanError>, b: &Result<Scan, ScanError>) -> bool {
    matches!((a, b), (Ok(a), Ok(b)) if a == b)
}

fn entry(name: &str) -> ScannerEntry {
    *Registry::linked().unwrap().by_name(name).unwrap()
}

/// Scans the files, on two threads.
fn inject_all(name: &str, paths: &[PathBuf], options: &ScanOptions) -> Injected {
    let entry = entry(name);
    let parts = std::thread::scope(|scope| {
        let half = paths.len().div_ceil(2);
        let work = |part: &[PathBuf]| {
            let mut injected = Injected::default();
            for path in part {
                inject(&entry, path, options, &mut injected);
            }
            injected
        };
        let threads: Vec<_> =
            paths.chunks(half).map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let all = parts.into_iter().fold(Injected::default(), |all, part| Injected {
        points: all.points + part.points,
        openings: all.openings + part.openings,
        files: all.files + part.files,
    });
    println!("{name}: {all:?}");
    all
}

#[test]
fn scans_of_hdf5_end_with_the_failure() {
    let mut paths = files(&fixtures("hdf5"), &["h5"]);
    paths.extend(files(&fixtures("netcdf4"), &["nc"]));
    // One of the GOES twins, whose structures are many rounds deep.
    paths.extend(files(&fixtures("goes"), &["nc"]).into_iter().take(1));
    paths.retain(|path| fs::metadata(path).unwrap().len() < 512 << 10);
    let options = ScanOptions::default()
        .with_format_option("hdf5.references", "paths")
        .with_inline_threshold(2000);
    let injected = inject_all("hdf5", &paths, &options);
    assert!(injected.points >= 1500 && injected.openings >= 100, "{injected:?}");
}

#[test]
fn scans_of_netcdf3_end_with_the_failure() {
    let paths = files(&fixtures("netcdf3"), &["nc"]);
    let injected = inject_all("netcdf3", &paths, &ScanOptions::default());
    assert!(injected.points >= 10 * injected.files, "{injected:?}");
}

/// With and without a sidecar that lists where messages begin; in neither case does what cannot be read get lost.
#[test]
fn scans_of_grib_end_with_the_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = files(&fixtures("grib2"), &["grib2"]);
    for name in ["pressure_levels", "steps", "both_editions"] {
        let bytes = fs::read(fixtures("grib2").join(name).with_extension("grib2")).unwrap();
        let path = folder.path().join(name).with_extension("grib2");
        let starts = bytes.windows(4).enumerate().filter(|(_, four)| four == b"GRIB");
        let lines: Vec<_> = starts
            .enumerate()
            .map(|(number, (start, _))| format!("{number}:{start}:d=x"))
            .collect();
        fs::write(path.with_extension("grib2.idx"), lines.join("\n")).unwrap();
        fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let options = ScanOptions::default().with_format_option("grib.submessages", "inline");
    let injected = inject_all("grib", &paths, &options);
    assert!(injected.points >= 1000 && injected.openings >= 300, "{injected:?}");
}
