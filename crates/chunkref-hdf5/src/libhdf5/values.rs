// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values as libhdf5 itself reads them, to hold ours against.

use std::ops::Range;
use std::path::Path;

use chunkref_core::model::{ByteOrder, DataType};
use chunkref_core::{ValueReaderEntry, ValueReaderError, inventory};
use hdf5_metno::{Dataset, File, H5Type, Hyperslab, Selection, SliceOrIndex};
use ndarray::IxDyn;

use super::fault::fault;
use crate::error::{Hdf5Error, Result};

inventory::submit! {
    ValueReaderEntry::new("hdf5", "libhdf5", |file, path, region, dtype| {
        read_values(file, path, region, dtype).map_err(ValueReaderError::from)
    })
}

/// The values in `region` of the dataset at `path` of a local file, with a range for each axis: in C order, as `dtype` has
/// them. `None` for types that are no integers or floats of 4 and 8 bytes.
/// Errors are what libhdf5 says: no such file or dataset, another number of axes, data that it cannot decode.
fn read_values(
    file: &Path,
    path: &str,
    region: &[Range<u64>],
    dtype: &DataType,
) -> Result<Option<Vec<u8>>> {
    hdf5_metno::silence_errors(true);
    let opened = File::open(file).and_then(|file| file.dataset(path));
    let dataset = opened.map_err(|error| fault(0, &error))?;
    let region = region.iter().map(|range| {
        let bound = |place| {
            usize::try_from(place)
                .map_err(|_| Hdf5Error::unsupported("libhdf5", 0, "a region of this size"))
        };
        Ok(SliceOrIndex::SliceTo {
            start: bound(range.start)?,
            step: 1,
            end: bound(range.end)?,
            block: 1,
        })
    });
    let region: Vec<_> = region.collect::<Result<_>>()?;
    match dtype {
        DataType::Int { length: 1, order } => read(&dataset, region, *order, i8::to_le_bytes),
        DataType::Int { length: 2, order } => read(&dataset, region, *order, i16::to_le_bytes),
        DataType::Int { length: 4, order } => read(&dataset, region, *order, i32::to_le_bytes),
        DataType::Int { length: 8, order } => read(&dataset, region, *order, i64::to_le_bytes),
        DataType::UInt { length: 1, order } => read(&dataset, region, *order, u8::to_le_bytes),
        DataType::UInt { length: 2, order } => read(&dataset, region, *order, u16::to_le_bytes),
        DataType::UInt { length: 4, order } => read(&dataset, region, *order, u32::to_le_bytes),
        DataType::UInt { length: 8, order } => read(&dataset, region, *order, u64::to_le_bytes),
        DataType::Float { length: 4, order } => read(&dataset, region, *order, f32::to_le_bytes),
        DataType::Float { length: 8, order } => read(&dataset, region, *order, f64::to_le_bytes),
        _ => Ok(None),
    }
}

fn read<T: H5Type + Copy, const N: usize>(
    dataset: &Dataset,
    region: Vec<SliceOrIndex>,
    order: ByteOrder,
    bytes: fn(T) -> [u8; N],
) -> Result<Option<Vec<u8>>> {
    let values: Vec<T> = if region.is_empty() {
        dataset.read_raw().map_err(|error| fault(0, &error))?
    } else {
        let region = Selection::from(Hyperslab::from(region));
        let read = dataset.as_reader().read_slice::<T, _, IxDyn>(region);
        read.map_err(|error| fault(0, &error))?.iter().copied().collect()
    };
    let ordered = values.into_iter().flat_map(|value| {
        let mut bytes = bytes(value);
        if order == ByteOrder::Big {
            bytes.reverse();
        }
        bytes
    });
    Ok(Some(ordered.collect()))
}
