// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many inputs at a time, results as they come.
//!
//! ```no_run
//! use chunkref::{ManyOptions, ScanOptions};
//! use futures::StreamExt;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let stores = chunkref::stores();
//! let locations = stores.expand("s3://noaa-goes16/ABI-L2-SSTF/2020/210/*/*.nc").await?;
//! let mut scans = chunkref::scan_many(&stores, locations, &ScanOptions::default(), ManyOptions::default())?;
//! while let Some(scanned) = scans.next().await {
//!     println!("{}: {:?}", scanned.location, scanned.outcome.map(|scan| scan.dataset.arrays().len()));
//! }
//! # Ok(())
//! # }
//! ```

use std::any::Any;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use chunkref_core::{Scan, ScanError, ScanErrorKind, ScanOptions};
use chunkref_store::{Cost, Location, Stores};
use futures::{FutureExt, Stream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument;

/// How many inputs are worked on at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManyOptions {
    /// Threads that compute.
    pub jobs: NonZeroUsize,
    /// Inputs that are open at one time: more than threads, because most of them wait for their store.
    pub open: NonZeroUsize,
}

impl Default for ManyOptions {
    /// One thread for each core, and 32 inputs, or as many as there are threads.
    fn default() -> Self {
        Self::with_jobs(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
    }
}

impl ManyOptions {
    /// Inputs that are open at one time, unless there are more threads.
    const OPEN: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

    /// So many threads, and 32 inputs, or as many as there are threads.
    #[must_use]
    pub fn with_jobs(jobs: NonZeroUsize) -> Self {
        Self { jobs, open: Self::OPEN.max(jobs) }
    }

    /// The same options with another number of inputs that are open at one time.
    #[must_use]
    pub fn with_open(mut self, open: NonZeroUsize) -> Self {
        self.open = open;
        self
    }
}

/// The longest time that work which is computing when it is stopped may take to its next wait.
const LONGEST_STOP: Duration = Duration::from_mins(1);

/// What became of one item: its result, or the message of a panic, which costs only that item.
pub type Outcome<R> = Result<R, String>;

/// Threads that work on many items, one list of them after another.
#[derive(Debug)]
pub struct Workers {
    /// There until this is dropped.
    runtime: Option<Runtime>,
    options: ManyOptions,
}

impl Workers {
    /// Starts as many threads as `options` say.
    ///
    /// # Errors
    /// When the machine gives no threads.
    pub fn new(options: ManyOptions) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(options.jobs.get())
            .thread_name("chunkref-scan")
            .enable_time()
            .build()?;
        Ok(Self { runtime: Some(runtime), options })
    }

    /// Calls `work` for every item. No more than `open` items are under way, and no more results wait than there are
    /// threads, so memory does not grow with the number of items.
    pub fn for_each<T, R, F>(
        &self,
        items: Vec<T>,
        open: NonZeroUsize,
        work: impl Fn(T) -> F + Send + Sync + 'static,
    ) -> Results<R>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: Future<Output = R> + Send,
    {
        let (sender, receiver) = mpsc::channel(self.options.jobs.get());
        let open = Arc::new(Semaphore::new(open.get()));
        let work = Arc::new(work);
        let working = async move {
            for (place, item) in items.into_iter().enumerate() {
                let Ok(permit) = Arc::clone(&open).acquire_owned().await else { return };
                let (sender, work) = (sender.clone(), Arc::clone(&work));
                if sender.is_closed() {
                    return;
                }
                tokio::spawn(async move {
                    // The future is made inside, so that a panic before its first await costs no more.
                    let working = AssertUnwindSafe(async { work(item).await }).catch_unwind();
                    let outcome = working.await.map_err(|panic| panic_message(&*panic));
                    let _ = sender.send((place, outcome)).await;
                    drop(permit);
                });
            }
        };
        if let Some(runtime) = &self.runtime {
            runtime.spawn(working);
        }
        Results { receiver, workers: None }
    }

    /// Ends the work, and waits for what is computing right now.
    fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LONGEST_STOP);
        }
    }
}

