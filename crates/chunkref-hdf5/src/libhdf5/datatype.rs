// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datatypes as libhdf5 describes them: the transcript goes through the parsers of this crate, this does not.

use hdf5_metno::types::{Reference, TypeDescriptor};
use hdf5_metno::{Datatype as Handle, datatype::ByteOrder as Order};

use super::transcript::{Entry, Transcript};
use crate::message::Datatype;
use crate::message::datatype::{ByteOrder, Class, ReferenceKind};

/// A type.
#[derive(Debug)]
pub(super) struct FoundType {
    pub(super) entry: Entry,
    /// `None` for types that hdf5-metno has no name for.
    pub(super) descriptor: Option<TypeDescriptor>,
    order: Order,
}

impl FoundType {
    /// What libhdf5 says of a type that is in the transcript.
    pub(super) fn new(handle: &Handle, entry: Entry) -> Self {
        Self { entry, descriptor: handle.to_descriptor().ok(), order: handle.byte_order() }
    }

    /// The same for a type that is written down here.
    pub(super) fn write(handle: &Handle, transcript: &mut Transcript) -> hdf5_metno::Result<Self> {
        Ok(Self::new(handle, transcript.datatype(handle)?))
    }

    /// Whether what libhdf5 says holds for `datatype`.
    pub(super) fn fits(&self, datatype: &Datatype) -> bool {
        let order = match (self.order, byte_order(datatype)) {
            (Order::LittleEndian, Some(order)) => order == ByteOrder::Little,
            (Order::BigEndian, Some(order)) => order == ByteOrder::Big,
            // One byte has no order; compounds have many.
            _ => true,
        };
        let one_byte = datatype.length == 1;
        (order || one_byte)
            && self.descriptor.as_ref().is_none_or(|descriptor| is(descriptor, datatype))
    }
}

fn byte_order(datatype: &Datatype) -> Option<ByteOrder> {
    match &datatype.class {
        Class::FixedPoint { order, .. } | Class::BitField { order, .. } => Some(*order),
        Class::FloatingPoint { order, .. } => *order,
        Class::Enumeration { base, .. } => byte_order(base),
        _ => None,
    }
}

/// Whether a descriptor is one of `datatype`.
fn is(descriptor: &TypeDescriptor, datatype: &Datatype) -> bool {
    use TypeDescriptor as Type;
    let length = |length: usize| u64::from(datatype.length) == length as u64;
    match (descriptor, &datatype.class) {
        (Type::Integer(size), Class::FixedPoint { signed: true, .. })
        | (Type::Unsigned(size), Class::FixedPoint { signed: false, .. }) => length(*size as usize),
        (Type::Float(size), Class::FloatingPoint { .. }) => length(*size as usize),
        (Type::Boolean, Class::Enumeration { members, .. }) => {
            length(1) && members.iter().map(|(name, _)| name.as_str()).eq(["FALSE", "TRUE"])
        }
        (Type::Enum(kind), Class::Enumeration { base, members }) => {
            let same =
                |(theirs, (name, bytes)): (&hdf5_metno::types::EnumMember, &(String, Vec<u8>))| {
                    theirs.name == *name && theirs.value.to_ne_bytes().starts_with(bytes)
                };
            length(kind.size as usize)
                && matches!(base.class, Class::FixedPoint { signed, .. } if signed == kind.signed)
                && kind.members.len() == members.len()
                && kind.members.iter().zip(members).all(same)
        }
        (Type::Compound(kind), Class::Compound { members }) => {
            // Pointers in memory are shorter than heap identifiers, and what follows them moves up.
            let moved = datatype.has_heap_data();
            kind.fields.len() == members.len()
                && kind.fields.iter().zip(members).all(|(field, member)| {
                    field.name == member.name
                        && (moved || field.offset as u64 == member.offset)
                        && is(&field.ty, &member.datatype)
                })
        }
        (Type::FixedArray(base, count), Class::Array { shape, base: inner }) => {
            shape.as_slice() == [*count as u64] && is(base, inner)
        }
        (Type::FixedAscii(size), Class::String { utf8: false, .. })
        | (Type::FixedUnicode(size), Class::String { utf8: true, .. }) => length(*size),
        (Type::VarLenArray(base), Class::VariableLengthSequence { base: inner }) => is(base, inner),
        (Type::VarLenAscii, Class::VariableLengthString { utf8 }) => !utf8,
        (Type::VarLenUnicode, Class::VariableLengthString { utf8 }) => *utf8,
        (Type::Reference(kind), Class::Reference(found)) => matches!(
            (kind, found),
            (Reference::Object, ReferenceKind::Object)
                | (Reference::Region, ReferenceKind::Region)
                | (Reference::Std, ReferenceKind::Opaque)
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use hdf5_metno::types::{FloatSize, IntSize};

    use super::*;
    use crate::message::datatype::{BitRange, StringPadding};

    fn integer(order: ByteOrder, signed: bool) -> Datatype {
        let bits = BitRange { offset: 0, precision: 16 };
        Datatype { length: 2, class: Class::FixedPoint { order, signed, bits } }
    }

    #[test]
    fn sign_size_and_class_must_fit() {
        let short = integer(ByteOrder::Little, true);
        assert!(is(&TypeDescriptor::Integer(IntSize::U2), &short));
        for wrong in [
            TypeDescriptor::Unsigned(IntSize::U2),
            TypeDescriptor::Integer(IntSize::U4),
            TypeDescriptor::Float(FloatSize::U4),
            TypeDescriptor::FixedAscii(2),
        ] {
            assert!(!is(&wrong, &short), "{wrong}");
        }
        let class = Class::String { padding: StringPadding::NulPadded, utf8: true };
        let text = Datatype { length: 5, class };
        assert!(is(&TypeDescriptor::FixedUnicode(5), &text));
        assert!(!is(&TypeDescriptor::FixedAscii(5), &text));
    }

    #[test]
    fn byte_order_must_fit() {
        let mut transcript = Transcript::new().unwrap();
        let found =
            FoundType::write(&Handle::from_type::<i16>().unwrap(), &mut transcript).unwrap();
        let (native, other) = if cfg!(target_endian = "big") {
            (ByteOrder::Big, ByteOrder::Little)
        } else {
            (ByteOrder::Little, ByteOrder::Big)
        };
        assert!(found.fits(&integer(native, true)));
        assert!(!found.fits(&integer(other, true)));
    }
}
