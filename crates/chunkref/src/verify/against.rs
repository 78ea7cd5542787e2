// SPDX-License-Identifier: MIT OR Apache-2.0
//! References held against a new scan of their sources: each names a chunk that is there, and all chunks of one source
//! are moved by the same way into the cube.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chunkref_combine::element::reads_otherwise;
use chunkref_core::{
    CombineOptions, CoordinateSource, Duplicates, ScanError, ScanErrorKind, ScanOptions,
};
use chunkref_model::{Array, ChunkRef, Dataset, SourceId};
use chunkref_read::Open;
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};

use super::beside::{Beside, Chunk, Compared, same_values};
use super::decode::Chosen;
use super::inline::{self, Claimed, Written};
use super::placement::{Axes, Placement, last};
use super::{Check, Cube, Failure, values};

/// Scans sources again, those of the sampled chunks or all, and compares all references to them.
pub(super) async fn sources(
    cube: &Cube<'_>,
    reading: (&Stores, &AccessPolicy),
    objects: &dyn Open,
    sample: &[Chosen],
    all: bool,
    scanning: &ScanOptions,
) -> Vec<Check> {
    let options =
        cube.recorded.and_then(|made| CombineOptions::of_record(&made.provenance.options));
    let options = options.unwrap_or_default();
    let mut against = Against::new(cube, objects, sample, &options);
    if cube.recorded.is_none() {
        let note = "the set does not say how it was combined: whether chunks and coordinates are those of their places was not checked";
        against.chunks.notes.push(note.to_owned());
    }
    let axes = match Axes::of(cube.dataset, &options, objects).await {
        Ok(axes) => axes,
        Err(error) => {
            let reason = format!("the coordinates cannot be read: {}", causes(&error));
            against.chunks.fail(Failure { reason, ..Failure::default() });
            return against.checks();
        }
    };
    for path in &axes.partial {
        let reason = "it tells the places along a dimension, and has chunks without values";
        let (array, reason) = (Some(path.clone()), reason.to_owned());
        against.inline.fail(Failure { array, reason, ..Failure::default() });
    }
    let ids = (0..cube.dataset.sources().len()).filter_map(|id| u32::try_from(id).ok());
    let every: BTreeSet<SourceId> = if all { ids.map(SourceId).collect() } else { BTreeSet::new() };
    let sampled = sample.iter().map(|chosen| chosen.source);
    let wanted: BTreeSet<SourceId> =
        sampled.chain(every).filter(|source| !cube.unsound.contains(source)).collect();
    let mut references = references(cube, &wanted);
    let scanned = wanted.len();
    // Of inputs at one place the first or the last counts, so that is the one whose values are looked for first.
    let mut wanted: Vec<SourceId> = wanted.into_iter().collect();
    if options.duplicates == Duplicates::Last {
        wanted.reverse();
    }
    let mut taken: HashMap<(String, String), HashSet<u64>> = HashMap::new();
    for id in wanted {
        let url = cube.url(id);
        let (format, scan) = match scan(reading, &url, scanning).await {
            Ok(scanned) => scanned,
            Err(error) => {
                let reason = format!("it cannot be scanned again: {}", causes(&error));
                against.chunks.fail(Failure::of_source(url, reason));
                continue;
            }
        };
        let placement = match axes.place(&scan, &url, objects).await {
            Ok(placement) => placement,
            Err(error) => {
                let reason = format!("its coordinates cannot be read: {}", causes(&error));
                against.chunks.fail(Failure::of_source(url, reason));
                continue;
            }
        };
        if let Some((dimension, step)) = placement.lost() {
            let reason = format!("the cube has no place for step {step} of it along {dimension}");
            against.chunks.fail(Failure::of_source(url.clone(), reason));
        }
        for (axis, place) in placement.taken() {
            taken.entry(axis.clone()).or_default().insert(place);
        }
        let named = references.remove(&id).unwrap_or_default();
        let scanned = Scanned { id, url: &url, format, scan: &scan, placement: &placement };
        against.source(&scanned, named).await;
    }
    let options: Vec<_> =
        scanning.format_options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let with = if options.is_empty() {
        "with default options".to_owned()
    } else {
        format!("with {}", options.join(", "))
    };
    let notes = &mut against.chunks.notes;
    notes.push(format!("{scanned} sources were scanned again, {with}"));
    let vacant = if all { axes.vacant(&taken) } else { Vec::new() };
    if !vacant.is_empty() {
        notes.push(format!(
            "no source that the set names has {}: it may have been one without any stored chunk",
            vacant.join(", ")
        ));
    }
    if !axes.unknown.is_empty() {
        notes.push(format!(
            "places along these dimensions are not computed, and chunks of one source are held against each other only: {}",
            axes.unknown.join(", ")
        ));
    }
    against.checks()
}

/// A source as it is now.
struct Scanned<'a> {
    id: SourceId,
    url: &'a str,
    format: &'static str,
    scan: &'a Dataset,
    placement: &'a Placement,
}

