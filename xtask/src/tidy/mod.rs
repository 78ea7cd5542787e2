// SPDX-License-Identifier: MIT OR Apache-2.0
//! The house rules that no other tool knows. Each check is a pure function over names and texts, so it is tested on good and bad ones.

mod edges;
mod files;
mod flags;
mod imports;
mod layers;
mod links;
mod names;
mod quoted;
mod slim;
mod sources;

use crate::step::{Outcome, Step, root};
use std::collections::BTreeMap;
use std::fs;

/// What a check found: warnings are printed, faults fail.
#[derive(Debug, Default)]
struct Findings {
    faults: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    fn fault(&mut self, path: &str, what: impl AsRef<str>) {
        self.faults.push(format!("{path}: {}", what.as_ref()));
    }

    fn warning(&mut self, path: &str, what: impl AsRef<str>) {
        self.warnings.push(format!("{path}: {}", what.as_ref()));
    }
}

/// The project's files: path from the root, with `/`, and content.
pub(crate) type Tree = BTreeMap<String, Vec<u8>>;

/// Check everything that is committed or about to be.
pub(crate) fn run() -> Outcome<()> {
    let tree = tree()?;
    let mut findings = Findings::default();
    for (path, content) in &tree {
        files::check(path, content, &tree, &mut findings);
        if let Ok(text) = str::from_utf8(content) {
            sources::check(path, text, &mut findings);
            flags::check(path, text, &mut findings);
            names::check(path, text, &mut findings);
            names::check_python(path, text, &mut findings);
            links::check(path, text, &tree, &mut findings);
            quoted::check(path, text, &tree, &mut findings);
        }
    }
    edges::check(&tree, &mut findings);
    layers::check(&tree, &mut findings);
    surface(&tree, &mut findings);
    slim::check(&mut findings);
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for fault in &findings.faults {
        println!("error: {fault}");
    }
    println!(
        "tidy: {} files, {} errors, {} warnings",
        tree.len(),
        findings.faults.len(),
        findings.warnings.len()
    );
    match (tree.is_empty(), findings.faults.len()) {
        (true, _) => Err("found no files to check".to_owned()),
        (_, 0) => Ok(()),
        (_, count) => Err(format!("{count} rules broken")),
    }
}

/// Check that the listings of the public surface are what the sources say.
fn surface(tree: &Tree, findings: &mut Findings) {
    let listings = match crate::api::listings(tree) {
        Ok(listings) => listings,
        Err(reason) => return findings.fault("docs/api", reason),
    };
    for (path, text) in &listings {
        if tree.get(path).is_none_or(|listed| listed != text.as_bytes()) {
            findings.fault(path, "the public surface is another one: `cargo xtask api` writes it");
        }
    }
    for path in tree.keys().filter(|path| path.starts_with("docs/api/")) {
        if !listings.contains_key(path) {
            findings.fault(path, "there is no such library");
        }
    }
}

pub(crate) fn tree() -> Outcome<Tree> {
    let list = Step::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .output()?;
    // A file that is listed and not there was deleted and not yet committed so.
    let names = list.split('\0').filter(|name| !name.is_empty());
    Ok(names
        .filter_map(|name| Some((name.to_owned(), fs::read(root().join(name)).ok()?)))
        .collect())
}

/// A tree for tests.
#[cfg(test)]
pub(crate) fn planted(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}
