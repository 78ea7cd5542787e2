// SPDX-License-Identifier: MIT OR Apache-2.0
//! An object of a store, as a source of byte ranges.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, Resolution, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, try_join_all};
use tokio::sync::Semaphore;

use crate::blocks::Blocks;
use crate::coalesce::{self, MergePolicy};
use crate::hidden::{self, Place};
use crate::local::HEAD_BYTES;
use crate::location::Location;
use crate::meter::{Caller, Cost};
use crate::reader::{ObjectReader, Part, changed, error, replaced, same_version};
use crate::runtime::{self, Lost};
use crate::storage_options::Credentials;
use crate::stores::{Ways, bucket_root};

/// How an object is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadPolicy {
    pub(crate) requests: usize,
    pub(crate) cached_bytes: u64,
    pub(crate) deadline: Option<Duration>,
}

/// A fetch that several reads may wait for.
type Flight = Shared<BoxFuture<'static, Result<Bytes, Arc<SourceError>>>>;

#[derive(Debug)]
struct Held {
    blocks: Blocks,
    /// The object, when its server sent all of it.
    whole: Option<Bytes>,
    flights: Vec<(Range<u64>, Flight)>,
}

/// An object of a store: neighbouring ranges become one request, what was read is kept for a while, and every answer is
/// checked to be of the version that was opened.
#[derive(Debug)]
pub(crate) struct ObjectSource {
    location: Location,
    reader: Arc<dyn ObjectReader>,
    version: ObjectVersion,
    held: Mutex<Held>,
    places: Arc<Semaphore>,
    caller: Caller,
    deadline: Deadline,
    ways: Ways,
}

/// When the time for reading is over.
#[derive(Debug, Clone, Copy)]
enum Deadline {
    /// So long after the object was opened, if ever.
    Once(Option<(Instant, Duration)>),
    /// So long after each read begins.
    EachRead(Option<Duration>),
}

impl Deadline {
    fn now(self) -> Option<(Instant, Duration)> {
        match self {
            Self::Once(deadline) => deadline,
            Self::EachRead(time) => after(time),
        }
    }
}

fn after(time: Option<Duration>) -> Option<(Instant, Duration)> {
    time.and_then(|time| Some((Instant::now().checked_add(time)?, time)))
}

impl ObjectSource {
    /// The object in the version that the options expect, when they say enough of it to be asked for; every answer is
    /// held against it. Nothing is read yet, and nothing is kept.
    pub(crate) fn expected(
        ways: &Ways,
        location: &Location,
        reader: &Arc<dyn ObjectReader>,
        caller: &Caller,
    ) -> Option<Self> {
        let version = ways.options.expected.clone()?;
        if version.e_tag.is_none() && version.last_modified.is_none() {
            return None;
        }
        let policy = ways.stores.read_policy();
        Some(Self {
            location: location.clone(),
            reader: Arc::clone(reader),
            version,
            held: Mutex::new(Held { blocks: Blocks::new(0), whole: None, flights: Vec::new() }),
            places: Arc::new(Semaphore::new(policy.requests)),
            caller: caller.clone(),
            deadline: Deadline::EachRead(policy.deadline),
            ways: ways.clone(),
        })
    }

    /// Reads the head of the object, which says what version it is.
    pub(crate) async fn open(
        ways: &Ways,
        location: &Location,
        reader: Arc<dyn ObjectReader>,
        caller: Caller,
    ) -> Result<Self, SourceError> {
        let options = &ways.options;
        let policy = ways.stores.read_policy();
        let deadline = after(policy.deadline);
        caller.meter.add(Cost { rounds: 1, ..Cost::default() });
        let head = fetch(Arc::clone(&reader), location.clone(), 0..HEAD_BYTES, None);
        let Part { bytes, version } = run(&caller, deadline, location, head).await?;
        if options.expected.as_ref().is_some_and(|expected| !same_version(expected, &version)) {
            return Err(replaced(location.url()));
        }
        let mut blocks = Blocks::new(policy.cached_bytes.max(HEAD_BYTES));
        blocks.insert(0, bytes);
        let whole = caller.take_whole_object().filter(|whole| whole.len() as u64 == version.length);
        Ok(Self {
            location: location.clone(),
            reader,
            version,
            held: Mutex::new(Held { blocks, whole, flights: Vec::new() }),
            places: Arc::new(Semaphore::new(policy.requests)),
            caller,
            deadline: if options.kept_open {
                Deadline::EachRead(policy.deadline)
            } else {
                Deadline::Once(deadline)
            },
            ways: ways.clone(),
        })
    }

    /// The fetch of `range`: one that is under way and has all of it, or a new one.
    fn flight(&self, held: &mut Held, range: &Range<u64>) -> Flight {
        let known = held
            .flights
            .iter()
            .find(|(flying, _)| flying.start <= range.start && range.end <= flying.end);
        if let Some((flying, flight)) = known {
            let skip = range.start - flying.start;
            let (flight, length) = (flight.clone(), range.end - range.start);
            let part = async move {
                let bytes = flight.await?;
                let start = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
                let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                Ok(bytes.slice(start..end.min(bytes.len())))
            };
            return part.boxed().shared();
        }
        let fetch = fetch(
            Arc::clone(&self.reader),
            self.location.clone(),
            range.clone(),
            Some(self.version.clone()),
        );
        let (places, caller) = (Arc::clone(&self.places), self.caller.clone());
        let (deadline, location) = (self.deadline.now(), self.location.clone());
        let flight = async move {
            let waiting = async move {
                let _place = places.acquire_owned().await;
                fetch.await
            };
            run(&caller, deadline, &location, waiting)
                .await
                .map(|part| part.bytes)
                .map_err(Arc::new)
        };
        let flight = flight.boxed().shared();
        held.flights.push((range.clone(), flight.clone()));
        flight
    }

