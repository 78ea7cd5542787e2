// SPDX-License-Identifier: MIT OR Apache-2.0
//! How references came about, written and read.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use chunkref_model::provenance::{Contents, Provenance, read_provenance};
use chunkref_model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, Dataset, ManifestBuilder,
    ObjectVersion, Source,
};

use super::{WriteOptions, read, write};

#[test]
fn what_is_recorded_is_read_from_the_head_and_with_the_references() {
    let version = ObjectVersion {
        length: 5,
        e_tag: Some("\"a\"".to_owned()),
        last_modified: SystemTime::UNIX_EPOCH.checked_add(Duration::new(1_595_894_400, 7)),
    };
    let mut dataset = Dataset::new();
    let location = "s3://b/\"a\".nc".to_owned();
    dataset.add_source(Source { location: location.clone(), version: Some(version.clone()) });
    dataset.add_source(Source { location: "s3://b/unknown".to_owned(), version: None });
    let mut chunks = ManifestBuilder::new([3]).unwrap();
    chunks.push(&[0], ChunkRef::Inline(Bytes::from_static(b"ab"))).unwrap();
    chunks.push(&[2], ChunkRef::Inline(Bytes::from_static(b"c"))).unwrap();
    let array = Array {
        shape: vec![6],
        dimensions: vec!["x".to_owned()],
        dtype: DataType::UInt { length: 1, order: ByteOrder::Little },
        fill_value: None,
        chunk_grid: ChunkGrid::regular([2]),
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest: chunks.finish().unwrap(),
    };
    dataset.root.arrays.insert("v".to_owned(), array);
    let provenance = Provenance {
        version: "1.2.3".to_owned(),
        options: "inline-threshold=500".to_owned(),
        skipped: BTreeMap::from([("array".to_owned(), 2), ("link".to_owned(), 1)]),
        left_out: vec!["file:///data/broken.nc".to_owned()],
    };
    assert_eq!(provenance.skipped_count(), 3);
    assert!(provenance.is_complete());
    let options = WriteOptions { provenance: Some(provenance.clone()), ..WriteOptions::default() };
    let mut document = Vec::new();
    write(&dataset, &options, &mut document).unwrap();
    let place = document.windows(6).position(|window| window == b"\"refs\"").unwrap();
    for length in [place, document.len()] {
        let recorded = read_provenance(&document[..length]).unwrap();
        assert_eq!(recorded.provenance, provenance);
        assert_eq!(recorded.version(&location), Some(&version));
        assert_eq!(recorded.sources().len(), 1);
        assert_eq!(
            recorded.contents("v"),
            Some(Contents::of(&dataset.array("v").unwrap().manifest))
        );
        assert_eq!(recorded.contents("v").unwrap().references, 2);
        assert_eq!(recorded.contents("w"), None);
    }
    read(document.as_slice()).unwrap();

    dataset.separate = true;
    dataset.group_mut("0");
    dataset.group_mut("1");
    let mut list = Vec::new();
    write(&dataset, &options, &mut list).unwrap();
    assert_eq!(read_provenance(list.as_slice()).unwrap().version(&location), Some(&version));
    assert_eq!(String::from_utf8(list).unwrap().matches("\"chunkref\"").count(), 1);
}
