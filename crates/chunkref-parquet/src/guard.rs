// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a partition claims, checked before the `parquet` crate believes it.
//!
//! The structures are in Thrift's compact protocol. They are walked here without being kept, with a bound on everything
//! that is counted: a list has no more items than bytes are left, and what pages unpack to is no more than the limits
//! allow.
//!
//! Spec: <https://parquet.apache.org/docs/file-format/>, <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

use chunkref_core::{Cursor, Limits};

/// How a Parquet file begins and ends.
const MAGIC: &[u8; 4] = b"PAR1";
/// Longest footer. That of a partition with four columns and one row group has some 600 bytes.
const MAX_FOOTER_BYTES: u64 = 16 << 20;
/// Columns and groups of columns.
const MAX_COLUMNS: u64 = 64;
/// Structures in one another; the footer has 6.
const MAX_DEPTH: u32 = 24;

type Result<T> = std::result::Result<T, String>;

/// A value, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean,
    Byte,
    Integer,
    Double,
    Binary,
    List,
    Map,
    Struct,
}

/// Where the pages of a column of a row group are.
#[derive(Debug, Default, Clone, Copy)]
struct Chunk {
    data: Option<u64>,
    dictionary: Option<u64>,
    compressed: u64,
}

/// Checks a file of `bytes`.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn check(bytes: &[u8], limits: &Limits) -> Result<()> {
    let length = bytes.len() as u64;
    let not = || {
        "it does not begin and end as a Parquet file does: it is damaged or something else"
            .to_owned()
    };
    if length < 12 || !bytes.starts_with(MAGIC) || !bytes.ends_with(MAGIC) {
        return Err(not());
    }
    let tail = length.saturating_sub(8);
    let end = bytes.last_chunk::<8>().and_then(|end| end.first_chunk::<4>()).ok_or_else(not)?;
    let footer = u64::from(u32::from_le_bytes(*end));
    let start = tail.checked_sub(footer).filter(|start| *start >= 4);
    let start = start.filter(|_| footer <= MAX_FOOTER_BYTES).ok_or_else(|| {
        format!("its footer of {footer} bytes is longer than the file, or than the {MAX_FOOTER_BYTES} bytes that are read")
    })?;
    let mut walk = Walk { cursor: part(bytes, start, tail)? };
    let mut chunks = Vec::new();
    walk.file_metadata(&mut chunks)?;

    let allowed = limits.expanded_bytes(length);
    let mut unpacked = 0_u64;
    for chunk in chunks {
        check_pages(bytes, start, chunk, &mut unpacked, allowed, limits)?;
    }
    Ok(())
}

/// The headers of the pages of a column chunk, all of which lie before the footer.
fn check_pages(
    bytes: &[u8],
    footer: u64,
    chunk: Chunk,
    unpacked: &mut u64,
    allowed: u64,
    limits: &Limits,
) -> Result<()> {
    let data = chunk.data.ok_or("a column has no place of its data")?;
    let first = chunk.dictionary.filter(|place| *place > 0).map_or(data, |place| place.min(data));
    let end = first.checked_add(chunk.compressed).filter(|end| *end <= footer && first >= 4);
    let end = end.ok_or("a column lies outside the file")?;
    let mut place = first;
    while place < end {
        let mut walk = Walk { cursor: part(bytes, place, end)? };
        let (stored, page) = walk.page_header()?;
        if walk.cursor.offset().saturating_add(stored) > end {
            return Err(format!("the page at byte {place} is longer than its column"));
        }
        place = walk.cursor.offset().saturating_add(stored);
        *unpacked = unpacked.saturating_add(page);
        if *unpacked > allowed {
            let limit = limits.set_expansion;
            return Err(format!(
                "its {} bytes become more than {allowed}, which the limit set_expansion={limit} does not allow",
                bytes.len()
            ));
        }
    }
    Ok(())
}

struct Walk<'a> {
    cursor: Cursor<'a>,
}

