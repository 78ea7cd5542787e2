// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values that our own reader finds through references, and those that zarrs finds through our store, are those that
//! zarr-python finds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chunkref::emit::KerchunkJson;
use chunkref::model::{ByteOrder, DataType};
use chunkref::read::{ReadError, ReferenceStore, Values, ZarrVersion, read_region};
use chunkref::{AccessPolicy, Dataset, EmitOptions, Emitter, ScanOptions, StoreObjects};
use futures::executor::block_on;
use serde_json::{Value, json};
use zarrs::array::{ArrayBytes, ArraySubset};

use crate::environment::{chunkref, corpus, files, fixtures, python, said, script};

/// Most bytes of one array.
const LIMIT: u64 = 1 << 28;

/// What became of the arrays.
#[derive(Default)]
struct Tally {
    sums: BTreeMap<String, BTreeMap<String, u32>>,
    /// Codecs without a decoder here, by name.
    unknown: BTreeMap<String, u64>,
    zarrs_equal: u64,
    /// What zarrs cannot open, by its reason.
    zarrs_refused: BTreeMap<String, u64>,
    differences: Vec<String>,
}

impl Tally {
    fn read(&mut self, sources: &[PathBuf], folder: &Path) {
        for source in sources {
            let options = ScanOptions::default().with_inline_threshold(0);
            let Ok(scan) = block_on(chunkref::scan(source.to_str().unwrap(), &options)) else {
                continue;
            };
            // Several datasets are several documents, which readers open one at a time.
            if scan.dataset.separate {
                continue;
            }
            let json = folder.join(format!("{}.json", self.sums.len()));
            KerchunkJson.emit(&scan.dataset, &json, &EmitOptions::default()).unwrap();
            let sums = self.read_dataset(source, scan.dataset);
            self.sums.insert(json.to_str().unwrap().to_owned(), sums);
        }
    }

    fn read_dataset(&mut self, source: &Path, dataset: Dataset) -> BTreeMap<String, u32> {
        let objects = Arc::new(StoreObjects::new(chunkref::stores(), AccessPolicy::everything()));
        let dataset = Arc::new(dataset);
        let store = ReferenceStore::new(dataset.clone(), objects.clone(), ZarrVersion::V3);
        let store = match store {
            Ok(store) => Some(store.into_zarrs()),
            Err(ReadError::NoDocument { .. }) => None,
            Err(error) => panic!("{}: {error}", source.display()),
        };
        let mut sums = BTreeMap::new();
        for (path, array) in dataset.arrays() {
            let region: Vec<_> = array.shape.iter().map(|&length| 0..length).collect();
            let values = match block_on(read_region(&*dataset, &*objects, &path, &region, LIMIT)) {
                Ok(values) => values,
                Err(ReadError::UnknownCodec { codec, .. }) => {
                    *self.unknown.entry(codec).or_default() += 1;
                    continue;
                }
                Err(ReadError::TooLarge { .. }) => continue,
                Err(error) => panic!("{} {path}: {error}", source.display()),
            };
            if let (Some(store), Values::Fixed(bytes)) = (&store, &values) {
                self.compare_zarrs(source, store, &path, &array.dtype, bytes);
            }
            sums.insert(path, checksum(&values));
        }
        sums
    }

    fn compare_zarrs(
        &mut self,
        source: &Path,
        store: &Arc<ReferenceStore>,
        path: &str,
        dtype: &DataType,
        values: &[u8],
    ) {
        let mut refuse = |error: String| {
            let reason = error.split(['(', ':', '`', '"']).next().unwrap_or_default().to_owned();
            *self.zarrs_refused.entry(reason).or_default() += 1;
        };
        let array = match zarrs::array::Array::open(Arc::clone(store), &format!("/{path}")) {
            Ok(array) => array,
            Err(error) => return refuse(error.to_string()),
        };
        let all = ArraySubset::new_with_shape(array.shape().to_vec());
        let read = match array.retrieve_array_subset::<ArrayBytes<'_>>(&all) {
            Ok(read) => read,
            Err(error) => return refuse(error.to_string()),
        };
        let Ok(read) = read.into_fixed() else { return refuse("no fixed bytes".to_owned()) };
        if *read == native(dtype, values) {
            self.zarrs_equal += 1;
        } else {
            self.differences.push(format!("{} {path}: zarrs differs", source.display()));
        }
    }

    /// Lets zarr-python read the same, and returns what it says.
    fn compare_python(&self, folder: &Path) -> Value {
        let report = folder.join("report");
        fs::write(&report, json!(self.sums).to_string()).unwrap();
        let output =
            Command::new(python()).arg(script("reading_check.py")).arg(&report).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(verdict["differences"], json!([]), "{verdict:#}\n{}", said(&output));
        assert_eq!(self.differences, [""; 0]);
        println!(
            "{verdict}; zarrs: {} equal, refused {:?}; no decoder {:?}",
            self.zarrs_equal, self.zarrs_refused, self.unknown
        );
        verdict
    }
}

