// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which names stand for secrets: parameters of URLs, options, headers, keys of documents.

use std::borrow::Cow;

/// Words that make a name one of a secret: `private_token`, `X-Amz-Signature`, `clientSecret`.
const SECRET_WORDS: &[&str] = &[
    "apikey",
    "auth",
    "authentication",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "credentials",
    "hdnea",
    "hdntl",
    "hdnts",
    "hmac",
    "jwt",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "sas",
    "secret",
    "secrets",
    "sessionid",
    "sig",
    "signature",
    "ticket",
    "token",
    "tokens",
];

/// Names that are secret as a whole.
const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "accesskeyid",
    "accountkey",
    "accesstoken",
    "authkey",
    "authtoken",
    "awsaccesskeyid",
    "code_verifier",
    "googleaccessid",
    "idtoken",
    "jsessionid",
    "key",
    "key-pair-id",
    "pass",
    "phpsessid",
    "policy",
    "privatekey",
    "secretkey",
    "session_id",
];

/// What a key is for that must stay secret; a key of nothing is one of a table or a store.
const KEYS_OF: &[&str] = &[
    "access",
    "account",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "customer",
    "encryption",
    "license",
    "master",
    "private",
    "shared",
    "signing",
    "storage",
    "subscription",
    "user",
];

/// Last words of names whose values only say where a secret is, or of what kind.
const ABOUT_SECRETS: &[&str] = &[
    "endpoint", "expires", "expiry", "file", "host", "kind", "name", "path", "provider", "ttl",
    "type", "uri", "url",
];

/// Names that are harmless words outside of a query.
const COMMON_WORDS: &[&str] = &["auth", "key", "pass", "policy"];

/// The longest name that is looked at.
pub(super) const LONGEST_NAME: usize = 120;

/// Whether a value under this name lets whoever reads it in. Percent-encoding and case do not matter.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = decoded(name.trim());
    if name.len() > LONGEST_NAME {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    let whole = lower.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    if SECRET_NAMES.contains(&whole) {
        return true;
    }
    let words = words(&name);
    if words.last().is_some_and(|last| ABOUT_SECRETS.contains(&last.as_str())) {
        return false;
    }
    words.iter().any(|word| SECRET_WORDS.contains(&word.as_str()))
        || words.iter().any(|word| word == "key")
            && words.iter().any(|word| KEYS_OF.contains(&word.as_str()))
}

/// Whether a name is one of a secret wherever it is written, not in a query alone.
pub(super) fn is_secret_anywhere(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_secret_name(name) && !COMMON_WORDS.contains(&lower.as_str())
}

/// The words of a name: `accessToken`, `access-token` and `ACCESS_TOKEN` have two.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before_lower = false;
    for letter in name.chars() {
        let ends = !letter.is_ascii_alphanumeric() || before_lower && letter.is_ascii_uppercase();
        if ends && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_ascii_alphanumeric() {
            word.push(letter.to_ascii_lowercase());
        }
        before_lower = letter.is_ascii_lowercase();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A name without percent-encoding; encodings of what is no UTF-8 stay.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes: Vec<u8> = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let pair = behind.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let encoded = byte.filter(|_| first == b'%');
        bytes.push(encoded.unwrap_or(first));
        rest = encoded.and_then(|_| behind.get(2..)).unwrap_or(behind);
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_in_every_spelling() {
        for name in [
            "api-key",
            "x-api-key",
            "X-API-KEY",
            "apiKey",
            "apikey",
            "private_token",
            "oauth_token",
            "id_token",
            "idToken",
            "hdnts",
            "hdnea",
            "__token__",
            "pwd",
            "passwd",
            "auth",
            "access_key",
            "AccountKey",
            "SharedAccessSignature",
            "sig",
            "Signature",
            "Policy",
            "Key-Pair-Id",
            "X-Goog-Signature",
            "x-goog-credential",
            "X-Amz-Security-Token",
            "X%2DAmz%2DSignature",
            "x%2damz%2Dsignature",
            "%58-Amz-Signature",
            "AWSAccessKeyId",
            "aws_secret_access_key",
            "client_secret",
            "subscription-key",
            "params[token]",
            "key",
            "AWS_SESSION_TOKEN",
            "headers.Authorization",
            "jsessionid",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for name in [
            "",
            "sv",
            "monkey",
            "keyword",
            "sort_key",
            "X-Amz-Date",
            "X-Amz-Expires",
            "region",
            "endpoint_url",
            "authority",
            "author",
            "passage",
            "design",
            "signal",
            "tokenizer",
            "token_url",
            "web_identity_token_file",
            "download",
            "%",
            "%zz",
            "anon",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(!is_secret_anywhere("key") && is_secret_anywhere("token"));
    }
}
