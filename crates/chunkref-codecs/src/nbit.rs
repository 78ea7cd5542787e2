// SPDX-License-Identifier: MIT OR Apache-2.0
//! N-bit, HDF5's filter 5: only the bits of a type that hold something.
//!
//! Parameters, as the filter's client data: count of parameters, 1 when nothing is to be packed, count of elements, and the type as a tree: class,
//! length, and for an atom byte order (0 little, 1 big), precision and bit offset, for an array its base type, for a
//! compound the count of members, each with its offset.

use chunkref_core::{DecodeContext, Steps};

use crate::CodecError;
use crate::bits::BitReader;

/// Types in one another.
const MAX_DEPTH: u32 = 32;

/// What the elements of a chunk are, and how many.
#[derive(Debug)]
pub struct Parameters(Elements);

#[derive(Debug)]
enum Elements {
    /// Stored as they are.
    Plain,
    Packed {
        count: u32,
        element: Packed,
    },
}

impl Parameters {
    /// From the client data of HDF5's filter.
    ///
    /// # Errors
    /// [`CodecError`] for types that are not described, or contradict themselves.
    pub fn from_client_data(values: &[u32]) -> Result<Self, CodecError> {
        if values.get(1) == Some(&1) {
            return Ok(Self(Elements::Plain));
        }
        let [_, _, count, types @ ..] = values else {
            return Err(CodecError::unsupported("nbit without its parameters"));
        };
        let element = Packed::parse(&mut types.iter().copied(), MAX_DEPTH, usize::MAX)?;
        Ok(Self(Elements::Packed { count: *count, element }))
    }

    /// Whether every chunk is stored as it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Elements::Plain)
    }
}

/// A type.
#[derive(Debug)]
enum Packed {
    Atom {
        length: usize,
        big_endian: bool,
        precision: u32,
        offset: u32,
    },
    Array {
        count: usize,
        base: Box<Packed>,
    },
    Compound {
        length: usize,
        members: Vec<(usize, Packed)>,
    },
    /// Bytes that are not packed.
    Whole {
        length: usize,
    },
}

impl Packed {
    fn parse(
        values: &mut impl Iterator<Item = u32>,
        depth: u32,
        room: usize,
    ) -> Result<Self, CodecError> {
        let mut next =
            || values.next().ok_or_else(|| CodecError::damaged("its parameters end early"));
        let (class, length) = (next()?, next()?);
        let length = CodecError::check_length(length.into(), &DecodeContext::up_to(room))?;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(CodecError::damaged("its types are nested too deep"));
        };
        match class {
            1 => {
                let (order, precision, offset) = (next()?, next()?, next()?);
                let end = u64::from(precision).saturating_add(offset.into());
                if length > 16 || precision == 0 || end > (length as u64).saturating_mul(8) {
                    let reason = format!("{precision} bits at {offset} of {length} bytes");
                    return Err(CodecError::Damaged(reason));
                }
                Ok(Self::Atom { length, big_endian: order == 1, precision, offset })
            }
            2 => {
                let base = Box::new(Self::parse(values, depth, length)?);
                match length.checked_rem(base.length()) {
                    Some(0) => Ok(Self::Array {
                        count: length.checked_div(base.length()).unwrap_or(0),
                        base,
                    }),
                    _ => Err(CodecError::damaged("an array of no whole number of elements")),
                }
            }
            3 => {
                let count = next()?;
                let mut members = Vec::new();
                let mut end = 0_usize;
                for _ in 0..count {
                    let offset = values.next().and_then(|offset| usize::try_from(offset).ok());
                    let offset = offset.filter(|&offset| offset >= end).unwrap_or(usize::MAX);
                    let member = Self::parse(values, depth, length.saturating_sub(offset))?;
                    end = offset.saturating_add(member.length());
                    members.push((offset, member));
                }
                Ok(Self::Compound { length, members })
            }
            // Types of no bytes would be unpacked for ever.
            4 if length > 0 => Ok(Self::Whole { length }),
            4 => Err(CodecError::damaged("a type of no bytes")),
            class => Err(CodecError::Unsupported(format!("nbit of type class {class}"))),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Atom { length, .. } | Self::Compound { length, .. } | Self::Whole { length } => {
                *length
            }
            Self::Array { count, base } => count.saturating_mul(base.length()),
        }
    }

    /// Fills one element, which is zero before.
    fn unpack(
        &self,
        reader: &mut BitReader<'_>,
        element: &mut [u8],
        steps: &mut Steps<'_>,
    ) -> Result<(), CodecError> {
        steps.take(1)?;
        match self {
            Self::Atom { big_endian, precision, offset, .. } => {
                let value = reader.read_wide(*precision)?.checked_shl(*offset).unwrap_or(0);
                for (to, byte) in element.iter_mut().zip(value.to_le_bytes()) {
                    *to = byte;
                }
                if *big_endian {
                    element.reverse();
                }
            }
            Self::Array { base, .. } => {
                for element in element.chunks_exact_mut(base.length().max(1)) {
                    base.unpack(reader, element, steps)?;
                }
            }
            Self::Compound { members, .. } => {
                for (offset, member) in members {
                    let end = offset.saturating_add(member.length());
                    let element =
                        element.get_mut(*offset..end).ok_or_else(CodecError::ended_early)?;
                    member.unpack(reader, element, steps)?;
                }
            }
            Self::Whole { .. } => {
                for to in element {
                    steps.take(1)?;
                    *to = u8::try_from(reader.read(8)?).unwrap_or_default();
                }
            }
        }
        Ok(())
    }
}

