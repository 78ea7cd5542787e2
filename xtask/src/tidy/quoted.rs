// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that the documents name in backticks still exist.

use super::{Findings, Tree};

const FOLDERS: [&str; 8] =
    ["crates/", "tests/", "benches/", "fuzz/", "xtask/", "docs/", ".cargo/", ".ci/"];

/// Check one document. The changelog tells of the past and is left alone.
pub(super) fn check(path: &str, text: &str, tree: &Tree, findings: &mut Findings) {
    if ending(path) != "md" || path.ends_with("CHANGELOG.md") {
        return;
    }
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        // Every second piece between backticks is quoted.
        for quote in line.split('`').skip(1).step_by(2).filter(|_| !fenced) {
            if names_a_file(quote) && !exists(quote, tree) {
                findings.fault(path, format!("names `{quote}`, which is not there"));
            }
        }
    }
}

fn names_a_file(quote: &str) -> bool {
    let plain = quote.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    plain
        && (FOLDERS.iter().any(|folder| quote.starts_with(folder))
            || ending(quote) == "rs" && !quote.starts_with('.'))
}

fn exists(quote: &str, tree: &Tree) -> bool {
    let wanted = quote.trim_end_matches('/');
    tree.keys().any(|path| {
        let inside =
            path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let named = ending(wanted) == "rs"
            && path.strip_suffix(wanted).is_some_and(|before| before.ends_with('/'));
        inside || named
    })
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    fn faults(text: &str) -> usize {
        let tree = planted(&[("crates/chunkref-hdf5/src/heap/local.rs", ""), ("README.md", text)]);
        let mut findings = Findings::default();
        check("README.md", text, &tree, &mut findings);
        findings.faults.len()
    }

    #[test]
    fn what_is_there_may_be_named() {
        assert_eq!(
            faults(
                "`crates/chunkref-hdf5`, `crates/chunkref-hdf5/src/heap/`, `heap/local.rs` and `local.rs`; crates/none"
            ),
            0
        );
        assert_eq!(
            faults(
                "`tests/golden/<format>/x.refs`, `lib::thing`, `*.rs`\n```\nedit `crates/none`\n```\n"
            ),
            0
        );
    }

    #[test]
    fn what_is_gone_may_not() {
        assert_eq!(faults("`crates/chunkref-gone` and `heap/globe.rs`"), 2);
        assert_eq!(faults("`crates/chunkref` is no name of `crates/chunkref-hdf5`"), 1);
    }
}
