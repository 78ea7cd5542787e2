// SPDX-License-Identifier: MIT OR Apache-2.0
//! Waiting for native work: other Python threads run meanwhile, and Ctrl-C is heard.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use pyo3::prelude::*;

/// How long a signal may go unheard.
const TICK: Duration = Duration::from_millis(100);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls `future` on this thread until it is ready. The thread is not attached to the interpreter meanwhile, but for a
/// look at signals now and then: what a handler raises ends the work.
///
/// # Errors
/// What a signal handler raised, `KeyboardInterrupt` as a rule.
pub(crate) fn wait<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    py.detach(|| {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            std::thread::park_timeout(TICK);
            Python::attach(|py: Python<'_>| py.check_signals())?;
        }
    })
}
