// SPDX-License-Identifier: MIT OR Apache-2.0
//! The attribute `_FillValue`: what xarray masks in Zarr v3, where the fill value alone masks nothing.
//!
//! xarray writes numbers as they are, and floating-point numbers as base64 of 8 bytes, which holds NaN too. It takes the
//! attribute on numbers only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::zarr::fill_value::{ANY_PADDING, neutral};
use crate::{Array, AttributeValue, Attributes, DataType, FillValue};

const NAME: &str = "_FillValue";

/// The attributes of `array` with what xarray needs to mask its fill value.
pub(super) fn with_attribute(array: &Array) -> Attributes {
    let mut attributes = array.attributes.clone();
    let value = match attributes.get(NAME) {
        Some(own) => of_attribute(&array.dtype, own),
        None => array.fill_value.clone(),
    };
    if let Some(value) = value.and_then(|value| encode(&value)) {
        attributes.insert(NAME, value);
    }
    attributes
}

/// The fill value that attributes and document say together, which takes the attribute out of `attributes` when both
/// are the same. Without the attribute, what missing chunks read as anyway is no fill value.
pub(super) fn without_attribute(
    dtype: &DataType,
    fill_value: Option<FillValue>,
    attributes: &mut Attributes,
) -> Option<FillValue> {
    let Some(own) = attributes.get(NAME) else {
        return fill_value.filter(|value| !same(value, &neutral(dtype)));
    };
    let own = decode(dtype, own)?;
    if fill_value.as_ref() == Some(&own) {
        attributes.remove(NAME);
        return fill_value;
    }
    attributes.insert(NAME, plain(&own));
    fill_value.filter(|value| !same(value, &neutral(dtype)))
}

fn same(a: &FillValue, b: &FillValue) -> bool {
    match (a, b) {
        (FillValue::Bytes(a), FillValue::Bytes(b)) => a.iter().chain(b).all(|&byte| byte == 0),
        (a, b) => a == b,
    }
}

fn encode(value: &FillValue) -> Option<AttributeValue> {
    let float = |value: f64| AttributeValue::Text(STANDARD.encode(value.to_le_bytes()));
    Some(match value {
        FillValue::Float(value) => float(*value),
        FillValue::Complex(real, imaginary) => {
            AttributeValue::List(vec![float(*real), float(*imaginary)])
        }
        FillValue::Bool(_) | FillValue::Int(_) | FillValue::UInt(_) => plain(value),
        FillValue::Bytes(_) | FillValue::Text(_) => return None,
    })
}

fn decode(dtype: &DataType, value: &AttributeValue) -> Option<FillValue> {
    let float = |value: &AttributeValue| match value {
        AttributeValue::Text(text) => {
            let bytes = ANY_PADDING.decode(text).ok()?;
            Some(f64::from_le_bytes(bytes.try_into().ok()?))
        }
        _ => None,
    };
    match (dtype, value) {
        (DataType::Float { .. }, value) if float(value).is_some() => {
            float(value).map(FillValue::Float)
        }
        (DataType::Complex { .. }, AttributeValue::List(parts)) => match parts.as_slice() {
            [real, imaginary] => Some(FillValue::Complex(float(real)?, float(imaginary)?)),
            _ => None,
        },
        _ => of_attribute(dtype, value),
    }
}

/// An attribute as a file has it, as an element of the array.
fn of_attribute(dtype: &DataType, value: &AttributeValue) -> Option<FillValue> {
    match dtype {
        DataType::Bool
        | DataType::Int { .. }
        | DataType::UInt { .. }
        | DataType::Float { .. }
        | DataType::Complex { .. } => crate::zarr::fill_value::parse(dtype, value).ok().flatten(),
        _ => None,
    }
}

fn plain(value: &FillValue) -> AttributeValue {
    match value {
        FillValue::Bool(value) => AttributeValue::Bool(*value),
        FillValue::Int(value) => AttributeValue::Int(*value),
        FillValue::UInt(value) => AttributeValue::UInt(*value),
        FillValue::Float(value) => AttributeValue::Float(*value),
        FillValue::Complex(real, imaginary) => AttributeValue::List(vec![
            AttributeValue::Float(*real),
            AttributeValue::Float(*imaginary),
        ]),
        FillValue::Bytes(_) | FillValue::Text(_) => AttributeValue::Null,
    }
}
