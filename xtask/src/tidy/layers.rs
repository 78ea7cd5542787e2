// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the modules of a crate may know of each other: parsers do not read, walks do not parse, one place names the model, and
//! few files lead to each other in a circle.

use super::imports::{Graph, paths, production, words};
use super::{Findings, Tree};
use std::collections::BTreeMap;

/// The layers of one crate. Files are given by their paths in `src`, folders with a slash at the end.
struct Layers {
    src: &'static str,
    /// They read and do not parse.
    walks: &'static [&'static str],
    /// They put the layers together and may do either; all other files are pure.
    joints: &'static [&'static str],
    /// They know the model.
    lowering: &'static [&'static str],
}

const CRATES: [Layers; 1] = [Layers {
    src: "crates/chunkref-hdf5/src/",
    walks: &["walk/", "resolve/"],
    // libhdf5 reads by itself, and the native parsers read what it writes.
    joints: &["scanner.rs", "engine.rs", "options.rs", "libhdf5/"],
    // libhdf5's values are held against arrays of the model.
    lowering: &["lower/", "libhdf5/values.rs"],
}];

/// What a pure file does not name.
const READING: [&str; 6] = ["async", "await", "File", "Files", "Frontier", "ByteSource"];
/// What a walk does not name: parsers alone take bytes apart.
const PARSING: &str = "Cursor";
/// Files that lead to each other. In such a set each is read with all others in mind; that is what a reader keeps in view.
const LARGEST_CIRCLE: usize = 5;

/// Check the crates with layers.
pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for layers in &CRATES {
        layers.check(tree, findings);
    }
}

impl Layers {
    fn check(&self, tree: &Tree, findings: &mut Findings) {
        let mut files = BTreeMap::new();
        for (path, content) in tree {
            if let Some(name) = path.strip_prefix(self.src)
                && matches!(name.rsplit_once('.'), Some((_, "rs")))
                && let Ok(text) = str::from_utf8(content)
            {
                files.insert(name, production(text));
            }
        }
        let listed = [self.walks, self.joints, self.lowering].concat();
        for entry in listed {
            if !files.is_empty() && !files.keys().any(|name| is_in(name, &[entry])) {
                findings.fault(self.src, format!("`{entry}` is a layer without files"));
            }
        }
        for (name, text) in &files {
            self.check_file(name, text, findings);
        }
        for circle in Graph::new(&files).circles() {
            if circle.len() > LARGEST_CIRCLE {
                findings.fault(
                    self.src,
                    format!(
                        "{} files lead to each other, {LARGEST_CIRCLE} at the most: {}",
                        circle.len(),
                        circle.join(", ")
                    ),
                );
            }
        }
    }

    fn check_file(&self, name: &str, text: &str, findings: &mut Findings) {
        let path = format!("{}{name}", self.src);
        let words = words(text);
        let named = paths(&words);
        if is_in(name, self.walks) {
            if words.contains(&PARSING) {
                findings.fault(&path, format!("a walk names `{PARSING}`: leave that to a parser"));
            }
        } else if !is_in(name, self.joints) {
            let walks = self.walks.join(", ");
            if let Some(word) = READING.iter().find(|word| words.contains(word)) {
                findings.fault(&path, format!("names `{word}`, which belongs in {walks}"));
            }
            let is_walk =
                |module: &str| self.walks.iter().any(|walk| walk.trim_end_matches('/') == module);
            if named
                .iter()
                .any(|one| matches!(one.path.as_slice(), ["crate", module, ..] if is_walk(module)))
            {
                findings.fault(&path, format!("uses {walks}, which are above it"));
            }
        }
        let names_model = named.iter().any(|one| {
            matches!(one.path.as_slice(), ["chunkref_model", ..] | ["chunkref_core", "model", ..])
        });
        if names_model && !is_in(name, self.lowering) {
            let lowering = self.lowering.join(", ");
            findings.fault(&path, format!("names the model, which belongs in {lowering}"));
        }
    }
}

