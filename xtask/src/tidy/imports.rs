// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which modules of a crate name which: a reading of the source that knows `use` and paths, and nothing else of Rust.

use std::collections::{BTreeMap, BTreeSet};

/// The source up to its unit tests, without comments: what the rules look at.
pub(super) fn production(text: &str) -> String {
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with("mod tests") {
            break;
        }
        // `//` in a string is that of a URL.
        let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
        kept.push_str(comment.map_or(line, |(at, _)| &line[..at]));
        kept.push('\n');
    }
    kept
}

/// Names, and the signs that join them: `::`, or one character that is no blank.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            _ => name,
        };
        let (word, after) = rest.split_at(length);
        if !word.trim().is_empty() {
            words.push(word);
        }
        rest = after;
    }
    words
}

/// A path as it is written, and whether a `pub use` hands it on under its last name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named<'t> {
    pub(super) path: Vec<&'t str>,
    handed_on: bool,
}

/// All paths of more than one name, those of `use` trees one by one.
pub(super) fn paths<'t>(words: &[&'t str]) -> Vec<Named<'t>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at] == "use" {
            let handed_on = at > 0 && matches!(words[at - 1], "pub" | ")");
            at = tree(words, at + 1, &[], handed_on, &mut found);
        } else {
            let end = path_end(words, at);
            if end > at + 1 {
                let path = words[at..end].iter().step_by(2).copied().collect();
                found.push(Named { path, handed_on: false });
            }
            at = end.max(at + 1);
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Behind the names from `at` on that `::` joins.
fn path_end(words: &[&str], at: usize) -> usize {
    if !words.get(at).is_some_and(|word| is_name(word)) {
        return at;
    }
    let mut end = at + 1;
    while words.get(end) == Some(&"::") && words.get(end + 1).is_some_and(|word| is_name(word)) {
        end += 2;
    }
    end
}

/// One branch of a `use` tree; gives the place behind it.
fn tree<'t>(
    words: &[&'t str],
    mut at: usize,
    before: &[&'t str],
    handed_on: bool,
    found: &mut Vec<Named<'t>>,
) -> usize {
    let end = path_end(words, at);
    let mut path = before.to_vec();
    path.extend(words[at..end].iter().step_by(2));
    at = end;
    if words.get(at) == Some(&"::") {
        at += 1;
    }
    if words.get(at) == Some(&"{") {
        while at < words.len() && words[at] != "}" {
            at = tree(words, at + 1, &path, handed_on, found);
        }
        return at + 1;
    }
    found.push(Named { path, handed_on });
    while at < words.len() && !matches!(words[at], "," | "}" | ";") {
        at += 1; // `*`, or another name
    }
    at
}

/// The modules of a crate, by their names from its root, and what each names.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: BTreeMap<Module, BTreeSet<Module>>,
}

type Module = Vec<String>;

impl Graph {
    /// Of the files of a `src` folder: paths in it, and texts.
    pub(super) fn new(files: &BTreeMap<&str, String>) -> Self {
        let texts: BTreeMap<Module, Vec<&str>> =
            files.iter().map(|(path, text)| (module(path), words(text))).collect();
        let named: BTreeMap<&Module, Vec<Named<'_>>> =
            texts.iter().map(|(module, words)| (module, paths(words))).collect();
        let mut handed_on = BTreeMap::new();
        for (module, named) in &named {
            for one in named.iter().filter(|one| one.handed_on) {
                if let (Some(path), Some(last)) =
                    (absolute(module, &one.path, &texts), one.path.last())
                {
                    handed_on.insert(((*module).clone(), (*last).to_owned()), path);
                }
            }
        }
        let edges = named.iter().map(|(module, named)| {
            let targets = named
                .iter()
                .filter_map(|one| owner(absolute(module, &one.path, &texts)?, &texts, &handed_on));
            ((*module).clone(), targets.filter(|target| target != *module).collect())
        });
        Self { edges: edges.collect() }
    }

    /// Sets of modules that all lead to each other, largest first.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.edges.keys().map(|module| (module, self.reachable(module))).collect();
        let mut circles = Vec::new();
        let mut placed = BTreeSet::new();
        for (module, there) in &reach {
            if !there.contains(module) || placed.contains(module) {
                continue;
            }
            let circle: Vec<&Module> =
                there.iter().copied().filter(|other| reach[*other].contains(module)).collect();
            placed.extend(circle.iter().copied());
            circles.push(circle.iter().map(|module| module.join("::")).collect::<Vec<_>>());
        }
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    fn reachable(&self, from: &Module) -> BTreeSet<&Module> {
        let (mut seen, mut pending) = (BTreeSet::new(), vec![from]);
        while let Some(module) = pending.pop() {
            for next in self.edges.get(module).into_iter().flatten() {
                if seen.insert(next) {
                    pending.push(next);
                }
            }
        }
        seen
    }
}

fn module(path: &str) -> Module {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let names = stem.split('/').filter(|name| !matches!(*name, "mod" | "lib"));
    names.map(str::to_owned).collect()
}

/// A path of the crate from its root; `None` for paths of other crates, types and functions.
fn absolute(
    module: &Module,
    path: &[&str],
    modules: &BTreeMap<Module, Vec<&str>>,
) -> Option<Module> {
    let mut base = module.clone();
    let mut rest = path;
    match path.first()? {
        &"crate" => {
            base.clear();
            rest = &path[1..];
        }
        &"self" => rest = &path[1..],
        &"super" => {
            while rest.first() == Some(&"super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        first => {
            base.push((*first).to_owned());
            if !modules.contains_key(&base) {
                return None;
            }
            base.pop();
        }
    }
    base.extend(rest.iter().map(|name| (*name).to_owned()));
    Some(base)
}

/// The module that what a path names is in, where a module hands it on from another.
fn owner(
    mut path: Module,
    modules: &BTreeMap<Module, Vec<&str>>,
    handed_on: &BTreeMap<(Module, String), Module>,
) -> Option<Module> {
    // Hand-overs do not go round in circles; this bounds those that do.
    for _ in 0..8 {
        let length =
            (0..=path.len()).rev().find(|&length| modules.contains_key(&path[..length]))?;
        let (module, rest) = path.split_at(length);
        let from = rest.first().and_then(|name| handed_on.get(&(module.to_vec(), name.clone())));
        match from {
            Some(from) if *from != path => path = from.clone(),
            // The root defines nothing itself: this is a module that is not looked at.
            _ => return (!module.is_empty()).then(|| module.to_vec()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&'static str, &str)]) -> Vec<Vec<String>> {
        Graph::new(&files.iter().map(|(path, text)| (*path, production(text))).collect()).circles()
    }

    #[test]
    fn use_trees_are_taken_apart() {
        let words = words("pub(crate) use a::{self, b::C, d::{E as F, G}}; let x = h::i(j);");
        let paths = paths(&words);
        let joined: Vec<_> = paths.iter().map(|one| (one.path.join("::"), one.handed_on)).collect();
        let expected = [("a::self", true), ("a::b::C", true), ("a::d::E", true), ("a::d::G", true)];
        let expected = expected.into_iter().chain([("h::i", false)]);
        assert_eq!(joined, expected.map(|(path, on)| (path.to_owned(), on)).collect::<Vec<_>>());
    }

    #[test]
    fn circles_are_found_through_every_kind_of_path() {
        assert!(circles(&[("a.rs", "use crate::b::B;"), ("b.rs", "")]).is_empty());
        for back in ["use crate::a::A;", "use super::a::{A};", "fn f() { crate::a::f() }"] {
            assert_eq!(circles(&[("a.rs", "use crate::b::B;"), ("b.rs", back)]), [["a", "b"]]);
        }
        let three =
            [("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c;"), ("c.rs", "use crate::a;")];
        assert_eq!(circles(&three), [["a", "b", "c"]]);
        let folder = [("a/mod.rs", "mod b;\nfn f() { b::g() }"), ("a/b.rs", "use super::f;")];
        assert_eq!(circles(&folder), [["a", "a::b"]]);
    }

    #[test]
    fn comments_tests_and_what_is_handed_on_are_no_circles() {
        let commented = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "// use crate::a;\nmod tests {\nuse crate::a;"),
        ];
        assert!(circles(&commented).is_empty());
        // `C` is in `a::c`, wherever it is named from.
        let handed_on = [
            ("a/mod.rs", "mod b;\nmod c;\npub(crate) use b::B;\npub(crate) use c::C;"),
            ("a/b.rs", "use super::C;"),
            ("a/c.rs", ""),
        ];
        assert!(circles(&handed_on).is_empty());
        // What is not among the files is not looked at.
        let elsewhere = [("lib.rs", "mod gone;\npub use a::A;"), ("a.rs", "use crate::gone::B;")];
        assert!(circles(&elsewhere).is_empty());
        let round = [
            ("a/mod.rs", "pub(crate) use c::C;"),
            ("a/b.rs", "use super::C;"),
            ("a/c.rs", "use super::b::B;"),
        ];
        assert_eq!(circles(&round), [["a::b", "a::c"]]);
    }
}
