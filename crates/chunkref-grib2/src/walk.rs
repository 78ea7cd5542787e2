// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the messages of a file begin, by the chain of their lengths.
//!
//! A message says how long it is, so the next one begins behind it. Followed from the start that takes a round for each
//! message. So the chain is followed from several places at once: a place is synchronised when a message begins there
//! whose length lands on its end section. Neighbouring chains meet where one reaches the start of the next; a chain that
//! runs over a start shows that it was none. An index sidecar gives all starts at once, and is checked in the same way.

use std::ops::Range;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::error::{Grib2Error, Result};
use crate::reader::Reader;
use crate::section::indicator::{END, INDICATOR_BYTES, Indicator, SIGNATURE};

/// Bytes of a message that are read when its start is known: its sections without bit map and data fit mostly.
const HEAD_BYTES: u64 = 512;

/// Bytes of the file's head that the first round reads.
const FIRST_BYTES: u64 = 16 << 10;

/// Bytes that must be left of a block to read the next message from it too.
const ENOUGH_BYTES: u64 = 384;

/// Bytes that a search through what is no message reads at first, and at most.
const SEARCH_BYTES: Range<u64> = (16 << 10)..(1 << 20);

/// Messages between two chains from which on another one is started among them.
const MESSAGES_PER_CHAIN: u64 = 8;

/// Chains at the most.
const MOST_CHAINS: usize = 256;

/// Bytes of the file for each byte that searches for more chains may read.
const BYTES_PER_SEARCHED: u64 = 26;

/// Chains until so many messages are known.
const FIRST_CHAINS: u64 = 4;

/// Messages from which on their mean length is taken for that of all.
const SAMPLE: u64 = 10;

/// Bytes before a message that are read with it: the end section of the one before.
const END_BYTES: u64 = 4;

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

#[derive(Debug)]
enum State {
    /// A message is expected at this byte.
    Chain(u64),
    /// Messages are looked for from this byte on, so many bytes at a time.
    Search(u64, u64),
    Done,
}

/// One chain.
#[derive(Debug)]
struct Segment {
    /// Where its first message begins, once that is known.
    start: Option<u64>,
    /// The end of the message before its start, where it was read.
    lead: Option<[u8; 4]>,
    /// Whether messages are only looked for, and nothing yet says that what was found is one.
    tentative: bool,
    state: State,
    /// The last message, whose end is not checked.
    pending: Option<Found>,
    messages: Vec<Found>,
    /// Bytes of its messages.
    bytes: u64,
    faults: Vec<Fault>,
}

impl Segment {
    fn chain(at: u64) -> Self {
        Self {
            start: Some(at),
            lead: None,
            tentative: false,
            state: State::Chain(at),
            pending: None,
            messages: Vec::new(),
            bytes: 0,
            faults: Vec::new(),
        }
    }

    fn search(from: u64, window: u64) -> Self {
        Self {
            start: None,
            tentative: true,
            state: State::Search(from, window),
            ..Self::chain(from)
        }
    }

    fn wants(&self, first: bool) -> Option<Range<u64>> {
        match self.state {
            State::Chain(at) => {
                let bytes = if first { FIRST_BYTES } else { HEAD_BYTES };
                Some(at.saturating_sub(END_BYTES)..at.saturating_add(bytes))
            }
            State::Search(from, window) => Some(from..from.saturating_add(window)),
            State::Done => None,
        }
    }

