// SPDX-License-Identifier: MIT OR Apache-2.0
//! `gen`: references by rule, one for each combination of the values of some dimensions.
//!
//! References go into the columns one by one; what is kept of a combination is numbers, and each distinct URL once.

use chunkref_model::AttributeValue;

use super::columns::{Collected, bad_reference};
use super::template::{Budget, Expansion, TemplateError, Templates, Value};
use super::{ReadError, ReadLimits};

/// The values that one dimension takes.
#[derive(Debug)]
enum Values {
    List(Vec<Value>),
    Range { start: i64, step: i64, count: u64 },
}

impl Values {
    fn count(&self) -> u64 {
        match self {
            Self::List(values) => values.len() as u64,
            Self::Range { count, .. } => *count,
        }
    }

    fn at(&self, place: u64) -> Value {
        match self {
            Self::List(values) => {
                let value = usize::try_from(place).ok().and_then(|place| values.get(place));
                value.cloned().unwrap_or(Value::Integer(0))
            }
            Self::Range { start, step, .. } => {
                Value::Integer(i128::from(*start) + i128::from(*step) * i128::from(place))
            }
        }
    }
}

/// What the templates and generators of a document have made, and may make.
#[derive(Debug)]
pub(super) struct Made<'a> {
    limits: &'a ReadLimits,
    pub(super) budget: Budget,
    references: u64,
    url_bytes: u64,
}

impl<'a> Made<'a> {
    pub(super) fn new(limits: &'a ReadLimits) -> Self {
        let budget = Budget::new(limits.generated_bytes);
        Self { limits, budget, references: 0, url_bytes: 0 }
    }

    /// Counts the text of a URL that is kept.
    pub(super) fn keep(&mut self, url: &str) -> Result<(), ReadError> {
        self.url_bytes = self.url_bytes.saturating_add(url.len() as u64);
        let (what, name) = ("bytes of generated URLs", "generated_url_bytes");
        let limit = self.limits.generated_url_bytes;
        if self.url_bytes > limit {
            return Err(ReadError::LimitExceeded { what, name, limit });
        }
        Ok(())
    }

    fn count(&mut self, more: Option<u64>) -> Result<u64, ReadError> {
        let (what, name) = ("generated references", "generated_references");
        let limit = self.limits.generated_references;
        let total = more.and_then(|more| self.references.checked_add(more));
        self.references = total
            .filter(|&total| total <= limit)
            .ok_or(ReadError::LimitExceeded { what, name, limit })?;
        Ok(more.unwrap_or_default())
    }
}

/// A member of a generator that is a template.
struct Field {
    place: String,
    text: String,
    expansion: Expansion,
    /// The text for the combination in hand.
    expanded: String,
}

impl Field {
    fn expand(&mut self, values: &[Value], budget: &mut Budget) -> Result<(), ReadError> {
        let result = self.expansion.expand(values, budget, &mut self.expanded);
        result.map_err(|source| self.fault(source))
    }

    fn fault(&self, source: TemplateError) -> ReadError {
        ReadError::template(self.place.clone(), &self.text, source)
    }

    fn number(&self, key: &str) -> Result<u64, ReadError> {
        self.expanded
            .trim()
            .parse()
            .map_err(|_| bad_reference(key, "the generated offset or length is not a whole number"))
    }
}

/// Adds the references that generator number `index` makes.
pub(super) fn expand(
    index: usize,
    generator: &AttributeValue,
    templates: &Templates,
    collected: &mut Collected,
    made: &mut Made<'_>,
) -> Result<(), ReadError> {
    let bad = |reason| ReadError::BadGenerator { place: format!("gen[{index}]"), reason };
    let AttributeValue::Struct(members) = generator else { return Err(bad("not an object")) };
    let find = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let Some(AttributeValue::Struct(dimensions)) = find("dimensions") else {
        return Err(bad("dimensions is not an object"));
    };
    let (mut names, mut axes) = (Vec::new(), Vec::new());
    for (name, values) in dimensions {
        if names.contains(&name.as_str()) {
            return Err(bad("a dimension is there twice"));
        }
        if names.len() >= MAX_DIMENSIONS {
            return Err(bad("it has more than 32 dimensions"));
        }
        names.push(name.as_str());
        axes.push(values_of(values).map_err(bad)?);
    }
    let field = |name: &str| {
        let text = match find(name) {
            None => return Ok(None),
            Some(AttributeValue::Text(text)) => text.clone(),
            Some(AttributeValue::Int(number)) => number.to_string(),
            Some(_) => return Err(bad("key, url, offset and length must be templates")),
        };
        let place = format!("gen[{index}].{name}");
        match templates.compile(&text, &names) {
            Ok(expansion) => Ok(Some(Field { place, text, expansion, expanded: String::new() })),
            Err(source) => Err(ReadError::template(place, &text, source)),
        }
    };
    let (Some(mut key), Some(mut url)) = (field("key")?, field("url")?) else {
        return Err(bad("key or url is not there"));
    };
    let mut range = match (field("offset")?, field("length")?) {
        (Some(offset), Some(length)) => Some((offset, length)),
        (None, None) => None,
        _ => return Err(bad("offset and length must be there together")),
    };

    let count = axes.iter().try_fold(1_u64, |product, axis| product.checked_mul(axis.count()));
    let mut values = Vec::new();
    for number in 0..made.count(count)? {
        combination(&axes, number, &mut values);
        key.expand(&values, &mut made.budget)?;
        url.expand(&values, &mut made.budget)?;
        let numbers = match &mut range {
            Some((offset, length)) => {
                offset.expand(&values, &mut made.budget)?;
                length.expand(&values, &mut made.budget)?;
                Some((offset.number(&key.expanded)?, length.number(&key.expanded)?))
            }
            None => None,
        };
        let known = collected.urls.len();
        collected.add_virtual(&key.expanded, &url.expanded, numbers)?;
        if collected.urls.len() > known {
            made.keep(&url.expanded)?;
        }
    }
    Ok(())
}

