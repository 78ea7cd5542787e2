// SPDX-License-Identifier: MIT OR Apache-2.0
//! Paths: the objects of a file as a tree of names, with links followed and cycles cut.

use std::collections::HashMap;

use chunkref_core::{Limits, SkipKind, Skipped};

use crate::context::{FileNumber, ObjectId};
use crate::error::{Hdf5Error, Reason, Result};
use crate::message::link::{Link, LinkTarget};
use crate::neighbours::Neighbours;
use crate::object::{Described, Object, ObjectKind, Objects};

/// Soft links that lead to soft links, at the most; libhdf5's default too.
const MAX_SOFT_LINKS: u32 = 16;

/// One place in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Names from the root, joined by `/`; the root's is empty.
    pub(crate) path: String,
    pub(crate) id: ObjectId,
}

/// All places of groups and datasets.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Parents before children, in the byte order of names.
    pub(crate) groups: Vec<Node>,
    /// In the order of a depth-first walk by name.
    pub(crate) datasets: Vec<Node>,
    /// The first path of every object.
    pub(crate) paths: HashMap<ObjectId, String>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Follows links from group to group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) objects: &'a Objects<Described>,
    pub(crate) neighbours: &'a Neighbours,
}

/// Places that repeat an object which has a path already, at the most: a handful of links can make any number of them.
const MAX_REPEATED: u64 = 10_000;

struct Walk<'a> {
    resolver: Resolver<'a>,
    limits: &'a Limits,
    tree: Tree,
    /// Groups from the root to where the walk is.
    ancestors: Vec<ObjectId>,
    visited: u64,
    path_bytes: u64,
    repeated: u64,
    /// The limit on all links that is passed.
    exceeded: Option<Hdf5Error>,
}

impl Tree {
    /// Walks from the root of the scanned file, which must be a group that can be read.
    pub(crate) fn new(
        objects: &Objects<Described>,
        neighbours: &Neighbours,
        limits: &Limits,
    ) -> Result<Self> {
        let root = neighbours.root(FileNumber(0));
        match root.and_then(|root| objects.get(&root)) {
            Some(Ok(object)) if matches!(object.kind, ObjectKind::Group(Ok(_))) => {}
            object => return Err(root_error(object)),
        }
        let tree = Self {
            groups: Vec::new(),
            datasets: Vec::new(),
            paths: HashMap::new(),
            skipped: Vec::new(),
        };
        let resolver = Resolver { objects, neighbours };
        let mut walk = Walk {
            resolver,
            limits,
            tree,
            ancestors: Vec::new(),
            visited: 0,
            path_bytes: 0,
            repeated: 0,
            exceeded: None,
        };
        if let Some(root) = root {
            walk.group(root, "");
        }
        walk.exceeded.map_or(Ok(walk.tree), Err)
    }
}

/// Why the root is no readable group.
fn root_error(object: Option<&Result<Object<Described>>>) -> Hdf5Error {
    match object {
        Some(Err(error)) => error.clone(),
        Some(Ok(object)) => match &object.kind {
            ObjectKind::Group(Err(error)) => error.clone(),
            _ => Hdf5Error::inconsistent(
                "root group",
                object.offset,
                "the root object is not a group",
            ),
        },
        None => Hdf5Error::inconsistent("root group", 0, "there is no root group"),
    }
}

