// SPDX-License-Identifier: MIT OR Apache-2.0
//! Elements of arrays in words.

use std::fmt::Write;

use chunkref::model::{ByteOrder, DataType};

/// The text of one element: numbers in the fewest digits that tell them apart, text without its padding, bytes in
/// hexadecimal, structures as `{name: value, …}`.
pub(crate) fn text(dtype: &DataType, bytes: &[u8]) -> String {
    match dtype {
        DataType::Bool => (if bytes == [0] { "false" } else { "true" }).to_owned(),
        DataType::Int { order, .. } => int(bytes, *order).to_string(),
        DataType::UInt { order, .. } => uint(bytes, *order).to_string(),
        DataType::Float { order, .. } => float(bytes, *order),
        DataType::Complex { order, .. } => {
            let (real, imaginary) = bytes.split_at(bytes.len() / 2);
            let imaginary = float(imaginary, *order);
            let sign = if imaginary.starts_with('-') { "" } else { "+" };
            format!("{}{sign}{imaginary}j", float(real, *order))
        }
        DataType::FixedString { .. } => {
            let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            string(bytes.get(..end).unwrap_or_default())
        }
        DataType::VlenString => string(bytes),
        DataType::Struct { fields } => {
            let mut rest = bytes;
            let mut parts = Vec::new();
            for field in fields {
                let whole = DataType::Struct { fields: vec![field.clone()] };
                let length = whole.length_bytes().and_then(|length| usize::try_from(length).ok());
                let (own, behind) =
                    rest.split_at_checked(length.unwrap_or_default()).unwrap_or((rest, &[]));
                rest = behind;
                let value = if field.shape.is_empty() {
                    text(&field.dtype, own)
                } else {
                    let element = field.dtype.length_bytes().unwrap_or(1).max(1);
                    let element = usize::try_from(element).unwrap_or(1);
                    let values = own.chunks(element).map(|value| text(&field.dtype, value));
                    format!("[{}]", values.collect::<Vec<_>>().join(", "))
                };
                parts.push(format!("{}: {value}", field.name));
            }
            format!("{{{}}}", parts.join(", "))
        }
        DataType::DateTime { unit, order } => match int(bytes, *order) {
            i64::MIN => "NaT".to_owned(),
            count => format!("{count} {unit} since 1970"),
        },
        DataType::TimeDelta { unit, order } => match int(bytes, *order) {
            i64::MIN => "NaT".to_owned(),
            count => format!("{count} {unit}"),
        },
        _ => hexadecimal(bytes),
    }
}

/// The bytes, the lowest first.
fn ordered<const N: usize>(bytes: &[u8], order: ByteOrder) -> [u8; N] {
    let mut low = [0; N];
    for (place, &byte) in low.iter_mut().zip(bytes) {
        *place = byte;
    }
    if order == ByteOrder::Big
        && let Some(own) = low.get_mut(..bytes.len().min(N))
    {
        own.reverse();
    }
    low
}

fn uint(bytes: &[u8], order: ByteOrder) -> u64 {
    u64::from_le_bytes(ordered(bytes, order))
}

fn int(bytes: &[u8], order: ByteOrder) -> i64 {
    let unused = u32::try_from(8_usize.saturating_sub(bytes.len()).saturating_mul(8)).unwrap_or(0);
    let number = i64::from_le_bytes(ordered(bytes, order));
    number.checked_shl(unused).unwrap_or(0) >> unused
}

fn float(bytes: &[u8], order: ByteOrder) -> String {
    match bytes.len() {
        2 => half(u16::from_le_bytes(ordered(bytes, order))).to_string(),
        4 => format!("{:?}", f32::from_le_bytes(ordered(bytes, order))),
        _ => format!("{:?}", f64::from_le_bytes(ordered(bytes, order))),
    }
}

/// IEEE 754 of 16 bits.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (bits >> 10 & 0x1f, f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    }
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use chunkref::model::Field;

    use super::*;

    const LITTLE: ByteOrder = ByteOrder::Little;
    const BIG: ByteOrder = ByteOrder::Big;

    #[test]
    fn every_type_has_words() {
        let number = |length: u64| DataType::FixedString { length };
        for (dtype, bytes, expected) in [
            (DataType::Bool, &[1][..], "true"),
            (DataType::Int { length: 1, order: LITTLE }, &[0xff], "-1"),
            (DataType::Int { length: 2, order: BIG }, &[0xff, 0xfe], "-2"),
            (
                DataType::Int { length: 8, order: LITTLE },
                &[0, 0, 0, 0, 0, 0, 0, 0x80],
                "-9223372036854775808",
            ),
            (DataType::UInt { length: 2, order: BIG }, &[1, 0], "256"),
            (DataType::Float { length: 4, order: LITTLE }, &0.1_f32.to_le_bytes(), "0.1"),
            (DataType::Float { length: 8, order: BIG }, &f64::NAN.to_be_bytes(), "NaN"),
            (DataType::Float { length: 2, order: LITTLE }, &[0, 0xc1], "-2.5"),
            (DataType::Float { length: 2, order: LITTLE }, &[1, 0], "0.000000059604645"),
            (
                DataType::Complex { length: 8, order: LITTLE },
                &[0, 0, 128, 63, 0, 0, 128, 191],
                "1.0-1.0j",
            ),
            (number(4), b"ab\0\0", "ab"),
            (number(2), &[0xc3, 0xa9], "é"),
            (DataType::Raw { length: 2 }, &[1, 0xab], "0x01ab"),
            (
                DataType::DateTime { unit: "s".to_owned(), order: LITTLE },
                &5_i64.to_le_bytes(),
                "5 s since 1970",
            ),
            (
                DataType::TimeDelta { unit: "D".to_owned(), order: BIG },
                &i64::MIN.to_be_bytes(),
                "NaT",
            ),
        ] {
            assert_eq!(text(&dtype, bytes), expected, "{dtype:?}");
        }
        let byte = DataType::UInt { length: 1, order: LITTLE };
        let fields = vec![
            Field { name: "a".to_owned(), dtype: byte.clone(), shape: vec![2] },
            Field { name: "b".to_owned(), dtype: byte, shape: vec![] },
        ];
        assert_eq!(text(&DataType::Struct { fields }, &[1, 2, 3]), "{a: [1, 2], b: 3}");
    }
}
