// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates: text with `{{…}}` expressions in the language of Jinja.
//!
//! Statements (`{%…%}`) and filters are not offered: the specification has expressions only, and a document must not
//! be able to loop.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, from_args};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::ReadError;

/// Longest template.
const MAX_TEMPLATE_BYTES: usize = 4096;
/// Longest result.
const MAX_RENDERED_BYTES: usize = 64 * 1024;
/// Steps of one expansion.
const FUEL: u64 = 10_000;

/// The `templates` of a document.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    literal: bool,
}

impl Templates {
    pub(super) fn new(templates: Vec<(String, String)>) -> Result<Self, ReadError> {
        let literal = templates.is_empty();
        let mut environment = environment();
        for (name, text) in templates {
            if text.contains("{{") {
                check(&text).map_err(|source| ReadError::Template {
                    what: "template",
                    text: text.clone(),
                    source: Box::new(source),
                })?;
                environment.add_global(name, Value::from_object(Callable { text }));
            } else {
                environment.add_global(name, Value::from(text));
            }
        }
        Ok(Self { environment, literal })
    }

    /// A URL of `refs`. In a document without templates braces are part of it.
    pub(super) fn render_url(&self, url: &str) -> Result<String, ReadError> {
        if self.literal || !url.contains("{{") {
            return Ok(url.to_owned());
        }
        self.render("URL", url, Value::UNDEFINED)
    }

    /// Any text with the values of `context` at hand as well.
    pub(super) fn render(
        &self,
        what: &'static str,
        text: &str,
        context: Value,
    ) -> Result<String, ReadError> {
        render(&self.environment, text, context).map_err(|source| ReadError::Template {
            what,
            text: text.chars().take(200).collect(),
            source: Box::new(source),
        })
    }
}

/// A template with parameters of its own: `{{f(c='text')}}`.
#[derive(Debug)]
struct Callable {
    text: String,
}

impl Object for Callable {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
        let (parameters,): (Kwargs,) = from_args(arguments)?;
        let mut context = BTreeMap::new();
        for name in parameters.args() {
            context.insert(name.to_owned(), parameters.get::<Value>(name)?);
        }
        render(&environment(), &self.text, Value::from(context)).map(Value::from)
    }

    /// A template that needs parameters has no text without them.
    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(32);
    environment
}

fn check(text: &str) -> Result<(), Error> {
    if text.len() > MAX_TEMPLATE_BYTES {
        return Err(Error::new(ErrorKind::InvalidOperation, "the template is too long"));
    }
    if text.contains("{%") {
        return Err(Error::new(
            ErrorKind::SyntaxError,
            "statements are not part of reference templates",
        ));
    }
    Ok(())
}

fn render(environment: &Environment<'_>, text: &str, context: Value) -> Result<String, Error> {
    check(text)?;
    let template = environment.template_from_str(text)?;
    let mut output = Capped(Vec::new());
    template.render_captured_to(context, &mut output)?;
    String::from_utf8(output.0)
        .map_err(|_| Error::new(ErrorKind::BadSerialization, "the result is not text"))
}

/// Takes no more than the limit.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MAX_RENDERED_BYTES {
            return Err(io::Error::other("the result is too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn templates(all: &[(&str, &str)]) -> Result<Templates, ReadError> {
        Templates::new(
            all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        )
    }

    #[test]
    fn literal_and_callable_templates() {
        let templates = templates(&[("u", "s3://bucket/path"), ("f", "{{c}}/{{d}}")]).unwrap();
        for (url, expected) in [
            ("{{u}}", "s3://bucket/path"),
            ("{{ u }}/x.nc", "s3://bucket/path/x.nc"),
            ("{{f(c='text', d=2)}}", "text/2"),
            ("{{f(c=u, d='<&>')}}", "s3://bucket/path/<&>"),
            ("plain", "plain"),
        ] {
            assert_eq!(templates.render_url(url).unwrap(), expected);
        }
    }

    #[test]
    fn what_does_not_expand_is_an_error() {
        let known = templates(&[("u", "x"), ("f", "{{c}}")]).unwrap();
        for url in [
            "{{missing}}",
            "{{f()}}",
            "{{f}}",
            "{{f('a')}}",
            "{{u",
            "{{u}}{% for i in u %}{% endfor %}",
            "{{1/0}}",
        ] {
            assert!(matches!(known.render_url(url), Err(ReadError::Template { .. })), "{url}");
        }
        assert!(templates(&[("f", "{{a}}{% set a = 1 %}")]).is_err());
    }

    #[test]
    fn results_are_bounded() {
        let templates = templates(&[("u", "x")]).unwrap();
        for url in ["{{u * 90000}}", "{{'a' * 999999999999}}"] {
            assert!(templates.render_url(url).is_err(), "{url}");
        }
        assert!(templates.render_url(&"{{u}}".repeat(5000)).is_err());
    }
}
