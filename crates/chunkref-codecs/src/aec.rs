// SPDX-License-Identifier: MIT OR Apache-2.0
//! The adaptive entropy coder of CCSDS 121.0-B, as libaec writes it: whole numbers of up to 32 bits in blocks, each stored
//! in the way that takes the fewest bits. Szip and the packing of GRIB2's template 5.42 are made of it.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;
use crate::bits::BitReader;

/// Flags of libaec, of which GRIB2 has the same: samples have a sign; differences to the neighbour are stored; few
/// identifiers for few bits; every interval begins with a byte.
const SIGNED: u32 = 1;
const DIFFERENCES: u32 = 8;
const RESTRICTED: u32 = 16;
const PADDED: u32 = 32;
/// Zero blocks: this count stands for the rest of a segment.
const REST_OF_SEGMENT: u32 = 5;
const SEGMENT_BLOCKS: usize = 64;
/// The largest sum of a pair in the second extension.
const MAX_PAIR_SUM: u32 = 12;
/// The most blocks of an interval.
const MOST_BLOCKS: u32 = 4096;

/// The settings of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    sample_bits: u32,
    identifier_bits: u32,
    block_samples: usize,
    interval_blocks: usize,
    signed: bool,
    differences: bool,
    padded: bool,
}

impl Parameters {
    /// From libaec's mask of `flags`, bits of a sample, samples of a block, and blocks of an interval that has one reference
    /// sample. Flags that say how samples lie in memory mean nothing here.
    ///
    /// # Errors
    /// [`CodecError`] for what libaec does not write.
    pub fn new(flags: u32, bits: u32, block: u32, interval: u32) -> Result<Self, CodecError> {
        let identifier_bits = match (bits, flags & RESTRICTED != 0) {
            (1..=2, true) => 1,
            (3..=4, true) => 2,
            (1..=8, false) => 3,
            (9..=16, _) => 4,
            (17..=32, _) => 5,
            _ => return Err(CodecError::Unsupported(format!("samples of {bits} bits"))),
        };
        let is_block = (2..=256).contains(&block) && block.is_multiple_of(2);
        if !is_block || !(1..=MOST_BLOCKS).contains(&interval) {
            let what = format!("intervals of {interval} blocks of {block} samples");
            return Err(CodecError::Unsupported(what));
        }
        Ok(Self {
            sample_bits: bits,
            identifier_bits,
            block_samples: usize::try_from(block).unwrap_or(0),
            interval_blocks: usize::try_from(interval).unwrap_or(0),
            signed: flags & SIGNED != 0,
            differences: flags & DIFFERENCES != 0,
            padded: flags & PADDED != 0,
        })
    }

    pub(crate) fn identifier_bits(&self) -> u32 {
        self.identifier_bits
    }

    /// The identifier of a block that is stored as it is: all ones.
    pub(crate) fn uncompressed(&self) -> u32 {
        all_ones(self.identifier_bits)
    }

    pub(crate) fn largest(&self) -> u32 {
        all_ones(self.sample_bits)
    }

    fn interval_samples(&self) -> usize {
        self.interval_blocks.saturating_mul(self.block_samples)
    }
}

/// The largest number of so many bits.
fn all_ones(bits: u32) -> u32 {
    1_u32.checked_shl(bits).map_or(u32::MAX, |bit| bit.wrapping_sub(1))
}

/// Hands `samples` samples to `take`, some at a time. Those with a sign have it in all of their 32 bits.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged or too few, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    samples: usize,
    parameters: &Parameters,
    context: &DecodeContext<'_>,
    mut take: impl FnMut(&[u32]),
) -> Result<(), CodecError> {
    let mut reader = BitReader::new(bytes, context);
    let mut steps = Steps::new(context.cancellation());
    let mut interval = Vec::new();
    let mut left = samples;
    while left > 0 {
        let wanted = left.min(parameters.interval_samples());
        steps.take(wanted)?;
        decode_interval(&mut reader, parameters, wanted, &mut interval)?;
        interval.truncate(wanted);
        take(&interval);
        left = left.saturating_sub(wanted);
        if parameters.padded {
            reader.align();
        }
    }
    Ok(())
}

