// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs to begin with: fixtures, and sets that are made of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chunkref_core::model::Dataset;
use chunkref_core::{EmitOptions, Emitter, ScanOptions};

use crate::skeleton::BODY;
use crate::{check, formats};

/// Makes the inputs of a target, of the folder of fixtures.
pub type Seeds = fn(&Path) -> Vec<Vec<u8>>;

/// Larger fixtures add time and no structure.
const MOST_BYTES: u64 = 64 * 1024;
/// Sets that are made of fixtures, of each format.
const SETS: usize = 12;

/// Nothing: the target is found by structure alone.
#[must_use]
pub fn none(_fixtures: &Path) -> Vec<Vec<u8>> {
    vec![(0..=255).collect()]
}

/// Files of HDF5 and NetCDF-4.
#[must_use]
pub fn hdf5(fixtures: &Path) -> Vec<Vec<u8>> {
    [small(fixtures, "hdf5", "h5"), small(fixtures, "netcdf4", "nc")].concat()
}

/// Files of NetCDF classic.
#[must_use]
pub fn netcdf3(fixtures: &Path) -> Vec<Vec<u8>> {
    small(fixtures, "netcdf3", "nc")
}

/// Files of GRIB.
#[must_use]
pub fn grib(fixtures: &Path) -> Vec<Vec<u8>> {
    small(fixtures, "grib2", "grib2")
}

/// Header messages as [`skeleton::message`](crate::skeleton::message) takes them.
#[must_use]
pub fn message(_fixtures: &Path) -> Vec<Vec<u8>> {
    let compound =
        [&[0x16, 1, 0, 0, 8, 0, 0, 0][..], &[b'a', 0, 0, 0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0]]
            .concat();
    let mut seeds = vec![vec![15], vec![7, 255]];
    for (kind, body) in [
        (3_u8, compound),
        (3, vec![0x1a, 0, 0, 0, 8, 0, 0, 0, 1, 2, 0, 0, 0, 0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0]),
        (5, vec![3, 0x2a, 4, 0, 0, 0, 1, 2, 3, 4]),
        (6, vec![1, 8, 1, 1, b's', 2, 0, b'/', b'd']),
        (6, [&[1, 8, 64, 1, b'e', 6, 0, 0][..], b"f\0/d\0"].concat()),
        (7, [&[1, 0, 0, 0, 1, 0, 1, 0][..], &BODY.to_le_bytes(), &[0; 24]].concat()),
        (11, vec![2, 1, 1, 0, 0, 0, 1, 0, 6, 0, 0, 0]),
        (
            12,
            vec![
                3, 0, 2, 0, 12, 0, 4, 0, 0, b'b', 0, 0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0, 2, 0,
                0, 0, 1, 0, 0, 0,
            ],
        ),
        (16, [BODY.to_le_bytes(), 64_u64.to_le_bytes()].concat()),
    ] {
        let mut seed = vec![15, kind, u8::try_from(body.len()).unwrap_or(u8::MAX)];
        seed.extend(body);
        seed.extend([255; 1]);
        seed.extend(b"OCHK");
        seeds.push(seed);
    }
    seeds
}

/// Structures of groups.
#[must_use]
pub fn group(_fixtures: &Path) -> Vec<Vec<u8>> {
    let old =
        [&b"TREE\0\0\x01\0"[..], &[255; 16], &[0; 8], &(BODY + 64).to_le_bytes(), &[8; 8]].concat();
    let node =
        [&b"SNOD\x01\0\x01\0"[..], &8_u64.to_le_bytes(), &256_u64.to_le_bytes(), &[0; 24]].concat();
    let heap = [
        &b"HEAP\0\0\0\0"[..],
        &32_u64.to_le_bytes(),
        &[255; 8],
        &(BODY + 232).to_le_bytes(),
        b"\0\0\0\0\0\0\0\0d\0",
    ]
    .concat();
    let mut first = vec![0, 200, 0];
    first.extend(&old);
    first.resize(3 + 64, 0);
    first.extend(node);
    first.resize(3 + 200, 0);
    first.extend(heap);
    first.resize(3 + 300, 0);
    vec![first, [&[1, 200, 0][..], &dense()].concat()]
}

/// Structures of heaps.
#[must_use]
pub fn heap(_fixtures: &Path) -> Vec<Vec<u8>> {
    let collection = [
        &b"GCOL\x01\0\0\0"[..],
        &4096_u64.to_le_bytes(),
        &[1, 0, 1, 0, 0, 0, 0, 0],
        &4_u64.to_le_bytes(),
        b"text\0\0\0\0",
    ]
    .concat();
    let reference = [&4_u32.to_le_bytes()[..], &(BODY + 32).to_le_bytes(), &[1, 0, 0, 0]].concat();
    let text = [&[1, 0, 0][..], &reference, &reference, &collection, &[0; 64]].concat();
    // A mapping: version, count, file, dataset, two selections of everything.
    let mapping = [
        &[0][..],
        &1_u64.to_le_bytes(),
        b".\0/d\0",
        &[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0; 4],
    ]
    .concat();
    let length = mapping.len() as u64;
    let held = [
        &[1][..],
        b"GCOL\x01\0\0\0",
        &4096_u64.to_le_bytes(),
        &[1, 0, 1, 0, 0, 0, 0, 0],
        &length.to_le_bytes(),
        &mapping,
        &[0; 64],
    ]
    .concat();
    vec![text, [&[0, 200, 0][..], &dense()].concat(), held]
}

