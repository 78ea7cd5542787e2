// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values as the pixels of an image. gribberish decodes images; what their headers say they need is checked before it makes
//! room for it.

use std::panic::{RefUnwindSafe, catch_unwind};

use bitvec::prelude::{BitSlice, Msb0};
use chunkref_core::{Cursor, DecodeError, Steps, Truncated};
use gribberish::templates::data_representation::{
    DataRepresentationTemplate, PNGDataRepresentationTemplate,
};

use super::simple::Packing;
use super::values::Values;

/// The most bits of a JPEG 2000 sample, less one: gribberish keeps samples with their sign in 32.
#[cfg(feature = "jpeg2000")]
const MOST_PRECISION: u8 = 29;

/// Tiles of a JPEG 2000 image at the most: writers of GRIB make one.
#[cfg(feature = "jpeg2000")]
const MOST_TILES: u64 = 64;

/// Exponent of the least width of a JPEG 2000 precinct that an image may ask for.
#[cfg(feature = "jpeg2000")]
const LEAST_PRECINCT: u8 = 5;

fn cut(_: Truncated) -> DecodeError {
    DecodeError::damaged("its image ends early")
}

/// The chunk of a PNG image that its pixels begin with, and the one by which some of them are transparent.
const IMAGE_DATA: [u8; 4] = *b"IDAT";
const TRANSPARENCY: [u8; 4] = *b"tRNS";

/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.41 and 7.41.
pub(super) fn unpack_png(
    packing: &Packing,
    data: &[u8],
    points: usize,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    if packing.bits == 0 {
        return values.fill_rest(packing.scale.reference, steps);
    }
    // Samples of less than a byte are stretched to the whole of it.
    let step = match png(data, packing.bits, points)? {
        1 => 255.0,
        2 => 85.0,
        4 => 17.0,
        _ => 1.0,
    };
    pixels(
        packing,
        &PNGDataRepresentationTemplate::new(plain_section()),
        data,
        step,
        (values, steps),
    )
}

/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.40 and 7.40.
#[cfg(feature = "jpeg2000")]
pub(super) fn unpack_jpeg2000(
    packing: &Packing,
    data: &[u8],
    points: usize,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    use gribberish::templates::data_representation::JPEGDataRepresentationTemplate;
    if packing.bits == 0 {
        return values.fill_rest(packing.scale.reference, steps);
    }
    jpeg2000(data, points)?;
    pixels(
        packing,
        &JPEGDataRepresentationTemplate::new(plain_section()),
        data,
        1.0,
        (values, steps),
    )
}

/// Fields of one value alone.
#[cfg(not(feature = "jpeg2000"))]
pub(super) fn unpack_jpeg2000(
    packing: &Packing,
    _data: &[u8],
    _points: usize,
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    if packing.bits == 0 {
        return values.fill_rest(packing.scale.reference, steps);
    }
    let reason = "JPEG 2000 is unpacked only by builds with the feature jpeg2000";
    Err(DecodeError::unsupported(reason))
}

/// A section 5 by which pixels are values: nothing is added to them or scaled, and they have bits.
fn plain_section() -> Vec<u8> {
    let mut section = vec![0; 19];
    section.extend([1, 0, 0, 0]);
    section
}

/// Values of the pixels that gribberish makes of an image, each of them `step` times the number.
fn pixels(
    packing: &Packing,
    template: &(impl DataRepresentationTemplate<f64> + RefUnwindSafe),
    data: &[u8],
    step: f64,
    (values, steps): (&mut Values<'_>, &mut Steps<'_>),
) -> Result<(), DecodeError> {
    // Another's code: a fault in it must not end the process.
    let pixels = catch_unwind(|| {
        let pixels = template.unpack(BitSlice::<_, Msb0>::from_slice(data));
        pixels.map_err(|error| DecodeError::Damaged(error.to_string()))
    });
    let fault = |_| DecodeError::damaged("gribberish failed in decoding its image");
    let pixels = pixels.map_err(fault)??;
    for block in pixels.chunks(Steps::BETWEEN) {
        steps.take(block.len())?;
        values.extend(block.iter().map(|pixel| packing.scale.of(pixel / step)));
    }
    Ok(())
}

