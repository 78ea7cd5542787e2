// SPDX-License-Identifier: MIT OR Apache-2.0
//! Datasets written and read back.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use chunkref_core::atomic::AtomicError;
use chunkref_core::{EmitOptions, Emitter};
use chunkref_model::provenance::Provenance;
use chunkref_model::{
    Array, AttributeValue, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset,
    FillValue, ManifestBuilder, ObjectVersion, Source, SourceId, WHOLE_OBJECT,
};
use futures::executor::block_on;

use crate::{BRANCH, IcechunkEmitter, IcechunkError, IcechunkReferences, MESSAGE};

fn source(name: &str) -> Source {
    let version = ObjectVersion {
        length: 5000,
        e_tag: None,
        last_modified: UNIX_EPOCH.checked_add(Duration::from_millis(1_700_000_000_500)),
    };
    Source { location: format!("file:///data/odd name%/{name}.nc"), version: Some(version) }
}

fn array(shape: &[u64], chunk: u64, references: &[(u64, ChunkRef)]) -> Array {
    let chunk_grid = ChunkGrid::regular(vec![chunk; shape.len()]);
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(shape)).unwrap();
    for (number, reference) in references {
        let place = if shape.is_empty() { vec![] } else { vec![*number] };
        manifest.push(&place, reference.clone()).unwrap();
    }
    Array {
        shape: shape.to_vec(),
        dimensions: (0..shape.len()).map(|axis| format!("d{axis}")).collect(),
        dtype: DataType::Float { length: 4, order: ByteOrder::Big },
        fill_value: Some(FillValue::Float(-999.0)),
        chunk_grid,
        codecs: vec![
            Codec::new("shuffle").with("elementsize", 4),
            Codec::new("zlib").with("level", 4),
        ],
        attributes: [("units".to_owned(), AttributeValue::from("K"))].into_iter().collect(),
        manifest: manifest.finish().unwrap(),
    }
}

fn at(source: u32, offset: u64) -> ChunkRef {
    ChunkRef::Virtual { source: SourceId(source), offset, length: 100 }
}

/// Virtual, inline (in the manifest and in a file of its own), missing; groups; a scalar.
fn dataset(steps: u64) -> Dataset {
    let mut dataset = Dataset::new();
    for step in 0..steps {
        dataset.add_source(source(&step.to_string()));
    }
    let places: Vec<_> = (0..steps)
        .map(|step| (step, at(u32::try_from(step).unwrap(), step.saturating_add(1))))
        .collect();
    let inline = ChunkRef::Inline(vec![7; 40].into());
    let long = ChunkRef::Inline(vec![8; 4000].into());
    dataset.root.arrays.insert("a".to_owned(), array(&[steps.saturating_mul(2)], 2, &places));
    dataset.root.arrays.insert("s".to_owned(), array(&[], 1, &[(0, at(0, 9))]));
    let group = dataset.group_mut("g/h");
    group.arrays.insert("b".to_owned(), array(&[10], 2, &[(1, inline), (3, long)]));
    let attributes: Attributes =
        [("title".to_owned(), AttributeValue::from("é"))].into_iter().collect();
    group.attributes = attributes;
    dataset.define_dimensions();
    dataset
}

fn provenance() -> Provenance {
    let skipped = [("array".to_owned(), 3)].into();
    Provenance {
        version: "1".to_owned(),
        options: "some".to_owned(),
        skipped,
        left_out: Vec::new(),
    }
}

fn options() -> EmitOptions {
    EmitOptions::default().with_provenance(provenance())
}

fn emit(dataset: &Dataset, to: &Path, options: &EmitOptions) -> Result<u64, IcechunkError> {
    match IcechunkEmitter::default().emit(dataset, to, options) {
        Ok(emitted) => Ok(emitted.references),
        Err(error) => Err(*error.source.downcast::<IcechunkError>().unwrap()),
    }
}

fn read(from: &Path, version: Option<&str>) -> (IcechunkReferences, Dataset) {
    let references = block_on(IcechunkReferences::open(from, version)).unwrap();
    let dataset = block_on(references.read(&|_| true)).unwrap();
    (references, dataset)
}

