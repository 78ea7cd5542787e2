// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server was asked for.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, IF_MATCH, RANGE};

/// One request, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `If-Match`.
    pub if_match: Option<String>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Cookie`.
    pub cookie: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// Number of the connection; those of one number came one after another over the same.
    pub connection: u64,
}

/// Sums over requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// The most requests that were under way at one time.
    pub most_in_flight: u64,
    /// How often a request came while none was under way: the round trips that a client needed.
    pub rounds: u64,
}

#[derive(Debug, Default)]
struct Log {
    counts: Counts,
    in_flight: u64,
    requests: Vec<Request>,
}

/// What a server was asked for since it began, or since the last look.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Mutex<Log>>);

/// A request under way; over when this is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Traffic);

impl Traffic {
    /// Sums since the last call of this.
    #[must_use]
    pub fn take_counts(&self) -> Counts {
        self.with(|log| std::mem::take(&mut log.counts))
    }

    /// All requests since the last call of this.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        self.with(|log| std::mem::take(&mut log.requests))
    }

    pub(crate) fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        connection: u64,
    ) -> InFlight {
        let text = |name| {
            let value: Option<&http::HeaderValue> = headers.get(name);
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            range: text(RANGE),
            if_match: text(IF_MATCH),
            authorization: text(AUTHORIZATION),
            cookie: text(COOKIE),
            headers: headers.clone(),
            connection,
        };
        self.with(|log| {
            log.requests.push(request);
            log.counts.requests += 1;
            log.counts.rounds += u64::from(log.in_flight == 0);
            log.in_flight += 1;
            log.counts.most_in_flight = log.counts.most_in_flight.max(log.in_flight);
        });
        InFlight(self.clone())
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.with(|log| log.counts.bytes += bytes);
    }

    fn with<T>(&self, act: impl FnOnce(&mut Log) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.with(|log| log.in_flight -= 1);
    }
}
