// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fill values that say the same in other words.
//!
//! A fill value is what missing chunks read as, and what readers take for missing data. Some arrays have it as their fill
//! value; others, whose missing chunks read as zero, only as the attribute `_FillValue`. And NetCDF's default fill value
//! means missing whether a file names it or not, as not-a-number does.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_core::{Codecs, CombineOptions, Missing};
use chunkref_model::array_values::filled;
use chunkref_model::{Array, ChunkRef, DataType, FillValue, ManifestBuilder};

use crate::aspect::Holder;
use crate::input::{Input, alike};
use crate::value::{Float, Value, fill_of, of_attribute, of_fill, same_number, values};

const NAME: &str = "_FillValue";
/// Most bytes, as they are encoded, that are stored inline of one input's array for chunks that it has not.
const MOST_WRITTEN: u64 = 1 << 20;
/// Most bytes of one such chunk before it is encoded.
const MOST_CHUNK: u64 = 4 << 20;

/// Lets arrays of one path have one fill value, where all of them mean the same.
pub(crate) fn unify(inputs: &mut [Input<'_>], options: &CombineOptions) {
    let one = |a: &Array, b: &Array| {
        let named = a.attributes.get(NAME);
        a.fill_value == b.fill_value
            && named == b.attributes.get(NAME)
            && (a.fill_value.is_none() || named.is_none())
    };
    if inputs.len() > 1 && alike(inputs, &one) {
        return;
    }
    let mut first: BTreeMap<String, (Option<FillValue>, Option<Value>)> = BTreeMap::new();
    let mut unlike: Vec<String> = Vec::new();
    for input in inputs.iter() {
        for (path, array) in input.dataset.arrays() {
            let own = (array.fill_value.clone(), named(array));
            let two = matches!(own, (Some(_), Some(_)));
            let differs = first.get(&path).is_some_and(|known| *known != own);
            if (two || differs) && !unlike.contains(&path) {
                unlike.push(path.clone());
            }
            first.entry(path).or_insert(own);
        }
    }
    for path in unlike {
        let holders: Vec<(usize, &Array)> = inputs
            .iter()
            .enumerate()
            .filter_map(|(place, input)| Some((place, input.dataset.array(&path)?)))
            .collect();
        for (place, array) in
            unified(&holders, options.missing == Missing::Fill).unwrap_or_default()
        {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(input) = inputs.get_mut(place) {
                input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
            }
        }
    }
}

/// What fills gaps between inputs whose arrays have no fill value: one that all of them mean by missing, or that none of
/// their values is. `None` when there is none, or when chunks of theirs are missing, which would read as it too.
pub(crate) fn of_gaps(holders: &[Holder<'_>]) -> Option<FillValue> {
    let first = holders.first()?.array;
    let whole = |holder: &Holder<'_>| {
        holder.array.fill_value.is_none()
            && (!lacks_chunks(holder.array) || holder.array.is_plain())
    };
    if !holders.iter().all(whole) {
        return None;
    }
    match (named(first), &first.dtype) {
        (Some(value), dtype) => fill_of(dtype, &value),
        (None, DataType::Float { .. }) if first.attributes.get(NAME).is_none() => {
            Some(FillValue::Float(f64::NAN))
        }
        // Whole numbers that are known, such as the valid times of runs and steps: NetCDF's own, which none of them is.
        (None, dtype) if first.attributes.get(NAME).is_none() => {
            let fill = default_of(dtype)?;
            let is_free = |holder: &Holder<'_>| {
                let known = holder.array.plain_values();
                let known = known.and_then(|bytes| values(&holder.array.dtype, &bytes));
                known.is_some_and(|known| !known.contains(&fill))
            };
            holders.iter().all(is_free).then(|| fill_of(dtype, &fill)).flatten()
        }
        _ => None,
    }
}

