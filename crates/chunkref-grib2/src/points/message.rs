// SPDX-License-Identifier: MIT OR Apache-2.0
//! Latitudes or longitudes of the points of a message.

use bytes::Bytes;
use chunkref_core::{Cursor, DecodeContext, DecodeError, Limits, Steps, Truncated};

use super::visit;
use crate::edition1;
use crate::error::Grib2Error;
use crate::section::grid_definition::GridDefinition;
use crate::section::indicator::INDICATOR_BYTES;

/// Which number of a place is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coordinate {
    Latitude,
    Longitude,
}

impl Coordinate {
    /// The coordinate that a codec's variable names.
    pub(crate) fn named(variable: &str) -> Option<Self> {
        match variable {
            "latitude" => Some(Self::Latitude),
            "longitude" => Some(Self::Longitude),
            _ => None,
        }
    }
}

/// The coordinate of each point of the first grid in a message, in the order of the values, as 64-bit floats.
pub(crate) fn decode(
    coordinate: Coordinate,
    stored: &[u8],
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let grid = grid(stored)?;
    let wanted = usize::try_from(u64::from(grid.count).saturating_mul(8)).unwrap_or(usize::MAX);
    if wanted > context.max_bytes() {
        let reason = format!("its grid has {} points, more than the chunk", grid.count);
        return Err(DecodeError::Damaged(reason));
    }
    let mut values = Vec::new();
    let mut steps = Steps::new(context.cancellation());
    let is_known = visit(&grid, &mut steps, &mut |place| {
        let value = match coordinate {
            Coordinate::Latitude => place.latitude,
            Coordinate::Longitude => place.longitude,
        };
        // No more than were counted, whatever the rows say.
        if values.len() < wanted {
            values.extend(value.to_le_bytes());
        }
    })?;
    if !is_known {
        let reason = format!("the places of its points are not known: {}", grid.number);
        return Err(DecodeError::Unsupported(reason));
    }
    if values.len() != wanted {
        let reason = format!("{} places come out for {} points", values.len() / 8, grid.count);
        return Err(DecodeError::Damaged(reason));
    }
    Ok(values.into())
}

/// What the grid section of a message says.
fn grid(stored: &[u8]) -> Result<GridDefinition, DecodeError> {
    let (limits, unread) = (Limits::default(), |error: Grib2Error| match error {
        Grib2Error::Unsupported { .. } => DecodeError::Unsupported(error.to_string()),
        error => DecodeError::Damaged(error.to_string()),
    });
    match stored.first_chunk::<8>() {
        Some([b'G', b'R', b'I', b'B', .., 1]) => {
            let sections = stored.get(8..).unwrap_or_default();
            edition1::grid(sections, 8, &limits).map_err(unread)
        }
        Some([b'G', b'R', b'I', b'B', .., 2]) => {
            let section = section3(stored)?;
            let mut cursor = Cursor::new(section, 0, "grid definition section");
            GridDefinition::parse(&mut cursor, &limits).map_err(unread)
        }
        _ => Err(DecodeError::damaged("it is no GRIB message")),
    }
}

/// The octets of the first section 3 after length and number.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, sections 0 to 3.
fn section3(stored: &[u8]) -> Result<&[u8], DecodeError> {
    let early = |_: Truncated| DecodeError::damaged("its sections end early");
    let mut cursor = Cursor::new(stored, 0, "message");
    cursor.bytes_u64(INDICATOR_BYTES).map_err(early)?;
    // Sections 1 and 2 come before.
    for _ in 0..3 {
        let (length, number) = (cursor.u32_be().map_err(early)?, cursor.u8().map_err(early)?);
        let body = u64::from(length).checked_sub(5);
        let body = body.ok_or_else(|| DecodeError::damaged("a section of it has no length"))?;
        let body = cursor.bytes_u64(body).map_err(early)?;
        if number == 3 {
            return Ok(body);
        }
    }
    Err(DecodeError::damaged("it has no section 3"))
}
