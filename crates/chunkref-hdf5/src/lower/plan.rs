// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the resolved stage to the prepared one: which chunks go into the references, and how arrays are encoded.
//!
//! Bytes go into the references of small chunks, of ones that skipped other filters than the rest of their dataset, and of whole
//! arrays that no Zarr codec decodes.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use chunkref_core::ScanOptions;

use super::codec::codecs;
use super::datatype;
use super::prepared::{Encoding, Prepared};
use crate::chunk_index::{ChunkTable, Grid};
use crate::context::ObjectId;
use crate::ending::Ending;
use crate::error::{Hdf5Error, Result};
use crate::filter;
use crate::filter_options::{BUDGET, CODEC, FilterOptions, UNSUPPORTED, Unsupported};
use crate::inline_chunk::{Chunks, Form, Wanted};
use crate::object::{Dataset, Object, ObjectKind, Objects, Storage};

/// What is to be read before all datasets are prepared.
#[derive(Debug)]
pub(crate) struct Plan {
    objects: Objects<Prepared>,
    wanted: Vec<Wanted>,
    /// Datasets that are stored decoded.
    decoded: BTreeSet<ObjectId>,
}

impl Plan {
    /// Chooses the encoding of every dataset that has a path, and the chunks to read.
    ///
    /// # Errors
    /// Filters that no codec undoes, where the options want that to fail.
    pub(crate) fn new(
        objects: Objects<Dataset>,
        paths: &HashMap<ObjectId, String>,
        scan: &ScanOptions,
        options: &FilterOptions,
    ) -> Result<Self> {
        let (threshold, room) = (scan.inline_threshold, scan.limits.inline_bytes);
        let mut choice = Choice { threshold, options, room, wanted: Vec::new() };
        let mut planned = Objects::new();
        for (id, object) in objects {
            let path = paths.get(&id).map(String::as_str);
            let object = match object {
                Ok(object) => Ok(choice.object(id, path, object)?),
                Err(error) => Err(error),
            };
            planned.insert(id, object);
        }
        Ok(Self { objects: planned, wanted: choice.wanted, decoded: BTreeSet::new() })
    }

    /// The chunks to read.
    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Takes chunks that were read; a dataset of which one could not be read is left out.
    pub(crate) fn add(&mut self, read: Vec<(ObjectId, usize, Result<Bytes>)>) {
        for (id, row, bytes) in read {
            if let Some(Ok(Object { kind: ObjectKind::Dataset(slot), .. })) =
                self.objects.get_mut(&id)
            {
                match (bytes, slot.as_mut()) {
                    (Ok(bytes), Ok(prepared)) => {
                        prepared.inline.insert(row, bytes);
                        if matches!(prepared.encoding, Encoding::Decoded { .. }) {
                            self.decoded.insert(id);
                        }
                    }
                    (Err(error), Ok(_)) => **slot = Err(error),
                    (_, Err(_)) => {}
                }
            }
        }
    }

    /// All objects, once everything wanted was added.
    pub(crate) fn finish(mut self, ending: &Ending) -> Result<Objects<Prepared>> {
        for id in self.decoded {
            if let Some(Ok(Object { kind: ObjectKind::Dataset(slot), .. })) =
                self.objects.get_mut(&id)
                && let Ok(prepared) = slot.as_mut()
            {
                prepared.settle(ending)?;
            }
        }
        Ok(self.objects)
    }

    fn prepared(&self, id: ObjectId) -> Option<&Prepared> {
        self.objects.get(&id)?.as_ref().ok()?.dataset()
    }
}

impl Chunks for Plan {
    fn dataset(&self, id: ObjectId) -> Option<&Dataset> {
        self.prepared(id).map(|prepared| &prepared.dataset)
    }

    fn encode(&self, id: ObjectId, decoded: Bytes, offset: u64) -> Result<Bytes> {
        match self.prepared(id) {
            Some(prepared) => prepared.encode_chunk(decoded, offset),
            None => Ok(decoded),
        }
    }
}

/// Which chunks to read.
struct Choice<'a> {
    threshold: u64,
    options: &'a FilterOptions,
    /// Bytes that the file's references may still take.
    room: u64,
    wanted: Vec<Wanted>,
}

