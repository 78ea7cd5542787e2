// SPDX-License-Identifier: MIT OR Apache-2.0
//! The native engine and libhdf5 describe every sound file alike: dataset by dataset, chunk by chunk, attribute by
//! attribute. Damaged files are not for libhdf5.

use crate::environment::{corpus, files, fixtures};
use chunkref::{ChunkRef, Dataset, Scan, ScanErrorKind, ScanOptions};
use futures::executor::block_on;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::PathBuf;

/// Differences that are known and explained: the file name's beginning, the beginning of what differs, and why.
type Known<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Differences listed before a failing test gives up.
const MOST_SHOWN: usize = 80;

#[test]
fn engines_agree_on_hdf5_fixtures() {
    let tally = compare(&files(&fixtures("hdf5"), &["h5"]));
    tally.require("hdf5 fixtures", [165, 4500, 70_000, 950], &[]);
}

#[test]
fn engines_agree_on_netcdf4_fixtures() {
    let mut paths = files(&fixtures("netcdf4"), &["nc"]);
    paths.extend(files(&fixtures("goes"), &["nc"]));
    compare(&paths).require("netcdf4 fixtures", [15, 270, 390, 570], &[]);
}

#[test]
fn engines_agree_on_real_files() {
    let (Some(mut paths), Some(more)) = (corpus("hdf5"), corpus("netcdf4")) else {
        return println!("no real files on this machine");
    };
    paths.extend(more);
    compare(&paths).require("real files", [135, 7400, 47_000, 11_000], &[]);
}

#[test]
fn libhdf5_reads_local_files_alone() {
    let options = ScanOptions::default().with_format_option("hdf5.engine", "libhdf5");
    let content = std::fs::read(fixtures("hdf5").join("contiguous.v1.h5")).unwrap();
    let error = block_on(chunkref::open(content.into(), "memory://a.h5", &options)).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::InvalidOption);
    assert!(error.source.to_string().contains("local files only"), "{}", error.source);
}

/// What was compared, and what was different.
#[derive(Default)]
struct Tally {
    files: usize,
    arrays: usize,
    chunks: usize,
    attributes: usize,
    /// By file name.
    differences: BTreeMap<String, Vec<String>>,
}

fn compare(paths: &[PathBuf]) -> Tally {
    let mut tally = Tally::default();
    for path in paths {
        let scan = |engine: &str| {
            let options = ScanOptions::default().with_format_option("hdf5.engine", engine);
            block_on(chunkref::scan(path.to_str().unwrap(), &options))
        };
        let mut differences = Vec::new();
        match (scan("native"), scan("libhdf5"), scan("both")) {
            (Ok(native), Ok(libhdf5), Ok(both)) => {
                tally.files += 1;
                tally.count(&native.dataset);
                differences = different(&native, &libhdf5);
                // The check inside the scanner sees what a comparison of its results sees, and more.
                let known: BTreeSet<&str> =
                    native.skipped.iter().map(|skipped| skipped.path.as_str()).collect();
                for skipped in both.skipped.iter().filter(|one| !known.contains(&*one.path)) {
                    differences.push(format!("{}: {}", skipped.path, skipped.reason));
                }
            }
            (Err(_), Err(_), Err(_)) => {}
            (native, libhdf5, both) => {
                let word = |scan: Result<Scan, chunkref::ScanError>| match scan {
                    Ok(_) => "a result".to_owned(),
                    Err(error) => error.source.to_string(),
                };
                let words = [word(native), word(libhdf5), word(both)].join("; ");
                differences.push(format!(": native, libhdf5, both: {words}"));
            }
        }
        if !differences.is_empty() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            tally.differences.insert(name, differences);
        }
    }
    tally
}

