// SPDX-License-Identifier: MIT OR Apache-2.0
//! HDF5 files built around the input: a sound frame, with one family of structures left to the input.
//!
//! A short input reaches the parser of the family without having to make a superblock, a root group and checksums first.
//! Spec: HDF5 File Format 3.0.

use crate::formats::scan_hdf5;

/// Where the dataset's object header begins.
const DATASET: u64 = 256;
/// Where the input begins.
pub const BODY: u64 = 4096;

/// Types of header messages.
mod kind {
    pub(super) const DATASPACE: u8 = 1;
    pub(super) const LINK_INFO: u8 = 2;
    pub(super) const DATATYPE: u8 = 3;
    pub(super) const LINK: u8 = 6;
    pub(super) const DATA_LAYOUT: u8 = 8;
    pub(super) const FILTER_PIPELINE: u8 = 11;
    pub(super) const ATTRIBUTE: u8 = 12;
    pub(super) const SYMBOL_TABLE: u8 = 17;
    pub(super) const ATTRIBUTE_INFO: u8 = 21;
}

/// A message: its type and body.
type Message = (u8, Vec<u8>);

/// Header messages of a dataset. The first byte says which sound ones are there, the others are messages as type, length
/// and body, up to a type of 255; what follows is at [`BODY`].
pub fn message(data: &[u8]) {
    let Some((&given, mut rest)) = data.split_first() else { return };
    let sound = [
        dataspace(&[8]),
        integers(),
        (kind::DATA_LAYOUT, contiguous(BODY, 32)),
        (kind::ATTRIBUTE, attribute()),
    ];
    let mut messages: Vec<Message> = sound
        .into_iter()
        .enumerate()
        .filter(|(number, _)| given & (1 << number) != 0)
        .map(|(_, message)| message)
        .collect();
    while let [kind, length, after @ ..] = rest {
        rest = after;
        if *kind == 255 {
            break;
        }
        let (body, after) = rest.split_at(usize::from(*length).min(rest.len()));
        messages.push((*kind, body.to_vec()));
        rest = after;
    }
    scan_hdf5(&file(&[link(DATASET)], &messages, rest));
}

/// A group's links: the first byte chooses between a version-1 B-tree with a local heap and a version-2 B-tree with a
/// fractal heap, the next two place the second structure.
pub fn group(data: &[u8]) {
    let [choice, low, high, body @ ..] = data else { return };
    let second = BODY + u64::from(u16::from_le_bytes([*low, *high]));
    let messages = if choice & 1 == 0 {
        vec![(kind::SYMBOL_TABLE, addresses(&[BODY, second]))]
    } else {
        vec![(kind::LINK_INFO, [vec![0, 0], addresses(&[BODY, second])].concat())]
    };
    scan_hdf5(&file(&messages, &[], body));
}

/// Attributes in a fractal heap, or text of variable length in a global heap; the first byte chooses, the next two place
/// the B-tree.
pub fn heap(data: &[u8]) {
    let [choice, low, high, body @ ..] = data else { return };
    let second = BODY + u64::from(u16::from_le_bytes([*low, *high]));
    let dataset = if choice & 1 == 0 {
        let info = [vec![0, 0], addresses(&[BODY, second])].concat();
        vec![
            dataspace(&[8]),
            integers(),
            (kind::DATA_LAYOUT, contiguous(BODY, 32)),
            (kind::ATTRIBUTE_INFO, info),
        ]
    } else {
        // Class 9, a string, of 16 bytes: length, address of a collection, number of an object.
        let text = vec![0x19, 1, 0, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0];
        vec![dataspace(&[2]), (kind::DATATYPE, text), (kind::DATA_LAYOUT, contiguous(BODY, 32))]
    };
    scan_hdf5(&file(&[link(DATASET)], &dataset, body));
}

