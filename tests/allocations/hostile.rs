// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bodies of the fuzz targets on a bounded number of changed seeds, the same ones on every run: no panic, all
//! properties hold, and no input takes much memory.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use allocation_counter::measure;
use chunkref_fuzzing::mutation::Changed;
use chunkref_fuzzing::{TARGETS, named};

/// Seeds of each target that are changed.
const SEEDS: usize = 40;
/// Most bytes that are allocated at one time for one input.
const MOST_BYTES: u64 = 96 << 20;

macro_rules! targets {
    ($($name:ident $count:literal)*) => {
        $(
            #[test]
            fn $name() {
                bounded(stringify!($name), $count);
            }
        )*
        const TRIED: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    codecs 2000
    combine 1500
    grib_decode 1500
    grib_scan 600
    hdf5_chunk_index 600
    hdf5_filters 600
    hdf5_group 600
    hdf5_heap 600
    hdf5_message 600
    hdf5_scan 400
    hdf5_virtual 600
    kerchunk_json 300
    kerchunk_packed 300
    netcdf3_scan 600
    parquet 200
    words 3000
}

#[cfg(feature = "icechunk")]
#[test]
fn icechunk() {
    bounded("icechunk", 100);
}

#[test]
fn every_target_is_tried() {
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    let tried: Vec<_> = names.iter().copied().filter(|name| *name != "icechunk").collect();
    assert_eq!(tried, TRIED);
    assert_eq!(names.contains(&"icechunk"), cfg!(feature = "icechunk"));
}

fn fixtures() -> PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::env::var_os("CHUNKREF_FIXTURES")
        .map_or_else(|| root.join("target/fixtures"), PathBuf::from)
}

/// Runs a target on `count` changed seeds; what fails is saved for `chunkref-fuzzing run`.
fn bounded(name: &str, count: usize) {
    let target = named(name).unwrap();
    let mut changed = Changed::new(target, &fixtures(), SEEDS, 14);
    let seeds = changed.seeds();
    assert!(seeds > 0, "{name} has no seeds: run `cargo xtask fixtures` once");
    let mut most = 0;
    for number in 0..count {
        let input = changed.next_input();
        let mut outcome = Ok(());
        let cost = measure(|| {
            outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        });
        most = most.max(cost.bytes_max);
        if outcome.is_err() || cost.bytes_max > MOST_BYTES {
            let file = std::env::temp_dir().join(format!("chunkref-{name}-{number}"));
            fs::write(&file, &input).unwrap();
            panic!(
                "{name}: input {number}, {} bytes at one time: {}",
                cost.bytes_max,
                file.display()
            );
        }
    }
    println!("{name}: {count} inputs of {seeds} seeds, {most} bytes at one time at the most");
}
