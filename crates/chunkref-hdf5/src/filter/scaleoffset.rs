// SPDX-License-Identifier: MIT OR Apache-2.0
//! Scale-offset, filter 6: values less their minimum, in as many bits as the largest of them needs.
//!
//! Client data: scale type, scale factor, count of elements, class (0 integer, 1 float), element length, sign, byte order
//! (0 little, 1 big), whether there is a fill value, and the fill value in little-endian words. A chunk begins with a
//! little-endian `u32` of the bits of a value, a byte with the length of the minimum, and 16 bytes for the minimum.

use chunkref_core::Cursor;

use super::Fault;
use super::bits::BitReader;

/// Bytes before the values.
const HEADER_LENGTH: usize = 21;

/// What a packed number stands for.
#[derive(Debug, Clone, Copy)]
enum Class {
    Integer,
    /// A float times ten to this power.
    Float(i32),
}

/// The filter's settings.
#[derive(Debug)]
struct Settings {
    class: Class,
    count: usize,
    /// Bytes of an element: 1, 2, 4 or 8.
    length: usize,
    big_endian: bool,
    /// The fill value, as the element's bits.
    fill: Option<u64>,
}

impl Settings {
    fn new(values: &[u32], room: usize) -> Result<Self, Fault> {
        let [scale, factor, count, class, length, _, order, has_fill, fill @ ..] = values else {
            return Err(Fault::unsupported("scaleoffset without its parameters"));
        };
        let length = match (class, length) {
            (0, 1 | 2 | 4 | 8) | (1, 4 | 8) => usize::try_from(*length).unwrap_or(0),
            _ => {
                let what = format!("scaleoffset of class {class} and {length} bytes");
                return Err(Fault::Unsupported(what));
            }
        };
        let class = match (class, scale) {
            (0, _) => Class::Integer,
            (_, 0) => Class::Float(factor.cast_signed()),
            _ => return Err(Fault::Unsupported(format!("scaleoffset of scale type {scale}"))),
        };
        let bytes = u64::from(*count).saturating_mul(length as u64);
        Fault::check_room(bytes, room)?;
        let word = |index: usize| u64::from(fill.get(index).copied().unwrap_or(0));
        Ok(Self {
            class,
            count: usize::try_from(*count).unwrap_or(usize::MAX),
            length,
            big_endian: *order == 1,
            fill: (*has_fill == 1).then(|| word(1) << 32 | word(0)),
        })
    }

    fn bits(&self) -> u32 {
        u32::try_from(self.length.saturating_mul(8)).unwrap_or(64)
    }

    /// The element that a packed number stands for, as its bits.
    fn value(&self, packed: u64, minimum: u64) -> u64 {
        match (self.class, self.length) {
            (Class::Integer, _) => packed.wrapping_add(minimum),
            (Class::Float(factor), 4) => {
                let minimum = f32::from_bits(low_u32(minimum));
                let packed = low_u32(packed).cast_signed();
                #[expect(clippy::cast_precision_loss, reason = "libhdf5 rounds so too")]
                let value = packed as f32 / 10_f32.powi(factor) + minimum;
                value.to_bits().into()
            }
            (Class::Float(factor), _) => {
                let minimum = f64::from_bits(minimum);
                #[expect(clippy::cast_precision_loss, reason = "libhdf5 rounds so too")]
                let value = packed.cast_signed() as f64 / 10_f64.powi(factor) + minimum;
                value.to_bits()
            }
        }
    }
}

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], values: &[u32], room: usize) -> Result<Vec<u8>, Fault> {
    let settings = Settings::new(values, room)?;
    let mut cursor = Cursor::new(bytes, 0, "scaleoffset chunk");
    let bits = cursor.u32_le()?;
    let minimum_length = usize::from(cursor.u8()?).min(8);
    let minimum = cursor.uint_le(minimum_length)?;
    let body = bytes.get(HEADER_LENGTH..).ok_or_else(Fault::end)?;
    if bits > settings.bits() {
        return Err(Fault::Damaged(format!("its values have {bits} bits")));
    }
    let whole = bits == settings.bits();
    // The largest number of that many bits stands for the fill value.
    let fill_mark = 1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit.wrapping_sub(1));
    let mut reader = BitReader::new(body);
    let mut stored = body.chunks_exact(settings.length);
    let mut output = Vec::new();
    for _ in 0..settings.count {
        let value = if whole {
            uint(stored.next().ok_or_else(Fault::end)?)
        } else {
            let packed = u64::try_from(reader.read_wide(bits)?).unwrap_or(0);
            match settings.fill {
                Some(fill) if packed == fill_mark => fill,
                _ => settings.value(packed, minimum),
            }
        };
        let little = value.to_le_bytes();
        let element = little.get(..settings.length).unwrap_or_default();
        if settings.big_endian {
            output.extend(element.iter().rev());
        } else {
            output.extend_from_slice(element);
        }
    }
    Ok(output)
}

