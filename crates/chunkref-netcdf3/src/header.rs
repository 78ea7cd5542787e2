// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header: everything but the data.
//!
//! Spec: `header = magic numrecs dim_list gatt_list var_list`.

use chunkref_core::{Cursor, Limits};

use crate::attribute::Attribute;
use crate::dimension::Dimension;
use crate::error::{NetCdf3Error, Result};
use crate::variable::Variable;

/// The three formats, which differ in the widths of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// CDF-1: all numbers have 32 bits.
    Classic,
    /// CDF-2: places of data have 64 bits.
    Offset64,
    /// CDF-5: places, lengths and counts have 64 bits.
    Data64,
}

/// Which list follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Dimension = 0x0a,
    Variable = 0x0b,
    Attribute = 0x0c,
}

/// A position in the header, with what its parts need to know.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) cursor: Cursor<'a>,
    pub(crate) version: Version,
    limits: &'a Limits,
}

/// Everything but the data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Header {
    pub(crate) version: Version,
    /// Records in the file; `None` while it is being written, when their number follows from the file's length.
    pub(crate) records: Option<u64>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) variables: Vec<Variable>,
    /// Bytes of the header.
    pub(crate) length: u64,
}

impl Header {
    /// Reads a header from the head of a file. [`NetCdf3Error::Truncated`] when `bytes` end before it does.
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, 0, "header");
        let version = match cursor.array()? {
            [b'C', b'D', b'F', 1] => Version::Classic,
            [b'C', b'D', b'F', 2] => Version::Offset64,
            [b'C', b'D', b'F', 5] => Version::Data64,
            found => return Err(NetCdf3Error::BadSignature { found }),
        };
        let mut reader = Reader { cursor, version, limits };
        let records = reader.non_negative_or_unknown()?;
        let dimensions = Dimension::parse_list(&mut reader)?;
        let attributes = Attribute::parse_list(&mut reader)?;
        let variables = Variable::parse_list(&mut reader, dimensions.len())?;
        let length = reader.cursor.offset();
        Ok(Self { version, records, dimensions, attributes, variables, length })
    }
}

impl<'a> Reader<'a> {
    /// The tag of a list and the number of its items; an absent list has zeros for both.
    pub(crate) fn list(&mut self, tag: Tag) -> Result<u64> {
        let offset = self.cursor.offset();
        let found = self.cursor.u32_be()?;
        let count = self.count(match tag {
            Tag::Dimension => "dimensions",
            Tag::Variable => "variables",
            Tag::Attribute => "attributes",
        })?;
        if found == tag as u32 || (found == 0 && count == 0) {
            return Ok(count);
        }
        let reason = format!("expected the list of tag {:#04x}, found {found:#04x}", tag as u32);
        Err(NetCdf3Error::inconsistent("header", offset, reason))
    }

    /// A number of things.
    pub(crate) fn count(&mut self, what: &'static str) -> Result<u64> {
        let offset = self.cursor.offset();
        let claimed = self.non_negative()?;
        let limit = self.limits.members;
        if claimed > limit {
            let structure = "header";
            return Err(NetCdf3Error::LimitExceeded { structure, offset, what, claimed, limit });
        }
        Ok(claimed)
    }

    /// Spec: `NON_NEG`.
    pub(crate) fn non_negative(&mut self) -> Result<u64> {
        let offset = self.cursor.offset();
        self.non_negative_or_unknown()?.ok_or_else(|| {
            NetCdf3Error::inconsistent("header", offset, "a count is not given here")
        })
    }

    /// The same, or `None` for all bits set: the number of records of a file that is being written, and the length of a
    /// variable that 32 bits do not hold.
    pub(crate) fn non_negative_or_unknown(&mut self) -> Result<Option<u64>> {
        let offset = self.cursor.offset();
        let (value, unknown, largest) = match self.version {
            Version::Classic | Version::Offset64 => {
                (u64::from(self.cursor.u32_be()?), u64::from(u32::MAX), u64::from(u32::MAX))
            }
            Version::Data64 => (self.cursor.u64_be()?, u64::MAX, i64::MAX.cast_unsigned()),
        };
        if value == unknown {
            return Ok(None);
        }
        if value > largest {
            let reason = format!("{value:#x} is a negative count");
            return Err(NetCdf3Error::inconsistent("header", offset, reason));
        }
        Ok(Some(value))
    }

