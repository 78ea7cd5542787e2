// SPDX-License-Identifier: MIT OR Apache-2.0
//! Secrets kept out of messages: those that this process was given, and what looks like one.
//!
//! [`redact`] is applied where text leaves the program and in the `Display` and `Debug` of errors, so that no message has to
//! think of it.

mod known;
mod names;

use std::borrow::Cow;

use serde_json::Value;

pub use known::{keep_login, keep_secret};
pub use names::is_secret_name;

use names::{LONGEST_NAME, decoded, is_secret_anywhere};

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// `text` with its secrets hidden: values that [`keep_secret`] was given, user information of URLs, values of parameters,
/// headers and keys whose names say that they are secret, and tokens that are known by their form.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut text = known::hide(text);
    for hide in [user_information, named_values, tokens] {
        if let Some(hidden) = hide(&text) {
            text = Cow::Owned(hidden);
        }
    }
    text
}

/// The same for every text of a document; keys stay, and texts whose keys name secrets are hidden as a whole.
pub fn redact_document(document: &mut Value) {
    match document {
        Value::String(text) => {
            if let Cow::Owned(hidden) = redact(text) {
                *text = hidden;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact_document),
        Value::Object(values) => {
            for (name, value) in values.iter_mut() {
                match value {
                    Value::String(text) if is_secret_anywhere(name) && !is_placeholder(text) => {
                        HIDDEN.clone_into(text);
                    }
                    value => redact_document(value),
                }
            }
        }
        _ => {}
    }
}

/// The names of the query parameters of `url` that sign or authorise, as they are written.
#[must_use]
pub fn secret_parameters(url: &str) -> Vec<&str> {
    parameters(url).map(|(name, _)| name).filter(|name| is_secret_name(name)).collect()
}

/// Keeps the secrets of a URL, so that [`redact`] hides them without it, too: its password and its secret parameters.
pub fn keep_secrets_of(url: &str) {
    for (_, value) in parameters(url).filter(|(name, _)| is_secret_name(name)) {
        keep_secret(value);
    }
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((user, _)) = authority.rsplit_once('@')
        && let Some((user, password)) = user.split_once(':')
    {
        keep_secret(password);
        keep_login(&decoded(user), &decoded(password));
    }
}

/// Names and values of the query and the fragment of a URL.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.find(['?', '#']).and_then(|place| url.get(place..)).unwrap_or_default();
    query.split(['?', '&', ';', '#']).filter_map(|parameter| parameter.split_once('='))
}

/// `scheme://user:password@host` without what stands before the `@`. A container of Azure is written there too, but
/// without a colon. Passwords with letters that end an authority, and logins behind a mistyped scheme or none, make no URL,
/// but they are secrets.
fn user_information(text: &str) -> Option<String> {
    let mut hidden = String::new();
    let mut rest = text;
    let mut found = false;
    while !rest.is_empty() {
        let (between, word) = rest.split_at(rest.find(|l| !ends_text(l)).unwrap_or(rest.len()));
        let (mut word, behind) = word.split_at(word.find(ends_text).unwrap_or(word.len()));
        hidden.push_str(between);
        let mut scheme = None;
        // A word may hold several URLs, one in the query of another.
        while !word.is_empty() {
            let (part, next) = word.split_at(word.find("://").unwrap_or(word.len()));
            let login =
                scheme.map_or_else(|| login_alone(part), |scheme| login_of_url(scheme, part));
            match login.and_then(|(start, end)| Some((part.get(..start)?, part.get(end..)?))) {
                Some((before, after)) if !part.get(before.len()..)?.starts_with(HIDDEN) => {
                    found = true;
                    hidden.extend([before, HIDDEN, after]);
                }
                _ => hidden.push_str(part),
            }
            scheme = Some(part);
            word = next.strip_prefix("://").unwrap_or(next);
            hidden.push_str(next.get(..next.len().saturating_sub(word.len()))?);
        }
        rest = behind;
    }
    found.then_some(hidden)
}

