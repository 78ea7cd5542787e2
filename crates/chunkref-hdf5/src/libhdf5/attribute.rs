// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attributes as libhdf5 reads them.

use bytes::Bytes;
use hdf5_metno::plist::group_create::AttrCreationOrder;
use hdf5_metno::types::{
    FixedAscii, FixedUnicode, H5Type, Reference, TypeDescriptor, VarLenArray, VarLenAscii,
    VarLenUnicode,
};
use hdf5_metno::{
    Attribute, Container, IndexType, IterationOrder, Location, ObjectReference1, Result as Read,
};

use super::dataset::dataspace;
use super::datatype::FoundType;
use super::found::{FoundAttribute, FoundValue};
use super::transcript::Transcript;
use super::{address, fault};
use crate::context::Context;
use crate::error::{Hdf5Error, Result};
use crate::value::Value;

/// All attributes of an object, in the order of creation where the object tracks it, else by name.
pub(super) fn attributes(
    location: &Location,
    order: Option<AttrCreationOrder>,
    transcript: &mut Transcript,
    context: &Context,
    offset: u64,
) -> Result<Vec<FoundAttribute>> {
    let tracked = order.is_some_and(|order| order != AttrCreationOrder::Untracked);
    let index = if tracked { IndexType::CreationOrder } else { IndexType::Name };
    let names = location
        .attr_names_by(index, IterationOrder::Increasing)
        .map_err(|error| fault::fault(offset, &error))?;
    let read = |name: String| {
        let value = match location.attr(&name) {
            Ok(attribute) => value(&attribute, transcript, context, offset),
            Err(error) => Err(fault::fault(offset, &error)),
        };
        FoundAttribute { name, value }
    };
    Ok(names.into_iter().map(read).collect())
}

fn value(
    attribute: &Attribute,
    transcript: &mut Transcript,
    context: &Context,
    offset: u64,
) -> Result<FoundValue> {
    let fault = |error: hdf5_metno::Error| fault::fault(offset, &error);
    let datatype = attribute.dtype().map_err(fault)?;
    let dataspace = dataspace(attribute, offset)?;
    let count = dataspace.count().unwrap_or(u64::MAX);
    Hdf5Error::check_limit("libhdf5", offset, "elements", count, context.limits.members)?;
    let datatype = FoundType::write(&datatype, transcript).map_err(fault)?;
    let elements = match &datatype.descriptor {
        _ if count == 0 => Some(Vec::new()),
        Some(descriptor) => elements(attribute, descriptor, context).map_err(fault)?,
        None => None,
    };
    Ok(FoundValue { datatype, dataspace, elements })
}

/// The elements of a type that a Rust type stands for; `None` for any other.
fn elements(
    container: &Container,
    descriptor: &TypeDescriptor,
    context: &Context,
) -> Read<Option<Vec<Value>>> {
    use TypeDescriptor as Type;
    Ok(match descriptor {
        Type::Enum(kind) if !kind.signed => Some(read(container, Value::UInt)?),
        Type::Integer(_) | Type::Boolean | Type::Enum(_) => Some(read(container, Value::Int)?),
        Type::Unsigned(_) => Some(read(container, Value::UInt)?),
        Type::Float(_) => Some(read(container, Value::Float)?),
        Type::VarLenAscii | Type::VarLenUnicode => strings(container, descriptor)?
            .map(|texts| texts.into_iter().map(Value::Text).collect()),
        Type::FixedAscii(length) => match length {
            0..=64 => Some(read(container, |text: FixedAscii<64>| of_text(text.as_bytes()))?),
            65..=2048 => Some(read(container, |text: FixedAscii<2048>| of_text(text.as_bytes()))?),
            2049..=65536 => {
                Some(read(container, |text: FixedAscii<65536>| of_text(text.as_bytes()))?)
            }
            _ => None,
        },
        Type::FixedUnicode(length) => match length {
            0..=64 => Some(read(container, |text: FixedUnicode<64>| of_text(text.as_bytes()))?),
            65..=2048 => {
                Some(read(container, |text: FixedUnicode<2048>| of_text(text.as_bytes()))?)
            }
            2049..=65536 => {
                Some(read(container, |text: FixedUnicode<65536>| of_text(text.as_bytes()))?)
            }
            _ => None,
        },
        Type::Reference(Reference::Object) => Some(read(container, |one| object(one, context))?),
        Type::VarLenArray(base) => match base.as_ref() {
            Type::Integer(_) => Some(read(container, |list| sequence(&list, Value::Int))?),
            Type::Unsigned(_) => Some(read(container, |list| sequence(&list, Value::UInt))?),
            Type::Float(_) => Some(read(container, |list| sequence(&list, Value::Float))?),
            Type::Reference(Reference::Object) => {
                Some(read(container, |list| sequence(&list, |one| object(one, context)))?)
            }
            _ => None,
        },
        _ => None,
    })
}

/// The elements of a type of variable-length strings; `None` for any other.
pub(super) fn strings(
    container: &Container,
    descriptor: &TypeDescriptor,
) -> Read<Option<Vec<Bytes>>> {
    let bytes = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    Ok(match descriptor {
        TypeDescriptor::VarLenAscii => {
            let texts = container.read_raw::<VarLenAscii>()?;
            Some(texts.iter().map(|text| bytes(text.as_bytes())).collect())
        }
        TypeDescriptor::VarLenUnicode => {
            let texts = container.read_raw::<VarLenUnicode>()?;
            Some(texts.iter().map(|text| bytes(text.as_bytes())).collect())
        }
        _ => None,
    })
}

fn read<T: H5Type>(container: &Container, form: impl Fn(T) -> Value) -> Read<Vec<Value>> {
    Ok(container.read_raw::<T>()?.into_iter().map(form).collect())
}

fn of_text(bytes: &[u8]) -> Value {
    Value::Text(Bytes::copy_from_slice(bytes))
}

fn sequence<T: Copy>(list: &VarLenArray<T>, form: impl Fn(T) -> Value) -> Value {
    Value::List(list.iter().copied().map(form).collect())
}

fn object(reference: ObjectReference1, context: &Context) -> Value {
    address::of_reference(reference, context)
}