/// A chunk index of any kind. The first byte chooses the kind, the second the filters, the third and fourth the shape.
pub fn chunk_index(data: &[u8]) {
    let [choice, filtered, rows, columns, body @ ..] = data else { return };
    let shape = [u64::from(*rows), u64::from(*columns) * 16];
    let mut layout = match choice % 6 {
        // Version 3: rank, address of a version-1 B-tree, chunk lengths with the element's.
        0 => {
            let mut layout = vec![3, 2, 3];
            layout.extend(BODY.to_le_bytes());
            layout.extend([4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0]);
            layout
        }
        // Version 4: flags, rank, bytes of a chunk length, chunk lengths with the element's, kind of index.
        index => {
            let flags = if index == 1 && filtered & 1 != 0 { 2 } else { (choice >> 4) & 1 };
            let mut layout = vec![4, 2, flags, 3, 1, 4, 4, 4, index];
            match index {
                1 if flags == 2 => {
                    layout.extend(u64::from(*columns).to_le_bytes());
                    layout.extend([0; 4]);
                }
                3 => layout.push(choice >> 3),
                4 => layout.extend([32, 4, 4, 16, 10]),
                5 => layout.extend([0, 8, 0, 0, 100, 40]),
                _ => {}
            }
            layout.extend(BODY.to_le_bytes());
            layout
        }
    };
    if choice % 6 == 0 {
        layout.extend([0; 4]);
    }
    let mut dataset = vec![dataspace(&shape), integers(), (kind::DATA_LAYOUT, layout)];
    if filtered & 1 != 0 {
        dataset.push((kind::FILTER_PIPELINE, pipeline(1, &[6])));
    }
    scan_hdf5(&file(&[link(DATASET)], &dataset, body));
}

/// The filters that are tried, each with its number of client values.
const FILTERS: [(u16, usize); 15] = [
    (1, 1),
    (2, 1),
    (3, 0),
    (4, 4),
    (5, 12),
    (6, 20),
    (307, 1),
    (32000, 3),
    (32001, 7),
    (32004, 1),
    (32008, 5),
    (32013, 6),
    (32015, 1),
    (32017, 9),
    (32024, 10),
];

/// One chunk behind a filter that is undone while a file is scanned: the first byte chooses the filter, the next ones its
/// client values in two bytes each, the rest is the stored chunk.
pub fn filters(data: &[u8]) {
    let Some((&choice, rest)) = data.split_first() else { return };
    let number = usize::from(choice) % (FILTERS.len() + 1);
    // blosc2 comes last: it has any number of values.
    let (id, count) = FILTERS.get(number).copied().unwrap_or((32026, 10));
    let (values, stored) = rest.split_at((count * 2).min(rest.len()));
    let values: Vec<u32> = values
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])))
        .collect();
    // A version-4 layout with a single filtered chunk of 16 by 16 elements.
    let mut layout = vec![4, 2, 2, 3, 1, 16, 16, 4, 1];
    layout.extend((stored.len() as u64).to_le_bytes());
    layout.extend([0; 4]);
    layout.extend(BODY.to_le_bytes());
    let dataset = [
        dataspace(&[16, 16]),
        integers(),
        (kind::DATA_LAYOUT, layout),
        (kind::FILTER_PIPELINE, pipeline(id, &values)),
    ];
    scan_hdf5(&file(&[link(DATASET)], &dataset, stored));
}

/// The mappings of a virtual dataset, in a global heap.
pub fn virtual_mapping(data: &[u8]) {
    let Some((&index, body)) = data.split_first() else { return };
    let mut layout = vec![4, 3];
    layout.extend(BODY.to_le_bytes());
    layout.extend(u32::from(index & 3).to_le_bytes());
    let dataset = [dataspace(&[8, 8]), integers(), (kind::DATA_LAYOUT, layout)];
    scan_hdf5(&file(&[link(DATASET)], &dataset, body));
}

/// A superblock of version 3, a root group with these messages, a dataset with those, and `body` at [`BODY`].
#[must_use]
pub fn file(root: &[Message], dataset: &[Message], body: &[u8]) -> Vec<u8> {
    let mut content = b"\x89HDF\r\n\x1a\n\x03\x08\x08\x00".to_vec();
    let end = BODY + body.len() as u64;
    content.extend(addresses(&[0, u64::MAX, end, 48]));
    content.extend(checksum(&content).to_le_bytes());
    content.extend(header(root));
    for (place, part) in [(DATASET, &*header(dataset)), (BODY, body)] {
        let place = usize::try_from(place).unwrap_or_default();
        // What does not fit overwrites nothing: a long header is cut by the input.
        content.resize(place, 0);
        content.extend(part);
    }
    content
}

/// An object header of version 2.
fn header(messages: &[Message]) -> Vec<u8> {
    let mut block = Vec::new();
    for (kind, body) in messages {
        let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
        block.push(*kind);
        block.extend(length.to_le_bytes());
        block.push(0);
        block.extend(body.iter().take(usize::from(length)));
    }
    let mut header = b"OHDR\x02\x02".to_vec();
    header.extend(u32::try_from(block.len()).unwrap_or(u32::MAX).to_le_bytes());
    header.extend(block);
    header.extend(checksum(&header).to_le_bytes());
    header
}

fn addresses(addresses: &[u64]) -> Vec<u8> {
    addresses.iter().flat_map(|address| address.to_le_bytes()).collect()
}

