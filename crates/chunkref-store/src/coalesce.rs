// SPDX-License-Identifier: MIT OR Apache-2.0
//! Merging neighbouring ranges into fewer requests.

use std::ops::Range;

use bytes::Bytes;

/// When neighbouring ranges become one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MergePolicy {
    /// Bytes between two ranges that are read along rather than asked for apart.
    pub gap_bytes: u64,
    /// Bytes that a merged request does not exceed; a single longer range is still one request.
    pub longest_bytes: u64,
}

impl MergePolicy {
    /// For object stores, where a request costs as much as some 32 KiB.
    pub const OBJECT_STORE: Self = Self { gap_bytes: 32 << 10, longest_bytes: 8 << 20 };

    /// For local files, where a request costs as much as a page or two.
    pub const LOCAL: Self = Self { gap_bytes: 4 << 10, longest_bytes: 8 << 20 };
}

/// One request and the ranges that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedRange {
    /// What to read.
    pub range: Range<u64>,
    /// Which of the ranges asked for lie in it, by their place in the list.
    pub members: Vec<usize>,
}

impl MergedRange {
    /// Gives every member its part of `bytes`, the bytes of the whole request; `parts` is as long as the list of ranges
    /// asked for. Returns `false`, and fills nothing more, when `bytes` is too short.
    #[must_use]
    pub fn distribute(&self, bytes: &Bytes, ranges: &[Range<u64>], parts: &mut [Bytes]) -> bool {
        self.members.iter().all(|&member| {
            let (Some(asked), Some(part)) = (ranges.get(member), parts.get_mut(member)) else {
                return false;
            };
            let start = asked
                .start
                .checked_sub(self.range.start)
                .and_then(|start| usize::try_from(start).ok());
            let end =
                asked.end.checked_sub(self.range.start).and_then(|end| usize::try_from(end).ok());
            match (start, end) {
                (Some(start), Some(end)) if start <= end && end <= bytes.len() => {
                    *part = bytes.slice(start..end);
                    true
                }
                _ => false,
            }
        })
    }
}

/// The requests that serve `ranges`, in the order of their offsets. Empty ranges need none.
#[must_use]
pub fn merge(ranges: &[Range<u64>], policy: MergePolicy) -> Vec<MergedRange> {
    let mut order: Vec<(usize, &Range<u64>)> =
        ranges.iter().enumerate().filter(|(_, range)| range.start < range.end).collect();
    order.sort_by_key(|(place, range)| (range.start, range.end, *place));
    let mut merged: Vec<MergedRange> = Vec::new();
    for (place, range) in order {
        if let Some(last) = merged.last_mut() {
            let end = last.range.end.max(range.end);
            let near = range.start <= last.range.end.saturating_add(policy.gap_bytes);
            let inside = range.end <= last.range.end;
            if inside || (near && end.saturating_sub(last.range.start) <= policy.longest_bytes) {
                last.range.end = end;
                last.members.push(place);
                continue;
            }
        }
        merged.push(MergedRange { range: range.clone(), members: vec![place] });
    }
    merged
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is what is asked for")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SMALL: MergePolicy = MergePolicy { gap_bytes: 10, longest_bytes: 100 };

    fn requests(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
        merge(ranges, SMALL).into_iter().map(|merged| merged.range).collect()
    }

    #[test]
    fn near_ranges_merge_and_far_ones_do_not() {
        assert_eq!(requests(&[20..30, 0..10]), [0..30]);
        assert_eq!(requests(&[0..10, 21..30]), [0..10, 21..30]);
        assert_eq!(
            requests(&[0..50, 55..105]),
            [0..50, 55..105],
            "the merged request would be too long"
        );
        assert_eq!(requests(&[0..50, 50..100]), [0..100]);
    }

    #[test]
    fn long_empty_and_repeated_ranges() {
        assert_eq!(requests(&[0..500, 20..30, 505..506]), [0..500, 505..506]);
        assert_eq!(requests(&[7..7]), []);
        assert_eq!(merge(&[0..4, 0..4], SMALL), [MergedRange { range: 0..4, members: vec![0, 1] }]);
        assert_eq!(requests(&[0..2, u64::MAX - 1..u64::MAX]), [0..2, u64::MAX - 1..u64::MAX]);
    }

    #[test]
    fn a_short_answer_is_not_distributed() {
        let ranges = [0..4, 2..8];
        let merged = merge(&ranges, SMALL);
        let mut parts = vec![Bytes::new(); 2];
        assert!(!merged[0].distribute(&Bytes::from_static(b"0123456"), &ranges, &mut parts));
        assert!(merged[0].distribute(&Bytes::from_static(b"01234567"), &ranges, &mut parts));
        assert_eq!(parts, [Bytes::from_static(b"0123"), Bytes::from_static(b"234567")]);
    }

    proptest! {
        #[test]
        fn every_range_gets_its_bytes(
            asked in prop::collection::vec((0_u64..2000, 0_u64..150), 0..40),
            gap_bytes in 0_u64..64,
            longest_bytes in 0_u64..400,
        ) {
            let object: Vec<u8> = (0..2200_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let object = Bytes::from(object);
            let ranges: Vec<_> = asked.iter().map(|&(start, length)| start..start + length).collect();
            let policy = MergePolicy { gap_bytes, longest_bytes };
            let merged = merge(&ranges, policy);
            let mut parts = vec![Bytes::new(); ranges.len()];
            let longest_asked = ranges.iter().map(|range| range.end - range.start).max().unwrap_or(0);
            for request in &merged {
                prop_assert!(request.range.end - request.range.start <= longest_bytes.max(longest_asked));
                let slice = object.slice(usize::try_from(request.range.start).unwrap()..usize::try_from(request.range.end).unwrap());
                prop_assert!(request.distribute(&slice, &ranges, &mut parts));
            }
            for (range, part) in ranges.iter().zip(&parts) {
                prop_assert_eq!(part, &object.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()));
            }
            prop_assert!(merged.windows(2).all(|pair| pair[0].range.start <= pair[1].range.start));
            prop_assert!(merged.len() <= ranges.len());
        }
    }
}
