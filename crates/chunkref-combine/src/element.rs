// SPDX-License-Identifier: MIT OR Apache-2.0
//! The elements of an array as what they mean, whatever type, units and fill value say it.
//!
//! This is for those who check a cube: it knows nothing of how cubes are made.

use std::collections::HashMap;

use chunkref_model::{Array, AttributeValue, DataType, FillValue};

use crate::fill::default_of;
use crate::time::{Calendar, Units, are_since, count_of_date, date_of_text};
use crate::value::{Value, of_attribute, of_fill, values};
use crate::words;

/// Nanoseconds that two times may be apart and be the same: fractions of days lose as much.
const SAME_TIME: i128 = 1_000_000;

/// What one element means.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Element {
    /// There is no value.
    Missing,
    /// What NetCDF fills with, in an array that names no fill value: some readers take it for missing, others for this.
    Default(Box<Self>),
    /// A time, in nanoseconds from year 0 of its calendar.
    Time(i128),
    /// A whole number.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text, or bytes of any other type, without the NULs at their end.
    Bytes(Vec<u8>),
}

impl Element {
    /// Whether two elements mean the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => (a - b).abs() <= SAME_TIME,
            (Self::Default(_), Self::Default(_) | Self::Missing)
            | (Self::Missing, Self::Default(_)) => true,
            (Self::Default(value), other) | (other, Self::Default(value)) => value.is(other),
            _ => self == other,
        }
    }

    /// The element that a text means, as coordinates from attributes and locations are written.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let text = text.trim();
        if let Ok(number) = text.parse::<i128>() {
            return Self::Int(number);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => float(number),
            _ => Self::Bytes(text.as_bytes().to_vec()),
        }
    }

    /// The element that a text means among coordinates of a type: a date among dates, a text among texts.
    #[must_use]
    pub fn of_text_in(text: &str, dtype: &DataType) -> Self {
        match dtype {
            DataType::DateTime { unit, .. } => {
                let date = date_of_text(text).and_then(|date| count_of_date(date, unit));
                date.map_or_else(|| Self::of_text(text), |count| Self::Int(count.into()))
            }
            DataType::Float { length: 4, .. } => match text.trim().parse::<f32>() {
                Ok(number) => float(number.into()),
                Err(_) => Self::of_text(text),
            },
            DataType::FixedString { .. } | DataType::VlenString => {
                Self::Bytes(text.as_bytes().to_vec())
            }
            _ => Self::of_text(text),
        }
    }
}

