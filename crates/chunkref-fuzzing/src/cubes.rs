// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets made of the input, combined.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use chunkref_combine::combine as combined;
use chunkref_core::model::{
    Array, AttributeValue, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset,
    Dimension, FillValue, Manifest, ManifestBuilder, Source,
};
use chunkref_core::{
    CombineOptions, ConcatDimension, CoordinateSource, Duplicates, Missing, OnConflict,
};

use crate::check::{self, Named};

/// Two to four datasets under any options. What is combined has only references that the inputs have or that are inline,
/// is the same when it is made again, and can be written and read.
pub fn combine(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((datasets, options)) = inputs(&mut input) else { return };
    let Ok(result) = combined(&datasets, &options) else { return };
    let again = combined(&datasets, &options).expect("what was combined once is again");
    assert!(result.dataset == again.dataset, "two runs differ");
    for (path, array) in result.dataset.arrays() {
        for named in check::references(&result.dataset, array).into_values() {
            let Named::Virtual(location, offset, length) = named else { continue };
            let inside = datasets.iter().flat_map(|dataset| {
                let arrays = dataset.arrays().into_iter();
                arrays.flat_map(move |(_, array)| check::references(dataset, array).into_values())
            });
            // Chunks without codecs may be cut, into ranges of what there was.
            let known = inside.into_iter().any(|other| {
                matches!(other, Named::Virtual(there, start, whole)
                    if there == location && start <= offset && offset.saturating_add(length) <= start.saturating_add(whole))
            });
            assert!(known, "{path}: {location} {offset}+{length} is of no input");
        }
    }
    check::round_trip(&result.dataset);
}

/// A small sound dataset with references of each kind.
#[must_use]
pub fn sample() -> Dataset {
    // A fixed text stands for any choice.
    let bytes: Vec<u8> = (0..=255_u8).rev().cycle().take(2048).collect();
    let mut input = Unstructured::new(&bytes);
    dataset(&mut input, 0).unwrap_or_default()
}

fn inputs(input: &mut Unstructured<'_>) -> Result<(Vec<Dataset>, CombineOptions)> {
    let options = options(input)?;
    let count = input.int_in_range(1..=4_u8)?;
    let mut datasets = Vec::new();
    for number in 0..count {
        datasets.push(dataset(input, number)?);
    }
    Ok((datasets, options))
}

const NAMES: [&str; 5] = ["t", "y", "x", "a", "b"];

fn options(input: &mut Unstructured<'_>) -> Result<CombineOptions> {
    let mut options = CombineOptions::default();
    for _ in 0..input.int_in_range(0..=2_u8)? {
        let name = *input.choose(&NAMES)?;
        let other = (*input.choose(&NAMES)?).to_owned();
        let source = match input.int_in_range(0..=6_u8)? {
            0 => CoordinateSource::Data(other),
            1 => CoordinateSource::Cf(other),
            2 => CoordinateSource::Attribute("units".to_owned()),
            3 => CoordinateSource::VariableAttribute { variable: other, name: "units".to_owned() },
            4 => CoordinateSource::Index,
            5 => CoordinateSource::Pattern(input.arbitrary::<&str>()?.chars().take(16).collect()),
            _ => CoordinateSource::Values(
                input.arbitrary::<Vec<&str>>()?.into_iter().take(8).map(str::to_owned).collect(),
            ),
        };
        options = options.with_concat(ConcatDimension::new(name).with_coordinates(source));
    }
    let conflict = *input.choose(&[
        OnConflict::Error,
        OnConflict::SkipFile,
        OnConflict::SkipVariable,
        OnConflict::Skip,
        OnConflict::First,
    ])?;
    let duplicates = *input.choose(&[Duplicates::Error, Duplicates::First, Duplicates::Last])?;
    let missing = *input.choose(&[Missing::Error, Missing::Fill])?;
    Ok(options
        .with_on_conflict(conflict)
        .with_duplicates(duplicates)
        .with_missing(missing)
        .with_sort(input.arbitrary()?)
        .with_merge(input.arbitrary()?)
        .with_stack_all(input.arbitrary()?))
}

fn dataset(input: &mut Unstructured<'_>, number: u8) -> Result<Dataset> {
    let mut dataset = Dataset::new();
    let lengths = [length(input)?, length(input)?, length(input)?];
    for _ in 0..input.int_in_range(1..=5_u8)? {
        let name = *input.choose(&NAMES)?;
        let array = array(input, &mut dataset, &lengths, number)?;
        let group = if input.ratio(1, 8)? { "g" } else { "" };
        dataset.group_mut(group).arrays.insert(name.to_owned(), array);
    }
    let defined = NAMES.iter().zip(lengths).map(|(name, length)| Dimension {
        name: (*name).to_owned(),
        length,
        unlimited: false,
    });
    dataset.root.dimensions = defined.collect();
    dataset.root.attributes = attributes(input)?;
    Ok(dataset)
}

