// SPDX-License-Identifier: MIT OR Apache-2.0
//! Cookies, for servers that send one back from their login page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chunkref_core::secret::keep_secret;
use http::HeaderValue;
use url::Url;

/// Cookies that one host may have set.
const MOST_COOKIES: usize = 50;

/// Session cookies by the host that set them, and for that host alone: no other needs them, and it is the safe reading
/// of `Domain`. They live as long as the process.
#[derive(Default)]
pub(crate) struct Cookies(Mutex<BTreeMap<String, BTreeMap<String, String>>>);

impl std::fmt::Debug for Cookies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cookies").finish_non_exhaustive()
    }
}

impl Cookies {
    /// Keeps what a `Set-Cookie` header of an answer from `url` says.
    pub(crate) fn set(&self, url: &Url, cookie: &HeaderValue) {
        let Some(host) = host(url) else { return };
        let Some((name, value)) = cookie
            .to_str()
            .ok()
            .and_then(|cookie| cookie.split(';').next())
            .and_then(|cookie| cookie.split_once('='))
        else {
            return;
        };
        // Cookies have parts, such as a session and its seal.
        value.split(['&', '|', ':']).for_each(|part| keep_secret(part.trim()));
        keep_secret(value);
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies = hosts.entry(host).or_default();
        if cookies.len() < MOST_COOKIES {
            cookies.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }

    /// The `Cookie` header for a request to `url`, if it is to have one.
    pub(crate) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies = hosts.get(&host(url)?)?;
        let text: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut value = HeaderValue::try_from(text.join("; ")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn host(url: &Url) -> Option<String> {
    url.host_str().map(|_| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_the_host_that_set_it() {
        let cookies = Cookies::default();
        let here = Url::parse("https://data.example/a").unwrap();
        for text in ["session=1; Path=/; Domain=example", "other = 2", "session=3;Secure", "odd"] {
            cookies.set(&here, &HeaderValue::from_static(text));
        }
        let again = Url::parse("https://data.example/b/c").unwrap();
        assert_eq!(cookies.header(&again).unwrap(), "other=2; session=3");
        for other in ["https://example/", "https://data.example:444/", "http://data.example:443/"] {
            assert!(cookies.header(&Url::parse(other).unwrap()).is_none());
        }
    }
}
