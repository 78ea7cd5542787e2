// SPDX-License-Identifier: MIT OR Apache-2.0
//! What two descriptions say differently, in words.

use std::fmt::Debug;

use crate::attributes::AttributeValue;
use crate::chunk_index::{Chunk, ChunkTable};
use crate::message::link::Link;
use crate::object::{DataLocation, Described, Storage};
use crate::value::Value;

/// Characters of one engine's word that a message quotes.
const QUOTED: usize = 200;

/// Differences of two groups' links.
pub(super) fn of_links(ours: &[Link], theirs: &[Link]) -> Vec<String> {
    same("links", &ours, &theirs).into_iter().collect()
}

/// Differences of two attributes.
pub(super) fn of_attributes(ours: &AttributeValue, theirs: &AttributeValue) -> Vec<String> {
    let mut differences = Vec::new();
    differences.extend(same("datatype", &ours.datatype, &theirs.datatype));
    differences.extend(same("shape", &ours.dataspace, &theirs.dataspace));
    if !all_same(&ours.values, &theirs.values) {
        differences.push(text("value", &ours.values, &theirs.values));
    }
    differences
}

/// Differences of two datasets.
pub(super) fn of_datasets(ours: &Described, theirs: &Described) -> Vec<String> {
    let filters = |dataset: &Described| -> Vec<(u16, Vec<u32>)> {
        dataset.filters.iter().map(|filter| (filter.id, filter.values.clone())).collect()
    };
    let mut differences = Vec::new();
    differences.extend(same("datatype", &ours.datatype, &theirs.datatype));
    differences.extend(same("shape", &ours.dataspace, &theirs.dataspace));
    differences.extend(same("fill value", &ours.fill_value, &theirs.fill_value));
    differences.extend(same("filters", &filters(ours), &filters(theirs)));
    differences.extend(same("strings", &ours.strings, &theirs.strings));
    differences.extend(of_storage(&ours.storage, &theirs.storage));
    differences
}

fn of_storage(ours: &DataLocation, theirs: &DataLocation) -> Option<String> {
    let (DataLocation::Here(ours), DataLocation::Here(theirs)) = (ours, theirs) else {
        return match (ours, theirs) {
            // The lists of these are the native engine's in both.
            (DataLocation::External(_), DataLocation::External(_))
            | (DataLocation::Virtual(_), DataLocation::Virtual(_)) => None,
            (a, b) => Some(text("storage", a, b)),
        };
    };
    match (ours, theirs) {
        (Storage::Compact(a), Storage::Compact(b)) => same("elements", a, b),
        (
            Storage::Contiguous { offset: a, length: m },
            Storage::Contiguous { offset: b, length: n },
        ) => same("place and length of the elements", &(a, m), &(b, n)),
        (Storage::Chunked { grid: a, table: m }, Storage::Chunked { grid: b, table: n }) => {
            same("shape of chunks", &a.chunk_shape, &b.chunk_shape).or_else(|| of_chunks(m, n))
        }
        (a, b) => Some(text("storage", a, b)),
    }
}

fn of_chunks(ours: &ChunkTable, theirs: &ChunkTable) -> Option<String> {
    let sorted = |table: &ChunkTable| -> Vec<usize> {
        let mut rows: Vec<usize> = (0..table.len()).collect();
        rows.sort_by(|&a, &b| {
            let place = |row| table.get(row).map(|chunk: Chunk<'_>| chunk.chunk_indices.to_vec());
            place(a).cmp(&place(b))
        });
        rows
    };
    let (our_rows, their_rows) = (sorted(ours), sorted(theirs));
    let different = our_rows
        .iter()
        .zip(&their_rows)
        .find(|&(&a, &b)| ours.get(a) != theirs.get(b))
        .map(|(&a, &b)| text("chunk", &ours.get(a), &theirs.get(b)));
    different.or_else(|| same("number of chunks", &ours.len(), &theirs.len()))
}

fn all_same(ours: &[Value], theirs: &[Value]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| value_same(a, b))
}

/// Whether two values are one: a NaN is any other NaN.
pub(super) fn value_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Float(a), Value::Float(b)) => {
            a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
        }
        (Value::List(a), Value::List(b)) => all_same(a, b),
        (Value::Struct(a), Value::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((m, a), (n, b))| m == n && value_same(a, b))
        }
        (a, b) => a == b,
    }
}

fn same<T: PartialEq + Debug>(what: &str, ours: &T, theirs: &T) -> Option<String> {
    (ours != theirs).then(|| text(what, ours, theirs))
}

/// Both words on `what`.
pub(super) fn text(what: &str, ours: &impl Debug, theirs: &impl Debug) -> String {
    let quote = |value: &dyn Debug| -> String {
        let text = format!("{value:?}");
        match text.char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        }
    };
    format!("{what}: native {}, libhdf5 {}", quote(ours), quote(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::FileNumber;

    fn table(places: &[(u64, u64)]) -> ChunkTable {
        let mut table = ChunkTable::new(1);
        for &(place, offset) in places {
            let file = FileNumber(0);
            table.push(Chunk { chunk_indices: &[place], file, offset, length: 4, filter_mask: 0 });
        }
        table
    }

    #[test]
    fn chunks_are_compared_by_place_in_any_order() {
        assert_eq!(of_chunks(&table(&[(0, 8), (1, 12)]), &table(&[(1, 12), (0, 8)])), None);
        let moved = of_chunks(&table(&[(0, 8), (1, 12)]), &table(&[(0, 12), (1, 8)])).unwrap();
        assert!(moved.contains("chunk: native") && moved.contains("offset: 12"), "{moved}");
        let fewer = of_chunks(&table(&[(0, 8), (1, 12)]), &table(&[(0, 8)])).unwrap();
        assert!(fewer.contains("number of chunks: native 2, libhdf5 1"), "{fewer}");
    }

    #[test]
    fn values_are_compared_by_bits_but_nan() {
        let list = |value| vec![Value::List(vec![Value::Float(value)])];
        assert!(all_same(&list(f64::NAN), &list(-f64::NAN)));
        assert!(!all_same(&list(0.0), &list(-0.0)));
        assert!(!all_same(&list(0.0), &[]));
    }

    #[test]
    fn long_words_are_cut() {
        let long = "é".repeat(1000);
        let message = text("value", &long, &"short");
        assert!(message.len() < 600 && message.ends_with("…, libhdf5 \"short\""), "{message}");
    }
}