    /// Goes on with what was read, up to `stop`, where the next chain begins.
    fn take(&mut self, block: &Block, length: u64, stop: Option<u64>) {
        loop {
            match self.state {
                State::Chain(at) => {
                    if !self.settle(at, block.array(at.wrapping_sub(END_BYTES))) {
                        return;
                    }
                    if at >= length || stop == Some(at) {
                        self.state = State::Done;
                        return;
                    }
                    if self.start == Some(at) {
                        self.lead = at.checked_sub(END_BYTES).and_then(|lead| block.array(lead));
                    }
                    match block.indicator(at) {
                        Some(indicator) => {
                            self.expect(at, indicator, block, length);
                            if !self.goes_on_in(block, length) {
                                return;
                            }
                        }
                        None => self.state = State::Search(at, SEARCH_BYTES.start),
                    }
                }
                State::Search(from, window) => {
                    let end = block.end();
                    if from >= end || !self.look(from, block, length) {
                        if end >= length {
                            self.state = State::Done;
                        } else if from < end {
                            let window = if self.tentative {
                                window
                            } else {
                                window.saturating_mul(2).min(SEARCH_BYTES.end)
                            };
                            // What begins in the last bytes is only whole with the next ones.
                            let from =
                                end.saturating_sub(INDICATOR_BYTES).max(from.saturating_add(1));
                            self.state = State::Search(from, window);
                        }
                        return;
                    }
                    if !self.goes_on_in(block, length) {
                        return;
                    }
                }
                State::Done => return,
            }
        }
    }

    /// Checks that the pending message ends before `at`; false when the search goes on in bytes that are not here.
    fn settle(&mut self, at: u64, end: Option<[u8; 4]>) -> bool {
        let Some(message) = self.pending.take() else { return true };
        if end == Some(END) {
            self.tentative = false;
            self.bytes = self.bytes.saturating_add(message.indicator.length);
            self.messages.push(message);
            return true;
        }
        let from = message.offset.saturating_add(END_BYTES);
        if self.tentative {
            self.start = None;
        } else {
            self.faults.push(Fault {
                offset: message.offset,
                reason: format!(
                    "the message of {} bytes does not end with 7777 at byte {}: its length or its bytes are damaged",
                    message.indicator.length,
                    at.saturating_sub(END_BYTES)
                ),
            });
        }
        self.state = State::Search(from, SEARCH_BYTES.start);
        false
    }

    /// A message begins at `at`: the next one is expected behind it, when the file is long enough.
    fn expect(&mut self, at: u64, indicator: Indicator, block: &Block, length: u64) {
        if let Some(end) = at.checked_add(indicator.length).filter(|&end| end <= length) {
            if self.tentative {
                self.start = Some(at);
            }
            self.pending = Some(Found { offset: at, indicator, head: block.from(at) });
            self.state = State::Chain(end);
            return;
        }
        if !self.tentative {
            self.faults.push(Fault {
                offset: at,
                reason: format!(
                    "the message claims {} bytes, but the file ends {} bytes behind its start: it is cut off or damaged",
                    indicator.length,
                    length.saturating_sub(at)
                ),
            });
        }
        self.state = State::Search(at.saturating_add(END_BYTES), SEARCH_BYTES.start);
    }

    /// Looks for the start of a message in the block from `from` on.
    fn look(&mut self, from: u64, block: &Block, length: u64) -> bool {
        let mut from = from;
        while let Some(at) = block.find(from) {
            let Some(indicator) = block.indicator(at) else {
                from = at.saturating_add(1);
                continue;
            };
            self.expect(at, indicator, block, length);
            if matches!(self.state, State::Chain(_)) {
                return true;
            }
            from = at.saturating_add(END_BYTES);
        }
        false
    }

    /// Whether the block holds what this chain reads next.
    fn goes_on_in(&self, block: &Block, length: u64) -> bool {
        match self.state {
            State::Chain(at) => {
                let wanted = at.saturating_add(ENOUGH_BYTES).min(length);
                at.saturating_sub(END_BYTES) >= block.start && wanted <= block.end()
            }
            State::Search(from, _) => from >= block.start && from < block.end(),
            State::Done => false,
        }
    }
}

/// Bytes of the file.
#[derive(Debug)]
struct Block {
    start: u64,
    bytes: Bytes,
}

