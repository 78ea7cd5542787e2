// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secrets in locations, kept out of messages.

use std::borrow::Cow;

/// Names of query parameters whose values let whoever reads them in, in lower case: signatures of S3, Google, `CloudFront`
/// and Azure, and tokens and keys as web services name them.
const SECRET_PARAMETERS: &[&str] = &[
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "awsaccesskeyid",
    "client_secret",
    "googleaccessid",
    "jwt",
    "key",
    "key-pair-id",
    "password",
    "policy",
    "sas",
    "sas_token",
    "secret",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
];

const HIDDEN: &str = "***";

/// `text` with the secrets of every URL in it hidden: user information before the host, and the values of query
/// parameters that sign or authorise.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let text = redact_user_information(text);
    match redact_parameters(&text) {
        Some(redacted) => Cow::Owned(redacted),
        None => text,
    }
}

/// The names of the query parameters of `url` that sign or authorise, as they are written.
#[must_use]
pub fn secret_parameters(url: &str) -> Vec<&str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| is_secret(name))
        .collect()
}

fn is_secret(name: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// `scheme://user:password@host` without what stands before the `@`. A container of Azure is written there too, but
/// without a colon.
fn redact_user_information(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut rest = text;
    while let Some(place) = rest.find("://") {
        let (before, behind) = rest.split_at(place);
        let behind = behind.strip_prefix("://").unwrap_or(behind);
        redacted.push_str(before);
        redacted.push_str("://");
        let end = behind.find(ends_authority).unwrap_or(behind.len());
        let (authority, after) = behind.split_at(end);
        let web = before.ends_with("http") || before.ends_with("https");
        match authority.rsplit_once('@') {
            Some((user, host)) if web || user.contains(':') => {
                redacted.push_str(HIDDEN);
                redacted.push('@');
                redacted.push_str(host);
            }
            _ => redacted.push_str(authority),
        }
        rest = after;
    }
    redacted.push_str(rest);
    if redacted == text { Cow::Borrowed(text) } else { Cow::Owned(redacted) }
}

fn redact_parameters(text: &str) -> Option<String> {
    let mut redacted = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(place) = rest.find(['?', '&']) {
        let (before, parameter) = rest.split_at(place.saturating_add(1));
        redacted.push_str(before);
        rest = parameter;
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if !is_secret(name) {
            continue;
        }
        found = true;
        redacted.push_str(name);
        redacted.push('=');
        redacted.push_str(HIDDEN);
        rest = value.trim_start_matches(|letter: char| !ends_value(letter));
    }
    redacted.push_str(rest);
    found.then_some(redacted)
}

fn ends_authority(letter: char) -> bool {
    matches!(letter, '/' | '?' | '#') || ends_text(letter)
}

fn ends_value(letter: char) -> bool {
    matches!(letter, '&' | '#') || ends_text(letter)
}

fn ends_text(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | ')' | ']' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_tokens_and_passwords_are_hidden() {
        for (text, redacted) in [
            (
                "https://h/a.nc?X-Amz-Date=1&X-Amz-Signature=abc%2Fd&x=2",
                "https://h/a.nc?X-Amz-Date=1&X-Amz-Signature=***&x=2",
            ),
            (
                "https://h/a?sv=1&sig=a+b/c==: 403 at (https://h/?token=t) end",
                "https://h/a?sv=1&sig=*** 403 at (https://h/?token=***) end",
            ),
            ("https://me:word@h:80/a@b", "https://***@h:80/a@b"),
            ("https://token@h/", "https://***@h/"),
            ("x s3://k:s@bucket/a", "x s3://***@bucket/a"),
            (
                "\"https://h/?Signature=s\" twice ?key=1 ",
                "\"https://h/?Signature=***\" twice ?key=*** ",
            ),
        ] {
            assert_eq!(redact(text), redacted);
        }
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        for text in [
            "",
            "plain & simple = yes?",
            "abfs://container@account.dfs.core.windows.net/a",
            "https://h/a.nc?download=1&monkey=2",
            "file:///data/a@b?c",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn secret_parameters_are_named() {
        assert_eq!(
            secret_parameters("https://h/a?x=1&X-Goog-Signature=s&SIG=2"),
            ["X-Goog-Signature", "SIG"]
        );
        assert!(secret_parameters("https://h/a?x=1").is_empty());
        assert!(secret_parameters("https://h/a").is_empty());
    }
}
