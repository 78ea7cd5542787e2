// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written is read again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chunkref_core::{EmitOptions, Emitter, Limits};
use chunkref_model::provenance::Provenance;
use chunkref_model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, Dataset, ManifestBuilder,
    ObjectVersion, Source, WHOLE_OBJECT,
};
use chunkref_testkit::conformance;
use futures::executor::block_on;

use crate::{LocalFiles, ParquetEmitter, ParquetError, ParquetReferences, RECORD_SIZE_OPTION};

/// A Parquet file with other columns than those of references, or a device, in the place of a partition.
#[test]
fn what_is_no_partition_is_an_error_that_names_it() {
    use parquet::data_type::Int64Type;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parq");
    let mut dataset = Dataset::new();
    let source = dataset.add_source(Source { location: "file:///a".to_owned(), version: None });
    let reference = ChunkRef::Virtual { source, offset: 1, length: 2 };
    dataset.root.arrays.insert("v".to_owned(), array(&[2], &[2], &[(vec![0], reference)]));
    ParquetEmitter::default().emit(&dataset, &path, &EmitOptions::default()).unwrap();
    let partition = path.join("v/refs.0.parq");
    let read = || {
        let references =
            block_on(ParquetReferences::open(LocalFiles::new(&path), &Limits::default()));
        let read = block_on(references.unwrap().read(&|_| true)).map(drop);
        let error = read.unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };

    let schema =
        parse_message_type("message m { required int64 x; required int64 path; }").unwrap();
    let mut file = Vec::new();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        column.typed::<Int64Type>().write_batch(&[1], None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    fs::write(&partition, file).unwrap();
    let error = read();
    assert!(error.contains("v/refs.0.parq") && error.contains("it has x, path"), "{error}");

    fs::write(&partition, b"PAR1 and so on, but nothing of Parquet").unwrap();
    assert!(read().contains("begin and end"), "{}", read());
    #[cfg(unix)]
    {
        fs::remove_file(&partition).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &partition).unwrap();
        assert!(read().contains("regular file"), "{}", read());
    }
}

fn array(shape: &[u64], chunk_shape: &[u64], references: &[(Vec<u64>, ChunkRef)]) -> Array {
    let chunk_grid = ChunkGrid::regular(chunk_shape);
    let mut manifest = ManifestBuilder::new(chunk_grid.grid_shape(shape)).unwrap();
    for (chunk_indices, reference) in references {
        manifest.push(chunk_indices, reference.clone()).unwrap();
    }
    Array {
        shape: shape.to_vec(),
        dimensions: (0..shape.len()).map(|axis| format!("x{axis}")).collect(),
        dtype: DataType::UInt { length: 2, order: ByteOrder::Little },
        fill_value: None,
        chunk_grid,
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest: manifest.finish().unwrap(),
    }
}

fn inline(bytes: &'static [u8]) -> ChunkRef {
    ChunkRef::Inline(Bytes::from_static(bytes))
}

/// Arrays of every kind of partition: paths alone, raw alone, both, missing ones among them, none, and a scalar.
fn dataset() -> Dataset {
    let mut dataset = Dataset::new();
    let version = ObjectVersion {
        length: 1000,
        e_tag: Some("\"abc\"".to_owned()),
        last_modified: SystemTime::UNIX_EPOCH.checked_add(Duration::from_hours(443_304)),
    };
    let a =
        dataset.add_source(Source { location: "s3://b/a.nc".to_owned(), version: Some(version) });
    let b = dataset.add_source(Source { location: "s3://b/b.nc".to_owned(), version: None });
    let at = |source, offset, length| ChunkRef::Virtual { source, offset, length };
    let full: Vec<_> =
        (0..7_u64).map(|n| (vec![n], at(if n % 2 == 0 { a } else { b }, n.pow(3), 4))).collect();
    let group = dataset.group_mut("g/h");
    group.arrays.insert("paths".to_owned(), array(&[14], &[2], &full));
    let mixed = [
        (vec![0, 0], at(a, 5, 8)),
        (vec![1, 1], inline(b"\0\x01\x02\x03")),
        (vec![3, 1], at(b, 0, WHOLE_OBJECT)),
    ];
    dataset.root.arrays.insert("mixed".to_owned(), array(&[8, 4], &[2, 2], &mixed));
    let raws = [(vec![0], inline(b"ab")), (vec![1], inline(b"cd")), (vec![3], inline(b"ef"))];
    dataset.root.arrays.insert("raws".to_owned(), array(&[4], &[1], &raws));
    dataset
        .root
        .arrays
        .insert("scalar".to_owned(), array(&[], &[], &[(vec![], inline(b"\x07\0"))]));
    dataset.root.arrays.insert("none".to_owned(), array(&[1 << 60], &[1], &[]));
    dataset.root.arrays.insert("empty".to_owned(), array(&[0], &[1], &[]));
    dataset
}

