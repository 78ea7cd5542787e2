// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which format a file is in, by its first bytes.

/// Bytes that a format's files have at one of a few places. Plain data, so that a registry can prove that no two
/// formats claim the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The bytes; at least one.
    pub bytes: &'static [u8],
    /// Which bits of each byte count; empty when all do, else as long as `bytes`.
    pub mask: &'static [u8],
    /// Where the bytes may be, from the start of the file.
    pub offsets: &'static [u64],
}

impl Signature {
    /// `bytes` at the start of the file.
    #[must_use]
    pub const fn at_start(bytes: &'static [u8]) -> Self {
        Self { bytes, mask: &[], offsets: &[0] }
    }

    /// `bytes` at any of `offsets`.
    #[must_use]
    pub const fn at(bytes: &'static [u8], offsets: &'static [u64]) -> Self {
        Self { bytes, mask: &[], offsets }
    }

    /// Whether a file that begins with `head` has the signature.
    #[must_use]
    pub fn matches(&self, head: &[u8]) -> bool {
        self.offsets.iter().any(|&offset| self.matches_at(head, offset))
    }

    /// Whether a file that begins with `head` has the signature as its first bytes.
    #[must_use]
    pub fn matches_start(&self, head: &[u8]) -> bool {
        self.offsets.contains(&0) && self.matches_at(head, 0)
    }

    /// Bytes of a file's head that decide.
    #[must_use]
    pub fn reach(&self) -> u64 {
        self.offsets.iter().max().copied().unwrap_or(0).saturating_add(self.bytes.len() as u64)
    }

    /// Whether some file could have both signatures at the same place.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.offsets.iter().any(|offset| other.offsets.contains(offset))
            && (0..self.bytes.len().min(other.bytes.len())).all(|index| {
                let mask = self.mask_at(index) & other.mask_at(index);
                let byte = |signature: &Self| {
                    signature.bytes.get(index).copied().unwrap_or_default() & mask
                };
                byte(self) == byte(other)
            })
    }

    fn matches_at(&self, head: &[u8], offset: u64) -> bool {
        let Some(found) = usize::try_from(offset).ok().and_then(|offset| head.get(offset..)) else {
            return false;
        };
        !self.bytes.is_empty()
            && found.len() >= self.bytes.len()
            && self
                .bytes
                .iter()
                .zip(found)
                .enumerate()
                .all(|(index, (&expected, &byte))| (expected ^ byte) & self.mask_at(index) == 0)
    }

    fn mask_at(&self, index: usize) -> u8 {
        if self.mask.is_empty() { 0xff } else { self.mask.get(index).copied().unwrap_or(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_matches_at_its_offsets_only() {
        let signature = Signature::at(b"HDF", &[0, 4]);
        assert!(signature.matches(b"HDF."));
        assert!(signature.matches(b"....HDF"));
        assert!(!signature.matches(b".HDF..."));
        assert!(!signature.matches(b"HD"));
        assert!(!signature.matches(b""));
        assert!(signature.matches_start(b"HDF."));
        assert!(!signature.matches_start(b"....HDF"));
        assert!(!Signature::at(b"HDF", &[4]).matches_start(b"HDF."));
        assert_eq!(signature.reach(), 7);
    }

    #[test]
    fn a_mask_hides_bits() {
        let signature =
            Signature { bytes: b"CDF\x00", mask: &[0xff, 0xff, 0xff, 0xf0], offsets: &[0] };
        assert!(signature.matches(b"CDF\x05"));
        assert!(!signature.matches(b"CDF\x15"));
    }

    #[test]
    fn overlap_is_found() {
        let a = Signature::at_start(b"GRIB");
        assert!(a.overlaps(&Signature::at_start(b"GR")));
        assert!(!a.overlaps(&Signature::at_start(b"CDF")));
        assert!(!a.overlaps(&Signature::at(b"GRIB", &[8])));
    }
}