fn assert_same(found: &Dataset, wanted: &Dataset) {
    assert_eq!(found.root, wanted.root);
    assert_eq!(found.sources(), wanted.sources());
}

#[test]
fn a_new_repository_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    assert_eq!(emit(&dataset(3), &to, &options()).unwrap(), 6);
    let (references, found) = read(&to, None);
    assert_same(&found, &dataset(3));
    assert_eq!(references.spec_version(), 1);
    assert_eq!(references.recorded().unwrap().provenance, provenance());
    let nothing = block_on(references.read(&|_| false)).unwrap();
    assert_eq!(nothing.array("a").unwrap().manifest.present(), 0);
    // Nothing beside the repository is left.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_commit_writes_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    emit(&dataset(3), &to, &options()).unwrap();
    let files = |name: &str| std::fs::read_dir(to.join(name)).unwrap().count();
    let (first, _) = read(&to, None);
    let (manifests, chunks, snapshots) = (files("manifests"), files("chunks"), files("snapshots"));
    // The same again is no commit.
    emit(&dataset(3), &to, &options()).unwrap();
    assert_eq!(files("snapshots"), snapshots);
    emit(&dataset(5), &to, &options()).unwrap();
    let (second, found) = read(&to, None);
    assert_same(&found, &dataset(5));
    // One manifest for the array that grew, none for the others, and no chunk.
    assert_eq!((files("manifests"), files("chunks")), (manifests + 1, chunks));
    // The old commit is as it was.
    assert_same(&read(&to, Some(&first.snapshot())).1, &dataset(3));
    assert_ne!(first.snapshot(), second.snapshot());

    let mut other = dataset(2);
    other.root.groups.clear();
    other.root.arrays.insert("g".to_owned(), array(&[4], 2, &[(0, at(1, 5))]));
    other.root.arrays.insert("a".to_owned(), array(&[4], 2, &[(1, at(0, 6))]));
    other.define_dimensions();
    emit(&other, &to, &options()).unwrap();
    let (_, found) = read(&to, None);
    assert_same(&found, &other);
}

#[test]
fn many_references_are_several_commits_that_are_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    let few = IcechunkEmitter::default().with_commit_references(2);
    let options =
        options().with_format_option(BRANCH.name, "new").with_format_option(MESSAGE.name, "said");
    emit(&dataset(1), &to, &options).unwrap();
    for steps in [4, 6] {
        few.emit(&dataset(steps), &to, &options).unwrap();
        assert_same(&read(&to, Some("new")).1, &dataset(steps));
    }
    // main is where it was, and no branch of the work in between is left.
    assert_eq!(read(&to, None).1.root, chunkref_model::Group::default());
    let branches = std::fs::read_dir(to.join("refs")).unwrap();
    let mut branches: Vec<_> = branches.map(|entry| entry.unwrap().file_name()).collect();
    branches.sort();
    assert_eq!(branches, ["branch.main", "branch.new"]);
    // A branch that is not there begins where main is.
    let mut other = options.with_format_option(BRANCH.name, "other");
    other.format_options.remove(MESSAGE.name);
    few.emit(&dataset(3), &to, &other).unwrap();
    assert_same(&read(&to, Some("other")).1, &dataset(3));
}

#[test]
fn a_branch_that_moved_on_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    emit(&dataset(1), &to, &options()).unwrap();
    let (before, _) = read(&to, None);
    emit(&dataset(2), &to, &options()).unwrap();
    let late = emit(&dataset(3), &to, &options().with_parent(Some(before.snapshot())));
    assert!(matches!(late, Err(IcechunkError::Atomic(AtomicError::Changed(_)))), "{late:?}");
    assert_same(&read(&to, None).1, &dataset(2));
}

/// Folders have no conditional writes, by which the library would notice it.
#[test]
fn of_commits_at_the_same_time_from_one_parent_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    emit(&dataset(1), &to, &options()).unwrap();
    let parent = read(&to, None).0.snapshot();
    let commit = |number: u64| match emit(
        &dataset(number),
        &to,
        &options().with_parent(Some(parent.clone())),
    ) {
        Ok(_) => Some(number),
        Err(IcechunkError::Atomic(AtomicError::Changed(_))) => None,
        Err(error) => panic!("{error}"),
    };
    let succeeded: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (2..6).map(|number| scope.spawn(move || commit(number))).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    let [number] = succeeded[..] else { panic!("{succeeded:?}") };
    assert_same(&read(&to, None).1, &dataset(number));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no lock is left");
}

