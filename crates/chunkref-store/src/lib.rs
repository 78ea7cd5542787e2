// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where chunkref reads from: locations, globs, and sources that read them in ranges.
//!
//! | module | holds |
//! |---|---|
//! | [`location`] | what a user wrote as an absolute URL |
//! | [`glob`] | patterns expanded to the objects they match |
//! | [`mod@open`] | a location opened, by its scheme |
//! | [`local`] | files of this machine |
//! | [`coalesce`] | neighbouring ranges merged into fewer requests |
//! | [`counting`] | what reading costs: rounds, requests, bytes |

pub mod coalesce;
pub mod counting;
pub mod glob;
pub mod local;
pub mod location;
pub mod open;

pub use coalesce::{MergePolicy, MergedRange};
pub use counting::{Cost, Counted};
pub use glob::expand;
pub use local::LocalSource;
pub use location::Location;
pub use open::{OpenOptions, open};
