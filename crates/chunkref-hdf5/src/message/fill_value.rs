// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fill value, old and new. Spec: HDF5 File Format 3.0, IV.A.2.e and IV.A.2.f.

use chunkref_core::Cursor;

use crate::context::expect_version;
use crate::error::Result;

/// What elements that were never written read as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum FillValue {
    /// The library's default: zeros.
    #[default]
    Default,
    /// Nothing in particular.
    Undefined,
    /// The bytes of one element.
    Defined(Vec<u8>),
}

impl FillValue {
    /// The old message: a length and the value.
    pub(crate) fn parse_old(cursor: &mut Cursor<'_>) -> Result<Self> {
        let length = cursor.u32_le()?;
        Self::value(cursor, length)
    }

    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self> {
        let version = expect_version(cursor, &[1, 2, 3])?;
        if version == 3 {
            let flags = cursor.u8()?;
            return match (flags & 0x10 != 0, flags & 0x20 != 0) {
                (true, _) => Ok(Self::Undefined),
                (false, false) => Ok(Self::Default),
                (false, true) => {
                    let length = cursor.u32_le()?;
                    Self::value(cursor, length)
                }
            };
        }
        cursor.skip(2)?; // allocation and write time
        let defined = cursor.u8()? != 0;
        if version == 2 && !defined {
            return Ok(Self::Undefined);
        }
        let length = cursor.u32_le()?;
        // A length of -1 says "undefined" in version 1.
        if length == u32::MAX {
            return Ok(Self::Undefined);
        }
        Self::value(cursor, length)
    }

    fn value(cursor: &mut Cursor<'_>, length: u32) -> Result<Self> {
        if length == 0 {
            return Ok(Self::Default);
        }
        Ok(Self::Defined(cursor.bytes_u64(u64::from(length))?.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<FillValue> {
        FillValue::parse(&mut Cursor::new(bytes, 0, "fill value"))
    }

    #[test]
    fn all_versions() {
        assert_eq!(parse(&[2, 2, 2, 1, 2, 0, 0, 0, 9, 8]).unwrap(), FillValue::Defined(vec![9, 8]));
        assert_eq!(parse(&[2, 2, 2, 1, 0, 0, 0, 0]).unwrap(), FillValue::Default);
        assert_eq!(parse(&[2, 2, 2, 0]).unwrap(), FillValue::Undefined);
        assert_eq!(parse(&[1, 2, 2, 0, 0xff, 0xff, 0xff, 0xff]).unwrap(), FillValue::Undefined);
        assert_eq!(parse(&[3, 0x0a]).unwrap(), FillValue::Default);
        assert_eq!(parse(&[3, 0x1a]).unwrap(), FillValue::Undefined);
        assert_eq!(parse(&[3, 0x2a, 1, 0, 0, 0, 7]).unwrap(), FillValue::Defined(vec![7]));
        assert!(parse(&[3, 0x2a, 0xff, 0xff, 0, 0, 7]).is_err());
        let mut old = Cursor::new(&[1, 0, 0, 0, 5], 0, "fill value");
        assert_eq!(FillValue::parse_old(&mut old).unwrap(), FillValue::Defined(vec![5]));
    }
}