/// Dimensions of one generator.
const MAX_DIMENSIONS: usize = 32;

/// The values of combination `number`; the last dimension changes fastest.
fn combination(axes: &[Values], mut number: u64, values: &mut Vec<Value>) {
    values.clear();
    for axis in axes.iter().rev() {
        let count = axis.count().max(1);
        values.push(axis.at(number % count));
        number /= count;
    }
    values.reverse();
}

/// A list, or a range `{start = 0, stop, step = 1}` as Python has it.
fn values_of(values: &AttributeValue) -> Result<Values, &'static str> {
    let members = match values {
        AttributeValue::List(values) => {
            let values = values.iter().map(Value::of).collect::<Option<_>>();
            return values.map(Values::List).ok_or("a dimension has values that are not plain");
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use chunkref_model::json::reader::parse;

    fn run(generator: &str) -> Result<Collected, ReadError> {
        let templates = Templates::new(vec![("u".to_owned(), "s3://b".to_owned())])?;
        let limits = ReadLimits::default();
        let mut collected = Collected::new(&limits);
        let mut made = Made::new(&limits);
        expand(0, &parse(generator).unwrap(), &templates, &mut collected, &mut made)?;
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
        assert_eq!(whole.columns[0].lengths, [chunkref_model::WHOLE_OBJECT; 2]);
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
            (r#"{"key":"a/{{k}}","url":"u","dimensions":{"i":[1]}}"#, "gen[0].key"),
            (
                r#"{"key":"a/{{i}}","url":"u","offset":"{{i}}x","length":"1","dimensions":{"i":[1]}}"#,
                "a/1",
            ),
            (r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":2000001}}}"#, "2000000"),
            (
                r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":9223372036854775807},"j":{"stop":9223372036854775807}}}"#,
                "2000000",
            ),
            (
                r#"{"key":"a/{{i}}","url":"u","dimensions":{"i":{"stop":2},"i":{"stop":2}}}"#,
                "twice",
            ),
            (r#"{"key":"a/{{u}}","url":"u","dimensions":{"u":[1]}}"#, "a template and a dimension"),
            ("[]", "object"),
        ] {
            let error = run(generator).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let error = format!("{error}: {}", source.unwrap_or_default());
            assert!(error.contains(expected), "{generator}: {error}");
        }
    }

    #[test]
    fn what_generators_make_is_bounded_and_urls_are_kept_once() {
        let templates = Templates::new(Vec::new()).unwrap();
        let mut limits = ReadLimits::default();
        let run = |generator: &str, limits: &ReadLimits| {
            let mut collected = Collected::new(limits);
            let generator = parse(generator).unwrap();
            expand(0, &generator, &templates, &mut collected, &mut Made::new(limits))?;
            Ok::<_, ReadError>(collected)
        };
        let long = "y".repeat(3000);
        let same = format!(
            r#"{{"key":"a/{{{{i}}}}","url":"{long}","dimensions":{{"i":{{"stop":1000}}}}}}"#
        );
        limits.generated_url_bytes = 3000;
        assert_eq!(run(&same, &limits).unwrap().urls.len(), 1);
        let other = same.replace(&long, &format!("{long}{{{{i}}}}"));
        let error = run(&other, &limits).unwrap_err().to_string();
        assert!(error.contains("generated_url_bytes=3000"), "{error}");
        limits.generated_bytes = 1_000_000;
        let error = run(&same, &limits).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("generated_bytes=1000000"), "{source}");
        limits = ReadLimits::default();
        limits.set_references = 999;
        let error = run(&same, &limits).unwrap_err().to_string();
        assert!(error.contains("set_references=999"), "{error}");
    }
}
