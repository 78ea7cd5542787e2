// SPDX-License-Identifier: MIT OR Apache-2.0
//! HDF5 datatypes as element types.

use chunkref_core::model::{ByteOrder, DataType, Field};

use super::refusal::Refusal;
use super::{byte_order, members};
use crate::message::datatype::{BitRange, Class, Member};
use crate::message::{self, Datatype};
use crate::object::Dataset;

/// The element type of a dataset, and the axes that an array datatype adds behind the dataset's own.
pub(super) fn lower(datatype: &Datatype) -> Result<(DataType, Vec<u64>), Refusal> {
    match &datatype.class {
        Class::Array { shape, base } => {
            let (dtype, inner) = lower(base)?;
            Ok((dtype, shape.iter().copied().chain(inner).collect()))
        }
        _ => Ok((element(datatype)?, Vec::new())),
    }
}

/// The type of plain numbers; `None` for all else.
pub(super) fn plain_number(datatype: &Datatype) -> Option<DataType> {
    let dtype = lower(datatype).ok()?.0;
    let plain =
        matches!(dtype, DataType::Int { .. } | DataType::UInt { .. } | DataType::Float { .. });
    plain.then_some(dtype)
}

/// The axes of an array datatype, outermost first.
pub(super) fn array_axes(datatype: &Datatype) -> Vec<u64> {
    match &datatype.class {
        Class::Array { shape, base } => shape.iter().copied().chain(array_axes(base)).collect(),
        _ => Vec::new(),
    }
}

/// Whether the elements of a dataset have a type in Zarr.
pub(super) fn is_possible(dataset: &Dataset) -> bool {
    lower(&dataset.datatype).is_ok()
}

/// The shape with the axes of an array datatype at its end.
pub(super) fn full_shape(dataset: &Dataset) -> Vec<u64> {
    let mut shape = dataset.dataspace.shape().to_vec();
    shape.extend(array_axes(&dataset.datatype));
    shape
}

/// Whether an enumeration is the boolean of h5py and PyTables: one byte, FALSE is 0 and TRUE is 1.
pub(super) fn is_bool(datatype: &Datatype) -> bool {
    let Class::Enumeration { base, members } = &datatype.class else { return false };
    let has = |name: &str, value: u8| {
        members.iter().any(|(known, bytes)| known == name && bytes == &[value])
    };
    base.length == 1 && members.len() == 2 && has("FALSE", 0) && has("TRUE", 1)
}

/// Whether elements are complex numbers, of HDF5's class or as h5py writes them.
pub(super) fn is_complex(datatype: &Datatype) -> bool {
    match &datatype.class {
        Class::Complex { .. } => true,
        Class::Compound { members } => complex(datatype, members).is_some(),
        _ => false,
    }
}

fn element(datatype: &Datatype) -> Result<DataType, Refusal> {
    match &datatype.class {
        Class::FixedPoint { order, signed, bits } => {
            let (length, order) = number(datatype, *bits, *order, "integer")?;
            Ok(if *signed {
                DataType::Int { length, order }
            } else {
                DataType::UInt { length, order }
            })
        }
        Class::BitField { order, bits } => {
            let (length, order) = number(datatype, *bits, *order, "bit field")?;
            Ok(DataType::UInt { length, order })
        }
        Class::FloatingPoint { order, .. } => {
            let length = small(datatype);
            match order {
                Some(order) if datatype.is_ieee() => {
                    Ok(DataType::Float { length, order: byte_order::lower(*order) })
                }
                _ => Err(Refusal::new(format!(
                    "the element type is a {}-byte number that is not IEEE 754 binary16, binary32 or binary64, for which Zarr v2 has no type",
                    datatype.length
                ))),
            }
        }
        Class::Time => {
            Err(Refusal::new("the element type is HDF5's time type, for which Zarr v2 has no type"))
        }
        Class::String { .. } => Ok(DataType::FixedString { length: u64::from(datatype.length) }),
        Class::Opaque { tag } => Ok(opaque(datatype, tag)),
        Class::Compound { members } => compound(datatype, members),
        Class::Reference(_) => Err(Refusal::new(
            "the elements are references to objects or regions, for which Zarr v2 has no type",
        )),
        Class::Enumeration { .. } if is_bool(datatype) => Ok(DataType::Bool),
        Class::Enumeration { base, .. } => element(base),
        Class::VariableLengthSequence { .. } => Err(Refusal::new(
            "the elements are sequences of variable length, and Zarr v2 has no type for them that zarr-python opens",
        )),
        Class::VariableLengthString { .. } => Err(Refusal::new(
            "strings of variable length within another type have no counterpart in Zarr v2, whose structured types have fields of fixed length",
        )),
        Class::Array { .. } => {
            Err(Refusal::new("an array within another type has no counterpart in Zarr v2 here"))
        }
        Class::Complex { base } => match element(base)? {
            DataType::Float { length: length @ (4 | 8), order } => {
                Ok(DataType::Complex { length: length.saturating_mul(2), order })
            }
            _ => Err(Refusal::new(
                "the element type is a complex number whose parts are not floating-point numbers of 4 or 8 bytes, for which Zarr v2 has no type",
            )),
        },
    }
}

