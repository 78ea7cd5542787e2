// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cut and changed files: an error, or a result within the limits, soon. Never a panic, never a reference outside the file.

use crate::environment::{corpus, files, fixtures};
use bytes::Bytes;
use chunkref::core::{ByteSource, MemorySource, SourceError};
use chunkref::model::Source;
use chunkref::read::{Open, read_arrays};
use chunkref::{ChunkRef, Limits, Scan, ScanOptions};
use futures::executor::block_on;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Larger fixtures add time and no structure.
const MOST_BYTES: u64 = 64 * 1024;
const CUTS: u64 = 24;
const CHANGES: u64 = 24;
/// For one scan of one small file, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);
const LOCATION: &str = "memory://hostile";

#[test]
fn cut_files_give_an_error_or_a_bounded_result() {
    let (scans, sound) = on_every_fixture(
        |content, random| {
            let cut = usize::try_from(random % content.len() as u64).unwrap();
            content.truncate(cut);
        },
        CUTS,
    );
    assert!(
        scans > 1000 && sound < scans,
        "{scans} cut files were scanned, {sound} without an error"
    );
}

#[test]
fn changed_bits_give_an_error_or_a_bounded_result() {
    let (scans, sound) = on_every_fixture(
        |content, random| {
            // Metadata is denser at the beginning: half of the changes fall into the first 2 KiB.
            let reach = if random & 1 == 0 { content.len().min(2048) } else { content.len() };
            let place = usize::try_from((random >> 1) % reach as u64).unwrap();
            match (random >> 40) % 4 {
                0 => content[place] ^= 1 << ((random >> 50) % 8),
                1 => content[place] = 0xff,
                2 => content[place] = 0,
                _ => content[place..].iter_mut().take(8).for_each(|byte| *byte = 0xff),
            }
        },
        CHANGES,
    );
    // Most changes hit data or unused bytes; were all refused, the scan would not have been tried at all.
    assert!(
        scans > 1000 && sound > scans / 5,
        "{scans} changed files were scanned, {sound} without an error"
    );
}

