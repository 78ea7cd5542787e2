// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes.

use chunkref_core::Cursor;
use chunkref_core::model::AttributeValue;

use crate::error::{NetCdf3Error, Result};
use crate::header::{Reader, Tag};
use crate::nc_type::NcType;

/// A named list of values of one type; of characters, a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) nc_type: NcType,
    /// The elements as they are in the file, without padding.
    pub(crate) bytes: Vec<u8>,
}

impl Attribute {
    /// A list of attributes.
    pub(crate) fn parse_list(reader: &mut Reader<'_>) -> Result<Vec<Self>> {
        let count = reader.list(Tag::Attribute)?;
        let mut attributes = Vec::new();
        for _ in 0..count {
            let name = reader.name()?;
            let nc_type = NcType::parse(reader)?;
            let offset = reader.cursor.offset();
            let count = reader.non_negative()?;
            let length = count.checked_mul(u64::from(nc_type.length())).ok_or_else(|| {
                let reason = format!("{count} elements are more than 64 bits count the bytes of");
                NetCdf3Error::inconsistent("attribute", offset, reason)
            })?;
            let bytes = reader.padded(length)?.to_vec();
            attributes.push(Self { name, nc_type, bytes });
        }
        Ok(attributes)
    }

    /// The value as the model has it: one number as itself, any other count as a list. Text is UTF-8, or else Latin-1 as
    /// old files have it, and ends before the zeros that C programs leave behind it.
    pub(crate) fn value(&self) -> AttributeValue {
        if self.nc_type == NcType::Char {
            let end = self.bytes.iter().rposition(|&byte| byte != 0);
            let text = self.bytes.get(..end.map_or(0, |end| end.saturating_add(1)));
            return AttributeValue::Text(match std::str::from_utf8(text.unwrap_or_default()) {
                Ok(text) => text.to_owned(),
                Err(_) => text.unwrap_or_default().iter().map(|&byte| char::from(byte)).collect(),
            });
        }
        let mut cursor = Cursor::new(&self.bytes, 0, "attribute");
        let mut values = Vec::new();
        while let Some(value) = number(&mut cursor, self.nc_type) {
            values.push(value);
        }
        match values.as_slice() {
            [_] => values.swap_remove(0),
            _ => AttributeValue::List(values),
        }
    }
}

/// The next number; `None` at the end.
fn number(cursor: &mut Cursor<'_>, nc_type: NcType) -> Option<AttributeValue> {
    let signed = |value: i64| AttributeValue::Int(value);
    let unsigned = |value: u64| AttributeValue::UInt(value);
    Some(match nc_type {
        NcType::Char => return None,
        NcType::Byte => signed(i64::from(i8::from_be_bytes(cursor.array().ok()?))),
        NcType::Short => signed(i64::from(i16::from_be_bytes(cursor.array().ok()?))),
        NcType::Int => signed(i64::from(i32::from_be_bytes(cursor.array().ok()?))),
        NcType::Int64 => signed(i64::from_be_bytes(cursor.array().ok()?)),
        NcType::UByte => unsigned(u64::from(cursor.u8().ok()?)),
        NcType::UShort => unsigned(u64::from(cursor.u16_be().ok()?)),
        NcType::UInt => unsigned(u64::from(cursor.u32_be().ok()?)),
        NcType::UInt64 => unsigned(cursor.u64_be().ok()?),
        NcType::Float => AttributeValue::Float(f64::from(f32::from_be_bytes(cursor.array().ok()?))),
        NcType::Double => AttributeValue::Float(f64::from_be_bytes(cursor.array().ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(nc_type: NcType, bytes: &[u8]) -> AttributeValue {
        Attribute { name: "a".to_owned(), nc_type, bytes: bytes.to_vec() }.value()
    }

    #[test]
    fn numbers_keep_their_type() {
        assert_eq!(value(NcType::Byte, &[0xff]), AttributeValue::Int(-1));
        assert_eq!(value(NcType::UByte, &[0xff]), AttributeValue::UInt(255));
        assert_eq!(value(NcType::Float, &[0x3f, 0xc0, 0, 0]), AttributeValue::Float(1.5));
        let two = AttributeValue::List(vec![AttributeValue::Int(1), AttributeValue::Int(-2)]);
        assert_eq!(value(NcType::Short, &[0, 1, 0xff, 0xfe]), two);
        assert_eq!(value(NcType::Int, &[]), AttributeValue::List(Vec::new()));
    }

    #[test]
    fn text_is_utf8_or_latin1_without_trailing_zeros() {
        let text = |bytes: &[u8]| value(NcType::Char, bytes);
        assert_eq!(text(b"K\0\0"), AttributeValue::Text("K".to_owned()));
        assert_eq!(text("\u{b0}C".as_bytes()), AttributeValue::Text("\u{b0}C".to_owned()));
        assert_eq!(text(b"\xb0C"), AttributeValue::Text("\u{b0}C".to_owned()));
        assert_eq!(text(b""), AttributeValue::Text(String::new()));
    }
}
