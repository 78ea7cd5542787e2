// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of attributes and of variable-length data: bytes made into numbers, text and lists by their datatype.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Context, ObjectId};
use crate::error::{Hdf5Error, Result};
use crate::heap::global::GlobalHeapId;
use crate::message::Datatype;
use crate::message::datatype::{ByteOrder, Class, ReferenceKind, StringPadding};

/// What a value is called in errors.
pub(crate) const STRUCTURE: &str = "value";

/// Bytes of memory that one value takes here and in the model, besides its text.
const VALUE_BYTES: u64 = 64;

/// One element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    UInt(u64),
    Float(f64),
    /// A string's bytes without padding.
    Text(Bytes),
    /// Bytes without meaning.
    Opaque(Bytes),
    Struct(Vec<(String, Value)>),
    List(Vec<Value>),
    /// The object header that an object reference points to; `None` for a null reference.
    Object(Option<ObjectId>),
    /// A number or reference that has no form here; the text says why.
    Unsupported(&'static str),
}

/// Objects of the global heap that values point to.
pub(crate) type HeapObjects = HashMap<GlobalHeapId, Bytes>;

/// Decodes `count` elements of `datatype` in `bytes`, which lie at `offset` of the file, one after another.
pub(crate) fn decode_each<'a>(
    datatype: &'a Datatype,
    count: u64,
    bytes: &'a [u8],
    offset: u64,
    context: &'a Context,
    heap: &'a HeapObjects,
) -> impl Iterator<Item = Result<Value>> + 'a {
    let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
    (0..count).map(move |_| decode(datatype, &mut cursor, context, heap))
}

/// The bytes of `count` strings of variable length, whose elements are in `bytes`.
pub(crate) fn strings(
    datatype: &Datatype,
    count: u64,
    bytes: &[u8],
    offset: u64,
    context: &Context,
    heap: &HeapObjects,
) -> Result<Vec<Bytes>> {
    let mut cursor = Cursor::new(bytes, offset, "variable-length strings");
    let one = |_| {
        let mut element = cursor.slice(u64::from(datatype.length), "variable-length string")?;
        let (length, id) = sequence(&mut element, context)?;
        heap_bytes(length, id, 1, heap, offset)
    };
    (0..count).map(one).collect()
}

/// The heap objects that `count` elements of `datatype` in `bytes` point to, directly or through those in `heap`, and that
/// are not in `heap` yet.
pub(crate) fn missing_objects(
    datatype: &Datatype,
    count: u64,
    bytes: &[u8],
    offset: u64,
    context: &Context,
    heap: &HeapObjects,
) -> Result<Vec<GlobalHeapId>> {
    let (mut missing, mut seen) = (Vec::new(), HashSet::new());
    let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
    for _ in 0..count {
        collect(datatype, &mut cursor, context, heap, (&mut missing, &mut seen))?;
    }
    Ok(missing)
}

/// Sequences that were looked into: so many elements of an object of the heap.
type Seen = HashSet<(GlobalHeapId, u32)>;

