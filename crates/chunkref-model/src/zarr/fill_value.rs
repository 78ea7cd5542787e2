// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fill values as JSON, the same in both versions but for a missing one.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use bytes::Bytes;

use crate::json::writer;
use crate::{AttributeValue, DataType, FillValue};

use super::ZarrError;

/// Longest element whose bytes are spelled out.
const MAX_ELEMENT_BYTES: u64 = 1 << 20;

/// kerchunk writes base64 without padding, zarr-python with it.
pub(in crate::zarr) const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes as base64 text, with padding.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of base64 text, with or without padding; `None` when it is none.
#[must_use]
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    ANY_PADDING.decode(text).ok()
}

/// Appends the fill value of an array of `dtype`.
///
/// # Errors
/// [`ZarrError::BadFillValue`] when it does not fit the type, [`ZarrError::LimitExceeded`] for very long elements.
pub(super) fn push(
    out: &mut String,
    dtype: &DataType,
    fill_value: &FillValue,
) -> Result<(), ZarrError> {
    let misfit = || misfit(&format!("{fill_value:?}"), dtype);
    match (dtype, fill_value) {
        (DataType::Bool, FillValue::Bool(value)) => {
            out.push_str(if *value { "true" } else { "false" });
        }
        (DataType::Int { length, .. }, FillValue::Int(value)) if int_fits(*value, *length) => {
            writer::push_integer(out, *value);
        }
        (DataType::UInt { length, .. }, FillValue::UInt(value)) if uint_fits(*value, *length) => {
            writer::push_integer(out, *value);
        }
        (DataType::DateTime { .. } | DataType::TimeDelta { .. }, FillValue::Int(value)) => {
            writer::push_integer(out, *value);
        }
        (DataType::Float { .. }, FillValue::Float(value)) => push_float(out, *value),
        (DataType::Complex { .. }, FillValue::Complex(real, imaginary)) => {
            writer::push_list(out, [*real, *imaginary], push_float);
        }
        (DataType::VlenString, FillValue::Text(text)) => writer::push_string(out, text),
        (DataType::VlenBytes, FillValue::Bytes(bytes)) => push_base64(out, bytes),
        (
            DataType::FixedString { .. } | DataType::Raw { .. } | DataType::Struct { .. },
            FillValue::Bytes(bytes),
        ) => {
            let length = element_bytes(dtype)?.ok_or_else(misfit)?;
            if bytes.len() > length {
                return Err(misfit());
            }
            let mut element = bytes.to_vec();
            element.resize(length, 0);
            push_base64(out, &element);
        }
        _ => return Err(misfit()),
    }
    Ok(())
}

/// What a `fill_value` member of an array of `dtype` means.
///
/// # Errors
/// [`ZarrError::BadFillValue`] when it does not fit the type, [`ZarrError::LimitExceeded`] for very long elements.
pub(super) fn parse(
    dtype: &DataType,
    value: &AttributeValue,
) -> Result<Option<FillValue>, ZarrError> {
    if *value == AttributeValue::Null {
        return Ok(None);
    }
    let fill_value = match dtype {
        DataType::Bool => match value {
            AttributeValue::Bool(value) => Some(FillValue::Bool(*value)),
            AttributeValue::Int(0) => Some(FillValue::Bool(false)),
            AttributeValue::Int(1) => Some(FillValue::Bool(true)),
            _ => None,
        },
        DataType::Int { length, .. } => integer(value)
            .and_then(|value| i64::try_from(value).ok())
            .filter(|&value| int_fits(value, *length))
            .map(FillValue::Int),
        DataType::UInt { length, .. } => integer(value)
            .and_then(|value| u64::try_from(value).ok())
            .filter(|&value| uint_fits(value, *length))
            .map(FillValue::UInt),
        DataType::DateTime { .. } | DataType::TimeDelta { .. } => match value {
            AttributeValue::Text(text) if text == "NaT" => Some(FillValue::Int(i64::MIN)),
            value => integer(value).and_then(|value| i64::try_from(value).ok()).map(FillValue::Int),
        },
        DataType::Float { .. } => float(value).map(FillValue::Float),
        DataType::Complex { .. } => match value {
            AttributeValue::List(parts) => match parts.as_slice() {
                [real, imaginary] => float(real)
                    .zip(float(imaginary))
                    .map(|(real, imaginary)| FillValue::Complex(real, imaginary)),
                _ => None,
            },
            value => float(value).map(|real| FillValue::Complex(real, 0.0)),
        },
        DataType::VlenString => match value {
            AttributeValue::Text(text) => Some(FillValue::Text(text.clone())),
            // zarr-python 2 gives its default, the number 0, to arrays of objects.
            AttributeValue::Int(0) => Some(FillValue::Text(String::new())),
            _ => None,
        },
        DataType::VlenBytes => base64(value).map(|bytes| FillValue::Bytes(Bytes::from(bytes))),
        DataType::FixedString { .. } | DataType::Raw { .. } | DataType::Struct { .. } => {
            let length = element_bytes(dtype)?;
            base64(value).zip(length).filter(|(bytes, length)| bytes.len() <= *length).map(
                |(mut bytes, length)| {
                    bytes.resize(length, 0);
                    FillValue::Bytes(Bytes::from(bytes))
                },
            )
        }
    };
    fill_value.map(Some).ok_or_else(|| misfit(&writer::excerpt(value), dtype))
}

