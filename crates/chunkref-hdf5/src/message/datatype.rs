// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datatype. Spec: HDF5 File Format 3.0, IV.A.2.d, and the complex class of 4.0.

use chunkref_core::Cursor;

use crate::context::Context;
use crate::error::{Hdf5Error, Result};

/// The order of a number's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The least significant first.
    Little,
    /// The most significant first.
    Big,
}

/// An element type as the file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Datatype {
    /// Bytes of one element as stored.
    pub(crate) length: u32,
    /// What kind of element.
    pub(crate) class: Class,
}

/// The classes of datatypes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Class {
    /// Class 0.
    FixedPoint { order: ByteOrder, signed: bool, bits: BitRange },
    /// Class 1.
    FloatingPoint { order: Option<ByteOrder>, bits: BitRange, format: FloatFormat },
    /// Class 2.
    Time,
    /// Class 3.
    String { padding: StringPadding, utf8: bool },
    /// Class 4.
    BitField { order: ByteOrder, bits: BitRange },
    /// Class 5.
    Opaque { tag: String },
    /// Class 6.
    Compound { members: Vec<Member> },
    /// Class 7.
    Reference(ReferenceKind),
    /// Class 8.
    Enumeration { base: Box<Datatype>, members: Vec<(String, Vec<u8>)> },
    /// Class 9, a sequence.
    VariableLengthSequence { base: Box<Datatype> },
    /// Class 9, a string.
    VariableLengthString { utf8: bool },
    /// Class 10.
    Array { shape: Vec<u64>, base: Box<Datatype> },
    /// Class 11: two numbers of `base`, real part first.
    Complex { base: Box<Datatype> },
}

/// Which bits of the element's bytes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BitRange {
    pub(crate) offset: u16,
    pub(crate) precision: u16,
}

/// Where the parts of a floating-point number are, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FloatFormat {
    pub(crate) sign: u8,
    pub(crate) exponent_location: u8,
    pub(crate) exponent_length: u8,
    pub(crate) mantissa_location: u8,
    pub(crate) mantissa_length: u8,
    pub(crate) exponent_bias: u32,
}

/// How a string is filled up to its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StringPadding {
    NulTerminated,
    NulPadded,
    SpacePadded,
}

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceKind {
    /// An object, by its address (the type of HDF5 before 1.12).
    Object,
    /// A region of a dataset.
    Region,
    /// The opaque references of HDF5 1.12.
    Opaque,
}

/// One member of a compound type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Bytes from the start of the element.
    pub(crate) offset: u64,
    pub(crate) datatype: Datatype,
}

