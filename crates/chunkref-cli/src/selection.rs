// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of arrays, as numpy writes them: `sst[0, 10:20, ::2]`.

use std::ops::Range;

/// What is taken along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// One element, counted from the end when negative; the axis is dropped.
    At(i64),
    /// Every `step`-th element from `start` up to `end`.
    Slice { start: Option<i64>, end: Option<i64>, step: u64 },
    /// All of as many axes as are left.
    Rest,
}

/// An array and what is taken of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) path: String,
    items: Vec<Item>,
}

/// One axis of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) range: Range<u64>,
    pub(crate) step: u64,
    /// Whether the axis is in the result.
    pub(crate) kept: bool,
}

impl Axis {
    /// Elements that are taken.
    pub(crate) fn count(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start).div_ceil(self.step.max(1))
    }
}

impl Selection {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((path, rest)) = text.split_once('[') else {
            return Ok(Self { path: clean(text), items: Vec::new() });
        };
        let inside = rest.strip_suffix(']').ok_or("the part in brackets has no end")?;
        let mut items = Vec::new();
        let parts = inside.strip_suffix(',').unwrap_or(inside);
        for part in parts.split(',').map(str::trim) {
            items.push(match part {
                "" if parts.trim().is_empty() => break,
                "..." => Item::Rest,
                part if part.contains(':') => slice(part)?,
                part => Item::At(number(part)?),
            });
        }
        if items.iter().filter(|item| **item == Item::Rest).count() > 1 {
            return Err("... may stand once".to_owned());
        }
        Ok(Self { path: clean(path), items })
    }

    /// What is taken along each axis of an array of `shape`.
    pub(crate) fn axes(&self, shape: &[u64]) -> Result<Vec<Axis>, String> {
        let named = self.items.iter().filter(|item| **item != Item::Rest).count();
        let rest = shape
            .len()
            .checked_sub(named)
            .ok_or_else(|| format!("it has {} axes, and {named} are named", shape.len()))?;
        let all = Item::Slice { start: None, end: None, step: 1 };
        let mut items = Vec::new();
        for &item in &self.items {
            match item {
                Item::Rest => items.extend(std::iter::repeat_n(all, rest)),
                item => items.push(item),
            }
        }
        items.resize(shape.len(), all);
        items.into_iter().zip(shape).map(|(item, &length)| axis(item, length)).collect()
    }
}

fn clean(path: &str) -> String {
    path.trim().trim_matches('/').to_owned()
}

fn number(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is neither a number, a slice nor ..."))
}

fn slice(text: &str) -> Result<Item, String> {
    let bound = |text: Option<&str>| match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => number(text).map(Some),
    };
    let mut parts = text.split(':');
    let (start, end, step) = (bound(parts.next())?, bound(parts.next())?, bound(parts.next())?);
    if parts.next().is_some() {
        return Err(format!("{text:?} has too many colons"));
    }
    let step = u64::try_from(step.unwrap_or(1)).unwrap_or_default();
    if step == 0 {
        return Err(format!("the step of {text:?} is not positive"));
    }
    Ok(Item::Slice { start, end, step })
}

fn axis(item: Item, length: u64) -> Result<Axis, String> {
    let from_end = |place: i64| match u64::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(place.unsigned_abs()),
    };
    match item {
        Item::At(place) => {
            let found = from_end(place).filter(|&found| found < length);
            let found =
                found.ok_or_else(|| format!("{place} is beyond an axis of {length} elements"))?;
            Ok(Axis { range: found..found.saturating_add(1), step: 1, kept: false })
        }
        Item::Slice { start, end, step } => {
            let bound = |place: Option<i64>, default: u64| {
                place.map_or(default, |place| from_end(place).unwrap_or_default().min(length))
            };
            let start = bound(start, 0);
            Ok(Axis { range: start..bound(end, length).max(start), step, kept: true })
        }
        Item::Rest => Ok(Axis { range: 0..length, step: 1, kept: true }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(text: &str, shape: &[u64]) -> Result<Vec<(Range<u64>, u64, bool)>, String> {
        let axes = Selection::parse(text)?.axes(shape)?;
        Ok(axes.into_iter().map(|axis| (axis.range, axis.step, axis.kept)).collect())
    }

    #[test]
    fn as_numpy_has_it() {
        let whole = |length| (0..length, 1, true);
        assert_eq!(axes("a", &[3, 4]).unwrap(), [whole(3), whole(4)]);
        assert_eq!(axes("g/a[]", &[3]).unwrap(), [whole(3)]);
        assert_eq!(axes("a[-1, 1:]", &[3, 4]).unwrap(), [(2..3, 1, false), (1..4, 1, true)]);
        assert_eq!(axes("a[..., ::3]", &[3, 4, 9]).unwrap(), [whole(3), whole(4), (0..9, 3, true)]);
        assert_eq!(axes("a[0,...]", &[3, 4]).unwrap(), [(0..1, 1, false), whole(4)]);
        assert_eq!(axes("a[5:2]", &[9]).unwrap(), [(5..5, 1, true)]);
        assert_eq!(axes("a[-99:99]", &[9]).unwrap(), [whole(9)]);
        assert_eq!(axes("a[-3:-1,]", &[9]).unwrap(), [(6..8, 1, true)]);
        assert_eq!(Selection::parse("/g/a[0]").unwrap().path, "g/a");
        let count = |text: &str| Selection::parse(text).unwrap().axes(&[10]).unwrap()[0].count();
        assert_eq!((count("a[::3]"), count("a[1:2:5]"), count("a[4:4]")), (4, 1, 0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, reason) in [
            ("a[0", "no end"),
            ("a[x]", "neither a number"),
            ("a[::0]", "not positive"),
            ("a[::-1]", "not positive"),
            ("a[1:2:3:4]", "too many colons"),
            ("a[...,...]", "once"),
            ("a[3]", "beyond an axis of 3"),
            ("a[-4]", "beyond an axis of 3"),
            ("a[0,0]", "1 axes, and 2"),
        ] {
            let error = axes(text, &[3]).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