impl Walk<'_> {
    fn damaged(&self, what: &str) -> String {
        format!("byte {}: {what}: the file is damaged", self.cursor.offset())
    }

    fn byte(&mut self) -> Result<u8> {
        self.cursor.u8().map_err(|_| self.damaged("a structure is cut off"))
    }

    /// A number of seven bits a byte.
    fn number(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged("a number is too long"))
    }

    /// A number whose lowest bit is its sign; negative ones are none of a size.
    fn size(&mut self) -> Result<u64> {
        let number = self.number()?;
        if number & 1 == 1 {
            return Err(self.damaged("a size is negative"));
        }
        Ok(number >> 1)
    }

    /// A number of items, each of which is one byte at least.
    fn count(&mut self, count: u64) -> Result<u64> {
        if count > self.cursor.remaining() as u64 {
            return Err(self.damaged("a list is longer than what is left of the file"));
        }
        Ok(count)
    }

    fn kind(&self, kind: u8) -> Result<Kind> {
        Ok(match kind {
            1 | 2 => Kind::Boolean,
            3 => Kind::Byte,
            4..=6 => Kind::Integer,
            7 => Kind::Double,
            8 => Kind::Binary,
            9 | 10 => Kind::List,
            11 => Kind::Map,
            12 => Kind::Struct,
            _ => return Err(self.damaged("a structure has a field of no known type")),
        })
    }

    fn list(&mut self) -> Result<(Kind, u64)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        // Some writers, fastparquet among them, give a list of no items no type.
        let kind = if count == 0 { Kind::Byte } else { self.kind(head & 15)? };
        Ok((kind, self.count(count)?))
    }

    /// Passes over a value; booleans take a byte in lists alone.
    fn skip(&mut self, kind: Kind, in_list: bool, depth: u32) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.damaged("structures are nested too deep"));
        }
        let deeper = depth.saturating_add(1);
        match kind {
            Kind::Boolean if !in_list => {}
            Kind::Boolean | Kind::Byte => drop(self.byte()?),
            Kind::Integer => drop(self.number()?),
            Kind::Double => self.pass(8)?,
            Kind::Binary => {
                let length = self.number()?;
                self.pass(length)?;
            }
            Kind::List => {
                let (kind, count) = self.list()?;
                for _ in 0..count {
                    self.skip(kind, true, deeper)?;
                }
            }
            Kind::Map => {
                let count = self.number()?;
                let count = self.count(count)?;
                if count > 0 {
                    let kinds = self.byte()?;
                    let (key, value) = (self.kind(kinds >> 4)?, self.kind(kinds & 15)?);
                    for _ in 0..count {
                        self.skip(key, true, deeper)?;
                        self.skip(value, true, deeper)?;
                    }
                }
            }
            Kind::Struct => {
                self.fields(deeper, &mut |walk, _, kind| walk.skip(kind, false, deeper))?;
            }
        }
        Ok(())
    }

    fn pass(&mut self, length: u64) -> Result<()> {
        let length = to_usize(self.count(length)?)?;
        self.cursor.skip(length).map_err(|_| self.damaged("a text is cut off"))
    }

    /// Calls `field` with number and type of every field of a structure; it reads or passes over the value.
    fn fields(
        &mut self,
        depth: u32,
        field: &mut dyn FnMut(&mut Self, i64, Kind) -> Result<()>,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.damaged("structures are nested too deep"));
        }
        let mut last = 0_i64;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            last = if head >> 4 == 0 {
                let number = self.number()?;
                i64::try_from(number >> 1).unwrap_or(i64::MAX)
            } else {
                last.saturating_add(i64::from(head >> 4))
            };
            let kind = self.kind(head & 15)?;
            field(self, last, kind)?;
        }
    }

    /// `FileMetaData`: 2 schema, 3 rows, 4 row groups.
    fn file_metadata(&mut self, chunks: &mut Vec<Chunk>) -> Result<()> {
        self.fields(0, &mut |walk, number, kind| match (number, kind) {
            (2, Kind::List) => {
                let (kind, count) = walk.list()?;
                if count > MAX_COLUMNS {
                    return Err(format!("it has {count} columns, more than {MAX_COLUMNS}"));
                }
                (0..count).try_for_each(|_| walk.skip(kind, true, 1))
            }
            (4, Kind::List) => {
                let (kind, count) = walk.list()?;
                if kind != Kind::Struct {
                    return Err(walk.damaged("the row groups are no structures"));
                }
                (0..count).try_for_each(|_| walk.row_group(chunks))
            }
            _ => walk.skip(kind, false, 1),
        })
    }

    /// `RowGroup`: 1 columns, each a `ColumnChunk`: 3 `ColumnMetaData`.
    fn row_group(&mut self, chunks: &mut Vec<Chunk>) -> Result<()> {
        self.fields(1, &mut |walk, number, kind| {
            if (number, kind) != (1, Kind::List) {
                return walk.skip(kind, false, 2);
            }
            let (kind, count) = walk.list()?;
            if kind != Kind::Struct || count > MAX_COLUMNS {
                return Err(walk.damaged("a row group has no columns, or too many"));
            }
            for _ in 0..count {
                let mut chunk = Chunk::default();
                walk.fields(2, &mut |walk, number, kind| match (number, kind) {
                    (3, Kind::Struct) => walk.column(&mut chunk),
                    _ => walk.skip(kind, false, 3),
                })?;
                chunks.push(chunk);
            }
            Ok(())
        })
    }

    /// `ColumnMetaData`: 7 compressed bytes, 9 first data page, 11 dictionary page.
    fn column(&mut self, chunk: &mut Chunk) -> Result<()> {
        self.fields(3, &mut |walk, number, kind| {
            match (number, kind) {
                (7, Kind::Integer) => chunk.compressed = walk.size()?,
                (9, Kind::Integer) => chunk.data = Some(walk.size()?),
                (11, Kind::Integer) => chunk.dictionary = Some(walk.size()?),
                _ => walk.skip(kind, false, 4)?,
            }
            Ok(())
        })
    }

    /// `PageHeader`: 2 bytes unpacked, 3 bytes stored.
    fn page_header(&mut self) -> Result<(u64, u64)> {
        let (mut stored, mut unpacked) = (None, None);
        self.fields(0, &mut |walk, number, kind| {
            match (number, kind) {
                (2, Kind::Integer) => unpacked = Some(walk.size()?),
                (3, Kind::Integer) => stored = Some(walk.size()?),
                _ => walk.skip(kind, false, 1)?,
            }
            Ok(())
        })?;
        stored.zip(unpacked).ok_or_else(|| self.damaged("a page has no length"))
    }
}

