// SPDX-License-Identifier: MIT OR Apache-2.0
//! The times that forecasts are valid at: of runs and steps that no input has together they are known all the same.
//!
//! Spec: CF Conventions 1.11, standard names `forecast_reference_time`, `forecast_period` and `time`, of which the last is
//! the sum of the others.

use chunkref_model::{Array, AttributeValue, ByteOrder, DataType, Dataset, Group};

use crate::element::{Element, elements};
use crate::time::{Calendar, Units};

/// Fills the holes of such times where those that are there are that sum.
pub(crate) fn complete(dataset: &mut Dataset) {
    complete_group(&mut dataset.root);
}

fn complete_group(group: &mut Group) {
    let completed: Vec<_> = group
        .arrays
        .iter()
        .filter(|(_, array)| names(array, "time") && array.fill_value.is_some())
        .filter_map(|(name, array)| Some((name.clone(), completed(group, array)?)))
        .collect();
    group.arrays.extend(completed);
    group.groups.values_mut().for_each(complete_group);
}

fn text<'a>(array: &'a Array, name: &str) -> Option<&'a str> {
    match array.attributes.get(name) {
        Some(AttributeValue::Text(text)) => Some(text),
        _ => None,
    }
}

fn names(array: &Array, standard_name: &str) -> bool {
    text(array, "standard_name") == Some(standard_name)
}

/// The array without holes; `None` where it has none, or is not the sum.
fn completed(group: &Group, array: &Array) -> Option<Array> {
    let DataType::Int { length: 8, order } = array.dtype else { return None };
    let [first, second] = array.dimensions.as_slice() else { return None };
    let axes = [group.arrays.get(first)?, group.arrays.get(second)?];
    let is_run_first = names(axes[0], "forecast_reference_time");
    let [run, step] = if is_run_first { axes } else { [axes[1], axes[0]] };
    if !names(run, "forecast_reference_time") || !names(step, "forecast_period") {
        return None;
    }
    let (runs, steps) = (elements(run, None)?, elements(step, None)?);
    // Units of a duration are those of times without a date.
    let hours = Units::unit_in(&format!("{} since 1970-01-01", text(step, "units")?))?;
    let sum = |run: &Element, step: &Element| -> Option<i128> {
        let (Element::Time(run), Element::Int(step)) = (run, step) else { return None };
        run.checked_add(step.checked_mul(hours)?)
    };
    let sums: Vec<Option<i128>> = if is_run_first {
        runs.iter().flat_map(|run| steps.iter().map(move |step| sum(run, step))).collect()
    } else {
        steps.iter().flat_map(|step| runs.iter().map(move |run| sum(run, step))).collect()
    };
    let calendar = Calendar::of(text(array, "calendar").unwrap_or("standard"))?;
    let units = Units::parse(text(array, "units")?, calendar)?;
    let mut values = array.plain_values()?;
    let mut has_holes = false;
    for ((known, sum), slot) in
        elements(array, None)?.into_iter().zip(sums).zip(values.chunks_exact_mut(8))
    {
        match (known, sum) {
            (Element::Missing, None) => {}
            (Element::Missing, Some(sum)) => {
                let since = sum.checked_sub(units.epoch)?;
                let number = i64::try_from(since.checked_div(units.unit)?).ok()?;
                if since.checked_rem(units.unit) != Some(0) {
                    return None;
                }
                slot.copy_from_slice(&match order {
                    ByteOrder::Little => number.to_le_bytes(),
                    ByteOrder::Big => number.to_be_bytes(),
                });
                has_holes = true;
            }
            (Element::Time(known), Some(sum)) if known == sum => {}
            _ => return None,
        }
    }
    has_holes.then(|| array.clone().with_plain_values(values.into()))
}

#[cfg(test)]
mod tests {
    use chunkref_core::{CombineOptions, Missing};

    use super::*;
    use crate::testing::plain;

    const INT: DataType = DataType::Int { length: 8, order: ByteOrder::Little };

    /// One run at one step, in hours; `valid` is what it says it is valid at, in seconds.
    fn input(run: i64, step: i64, valid: i64) -> Dataset {
        let mut dataset = Dataset::new();
        let mut add = |name: &str, dimensions: &[&str], value: i64, standard: &str, units: &str| {
            let shape = vec![1; dimensions.len()];
            let mut array = plain(INT, dimensions, &shape, value.to_le_bytes().to_vec());
            array.attributes.insert("standard_name", standard);
            array.attributes.insert("units", units);
            dataset.root.arrays.insert(name.to_owned(), array);
        };
        let since = "seconds since 1970-01-01";
        add("time", &["time"], run * 3600, "forecast_reference_time", since);
        add("step", &["step"], step, "forecast_period", "hours");
        add("valid_time", &["time", "step"], valid, "time", since);
        dataset
    }

    fn valid_times(inputs: &[Dataset]) -> Vec<Element> {
        let options = CombineOptions::default()
            .with_concat_dimensions(["time", "step"])
            .with_missing(Missing::Fill);
        let cube = crate::combine(inputs, &options).unwrap().dataset;
        elements(cube.array("valid_time").unwrap(), None).unwrap()
    }

    #[test]
    fn what_no_input_has_is_known() {
        let inputs = [input(0, 0, 0), input(0, 6, 6 * 3600), input(24, 6, 30 * 3600)];
        let times = valid_times(&inputs);
        assert_eq!(times[2], elements(inputs[2].array("time").unwrap(), None).unwrap()[0]);
    }

    #[test]
    fn other_times_stay_as_they_are() {
        let times = valid_times(&[input(0, 0, 0), input(0, 6, 7 * 3600), input(24, 6, 30 * 3600)]);
        assert_eq!(times[2], Element::Missing);
    }
}
