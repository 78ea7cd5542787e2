// SPDX-License-Identifier: MIT OR Apache-2.0
//! The order of bytes, in the file's words and the model's.

use chunkref_core::model;

use crate::message::datatype::ByteOrder;

/// In the model's words.
pub(super) fn lower(order: ByteOrder) -> model::ByteOrder {
    match order {
        ByteOrder::Little => model::ByteOrder::Little,
        ByteOrder::Big => model::ByteOrder::Big,
    }
}

/// In the file's words.
pub(super) fn raise(order: model::ByteOrder) -> ByteOrder {
    match order {
        model::ByteOrder::Little => ByteOrder::Little,
        model::ByteOrder::Big => ByteOrder::Big,
    }
}
