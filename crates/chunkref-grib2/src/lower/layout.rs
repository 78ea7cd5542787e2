// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields as a tree of groups, as one group for each set of coordinates, or as one dataset each.

use std::collections::{BTreeMap, BTreeSet};

use chunkref_core::model::{Array, ChunkRef, Dataset, Dimension, FillValue, Group, Source};
use chunkref_core::{Limits, ScanOptions, Skipped};

use super::arrays::{self, FLOAT};
use super::budget::Budget;
use super::codec::Decoder;
use super::{attributes, coordinates, geography};
use crate::cube::{Axes, Cube, Level, cubes, distinct_names};
use crate::error::{Grib2Error, Result};
use crate::field::Field;
use crate::options::{Layout, Options};

/// All of `fields`, which lie in `source`, and what is left out.
pub(crate) fn lower(
    fields: &[Field],
    source: Source,
    choices: &Options,
    options: &ScanOptions,
) -> Result<(Dataset, Vec<Skipped>)> {
    let limits = &options.limits;
    let count = fields.len() as u64;
    Grib2Error::check_limit("file", 0, "chunk references", count, ("chunks", limits.chunks))?;
    let mut dataset = Dataset::new();
    let source = dataset.add_source(source);
    let mut budget = Budget::new(source, Decoder::choose(choices.codec), options);
    match choices.layout {
        Layout::Messages => messages(&mut dataset, fields, &mut budget)?,
        Layout::Tree => tree(&mut dataset, &cubes(fields), &mut budget)?,
        Layout::Flat => flat(&mut dataset, cubes(fields), &mut budget)?,
    }
    check(&dataset, limits)?;
    Ok((dataset, budget.left_out()))
}

fn check(dataset: &Dataset, limits: &Limits) -> Result<()> {
    let (mut references, mut inline) = (0_u64, 0_u64);
    for (_, array) in dataset.arrays() {
        references = references.saturating_add(array.manifest.present());
        array.manifest.visit(&mut |_, reference| {
            if let ChunkRef::Inline(bytes) = reference {
                inline = inline.saturating_add(bytes.len() as u64);
            }
        });
    }
    Grib2Error::check_limit("file", 0, "chunk references", references, ("chunks", limits.chunks))?;
    let limit = ("inline_bytes", limits.inline_bytes);
    Grib2Error::check_limit("file", 0, "bytes stored inline", inline, limit)
}

/// `VARIABLE/STEP_TYPE/TYPE_OF_LEVEL`, as kerchunk's `grib_tree`, with words for what the values are of.
fn tree(dataset: &mut Dataset, cubes: &[Cube<'_>], budget: &mut Budget<'_>) -> Result<()> {
    let mut paths: BTreeMap<_, Vec<&Cube<'_>>> = BTreeMap::new();
    for cube in cubes {
        let path = (&cube.variable, &cube.step_type, cube.name(&cube.axes.type_of_level));
        paths.entry(path).or_default().push(cube);
    }
    for ((variable, step_type, base), cubes) in paths {
        let names = distinct_names(&base, &cubes);
        for (cube, name) in cubes.into_iter().zip(names) {
            let parent = format!("{variable}/{step_type}");
            dataset.group_mut(variable).attributes.insert("name", long_name(cube));
            dataset.group_mut(&parent).attributes.insert("stepType", step_type.as_str());
            let taken = &dataset.group_mut(&parent).groups;
            let name = budget.free_name(&parent, taken, &name);
            let group = dataset.group_mut(&format!("{parent}/{name}"));
            begin_group(group, cube, budget)?;
            group.attributes.insert("typeOfLevel", cube.axes.type_of_level.as_str());
            let array = data(cube, variable, budget)?;
            insert(group, variable, array);
        }
    }
    if let Some(field) = cubes.first().and_then(|cube| cube.fields.first()) {
        dataset.root.attributes = attributes::group(field);
    }
    Ok(())
}

/// One group for each set of coordinates, or the root when there is one only.
fn flat(dataset: &mut Dataset, cubes: Vec<Cube<'_>>, budget: &mut Budget<'_>) -> Result<()> {
    let mut sets: BTreeMap<(String, Axes), Vec<Cube<'_>>> = BTreeMap::new();
    for cube in cubes {
        sets.entry((cube.name(&cube.axes.type_of_level), cube.axes.clone()))
            .or_default()
            .push(cube);
    }
    let single = sets.len() == 1;
    let names = flat_names(sets.keys());
    for ((_, cubes), name) in sets.into_iter().zip(names) {
        let mut path = String::new();
        let group = if single {
            &mut dataset.root
        } else {
            path = budget.free_name("", &dataset.root.groups, &name);
            dataset.group_mut(&path)
        };
        if let Some(cube) = cubes.first() {
            begin_group(group, cube, budget)?;
        }
        let mut variables: BTreeMap<_, Vec<&Cube<'_>>> = BTreeMap::new();
        for cube in &cubes {
            variables.entry(cube.name(&cube.variable)).or_default().push(cube);
        }
        for (variable, cubes) in variables {
            let several = cubes.len() > 1;
            for (cube, name) in cubes.iter().zip(distinct_names(&variable, &cubes)) {
                let name = if several { format!("{name}_{}", cube.step_type) } else { name };
                let name = budget.free_name(&path, &group.arrays, &name);
                let array = data(cube, &name, budget)?;
                insert(group, &name, array);
            }
        }
    }
    Ok(())
}

/// Names for groups of these coordinates: the kind of level, and where several have one, the level or how many there are,
/// and whether they are members'.
fn flat_names<'a>(sets: impl Iterator<Item = &'a (String, Axes)>) -> Vec<String> {
    let sets: Vec<_> = sets.collect();
    let mut levels: BTreeMap<&str, BTreeSet<&[Level]>> = BTreeMap::new();
    let mut members: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
    let are_members = |axes: &Axes| axes.numbers.iter().any(Option::is_some);
    for (base, axes) in &sets {
        levels.entry(base).or_default().insert(&axes.levels);
        members.entry(base).or_default().insert(are_members(axes));
    }
    let name = |(base, axes): &&(String, Axes)| {
        let is_one = levels.get(base.as_str()).is_none_or(|levels| levels.len() == 1);
        let level = match axes.levels.as_slice() {
            _ if is_one => base.clone(),
            [(level, None)] => format!("{base}_{}", level.0),
            [(level, Some(bottom))] => format!("{base}_{}_{}", level.0, bottom.0),
            levels => format!("{base}_{}levels", levels.len()),
        };
        let is_mixed = members.get(base.as_str()).is_some_and(|members| members.len() > 1);
        if is_mixed && are_members(axes) { format!("{level}_members") } else { level }
    };
    sets.iter().map(name).collect()
}

