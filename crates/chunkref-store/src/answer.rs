// SPDX-License-Identifier: MIT OR Apache-2.0
//! What answers of servers say.

use std::ops::Range;

use chunkref_core::redact;
use http::HeaderValue;

use crate::transport::Answer;

/// What is shown of a message in plain text.
const SHOWN_LETTERS: usize = 200;

/// The range of a `Range` header of this crate or of `object_store`: `bytes=0-99` is `0..100`.
///
/// Spec: RFC 9110, 14.1.2.
pub(crate) fn asked_range(value: &HeaderValue) -> Option<Range<u64>> {
    let (first, last) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

/// Range and length of the object of a `Content-Range` header: `bytes 0-99/1000`.
///
/// Spec: RFC 9110, 14.4.
pub(crate) fn given_range(value: &HeaderValue) -> Option<(Range<u64>, u64)> {
    let (range, length) = value.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let length = length.trim().parse().ok()?;
    if range.trim() == "*" {
        return (length == 0).then_some((0..0, 0));
    }
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last < length).then_some((first..last.checked_add(1)?, length))
}

/// Status and message of an answer.
pub(crate) fn words(answer: &Answer) -> String {
    let status = answer.status;
    match std::str::from_utf8(&answer.body) {
        Ok(message) if !message.is_empty() && !status.is_success() => {
            format!("{status}: {message}")
        }
        _ => status.to_string(),
    }
}

/// What the body of a failed request says: code and message of the XML that object stores send, or the start of a plain
/// text. Nothing of it that could be a secret, which S3 for one repeats when a signature is wrong.
pub(crate) fn fault_in_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let words = match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) if text.trim_start().starts_with('<') => element("title").unwrap_or_default(),
        (None, None) => {
            text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
        }
    };
    let words: String = words.chars().filter(|letter| !letter.is_control()).collect();
    // Before it is cut: the half of a secret is none that is known.
    redact(&words).chars().take(SHOWN_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_both_ways() {
        let asked = |text: &str| asked_range(&HeaderValue::from_str(text).unwrap());
        assert_eq!(asked("bytes=0-99"), Some(0..100));
        for other in
            ["bytes=5-", "bytes=-5", "bytes=9-2", "lines=0-1", "bytes=0-18446744073709551615"]
        {
            assert_eq!(asked(other), None, "{other}");
        }
        let given = |text: &str| given_range(&HeaderValue::from_str(text).unwrap());
        assert_eq!(given("bytes 5-9/10"), Some((5..10, 10)));
        assert_eq!(given("bytes */0"), Some((0..0, 0)));
        for other in ["bytes 5-9/*", "bytes 5-10/10", "bytes */9", "bytes 9-5/20", "5-9/10"] {
            assert_eq!(given(other), None, "{other}");
        }
    }

    #[test]
    fn faults_say_what_they_are_and_no_more() {
        let s3 = b"<?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>It differs.</Message><AWSAccessKeyId>AKIA</AWSAccessKeyId><StringToSign>s</StringToSign></Error>";
        assert_eq!(fault_in_words(s3), "SignatureDoesNotMatch: It differs.");
        let page = b"<html><head><title>503 Busy</title></head><body>x</body></html>";
        assert_eq!(fault_in_words(page), "503 Busy");
        assert_eq!(fault_in_words(b"\n no such file \nmore"), "no such file");
        assert_eq!(fault_in_words(b"try https://h/?sig=abc"), "try https://h/?sig=***");
        assert_eq!(fault_in_words(&[b'x'; 999]).len(), SHOWN_LETTERS);
        assert_eq!(fault_in_words(b"<html>"), "");
    }
}
