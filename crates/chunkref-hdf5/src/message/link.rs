// SPDX-License-Identifier: MIT OR Apache-2.0
//! Link. Spec: HDF5 File Format 3.0, IV.A.2.g.

use chunkref_core::Cursor;

use crate::context::{Context, ObjectId, expect_version};
use crate::error::{Hdf5Error, Result};

/// A named way from a group to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// Number in the order of creation, where the group tracks it.
    pub(crate) creation_order: Option<u64>,
    pub(crate) target: LinkTarget,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkTarget {
    /// An object header of this file.
    Hard(ObjectId),
    /// A path in this file.
    Soft(String),
    /// A path in another file.
    External { file: String, path: String },
    /// A kind that only the program that wrote it knows.
    UserDefined(u8),
}

impl Link {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        expect_version(cursor, &[1])?;
        let flags = cursor.u8()?;
        let kind = if flags & 0x08 != 0 { cursor.u8()? } else { 0 };
        let creation_order = if flags & 0x04 != 0 { Some(cursor.u64_le()?) } else { None };
        if flags & 0x10 != 0 {
            cursor.skip(1)?; // character set: ASCII is UTF-8 too
        }
        let name_bytes = cursor.uint_le(1 << (flags & 3))?;
        let name = lossless(cursor.bytes_u64(name_bytes)?);
        let target = match kind {
            0 => LinkTarget::Hard(context.object(context.defined_address(cursor)?)),
            1 => {
                let length = cursor.u16_le()?;
                LinkTarget::Soft(lossless(cursor.bytes(usize::from(length))?))
            }
            64 => {
                let length = cursor.u16_le()?;
                Self::parse_external(&mut cursor.slice(u64::from(length), "external link")?)?
            }
            other => LinkTarget::UserDefined(other),
        };
        Ok(Self { name, creation_order, target })
    }

    fn parse_external(cursor: &mut Cursor<'_>) -> Result<LinkTarget> {
        let offset = cursor.offset();
        let version_and_flags = cursor.u8()?;
        if version_and_flags >> 4 != 0 {
            let (structure, version) = (cursor.structure(), version_and_flags >> 4);
            return Err(Hdf5Error::UnsupportedVersion { structure, offset, version });
        }
        let mut parts = cursor.rest().split(|&byte| byte == 0);
        match (parts.next(), parts.next()) {
            (Some(file), Some(path)) => {
                Ok(LinkTarget::External { file: lossless(file), path: lossless(path) })
            }
            _ => Err(Hdf5Error::inconsistent(
                "external link",
                offset,
                "file name and path are not both there",
            )),
        }
    }
}

/// Names are UTF-8 by the specification; other bytes become replacement characters, which keeps them apart in most cases.
pub(crate) fn lossless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Address;
    use crate::testing::context;

    fn parse(bytes: &[u8]) -> Result<Link> {
        Link::parse(&mut Cursor::new(bytes, 0, "link"), &context())
    }

    #[test]
    fn hard_soft_and_external() {
        let mut hard = vec![1, 0x14, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, b'a', b'b'];
        hard.extend(96_u64.to_le_bytes());
        let link = parse(&hard).unwrap();
        assert_eq!((link.name.as_str(), link.creation_order), ("ab", Some(7)));
        assert_eq!(link.target, LinkTarget::Hard(context().object(Address(96))));
        let soft = [1, 0x08, 1, 1, b's', 2, 0, b'/', b'x'];
        assert_eq!(parse(&soft).unwrap().target, LinkTarget::Soft("/x".to_owned()));
        let external = [1, 0x08, 64, 1, b'e', 8, 0, 0, b'f', b'.', b'h', 0, b'/', b'd', 0];
        let target = LinkTarget::External { file: "f.h".to_owned(), path: "/d".to_owned() };
        assert_eq!(parse(&external).unwrap().target, target);
        assert_eq!(parse(&[1, 0x08, 70, 1, b'u']).unwrap().target, LinkTarget::UserDefined(70));
    }

    #[test]
    fn a_name_longer_than_the_message_is_an_error() {
        assert!(matches!(
            parse(&[1, 0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'a']),
            Err(Hdf5Error::Truncated(_))
        ));
    }
}
