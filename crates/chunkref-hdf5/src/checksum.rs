// SPDX-License-Identifier: MIT OR Apache-2.0
//! Jenkins' lookup3 hash, the checksum of HDF5's newer metadata structures. Spec: HDF5 File Format 3.0, "Checksum".

/// lookup3 `hashlittle` of `bytes` with initial value 0.
pub(crate) fn lookup3(bytes: &[u8]) -> u32 {
    // The algorithm adds the length to its constant, modulo 2^32.
    #[expect(clippy::cast_possible_truncation, reason = "the hash is defined modulo 2^32")]
    let seed = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (seed, seed, seed);
    let mut rest = bytes;
    while rest.len() > 12 {
        let Some((block, tail)) = rest.split_first_chunk::<12>() else { break };
        (a, b, c) = add(block, a, b, c);
        (a, b, c) = mix(a, b, c);
        rest = tail;
    }
    if rest.is_empty() {
        return c;
    }
    let mut block = [0; 12];
    for (to, from) in block.iter_mut().zip(rest) {
        *to = *from;
    }
    (a, b, c) = add(&block, a, b, c);
    last(a, b, c)
}

fn add(block: &[u8; 12], a: u32, b: u32, c: u32) -> (u32, u32, u32) {
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11] = *block;
    (
        a.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3])),
        b.wrapping_add(u32::from_le_bytes([b4, b5, b6, b7])),
        c.wrapping_add(u32::from_le_bytes([b8, b9, b10, b11])),
    )
}

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

fn last(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // The test values in Bob Jenkins' lookup3.c.
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }

    #[test]
    fn every_length_hashes_differently() {
        let hashes: std::collections::HashSet<_> =
            (0..40).map(|length| lookup3(&[7; 40][..length])).collect();
        assert_eq!(hashes.len(), 40);
    }
}