/// One dataset for each field, as kerchunk's `scan_grib`.
fn messages(dataset: &mut Dataset, fields: &[Field], budget: &mut Budget<'_>) -> Result<()> {
    dataset.separate = true;
    for (index, field) in fields.iter().enumerate() {
        let cubes = cubes(std::slice::from_ref(field));
        let Some(cube) = cubes.first() else { continue };
        budget.take_object()?;
        let mut coordinates = geography::coordinates(field, budget)?;
        coordinates.extend(coordinates::others(&cube.axes, false, budget)?);
        let (shape, dimensions) = field.shape();
        let (codec, attributes) =
            (budget.decoder.values(&cube.variable), attributes::variable(cube, field, budget)?);
        let references = vec![(vec![0; shape.len()], arrays::reference(budget.source, field))];
        let array = arrays::chunked(
            budget,
            (shape.clone(), shape.clone()),
            &dimensions,
            (FLOAT, None),
            vec![codec],
            attributes,
            references,
        )?;
        let path = format!("message_{index:06}");
        let group = dataset.group_mut(&path);
        group.attributes = attributes::group(field);
        group.attributes.insert("coordinates", coordinates::listed(&coordinates));
        for (name, array) in coordinates {
            insert(group, &name, array);
        }
        let name = budget.free_name(&path, &group.arrays, &cube.variable);
        insert(group, &name, array);
    }
    Ok(())
}

fn long_name(cube: &Cube<'_>) -> String {
    cube.fields.first().map(|field| field.parameter.long_name.clone()).unwrap_or_default()
}

/// Attributes and coordinates of the group that `cube` is in.
fn begin_group(group: &mut Group, cube: &Cube<'_>, budget: &mut Budget<'_>) -> Result<()> {
    let Some(field) = cube.fields.first() else { return Ok(()) };
    budget.take_object()?;
    let mut coordinates = geography::coordinates(field, budget)?;
    coordinates.extend(coordinates::others(&cube.axes, true, budget)?);
    group.attributes = attributes::group(field);
    group.attributes.insert("coordinates", coordinates::listed(&coordinates));
    for (name, array) in coordinates {
        insert(group, &name, array);
    }
    Ok(())
}

/// The array of a cube: time, step, member, percentile and threshold where its fields have such, be it one, so that others
/// are never taken for the same, the level where there are several, then the grid.
fn data(cube: &Cube<'_>, name: &str, budget: &mut Budget<'_>) -> Result<Array> {
    let Some(field) = cube.fields.first() else {
        return Err(Grib2Error::inconsistent("message", 0, "a cube without fields"));
    };
    let axes = &cube.axes;
    let (grid_shape, grid_dimensions) = field.shape();
    let lengths = [
        axes.times.len(),
        axes.steps.len(),
        axes.numbers.len(),
        axes.percentiles.len(),
        axes.thresholds.len(),
        axes.levels.len(),
    ];
    let names = ["time", "step", "number", "percentile", "threshold", axes.type_of_level.as_str()];
    let [_, _, .., several_levels] = lengths.map(|length| length > 1);
    let kept = [
        true,
        true,
        axes.numbers.iter().any(Option::is_some),
        axes.percentiles.iter().any(Option::is_some),
        axes.thresholds.iter().any(Option::is_some),
        several_levels,
    ];
    let (mut shape, mut chunk_shape, mut dimensions) = (Vec::new(), Vec::new(), Vec::new());
    for ((length, name), _) in lengths.into_iter().zip(names).zip(kept).filter(|(_, kept)| *kept) {
        shape.push(length as u64);
        chunk_shape.push(1);
        dimensions.push(name);
    }
    let rank = grid_shape.len();
    shape.extend(grid_shape.iter().copied());
    chunk_shape.extend(grid_shape);
    dimensions.extend(grid_dimensions);
    let (codec, attributes) =
        (budget.decoder.values(name), attributes::variable(cube, field, budget)?);
    let references = coordinates::references(cube, kept, rank, budget.source);
    arrays::chunked(
        budget,
        (shape, chunk_shape),
        &dimensions,
        (FLOAT, Some(FillValue::Float(f64::NAN))),
        vec![codec],
        attributes,
        references,
    )
}

fn insert(group: &mut Group, name: &str, array: Array) {
    for (dimension, &length) in array.dimensions.iter().zip(&array.shape) {
        if group.dimensions.iter().all(|known| known.name != *dimension) {
            group.dimensions.push(Dimension { name: dimension.clone(), length, unlimited: false });
        }
    }
    group.arrays.insert(name.to_owned(), array);
}
