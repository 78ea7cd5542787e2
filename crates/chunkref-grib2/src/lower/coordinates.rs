// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coordinates of a dataset that are not its grid's: in the references.

use chunkref_core::model::{Array, AttributeValue, Attributes, ChunkRef, SourceId};

use super::arrays::{self, FLOAT, INT};
use super::budget::Budget;
use crate::cube::{Axes, Ordered};
use crate::error::Result;
use crate::field::hours;
use crate::table::coordinate;

/// Named arrays.
pub(crate) type Named = Vec<(String, Array)>;

/// Time, step, valid time, member, percentile and level. Axes of one value are scalars, but for `time` and `step` when
/// `with_times`.
pub(crate) fn others(axes: &Axes, with_times: bool, budget: &mut Budget<'_>) -> Result<Named> {
    let mut named = Named::new();
    let (times, steps) = (&axes.times, &axes.steps);
    // Counted before it is made: a few fields far apart make a large product.
    budget.check_values((times.len() as u64).saturating_mul(steps.len() as u64))?;
    let valid: Vec<i64> = times
        .iter()
        .flat_map(|time| steps.iter().map(move |step| time.saturating_add(*step)))
        .collect();
    let scalar: &[&str] = &[];
    let pick = |dimensions: &'static [&'static str]| if with_times { dimensions } else { scalar };
    let shape = |lengths: &[usize]| -> Vec<u64> {
        if with_times { lengths.iter().map(|&length| length as u64).collect() } else { Vec::new() }
    };
    let mut push = |name: &str, shape: Vec<u64>, dimensions: &[&str], dtype, bytes| -> Result<()> {
        let attributes = coordinate::attributes(name);
        let array = arrays::inline(budget, shape, dimensions, dtype, bytes, attributes)?;
        named.push((name.to_owned(), array));
        Ok(())
    };
    push("time", shape(&[times.len()]), pick(&["time"]), INT, arrays::int_bytes(times))?;
    let (dtype, bytes) = step_bytes(steps);
    push("step", shape(&[steps.len()]), pick(&["step"]), dtype, bytes)?;
    push(
        "valid_time",
        shape(&[times.len(), steps.len()]),
        pick(&["time", "step"]),
        INT,
        arrays::int_bytes(&valid),
    )?;
    for (name, values) in [("number", &axes.numbers), ("percentile", &axes.percentiles)] {
        let known: Vec<i64> = values.iter().flatten().map(|&value| i64::from(value)).collect();
        if known.is_empty() {
            continue;
        }
        // A field without a number beside others that have one: ecCodes calls it 0.
        let all: Vec<i64> = values.iter().map(|value| value.map_or(0, i64::from)).collect();
        let bytes = arrays::int_bytes(&all);
        if all.len() > 1 {
            push(name, vec![all.len() as u64], &[name], INT, bytes)?;
        } else {
            push(name, Vec::new(), scalar, INT, bytes)?;
        }
    }
    let name = axes.type_of_level.as_str();
    let tops: Vec<f64> = axes.levels.iter().map(|(first, _)| first.0).collect();
    let bytes = arrays::float_bytes(&tops);
    let is_axis = tops.len() > 1;
    let (level_shape, level_dimensions): (Vec<u64>, &[&str]) =
        if is_axis { (vec![tops.len() as u64], &[name]) } else { (Vec::new(), scalar) };
    let has_bounds = axes.levels.iter().any(|(_, second)| second.is_some());
    let mut attributes = coordinate::attributes(name);
    if has_bounds {
        attributes.insert("bounds", format!("{name}_bounds"));
    }
    named.push((
        name.to_owned(),
        arrays::inline(budget, level_shape.clone(), level_dimensions, FLOAT, bytes, attributes)?,
    ));
    if has_bounds {
        let bounds: Vec<f64> = axes
            .levels
            .iter()
            .flat_map(|(first, second)| [first.0, second.map_or(first.0, |Ordered(second)| second)])
            .collect();
        let (mut shape, mut dimensions) = (level_shape, level_dimensions.to_vec());
        shape.push(2);
        dimensions.push("bounds");
        let bytes = arrays::float_bytes(&bounds);
        let array = arrays::inline(budget, shape, &dimensions, FLOAT, bytes, Attributes::new())?;
        named.push((format!("{name}_bounds"), array));
    }
    Ok(named)
}

/// Steps in hours: whole numbers where all are, as kerchunk has them.
fn step_bytes(steps: &[i64]) -> (chunkref_core::model::DataType, Vec<u8>) {
    if steps.iter().all(|step| step.rem_euclid(3600) == 0) {
        let whole: Vec<i64> = steps.iter().map(|step| step.div_euclid(3600)).collect();
        (INT, arrays::int_bytes(&whole))
    } else {
        let parts: Vec<f64> = steps.iter().map(|&step| hours(step)).collect();
        (FLOAT, arrays::float_bytes(&parts))
    }
}

/// The attribute that names the coordinates of a group.
pub(crate) fn listed(named: &Named) -> AttributeValue {
    let listed: Vec<_> = named
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !name.ends_with("_bounds"))
        .collect();
    listed.join(" ").into()
}

/// References of `fields` at their places, on axes of which those of one value are left out.
pub(crate) fn references(
    cube: &crate::cube::Cube<'_>,
    kept: [bool; 5],
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
