// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the messages of a file begin, by the chain of their lengths.
//!
//! A message says how long it is, so the next one begins behind it, or behind some padding. Small messages are read
//! as they lie, in blocks each of which is longer than the one before it. Of large messages only the heads are
//! read; followed from the start that would take a round for each message. So the chain is followed from several
//! places at once: a place is synchronised when a message begins there whose length lands on its end section.
//! Neighbouring chains meet where one reaches the start of the next; a chain that runs over a start shows that it
//! was none. An index sidecar gives all starts at once, and is checked in the same way.

mod block;
mod seed;
mod segment;

use bytes::Bytes;
use chunkref_core::Steps;

use self::block::Block;
use self::seed::{Budget, seed};
use self::segment::{END_BYTES, Segment, State, join};
use crate::error::{Grib2Error, Result};
use crate::reader::Reader;
use crate::section::indicator::Indicator;

/// Bytes of a message that are read when its start is known: its sections without bit map and data fit mostly.
pub(crate) const HEAD_BYTES: u64 = 512;

/// Bytes of the file's head that the first round reads.
const FIRST_BYTES: u64 = 16 << 10;

/// Bytes that a search through what is no message reads at first.
const SEARCH_BYTES: u64 = 16 << 10;

/// Mean bytes of messages that are small: a request for the head of each would cost more than reading them whole.
const SMALL_BYTES: u64 = 16 << 10;

/// Bytes of one round at the most, but for a head of each chain.
const ROUND_BYTES: u64 = 64 << 20;

/// A message of the file.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    pub(crate) indicator: Indicator,
    /// Its first bytes; fewer than all, and seldom fewer than section 0.
    pub(crate) head: Bytes,
}

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: u64,
    pub(crate) reason: String,
}

/// All messages of a file.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) messages: Vec<Found>,
    pub(crate) faults: Vec<Fault>,
}

/// Finds all messages; `starts` are places where an index says that messages begin.
pub(crate) async fn walk(reader: &mut Reader<'_>, starts: &[u64]) -> Result<Walk> {
    let (length, limit) = (reader.length(), reader.limits().objects);
    let claimed = starts.len() as u64;
    Grib2Error::check_limit("index sidecar", 0, "messages", claimed, ("objects", limit))?;
    let inside: Vec<u64> =
        starts.iter().copied().filter(|&start| start > 0 && start < length).collect();
    let is_indexed = !inside.is_empty();
    let first = if is_indexed { HEAD_BYTES } else { FIRST_BYTES };
    let mut segments: Vec<_> =
        std::iter::once(0).chain(inside).map(|start| Segment::chain(start, first)).collect();
    let mut budget = Budget::new(length);
    // With all starts known, the end of the last message is all that is wanted besides.
    let mut end = is_indexed.then(|| length.saturating_sub(END_BYTES)..length);
    loop {
        let stops = stops(&segments);
        let going = segments.iter().filter(|segment| segment.is_going()).count() as u64;
        let most = ROUND_BYTES.checked_div(going).unwrap_or(0);
        let wanted =
            segments.iter().zip(&stops).filter_map(|(segment, stop)| segment.wants(*stop, most));
        let mut ranges: Vec<_> = wanted.collect();
        if ranges.is_empty() {
            break;
        }
        ranges.extend(end.take());
        let blocks = reader.read(&ranges).await?;
        let mut blocks = blocks
            .into_iter()
            .zip(&ranges)
            .map(|(bytes, range)| Block { start: range.start.min(length), bytes });
        let mut work = Steps::new(reader.cancellation());
        let mut along = 0_u64;
        for (segment, stop) in segments.iter_mut().zip(stops) {
            if segment.is_going()
                && let Some(block) = blocks.next()
            {
                let is_chain = !segment.is_searching();
                segment.take(&block, length, stop, &mut work)?;
                if is_chain {
                    along =
                        along.saturating_add((block.bytes.len() as u64).saturating_sub(HEAD_BYTES));
                }
            }
        }
        if let (Some(block), Some(segment)) = (blocks.next(), segments.last_mut())
            && matches!(segment.state, State::Chain(at) if at == length)
        {
            segment.take(&block, length, None, &mut work)?;
        }
        // What was read along with heads is not kept, and is less than the file.
        reader.give_back(along);
        join(&mut segments);
        let found = |segment: &Segment| segment.messages.len().saturating_add(segment.faults.len());
        let count = segments.iter().map(|segment| found(segment) as u64).sum();
        Grib2Error::check_limit("file", 0, "messages", count, ("objects", limit))?;
        if !is_indexed {
            seed(&mut segments, length, &budget);
            budget.spend(&mut segments);
        }
    }
    let mut walk = Walk::default();
    for segment in segments {
        walk.messages.extend(segment.messages);
        walk.faults.extend(segment.faults);
    }
    Ok(walk)
}

/// For each chain, where the next one begins of which it is known.
fn stops(segments: &[Segment]) -> Vec<Option<u64>> {
    let mut stops = Vec::new();
    let mut next = None;
    for segment in segments.iter().rev() {
        stops.push(next);
        next = segment.stop().or(next);
    }
    stops.reverse();
    stops
}

#[cfg(test)]
mod tests {
    use chunkref_core::{MemorySource, ScanOptions};
    use futures::executor::block_on;

    use super::*;
    use crate::section::indicator::END;

    fn message(length: u64) -> Vec<u8> {
        let mut bytes = b"GRIB\xff\xff\x00\x02".to_vec();
        bytes.extend(length.to_be_bytes());
        bytes.resize(usize::try_from(length).unwrap() - 4, 1);
        bytes.extend(END);
        bytes
    }

