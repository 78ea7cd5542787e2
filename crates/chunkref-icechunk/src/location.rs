// SPDX-License-Identifier: MIT OR Apache-2.0
//! URLs of sources as Icechunk has them: with the key percent-encoded, where chunkref writes it as it is.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use chunkref_model::ObjectVersion;
use icechunk::format::manifest::{Checksum, SecondsSinceEpoch};
use icechunk::storage::ETag;

/// A URL that Icechunk opens, and what is left to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoded {
    /// The URL.
    pub(crate) url: String,
    /// The account of Azure that the other form of the URL names.
    pub(crate) account: Option<String>,
}

/// The form of `location` that Icechunk opens, or why there is none.
pub(crate) fn encode(location: &str) -> Result<Encoded, &'static str> {
    let (scheme, rest) = location.split_once("://").ok_or("it is no absolute URL")?;
    let (mut authority, key) = rest.split_once('/').unwrap_or((rest, ""));
    let mut account = None;
    let scheme = match scheme {
        "http" | "https" => {
            if location.contains(['?', '#']) {
                return Err("Icechunk does not send the query of a URL");
            }
            return Ok(Encoded { url: location.to_owned(), account });
        }
        "file" => "file",
        "s3" | "s3a" => "s3",
        "gs" | "gcs" => "gs",
        "az" | "abfs" | "abfss" => {
            if let Some((container, host)) = authority.split_once('@') {
                account = host.split('.').next().map(str::to_owned);
                authority = container;
            }
            "az"
        }
        _ => return Err("Icechunk has no container for such URLs"),
    };
    if scheme != "file" && (authority.is_empty() || key.is_empty()) {
        return Err("it names no object");
    }
    let mut url = format!("{scheme}://{authority}/");
    for &byte in key.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    Ok(Encoded { url, account })
}

/// The reverse of [`encode`], as far as the URL says it.
pub(crate) fn decode(url: &str) -> String {
    if url.starts_with("http://") || url.starts_with("https://") {
        return url.to_owned();
    }
    let mut bytes = Vec::new();
    let mut rest = url.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| url.to_owned())
}

/// What a reader checks before it takes bytes of the object at `url` for those of `version`.
///
/// Of a web server that is the date: Icechunk sends tags without their quotes, which buckets take and web servers refuse.
pub(crate) fn checksum(url: &str, version: &ObjectVersion) -> Option<Checksum> {
    let web = url.starts_with("http://") || url.starts_with("https://");
    let tag = version.e_tag.as_ref().filter(|tag| !web && !tag.starts_with("W/"));
    if let Some(tag) = tag {
        return Some(Checksum::ETag(ETag(tag.clone())));
    }
    version
        .last_modified
        .and_then(seconds)
        .map(|seconds| Checksum::LastModified(SecondsSinceEpoch(seconds)))
}

/// Whole seconds, rounded up: a reader takes what is not newer.
fn seconds(time: SystemTime) -> Option<u32> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    let more = u64::from(since.subsec_nanos() > 0);
    u32::try_from(since.as_secs().checked_add(more)?).ok().filter(|&seconds| seconds > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_are_encoded_and_come_back() {
        for (location, url) in [
            ("file:///data/a b%.nc", "file:///data/a%20b%25.nc"),
            ("file:///data/é?#\\.nc", "file:///data/%C3%A9%3F%23%5C.nc"),
            ("s3://bucket/2020/a=1,b@c.nc", "s3://bucket/2020/a=1,b@c.nc"),
            ("gs://bucket/a+b.nc", "gs://bucket/a+b.nc"),
            ("https://host:8080/a%20b.nc", "https://host:8080/a%20b.nc"),
            ("az://container/a.nc", "az://container/a.nc"),
        ] {
            assert_eq!(encode(location).unwrap().url, url);
            assert_eq!(decode(url), location);
        }
        assert_eq!(encode("s3a://bucket/k").unwrap().url, "s3://bucket/k");
        let azure = encode("abfs://box@me.dfs.core.windows.net/k").unwrap();
        assert_eq!((azure.url.as_str(), azure.account.as_deref()), ("az://box/k", Some("me")));
        for location in ["memory://a/b", "a.nc", "s3://bucket", "https://host/a?b"] {
            assert!(encode(location).is_err(), "{location}");
        }
        assert_eq!(decode("s3://bucket/%ff%2"), "s3://bucket/%ff%2");
    }

    #[test]
    fn checksums_fit_what_readers_send() {
        let version = ObjectVersion {
            length: 1,
            e_tag: Some("\"a\"".to_owned()),
            last_modified: Some(UNIX_EPOCH + Duration::from_millis(1500)),
        };
        let date = Some(Checksum::LastModified(SecondsSinceEpoch(2)));
        assert_eq!(checksum("s3://b/k", &version), Some(Checksum::ETag(ETag("\"a\"".to_owned()))));
        assert_eq!(checksum("https://h/k", &version), date);
        let weak = ObjectVersion { e_tag: Some("W/\"a\"".to_owned()), ..version };
        assert_eq!(checksum("s3://b/k", &weak), date);
        assert_eq!(checksum("s3://b/k", &ObjectVersion::default()), None);
    }
}
