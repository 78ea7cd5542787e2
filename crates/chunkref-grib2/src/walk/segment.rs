// SPDX-License-Identifier: MIT OR Apache-2.0
//! One chain of messages, followed block by block.

use std::ops::Range;

use chunkref_core::Steps;

use super::block::Block;
use super::{Fault, Found, HEAD_BYTES, SEARCH_BYTES, SMALL_BYTES};
use crate::error::Result;
use crate::message;
use crate::section::indicator::{END, INDICATOR_BYTES, Indicator};

/// Bytes that must be left of a block to read the next message from it too.
const ENOUGH_BYTES: u64 = 384;

/// Bytes before a message that are read with it: the end section of the one before.
pub(super) const END_BYTES: u64 = 4;

/// Bytes that a chain reads at a time at the most.
const MOST_AHEAD: u64 = 16 << 20;

/// How much longer each block is than the one before it, while what is read of them is of use.
const GROWTH: u64 = 4;

#[derive(Debug)]
pub(super) enum State {
    /// A message is expected at this byte.
    Chain(u64),
    /// Messages are looked for from this byte on.
    Search(u64),
    /// The next chain begins at this byte, and this one has come there.
    Met(u64),
    /// The file has ended.
    Done,
}

/// One chain.
#[derive(Debug)]
pub(super) struct Segment {
    /// Where its first message begins, once that is known.
    pub(super) start: Option<u64>,
    /// The four bytes before its start, where they were read.
    lead: Option<[u8; 4]>,
    /// Whether messages are only looked for, and nothing yet says that what was found is one.
    pub(super) tentative: bool,
    pub(super) state: State,
    /// Bytes that it reads next.
    pub(super) ahead: u64,
    /// The last message, whose end is not checked.
    pending: Option<Found>,
    pub(super) messages: Vec<Found>,
    /// Bytes of its messages, and the sum of their squares.
    pub(super) bytes: u128,
    pub(super) squares: u128,
    /// Bytes from one start to the next, of which the last ones count most.
    mean: u64,
    /// Bytes of padding before the last message.
    padding: u64,
    /// Bytes of small messages since the last large one, and those that are expected behind a large one.
    run: u64,
    next_run: u64,
    pub(super) faults: Vec<Fault>,
}

impl Segment {
    /// A chain whose first message begins at `at`.
    pub(super) fn chain(at: u64, ahead: u64) -> Self {
        Self {
            start: Some(at),
            lead: None,
            tentative: false,
            state: State::Chain(at),
            ahead,
            pending: None,
            messages: Vec::new(),
            bytes: 0,
            squares: 0,
            mean: 0,
            padding: 0,
            run: 0,
            next_run: 0,
            faults: Vec::new(),
        }
    }

    /// A chain whose first message is looked for from `from` on, so many bytes at a time.
    pub(super) fn search(from: u64, window: u64) -> Self {
        Self {
            start: None,
            tentative: true,
            state: State::Search(from),
            ..Self::chain(from, window)
        }
    }

    /// What it reads next, of at most `most` bytes; `stop` is where the next chain begins.
    pub(super) fn wants(&self, stop: Option<u64>, most: u64) -> Option<Range<u64>> {
        let (from, at) = match self.state {
            State::Chain(at) => (at.saturating_sub(END_BYTES), at),
            State::Search(from) => (from, from),
            State::Met(_) | State::Done => return None,
        };
        let is_unproven = self.tentative && !self.is_looking();
        let ahead = if is_unproven { HEAD_BYTES } else { self.ahead };
        let end = at.saturating_add(ahead.min(most.max(HEAD_BYTES)));
        // Behind that, another chain reads.
        let end = stop.map_or(end, |stop| end.min(stop.max(at.saturating_add(INDICATOR_BYTES))));
        Some(from..end)
    }

    /// Goes on with what was read, up to `stop`, where the next chain begins.
    pub(super) fn take(
        &mut self,
        block: &Block,
        length: u64,
        stop: Option<u64>,
        steps: &mut Steps<'_>,
    ) -> Result<()> {
        loop {
            steps.take(1)?;
            let goes_on = match self.state {
                State::Chain(at) => self.follow(at, block, length, stop),
                State::Search(from) => self.look(from, block, length, stop, steps)?,
                State::Met(_) | State::Done => return Ok(()),
            };
            if !goes_on {
                break;
            }
        }
        self.adapt();
        Ok(())
    }

    /// The message that is expected at `at`; false when other bytes are wanted.
    fn follow(&mut self, at: u64, block: &Block, length: u64, stop: Option<u64>) -> bool {
        if !self.settle(at, block.array(at.wrapping_sub(END_BYTES))) {
            return self.goes_on_in(block, length, stop);
        }
        if at >= length {
            self.state = State::Done;
        } else if stop == Some(at) {
            self.state = State::Met(at);
        } else if let Some(indicator) = block.indicator(at) {
            self.padding = 0;
            self.expect(at, indicator, block, length);
        } else {
            // Padding, or junk.
            self.state = State::Search(at);
            return true;
        }
        self.goes_on_in(block, length, stop)
    }

