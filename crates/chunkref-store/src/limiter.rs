// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many requests are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for requests, of all hosts together and of each.
#[derive(Debug)]
pub(crate) struct Limiter {
    all: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place that is free again once this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _host: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Limiter {
    pub(crate) fn new(all: usize, per_host: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), per_host, hosts: Mutex::default() }
    }

    /// Waits for a place at `host`. That comes first: whoever waits for a busy host takes no place from the others.
    pub(crate) async fn enter(&self, host: &str) -> Place {
        let places = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            let places = hosts.entry(host.to_owned());
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(self.per_host))))
        };
        // Neither is ever closed, so there is always a permit.
        let host = places.acquire_owned().await.ok();
        let all = Arc::clone(&self.all).acquire_owned().await.ok();
        Place { _host: host, _all: all }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn hosts_and_all_have_their_bounds() {
        let limiter = Limiter::new(3, 2);
        let first = block_on(limiter.enter("a"));
        let _second = block_on(limiter.enter("a"));
        assert!(limiter.enter("a").now_or_never().is_none(), "two at one host");
        let _third = block_on(limiter.enter("b"));
        assert!(limiter.enter("b").now_or_never().is_none(), "three in all");
        drop(first);
        assert!(limiter.enter("b").now_or_never().is_some());
    }
}
