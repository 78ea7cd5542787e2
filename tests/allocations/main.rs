// SPDX-License-Identifier: MIT OR Apache-2.0
//! What combining and writing cost, counted in allocations: twice the references cost at most twice the memory, and no
//! reference costs an allocation of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(test)]
mod hostile;

use allocation_counter::{AllocationInfo, measure};
use chunkref::combine::combine;
use chunkref::emit::{Target, write_kerchunk_json};
use chunkref::{CombineOptions, ConcatDimension, Dataset, EmitOptions};
use chunkref_testkit::scenes::scene;

fn scenes(count: u32, side: u64) -> Vec<Dataset> {
    (0..count).map(|number| scene(number, 4, side).unwrap()).collect()
}

fn options() -> CombineOptions {
    CombineOptions::default().with_concat(ConcatDimension::new("t"))
}

fn combining(inputs: &[Dataset]) -> (AllocationInfo, Dataset) {
    let mut cube = None;
    let cost = measure(|| cube = Some(combine(inputs, &options()).unwrap().dataset));
    (cost, cube.unwrap())
}

fn references(dataset: &Dataset) -> u64 {
    dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum()
}

#[test]
fn references_cost_memory_alone() {
    let (small, cube) = combining(&scenes(8, 24));
    let (large, cubes) = combining(&scenes(8, 48));
    let (few, many) = (references(&cube), references(&cubes));
    assert!(many > 3 * few && few > 18_000, "{few} and {many} references");
    // Coordinates grow with the side and columns with its square; the number of allocations with neither, but for columns
    // that grow by doubling.
    assert!(large.count_total < small.count_total + small.count_total / 4, "{small:?} {large:?}");
    assert!(small.count_total < few / 4, "{small:?} for {few} references");
    assert!(large.bytes_total < 4 * small.bytes_total + 4096, "{small:?} {large:?}");
    // 20 bytes a reference in the result, and as much while columns grow.
    assert!(large.bytes_max < many * 60 + 8 * 48 * 226 * 8 * 2, "{large:?} for {many}");
}

#[test]
fn inputs_cost_alike() {
    let (small, few) = combining(&scenes(16, 8));
    let (large, many) = combining(&scenes(64, 8));
    assert_eq!(references(&many) - 3, 4 * (references(&few) - 3));
    assert!(large.count_total < 4 * small.count_total + 4096, "{small:?} {large:?}");
    assert!(large.bytes_total < 4 * small.bytes_total + 65_536, "{small:?} {large:?}");
}

#[test]
fn writing_costs_no_allocation_per_reference() {
    let (_, cube) = combining(&scenes(8, 48));
    let count = references(&cube);
    let cost = measure(|| {
        write_kerchunk_json(&cube, &EmitOptions::default(), std::io::sink()).unwrap();
    });
    assert!(cost.count_total < count / 50, "{cost:?} for {count} references");
    assert!(cost.bytes_max < 4 << 20, "{cost:?}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cube.parq");
    let cost = measure(|| {
        Target::of(&path).emitter().emit(&cube, &path, &EmitOptions::default()).unwrap();
    });
    // Threads of the emitter count for themselves; what is left here is metadata.
    assert!(cost.count_total < count / 20, "{cost:?} for {count} references");
}