#[test]
fn what_cannot_be_said_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.icechunk");
    let with = |reference: ChunkRef, location: &str, length: Option<u64>| {
        let mut dataset = Dataset::new();
        let version = length.map(|length| ObjectVersion { length, ..ObjectVersion::default() });
        dataset.add_source(Source { location: location.to_owned(), version });
        dataset.root.arrays.insert("x".to_owned(), array(&[2], 2, &[(0, reference)]));
        dataset
    };
    let whole = ChunkRef::Virtual { source: SourceId(0), offset: 0, length: WHOLE_OBJECT };
    let empty = ChunkRef::Virtual { source: SourceId(0), offset: 7, length: 0 };
    let mut separate = dataset(1);
    separate.separate = true;
    let mut huge = dataset(1);
    huge.root.arrays.insert("x".to_owned(), array(&[1 << 40], 1, &[]));
    let mut odd = dataset(1);
    odd.root.groups.insert("..".to_owned(), chunkref_model::Group::default());
    let mut delta = dataset(1);
    let mut late = array(&[2], 2, &[]);
    late.codecs.push(Codec::new("delta"));
    delta.root.arrays.insert("x".to_owned(), late);
    for (dataset, words) in [
        (with(whole.clone(), "s3://b/k", None), "whose length is not known"),
        (with(empty, "s3://b/k", None), "has 0 bytes"),
        (with(ChunkRef::Inline(bytes::Bytes::new()), "s3://b/k", None), "has 0 bytes"),
        (with(at(0, 1), "memory://b/k", None), "no container"),
        (with(at(0, 1), "https://host/k?token=1", None), "query"),
        (with(at(0, 1), "file:///k.nc", None), "in no folder"),
        (with(at(0, 1), "az://box/k", None), "account"),
        (separate, "a list of datasets"),
        (huge, "32 bits"),
        (odd, "cannot be a path"),
        (delta, "\"x\""),
    ] {
        let error = emit(&dataset, &to, &options()).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{words}");
    }
    let known = with(whole, "s3://b/k", Some(70));
    emit(&known, &to, &options()).unwrap();
    let found = read(&to, None).1.array("x").unwrap().manifest.get(&[0]);
    assert_eq!(found, ChunkRef::Virtual { source: SourceId(0), offset: 0, length: 70 });
}

#[test]
fn only_repositories_are_written_to_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("notes.txt"), b"mine").unwrap();
    let occupied = emit(&dataset(1), &other, &options()).unwrap_err().to_string();
    assert!(occupied.contains("holds notes.txt"), "{occupied}");
    let absent = block_on(IcechunkReferences::open(&other, None));
    assert!(matches!(absent, Err(IcechunkError::NoRepository(_))));
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    emit(&dataset(1), &empty, &options()).unwrap();
    for version in ["none", "388BP6C55DJ4MW9H2N10", "../main"] {
        let none = block_on(IcechunkReferences::open(&empty, Some(version)));
        assert!(matches!(none, Err(IcechunkError::NoVersion(_))), "{version}: {none:?}");
    }
    // A damaged repository is an error that says what the library found.
    for entry in std::fs::read_dir(empty.join("manifests")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"damaged").unwrap();
    }
    let references = block_on(IcechunkReferences::open(&empty, None)).unwrap();
    let read = block_on(references.read(&|_| true));
    assert!(matches!(read, Err(IcechunkError::Library { .. })), "{read:?}");
}

#[test]
fn the_format_keeps_its_contract() {
    use chunkref_testkit::scenes::{chunk_kinds, unsayable};
    let samples = [chunk_kinds(1).unwrap(), chunk_kinds(3).unwrap()];
    let unsayable = unsayable(chunk_kinds(1).unwrap());
    chunkref_testkit::conformance::reference_format(&crate::ENTRY, &samples, &unsayable).unwrap();
}