/// A hard link called `d`.
fn link(address: u64) -> Message {
    let mut body = vec![1, 0, 1, b'd'];
    body.extend(address.to_le_bytes());
    (kind::LINK, body)
}

fn dataspace(shape: &[u64]) -> Message {
    let mut body = vec![2, u8::try_from(shape.len()).unwrap_or_default(), 0, 1];
    body.extend(addresses(shape));
    (kind::DATASPACE, body)
}

/// Signed little-endian integers of 4 bytes.
fn integers() -> Message {
    (kind::DATATYPE, vec![0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0])
}

fn contiguous(address: u64, length: u64) -> Vec<u8> {
    [vec![3, 1], addresses(&[address, length])].concat()
}

/// An attribute `a` with one integer.
fn attribute() -> Vec<u8> {
    let mut body = vec![3, 0, 2, 0, 12, 0, 4, 0, 0, b'a', 0];
    body.extend(integers().1);
    body.extend([2, 0, 0, 0, 7, 0, 0, 0]);
    body
}

/// A pipeline of version 2 with one filter.
fn pipeline(id: u16, values: &[u32]) -> Vec<u8> {
    let mut body = vec![2, 1];
    body.extend(id.to_le_bytes());
    if id >= 256 {
        body.extend([0, 0]);
    }
    body.extend([0, 0]);
    body.extend(u16::try_from(values.len()).unwrap_or_default().to_le_bytes());
    body.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    body
}

/// Bob Jenkins' lookup3, the checksum of HDF5's newer structures.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    let start = 0xdead_beef_u32.wrapping_add(length);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (block, after) = rest.split_at(rest.len().min(12));
        let mut words = [0_u32; 3];
        for (place, &byte) in block.iter().enumerate() {
            words[place / 4] |= u32::from(byte) << (place % 4 * 8);
        }
        a = a.wrapping_add(words[0]);
        b = b.wrapping_add(words[1]);
        c = c.wrapping_add(words[2]);
        if after.is_empty() {
            for (x, y, turn) in
                [(2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24)]
            {
                let mut state = [a, b, c];
                state[x] = (state[x] ^ state[y]).wrapping_sub(state[y].rotate_left(turn));
                [a, b, c] = state;
            }
            return c;
        }
        for turn in [4, 6, 8, 16, 19, 4] {
            let next = a.wrapping_sub(c) ^ c.rotate_left(turn);
            (a, b, c) = (b, c.wrapping_add(b), next);
        }
        rest = after;
    }
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_specification() {
        assert_eq!(checksum(b""), 0xdead_beef);
        assert_eq!(checksum(b"Four score and seven years ago"), 0x1777_0551);
    }

    /// What a scan of a file finds: arrays with their attributes and chunks, and what is skipped.
    fn found(root: &[Message], dataset: &[Message], body: &[u8]) -> (usize, usize, u64, usize) {
        let options = chunkref_core::ScanOptions::default();
        let content = file(root, dataset, body);
        let scan = crate::formats::scan(&chunkref_hdf5::ENTRY, &content, &options).unwrap();
        let arrays = scan.dataset.arrays();
        let attributes = arrays.iter().map(|(_, array)| array.attributes.len()).sum();
        let chunks = arrays.iter().map(|(_, array)| array.manifest.present()).sum();
        (arrays.len(), attributes, chunks, scan.skipped.len())
    }

    #[test]
    fn the_frame_is_sound() {
        let sound = [
            dataspace(&[8]),
            integers(),
            (kind::DATA_LAYOUT, contiguous(BODY, 32)),
            (kind::ATTRIBUTE, attribute()),
        ];
        assert_eq!(found(&[link(DATASET)], &sound, &[7; 32]), (1, 1, 1, 0));
        // The body is what the layout points to: without it the dataset is at fault, and not the file.
        assert_eq!(found(&[link(DATASET)], &sound, &[7; 31]).3, 1);
    }

    #[test]
    fn a_filtered_chunk_is_undone() {
        let stored = [0; 24];
        let mut layout = vec![4, 2, 2, 3, 1, 16, 16, 4, 1];
        layout.extend((stored.len() as u64).to_le_bytes());
        layout.extend([0; 4]);
        layout.extend(BODY.to_le_bytes());
        let dataset = |values: &[u32]| {
            [
                dataspace(&[16, 16]),
                integers(),
                (kind::DATA_LAYOUT, layout.clone()),
                (kind::FILTER_PIPELINE, pipeline(6, values)),
            ]
        };
        let (arrays, _, _, skipped) = found(&[link(DATASET)], &dataset(&[0; 20]), &stored);
        assert_eq!(arrays + skipped, 1, "scale-offset is undone or says why not");
    }
}
