// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pull reader over JSON text that streams by: nothing is kept but the string in hand.

use std::io::{BufRead, ErrorKind};

use crate::AttributeValue;

use super::JsonError;

/// Lists and objects in one another that are read; Python's own reader stops near 1000.
const MAX_DEPTH: u32 = 128;

/// Longest number or word.
const MAX_TOKEN_BYTES: usize = 4096;

/// Strings of so many bytes are not copied.
const SWAPPED_BYTES: usize = 4096;

/// Bounds on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the document.
    pub set_bytes: u64,
    /// Bytes of one string that is kept.
    pub string_bytes: u64,
    /// Values that are kept, in lists and objects too.
    pub metadata_values: u64,
}

impl Default for Bounds {
    /// Those of a document of references.
    fn default() -> Self {
        Self { set_bytes: 4 << 30, string_bytes: 256 << 20, metadata_values: 4_000_000 }
    }
}

impl Bounds {
    /// For a document that is in memory anyway.
    pub const NONE: Self =
        Self { set_bytes: u64::MAX, string_bytes: u64::MAX, metadata_values: u64::MAX };
}

/// Reads one document from `input`, piece by piece.
#[derive(Debug)]
pub struct JsonReader<R> {
    input: R,
    offset: u64,
    depth: u32,
    scratch: Vec<u8>,
    bounds: Bounds,
    values: u64,
}

/// Parses a whole document.
///
/// # Errors
/// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
pub fn parse(text: &str) -> Result<AttributeValue, JsonError> {
    let mut reader = JsonReader::new(text.as_bytes(), Bounds::NONE);
    let value = reader.value()?;
    reader.finish()?;
    Ok(value)
}

impl<R: BufRead> JsonReader<R> {
    /// Starts at the first byte of `input`.
    pub fn new(input: R, bounds: Bounds) -> Self {
        Self { input, offset: 0, depth: 0, scratch: Vec::new(), bounds, values: 0 }
    }

