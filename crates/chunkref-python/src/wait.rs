// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for native work: other Python threads run meanwhile, and Ctrl-C ends the work.
//!
//! Python tells signals to its main thread alone. There, and under a [`PyStopper`], work that computes runs on a thread of
//! its own ([`Call::work`]), so that an end is heard however long the work computes; elsewhere it runs where it is called.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use chunkref::Stores;
use chunkref::core::Cancellation;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// How long a signal may go unheard.
const TICK: Duration = Duration::from_millis(100);
/// How long the end of work is waited for that a signal stopped. What has not ended by then is left to end by itself.
const GRACE: Duration = Duration::from_millis(500);
/// Stack of a thread that works for the main thread: as much as that usually has.
const STACK_BYTES: usize = 8 << 20;

thread_local! {
    /// What ends the calls of this thread from outside.
    static STOPPER: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Whether work may be left to end by itself when it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It may: what comes out of it is dropped.
    AtOnce,
    /// It may not, because it writes: when the call has ended, nothing is written any more.
    WhenItHasEnded,
}

/// A call from Python. It ends when Ctrl-C or its caller asks for an end; what of its work is still under way then, or when
/// this is dropped, is cancelled.
#[derive(Debug)]
pub(crate) struct Call {
    ended: Arc<AtomicBool>,
    /// Set by the [`PyStopper`] that the call runs under.
    stopped: Option<Arc<AtomicBool>>,
}

impl Call {
    /// A call of this thread that begins now.
    pub(crate) fn new() -> Self {
        let stopped = STOPPER.with(|stopper| stopper.borrow().clone());
        Self { ended: Arc::default(), stopped }
    }

    /// What the work of this call asks now and then.
    pub(crate) fn cancellation(&self) -> Cancellation {
        let ended = Cancellation::flag(Arc::clone(&self.ended));
        self.stopped
            .as_ref()
            .map_or(ended.clone(), |stopped| ended.or(&Cancellation::flag(Arc::clone(stopped))))
    }

    /// The same stores, for the work of this call.
    pub(crate) fn stores(&self, stores: &Stores) -> Stores {
        stores.with_cancellation(&self.cancellation())
    }

    /// Cancels the work of this call.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Does work that computes. `work` gets the cancellation of this call and gives a future, which is polled until it is
    /// ready; the thread that called is not attached to the interpreter meanwhile. A panic of the work goes on.
    ///
    /// # Errors
    /// What a signal handler raised, `KeyboardInterrupt` as a rule, within about half a second; `asyncio.CancelledError`
    /// when a [`PyStopper`] ended the call.
    pub(crate) fn work<T, F>(
        &self,
        py: Python<'_>,
        stop: Stop,
        work: impl FnOnce(Cancellation) -> F + Send + 'static,
    ) -> PyResult<T>
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let cancellation = self.cancellation();
        if self.stopped.is_none() && !is_main_thread(py)? {
            let output = py.detach(|| drive(work(cancellation.clone()), &cancellation));
            return output.ok_or_else(was_stopped);
        }
        let (sender, receiver) = mpsc::channel();
        let worker =
            thread::Builder::new().name("chunkref-call".to_owned()).stack_size(STACK_BYTES);
        let worker = worker.spawn(move || {
            let output = drive(work(cancellation.clone()), &cancellation);
            // Nobody listens any more when the call was interrupted.
            let _ = sender.send(output);
        })?;
        py.detach(|| self.watch(worker, receiver, stop))
    }

    /// Waits for the end of `worker`, and looks now and then at whether it is still wanted.
    fn watch<T>(
        &self,
        worker: JoinHandle<()>,
        receiver: Receiver<Option<T>>,
        stop: Stop,
    ) -> PyResult<T> {
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(output) => return output.ok_or_else(was_stopped),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => match worker.join() {
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => return Err(was_stopped()),
                },
            }
            let heard = Python::attach(|py: Python<'_>| py.check_signals());
            if let Err(raised) = heard.and_then(|()| self.check_stopped()) {
                self.end();
                match stop {
                    Stop::AtOnce => drop(receiver.recv_timeout(GRACE)),
                    Stop::WhenItHasEnded => drop(receiver.recv()),
                }
                return Err(raised);
            }
        }
    }

    fn check_stopped(&self) -> PyResult<()> {
        let stopped = self.stopped.as_ref().is_some_and(|stopped| stopped.load(Ordering::Relaxed));
        if stopped { Err(was_stopped()) } else { Ok(()) }
    }

    /// Waits for something that others do: polls `future` on this thread, which is not attached to the interpreter
    /// meanwhile, until it is ready. What computes for long within a poll belongs into [`Call::work`].
    ///
    /// # Errors
    /// As for [`Call::work`].
    pub(crate) fn wait<F>(&self, py: Python<'_>, future: F) -> PyResult<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let cancellation = self.cancellation();
        py.detach(|| {
            let mut raised = None;
            let output = drive_until(future, || {
                let heard = Python::attach(|py: Python<'_>| py.check_signals());
                raised = heard.err();
                raised.is_some() || cancellation.check().is_err()
            });
            if raised.is_some() {
                self.end();
            }
            output.ok_or_else(|| raised.unwrap_or_else(was_stopped))
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for something that others do, as a call of its own.
///
/// # Errors
/// As for [`Call::wait`].
pub(crate) fn wait<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    Call::new().wait(py, future)
}

/// Ends calls of other threads: what asyncio cancels runs in a thread that goes on otherwise.
#[pyclass(name = "Stopper", module = "chunkref._chunkref", frozen)]
#[derive(Debug)]
pub(crate) struct PyStopper(Arc<AtomicBool>);

#[pymethods]
impl PyStopper {
    #[new]
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Ends all calls that run under it, now and later: they raise `asyncio.CancelledError`.
    fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Calls a function of Python on this thread, with what it calls here under this.
    #[pyo3(signature = (function, *arguments, **options))]
    fn run<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        struct Before(Option<Arc<AtomicBool>>);
        impl Drop for Before {
            fn drop(&mut self) {
                STOPPER.with(|stopper| stopper.replace(self.0.take()));
            }
        }
        let _before = Before(STOPPER.with(|stopper| stopper.replace(Some(Arc::clone(&self.0)))));
        function.call(arguments, options)
    }
}

fn was_stopped() -> PyErr {
    CancelledError::new_err("it was stopped")
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    threading.call_method0("get_ident")?.eq(main)
}

/// Polls a future on this thread until it is ready, or `cancellation` ends the work between two polls.
fn drive<F: Future>(future: F, cancellation: &Cancellation) -> Option<F::Output> {
    drive_until(future, || cancellation.check().is_err())
}

/// Polls a future on this thread until it is ready, or `ends` says so between two polls.
fn drive_until<F: Future>(future: F, mut ends: impl FnMut() -> bool) -> Option<F::Output> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        thread::park_timeout(TICK);
        if ends() {
            return None;
        }
    }
}