/// Mostly few elements, at times as many as there can be.
fn length(input: &mut Unstructured<'_>) -> Result<u64> {
    if input.ratio(1, 24)? { input.arbitrary() } else { input.int_in_range(0..=5) }
}

fn attributes(input: &mut Unstructured<'_>) -> Result<Attributes> {
    let mut attributes = Attributes::new();
    if input.arbitrary()? {
        let units = ["days since 2000-01-01", "hours since 1999-12-31 18:00", "m", "1"];
        attributes.insert("units", *input.choose(&units)?);
    }
    if input.ratio(1, 4)? {
        let calendars = ["standard", "360_day", "noleap", "julian", "none"];
        attributes.insert("calendar", *input.choose(&calendars)?);
    }
    if input.ratio(1, 4)? {
        attributes.insert("scale_factor", AttributeValue::Float(input.arbitrary()?));
    }
    Ok(attributes)
}

fn array(
    input: &mut Unstructured<'_>,
    dataset: &mut Dataset,
    lengths: &[u64; 3],
    number: u8,
) -> Result<Array> {
    let rank = input.int_in_range(0..=3_usize)?;
    let first = input.int_in_range(0..=2_usize)?;
    let axes: Vec<usize> = (0..rank).map(|axis| (first + axis) % 3).collect();
    let shape: Vec<u64> = axes.iter().filter_map(|&axis| lengths.get(axis).copied()).collect();
    let mut chunk_shape = Vec::new();
    for &length in &shape {
        let whole = length > 5 || input.arbitrary()?;
        chunk_shape.push(if whole { length.max(1) } else { input.int_in_range(1..=3)? });
    }
    let order = if input.arbitrary()? { ByteOrder::Little } else { ByteOrder::Big };
    let (dtype, width) = match input.int_in_range(0..=3_u8)? {
        0 => (DataType::Int { length: 2, order }, 2),
        1 => (DataType::Float { length: 8, order }, 8),
        2 => (DataType::FixedString { length: 3 }, 3),
        _ => (DataType::Int { length: 8, order }, 8),
    };
    let codecs =
        if input.ratio(1, 3)? { vec![Codec::new("zlib").with("level", 1)] } else { Vec::new() };
    let fill_value = match (&dtype, input.arbitrary()?) {
        (DataType::Int { .. }, true) => Some(FillValue::Int(-1)),
        _ => None,
    };
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let manifest = manifest(input, dataset, &chunk_grid, &shape, width, &codecs, number)?;
    Ok(Array {
        dimensions: axes.iter().map(|&axis| NAMES[axis].to_owned()).collect(),
        shape,
        dtype,
        fill_value,
        chunk_grid,
        codecs,
        attributes: attributes(input)?,
        manifest,
    })
}

fn manifest(
    input: &mut Unstructured<'_>,
    dataset: &mut Dataset,
    chunk_grid: &ChunkGrid,
    shape: &[u64],
    width: u64,
    codecs: &[Codec],
    number: u8,
) -> Result<Manifest> {
    let grid = chunk_grid.grid_shape(shape);
    let count = grid.iter().try_fold(1_u64, |product, &length| product.checked_mul(length));
    let bytes = chunk_grid
        .chunk_shape()
        .iter()
        .try_fold(width, |product, &length| product.checked_mul(length));
    let empty = Manifest::empty(grid.clone());
    let mut builder = ManifestBuilder::new(grid).map_err(|_| arbitrary::Error::IncorrectFormat)?;
    for place in 0..count.unwrap_or_default().min(64) {
        let reference = match input.int_in_range(0..=7_u8)? {
            0 => continue,
            1..=3 if codecs.is_empty() && bytes.is_some_and(|bytes| bytes <= 512) => {
                let length = usize::try_from(bytes.unwrap_or_default()).unwrap_or_default();
                let mut held = vec![0; length];
                input.fill_buffer(&mut held)?;
                ChunkRef::Inline(Bytes::from(held))
            }
            _ => {
                let location = format!("s3://bucket/{}.nc", number % 3);
                let source = dataset.add_source(Source { location, version: None });
                let length = match bytes {
                    Some(bytes) if codecs.is_empty() => bytes,
                    _ => u64::from(input.arbitrary::<u16>()?),
                };
                ChunkRef::Virtual { source, offset: u64::from(input.arbitrary::<u32>()?), length }
            }
        };
        builder
            .push(&empty.chunk_indices(place), reference)
            .map_err(|_| arbitrary::Error::IncorrectFormat)?;
    }
    builder.finish().map_err(|_| arbitrary::Error::IncorrectFormat)
}