    /// Reads a document that stands in a string of this one; its values count as values of this one.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn parse_inner(&mut self, text: &str) -> Result<AttributeValue, JsonError> {
        let mut inner = JsonReader::new(text.as_bytes(), self.bounds.clone());
        inner.values = self.values;
        let value = inner.value()?;
        inner.finish()?;
        self.values = inner.values;
        Ok(value)
    }

    /// The next byte that is not white space, which stays in the input.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn peek(&mut self, expected: &'static str) -> Result<u8, JsonError> {
        loop {
            let rest = fill(&mut self.input, self.offset)?;
            let blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
            let end = rest.iter().position(|byte| !blank(byte));
            let (found, length) = (end.and_then(|end| rest.get(end).copied()), rest.len());
            if length == 0 {
                return Err(JsonError::Truncated { offset: self.offset, expected });
            }
            self.advance(end.unwrap_or(length));
            self.check_length()?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn finish(&mut self) -> Result<(), JsonError> {
        match self.peek("the end") {
            Err(JsonError::Truncated { .. }) => Ok(()),
            Err(error) => Err(error),
            Ok(found) => Err(self.unexpected(found, "the end")),
        }
    }

    /// Enters an object; its members follow with [`JsonReader::next_key`].
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn begin_object(&mut self) -> Result<(), JsonError> {
        self.begin(b'{', "an object")
    }

    /// Enters a list; its items follow with [`JsonReader::next_item`].
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn begin_list(&mut self) -> Result<(), JsonError> {
        self.begin(b'[', "a list")
    }

    /// Puts the next member's name into `key` and goes to its value; `false` at the end of the object.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn next_key(&mut self, first: &mut bool, key: &mut String) -> Result<bool, JsonError> {
        if !self.next(first, b'}', "a member or the end of an object")? {
            return Ok(false);
        }
        self.string_into(key)?;
        self.expect(b':', "a colon")?;
        Ok(true)
    }

    /// Goes to the next item; `false` at the end of the list.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn next_item(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next(first, b']', "an item or the end of a list")
    }

    /// Reads a string into `text`, replacing what is there.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn string_into(&mut self, text: &mut String) -> Result<(), JsonError> {
        self.string_bytes(true)?;
        if self.scratch.len() < SWAPPED_BYTES {
            let decoded = std::str::from_utf8(&self.scratch)
                .map_err(|_| JsonError::NotUnicode { offset: self.offset })?;
            text.clear();
            text.push_str(decoded);
            return Ok(());
        }
        // A long string is not copied, and not kept in two places.
        let decoded = String::from_utf8(std::mem::take(&mut self.scratch))
            .map_err(|_| JsonError::NotUnicode { offset: self.offset })?;
        *text = decoded;
        Ok(())
    }

    /// Passes over a value of any kind, of which nothing is kept.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn skip(&mut self) -> Result<(), JsonError> {
        match self.peek("a value")? {
            b'"' => self.string_bytes(false),
            b'{' => {
                self.begin_object()?;
                let mut first = true;
                while self.next(&mut first, b'}', "a member or the end of an object")? {
                    self.string_bytes(false)?;
                    self.expect(b':', "a colon")?;
                    self.skip()?;
                }
                Ok(())
            }
            b'[' => {
                self.begin_list()?;
                let mut first = true;
                while self.next_item(&mut first)? {
                    self.skip()?;
                }
                Ok(())
            }
            _ => self.token().map(drop),
        }
    }

    /// Reads a value of any kind.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn value(&mut self) -> Result<AttributeValue, JsonError> {
        if self.values >= self.bounds.metadata_values {
            return Err(self.exceeded("metadata_values", self.bounds.metadata_values));
        }
        self.values = self.values.saturating_add(1);
        match self.peek("a value")? {
            b'"' => {
                let mut text = String::new();
                self.string_into(&mut text)?;
                Ok(AttributeValue::Text(text))
            }
            b'{' => {
                self.begin_object()?;
                let (mut members, mut first, mut key) = (Vec::new(), true, String::new());
                while self.next_key(&mut first, &mut key)? {
                    let value = self.value()?;
                    members.push((std::mem::take(&mut key), value));
                }
                Ok(AttributeValue::Struct(members))
            }
            b'[' => {
                self.begin_list()?;
                let (mut items, mut first) = (Vec::new(), true);
                while self.next_item(&mut first)? {
                    items.push(self.value()?);
                }
                Ok(AttributeValue::List(items))
            }
            _ => self.token(),
        }
    }

    /// Reads a value that is a number, of which a document may have more than it may have values of metadata.
    ///
    /// # Errors
    /// [`JsonError`] where the text is not JSON, is cut off, or is more than the bounds allow.
    pub fn number(&mut self) -> Result<AttributeValue, JsonError> {
        match self.peek("a number")? {
            b'"' | b'{' | b'[' => self.value(),
            _ => self.token(),
        }
    }

    /// A number or a word.
    fn token(&mut self) -> Result<AttributeValue, JsonError> {
        self.scratch.clear();
        while let Some(byte) = self.byte()?
            && (byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            && self.scratch.len() < MAX_TOKEN_BYTES
        {
            self.scratch.push(byte);
            self.advance(1);
        }
        let token = std::str::from_utf8(&self.scratch).unwrap_or_default();
        let value = match token {
            "true" => Some(AttributeValue::Bool(true)),
            "false" => Some(AttributeValue::Bool(false)),
            "null" => Some(AttributeValue::Null),
            "NaN" => Some(AttributeValue::Float(f64::NAN)),
            "Infinity" => Some(AttributeValue::Float(f64::INFINITY)),
            "-Infinity" => Some(AttributeValue::Float(f64::NEG_INFINITY)),
            number => number_of(number),
        };
        match value {
            Some(value) => Ok(value),
            None if token.is_empty() => {
                let found = self.byte()?.unwrap_or_default();
                Err(self.unexpected(found, "a value"))
            }
            None => Err(JsonError::BadToken {
                offset: self.offset,
                token: token.chars().take(40).collect(),
            }),
        }
    }

    fn begin(&mut self, bracket: u8, expected: &'static str) -> Result<(), JsonError> {
        self.expect(bracket, expected)?;
        if self.depth >= MAX_DEPTH {
            return Err(JsonError::TooDeep { offset: self.offset, limit: MAX_DEPTH });
        }
        self.depth += 1;
        Ok(())
    }

    fn next(
        &mut self,
        first: &mut bool,
        end: u8,
        expected: &'static str,
    ) -> Result<bool, JsonError> {
        let byte = self.peek(expected)?;
        if byte == end {
            self.advance(1);
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        if !*first {
            self.expect(b',', "a comma")?;
        }
        *first = false;
        Ok(true)
    }

    fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), JsonError> {
        let found = self.peek(expected)?;
        if found != wanted {
            return Err(self.unexpected(found, expected));
        }
        self.advance(1);
        Ok(())
    }

    fn unexpected(&self, found: u8, expected: &'static str) -> JsonError {
        JsonError::Unexpected { offset: self.offset, expected, found: char::from(found) }
    }

    fn exceeded(&self, name: &'static str, limit: u64) -> JsonError {
        JsonError::LimitExceeded { offset: self.offset, name, limit }
    }

    fn check_length(&self) -> Result<(), JsonError> {
        if self.offset > self.bounds.set_bytes {
            return Err(self.exceeded("set_bytes", self.bounds.set_bytes));
        }
        Ok(())
    }

    /// Reads a string's bytes into the scratch buffer, escapes undone; where they are not wanted, the buffer is of no use.
    fn string_bytes(&mut self, wanted: bool) -> Result<(), JsonError> {
        self.expect(b'"', "a string")?;
        self.scratch.clear();
        loop {
            let rest = fill(&mut self.input, self.offset)?;
            let plain = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let (run, stop) = rest.split_at(plain.unwrap_or(rest.len()));
            if wanted {
                self.scratch.extend_from_slice(run);
            }
            let (length, stop) = (run.len(), stop.first().copied());
            if length == 0 && stop.is_none() {
                return Err(JsonError::Truncated {
                    offset: self.offset,
                    expected: "the end of a string",
                });
            }
            self.advance(length);
            self.check_length()?;
            if self.scratch.len() as u64 > self.bounds.string_bytes {
                return Err(self.exceeded("string_bytes", self.bounds.string_bytes));
            }
            match stop {
                None => {}
                Some(b'"') => {
                    self.advance(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    self.advance(1);
                    self.escape()?;
                    if !wanted {
                        self.scratch.clear();
                    }
                }
                Some(control) => return Err(self.unexpected(control, "a character of a string")),
            }
        }
    }

    /// Undoes one escape, after its backslash.
    fn escape(&mut self) -> Result<(), JsonError> {
        let kind = self.string_byte()?;
        let character = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => self.unicode_escape()?,
            other => return Err(self.unexpected(other, "an escape")),
        };
        self.scratch.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// `XXXX`, or `XXXX\uXXXX` for a pair of surrogates.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let mut code = self.four_hex_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            if (self.string_byte()?, self.string_byte()?) != (b'\\', b'u') {
                return Err(JsonError::NotUnicode { offset: self.offset });
            }
            let low = self.four_hex_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(JsonError::NotUnicode { offset: self.offset });
            }
            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        char::from_u32(code).ok_or(JsonError::NotUnicode { offset: self.offset })
    }

    fn four_hex_digits(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.string_byte()?;
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or_else(|| self.unexpected(byte, "a hexadecimal digit"))?;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    fn string_byte(&mut self) -> Result<u8, JsonError> {
        let expected = "the end of a string";
        let byte = self.byte()?.ok_or(JsonError::Truncated { offset: self.offset, expected })?;
        self.advance(1);
        Ok(byte)
    }

    fn byte(&mut self) -> Result<Option<u8>, JsonError> {
        Ok(fill(&mut self.input, self.offset)?.first().copied())
    }

    fn advance(&mut self, length: usize) {
        self.input.consume(length);
        self.offset = self.offset.saturating_add(length as u64);
    }
}