/// Differences of two scans, each as the path and what is different.
fn different(ours: &Scan, theirs: &Scan) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |path: &str, what: &str, ours: &dyn Debug, theirs: &dyn Debug| {
        // Compared as text, so that a NaN equals a NaN.
        let (ours, theirs) = (format!("{ours:?}"), format!("{theirs:?}"));
        if ours != theirs {
            found.push(format!("{path}: {what}: native {ours}, libhdf5 {theirs}"));
        }
    };
    let (our_groups, their_groups) = (groups(&ours.dataset), groups(&theirs.dataset));
    for path in our_groups.keys().chain(their_groups.keys()).collect::<BTreeSet<_>>() {
        check(path, "group", &our_groups.get(path), &their_groups.get(path));
    }
    let (our_arrays, their_arrays) = (arrays(&ours.dataset), arrays(&theirs.dataset));
    for path in our_arrays.keys().chain(their_arrays.keys()).collect::<BTreeSet<_>>() {
        let (Some(a), Some(b)) = (our_arrays.get(path), their_arrays.get(path)) else {
            check(path, "array", &our_arrays.contains_key(path), &their_arrays.contains_key(path));
            continue;
        };
        check(path, "shape", &(&a.shape, &a.dimensions), &(&b.shape, &b.dimensions));
        check(path, "type", &a.dtype, &b.dtype);
        check(path, "fill value", &a.fill_value, &b.fill_value);
        check(path, "chunk grid", &a.chunk_grid, &b.chunk_grid);
        check(path, "codecs", &a.codecs, &b.codecs);
        for name in names(&a.attributes).union(&names(&b.attributes)) {
            let values = (a.attributes.get(name), b.attributes.get(name));
            check(&format!("{path}@{name}"), "value", &values.0, &values.1);
        }
        let order = |array: &chunkref::Array| -> Vec<String> {
            array.attributes.iter().map(|(name, _)| name.to_owned()).collect()
        };
        check(path, "order of attributes", &order(a), &order(b));
        let (a, b) = (chunks(a), chunks(b));
        let odd = a.iter().zip(&b).find(|(a, b)| a != b);
        check(path, "chunk", &odd.map(|(a, _)| a), &odd.map(|(_, b)| b));
        check(path, "number of chunks", &a.len(), &b.len());
    }
    let skipped = |scan: &Scan| -> BTreeMap<String, String> {
        let row = |one: &chunkref::Skipped| {
            (one.path.clone(), format!("{} {:?} {}", one.kind, one.offset, one.reason))
        };
        scan.skipped.iter().map(row).collect()
    };
    let (a, b) = (skipped(ours), skipped(theirs));
    for path in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        check(path, "skipped", &a.get(path), &b.get(path));
    }
    found
}

fn groups(dataset: &Dataset) -> BTreeMap<String, String> {
    let mut groups = BTreeMap::new();
    dataset.visit_groups(&mut |path, group| {
        groups.insert(path.to_owned(), format!("{:?} {:?}", group.dimensions, group.attributes));
    });
    groups
}

fn arrays(dataset: &Dataset) -> BTreeMap<String, &chunkref::Array> {
    dataset.arrays().into_iter().collect()
}

fn names(attributes: &chunkref::model::Attributes) -> BTreeSet<String> {
    attributes.iter().map(|(name, _)| name.to_owned()).collect()
}

/// Every chunk in the order of its place.
fn chunks(array: &chunkref::Array) -> Vec<(Vec<u64>, ChunkRef)> {
    let mut chunks = Vec::new();
    array.manifest.visit(&mut |chunk_indices, reference| {
        chunks.push((chunk_indices.to_vec(), reference.clone()));
    });
    chunks.sort_by(|(a, _), (b, _)| a.cmp(b));
    chunks
}

impl Tally {
    fn count(&mut self, dataset: &Dataset) {
        for (_, array) in dataset.arrays() {
            self.arrays += 1;
            self.attributes += array.attributes.iter().count();
            self.chunks += chunks(array).len();
        }
        dataset.visit_groups(&mut |_, group| self.attributes += group.attributes.iter().count());
    }

    /// Fails unless at least so many files, arrays, chunks and attributes were compared, every difference is a known
    /// one, and every known one was met.
    fn require(&self, what: &str, floors: [usize; 4], known: Known<'_>) {
        let counts = [self.files, self.arrays, self.chunks, self.attributes];
        println!("{what}: {counts:?} files, arrays, chunks, attributes");
        let mut met = BTreeSet::new();
        let mut unknown = Vec::new();
        for (file, differences) in &self.differences {
            for difference in differences {
                let explained = known.iter().position(|(name, beginning, _)| {
                    file.starts_with(name) && difference.starts_with(beginning)
                });
                match explained {
                    Some(number) => drop(met.insert(number)),
                    None => unknown.push(format!("{file}: {difference:.600}")),
                }
            }
        }
        let total = unknown.len();
        unknown.truncate(MOST_SHOWN);
        assert!(unknown.is_empty(), "{what}, {total} differences:\n{}", unknown.join("\n"));
        for (number, entry) in known.iter().enumerate() {
            assert!(met.contains(&number), "{what}: no longer a difference: {entry:?}");
        }
        let enough = counts.iter().zip(floors).all(|(count, floor)| *count >= floor);
        assert!(enough, "{what}: only {counts:?} were compared, not {floors:?}");
    }
}
