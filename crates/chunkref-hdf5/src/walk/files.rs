// SPDX-License-Identifier: MIT OR Apache-2.0
//! The open files of a scan: the scanned one, and those beside it that they name.

use std::collections::BTreeSet;
use std::sync::Arc;

use chunkref_core::{ByteSource, Limits};
use futures::future::join_all;

use super::file::File;
use super::frontier::Frontier;
use super::objects::read_objects;
use super::open::open;
use crate::context::FileNumber;
use crate::ending::Ending;
use crate::error::{Hdf5Error, Reason, Result};
use crate::neighbours::{Name, Neighbours};
use crate::object::{Described, Objects};

/// Files beside the scanned one, at the most: each is open until the scan ends.
const MAX_NEIGHBOURS: usize = 512;

/// One open file.
#[derive(Debug)]
enum Member<'a> {
    Hdf5(Box<File<'a>>),
    Raw(Frontier<'a>),
}

/// All open files of a scan, by number.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    members: Vec<Member<'a>>,
    ending: Ending,
}

impl<'a> Files<'a> {
    /// The scanned file alone.
    pub(crate) fn new(file: File<'a>) -> Self {
        let ending = file.frontier.ending().clone();
        Self { members: vec![Member::Hdf5(Box::new(file))], ending }
    }

    /// Whether the scan goes on.
    ///
    /// # Errors
    /// What ends it: of any file, a read that failed or a limit that all objects share.
    pub(crate) fn check(&self) -> Result<()> {
        self.ending.check()
    }

    /// What ends the scan.
    pub(crate) fn ending(&self) -> &Ending {
        &self.ending
    }

    /// The HDF5 file of that number.
    pub(crate) fn hdf5(&self, number: FileNumber) -> Option<&File<'a>> {
        match self.member(number)? {
            Member::Hdf5(file) => Some(file),
            Member::Raw(_) => None,
        }
    }

    /// The reader of any file.
    pub(crate) fn frontier(&self, number: FileNumber) -> Option<&Frontier<'a>> {
        Some(match self.member(number)? {
            Member::Hdf5(file) => &file.frontier,
            Member::Raw(frontier) => frontier,
        })
    }

    /// The sources of all files, in the order of their numbers.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (FileNumber, &dyn ByteSource)> {
        (0..self.members.len()).filter_map(|number| {
            let number = FileNumber(u32::try_from(number).ok()?);
            Some((number, self.frontier(number)?.source()))
        })
    }

    fn member(&self, number: FileNumber) -> Option<&Member<'a>> {
        self.members.get(usize::try_from(number.0).ok()?)
    }

    /// Opens every file that the objects name, and those that theirs name; each wave of them at the same time.
    ///
    /// # Errors
    /// When it could not be found out whether there is a file of a name, or one could not be read.
    pub(crate) async fn open_neighbours(
        &mut self,
        objects: &mut Objects<Described>,
        follow_links: bool,
        limits: &Limits,
    ) -> Result<Neighbours> {
        let mut neighbours = Neighbours { follow_links, ..Neighbours::default() };
        if let Some(file) = self.hdf5(FileNumber(0)) {
            neighbours.roots.insert(FileNumber(0), file.context.object(file.root));
        }
        loop {
            let mut wanted = BTreeSet::new();
            for (id, object) in objects.iter() {
                if let Ok(object) = object {
                    object.names(id.file, follow_links, &mut wanted);
                }
            }
            wanted.retain(|name| !neighbours.known.contains_key(name));
            if wanted.is_empty() {
                return Ok(neighbours);
            }
            self.open_wave(wanted, objects, &mut neighbours, limits).await;
            self.check()?;
        }
    }

    async fn open_wave(
        &mut self,
        wanted: BTreeSet<Name>,
        objects: &mut Objects<Described>,
        neighbours: &mut Neighbours,
        limits: &Limits,
    ) {
        let opened = join_all(wanted.into_iter().map(|name| async {
            let source = match self.frontier(name.by) {
                Some(frontier) => {
                    frontier.source().open_sibling(&name.name).await.map_err(|error| {
                        let reason = Reason::from_error(&error);
                        if error.kind.is_fault_of_sibling() {
                            let (name, source) = (name.name.clone(), Arc::new(error));
                            self.ending.get_or_init(|| Hdf5Error::Neighbour { name, source });
                        }
                        reason
                    })
                }
                None => Err("the file that names it is not open".into()),
            };
            (name, source)
        }));
        let mut new = Vec::new();
        for (name, source) in opened.await {
            let number = source.and_then(|source| {
                // The same file under another name, or the scanned file itself.
                let same = |(_, known): &(FileNumber, &dyn ByteSource)| {
                    known.location() == source.location()
                };
                if let Some((number, _)) = self.sources().find(same)
                    && (!name.is_hdf5
                        || self.hdf5(number).is_some()
                        || new.iter().any(|(opened, _)| *opened == number))
                {
                    return Ok(number);
                }
                if self.members.len() > MAX_NEIGHBOURS {
                    return Err(Reason::from(format!(
                        "more than {MAX_NEIGHBOURS} other files are named, and no more are opened"
                    )));
                }
                let number = FileNumber(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
                self.members.push(Member::Raw(Frontier::owning(
                    source,
                    limits,
                    self.ending.clone(),
                )));
                if name.is_hdf5 {
                    new.push((number, name.clone()));
                }
                Ok(number)
            });
            neighbours.known.insert(name, number);
        }
        let mut reads = Vec::new();
        for (number, name) in new {
            let slot = usize::try_from(number.0).ok().and_then(|index| self.members.get_mut(index));
            let Some(Member::Raw(frontier)) = slot else { continue };
            let frontier = std::mem::replace(frontier, Frontier::closed());
            reads.push(async move {
                let file = async {
                    let file = open(frontier, number, limits).await?;
                    let objects = file.frontier.run(read_objects(&file)).await?;
                    Ok((file, objects))
                };
                (number, name, file.await)
            });
        }
        for (number, name, read) in join_all(reads).await {
            let read: Result<(File<'_>, Objects<Described>)> = read;
            match (
                read,
                usize::try_from(number.0).ok().and_then(|index| self.members.get_mut(index)),
            ) {
                (Ok((file, theirs)), Some(slot)) => {
                    neighbours.roots.insert(number, file.context.object(file.root));
                    objects.extend(theirs);
                    *slot = Member::Hdf5(Box::new(file));
                }
                (Err(error), _) => {
                    let reason = Reason::from_error(&error).within("it cannot be read");
                    neighbours.known.insert(name, Err(reason));
                }
                (Ok(_), None) => {}
            }
        }
    }
}
