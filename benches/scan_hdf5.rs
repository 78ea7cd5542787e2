// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scanning a local file of 18,432 chunks, beside what libhdf5 itself takes to say where they are.
//!
//! `cargo xtask bench` writes the file (`target/fixtures/mcmipf/tiny.nc`) and runs this. With the feature `libhdf5` the
//! same run measures libhdf5's walk: every dataset opened, `H5Dchunk_iter` over its chunks, every attribute of numbers or text read.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::thread;

use chunkref::emit::KerchunkJson;
use chunkref::{EmitOptions, Emitter, Scan, ScanOptions};
use criterion::{Criterion, criterion_group, criterion_main};
use futures::executor::block_on;

/// Files that are scanned at the same time.
const FILES: usize = 8;

fn twin() -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fixtures/mcmipf/tiny.nc");
    assert!(target.exists(), "{} is not there: run `cargo xtask fixtures`", target.display());
    target
}

fn scan(path: &Path, inline_threshold: u64) -> Scan {
    let options = ScanOptions::default().with_inline_threshold(inline_threshold);
    let Ok(scan) = block_on(chunkref::scan(&path.to_string_lossy(), &options)) else {
        unreachable!("the twin is a sound file")
    };
    scan
}

fn one_file(criterion: &mut Criterion) {
    let path = twin();
    let mut group = criterion.benchmark_group("mcmipf twin");
    group.bench_function("scan", |bencher| bencher.iter(|| scan(black_box(&path), 0)));
    group.bench_function("scan, small chunks inline", |bencher| {
        bencher.iter(|| scan(black_box(&path), 500));
    });
    let dataset = scan(&path, 0).dataset;
    let out = path.with_extension("bench.json");
    group.bench_function("write kerchunk JSON", |bencher| {
        bencher.iter(|| KerchunkJson.emit(&dataset, &out, &EmitOptions::default()).is_ok());
    });
    #[cfg(feature = "libhdf5")]
    group.bench_function("libhdf5: chunks and attributes", |bencher| {
        bencher.iter(|| libhdf5::walk(black_box(&path)));
    });
    group.finish();
}

fn many_files(criterion: &mut Criterion) {
    let path = twin();
    let mut group = criterion.benchmark_group("8 mcmipf twins");
    group.sample_size(20);
    group.bench_function("one after another", |bencher| {
        bencher.iter(|| (0..FILES).map(|_| scan(&path, 0).dataset.arrays().len()).sum::<usize>());
    });
    group.bench_function("on two threads", |bencher| {
        bencher.iter(|| {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for _ in 0..FILES / 2 {
                            black_box(scan(&path, 0));
                        }
                    });
                }
            });
        });
    });
    group.finish();
}

#[cfg(feature = "libhdf5")]
mod libhdf5 {
    //! What libhdf5 takes for the same knowledge.

    use std::path::Path;

    use hdf5_metno::types::{self, TypeDescriptor};
    use hdf5_metno::{Attribute, File};

    /// Reads a value by its own type, so that no conversion fails; references and compounds are only asked for.
    fn read(attribute: &Attribute) -> hdf5_metno::Result<usize> {
        use TypeDescriptor::{Float, Integer, Unsigned, VarLenAscii, VarLenUnicode};
        Ok(match attribute.dtype()?.to_descriptor()? {
            Integer(_) | Unsigned(_) | Float(_) => attribute.read_raw::<f64>()?.len() * 8,
            VarLenUnicode => {
                let texts = attribute.read_raw::<types::VarLenUnicode>()?;
                texts.iter().map(types::VarLenUnicode::len).sum()
            }
            VarLenAscii => {
                let texts = attribute.read_raw::<types::VarLenAscii>()?;
                texts.iter().map(types::VarLenAscii::len).sum()
            }
            _ => 0,
        })
    }

    /// The number of chunks and the bytes of all attributes.
    pub(crate) fn walk(path: &Path) -> (usize, usize) {
        let (mut chunks, mut bytes) = (0, 0);
        let Ok(file) = File::open(path) else { return (0, 0) };
        for dataset in file.datasets().unwrap_or_default() {
            if dataset.is_chunked() {
                let visited = dataset.chunks_visit(|_| {
                    chunks += 1;
                    0
                });
                if visited.is_err() {
                    return (0, 0);
                }
            }
            for name in dataset.attr_names().unwrap_or_default() {
                if let Ok(attribute) = dataset.attr(&name) {
                    bytes += read(&attribute).unwrap_or(0);
                }
            }
        }
        (chunks, bytes)
    }
}

criterion_group!(benches, one_file, many_files);
criterion_main!(benches);
