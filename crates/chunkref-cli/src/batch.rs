// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many inputs at a time, results in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// What became of one item: its result, or the message of a panic, which costs only that item.
pub(crate) type Outcome<R> = Result<R, String>;

/// Calls `work` for every item on up to `jobs` threads. The calling thread gets `finished` as soon as each is done, and
/// `deliver` with the results in the order of the items, whatever the order they were done in.
pub(crate) fn run<T: Sync, R: Send>(
    items: &[T],
    jobs: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
    mut finished: impl FnMut(),
    mut deliver: impl FnMut(&T, Outcome<R>),
) {
    let guarded = |item: &T| {
        catch_unwind(AssertUnwindSafe(|| work(item))).map_err(|panic| panic_message(&*panic))
    };
    let workers = jobs.get().min(items.len());
    if workers <= 1 {
        for item in items {
            let outcome = guarded(item);
            finished();
            deliver(item, outcome);
        }
        return;
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..workers {
            let sender = sender.clone();
            let (next, guarded) = (&next, &guarded);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    if sender.send((index, guarded(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = items.iter().enumerate().peekable();
        for (index, outcome) in receiver {
            finished();
            waiting.insert(index, outcome);
            while let Some(outcome) = due.peek().and_then(|(index, _)| waiting.remove(index)) {
                if let Some((_, item)) = due.next() {
                    deliver(item, outcome);
                }
            }
        }
    });
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn results(jobs: usize) -> Vec<(u64, Outcome<u64>)> {
        let items: Vec<u64> = (0..20).collect();
        let (mut done, mut delivered) = (0, Vec::new());
        let work = |&item: &u64| {
            std::thread::sleep(Duration::from_millis((20 - item) % 5));
            assert_ne!(item, 7, "seven is too much");
            item * 2
        };
        run(
            &items,
            NonZeroUsize::new(jobs).unwrap(),
            work,
            || done += 1,
            |&item, outcome| {
                delivered.push((item, outcome));
            },
        );
        assert_eq!(done, 20);
        delivered
    }

    #[test]
    fn results_come_in_order_and_a_panic_costs_one_item() {
        let one = results(1);
        assert_eq!(one.len(), 20);
        for (place, (item, outcome)) in (0..).zip(&one) {
            assert_eq!(place, *item);
            match outcome {
                Ok(double) => assert_eq!(*double, item * 2),
                Err(message) => assert!(*item == 7 && message.contains("seven is too much")),
            }
        }
        assert!(one[7].1.is_err());
        assert_eq!(results(4), one);
        assert_eq!(results(64), one);
    }
}
