// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text that shows what it holds: names come from files, and a terminal would obey what is in them.

use std::borrow::Cow;

/// Whether a letter shows as itself: no control character (C0 and C1), nothing that turns the direction of the text around
/// it, nothing that has no width, no end of a line but by `\n`.
#[must_use]
pub fn is_printable(letter: char) -> bool {
    !letter.is_control()
        && !matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// `text` with every letter written out that is not printable, ends of lines too: `\n`, `\u{1b}`, `\u{202e}`.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    written_out(text, |_| false)
}

/// The same for text of several lines, whose ends stay.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |letter| letter == '\n')
}

fn written_out(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let shows = |letter: char| is_printable(letter) || stays(letter);
    if text.chars().all(shows) {
        return Cow::Borrowed(text);
    }
    let letters = text.chars().flat_map(|letter| {
        let escaped = (!shows(letter)).then(|| letter.escape_default());
        escaped.into_iter().flatten().chain(shows(letter).then_some(letter))
    });
    Cow::Owned(letters.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(printable("a\x1b[31mb\né"), "a\\u{1b}[31mb\\né");
        assert_eq!(printable_lines("a\r\nb\t\u{85}"), "a\\r\nb\\t\\u{85}");
        let mut marks = vec!['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
        marks.extend(['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200b}', '\u{200d}']);
        marks.extend(['\u{e0041}', '\u{9b}', '\u{7f}', '\0']);
        for letter in marks {
            let text = printable(&format!("a{letter}b")).into_owned();
            assert!(text.is_ascii() && text.len() > 3 && !text.contains(letter), "{text}");
        }
        for text in ["", "plain", "Größe 北京 🌍 ñ", "\u{1f3f3}\u{fe0f}"] {
            assert!(matches!(printable(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
