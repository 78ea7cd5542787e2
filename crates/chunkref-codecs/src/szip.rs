// SPDX-License-Identifier: MIT OR Apache-2.0
//! Szip: the lossless coder of CCSDS 121.0-B, as szlib and libaec write it for HDF5's filter 4, which imagecodecs calls
//! `szip`.
//!
//! A chunk begins with a little-endian `u32` of its decoded bytes; the coder is [`aec`]. Every scan line is filled up to
//! whole blocks and is one reference interval; pixels of 32 and 64 bits are cut into planes of bytes first.

use chunkref_core::{Cursor, DecodeContext, Steps};

use crate::bits::{BitReader, BitWriter};
use crate::{CodecError, aec, shuffle};

/// Options: the most significant byte comes first; pixels are stored as differences to their neighbours.
const MSB_OPTION: u32 = 16;
const NN_OPTION: u32 = 32;
/// libaec's flag for differences.
const DIFFERENCES: u32 = 8;

/// The settings of a chunk, in the coder's own terms.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    coder: aec::Parameters,
    big_endian: bool,
    differences: bool,
    block_samples: usize,
    line_samples: usize,
    sample_bits: u32,
    /// How many planes of bytes the pixels are cut into; 1 for none.
    planes: usize,
}

impl Parameters {
    /// From the parameters that szlib takes: a mask of options, pixels of a block, bits of a pixel, and pixels of a scan
    /// line.
    ///
    /// # Errors
    /// [`CodecError`] for what szlib does not write.
    pub fn new(options: u32, block: u32, bits: u32, line: u32) -> Result<Self, CodecError> {
        let (sample_bits, planes) = match bits {
            1..=24 => (bits, 1),
            32 => (8, 4),
            64 => (8, 8),
            _ => return Err(CodecError::Unsupported(format!("szip of {bits} bits a pixel"))),
        };
        if !(2..=32).contains(&block) || !block.is_multiple_of(2) || line < block || line > 4096 {
            let what = format!("szip with blocks of {block} and lines of {line} pixels");
            return Err(CodecError::Unsupported(what));
        }
        let flags = if options & NN_OPTION == 0 { 0 } else { DIFFERENCES };
        Ok(Self {
            coder: aec::Parameters::new(flags, sample_bits, block, line.div_ceil(block))?,
            big_endian: options & MSB_OPTION != 0,
            differences: options & NN_OPTION != 0,
            block_samples: usize::try_from(block).unwrap_or(0),
            line_samples: usize::try_from(line).unwrap_or(0),
            sample_bits,
            planes,
        })
    }

    fn sample_length(self) -> usize {
        match self.sample_bits {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        }
    }

    fn line_blocks(self) -> usize {
        self.line_samples.div_ceil(self.block_samples.max(1))
    }
}

/// Decodes a chunk.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    parameters: &Parameters,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let settings = *parameters;
    let mut cursor = Cursor::new(bytes, 0, "szip chunk");
    let total = CodecError::check_length(cursor.u32_le()?.into(), context)?;
    let samples = total.div_ceil(settings.sample_length());
    let mut reader = BitReader::new(cursor.rest(), context);
    let mut steps = Steps::new(context.cancellation());
    let (mut line, mut output) = (Vec::new(), Vec::new());
    let mut left = samples;
    while left > 0 {
        let wanted = left.min(settings.line_samples);
        steps.take(wanted)?;
        aec::decode_interval(&mut reader, &settings.coder, wanted, &mut line)?;
        for sample in line.iter().take(wanted) {
            let little = sample.to_le_bytes();
            let bytes = little.get(..settings.sample_length()).unwrap_or_default();
            if settings.big_endian {
                output.extend(bytes.iter().rev());
            } else {
                output.extend_from_slice(bytes);
            }
        }
        left = left.saturating_sub(wanted);
    }
    output.truncate(total);
    // Planes of bytes back to elements; a rest that is no whole element stays at the end.
    match settings.planes {
        0 | 1 => Ok(output),
        planes => shuffle::decode(&output, planes, context),
    }
}

