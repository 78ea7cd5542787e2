// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where chunkref reads from: locations, globs, and sources that read them in ranges.
//!
//! | module | holds |
//! |---|---|
//! | [`location`] | what a user wrote as an absolute URL |
//! | [`glob`] | patterns expanded to the objects they match |
//! | [`stores`] | [`Stores`]: all that can be read from, with one set of options |
//! | [`mod@open`] | how one object is opened |
//! | [`policy`] | what reference sets and files may name |
//! | [`prefix`] | beginnings of URLs, in a form in which equal ones are equal |
//! | [`storage_options`] | options of stores, as `object_store` and fsspec spell them |
//! | [`local`] | files of this machine |
//! | [`coalesce`] | neighbouring ranges merged into fewer requests |
//! | [`retry`] | when and how soon a request is made again |
//! | [`meter`], [`counting`] | what reading costs: rounds, requests, bytes |
//!
//! Behind them, `bucket` (through `object_store`) and `web` read one object by ranges, `transport` makes all requests,
//! and `object_source` merges, keeps and checks what they bring. `address` tells addresses of the own network, and `guard`
//! keeps requests from them.

pub mod coalesce;
pub mod counting;
#[doc(hidden)]
pub mod fuzzing;
pub mod glob;
pub mod local;
pub mod location;
pub mod meter;
pub mod open;
pub mod policy;
pub mod prefix;
pub mod retry;
pub mod storage_options;
pub mod stores;

mod address;
mod answer;
mod aws_profile;
mod blocks;
mod bucket;
mod cookies;
mod guard;
mod hidden;
mod limiter;
mod netrc;
mod object_source;
mod reader;
mod runtime;
mod transport;
mod web;
mod within;

pub use bucket::put_in_memory;
pub use coalesce::{MergePolicy, MergedRange};
pub use counting::Counted;
pub use local::LocalSource;
pub use location::Location;
pub use meter::{Cost, Meter};
pub use open::OpenOptions;
pub use policy::AccessPolicy;
pub use prefix::UrlPrefix;
pub use retry::RetryPolicy;
pub use storage_options::{StorageOption, StorageOptions};
pub use stores::{Opened, StoreOptions, Stores};
