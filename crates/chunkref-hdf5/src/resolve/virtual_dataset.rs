// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual datasets. Spec: HDF5 File Format 3.0, IV.A.2.i "Virtual Storage".

use std::collections::BTreeMap;

use bytes::Bytes;

use super::placed::{COPY_BYTES, Placed};
use crate::chunk_index::{Chunk, ChunkTable, Grid};
use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::message::{Dataspace, FillValue, Filter};
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};
use crate::raw_data::assemble;
use crate::selection::{Mapping, Region};
use crate::tree::Resolver;
use crate::walk::{Files, elements as raw};

/// Boxes that a selection may fall into.
const MAX_BOXES: u64 = 100_000;

/// Chunks of sources that are looked at for one virtual dataset, counted for every mapping.
const MAX_VISITS: u64 = 50_000_000;

/// Bytes of sources that are read for one virtual dataset, counted for every mapping.
const MAX_READ_BYTES: u64 = 1 << 30;

/// The source dataset of every mapping.
pub(super) fn sources(
    resolver: Resolver<'_>,
    id: ObjectId,
    mappings: &[Mapping],
    offset: u64,
) -> Result<Vec<ObjectId>> {
    let find = |mapping: &Mapping| {
        let file = if mapping.file == "." {
            Ok(id.file)
        } else {
            resolver.neighbours.find(id.file, &mapping.file)
        };
        let found = file.and_then(|file| resolver.find(file, &mapping.dataset));
        found.map_err(|reason| {
            let reason = reason
                .within(format!("the source {:?} in the file {:?}", mapping.dataset, mapping.file));
            Hdf5Error::elsewhere("virtual dataset", offset, reason)
        })
    };
    mappings.iter().map(find).collect()
}

/// A mapping with its selections as boxes.
struct Part<'a> {
    id: ObjectId,
    dataset: &'a Dataset,
    from: Vec<Region>,
    to: Vec<Region>,
}

pub(super) async fn resolve<S>(
    files: &Files<'_>,
    objects: &Objects<Dataset>,
    dataset: &Dataset<S>,
    mappings: &[Mapping],
    found: &[ObjectId],
    offset: u64,
) -> Result<Placed> {
    let refuse = |reason: String| Hdf5Error::inconsistent("virtual dataset", offset, reason);
    let mut parts = Vec::new();
    for (mapping, &id) in mappings.iter().zip(found) {
        files.check()?;
        let describe =
            || format!("the source {:?} in the file {:?}", mapping.dataset, mapping.file);
        let source = match objects.get(&id) {
            Some(Ok(Object { kind: ObjectKind::Dataset(source), .. })) => source
                .as_ref()
                .as_ref()
                .map_err(|error| refuse(format!("{} cannot be read: {error}", describe())))?,
            _ => return Err(refuse(format!("{} is not a dataset", describe()))),
        };
        if source.datatype != dataset.datatype {
            return Err(refuse(format!(
                "{} has another type than the virtual dataset",
                describe()
            )));
        }
        let (from_shape, to_shape) = (source.dataspace.shape(), dataset.dataspace.shape());
        let from = mapping.source.boxes(from_shape, MAX_BOXES);
        let to = mapping.target.boxes(to_shape, MAX_BOXES);
        let (Some(mut from), Some(mut to)) = (from, to) else {
            let what = format!("a selection of single points or of more than {MAX_BOXES} boxes");
            return Err(Hdf5Error::unsupported("virtual dataset", offset, what));
        };
        if mapping.source.is_unlimited() || mapping.target.is_unlimited() {
            shorten(&mut from, &mut to);
        }
        let count = |boxes: &[Region]| {
            boxes.iter().try_fold(0_u64, |sum, region| sum.checked_add(region.count()?))
        };
        let fits = from.iter().all(|region| region.fits(from_shape))
            && to.iter().all(|region| region.fits(to_shape));
        if !fits || count(&from).is_none() || count(&from) != count(&to) {
            return Err(refuse(format!(
                "the selections of {} do not fit its shape or each other",
                describe()
            )));
        }
        parts.push(Part { id, dataset: source, from, to });
    }
    if let Some(resolved) = by_reference(files, dataset, &parts) {
        return Ok(resolved);
    }
    files.check()?;
    copy(files, dataset, &parts, offset).await
}

