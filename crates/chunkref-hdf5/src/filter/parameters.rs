// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the client data of filters say, as the codecs take it.

use chunkref_codecs::{CodecError, bitshuffle, bzip2, scaleoffset, szip, zlib};

/// The client data at `index`, if there are so many.
fn value(values: &[u32], index: usize) -> Option<u32> {
    values.get(index).copied()
}

/// A length in bytes or elements.
fn length(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn unsupported(what: impl Into<String>) -> CodecError {
    CodecError::Unsupported(what.into())
}

/// The level of deflate.
pub(super) fn deflate_level(values: &[u32]) -> u32 {
    value(values, 0).unwrap_or(zlib::DEFAULT_LEVEL)
}

/// The level of bzip2.
pub(super) fn bzip2_level(values: &[u32]) -> u32 {
    value(values, 0).unwrap_or(bzip2::DEFAULT_LEVEL)
}

/// Bytes of an element that Blosc is told.
pub(super) fn blosc_element_length(values: &[u32]) -> u32 {
    value(values, 2).unwrap_or(1)
}

/// Bytes of an element that is shuffled.
pub(super) fn shuffle(values: &[u32]) -> Result<usize, CodecError> {
    match value(values, 0).map(length) {
        Some(length) if length > 0 => Ok(length),
        _ => Err(unsupported("shuffle without an element length")),
    }
}

/// Options, pixels of a block, bits of a pixel, pixels of a scan line.
pub(crate) fn szip(values: &[u32]) -> Result<szip::Parameters, CodecError> {
    let [options, block, bits, line, ..] = *values else {
        return Err(unsupported("szip without its parameters"));
    };
    szip::Parameters::new(options, block, bits, line)
}

/// Two version numbers, element length, elements of a block (0: by default), compressor, level.
pub(crate) fn bitshuffle(values: &[u32]) -> Result<bitshuffle::Parameters, CodecError> {
    let compressor = match value(values, 4).unwrap_or(0) {
        0 => bitshuffle::Compressor::None,
        2 => bitshuffle::Compressor::Lz4,
        3 => bitshuffle::Compressor::Zstd,
        other => return Err(unsupported(format!("bitshuffle with compressor {other}"))),
    };
    let length = |index| value(values, index).map_or(0, length);
    bitshuffle::Parameters::new(length(2), length(3), compressor)
}

/// Scale type, scale factor, count of elements, class (0 integer, 1 float), element length, sign, byte order (0 little,
/// 1 big), whether there is a fill value, and the fill value in little-endian words.
pub(super) fn scaleoffset(values: &[u32]) -> Result<scaleoffset::Parameters, CodecError> {
    let [scale, factor, count, class, length, _, order, has_fill, fill @ ..] = values else {
        return Err(unsupported("scaleoffset without its parameters"));
    };
    let class = match (class, scale) {
        (0, _) => scaleoffset::Class::Integer,
        (1, 0) => scaleoffset::Class::Float(factor.cast_signed()),
        (1, _) => return Err(unsupported(format!("scaleoffset of scale type {scale}"))),
        _ => return Err(unsupported(format!("scaleoffset of class {class}"))),
    };
    let word = |index| u64::from(value(fill, index).unwrap_or(0));
    let fill = (*has_fill == 1).then(|| word(1) << 32 | word(0));
    let parameters = scaleoffset::Parameters::new(class, *length, *count)?;
    Ok(parameters.with_big_endian(*order == 1).with_fill(fill))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use chunkref_core::DecodeContext;

    use super::*;

    #[test]
    fn lengths_and_levels() {
        assert_eq!(shuffle(&[8]).unwrap(), 8);
        assert!(shuffle(&[]).is_err() && shuffle(&[0]).is_err());
        assert_eq!((deflate_level(&[9]), deflate_level(&[])), (9, 6));
        assert_eq!((bzip2_level(&[1]), bzip2_level(&[])), (1, 9));
        assert_eq!((blosc_element_length(&[2, 2, 4]), blosc_element_length(&[])), (4, 1));
    }

    #[test]
    fn settings_that_are_not_covered_are_refused() {
        for values in [&[][..], &[169, 8, 48, 40], &[169, 8, 8]] {
            assert!(szip(values).is_err(), "{values:?}");
        }
        for values in [&[][..], &[0, 4, 0, 0, 0], &[0, 4, 2, 7, 0], &[0, 4, 2, 0, 9]] {
            assert!(bitshuffle(values).is_err(), "{values:?}");
        }
        let settings = bitshuffle(&[0, 4, 2, 16, 3, 5]).unwrap();
        assert_eq!(settings.block_elements(), 16);
        assert_eq!(settings.compressor(), bitshuffle::Compressor::Zstd);
        for values in [
            &[][..],
            &[2, 0, 20, 0, 3, 1, 0, 0],
            &[1, 0, 20, 1, 4, 1, 0, 0],
            &[0, 0, 20, 2, 4, 1, 0, 0],
        ] {
            assert!(scaleoffset(values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn scaleoffset_is_told_order_and_fill() {
        // Two values of no bits: both are the fill value, by the mark of all ones.
        let stored = Bytes::from(vec![0; 21]);
        let decode = |values: &[u32]| {
            let parameters = scaleoffset(values).unwrap();
            chunkref_codecs::scaleoffset::decode(&stored, &parameters, &DecodeContext::up_to(16))
        };
        assert_eq!(decode(&[2, 0, 2, 0, 4, 1, 0, 1, 5]).unwrap(), [5, 0, 0, 0, 5, 0, 0, 0]);
        let wide = decode(&[2, 0, 1, 0, 8, 1, 1, 1, 5, 6]).unwrap();
        assert_eq!(wide, [0, 0, 0, 6, 0, 0, 0, 5]);
        assert_eq!(decode(&[2, 0, 2, 0, 4, 1, 0, 0, 5]).unwrap(), [0; 8]);
    }
}