/// The fill value of an array that has none, for versions that need one: zeros, and `NaT` for times.
pub(super) fn neutral(dtype: &DataType) -> FillValue {
    match dtype {
        DataType::Bool => FillValue::Bool(false),
        DataType::Int { .. } => FillValue::Int(0),
        DataType::DateTime { .. } | DataType::TimeDelta { .. } => FillValue::Int(i64::MIN),
        DataType::UInt { .. } => FillValue::UInt(0),
        DataType::Float { .. } => FillValue::Float(0.0),
        DataType::Complex { .. } => FillValue::Complex(0.0, 0.0),
        DataType::VlenString => FillValue::Text(String::new()),
        DataType::VlenBytes
        | DataType::FixedString { .. }
        | DataType::Raw { .. }
        | DataType::Struct { .. } => FillValue::Bytes(Bytes::new()),
    }
}

fn misfit(fill_value: &str, dtype: &DataType) -> ZarrError {
    ZarrError::BadFillValue {
        fill_value: fill_value.chars().take(80).collect(),
        dtype: format!("{dtype:?}").chars().take(80).collect(),
    }
}

/// Bytes of one element, within the limit.
fn element_bytes(dtype: &DataType) -> Result<Option<usize>, ZarrError> {
    match dtype.length_bytes() {
        Some(length) if length > MAX_ELEMENT_BYTES => {
            Err(ZarrError::LimitExceeded { length, limit: MAX_ELEMENT_BYTES })
        }
        length => Ok(length.and_then(|length| usize::try_from(length).ok())),
    }
}

fn push_float(out: &mut String, value: f64) {
    if value.is_finite() {
        writer::push_float(out, value);
    } else {
        out.push('"');
        writer::push_float(out, value);
        out.push('"');
    }
}

fn push_base64(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

fn base64(value: &AttributeValue) -> Option<Vec<u8>> {
    let AttributeValue::Text(text) = value else { return None };
    decode_base64(text)
}

fn float(value: &AttributeValue) -> Option<f64> {
    match value {
        AttributeValue::Float(value) => Some(*value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "the array's own type has no more precision"
        )]
        AttributeValue::Int(value) => Some(*value as f64),
        #[expect(
            clippy::cast_precision_loss,
            reason = "the array's own type has no more precision"
        )]
        AttributeValue::UInt(value) => Some(*value as f64),
        AttributeValue::Text(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// An integer, also when it is written as `-9999.0`.
fn integer(value: &AttributeValue) -> Option<i128> {
    match value {
        AttributeValue::Int(value) => Some(i128::from(*value)),
        AttributeValue::UInt(value) => Some(i128::from(*value)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and below 2^53, checked in the guard"
        )]
        AttributeValue::Float(value)
            if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 =>
        {
            Some(*value as i128)
        }
        _ => None,
    }
}

fn int_fits(value: i64, length: u8) -> bool {
    match length {
        1 => i8::try_from(value).is_ok(),
        2 => i16::try_from(value).is_ok(),
        4 => i32::try_from(value).is_ok(),
        _ => true,
    }
}

