// SPDX-License-Identifier: MIT OR Apache-2.0
//! Minified JSON text, appended to a string.

use std::fmt::Write as _;

use crate::AttributeValue;

/// Appends a string literal; characters outside ASCII stay as they are.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Appends the inside of a string literal.
pub fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(place) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)) {
        let (plain, special) = rest.split_at(place);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// Appends an integer.
pub fn push_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends the shortest text that reads back as the same number and as a floating-point one; bare tokens for NaN and
/// the infinities.
pub fn push_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        let _ = write!(out, "{value:?}");
    }
}

/// Appends any value.
pub fn push_value(out: &mut String, value: &AttributeValue) {
    match value {
        AttributeValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        AttributeValue::Int(value) => push_integer(out, *value),
        AttributeValue::UInt(value) => push_integer(out, *value),
        AttributeValue::Float(value) => push_float(out, *value),
        AttributeValue::Text(text) => push_string(out, text),
        AttributeValue::List(items) => push_list(out, items, push_value),
        AttributeValue::Struct(members) => {
            push_object(
                out,
                members.iter().map(|(name, value)| (name.as_str(), value)),
                push_value,
            );
        }
        AttributeValue::Null => out.push_str("null"),
    }
}

/// Appends a list, each item by `push`.
pub fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

/// Appends an object, each value by `push`.
pub fn push_object<'a, T>(
    out: &mut String,
    members: impl IntoIterator<Item = (&'a str, T)>,
    push: impl Fn(&mut String, T),
) {
    out.push('{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_string(out, name);
        out.push(':');
        push(out, value);
    }
    out.push('}');
}

/// The text of a value, for messages: at most about 80 characters of it.
#[must_use]
pub fn excerpt(value: &AttributeValue) -> String {
    let mut text = String::new();
    push_value(&mut text, value);
    match text.char_indices().nth(80) {
        Some((place, _)) => {
            text.truncate(place);
            text + "…"
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: &AttributeValue) -> String {
        let mut out = String::new();
        push_value(&mut out, value);
        out
    }

    #[test]
    fn floats_are_shortest_and_never_look_like_integers() {
        for (value, expected) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e300, "1e300"),
            (f64::from(1e20_f32), "1.0000000200408773e20"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(text_of(&AttributeValue::Float(value)), expected);
        }
    }

    #[test]
    fn strings_escape_what_json_needs_and_nothing_else() {
        assert_eq!(
            text_of(&AttributeValue::from("a\"b\\c/\n\u{1}é°\u{7f}")),
            "\"a\\\"b\\\\c/\\n\\u0001é°\u{7f}\""
        );
    }

    #[test]
    fn values_nest() {
        let value = AttributeValue::Struct(vec![
            (
                "a".to_owned(),
                AttributeValue::List(vec![
                    AttributeValue::Int(i64::MIN),
                    AttributeValue::UInt(u64::MAX),
                ]),
            ),
            ("b".to_owned(), AttributeValue::List(vec![])),
            ("c".to_owned(), AttributeValue::Null),
            ("d".to_owned(), AttributeValue::Bool(true)),
        ]);
        assert_eq!(
            text_of(&value),
            r#"{"a":[-9223372036854775808,18446744073709551615],"b":[],"c":null,"d":true}"#
        );
    }

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt(&AttributeValue::from("é".repeat(200))).chars().count(), 81);
        assert_eq!(excerpt(&AttributeValue::Int(5)), "5");
    }
}
