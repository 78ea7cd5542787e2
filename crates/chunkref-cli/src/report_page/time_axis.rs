// SPDX-License-Identifier: MIT OR Apache-2.0
//! Axes of time, and what is missing along them.

use std::io::{self, Write};

use chunkref::combine::{are_since, date_of};
use chunkref::model::{AttributeValue, DataType};
use chunkref::read::{Open, ReadError, Values, read_region};
use chunkref::{Array, ChunkRef, Dataset};

use super::markup::{Column, Plain, begin_table, end_table};
use crate::element;
use crate::table::grouped;

/// Most bytes of an axis.
const MOST_BYTES: u64 = 64 << 20;
/// Most chunks that are read of an axis.
const MOST_READ: u64 = 10_000;
/// Gaps in the table, and in the picture.
const MOST_GAPS: usize = 200;
/// A step longer than this many median steps is a gap.
const GAP: f64 = 1.5;

/// A step that is longer than others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gap {
    /// The element before it.
    pub(super) index: usize,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The steps along an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    /// Numbers; what is no number is left out of all else.
    pub(super) values: usize,
    /// Elements that are no number.
    pub(super) undefined: usize,
    pub(super) least: f64,
    pub(super) most: f64,
    /// Of the steps that go on; `None` where there is none.
    pub(super) median: Option<f64>,
    pub(super) shortest: f64,
    pub(super) longest: f64,
    /// Steps that go nowhere, or back.
    pub(super) not_ascending: usize,
    pub(super) gaps: Vec<Gap>,
}

impl Steps {
    /// Those of the elements of an axis; `None` where no element is a number.
    pub(super) fn of(elements: &[f64]) -> Option<Self> {
        let numbers: Vec<(usize, f64)> =
            elements.iter().copied().enumerate().filter(|element| element.1.is_finite()).collect();
        let first = numbers.first()?.1;
        let extreme = |pick: fn(f64, f64) -> f64| {
            numbers.iter().fold(first, |value, number| pick(value, number.1))
        };
        let all: Vec<Gap> = numbers
            .windows(2)
            .filter_map(|pair| match *pair {
                [(index, from), (_, to)] => Some(Gap { index, from, to }),
                _ => None,
            })
            .collect();
        let mut onward: Vec<f64> =
            all.iter().map(|step| step.to - step.from).filter(|&step| step > 0.0).collect();
        onward.sort_by(f64::total_cmp);
        let median = onward.get(onward.len() / 2).map(|&upper| {
            let even = onward.len().is_multiple_of(2);
            let lower = (onward.len() / 2).checked_sub(usize::from(even));
            let lower = lower.and_then(|place| onward.get(place)).unwrap_or(&upper);
            upper.midpoint(*lower)
        });
        let is_gap = |step: &Gap| median.is_some_and(|median| step.to - step.from > GAP * median);
        Some(Self {
            values: numbers.len(),
            undefined: elements.len() - numbers.len(),
            least: extreme(f64::min),
            most: extreme(f64::max),
            median,
            shortest: onward.first().copied().unwrap_or_default(),
            longest: onward.last().copied().unwrap_or_default(),
            not_ascending: all.len() - onward.len(),
            gaps: all.into_iter().filter(is_gap).collect(),
        })
    }
}

/// An axis of time.
#[derive(Debug)]
pub(super) struct TimeAxis {
    pub(super) path: String,
    pub(super) units: String,
    calendar: String,
    /// Its steps, or why they are not known.
    pub(super) steps: Result<Steps, String>,
}

impl TimeAxis {
    /// A value as a date, where its units and calendar are computed, or else as it is.
    fn at(&self, value: f64) -> String {
        date_of(value, &self.units, &self.calendar).unwrap_or_else(|| value.to_string())
    }
}

/// All axes of time, read.
///
/// # Errors
/// When a source fails: what the page would say of an axis then is nothing about the references.
pub(super) async fn read(
    dataset: &Dataset,
    objects: &dyn Open,
) -> Result<Vec<TimeAxis>, ReadError> {
    let mut axes = Vec::new();
    for (path, array) in dataset.arrays() {
        let [length] = array.shape[..] else { continue };
        let units = units(array);
        let name = path.rsplit('/').next().unwrap_or(&path).to_ascii_lowercase();
        let is_time = are_since(&units);
        // Other arrays along an axis, such as the time of each sounding, have a name of their own.
        let is_coordinate =
            array.dimensions.first().is_some_and(|own| path.ends_with(own.as_str()));
        if length == 0 || !(is_time && is_coordinate || matches!(name.as_str(), "time" | "t")) {
            continue;
        }
        let steps = match steps(dataset, objects, &path, array, length).await {
            Ok(steps) => Ok(steps),
            Err(Unknown::Reason(reason)) => Err(reason),
            // Without an object, or where the set may not name it, nothing is known of the values: that is so.
            Err(Unknown::Read(ReadError::Source(error))) if error.kind.is_fault_of_sibling() => {
                return Err(ReadError::Source(error));
            }
            Err(Unknown::Read(error)) => Err(error.to_string()),
        };
        let calendar = text(array, "calendar").unwrap_or("standard").to_owned();
        axes.push(TimeAxis { path, units, calendar, steps });
    }
    Ok(axes)
}

