// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bzip2, filter 307.

use std::io::Write;

use bzip2::Compression;
use bzip2::bufread::BzDecoder;
use bzip2::write::BzEncoder;

use super::Fault;

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], room: usize) -> Result<Vec<u8>, Fault> {
    Fault::read_to_end(BzDecoder::new(bytes), room)
}

/// Applies the filter; `values` holds the block length in units of 100,000 bytes.
pub(super) fn encode(bytes: &[u8], values: &[u32]) -> Result<Vec<u8>, Fault> {
    let level = Compression::new(values.first().copied().unwrap_or(9).clamp(1, 9));
    let mut encoder = BzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn a_stream_of_hdf5plugin() {
        // hdf5plugin 7.1: 40 values of <i4, n // 3.
        let stream = hex(
            "425a6839314159265359de548650000001c0007ffe200031000004521a007a1a356ccb770e5d198dbc7af9911098443e2ee48a70a121bca90ca0",
        );
        let data: Vec<u8> = (0..40_i32).flat_map(|n| (n / 3).to_le_bytes()).collect();
        assert_eq!(decode(&stream, 160).unwrap(), data);
        assert!(decode(&stream, 159).is_err());
        assert!((0..stream.len()).all(|end| decode(&stream[..end], 160).is_err()));
        assert_eq!(decode(&encode(&data, &[9]).unwrap(), 160).unwrap(), data);
    }
}
