// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that the references hold themselves, held against those of the sources.

use std::collections::{HashMap, HashSet};

use chunkref_combine::element::{Element, elements};
use chunkref_core::{CombineOptions, Duplicates};
use chunkref_model::dataset::join_path;
use chunkref_model::{Array, Dataset};
use chunkref_read::Open;

use super::placement::{Placement, known, owner, parent};
use super::{Check, Cube, Failure};

/// Elements of the cube that a source gave a value, where several may: the flat index by array.
#[derive(Debug, Default)]
pub(super) struct Claimed(HashMap<usize, HashSet<u64>>);

/// An array of the cube whose values are in the references, and that of one source.
pub(super) struct Written<'a> {
    pub(super) number: usize,
    pub(super) path: &'a str,
    pub(super) array: &'a Array,
    pub(super) scan: &'a Dataset,
    pub(super) url: &'a str,
    pub(super) own_path: &'a str,
    pub(super) placement: &'a Placement,
}

/// Compares the values of one array with those of one source, in the places where they belong.
pub(super) async fn compare(
    cube: &Cube<'_>,
    objects: &dyn Open,
    written: &Written<'_>,
    options: &CombineOptions,
    claimed: &mut Claimed,
    check: &mut Check,
) {
    let Written { path, array, scan, own_path, .. } = *written;
    let name = path.rsplit('/').next().unwrap_or(path);
    let along =
        array.dimensions.iter().any(|name| written.placement.along(name, written.path).is_some());
    let named = options.identical.iter().any(|own| own == path || own == name);
    if named && !along {
        return;
    }
    let fail = |reason: String| Failure {
        array: Some(path.to_owned()),
        url: Some(written.url.to_owned()),
        reason,
        ..Failure::default()
    };
    let own = match known(scan, own_path, objects).await {
        Ok(Some(own)) => own,
        Ok(None) => return,
        Err(error) => return check.fail(fail(format!("its values cannot be read: {error}"))),
    };
    // Bounds are those of the same variable in every source, whether or not each says so.
    let beside = |(owner, _): (&str, _)| scan.array(&join_path(parent(own_path), owner));
    let (there, here) = (owner(cube.dataset, path), owner(scan, own_path));
    let here = here.map(|(_, array)| array).or_else(|| there.and_then(beside));
    let found = elements(array, there.map(|(_, array)| array));
    let expected = elements(&own, here);
    let (Some(found), Some(expected)) = (found, expected) else { return };
    let Some(targets) = targets(written, &own) else { return };
    check.count(1);
    let overlapping = options.duplicates != Duplicates::Error;
    let taken = claimed.0.entry(written.number).or_default();
    let (mut wrong, mut first) = (0_u64, None);
    for (number, expected) in expected.iter().enumerate() {
        for target in targets.of(number) {
            if overlapping && !taken.insert(target) {
                continue;
            }
            let there = usize::try_from(target).ok().and_then(|target| found.get(target));
            if there.is_none_or(|there| !there.is(expected)) {
                wrong = wrong.saturating_add(1);
                first = first.or(Some((target, there, expected)));
            }
        }
    }
    if let Some((target, there, expected)) = first {
        let place = targets.place(target);
        let there = there.map_or_else(|| "nothing".to_owned(), Element::to_string);
        check.fail(fail(format!(
            "the references hold {there} at {place:?}, and the source has {expected}; {wrong} elements differ"
        )));
    }
}

/// Where the elements of a source are in the cube.
struct Targets {
    /// Along each axis of the cube, the places of each step of the source; axes that the source lacks have one step.
    axes: Vec<Vec<Vec<u64>>>,
    shape: Vec<u64>,
}

fn targets(written: &Written<'_>, own: &Array) -> Option<Targets> {
    let array = written.array;
    let lacking = array.shape.len().checked_sub(own.shape.len())?;
    let mut axes = Vec::new();
    for (axis, (name, &length)) in array.dimensions.iter().zip(&array.shape).enumerate() {
        let places = written.placement.along(name, written.path);
        let own_length = axis.checked_sub(lacking).map(|axis| own.shape.get(axis).copied());
        let own_length = match own_length {
            None => None,
            Some(length) => Some(length?),
        };
        axes.push(match (places, own_length) {
            (Some(places), None) => vec![places.iter().copied().flatten().collect()],
            (Some(places), Some(own)) => {
                if places.len() as u64 != own {
                    return None;
                }
                places.iter().map(|place| place.iter().copied().collect()).collect()
            }
            (None, Some(own)) if own == length => (0..own).map(|step| vec![step]).collect(),
            (None, _) => return None,
        });
    }
    Some(Targets { axes, shape: array.shape.clone() })
}

impl Targets {
    /// The flat indices of one element of the source.
    fn of(&self, number: usize) -> Vec<u64> {
        let mut rest = number;
        let mut steps: Vec<usize> = Vec::new();
        for axis in self.axes.iter().rev() {
            steps.push(rest.checked_rem(axis.len()).unwrap_or_default());
            rest = rest.checked_div(axis.len()).unwrap_or_default();
        }
        let mut found = vec![0_u64];
        for ((axis, step), &length) in self.axes.iter().zip(steps.iter().rev()).zip(&self.shape) {
            let places = axis.get(*step).map(Vec::as_slice).unwrap_or_default();
            let below = |&flat: &u64| {
                let start = flat.saturating_mul(length);
                places.iter().map(move |&place| start.saturating_add(place)).collect::<Vec<_>>()
            };
            found = found.iter().flat_map(below).collect();
        }
        found
    }

    /// The place of a flat index.
    fn place(&self, flat: u64) -> Vec<u64> {
        let mut rest = flat;
        let mut place: Vec<u64> = Vec::new();
        for &length in self.shape.iter().rev() {
            place.push(rest.checked_rem(length).unwrap_or_default());
            rest = rest.checked_div(length).unwrap_or_default();
        }
        place.reverse();
        place
    }
}