/// Why the steps of an axis are not known.
enum Unknown {
    Reason(String),
    Read(ReadError),
}

impl Unknown {
    fn new(reason: &str) -> Self {
        Self::Reason(reason.to_owned())
    }
}

fn units(array: &Array) -> String {
    match (text(array, "units"), &array.dtype) {
        (Some(units), _) => units.to_owned(),
        (None, DataType::DateTime { unit, .. }) => {
            format!("{} since 1970-01-01", if unit == "D" { "days" } else { unit })
        }
        _ => String::new(),
    }
}

fn text<'a>(array: &'a Array, name: &str) -> Option<&'a str> {
    match array.attributes.get(name)? {
        AttributeValue::Text(text) => Some(text),
        _ => None,
    }
}

async fn steps(
    dataset: &Dataset,
    objects: &dyn Open,
    path: &str,
    array: &Array,
    length: u64,
) -> Result<Steps, Unknown> {
    let mut reads = 0_u64;
    array.manifest.visit_numbers(0..u64::MAX, &mut |_, reference| {
        reads += u64::from(matches!(reference, ChunkRef::Virtual { .. }));
    });
    if reads > MOST_READ {
        return Err(Unknown::Reason(format!(
            "its values lie in {} chunks, too many to read them for a page",
            grouped(reads)
        )));
    }
    let whole = 0..length;
    let read = read_region(dataset, objects, path, std::slice::from_ref(&whole), MOST_BYTES).await;
    let Values::Fixed(bytes) = read.map_err(Unknown::Read)? else {
        return Err(Unknown::new("its values are no numbers"));
    };
    let width = array.dtype.length_bytes().and_then(|width| usize::try_from(width).ok());
    let fill = ["_FillValue", "missing_value"].map(|name| number(array, name));
    let packed = [number(array, "scale_factor"), number(array, "add_offset")];
    let [scale, offset] = [packed[0].unwrap_or(1.0), packed[1].unwrap_or(0.0)];
    let elements: Vec<f64> = bytes
        .chunks_exact(width.unwrap_or(1).max(1))
        .map(|bytes| {
            let text = element::text(&array.dtype, bytes);
            // Dates of numpy have their unit behind the number.
            let value = text.split(' ').next().and_then(|number| number.parse::<f64>().ok());
            value
                .filter(|&value| !fill.contains(&Some(value)))
                .map_or(f64::NAN, |value| value.mul_add(scale, offset))
        })
        .collect();
    Steps::of(&elements).ok_or_else(|| Unknown::new("it has no number among its values"))
}

#[expect(clippy::cast_precision_loss, reason = "times far from the limits of integers")]
fn number(array: &Array, name: &str) -> Option<f64> {
    match array.attributes.get(name)? {
        AttributeValue::Int(value) => Some(*value as f64),
        AttributeValue::UInt(value) => Some(*value as f64),
        AttributeValue::Float(value) => Some(*value),
        _ => None,
    }
}

/// The section of one axis, whose number in the page is `number`.
pub(super) fn write(out: &mut dyn Write, number: usize, axis: &TimeAxis) -> io::Result<()> {
    let path = Plain(&axis.path);
    writeln!(out, "<article>\n<h3><code>{path}</code></h3>")?;
    if !axis.units.is_empty() {
        writeln!(out, "<p>Units: {}</p>", Plain(&axis.units))?;
    }
    let steps = match &axis.steps {
        Ok(steps) => steps,
        Err(reason) => {
            return writeln!(out, "<p>Not read: {}</p>\n</article>", Plain(reason));
        }
    };
    let unit = axis.units.split_whitespace().next().unwrap_or_default();
    writeln!(out, "<dl class=\"figures wide\">")?;
    let mut figure = |name: &str, value: String| {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", Plain(&value))
    };
    figure("Values", grouped(steps.values as u64))?;
    figure("From", axis.at(steps.least))?;
    figure("To", axis.at(steps.most))?;
    if let Some(median) = steps.median {
        figure("Median step", format!("{median} {unit}"))?;
        figure("Shortest and longest", format!("{} and {} {unit}", steps.shortest, steps.longest))?;
    }
    figure("Gaps", grouped(steps.gaps.len() as u64))?;
    figure("Not ascending", grouped(steps.not_ascending as u64))?;
    figure("Undefined", grouped(steps.undefined as u64))?;
    writeln!(out, "</dl>")?;
    if steps.most > steps.least {
        strip(out, axis, steps)?;
    }
    if !steps.gaps.is_empty() {
        table(out, number, axis, steps, unit)?;
    }
    writeln!(out, "</article>")
}