/// The length and order of a number all of whose bits count.
fn number(
    datatype: &Datatype,
    bits: BitRange,
    order: message::datatype::ByteOrder,
    what: &str,
) -> Result<(u8, ByteOrder), Refusal> {
    if !matches!(datatype.length, 1 | 2 | 4 | 8) {
        return Err(Refusal::new(format!(
            "the element type is a {what} of {} bytes, for which Zarr v2 has no type",
            datatype.length
        )));
    }
    if !bits.is_full(datatype.length) {
        return Err(Refusal::new(format!(
            "only {} of the {} bits of the {what} type count (from bit {}), for which Zarr v2 has no type",
            bits.precision,
            datatype.length.saturating_mul(8),
            bits.offset
        )));
    }
    let order = if datatype.length == 1 { ByteOrder::Little } else { byte_order::lower(order) };
    Ok((small(datatype), order))
}

fn small(datatype: &Datatype) -> u8 {
    u8::try_from(datatype.length).unwrap_or(u8::MAX)
}

/// h5py stores numpy's times as opaque data with the numpy type in the tag.
fn opaque(datatype: &Datatype, tag: &str) -> DataType {
    let time = |kind: &str| {
        let rest = tag.strip_prefix("NUMPY:")?;
        let (order, rest) = match rest.split_at_checked(1)? {
            ("<", rest) => (ByteOrder::Little, rest),
            (">", rest) => (ByteOrder::Big, rest),
            _ => return None,
        };
        let unit = rest.strip_prefix(kind)?.strip_prefix('[')?.strip_suffix(']')?;
        let name = unit.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if !["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"].contains(&name)
        {
            return None;
        }
        Some((unit.to_owned(), order))
    };
    match (datatype.length, time("M8"), time("m8")) {
        (8, Some((unit, order)), _) => DataType::DateTime { unit, order },
        (8, _, Some((unit, order))) => DataType::TimeDelta { unit, order },
        _ => DataType::Raw { length: u64::from(datatype.length) },
    }
}

fn compound(datatype: &Datatype, members: &[Member]) -> Result<DataType, Refusal> {
    if let Some(complex) = complex(datatype, members) {
        return Ok(complex);
    }
    let mut ordered: Vec<&Member> = members.iter().collect();
    ordered.sort_by_key(|member| member.offset);
    let (mut fields, mut end) = (Vec::new(), 0_u64);
    let pad = |fields: &mut Vec<Field>, length: u64| {
        let mut name = format!("_padding_{}", fields.len());
        while members.iter().any(|member| member.name == name) {
            name.insert(0, '_');
        }
        fields.push(Field { name, dtype: DataType::Raw { length }, shape: Vec::new() });
    };
    for member in ordered {
        match member.offset.checked_sub(end) {
            None => {
                return Err(Refusal::new(format!(
                    "member {:?} of the compound type overlaps another",
                    member.name
                )));
            }
            Some(0) => {}
            Some(gap) => pad(&mut fields, gap),
        }
        let refuse = |reason: &str| {
            Refusal::new(format!("member {:?} of the compound type: {reason}", member.name))
        };
        let (dtype, shape) = lower(&member.datatype).map_err(|refusal| refuse(&refusal.reason))?;
        if !shape.is_empty() || matches!(dtype, DataType::Struct { .. }) {
            return Err(refuse(&format!(
                "zarr-python opens no structured type of Zarr v2 with arrays or compounds in it ({0}=flatten makes fields of their parts, {0}=bytes keeps their bytes)",
                members::OPTION.name
            )));
        }
        fields.push(Field { name: member.name.clone(), dtype, shape });
        end = member.offset.saturating_add(u64::from(member.datatype.length));
    }
    match u64::from(datatype.length).checked_sub(end) {
        Some(0) | None => {}
        Some(gap) => pad(&mut fields, gap),
    }
    if fields.is_empty() {
        return Err(Refusal::new("the compound type has no members"));
    }
    Ok(DataType::Struct { fields })
}