fn checksum(values: &Values) -> u32 {
    match values {
        Values::Fixed(bytes) => crc32fast::hash(bytes),
        Values::Variable(values) => {
            let mut sum = crc32fast::Hasher::new();
            for value in values {
                sum.update(value);
                sum.update(&[0]);
            }
            sum.finalize()
        }
    }
}

/// The values in the byte order of little-endian machines, which zarrs gives them.
fn native(dtype: &DataType, values: &[u8]) -> Vec<u8> {
    let (part, order) = match dtype {
        DataType::Int { length, order }
        | DataType::UInt { length, order }
        | DataType::Float { length, order } => (usize::from(*length), *order),
        DataType::Complex { length, order } => (usize::from(*length) / 2, *order),
        DataType::DateTime { order, .. } | DataType::TimeDelta { order, .. } => (8, *order),
        _ => (1, ByteOrder::Little),
    };
    let mut values = values.to_vec();
    if order == ByteOrder::Big {
        values.chunks_exact_mut(part).for_each(<[u8]>::reverse);
    }
    values
}

#[test]
fn fixtures_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    // HDF5 has hundreds; each of their kinds is in several versions of the format.
    for (kind, ending, step) in
        [("netcdf4", "nc", 1), ("netcdf3", "nc", 2), ("hdf5", "h5", 5), ("goes", "nc", 2)]
    {
        let files = files(&fixtures(kind), &[ending]).into_iter().step_by(step);
        tally.read(&files.collect::<Vec<_>>(), folder.path());
    }
    let verdict = tally.compare_python(folder.path());
    assert!(verdict["equal"].as_u64().unwrap() > 1500, "{verdict}");
    assert!(tally.zarrs_equal > 1300, "{}", tally.zarrs_equal);
    assert_eq!(tally.unknown, BTreeMap::new());
    let known = ["null_terminated_bytes", "raw_bytes", "structured"];
    let known = known.map(|name| format!("data type {name} is not supported"));
    let unexpected = tally.zarrs_refused.keys().find(|reason| !known.contains(reason));
    assert_eq!(unexpected, None, "zarrs opens all but some types");
}

#[test]
fn real_files_read_alike() {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for kind in ["netcdf4", "netcdf3", "hdf5"] {
        let Some(files) = corpus(kind) else { return println!("no real files on this machine") };
        let small = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() < 1 << 20);
        let some = files.into_iter().filter(small).step_by(3);
        tally.read(&some.collect::<Vec<_>>(), folder.path());
    }
    let verdict = tally.compare_python(folder.path());
    assert!(verdict["equal"].as_u64().unwrap() > 400, "{verdict}");
}