impl Drop for Workers {
    /// Work that waits is dropped; work that computes goes on until it waits.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The results of work on many items, each with the item's place, as they come. Whoever does not take them holds up the
/// work; dropping this ends it: what computes goes on until it waits, and has whole results until then.
#[derive(Debug)]
pub struct Results<R> {
    receiver: mpsc::Receiver<(usize, Outcome<R>)>,
    /// Threads that are for this alone.
    workers: Option<Workers>,
}

impl<R> Results<R> {
    /// Waits for the next result on this thread; `None` when there are no more.
    pub fn next_blocking(&mut self) -> Option<(usize, Outcome<R>)> {
        self.receiver.blocking_recv()
    }

    /// Ends the work, and waits for what is computing right now, so that nothing is left half-written.
    pub fn stop(mut self) {
        self.receiver.close();
        if let Some(workers) = self.workers.take() {
            workers.stop();
        }
    }
}

impl<R> Stream for Results<R> {
    type Item = (usize, Outcome<R>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context)
    }
}

/// Calls `work` for every item, on threads of its own. No more items are under way, and no more results wait, than
/// `options` allow, so memory does not grow with the number of items.
///
/// # Errors
/// When the machine gives no threads.
pub fn for_each<T, R, F>(
    items: Vec<T>,
    options: ManyOptions,
    work: impl Fn(T) -> F + Send + Sync + 'static,
) -> std::io::Result<Results<R>>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = R> + Send,
{
    let workers = Workers::new(options)?;
    let results = workers.for_each(items, options.open, work);
    Ok(Results { workers: Some(workers), ..results })
}

/// What became of one location.
#[derive(Debug)]
#[non_exhaustive]
pub struct Scanned {
    /// Its place among the locations.
    pub place: usize,
    /// The location.
    pub location: Location,
    /// What it contains, or why that is not known.
    pub outcome: Result<Scan, ScanError>,
    /// What reading it cost.
    pub cost: Cost,
    /// How long it took.
    pub time: Duration,
}

/// A scan, what it cost and how long it took.
type Timed = (Result<Scan, ScanError>, Cost, Duration);

/// Scans under way; a stream that gives each as it is finished, the first to finish first.
#[derive(Debug)]
pub struct Scans {
    results: Results<Timed>,
    locations: Vec<Location>,
}

impl Scans {
    /// Waits for the next scan on this thread; `None` when there are no more.
    pub fn next_blocking(&mut self) -> Option<Scanned> {
        self.results.next_blocking().and_then(|result| self.scanned(result))
    }

    fn scanned(&self, (place, outcome): (usize, Outcome<Timed>)) -> Option<Scanned> {
        let location = self.locations.get(place)?.clone();
        let (outcome, cost, time) = outcome.unwrap_or_else(|panic| {
            let fault = panicked(&panic);
            let outcome = Err(ScanError::new(ScanErrorKind::Io, location.to_string(), fault));
            (outcome, Cost::default(), Duration::ZERO)
        });
        Some(Scanned { place, location, outcome, cost, time })
    }
}

impl Stream for Scans {
    type Item = Scanned;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Scanned>> {
        let next = Pin::new(&mut self.results).poll_next(context);
        next.map(|next| next.and_then(|result| self.scanned(result)))
    }
}

