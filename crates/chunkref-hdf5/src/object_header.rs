// SPDX-License-Identifier: MIT OR Apache-2.0
//! Object headers, versions 1 and 2. Spec: HDF5 File Format 3.0, IV.A.1.

use std::collections::HashSet;

use bytes::Bytes;
use chunkref_core::Cursor;

use crate::context::{Address, Context, expect_signature, expect_version, verify_checksum};
use crate::error::{Hdf5Error, Result};
use crate::message::kind;

/// What a header is called in errors.
pub(crate) const STRUCTURE: &str = "object header";
/// What its further blocks are called.
pub(crate) const CONTINUATION: &str = "object header continuation";

/// The messages of one object.
#[derive(Debug, Clone)]
pub(crate) struct ObjectHeader {
    /// Where the header begins, in bytes from the start of the file.
    pub(crate) offset: u64,
    /// All messages but NIL and continuations, in the order of the header.
    pub(crate) messages: Vec<Message>,
    /// Whether attributes have creation order numbers.
    pub(crate) tracks_attribute_order: bool,
}

/// One header message, not parsed further.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Type number.
    pub(crate) kind: u16,
    /// Flags.
    flags: u8,
    /// Creation order, where the header tracks it.
    pub(crate) creation_order: Option<u16>,
    /// Where the body is, in bytes from the start of the file.
    pub(crate) offset: u64,
    /// The body.
    pub(crate) body: Bytes,
}

impl Message {
    /// A message of `kind` whose body lies at `offset`.
    pub(crate) fn new(kind: u16, offset: u64, body: Bytes) -> Self {
        Self { kind, flags: 0, creation_order: None, offset, body }
    }

    /// A cursor over the body.
    pub(crate) fn cursor(&self, structure: &'static str) -> Cursor<'_> {
        Cursor::new(&self.body, self.offset, structure)
    }

    /// Whether the body only says where the message is.
    pub(crate) fn is_shared(&self) -> bool {
        self.flags & 2 != 0
    }
}

impl ObjectHeader {
    /// The first message of `kind`.
    pub(crate) fn message(&self, kind: u16) -> Option<&Message> {
        self.messages.iter().find(|message| message.kind == kind)
    }

    /// Whether the object is a dataset.
    pub(crate) fn is_dataset(&self) -> bool {
        self.message(kind::DATA_LAYOUT).is_some()
    }

    /// Whether the object is a group.
    pub(crate) fn is_group(&self) -> bool {
        [kind::SYMBOL_TABLE, kind::LINK_INFO, kind::LINK]
            .iter()
            .any(|&kind| self.message(kind).is_some())
    }
}

/// How messages are laid out in all blocks of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Format {
    version: u8,
    has_creation_order: bool,
}

/// The part of a header before its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    format: Format,
    tracks_attribute_order: bool,
    /// Bytes of the prefix.
    length: u64,
    /// Bytes of the first block of messages.
    block_length: u64,
}

impl Prefix {
    /// The prefix at the start of `bytes`, which lie at `offset` of the file; `Err` too when the header is too long.
    pub(crate) fn parse(bytes: &[u8], offset: u64, context: &Context) -> Result<Self> {
        let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
        let prefix = if cursor.peek() == Some(b'O') {
            Self::parse_v2(&mut cursor)?
        } else {
            Self::parse_v1(&mut cursor)?
        };
        check_length(offset, prefix.total(), context)?;
        Ok(prefix)
    }

    fn parse_v2(cursor: &mut Cursor<'_>) -> Result<Self> {
        expect_signature(cursor, *b"OHDR")?;
        expect_version(cursor, &[2])?;
        let flags = cursor.u8()?;
        if flags & 0x20 != 0 {
            cursor.skip(16)?; // times of access, modification, change, birth
        }
        if flags & 0x10 != 0 {
            cursor.skip(4)?; // attribute phase change values
        }
        let block_length = cursor.uint_le(1 << (flags & 3))?;
        Ok(Self {
            format: Format { version: 2, has_creation_order: flags & 4 != 0 },
            tracks_attribute_order: flags & 4 != 0,
            length: cursor.position() as u64,
            block_length,
        })
    }

    fn parse_v1(cursor: &mut Cursor<'_>) -> Result<Self> {
        expect_version(cursor, &[1])?;
        cursor.skip(1)?;
        cursor.skip(6)?; // number of messages, reference count
        let block_length = u64::from(cursor.u32_le()?);
        cursor.skip(4)?; // padding to 8 bytes
        let format = Format { version: 1, has_creation_order: false };
        Ok(Self { format, tracks_attribute_order: false, length: 16, block_length })
    }