/// h5py's complex numbers: members `r` and `i` of one floating-point type, one behind the other.
fn complex(datatype: &Datatype, members: &[Member]) -> Option<DataType> {
    let [re, im] = members else { return None };
    let (part, same) = (element(&re.datatype).ok()?, re.datatype == im.datatype);
    let half = u64::from(re.datatype.length);
    let DataType::Float { length: length @ (4 | 8), order } = part else { return None };
    let sound = same && re.name == "r" && im.name == "i" && re.offset == 0 && im.offset == half;
    (sound && u64::from(datatype.length) == half.saturating_mul(2))
        .then(|| DataType::Complex { length: length.saturating_mul(2), order })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::datatype::ByteOrder as Stored;
    use crate::message::datatype::{FloatFormat, StringPadding};

    fn int(length: u32, precision: u16) -> Datatype {
        let bits = BitRange { offset: 0, precision };
        Datatype { length, class: Class::FixedPoint { order: Stored::Little, signed: true, bits } }
    }

    fn float() -> Datatype {
        let format = FloatFormat {
            sign: 31,
            exponent_location: 23,
            exponent_length: 8,
            mantissa_location: 0,
            mantissa_length: 23,
            exponent_bias: 127,
        };
        let bits = BitRange { offset: 0, precision: 32 };
        Datatype {
            length: 4,
            class: Class::FloatingPoint { order: Some(Stored::Big), bits, format },
        }
    }

    fn member(name: &str, offset: u64, datatype: Datatype) -> Member {
        Member { name: name.to_owned(), offset, datatype }
    }

    #[test]
    fn gaps_of_a_compound_become_fields() {
        let datatype = Datatype {
            length: 16,
            class: Class::Compound {
                members: vec![member("b", 8, int(2, 16)), member("a", 0, int(4, 32))],
            },
        };
        let (DataType::Struct { fields }, axes) = lower(&datatype).unwrap() else {
            panic!("not a struct")
        };
        let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["a", "_padding_1", "b", "_padding_3"]);
        assert_eq!(DataType::Struct { fields }.length_bytes(), Some(16));
        assert!(axes.is_empty());
    }

    #[test]
    fn complex_numbers_are_told_from_other_compounds() {
        let of = |names: [&str; 2]| Datatype {
            length: 8,
            class: Class::Compound {
                members: vec![member(names[0], 0, float()), member(names[1], 4, float())],
            },
        };
        assert_eq!(
            lower(&of(["r", "i"])).unwrap().0,
            DataType::Complex { length: 8, order: ByteOrder::Big }
        );
        assert!(matches!(lower(&of(["x", "y"])).unwrap().0, DataType::Struct { .. }));
    }

    #[test]
    fn array_types_add_axes_and_odd_ones_are_refused() {
        let array = Datatype {
            length: 24,
            class: Class::Array { shape: vec![2, 3], base: Box::new(int(4, 32)) },
        };
        assert_eq!(lower(&array).unwrap().1, [2, 3]);
        assert!(lower(&int(4, 12)).unwrap_err().reason.contains("12 of the 32 bits"));
        assert!(lower(&int(3, 24)).is_err());
        let text = Datatype {
            length: 5,
            class: Class::String { padding: StringPadding::SpacePadded, utf8: false },
        };
        assert_eq!(lower(&text).unwrap().0, DataType::FixedString { length: 5 });
    }

    #[test]
    fn booleans_and_times() {
        let members = vec![("FALSE".to_owned(), vec![0]), ("TRUE".to_owned(), vec![1])];
        let bool = Datatype {
            length: 1,
            class: Class::Enumeration { base: Box::new(int(1, 8)), members },
        };
        assert_eq!(lower(&bool).unwrap().0, DataType::Bool);
        let time = Datatype { length: 8, class: Class::Opaque { tag: "NUMPY:<M8[ns]".to_owned() } };
        assert_eq!(
            lower(&time).unwrap().0,
            DataType::DateTime { unit: "ns".to_owned(), order: ByteOrder::Little }
        );
        let opaque = Datatype { length: 7, class: Class::Opaque { tag: "x".to_owned() } };
        assert_eq!(lower(&opaque).unwrap().0, DataType::Raw { length: 7 });
    }
}
