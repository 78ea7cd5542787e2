// SPDX-License-Identifier: MIT OR Apache-2.0
//! What scans cost: rounds, requests and bytes, by the number and the lengths of messages.

use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::ObjectVersion;
use chunkref_core::{ByteSource, MemorySource, ScanOptions, Scanner as _, SourceError};
use futures::executor::block_on;

use crate::Grib2Scanner;

/// Rounds, requests and bytes.
type Cost = (u64, u64, u64);

/// A source that counts as `chunkref-store` does: neighbours of less than 32 KiB apart are one request, and the first
/// 64 KiB come with the opening.
#[derive(Debug)]
struct Counting(MemorySource, Mutex<Cost>);

impl Counting {
    fn count(&self, requests: &[Range<u64>]) {
        let mut cost = self.1.lock().unwrap();
        cost.0 += u64::from(!requests.is_empty());
        cost.1 += requests.len() as u64;
        cost.2 += requests.iter().map(|range| range.end - range.start).sum::<u64>();
    }
}

#[async_trait]
impl ByteSource for Counting {
    fn location(&self) -> &str {
        self.0.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.0.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let mut wanted: Vec<_> = ranges.iter().filter(|range| range.end > 64 << 10).collect();
        wanted.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in wanted {
            match merged.last_mut() {
                Some(last) if range.start <= last.end + (32 << 10) => {
                    last.end = last.end.max(range.end);
                }
                _ => merged.push(range.clone()),
            }
        }
        self.count(&merged);
        self.0.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.0.open_sibling(path).await
    }
}

/// A message of edition 1 or 2 on 3 by 2 points, of so many bytes at least, at an hour of its own.
pub(crate) fn message(edition: u8, index: usize, bytes: usize) -> Vec<u8> {
    let part = |count: usize, from: usize| u8::try_from(index / count % from).unwrap();
    let (hour, day, month, year) =
        (part(1, 24), 1 + part(24, 28), 1 + part(672, 12), part(8064, 99));
    if edition == 1 {
        let mut body = vec![0, 0, 28, 128, 98, 145, 255, 0x80, 167, 105, 0, 2];
        body.extend([1 + year, month, day, hour, 0, 1, 6, 0, 0, 0, 0, 0, 21, 0, 0, 0]);
        body.extend([0, 0, 32, 0, 255, 0, 0, 3, 0, 2, 0, 0xea, 0x60, 0x80, 0x27, 0x10, 0x80]);
        body.extend([0, 0xe6, 0x78, 0x80, 0x1f, 0x40, 3, 0xe8, 3, 0xe8, 0, 0, 0, 0, 0]);
        let data = u32::try_from(bytes.saturating_sub(body.len() + 12).max(11)).unwrap();
        body.extend(&data.to_be_bytes()[1..]);
        body.resize(body.len() - 3 + data as usize, 0);
        let length = u32::try_from(body.len() + 12).unwrap().to_be_bytes();
        return [&b"GRIB"[..], &length[1..], &[1], &body, b"7777"].concat();
    }
    let section = |number: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 5).unwrap();
        [&length.to_be_bytes(), &[number][..], body].concat()
    };
    let mut grid = [&[0, 0, 0, 0, 6, 0, 0, 0, 0, 6][..], &[255; 15]].concat();
    for value in [3, 2, 0, u32::MAX, 60_000_000, 0] {
        grid.extend(value.to_be_bytes());
    }
    grid.push(48);
    for value in [59_000_000_u32, 2_000_000, 1_000_000, 1_000_000] {
        grid.extend(value.to_be_bytes());
    }
    grid.push(0);
    let product = [
        0, 0, 0, 0, 0, 0, 2, 0, 96, 0, 0, 0, 1, 0, 0, 0, 0, 103, 0, 0, 0, 0, 2, 255, 0, 0, 0, 0, 0,
    ];
    let packing = [&6_u32.to_be_bytes()[..], &[0; 14]].concat();
    let body = [
        section(1, &[0, 7, 0, 0, 2, 1, 1, 7, 208 + year % 40, month, day, hour, 0, 0, 0, 1]),
        section(3, &grid),
        section(4, &product),
        section(5, &packing),
        section(6, &[255]),
    ]
    .concat();
    let data = section(7, &vec![0; bytes.saturating_sub(body.len() + 25)]);
    let length = (body.len() + data.len() + 20) as u64;
    [&b"GRIB\0\0\0\x02"[..], &length.to_be_bytes(), &body, &data, b"7777"].concat()
}

