// SPDX-License-Identifier: MIT OR Apache-2.0
//! Object header messages, one module each, named as in the specification. Spec: HDF5 File Format 3.0, IV.A.2.

pub(crate) mod attribute;
pub(crate) mod data_layout;
pub(crate) mod dataspace;
pub(crate) mod datatype;
mod dense_storage;
pub(crate) mod external_data_files;
pub(crate) mod fill_value;
pub(crate) mod filter_pipeline;
pub(crate) mod kind;
pub(crate) mod link;
pub(crate) mod shared;
mod symbol_table;

pub(crate) use attribute::Attribute;
pub(crate) use data_layout::DataLayout;
pub(crate) use dataspace::Dataspace;
pub(crate) use datatype::Datatype;
pub(crate) use dense_storage::DenseStorage;
pub(crate) use fill_value::FillValue;
pub(crate) use filter_pipeline::Filter;
pub(crate) use symbol_table::SymbolTable;
