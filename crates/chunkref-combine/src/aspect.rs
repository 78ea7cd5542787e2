// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a variable is the same kind of thing in all inputs.

use std::fmt::Write as _;

use chunkref_core::{Conflict, ConflictKind, OnConflict, Resolution, Side};
use chunkref_model::{Array, AttributeValue};

use crate::coordinates::has_text;
use crate::time::Calendar;
use crate::value::of_attribute;
use crate::variable::{SKIP_FILE, SKIP_VARIABLE};
use crate::words;

/// Attributes that change what values mean: those of one input are never taken for another's.
const MEANING: [&str; 11] = [
    "scale_factor",
    "add_offset",
    "_FillValue",
    "missing_value",
    "_Unsigned",
    "units",
    "calendar",
    "flag_values",
    "flag_masks",
    "flag_meanings",
    "positive",
];

/// Attributes that say what the values are, and change none: one that is missing is no contradiction. With each, whether
/// that of the first input can be taken for all.
const LABELS: [(&str, bool); 6] = [
    ("standard_name", true),
    ("cell_methods", true),
    ("valid_min", true),
    ("valid_max", true),
    ("valid_range", true),
    ("grid_mapping", false),
];

/// Attributes whose numbers are compared with elements, in the type that these have.
const ELEMENTS: [&str; 4] = ["_FillValue", "missing_value", "flag_values", "flag_masks"];

/// A variable of one input, with the axes that it will have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder<'a> {
    /// The place of the input.
    pub(crate) input: usize,
    pub(crate) array: &'a Array,
}

/// What is compared.
pub(crate) struct Compared<'a> {
    pub(crate) path: &'a str,
    pub(crate) holders: &'a [Holder<'a>],
    /// Dimensions along which inputs follow one another and that some holder has.
    pub(crate) along: &'a [String],
    /// The dimension along which chunks can be cut to one length.
    pub(crate) cut: Option<&'a str>,
    /// Whether all values are in the references as they are, so that chunks and codecs do not matter.
    pub(crate) plain: bool,
    /// Why times could not be brought to one epoch.
    pub(crate) time_reason: Option<&'a String>,
}

/// The dimensions of an array with those in front that it lacks.
pub(crate) fn widened(array: &Array, along: &[String]) -> Vec<String> {
    let lacking = along.iter().filter(|name| !array.dimensions.contains(name));
    lacking.chain(&array.dimensions).cloned().collect()
}

/// Conflicts between the holders of a variable.
pub(crate) fn conflicts(compared: &Compared<'_>) -> Vec<Conflict> {
    let along = compared.along;
    let mut found = Vec::new();
    let mut check = |kind, what: &str, says: &dyn Fn(&Array) -> String| {
        found.extend(differ(compared, kind, what, says));
    };
    check(ConflictKind::DataType, "element types differ", &|array| words::dtype(&array.dtype));
    check(ConflictKind::Dimensions, "dimensions, or their order, differ", &|array| {
        widened(array, along).join(", ")
    });
    check(ConflictKind::FillValue, "fill values differ", &|array| {
        words::fill_value(array.fill_value.as_ref())
    });
    let dimensions = |array: &Array| widened(array, along);
    let alike = compared.holders.windows(2).all(|pair| match pair {
        [a, b] => dimensions(a.array) == dimensions(b.array),
        _ => true,
    });
    if alike {
        check(ConflictKind::Shape, "lengths along other dimensions differ", &|array| {
            let axes = array.dimensions.iter().zip(&array.shape);
            let others = axes.filter(|(name, _)| !along.contains(name));
            others.map(|(name, length)| format!("{name}: {length}")).collect::<Vec<_>>().join(", ")
        });
        if !compared.plain {
            check(ConflictKind::ChunkShape, "chunk shapes differ", &|array| {
                let lacking = widened(array, along).len() - array.shape.len();
                let thin = std::iter::repeat_n(Some(&1), lacking);
                let own = array.dimensions.iter().zip(array.chunk_grid.chunk_shape());
                // Where chunks are cut, their length does not matter.
                let own =
                    own.map(|(name, chunk)| Some(chunk).filter(|_| compared.cut != Some(name)));
                let mut says = String::from("[");
                for (axis, chunk) in thin.chain(own).enumerate() {
                    says.push_str(if axis == 0 { "" } else { ", " });
                    let _ = match chunk {
                        Some(chunk) => write!(says, "{chunk}"),
                        None => says.write_str("any"),
                    };
                }
                says.push(']');
                says
            });
        }
    }
    if !compared.plain {
        check(ConflictKind::Codecs, "codecs differ", &words::codecs);
    }
    attributes(compared, &mut check);
    found.extend(labels(compared));
    found
}

