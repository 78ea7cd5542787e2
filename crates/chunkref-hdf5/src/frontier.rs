// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frontier: many walks wait for their bytes at the same time, and each round reads for all of them.
//!
//! Every object, index and heap is walked by an `async fn` of its own that awaits [`Frontier::read`]. [`Frontier::run`]
//! polls them until none can go on, puts everything they wait for into one [`ByteSource::read_many`], and starts again.
//! So the number of rounds is the depth of the file's structures, however many there are, and it is deterministic.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use bytes::Bytes;
use chunkref_core::{ByteSource, Cancellation, Limits, MemorySource, Truncated};
use futures::channel::oneshot;

use crate::error::{Hdf5Error, Result};

/// Bytes of the file's head that the first round reads.
pub(crate) const HEAD_BYTES: u64 = 64 << 10;

/// Bytes of data that one round holds in memory at the most, before it is cut into several.
const ROUND_BYTES: u64 = 64 << 20;

/// What ends a scan as a whole, once there is such a thing: a read that failed, a limit that all objects share, or someone who
/// does not want it any more. What was not read for that reason is no property of the object that wanted it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    error: Arc<OnceLock<Hdf5Error>>,
    cancellation: Cancellation,
}

impl Ending {
    /// An end by this, and by what the scan meets.
    pub(crate) fn with_cancellation(mut self, cancellation: Cancellation) -> Self {
        self.cancellation = cancellation;
        self
    }

    /// Who does not want the scan any more.
    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// What ended the scan.
    pub(crate) fn get(&self) -> Option<&Hdf5Error> {
        self.error.get()
    }

    /// What ended the scan: this, unless there was something before.
    pub(crate) fn get_or_init(&self, error: impl FnOnce() -> Hdf5Error) -> &Hdf5Error {
        self.error.get_or_init(error)
    }

    /// Whether the scan goes on; every loop whose length the file decides asks.
    pub(crate) fn check(&self) -> Result<()> {
        if let Err(cancelled) = self.cancellation.check() {
            return Err(self.get_or_init(|| cancelled.into()).clone());
        }
        self.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

/// Batched reading of one file.
#[derive(Debug)]
pub(crate) struct Frontier<'a> {
    source: Source<'a>,
    length: u64,
    metadata_limit: u64,
    state: Mutex<State>,
    ending: Ending,
}

/// The source of the scanned file, or of one beside it that the scan opened.
#[derive(Debug)]
enum Source<'a> {
    Borrowed(&'a dyn ByteSource),
    Owned(Box<dyn ByteSource>),
}

#[derive(Debug, Default)]
struct State {
    wanted: Vec<Wanted>,
    blocks: BTreeMap<u64, Bytes>,
    metadata_bytes: u64,
}

#[derive(Debug)]
struct Wanted {
    start: u64,
    end: u64,
    keep: bool,
    reply: oneshot::Sender<Result<Bytes>>,
}

impl<'a> Frontier<'a> {
    /// A frontier over `source`.
    pub(crate) fn new(source: &'a dyn ByteSource, limits: &Limits) -> Self {
        let length = source.version().length;
        Self {
            source: Source::Borrowed(source),
            length,
            metadata_limit: limits.metadata_bytes,
            state: Mutex::default(),
            ending: Ending::default(),
        }
    }

    /// The same, with an end from outside.
    pub(crate) fn ended_by(mut self, cancellation: Cancellation) -> Self {
        self.ending = self.ending.with_cancellation(cancellation);
        self
    }

    /// A frontier that reads nothing.
    pub(crate) fn closed() -> Self {
        let nothing = Box::new(MemorySource::new("", Bytes::new()));
        Self::owning(nothing, &Limits::default(), Ending::default())
    }

    /// A frontier over a source of its own, of a scan that has another one already.
    pub(crate) fn owning(source: Box<dyn ByteSource>, limits: &Limits, ending: Ending) -> Self {
        let length = source.version().length;
        Self {
            source: Source::Owned(source),
            length,
            metadata_limit: limits.metadata_bytes,
            state: Mutex::default(),
            ending,
        }
    }

    /// What ends the scan.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Bytes in the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The source that is read.
    pub(crate) fn source(&self) -> &dyn ByteSource {
        match &self.source {
            Source::Borrowed(source) => *source,
            Source::Owned(source) => source.as_ref(),
        }
    }

    /// Exactly `length` bytes of metadata at `offset`; they are kept, so that a neighbour within them costs nothing.
    pub(crate) async fn read(
        &self,
        offset: u64,
        length: u64,
        structure: &'static str,
    ) -> Result<Bytes> {
        self.request(offset, length, structure, true).await
    }

    /// Up to `length` bytes of metadata at `offset`: fewer at the end of the file, but at least one.
    pub(crate) async fn read_up_to(
        &self,
        offset: u64,
        length: u64,
        structure: &'static str,
    ) -> Result<Bytes> {
        let available = self.length.saturating_sub(offset);
        self.request(offset, length.min(available).max(1), structure, true).await
    }