fn emit(dataset: &Dataset, record_size: u64, folder: &Path) {
    let provenance = Provenance {
        version: "1".to_owned(),
        options: "\"record_size\":5".to_owned(),
        skipped: BTreeMap::new(),
        left_out: Vec::new(),
    };
    ParquetEmitter::default()
        .emit(
            dataset,
            folder,
            &EmitOptions::default()
                .with_format_option(RECORD_SIZE_OPTION.name, record_size.to_string())
                .with_provenance(provenance),
        )
        .unwrap();
}

/// Chunks with their locations, and what describes each array.
fn said(dataset: &Dataset) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, array) in dataset.arrays() {
        lines.push(format!("{path} {:?} {:?} {:?}", array.shape, array.dtype, array.dimensions));
        array.manifest.visit(&mut |chunk_indices, reference| {
            let source = match reference {
                ChunkRef::Virtual { source, .. } => dataset.source(source),
                _ => None,
            };
            let reference = match reference {
                ChunkRef::Virtual { offset, length, .. } => format!("{offset}+{length}"),
                other => format!("{other:?}"),
            };
            lines.push(format!("{path} {chunk_indices:?} {reference} {source:?}"));
        });
    }
    lines
}

#[test]
fn it_is_read_as_it_was_written_whatever_the_size_of_partitions() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    for record_size in [1, 2, 3, 100_000] {
        let path = folder.path().join("refs.parq");
        emit(&dataset, record_size, &path);
        let references =
            block_on(ParquetReferences::open(LocalFiles::new(&path), &Limits::default())).unwrap();
        assert_eq!(references.record_size(), record_size);
        let read = block_on(references.read(&|_| true)).unwrap();
        assert_eq!(said(&read), said(&dataset));
        for (path, array) in dataset.arrays() {
            array.manifest.visit(&mut |chunk_indices, wanted| {
                let (found, source) = block_on(references.chunk(&path, chunk_indices)).unwrap();
                match (found, wanted) {
                    (
                        ChunkRef::Virtual { offset, length, .. },
                        ChunkRef::Virtual { source: id, offset: at, length: long },
                    ) => {
                        assert_eq!((offset, length), (at, long));
                        assert_eq!(source.as_ref(), dataset.source(id));
                    }
                    (found, wanted) => assert_eq!(found, wanted),
                }
            });
        }
        let missing = block_on(references.chunk("mixed", &[0, 1])).unwrap();
        assert_eq!(missing, (ChunkRef::Missing, None));
    }
}

#[test]
fn only_wanted_arrays_and_partitions_are_read() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let path = folder.path().join("refs.parq");
    emit(&dataset, 2, &path);
    fs::write(path.join("mixed/refs.0.parq"), b"no parquet").unwrap();
    fs::remove_file(path.join("g/h/paths/refs.1.parq")).unwrap();
    let references =
        block_on(ParquetReferences::open(LocalFiles::new(&path), &Limits::default())).unwrap();
    let read = block_on(references.read(&|path| path != "mixed")).unwrap();
    assert_eq!(read.array("mixed").unwrap().manifest.present(), 0);
    assert_eq!(read.array("g/h/paths").unwrap().manifest.present(), 5);
    assert!(block_on(references.chunk("mixed", &[3, 1])).is_ok());
    let error = block_on(references.read(&|_| true)).unwrap_err();
    assert!(error.to_string().contains("mixed/refs.0.parq"), "{error}");
    assert!(matches!(
        block_on(references.chunk("nothing", &[])),
        Err(ParquetError::NoArray(path)) if path == "nothing"
    ));
}

