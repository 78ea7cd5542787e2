// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scanning local GRIB files: all fixtures, and one file of many messages made of them.
//!
//! `cargo xtask fixtures` writes `target/fixtures/grib2`, which this reads.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chunkref::{Scan, ScanOptions};
use criterion::{Criterion, criterion_group, criterion_main};
use futures::executor::block_on;

/// Times that the fixtures are put one after another into one file.
const COPIES: usize = 20;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fixtures/grib2");
    let entries =
        std::fs::read_dir(&folder).map(|entries| entries.flatten().map(|entry| entry.path()));
    let mut paths: Vec<_> = entries.map(Iterator::collect).unwrap_or_default();
    assert!(!paths.is_empty(), "{} is not there: run `cargo xtask fixtures`", folder.display());
    paths.sort();
    paths
}

fn scan(path: &Path) -> usize {
    count(block_on(chunkref::scan(&path.to_string_lossy(), &ScanOptions::default())).ok())
}

fn count(scan: Option<Scan>) -> usize {
    scan.map_or(0, |scan| scan.dataset.arrays().len())
}

fn files(criterion: &mut Criterion) {
    let paths = fixtures();
    criterion.bench_function("grib fixtures", |bencher| {
        bencher.iter(|| paths.iter().map(|path| scan(black_box(path))).sum::<usize>());
    });
}

fn many_messages(criterion: &mut Criterion) {
    let all: Vec<u8> =
        fixtures().iter().filter_map(|path| std::fs::read(path).ok()).flatten().collect();
    let bytes = Bytes::from(all.repeat(COPIES));
    let mut group = criterion.benchmark_group("one file of many messages");
    for layout in ["tree", "flat", "messages"] {
        let options = ScanOptions::default().with_format_option("grib.layout", layout);
        group.bench_function(layout, |bencher| {
            bencher.iter(|| {
                count(block_on(chunkref::open(bytes.clone(), "memory://a", &options)).ok())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, files, many_messages);
criterion_main!(benches);
