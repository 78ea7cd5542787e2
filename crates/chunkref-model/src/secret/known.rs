// SPDX-License-Identifier: MIT OR Apache-2.0
//! The secrets that this process was given, kept to be blanked wherever they appear.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::HIDDEN;
use super::names::decoded;

/// Fewer letters cannot be told from words of messages.
const SHORTEST: usize = 4;
/// From this length on a secret is hidden inside longer words, too.
const SHORTEST_ANYWHERE: usize = 8;
/// The longest value that is looked for; of longer ones, this much of their beginning.
const LONGEST: usize = 16 << 10;
/// Values that are kept. Servers and reference sets bring ever new ones, so the oldest make room.
const MOST: usize = 4096;

/// What options with secret names may say that is no secret.
const NO_SECRETS: &[&str] = &[
    "anon",
    "anonymous",
    "auto",
    "basic",
    "bearer",
    "browser",
    "cache",
    "cloud",
    "default",
    "false",
    "google_default",
    "none",
    "null",
    "true",
];

static KNOWN: RwLock<Known> = RwLock::new(Known { values: Vec::new(), next: 0 });

#[derive(Debug)]
struct Known {
    /// The longest first, each with its number in the order in which they came.
    values: Vec<(String, u64)>,
    next: u64,
}

impl Known {
    fn add(&mut self, value: String) {
        let place = self.values.partition_point(|(known, _)| known.len() > value.len());
        let same_length = self.values.iter().skip(place);
        if same_length.take_while(|(known, _)| known.len() == value.len()).any(|(k, _)| *k == value)
        {
            return;
        }
        self.values.insert(place, (value, self.next));
        self.next = self.next.saturating_add(1);
        if self.values.len() > MOST {
            let oldest = self.values.iter().map(|(_, number)| *number).min();
            self.values.retain(|(_, number)| Some(*number) != oldest);
        }
    }
}

/// Keeps a secret value, so that `redact` hides it wherever it appears: as it is, percent-encoded or decoded, and in quotes
/// of JSON. Values of fewer than four letters, and words such as `true`, are not kept.
pub fn keep_secret(value: &str) {
    let value = value.trim();
    if value.len() < SHORTEST || NO_SECRETS.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return;
    }
    let mut end = value.len().min(LONGEST);
    while !value.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let value = value.get(..end).unwrap_or(value);
    let is_known = {
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        known.values.iter().any(|(known, _)| known == value)
    };
    if is_known {
        return;
    }
    let mut forms = vec![value.to_owned(), decoded(value).into_owned()];
    forms.extend([encoded(value, "0123456789ABCDEF"), encoded(value, "0123456789abcdef")]);
    forms.extend(serde_json::to_string(value).ok().map(|text| text.trim_matches('"').to_owned()));
    forms.push(value.escape_debug().to_string());
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms.into_iter().filter(|form| form.len() >= SHORTEST) {
        known.add(form);
    }
}

/// Keeps the password of a login, and the login as HTTP sends it (RFC 7617).
pub fn keep_login(user: &str, password: &str) {
    keep_secret(password);
    if !password.is_empty() {
        let login = format!("{user}:{password}");
        for alphabet in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            keep_secret(&alphabet.encode(&login));
        }
    }
}

/// `text` with every byte percent-encoded that may not stand in a query.
fn encoded(text: &str, digits: &str) -> String {
    let digit =
        |value: u8| char::from(digits.as_bytes().get(usize::from(value)).copied().unwrap_or(b'0'));
    text.bytes().fold(String::new(), |mut coded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            coded.push(char::from(byte));
        } else {
            let _ = write!(coded, "%{}{}", digit(byte >> 4), digit(byte & 15));
        }
        coded
    })
}

/// `text` without any of the values that are kept.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for (value, _) in &known.values {
        if text.contains(value.as_str())
            && let Some(hidden) = without(&text, value)
        {
            text = Cow::Owned(hidden);
        }
    }
    text
}

fn without(text: &str, value: &str) -> Option<String> {
    let mut hidden = String::new();
    let mut rest = text;
    let mut last = None;
    let mut found = false;
    while let Some(place) = rest.find(value) {
        let (before, here) = rest.split_at(place);
        let behind = here.get(value.len()..).unwrap_or_default();
        let before_letter = before.chars().next_back().or(last);
        let in_a_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        hidden.push_str(before);
        if value.len() < SHORTEST_ANYWHERE
            && (in_a_word(before_letter) || in_a_word(behind.chars().next()))
        {
            hidden.push_str(value);
            last = value.chars().next_back();
        } else {
            hidden.push_str(HIDDEN);
            last = Some('*');
            found = true;
        }
        rest = behind;
    }
    hidden.push_str(rest);
    found.then_some(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_value_is_hidden_in_every_form() {
        keep_secret("kept \"value\"/one+two==");
        for text in [
            "kept \"value\"/one+two==",
            "kept%20%22value%22%2Fone%2Btwo%3D%3D",
            "kept%20%22value%22%2fone%2btwo%3d%3d",
            "kept \\\"value\\\"/one+two==",
        ] {
            assert_eq!(hide(&format!("say <{text}>, twice {text}")), "say <***>, twice ***");
        }
        keep_login("me-and-you", "w0rd-for-it");
        let sent = STANDARD.encode("me-and-you:w0rd-for-it");
        assert_eq!(
            hide(&format!("Basic {sent}; me-and-you, w0rd-for-it")),
            "Basic ***; me-and-you, ***"
        );
    }

    #[test]
    fn short_values_are_hidden_as_words_alone_and_none_below_four() {
        keep_secret("qzx7");
        assert_eq!(hide("qzx7 (qzx7) aqzx7 qzx71"), "*** (***) aqzx7 qzx71");
        keep_secret("qz9");
        keep_secret("True");
        assert_eq!(hide("qz9 True"), "qz9 True");
    }

    #[test]
    fn the_oldest_make_room() {
        let mut known = Known { values: Vec::new(), next: 0 };
        for number in 0..=MOST {
            known.add(format!("value {number:05}"));
            known.add(format!("value {number:05}"));
        }
        assert_eq!(known.values.len(), MOST);
        assert!(known.values.iter().all(|(value, _)| value != "value 00000"));
    }
}