/// Whether a file is listed, or in a folder that is.
fn is_in(name: &str, list: &[&str]) -> bool {
    list.iter().any(|entry| name == *entry || entry.ends_with('/') && name.starts_with(entry))
}

#[cfg(test)]
mod tests {
    use super::super::planted;
    use super::*;

    const LAYERS: Layers = Layers {
        src: "a/src/",
        walks: &["walk/"],
        joints: &["scanner.rs"],
        lowering: &["lower.rs"],
    };

    /// Findings of the layers of a crate with these files and one of each layer.
    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let mut all: Vec<(String, &str)> =
            files.iter().map(|(name, text)| (format!("a/src/{name}"), *text)).collect();
        for name in ["walk/mod.rs", "scanner.rs", "lower.rs"] {
            if !files.iter().any(|(known, _)| *known == name) {
                all.push((format!("a/src/{name}"), ""));
            }
        }
        let all: Vec<(&str, &str)> =
            all.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let mut findings = Findings::default();
        LAYERS.check(&planted(&all), &mut findings);
        findings.faults
    }

    #[test]
    fn parsers_do_not_read() {
        for reading in [
            "async fn f() {}",
            "fn f(file: &File<'_>) {}",
            "fn f(frontier: &Frontier<'_>) {}",
            "fn f(source: &dyn ByteSource) {}",
            "fn f() { read().await }",
        ] {
            assert_eq!(faults(&[("heap.rs", reading)]).len(), 1, "{reading}");
            assert_eq!(faults(&[("walk/heap.rs", reading)]), Vec::<String>::new());
            assert_eq!(faults(&[("scanner.rs", reading)]), Vec::<String>::new());
        }
        let pure = "/// Of a File, not async.\nfn file_offset(files: u8) {}\nmod tests { async fn f() {} }";
        assert_eq!(faults(&[("heap.rs", pure)]), Vec::<String>::new());
    }

    #[test]
    fn nothing_pure_uses_a_walk() {
        let uses = "use crate::walk::elements;";
        assert_eq!(faults(&[("object.rs", uses)]).len(), 1);
        assert_eq!(faults(&[("lower.rs", uses)]).len(), 1);
        assert_eq!(faults(&[("scanner.rs", uses)]), Vec::<String>::new());
    }

    #[test]
    fn walks_do_not_parse() {
        assert_eq!(faults(&[("walk/heap.rs", "use chunkref_core::Cursor;")]).len(), 1);
        assert_eq!(faults(&[("heap.rs", "use chunkref_core::Cursor;")]), Vec::<String>::new());
    }

    #[test]
    fn the_model_is_named_in_one_place() {
        for named in [
            "use chunkref_core::model::Codec;",
            "use chunkref_core::{Limits, model::{Codec}};",
            "fn f() { chunkref_model::f() }",
        ] {
            assert_eq!(faults(&[("object.rs", named)]).len(), 1, "{named}");
            assert_eq!(faults(&[("lower.rs", named)]), Vec::<String>::new());
        }
        assert_eq!(faults(&[("object.rs", "use chunkref_core::Limits;")]), Vec::<String>::new());
    }

    #[test]
    fn circles_are_small() {
        let ring = |count: usize| -> Vec<(String, String)> {
            let next = |number: usize| format!("use crate::m{}::X;", (number + 1) % count);
            (0..count).map(|number| (format!("m{number}.rs"), next(number))).collect()
        };
        let found = |ring: &[(String, String)]| {
            faults(&ring.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>()).len()
        };
        assert_eq!(found(&ring(LARGEST_CIRCLE)), 0);
        assert_eq!(found(&ring(LARGEST_CIRCLE + 1)), 1);
    }

    #[test]
    fn a_layer_has_files() {
        let mut findings = Findings::default();
        LAYERS.check(&planted(&[("a/src/walk/mod.rs", ""), ("a/src/lower.rs", "")]), &mut findings);
        assert_eq!(findings.faults.len(), 1);
    }
}