    /// Spec: `name = nelems namestring`.
    pub(crate) fn name(&mut self) -> Result<String> {
        let offset = self.cursor.offset();
        let length = self.non_negative()?;
        let bytes = self.padded(length)?;
        // C programs end names with zeros that they count; netCDF-C reads up to the first.
        let bytes = bytes.split(|&byte| byte == 0).next().unwrap_or(bytes);
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| {
            let reason = format!("\"{}\" is not UTF-8", bytes.escape_ascii());
            NetCdf3Error::inconsistent("name", offset, reason)
        })
    }

    /// So many bytes, and the padding to a multiple of 4 behind them.
    pub(crate) fn padded(&mut self, length: u64) -> Result<&'a [u8]> {
        let bytes = self.cursor.bytes_u64(length)?;
        let padding = length.checked_next_multiple_of(4).unwrap_or(length).saturating_sub(length);
        self.cursor.bytes_u64(padding)?;
        Ok(bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::nc_type::NcType;

    /// A CDF-1 header: `t` of records, `x` = 3; `a(t, x)` of short with an attribute, `b(x)` of double.
    pub(crate) fn example() -> Vec<u8> {
        let mut bytes = b"CDF\x01\0\0\0\x02".to_vec(); // two records
        let mut words = |words: &[u32]| {
            for word in words {
                bytes.extend(word.to_be_bytes());
            }
        };
        let text = |text: &[u8; 4]| u32::from_be_bytes(*text);
        words(&[0x0a, 2, 1, text(b"t\0\0\0"), 0, 1, text(b"x\0\0\0"), 3]);
        words(&[0, 0]); // no global attributes
        words(&[0x0b, 2]);
        words(&[1, text(b"a\0\0\0"), 2, 0, 1]); // a(t, x)
        words(&[0x0c, 1, 5, text(b"unit"), text(b"s\0\0\0"), 2, 1, text(b"K\0\0\0")]);
        words(&[3, 8, 216]); // short, vsize, begin
        words(&[1, text(b"b\0\0\0"), 1, 1, 0, 0, 6, 24, 192]);
        bytes
    }

    #[test]
    fn a_header_is_read_whole() {
        let bytes = example();
        let header = Header::parse(&bytes, &Limits::default()).unwrap();
        assert_eq!((header.version, header.records), (Version::Classic, Some(2)));
        assert_eq!(header.length, bytes.len() as u64);
        assert_eq!(header.dimensions[1], Dimension { name: "x".to_owned(), length: 3 });
        let [a, b] = header.variables.as_slice() else { panic!("two variables") };
        assert_eq!(
            (a.name.as_str(), a.dimensions.as_slice(), a.begin),
            ("a", [0, 1].as_slice(), 216)
        );
        assert_eq!(
            (a.attributes[0].name.as_str(), a.attributes[0].bytes.as_slice()),
            ("units", b"K".as_slice())
        );
        assert_eq!((b.nc_type, b.begin), (NcType::Double, 192));
    }

    #[test]
    fn every_cut_is_an_error_with_its_place() {
        let bytes = example();
        for length in 0..bytes.len() {
            let error = Header::parse(&bytes[..length], &Limits::default()).unwrap_err();
            assert!(matches!(error, NetCdf3Error::Truncated(_)), "{length}: {error}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let change = |place: usize, byte: u8| {
            let mut bytes = example();
            bytes[place] = byte;
            Header::parse(&bytes, &Limits::default()).unwrap_err().to_string()
        };
        assert!(change(3, 3).contains("version 1, 2 or 5"));
        assert!(change(11, 7).contains("expected the list of tag 0x0a, found 0x07"));
        assert!(change(39, 0).contains("second dimension of length 0"), "{}", change(39, 0));
        assert!(change(20, 0xff).contains("is not UTF-8"));
        assert!(change(12, 0x7f).contains("exceed the limit"));
    }

    proptest::proptest! {
        #[test]
        fn no_change_makes_it_panic(place in 0_usize..200, byte in proptest::num::u8::ANY) {
            let mut bytes = example();
            let place = place.checked_rem(bytes.len()).unwrap_or(0);
            bytes[place] = byte;
            let _ = Header::parse(&bytes, &Limits::default());
        }
    }
}