impl Datatype {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        Self::parse_nested(cursor, context, context.limits.depth)
    }

    fn parse_nested(cursor: &mut Cursor<'_>, context: &Context, depth: u32) -> Result<Self> {
        let start = cursor.offset();
        let structure = cursor.structure();
        let Some(depth) = depth.checked_sub(1) else {
            let limit = u64::from(context.limits.depth);
            let (what, claimed) = ("levels of nested types", limit.saturating_add(1));
            return Err(Hdf5Error::LimitExceeded {
                structure,
                offset: start,
                what,
                claimed,
                limit,
            });
        };
        let class_and_version = cursor.u8()?;
        let (class, version) = (class_and_version & 0x0f, class_and_version >> 4);
        if !(1..=5).contains(&version) {
            return Err(Hdf5Error::UnsupportedVersion { structure, offset: start, version });
        }
        let flags = cursor.array::<3>()?;
        let length = cursor.u32_le()?;
        let count = u16::from_le_bytes([flags[0], flags[1]]);
        let order = if flags[0] & 1 == 0 { ByteOrder::Little } else { ByteOrder::Big };
        let class = match class {
            0 => Class::FixedPoint {
                order,
                signed: flags[0] & 8 != 0,
                bits: BitRange::parse(cursor)?,
            },
            1 => parse_floating_point(cursor, flags)?,
            2 => {
                cursor.skip(2)?;
                Class::Time
            }
            3 => Class::String {
                padding: StringPadding::parse(flags[0] & 0x0f, start, structure)?,
                utf8: flags[0] >> 4 == 1,
            },
            4 => Class::BitField { order, bits: BitRange::parse(cursor)? },
            5 => Class::Opaque { tag: text(cursor.bytes(usize::from(flags[0]))?) },
            6 => Class::Compound {
                members: parse_members(cursor, context, version, count, length, depth)?,
            },
            7 => Class::Reference(match flags[0] & 0x0f {
                0 => ReferenceKind::Object,
                1 => ReferenceKind::Region,
                _ => ReferenceKind::Opaque,
            }),
            8 => parse_enumeration(cursor, context, version, count, depth)?,
            9 => {
                let base = Box::new(Self::parse_nested(cursor, context, depth)?);
                match flags[0] & 0x0f {
                    0 => Class::VariableLengthSequence { base },
                    1 => Class::VariableLengthString { utf8: flags[1] & 0x0f == 1 },
                    other => {
                        let reason =
                            format!("variable-length type {other} is neither sequence nor string");
                        return Err(Hdf5Error::inconsistent(structure, start, reason));
                    }
                }
            }
            10 => parse_array(cursor, context, version, depth)?,
            11 => Class::Complex { base: Box::new(Self::parse_nested(cursor, context, depth)?) },
            other => {
                return Err(Hdf5Error::inconsistent(
                    structure,
                    start,
                    format!("datatype class {other} does not exist"),
                ));
            }
        };
        let datatype = Self { length, class };
        datatype.check(start, structure)?;
        Ok(datatype)
    }

    /// Sizes that contradict each other.
    fn check(&self, offset: u64, structure: &'static str) -> Result<()> {
        let length = u64::from(self.length);
        let wrong = match &self.class {
            Class::FixedPoint { bits, .. }
            | Class::FloatingPoint { bits, .. }
            | Class::BitField { bits, .. } => {
                u64::from(bits.offset).saturating_add(u64::from(bits.precision))
                    > length.saturating_mul(8)
            }
            Class::Enumeration { base, .. } => base.length != self.length,
            Class::Array { shape, base } => {
                shape.iter().try_fold(u64::from(base.length), |product, &n| product.checked_mul(n))
                    != Some(length)
            }
            Class::Complex { base } => u64::from(base.length).saturating_mul(2) != length,
            _ => false,
        };
        if self.length == 0 || wrong {
            let reason = format!(
                "the element length of {length} bytes contradicts the rest of the datatype"
            );
            return Err(Hdf5Error::inconsistent(structure, offset, reason));
        }
        Ok(())
    }

    /// Whether this is an IEEE 754 number of 2, 4 or 8 bytes.
    pub(crate) fn is_ieee(&self) -> bool {
        let Class::FloatingPoint { order: Some(_), bits, format } = &self.class else {
            return false;
        };
        let parts = (
            format.sign,
            format.exponent_location,
            format.exponent_length,
            format.mantissa_location,
            format.mantissa_length,
            format.exponent_bias,
        );
        let expected = match self.length {
            2 => (15, 10, 5, 0, 10, 15),
            4 => (31, 23, 8, 0, 23, 127),
            8 => (63, 52, 11, 0, 52, 1023),
            _ => return false,
        };
        bits.is_full(self.length) && parts == expected
    }

    /// Whether elements hold references into a global heap.
    pub(crate) fn has_heap_data(&self) -> bool {
        match &self.class {
            Class::VariableLengthSequence { .. } | Class::VariableLengthString { .. } => true,
            Class::Compound { members } => {
                members.iter().any(|member| member.datatype.has_heap_data())
            }
            Class::Array { base, .. } => base.has_heap_data(),
            _ => false,
        }
    }
}

impl BitRange {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self> {
        Ok(Self { offset: cursor.u16_le()?, precision: cursor.u16_le()? })
    }

    /// Whether all bits of `length` bytes count.
    pub(crate) fn is_full(self, length: u32) -> bool {
        self.offset == 0 && u64::from(self.precision) == u64::from(length).saturating_mul(8)
    }
}

impl StringPadding {
    fn parse(value: u8, offset: u64, structure: &'static str) -> Result<Self> {
        match value {
            0 => Ok(Self::NulTerminated),
            1 => Ok(Self::NulPadded),
            2 => Ok(Self::SpacePadded),
            _ => Err(Hdf5Error::inconsistent(
                structure,
                offset,
                format!("string padding {value} does not exist"),
            )),
        }
    }
}

