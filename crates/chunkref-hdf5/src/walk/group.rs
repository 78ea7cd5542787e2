// SPDX-License-Identifier: MIT OR Apache-2.0
//! The links of a group, however they are stored. Spec: HDF5 File Format 3.0, III.B, III.C, IV.A.2.c, .g, .r.

use bytes::Bytes;
use futures::future::{try_join, try_join_all};

use super::file::File;
use super::{btree, fractal_heap, heap, shared_message};
use crate::context::Address;
use crate::error::{Hdf5Error, Result};
use crate::message::link::Link;
use crate::message::{DenseStorage, SymbolTable, kind};
use crate::name_index::NameIndex;
use crate::object_header::{Message, ObjectHeader};
use crate::symbol_table_node as node;

/// All links of the group with this header, in the byte order of their names.
pub(crate) async fn links(file: &File<'_>, header: &ObjectHeader) -> Result<Vec<Link>> {
    let context = &file.context;
    let mut links = Vec::new();
    for message in header.messages.iter().filter(|message| message.kind == kind::LINK) {
        let message = shared_message::resolve(file, message).await?;
        links.push(Link::parse(&mut message.cursor("link"), context)?);
    }
    if let Some(message) = header.message(kind::SYMBOL_TABLE) {
        let table = SymbolTable::parse(&mut message.cursor("symbol table message"), context)?;
        links.extend(symbol_table_links(file, table).await?);
    }
    if let Some(dense) = DenseStorage::links(header, context)? {
        links.extend(dense_links(file, dense).await?);
    }
    let (count, limit) = (links.len() as u64, context.limits.members);
    Hdf5Error::check_limit("group", header.offset, "links", count, limit)?;
    links.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(name) = links.windows(2).find_map(|pair| match pair {
        [a, b] if a.name == b.name => Some(&a.name),
        _ => None,
    }) {
        let reason = format!("two links are called {name:?}");
        return Err(Hdf5Error::inconsistent("group", header.offset, reason));
    }
    Ok(links)
}

async fn symbol_table_links(file: &File<'_>, table: SymbolTable) -> Result<Vec<Link>> {
    let context = &file.context;
    let mut nodes = node::Nodes::new(context);
    let layout = node::layout(context, file.btree_k);
    let entries = btree::read_v1(file, table.btree, layout, &mut nodes);
    let (heap, ()) = try_join(heap::read_local(file, table.heap), entries).await?;
    let node_bytes = node::node_bytes(context, file.btree_k);
    let offsets = nodes.addresses.iter().map(|&address| context.file_offset(address));
    let reads = offsets.clone().map(|at| file.frontier.read_up_to(at, node_bytes, node::STRUCTURE));
    let blocks: Vec<Bytes> = try_join_all(reads).await?;
    let mut links = Vec::new();
    for (offset, bytes) in offsets.zip(&blocks) {
        node::parse(bytes, offset, context, &heap, &mut links)?;
    }
    Ok(links)
}

async fn dense_links(file: &File<'_>, (heap, index): (Address, Address)) -> Result<Vec<Link>> {
    let ids = heap_ids(file, index, NameIndex::links());
    let (heap, ids) = try_join(fractal_heap::heap(file, heap), ids).await?;
    let objects = fractal_heap::objects(file, &heap, &ids).await;
    let offset = file.context.file_offset(Address(0));
    let one = |object| {
        let message = Message::new(kind::LINK, offset, object?);
        Link::parse(&mut message.cursor("dense link"), &file.context)
    };
    objects.into_iter().map(one).collect()
}

/// What `names` takes of every record of the B-tree at `index`.
pub(super) async fn heap_ids(
    file: &File<'_>,
    index: Address,
    mut names: NameIndex,
) -> Result<Vec<Bytes>> {
    let header = btree::read_v2_header(file, index).await?;
    names.check(&header, file.context.file_offset(index))?;
    btree::read_v2(file, index, &header, &mut names).await?;
    Ok(names.ids)
}
