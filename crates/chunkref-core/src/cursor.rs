// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading fields from untrusted bytes.

use thiserror::Error;

/// The bytes in hand end before a field does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{structure} at byte {offset}: {needed} bytes needed, {available} left")]
pub struct Truncated {
    /// The structure that was read.
    pub structure: &'static str,
    /// Bytes from the start of the file to the field.
    pub offset: u64,
    /// Bytes the field takes.
    pub needed: u64,
    /// Bytes that are left.
    pub available: u64,
}

/// A reading position in the bytes of one on-disk structure.
///
/// The only way parsers touch bytes: every access is checked and every error knows its place in the file.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    base: u64,
    structure: &'static str,
}

impl<'a> Cursor<'a> {
    /// Reads `bytes`, which lie `base` bytes from the start of the file, as a `structure`.
    #[must_use]
    pub fn new(bytes: &'a [u8], base: u64, structure: &'static str) -> Self {
        Self { bytes, position: 0, base, structure }
    }

    /// The name of the structure, for errors.
    #[must_use]
    pub fn structure(&self) -> &'static str {
        self.structure
    }

    /// Bytes from the start of the file to the next field.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.base.saturating_add(self.position as u64)
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let end = self.position.checked_add(count);
        match end.and_then(|end| self.bytes.get(self.position..end)) {
            Some(bytes) => {
                self.position = self.position.saturating_add(count);
                Ok(bytes)
            }
            None => Err(self.truncated(count as u64)),
        }
    }

    /// The next `count` bytes, where the count comes from the file.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn bytes_u64(&mut self, count: u64) -> Result<&'a [u8], Truncated> {
        match usize::try_from(count) {
            Ok(count) => self.bytes(count),
            Err(_) => Err(self.truncated(count)),
        }
    }

    /// A cursor over the next `count` bytes, which it skips here.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn slice(&mut self, count: u64, structure: &'static str) -> Result<Cursor<'a>, Truncated> {
        let base = self.offset();
        Ok(Cursor::new(self.bytes_u64(count)?, base, structure))
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        self.position = self.bytes.len();
        rest
    }

    /// The next byte without reading it.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// Skips `count` bytes.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn skip(&mut self, count: usize) -> Result<(), Truncated> {
        self.bytes(count).map(|_| ())
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    /// An unsigned byte.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    /// A little-endian unsigned 16-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u16_le(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// A little-endian unsigned 32-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u32_le(&mut self) -> Result<u32, Truncated> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A little-endian unsigned 64-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u64_le(&mut self) -> Result<u64, Truncated> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A big-endian unsigned 16-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u16_be(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// A big-endian unsigned 32-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u32_be(&mut self) -> Result<u32, Truncated> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A big-endian unsigned 64-bit integer.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u64_be(&mut self) -> Result<u64, Truncated> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A little-endian unsigned integer of `length` bytes, 0 to 8; more are read, and only the low 8 count.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn uint_le(&mut self, length: usize) -> Result<u64, Truncated> {
        let bytes = self.bytes(length)?;
        Ok(bytes.iter().take(8).rev().fold(0, |value, &byte| (value << 8) | u64::from(byte)))
    }

    /// The error of a field of `needed` bytes that is not all there.
    #[must_use]
    pub fn truncated(&self, needed: u64) -> Truncated {
        Truncated {
            structure: self.structure,
            offset: self.offset(),
            needed,
            available: self.remaining() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_both_orders() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 100, "test");
        assert_eq!(cursor.u16_le(), Ok(0x0201));
        assert_eq!(cursor.u16_be(), Ok(0x0304));
        assert_eq!(cursor.uint_le(3), Ok(0x07_06_05));
        assert_eq!(cursor.offset(), 107);
        assert_eq!(cursor.remaining(), 2);
        assert_eq!(cursor.uint_le(0), Ok(0));
    }

    #[test]
    fn the_end_is_an_error_with_its_place() {
        let mut cursor = Cursor::new(&[0; 6], 100, "superblock");
        cursor.skip(4).unwrap();
        let error = cursor.u32_le().unwrap_err();
        assert_eq!(
            error,
            Truncated { structure: "superblock", offset: 104, needed: 4, available: 2 }
        );
        assert_eq!(error.to_string(), "superblock at byte 104: 4 bytes needed, 2 left");
        assert_eq!(cursor.bytes_u64(u64::MAX).unwrap_err().needed, u64::MAX);
        assert_eq!(cursor.u16_le(), Ok(0), "a failed read moves nothing");
    }
}
