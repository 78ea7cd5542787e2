// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zstandard, filter 32015: one frame.

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::Fault;

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    let decoder = StreamingDecoder::new(bytes)
        .map_err(|error| Fault::Damaged(format!("its frame is damaged: {error}")))?;
    Fault::read_to_end(decoder, room)
}

/// Applies the filter.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn a_frame_of_hdf5plugin() {
        // hdf5plugin 7.1, level 3: 40 values of <i4, n // 3.
        let frame = hex(
            "28b52ffd20a06d01009000000102030405060708090a0b0c0d0000000d00c00830070c0346803960183002cc01c38011606e67d806da",
        );
        let data: Vec<u8> = (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        assert_eq!(decode(&frame, 160).unwrap(), data);
        assert!(decode(&frame, 159).is_err());
        assert!((0..frame.len()).all(|end| decode(&frame[..end], 160).is_err()));
        assert_eq!(decode(&encode(&data), 160).unwrap(), data);
    }
}