/// Makes selections that grow with their arrays as long as the shorter of the two, where both are one box.
fn shorten(from: &mut [Region], to: &mut [Region]) {
    if let ([from], [to]) = (from, to)
        && from.shape.len() == to.shape.len()
    {
        for (a, b) in from.shape.iter_mut().zip(to.shape.iter_mut()) {
            let shorter = (*a).min(*b);
            (*a, *b) = (shorter, shorter);
        }
    }
}

/// Chunks of the sources, when every mapping moves whole chunks.
fn by_reference<S>(files: &Files<'_>, dataset: &Dataset<S>, parts: &[Part<'_>]) -> Option<Placed> {
    let shape = dataset.dataspace.shape();
    let Dataspace::Simple { max_shape, .. } = &dataset.dataspace else { return None };
    let visits = parts.iter().map(|part| match &part.dataset.storage {
        Storage::Chunked { table, .. } => table.len() as u64,
        _ => 1,
    });
    if visits.fold(0_u64, u64::saturating_add) > MAX_VISITS {
        return None;
    }
    let mut chunk_shape: Option<Vec<u64>> = None;
    let mut filters: Option<&[Filter]> = None;
    let mut chunks: BTreeMap<Vec<u64>, (FileNumber, u64, u64, u32)> = BTreeMap::new();
    for part in parts {
        // The caller asks again, and says why.
        files.check().ok()?;
        let ([from], [to]) = (part.from.as_slice(), part.to.as_slice()) else { return None };
        let axes = matching_axes(from, to)?;
        let source_chunk = source_chunk(part.dataset, from)?;
        let wanted: Vec<u64> = axes
            .iter()
            .map(|axis| axis.and_then(|axis| source_chunk.get(axis).copied()).unwrap_or(1))
            .collect();
        // Axes that the virtual dataset does not have must not have chunks of more than one element.
        let unmatched =
            source_chunk.iter().enumerate().filter(|(axis, _)| !axes.contains(&Some(*axis)));
        if unmatched.into_iter().any(|(_, &length)| length != 1) {
            return None;
        }
        if *chunk_shape.get_or_insert_with(|| wanted.clone()) != wanted
            || *filters.get_or_insert(&part.dataset.filters) != part.dataset.filters
        {
            return None;
        }
        let aligned = to.start.iter().zip(&to.shape).zip(&wanted).zip(shape).all(
            |(((&start, &length), &chunk), &bound)| {
                let end = start.saturating_add(length);
                start.checked_rem(chunk) == Some(0)
                    && (end.checked_rem(chunk) == Some(0) || end == bound)
            },
        );
        let source_aligned = from
            .start
            .iter()
            .zip(&source_chunk)
            .all(|(start, &chunk)| start.checked_rem(chunk) == Some(0));
        if !aligned || !source_aligned {
            return None;
        }
        let mut missing = false;
        for (place, stored) in stored_chunks(part, from, &source_chunk)? {
            let target: Vec<u64> = axes
                .iter()
                .zip(to.start.iter().zip(&wanted))
                .map(|(axis, (&start, &chunk))| {
                    let inner = axis.and_then(|axis| place.get(axis).copied()).unwrap_or(0);
                    Some(start.checked_div(chunk)?.saturating_add(inner))
                })
                .collect::<Option<_>>()?;
            match stored {
                None => missing = true,
                Some(stored) if chunks.insert(target, stored).is_some() => return None,
                Some(_) => {}
            }
        }
        // Chunks that were never written read as their own dataset's fill value.
        if missing && !same_fill(&part.dataset.fill_value, &dataset.fill_value) {
            return None;
        }
    }
    let chunk_shape =
        chunk_shape.unwrap_or_else(|| shape.iter().map(|&length| length.max(1)).collect());
    let grid = Grid::new(shape, max_shape, &chunk_shape, u64::from(dataset.datatype.length))?;
    let mut table = ChunkTable::new(shape.len());
    for (chunk_indices, (file, offset, length, filter_mask)) in &chunks {
        let (file, offset, length, filter_mask) = (*file, *offset, *length, *filter_mask);
        table.push(Chunk { chunk_indices, file, offset, length, filter_mask });
    }
    Some(Placed {
        storage: Storage::Chunked { grid, table },
        filters: filters.unwrap_or_default().to_vec(),
    })
}

