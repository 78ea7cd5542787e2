// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which arrays are needed as plain values, because inputs store them in different ways.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_combine::are_since;
use chunkref_core::{Codecs, CombineOptions, CoordinateSource};
use chunkref_model::{Array, AttributeValue, Codec, Dataset};
use chunkref_read::are_messages;

use super::Member;
use super::members::{array, last, paths};

/// Most bytes of the times of one input.
pub(super) const MOST_TIMES: u64 = 64 << 20;
/// Most bytes of any other array of one input.
pub(super) const MOST_SMALL: u64 = 64 << 10;

/// The arrays, by input and path, whose values have to take the place of references.
pub(super) fn wanted(members: &[Member], options: &CombineOptions) -> Vec<(usize, String)> {
    let inputs: Vec<usize> = (0..members.len()).collect();
    let mut families: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for member in members {
        for (time, follower) in times(&member.dataset) {
            families.entry(follower).or_default().insert(time);
        }
    }
    let mut wanted = Vec::new();
    for (path, holders) in paths(members, &inputs) {
        if options.identical.iter().any(|name| *name == path || name == last(&path)) {
            continue;
        }
        let arrays: Vec<&Array> =
            holders.iter().filter_map(|&input| array(members, input, &path)).collect();
        let family = families.get(&path);
        // Where one input has the values, as a set that was made of others may, the others are read up to that length.
        let plain = arrays.iter().filter(|array| array.is_plain());
        let longest = plain.filter_map(|array| array.logical_bytes()).max().unwrap_or_default();
        let most = match family {
            Some(_) => MOST_TIMES,
            None => longest.clamp(MOST_SMALL, MOST_TIMES),
        };
        let alike = arrays.windows(2).all(|pair| match pair {
            [a, b] => stored_alike(a, b),
            _ => true,
        });
        let moved = family.is_some_and(|times| {
            times.iter().any(|time| !one_epoch(members, time) || is_since_1970(time, options))
        });
        let known = |array: &&Array| array.is_plain() || can_be_read(array, most);
        if (alike && !moved) || !arrays.iter().all(known) {
            continue;
        }
        let unread = holders.iter().zip(&arrays).filter(|(_, array)| !array.is_plain());
        wanted.extend(unread.map(|(&input, _)| (input, path.clone())));
    }
    wanted
}

/// Times, each with what is in its units: itself, and its bounds.
fn times(dataset: &Dataset) -> Vec<(String, String)> {
    let mut times = Vec::new();
    for (path, array) in dataset.arrays() {
        if since(array).is_none() {
            continue;
        }
        let group = path.rsplit_once('/').map(|(group, _)| group);
        for bounds in ["bounds", "climatology"].into_iter().filter_map(|name| text(array, name)) {
            let bounds = match group {
                Some(group) => format!("{group}/{bounds}"),
                None => bounds.to_owned(),
            };
            times.push((path.clone(), bounds));
        }
        times.push((path.clone(), path));
    }
    times
}

/// The units of a time.
pub(super) fn since(array: &Array) -> Option<&str> {
    text(array, "units").filter(|units| are_since(units))
}

fn text<'a>(array: &'a Array, name: &str) -> Option<&'a str> {
    match array.attributes.get(name)? {
        AttributeValue::Text(text) => Some(text),
        _ => None,
    }
}

fn stored_alike(a: &Array, b: &Array) -> bool {
    // Settings of encoders do not matter.
    let codecs = |array: &Array| {
        let linked = Codecs::linked().ok();
        let bare = |codec: &Codec| {
            linked.map_or_else(|| codec.clone(), |linked| linked.for_decoding(codec))
        };
        array.codecs.iter().map(bare).collect::<Vec<_>>()
    };
    a.dtype == b.dtype
        && (a.codecs == b.codecs || codecs(a) == codecs(b))
        && a.fill_value == b.fill_value
        && a.is_plain() == b.is_plain()
        && (a.is_plain() || a.chunk_grid.chunk_shape() == b.chunk_grid.chunk_shape())
}

/// Whether the times at a path are brought to 1970 in any case.
fn is_since_1970(path: &str, options: &CombineOptions) -> bool {
    options.concat_dimensions.iter().any(|dimension| match &dimension.coordinates {
        CoordinateSource::Cf(source) => {
            path == source || last(path) == source || last(path) == dimension.name
        }
        _ => false,
    })
}

/// Whether all inputs count the times at a path in one way.
fn one_epoch(members: &[Member], path: &str) -> bool {
    let mut arrays = members.iter().filter_map(|member| member.dataset.array(path));
    let Some(first) = arrays.next() else { return true };
    arrays.all(|array| {
        first.dtype == array.dtype
            && ["units", "calendar", "scale_factor", "add_offset"]
                .iter()
                .all(|name| first.attributes.get(name) == array.attributes.get(name))
    })
}

fn can_be_read(array: &Array, most: u64) -> bool {
    let chunk = array.chunk_grid.chunk_shape().iter();
    let elements = chunk.copied().try_fold(1_u64, u64::checked_mul);
    array.logical_bytes().is_some_and(|bytes| bytes <= most)
        && array.dtype.length_bytes().is_some_and(|length| length > 0)
        && elements.is_some_and(|elements| elements <= 1 << 22)
        // A message that holds a field is not taken apart for this.
        && are_messages(&array.codecs) == Some(false)
}
