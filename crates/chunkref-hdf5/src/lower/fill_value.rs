// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fill values: what missing chunks read as, and what xarray takes for missing data.
//!
//! xarray masks every element of a Zarr v2 array that equals its fill value. So the fill value is written only where the
//! file itself says `_FillValue`, or where chunks are missing and would otherwise not read as the file has it. Where these
//! are two values, the missing chunks are written out.

use bytes::Bytes;
use chunkref_core::model::{Array, DataType, FillValue};

use super::byte_order::raise;
use crate::message;
use crate::object::{Dataset, Object};
use crate::value::{Value, ieee, unsigned};

/// The fill value of an array with `dtype`.
pub(super) fn lower<D>(
    object: &Object<D>,
    dataset: &Dataset,
    dtype: &DataType,
    has_missing: bool,
) -> Option<FillValue> {
    let attribute = attribute(object, dtype);
    let stored = stored(dataset, dtype);
    if has_missing && stored != attribute {
        // Right values come first; the attribute stays an attribute.
        return stored
            .or_else(|| attribute.filter(|_| dataset.fill_value == message::FillValue::Undefined));
    }
    attribute
}

/// Whether missing chunks read as one value other than zero, and `_FillValue` marks another one as missing. Zarr v2 has one
/// fill value for both.
pub(super) fn are_two<D>(object: &Object<D>, dataset: &Dataset, dtype: &DataType) -> bool {
    let (attribute, stored) = (attribute(object, dtype), stored(dataset, dtype));
    attribute.is_some() && stored.is_some() && attribute != stored
}

/// The attribute that moves into the array's fill value, if it does.
pub(super) fn attribute_moves<D>(
    object: &Object<D>,
    dataset: &Dataset,
    array: &Array,
) -> Option<&'static str> {
    let moves = dataset.strings.is_none()
        && array.fill_value.is_some()
        && array.fill_value == attribute(object, &array.dtype);
    moves.then_some("_FillValue")
}

/// The file's own fill value where it is not all zeros.
fn stored(dataset: &Dataset, dtype: &DataType) -> Option<FillValue> {
    let message::FillValue::Defined(bytes) = &dataset.fill_value else { return None };
    let length = usize::try_from(dtype.length_bytes()?).ok()?;
    let bytes = bytes.get(..length)?;
    if bytes.iter().all(|&byte| byte == 0) {
        return None;
    }
    let number = |bytes: &[u8], order| unsigned(bytes, raise(order));
    let float = |bytes: &[u8], order| ieee(bytes, raise(order));
    let signed = |raw: u64, length: u8| {
        let unused = 64_u32.saturating_sub(u32::from(length).saturating_mul(8));
        raw.checked_shl(unused).unwrap_or(0).cast_signed().checked_shr(unused).unwrap_or(0)
    };
    match dtype {
        DataType::Bool => Some(FillValue::Bool(true)),
        DataType::Int { length, order } => {
            Some(FillValue::Int(signed(number(bytes, *order)?, *length)))
        }
        DataType::UInt { order, .. } => Some(FillValue::UInt(number(bytes, *order)?)),
        DataType::Float { order, .. } => Some(FillValue::Float(float(bytes, *order)?)),
        DataType::Complex { length, order } => {
            let (re, im) = bytes.split_at_checked(usize::from(length >> 1))?;
            Some(FillValue::Complex(float(re, *order)?, float(im, *order)?))
        }
        DataType::DateTime { order, .. } | DataType::TimeDelta { order, .. } => {
            Some(FillValue::Int(number(bytes, *order)?.cast_signed()))
        }
        DataType::FixedString { .. } | DataType::Raw { .. } | DataType::Struct { .. } => {
            Some(FillValue::Bytes(Bytes::copy_from_slice(bytes)))
        }
        _ => None,
    }
}

/// The `_FillValue` attribute as an element of the array, where it is one.
fn attribute<D>(object: &Object<D>, dtype: &DataType) -> Option<FillValue> {
    let named =
        object.attributes.as_ref().ok()?.iter().find(|attribute| attribute.name == "_FillValue")?;
    let [value] = named.value.as_ref().ok()?.values.as_slice() else { return None };
    convert(value, dtype)
}

fn convert(value: &Value, dtype: &DataType) -> Option<FillValue> {
    match (dtype, value) {
        (DataType::Bool, Value::Int(value)) => Some(FillValue::Bool(*value != 0)),
        (DataType::Int { length, .. }, _) => {
            let value = integer(value)?;
            let bits = u32::from(*length).saturating_mul(8).saturating_sub(1);
            let bound = 1_i128.checked_shl(bits)?;
            (bound.checked_neg()?..bound)
                .contains(&value)
                .then_some(FillValue::Int(i64::try_from(value).ok()?))
        }
        (DataType::UInt { length, .. }, _) => {
            let value = integer(value)?;
            let bound = 1_i128.checked_shl(u32::from(*length).saturating_mul(8))?;
            (0..bound).contains(&value).then_some(FillValue::UInt(u64::try_from(value).ok()?))
        }
        (DataType::Float { length, .. }, _) => {
            Some(FillValue::Float(narrow(number(value)?, *length)))
        }
        (DataType::Complex { .. }, Value::Struct(members)) => match members.as_slice() {
            [(_, Value::Float(re)), (_, Value::Float(im))] => Some(FillValue::Complex(*re, *im)),
            _ => None,
        },
        (DataType::FixedString { length }, Value::Text(text)) => {
            let length = usize::try_from(*length).ok()?;
            (text.len() <= length).then(|| {
                let mut bytes = text.to_vec();
                bytes.resize(length, 0);
                FillValue::Bytes(bytes.into())
            })
        }
        _ => None,
    }
}

/// A number without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "bounded before the cast")]
fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::UInt(value) => Some(i128::from(*value)),
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e30 => Some(*value as i128),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the array's own type has no more precision")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::UInt(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// The value as a number of `length` bytes has it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the array's own type is what is wanted"
)]
fn narrow(value: f64, length: u8) -> f64 {
    if length == 4 { f64::from(value as f32) } else { value }
}

#[cfg(test)]
mod tests {
    use chunkref_core::model::ByteOrder;

    use super::*;

    fn int(length: u8) -> DataType {
        DataType::Int { length, order: ByteOrder::Little }
    }

    #[test]
    fn attributes_are_cast_only_when_they_fit() {
        let convert = |value, dtype: &DataType| super::convert(&value, dtype);
        assert_eq!(convert(Value::Int(-1), &int(2)), Some(FillValue::Int(-1)));
        assert_eq!(convert(Value::Int(40_000), &int(2)), None);
        assert_eq!(convert(Value::Float(f64::NAN), &int(4)), None);
        assert_eq!(convert(Value::Float(-999.0), &int(4)), Some(FillValue::Int(-999)));
        let u8 = DataType::UInt { length: 8, order: ByteOrder::Little };
        assert_eq!(convert(Value::UInt(u64::MAX), &u8), Some(FillValue::UInt(u64::MAX)));
        assert_eq!(convert(Value::Int(-1), &u8), None);
        let f4 = DataType::Float { length: 4, order: ByteOrder::Big };
        assert_eq!(
            convert(Value::Float(1e20), &f4),
            Some(FillValue::Float(1.000_000_020_040_877_3e20))
        );
        let text = DataType::FixedString { length: 2 };
        assert_eq!(
            convert(Value::Text(Bytes::from_static(b"a")), &text),
            Some(FillValue::Bytes(Bytes::from_static(b"a\0")))
        );
        assert_eq!(convert(Value::Text(Bytes::from_static(b"abc")), &text), None);
    }
}
