// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coordinates of a dataset that are not its grid's: in the references.

use chunkref_core::model::{Array, AttributeValue, Attributes, ChunkRef, DataType, SourceId};

use super::arrays::{self, FLOAT, INT};
use super::budget::Budget;
use crate::cube::{Axes, Limits, Ordered, Starts};
use crate::error::Result;
use crate::field::hours;
use crate::table::coordinate;

/// Bounds of intervals, which users ask for by name.
const INTERVALS: [&str; 2] = ["step_bounds", "valid_time_bounds"];

/// Named arrays.
pub(crate) type Named = Vec<(String, Array)>;

/// Time, step, valid time, member, percentile, threshold and level, and the bounds of those that have some. Axes of one
/// value are scalars, but for those of the level when `with_times`.
pub(crate) fn others(axes: &Axes, with_times: bool, budget: &mut Budget<'_>) -> Result<Named> {
    let mut others = Others { named: Named::new(), budget, with_times };
    others.times(axes)?;
    let of_number = |value: &Option<u16>| value.map(i64::from);
    others.counts("number", axes.numbers.iter().map(of_number))?;
    let of_percentile = |value: &Option<u8>| value.map(i64::from);
    others.counts("percentile", axes.percentiles.iter().map(of_percentile))?;
    others.thresholds(&axes.thresholds)?;
    others.levels(axes)?;
    Ok(others.named)
}

/// Coordinates that are not the grid's, as they are made.
struct Others<'a, 'b> {
    named: Named,
    budget: &'a mut Budget<'b>,
    /// Whether time and step are axes, be they of one value.
    with_times: bool,
}

impl Others<'_, '_> {
    fn push(
        &mut self,
        name: &str,
        shape: Vec<u64>,
        dimensions: &[&str],
        (dtype, bytes): (DataType, Vec<u8>),
        attributes: Attributes,
    ) -> Result<()> {
        let array = arrays::inline(self.budget, shape, dimensions, dtype, bytes, attributes)?;
        self.named.push((name.to_owned(), array));
        Ok(())
    }

    /// Time, step and valid time. Values of an interval have the bounds of the last two; where there is no field, they end
    /// where they begin.
    fn times(&mut self, axes: &Axes) -> Result<()> {
        let (times, steps) = (&axes.times, &axes.steps);
        // Counted before it is made: a few fields far apart make a large product.
        self.budget.check_values((times.len() as u64).saturating_mul(steps.len() as u64))?;
        let places = || times.iter().flat_map(|&time| steps.iter().map(move |&step| (time, step)));
        let ends: Vec<i64> = places().map(|(time, step)| time.saturating_add(step)).collect();
        let (dtype, count) = step_type(steps, &axes.starts);
        // kerchunk's datasets of one message, which have no time axes, have none.
        let has_bounds = self.with_times && axes.starts != Starts::None;
        let in_hours = |seconds: Vec<i64>| (dtype.clone(), count(&seconds));
        let with_bounds = |name: &str| {
            let mut attributes = coordinate::attributes(name);
            if has_bounds {
                attributes.insert("bounds", format!("{name}_bounds"));
            }
            attributes
        };
        let (by_time, by_step) = (times.len() as u64, steps.len() as u64);
        let all: [(u64, &str); 2] = [(by_time, "time"), (by_step, "step")];
        let [of_time, of_step] = all;
        let int = |values: &[i64]| (INT, arrays::int_bytes(values));
        self.of_times("time", &[of_time], None, int(times), coordinate::attributes("time"))?;
        self.of_times("step", &[of_step], None, in_hours(steps.clone()), with_bounds("step"))?;
        self.of_times("valid_time", &all, None, int(&ends), with_bounds("valid_time"))?;
        let starts: Vec<i64> = match &axes.starts {
            _ if !has_bounds => return Ok(()),
            Starts::None => Vec::new(),
            Starts::Steps(starts) => times.iter().flat_map(|_| starts.iter().copied()).collect(),
            Starts::Times(starts) => {
                let known = places().zip(starts);
                known.map(|((_, step), start)| start.unwrap_or(step)).collect()
            }
        };
        self.budget.check_values((ends.len() as u64).saturating_mul(4))?;
        let pair = |start: i64, end: i64| [start, end];
        let bounds = |name| {
            let mut attributes = coordinate::attributes(name);
            for name in ["standard_name", "long_name"] {
                attributes.remove(name);
            }
            attributes
        };
        let valid: Vec<i64> = places()
            .zip(&starts)
            .flat_map(|((time, step), start)| {
                pair(time.saturating_add(*start), time.saturating_add(step))
            })
            .collect();
        let (dimensions, count) = match &axes.starts {
            Starts::Times(_) => (&all[..], starts.len()),
            _ => (&all[1..], steps.len()),
        };
        let of_steps: Vec<i64> = places()
            .zip(&starts)
            .take(count)
            .flat_map(|((_, step), start)| pair(*start, step))
            .collect();
        let two = Some((2, "bounds"));
        self.of_times("step_bounds", dimensions, two, in_hours(of_steps), bounds("step"))?;
        self.of_times("valid_time_bounds", &all, two, int(&valid), bounds("valid_time"))
    }

    /// A coordinate along time and step, or a scalar where they are none, and perhaps along one more.
    fn of_times(
        &mut self,
        name: &str,
        along: &[(u64, &str)],
        more: Option<(u64, &str)>,
        values: (DataType, Vec<u8>),
        attributes: Attributes,
    ) -> Result<()> {
        let along = if self.with_times { along } else { &[] };
        let (shape, dimensions): (Vec<u64>, Vec<&str>) = along.iter().copied().chain(more).unzip();
        self.push(name, shape, &dimensions, values, attributes)
    }