#[test]
fn changed_messages_decode_to_an_error_or_a_whole_field() {
    let (mut decoded, mut refused) = (0, 0);
    for path in files(&fixtures("grib2"), &["grib2"]) {
        let content = fs::read(&path).unwrap();
        if content.len() as u64 > MOST_BYTES {
            continue;
        }
        for time in 0..CHANGES {
            let mut hostile = content.clone();
            let random = random(&path, time);
            let place = usize::try_from((random >> 1) % content.len() as u64).unwrap();
            match (random >> 40) % 4 {
                0 | 1 => hostile[place] ^= 1 << ((random >> 50) % 8),
                2 => hostile[place] = 0xff,
                _ => hostile[place..].iter_mut().take(4).for_each(|byte| *byte = 0xff),
            }
            let Ok(scan) = scan(&hostile) else { continue };
            let objects = Memory(MemorySource::new(LOCATION, hostile.into()));
            for (name, array) in scan.dataset.arrays().into_iter().take(12) {
                let paths = [name.clone()];
                let start = Instant::now();
                let read = read_arrays(&scan.dataset, &paths, 16 << 20, &objects);
                let outcome = catch_unwind(AssertUnwindSafe(|| block_on(read)));
                let (took, shown) = (start.elapsed(), path.display());
                let outcome = outcome.unwrap_or_else(|_| panic!("{shown}, change {time}: {name}"));
                assert!(took < PATIENCE, "{shown}, change {time}: {name}: {took:?}");
                match outcome {
                    Ok(values) => {
                        assert_eq!(values[0].len() as u64, array.logical_bytes().unwrap());
                        decoded += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(decoded > 500 && refused > 20, "{decoded} were decoded, {refused} refused");
}

#[test]
fn every_short_prefix_gives_an_error_or_a_bounded_result() {
    let path = fixtures("hdf5").join("single_chunk.latest.h5");
    let content = fs::read(&path).unwrap();
    for cut in 0..content.len().min(1500) {
        check(&path, &content[..cut], &format!("cut at {cut}"));
    }
    let whole = scan(&content).unwrap();
    assert!(!whole.dataset.arrays().is_empty());
}

#[test]
fn broken_files_of_others_give_an_error_or_a_bounded_result() {
    let Some(files) = corpus("malformed") else { return println!("no such files on this machine") };
    for path in files {
        check(&path, &fs::read(&path).unwrap(), "as it is");
    }
}

/// Change each small fixture `times` over and scan it; returns how many scans that were, and how many gave a result.
fn on_every_fixture(change: impl Fn(&mut Vec<u8>, u64) + Sync, times: u64) -> (usize, usize) {
    let mut paths = files(&fixtures("hdf5"), &["h5"]);
    paths.extend(files(&fixtures("netcdf4"), &["nc"]));
    paths.extend(files(&fixtures("grib2"), &["grib2"]));
    paths.extend(files(&fixtures("netcdf3"), &["nc"]));
    paths.retain(|path| fs::metadata(path).unwrap().len() <= MOST_BYTES);
    let half = paths.len().div_ceil(2);
    let sound = AtomicUsize::new(0);
    let work = |paths: &[PathBuf]| {
        for path in paths {
            let content = fs::read(path).unwrap();
            for time in 0..times {
                let mut hostile = content.clone();
                change(&mut hostile, random(path, time));
                if check(path, &hostile, &format!("change {time}")) {
                    sound.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| paths.chunks(half).for_each(|part| drop(scope.spawn(|| work(part)))));
    (paths.len() * usize::try_from(times).unwrap(), sound.into_inner())
}

/// A number that looks random and is the same on every run: FNV-1a over the name and the count, then mixed.
fn random(path: &Path, time: u64) -> u64 {
    let name = path.file_name().unwrap().to_string_lossy();
    let seed =
        name.bytes().chain(time.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 27)
}

fn scan(content: &[u8]) -> Result<Scan, chunkref::ScanError> {
    let mut limits = Limits::default();
    limits.metadata_bytes = 16 << 20;
    limits.structure_bytes = 4 << 20;
    limits.objects = 20_000;
    limits.chunks = 200_000;
    limits.members = 20_000;
    limits.inline_bytes = 4 << 20;
    let options = ScanOptions::default().with_limits(limits);
    futures::executor::block_on(chunkref::open(Bytes::copy_from_slice(content), LOCATION, &options))
}

/// The changed file, whatever references call it.
struct Memory(MemorySource);

#[async_trait::async_trait]
impl Open for Memory {
    async fn open(&self, _: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
        Ok(Arc::new(self.0.clone()))
    }
}

/// Scan, and check what comes back; whether that was a result.
fn check(path: &Path, content: &[u8], change: &str) -> bool {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| scan(content)));
    let (took, name) = (start.elapsed(), path.display());
    let Ok(result) = result else { panic!("{name}, {change}: the scan panicked") };
    assert!(took < PATIENCE, "{name}, {change}: {took:?}");
    let Ok(scan) = result else { return false };
    let mut chunks = 0_u64;
    for (array, contents) in scan.dataset.arrays() {
        contents.manifest.visit(&mut |chunk_indices, reference| {
            chunks += 1;
            let ChunkRef::Virtual { source, offset, length } = reference else { return };
            let location = scan.dataset.source(source).map(|source| source.location.as_str());
            let end = offset.checked_add(length);
            let inside = location != Some(LOCATION) || end.is_some_and(|end| end <= content.len() as u64);
            assert!(inside, "{name}, {change}: {array} {chunk_indices:?} is at {offset}+{length}, the file has {} bytes", content.len());
        });
    }
    assert!(chunks <= 200_000, "{name}, {change}: {chunks} chunks");
    true
}
