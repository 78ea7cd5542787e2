// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates: text with `{{…}}` expressions, as the reference specification has them and fsspec expands them.
//!
//! An expression is a name, a call of a template with named arguments, text in quotes, a whole number, or arithmetic on
//! whole numbers. The specification borrows the syntax from Jinja; of what else Jinja has, nothing is offered: a document
//! must not be able to loop, to recurse, or to make much of little. Arguments are expanded once, and a template that is
//! called sees its arguments alone, so nothing can call itself.

mod error;
mod expression;
mod parser;

use std::collections::HashMap;
use std::rc::Rc;

pub use error::TemplateError;
pub(super) use expression::{Budget, Expansion, Value};

use super::ReadError;
use expression::Body;

/// Longest template, in bytes.
const MAX_TEMPLATE_BYTES: usize = 64 << 10;
/// Longest result, in bytes.
const MAX_RESULT_BYTES: usize = 64 << 10;
/// Expressions in one another.
const MAX_DEPTH: u32 = 32;
/// Arguments of one template.
const MAX_ARGUMENTS: usize = 64;
/// Bytes of all templates with arguments of one document.
const MAX_CALLABLE_BYTES: usize = 4 << 20;

/// One member of `templates`.
#[derive(Debug)]
enum Known {
    /// Text that stands for the name.
    Text(Rc<str>),
    /// A template that is called: its text, and the names of its arguments.
    Callable(Rc<Body>),
}

/// The `templates` of a document.
#[derive(Debug)]
pub(super) struct Templates {
    known: HashMap<String, Known>,
}

impl Templates {
    pub(super) fn new(templates: Vec<(String, String)>) -> Result<Self, ReadError> {
        let (mut known, mut bytes) = (HashMap::new(), 0_usize);
        for (name, text) in templates {
            let template = if text.contains("{{") {
                bytes = bytes.saturating_add(text.len());
                let body = if bytes > MAX_CALLABLE_BYTES {
                    Err(TemplateError::TooManyTemplates { limit: MAX_CALLABLE_BYTES })
                } else {
                    parser::body(&text)
                };
                Known::Callable(Rc::new(body.map_err(|source| {
                    ReadError::template(format!("template {name:?}"), &text, source)
                })?))
            } else {
                Known::Text(text.into())
            };
            known.insert(name, template);
        }
        Ok(Self { known })
    }

    /// Whether the document has no templates: then braces in its URLs are part of them.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// A text made ready to be expanded any number of times, with the values of `variables`.
    pub(super) fn compile(
        &self,
        text: &str,
        variables: &[&str],
    ) -> Result<Expansion, TemplateError> {
        if let Some(name) = variables.iter().find(|name| self.known.contains_key(**name)) {
            return Err(TemplateError::Ambiguous { name: (*name).to_owned() });
        }
        let mut names = parser::Names::Known { templates: &self.known, variables };
        parser::parts(text, &mut names).map(Expansion::new)
    }
}

#[cfg(test)]
mod tests;
