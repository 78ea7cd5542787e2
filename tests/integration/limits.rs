// SPDX-License-Identifier: MIT OR Apache-2.0
//! The limits that the documentation lists are those of the code.

use std::fs;

use chunkref::{LimitUnit, Limits};

use crate::environment::root;

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let start = text.find("| limit | default | bounds |").unwrap();
    let rows: Vec<_> =
        text[start..].lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<_> = Limits::TABLE
        .iter()
        .map(|limit| {
            let value = match limit.unit {
                LimitUnit::Bytes => bytes(limit.default),
                LimitUnit::Count => grouped(limit.default),
            };
            format!("| `{}` | {value} | {} |", limit.name, limit.meaning.trim_end_matches('.'))
        })
        .collect();
    assert_eq!(
        rows.join("\n"),
        expected.join("\n"),
        "write into docs/security.md:\n{}",
        expected.join("\n")
    );
}

fn bytes(count: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")];
    let unit = units.into_iter().find(|(power, _)| count.trailing_zeros() >= *power);
    let (power, unit) = unit.unwrap();
    format!("{} {unit}", count >> power)
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(",")
}
