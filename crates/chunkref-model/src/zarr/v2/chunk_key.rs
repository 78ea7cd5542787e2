// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys of chunks: the path of the array, and the place in its grid.

use crate::json::writer;

/// Appends a chunk's key below its array: its place in the grid, joined by dots; `0` for the chunk of a scalar.
/// [`Hierarchy::push`](super::Hierarchy::push) is the way back.
pub fn push_chunk_key(out: &mut String, chunk_indices: &[u64]) {
    let Some((first, rest)) = chunk_indices.split_first() else {
        out.push('0');
        return;
    };
    writer::push_integer(out, *first);
    for index in rest {
        out.push('.');
        writer::push_integer(out, *index);
    }
}

/// Splits the key of a chunk into its path and its last run of numbers, which are put into `indices`, and tells whether dots
/// stand between them; `None` when it is no such key.
///
/// With slashes between the numbers the path may be too short: groups and arrays may have numbers for names, which
/// [`Hierarchy::place`](super::Hierarchy::place) settles.
pub fn split_chunk_key<'a>(key: &'a str, indices: &mut Vec<u64>) -> Option<(&'a str, bool)> {
    indices.clear();
    let (mut path, last) = key.rsplit_once('/')?;
    if last.contains('.') {
        for part in last.split('.') {
            indices.push(chunk_index(part)?);
        }
        return Some((path, true));
    }
    indices.push(chunk_index(last)?);
    while !path.is_empty() {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(index) = chunk_index(name) else { break };
        indices.push(index);
        path = parent;
    }
    indices.reverse();
    Some((path, false))
}

/// A number as chunk keys have it: digits without leading zeros.
fn chunk_index(text: &str) -> Option<u64> {
    let canonical =
        text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split() {
        let mut indices = Vec::new();
        for (key, path, dotted, expected) in [
            ("a/0", "a", false, vec![0]),
            ("g/a/10.0.3", "g/a", true, vec![10, 0, 3]),
            ("a/1/2", "a", false, vec![1, 2]),
            ("1/0", "", false, vec![1, 0]),
            ("2/0.1", "2", true, vec![0, 1]),
            ("a/007/5", "a/007", false, vec![5]),
        ] {
            assert_eq!(split_chunk_key(key, &mut indices), Some((path, dotted)), "{key}");
            assert_eq!(indices, expected, "{key}");
        }
        for key in [
            "",
            "0",
            "a/",
            "a/b",
            "a/0.",
            "a/.0",
            "a/01",
            "a/-1",
            "a/+1",
            "a/18446744073709551616",
            "zarr.json",
        ] {
            assert_eq!(split_chunk_key(key, &mut indices), None, "{key}");
        }
    }
}
