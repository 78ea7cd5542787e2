// SPDX-License-Identifier: MIT OR Apache-2.0
//! When and how soon a request is made again.

use std::time::{Duration, SystemTime};

use http::StatusCode;

/// How often and how soon a request is made again that got no answer, a broken one, or one that says "later".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries: u32,
    /// The longest wait before the second try; each later one may take twice as long.
    pub first_wait: Duration,
    /// What no wait exceeds, but for one that the server asks for.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 6,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(15),
        }
    }
}

/// The longest wait that a server's `Retry-After` is obeyed for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(2);

impl RetryPolicy {
    /// The wait before the try after `tries`, of which there was at least one; `None` when there is none left. Waits are
    /// random between half and all of their length, so that requests which failed together do not return together.
    pub(crate) fn wait(&self, tries: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if tries > self.retries {
            return None;
        }
        let doublings = tries.saturating_sub(1).min(20);
        let longest = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
        let wait = longest.mul_f64(fastrand::f64().mul_add(0.5, 0.5));
        Some(match retry_after {
            Some(asked) => wait.max(asked.min(LONGEST_RETRY_AFTER)),
            None => wait,
        })
    }
}

/// Whether an answer of this status says that the same request may succeed later.
pub(crate) fn is_temporary(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// The wait that a `Retry-After` header asks for: seconds, or a date.
///
/// Spec: RFC 9110, 10.2.3.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let policy = RetryPolicy {
            retries: 4,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_millis(350),
        };
        for (tries, longest) in [(1, 100), (2, 200), (3, 350), (4, 350)] {
            for _ in 0..50 {
                let wait = policy.wait(tries, None).unwrap();
                let longest = Duration::from_millis(longest);
                assert!(wait <= longest && wait >= longest / 2, "{tries}: {wait:?}");
            }
        }
        assert_eq!(policy.wait(5, None), None);
        let asked = Some(Duration::from_secs(3));
        assert_eq!(policy.wait(1, asked), asked);
        assert_eq!(policy.wait(1, Some(Duration::from_secs(9999))), Some(LONGEST_RETRY_AFTER));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now),
            Some(Duration::from_secs(10))
        );
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