/// One reference interval, of which at least `wanted` samples are needed.
pub(crate) fn decode_interval(
    reader: &mut BitReader<'_>,
    parameters: &Parameters,
    wanted: usize,
    interval: &mut Vec<u32>,
) -> Result<(), CodecError> {
    let block = parameters.block_samples;
    interval.clear();
    while interval.len() < wanted {
        let reference = parameters.differences && interval.is_empty();
        let id = reader.read(parameters.identifier_bits)?;
        if id == parameters.uncompressed() {
            for _ in 0..block {
                interval.push(reader.read(parameters.sample_bits)?);
            }
            continue;
        }
        let low_entropy = if id == 0 { Some(reader.read(1)?) } else { None };
        if reference {
            interval.push(reader.read(parameters.sample_bits)?);
        }
        let coded = block.saturating_sub(reference.into());
        match low_entropy {
            Some(0) => {
                let done = interval.len().checked_div(block).unwrap_or(0);
                let blocks = zero_blocks(reader, parameters, done)?;
                let zeros = blocks.saturating_mul(block).saturating_sub(reference.into());
                interval.resize(interval.len().saturating_add(zeros), 0);
            }
            Some(_) => second_extension(reader, interval, reference, coded)?,
            None => split(reader, interval, id.saturating_sub(1), coded)?,
        }
    }
    match (parameters.differences, parameters.signed) {
        (false, _) => {}
        (true, false) => undo_differences(interval, parameters.largest()),
        (true, true) => undo_signed_differences(interval, parameters.sample_bits),
    }
    Ok(())
}

/// How many blocks of zeros come, `done` blocks into the interval.
fn zero_blocks(
    reader: &mut BitReader<'_>,
    parameters: &Parameters,
    done: usize,
) -> Result<usize, CodecError> {
    let count = reader.unary()?.saturating_add(1);
    let left = parameters.interval_blocks.saturating_sub(done);
    let blocks = match count {
        REST_OF_SEGMENT => left.min(SEGMENT_BLOCKS.saturating_sub(done % SEGMENT_BLOCKS)),
        count if count > REST_OF_SEGMENT => usize::try_from(count).unwrap_or(0).saturating_sub(1),
        count => usize::try_from(count).unwrap_or(0),
    };
    if blocks > left || blocks == 0 {
        return Err(CodecError::damaged("blocks of zeros past the end of their line"));
    }
    Ok(blocks)
}

/// Pairs of samples, each pair as one number.
fn second_extension(
    reader: &mut BitReader<'_>,
    line: &mut Vec<u32>,
    reference: bool,
    coded: usize,
) -> Result<(), CodecError> {
    // The reference sample is the first of a pair whose second comes alone.
    let mut first_is_there = reference;
    let mut left = coded;
    while left > 0 {
        let number = reader.unary()?;
        let (mut sum, mut start) = (0_u32, 0_u32);
        while number > start.saturating_add(sum) {
            start = start.saturating_add(sum).saturating_add(1);
            sum = sum.saturating_add(1);
            if sum > MAX_PAIR_SUM {
                return Err(CodecError::damaged("a pair of samples that cannot be"));
            }
        }
        let second = number.saturating_sub(start);
        if !first_is_there {
            line.push(sum.saturating_sub(second));
            left = left.saturating_sub(1);
        }
        line.push(second);
        left = left.saturating_sub(1);
        first_is_there = false;
    }
    Ok(())
}

/// Samples whose low `bits` bits are stored as they are and whose rest is unary.
fn split(
    reader: &mut BitReader<'_>,
    line: &mut Vec<u32>,
    bits: u32,
    coded: usize,
) -> Result<(), CodecError> {
    let start = line.len();
    line.resize(start.saturating_add(coded), 0);
    let samples = line.get_mut(start..).unwrap_or_default();
    reader.unaries(samples)?;
    reader.append(samples, bits)
}

/// Mapped differences back to samples. Spec: CCSDS 121.0-B-3, 4.3.
fn undo_differences(line: &mut [u32], largest: u32) {
    let Some((first, rest)) = line.split_first_mut() else { return };
    let middle = (largest >> 1).wrapping_add(1);
    let mut last = *first & largest;
    *first = last;
    for sample in rest {
        let mapped = *sample;
        // The distance to the nearer end is as far as differences go both ways.
        let mirror = if last & middle == 0 { 0 } else { largest };
        let half = (mapped >> 1).wrapping_add(mapped & 1);
        let value = if half <= mirror ^ last {
            last.wrapping_add((mapped >> 1) ^ (mapped & 1).wrapping_neg())
        } else {
            mirror ^ mapped
        };
        last = value & largest;
        *sample = last;
    }
}

/// The same of samples with a sign.
fn undo_signed_differences(line: &mut [u32], bits: u32) {
    let Some((first, rest)) = line.split_first_mut() else { return };
    let unused = 32_u32.saturating_sub(bits);
    let with_sign = |value: u32| i64::from((value << unused).cast_signed() >> unused);
    let most = i64::from(all_ones(bits) >> 1);
    let mut last = with_sign(*first);
    *first = low_half(last);
    for sample in rest {
        let mapped = i64::from(*sample);
        let half = (mapped >> 1).wrapping_add(mapped & 1);
        let change = (mapped >> 1) ^ (mapped & 1).wrapping_neg();
        let is_negative = last < 0;
        let reach = if is_negative {
            most.wrapping_add(last).wrapping_add(1)
        } else {
            most.wrapping_sub(last)
        };
        let value = match half <= reach {
            true => last.wrapping_add(change),
            false if is_negative => mapped.wrapping_sub(most).wrapping_sub(1),
            false => most.wrapping_sub(mapped),
        };
        *sample = low_half(value);
        last = with_sign(*sample);
        *sample = low_half(last);
    }
}