impl Block {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }

    fn place(&self, at: u64) -> Option<usize> {
        usize::try_from(at.checked_sub(self.start)?).ok()
    }

    fn array(&self, at: u64) -> Option<[u8; 4]> {
        let rest = self.bytes.get(self.place(at)?..)?;
        rest.first_chunk().copied()
    }

    fn from(&self, at: u64) -> Bytes {
        match self.place(at) {
            Some(place) if place <= self.bytes.len() => self.bytes.slice(place..),
            _ => Bytes::new(),
        }
    }

    fn indicator(&self, at: u64) -> Option<Indicator> {
        let bytes = self.from(at);
        Indicator::parse(&mut Cursor::new(&bytes, at, "indicator section")).ok().flatten()
    }

    /// The first `GRIB` from `from` on.
    fn find(&self, from: u64) -> Option<u64> {
        let rest = self.bytes.get(self.place(from.max(self.start))?..)?;
        let place = rest.windows(SIGNATURE.len()).position(|window| window == SIGNATURE)?;
        from.max(self.start).checked_add(place as u64)
    }
}

/// Finds all messages; `starts` are places where an index says that messages begin.
pub(crate) async fn walk(reader: &mut Reader<'_>, starts: &[u64]) -> Result<Walk> {
    let (length, limit) = (reader.length(), reader.limits().objects);
    Grib2Error::check_limit(
        "index sidecar",
        0,
        "messages",
        starts.len() as u64,
        ("objects", limit),
    )?;
    let inside = starts.iter().filter(|&&start| start > 0 && start < length);
    let mut segments: Vec<_> =
        std::iter::once(&0).chain(inside).map(|&start| Segment::chain(start)).collect();
    let is_indexed = segments.len() > 1;
    let mut is_first = true;
    let mut budget = length.div_euclid(BYTES_PER_SEARCHED);
    loop {
        let mut ranges: Vec<_> =
            segments.iter().filter_map(|segment| segment.wants(is_first && !is_indexed)).collect();
        if ranges.is_empty() {
            break;
        }
        if is_indexed && is_first {
            // With all starts known, the end of the last message is all that is wanted besides.
            ranges.push(length.saturating_sub(END_BYTES)..length);
        }
        let mut blocks = reader
            .read(&ranges)
            .await?
            .into_iter()
            .zip(&ranges)
            .map(|(bytes, range)| Block { start: range.start.min(length), bytes });
        let stops: Vec<_> = segments.iter().skip(1).map(Segment::stop).chain([None]).collect();
        for (segment, stop) in segments.iter_mut().zip(stops) {
            if !matches!(segment.state, State::Done)
                && let Some(block) = blocks.next()
            {
                segment.take(&block, length, stop);
            }
        }
        if let (Some(end), Some(segment)) = (blocks.next(), segments.last_mut())
            && matches!(segment.state, State::Chain(at) if at == length)
        {
            segment.take(&end, length, None);
        }
        is_first = false;
        join(&mut segments);
        let found = |segment: &Segment| segment.messages.len().saturating_add(segment.faults.len());
        let count = segments.iter().map(|segment| found(segment) as u64).sum();
        Grib2Error::check_limit("file", 0, "messages", count, ("objects", limit))?;
        if !is_indexed {
            seed(&mut segments, length, budget);
            spend(&mut segments, &mut budget);
        }
    }
    let mut walk = Walk::default();
    for segment in segments {
        walk.messages.extend(segment.messages);
        walk.faults.extend(segment.faults);
    }
    Ok(walk)
}

/// Ends chains that have reached the start of the next, and takes those out that a chain has run over.
fn join(segments: &mut Vec<Segment>) {
    let mut rest = std::mem::take(segments).into_iter().peekable();
    while let Some(mut segment) = rest.next() {
        while let Some(next) = rest.peek()
            && !segment.meet(next)
        {
            rest.next();
        }
        segments.push(segment);
    }
}