    async fn land(&self, range: &Range<u64>, flight: Flight) -> Result<Bytes, SourceError> {
        let outcome = flight.await;
        let mut held = self.held();
        held.flights.retain(|(flying, _)| flying != range);
        let bytes = outcome.map_err(|fault| fault.duplicate())?;
        held.blocks.insert(range.start, bytes.clone());
        Ok(bytes)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ByteSource for ObjectSource {
    fn location(&self) -> &str {
        self.location.url()
    }

    fn version(&self) -> &ObjectVersion {
        &self.version
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let length = self.version.length;
        if let Some(range) =
            ranges.iter().find(|range| range.start > range.end || range.end > length)
        {
            let location = self.location.to_string();
            return Err(SourceError::out_of_bounds(&location, range, length));
        }
        let mut parts = vec![Bytes::new(); ranges.len()];
        let mut absent = Vec::new();
        let (requests, flights) = {
            let mut held = self.held();
            for (range, part) in ranges.iter().zip(&mut parts) {
                match held.get(range) {
                    Some(bytes) => {
                        *part = bytes;
                        absent.push(0..0);
                    }
                    None => absent.push(range.clone()),
                }
            }
            let requests = coalesce::merge(&absent, MergePolicy::OBJECT_STORE);
            let before = held.flights.len();
            let flights: Vec<_> =
                requests.iter().map(|request| self.flight(&mut held, &request.range)).collect();
            if held.flights.len() > before {
                self.caller.meter.add(Cost { rounds: 1, ..Cost::default() });
            }
            (requests, flights)
        };
        let landings =
            requests.iter().zip(flights).map(|(request, flight)| self.land(&request.range, flight));
        let landed = try_join_all(landings).await?;
        for (request, bytes) in requests.iter().zip(&landed) {
            if !request.distribute(bytes, &absent, &mut parts) {
                return Err(changed(self.location.url()));
            }
        }
        Ok(parts)
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        let Ways { stores, options, credentials } = &self.ways;
        let location = self.location.sibling(path, &options.allow_outside)?;
        let own = self.location.url().split(['?', '#']).next().unwrap_or_default();
        let mut folders = vec![own.rsplit_once('/').map_or("", |(folder, _)| folder)];
        folders.extend(options.allow_outside.iter().map(String::as_str));
        if Place::of_url(location.url(), &folders) == Place::Hidden {
            return Err(hidden::refusal(&location.to_string(), &self.location.to_string()));
        }
        // Options that name no store are for this one; a folder elsewhere was allowed by the user.
        let same = bucket_root(&location) == bucket_root(&self.location);
        let credentials = if same { *credentials } else { Credentials::Ambient };
        stores.open_on(&location, options, &self.caller.meter, credentials).await
    }
}

impl Held {
    fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        match &self.whole {
            Some(whole) => Some(
                whole.slice(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?),
            ),
            None => self.blocks.get(range),
        }
    }
}

/// Fetches a range and checks that the answer is of the version that is known.
async fn fetch(
    reader: Arc<dyn ObjectReader>,
    location: Location,
    range: Range<u64>,
    known: Option<ObjectVersion>,
) -> Result<Part, SourceError> {
    let part = reader.fetch(range.clone(), known.as_ref()).await?;
    if known.is_some_and(|known| !same_version(&known, &part.version)) {
        return Err(changed(location.url()));
    }
    let expected = range.end.min(part.version.length).saturating_sub(range.start);
    if part.bytes.len() as u64 != expected {
        return Err(changed(location.url()));
    }
    Ok(part)
}

/// Runs a fetch where requests run; says what went wrong last when time is over.
async fn run<T: Send + 'static>(
    caller: &Caller,
    deadline: Option<(Instant, Duration)>,
    location: &Location,
    work: impl Future<Output = Result<T, SourceError>> + Send + 'static,
) -> Result<T, SourceError> {
    let outcome = runtime::run(caller, deadline.map(|(deadline, _)| deadline), work).await;
    match outcome {
        Ok(outcome) => outcome,
        Err(Lost::Late) => {
            let seconds = deadline.map_or(0.0, |(_, time)| time.as_secs_f64());
            let last = caller.last_fault().map(|fault| format!(" (the last fault: {fault})"));
            let message = format!(
                "it was not read within {seconds} seconds{}: allow more, or try again later",
                last.unwrap_or_default()
            );
            let fault = error(SourceErrorKind::TimedOut, location.url(), message, None);
            Err(fault.with_resolution(Resolution::Deadline))
        }
        Err(Lost::Failed(cause)) => Err(error(
            SourceErrorKind::Io,
            location.url(),
            "the request failed here",
            Some(cause.into()),
        )),
    }
}
