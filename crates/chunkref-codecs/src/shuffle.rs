// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shuffle: byte n of every element together, as numcodecs' `shuffle` and HDF5's filter 2 have it. A rest that is no
//! whole element stays at the end.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;

/// Bytes of output that are written at one time: what the fastest memory holds.
const BLOCK: usize = 16 << 10;

/// Brings the bytes of each element together again.
///
/// # Errors
/// [`CodecError`] for work that was ended.
pub fn decode(
    bytes: &[u8],
    element_length: usize,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let count = bytes.len().checked_div(element_length).unwrap_or(0);
    let mut output = bytes.to_vec();
    if element_length < 2 || count < 2 {
        return Ok(output);
    }
    let mut steps = Steps::new(context.cancellation());
    let whole = output.get_mut(..count.saturating_mul(element_length)).unwrap_or_default();
    let columns = BLOCK.checked_div(element_length).unwrap_or(1).max(1);
    let blocks = whole.chunks_mut(columns.saturating_mul(element_length));
    for (number, block) in blocks.enumerate() {
        let first = number.saturating_mul(columns);
        for (byte, plane) in bytes.chunks_exact(count).take(element_length).enumerate() {
            steps.take(columns)?;
            let targets = block.iter_mut().skip(byte).step_by(element_length);
            let sources = plane.get(first..).unwrap_or_default();
            targets.zip(sources).for_each(|(target, source)| *target = *source);
        }
    }
    Ok(output)
}

/// Puts byte n of every element together.
#[must_use]
pub fn encode(bytes: &[u8], element_length: usize) -> Vec<u8> {
    if element_length < 2 {
        return bytes.to_vec();
    }
    let elements = bytes.chunks_exact(element_length);
    let rest = elements.remainder();
    let mut output: Vec<u8> = (0..element_length)
        .flat_map(|plane| elements.clone().filter_map(move |element| element.get(plane).copied()))
        .collect();
    output.extend_from_slice(rest);
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_ends;

    #[test]
    fn planes_are_gathered_and_the_rest_kept() {
        let decode =
            |bytes: &[u8], length| decode(bytes, length, &DecodeContext::up_to(0)).unwrap();
        assert_eq!(encode(&[1, 2, 3, 4, 5], 2), [1, 3, 2, 4, 5]);
        assert_eq!(decode(&[1, 3, 2, 4, 5], 2), [1, 2, 3, 4, 5]);
        assert_eq!(decode(&[1, 2], 3), [1, 2]);
        let data: Vec<u8> = (0..70_003_usize).map(|at| (at * 7 % 251).to_le_bytes()[0]).collect();
        for length in [1, 2, 3, 4, 8, 12, 1000, 20_000, 35_001, 70_003, 80_000] {
            assert_eq!(decode(&encode(&data, length), length), data, "{length}");
        }
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let data = vec![5; 1 << 20];
        for length in [2, 4, 8, 1000, 1 << 18, 1 << 19] {
            assert_ends(1 << 20, |context| decode(&data, length, context));
        }
    }
}