impl Walk<'_> {
    fn group(&mut self, id: ObjectId, path: &str) {
        self.tree.groups.push(Node { path: path.to_owned(), id });
        self.tree.paths.entry(id).or_insert_with(|| path.to_owned());
        let Some(Ok(object)) = self.resolver.objects.get(&id) else { return };
        let ObjectKind::Group(Ok(links)) = &object.kind else { return };
        self.ancestors.push(id);
        for link in links {
            // Once the limits are reached, not even paths are made.
            if self.exceeded.is_some() {
                break;
            }
            self.link(link, id, &join_path(path, &link.name));
        }
        self.ancestors.pop();
    }

    fn link(&mut self, link: &Link, group: ObjectId, path: &str) {
        if let Some(reason) = impossible_name(&link.name) {
            return self.skip(path, None, reason, SkipKind::Link);
        }
        self.visited = self.visited.saturating_add(1);
        self.path_bytes = self.path_bytes.saturating_add(path.len() as u64);
        let limits = self.limits;
        let claims = [
            ("places that links lead to", self.visited, limits.objects),
            ("bytes of paths", self.path_bytes, limits.metadata_bytes / 4),
        ];
        for (what, claimed, limit) in claims {
            if let Err(error) = Hdf5Error::check_limit("links of the file", 0, what, claimed, limit)
            {
                self.exceeded = Some(error);
                return;
            }
        }
        let target = match self.resolver.target(link, group, MAX_SOFT_LINKS) {
            Ok(target) => target,
            Err(reason) => return self.skip(path, None, reason, SkipKind::Link),
        };
        if self.tree.paths.contains_key(&target) {
            self.repeated = self.repeated.saturating_add(1);
            if self.repeated > MAX_REPEATED {
                if self.repeated == MAX_REPEATED.saturating_add(1) {
                    let reason = format!(
                        "more than {MAX_REPEATED} links lead to objects that have a path already; this one and all further ones are left out"
                    );
                    self.skip(path, None, reason, SkipKind::Link);
                }
                return;
            }
        }
        let Some(object) = self.resolver.objects.get(&target) else { return };
        match object {
            Err(error) => self.skip(path, error.offset(), error, SkipKind::Array),
            Ok(object) => match &object.kind {
                ObjectKind::Datatype => {
                    self.tree.paths.entry(target).or_insert_with(|| path.to_owned());
                }
                ObjectKind::Dataset(_) => {
                    self.tree.paths.entry(target).or_insert_with(|| path.to_owned());
                    self.tree.datasets.push(Node { path: path.to_owned(), id: target });
                }
                ObjectKind::Group(Err(error)) => {
                    self.skip(path, error.offset(), error, SkipKind::Group);
                }
                ObjectKind::Group(Ok(_)) if self.ancestors.contains(&target) => {
                    let reason =
                        "the link leads back to a group that it is in: the cycle is cut here";
                    self.skip(path, Some(object.offset), reason, SkipKind::Link);
                }
                ObjectKind::Group(Ok(_))
                    if self.ancestors.len() as u64 >= u64::from(self.limits.depth) =>
                {
                    let reason = format!("groups are nested deeper than {}", self.limits.depth);
                    self.skip(path, Some(object.offset), reason, SkipKind::Group);
                }
                ObjectKind::Group(Ok(_)) => self.group(target, path),
            },
        }
    }

    fn skip(&mut self, path: &str, offset: Option<u64>, reason: impl Into<Reason>, kind: SkipKind) {
        let Reason { text, resolutions } = reason.into();
        let skipped = Skipped::new(path, kind, text).with_offset(offset);
        self.tree.skipped.push(skipped.with_resolutions(resolutions));
    }
}

impl Resolver<'_> {
    /// The object at an absolute path of a file.
    pub(crate) fn find(&self, file: FileNumber, path: &str) -> Result<ObjectId, Reason> {
        let root = self.neighbours.root(file).ok_or("the file has no root group")?;
        self.resolve(path, root, MAX_SOFT_LINKS)
    }

    /// The object that a link of `group` leads to.
    fn target(&self, link: &Link, group: ObjectId, soft_links: u32) -> Result<ObjectId, Reason> {
        match &link.target {
            LinkTarget::Hard(target) => Ok(*target),
            LinkTarget::Soft(_) | LinkTarget::External { .. } if !self.neighbours.follow_links => {
                Err("soft and external links are not followed, as the option hdf5.links=skip asks"
                    .into())
            }
            LinkTarget::Soft(path) => self.resolve(path, group, soft_links),
            LinkTarget::External { file, path } => {
                let number = self.neighbours.find(group.file, file).map_err(|reason| {
                    reason.within(format!("the link leads to {path:?} in the other file {file:?}"))
                })?;
                let root = self.neighbours.root(number).ok_or("the file has no root group")?;
                self.resolve(path, root, soft_links)
                    .map_err(|reason| reason.within(format!("in the other file {file:?}")))
            }
            LinkTarget::UserDefined(kind) => {
                Err(format!("the link is of the user-defined type {kind}").into())
            }
        }
    }

    fn resolve(&self, path: &str, group: ObjectId, soft_links: u32) -> Result<ObjectId, Reason> {
        let Some(soft_links) = soft_links.checked_sub(1) else {
            return Err(Reason::from(format!(
                "the soft link to {path:?} goes through more than {MAX_SOFT_LINKS} soft links"
            )));
        };
        let dangling =
            || Reason::from(format!("the soft link leads to {path:?}, which is not there"));
        let mut at = group;
        if path.starts_with('/') {
            at = self.neighbours.root(group.file).ok_or_else(dangling)?;
        }
        for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
            let Some(Ok(object)) = self.objects.get(&at) else { return Err(dangling()) };
            let ObjectKind::Group(Ok(links)) = &object.kind else { return Err(dangling()) };
            let index = links
                .binary_search_by(|link| link.name.as_str().cmp(name))
                .map_err(|_| dangling())?;
            let link = links.get(index).ok_or_else(dangling)?;
            at = self.target(link, at, soft_links)?;
        }
        Ok(at)
    }
}

