// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a template does not expand.

use thiserror::Error;

/// Why a template does not expand. Offsets are bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// Something that Jinja has and reference templates do not.
    #[error(
        "byte {offset}: {what} not part of reference templates, which have names, calls with named arguments, text, \
         whole numbers and + - * // %"
    )]
    Unsupported {
        /// Where.
        offset: usize,
        /// What, with its verb.
        what: &'static str,
    },
    /// What is no expression.
    #[error("byte {offset}: {expected} should be here")]
    Syntax {
        /// Where.
        offset: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// A name that means nothing.
    #[error("there is no {name:?} among the templates, arguments and dimensions")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A name that means two things.
    #[error("{name:?} is a template and a dimension")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// A template with arguments that is used without.
    #[error("template {name:?} needs arguments: call it as {name}(argument='value')")]
    NeedsArguments {
        /// The template.
        name: String,
    },
    /// A call of what takes no arguments.
    #[error("{name:?} takes no arguments")]
    NotCallable {
        /// The name.
        name: String,
    },
    /// An argument that a template needs.
    #[error("the call of template {template:?} does not give the argument {name:?}")]
    MissingArgument {
        /// The template.
        template: String,
        /// The argument.
        name: String,
    },
    /// An argument given twice.
    #[error("the argument {name:?} is given twice")]
    DuplicateArgument {
        /// The argument.
        name: String,
    },
    /// Arguments beyond the limit.
    #[error("a template has more than {limit} arguments")]
    TooManyArguments {
        /// Arguments that are read.
        limit: usize,
    },
    /// Arithmetic on what is no whole number.
    #[error("arithmetic is on whole numbers only")]
    NotANumber,
    /// A number of more than 128 bits.
    #[error("a number goes beyond 128 bits")]
    Overflow,
    /// A division by zero.
    #[error("a division by zero")]
    DivisionByZero,
    /// Expressions in one another beyond the limit.
    #[error("byte {offset}: expressions are nested more than {limit} deep")]
    TooDeep {
        /// Where.
        offset: usize,
        /// Levels that are read.
        limit: u32,
    },
    /// A template beyond the limit.
    #[error("the template is longer than {limit} bytes")]
    TooLong {
        /// Bytes that are read.
        limit: usize,
    },
    /// Templates with arguments beyond the limit.
    #[error("the templates with arguments are longer than {limit} bytes together")]
    TooManyTemplates {
        /// Bytes that are read.
        limit: usize,
    },
    /// A result beyond the limit.
    #[error("the result is longer than {limit} bytes")]
    ResultTooLong {
        /// Bytes that are made.
        limit: usize,
    },
    /// The templates and generators of the document make more than the limit.
    #[error("the templates and generators make more than the limit generated_bytes={limit} allows")]
    LimitExceeded {
        /// Bytes that are made.
        limit: u64,
    },
}
