// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes: named metadata of groups and arrays.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::DataType;

/// The value of an attribute.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AttributeValue {
    /// A truth value.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A number; narrower ones are widened without change of value. NaN and infinities are allowed.
    Float(#[serde(with = "crate::wide_float")] f64),
    /// Text.
    Text(String),
    /// Values along one axis; lists of lists for more.
    List(Vec<AttributeValue>),
    /// Named members, in order.
    Struct(Vec<(String, AttributeValue)>),
    /// No value (JSON `null`).
    Null,
}

impl PartialEq for AttributeValue {
    /// Equality of bits for floating-point numbers, so that NaN equals NaN.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Int(a), Self::UInt(b)) | (Self::UInt(b), Self::Int(a)) => {
                u64::try_from(*a) == Ok(*b)
            }
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Struct(a), Self::Struct(b)) => a == b,
            (Self::Null, Self::Null) => true,
            _ => false,
        }
    }
}

impl Eq for AttributeValue {}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Attributes in the order of the file; a name appears once.
#[derive(Debug, Clone, Eq, Default, Serialize, Deserialize)]
pub struct Attributes {
    entries: Vec<(String, AttributeValue)>,
    /// Types that numbers have in the file, which no JSON document says.
    types: BTreeMap<String, DataType>,
}

impl PartialEq for Attributes {
    /// Equality of names and values in order. Types are not compared: documents that are read back have none.
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name` to `value`; a name that is there keeps its place.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<AttributeValue>) {
        let (name, value) = (name.into(), value.into());
        match self.entries.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<AttributeValue> {
        let index = self.entries.iter().position(|(known, _)| known == name)?;
        Some(self.entries.remove(index).1)
    }

    /// Says which type the numbers of `name` have in the file. A name without a value may have one: that of a
    /// `_FillValue` that became the array's fill value.
    pub fn set_type(&mut self, name: impl Into<String>, dtype: DataType) {
        self.types.insert(name.into(), dtype);
    }

    /// The types that are known, by name.
    #[must_use]
    pub fn types(&self) -> &BTreeMap<String, DataType> {
        &self.types
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(String, AttributeValue)> for Attributes {
    /// Later values of a name replace earlier ones.
    fn from_iter<T: IntoIterator<Item = (String, AttributeValue)>>(entries: T) -> Self {
        let mut attributes = Self::new();
        let mut places = std::collections::HashMap::new();
        for (name, value) in entries {
            if let Some(&place) = places.get(&name) {
                if let Some(entry) = attributes.entries.get_mut::<usize>(place) {
                    entry.1 = value;
                }
            } else {
                places.insert(name.clone(), attributes.entries.len());
                attributes.entries.push((name, value));
            }
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_names_are_unique() {
        let mut attributes = Attributes::new();
        attributes.insert("units", "K");
        attributes.insert("scale", AttributeValue::Float(0.5));
        attributes.insert("units", "degC");
        let names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["units", "scale"]);
        assert_eq!(attributes.get("units"), Some(&AttributeValue::from("degC")));
        assert_eq!(attributes.remove("units"), Some(AttributeValue::from("degC")));
        assert_eq!(attributes.len(), 1);
    }

    #[test]
    fn types_are_kept_and_not_compared() {
        let mut attributes = Attributes::new();
        attributes.insert("scale_factor", AttributeValue::Float(0.5));
        let untyped = attributes.clone();
        let narrow = DataType::Float { length: 4, order: crate::ByteOrder::Little };
        attributes.set_type("scale_factor", narrow.clone());
        assert_eq!(attributes, untyped);
        assert_eq!(attributes.types().get("scale_factor"), Some(&narrow));
    }

    #[test]
    fn nan_equals_nan() {
        assert_eq!(AttributeValue::Float(f64::NAN), AttributeValue::Float(f64::NAN));
        assert_eq!(AttributeValue::Int(3), AttributeValue::UInt(3));
        assert_ne!(AttributeValue::Int(-1), AttributeValue::UInt(u64::MAX));
    }
}