    /// Checks that the pending message ends before `at`; false when it does not.
    fn settle(&mut self, at: u64, end: Option<[u8; 4]>) -> bool {
        let Some(message) = self.pending.take() else { return true };
        if end == Some(END) {
            self.tentative = false;
            let bytes = u128::from(message.indicator.length);
            self.bytes = self.bytes.saturating_add(bytes);
            self.squares = self.squares.saturating_add(bytes.saturating_mul(bytes));
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
        self.state = State::Search(from);
        false
    }

    /// A message begins at `at`: the next one is expected behind it, when the file is long enough.
    fn expect(&mut self, at: u64, indicator: Indicator, block: &Block, length: u64) {
        if let Some(end) = at.checked_add(indicator.length).filter(|&end| end <= length) {
            if self.tentative {
                self.start = Some(at);
            }
            if self.start == Some(at) {
                self.lead = at.checked_sub(END_BYTES).and_then(|lead| block.array(lead));
            }
            let head = message::head(&indicator, block.from(at));
            self.pending = Some(Found { offset: at, indicator, head });
            self.state = State::Chain(end);
            self.learn(indicator.length.saturating_add(self.padding));
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
        self.state = State::Search(at.saturating_add(END_BYTES));
    }

    /// Learns from the bytes from one message to the next what to expect.
    fn learn(&mut self, spacing: u64) {
        self.mean = match self.mean {
            0 => spacing,
            mean => mean.saturating_mul(3).saturating_add(spacing).div_euclid(4),
        };
        if spacing < SMALL_BYTES {
            self.run = self.run.saturating_add(spacing);
        } else {
            self.next_run = self.run.max(self.next_run.div_euclid(2));
            self.run = 0;
        }
    }

    /// Looks for the start of a message in the block from `from` on; false when other bytes are wanted.
    fn look(
        &mut self,
        from: u64,
        block: &Block,
        length: u64,
        stop: Option<u64>,
        steps: &mut Steps<'_>,
    ) -> Result<bool> {
        let mut from = from;
        while let Some(at) = block.find(from).filter(|&at| stop.is_none_or(|stop| at < stop)) {
            steps.take(1)?;
            let Some(indicator) = block.indicator(at) else {
                from = at.saturating_add(1);
                continue;
            };
            self.padding = if self.tentative { 0 } else { at.saturating_sub(from) };
            self.expect(at, indicator, block, length);
            if matches!(self.state, State::Chain(_)) {
                return Ok(self.goes_on_in(block, length, stop));
            }
            from = at.saturating_add(END_BYTES);
        }
        let end = block.end();
        // What begins in the last bytes is only whole with the next ones.
        let rest = end.saturating_sub(INDICATOR_BYTES).max(from.saturating_add(1));
        self.state = match stop {
            Some(stop) if end >= stop && !self.tentative => State::Met(stop),
            _ if end >= length => State::Done,
            _ => State::Search(if from < end { rest } else { from }),
        };
        Ok(false)
    }

    /// Whether the block holds what this chain reads next.
    fn goes_on_in(&self, block: &Block, length: u64, stop: Option<u64>) -> bool {
        match self.state {
            State::Chain(at) => {
                let enough = if stop == Some(at) { 0 } else { ENOUGH_BYTES };
                let wanted = at.saturating_add(enough).min(length);
                at.saturating_sub(END_BYTES) >= block.start && wanted <= block.end()
            }
            State::Search(from) => from >= block.start && from < block.end(),
            State::Met(_) | State::Done => false,
        }
    }

    /// How much is read next: more and more where messages are small or none is found, a head where they are large.
    fn adapt(&mut self) {
        let more = self.ahead.saturating_mul(GROWTH).min(MOST_AHEAD);
        self.ahead = match self.state {
            _ if self.tentative => self.ahead,
            State::Search(_) => more.max(SEARCH_BYTES),
            _ if self.mean < SMALL_BYTES => more,
            _ => {
                let more = self.padding.saturating_add(self.next_run).min(SMALL_BYTES);
                HEAD_BYTES.saturating_add(more)
            }
        };
    }
}

impl Segment {
    /// Where it is.
    pub(super) fn position(&self) -> u64 {
        match self.state {
            State::Chain(at) | State::Search(at) | State::Met(at) => at,
            State::Done => u64::MAX,
        }
    }

    /// Whether it wants to read.
    pub(super) fn is_going(&self) -> bool {
        matches!(self.state, State::Chain(_) | State::Search(_))
    }

    /// Whether it looks for a message.
    pub(super) fn is_searching(&self) -> bool {
        matches!(self.state, State::Search(_))
    }

    /// Whether it is still looking for a first message.
    pub(super) fn is_looking(&self) -> bool {
        self.tentative && self.is_searching()
    }

    /// Where the chain before this one ends.
    pub(super) fn stop(&self) -> Option<u64> {
        self.start.filter(|_| !self.tentative)
    }

    /// Whether `next`, which follows this one in the file, is of use; ends this chain where it has reached its start.
    fn keeps(&mut self, next: &Self) -> bool {
        let reached = self.position();
        match (next.stop(), &self.state) {
            (Some(start), State::Chain(at)) if start == *at => {
                if let Some(lead) = next.lead
                    && self.settle(start, Some(lead))
                {
                    self.state = State::Met(start);
                }
                true
            }
            // It has come there, or run over it.
            (Some(start), _) => start >= reached,
            // What was looked for behind the start of this one's next was looked for in vain.
            (None, State::Met(_) | State::Done) => false,
            (None, _) => next.start.unwrap_or_else(|| next.position()) >= reached,
        }
    }

    /// Whether this chain, of which nothing says that it is one, has run over the start of another.
    fn is_refuted_by(&self, next: &Self) -> bool {
        self.tentative && next.stop().is_some_and(|start| start < self.position())
    }
}

/// Takes those chains out that another has run over.
pub(super) fn join(segments: &mut Vec<Segment>) {
    let mut kept: Vec<Segment> = Vec::new();
    for next in std::mem::take(segments) {
        while kept.last().is_some_and(|last| last.is_refuted_by(&next)) {
            kept.pop();
        }
        if kept.last_mut().is_none_or(|last| last.keeps(&next)) {
            kept.push(next);
        }
    }
    *segments = kept;
}