/// Scans objects at many locations with the formats that are linked in, several at a time. One that fails does not stop
/// the others.
///
/// # Errors
/// [`ScanError`] of kind [`ScanErrorKind::InvalidOption`] when the options fit no format, or a secret for one store is
/// given for locations in several, before anything is read;
/// [`ScanErrorKind::Io`] when the machine gives no threads.
pub fn scan_many(
    stores: &Stores,
    locations: impl IntoIterator<Item = Location>,
    options: &ScanOptions,
    many: ManyOptions,
) -> Result<Scans, ScanError> {
    let fault = |kind, source: Box<dyn std::error::Error + Send + Sync>| {
        ScanError::new(kind, "the inputs", source)
    };
    let registry =
        crate::registry().map_err(|error| fault(ScanErrorKind::InvalidOption, error.into()))?;
    crate::validate(&registry, options)
        .map_err(|error| fault(ScanErrorKind::InvalidOption, error.into()))?;
    let locations: Vec<_> = locations.into_iter().collect();
    stores
        .check_binding(&locations)
        .map_err(|error| fault(ScanErrorKind::InvalidOption, error.into()))?;
    let (stores, options) = (stores.clone(), options.clone());
    let results = for_each(locations.clone(), many, move |location| {
        let (stores, options) = (stores.clone(), options.clone());
        let span = tracing::info_span!("file", %location);
        let scanning = async move {
            let start = Instant::now();
            let (outcome, cost) = crate::scan::scan_at(&stores, &location, &options).await;
            (outcome, cost, start.elapsed())
        };
        scanning.instrument(span)
    });
    let results = results.map_err(|error| fault(ScanErrorKind::Io, error.into()))?;
    Ok(Scans { results, locations })
}

/// What a user is told of a panic.
#[must_use]
pub fn panicked(message: &str) -> String {
    format!("chunkref failed on this file in a way that it must not ({message}): please report it")
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::StreamExt;
    use futures::executor::block_on;

    use super::*;

    fn many(jobs: usize, open: usize) -> ManyOptions {
        let number = |number| NonZeroUsize::new(number).unwrap();
        ManyOptions::with_jobs(number(jobs)).with_open(number(open))
    }

    #[test]
    fn every_item_has_a_result_and_a_panic_costs_one() {
        let under_way = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (counter, peak) = (Arc::clone(&under_way), Arc::clone(&most));
        let results = for_each((0..50_u64).collect(), many(2, 8), move |item| {
            let (counter, peak) = (Arc::clone(&counter), Arc::clone(&peak));
            async move {
                let now = counter.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(item % 3)).await;
                counter.fetch_sub(1, Ordering::SeqCst);
                assert_ne!(item, 7, "seven is too much");
                item * 2
            }
        });
        let mut results: Vec<_> = block_on(results.unwrap().collect());
        results.sort_by_key(|(place, _)| *place);
        assert_eq!(results.len(), 50);
        for (place, outcome) in results {
            match outcome {
                Ok(double) => assert_eq!(double, place as u64 * 2),
                Err(message) => assert!(place == 7 && message.contains("seven is too much")),
            }
        }
        assert!(most.load(Ordering::SeqCst) <= 8);
    }

    #[test]
    fn whoever_stops_taking_results_stops_the_work() {
        let started = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&started);
        let mut results = for_each((0..1000).collect(), many(1, 2), move |item: u32| {
            counter.fetch_add(1, Ordering::SeqCst);
            async move { item }
        })
        .unwrap();
        assert!(results.next_blocking().is_some());
        drop(results);
        assert!(started.load(Ordering::SeqCst) <= 1 + 1 + 2 + 2);
    }

    #[test]
    fn locations_are_scanned_and_bad_ones_do_not_stop_the_others() {
        let locations = ["memory://many/absent", "memory://many/text", "gopher://x/y"];
        block_on(chunkref_store::put_in_memory("many/text", b"text".as_slice().into())).unwrap();
        let locations = locations.map(|url| Location::parse(url).unwrap());
        let scan = |options: &ScanOptions| {
            scan_many(&Stores::default(), locations.clone(), options, many(2, 2))
        };
        let mut scanned: Vec<_> = block_on(scan(&ScanOptions::default()).unwrap().collect());
        scanned.sort_by_key(|scanned| scanned.place);
        let kinds: Vec<_> =
            scanned.iter().map(|scanned| scanned.outcome.as_ref().unwrap_err().kind).collect();
        let expected = [ScanErrorKind::NotFound, ScanErrorKind::UnknownFormat, ScanErrorKind::Io];
        assert_eq!(kinds, expected);
        let wrong = scan(&ScanOptions::default().with_format_option("x", "y")).unwrap_err();
        assert_eq!(wrong.kind, ScanErrorKind::InvalidOption);
    }
}