fn parse_floating_point(cursor: &mut Cursor<'_>, flags: [u8; 3]) -> Result<Class> {
    let order = match (flags[0] & 1 != 0, flags[0] & 0x40 != 0) {
        (false, false) => Some(ByteOrder::Little),
        (true, false) => Some(ByteOrder::Big),
        _ => None, // VAX order
    };
    let bits = BitRange::parse(cursor)?;
    let format = FloatFormat {
        sign: flags[1],
        exponent_location: cursor.u8()?,
        exponent_length: cursor.u8()?,
        mantissa_location: cursor.u8()?,
        mantissa_length: cursor.u8()?,
        exponent_bias: cursor.u32_le()?,
    };
    Ok(Class::FloatingPoint { order, bits, format })
}

fn parse_members(
    cursor: &mut Cursor<'_>,
    context: &Context,
    version: u8,
    count: u16,
    length: u32,
    depth: u32,
) -> Result<Vec<Member>> {
    let structure = cursor.structure();
    // From version 3 on, member offsets take as many bytes as the compound's length needs.
    let offset_bytes = match length {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    };
    let mut members = Vec::new();
    for _ in 0..count {
        let start = cursor.offset();
        let name = name(cursor, version < 3)?;
        let offset =
            if version < 3 { u64::from(cursor.u32_le()?) } else { cursor.uint_le(offset_bytes)? };
        let mut shape = Vec::new();
        if version == 1 {
            let rank = cursor.u8()?;
            cursor.skip(11)?; // reserved, dimension permutation, reserved
            let lengths = [cursor.u32_le()?, cursor.u32_le()?, cursor.u32_le()?, cursor.u32_le()?];
            shape.extend(lengths.iter().take(usize::from(rank)).map(|&length| u64::from(length)));
        }
        let mut datatype = Datatype::parse_nested(cursor, context, depth)?;
        if !shape.is_empty() {
            let total = shape
                .iter()
                .try_fold(u64::from(datatype.length), |product, &n| product.checked_mul(n));
            let length = total.and_then(|total| u32::try_from(total).ok());
            let Some(length) = length.filter(|&length| length > 0) else {
                return Err(Hdf5Error::inconsistent(
                    structure,
                    start,
                    format!("member {name:?} has an impossible shape"),
                ));
            };
            datatype = Datatype { length, class: Class::Array { shape, base: Box::new(datatype) } };
        }
        if offset.saturating_add(u64::from(datatype.length)) > u64::from(length) {
            let reason = format!("member {name:?} reaches past the compound's {length} bytes");
            return Err(Hdf5Error::inconsistent(structure, start, reason));
        }
        members.push(Member { name, offset, datatype });
    }
    Ok(members)
}

fn parse_enumeration(
    cursor: &mut Cursor<'_>,
    context: &Context,
    version: u8,
    count: u16,
    depth: u32,
) -> Result<Class> {
    let base = Datatype::parse_nested(cursor, context, depth)?;
    let names: Vec<String> =
        (0..count).map(|_| name(cursor, version < 3)).collect::<Result<_>>()?;
    let mut members = Vec::new();
    for name in names {
        members.push((name, cursor.bytes_u64(u64::from(base.length))?.to_vec()));
    }
    Ok(Class::Enumeration { base: Box::new(base), members })
}

fn parse_array(
    cursor: &mut Cursor<'_>,
    context: &Context,
    version: u8,
    depth: u32,
) -> Result<Class> {
    let rank = cursor.u8()?;
    if version < 3 {
        cursor.skip(3)?;
    }
    let shape: Vec<u64> =
        (0..rank).map(|_| Ok(u64::from(cursor.u32_le()?))).collect::<Result<_>>()?;
    if version < 3 {
        for _ in 0..rank {
            cursor.skip(4)?; // permutation index
        }
    }
    Ok(Class::Array { shape, base: Box::new(Datatype::parse_nested(cursor, context, depth)?) })
}

