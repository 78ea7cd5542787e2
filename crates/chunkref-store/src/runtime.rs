// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where requests run.
//!
//! Requests run on threads of this crate's own, so that they go on while a scan computes, and so that any executor may
//! wait for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::meter::{CALLER, Caller};

/// Threads for requests: they wait for the network and copy bytes, and two of them fill most of it.
const THREADS: usize = 2;

/// Why a request came to no end.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Its time was over.
    Late,
    /// The machine gave no threads, or the request panicked.
    Failed(String),
}

/// A task that ends when nobody waits for it any more.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|joined| joined.map_err(|error| Lost::Failed(error.to_string())))
    }
}

/// Runs `work` on behalf of `caller`, until `deadline`.
pub(crate) async fn run<T: Send + 'static>(
    caller: &Caller,
    deadline: Option<Instant>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Lost> {
    let runtime = runtime().map_err(Lost::Failed)?;
    let work = CALLER.scope(caller.clone(), work);
    let task = runtime.spawn(async move {
        match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await.ok(),
            None => Some(work.await),
        }
    });
    Task(task).await?.ok_or(Lost::Late)
}

/// The runtime of this process. A process that was forked has its parent's memory but none of its threads, so it gets a
/// runtime of its own, and its parent's is left as it is.
fn runtime() -> Result<&'static Runtime, String> {
    static RUNTIME: Mutex<Option<(u32, &'static Runtime)>> = Mutex::new(None);
    let mut made = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((_, runtime)) = made.filter(|(of, _)| *of == process) {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("chunkref-io")
        .enable_all()
        .build()
        .map_err(|error| format!("no threads for requests: {error}"))?;
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    *made = Some((process, runtime));
    Ok(runtime)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::executor::block_on;

    use super::*;

    #[test]
    fn any_executor_waits_for_requests() {
        let caller = Caller::default();
        let answer = block_on(run(&caller, None, async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            crate::meter::on_caller(|caller| caller.note_retry("once".to_owned()));
            7
        }));
        assert_eq!(answer.unwrap(), 7);
        assert_eq!(caller.meter.retries(), 1);
    }

    #[test]
    fn time_runs_out_and_a_panic_is_an_error() {
        let caller = Caller::default();
        let late = block_on(run(&caller, Some(Instant::now()), std::future::pending::<()>()));
        assert!(matches!(late, Err(Lost::Late)));
        let broken = block_on(run(&caller, None, async {
            assert!(std::hint::black_box(false), "as it happens");
        }));
        assert!(matches!(broken, Err(Lost::Failed(_))));
    }
}