/// A little-endian number of up to eight bytes.
fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn low_u32(value: u64) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// The client data of 20 elements.
    fn values(scale: [u32; 2], class: u32, length: u32, order: u32, fill: Option<u32>) -> Vec<u32> {
        let [scale, factor] = scale;
        let has_fill = fill.is_some().into();
        let mut values = vec![scale, factor, 20, class, length, 1, order, has_fill];
        values.push(fill.unwrap_or(0));
        values.resize(20, 0);
        values
    }

    #[test]
    fn chunks_of_libhdf5() {
        // h5py 3.16 with HDF5 2.0.
        let numbers = || (0..20_i32).map(|n| 1000 - 7 * n);
        let integers = [
            (
                values([2, 0], 0, 4, 0, None),
                "080000000863030000000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                numbers().flat_map(i32::to_le_bytes).collect::<Vec<u8>>(),
            ),
            (
                values([2, 0], 0, 4, 1, None),
                "080000000863030000000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                numbers().flat_map(i32::to_be_bytes).collect(),
            ),
            // A chunk of which two elements have the fill value 5.
            (
                values([2, 0], 0, 4, 0, Some(5)),
                "070000000863030000000000000000000000000000ffffbf0d38add49b19fb862a919c2a383800",
                numbers()
                    .enumerate()
                    .flat_map(|(i, n)| if i < 2 { 5 } else { n }.to_le_bytes())
                    .collect(),
            ),
        ];
        let floats = [
            (
                values([0, 2], 1, 4, 0, None),
                "080000000852b80a41000000000000000000000000857e777069625b544d463f38312a231c150e070000",
                hex(
                    "0000204148e11e4190c21d41d7a31c411f851b4166661a41ae471941f62818413e0a174185eb1541cdcc144115ae13415c8f1241a4701141ec51104133330f417b140e41c3f50c410ad70b4152b80a41",
                ),
            ),
            (
                values([0, 3], 1, 8, 1, None),
                "08000000085839b4c876beeb3f0000000000000000857e777069625b544d463f38312a231c150e070000",
                hex(
                    "3ff00000000000003fefc6a7ef9db22d3fef8d4fdf3b645a3fef53f7ced916873fef1a9fbe76c8b43feee147ae147ae13feea7ef9db22d0e3fee6e978d4fdf3b3fee353f7ced91683fedfbe76c8b43963fedc28f5c28f5c23fed89374bc6a7f03fed4fdf3b645a1d3fed16872b020c4a3fecdd2f1a9fbe773feca3d70a3d70a43fec6a7ef9db22d13fec3126e978d4fe3febf7ced916872b3febbe76c8b43958",
                ),
            ),
        ];
        for (values, stored, data) in integers.into_iter().chain(floats) {
            let stored = hex(stored);
            assert_eq!(decode(&stored, &values, 160).unwrap(), data, "{values:?}");
            assert!(decode(&stored, &values, data.len() - 1).is_err());
            // libhdf5 adds one byte behind the bits.
            assert!((0..stored.len() - 1).all(|end| decode(&stored[..end], &values, 160).is_err()));
        }
    }

    #[test]
    fn whole_and_constant_chunks() {
        let mut stored = vec![8, 0, 0, 0];
        stored.resize(HEADER_LENGTH, 0);
        stored.extend(0..20);
        let plain = values([2, 0], 0, 1, 0, None);
        assert_eq!(decode(&stored, &plain, 20).unwrap(), (0..20).collect::<Vec<u8>>());
        let mut constant = vec![0, 0, 0, 0, 8, 42];
        constant.resize(HEADER_LENGTH, 0);
        assert_eq!(decode(&constant, &plain, 20).unwrap(), [42; 20]);
        constant[0] = 9; // bits of a value
        assert!(decode(&constant, &plain, 20).is_err());
    }

    #[test]
    fn settings_are_checked() {
        let damaged = [&[][..], &[2, 0, 20, 0, 3, 1, 0, 0], &[1, 0, 20, 1, 4, 1, 0, 0]];
        for values in damaged {
            assert!(decode(&[0; 64], values, 1000).is_err(), "{values:?}");
        }
        assert!(decode(&[0; 64], &[2, 0, u32::MAX, 0, 8, 1, 0, 0], 1000).is_err());
    }
}