/// Checks a PNG image, and gives the bits of a pixel: of one grey sample, or of several that are one number.
///
/// Spec: PNG 11.2.1, IHDR.
fn png(data: &[u8], bits: u32, points: usize) -> Result<u32, DecodeError> {
    let mut cursor = Cursor::new(data, 0, "PNG image");
    if cursor.array().map_err(cut)? != *b"\x89PNG\r\n\x1a\n" {
        return Err(DecodeError::damaged("its image is no PNG"));
    }
    let mut header = png_chunk(&mut cursor)?.1;
    let (width, height) = (header.u32_be().map_err(cut)?, header.u32_be().map_err(cut)?);
    let (depth, colour) = (header.u8().map_err(cut)?, header.u8().map_err(cut)?);
    let pixel_bits = match (depth, colour) {
        (1 | 2 | 4 | 8 | 16, 0) => u32::from(depth),
        (8, 2) => 24,
        (8, 6) => 32,
        _ => {
            let reason = format!("PNG of colour type {colour} in {depth} bits");
            return Err(DecodeError::Unsupported(format!("{reason} is not unpacked here")));
        }
    };
    if pixel_bits != bits && pixel_bits != bits.next_multiple_of(8) {
        let reason = format!("its image has pixels of {pixel_bits} bits, and its values {bits}");
        return Err(DecodeError::Damaged(reason));
    }
    check_size(width, height, points)?;
    loop {
        match png_chunk(&mut cursor)?.0 {
            IMAGE_DATA => return Ok(pixel_bits),
            TRANSPARENCY => {
                return Err(DecodeError::unsupported("PNG with transparency is not unpacked here"));
            }
            _ => {}
        }
    }
}

/// The name and the data of the next chunk.
fn png_chunk<'a>(cursor: &mut Cursor<'a>) -> Result<([u8; 4], Cursor<'a>), DecodeError> {
    let (length, name) = (cursor.u32_be().map_err(cut)?, cursor.array().map_err(cut)?);
    let data = cursor.slice(length.into(), "PNG chunk").map_err(cut)?;
    // Its checksum.
    cursor.skip(4).map_err(cut)?;
    Ok((name, data))
}

/// Checks a JPEG 2000 code stream: one component of whole numbers without a sign.
///
/// Spec: ISO/IEC 15444-1, A.5.1 SIZ and A.6.1 COD.
#[cfg(feature = "jpeg2000")]
fn jpeg2000(data: &[u8], points: usize) -> Result<(), DecodeError> {
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
    let (precision, steps) = (header.u8().map_err(cut)?, header.u16_be().map_err(cut)?);
    if components != 1 || steps != 0x0101 || [left, top, tile_left, tile_top] != [0; 4] {
        let reason = "JPEG 2000 of several components or parts of an image is not unpacked here";
        return Err(DecodeError::unsupported(reason));
    }
    // One less than the bits, and the sign.
    if precision > MOST_PRECISION {
        let reason = format!("JPEG 2000 of precision {precision:#04x} is not unpacked here");
        return Err(DecodeError::Unsupported(reason));
    }
    let along = |length: u32, tile: u32| u64::from(length.div_ceil(tile.max(1)));
    let tiles = along(width, tile_width).saturating_mul(along(height, tile_height));
    if tiles > MOST_TILES {
        return Err(DecodeError::Unsupported(format!(
            "JPEG 2000 of {tiles} tiles is not unpacked here"
        )));
    }
    check_precincts(cursor)?;
    check_size(width, height, points)
}

/// Precincts of a pixel each would need many times the memory of the image.
#[cfg(feature = "jpeg2000")]
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

/// Checks that there are no more pixels than points of the grid.
fn check_size(width: u32, height: u32, points: usize) -> Result<(), DecodeError> {
    let pixels = u64::from(width).saturating_mul(height.into());
    if usize::try_from(pixels).is_ok_and(|pixels| pixels <= points) {
        return Ok(());
    }
    let reason = format!("its image has {pixels} pixels, and its grid {points} points");
    Err(DecodeError::Damaged(reason))
}