impl std::fmt::Display for Element {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => formatter.write_str("missing"),
            Self::Default(value) => value.fmt(formatter),
            Self::Time(time) => write!(formatter, "{time} ns"),
            Self::Int(number) => number.fmt(formatter),
            Self::Float(number) => number.fmt(formatter),
            Self::Bytes(bytes) => write!(formatter, "{:?}", String::from_utf8_lossy(bytes)),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number far below 2^127")]
fn float(number: f64) -> Element {
    if number.fract() == 0.0 && number.abs() < 1e18 {
        Element::Int(number as i128)
    } else if number.is_nan() {
        Element::Missing
    } else {
        Element::Float(number)
    }
}

/// The elements of an array whose values are in the references as they are, in C order. `owner` is the variable whose
/// bounds the array holds, which may have the units of both. `None` where values are not there, or mean something that is
/// not computed here, such as a time of an unknown calendar.
#[must_use]
pub fn elements(array: &Array, owner: Option<&Array>) -> Option<Vec<Element>> {
    let found = values(&array.dtype, &array.plain_values()?)?;
    let attribute = |name: &str| {
        array.attributes.get(name).or_else(|| owner.and_then(|owner| owner.attributes.get(name)))
    };
    let text = |name: &str| match attribute(name) {
        Some(AttributeValue::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    let number = |name: &str| numbers(array.attributes.get(name)?).pop();
    let fill = array.fill_value.as_ref();
    let fill = fill.and_then(|fill| {
        let bytes = chunkref_model::array_values::element_bytes(&array.dtype, Some(fill))?;
        values(&array.dtype, &bytes)?.pop()
    });
    let named = ["_FillValue", "missing_value"].map(|name| array.attributes.get(name).map(numbers));
    // NetCDF's libraries take a default value for missing beside a `missing_value`, too.
    let is_silent = fill.is_none() && array.attributes.get("_FillValue").is_none();
    let default = default_of(&array.dtype).filter(|_| is_silent);
    // An attribute may have more digits than the values.
    #[expect(clippy::cast_possible_truncation, reason = "values of 32 bits, widened")]
    let rounded = |named: f64| match array.dtype {
        DataType::Float { length: 4, .. } => f64::from(named as f32),
        _ => named,
    };
    let is_fill = |value: &Value| {
        #[expect(clippy::cast_precision_loss, reason = "a number that is named as an attribute")]
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Float(number) => number.get(),
            Value::Bytes(_) => f64::NAN,
        };
        fill.as_ref() == Some(value)
            || named.iter().flatten().flatten().any(|named| {
                named.to_bits() == number.to_bits() || rounded(*named).to_bits() == number.to_bits()
            })
    };
    let time = match text("units") {
        Some(units) if are_since(units) => {
            let calendar = Calendar::of(text("calendar").unwrap_or("standard"))?;
            Some(Units::parse(units, calendar)?)
        }
        _ => None,
    };
    let (scale, offset) = (number("scale_factor"), number("add_offset"));
    let packed = scale.is_some() || offset.is_some();
    let meant = |value: Value| {
        let unpacked = |number: f64| number * scale.unwrap_or(1.0) + offset.unwrap_or(0.0);
        match (value, &time) {
            (Value::Bytes(bytes), _) => {
                let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                Element::Bytes(bytes.get(..end).unwrap_or_default().to_vec())
            }
            (Value::Int(number), None) if !packed => Element::Int(number),
            #[expect(clippy::cast_precision_loss, reason = "what is packed is small")]
            (Value::Int(number), None) => float(unpacked(number as f64)),
            (Value::Float(number), None) => float(unpacked(number.get())),
            (Value::Int(number), Some(units)) if !packed => Element::Time(instant(units, number)),
            #[expect(clippy::cast_precision_loss, reason = "what is packed is small")]
            (Value::Int(number), Some(units)) => moment(units, unpacked(number as f64)),
            (Value::Float(number), Some(units)) => moment(units, unpacked(number.get())),
        }
    };
    let element = |value: Value| {
        if is_fill(&value) {
            return Element::Missing;
        }
        let is_default = default.as_ref() == Some(&value);
        let meant = meant(value);
        if is_default { Element::Default(Box::new(meant)) } else { meant }
    };
    Some(found.into_iter().map(element).collect())
}

/// How an array reads the chunks of one of its sources otherwise than the source itself does, in words: another type, other
/// codecs or dimensions, or another value that is taken for missing. `None` where it reads them alike.
#[must_use]
pub fn reads_otherwise(array: &Array, source: &Array) -> Option<String> {
    let differs = |what: &str, here: String, there: String| {
        (here != there).then(|| format!("its {what} {here}, and in the source {there}"))
    };
    differs("element type is", words::dtype(&array.dtype), words::dtype(&source.dtype))
        .or_else(|| differs("codecs are", words::codecs(array), words::codecs(source)))
        .or_else(|| {
            let lacking = array.dimensions.len().checked_sub(source.dimensions.len())?;
            let pairs = array.dimensions.iter().skip(lacking).zip(&source.dimensions);
            // Axes without a name are numbered, by each writer in its own way.
            let (here, there): (Vec<_>, Vec<_>) = pairs.filter(|(_, own)| !is_unnamed(own)).unzip();
            let words = |names: Vec<&String>| {
                names.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
            };
            differs("dimensions are", words(here), words(there))
        })
        .or_else(|| {
            let is_meant = array.fill_value.as_ref().is_none_or(|fill| is_missing(source, fill));
            let says = |array: &Array| words::fill_value(array.fill_value.as_ref());
            if is_meant { None } else { differs("fill value is", says(array), says(source)) }
        })
}

/// Whether an axis has a number for its name: `phony_dim_3`.
fn is_unnamed(name: &str) -> bool {
    name.rsplit_once("dim_").is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

/// Whether a fill value says nothing that the array does not say itself: it is the array's own, by any name, or one that
/// means missing without a name.
fn is_missing(array: &Array, fill: &FillValue) -> bool {
    let named = ["_FillValue", "missing_value"].map(|name| array.attributes.get(name));
    let named = named.into_iter().flatten().flat_map(|value| of_attribute(&array.dtype, value));
    let own = array.fill_value.as_ref().and_then(|own| of_fill(&array.dtype, own));
    let is_nan = matches!(fill, FillValue::Float(number) if number.is_nan());
    let found = of_fill(&array.dtype, fill);
    let silent = own.is_none() && found == default_of(&array.dtype);
    let own = own.into_iter().chain(named);
    is_nan
        || silent
        || array.fill_value.as_ref() == Some(fill)
        || own.map(Some).any(|own| own == found)
}

/// The numbers of an attribute.
fn numbers(value: &AttributeValue) -> Vec<f64> {
    match value {
        AttributeValue::Float(number) => vec![*number],
        #[expect(clippy::cast_precision_loss, reason = "scales, offsets and fill values are small")]
        AttributeValue::Int(number) => vec![*number as f64],
        #[expect(clippy::cast_precision_loss, reason = "as above")]
        AttributeValue::UInt(number) => vec![*number as f64],
        AttributeValue::List(values) => values.iter().flat_map(numbers).collect(),
        _ => Vec::new(),
    }
}

/// Nanoseconds from year 0 to `number` units after the epoch.
fn instant(units: &Units, number: i128) -> i128 {
    number.saturating_mul(units.unit).saturating_add(units.epoch)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "what is far from any time is compared as the furthest one"
)]
fn moment(units: &Units, number: f64) -> Element {
    if number.is_nan() {
        return Element::Missing;
    }
    // Whole units and the rest by themselves, so that days long after the epoch keep their seconds.
    let whole = instant(units, number.trunc() as i128);
    Element::Time(whole.saturating_add((number.fract() * units.unit as f64).round() as i128))
}

/// Where elements are among others.
#[derive(Debug)]
pub struct Places {
    length: u64,
    times: Vec<(i128, u64)>,
    others: HashMap<String, u64>,
}

impl Places {
    /// The places of the elements of an axis.
    #[must_use]
    pub fn new(axis: &[Element]) -> Self {
        let (mut times, mut others) = (Vec::new(), HashMap::new());
        for (place, element) in (0..).zip(axis) {
            match element {
                Element::Time(time) => times.push((*time, place)),
                other => {
                    others.entry(format!("{other:?}")).or_insert(place);
                }
            }
        }
        times.sort_unstable();
        Self { length: axis.len() as u64, times, others }
    }

    /// How many places there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an axis without places is no fault")]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Where the axis has what the element means.
    #[must_use]
    pub fn find(&self, element: &Element) -> Option<u64> {
        let Element::Time(time) = element else {
            return self.others.get(&format!("{element:?}")).copied();
        };
        let next = self.times.partition_point(|(known, _)| known < time);
        let around = self.times.get(next.saturating_sub(1)..(next + 1).min(self.times.len()))?;
        let nearest = around.iter().min_by_key(|(known, _)| (known - time).abs())?;
        ((nearest.0 - time).abs() <= SAME_TIME).then_some(nearest.1)
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::{ByteOrder, Codec};

    use super::*;
    use crate::testing::{floats, ints};

    #[test]
    fn times_are_the_same_in_any_units() {
        let mut days = floats(&["t"], &[0.5, 1.1, f64::NAN]);
        days.attributes.insert("units", "days since 2000-01-01");
        let mut seconds = ints(&["t"], &[-43200, 8640, 0]);
        seconds.attributes.insert("units", "seconds since 2000-01-02");
        let (days, seconds) = (elements(&days, None).unwrap(), elements(&seconds, None).unwrap());
        assert!(days[0].is(&seconds[0]) && days[1].is(&seconds[1]) && !days[1].is(&seconds[2]));
        assert_eq!(days[2], Element::Missing);
        let places = Places::new(&days);
        assert_eq!(places.find(&seconds[1]), Some(1));
        assert_eq!(places.find(&seconds[2]), None);
    }

    #[test]
    fn bounds_have_the_units_of_their_variable() {
        let mut time = ints(&["t"], &[3]);
        time.attributes.insert("units", "hours since 2000-01-01");
        let bounds = ints(&["t"], &[2]);
        let found = elements(&bounds, Some(&time)).unwrap();
        let Element::Time(found) = found[0] else { panic!("{found:?}") };
        let Element::Time(own) = elements(&time, None).unwrap()[0] else { panic!() };
        assert_eq!(own - found, 3_600_000_000_000);
    }

    #[test]
    fn what_is_read_otherwise_is_told() {
        let mut source = ints(&["x"], &[1]);
        source.attributes.insert("_FillValue", AttributeValue::Int(-9));
        let with = |change: fn(&mut Array)| {
            let mut array = source.clone();
            change(&mut array);
            reads_otherwise(&array, &source).unwrap_or_default()
        };
        assert_eq!(with(|array| array.fill_value = Some(FillValue::Int(-9))), "");
        let words = with(|array| array.fill_value = Some(FillValue::Int(5)));
        assert_eq!(words, "its fill value is 5, and in the source none");
        let words = with(|array| {
            array.dtype = DataType::Int { length: 4, order: ByteOrder::Big };
        });
        assert!(words.contains("int32 (big-endian), and in the source int32"), "{words}");
        let words = with(|array| array.codecs = vec![Codec::new("increment").with("effort", 9)]);
        assert_eq!(words, "its codecs are increment(), and in the source none");
    }

    #[test]
    fn numbers_and_text_are_the_same_in_any_type() {
        let whole = elements(&floats(&["x"], &[7.0, 7.5]), None).unwrap();
        assert_eq!(whole, [Element::of_text("7"), Element::Float(7.5)]);
        let mut packed = ints(&["x"], &[10]);
        packed.attributes.insert("scale_factor", AttributeValue::Float(0.5));
        assert_eq!(elements(&packed, None).unwrap(), [Element::Int(5)]);
        let mut without = ints(&["x"], &[10, -9, 7]);
        let missing = AttributeValue::List(vec![AttributeValue::Int(-9), AttributeValue::Int(7)]);
        without.attributes.insert("missing_value", missing);
        let found = elements(&without, None).unwrap();
        assert_eq!(found, [Element::Int(10), Element::Missing, Element::Missing]);
        let silent = elements(&ints(&["x"], &[-2_147_483_647]), None).unwrap().remove(0);
        assert!(silent.is(&Element::Missing) && Element::Int(-2_147_483_647).is(&silent));
        assert!(!silent.is(&Element::Int(3)));
        assert_eq!(Places::new(&whole).find(&Element::of_text("7.5")), Some(1));
        assert_eq!(Element::of_text(" r1i1 "), Element::Bytes(b"r1i1".to_vec()));
        let days = DataType::DateTime { unit: "D".to_owned(), order: ByteOrder::Little };
        for text in ["20240227", "2024-02-27"] {
            assert_eq!(Element::of_text_in(text, &days), Element::Int(19_780));
        }
        let word = Element::of_text_in("1", &DataType::FixedString { length: 1 });
        assert_eq!(word, Element::Bytes(b"1".to_vec()));
    }
}
