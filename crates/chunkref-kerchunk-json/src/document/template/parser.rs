// SPDX-License-Identifier: MIT OR Apache-2.0
//! The grammar of templates.
//!
//! ```text
//! template   = { text | "{{" sum "}}" }
//! sum        = product { ("+" | "-") product }
//! product    = unary { ("*" | "//" | "%") unary }
//! unary      = { "-" | "+" } primary
//! primary    = number | text in quotes | name [ "(" [ name "=" sum { "," name "=" sum } ] ")" ] | "(" sum ")"
//! ```

use std::collections::HashMap;
use std::rc::Rc;

use super::expression::{Body, Expression, Operator, Part};
use super::{Known, MAX_ARGUMENTS, MAX_DEPTH, MAX_TEMPLATE_BYTES, TemplateError};

type Result<T> = std::result::Result<T, TemplateError>;

/// Words that are not names in Jinja.
const WORDS: [&str; 13] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None",
];

/// What names mean.
pub(super) enum Names<'a> {
    /// In a template that is called they are its parameters, found as it is read.
    Parameters(Vec<String>),
    /// Elsewhere those of templates and of variables.
    Known { templates: &'a HashMap<String, Known>, variables: &'a [&'a str] },
}

/// A template that is called.
pub(super) fn body(text: &str) -> Result<Body> {
    let mut names = Names::Parameters(Vec::new());
    let parts = parts(text, &mut names)?;
    let Names::Parameters(parameters) = names else {
        return Ok(Body { parts, parameters: Vec::new() });
    };
    Ok(Body { parts, parameters })
}

/// A text with expressions.
pub(super) fn parts(text: &str, names: &mut Names<'_>) -> Result<Vec<Part>> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(TemplateError::TooLong { limit: MAX_TEMPLATE_BYTES });
    }
    let mut parser = Parser { text, offset: 0, depth: 0, names };
    let mut parts = Vec::new();
    loop {
        let rest = parser.rest();
        let end = rest.find("{{").unwrap_or(rest.len());
        let literal = rest.get(..end).unwrap_or_default();
        parser.check_literal(literal)?;
        if !literal.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        parser.offset += end;
        if parser.rest().is_empty() {
            return Ok(parts);
        }
        parser.offset += 2;
        if parser.rest().starts_with(['-', '+']) {
            return Err(parser.unsupported("control of white space is"));
        }
        let expression = parser.sum()?;
        parser.skip_space();
        if parser.rest().starts_with("-}}") || parser.rest().starts_with("+}}") {
            return Err(parser.unsupported("control of white space is"));
        }
        if !parser.takes("}}") {
            return Err(parser.strange("an operator or }}"));
        }
        parts.push(Part::Expression(expression));
    }
}

struct Parser<'a, 'n, 'k> {
    text: &'a str,
    offset: usize,
    depth: u32,
    names: &'n mut Names<'k>,
}