/// A NUL-terminated name, in older versions padded to a multiple of 8 bytes.
fn name(cursor: &mut Cursor<'_>, padded: bool) -> Result<String> {
    let mut bytes = Vec::new();
    loop {
        match cursor.u8()? {
            0 => break,
            byte => bytes.push(byte),
        }
    }
    if padded {
        let used = bytes.len().saturating_add(1);
        cursor.skip(used.next_multiple_of(8).saturating_sub(used))?;
    }
    Ok(text(&bytes))
}

/// Text up to the first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn parse(bytes: &[u8]) -> Result<Datatype> {
        Datatype::parse(&mut Cursor::new(bytes, 0, "datatype"), &context())
    }

    const I4: [u8; 12] = [0x10, 0x08, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0];

    #[test]
    fn atomic_types() {
        let bits = BitRange { offset: 0, precision: 32 };
        assert_eq!(
            parse(&I4).unwrap(),
            Datatype {
                length: 4,
                class: Class::FixedPoint { order: ByteOrder::Little, signed: true, bits }
            }
        );
        let f8_be = [0x11, 0x21, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0];
        let Class::FloatingPoint { order, format, .. } = parse(&f8_be).unwrap().class else {
            panic!("not a float")
        };
        assert_eq!((order, format.sign, format.exponent_bias), (Some(ByteOrder::Big), 63, 1023));
        assert_eq!(
            parse(&[0x13, 0x11, 0, 0, 5, 0, 0, 0]).unwrap().class,
            Class::String { padding: StringPadding::NulPadded, utf8: true }
        );
    }

    #[test]
    fn compound_of_every_version() {
        let mut v1 = vec![0x16, 1, 0, 0, 12, 0, 0, 0];
        v1.extend(b"a\0\0\0\0\0\0\0"); // name padded to 8
        v1.extend([4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // offset 4, rank 1, permutation, reserved
        v1.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // lengths
        v1.extend(I4);
        let Class::Compound { members } = parse(&v1).unwrap().class else {
            panic!("not a compound")
        };
        assert_eq!(
            (members[0].name.as_str(), members[0].offset, members[0].datatype.length),
            ("a", 4, 8)
        );

        let mut v3 = vec![0x36, 2, 0, 0, 8, 0, 0, 0];
        for (name, offset) in [(b"a\0", 0), (b"b\0", 4)] {
            v3.extend(name);
            v3.push(offset);
            v3.extend(I4);
        }
        let Class::Compound { members } = parse(&v3).unwrap().class else {
            panic!("not a compound")
        };
        assert_eq!((members[1].name.as_str(), members[1].offset), ("b", 4));
        v3[4] = 7; // the second member no longer fits
        assert!(matches!(parse(&v3), Err(Hdf5Error::Inconsistent { .. })));
    }

    #[test]
    fn enumeration_and_array() {
        let mut enumeration = vec![0x18, 2, 0, 0, 4, 0, 0, 0];
        enumeration.extend(I4);
        enumeration.extend(b"RED\0\0\0\0\0GREENISH\0\0\0\0\0\0\0\0");
        enumeration.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        let Class::Enumeration { members, .. } = parse(&enumeration).unwrap().class else {
            panic!("not an enum")
        };
        assert_eq!(members[1], ("GREENISH".to_owned(), vec![1, 0, 0, 0]));

        let mut array = vec![
            0x2a, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        array.extend(I4);
        let Class::Array { shape, .. } = parse(&array).unwrap().class else {
            panic!("not an array")
        };
        assert_eq!(shape, [2, 3]);
        array[4] = 25;
        assert!(matches!(parse(&array), Err(Hdf5Error::Inconsistent { .. })));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut bytes = Vec::new();
        for _ in 0..1000 {
            bytes.extend([0x19, 0, 0, 0, 16, 0, 0, 0]); // a sequence of a sequence of …
        }
        assert!(matches!(parse(&bytes), Err(Hdf5Error::LimitExceeded { .. })));
        assert!(matches!(parse(&[0x1f, 0, 0, 0, 1, 0, 0, 0]), Err(Hdf5Error::Inconsistent { .. })));
        for length in 0..I4.len() {
            assert!(matches!(parse(&I4[..length]), Err(Hdf5Error::Truncated(_))));
        }
    }
}