    /// Exactly `length` bytes of array data at `offset`; they are not kept.
    pub(crate) async fn read_data(&self, offset: u64, length: u64) -> Result<Bytes> {
        self.request(offset, length, "raw data", false).await
    }

    async fn request(
        &self,
        offset: u64,
        length: u64,
        structure: &'static str,
        keep: bool,
    ) -> Result<Bytes> {
        let end = offset.checked_add(length).filter(|&end| end <= self.length);
        let Some(end) = end else {
            let available = self.length.saturating_sub(offset);
            return Err(Truncated { structure, offset, needed: length, available }.into());
        };
        if length == 0 {
            return Ok(Bytes::new());
        }
        self.ending.check()?;
        let receiver = {
            let mut state = self.lock();
            if let Some(bytes) = state.cached(offset, end) {
                return Ok(bytes);
            }
            if keep {
                let (what, limit) = ("bytes of metadata", self.metadata_limit);
                Hdf5Error::check_limit(structure, offset, what, length, limit)?;
                state.metadata_bytes = state.metadata_bytes.saturating_add(length);
                Hdf5Error::check_limit(structure, offset, what, state.metadata_bytes, limit)
                    .map_err(|error| self.ending.get_or_init(|| error).clone())?;
            }
            let (reply, receiver) = oneshot::channel();
            state.wanted.push(Wanted { start: offset, end, keep, reply });
            receiver
        };
        // A sender is dropped unanswered only when the run that would answer it has ended.
        receiver.await.unwrap_or_else(|_| {
            Err(Hdf5Error::inconsistent(structure, offset, "the scan was given up"))
        })
    }

    /// Drives `walk` to its end, one round of reads after another.
    pub(crate) async fn run<F: Future>(&self, walk: F) -> F::Output {
        let mut walk = pin!(walk);
        loop {
            if let Poll::Ready(output) = poll_until_stuck(walk.as_mut()) {
                return output;
            }
            let wanted = std::mem::take(&mut self.lock().wanted);
            if wanted.is_empty() {
                // Nothing to read and nothing to poll: a walk waits for something that is not a read of this frontier.
                return walk.await;
            }
            self.fetch(wanted).await;
        }
    }

    async fn fetch(&self, mut wanted: Vec<Wanted>) {
        wanted.sort_by_key(|one| (one.start, one.end));
        let mut queue = wanted.into_iter().peekable();
        while queue.peek().is_some() {
            let (mut batch, mut ranges, mut total) = (Vec::new(), Vec::new(), 0_u64);
            while let Some(one) = queue.next_if(|one| {
                total = total.saturating_add(one.end.saturating_sub(one.start));
                batch.is_empty() || total <= ROUND_BYTES
            }) {
                if ranges.last() != Some(&(one.start..one.end)) {
                    ranges.push(one.start..one.end);
                }
                batch.push(one);
            }
            let result = match self.ending.check() {
                Err(error) => Err(error),
                // All ranges lie within the file, so that no error says anything of what is there.
                Ok(()) => self.source().read_many(&ranges).await.map_err(|error| {
                    self.ending.get_or_init(|| Hdf5Error::Io(Arc::new(error))).clone()
                }),
            };
            self.answer(batch, &ranges, &result);
        }
    }

    fn answer(
        &self,
        batch: Vec<Wanted>,
        ranges: &[std::ops::Range<u64>],
        result: &Result<Vec<Bytes>>,
    ) {
        let mut state = self.lock();
        let mut row = 0_usize;
        for one in batch {
            while ranges.get(row).is_some_and(|range| *range != (one.start..one.end)) {
                row = row.saturating_add(1);
            }
            let reply = match result {
                Ok(buffers) => buffers.get(row).cloned().ok_or_else(|| {
                    Truncated {
                        structure: "read",
                        offset: one.start,
                        needed: one.end.saturating_sub(one.start),
                        available: 0,
                    }
                    .into()
                }),
                Err(error) => Err(error.clone()),
            };
            if let (Ok(bytes), true) = (&reply, one.keep) {
                state.keep(one.start, bytes);
            }
            // The receiver is gone when its walk was given up; then nobody wants the bytes.
            let _ = one.reply.send(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn cached(&self, start: u64, end: u64) -> Option<Bytes> {
        let (block_start, block) = self.blocks.range(..=start).next_back()?;
        let from = usize::try_from(start.checked_sub(*block_start)?).ok()?;
        let to = usize::try_from(end.checked_sub(*block_start)?).ok()?;
        (to <= block.len()).then(|| block.slice(from..to))
    }

    fn keep(&mut self, start: u64, bytes: &Bytes) {
        match self.blocks.get(&start) {
            Some(known) if known.len() >= bytes.len() => {}
            _ => {
                self.blocks.insert(start, bytes.clone());
            }
        }
    }
}

/// Polls until the future is ready or waits for reads only.
fn poll_until_stuck<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    let flag = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&flag));
    let mut context = TaskContext::from_waker(&waker);
    loop {
        flag.woken.store(false, Ordering::Relaxed);
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Poll::Ready(output);
        }
        if !flag.woken.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
    }
}