impl<'a> Parser<'a, '_, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.offset += rest.len() - rest.trim_start().len();
    }

    fn takes(&mut self, token: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(token);
        if found {
            self.offset += token.len();
        }
        found
    }

    fn unsupported(&self, what: &'static str) -> TemplateError {
        TemplateError::Unsupported { offset: self.offset, what }
    }

    /// Text outside expressions, in which Jinja gives some signs a meaning.
    fn check_literal(&self, literal: &str) -> Result<()> {
        let signs = [
            ("{%", "a statement is"),
            ("{#", "a comment is"),
            ("\n", "a line break is"),
            ("\r", "a line break is"),
        ];
        for (sign, what) in signs {
            if let Some(place) = literal.find(sign) {
                return Err(TemplateError::Unsupported { offset: self.offset + place, what });
            }
        }
        Ok(())
    }

    /// What is wrong where the grammar ends: something of Jinja, or nothing at all.
    fn strange(&self, expected: &'static str) -> TemplateError {
        let rest = self.rest();
        let what = match rest.chars().next() {
            Some('|') => "a filter is",
            Some('.') => "an attribute or a number with a point is",
            Some('[') => "a list or an index is",
            Some('{') => "a dictionary is",
            Some('~') => "joining with ~ is",
            Some('(') => "a call of what is no template is",
            Some('=' | '!' | '<' | '>') => "a comparison is",
            Some(',') => "a tuple is",
            Some('*') if rest.starts_with("**") => "a power is",
            Some('/') => "division with / is (// is division of whole numbers)",
            Some(letter) if letter.is_alphabetic() => "a word here is",
            _ => return TemplateError::Syntax { offset: self.offset, expected },
        };
        self.unsupported(what)
    }

    fn sum(&mut self) -> Result<Expression> {
        let first = self.product()?;
        let mut rest = Vec::new();
        loop {
            self.skip_space();
            let operator = match self.rest().as_bytes() {
                [b'-' | b'+', b'}', b'}', ..] => break,
                [b'+', ..] => Operator::Plus,
                [b'-', ..] => Operator::Minus,
                _ => break,
            };
            self.offset += 1;
            rest.push((operator, self.product()?));
        }
        Ok(chain(first, rest))
    }

    fn product(&mut self) -> Result<Expression> {
        let first = self.unary()?;
        let mut rest = Vec::new();
        loop {
            self.skip_space();
            let (operator, length) = match self.rest().as_bytes() {
                [b'*', b'*', ..] => break,
                [b'*', ..] => (Operator::Times, 1),
                [b'/', b'/', ..] => (Operator::Quotient, 2),
                [b'%', ..] => (Operator::Remainder, 1),
                _ => break,
            };
            self.offset += length;
            rest.push((operator, self.unary()?));
        }
        Ok(chain(first, rest))
    }

    fn unary(&mut self) -> Result<Expression> {
        self.skip_space();
        let negative = match self.rest().as_bytes().first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => return self.primary(),
        };
        self.offset += 1;
        let inner = self.nested(Self::unary)?;
        // A plus is arithmetic too, so that it is refused where arithmetic is.
        Ok(if negative {
            Expression::Negative(Box::new(inner))
        } else {
            chain(Expression::Integer(0), vec![(Operator::Plus, inner)])
        })
    }

    /// Goes one level down.
    fn nested(&mut self, inner: fn(&mut Self) -> Result<Expression>) -> Result<Expression> {
        if self.depth >= MAX_DEPTH {
            return Err(TemplateError::TooDeep { offset: self.offset, limit: MAX_DEPTH });
        }
        self.depth += 1;
        let expression = inner(self);
        self.depth -= 1;
        expression
    }

    fn primary(&mut self) -> Result<Expression> {
        self.skip_space();
        match self.rest().chars().next() {
            Some('(') => {
                self.offset += 1;
                let inner = self.nested(Self::sum)?;
                if !self.takes(")") {
                    return Err(self.strange("an operator or )"));
                }
                Ok(inner)
            }
            Some(quote @ ('\'' | '"')) => self.text(quote).map(Expression::Text),
            Some(digit) if digit.is_ascii_digit() => self.integer(),
            Some(letter) if is_letter(letter) => self.name_or_call(),
            _ => Err(self.strange("a name, a number, text in quotes or a parenthesis")),
        }
    }

    /// Text in quotes, in which a backslash takes the meaning of a quote or a backslash.
    fn text(&mut self, quote: char) -> Result<Rc<str>> {
        let (start, mut text) = (self.offset, String::new());
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((place, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    self.offset = start + place + 1;
                    self.skip_space();
                    if self.rest().starts_with(['\'', '"']) {
                        return Err(self.unsupported("joining texts is"));
                    }
                    return Ok(text.into());
                }
                '\\' => {
                    let Some((_, letter @ ('\\' | '\'' | '"'))) = letters.next() else {
                        self.offset = start + place;
                        return Err(self.unsupported("this escape is"));
                    };
                    text.push(letter);
                }
                '\n' | '\r' => {
                    self.offset = start + place;
                    return Err(self.unsupported("a line break is"));
                }
                _ => text.push(letter),
            }
        }
        Err(TemplateError::Syntax { offset: self.text.len(), expected: "a quote" })
    }

    fn integer(&mut self) -> Result<Expression> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '_');
        let digits = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let zeros = digits.bytes().all(|digit| digit == b'0');
        if digits.contains('_') || (digits.starts_with('0') && !zeros) {
            return Err(self.unsupported("a number with leading zeros or underscores is"));
        }
        let number = digits.parse().map_err(|_| TemplateError::Overflow)?;
        self.offset += digits.len();
        if self.rest().starts_with(|letter: char| is_letter(letter) || letter == '.') {
            return Err(self.unsupported("a number that is not whole and decimal is"));
        }
        Ok(Expression::Integer(number))
    }

    fn name(&mut self) -> Result<&'a str> {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|letter: char| !is_letter(letter) && !letter.is_numeric());
        let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !name.starts_with(is_letter) {
            return Err(TemplateError::Syntax { offset: self.offset, expected: "a name" });
        }
        if WORDS.contains(&name) {
            return Err(self.unsupported("this word is"));
        }
        self.offset += name.len();
        Ok(name)
    }

    fn name_or_call(&mut self) -> Result<Expression> {
        let name = self.name()?;
        if self.takes("(") {
            return self.call(name);
        }
        match self.names {
            Names::Parameters(parameters) => {
                if let Some(place) = parameters.iter().position(|known| known == name) {
                    return Ok(Expression::Variable(place));
                }
                check_arguments(parameters.len() + 1)?;
                parameters.push(name.to_owned());
                Ok(Expression::Variable(parameters.len() - 1))
            }
            Names::Known { templates, variables } => {
                if let Some(place) = variables.iter().position(|known| *known == name) {
                    return Ok(Expression::Variable(place));
                }
                match templates.get(name) {
                    Some(Known::Text(text)) => Ok(Expression::Text(Rc::clone(text))),
                    Some(Known::Callable(_)) => {
                        Err(TemplateError::NeedsArguments { name: name.to_owned() })
                    }
                    None => Err(TemplateError::UnknownName { name: name.to_owned() }),
                }
            }
        }
    }

    /// The rest of a call, after its parenthesis.
    fn call(&mut self, name: &str) -> Result<Expression> {
        let body = match self.names {
            Names::Known { templates, .. } => match templates.get(name) {
                Some(Known::Callable(body)) => Rc::clone(body),
                Some(Known::Text(_)) => {
                    return Err(TemplateError::NotCallable { name: name.to_owned() });
                }
                None => return Err(TemplateError::UnknownName { name: name.to_owned() }),
            },
            // Its arguments are texts and numbers.
            Names::Parameters(_) => {
                return Err(TemplateError::NotCallable { name: name.to_owned() });
            }
        };
        let mut given: Vec<(&str, Expression)> = Vec::new();
        while !self.takes(")") {
            if !given.is_empty() && !self.takes(",") {
                return Err(self.strange("a comma or )"));
            }
            // A comma may end the arguments.
            if !given.is_empty() && self.takes(")") {
                break;
            }
            let start = self.offset;
            let argument = self.name().ok().filter(|_| self.takes("="));
            let Some(argument) = argument.filter(|_| !self.rest().starts_with('=')) else {
                self.offset = start;
                return Err(self.unsupported("an argument without a name is"));
            };
            if argument == "temp" {
                // fsspec has it for itself.
                self.offset = start;
                return Err(self.unsupported("an argument of the name temp is"));
            }
            if given.iter().any(|(known, _)| *known == argument) {
                return Err(TemplateError::DuplicateArgument { name: argument.to_owned() });
            }
            check_arguments(given.len() + 1)?;
            given.push((argument, self.nested(Self::sum)?));
        }
        let mut arguments = Vec::new();
        for parameter in &body.parameters {
            let place = given.iter().position(|(argument, _)| argument == parameter);
            let place = place.ok_or_else(|| TemplateError::MissingArgument {
                template: name.to_owned(),
                name: parameter.clone(),
            })?;
            arguments.push(given.swap_remove(place).1);
        }
        Ok(Expression::Call(body, arguments))
    }
}

fn chain(first: Expression, rest: Vec<(Operator, Expression)>) -> Expression {
    if rest.is_empty() { first } else { Expression::Chain(Box::new(first), rest) }
}

fn check_arguments(count: usize) -> Result<()> {
    if count > MAX_ARGUMENTS {
        return Err(TemplateError::TooManyArguments { limit: MAX_ARGUMENTS });
    }
    Ok(())
}

fn is_letter(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}
