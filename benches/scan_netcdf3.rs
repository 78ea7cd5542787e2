// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scanning local NetCDF classic files: one of every type, and one with a long header.
//!
//! `cargo xtask fixtures` writes `target/fixtures/netcdf3`, which this reads.

use std::hint::black_box;
use std::path::Path;

use chunkref::ScanOptions;
use criterion::{Criterion, criterion_group, criterion_main};
use futures::executor::block_on;

fn scans(criterion: &mut Criterion) {
    for name in ["types.cdf5.nc", "long_header.cdf1.nc"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fixtures/netcdf3");
        let path = folder.join(name).to_string_lossy().into_owned();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let scan = block_on(chunkref::scan(black_box(&path), &ScanOptions::default()));
                scan.map_or(0, |scan| scan.dataset.arrays().len())
            });
        });
    }
}

criterion_group!(benches, scans);
criterion_main!(benches);
