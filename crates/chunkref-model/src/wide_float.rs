// SPDX-License-Identifier: MIT OR Apache-2.0
//! Floating-point numbers for serde: as numbers, and those that JSON has no numbers for as text.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// The numbers that are text.
const TEXTS: [(&str, f64); 3] =
    [("NaN", f64::NAN), ("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)];

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field so")]
pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let is_same = |one: f64| one.to_bits() == number.to_bits() || (one.is_nan() && number.is_nan());
    match TEXTS.iter().find(|(_, one)| is_same(*one)) {
        Some((text, _)) => serializer.serialize_str(text),
        None => serializer.serialize_f64(*number),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = f64;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a number, NaN, Infinity or -Infinity")
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
            Ok(number)
        }

        #[expect(clippy::cast_precision_loss, reason = "a number without a point, as text has it")]
        fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
            Ok(number as f64)
        }

        #[expect(clippy::cast_precision_loss, reason = "a number without a point, as text has it")]
        fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
            Ok(number as f64)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
            let known = TEXTS.iter().find(|(name, _)| *name == text);
            known.map(|(_, number)| *number).ok_or_else(|| E::custom("no such number"))
        }
    }

    deserializer.deserialize_any(Number)
}

#[cfg(test)]
mod tests {
    use crate::{AttributeValue, FillValue};

    #[test]
    fn every_number_comes_back() {
        for number in [0.5, -0.0, 3.0, 1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let fill = FillValue::Complex(number, 1.0);
            let text = serde_json::to_string(&(FillValue::Float(number), &fill)).unwrap();
            let expected = (FillValue::Float(number), fill);
            assert_eq!(serde_json::from_str::<(FillValue, FillValue)>(&text).unwrap(), expected);
            let value = AttributeValue::Float(number);
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<AttributeValue>(&text).unwrap(), value);
        }
        assert!(serde_json::from_str::<FillValue>(r#"{"Float":"nan"}"#).is_err());
    }
}
