// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen`: references by rule, one for each combination of the values of some dimensions.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::AttributeValue;

use super::ReadError;
use super::columns::{Collected, bad_reference};
use super::template::Templates;

/// References that the generators of one document may make together.
pub const MAX_GENERATED_REFERENCES: u64 = 10_000_000;

/// The values that one dimension takes.
#[derive(Debug)]
enum Values<'a> {
    List(&'a [AttributeValue]),
    Range { start: i64, step: i64, count: u64 },
}

impl Values<'_> {
    fn count(&self) -> u64 {
        match self {
            Self::List(values) => values.len() as u64,
            Self::Range { count, .. } => *count,
        }
    }

    fn at(&self, place: u64) -> Option<Value> {
        match self {
            Self::List(values) => template_value(values.get(usize::try_from(place).ok()?)?),
            Self::Range { start, step, .. } => {
                Some(Value::from(i128::from(*start) + i128::from(*step) * i128::from(place)))
            }
        }
    }
}

/// Adds the references that generator number `index` makes; `generated` counts those of all generators.
pub(super) fn expand(
    index: usize,
    generator: &AttributeValue,
    templates: &Templates,
    collected: &mut Collected,
    generated: &mut u64,
) -> Result<(), ReadError> {
    let bad = |reason| ReadError::BadGenerator { place: format!("gen[{index}]"), reason };
    let AttributeValue::Struct(members) = generator else { return Err(bad("not an object")) };
    let find = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let text = |name: &str| match find(name) {
        None => Ok(None),
        Some(AttributeValue::Text(text)) => Ok(Some(text.clone())),
        Some(AttributeValue::Int(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(bad("key, url, offset and length must be templates")),
    };
    let (Some(key), Some(url)) = (text("key")?, text("url")?) else {
        return Err(bad("key or url is not there"));
    };
    let range = match (text("offset")?, text("length")?) {
        (Some(offset), Some(length)) => Some((offset, length)),
        (None, None) => None,
        _ => return Err(bad("offset and length must be there together")),
    };
    let Some(AttributeValue::Struct(dimensions)) = find("dimensions") else {
        return Err(bad("dimensions is not an object"));
    };
    let mut axes = Vec::new();
    for (name, values) in dimensions {
        axes.push((name.as_str(), values_of(values).map_err(bad)?));
    }

    let count =
        axes.iter().try_fold(1_u64, |product, (_, values)| product.checked_mul(values.count()));
    let limit = MAX_GENERATED_REFERENCES;
    let total =
        count.and_then(|count| generated.checked_add(count)).filter(|&total| total <= limit);
    *generated = total.ok_or(ReadError::LimitExceeded { what: "generated references", limit })?;
    for number in 0..count.unwrap_or_default() {
        let context = context(&axes, number)
            .ok_or_else(|| bad("a dimension has values that are not plain"))?;
        let key = templates.render("gen key", &key, context.clone())?;
        let url = templates.render("gen url", &url, context.clone())?;
        let whole = |what, text: &str| {
            let rendered = templates.render(what, text, context.clone())?;
            let number = rendered.trim().parse::<u64>();
            number.map_err(|_| {
                bad_reference(&key, "the generated offset or length is not a whole number")
            })
        };
        let range = match &range {
            Some((offset, length)) => {
                Some((whole("gen offset", offset)?, whole("gen length", length)?))
            }
            None => None,
        };
        collected.add_virtual(&key, &url, range)?;
    }
    Ok(())
}

/// The values of combination `number`; the last dimension changes fastest.
fn context(axes: &[(&str, Values<'_>)], mut number: u64) -> Option<Value> {
    let mut values = BTreeMap::new();
    for (name, axis) in axes.iter().rev() {
        let count = axis.count().max(1);
        values.insert((*name).to_owned(), axis.at(number % count)?);
        number /= count;
    }
    Some(Value::from(values))
}

/// A list, or a range `{start = 0, stop, step = 1}` as Python has it.
fn values_of(values: &AttributeValue) -> Result<Values<'_>, &'static str> {
    let members = match values {
        AttributeValue::List(values) => return Ok(Values::List(values)),
        AttributeValue::Struct(members) => members,
        _ => return Err("a dimension is neither a list nor a range"),
    };
    let number =
        |name: &str, default: Option<i64>| match members.iter().find(|(known, _)| known == name) {
            None => default.ok_or("a range has no stop"),
            Some((_, AttributeValue::Int(number))) => Ok(*number),
            Some(_) => Err("a range is not of whole numbers"),
        };
    let (start, end, step) =
        (number("start", Some(0))?, number("stop", None)?, number("step", Some(1))?);
    if step == 0 {
        return Err("a range has step 0");
    }
    let distance = if step > 0 {
        i128::from(end) - i128::from(start)
    } else {
        i128::from(start) - i128::from(end)
    };
    let count = distance.max(0).unsigned_abs().div_ceil(u128::from(step.unsigned_abs()));
    Ok(Values::Range { start, step, count: u64::try_from(count).unwrap_or(u64::MAX) })
}

fn template_value(value: &AttributeValue) -> Option<Value> {
    match value {
        AttributeValue::Bool(value) => Some(Value::from(*value)),
        AttributeValue::Int(value) => Some(Value::from(*value)),
        AttributeValue::UInt(value) => Some(Value::from(*value)),
        AttributeValue::Float(value) => Some(Value::from(*value)),
        AttributeValue::Text(text) => Some(Value::from(text.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::reader::parse;

    fn run(generator: &str) -> Result<Collected, ReadError> {
        let templates = Templates::new(vec![("u".to_owned(), "s3://b".to_owned())])?;
        let mut collected = Collected::default();
        expand(0, &parse(generator).unwrap(), &templates, &mut collected, &mut 0)?;
        Ok(collected)
    }

    #[test]
    fn every_combination_the_last_dimension_fastest() {
        let collected = run(r#"{"key":"a/{{i}}.{{j}}","url":"{{u}}/{{n}}.nc","offset":"{{(i + 1) * 1000 + j}}","length":"10",
            "dimensions":{"n":["x"],"i":{"stop":2},"j":{"start":4,"stop":0,"step":-2}}}"#)
        .unwrap();
        assert_eq!(collected.urls, ["s3://b/x.nc"]);
        assert_eq!(collected.columns[0].indices, [0, 4, 0, 2, 1, 4, 1, 2]);
        assert_eq!(collected.columns[0].offsets, [1004, 1002, 2004, 2002]);
        assert_eq!(collected.columns[0].lengths, [10; 4]);
        let whole =
            run(r#"{"key":"a/{{i}}","url":"{{u}}/{{i}}","dimensions":{"i":["3","5"]}}"#).unwrap();
        assert_eq!(whole.urls, ["s3://b/3", "s3://b/5"]);
        assert_eq!(whole.columns[0].lengths, [crate::WHOLE_OBJECT; 2]);
        let none = run(r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":-3}}}"#).unwrap();
        assert!(none.columns.is_empty());
    }

    #[test]
    fn faults_are_errors() {
        for (generator, expected) in [
            (r#"{"key":"a/{{i}}","url":"u","offset":"1","dimensions":{"i":[1]}}"#, "together"),
            (r#"{"key":"a/{{i}}","url":"u","length":"1","dimensions":{"i":[1]}}"#, "together"),
            (r#"{"key":"a/{{i}}","dimensions":{"i":[1]}}"#, "url"),
            (r#"{"key":"a/{{i}}","url":"u"}"#, "dimensions"),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":5}}"#, "neither a list"),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"start":1}}}"#, "no stop"),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":1,"step":0}}}"#, "step 0"),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":1.5}}}"#, "whole"),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":[[1]]}}"#, "not plain"),
            (r#"{"key":"a/{{k}}","url":"u","dimensions":{"i":[1]}}"#, "gen key"),
            (
                r#"{"key":"a/{{i}}","url":"u","offset":"{{i}}x","length":"1","dimensions":{"i":[1]}}"#,
                "a/1",
            ),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":10000001}}}"#, "10000000"),
            (
                r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":9223372036854775807},"j":{"stop":9223372036854775807}}}"#,
                "10000000",
            ),
            ("[]", "object"),
        ] {
            let error = run(generator).unwrap_err().to_string();
            assert!(error.contains(expected), "{generator}: {error}");
        }
    }
}