impl Choice<'_> {
    fn object(
        &mut self,
        id: ObjectId,
        path: Option<&str>,
        object: Object<Dataset>,
    ) -> Result<Object<Prepared>> {
        let hidden = object.is_dimension_only() || path.is_none();
        let Object { offset, attributes, kind } = object;
        let kind = match kind.into_dataset() {
            Err(other) => other,
            Ok(dataset)
                if hidden || dataset.strings.is_some() || !datatype::is_possible(&dataset) =>
            {
                ObjectKind::Dataset(Box::new(Ok(Prepared::new(dataset, Encoding::default()))))
            }
            Ok(dataset) => ObjectKind::Dataset(Box::new(match self.encoding(&dataset, id) {
                Ok(encoding) => Ok(Prepared::new(dataset, encoding)),
                Err(reason) if self.options.unsupported == Unsupported::Error => {
                    let reason = format!("dataset /{}: {reason}", path.unwrap_or_default());
                    return Err(Hdf5Error::UnsupportedFilter { offset, reason });
                }
                Err(reason) => Err(Hdf5Error::UnsupportedFilter { offset, reason }),
            })),
        };
        Ok(Object { offset, attributes, kind })
    }

    /// Chooses a dataset's encoding and the chunks to read of it; the error says why it cannot be in the references.
    fn encoding(&mut self, dataset: &Dataset, id: ObjectId) -> Result<Encoding, String> {
        match &dataset.storage {
            Storage::Contiguous { offset: Some(offset), length } if *length < self.threshold => {
                let (offset, length, form) = (*offset, *length, Form::Stored);
                self.push(length, Wanted { id, row: 0, file: id.file, offset, length, form });
            }
            Storage::Chunked { table, grid } => match codecs(dataset, &self.options.codecs) {
                Ok(codecs) => {
                    self.add_some(dataset, id, table, grid)?;
                    return Ok(Encoding::Filters(codecs));
                }
                Err(reason) => {
                    self.add_all(dataset, id, table, grid, &reason)?;
                    return Ok(Encoding::Decoded { zlib: table.len() > 0 });
                }
            },
            _ => {}
        }
        Ok(Encoding::default())
    }

    /// The chunks that are small or odd.
    fn add_some(
        &mut self,
        dataset: &Dataset,
        id: ObjectId,
        table: &ChunkTable,
        grid: &Grid,
    ) -> Result<(), String> {
        let usual = dataset.usual_mask();
        for (row, chunk) in table.iter().enumerate() {
            let mask = dataset.effective_mask(chunk.filter_mask);
            let (cost, form) = if mask == usual {
                (chunk.length, Form::Stored)
            } else {
                (grid.chunk_bytes, Form::Encoded { mask })
            };
            if mask != usual || chunk.length < self.threshold {
                let (file, offset, length) = (chunk.file, chunk.offset, chunk.length);
                if mask != usual && cost > self.room {
                    // The array's codecs would not decode the chunk where it is.
                    return Err(format!(
                        "a chunk of {cost} bytes skipped other filters than most, and the limit leaves no room to store it in the references"
                    ));
                }
                self.push(cost, Wanted { id, row, file, offset, length, form });
            }
        }
        Ok(())
    }

    /// All chunks of a dataset that no codec decodes, for this `reason`.
    fn add_all(
        &mut self,
        dataset: &Dataset,
        id: ObjectId,
        table: &ChunkTable,
        grid: &Grid,
        reason: &str,
    ) -> Result<(), String> {
        if table.len() == 0 {
            return Ok(());
        }
        match self.options.unsupported {
            Unsupported::Error => return Err(reason.to_owned()),
            Unsupported::Skip => {
                return Err(format!("{reason} ({}=inline decodes it)", UNSUPPORTED.name));
            }
            Unsupported::Inline => {}
        }
        let masks: BTreeSet<u32> =
            table.iter().map(|chunk| dataset.effective_mask(chunk.filter_mask)).collect();
        let unknown = masks
            .iter()
            .flat_map(|&mask| filter::applied(&dataset.filters, mask))
            .find(|filter| !filter::is_decodable(filter));
        if let Some(filter) = unknown {
            let (id, name) = (filter.id, filter::name(filter));
            return Err(format!(
                "{reason}; nor does it decode filter {id} ({name}) itself: name a codec of yours for it with {}, or store the dataset with another filter (h5repack does)",
                CODEC.name
            ));
        }
        let total = grid.chunk_bytes.saturating_mul(table.len() as u64);
        let (budget, name) = (self.options.inline_budget, BUDGET.name);
        if total > budget {
            return Err(format!(
                "{reason}; decoded, its {total} bytes are more than {name}={budget} stores in the references"
            ));
        }
        if total > self.room {
            return Err(format!(
                "{reason}; decoded, its {total} bytes are more than the limit leaves for data in the references of one file"
            ));
        }
        for (row, chunk) in table.iter().enumerate() {
            let form = Form::Encoded { mask: dataset.effective_mask(chunk.filter_mask) };
            let (file, offset, length) = (chunk.file, chunk.offset, chunk.length);
            self.push(grid.chunk_bytes, Wanted { id, row, file, offset, length, form });
        }
        Ok(())
    }

    /// Adds a chunk if there is room for it.
    fn push(&mut self, cost: u64, wanted: Wanted) {
        if let Some(rest) = self.room.checked_sub(cost) {
            self.room = rest;
            self.wanted.push(wanted);
        }
    }
}
