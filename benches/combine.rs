// SPDX-License-Identifier: MIT OR Apache-2.0
//! Combining in memory, and writing what comes of it.
//!
//! Images of the size of GOES-16 MCMIPF: 32 variables of 24 by 24 chunks. The whole day, 144 images and 2.65 million chunks, is
//! what a released build does in one iteration of the largest case.

use chunkref::Emitter;
use chunkref::combine::combine;
use chunkref::emit::ParquetEmitter;
use chunkref::kerchunk_json::write_kerchunk_json;
use chunkref::{CombineOptions, ConcatDimension, Dataset, EmitOptions};
use chunkref_testkit::scenes::scene;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const BANDS: u32 = 32;
const SIDE: u64 = 24;

fn scenes(count: u32) -> Vec<Dataset> {
    (0..count).filter_map(|number| scene(number, BANDS, SIDE).ok()).collect()
}

fn references(count: u32) -> u64 {
    u64::from(count) * u64::from(BANDS) * SIDE * SIDE
}

fn combining(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("combine");
    group.sample_size(10);
    for count in [24, 144] {
        let inputs = scenes(count);
        let options = CombineOptions::default().with_concat(ConcatDimension::new("t"));
        group.throughput(Throughput::Elements(references(count)));
        group.bench_with_input(BenchmarkId::from_parameter(count), &inputs, |bencher, inputs| {
            bencher.iter(|| combine(inputs, &options));
        });
    }
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let options = CombineOptions::default().with_concat(ConcatDimension::new("t"));
    let Ok(combined) = combine(&scenes(144), &options) else { return };
    let cube = combined.dataset;
    let mut text = Vec::new();
    let written = write_kerchunk_json(&cube, &EmitOptions::default(), &mut text);
    let mut group = criterion.benchmark_group("write");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(written.map_or(0, |written| written.bytes)));
    drop(text);
    group.bench_function("json", |bencher| {
        bencher.iter(|| write_kerchunk_json(&cube, &EmitOptions::default(), std::io::sink()));
    });
    group.throughput(Throughput::Elements(references(144)));
    let folder = std::env::temp_dir().join("chunkref-bench.parq");
    let emitter = ParquetEmitter::default();
    group.bench_function("parquet", |bencher| {
        bencher.iter(|| emitter.emit(&cube, &folder, &EmitOptions::default()));
    });
    group.finish();
    let _ = std::fs::remove_dir_all(folder);
}

criterion_group!(benches, combining, writing);
criterion_main!(benches);
