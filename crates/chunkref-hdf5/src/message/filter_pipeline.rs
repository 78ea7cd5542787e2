// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filter pipeline. Spec: HDF5 File Format 3.0, IV.A.2.l.

use chunkref_core::Cursor;

use crate::context::expect_version;
use crate::error::{Hdf5Error, Result};

/// The filter mask of a chunk has 32 bits, so no pipeline has more filters.
const MAX_FILTERS: u8 = 32;

/// One filter; a pipeline lists them in the order in which they are applied when writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Registered identifier.
    pub(crate) id: u16,
    /// Name, where the file has one.
    pub(crate) name: String,
    /// Client data.
    pub(crate) values: Vec<u32>,
}

/// Parses a pipeline.
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Vec<Filter>> {
    let version = expect_version(cursor, &[1, 2])?;
    let offset = cursor.offset();
    let count = cursor.u8()?;
    if count > MAX_FILTERS {
        let reason = format!("{count} filters are more than HDF5's {MAX_FILTERS}");
        return Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason));
    }
    if version == 1 {
        cursor.skip(6)?;
    }
    (0..count).map(|_| parse_filter(cursor, version)).collect()
}

fn parse_filter(cursor: &mut Cursor<'_>, version: u8) -> Result<Filter> {
    let id = cursor.u16_le()?;
    let name_bytes = if version == 1 || id >= 256 { cursor.u16_le()? } else { 0 };
    cursor.skip(2)?; // flags: whether a failing filter is optional when writing
    let count = cursor.u16_le()?;
    let name_bytes = usize::from(name_bytes);
    let stored = if version == 1 { name_bytes.next_multiple_of(8) } else { name_bytes };
    let name = cursor.bytes(stored)?;
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    let name = String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned();
    let values = (0..count).map(|_| Ok(cursor.u32_le()?)).collect::<Result<_>>()?;
    if version == 1 && count % 2 == 1 {
        cursor.skip(4)?;
    }
    Ok(Filter { id, name, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Vec<Filter>> {
        super::parse(&mut Cursor::new(bytes, 0, "filter pipeline"))
    }

    #[test]
    fn both_versions() {
        let mut v1 = vec![1, 1, 0, 0, 0, 0, 0, 0];
        v1.extend([1, 0, 8, 0, 1, 0, 1, 0]); // deflate, name of 8 bytes, flags, one value
        v1.extend(b"deflate\0");
        v1.extend([6, 0, 0, 0, 0, 0, 0, 0]); // level 6 and padding
        assert_eq!(
            parse(&v1).unwrap(),
            [Filter { id: 1, name: "deflate".to_owned(), values: vec![6] }]
        );

        let mut v2 = vec![2, 2, 2, 0, 0, 0, 1, 0, 4, 0, 0, 0]; // shuffle of 4-byte elements
        v2.extend([0x0f, 0x7d, 3, 0, 1, 0, 0, 0, b'z', b's', b't']); // 32015, named, no values
        let filters = parse(&v2).unwrap();
        assert_eq!(filters[0], Filter { id: 2, name: String::new(), values: vec![4] });
        assert_eq!((filters[1].id, filters[1].name.as_str()), (32015, "zst"));
    }

    #[test]
    fn claims_are_checked() {
        assert!(matches!(parse(&[2, 33]), Err(Hdf5Error::Inconsistent { .. })));
        assert!(matches!(parse(&[2, 1, 1, 0, 0, 0, 0xff, 0xff]), Err(Hdf5Error::Truncated(_))));
    }
}