/// A fractal heap and a version-2 B-tree 200 bytes behind it, with the fields that are checked.
fn dense() -> Vec<u8> {
    let mut heap = b"FRHP\0\x08\0\0\0\0\x10\0\0\0".to_vec();
    heap.extend(
        [0_u64, u64::MAX, 0, u64::MAX, 512, 512, 512, 1, 0, 0, 0, 0]
            .iter()
            .flat_map(|n| n.to_le_bytes()),
    );
    heap.extend(4_u16.to_le_bytes());
    heap.extend([512_u64, 65_536].iter().flat_map(|n| n.to_le_bytes()));
    heap.extend([32, 0, 1, 0]);
    heap.extend((BODY + 300).to_le_bytes());
    heap.extend([0, 0, 0, 0, 0, 0]);
    heap.resize(200, 0);
    heap.extend(b"BTHD\0\x08\0\x02\0\0\x11\0\0\0d(");
    heap.extend((BODY + 260).to_le_bytes());
    heap.extend([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    heap.resize(260, 0);
    heap.extend(b"BTLF\0\x08");
    heap.resize(300, 0);
    heap.extend(b"FHDB\0");
    heap.resize(812, 0);
    heap
}

/// Chunk indexes of every kind.
#[must_use]
pub fn chunk_index(_fixtures: &Path) -> Vec<Vec<u8>> {
    let address = (BODY + 100).to_le_bytes();
    let bodies: [Vec<u8>; 6] = [
        [&b"TREE\x01\0\x01\0"[..], &[255; 16], &[64, 0, 0, 0], &[0; 28], &address, &[0; 28]]
            .concat(),
        vec![7; 64],
        vec![7; 256],
        [&b"FAHD\0\0\x08\x04"[..], &16_u64.to_le_bytes(), &address, &[0; 40], b"FADB\0\0"].concat(),
        [&b"EAHD\0\0\x08\x20\x04\x04\x10\x0a"[..], &[0; 48], &address, &[0; 40], b"EAIB\0\0"]
            .concat(),
        [
            &b"BTHD\0\x0a\0\x08\0\0\x18\0\0\0d("[..],
            &address,
            &[1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
            &[0; 70],
            b"BTLF\0\x0a",
        ]
        .concat(),
    ];
    let kinds = (0_u8..).zip(bodies);
    let seeds = kinds.flat_map(|(kind, body)| {
        [0, 1].map(|filtered| [&[kind, filtered, 16, 1][..], &body, &[0; 64]].concat())
    });
    seeds.collect()
}

/// Filters with client values and stored bytes, as [`skeleton::filters`](crate::skeleton::filters) takes them.
#[must_use]
pub fn filters(_fixtures: &Path) -> Vec<Vec<u8>> {
    (0..16)
        .map(|choice| {
            let mut seed = vec![choice];
            // Most client values are small numbers: lengths of elements, orders, ranks, lengths of axes.
            for value in [2_u16, 4, 4, 32, 0, 16, 16, 256, 1024, 1, 4, 2] {
                seed.extend(value.to_le_bytes());
            }
            seed.extend(zlib(&[7; 1024]));
            seed
        })
        .collect()
}

/// Stored chunks of codecs with a well-known library.
#[must_use]
pub fn codecs(_fixtures: &Path) -> Vec<Vec<u8>> {
    let plain: Vec<u8> =
        (0..960_u16).map(|n| u8::try_from(n / 7 % 50).unwrap_or_default()).collect();
    let stored = [plain.clone(), zlib(&plain), gzip(&plain), zstd(&plain)];
    let seeds = (0..16_u8).flat_map(|choice| {
        stored.iter().map(move |stored| [&[choice, 0xc0, 3, 2][..], stored].concat())
    });
    seeds.collect()
}

/// kerchunk JSON of scans, and what they do not write.
#[must_use]
pub fn kerchunk_json(fixtures: &Path) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for dataset in datasets(fixtures) {
        seeds.extend(
            [false, true].into_iter().filter_map(|templates| check::written(&dataset, templates)),
        );
    }
    for text in [
        r#"{".zgroup":"{\"zarr_format\":2}","a/.zarray":"{\"chunks\":[1],\"compressor\":null,\"dtype\":\"<i2\",\"fill_value\":0,\"filters\":null,\"order\":\"C\",\"shape\":[3],\"zarr_format\":2}","a/0":["s3://b/o",1,2],"a/1":["s3://b/o"],"a/2":"base64:AAA="}"#,
        r#"{"version":1,"templates":{"u":"s3://b/o","f":"{{c}}.nc"},"gen":[{"key":"a/{{i}}","url":"{{f(c=i)}}","offset":"{{i * 2}}","length":"2","dimensions":{"i":{"start":0,"stop":3}}}],"refs":{".zgroup":"{\"zarr_format\":2}","a/.zarray":"{\"chunks\":[1],\"compressor\":null,\"dtype\":\"<i2\",\"fill_value\":0,\"filters\":null,\"order\":\"C\",\"shape\":[3],\"zarr_format\":2}"}}"#,
    ] {
        seeds.push(text.as_bytes().to_vec());
    }
    seeds
}

/// The same, packed.
#[must_use]
pub fn kerchunk_packed(fixtures: &Path) -> Vec<Vec<u8>> {
    kerchunk_json(fixtures).iter().flat_map(|text| [gzip(text), zstd(text)]).collect()
}

/// Parquet sets of scans, as [`sets::parquet`](crate::sets::parquet) takes them.
#[must_use]
pub fn parquet(fixtures: &Path) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for dataset in datasets(fixtures) {
        let Ok(folder) = tempfile::tempdir() else { continue };
        let path = folder.path().join("set.parq");
        let emitter = chunkref_parquet::ParquetEmitter::default();
        if emitter.emit(&dataset, &path, &EmitOptions::default()).is_err() {
            continue;
        }
        let metadata = fs::read(path.join(chunkref_parquet::METADATA)).unwrap_or_default();
        for (name, _) in dataset.arrays() {
            let Ok(partition) = fs::read(path.join(&name).join("refs.0.parq")) else { continue };
            let length = u32::try_from(metadata.len()).unwrap_or_default().to_le_bytes();
            seeds.push([&length[..], &metadata, &partition].concat());
        }
    }
    seeds
}

/// The files of a repository, each behind its number.
#[cfg(feature = "icechunk")]
#[must_use]
pub fn icechunk(_fixtures: &Path) -> Vec<Vec<u8>> {
    let files = (0_u8..).zip(&crate::sets::repository::get().files);
    files.map(|(number, (_, content))| [&[number][..], content].concat()).collect()
}

/// What users write.
#[must_use]
pub fn words(_fixtures: &Path) -> Vec<Vec<u8>> {
    let texts: [(u8, &str); 12] = [
        (0, "file:///data/a%20b.nc"),
        (0, "https://user:secret@host:8443/a/../b.nc?x=1#y"),
        (0, "s3://bucket/key"),
        (1, "a/**/[a-z]?*.nc\nf10\nf2\nf02"),
        (
            2,
            "s3://bucket/key\nkey=a\nsecret=b\nendpoint_url=http://127.0.0.1:9\nclient_kwargs.region_name=eu",
        ),
        (2, "https://host/a\nheaders.Authorization=Bearer x\ntimeout=5"),
        (3, "machine a login b password c\ndefault login d password e\nmacdef init\n\n"),
        (4, "[default]\naws_access_key_id = a\naws_secret_access_key=b\n[profile c]\nregion = d"),
        (5, "g/a[-1, 1:9:2, ...]"),
        (5, "a[::3,0]"),
        (6, "scan a.nc -o b.json --storage-option key=value --inline-threshold 0"),
        (6, "combine a.json b.json --concat time -o c.parq"),
    ];
    texts.iter().map(|(choice, text)| [&[*choice][..], text.as_bytes()].concat()).collect()
}

/// Scans of some fixtures of every format.
fn datasets(fixtures: &Path) -> Vec<Dataset> {
    let mut datasets = Vec::new();
    let options = ScanOptions::default().with_limits(check::limits());
    for (entry, content) in [
        (&chunkref_hdf5::ENTRY, hdf5(fixtures)),
        (&chunkref_netcdf3::ENTRY, netcdf3(fixtures)),
        (&chunkref_grib2::ENTRY, grib(fixtures)),
    ] {
        let step = content.len().div_ceil(SETS).max(1);
        for content in content.into_iter().step_by(step) {
            let scan = formats::scan(entry, &content, &options);
            datasets.extend(scan.ok().map(|scan| scan.dataset));
        }
    }
    datasets
}

fn small(fixtures: &Path, folder: &str, ending: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(fixtures.join(folder));
    let mut paths: Vec<PathBuf> =
        entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        path.extension().is_some_and(|found| found == ending)
            && fs::metadata(path).is_ok_and(|metadata| metadata.len() <= MOST_BYTES)
    });
    paths.sort();
    paths.iter().filter_map(|path| fs::read(path).ok()).collect()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory takes it")
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 1).expect("memory takes it")
}
