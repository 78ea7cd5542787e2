// SPDX-License-Identifier: MIT OR Apache-2.0
//! Work that is no longer wanted: a deadline has passed, or someone asked for an end.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Advice, Resolution};

/// Why work ended before it was done. Both are causes from outside: neither says anything of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// The deadline has passed.
    TimedOut(Duration),
    /// Someone asked for an end: an interrupt, or the end of the program.
    Stopped,
}

static MORE_TIME: Advice = Advice::fixed(&[Resolution::Deadline]);

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(time) => {
                let seconds = time.as_secs_f64();
                write!(formatter, "it took longer than the {seconds} seconds that it may")
            }
            Self::Stopped => formatter.write_str("it was stopped"),
        }
    }
}

impl Error for Cancelled {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::TimedOut(_) => Some(&MORE_TIME),
            Self::Stopped => None,
        }
    }
}

/// Whether work is still wanted. Whoever computes asks it now and then, in every loop whose length the data decide; what
/// waits for a store is ended by the store.
///
/// # Contract
/// Once [`Cancellation::check`] has failed, it fails for ever. A check costs less than a microsecond.
#[derive(Clone, Default)]
pub struct Cancellation(Option<Arc<Check>>);

type Check = dyn Fn() -> Option<Cancelled> + Send + Sync;

impl Cancellation {
    /// Work that nothing ends.
    #[must_use]
    pub const fn never() -> Self {
        Self(None)
    }

    /// Work that ends when `check` gives a cause; it must go on giving one.
    #[must_use]
    pub fn when(check: impl Fn() -> Option<Cancelled> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// Work that ends when the flag is set.
    #[must_use]
    pub fn flag(flag: Arc<AtomicBool>) -> Self {
        Self::when(move || flag.load(Ordering::Relaxed).then_some(Cancelled::Stopped))
    }

    /// The same, and so much time from now on; `None` for any time.
    #[must_use]
    pub fn within(&self, time: Option<Duration>) -> Self {
        let Some(time) = time else { return self.clone() };
        // A deadline past what the clock counts is none.
        let Some(deadline) = Instant::now().checked_add(time) else { return self.clone() };
        let before = self.clone();
        Self::when(move || {
            let passed = || (Instant::now() >= deadline).then_some(Cancelled::TimedOut(time));
            before.check().err().or_else(passed)
        })
    }

    /// Work that either of two ends.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            _ => {
                let (one, other) = (self.clone(), other.clone());
                Self::when(move || one.check().and_then(|()| other.check()).err())
            }
        }
    }

    /// Whether the work is still wanted.
    ///
    /// # Errors
    /// [`Cancelled`] when it is not, and why.
    pub fn check(&self) -> Result<(), Cancelled> {
        match self.0.as_ref().and_then(|check| check()) {
            Some(cancelled) => Err(cancelled),
            None => Ok(()),
        }
    }

    /// The same for a loop of small steps: asks at every 4096th.
    ///
    /// # Errors
    /// [`Cancelled`] when it is not, and why.
    pub fn check_at(&self, step: u64) -> Result<(), Cancelled> {
        if step.is_multiple_of(4096) { self.check() } else { Ok(()) }
    }
}

/// The steps of a loop, some of which ask whether the work is still wanted.
///
/// ```
/// use chunkref_core::{Cancellation, Cancelled, Steps};
///
/// fn sum(numbers: &[u64], cancellation: &Cancellation) -> Result<u64, Cancelled> {
///     let mut steps = Steps::new(cancellation);
///     numbers.iter().try_fold(0_u64, |sum, number| {
///         steps.take(1)?;
///         Ok(sum.wrapping_add(*number))
///     })
/// }
///
/// assert_eq!(sum(&[1, 2, 3], &Cancellation::never()), Ok(6));
/// ```
#[derive(Debug)]
pub struct Steps<'a> {
    cancellation: &'a Cancellation,
    /// Steps until the next question.
    left: usize,
}

impl<'a> Steps<'a> {
    /// Steps between two questions.
    pub const BETWEEN: usize = 4096;

    /// The steps of a loop that `cancellation` ends.
    #[must_use]
    pub fn new(cancellation: &'a Cancellation) -> Self {
        Self { cancellation, left: Self::BETWEEN }
    }

    /// Takes some steps more, and asks when that makes [`Steps::BETWEEN`] of them since the last question.
    ///
    /// # Errors
    /// [`Cancelled`] when the work is not wanted, and why.
    #[inline]
    pub fn take(&mut self, steps: usize) -> Result<(), Cancelled> {
        match self.left.checked_sub(steps) {
            Some(left) if left > 0 => {
                self.left = left;
                Ok(())
            }
            _ => {
                self.left = Self::BETWEEN;
                self.cancellation.check()
            }
        }
    }
}

/// When work ends says nothing of what comes out of it: options that differ in that alone are the same.
impl PartialEq for Cancellation {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Cancellation {}

impl fmt::Debug for Cancellation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() {
            "Cancellation(…)"
        } else {
            "Cancellation(never)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_deadlines_end_work() {
        assert_eq!(Cancellation::never().check(), Ok(()));
        let set = Arc::new(AtomicBool::new(false));
        let flag = Cancellation::flag(Arc::clone(&set));
        let both = flag.within(Some(Duration::from_hours(1)));
        assert_eq!((flag.check(), both.check()), (Ok(()), Ok(())));
        set.store(true, Ordering::Relaxed);
        assert_eq!(
            (flag.check(), both.check()),
            (Err(Cancelled::Stopped), Err(Cancelled::Stopped))
        );
        let over = Cancellation::never().within(Some(Duration::ZERO));
        assert_eq!(over.check(), Err(Cancelled::TimedOut(Duration::ZERO)));
        assert_eq!((over.check_at(1), over.check_at(0).is_err()), (Ok(()), true));
        assert_eq!(Cancellation::never().within(Some(Duration::MAX)).check(), Ok(()));
        assert!(Cancellation::never().or(&over).check().is_err());
        assert_eq!(over.or(&flag).check(), Err(Cancelled::TimedOut(Duration::ZERO)));
        assert_eq!(flag.or(&over).check(), Err(Cancelled::Stopped));
    }

    #[test]
    fn steps_ask_now_and_then() {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let counting = Cancellation::when(move || {
            (count.fetch_add(1, Ordering::Relaxed) >= 3).then_some(Cancelled::Stopped)
        });
        let mut steps = Steps::new(&counting);
        for _ in 0..2 * Steps::BETWEEN {
            steps.take(1).unwrap();
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        // However many they are, steps taken at one time ask once.
        steps.take(usize::MAX).unwrap();
        steps.take(Steps::BETWEEN - 1).unwrap();
        assert_eq!(steps.take(1), Err(Cancelled::Stopped));
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }
}