    /// Bytes of the header's first part, checksum included.
    pub(crate) fn total(self) -> u64 {
        let checksum = if self.format.version == 2 { 4 } else { 0 };
        self.length.saturating_add(self.block_length).saturating_add(checksum)
    }
}

/// Where more messages are, and how many bytes.
pub(crate) type Continuation = (Address, u64);

/// Takes the messages of one block apart.
fn parse_messages(
    cursor: &mut Cursor<'_>,
    bytes: &Bytes,
    format: Format,
    context: &Context,
    messages: &mut Vec<Message>,
) -> Result<Vec<Continuation>> {
    let header_bytes = match (format.version, format.has_creation_order) {
        (1, _) => 8,
        (_, false) => 4,
        (_, true) => 6,
    };
    let mut continuations = Vec::new();
    while cursor.remaining() >= header_bytes {
        let start = cursor.offset();
        let (kind, length, flags, creation_order) = if format.version == 1 {
            let (kind, length, flags) = (cursor.u16_le()?, cursor.u16_le()?, cursor.u8()?);
            cursor.skip(3)?;
            (kind, length, flags, None)
        } else {
            let (kind, length, flags) = (u16::from(cursor.u8()?), cursor.u16_le()?, cursor.u8()?);
            let creation_order =
                if format.has_creation_order { Some(cursor.u16_le()?) } else { None };
            (kind, length, flags, creation_order)
        };
        let (from, offset) = (cursor.position(), cursor.offset());
        cursor.skip(usize::from(length))?;
        match kind {
            0 => {}
            kind::CONTINUATION => {
                let mut body =
                    Cursor::new(bytes.get(from..).unwrap_or_default(), offset, CONTINUATION);
                continuations
                    .push((context.defined_address(&mut body)?, context.length(&mut body)?));
            }
            _ if kind > kind::LAST && flags & 0x80 != 0 => {
                return Err(Hdf5Error::unsupported(
                    STRUCTURE,
                    start,
                    format!("message type {kind:#06x}, which must be understood,"),
                ));
            }
            _ => {
                let body = bytes.slice(from..cursor.position());
                messages.push(Message { kind, flags, creation_order, offset, body });
            }
        }
    }
    Ok(continuations)
}

/// The first block of messages, checked, as a cursor that ends where they end.
fn first_block(bytes: &Bytes, offset: u64, prefix: Prefix) -> Result<Cursor<'_>> {
    let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
    if prefix.format.version == 2 {
        verify_checksum(bytes, offset, STRUCTURE)?;
        cursor = Cursor::new(
            bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default(),
            offset,
            STRUCTURE,
        );
    }
    cursor.skip(usize::try_from(prefix.length).unwrap_or(usize::MAX))?;
    Ok(cursor)
}

/// A header whose continuations are not all read.
#[derive(Debug)]
pub(crate) struct Partial {
    header: ObjectHeader,
    format: Format,
    pending: Vec<Continuation>,
    seen: HashSet<Address>,
    total: u64,
}

impl Partial {
    /// The first part of the header at `address`: the `bytes` that its prefix says.
    pub(crate) fn parse(
        bytes: &Bytes,
        address: Address,
        prefix: Prefix,
        context: &Context,
    ) -> Result<Self> {
        let offset = context.file_offset(address);
        let mut messages = Vec::new();
        let mut block = first_block(bytes, offset, prefix)?;
        let pending = parse_messages(&mut block, bytes, prefix.format, context, &mut messages)?;
        let tracks_attribute_order = prefix.tracks_attribute_order;
        let mut partial = Self {
            header: ObjectHeader { offset, messages, tracks_attribute_order },
            format: prefix.format,
            pending: Vec::new(),
            seen: HashSet::from([address]),
            total: prefix.total(),
        };
        partial.expect(pending, context)?;
        Ok(partial)
    }

    /// Where more messages are, and their bytes; nothing when the header is whole.
    pub(crate) fn pending(&self) -> &[Continuation] {
        &self.pending
    }

    /// Adds the messages of all pending continuations, whose bytes `blocks` are.
    pub(crate) fn add(&mut self, blocks: &[Bytes], context: &Context) -> Result<()> {
        let mut further = Vec::new();
        for ((next, _), bytes) in std::mem::take(&mut self.pending).into_iter().zip(blocks) {
            let offset = context.file_offset(next);
            let mut cursor = Cursor::new(bytes, offset, CONTINUATION);
            if self.format.version == 2 {
                expect_signature(&mut cursor.clone(), *b"OCHK")?;
                verify_checksum(bytes, offset, CONTINUATION)?;
                cursor = Cursor::new(
                    bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default(),
                    offset,
                    CONTINUATION,
                );
                cursor.skip(4)?;
            }
            let messages = &mut self.header.messages;
            further.extend(parse_messages(&mut cursor, bytes, self.format, context, messages)?);
        }
        self.expect(further, context)
    }