impl Segment {
    /// Ends this chain where it has reached the start of `next`; false when it has run over it, so that there is no next.
    fn meet(&mut self, next: &Self) -> bool {
        let reached = match &self.state {
            State::Chain(at) => *at,
            State::Search(from, _) if !self.tentative => *from,
            State::Done => u64::MAX,
            State::Search(..) => return true,
        };
        match (next.start, &self.state) {
            // It ended where the next one begins.
            (Some(_), State::Done) if self.joined(next) => true,
            (Some(start), &State::Chain(at)) if start == at && !next.tentative => {
                if let Some(lead) = next.lead
                    && self.settle(at, Some(lead))
                {
                    self.state = State::Done;
                }
                true
            }
            (Some(start), _) => start >= reached,
            (None, State::Done) => false,
            (None, _) => true,
        }
    }

    /// Where the chain before this one ends.
    fn stop(&self) -> Option<u64> {
        self.start.filter(|_| !self.tentative)
    }

    /// Whether this chain ended at the start of `next`.
    fn joined(&self, next: &Self) -> bool {
        let end = self
            .messages
            .last()
            .map(|message| message.offset.saturating_add(message.indicator.length));
        end.is_some() && end == next.start
    }
}

impl Segment {
    /// Where it is, and whether it is still looking for a first message.
    fn position(&self) -> Option<(u64, bool)> {
        match self.state {
            State::Chain(at) => Some((at, false)),
            State::Search(from, _) => Some((from, self.tentative)),
            State::Done => None,
        }
    }

    fn is_looking(&self) -> bool {
        self.position().is_some_and(|(_, is_looking)| is_looking)
    }
}

/// Takes what the searches of the next round read off the budget, and gives searches up when it is spent.
fn spend(segments: &mut Vec<Segment>, budget: &mut u64) {
    segments.retain(|segment| {
        let State::Search(_, window) = segment.state else { return true };
        if !segment.tentative {
            return true;
        }
        let left = budget.checked_sub(window);
        *budget = left.unwrap_or(0);
        left.is_some()
    });
}

/// Starts searches for more chains where many messages lie between two, as far as the budget lets expect to find them.
fn seed(segments: &mut Vec<Segment>, length: u64, budget: u64) {
    let (count, bytes) = segments.iter().fold((0_u64, 0_u64), |(count, bytes), segment| {
        let found = segment.messages.len() as u64;
        (count.saturating_add(found), bytes.saturating_add(segment.bytes))
    });
    if count < 2 {
        return;
    }
    let mean = bytes.div_euclid(count).max(1);
    let window = mean.div_euclid(2).clamp(HEAD_BYTES, 256 << 10);
    // From a place between two starts, the next one is half a message away, and a part of a window is read too much.
    let looking = segments.iter().filter(|segment| segment.is_looking()).count();
    let mut affordable = budget
        .div_euclid(mean.div_euclid(2).saturating_add(window).max(1))
        .saturating_sub(looking as u64);
    if count < SAMPLE {
        affordable = affordable.min(FIRST_CHAINS.saturating_sub(segments.len() as u64));
    }
    while affordable > 0 && segments.len() < MOST_CHAINS {
        let widest = segments
            .iter()
            .enumerate()
            .filter_map(|(index, segment)| {
                let (at, _) = segment.position()?;
                let next = segments.get(index.saturating_add(1));
                let end = next.map_or(Some(length), |next| {
                    next.start.or(next.position().map(|(from, _)| from))
                })?;
                Some((end.saturating_sub(at), index, at))
            })
            .max();
        let Some((gap, index, at)) = widest else { return };
        if gap < mean.saturating_mul(MESSAGES_PER_CHAIN) {
            return;
        }
        let middle = at.saturating_add(gap.div_euclid(2));
        segments.insert(index.saturating_add(1), Segment::search(middle, window));
        affordable = affordable.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::{MemorySource, ScanOptions};
    use futures::executor::block_on;

    use super::*;

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