/// Finds the heap objects that one element needs and `heap` does not have. Sequences may lead to one object over and over,
/// which is looked into once.
fn collect(
    datatype: &Datatype,
    cursor: &mut Cursor<'_>,
    context: &Context,
    heap: &HeapObjects,
    (missing, seen): (&mut Vec<GlobalHeapId>, &mut Seen),
) -> Result<()> {
    let mut element = cursor.slice(u64::from(datatype.length), STRUCTURE)?;
    match &datatype.class {
        Class::VariableLengthString { .. } | Class::VariableLengthSequence { .. } => {
            let (count, id) = sequence(&mut element, context)?;
            let Some(id) = id.filter(|_| count > 0) else { return Ok(()) };
            match (heap.get(&id), &datatype.class) {
                (None, _) if seen.insert((id, 0)) => missing.push(id),
                (Some(bytes), Class::VariableLengthSequence { base })
                    if base.has_heap_data() && seen.insert((id, count)) =>
                {
                    let mut inner = Cursor::new(bytes, cursor.offset(), STRUCTURE);
                    for _ in 0..count {
                        collect(base, &mut inner, context, heap, (missing, seen))?;
                    }
                }
                _ => {}
            }
        }
        Class::Compound { members } => {
            for member in members.iter().filter(|member| member.datatype.has_heap_data()) {
                let mut part = element.clone();
                part.bytes_u64(member.offset)?;
                collect(&member.datatype, &mut part, context, heap, (missing, seen))?;
            }
        }
        Class::Array { base, .. } if base.has_heap_data() => {
            while element.remaining() > 0 {
                collect(base, &mut element, context, heap, (missing, seen))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The element count and heap ID of a variable-length element.
fn sequence(cursor: &mut Cursor<'_>, context: &Context) -> Result<(u32, Option<GlobalHeapId>)> {
    Ok((cursor.u32_le()?, GlobalHeapId::parse(cursor, context)?))
}

/// Decodes one element and moves past it.
pub(crate) fn decode(
    datatype: &Datatype,
    cursor: &mut Cursor<'_>,
    context: &Context,
    heap: &HeapObjects,
) -> Result<Value> {
    let mut element = cursor.slice(u64::from(datatype.length), STRUCTURE)?;
    let offset = element.offset();
    context.take_value_bytes(VALUE_BYTES, offset)?;
    Ok(match &datatype.class {
        Class::FixedPoint { order, signed, bits } => {
            let Some(value) = unsigned(element.rest(), *order) else {
                return Ok(Value::Unsupported("an integer of more than 8 bytes"));
            };
            let shifted = value.checked_shr(u32::from(bits.offset)).unwrap_or(0);
            if *signed {
                Value::Int(sign_extend(shifted, bits.precision))
            } else {
                Value::UInt(low_bits(shifted, bits.precision))
            }
        }
        Class::BitField { order, .. } => unsigned(element.rest(), *order)
            .map_or(Value::Unsupported("a bit field of more than 8 bytes"), Value::UInt),
        Class::FloatingPoint { order, .. } => float(datatype, element.rest(), *order),
        Class::Time => Value::Unsupported("HDF5's time type"),
        Class::String { padding, .. } => {
            Value::Text(Bytes::copy_from_slice(strip(element.rest(), *padding)))
        }
        Class::Opaque { .. } => Value::Opaque(Bytes::copy_from_slice(element.rest())),
        Class::Compound { members } => Value::Struct(
            members
                .iter()
                .map(|member| {
                    let mut part = element.clone();
                    part.bytes_u64(member.offset)?;
                    Ok((member.name.clone(), decode(&member.datatype, &mut part, context, heap)?))
                })
                .collect::<Result<_>>()?,
        ),
        Class::Reference(ReferenceKind::Object) => {
            let address = context.address(&mut element)?.filter(|address| address.0 != 0);
            Value::Object(address.map(|address| context.object(address)))
        }
        Class::Reference(_) => Value::Unsupported("a region or opaque reference"),
        Class::Enumeration { base, .. } => decode(base, &mut element, context, heap)?,
        Class::VariableLengthString { .. } => {
            let (count, id) = sequence(&mut element, context)?;
            let bytes = heap_bytes(count, id, 1, heap, offset)?;
            context.take_value_bytes(bytes.len() as u64, offset)?;
            Value::Text(bytes.slice(..strip(&bytes, StringPadding::NulTerminated).len()))
        }
        Class::VariableLengthSequence { base } => {
            let (count, id) = sequence(&mut element, context)?;
            let bytes = heap_bytes(count, id, base.length, heap, offset)?;
            let mut inner = Cursor::new(&bytes, offset, STRUCTURE);
            Value::List(
                (0..count)
                    .map(|_| decode(base, &mut inner, context, heap))
                    .collect::<Result<_>>()?,
            )
        }
        Class::Array { shape, base } => array(shape, base, &mut element, context, heap)?,
        Class::Complex { base } => Value::Struct(vec![
            ("r".to_owned(), decode(base, &mut element, context, heap)?),
            ("i".to_owned(), decode(base, &mut element, context, heap)?),
        ]),
    })
}

fn array(
    shape: &[u64],
    base: &Datatype,
    cursor: &mut Cursor<'_>,
    context: &Context,
    heap: &HeapObjects,
) -> Result<Value> {
    match shape.split_first() {
        None => decode(base, cursor, context, heap),
        Some((&count, inner)) => Ok(Value::List(
            (0..count).map(|_| array(inner, base, cursor, context, heap)).collect::<Result<_>>()?,
        )),
    }
}

/// The bytes of `count` heap elements of `length` bytes.
fn heap_bytes(
    count: u32,
    id: Option<GlobalHeapId>,
    length: u32,
    heap: &HeapObjects,
    offset: u64,
) -> Result<Bytes> {
    let needed =
        usize::try_from(u64::from(count).saturating_mul(u64::from(length))).unwrap_or(usize::MAX);
    let Some(id) = id.filter(|_| count > 0) else { return Ok(Bytes::new()) };
    match heap.get(&id) {
        Some(bytes) if bytes.len() >= needed => Ok(bytes.slice(..needed)),
        _ => {
            let reason = format!("{count} variable-length elements are not all in the global heap");
            Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason))
        }
    }
}

/// A string's bytes without its padding.
pub(crate) fn strip(bytes: &[u8], padding: StringPadding) -> &[u8] {
    let end = match padding {
        StringPadding::NulTerminated => {
            bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len())
        }
        StringPadding::NulPadded => {
            bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last.saturating_add(1))
        }
        StringPadding::SpacePadded => {
            bytes.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last.saturating_add(1))
        }
    };
    bytes.get(..end).unwrap_or_default()
}