/// Compares what a function says of each holder.
type Check<'a> = dyn FnMut(ConflictKind, &str, &dyn Fn(&Array) -> String) + 'a;

fn attributes(compared: &Compared<'_>, check: &mut Check<'_>) {
    // The attributes of a grid mapping are what it is there for.
    let mapping = compared.holders.iter().any(|holder| has_text(holder.array, "grid_mapping_name"));
    let mut names: Vec<&str> = MEANING.to_vec();
    if mapping {
        for holder in compared.holders {
            for (name, _) in holder.array.attributes.iter() {
                if !names.contains(&name) && !["long_name", "comment"].contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    for name in names {
        let reason = match compared.time_reason {
            Some(reason) if name == "units" || name == "calendar" => format!(" ({reason})"),
            _ => String::new(),
        };
        check(ConflictKind::Attribute, &format!("{name} differs{reason}"), &|array| {
            let value = array.attributes.get(name);
            if name == "calendar" {
                return calendar(value);
            }
            let Some(value) = value else { return "none".to_owned() };
            if ELEMENTS.contains(&name) {
                let elements = of_attribute(&array.dtype, value);
                let words: Vec<_> = elements.iter().map(ToString::to_string).collect();
                // What is no element equals none, and is compared as it is.
                match words.as_slice() {
                    [] => {}
                    [only] => return only.clone(),
                    several => return format!("[{}]", several.join(", ")),
                }
            }
            in_words(value)
        });
    }
}

/// Conflicts that change no value.
fn labels(compared: &Compared<'_>) -> Vec<Conflict> {
    let found = LABELS.into_iter().filter_map(|(name, first)| {
        let has = |holder: &&Holder<'_>| holder.array.attributes.get(name).is_some();
        compared.holders.iter().find(has)?;
        let holders: Vec<_> = compared.holders.iter().filter(has).copied().collect();
        let compared = Compared { holders: &holders, ..*compared };
        let message = format!("{name} differs");
        let conflict = differ(&compared, ConflictKind::Attribute, &message, &|array| {
            array.attributes.get(name).map_or_else(String::new, in_words)
        })?;
        let first = first.then_some(Resolution::OnConflict(OnConflict::First));
        let resolutions: Vec<_> = conflict.resolutions.iter().cloned().chain(first).collect();
        Some(conflict.with_resolutions(resolutions))
    });
    found.collect()
}

/// A calendar by the first of its names.
pub(crate) fn calendar(value: Option<&AttributeValue>) -> String {
    match value {
        None => "standard".to_owned(),
        Some(AttributeValue::Text(text)) => {
            Calendar::of(text).map_or_else(|| format!("{text:?}"), |known| known.name().to_owned())
        }
        Some(value) => in_words(value),
    }
}

/// A value in words: the same ones for the same number, whatever its type.
fn in_words(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Bool(value) => value.to_string(),
        AttributeValue::Int(value) => value.to_string(),
        AttributeValue::UInt(value) => value.to_string(),
        AttributeValue::Float(value) => {
            #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
            let narrow = *value as f32;
            let (short, long) = (narrow.to_string(), value.to_string());
            if f64::from(narrow).to_bits() == value.to_bits() && short.len() < long.len() {
                return format!("{short} in 32 bits");
            }
            long
        }
        AttributeValue::Text(text) => format!("{text:?}"),
        AttributeValue::List(values) => match values.as_slice() {
            [only] => in_words(only),
            several => format!("[{}]", several.iter().map(in_words).collect::<Vec<_>>().join(", ")),
        },
        other => format!("{other:?}"),
    }
}

fn differ(
    compared: &Compared<'_>,
    kind: ConflictKind,
    message: &str,
    says: &dyn Fn(&Array) -> String,
) -> Option<Conflict> {
    let mut sides: Vec<Side> = Vec::new();
    for holder in compared.holders {
        let words = says(holder.array);
        match sides.iter_mut().find(|side| side.says == words) {
            Some(side) => side.inputs.push(holder.input),
            None => sides.push(Side { says: words, inputs: vec![holder.input] }),
        }
    }
    if sides.len() < 2 {
        return None;
    }
    let conflict = Conflict::new(kind, compared.path, message);
    Some(conflict.with_sides(sides).with_resolutions([SKIP_FILE, SKIP_VARIABLE]))
}