/// The path of a member of the group at `parent`.
fn join_path(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// Why a name cannot be a path component of a Zarr store.
fn impossible_name(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("the link has no name"),
        "." | ".." => Some("the link's name would be a relative path"),
        ".zarray" | ".zattrs" | ".zgroup" | ".zmetadata" | "zarr.json" => {
            Some("the link's name is a Zarr metadata key")
        }
        _ if name.contains('\\') => {
            Some("the link's name contains a backslash, which Zarr takes for a slash")
        }
        _ if name.contains('/') => Some("the link's name contains a slash"),
        _ if name.contains('\0') => Some("the link's name contains a NUL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Address;

    #[expect(clippy::unnecessary_wraps, reason = "an entry of `Objects` is a result")]
    fn group(links: &[(&str, LinkTarget)]) -> Result<Object<Described>> {
        let links = links.iter().map(|(name, target)| Link {
            name: (*name).to_owned(),
            creation_order: None,
            target: target.clone(),
        });
        Ok(Object {
            offset: 0,
            attributes: Ok(Vec::new()),
            kind: ObjectKind::Group(Ok(links.collect())),
        })
    }

    fn id(address: u64) -> ObjectId {
        ObjectId { file: FileNumber(0), address: Address(address) }
    }

    fn hard(address: u64) -> LinkTarget {
        LinkTarget::Hard(id(address))
    }

    fn soft(path: &str) -> LinkTarget {
        LinkTarget::Soft(path.to_owned())
    }

    #[test]
    fn cycles_are_cut_and_soft_links_followed() {
        let mut objects = Objects::new();
        objects.insert(
            id(1),
            group(&[
                ("a", hard(2)),
                ("dangling", soft("/x")),
                ("loop", soft("loop")),
                ("s", soft("a/b")),
            ]),
        );
        objects.insert(id(2), group(&[("b", hard(3)), ("up", hard(1))]));
        objects.insert(id(3), group(&[]));
        let tree = Tree::new(&objects, &Neighbours::alone(id(1)), &Limits::default()).unwrap();
        let paths: Vec<_> = tree.groups.iter().map(|node| node.path.as_str()).collect();
        assert_eq!(paths, ["", "a", "a/b", "s"]);
        let skipped: Vec<_> = tree.skipped.iter().map(|skip| skip.path.as_str()).collect();
        assert_eq!(skipped, ["a/up", "dangling", "loop"]);
        assert_eq!(tree.paths.get(&id(3)).map(String::as_str), Some("a/b"));
    }

    #[test]
    fn places_are_bounded() {
        // Each group links the next one twice: 2^40 paths.
        let mut objects = Objects::new();
        for address in 1..=40 {
            objects
                .insert(id(address), group(&[("x", hard(address + 1)), ("y", hard(address + 1))]));
        }
        objects.insert(id(41), group(&[]));
        let mut limits = Limits::default();
        limits.objects = 1000;
        let error = Tree::new(&objects, &Neighbours::alone(id(1)), &limits).err().unwrap();
        assert!(matches!(error, Hdf5Error::LimitExceeded { claimed: 1001, .. }), "{error}");
    }

    #[test]
    fn repeated_objects_are_bounded_without_any_limit_set() {
        let mut objects = Objects::new();
        for address in 1..=40 {
            objects
                .insert(id(address), group(&[("x", hard(address + 1)), ("y", hard(address + 1))]));
        }
        objects.insert(id(41), group(&[]));
        let tree = Tree::new(&objects, &Neighbours::alone(id(1)), &Limits::default()).unwrap();
        // Every object by its first path, and so many repetitions.
        assert_eq!(tree.groups.len() as u64, 41 + MAX_REPEATED);
        assert_eq!(tree.skipped.len(), 1);
    }
}