/// Fields of GRIB, unpacked here and by ecCodes. What cannot be unpacked says so.
fn fields_read_alike(sources: &[PathBuf]) -> (Value, BTreeMap<String, u64>) {
    let folder = tempfile::tempdir().unwrap();
    let objects = StoreObjects::new(chunkref::stores(), AccessPolicy::everything());
    let mut arrays: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    for source in sources {
        let Ok(scan) = block_on(chunkref::scan(source.to_str().unwrap(), &ScanOptions::default()))
        else {
            continue;
        };
        let json = folder.path().join(format!("{}.json", arrays.len()));
        KerchunkJson.emit(&scan.dataset, &json, &EmitOptions::default()).unwrap();
        let of_file = arrays.entry(json.to_str().unwrap().to_owned()).or_default();
        for (path, array) in scan.dataset.arrays() {
            if !array.codecs.iter().any(|codec| codec.name() == "grib") {
                continue;
            }
            let region: Vec<_> = array.shape.iter().map(|&length| 0..length.min(4)).collect();
            // Two axes are whole: a field is one chunk.
            let whole = region.len().saturating_sub(2);
            let region =
                region.iter().zip(&array.shape).enumerate().map(|(axis, (part, &length))| {
                    if axis < whole { part.clone() } else { 0..length }
                });
            let region: Vec<_> = region.collect();
            match block_on(read_region(&scan.dataset, &objects, &path, &region, LIMIT)) {
                Ok(Values::Fixed(bytes)) => {
                    let file = folder.path().join(format!(
                        "{}_{}",
                        of_file.len(),
                        json.display().to_string().replace('/', "_")
                    ));
                    fs::write(&file, bytes).unwrap();
                    of_file.insert(path, file.to_str().unwrap().to_owned());
                }
                Ok(Values::Variable(_)) => panic!("{path}"),
                Err(ReadError::Unsupported { reason, .. }) => {
                    *refused.entry(reason).or_default() += 1;
                }
                Err(ReadError::TooLarge { .. }) => {}
                Err(error) => panic!("{} {path}: {error}", source.display()),
            }
        }
    }
    let report = folder.path().join("report");
    fs::write(&report, json!(arrays).to_string()).unwrap();
    let output =
        Command::new(python()).arg(script("reading_grib.py")).arg(&report).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("{verdict}; not unpacked: {refused:#?}");
    assert_eq!(verdict["differences"], json!([]), "{verdict:#}");
    (verdict, refused)
}

#[test]
fn fields_of_fixtures_read_alike() {
    let (verdict, refused) = fields_read_alike(&files(&fixtures("grib2"), &["grib2"]));
    assert!(verdict["equal"].as_u64().unwrap() > 100, "{verdict}");
    let known = [
        "not computed here",
        "not unpacked here",
        "not in the message",
        "several fields",
        "jpeg2000",
    ];
    let unexpected =
        refused.keys().find(|reason| !known.iter().any(|known| reason.contains(known)));
    assert_eq!(unexpected, None);
}

#[test]
fn fields_of_real_files_read_alike() {
    let Some(files) = corpus("grib2") else { return println!("no real files on this machine") };
    let small = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() < 2 << 20);
    let (verdict, _) = fields_read_alike(&files.into_iter().filter(small).collect::<Vec<_>>());
    assert!(verdict["equal"].as_u64().unwrap() > 20, "{verdict}");
}

/// What the command line prints is what the library reads.
#[test]
fn cat_writes_what_numpy_reads() {
    let folder = tempfile::tempdir().unwrap();
    let source = files(&fixtures("goes"), &["nc"]).remove(0);
    let run = |arguments: &[&str]| {
        let line = ["cat", source.to_str().unwrap()];
        let ran = chunkref(line.iter().chain(arguments));
        assert!(ran.status.success(), "{}", said(&ran));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let out = folder.path().join("sst.npy");
    run(&["SST[-3:, ::2]", "-o", out.to_str().unwrap()]);
    let csv = run(&["SST[1, 2:4]", "--to", "csv"]);
    let code = "
import sys, netCDF4, numpy as np
source = netCDF4.Dataset(sys.argv[1]); source.set_auto_maskandscale(False)
whole = source['SST'][...]
part = np.load(sys.argv[2])
assert part.dtype == whole.dtype and np.array_equal(part, whole[-3:, ::2]), part
assert sys.argv[3].splitlines() == ['y,x,value', f'1,2,{whole[1, 2]}', f'1,3,{whole[1, 3]}'], sys.argv[3]
x = source['x'][...]
assert [int(word) for word in sys.argv[4].split()] == x[:5].tolist(), sys.argv[4]
";
    let text = run(&["x[:5]"]);
    let check = Command::new(python())
        .args(["-c", code])
        .args([source.as_path(), &out])
        .args([&csv, &text])
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", said(&check));
    let ran = chunkref(["cat", source.to_str().unwrap(), "SST[0", "-o", out.to_str().unwrap()]);
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
    let ran = chunkref(["cat", source.to_str().unwrap(), "sst"]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(said(&ran).contains("there is no array \"sst\"; there are DQF"), "{}", said(&ran));
}