    fn found(bytes: Vec<u8>, starts: &[u64]) -> (Vec<u64>, Vec<Fault>) {
        let source = MemorySource::new("memory://a", bytes.into());
        let options = ScanOptions::default();
        let walk = block_on(walk(&mut Reader::new(&source, &options), starts)).unwrap();
        (walk.messages.iter().map(|message| message.offset).collect(), walk.faults)
    }

    /// Messages of many lengths, and where they begin.
    fn many(count: u64) -> (Vec<u8>, Vec<u64>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for index in 0..count {
            starts.push(bytes.len() as u64);
            bytes.extend(message(40 + (index * 7919) % 30_011));
        }
        (bytes, starts)
    }

    #[test]
    fn chains_from_many_places_find_each_message_once() {
        let (bytes, starts) = many(400);
        assert_eq!(found(bytes.clone(), &[]), (starts.clone(), Vec::new()));
        assert_eq!(found(bytes.clone(), &starts), (starts.clone(), Vec::new()));
        // An index of which every second start is wrong, in both ways.
        let wrong: Vec<u64> = starts
            .iter()
            .enumerate()
            .map(|(index, start)| start + (index as u64 % 2) * 9)
            .collect();
        assert_eq!(found(bytes, &wrong), (starts, Vec::new()));
    }

    #[test]
    fn messages_within_messages_are_none() {
        // Data that holds a whole message, of which a search may find the start.
        let inner = message(5000);
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for _ in 0..300 {
            starts.push(bytes.len() as u64);
            let mut outer = message(12_000);
            outer[100..5100].copy_from_slice(&inner);
            bytes.extend(outer);
        }
        assert_eq!(found(bytes, &[]), (starts, Vec::new()));
    }

    #[test]
    fn messages_behind_padding_and_junk_are_found_everywhere() {
        for length in [40, 3000, 40_000_u64] {
            for pad in [8, 120, 5000] {
                let (mut bytes, mut starts) = (vec![b'G'; 700], Vec::new());
                for index in 0..200 {
                    starts.push(bytes.len() as u64);
                    bytes.extend(message(length + index % 7));
                    bytes.resize(bytes.len().next_multiple_of(pad), 0);
                    if index % 50 == 0 {
                        bytes.resize(bytes.len() + 40_000, b'R');
                    }
                }
                bytes.extend(b"GRIB\0\0\0\x02GRIB");
                let (offsets, faults) = found(bytes.clone(), &[]);
                assert_eq!((offsets, faults), (starts.clone(), Vec::new()), "{length} {pad}");
                assert_eq!(found(bytes, &starts).0, starts, "{length} {pad}");
            }
        }
    }

    /// Where messages are by following the chain alone.
    fn followed(bytes: &[u8]) -> Vec<u64> {
        let (mut starts, mut at) = (Vec::new(), 0);
        while at + 20 <= bytes.len() {
            let length = (&bytes[at..at + 4] == b"GRIB" && bytes[at + 7] == 2)
                .then(|| u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()));
            let end = length.and_then(|length| at.checked_add(usize::try_from(length).ok()?));
            match end.filter(|&end| end >= at + 20 && bytes.get(end - 4..end) == Some(&END)) {
                Some(end) => {
                    starts.push(at as u64);
                    at = end;
                }
                None => at += 1,
            }
        }
        starts
    }

    #[test]
    fn files_of_chance_are_walked_as_the_chain_goes() {
        let mut number = 1_u64;
        let mut below = |most: u64| {
            number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (number >> 33) % most
        };
        for round in 0..60 {
            let (mut bytes, large) = (Vec::new(), [300, 5000, 60_000][round % 3]);
            for _ in 0..below(300) {
                let length = if below(3) == 0 { 20 + below(large) } else { 20 + below(400) };
                let mut outer = message(length);
                let inner = message(20 + below(60));
                let place = usize::try_from(16 + below(200)).unwrap();
                if below(4) == 0 && place + inner.len() + 4 < outer.len() {
                    outer[place..place + inner.len()].copy_from_slice(&inner);
                }
                bytes.extend(outer);
                match below(12) {
                    0 => bytes.extend(vec![0; usize::try_from(below(200)).unwrap()]),
                    1 => bytes.extend(b"GRIB\0\0\0\x02\0\0\0\0\0\0\x01\0"),
                    2 => bytes.extend(vec![b'G'; usize::try_from(below(40_000)).unwrap()]),
                    _ => {}
                }
            }
            let expected = followed(&bytes);
            assert_eq!(found(bytes.clone(), &[]).0, expected, "{round}");
            let some: Vec<u64> = expected.iter().copied().filter(|_| below(3) > 0).collect();
            assert_eq!(found(bytes, &some).0, expected, "{round}, some starts");
        }
    }

    #[test]
    fn junk_is_stepped_over_and_damage_is_told() {
        let junk = vec![b'G'; 70_000];
        let bytes = [&junk[..], &message(50), &junk, &message(60), b"GRI"].concat();
        assert_eq!(found(bytes.clone(), &[]), (vec![70_000, 140_050], Vec::new()));
        let mut damaged = bytes;
        damaged[70_049] = 0;
        let (starts, faults) = found(damaged, &[]);
        assert_eq!(starts, [140_050]);
        assert_eq!(faults[0].offset, 70_000);
        assert_eq!(found(vec![0; 100_000], &[]), (Vec::new(), Vec::new()));
    }
}