/// A file of messages of so many bytes each, padded to a multiple of `pad`.
fn file(edition: u8, count: usize, pad: usize, bytes: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut file = Vec::new();
    for index in 0..count {
        file.extend(message(edition, index, bytes(index)));
        file.resize(file.len().next_multiple_of(pad), 0);
    }
    file
}

/// Scans a file that holds `count` fields, and says what that costs.
fn cost(file: Vec<u8>, count: usize, what: &str) -> Cost {
    let source = MemorySource::new("memory://a", file.into());
    let source = Counting(source, Mutex::new((1, 1, 64 << 10)));
    let scan = block_on(Grib2Scanner.scan(&source, &ScanOptions::default())).unwrap();
    assert!(scan.skipped.is_empty(), "{what}: {:?}", scan.skipped.first());
    let references: u64 = scan
        .dataset
        .arrays()
        .into_iter()
        .map(|(path, array)| if path.ends_with("/t2m") { array.manifest.present() } else { 0 })
        .sum();
    assert_eq!(references, count as u64, "{what}");
    *source.1.lock().unwrap()
}

/// A number that looks like one of chance, for each index.
fn scattered(index: usize, below: usize) -> usize {
    (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % below
}

#[test]
fn small_messages_are_read_once_in_few_rounds() {
    for edition in [1, 2] {
        for pad in [1, 120] {
            for count in [50, 500, 5000] {
                let what = format!("edition {edition}, {count} small messages padded to {pad}");
                let bytes = file(edition, count, pad, |index| 100 + scattered(index, 900));
                let most = bytes.len() as u64 + (64 << 10);
                let (rounds, requests, read) = cost(bytes, count, &what);
                assert!(
                    rounds <= 6 && requests <= 6 && read <= most,
                    "{what}: {rounds} {requests} {read}"
                );
            }
        }
    }
}

#[test]
fn large_messages_cost_few_rounds_and_their_heads() {
    for edition in [1, 2] {
        for pad in [1, 120] {
            for count in [100, 900] {
                let what = format!("edition {edition}, {count} large messages padded to {pad}");
                let bytes = file(edition, count, pad, |index| 20_000 + scattered(index, 140_000));
                let most = bytes.len() as u64 / 20 + (64 << 10);
                let (rounds, _, read) = cost(bytes, count, &what);
                assert!(
                    rounds <= 4 + 5 * u64::from(count.ilog2()) && read <= most,
                    "{what}: {rounds} {read}"
                );
            }
        }
    }
}

#[test]
fn runs_of_small_and_large_messages() {
    for edition in [1, 2] {
        for pad in [1, 120] {
            let what = format!("edition {edition}, runs padded to {pad}");
            let runs = |index: usize| {
                if (index / 200).is_multiple_of(2) { 200 + scattered(index, 400) } else { 60_000 }
            };
            let bytes = file(edition, 1000, pad, runs);
            let small: u64 = 600 * 500;
            let most = bytes.len() as u64 / 20 + 4 * small;
            let (rounds, _, read) = cost(bytes, 1000, &what);
            assert!(rounds <= 60 && read <= most, "{what}: {rounds} {read}");
            let what = format!("edition {edition}, mixed padded to {pad}");
            let bytes =
                file(
                    edition,
                    600,
                    pad,
                    |index| if scattered(index, 4) == 0 { 100_000 } else { 300 },
                );
            let most = bytes.len() as u64 / 12;
            let (rounds, _, read) = cost(bytes, 600, &what);
            assert!(rounds <= 60 && read <= most, "{what}: {rounds} {read}");
        }
    }
}
