// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names, sizes and origin of files, and the ledger of binary fixtures.

use super::{Findings, Tree};

const LEDGER: &str = "FIXTURES.toml";
const MOST_BYTES: usize = 64 * 1024;
const GENERATED: &str = "crates/chunkref-grib2/src/table/eccodes/";
const VAGUE: [&str; 3] = ["utils", "common", "helpers"];

/// Check one file of any kind.
pub(super) fn check(path: &str, content: &[u8], tree: &Tree, findings: &mut Findings) {
    for part in path.split('/') {
        let stem = part.split('.').next().unwrap_or(part);
        if VAGUE.contains(&stem) || VAGUE.iter().any(|word| stem == word.trim_end_matches('s')) {
            findings.fault(path, format!("`{stem}` says nothing: name it after what it holds"));
        }
    }
    // The tables of the crate for GRIB are generated; `cargo xtask test` compares them with what they are made of.
    let is_generated = path.ends_with("Cargo.lock") || path.starts_with(GENERATED);
    if content.len() > MOST_BYTES && !is_generated {
        findings.fault(
            path,
            format!("{} bytes, {MOST_BYTES} at most: generate it instead", content.len()),
        );
    }
    if content.contains(&0) && !in_ledger(path, tree) {
        findings.fault(
            path,
            format!("binary, and no `path = \"{path}\"` in {LEDGER} says where it comes from"),
        );
    }
    if path.ends_with(LEDGER) {
        for named in paths_in(content) {
            if !tree.contains_key(named) {
                findings.fault(path, format!("lists `{named}`, which is not there"));
            }
        }
    }
}

fn in_ledger(path: &str, tree: &Tree) -> bool {
    tree.iter()
        .filter(|(name, _)| name.ends_with(LEDGER))
        .any(|(_, content)| paths_in(content).any(|named| named == path))
}

fn paths_in(content: &[u8]) -> impl Iterator<Item = &str> {
    let text = str::from_utf8(content).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().strip_prefix("path = \"")?.strip_suffix('"'))
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let tree = planted(files);
        let mut findings = Findings::default();
        for (path, content) in &tree {
            check(path, content, &tree, &mut findings);
        }
        findings.faults
    }

    #[test]
    fn vague_names_are_refused() {
        assert!(faults(&[("crates/a/src/heap.rs", ""), ("docs/commonplace.md", "")]).is_empty());
        assert_eq!(
            faults(&[
                ("crates/a/src/utils.rs", ""),
                ("tests/helpers/mod.rs", ""),
                ("a/common.py", ""),
                ("a/util.rs", "")
            ])
            .len(),
            4
        );
    }

    #[test]
    fn large_files_are_refused_but_for_the_lock_file() {
        let large = "x".repeat(MOST_BYTES + 1);
        assert!(faults(&[("Cargo.lock", &large), ("a.md", &large[1..])]).is_empty());
        assert_eq!(faults(&[("a.md", &large)]).len(), 1);
    }

    #[test]
    fn binary_files_need_a_line_in_the_ledger() {
        let ledger = ("fuzz/FIXTURES.toml", "[[fixture]]\npath = \"fuzz/a.bin\"\n");
        assert_eq!(faults(&[("fuzz/a.bin", "\0")]).len(), 1);
        assert!(faults(&[("fuzz/a.bin", "\0"), ledger]).is_empty());
        assert_eq!(faults(&[ledger]).len(), 1);
    }
}
