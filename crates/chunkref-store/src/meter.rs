// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reading costs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// What reading an object costs on an object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Reads that had to wait for one another: each costs a round trip.
    pub rounds: u64,
    /// Requests, after neighbours are merged; those that were made again among them.
    pub requests: u64,
    /// Bytes of all requests, with the gaps that merging reads along.
    pub bytes: u64,
    /// Answers with a whole object where a part was asked for: from such a server, references cannot be read as readers
    /// do it.
    pub whole_objects: u64,
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} rounds, {} requests, {} bytes",
            self.rounds, self.requests, self.bytes
        )
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.whole_objects += other.whole_objects;
    }
}

/// Counts what is read for one input, from its object and the ones beside it. Reading can go on while it is looked at.
#[derive(Debug, Default)]
pub struct Meter {
    rounds: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    whole_objects: AtomicU64,
}

/// On whose behalf requests are made: the meter they count on, and what the transport has to say of one object past the
/// answers themselves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) meter: Arc<Meter>,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    last_fault: Option<String>,
    region: Option<String>,
    whole_object: Option<Bytes>,
}

tokio::task_local! {
    /// On whose behalf a task makes its requests.
    pub(crate) static CALLER: Caller;
}

impl Meter {
    /// What was read so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        Cost {
            rounds: self.rounds.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            whole_objects: self.whole_objects.load(Ordering::Relaxed),
        }
    }

    /// Requests that were made again because the answer was none, or broken; they count as requests too.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, cost: Cost) {
        self.rounds.fetch_add(cost.rounds, Ordering::Relaxed);
        self.requests.fetch_add(cost.requests, Ordering::Relaxed);
        self.bytes.fetch_add(cost.bytes, Ordering::Relaxed);
        self.whole_objects.fetch_add(cost.whole_objects, Ordering::Relaxed);
    }
}

impl Caller {
    /// The caller of one object.
    pub(crate) fn new(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), notes: Arc::default() }
    }

    /// Notes why a request is made again, for the message should time run out.
    pub(crate) fn note_retry(&self, fault: String) {
        self.meter.retries.fetch_add(1, Ordering::Relaxed);
        self.with_notes(|notes| notes.last_fault = Some(fault));
    }

    pub(crate) fn last_fault(&self) -> Option<String> {
        self.with_notes(|notes| notes.last_fault.clone())
    }

    /// Notes the region that a bucket is in, as S3 says it when it was asked in another.
    pub(crate) fn note_region(&self, region: String) {
        self.with_notes(|notes| notes.region = Some(region));
    }

    pub(crate) fn take_region(&self) -> Option<String> {
        self.with_notes(|notes| notes.region.take())
    }

    /// Keeps the object that a server sent whole when a part was asked for.
    pub(crate) fn note_whole_object(&self, bytes: Bytes) {
        self.meter.add(Cost { whole_objects: 1, ..Cost::default() });
        self.with_notes(|notes| notes.whole_object = Some(bytes));
    }

    pub(crate) fn take_whole_object(&self) -> Option<Bytes> {
        self.with_notes(|notes| notes.whole_object.take())
    }

    fn with_notes<T>(&self, act: impl FnOnce(&mut Notes) -> T) -> T {
        act(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Calls `act` with the caller of the running task, if it has one.
pub(crate) fn on_caller(act: impl FnOnce(&Caller)) {
    let _ = CALLER.try_with(|caller| act(caller));
}