    /// The whole header.
    pub(crate) fn finish(self) -> ObjectHeader {
        self.header
    }

    fn expect(&mut self, continuations: Vec<Continuation>, context: &Context) -> Result<()> {
        for &(next, length) in &continuations {
            if !self.seen.insert(next) {
                let at = context.file_offset(next);
                let reason = "the block continues itself";
                return Err(Hdf5Error::inconsistent(CONTINUATION, at, reason));
            }
            self.total = self.total.saturating_add(length);
            check_length(self.header.offset, self.total, context)?;
        }
        self.pending = continuations;
        Ok(())
    }
}

/// `Err` when a header of `total` bytes is too long.
fn check_length(offset: u64, total: u64, context: &Context) -> Result<()> {
    Hdf5Error::check_limit(STRUCTURE, offset, "bytes", total, context.limits.structure_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    fn version_1(messages: &[(u16, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (kind, data) in messages {
            body.extend(kind.to_le_bytes());
            body.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
            body.extend([0, 0, 0, 0]);
            body.extend(*data);
        }
        let mut bytes = vec![1, 0, u8::try_from(messages.len()).unwrap(), 0, 1, 0, 0, 0];
        bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes.into()
    }

    fn version_2(messages: &[(u8, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (kind, data) in messages {
            body.push(*kind);
            body.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
            body.extend([0, 9, 0]); // flags, creation order
            body.extend(*data);
        }
        let mut bytes = b"OHDR\x02\x04".to_vec();
        bytes.push(u8::try_from(body.len()).unwrap());
        bytes.extend(body);
        bytes.extend(lookup3(&bytes).to_le_bytes());
        bytes.into()
    }

    fn parse(bytes: &Bytes) -> Result<(Vec<Message>, Vec<Continuation>)> {
        let prefix = Prefix::parse(bytes, 0, &context())?;
        let partial = Partial::parse(bytes, Address(0), prefix, &context())?;
        Ok((partial.header.messages, partial.pending))
    }

    #[test]
    fn nil_messages_are_skipped_not_the_end() {
        let bytes = version_2(&[(1, b"abc"), (0, b"...."), (5, b"de")]);
        let (messages, _) = parse(&bytes).unwrap();
        let kinds: Vec<_> =
            messages.iter().map(|message| (message.kind, message.body.as_ref())).collect();
        assert_eq!(kinds, [(1, &b"abc"[..]), (5, b"de")]);
        assert_eq!(messages[0].creation_order, Some(9));
    }

    #[test]
    fn continuations_are_found() {
        let mut target = 4096_u64.to_le_bytes().to_vec();
        target.extend(72_u64.to_le_bytes());
        let (messages, continuations) =
            parse(&version_1(&[(1, b"12345678"), (0x10, &target)])).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(continuations, [(Address(4096), 72)]);
    }

    #[test]
    fn a_block_that_continues_itself_is_an_error() {
        let mut target = 4096_u64.to_le_bytes().to_vec();
        target.extend(24_u64.to_le_bytes());
        let bytes = version_1(&[(0x10, &target)]);
        let prefix = Prefix::parse(&bytes, 0, &context()).unwrap();
        let mut partial = Partial::parse(&bytes, Address(0), prefix, &context()).unwrap();
        assert_eq!(partial.pending(), [(Address(4096), 24)]);
        // The continuation is the same message again: type, length, flags, where.
        let mut block = vec![0x10, 0, 16, 0, 0, 0, 0, 0];
        block.extend(target);
        let error = partial.add(&[block.into()], &context()).unwrap_err();
        assert!(error.to_string().contains("continues itself"), "{error}");
    }

    #[test]
    fn damage_is_found() {
        let mut bytes = version_2(&[(1, b"abc")]).to_vec();
        bytes[12] ^= 4;
        assert!(matches!(parse(&bytes.into()), Err(Hdf5Error::Checksum { .. })));
        let mut bytes = version_1(&[(1, b"12345678")]).to_vec();
        bytes[18] = 9; // the message's length reaches past the block
        assert!(matches!(parse(&bytes.into()), Err(Hdf5Error::Truncated(_))));
        assert!(matches!(
            parse(&Bytes::from_static(&[7, 0, 0])),
            Err(Hdf5Error::UnsupportedVersion { version: 7, .. })
        ));
    }

    #[test]
    fn unknown_messages_that_must_be_understood_are_errors() {
        let bytes = version_1(&[(0x99, b"12345678")]);
        assert_eq!(parse(&bytes).unwrap().0.len(), 1);
        let mut bytes = bytes.to_vec();
        bytes[20] = 0x80;
        assert!(matches!(parse(&bytes.into()), Err(Hdf5Error::Unsupported { .. })));
    }
}