#[test]
fn the_emitter_keeps_its_contract() {
    let mut unsayable = dataset();
    if let Some(array) = unsayable.root.arrays.get_mut("raws") {
        array.dtype = DataType::Float { length: 16, order: ByteOrder::Little };
    }
    let mut far = dataset();
    let source = far.add_source(Source { location: "s3://b/far".to_owned(), version: None });
    let reference = ChunkRef::Virtual { source, offset: u64::MAX - 20, length: 8 };
    far.root.arrays.insert("far".to_owned(), array(&[1], &[1], &[(vec![0], reference)]));
    let samples = [dataset(), Dataset::new()];
    for unsayable in [unsayable, far] {
        conformance::emitter(&ParquetEmitter::default(), &samples, &unsayable).unwrap();
    }
}

/// Appending makes new partitions and leaves those before them alone.
#[test]
#[cfg(unix)]
fn partitions_that_do_not_change_stay_the_files_that_they_are() {
    use std::os::unix::fs::MetadataExt;
    let (folder, mut dataset) = (tempfile::tempdir().unwrap(), dataset());
    let path = folder.path().join("refs.parq");
    let file = |name: &str| {
        let metadata = fs::metadata(path.join(name)).unwrap();
        (metadata.ino(), fs::read(path.join(name)).unwrap())
    };
    emit(&dataset, 2, &path);
    let before = [file("g/h/paths/refs.0.parq"), file("raws/refs.0.parq")];
    let last = fs::metadata(path.join("g/h/paths/refs.3.parq")).unwrap().ino();
    let source = dataset.sources()[0].clone();
    let source = dataset.add_source(source);
    let longer: Vec<_> = (0..9_u64)
        .map(|n| (vec![n], ChunkRef::Virtual { source, offset: n.pow(3), length: 4 }))
        .collect();
    let mut paths = dataset.group("g/h").unwrap().arrays["paths"].clone();
    let mut manifest = ManifestBuilder::new([9]).unwrap();
    for (place, reference) in longer {
        let known = paths.manifest.get(&place);
        let reference = if known == ChunkRef::Missing { reference } else { known };
        manifest.push(&place, reference).unwrap();
    }
    (paths.shape, paths.manifest) = (vec![18], manifest.finish().unwrap());
    dataset.group_mut("g/h").arrays.insert("paths".to_owned(), paths);
    emit(&dataset, 2, &path);
    assert_eq!([file("g/h/paths/refs.0.parq"), file("raws/refs.0.parq")], before);
    assert_ne!(fs::metadata(path.join("g/h/paths/refs.3.parq")).unwrap().ino(), last);
    assert!(path.join("g/h/paths/refs.4.parq").exists());
}

#[test]
fn a_folder_of_other_things_is_not_replaced() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), dataset());
    let emitter = ParquetEmitter::default();
    fs::write(folder.path().join("thesis.txt"), b"years").unwrap();
    let error = emitter.emit(&dataset, folder.path(), &EmitOptions::default()).unwrap_err();
    assert!(error.source.to_string().contains("holds thesis.txt"), "{}", error.source);
    assert_eq!(fs::read(folder.path().join("thesis.txt")).unwrap(), b"years");
    let file = folder.path().join("thesis.txt");
    assert!(emitter.emit(&dataset, &file, &EmitOptions::default()).is_err());
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    emitter.emit(&dataset, &empty, &EmitOptions::default()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    let zero = EmitOptions::default().with_format_option(RECORD_SIZE_OPTION.name, "0");
    assert!(emitter.emit(&dataset, &empty, &zero).is_err());
}

#[test]
fn the_format_keeps_its_contract() {
    use chunkref_testkit::scenes::{chunk_kinds, unsayable};
    let samples = [chunk_kinds(1).unwrap(), chunk_kinds(3).unwrap()];
    let unsayable = unsayable(chunk_kinds(1).unwrap());
    conformance::reference_format(&crate::ENTRY, &samples, &unsayable).unwrap();
}