fn uint_fits(value: u64, length: u8) -> bool {
    match length {
        1 => u8::try_from(value).is_ok(),
        2 => u16::try_from(value).is_ok(),
        4 => u32::try_from(value).is_ok(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ByteOrder::Little;
    use crate::json::reader;

    fn text_of(dtype: &DataType, fill_value: &FillValue) -> Option<String> {
        let mut out = String::new();
        push(&mut out, dtype, fill_value).ok().map(|()| out)
    }

    #[test]
    fn written_and_read_back() {
        let fixed = DataType::FixedString { length: 4 };
        for (dtype, fill_value, text) in [
            (
                DataType::Int { length: 8, order: Little },
                FillValue::Int(i64::MIN),
                "-9223372036854775808",
            ),
            (
                DataType::UInt { length: 8, order: Little },
                FillValue::UInt(u64::MAX),
                "18446744073709551615",
            ),
            (DataType::Bool, FillValue::Bool(true), "true"),
            (DataType::Float { length: 4, order: Little }, FillValue::Float(-999.0), "-999.0"),
            (DataType::Float { length: 4, order: Little }, FillValue::Float(f64::NAN), "\"NaN\""),
            (
                DataType::Float { length: 8, order: Little },
                FillValue::Float(f64::NEG_INFINITY),
                "\"-Infinity\"",
            ),
            (
                DataType::Complex { length: 8, order: Little },
                FillValue::Complex(f64::NAN, 1.5),
                "[\"NaN\",1.5]",
            ),
            (fixed, FillValue::Bytes(Bytes::from_static(b"ab\0\0")), "\"YWIAAA==\""),
            (DataType::VlenString, FillValue::Text("é\"".to_owned()), "\"é\\\"\""),
            (DataType::VlenBytes, FillValue::Bytes(Bytes::from_static(b"ab")), "\"YWI=\""),
            (
                DataType::DateTime { unit: "ns".to_owned(), order: Little },
                FillValue::Int(i64::MIN),
                "-9223372036854775808",
            ),
        ] {
            assert_eq!(text_of(&dtype, &fill_value).as_deref(), Some(text));
            assert_eq!(parse(&dtype, &reader::parse(text).unwrap()).unwrap(), Some(fill_value));
        }
    }

    #[test]
    fn short_bytes_are_padded() {
        let dtype = DataType::FixedString { length: 4 };
        assert_eq!(
            text_of(&dtype, &FillValue::Bytes(Bytes::from_static(b"ab"))).unwrap(),
            "\"YWIAAA==\""
        );
        let padded = Some(FillValue::Bytes(Bytes::from_static(b"ab\0\0")));
        for text in ["YWI", "YWI=", "YWIAAA=="] {
            assert_eq!(parse(&dtype, &AttributeValue::from(text)).unwrap(), padded);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let int = DataType::Int { length: 2, order: Little };
        assert_eq!(text_of(&int, &FillValue::Int(40_000)), None);
        assert_eq!(text_of(&int, &FillValue::Float(1.0)), None);
        assert_eq!(
            text_of(
                &DataType::FixedString { length: 1 },
                &FillValue::Bytes(Bytes::from_static(b"ab"))
            ),
            None
        );
        let huge = DataType::Raw { length: 1 << 60 };
        assert!(matches!(
            parse(&huge, &AttributeValue::from("AA==")),
            Err(ZarrError::LimitExceeded { .. })
        ));
        for text in ["40000", "\"NaN\"", "1.5", "true", "[1]", "1e300"] {
            let error = parse(&int, &reader::parse(text).unwrap()).unwrap_err();
            assert!(matches!(error, ZarrError::BadFillValue { .. }), "{text}: {error}");
        }
        assert!(parse(&DataType::Bool, &AttributeValue::Int(2)).is_err());
        assert!(
            parse(&DataType::UInt { length: 1, order: Little }, &AttributeValue::Int(-1)).is_err()
        );
    }

    #[test]
    fn other_spellings_are_understood() {
        let int = DataType::Int { length: 4, order: Little };
        assert_eq!(
            parse(&int, &AttributeValue::Float(-9999.0)).unwrap(),
            Some(FillValue::Int(-9999))
        );
        assert_eq!(parse(&int, &AttributeValue::Null).unwrap(), None);
        let float = DataType::Float { length: 4, order: Little };
        assert_eq!(
            parse(&float, &AttributeValue::Float(f64::NAN)).unwrap(),
            Some(FillValue::Float(f64::NAN))
        );
        assert_eq!(parse(&float, &AttributeValue::Int(3)).unwrap(), Some(FillValue::Float(3.0)));
    }
}
