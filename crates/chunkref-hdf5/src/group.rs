// SPDX-License-Identifier: MIT OR Apache-2.0
//! The links of a group, however they are stored. Spec: HDF5 File Format 3.0, III.B, III.C, IV.A.2.c, .g, .r.

use bytes::Bytes;
use chunkref_core::Cursor;
use futures::future::{try_join, try_join_all};

use crate::btree::v1::Layout;
use crate::context::{Address, Context, expect_signature, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::file::File;
use crate::heap::local::LocalHeap;
use crate::message::link::{Link, LinkTarget};
use crate::message::{SymbolTable, kind};
use crate::object_header::ObjectHeader;

const SYMBOL_TABLE_NODE: &str = "symbol table node";
const NAME_INDEX: &str = "link name index";

impl ObjectHeader {
    /// Whether the object is a group.
    pub(crate) fn is_group(&self) -> bool {
        [kind::SYMBOL_TABLE, kind::LINK_INFO, kind::LINK]
            .iter()
            .any(|&kind| self.message(kind).is_some())
    }
}

impl File<'_> {
    /// All links of the group with this header, in the byte order of their names.
    pub(crate) async fn links(&self, header: &ObjectHeader) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        for message in header.messages.iter().filter(|message| message.kind == kind::LINK) {
            let message = self.resolve(message).await?;
            links.push(Link::parse(&mut message.cursor("link"), &self.context)?);
        }
        if let Some(message) = header.message(kind::SYMBOL_TABLE) {
            let table =
                SymbolTable::parse(&mut message.cursor("symbol table message"), &self.context)?;
            links.extend(self.symbol_table_links(table).await?);
        }
        if let Some((heap, index)) = self.dense(header, kind::LINK_INFO)? {
            links.extend(self.dense_links(heap, index).await?);
        }
        Hdf5Error::check_limit(
            "group",
            header.offset,
            "links",
            links.len() as u64,
            self.limits().members,
        )?;
        links.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(name) = links.windows(2).find_map(|pair| match pair {
            [a, b] if a.name == b.name => Some(&a.name),
            _ => None,
        }) {
            return Err(Hdf5Error::inconsistent(
                "group",
                header.offset,
                format!("two links are called {name:?}"),
            ));
        }
        Ok(links)
    }

    async fn symbol_table_links(&self, table: SymbolTable) -> Result<Vec<Link>> {
        let layout = Layout {
            node_type: 0,
            key_bytes: self.context.length_bytes(),
            max_children: u64::from(self.btree_k.group_internal).saturating_mul(2),
        };
        let limit = self.limits().members;
        let mut nodes = Vec::new();
        let mut visit = |key: Cursor<'_>, child| {
            Hdf5Error::check_limit(
                "group",
                key.offset(),
                "symbol table nodes",
                nodes.len() as u64,
                limit,
            )?;
            nodes.push(child);
            Ok(())
        };
        let entries = self.btree_v1_entries(table.btree, layout, &mut visit);
        let (heap, ()) = try_join(LocalHeap::read(self, table.heap), entries).await?;
        let node_bytes = symbol_table_node_bytes(&self.context, self.btree_k.group_leaf);
        let reads = nodes.iter().map(|&node| {
            self.frontier.read_up_to(self.context.file_offset(node), node_bytes, SYMBOL_TABLE_NODE)
        });
        let mut links = Vec::new();
        for (&node, bytes) in nodes.iter().zip(&try_join_all(reads).await?) {
            let mut cursor = Cursor::new(bytes, self.context.file_offset(node), SYMBOL_TABLE_NODE);
            parse_symbol_table_node(&mut cursor, &self.context, &heap, &mut links)?;
        }
        Ok(links)
    }

    async fn dense_links(&self, heap: Address, index: Address) -> Result<Vec<Link>> {
        let (heap, ids) = try_join(self.fractal_heap(heap), self.heap_ids(index, 5, 4, 7)).await?;
        let objects = heap.objects(self, &ids).await;
        objects
            .into_iter()
            .map(|object| {
                let object = object?;
                Link::parse(
                    &mut Cursor::new(&object, self.context.file_offset(Address(0)), "dense link"),
                    &self.context,
                )
            })
            .collect()
    }

    /// The heap IDs in a name index: `id_bytes` bytes after `skip` bytes of every record.
    pub(crate) async fn heap_ids(
        &self,
        index: Address,
        record_type: u8,
        skip: usize,
        id_bytes: usize,
    ) -> Result<Vec<Bytes>> {
        let header = self.btree_v2_header(index).await?;
        if header.record_type != record_type {
            let reason =
                format!("records of type {} where type {record_type} must be", header.record_type);
            return Err(Hdf5Error::inconsistent(
                NAME_INDEX,
                self.context.file_offset(index),
                reason,
            ));
        }
        let mut ids = Vec::new();
        let mut visit = |mut record: Cursor<'_>| {
            record.skip(skip)?;
            ids.push(Bytes::copy_from_slice(record.bytes(id_bytes)?));
            Ok(())
        };
        self.btree_v2_records(index, &header, &mut visit).await?;
        Ok(ids)
    }
}

/// Bytes of a symbol table node with `k` as the superblock has it.
fn symbol_table_node_bytes(context: &Context, k: u16) -> u64 {
    let entry = context.offset_bytes().saturating_add(context.length_bytes()).saturating_add(24);
    u64::from(k).saturating_mul(2).saturating_mul(entry).saturating_add(8)
}

fn parse_symbol_table_node(
    cursor: &mut Cursor<'_>,
    context: &Context,
    heap: &LocalHeap,
    links: &mut Vec<Link>,
) -> Result<()> {
    expect_signature(cursor, *b"SNOD")?;
    expect_version(cursor, &[1])?;
    cursor.skip(1)?;
    let count = cursor.u16_le()?;
    for _ in 0..count {
        let name_offset = context.length(cursor)?;
        let address = context.address(cursor)?;
        let cache_type = cursor.u32_le()?;
        cursor.skip(4)?;
        let scratch = cursor.array::<16>()?;
        let target = if cache_type == 2 {
            let [a, b, c, d, ..] = scratch;
            LinkTarget::Soft(heap.text(u64::from(u32::from_le_bytes([a, b, c, d])))?)
        } else {
            let offset = cursor.offset();
            {
                let missing = || {
                    Hdf5Error::inconsistent(
                        SYMBOL_TABLE_NODE,
                        offset,
                        "an entry without an object header",
                    )
                };
                LinkTarget::Hard(context.object(address.ok_or_else(missing)?))
            }
        };
        links.push(Link { name: heap.text(name_offset)?, creation_order: None, target });
    }
    Ok(())
}