/// An unsigned integer of up to 8 bytes.
pub(crate) fn unsigned(bytes: &[u8], order: ByteOrder) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(match order {
        ByteOrder::Little => bytes.iter().rev().fold(0, add),
        ByteOrder::Big => bytes.iter().fold(0, add),
    })
}

fn low_bits(value: u64, precision: u16) -> u64 {
    let unused = 64_u32.saturating_sub(u32::from(precision));
    value & u64::MAX.checked_shr(unused).unwrap_or(0)
}

fn sign_extend(value: u64, precision: u16) -> i64 {
    let unused = 64_u32.saturating_sub(u32::from(precision));
    value.checked_shl(unused).unwrap_or(0).cast_signed().checked_shr(unused).unwrap_or(0)
}

fn float(datatype: &Datatype, bytes: &[u8], order: Option<ByteOrder>) -> Value {
    let number = order.filter(|_| datatype.is_ieee()).and_then(|order| ieee(bytes, order));
    number.map_or(Value::Unsupported("a number that is not IEEE 754"), Value::Float)
}

/// An IEEE 754 number of 2, 4 or 8 bytes.
pub(crate) fn ieee(bytes: &[u8], order: ByteOrder) -> Option<f64> {
    let raw = unsigned(bytes, order)?;
    match bytes.len() {
        2 => Some(half(raw)),
        4 => Some(f64::from(f32::from_bits(u32::try_from(raw).ok()?))),
        8 => Some(f64::from_bits(raw)),
        _ => None,
    }
}

