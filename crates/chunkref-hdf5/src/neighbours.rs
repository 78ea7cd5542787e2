// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files beside the scanned one that its external links, external data and virtual datasets name.

use std::collections::{BTreeSet, HashMap};

use crate::context::{FileNumber, ObjectId};
use crate::error::Reason;
use crate::message::link::LinkTarget;
use crate::object::{DataLocation, Described, Object, ObjectKind};

/// What is known of the files that a scan touches.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// Whether soft and external links are followed.
    pub(crate) follow_links: bool,
    pub(crate) roots: HashMap<FileNumber, ObjectId>,
    /// Names as files have them, and what they lead to or why to nothing.
    pub(crate) known: HashMap<Name, Result<FileNumber, Reason>>,
}

/// A file as another one names it.
#[expect(clippy::struct_field_names, reason = "the name within the other file is a name")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) by: FileNumber,
    pub(crate) name: String,
    /// Whether it is an HDF5 file, not raw data.
    pub(crate) is_hdf5: bool,
}

impl Neighbours {
    /// One file with this root, and no other.
    #[cfg(test)]
    pub(crate) fn alone(root: ObjectId) -> Self {
        Self {
            follow_links: true,
            roots: HashMap::from([(root.file, root)]),
            known: HashMap::new(),
        }
    }

    /// The root group of an HDF5 file.
    pub(crate) fn root(&self, file: FileNumber) -> Option<ObjectId> {
        self.roots.get(&file).copied()
    }

    /// The HDF5 file that file `by` calls `name`.
    pub(crate) fn find(&self, by: FileNumber, name: &str) -> Result<FileNumber, Reason> {
        self.lookup(&Name { by, name: name.to_owned(), is_hdf5: true })
    }

    /// The file of raw data that file `by` calls `name`.
    pub(crate) fn find_raw(&self, by: FileNumber, name: &str) -> Result<FileNumber, Reason> {
        self.lookup(&Name { by, name: name.to_owned(), is_hdf5: false })
    }

    fn lookup(&self, name: &Name) -> Result<FileNumber, Reason> {
        self.known.get(name).cloned().unwrap_or_else(|| Err("it was not opened".into()))
    }
}

impl Object<Described> {
    /// Adds the names of other files that the object depends on.
    pub(crate) fn names(&self, by: FileNumber, follow_links: bool, wanted: &mut BTreeSet<Name>) {
        let mut want = |name: &str, is_hdf5: bool| {
            wanted.insert(Name { by, name: name.to_owned(), is_hdf5 });
        };
        match &self.kind {
            ObjectKind::Group(Ok(links)) if follow_links => {
                for link in links {
                    if let LinkTarget::External { file, .. } = &link.target {
                        want(file, true);
                    }
                }
            }
            ObjectKind::Dataset(dataset) => {
                match dataset.as_ref().as_ref().map(|dataset| &dataset.storage) {
                    Ok(DataLocation::External(pieces)) => {
                        for piece in pieces {
                            want(&piece.name, false);
                        }
                    }
                    Ok(DataLocation::Virtual(mappings)) => {
                        for mapping in mappings.iter().filter(|mapping| mapping.file != ".") {
                            want(&mapping.file, true);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}