/// Some bytes of the file.
fn part(bytes: &[u8], start: u64, end: u64) -> Result<Cursor<'_>> {
    let part = bytes.get(to_usize(start)?..to_usize(end)?).unwrap_or_default();
    Ok(Cursor::new(part, start, "partition"))
}

fn to_usize(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(|_| "it is too large for this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::data_type::ByteArray;

    use super::*;
    use crate::partition::Rows;

    fn partition() -> Vec<u8> {
        let mut rows = Rows::new(5);
        rows.set_path(0, &ByteArray::from("s3://b/a.nc"), 7, 9);
        rows.set_raw(1, Bytes::from_static(b"inline"));
        rows.set_path(3, &ByteArray::from("s3://b/b.nc"), 8, 10);
        rows.encode().unwrap()
    }

    #[test]
    fn a_sound_file_passes_and_what_it_becomes_is_bounded() {
        let file = partition();
        check(&file, &Limits::default()).unwrap();
        let mut rows = Rows::new(5_000_000);
        for row in 0..5_000_000 {
            rows.set_path(row, &ByteArray::from("s3://b/a.nc"), 0, 9);
        }
        let file = rows.encode().unwrap();
        let mut limits = Limits::default();
        limits.set_expansion = 1;
        let error = check(&file, &limits).unwrap_err();
        assert!(error.contains("set_expansion=1"), "{error}");
    }

    #[test]
    fn damage_does_no_harm() {
        let file = partition();
        let read = |file: Vec<u8>| Rows::decode(file.into(), 5, &Limits::default());
        assert_eq!(read(file.clone()).unwrap().len(), 5);
        for place in 0..file.len() {
            for flipped in [1, 0x40, 0x80, 0xff] {
                let mut file = file.clone();
                file[place] ^= flipped;
                if let Ok(rows) = read(file) {
                    assert!(rows.len() <= 5);
                }
            }
        }
    }

    #[test]
    fn damage_is_said() {
        let file = partition();
        for length in 0..file.len() {
            assert!(check(&file[..length], &Limits::default()).is_err(), "{length}");
        }
        let footer = file.len() - 8;
        for length in [u32::MAX, 1 << 25, 0x7fff_ffff, 4096] {
            let mut file = file.clone();
            file[footer..footer + 4].copy_from_slice(&length.to_le_bytes());
            let error = check(&file, &Limits::default()).unwrap_err();
            assert!(error.contains(&length.to_string()), "{error}");
        }
    }
}
