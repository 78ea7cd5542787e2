// SPDX-License-Identifier: MIT OR Apache-2.0
//! Message type numbers. Spec: HDF5 File Format 3.0, IV.A.2.

pub(crate) const DATASPACE: u16 = 0x0001;
pub(crate) const LINK_INFO: u16 = 0x0002;
pub(crate) const DATATYPE: u16 = 0x0003;
pub(crate) const FILL_VALUE_OLD: u16 = 0x0004;
pub(crate) const FILL_VALUE: u16 = 0x0005;
pub(crate) const LINK: u16 = 0x0006;
pub(crate) const EXTERNAL_DATA_FILES: u16 = 0x0007;
pub(crate) const DATA_LAYOUT: u16 = 0x0008;
pub(crate) const FILTER_PIPELINE: u16 = 0x000b;
pub(crate) const ATTRIBUTE: u16 = 0x000c;
pub(crate) const SHARED_MESSAGE_TABLE: u16 = 0x000f;
pub(crate) const CONTINUATION: u16 = 0x0010;
pub(crate) const SYMBOL_TABLE: u16 = 0x0011;
pub(crate) const BTREE_K: u16 = 0x0013;
pub(crate) const ATTRIBUTE_INFO: u16 = 0x0015;
/// The highest number of the specification.
pub(crate) const LAST: u16 = 0x0018;
