// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes with their values decoded, however they are stored.

use crate::error::Result;
use crate::message::{Dataspace, Datatype};
use crate::value::Value;

/// An attribute with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AttributeValue {
    pub(crate) datatype: Datatype,
    pub(crate) dataspace: Dataspace,
    /// The elements in C order; none for a null dataspace.
    pub(crate) values: Vec<Value>,
}

/// An attribute, or why it cannot be read.
#[derive(Debug, Clone)]
pub(crate) struct NamedAttribute {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) value: Result<AttributeValue>,
}