    /// A coordinate of whole numbers, where some field has one.
    fn counts(&mut self, name: &str, values: impl Iterator<Item = Option<i64>>) -> Result<()> {
        let values: Vec<_> = values.collect();
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        let values: Vec<i64> = values.into_iter().map(Option::unwrap_or_default).collect();
        let bytes = arrays::int_bytes(&values);
        let axis = (name, values.len(), self.with_times);
        self.along(axis, name, (INT, bytes), coordinate::attributes(name))
    }

    /// An array along an axis, or a scalar where that is none.
    fn along(
        &mut self,
        (axis, length, is_axis): (&str, usize, bool),
        name: &str,
        values: (DataType, Vec<u8>),
        attributes: Attributes,
    ) -> Result<()> {
        let (shape, dimensions): (Vec<u64>, &[&str]) =
            if is_axis { (vec![length as u64], &[axis]) } else { (Vec::new(), &[]) };
        self.push(name, shape, dimensions, values, attributes)
    }

    /// The limits of events: `threshold_lower` and `threshold_upper` where events have such, and `threshold` where each
    /// has one of them alone.
    fn thresholds(&mut self, thresholds: &[Option<Limits>]) -> Result<()> {
        let pairs: Vec<_> = thresholds.iter().flatten().collect();
        if pairs.is_empty() {
            return Ok(());
        }
        let number = |limit: Option<Ordered>| limit.map_or(f64::NAN, |limit| limit.0);
        let lower: Vec<f64> = pairs.iter().map(|(lower, _)| number(*lower)).collect();
        let upper: Vec<f64> = pairs.iter().map(|(_, upper)| number(*upper)).collect();
        let one: Vec<f64> = pairs
            .iter()
            .filter(|(lower, upper)| lower.is_some() != upper.is_some())
            .filter_map(|(lower, upper)| lower.or(*upper).map(|limit| limit.0))
            .collect();
        for (name, values) in
            [("threshold", one), ("threshold_lower", lower), ("threshold_upper", upper)]
        {
            if values.len() == pairs.len() && !values.iter().all(|value| value.is_nan()) {
                let bytes = arrays::float_bytes(&values);
                let attributes = coordinate::attributes(name);
                let axis = ("threshold", values.len(), self.with_times);
                self.along(axis, name, (FLOAT, bytes), attributes)?;
            }
        }
        Ok(())
    }

    /// Levels, and the bounds of layers.
    fn levels(&mut self, axes: &Axes) -> Result<()> {
        let name = axes.type_of_level.as_str();
        let tops: Vec<f64> = axes.levels.iter().map(|(first, _)| first.0).collect();
        let has_bounds = axes.levels.iter().any(|(_, second)| second.is_some());
        let mut attributes = coordinate::attributes(name);
        if has_bounds {
            attributes.insert("bounds", format!("{name}_bounds"));
        }
        let bytes = arrays::float_bytes(&tops);
        self.along((name, tops.len(), tops.len() > 1), name, (FLOAT, bytes), attributes)?;
        if !has_bounds {
            return Ok(());
        }
        let bounds: Vec<f64> = axes
            .levels
            .iter()
            .flat_map(|(first, second)| [first.0, second.map_or(first.0, |Ordered(second)| second)])
            .collect();
        let (mut shape, mut dimensions) = (Vec::new(), Vec::new());
        if tops.len() > 1 {
            shape.push(tops.len() as u64);
            dimensions.push(name);
        }
        shape.push(2);
        dimensions.push("bounds");
        let values = (FLOAT, arrays::float_bytes(&bounds));
        self.push(&format!("{name}_bounds"), shape, &dimensions, values, Attributes::new())
    }
}

/// Makes bytes of seconds.
type Encode = fn(&[i64]) -> Vec<u8>;

/// The type of steps and of their bounds, and what makes bytes of seconds: whole hours where all are, as kerchunk has them,
/// else hours with a fraction.
fn step_type(steps: &[i64], starts: &Starts) -> (DataType, Encode) {
    let is_whole = |seconds: &i64| seconds.rem_euclid(3600) == 0;
    let are_starts_whole = match starts {
        Starts::None => true,
        Starts::Steps(starts) => starts.iter().all(is_whole),
        Starts::Times(starts) => starts.iter().flatten().all(is_whole),
    };
    if are_starts_whole && steps.iter().all(is_whole) {
        let count = |seconds: &[i64]| {
            let whole: Vec<i64> = seconds.iter().map(|step| step.div_euclid(3600)).collect();
            arrays::int_bytes(&whole)
        };
        (INT, count)
    } else {
        let count = |seconds: &[i64]| {
            let parts: Vec<f64> = seconds.iter().map(|&step| hours(step)).collect();
            arrays::float_bytes(&parts)
        };
        (FLOAT, count)
    }
}

/// The attribute that names the coordinates of a group: bounds of levels are found by the levels' attribute.
pub(crate) fn listed(named: &Named) -> AttributeValue {
    let listed: Vec<_> = named
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.ends_with("_bounds") || INTERVALS.contains(name))
        .collect();
    listed.join(" ").into()
}

/// References of `fields` at their places, on axes of which those of one value are left out.
pub(crate) fn references(
    cube: &crate::cube::Cube<'_>,
    kept: [bool; 6],
    rank: usize,
    source: SourceId,
) -> Vec<(Vec<u64>, ChunkRef)> {
    cube.fields
        .iter()
        .filter_map(|field| {
            let indices = cube.indices(field)?;
            let mut place: Vec<u64> = indices
                .into_iter()
                .zip(kept)
                .filter_map(|(index, kept)| kept.then_some(index))
                .collect();
            place.extend(std::iter::repeat_n(0, rank));
            Some((place, arrays::reference(source, field)))
        })
        .collect()
}