/// The low 32 bits.
fn low_half(value: i64) -> u32 {
    u32::try_from(value & i64::from(u32::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::BitWriter;
    use crate::testing::assert_ends;

    fn written(numbers: &[(u32, u32)]) -> Vec<u8> {
        let mut writer = BitWriter::default();
        for (number, bits) in numbers {
            writer.write(*number, *bits);
        }
        writer.finish()
    }

    fn samples(bytes: &[u8], [flags, bits, block, interval]: [u32; 4], count: usize) -> Vec<u32> {
        let parameters = Parameters::new(flags, bits, block, interval).unwrap();
        let mut all = Vec::new();
        let context = DecodeContext::up_to(0);
        decode(bytes, count, &parameters, &context, |some| all.extend_from_slice(some)).unwrap();
        all
    }

    #[test]
    fn blocks_that_are_stored_as_they_are() {
        // Two samples of 5 bits a block, and one block an interval, which begins with a byte.
        let padded = written(&[(7, 3), (1, 5), (31, 5), (0, 3), (7, 3), (9, 5), (0, 5)]);
        assert_eq!(samples(&padded, [PADDED, 5, 2, 1], 4), [1, 31, 9, 0]);
        let whole = written(&[(7, 3), (1, 5), (31, 5), (7, 3), (9, 5), (0, 5)]);
        assert_eq!(samples(&whole, [0, 5, 2, 1], 4), [1, 31, 9, 0]);
        // Of few bits, identifiers have 1 or 2 of them.
        assert_eq!(samples(&written(&[(1, 1), (3, 2), (1, 2)]), [RESTRICTED, 2, 2, 1], 2), [3, 1]);
        assert_eq!(samples(&written(&[(3, 2), (9, 4), (1, 4)]), [RESTRICTED, 4, 2, 1], 2), [9, 1]);
        let wide = written(&[(31, 5), (u32::MAX, 32), (7, 32)]);
        assert_eq!(samples(&wide, [0, 32, 2, 1], 2), [u32::MAX, 7]);
    }

    #[test]
    fn differences_both_ways() {
        // Up by 1, down by 2, and to the far end, which no difference of the other sign reaches.
        let four = [(7, 3), (3, 4), (2, 4), (3, 4), (15, 4)];
        assert_eq!(samples(&written(&four), [DIFFERENCES, 4, 4, 1], 4), [3, 4, 2, 15]);
        let signed = samples(&written(&four), [DIFFERENCES | SIGNED, 4, 4, 1], 4);
        let signed: Vec<i32> = signed.into_iter().map(u32::cast_signed).collect();
        assert_eq!(signed, [3, 4, 2, -8]);
        let below = [(7, 3), (0b1101, 4), (1, 4), (2, 4), (10, 4)];
        let signed = samples(&written(&below), [DIFFERENCES | SIGNED, 4, 4, 1], 4);
        let signed: Vec<i32> = signed.into_iter().map(u32::cast_signed).collect();
        assert_eq!(signed, [-3, -4, -3, 2]);
    }

    #[test]
    fn what_libaec_does_not_write() {
        for [flags, bits, block, interval] in [
            [0, 0, 8, 1],
            [0, 33, 8, 1],
            [0, 8, 7, 1],
            [0, 8, 0, 1],
            [0, 8, 8, 0],
            [0, 8, 8, 4097],
            [RESTRICTED, 5, 8, 1],
        ] {
            assert!(Parameters::new(flags, bits, block, interval).is_err(), "{bits} {block}");
        }
        let parameters = Parameters::new(0, 8, 8, 1).unwrap();
        let context = DecodeContext::up_to(0);
        assert!(decode(&[0xff; 7], 8, &parameters, &context, |_| {}).is_err());
        assert!(decode(&[], 1, &parameters, &context, |_| {}).is_err());
    }

    #[test]
    fn long_streams_end_with_the_work() {
        let side = 1_u32 << 20;
        let mut writer = BitWriter::default();
        // An interval of 64 blocks of 64 zeros each.
        for _ in 0..side / 4096 {
            for (number, bits) in [(0, 3), (0, 1), (1, 5)] {
                writer.write(number, bits);
            }
        }
        let stored = writer.finish();
        let parameters = Parameters::new(0, 8, 64, 64).unwrap();
        assert_ends(1 << 20, |context| {
            let mut all = Vec::new();
            let samples = 1 << 20;
            decode(&stored, samples, &parameters, context, |some| {
                all.extend(some.iter().map(|_| 0));
            })?;
            Ok(all)
        });
    }
}
