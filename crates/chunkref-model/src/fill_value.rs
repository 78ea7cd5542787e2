// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fill values.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What missing chunks of an array read as; the variant fits the array's [`DataType`](crate::DataType).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FillValue {
    /// For `Bool`.
    Bool(bool),
    /// For `Int`, `DateTime` and `TimeDelta`.
    Int(i64),
    /// For `UInt`.
    UInt(u64),
    /// For `Float`; the value widened to 64 bits.
    Float(#[serde(with = "crate::wide_float")] f64),
    /// For `Complex`: real and imaginary part, widened to 64 bits.
    Complex(#[serde(with = "crate::wide_float")] f64, #[serde(with = "crate::wide_float")] f64),
    /// For `FixedString`, `Raw` and `Struct`: the element's bytes.
    Bytes(Bytes),
    /// For `VlenString`.
    Text(String),
}

impl PartialEq for FillValue {
    /// Equality of bits for floating-point numbers, so that NaN equals NaN and 0.0 differs from -0.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Complex(a, b), Self::Complex(c, d)) => {
                a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits()
            }
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for FillValue {}
