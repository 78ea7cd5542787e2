// SPDX-License-Identifier: MIT OR Apache-2.0
//! Searches for more places to follow chains from, where large messages lie between two chains.

use std::collections::BinaryHeap;

use super::segment::{Segment, State};
use super::{HEAD_BYTES, SMALL_BYTES};

/// Messages between two chains from which on another one is started among them.
const MESSAGES_PER_CHAIN: u64 = 8;

/// Chains at the most.
const MOST_CHAINS: usize = 1 << 14;

/// Bytes of the file for each byte that searches for more chains may read.
const BYTES_PER_SEARCHED: u64 = 26;

/// Chains until so many messages are known.
const FIRST_CHAINS: u64 = 4;

/// Messages from which on their lengths are taken for those of all.
const SAMPLE: u64 = 10;

/// Bytes that a search reads at a time at the most.
const MOST_WINDOW: u64 = 256 << 10;

/// What searches may still read.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Budget {
    /// For a file of so many bytes.
    pub(super) fn new(length: u64) -> Self {
        Self(length.div_euclid(BYTES_PER_SEARCHED))
    }

    /// Takes what the searches of the next round read off the budget, and gives searches up when it is spent.
    pub(super) fn spend(&mut self, segments: &mut Vec<Segment>) {
        segments.retain(|segment| {
            if !segment.is_looking() {
                return true;
            }
            let left = self.0.checked_sub(segment.ahead);
            self.0 = left.unwrap_or(0);
            left.is_some()
        });
    }
}

/// Length of the messages at a place that is taken at random: long ones are met more often than short ones.
fn met_length(segments: &[Segment]) -> (u64, u64) {
    let (mut count, mut bytes, mut squares) = (0_u64, 0_u128, 0_u128);
    for segment in segments {
        count = count.saturating_add(segment.messages.len() as u64);
        bytes = bytes.saturating_add(segment.bytes);
        squares = squares.saturating_add(segment.squares);
    }
    let mean = squares.checked_div(bytes).unwrap_or(0);
    (count, u64::try_from(mean).unwrap_or(u64::MAX).max(1))
}

/// Starts searches for more chains where many messages lie between two, as far as the budget lets expect to find them.
pub(super) fn seed(segments: &mut Vec<Segment>, length: u64, budget: &Budget) {
    let (count, mean) = met_length(segments);
    // Small messages are read as they lie, in blocks that grow.
    if count < 2 || mean < SMALL_BYTES {
        return;
    }
    let window = mean.div_euclid(2).clamp(HEAD_BYTES, MOST_WINDOW);
    // From a place between two starts, the next one is half a message away, and a part of a window is read too much.
    let looking = segments.iter().filter(|segment| segment.is_looking()).count() as u64;
    let room = MOST_CHAINS.saturating_sub(segments.len()) as u64;
    let cost = mean.div_euclid(2).saturating_add(window);
    let mut affordable = budget.0.checked_div(cost).unwrap_or(0).saturating_sub(looking).min(room);
    if count < SAMPLE {
        affordable = affordable.min(FIRST_CHAINS.saturating_sub(segments.len() as u64));
    }
    if affordable == 0 {
        return;
    }
    let gaps = gaps(segments, length);
    let parts = parts(&gaps, mean.saturating_mul(MESSAGES_PER_CHAIN), affordable);
    let mut more = Vec::new();
    for ((segment, gap), parts) in std::mem::take(segments).into_iter().zip(gaps).zip(parts) {
        let at = segment.position();
        more.push(segment);
        for number in 1..parts {
            let step = gap.checked_div(parts).unwrap_or(0).saturating_mul(number);
            more.push(Segment::search(at.saturating_add(step), window));
        }
    }
    *segments = more;
}

/// Into how many parts each gap is cut by so many cuts, of which none makes a part of less than half of `least`: the
/// widest part is cut first.
fn parts(gaps: &[u64], least: u64, cuts: u64) -> Vec<u64> {
    let mut parts = vec![1_u64; gaps.len()];
    let mut widest: BinaryHeap<_> =
        gaps.iter().enumerate().map(|(index, &gap)| (gap, index)).collect();
    for _ in 0..cuts {
        let Some((_, index)) = widest.pop().filter(|&(part, _)| part >= least) else { break };
        if let (Some(parts), Some(gap)) = (parts.get_mut(index), gaps.get(index)) {
            *parts = parts.saturating_add(1);
            widest.push((gap.checked_div(*parts).unwrap_or(0), index));
        }
    }
    parts
}

/// Bytes from each chain to the one after it; none behind one that has ended.
fn gaps(segments: &[Segment], length: u64) -> Vec<u64> {
    let ends = segments.iter().skip(1).map(|next| next.start.unwrap_or_else(|| next.position()));
    segments
        .iter()
        .zip(ends.chain([length]))
        .map(|(segment, end)| match segment.state {
            State::Chain(at) | State::Search(at) => end.saturating_sub(at),
            State::Met(_) | State::Done => 0,
        })
        .collect()
}
