// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codecs `grib` and `gribberish`, undone: a message of one field becomes its values in scanning order, as 64-bit
//! floats, NaN where there is none.
//!
//! | module | holds |
//! |---|---|
//! | `edition1`, `edition2` | which sections say what of the values |
//! | `simple`, `complex`, `second_order`, `run_length`, `image`, `spectral` | the ways values are packed |
//! | `bits`, `values` | numbers of some bits; numbers as values, and the points that have them |
//!
//! Numbers become values by the same operations of 64-bit floating point as in ecCodes, so that they are equal to the last
//! bit.

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{CodecEntry, DecodeContext, DecodeError, Steps, Truncated, inventory};

use crate::error::Grib2Error;
use crate::lower::DIGEST;
use crate::points;
use crate::points::message::Coordinate;
use crate::section::grid_definition::GridDefinition;

mod bits;
mod complex;
mod edition1;
mod edition2;
mod image;
mod run_length;
mod second_order;
mod simple;
mod spectral;
#[cfg(test)]
mod tests;
mod values;

inventory::submit! {
    CodecEntry::new("grib", decode).with_messages().with_identity(DIGEST)
}
inventory::submit! {
    CodecEntry::new("gribberish", decode).with_messages().with_identity(DIGEST)
}

fn decode(
    codec: &Codec,
    stored: &Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let variable = codec.configuration().get("var").and_then(serde_json::Value::as_str);
    if let Some(coordinate) = variable.and_then(Coordinate::named) {
        return points::message::decode(coordinate, stored, context);
    }
    let values = match stored.first_chunk::<8>() {
        Some([b'G', b'R', b'I', b'B', .., 1]) => edition1::decode(stored, context)?,
        Some([b'G', b'R', b'I', b'B', .., 2]) => edition2::decode(stored, context)?,
        Some([b'G', b'R', b'I', b'B', .., edition]) => {
            let reason = format!("values of GRIB edition {edition} are not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
        _ => return Err(DecodeError::damaged("it is no GRIB message")),
    };
    Ok(values.into())
}

fn cut(_: Truncated) -> DecodeError {
    DecodeError::damaged("its sections end early")
}

/// A fault of a section that the scan reads too.
fn fault(error: &Grib2Error) -> DecodeError {
    match error {
        Grib2Error::Unsupported { .. } => DecodeError::Unsupported(error.to_string()),
        _ => DecodeError::Damaged(error.to_string()),
    }
}

/// The points of each row, in the order of the data.
fn row_lengths(grid: &GridDefinition) -> impl Iterator<Item = usize> {
    let (rows, columns) =
        if grid.scanning.j_consecutive() { (grid.nx, grid.ny) } else { (grid.ny, grid.nx) };
    let [rows, columns] = [rows, columns].map(Option::unwrap_or_default);
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let rows = if grid.row_lengths.is_empty() { count(rows) } else { 0 };
    let listed = grid.row_lengths.iter().map(move |length| count(*length));
    listed.chain(std::iter::repeat_n(count(columns), rows))
}

/// Values of 8 bytes with every second row turned round.
fn turn_rows(
    mut values: Vec<u8>,
    grid: &GridDefinition,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, DecodeError> {
    let mut steps = Steps::new(context.cancellation());
    let mut rest = &mut values[..];
    for (row, length) in row_lengths(grid).enumerate() {
        steps.take(length.saturating_add(1))?;
        let bytes = length.saturating_mul(8);
        let (here, behind) = rest
            .split_at_mut_checked(bytes)
            .ok_or_else(|| DecodeError::damaged("its rows have more points than the grid"))?;
        if row % 2 == 1 {
            here.reverse();
            here.chunks_exact_mut(8).for_each(<[u8]>::reverse);
        }
        rest = behind;
    }
    Ok(values)
}
