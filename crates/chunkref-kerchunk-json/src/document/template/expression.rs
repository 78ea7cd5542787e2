// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions, and their values.

use std::fmt::Write as _;
use std::rc::Rc;

use super::{MAX_RESULT_BYTES, TemplateError};
use chunkref_model::AttributeValue;

type Result<T> = std::result::Result<T, TemplateError>;

/// The value of an expression.
#[derive(Debug, Clone)]
pub(in super::super) enum Value {
    /// Text, and numbers that are not whole, as Python writes them.
    Text(Rc<str>),
    /// A whole number.
    Integer(i128),
}

impl Value {
    /// One value of a dimension; `None` for lists, objects and null.
    pub(in super::super) fn of(value: &AttributeValue) -> Option<Self> {
        match value {
            AttributeValue::Bool(true) => Some(Self::Text("True".into())),
            AttributeValue::Bool(false) => Some(Self::Text("False".into())),
            AttributeValue::Int(value) => Some(Self::Integer(i128::from(*value))),
            AttributeValue::UInt(value) => Some(Self::Integer(i128::from(*value))),
            AttributeValue::Float(value) => Some(Self::Text(python_float(*value).into())),
            AttributeValue::Text(text) => Some(Self::Text(text.as_str().into())),
            _ => None,
        }
    }

    fn integer(&self) -> Result<i128> {
        match self {
            Self::Integer(value) => Ok(*value),
            Self::Text(_) => Err(TemplateError::NotANumber),
        }
    }
}

/// A number as Python's `repr` has it.
fn python_float(value: f64) -> String {
    if !value.is_finite() {
        let name = if value.is_nan() { "nan" } else { "inf" };
        return format!("{}{name}", if value < 0.0 { "-" } else { "" });
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let (sign, digits) =
                exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
    }
}

/// What templates and generators have made and may make. Steps count as bytes, so that what takes long is bounded too.
#[derive(Debug)]
pub(in super::super) struct Budget {
    left: u64,
    limit: u64,
}

impl Budget {
    pub(in super::super) fn new(limit: u64) -> Self {
        Self { left: limit, limit }
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or(TemplateError::LimitExceeded { limit: self.limit })?;
        Ok(())
    }
}

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Part {
    Text(Rc<str>),
    Expression(Expression),
}

/// A template that is called.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) parts: Vec<Part>,
    /// What its expressions name, in the order of [`Expression::Variable`].
    pub(super) parameters: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Plus,
    Minus,
    Times,
    Quotient,
    Remainder,
}

#[derive(Debug)]
pub(super) enum Expression {
    Text(Rc<str>),
    Integer(i128),
    /// The value in a place: of a dimension, or of an argument.
    Variable(usize),
    Negative(Box<Expression>),
    /// From the left; one operator may bind as strongly as the other.
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
    /// A template with the values of its parameters.
    Call(Rc<Body>, Vec<Expression>),
}

/// A text that is ready to be expanded.
#[derive(Debug)]
pub(in super::super) struct Expansion(Vec<Part>);

impl Expansion {
    pub(super) fn new(parts: Vec<Part>) -> Self {
        Self(parts)
    }

    /// Puts the expanded text into `out`, in the place of what is there.
    pub(in super::super) fn expand(
        &self,
        variables: &[Value],
        budget: &mut Budget,
        out: &mut String,
    ) -> Result<()> {
        out.clear();
        expand(&self.0, variables, budget, out)
    }
}

fn expand(
    parts: &[Part],
    variables: &[Value],
    budget: &mut Budget,
    out: &mut String,
) -> Result<()> {
    for part in parts {
        match part {
            Part::Text(text) => push(text, budget, out)?,
            Part::Expression(expression) => match value(expression, variables, budget)? {
                Value::Text(text) => push(&text, budget, out)?,
                Value::Integer(number) => {
                    let start = out.len();
                    // Writing to a string does not fail.
                    let _ = write!(out, "{number}");
                    budget.charge(out.len() - start)?;
                    check_length(out.len())?;
                }
            },
        }
    }
    Ok(())
}

fn push(text: &str, budget: &mut Budget, out: &mut String) -> Result<()> {
    check_length(out.len().saturating_add(text.len()))?;
    budget.charge(text.len())?;
    out.push_str(text);
    Ok(())
}

fn check_length(bytes: usize) -> Result<()> {
    if bytes > MAX_RESULT_BYTES {
        return Err(TemplateError::ResultTooLong { limit: MAX_RESULT_BYTES });
    }
    Ok(())
}

fn value(expression: &Expression, variables: &[Value], budget: &mut Budget) -> Result<Value> {
    budget.charge(1)?;
    Ok(match expression {
        Expression::Text(text) => Value::Text(Rc::clone(text)),
        Expression::Integer(number) => Value::Integer(*number),
        Expression::Variable(place) => {
            // The parser gives out places of variables that there are.
            let unknown = || TemplateError::UnknownName { name: place.to_string() };
            variables.get(*place).cloned().ok_or_else(unknown)?
        }
        Expression::Negative(inner) => {
            let number = value(inner, variables, budget)?.integer()?;
            Value::Integer(number.checked_neg().ok_or(TemplateError::Overflow)?)
        }
        Expression::Chain(first, rest) => {
            let mut number = value(first, variables, budget)?.integer()?;
            for (operator, operand) in rest {
                let operand = value(operand, variables, budget)?.integer()?;
                number = operate(*operator, number, operand)?;
            }
            Value::Integer(number)
        }
        Expression::Call(body, arguments) => {
            let values = arguments.iter().map(|argument| value(argument, variables, budget));
            let values = values.collect::<Result<Vec<_>>>()?;
            let mut out = String::new();
            expand(&body.parts, &values, budget, &mut out)?;
            Value::Text(out.into())
        }
    })
}

/// Division is that of Python: towards minus infinity, and the remainder has the sign of the divisor.
fn operate(operator: Operator, a: i128, b: i128) -> Result<i128> {
    let result = match operator {
        Operator::Plus => a.checked_add(b),
        Operator::Minus => a.checked_sub(b),
        Operator::Times => a.checked_mul(b),
        Operator::Quotient | Operator::Remainder => {
            if b == 0 {
                return Err(TemplateError::DivisionByZero);
            }
            let (quotient, remainder) = (a.checked_div(b), a.checked_rem(b));
            let differ = remainder.is_some_and(|rest| rest != 0 && (rest < 0) != (b < 0));
            if operator == Operator::Quotient {
                quotient.and_then(|quotient| quotient.checked_sub(i128::from(differ)))
            } else {
                remainder.and_then(|rest| rest.checked_add(if differ { b } else { 0 }))
            }
        }
    };
    result.ok_or(TemplateError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_does() {
        for (value, text) in [
            (1.5, "1.5"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e16, "1e+16"),
            (1.5e-7, "1.5e-07"),
            (1e-4, "0.0001"),
            (1e300, "1e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }

    #[test]
    fn division_is_that_of_python() {
        for (a, b, quotient, remainder) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (6, 3, 2, 0),
            (-6, 3, -2, 0),
        ] {
            assert_eq!(operate(Operator::Quotient, a, b), Ok(quotient));
            assert_eq!(operate(Operator::Remainder, a, b), Ok(remainder));
        }
        assert_eq!(operate(Operator::Quotient, i128::MIN, -1), Err(TemplateError::Overflow));
        assert_eq!(operate(Operator::Remainder, 1, 0), Err(TemplateError::DivisionByZero));
    }
}