/// For every axis of the target the axis of the source that runs along it; axes of one element run along nothing.
fn matching_axes(from: &Region, to: &Region) -> Option<Vec<Option<usize>>> {
    if from.shape == to.shape {
        return Some((0..to.shape.len()).map(Some).collect());
    }
    let mut long = from.shape.iter().enumerate().filter(|&(_, &length)| length != 1);
    let mut axes = Vec::new();
    for &length in &to.shape {
        if length == 1 {
            axes.push(None);
            continue;
        }
        let (running, &selected) = long.next()?;
        if selected != length {
            return None;
        }
        axes.push(Some(running));
    }
    long.next().is_none().then_some(axes)
}

/// The chunk shape of a source; a contiguous one has chunks of the selected box, if its elements are in one run.
fn source_chunk(source: &Dataset, from: &Region) -> Option<Vec<u64>> {
    match &source.storage {
        Storage::Chunked { grid, .. } => Some(grid.chunk_shape.clone()),
        Storage::Contiguous { .. } => {
            let mut axes = from
                .shape
                .iter()
                .zip(source.dataspace.shape())
                .skip_while(|&(&length, _)| length == 1);
            axes.next();
            let one_run = axes.all(|(length, bound)| length == bound);
            let starts = from
                .start
                .iter()
                .zip(&from.shape)
                .all(|(start, &length)| start.checked_rem(length) == Some(0));
            (one_run && starts && !from.shape.contains(&0)).then(|| from.shape.clone())
        }
        Storage::Compact(_) => None,
    }
}

type Stored = (FileNumber, u64, u64, u32);

/// The chunks within the selected box, by their place in it, with `None` for those that were never written.
fn stored_chunks(
    part: &Part<'_>,
    from: &Region,
    chunk_shape: &[u64],
) -> Option<Vec<(Vec<u64>, Option<Stored>)>> {
    let first: Vec<u64> = from
        .start
        .iter()
        .zip(chunk_shape)
        .map(|(&start, &chunk)| start.checked_div(chunk))
        .collect::<Option<_>>()?;
    let count: Vec<u64> = from
        .shape
        .iter()
        .zip(chunk_shape)
        .map(|(&length, &chunk)| length.div_ceil(chunk.max(1)))
        .collect();
    match &part.dataset.storage {
        Storage::Contiguous { offset: None, .. } => Some(vec![(vec![0; first.len()], None)]),
        Storage::Contiguous { offset: Some(offset), .. } => {
            let element = u64::from(part.dataset.datatype.length);
            let linear = from
                .start
                .iter()
                .zip(part.dataset.dataspace.shape())
                .try_fold(0_u64, |sum, (&start, &length)| {
                    sum.checked_mul(length)?.checked_add(start)
                })?;
            let at = offset.checked_add(linear.checked_mul(element)?)?;
            Some(vec![(
                vec![0; first.len()],
                Some((part.id.file, at, from.count()?.checked_mul(element)?, 0)),
            )])
        }
        Storage::Chunked { table, .. } => {
            let mut found = Vec::new();
            for chunk in table.iter() {
                let place: Option<Vec<u64>> = chunk
                    .chunk_indices
                    .iter()
                    .zip(&first)
                    .zip(&count)
                    .map(|((&index, &first), &count)| {
                        index.checked_sub(first).filter(|&place| place < count)
                    })
                    .collect();
                if let Some(place) = place {
                    found.push((
                        place,
                        Some((chunk.file, chunk.offset, chunk.length, chunk.filter_mask)),
                    ));
                }
            }
            let all = count.iter().try_fold(1_u64, |product, &count| product.checked_mul(count))?;
            if (found.len() as u64) < all {
                found.push((vec![0; first.len()], None));
            }
            Some(found)
        }
        Storage::Compact(_) => None,
    }
}

fn same_fill(a: &FillValue, b: &FillValue) -> bool {
    let bytes = |value: &FillValue| match value {
        FillValue::Defined(bytes) if bytes.iter().any(|&byte| byte != 0) => bytes.clone(),
        _ => Vec::new(),
    };
    bytes(a) == bytes(b)
}