/// A chunk of the cube: the number of its array, and its place in the grid.
type Cell = (usize, Vec<u64>);

/// The cube held against one source after another.
struct Against<'a> {
    cube: &'a Cube<'a>,
    objects: &'a dyn Open,
    sample: &'a [Chosen],
    options: &'a CombineOptions,
    chunks: Check,
    values: Check,
    inline: Check,
    claimed: Claimed,
    /// Cells by array that sources have, where one of several at one place counts.
    cells: HashMap<usize, HashSet<Vec<u64>>>,
    /// A field that several sources have may be that of any of them, if the right one has the same values.
    suspects: Vec<(Cell, Failure)>,
    confirmed: HashSet<Cell>,
    /// Arrays that their sources do not have under that name.
    elsewhere: BTreeSet<&'a str>,
}

impl<'a> Against<'a> {
    fn new(
        cube: &'a Cube<'a>,
        objects: &'a dyn Open,
        sample: &'a [Chosen],
        options: &'a CombineOptions,
    ) -> Self {
        let mut values = Check::new("values", "chunks");
        values::note(&mut values);
        let (claimed, cells, suspects, confirmed, elsewhere) = Default::default();
        Self {
            cube,
            objects,
            sample,
            options,
            chunks: Check::new("against-source", "chunks"),
            values,
            inline: Check::new("inline-values", "arrays"),
            claimed,
            cells,
            suspects,
            confirmed,
            elsewhere,
        }
    }

    /// Compares all arrays with those of one source. `named` are the chunks of the cube in it.
    async fn source(&mut self, source: &Scanned<'_>, mut named: BTreeMap<usize, Vec<Chunk>>) {
        let Scanned { id, url, format, scan, placement } = *source;
        let known = Known::of(scan);
        // Arrays that the source does not have, and whether it has others: then it is not scanned in another way.
        let (mut unknown, mut matched) = (Vec::new(), false);
        for (number, (path, array)) in self.cube.arrays.iter().enumerate() {
            let chunks = named.remove(&number).unwrap_or_default();
            let along = array.dimensions.iter().any(|name| placement.along(name, path).is_some());
            if chunks.is_empty() && !along && (!array.is_plain() || placement.is_empty()) {
                continue;
            }
            let own_path = Some(path).filter(|path| scan.array(path).is_some());
            // What the cube has where the source has it is no other array under another name.
            let is_elsewhere =
                |found: &&String| self.cube.arrays.iter().all(|(path, _)| path != *found);
            let own_path = own_path.or_else(|| known.by_name(path).filter(is_elsewhere));
            let Some((own_path, own)) = own_path.and_then(|path| Some((path, scan.array(path)?)))
            else {
                if !chunks.is_empty() {
                    unknown.push((path.as_str(), chunks));
                }
                continue;
            };
            matched = true;
            if array.is_plain() && self.is_elsewhere(path, array) {
                continue;
            }
            if array.is_plain() {
                let written = Written { number, path, array, scan, url, own_path, placement };
                let (claimed, check) = (&mut self.claimed, &mut self.inline);
                inline::compare(self.cube, self.objects, &written, self.options, claimed, check)
                    .await;
                continue;
            }
            // Without a chunk, how it would be read does not matter.
            let has_chunks = !chunks.is_empty() || own.manifest.present() > 0;
            if let Some(reason) = reads_otherwise(array, own).filter(|_| has_chunks) {
                let array = Some(path.clone());
                let url = Some(url.to_owned());
                self.chunks.fail(Failure { array, url, reason, ..Failure::default() });
                continue;
            }
            let repeated = array.dimensions.iter().any(|name| {
                !own.dimensions.contains(name) && steps(scan, name).is_some_and(|steps| steps > 1)
            });
            let beside = Beside { cube: self.cube, id, path, array, own, placement, repeated };
            let overlapping = self.options.duplicates != Duplicates::Error;
            // A place that the source has by all its axes is that of no other source.
            let exclusive = !overlapping
                && self.cube.recorded.is_some()
                && array.dimensions.len() == own.dimensions.len()
                && self.options.concat_dimensions.iter().all(|dimension| {
                    placement.along(&dimension.name, path).is_some()
                        && own.dimensions.contains(&dimension.name)
                });
            let claimed = overlapping.then(|| self.cells.entry(number).or_default());
            let Compared { usual, misplaced, others } =
                beside.compare(&chunks, claimed, &mut self.chunks);
            let misplaced = misplaced.into_iter();
            self.suspects.extend(misplaced.map(|(cell, failure)| ((number, cell), failure)));
            for (cell, place) in others {
                let (there, here) = (
                    (self.cube.dataset, path.as_str(), &*cell),
                    (scan, own_path.as_str(), &*place),
                );
                if same_values(there, here, self.objects).await {
                    self.confirmed.insert((number, cell));
                } else if exclusive {
                    let reason = format!(
                        "chunk {place:?} of a source belongs here, and the reference is to another source, with other values"
                    );
                    let failure = self.cube.failure(path, &cell, &ChunkRef::Missing, reason);
                    self.chunks.fail(Failure { url: Some(url.to_owned()), ..failure });
                }
            }
            if values::are_read(format) {
                let expected = beside.expected(usual.as_ref());
                let pair = Pair { source: id, number, format, own_path, own, expected };
                values::compare(self.cube, self.objects, self.sample, &pair, &mut self.values)
                    .await;
            }
        }
        for (path, chunks) in unknown {
            if !(matched && self.cube.recorded.is_some()) {
                self.elsewhere.insert(path);
                continue;
            }
            for (cell, offset, length) in chunks {
                let reference = ChunkRef::Virtual { source: id, offset, length };
                let reason = format!("the source has no array {}", last(path));
                self.chunks.fail(self.cube.failure(path, &cell, &reference, reason));
            }
        }
    }