/// Samples as differences to the one before. Spec: CCSDS 121.0-B-3, 4.3.
fn differences(line: &mut [u32], largest: u32) {
    let mut last: Option<u32> = None;
    for sample in line {
        let value = *sample;
        if let Some(last) = last {
            let reach = last.min(largest.saturating_sub(last));
            let distance = value.abs_diff(last);
            *sample = if distance > reach {
                reach.saturating_add(distance)
            } else if value >= last {
                distance.saturating_mul(2)
            } else {
                distance.saturating_mul(2).saturating_sub(1)
            };
        }
        last = Some(value);
    }
}

/// A chunk of `bytes`, with blocks that are stored as they are.
///
/// # Errors
/// [`CodecError`] for more than 4 GiB.
pub fn encode(bytes: &[u8], parameters: &Parameters) -> Result<Vec<u8>, CodecError> {
    let settings = *parameters;
    let total = u32::try_from(bytes.len())
        .map_err(|_| CodecError::unsupported("a chunk of more than 4 GiB"))?;
    let planes =
        if settings.planes < 2 { bytes.to_vec() } else { shuffle::encode(bytes, settings.planes) };
    let samples: Vec<u32> = planes
        .chunks(settings.sample_length())
        .map(|bytes| {
            let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
            if settings.big_endian {
                bytes.iter().fold(0, join)
            } else {
                bytes.iter().rev().fold(0, join)
            }
        })
        .collect();
    let mut writer = BitWriter::default();
    let padded = settings.line_blocks().saturating_mul(settings.block_samples);
    for line in samples.chunks(settings.line_samples.max(1)) {
        let mut line = line.to_vec();
        let last = line.last().copied().unwrap_or(0);
        line.resize(padded, last);
        if settings.differences {
            differences(&mut line, settings.coder.largest());
        }
        for block in line.chunks(settings.block_samples.max(1)) {
            writer.write(settings.coder.uncompressed(), settings.coder.identifier_bits());
            for sample in block {
                writer.write(*sample, settings.sample_bits);
            }
        }
    }
    Ok([&total.to_le_bytes()[..], &writer.finish()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn parameters([options, block, bits, line]: [u32; 4]) -> Parameters {
        Parameters::new(options, block, bits, line).unwrap()
    }

    fn up_to(bytes: &[u8], values: [u32; 4], most: usize) -> Result<Vec<u8>, CodecError> {
        decode(bytes, &parameters(values), &DecodeContext::up_to(most))
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 12345_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn chunks_of_libaec() {
        // h5py 3.16 with HDF5 2.0 and libaec: zeros, a slope and noise in one chunk.
        let data = |length: usize| {
            let slope = (0..length / 3).map(|n| u8::try_from(n / 5 % 256).unwrap());
            let zeros = std::iter::repeat_n(0, length / 3);
            zeros.chain(slope).chain(noise(length - 2 * (length / 3))).collect::<Vec<u8>>()
        };
        for (values, stored) in [
            (
                [169, 8, 8, 480],
                "e0010000000000008e673e47199f318393e739f238ccf98c1c9f39cf91c667cc60e4f9ce7c8e333e6307e6603165d19c6fc39c6183d6f9cbb6cdef8ffacc798b2b3c9376b4680d821dab09beecaf2191f98f6415fd1d0f80c475bb4efc54455db22af473cf746e4bb49bec41dbf5f4c099601a43acff7d197e4d2b786e83eaa3a9de2f4a4ee4716e79e03e3949ee8e8d8e2f3ec669c337f1077a2f0d9c2c79fccb1d6a52d7fd47d75a7d82ce26b212eee1ba1727aba4bf475ced9c3818ec27c677c4d00b38e76d82cd70d205f043c6d8ce00",
            ),
            (
                [141, 16, 16, 240],
                "e00100000035f5549248800010080c0404028140e0604024120b050367aaaaaae06e0dc1f83808010420849094148298530b6170320662aaa924924d0ca1b4370760ee1dc3f8781002044088911424849896aaaaaaaa989989a0a20a28a28aa8ab0b30b38b38bb8bc0c40c48c48ceaaaaaaaac8cd0d50d58d58dd8de0e60e68e68ee8ef0f70f78f78ff8ff8202d1458e74463f644c5f05097bbad9fab2f9b3d4ff3fb6362493d66d0b00a7fa53b7b496381a926c5fa545514cfe276dcbadb2a61499a38d5ba6fc2f632125f7acd7e5ad96e5b38f5cef9fc4ef322fe858eaf2c3f5d0e4310c69ce4f4a0e0bf1fe3a3305da4173270dbe35e0bc7ebf39b1a336956807f82d40dad74c126fe772b797f3cd5cac35e2fd39d3bebd2d2fb178d00eb955926ccd10d1c9bab9ae498fd100",
            ),
            (
                [169, 16, 32, 120],
                "e00100000004ffe92649264932499249924c92649e67d0cf7d35fd6ccaedcbe8c0a6787a3fe58e0a26f5579938d18bf188a67fe97f342210811ffe29878f2c0000000000000027fec92649264932499249924c9264f351cc8edf55679dab5c774c3b9122d82f4caf72949ce9cf28cd6f6e9f6ace369b92a102087ff72b459b1b400000000000013ff4c924c9264932499249924c9267c58cf3d9cb8540584344d543559d14397a479898e7849788a444ce836ad094b57f73050bdca9bce6bc00000000000000000009ffa4c924c9264932493249924c927e88ad922bce02bd2fdab6a0e06f2f7f6fe5cc27a0729babf43004582b14fd748561215241ff2d8550412b0000000000",
            ),
            (
                [177, 32, 64, 60],
                "e0010000201ffffe890848484277fa11480862382043012021f20884110448e0b7d5141b0263c9b373e05300000201ffffe884848424277fa048484c10602060544fc841104420a68d4c62e6c7979cff5c513d1800000807ffff9212109090877f840442a0893501048888f88822104412ea754e0b14f837690dabba2780000100fffff24212121090eff0510202650202220a8bf88841104420b0ac5afc91c051df0c71735300000100fffff21212109090eff01c050c810880a04c3023e41104420888f3925fdfabde864bc074be5800000403ffffa42421212109dff82281024081884202713e411082208859a445b0a92f697777db622f800000403ffffa42121210909e0808040804080804fcd51a7207db1d35c3a13bc607935147f41dbd4400000000403ffffa24242121210f02040204040204028c2d14fb52c4cb1f670fc8e864e7faee3a9d70e000000000",
            ),
        ] {
            let stored = hex(stored);
            assert_eq!(up_to(&stored, values, 480).unwrap(), data(480), "{values:?}");
            assert!(up_to(&stored, values, 479).is_err());
            assert!((0..stored.len() - 4).all(|end| up_to(&stored[..end], values, 480).is_err()));
        }
    }

    #[test]
    fn what_is_encoded_decodes() {
        for values in [
            [141, 16, 32, 40],
            [169, 8, 8, 20],
            [177, 8, 16, 100],
            [169, 32, 64, 256],
            [169, 8, 20, 33],
        ] {
            let mut data = noise(320);
            if values[2] == 20 {
                // Samples of 20 bits in four bytes each.
                data.chunks_mut(4).for_each(|sample| {
                    sample[2] &= 0x0f;
                    sample[3] = 0;
                });
            }
            let stored = encode(&data, &parameters(values)).unwrap();
            assert_eq!(up_to(&stored, values, 320).unwrap(), data, "{values:?}");
        }
    }

    #[test]
    fn settings_are_checked() {
        for [options, block, bits, line] in
            [[169, 8, 48, 40], [169, 0, 8, 40], [169, 7, 8, 40], [169, 8, 8, 4]]
        {
            assert!(Parameters::new(options, block, bits, line).is_err(), "{block} {bits} {line}");
        }
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let side = 1_u32 << 20;
        let mut writer = BitWriter::default();
        // Each line of 4096 samples is zeros up to its end: 64 blocks of a segment at a time.
        for _ in 0..side / 4096 {
            for segment in 0..2 {
                writer.write(0, 3);
                writer.write(0, 1);
                if segment == 0 {
                    writer.write(0, 8);
                }
                writer.write(1, 5);
            }
        }
        let stored = [&side.to_le_bytes()[..], &writer.finish()].concat();
        assert!(stored.len() < 1200);
        let settings = parameters([177, 32, 8, 4096]);
        assert_ends(1 << 20, |context| decode(&stored, &settings, context));
    }
}
