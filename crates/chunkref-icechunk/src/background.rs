// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the library's work runs: on threads of its own, so that any executor may wait for it.

use std::future::Future;

use futures::channel::oneshot;

use crate::IcechunkError;

/// Runs `work` to its end while this thread waits, which may be one of an executor.
pub(crate) fn wait<T: Send>(
    work: impl Future<Output = Result<T, IcechunkError>> + Send,
) -> Result<T, IcechunkError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime()?.block_on(work));
        thread.join().unwrap_or_else(|_| Err(IcechunkError::Died))
    })
}

/// Runs `work` on a thread of its own.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T, IcechunkError>> + Send + 'static,
) -> Result<T, IcechunkError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("chunkref-icechunk".to_owned())
        .spawn(move || {
            // Nobody may wait any more, which is no fault.
            let _ = sender.send(runtime().and_then(|runtime| runtime.block_on(work)));
        })
        .map_err(IcechunkError::Threads)?;
    receiver.await.unwrap_or(Err(IcechunkError::Died))
}

fn runtime() -> Result<tokio::runtime::Runtime, IcechunkError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("chunkref-icechunk")
        .build()
        .map_err(IcechunkError::Threads)
}