/// An IEEE 754 binary16 number.
fn half(raw: u64) -> f64 {
    let sign = if raw & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::try_from(raw >> 10 & 0x1f).unwrap_or_default();
    let mantissa = f64::from(u32::try_from(raw & 0x3ff).unwrap_or_default());
    sign * match exponent {
        0 => mantissa * (-24.0_f64).exp2(),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * (f64::from(exponent) - 15.0).exp2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Address;
    use crate::message::datatype::BitRange;
    use crate::testing::context;

    fn integer(length: u32, signed: bool, order: ByteOrder) -> Datatype {
        let bits = BitRange { offset: 0, precision: u16::try_from(length * 8).unwrap() };
        Datatype { length, class: Class::FixedPoint { order, signed, bits } }
    }

    fn one(datatype: &Datatype, bytes: &[u8]) -> Value {
        decode(datatype, &mut Cursor::new(bytes, 0, "test"), &context(), &HeapObjects::new())
            .unwrap()
    }

    #[test]
    fn integers_of_any_order_and_sign() {
        assert_eq!(one(&integer(2, true, ByteOrder::Big), &[0xff, 0xfe]), Value::Int(-2));
        assert_eq!(one(&integer(2, false, ByteOrder::Little), &[0xfe, 0xff]), Value::UInt(0xfffe));
        assert_eq!(
            one(&integer(8, true, ByteOrder::Little), &[0, 0, 0, 0, 0, 0, 0, 0x80]),
            Value::Int(i64::MIN)
        );
        let partial = Datatype {
            length: 2,
            class: Class::FixedPoint {
                order: ByteOrder::Little,
                signed: true,
                bits: BitRange { offset: 4, precision: 4 },
            },
        };
        assert_eq!(one(&partial, &[0xf0, 0x12]), Value::Int(-1));
    }

    #[test]
    fn half_precision() {
        let bits = |values: [f64; 4]| values.map(f64::to_bits);
        let expected = [1.0, -2.0, (-24.0_f64).exp2(), f64::INFINITY];
        assert_eq!(bits([0x3c00, 0xc000, 0x0001, 0x7c00].map(half)), bits(expected));
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn padding_of_strings() {
        assert_eq!(strip(b"ab\0c", StringPadding::NulTerminated), b"ab");
        assert_eq!(strip(b"ab\0c\0\0", StringPadding::NulPadded), b"ab\0c");
        assert_eq!(strip(b"ab  ", StringPadding::SpacePadded), b"ab");
    }

    #[test]
    fn values_are_bounded_however_often_they_point_to_the_same_bytes() {
        let text = Datatype { length: 16, class: Class::VariableLengthString { utf8: true } };
        let mut bytes = 1000_u32.to_le_bytes().to_vec();
        bytes.extend(640_u64.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        let id = GlobalHeapId { collection: Address(640), index: 1 };
        let heap = HeapObjects::from([(id, Bytes::from(vec![b'a'; 1000]))]);
        let context = context();
        let one = || decode(&text, &mut Cursor::new(&bytes, 0, "test"), &context, &heap);
        let decoded = (0..10_000).take_while(|_| one().is_ok()).count();
        assert_eq!(decoded, (1 << 20) / 1064);
        assert!(matches!(one(), Err(Hdf5Error::LimitExceeded { .. })));
    }

    #[test]
    fn sequences_that_lead_to_one_another_are_looked_into_once() {
        let sequence = |index: u32| {
            let count = 1000_u32.to_le_bytes().to_vec();
            [count, 640_u64.to_le_bytes().to_vec(), index.to_le_bytes().to_vec()].concat()
        };
        let id = |index| GlobalHeapId { collection: Address(640), index };
        let mut datatype =
            Datatype { length: 16, class: Class::VariableLengthString { utf8: true } };
        for _ in 0..6 {
            let class = Class::VariableLengthSequence { base: Box::new(datatype) };
            datatype = Datatype { length: 16, class };
        }
        // A thousand elements of each object lead to all of the next one: 1000^6 in all.
        let heap: HeapObjects =
            (1..=6).map(|index| (id(index), sequence(index + 1).repeat(1000).into())).collect();
        let (mut missing, mut seen) = (Vec::new(), Seen::new());
        let element = sequence(1);
        let mut cursor = Cursor::new(&element, 0, "test");
        collect(&datatype, &mut cursor, &context(), &heap, (&mut missing, &mut seen)).unwrap();
        assert_eq!((missing, seen.len()), (vec![id(7)], 7));
    }

    #[test]
    fn variable_length_elements_come_from_the_heap() {
        let string = Datatype { length: 16, class: Class::VariableLengthString { utf8: true } };
        let mut bytes = vec![2, 0, 0, 0];
        bytes.extend(640_u64.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        let id = GlobalHeapId { collection: Address(640), index: 1 };
        let mut missing = Vec::new();
        let mut heap = HeapObjects::new();
        let mut seen = Seen::new();
        let mut cursor = Cursor::new(&bytes, 0, "test");
        collect(&string, &mut cursor, &context(), &heap, (&mut missing, &mut seen)).unwrap();
        assert_eq!(missing, [id]);
        heap.insert(id, Bytes::from_static(b"hi"));
        let value =
            decode(&string, &mut Cursor::new(&bytes, 0, "test"), &context(), &heap).unwrap();
        assert_eq!(value, Value::Text(Bytes::from_static(b"hi")));
        bytes[0] = 9;
        assert!(decode(&string, &mut Cursor::new(&bytes, 0, "test"), &context(), &heap).is_err());
    }
}