/// Where the login stands in what is behind `scheme` and `://`.
fn login_of_url(scheme: &str, rest: &str) -> Option<(usize, usize)> {
    let ends = |letter| matches!(letter, '/' | '?' | '#');
    let last_at = rest.rfind('@')?;
    let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
    if let Some((user, _)) = authority.rsplit_once('@') {
        let web = scheme.ends_with("http") || scheme.ends_with("https");
        return (web || user.contains(':')).then_some((0, user.len()));
    }
    // `user:pass/word@host`: what is no port is a password.
    let (_, port) = authority.rsplit_once(':')?;
    let password = !authority.starts_with('[') && !port.bytes().all(|byte| byte.is_ascii_digit());
    password.then_some((0, last_at))
}

/// Where the login stands in `user:password@host` or `https//user:password@host`, which is no path of a file.
fn login_alone(word: &str) -> Option<(usize, usize)> {
    let last_at = word.rfind('@')?;
    let scheme = ["http", "https"].iter().find_map(|scheme| {
        let behind = word.strip_prefix(scheme)?;
        let rest = behind.trim_start_matches([':', '/']);
        (rest.len() < behind.len()).then(|| word.len().saturating_sub(rest.len()))
    });
    let start = scheme.unwrap_or(0);
    let (user, _) = word.get(start..last_at)?.split_once(':')?;
    let host = word.get(last_at..)?.strip_prefix('@')?;
    let named = host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[');
    let alone = !user.is_empty() && !user.contains(['/', '?', '#']) && user != "file";
    (named && alone).then_some((start, last_at))
}

/// What stands between a name and its value.
const SIGNS: [&str; 4] = ["=", ":", "%3D", "%3d"];

/// `name=value` and `name: value` without the values whose names say that they are secret.
fn named_values(text: &str) -> Option<String> {
    let mut hidden = String::new();
    let mut rest = text;
    let mut searched = 0;
    let mut found = false;
    while let Some((place, sign)) = next_sign(rest, searched) {
        let after_sign = place.saturating_add(sign.len());
        let (before, value) = (rest.get(..place)?, rest.get(after_sign..)?);
        match secret_value(before, sign, value) {
            Some((start, end)) => {
                found = true;
                hidden.push_str(rest.get(..after_sign.saturating_add(start))?);
                hidden.push_str(HIDDEN);
                rest = value.get(end..)?;
                searched = 0;
            }
            None => searched = after_sign,
        }
    }
    hidden.push_str(rest);
    found.then_some(hidden)
}

fn next_sign(text: &str, from: usize) -> Option<(usize, &'static str)> {
    let behind = text.get(from..)?;
    let found = behind.match_indices(['=', ':', '%']).find_map(|(place, _)| {
        let here = behind.get(place..)?;
        Some((place, *SIGNS.iter().find(|sign| here.starts_with(**sign))?))
    });
    found.map(|(place, sign)| (from.saturating_add(place), sign))
}

/// Where in `value` the secret is, if the end of `before` is the name of one.
fn secret_value(before: &str, sign: &str, value: &str) -> Option<(usize, usize)> {
    let bare = before.trim_end_matches(['"', '\'', '\\']);
    let quoted = bare.len() < before.len();
    let name = name_at_end(bare);
    if name.is_empty() || value.starts_with([':', '=']) {
        return None;
    }
    let context = bare.get(..bare.len().checked_sub(name.len())?)?.chars().next_back();
    let in_query = sign != ":" && context.is_some_and(|letter| "?&;#".contains(letter));
    let header = sign == ":" && is_header_of_login(name);
    let secret = match sign {
        ":" => {
            let compound = name.contains(['-', '_']);
            header
                || is_secret_anywhere(name) && (quoted || compound)
                // Not the file /etc/passwd.
                || context != Some('/')
                    && matches!(&*name.to_ascii_lowercase(), "password" | "passwd" | "pwd")
        }
        _ if in_query => is_secret_name(name),
        _ => is_secret_anywhere(name),
    };
    if !secret {
        return None;
    }
    // Blanks are between a header and its value, not in a query.
    let blanks =
        if sign == ":" || quoted { value.len() - value.trim_start_matches(' ').len() } else { 0 };
    let behind = value.get(blanks..)?;
    let marks = behind.len() - behind.trim_start_matches(['"', '\'', '\\']).len();
    let start = blanks.saturating_add(marks.min(2));
    let behind = value.get(start..)?;
    let ends = |letter: char| match letter {
        '"' | '\'' | '\\' | '<' => true,
        letter if letter.is_control() => true,
        _ => !header && marks == 0 && (matches!(letter, '&' | '#' | ';') || ends_text(letter)),
    };
    let end = start.saturating_add(behind.find(ends).unwrap_or(behind.len()));
    let secret = value.get(start..end)?;
    (!secret.is_empty() && !is_placeholder(secret)).then_some((start, end))
}

/// The longest name that `text` ends with.
fn name_at_end(text: &str) -> &str {
    let belongs = |letter: &char| letter.is_ascii_alphanumeric() || "-_.%[]+$".contains(*letter);
    let letters = text.chars().rev().take_while(belongs).take(LONGEST_NAME).count();
    text.get(text.len().saturating_sub(letters)..).unwrap_or_default()
}

/// Headers whose whole value lets somebody in.
fn is_header_of_login(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie"].iter().any(|header| name.ends_with(header))
}

/// Whether a value only says that there would be one.
fn is_placeholder(value: &str) -> bool {
    value.starts_with(HIDDEN) || value.starts_with('…') || value.starts_with("...")
}

/// Values after the names of schemes of HTTP, signed tokens (RFC 7519) and keys of AWS.
fn tokens(text: &str) -> Option<String> {
    let mut hidden = String::new();
    let mut rest = text;
    let mut found = false;
    let mut after_scheme = false;
    let in_token = |letter: char| letter.is_ascii_alphanumeric() || "-._~+/=%".contains(letter);
    while !rest.is_empty() {
        let length = rest.find(|letter| !in_token(letter)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        let key_of_aws = (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.len() == 20
            && word.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
        let signed = word.starts_with("eyJ") && word.len() > 40 && word.matches('.').count() == 2;
        if key_of_aws || signed || after_scheme && is_random(word) {
            found = true;
            hidden.push_str(HIDDEN);
        } else {
            hidden.push_str(word);
        }
        let scheme = ["Bearer", "Basic"].iter().any(|name| name.eq_ignore_ascii_case(word));
        let gap = behind.find(in_token).unwrap_or(behind.len());
        let (between, next) = behind.split_at(gap);
        after_scheme = scheme && matches!(between, " " | "%20");
        hidden.push_str(between);
        rest = next;
    }
    found.then_some(hidden)
}

/// Whether a word looks drawn by lot: no word of a language mixes digits or capitals like that.
fn is_random(word: &str) -> bool {
    let capital_inside = word.chars().skip(1).any(|letter| letter.is_ascii_uppercase());
    let lower = word.chars().any(|letter| letter.is_ascii_lowercase());
    word.len() >= 8
        && (word.chars().any(|letter| letter.is_ascii_digit() || letter == '=')
            || capital_inside && lower)
}

fn ends_text(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '"' | '\'' | '<' | '>' | '(' | ')' | ']' | '}' | '`' | '\\' | ',')
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
            (
                "no http://me:wo#rd@h/a, or http://me:w/o?rd@h/a",
                "no http://***@h/a, or http://***@h/a",
            ),
            ("sftp://me:word#@h/f", "sftp://***@h/f"),
            ("https://a:b@h/?u=https://c:d@h/e", "https://***@h/?u=https://***@h/e"),
            ("http:/me:word@h/f https//me:word@h/f", "http:/***@h/f https//***@h/f"),
            ("'me:wo@rd@h/f' gone", "'***@h/f' gone"),
            ("x s3://k:s@bucket/a", "x s3://***@bucket/a"),
            (
                "\"https://h/?Signature=s\" twice ?key=1 ",
                "\"https://h/?Signature=***\" twice ?key=*** ",
            ),
            ("https://h/?X%2DAmz%2dSignature=abc&x=1", "https://h/?X%2DAmz%2dSignature=***&x=1"),
            ("https://h/a#access_token=abc&state=1", "https://h/a#access_token=***&state=1"),
            ("https://h/a?hdnts=exp=1~acl=/*~hmac=ab&x=1", "https://h/a?hdnts=***&x=1"),
            ("to https%3A%2F%2Fh%2F%3Fsig%3Dabc%2F1 end", "to https%3A%2F%2Fh%2F%3Fsig%3D*** end"),
            ("secret=abc, x-api-key: abc.d, y", "secret=***, x-api-key: ***, y"),
            ("AccountKey=ab==;EndpointSuffix=x", "AccountKey=***;EndpointSuffix=x"),
            ("Authorization: Basic bWU6 and more\nnext", "Authorization: ***\nnext"),
            ("{'Cookie': 'a=1; b=2', 'x': 1}", "{'Cookie': '***', 'x': 1}"),
            ("{\"password\": \"a b\", \"n\": 1}", "{\"password\": \"***\", \"n\": 1}"),
            ("{\\\"id_token\\\":\\\"a b\\\",1}", "{\\\"id_token\\\":\\\"***\\\",1}"),
            ("sent Bearer abc1def2 to", "sent Bearer *** to"),
            ("key AKIAIOSFODNN7EXAMPLE is", "key *** is"),
            ("password: hunter2", "password: ***"),
        ] {
            assert_eq!(redact(text), redacted);
            assert_eq!(redact(redacted), redacted, "once is enough");
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
            "/etc/passwd: the set names this",
            "/data/12:00@b.nc, data/12:00@b.nc, file:/data/12:00@b.nc",
            "https://h:8080/a@b",
            "https://[::1]:8080/a@b, https://[::1]/a@b",
            "give --storage-option token=…, or username and password",
            "bad signature: expected \"HDF\", found \"CDF\"",
            "unknown token: a",
            "key=data, policy=x, crate::auth::token::x",
            "token == 5, token=",
            "basic understanding, Basic block, bearer of news",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn secret_parameters_are_named() {
        assert_eq!(
            secret_parameters("https://h/a?x=1&X-Goog-Signature=s&SIG=2#token=3"),
            ["X-Goog-Signature", "SIG", "token"]
        );
        assert!(secret_parameters("https://h/a?x=1").is_empty());
        assert!(secret_parameters("https://h/a").is_empty());
        assert!(secret_parameters("file:///a=b;sig=c").is_empty());
    }

    #[test]
    fn secrets_of_a_url_are_known_without_it() {
        keep_secrets_of("https://mickey:minnie%40home@h/a?sig=donald-duck%2F1&x=scrooge-mcduck");
        assert_eq!(
            redact("minnie@home, minnie%40home, donald-duck/1, scrooge-mcduck"),
            "***, ***, ***, scrooge-mcduck"
        );
    }

    #[test]
    fn documents_are_redacted_text_by_text() {
        let mut document = serde_json::json!({
            "url": "https://h/?sig=a",
            "password": "x",
            "token": 5,
            "key": "stays",
            "list": ["https://me:pw@h/", {"api_key": "y"}],
        });
        redact_document(&mut document);
        let expected = serde_json::json!({
            "url": "https://h/?sig=***",
            "password": "***",
            "token": 5,
            "key": "stays",
            "list": ["https://***@h/", {"api_key": "***"}],
        });
        assert_eq!(document, expected);
    }
}