    /// Whether an array has the coordinates along a dimension that do not come from the variable of that name: they have
    /// found the places of the source.
    fn is_elsewhere(&self, path: &str, array: &Array) -> bool {
        self.options.concat_dimensions.iter().any(|dimension| {
            let name = last(&dimension.name);
            let own = last(path) == name && array.dimensions == [name];
            let source = match &dimension.coordinates {
                CoordinateSource::Data(source) | CoordinateSource::Cf(source) => last(source),
                _ => "",
            };
            own && source != name
        })
    }

    fn checks(mut self) -> Vec<Check> {
        for (cell, failure) in self.suspects {
            if !self.confirmed.contains(&cell) {
                self.chunks.fail(failure);
            }
        }
        if !self.elsewhere.is_empty() {
            let names: Vec<_> = self.elsewhere.into_iter().take(5).collect();
            self.chunks.notes.push(format!(
                "arrays that their sources do not have under that name were not compared, such as {}",
                names.join(", ")
            ));
        }
        vec![self.chunks, self.values, self.inline]
    }
}

/// An array of the cube beside that of one source.
pub(super) struct Pair<'a> {
    pub(super) source: SourceId,
    /// The array of the cube.
    pub(super) number: usize,
    /// The format of the source.
    pub(super) format: &'static str,
    pub(super) own_path: &'a str,
    pub(super) own: &'a Array,
    /// The chunk of the source that belongs in each cell.
    pub(super) expected: HashMap<Vec<u64>, Vec<u64>>,
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

async fn scan(
    (stores, policy): (&Stores, &AccessPolicy),
    url: &str,
    options: &ScanOptions,
) -> Result<(&'static str, Dataset), ScanError> {
    let failed = |error| ScanError::from_source(error, None);
    let location = Location::parse(url).map_err(failed)?;
    // Chunks that the references hold by their places must not become inline ones here.
    let options = crate::options_within(stores, options).with_inline_threshold(0);
    let opening = OpenOptions::default().with_allowed_outside(&options.allow_outside);
    let opened = stores.open_within(policy, &location, &opening).await.map_err(failed)?;
    let registry = crate::registry()
        .map_err(|error| ScanError::new(ScanErrorKind::InvalidOption, url, error))?;
    let entry = crate::choose(&registry, &opened.source, &options).await?;
    Ok((entry.name, entry.scan(&opened.source, &options).await?.dataset))
}

/// The chunks of the cube by source and array.
fn references(
    cube: &Cube<'_>,
    wanted: &BTreeSet<SourceId>,
) -> BTreeMap<SourceId, BTreeMap<usize, Vec<Chunk>>> {
    let mut all: BTreeMap<SourceId, BTreeMap<usize, Vec<Chunk>>> = BTreeMap::new();
    for (number, (_, array)) in cube.arrays.iter().enumerate() {
        array.manifest.visit(&mut |chunk_indices, reference| {
            if let ChunkRef::Virtual { source, offset, length } = reference
                && wanted.contains(&source)
            {
                let chunks = all.entry(source).or_default().entry(number).or_default();
                chunks.push((chunk_indices.to_vec(), offset, length));
            }
        });
    }
    all
}

/// Where the chunks of a source are.
struct Known {
    /// Arrays by the last part of their path, where only one has it.
    names: HashMap<String, Option<String>>,
}

impl Known {
    fn of(scan: &Dataset) -> Self {
        let mut names: HashMap<String, Option<String>> = HashMap::new();
        for (path, _) in scan.arrays() {
            let name = last(&path).to_owned();
            names.entry(name).and_modify(|known| *known = None).or_insert(Some(path));
        }
        Self { names }
    }

    fn by_name(&self, path: &str) -> Option<&String> {
        self.names.get(last(path))?.as_ref()
    }
}

/// The length of a dimension in a source.
fn steps(scan: &Dataset, dimension: &str) -> Option<u64> {
    scan.arrays().into_iter().find_map(|(_, array)| {
        let axis = array.dimensions.iter().position(|name| name == dimension)?;
        array.shape.get(axis).copied()
    })
}