fn table(
    out: &mut dyn Write,
    number: usize,
    axis: &TimeAxis,
    steps: &Steps,
    unit: &str,
) -> io::Result<()> {
    let caption = format!(
        "Gaps of {}: steps longer than {GAP} times the median{}",
        Plain(&axis.path),
        if steps.gaps.len() > MOST_GAPS { ", the first ones" } else { "" }
    );
    let columns = [
        ("Behind element", Column::Number),
        ("From", Column::Number),
        ("To", Column::Number),
        ("Step", Column::Number),
        ("Median steps", Column::Number),
    ];
    begin_table(out, &format!("gaps-{number}"), &caption, &columns)?;
    for gap in steps.gaps.iter().take(MOST_GAPS) {
        let step = gap.to - gap.from;
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"number\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{step} {}</td><td class=\"number\">{:.1}</td></tr>",
            gap.index,
            Plain(&axis.at(gap.from)),
            Plain(&axis.at(gap.to)),
            Plain(unit),
            step / steps.median.unwrap_or(step)
        )?;
    }
    end_table(out)
}

/// The axis from its least to its greatest value, with its gaps.
fn strip(out: &mut dyn Write, axis: &TimeAxis, steps: &Steps) -> io::Result<()> {
    let label = format!(
        "Time axis {} from {} to {}: {} values, {} gaps.",
        axis.path,
        axis.at(steps.least),
        axis.at(steps.most),
        steps.values,
        steps.gaps.len()
    );
    let place = |value: f64| (value - steps.least) / (steps.most - steps.least) * 896.0;
    writeln!(
        out,
        "<figure><svg class=\"strip\" role=\"img\" tabindex=\"0\" aria-label=\"{}\" viewBox=\"0 0 900 44\">\
         <rect x=\"2\" y=\"4\" width=\"896\" height=\"20\" class=\"there\"/>",
        Plain(&label)
    )?;
    for gap in steps.gaps.iter().take(MOST_GAPS) {
        let (from, to) = (place(gap.from), place(gap.to));
        writeln!(
            out,
            "<g><title>{} to {}</title><rect x=\"{:.1}\" y=\"4\" width=\"{:.1}\" height=\"20\" class=\"missing-ground\"/>\
             <rect x=\"{:.1}\" y=\"4\" width=\"{:.1}\" height=\"20\" fill=\"url(#p-missing)\"/></g>",
            Plain(&axis.at(gap.from)),
            Plain(&axis.at(gap.to)),
            from + 2.0,
            (to - from).max(2.0),
            from + 2.0,
            (to - from).max(2.0)
        )?;
    }
    writeln!(
        out,
        "<text x=\"2\" y=\"40\">{}</text><text x=\"898\" y=\"40\" text-anchor=\"end\">{}</text></svg>\n\
         <figcaption>Filled where steps are regular, crossed where there is a gap.</figcaption></figure>",
        Plain(&axis.at(steps.least)),
        Plain(&axis.at(steps.most))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_longer_than_others_are_gaps() {
        let steps = Steps::of(&[0.0, 6.0, 12.0, 18.0, 42.0, 48.0, 57.0, 66.5]).unwrap();
        assert_eq!(steps.median, Some(6.0));
        let gaps: Vec<_> = steps.gaps.iter().map(|gap| (gap.index, gap.from, gap.to)).collect();
        // 9 is 1.5 times the median, and no gap.
        assert_eq!(gaps, [(3, 18.0, 42.0), (6, 57.0, 66.5)]);
        assert_eq!((steps.shortest, steps.longest), (6.0, 24.0));
        assert_eq!((steps.least, steps.most, steps.not_ascending), (0.0, 66.5, 0));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_two() {
        assert_eq!(Steps::of(&[0.0, 1.0, 4.0]).unwrap().median, Some(2.0));
        assert_eq!(Steps::of(&[0.0, 1.0]).unwrap().median, Some(1.0));
    }

    #[test]
    fn what_is_no_number_or_goes_back_is_counted() {
        let steps = Steps::of(&[5.0, f64::NAN, 7.0, 7.0, 1.0, 3.0]).unwrap();
        assert_eq!((steps.values, steps.undefined, steps.not_ascending), (5, 1, 2));
        assert_eq!((steps.least, steps.most, steps.median), (1.0, 7.0, Some(2.0)));
        assert_eq!(steps.gaps, []);
        assert_eq!(Steps::of(&[3.0]).unwrap().median, None);
        assert_eq!(Steps::of(&[f64::NAN, f64::INFINITY]), None);
        assert_eq!(Steps::of(&[]), None);
    }
}
