// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time and memory of many made-up references: `many_references OUT MILLIONS`.
//!
//! A cube of one variable, with 1,000 chunks of each of its objects, is written to what the name of OUT asks for: `.json`,
//! `.parq`, or `.icechunk` with the feature `icechunk`.

use std::path::Path;
use std::time::Instant;

use chunkref::EmitOptions;
use chunkref::emit::emit;
use chunkref::model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, Dataset, ManifestBuilder,
    ObjectVersion, Source,
};

/// Chunks of one object: 20 by 50.
const CHUNKS: [u64; 2] = [20, 50];

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(out), Some(millions)) = (arguments.next(), arguments.next()) else {
        return Err("give an output and a number of millions".into());
    };
    let steps = millions.parse::<u64>()?.saturating_mul(1000);
    let start = Instant::now();
    let dataset = dataset(steps)?;
    eprintln!("made up in {:.1} s, {}", start.elapsed().as_secs_f64(), memory());
    let start = Instant::now();
    let out = Path::new(&out);
    let emitted = emit(&dataset, out, &EmitOptions::default())?;
    eprintln!(
        "{} references, {} bytes in {:.1} s, {}",
        emitted.references,
        emitted.bytes,
        start.elapsed().as_secs_f64(),
        memory()
    );
    Ok(())
}

fn dataset(steps: u64) -> Result<Dataset, Box<dyn std::error::Error + Send + Sync>> {
    let mut dataset = Dataset::new();
    let [rows, columns] = CHUNKS;
    let mut manifest = ManifestBuilder::new([steps, rows, columns])?;
    for step in 0..steps {
        let version = ObjectVersion {
            length: 1 << 30,
            e_tag: Some(format!(
                "\"{:032x}\"",
                u128::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c)
            )),
            last_modified: None,
        };
        let location = format!("s3://some-bucket/level-2/2024/{:03}/cube_{step:07}.nc", step % 366);
        let source = dataset.add_source(Source { location, version: Some(version) });
        let mut offset = 4096;
        for row in 0..rows {
            for column in 0..columns {
                let length = 100_000 + (step * 7919 + row * 104_729 + column * 1_299_709) % 50_000;
                manifest
                    .push(&[step, row, column], ChunkRef::Virtual { source, offset, length })?;
                offset += length;
            }
        }
    }
    let array = Array {
        shape: vec![steps, rows * 100, columns * 100],
        dimensions: ["time", "y", "x"].map(str::to_owned).to_vec(),
        dtype: DataType::Float { length: 4, order: ByteOrder::Little },
        fill_value: None,
        chunk_grid: ChunkGrid::regular([1, 100, 100]),
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest: manifest.finish()?,
    };
    dataset.root.arrays.insert("variable".to_owned(), array);
    dataset.define_dimensions();
    Ok(dataset)
}

/// The most memory that this process has had, where the system says it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("peak {}", peak.unwrap_or("unknown").trim())
}