/// The bytes that are at hand, at least one unless the input ends.
fn fill<R: BufRead>(input: &mut R, offset: u64) -> Result<&[u8], JsonError> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(JsonError::Io { offset, source }),
        }
    }
    input.fill_buf().map_err(|source| JsonError::Io { offset, source })
}

/// A number by JSON's grammar; integers beyond 64 bits become floating-point numbers.
fn number_of(token: &str) -> Option<AttributeValue> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let magnitude = whole.strip_prefix('-').unwrap_or(whole);
    let well_formed = digits(magnitude)
        && (magnitude == "0" || !magnitude.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    if !well_formed {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        if let Ok(value) = token.parse() {
            return Some(AttributeValue::Int(value));
        }
        if let Ok(value) = token.parse() {
            return Some(AttributeValue::UInt(value));
        }
    }
    let number: f64 = token.parse().ok()?;
    // A whole number is never infinite; Python makes infinity of an exponent that is too large.
    (number.is_finite() || exponent.is_some()).then_some(AttributeValue::Float(number))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn values_of_every_kind() {
        let text = " {\"a\" : [1, -2, 18446744073709551615, 1.0, 1e3, NaN, -Infinity, Infinity],\n\"b\":{\"c\":null},\
            \"d\":[],\"e\":{},\"f\":\"\\u00e9\\ud83d\\ude00\\n\\/\u{fc}\",\"g\":true,\"h\":100000000000000000000} ";
        let float = AttributeValue::Float;
        let expected = AttributeValue::Struct(vec![
            (
                "a".to_owned(),
                AttributeValue::List(vec![
                    AttributeValue::Int(1),
                    AttributeValue::Int(-2),
                    AttributeValue::UInt(u64::MAX),
                    float(1.0),
                    float(1000.0),
                    float(f64::NAN),
                    float(f64::NEG_INFINITY),
                    float(f64::INFINITY),
                ]),
            ),
            ("b".to_owned(), AttributeValue::Struct(vec![("c".to_owned(), AttributeValue::Null)])),
            ("d".to_owned(), AttributeValue::List(vec![])),
            ("e".to_owned(), AttributeValue::Struct(vec![])),
            ("f".to_owned(), AttributeValue::from("é😀\n/ü")),
            ("g".to_owned(), AttributeValue::Bool(true)),
            ("h".to_owned(), float(1e20)),
        ]);
        assert_eq!(parse(text).unwrap(), expected);
        // The same through a buffer of one byte, where every piece is cut.
        let one_byte = || BufReader::with_capacity(1, text.as_bytes());
        let mut reader = JsonReader::new(one_byte(), Bounds::NONE);
        assert_eq!(reader.value().unwrap(), expected);
        reader.finish().unwrap();
        // What is passed over ends where what is read does.
        let mut reader = JsonReader::new(one_byte(), Bounds::NONE);
        reader.skip().unwrap();
        reader.finish().unwrap();
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for text in [
            "",
            "{",
            "[1",
            "[1,",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "\"a",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "nan",
            "nul",
            "1 1",
            "{}}",
            "]",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(JsonReader::new(&b"\"\xff\""[..], Bounds::NONE).value().is_err());
        for text in ["", "{", "[1,", "[1,]", "{\"a\"}", "{a:1}", "\"a", "01", "nul", "[1 2]"] {
            let mut reader = JsonReader::new(text.as_bytes(), Bounds::NONE);
            assert!(reader.skip().and_then(|()| reader.finish()).is_err(), "{text:?}");
        }
        assert!(parse(&"9".repeat(400)).is_err());
        assert!(parse(&"9".repeat(1_000_000)).is_err());
        assert_eq!(parse("1e400").unwrap(), AttributeValue::Float(f64::INFINITY));
    }

    #[test]
    fn long_strings_are_read_whole_and_passed_over() {
        let long = "\\\"é".repeat(20_000);
        let text = format!("[\"{long}\",\"{long}\",\"short\"]");
        let read = parse(&text).unwrap();
        let one = AttributeValue::from("\"é".repeat(20_000));
        let expected = vec![one.clone(), one, AttributeValue::from("short")];
        assert_eq!(read, AttributeValue::List(expected));
        let mut reader =
            JsonReader::new(text.as_bytes(), Bounds { string_bytes: 10, ..Bounds::NONE });
        reader.skip().unwrap();
        assert!(reader.scratch.capacity() < 100);
    }

    #[test]
    fn bounds_are_kept() {
        let read = |text: &str, bounds: Bounds| {
            let mut reader = JsonReader::new(BufReader::with_capacity(7, text.as_bytes()), bounds);
            reader.value().and_then(|_| reader.finish())
        };
        let limited = |result: Result<(), JsonError>| match result {
            Err(JsonError::LimitExceeded { name, .. }) => name,
            _ => "",
        };
        let bounds = Bounds { set_bytes: 100, string_bytes: 20, metadata_values: 5 };
        assert_eq!(limited(read("[1,2,3,\"abc\"]", bounds.clone())), "");
        assert_eq!(limited(read("[1,2,3,4,5]", bounds.clone())), "metadata_values");
        assert_eq!(limited(read("\"01234567890123456789x\"", bounds.clone())), "string_bytes");
        assert_eq!(limited(read(&" ".repeat(200), bounds.clone())), "set_bytes");
        assert_eq!(limited(read(&format!("1{}", " ".repeat(200)), bounds)), "set_bytes");
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(128)).is_ok());
        assert!(matches!(parse(&nested(129)), Err(JsonError::TooDeep { .. })));
        assert!(matches!(parse(&"[".repeat(1_000_000)), Err(JsonError::TooDeep { .. })));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(
            parse("{\"a\": 1; }").unwrap_err().to_string(),
            "byte 7 of the JSON document: expected a comma, found ';'"
        );
    }
}