/// All elements of the virtual dataset, read from its sources.
async fn copy<S>(
    files: &Files<'_>,
    dataset: &Dataset<S>,
    parts: &[Part<'_>],
    offset: u64,
) -> Result<Placed> {
    let total = dataset.logical_bytes().unwrap_or(u64::MAX);
    let sources = || parts.iter().map(|part| part.dataset.logical_bytes().unwrap_or(u64::MAX));
    let largest = sources().max().unwrap_or(0).max(total);
    let read = sources().fold(0_u64, u64::saturating_add);
    if largest > COPY_BYTES || read > MAX_READ_BYTES || dataset.datatype.has_heap_data() {
        let what = format!(
            "a virtual dataset whose mappings do not move whole chunks, and whose {largest} bytes are more than the {COPY_BYTES} that are copied or of variable length,"
        );
        return Err(Hdf5Error::unsupported("virtual dataset", offset, what));
    }
    let element = usize::try_from(dataset.datatype.length).unwrap_or(usize::MAX);
    let mut output = dataset.fill_bytes(total);
    for part in parts {
        files.check()?;
        let data = elements(files, part, offset).await?;
        let from = element_numbers(&part.from, part.dataset.dataspace.shape());
        let to = element_numbers(&part.to, dataset.dataspace.shape());
        for (from, to) in from.into_iter().zip(to) {
            let bytes = |number: usize| {
                number.saturating_mul(element)..number.saturating_add(1).saturating_mul(element)
            };
            if let (Some(target), Some(source)) = (output.get_mut(bytes(to)), data.get(bytes(from)))
            {
                target.copy_from_slice(source);
            }
        }
    }
    Ok(Placed { storage: Storage::Compact(output.into()), filters: Vec::new() })
}

/// All elements of a mapping's source.
async fn elements(files: &Files<'_>, part: &Part<'_>, offset: u64) -> Result<Bytes> {
    let source = part.dataset;
    let bytes = match &source.storage {
        Storage::Chunked { grid, table } => {
            let mut chunks = Vec::new();
            for chunk in table.iter() {
                let (Some(frontier), Some(file)) =
                    (files.frontier(chunk.file), files.hdf5(part.id.file))
                else {
                    break;
                };
                let place = (chunk.offset, chunk.length);
                let (mask, limits) = (chunk.filter_mask, &file.context.limits);
                let read = raw::chunk_data(frontier, &source.filters, mask, place, grid, limits);
                chunks.push(frontier.run(read).await?);
            }
            Some(assemble(source, grid, table, &chunks))
        }
        _ => match files.hdf5(part.id.file) {
            Some(file) => {
                file.frontier.run(raw::elements(file, source, &source.storage, offset)).await?
            }
            None => None,
        },
    };
    Ok(bytes.unwrap_or_else(|| source.fill_bytes(source.logical_bytes().unwrap_or(0)).into()))
}

/// Numbers, in C order over the whole array, of the elements in boxes; ascending, as HDF5 walks a selection.
fn element_numbers(boxes: &[Region], shape: &[u64]) -> Vec<usize> {
    let mut numbers = Vec::new();
    for region in boxes {
        let mut starts = vec![0_u64];
        for ((&start, &length), &bound) in region.start.iter().zip(&region.shape).zip(shape) {
            starts = starts
                .iter()
                .flat_map(|&outer| {
                    (0..length).map(move |inner| {
                        outer.saturating_mul(bound).saturating_add(start).saturating_add(inner)
                    })
                })
                .collect();
        }
        numbers.extend(starts.into_iter().filter_map(|number| usize::try_from(number).ok()));
    }
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: &[u64], shape: &[u64]) -> Region {
        Region { start: start.to_vec(), shape: shape.to_vec() }
    }

    #[test]
    fn axes_of_one_element_run_along_nothing() {
        let axes = |from: &[u64], to: &[u64]| {
            matching_axes(&region(&vec![0; from.len()], from), &region(&vec![0; to.len()], to))
        };
        assert_eq!(axes(&[4, 5], &[4, 5]), Some(vec![Some(0), Some(1)]));
        assert_eq!(axes(&[4, 5], &[1, 4, 5]), Some(vec![None, Some(0), Some(1)]));
        assert_eq!(axes(&[4, 1, 5], &[4, 5]), Some(vec![Some(0), Some(2)]));
        assert_eq!(axes(&[4, 5], &[5, 4]), None);
        assert_eq!(axes(&[4, 5], &[4]), None);
    }

    #[test]
    fn elements_of_boxes_are_walked_in_c_order() {
        assert_eq!(element_numbers(&[region(&[1, 1], &[2, 2])], &[3, 4]), [5, 6, 9, 10]);
        assert_eq!(
            element_numbers(&[region(&[0, 2], &[2, 1]), region(&[0, 0], &[2, 1])], &[2, 4]),
            [0, 2, 4, 6]
        );
        assert_eq!(element_numbers(&[region(&[], &[])], &[]), [0]);
    }
}
