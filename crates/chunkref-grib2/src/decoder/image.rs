// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the headers of images in section 7 say they need, checked before a decoder makes room for it.

use chunkref_core::{Cursor, DecodeError, Truncated};

/// Tiles of a JPEG 2000 image at the most: writers of GRIB make one.
const MOST_TILES: u64 = 64;

/// Exponent of the least width of a JPEG 2000 precinct that an image may ask for.
const LEAST_PRECINCT: u8 = 5;

fn cut(_: Truncated) -> DecodeError {
    DecodeError::damaged("its image ends early")
}

/// Pixels of a PNG image, which has one sample for each, or several that are one number.
///
/// Spec: PNG 11.2.1, IHDR.
pub(super) fn png(data: &[u8], points: u64) -> Result<u64, DecodeError> {
    let mut cursor = Cursor::new(data, 0, "PNG image");
    if cursor.array().map_err(cut)? != *b"\x89PNG\r\n\x1a\n" {
        return Err(DecodeError::damaged("its image is no PNG"));
    }
    // Length and name of the first chunk.
    cursor.skip(8).map_err(cut)?;
    let (width, height) = (cursor.u32_be().map_err(cut)?, cursor.u32_be().map_err(cut)?);
    let (_depth, colour) = (cursor.u8().map_err(cut)?, cursor.u8().map_err(cut)?);
    if !matches!(colour, 0 | 2 | 6) {
        return Err(DecodeError::Unsupported(format!(
            "PNG of colour type {colour} is not unpacked here"
        )));
    }
    pixels(width, height, points)
}

/// Pixels of a JPEG 2000 code stream of one component.
///
/// Spec: ISO/IEC 15444-1, A.5.1 SIZ and A.6.1 COD.
pub(super) fn jpeg2000(data: &[u8], points: u64) -> Result<u64, DecodeError> {
    let mut cursor = Cursor::new(data, 0, "JPEG 2000 image");
    if cursor.array().map_err(cut)? != *b"\xff\x4f\xff\x51" {
        return Err(DecodeError::damaged("its image is no JPEG 2000 code stream"));
    }
    let length = u64::from(cursor.u16_be().map_err(cut)?);
    let mut header = cursor.slice(length.saturating_sub(2), "SIZ").map_err(cut)?;
    header.skip(2).map_err(cut)?;
    let mut pair = || -> Result<_, DecodeError> {
        Ok((header.u32_be().map_err(cut)?, header.u32_be().map_err(cut)?))
    };
    let ((width, height), (left, top)) = (pair()?, pair()?);
    let ((tile_width, tile_height), (tile_left, tile_top)) = (pair()?, pair()?);
    let components = header.u16_be().map_err(cut)?;
    let (_precision, steps) = (header.u8().map_err(cut)?, header.u16_be().map_err(cut)?);
    if components != 1 || steps != 0x0101 || [left, top, tile_left, tile_top] != [0; 4] {
        let reason = "JPEG 2000 of several components or parts of an image is not unpacked here";
        return Err(DecodeError::unsupported(reason));
    }
    let along = |length: u32, tile: u32| u64::from(length.div_ceil(tile.max(1)));
    let tiles = along(width, tile_width).saturating_mul(along(height, tile_height));
    if tiles > MOST_TILES {
        return Err(DecodeError::Unsupported(format!(
            "JPEG 2000 of {tiles} tiles is not unpacked here"
        )));
    }
    check_precincts(cursor)?;
    pixels(width, height, points)
}

/// Precincts of a pixel each would need many times the memory of the image.
fn check_precincts(mut cursor: Cursor<'_>) -> Result<(), DecodeError> {
    // Other segments of the header, to the first tile.
    while cursor.remaining() > 0 {
        let (marker, length) = (cursor.u16_be().map_err(cut)?, cursor.u16_be().map_err(cut)?);
        if marker == 0xff90 {
            return Ok(());
        }
        let length = u64::from(length)
            .checked_sub(2)
            .ok_or_else(|| DecodeError::damaged("its image has a segment of no length"))?;
        let mut segment = cursor.slice(length, "segment").map_err(cut)?;
        // Those of all components, and of one.
        let before = match marker {
            0xff52 => 0,
            0xff53 => 1,
            _ => continue,
        };
        segment.skip(before).map_err(cut)?;
        let has_precincts = segment.u8().map_err(cut)? & 1 != 0;
        // Order, layers and the transform of components; then levels, code blocks and the transform.
        segment.skip(if before == 0 { 4 } else { 0 }).map_err(cut)?;
        segment.skip(5).map_err(cut)?;
        let small = |size: &u8| size & 0x0f < LEAST_PRECINCT || size >> 4 < LEAST_PRECINCT;
        // The lowest resolution may have a single small one.
        if has_precincts && segment.rest().iter().skip(1).any(small) {
            return Err(DecodeError::unsupported(
                "JPEG 2000 in very small precincts is not unpacked here",
            ));
        }
    }
    Ok(())
}

/// Width times height, of which there are no more than points of the grid.
fn pixels(width: u32, height: u32, points: u64) -> Result<u64, DecodeError> {
    let pixels = u64::from(width).saturating_mul(height.into());
    if pixels > points {
        let reason = format!("its image has {pixels} pixels, and its grid {points} points");
        return Err(DecodeError::Damaged(reason));
    }
    Ok(pixels)
}
