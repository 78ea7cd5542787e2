// SPDX-License-Identifier: MIT OR Apache-2.0
//! What signals do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use chunkref::core::Cancellation;

/// Whether the user has asked for an end.
static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Ends work that computes when the user asks for an end.
pub(crate) fn cancellation() -> Cancellation {
    Cancellation::flag(Arc::clone(&INTERRUPTED))
}

/// Ends when the user asks for an end; never, where the signals of this process are not this command's business. A second
/// Ctrl-C ends the process at once.
pub(crate) async fn interrupted(listens: bool) {
    if !listens || tokio::signal::ctrl_c().await.is_err() {
        return std::future::pending().await;
    }
    INTERRUPTED.store(true, Ordering::Relaxed);
    let second = std::thread::Builder::new().name("chunkref-interrupt".to_owned());
    let _ = second.spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime
            && runtime.block_on(tokio::signal::ctrl_c()).is_ok()
        {
            std::process::exit(130);
        }
    });
}

/// Lets a file that grows beyond the limit of the shell (`ulimit -f`) be an error of the write, which cleans up, and not the
/// end of the process.
pub(crate) fn survive_file_size_limit() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        /// `SIGXFSZ` of Linux and the BSDs, but for MIPS.
        const FILE_SIZE: i32 = 25;
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            // The handler outlives the runtime.
            let _inside = runtime.enter();
            let _ = signal(SignalKind::from_raw(FILE_SIZE));
        }
    }
}
