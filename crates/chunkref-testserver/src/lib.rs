// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers on loopback for tests of chunkref. Each runs on a thread of its own, listens on a free port of 127.0.0.1, and
//! ends when it is dropped.
//!
//! | module | holds |
//! |---|---|
//! | [`s3`] | [`S3Server`]: a folder of buckets, with signatures checked |
//! | [`range`] | [`RangeServer`]: a folder over HTTP, with ranges, conditions, logins, redirections and pages of links |
//! | [`proxy`] | [`FaultyProxy`]: stands before one of them and breaks things by rule |
//! | [`traffic`] | what a server was asked for |

mod background;
pub mod proxy;
pub mod range;
pub mod s3;
pub mod traffic;

pub use proxy::{Fault, FaultyProxy, Rule};
pub use range::{RangeOptions, RangeServer};
pub use s3::{Access, S3Server};
pub use traffic::{Counts, Request, Traffic};
