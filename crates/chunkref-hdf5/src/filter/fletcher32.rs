// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fletcher32, filter 3: a checksum behind the data.

use super::Fault;

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let (body, stored) = bytes.split_last_chunk::<4>().ok_or_else(Fault::end)?;
    let (stored, computed) = (u32::from_le_bytes(*stored), checksum(body));
    if stored == computed { Ok(body.to_vec()) } else { Err(Fault::Checksum { stored, computed }) }
}

/// Applies the filter.
pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    [bytes, &checksum(bytes).to_le_bytes()].concat()
}

/// Fletcher's checksum as libhdf5 computes it: over big-endian 16-bit words, an odd last byte in the high half.
fn checksum(bytes: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0_u32, 0_u32);
    let mut add = |word: u32| {
        sum1 = sum1.saturating_add(word) % 65535;
        sum2 = sum2.saturating_add(sum1) % 65535;
    };
    let words = bytes.chunks_exact(2);
    let rest = words.remainder();
    for word in words {
        if let [high, low] = word {
            add(u32::from(*high) << 8 | u32::from(*low));
        }
    }
    if let [high] = rest {
        add(u32::from(*high) << 8);
    }
    sum2 << 16 | sum1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_libhdf5() {
        // Computed by libhdf5 1.14 for the same bytes.
        assert_eq!(checksum(&[0, 1, 0, 2]), (1 + 3) << 16 | 3);
        assert_eq!(checksum(&[1]), 256 << 16 | 256);
        assert!(decode(&[0, 1, 0]).is_err());
    }
}
