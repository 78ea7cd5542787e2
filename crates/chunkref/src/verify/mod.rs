// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether references are right: in themselves, to their sources as they are now, and to what decodes.
//!
//! | module | holds |
//! |---|---|
//! | [`report`] | [`Report`]: what was checked, and what is wrong |
//! | `structure` | references inside their objects, no overlaps, nothing lost since they were written |
//! | `freshness` | sources that are still what they were |
//! | `decode` | chunks that are read and decoded |
//! | `against` | chunks held against a new scan of their sources |
//! | `beside` | one array of one source beside that of the cube |
//! | `placement` | where the steps of a source belong in the cube |
//! | `inline` | values in the references held against those of the sources |
//! | `values` | their values against what libhdf5 reads (feature `libhdf5`) |

mod against;
mod beside;
mod decode;
mod freshness;
mod inline;
mod placement;
pub mod report;
mod structure;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use chunkref_core::{ScanOptions, ScanRecord};
use chunkref_model::provenance::Recorded;
use chunkref_model::{Array, ChunkRef, Dataset, ObjectVersion, SourceId};
use chunkref_read::Bounds;
use chunkref_store::{AccessPolicy, Stores};

use crate::{References, ReferencesError, StoreObjects};

pub(crate) use freshness::difference;

pub use report::{Check, Failure, Report};

/// Which chunks are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// None.
    None,
    /// At most so many, spread over arrays and along each of them.
    Some(NonZeroUsize),
    /// All of them.
    All,
}

/// How to verify.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Which chunks are read and decoded. Inline chunks are decoded in any case.
    pub sample: Sample,
    /// Whether sources are looked at, to see that they are still what they were.
    pub freshness: bool,
    /// Whether chunks, and their places by the coordinates of their sources, are held against a new scan with these options:
    /// of the sources that sampled chunks lie in, or of all where all chunks are read.
    pub against_source: Option<ScanOptions>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        let sample = NonZeroUsize::new(64).map_or(Sample::All, Sample::Some);
        Self { sample, freshness: true, against_source: None }
    }
}

/// Verifies a reference set. Faults of the references and their sources are in the report, and so are objects that the set
/// may not name.
///
/// # Errors
/// [`ReferencesError`] when the references cannot be read at all.
pub async fn verify(
    stores: &Stores,
    references: References,
    options: &VerifyOptions,
) -> Result<Report, ReferencesError> {
    let policy = references.policy(stores)?;
    let recorded = references.recorded().cloned();
    let dataset = references.into_partial_dataset().await?;
    Ok(verify_dataset(stores, &policy, &dataset, recorded.as_ref(), options).await)
}

/// Verifies a dataset, which may name what `policy` says; `recorded` is what was said of its references when they were
/// written.
pub async fn verify_dataset(
    stores: &Stores,
    policy: &AccessPolicy,
    dataset: &Dataset,
    recorded: Option<&Recorded>,
    options: &VerifyOptions,
) -> Report {
    let mut cube = Cube::new(dataset, recorded);
    let mut report = cube.summary();
    if options.freshness {
        report.checks.push(freshness::check(&mut cube, stores, policy).await);
    }
    report.checks.push(structure::dimensions(&cube));
    report.checks.push(structure::inside(&cube));
    report.checks.push(structure::overlaps(&cube));
    report.checks.push(structure::complete(&cube));
    report.checks.extend(decode::colliding());
    report.checks.push(decode::inline(&cube, &Bounds::new(stores.limits(), stores.cancellation())));
    let sample = decode::sample(&cube, options.sample);
    let objects = StoreObjects::new(stores.clone(), policy.clone());
    report.checks.push(decode::chunks(&cube, &objects, &sample).await);
    if let Some(scanning) = &options.against_source {
        let (reading, all) = ((stores, policy), options.sample == Sample::All);
        // As the files were scanned when the set was made.
        let made = recorded.and_then(|made| ScanRecord::of_record(&made.provenance.options));
        let scanning = made.unwrap_or_default().complete(scanning.clone());
        let checks = against::sources(&cube, reading, &objects, &sample, all, &scanning).await;
        report.checks.extend(checks);
    } else if let Some(check) = report.checks.last_mut() {
        let note = "whether chunks are in the places of their coordinates was not checked: that takes a new scan of the sources";
        check.notes.push(note.to_owned());
    }
    report
}

/// What is verified.
struct Cube<'a> {
    dataset: &'a Dataset,
    arrays: Vec<(String, &'a Array)>,
    recorded: Option<&'a Recorded>,
    /// What sources are now, where they were looked at; those with a fault are left out.
    found: BTreeMap<SourceId, ObjectVersion>,
    /// Sources that are not what they were: what they hold says nothing of the references.
    unsound: BTreeSet<SourceId>,
}

impl<'a> Cube<'a> {
    fn new(dataset: &'a Dataset, recorded: Option<&'a Recorded>) -> Self {
        let (found, unsound) = Default::default();
        Self { dataset, arrays: dataset.arrays(), recorded, found, unsound }
    }

    /// The length of a source: as it is, or was.
    fn length(&self, source: SourceId) -> Option<u64> {
        let recorded = || self.dataset.source(source)?.version.as_ref();
        self.found.get(&source).or_else(recorded).map(|version| version.length)
    }

    fn url(&self, source: SourceId) -> String {
        self.dataset.source(source).map(|source| source.location.clone()).unwrap_or_default()
    }

    /// A fault of the chunk at `chunk_indices` of an array.
    fn failure(
        &self,
        path: &str,
        chunk_indices: &[u64],
        reference: &ChunkRef,
        reason: impl Into<String>,
    ) -> Failure {
        let (url, range) = match reference {
            ChunkRef::Virtual { source, offset, length } => {
                (Some(self.url(*source)), Some((*offset, *length)))
            }
            _ => (None, None),
        };
        Failure {
            array: Some(path.to_owned()),
            chunk: Some(chunk_indices.to_vec()),
            url,
            range,
            reason: reason.into(),
            allow: None,
        }
    }

    fn summary(&self) -> Report {
        let mut report = Report { arrays: self.arrays.len() as u64, ..Report::default() };
        for (_, array) in &self.arrays {
            let present = array.manifest.present();
            report.references = report.references.saturating_add(present);
            let chunks = array.manifest.count().unwrap_or(u64::MAX);
            report.missing = report.missing.saturating_add(chunks.saturating_sub(present));
            array.manifest.visit(&mut |_, reference| {
                if matches!(reference, ChunkRef::Inline(_)) {
                    report.inline = report.inline.saturating_add(1);
                }
            });
        }
        report.sources = self.dataset.sources().len() as u64;
        report
    }
}

/// Bytes of a decoded chunk, where elements have a length.
fn chunk_bytes(array: &Array) -> Option<u64> {
    let element = array.dtype.length_bytes()?;
    array
        .chunk_grid
        .chunk_shape()
        .iter()
        .try_fold(element, |bytes, &length| bytes.checked_mul(length))
}