/// Decodes a chunk.
///
/// # Errors
/// [`CodecError`] for bytes that are damaged, for too many of them, and for work that was ended.
pub fn decode(
    bytes: &[u8],
    parameters: &Parameters,
    context: &DecodeContext<'_>,
) -> Result<Vec<u8>, CodecError> {
    let Elements::Packed { count, element } = &parameters.0 else {
        CodecError::check_length(bytes.len() as u64, context)?;
        return Ok(bytes.to_vec());
    };
    let total = u64::from(*count).saturating_mul(element.length() as u64);
    let mut output = vec![0; CodecError::check_length(total, context)?];
    let (mut reader, mut steps) =
        (BitReader::new(bytes, context), Steps::new(context.cancellation()));
    for target in output.chunks_exact_mut(element.length().max(1)) {
        // Of some types no bit is stored.
        steps.take(element.length())?;
        element.unpack(&mut reader, target, &mut steps)?;
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_ends, hex};

    fn decode(bytes: &[u8], values: &[u32], most: usize) -> Result<Vec<u8>, CodecError> {
        let parameters = Parameters::from_client_data(values)?;
        super::decode(bytes, &parameters, &DecodeContext::up_to(most))
    }

    #[test]
    fn chunks_of_libhdf5() {
        // h5py 3.16 with HDF5 2.0: 10 values n * 307, 12 bits of a <u2, and of a >u2 at bit 3.
        let numbers = || (0..10_u16).map(|n| n * 307);
        for (values, stored, data) in [
            (
                vec![8, 0, 10, 1, 2, 0, 12, 0],
                "0001332663994cc5ff732865998acb00",
                numbers().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            ),
            (
                vec![8, 0, 10, 1, 2, 1, 12, 3],
                "0001332663994cc5ff732865998acb00",
                numbers().flat_map(|n| (n << 3).to_be_bytes()).collect(),
            ),
            // A compound of 12 bits, an array of two such, and a string of two bytes.
            (
                vec![23, 0, 5, 3, 9, 3, 0, 1, 2, 0, 12, 0, 2, 2, 4, 1, 2, 0, 12, 0, 7, 4, 2],
                "00000019961622bc3324cb63645786647fd6566834996b2f6700af0cc8e6100000",
                hex(
                    "000000009901006162bc023203cb0400636478056406fd07006566340896092f0b006700f00ac80c610e000000",
                ),
            ),
        ] {
            let stored = hex(stored);
            assert_eq!(decode(&stored, &values, 1000).unwrap(), data, "{values:?}");
            assert!(decode(&stored, &values, data.len() - 1).is_err());
            assert!(decode(&stored[..stored.len() - 2], &values, 1000).is_err());
        }
    }

    #[test]
    fn what_needs_no_packing_is_kept() {
        let plain = |values: &[u32]| Parameters::from_client_data(values).unwrap().is_plain();
        assert!(plain(&[8, 1, 10]) && !plain(&[8, 0, 10, 4, 4]));
        assert_eq!(decode(&[1, 2], &[8, 1, 10], 2).unwrap(), [1, 2]);
        assert!(decode(&[1, 2], &[8, 1, 10], 1).is_err());
    }

    #[test]
    fn types_are_checked() {
        let deep: Vec<u32> =
            [0, 0, 1].into_iter().chain([2, 8].repeat(40)).chain([1, 8, 0, 8, 0]).collect();
        let wrong: [&[u32]; 9] = [
            &[],
            &[0, 0, 1],
            &[0, 0, 1, 9, 4],
            &[0, 0, 1, 1, 2, 0, 12, 5],            // bits past the end
            &[0, 0, 1, 1, 2, 0, 0, 0],             // no bits
            &[0, 0, 1, 2, 0, 4, 0],                // an array of nothing
            &[0, 0, 1, 3, 4, 1, 0, 4, 0],          // a member of no bytes
            &[0, 0, 1, 3, 4, 2, 0, 4, 4, 2, 4, 4], // members over one another
            &deep,
        ];
        for values in wrong {
            assert!(decode(&[0; 64], values, 1000).is_err(), "{values:?}");
        }
        assert!(decode(&[0; 64], &[0, 0, u32::MAX, 4, 8], 1000).is_err());
    }

    #[test]
    fn long_chunks_end_with_the_work() {
        let bits = vec![0; 1 << 20];
        let side = 1 << 20;
        // Bytes, an array of them, one element that is not packed, and elements of no bits.
        for values in [
            &[0, 0, side, 1, 1, 0, 7, 0][..],
            &[0, 0, 1, 2, side, 1, 1, 0, 3, 0],
            &[0, 0, 1, 4, side],
            &[0, 0, side / 16, 3, 16, 0],
        ] {
            let parameters = Parameters::from_client_data(values).unwrap();
            assert_ends(1 << 20, |context| super::decode(&bits, &parameters, context));
        }
    }
}