#[derive(Debug, Default)]
struct Flag {
    woken: AtomicBool,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use chunkref_core::model::ObjectVersion;
    use chunkref_core::{SourceError, SourceErrorKind};
    use futures::executor::block_on;
    use futures::future::join_all;

    use super::*;

    #[derive(Debug)]
    struct Recorder {
        inner: MemorySource,
        rounds: Mutex<Vec<Vec<Range<u64>>>>,
        /// The rounds that work.
        sound: usize,
    }

    #[async_trait::async_trait]
    impl ByteSource for Recorder {
        fn location(&self) -> &str {
            self.inner.location()
        }

        fn version(&self) -> &ObjectVersion {
            self.inner.version()
        }

        async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
            let number = {
                let mut rounds = self.rounds.lock().unwrap();
                rounds.push(ranges.to_vec());
                rounds.len()
            };
            if number > self.sound {
                let (kind, location) = (SourceErrorKind::TimedOut, "m".to_owned());
                return Err(SourceError { kind, location, message: String::new(), source: None });
            }
            self.inner.read_many(ranges).await
        }

        async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
            self.inner.open_sibling(path).await
        }
    }

    fn source(length: u8) -> Recorder {
        Recorder {
            inner: MemorySource::new("m", (0..length).collect::<Vec<u8>>().into()),
            rounds: Mutex::default(),
            sound: usize::MAX,
        }
    }

    #[test]
    fn walks_share_rounds_and_neighbours_are_cached() {
        let source = source(200);
        let frontier = Frontier::new(&source, &Limits::default());
        let walks = (0..100).map(|start| {
            let frontier = &frontier;
            async move {
                let first = frontier.read(start, 4, "first").await.unwrap();
                let second =
                    frontier.read(100 + u64::from(first[0]) % 5, 2, "second").await.unwrap();
                let cached = frontier.read(start + 1, 2, "cached").await.unwrap();
                (first[3], second[0], cached[0])
            }
        });
        let results = block_on(frontier.run(join_all(walks)));
        assert_eq!(results[99], (102, 104, 100));
        let rounds = source.rounds.lock().unwrap();
        assert_eq!(rounds.len(), 2);
        assert_eq!(rounds[0].len(), 100);
        // 100..102 lies within the block at 98 or 99 of the first round; equal wishes are read once.
        assert!(rounds[1].len() <= 5, "{:?}", rounds[1]);
    }

    #[test]
    fn claims_past_the_end_and_past_the_limit_are_errors() {
        let source = source(50);
        let frontier = Frontier::new(&source, &Limits::default());
        let error = block_on(frontier.run(frontier.read(40, 11, "node"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "node at byte 40: 11 bytes needed, 10 left: the file is cut off or damaged"
        );
        assert!(block_on(frontier.run(frontier.read(u64::MAX, 2, "node"))).is_err());
        assert_eq!(block_on(frontier.run(frontier.read_up_to(45, 100, "node"))).unwrap().len(), 5);
        assert!(block_on(frontier.run(frontier.read_up_to(50, 100, "node"))).is_err());

        let mut limits = Limits::default();
        limits.metadata_bytes = 10;
        let frontier = Frontier::new(&source, &limits);
        // What claims more by itself costs only itself; what is too much in all ends the scan.
        let error = block_on(frontier.run(frontier.read(0, 11, "node"))).unwrap_err();
        assert!(matches!(error, Hdf5Error::LimitExceeded { .. }));
        assert!(block_on(frontier.run(frontier.read(0, 8, "node"))).is_ok());
        assert!(frontier.ending().get().is_none());
        assert!(block_on(frontier.run(frontier.read(20, 8, "node"))).is_err());
        assert!(matches!(frontier.ending().get(), Some(Hdf5Error::LimitExceeded { .. })));
    }

    #[test]
    fn a_read_that_fails_ends_the_scan() {
        let source = Recorder { sound: 1, ..source(200) };
        let frontier = Frontier::new(&source, &Limits::default());
        assert!(block_on(frontier.run(frontier.read(0, 8, "node"))).is_ok());
        for _ in 0..2 {
            let error = block_on(frontier.run(frontier.read(100, 8, "node"))).unwrap_err();
            assert!(
                matches!(error, Hdf5Error::Io(error) if error.kind == SourceErrorKind::TimedOut)
            );
        }
        assert_eq!(source.rounds.lock().unwrap().len(), 2);
        assert!(frontier.ending().get().is_some());
    }
}
