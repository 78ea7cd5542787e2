// SPDX-License-Identifier: MIT OR Apache-2.0
//! Attribute. Spec: HDF5 File Format 3.0, IV.A.2.m.

use bytes::Bytes;
use chunkref_core::Cursor;

use super::link::lossless;
use super::shared::SharedLocation;
use super::{Dataspace, Datatype};
use crate::context::{Context, expect_version};
use crate::error::{Hdf5Error, Result};

/// An attribute as stored: its value's bytes are not decoded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) datatype: MaybeShared<Datatype>,
    pub(crate) dataspace: MaybeShared<Dataspace>,
    /// The value, of unknown length until a shared datatype is there.
    pub(crate) value: Bytes,
    /// Where the value is, in bytes from the start of the file.
    pub(crate) offset: u64,
}

/// A message in place, or where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MaybeShared<T> {
    Here(T),
    Elsewhere(SharedLocation),
}

impl Attribute {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let version = expect_version(cursor, &[1, 2, 3])?;
        let flags = cursor.u8()?; // reserved in version 1
        let name_bytes = cursor.u16_le()?;
        let datatype_bytes = cursor.u16_le()?;
        let dataspace_bytes = cursor.u16_le()?;
        if version == 3 {
            cursor.skip(1)?; // character set of the name: always there, and ASCII is UTF-8 too
        }
        let stored = |length: u16| {
            if version == 1 { u64::from(length).next_multiple_of(8) } else { u64::from(length) }
        };
        let name = cursor.bytes_u64(stored(name_bytes))?;
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
        let name = lossless(name.get(..end).unwrap_or_default());
        let mut part = cursor.slice(stored(datatype_bytes), "attribute datatype")?;
        let datatype = if version > 1 && flags & 1 != 0 {
            MaybeShared::Elsewhere(SharedLocation::parse(&mut part, context)?)
        } else {
            MaybeShared::Here(Datatype::parse(&mut part, context)?)
        };
        let mut part = cursor.slice(stored(dataspace_bytes), "attribute dataspace")?;
        let dataspace = if version > 1 && flags & 2 != 0 {
            MaybeShared::Elsewhere(SharedLocation::parse(&mut part, context)?)
        } else {
            MaybeShared::Here(Dataspace::parse(&mut part, context)?)
        };
        let offset = cursor.offset();
        Ok(Self { name, datatype, dataspace, value: Bytes::copy_from_slice(cursor.rest()), offset })
    }

    /// The name alone, for messages that do not parse further.
    pub(crate) fn name_of(mut cursor: Cursor<'_>) -> Option<String> {
        let version = cursor.u8().ok()?;
        cursor.skip(1).ok()?;
        let name_bytes = cursor.u16_le().ok()?;
        cursor.skip(if version == 3 { 5 } else { 4 }).ok()?;
        let name = cursor.bytes(usize::from(name_bytes)).ok()?;
        Some(lossless(name.split(|&byte| byte == 0).next()?))
    }
}

/// The bytes of `count` elements at the start of `value`.
pub(crate) fn value_bytes(
    value: &Bytes,
    offset: u64,
    datatype: &Datatype,
    dataspace: &Dataspace,
) -> Result<Bytes> {
    let needed = dataspace.count().and_then(|count| count.checked_mul(u64::from(datatype.length)));
    match needed.and_then(|needed| usize::try_from(needed).ok()) {
        Some(needed) if needed <= value.len() => Ok(value.slice(..needed)),
        _ => {
            let reason =
                format!("the value has {} bytes, fewer than its type and shape need", value.len());
            Err(Hdf5Error::inconsistent("attribute", offset, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Address;
    use crate::testing::context;

    const I2: [u8; 12] = [0x10, 0x08, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0];

    fn parse(bytes: &[u8]) -> Result<Attribute> {
        Attribute::parse(&mut Cursor::new(bytes, 0, "attribute"), &context())
    }

    #[test]
    fn version_1_is_padded_and_version_3_has_a_character_set() {
        let mut v1 = vec![1, 0, 2, 0, 12, 0, 8, 0];
        v1.extend(b"a\0\0\0\0\0\0\0");
        v1.extend(I2);
        v1.extend([0; 4]);
        v1.extend([1, 0, 0, 0, 0, 0, 0, 0, 5, 0]);
        let attribute = parse(&v1).unwrap();
        assert_eq!((attribute.name.as_str(), attribute.value.as_ref()), ("a", &[5_u8, 0][..]));

        let mut v3 = vec![3, 0, 2, 0, 12, 0, 4, 0, 1, b'b', 0];
        v3.extend(I2);
        v3.extend([2, 0, 0, 0, 6, 0]);
        let attribute = parse(&v3).unwrap();
        assert_eq!((attribute.name.as_str(), attribute.value.as_ref()), ("b", &[6_u8, 0][..]));
        assert_eq!(Attribute::name_of(Cursor::new(&v3, 0, "attribute")), Some("b".to_owned()));
    }

    #[test]
    fn a_shared_datatype_is_elsewhere() {
        let mut v2 = vec![2, 1, 2, 0, 10, 0, 4, 0, b'c', 0, 3, 2];
        v2.extend(300_u64.to_le_bytes());
        v2.extend([2, 0, 0, 0, 6, 0]);
        let shared = SharedLocation::ObjectHeader(Address(300));
        assert_eq!(parse(&v2).unwrap().datatype, MaybeShared::Elsewhere(shared));
    }

    #[test]
    fn values_must_be_whole() {
        let datatype = Datatype::parse(&mut Cursor::new(&I2, 0, "datatype"), &context()).unwrap();
        let space = Dataspace::Simple { shape: vec![3], max_shape: vec![Some(3)] };
        assert!(value_bytes(&Bytes::from_static(&[0; 6]), 0, &datatype, &space).is_ok());
        assert!(value_bytes(&Bytes::from_static(&[0; 5]), 0, &datatype, &space).is_err());
    }
}