/// The attribute as an element.
fn named(array: &Array) -> Option<Value> {
    match of_attribute(&array.dtype, array.attributes.get(NAME)?).as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn lacks_chunks(array: &Array) -> bool {
    array.manifest.count() != Some(array.manifest.present())
}

/// The value that NetCDF fills variables of a type with that name none.
pub(crate) fn default_of(dtype: &DataType) -> Option<Value> {
    Some(match dtype {
        DataType::Int { length: 2, .. } => Value::Int(-32_767),
        DataType::Int { length: 4, .. } => Value::Int(-2_147_483_647),
        DataType::Int { length: 8, .. } => Value::Int(-9_223_372_036_854_775_806),
        DataType::UInt { length: 2, .. } => Value::Int(65_535),
        DataType::UInt { length: 4, .. } => Value::Int(4_294_967_295),
        DataType::UInt { length: 8, .. } => Value::Int(18_446_744_073_709_551_614),
        DataType::Float { length: 4 | 8, .. } => {
            Value::Float(Float::new(f64::from(9.969_21e36_f32)))
        }
        _ => return None,
    })
}

/// What a fill value says of one array.
struct Meaning {
    /// The element that is taken for missing data.
    mask: Option<Value>,
    /// What missing chunks read as, when there are some.
    read: Option<Value>,
}

impl Meaning {
    fn of(array: &Array) -> Option<Self> {
        let zero = || values(&array.dtype, &filled(&array.dtype, None, &[])?)?.pop();
        let fill = match &array.fill_value {
            Some(fill) => Some(of_fill(&array.dtype, fill)?),
            None => None,
        };
        let read = if lacks_chunks(array) { Some(fill.clone().or_else(zero)?) } else { None };
        Some(Self { mask: named(array).or(fill), read })
    }
}

/// The arrays that change; `None` when they do not mean the same, or cannot be told alike.
fn unified(holders: &[(usize, &Array)], gaps: bool) -> Option<Vec<(usize, Array)>> {
    let (_, first) = holders.first()?;
    let numbers = matches!(
        first.dtype,
        DataType::Int { .. } | DataType::UInt { .. } | DataType::Float { .. }
    );
    if !numbers || !holders.iter().all(|(_, array)| array.dtype == first.dtype) {
        return None;
    }
    let meanings: Vec<Meaning> =
        holders.iter().map(|(_, array)| Meaning::of(array)).collect::<Option<_>>()?;
    let default = default_of(&first.dtype);
    let is_nan = |value: &Value| matches!(value, Value::Float(value) if value.get().is_nan());
    let is_weak = |value: &Value| is_nan(value) || Some(value) == default.as_ref();
    let masks = || meanings.iter().filter_map(|meaning| meaning.mask.as_ref());
    let strong = masks().find(|mask| !is_weak(mask));
    // Of what means missing anyway, the default, which is read, counts before not-a-number.
    let mask = strong.or_else(|| masks().find(|mask| !is_nan(mask))).or_else(|| masks().next())?;
    for ((_, array), meaning) in holders.iter().zip(&meanings) {
        let same = match (&meaning.mask, strong) {
            (Some(own), Some(_)) => own == mask,
            (None, Some(_)) => false,
            // All that mean something mean missing by convention.
            (_, None) => true,
        };
        if !same && (meaning.mask.is_some() || !lacks_value(array, mask)) {
            return None;
        }
    }
    let reads = |wanted: &dyn Fn(&Value) -> bool| {
        meanings.iter().filter_map(|meaning| meaning.read.as_ref()).all(wanted)
    };
    let is_mask = |read: &Value| read == mask || (strong.is_none() && is_weak(read));
    let fill = fill_of(&first.dtype, mask)?;
    let with_fill = |array: &Array| {
        let mut array = array.clone();
        array.fill_value = Some(fill.clone());
        array.attributes.remove(NAME);
        array
    };
    let written = || -> Option<Vec<(usize, Array)>> {
        let arrays = holders.iter().zip(&meanings).map(|((place, array), meaning)| {
            let array = match &meaning.read {
                Some(read) if !is_mask(read) => written_out(array)?,
                _ => (*array).clone(),
            };
            Some((*place, with_fill(&array)))
        });
        arrays.collect()
    };
    if reads(&is_mask) {
        return written();
    }
    let is_zero = |read: &Value| same_number(read, &Value::Int(0));
    let named_only = || {
        let arrays = holders.iter().map(|(place, array)| {
            let mut array = (*array).clone();
            array.fill_value = None;
            array.attributes.insert(NAME, attribute(mask)?);
            Some((*place, array))
        });
        arrays.collect::<Option<Vec<_>>>()
    };
    if gaps && let Some(arrays) = written() {
        return Some(arrays);
    }
    if reads(&is_zero) { named_only() } else { written() }
}

fn attribute(value: &Value) -> Option<chunkref_model::AttributeValue> {
    Some(match value {
        Value::Int(value) => match i64::try_from(*value) {
            Ok(value) => chunkref_model::AttributeValue::Int(value),
            Err(_) => chunkref_model::AttributeValue::UInt(u64::try_from(*value).ok()?),
        },
        Value::Float(value) => chunkref_model::AttributeValue::Float(value.get()),
        Value::Bytes(_) => return None,
    })
}

/// Whether the values are known, and none of them is this one.
fn lacks_value(array: &Array, value: &Value) -> bool {
    let found = array.plain_values().and_then(|plain| values(&array.dtype, &plain));
    found.is_some_and(|found| !found.contains(value))
}

/// The array with its missing chunks stored inline, as they read. `None` when they would take too much, or cannot be
/// encoded.
fn written_out(array: &Array) -> Option<Array> {
    let chunk_shape = array.chunk_grid.chunk_shape();
    let element = array.dtype.length_bytes()?;
    let bytes = chunk_shape.iter().try_fold(element, |all, &length| all.checked_mul(length))?;
    let missing = array.manifest.count()?.checked_sub(array.manifest.present())?;
    if bytes > MOST_CHUNK || missing > MOST_WRITTEN {
        return None;
    }
    let mut chunk: Bytes = filled(&array.dtype, array.fill_value.as_ref(), chunk_shape)?.into();
    for codec in &array.codecs {
        let entry = Codecs::linked().ok()?.by_name(codec.name())?;
        chunk = entry.encode(codec, &chunk)?.ok()?;
    }
    if missing.checked_mul(chunk.len() as u64)? > MOST_WRITTEN {
        return None;
    }
    let grid_shape = array.manifest.grid_shape().to_vec();
    let ranges: Vec<(u64, u64)> = grid_shape.iter().map(|&length| (0, length)).collect();
    let mut builder = ManifestBuilder::new(grid_shape).ok()?;
    let mut sound = true;
    crate::analysis::for_each_place(&ranges, &mut |place| {
        let reference = match array.manifest.get(place) {
            ChunkRef::Missing => ChunkRef::Inline(chunk.clone()),
            present => present,
        };
        sound &= builder.push(place, reference).is_ok();
    });
    let manifest = builder.finish().ok().filter(|_| sound)?;
    Some(Array { manifest, ..array.clone() })
}

#[cfg(test)]
mod tests {
    use chunkref_model::{AttributeValue, Codec, Dataset, Manifest};

    use super::*;
    use crate::combine;
    use crate::testing::{data, elements, floats, plain};

    const LITTLE: chunkref_model::ByteOrder = chunkref_model::ByteOrder::Little;

    /// An input of two chunks, of which the second one may be missing.
    fn input(time: f64, whole: bool, fill: Option<f64>, attribute: Option<f64>) -> Dataset {
        let mut dataset = Dataset::new();
        let array =
            data(&mut dataset, &format!("s3://b/{time}.nc"), &["t", "x"], &[1, 4], &[1, 2], 100);
        let mut builder = ManifestBuilder::new([1, 2]).unwrap();
        let chunks = if whole { 2 } else { 1 };
        for chunk in 0..chunks {
            builder.push(&[0, chunk], array.manifest.get(&[0, chunk])).unwrap();
        }
        let mut array = Array {
            dtype: DataType::Float { length: 4, order: LITTLE },
            fill_value: fill.map(FillValue::Float),
            codecs: Vec::new(),
            manifest: builder.finish().unwrap(),
            ..array
        };
        if let Some(value) = attribute {
            array.attributes.insert(NAME, AttributeValue::Float(value));
        }
        dataset.root.arrays.insert("a".to_owned(), array);
        dataset.root.arrays.insert("t".to_owned(), floats(&["t"], &[time]));
        dataset
    }

    fn options() -> CombineOptions {
        CombineOptions::default().with_concat_dimensions(["t"])
    }

    fn cube(inputs: &[Dataset]) -> (Array, Dataset) {
        let cube = combine(inputs, &options()).unwrap().dataset;
        (cube.array("a").unwrap().clone(), cube)
    }

    const DEFAULT: f64 = 9.969_209_968_386_869e36;

    #[test]
    fn the_attribute_and_the_fill_value_say_the_same() {
        // Chunks that are not there read as zero in one, and nothing is missing in the other.
        let inputs = [input(0.0, true, Some(-9.0), None), input(1.0, false, None, Some(-9.0))];
        let (array, _) = cube(&inputs);
        assert_eq!(array.fill_value, None);
        assert_eq!(array.attributes.get(NAME), Some(&AttributeValue::Float(-9.0)));
        // Missing chunks read as both: those that are zero are written.
        let inputs = [input(0.0, false, Some(-9.0), None), input(1.0, false, None, Some(-9.0))];
        let (array, dataset) = cube(&inputs);
        assert_eq!(
            (array.fill_value, array.attributes.get(NAME)),
            (Some(FillValue::Float(-9.0)), None)
        );
        let read = elements(&dataset, "a");
        assert_eq!(read[&vec![0, 2]], "missing");
        assert_eq!(read[&vec![1, 2]], format!("{:?}", Bytes::from_static(&[0; 4])));
        // The mask is zero, and so is what is read.
        let inputs = [input(0.0, true, Some(0.0), None), input(1.0, false, None, Some(0.0))];
        let (array, dataset) = cube(&inputs);
        assert_eq!(array.fill_value, Some(FillValue::Float(0.0)));
        assert_eq!(elements(&dataset, "a")[&vec![1, 2]], "missing");
    }

    #[test]
    fn chunks_that_read_as_another_value_than_is_masked_are_written() {
        let mut inputs =
            [input(0.0, true, Some(-9.0), None), input(1.0, false, Some(7.0), Some(-9.0))];
        let seven = Bytes::copy_from_slice(&7_f32.to_le_bytes());
        let (array, dataset) = cube(&inputs);
        assert_eq!(array.fill_value, Some(FillValue::Float(-9.0)));
        assert_eq!(array.attributes.get(NAME), None);
        assert_eq!(elements(&dataset, "a")[&vec![1, 3]], format!("{seven:?}"));
        // As they are encoded.
        let codec = |inputs: &mut [Dataset], name: &str| {
            for input in inputs {
                input.root.arrays.get_mut("a").unwrap().codecs = vec![Codec::new(name)];
            }
        };
        codec(&mut inputs, "increment");
        let seven: Bytes = seven.iter().map(|byte| byte + 1).collect();
        assert_eq!(elements(&cube(&inputs).1, "a")[&vec![1, 3]], format!("{seven:?}"));
        codec(&mut inputs, "unknown");
        combine(&inputs, &options()).unwrap_err();
    }

    #[test]
    fn what_is_missing_by_convention_is_no_contradiction() {
        for (a, b, expected) in [
            (None, Some(DEFAULT), DEFAULT),
            (Some(f64::NAN), None, f64::NAN),
            (Some(f64::NAN), Some(DEFAULT), DEFAULT),
        ] {
            let inputs = [input(0.0, true, a, None), input(1.0, b.is_none(), b, None)];
            let (array, _) = cube(&inputs);
            assert_eq!(array.fill_value, Some(FillValue::Float(expected)));
        }
        for (a, b) in
            [(None, -9.0), (Some(-8.0), -9.0), (Some(DEFAULT), -9.0), (Some(f64::NAN), -9.0)]
        {
            let inputs = [input(0.0, true, a, None), input(1.0, true, Some(b), None)];
            combine(&inputs, &options()).unwrap_err();
        }
    }

    #[test]
    fn known_values_are_looked_at() {
        let with = |value: f64| {
            let mut inputs = [input(0.0, true, None, None), input(1.0, true, None, None)];
            for (place, own) in inputs.iter_mut().enumerate() {
                let mut array = floats(&["t"], &[value]);
                array.fill_value = (place == 1).then_some(FillValue::Float(-9.0));
                own.root.arrays.insert("b".to_owned(), array);
            }
            inputs
        };
        let combined = combine(&with(1.0), &options()).unwrap().dataset;
        assert_eq!(combined.array("b").unwrap().fill_value, Some(FillValue::Float(-9.0)));
        combine(&with(-9.0), &options()).unwrap_err();
    }

    #[test]
    fn gaps_are_filled_with_what_means_missing() {
        let fill = |inputs: &[Dataset]| {
            let options = options().with_missing(Missing::Fill);
            combine(inputs, &options).map(|combined| combined.dataset.array("a").unwrap().clone())
        };
        let mut lacking = input(2.0, true, None, None);
        lacking.root.arrays.remove("a");
        for (attribute, expected) in [(None, f64::NAN), (Some(-9.0), -9.0)] {
            let inputs = [
                input(0.0, true, None, attribute),
                input(1.0, true, None, attribute),
                lacking.clone(),
            ];
            let array = fill(&inputs).unwrap();
            assert_eq!(array.fill_value, Some(FillValue::Float(expected)));
            assert_eq!(array.attributes.get(NAME), None);
        }
        // Chunks that read as zero would become missing.
        let unwritten =
            [input(0.0, false, None, None), input(1.0, true, None, None), lacking.clone()];
        fill(&unwritten).unwrap_err();
        // Of whole numbers that are known, NetCDF's own value, unless one of them is that.
        let whole = |value: i16| {
            let values = value.to_le_bytes().to_vec();
            let mut inputs =
                [input(0.0, true, None, None), input(1.0, true, None, None), lacking.clone()];
            for own in &mut inputs[..2] {
                let dtype = DataType::Int { length: 2, order: LITTLE };
                let array = plain(dtype, &["t", "x"], &[1, 1], values.clone());
                own.root.arrays.insert("a".to_owned(), array);
            }
            inputs
        };
        assert_eq!(fill(&whole(1)).unwrap().fill_value, Some(FillValue::Int(-32_767)));
        fill(&whole(-32_767)).unwrap_err();
        assert!(!lacks_chunks(&Array { manifest: Manifest::empty([0]), ..floats(&["t"], &[]) }));
    }
}
