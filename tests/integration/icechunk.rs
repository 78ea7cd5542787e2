// SPDX-License-Identifier: MIT OR Apache-2.0
//! Icechunk repositories: read by the Python package and by zarrs as the sources' own libraries read them, read back,
//! appended to.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use icechunk::Repository;
use icechunk::repository::VersionInfo;
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayBytes};
use zarrs_icechunk::AsyncIcechunkStore;

use crate::environment::{chunkref, files, fixtures, python, said, script};

/// Fixtures of everything that references hold: codecs, scalars, missing and inline chunks, types, groups.
const FIXTURES: [(&str, &[&str]); 3] = [
    (
        "hdf5",
        &[
            "complex_numbers.latest.h5",
            "contiguous.latest.h5",
            "dataspaces.latest.h5",
            "deflate_and_shuffle.latest.h5",
            "extensible_holes.latest.h5",
            "external.latest.h5",
            "fill_values.latest.h5",
            "filter_masks.latest.h5",
            "library_filters.latest.h5",
            "numbers.latest.h5",
            "opaque.latest.h5",
            "strings.latest.h5",
            "szip_types.latest.h5",
            "unallocated.latest.h5",
            "variable_length.latest.h5",
        ],
    ),
    ("netcdf3", &["fill_values.cdf5.nc", "odd_records.cdf2.nc", "types.cdf5.nc"]),
    (
        "netcdf4",
        &[
            "coordinates.nc",
            "fill_values.nc",
            "filters.nc",
            "groups.nc",
            "never_written.nc",
            "packing.nc",
            "strings.nc",
        ],
    ),
];

fn sources() -> Vec<PathBuf> {
    FIXTURES
        .iter()
        .flat_map(|(kind, names)| names.iter().map(|name| fixtures(kind).join(name)))
        .collect()
}

#[track_caller]
fn run<T: AsRef<OsStr>>(arguments: impl IntoIterator<Item = T>) -> Output {
    let output = chunkref(arguments);
    assert!(output.status.success(), "{}", said(&output));
    output
}

#[track_caller]
fn convert(from: &Path, to: &Path) {
    run(["convert".as_ref(), "--quiet".as_ref(), from.as_os_str(), to.as_os_str()]);
}

#[track_caller]
fn scan(source: &Path, to: &Path, options: &[&str]) {
    let line = ["scan".as_ref(), "--quiet".as_ref(), source.as_os_str()];
    let to = ["-o".as_ref(), to.as_os_str()];
    run(line.into_iter().chain(to).chain(options.iter().map(AsRef::as_ref)));
}

/// What the Python package makes of repositories, given as lines for the script.
#[track_caller]
fn check(jobs: &[Value]) -> Value {
    let mut process = Command::new(python())
        .arg(script("icechunk_check.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    for job in jobs {
        writeln!(input, "{job}").unwrap();
    }
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn icechunk_reads_as_the_libraries_of_the_sources_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut jobs = Vec::new();
    for (number, source) in sources().iter().enumerate() {
        let path = |ending: &str| folder.path().join(format!("{number}.{ending}"));
        // Every other one without inline chunks.
        let options: &[&str] = if number % 2 == 0 { &["--inline-threshold", "0"] } else { &[] };
        scan(source, &path("json"), options);
        convert(&path("json"), &path("icechunk"));
        let again = path("again.json");
        convert(&path("icechunk"), &again);
        // There, a fill value that is null and an attribute 0 become the fill value 0, which readers take for the same.
        let stable = source.ends_with("fill_values.nc");
        let same = fs::read(&again).unwrap() == fs::read(path("json")).unwrap();
        assert!(same || stable, "{}: conversion there and back", source.display());
        jobs.push(
            json!({ "source": source, "json": path("json"), "repository": path("icechunk") }),
        );
    }
    let report = check(&jobs);
    assert_eq!(report["differences"], json!([]), "{report:#}");
    let at_least = |name: &str, least: u64| {
        assert!(report[name].as_u64().unwrap() >= least, "{name}: {report:#}");
    };
    at_least("equal", 260);
    at_least("of_source", 220);
    at_least("absent", 100);
    at_least("for_xarray", 22);
    assert_eq!(report["undecodable"], 0, "{report:#}");
}

/// A folder whose name has all that URLs make something of, and a file that changes after it was scanned.
#[test]
fn icechunk_points_to_odd_names_and_notices_changes() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a b%20é#?+");
    fs::create_dir(&odd).unwrap();
    let source = odd.join("filters 100%.nc");
    fs::copy(fixtures("netcdf4").join("filters.nc"), &source).unwrap();
    let (references, repository) = (folder.path().join("a.json"), folder.path().join("a.icechunk"));
    scan(&source, &references, &["--inline-threshold", "0"]);
    scan(&source, &repository, &["--inline-threshold", "0"]);
    let job = json!({ "source": source, "json": references, "repository": repository });
    let report = check(std::slice::from_ref(&job));
    assert_eq!(report["differences"], json!([]), "{report:#}");
    assert!(report["equal"].as_u64().unwrap() >= 5, "{report:#}");
    let file = fs::File::options().write(true).open(&source).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(100)).unwrap();
    let report = check(&[job]);
    let differences = report["differences"].to_string();
    assert!(
        differences.contains("has been modified") || differences.contains("changed"),
        "{report:#}"
    );
    assert_eq!(report["equal"], 0, "{report:#}");
}

#[test]
fn icechunk_is_appended_to_as_the_other_sets_are() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = files(&fixtures("goes"), &["nc"]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (whole, set, again) = (path("whole.json"), path("set.icechunk"), path("again.json"));
    let scene = |number: usize| scenes[number].to_str().unwrap();
    let how = ["--concat", "t", "--identical", "x,y"];
    let build = |inputs: &[&str], to: &str, options: &[&str]| {
        run([&["build"], inputs, &how, &["-o", to], options].concat());
    };
    build(&[scene(0), scene(1)], &whole, &[]);
    build(&[scene(0)], &set, &["--message", "one scene"]);
    let manifests = || fs::read_dir(Path::new(&set).join("manifests")).unwrap().count();
    let before = manifests();
    run(["append", &set, scene(1), "--message", "another"]);
    assert!(manifests() > before);
    run(["convert", &set, &again]);
    let refs = |path: &str| {
        let text = fs::read_to_string(path).unwrap();
        text.split_once("\"refs\"").unwrap().1.to_owned()
    };
    assert_eq!(refs(&again), refs(&whole));
    let known = run(["append", &set, scene(0), scene(1)]);
    assert!(said(&known).contains("2 of the inputs are in"), "{}", said(&known));
    let inspected = run(["inspect", &set]);
    let text = String::from_utf8_lossy(&inspected.stdout).into_owned();
    assert!(text.contains("an Icechunk repository") && text.contains(" to 2 objects"), "{text}");
    let report = check(&[json!({ "json": whole, "repository": set })]);
    assert_eq!(report["differences"], json!([]), "{report:#}");
    assert_eq!(report["for_xarray"], 1, "{report:#}");

    // A branch of its own leaves main alone.
    let bare = path("bare.json");
    scan(&scenes[0], Path::new(&bare), &[]);
    run(["convert", &bare, &set, "--branch", "bare"]);
    run(["convert", &set, &again, "--at", "bare"]);
    assert_eq!(refs(&again), refs(&bare));
    run(["convert", &set, &again]);
    assert_eq!(refs(&again), refs(&whole));
    let none = chunkref(["convert", &set, &again, "--at", "none"]);
    assert!(said(&none).contains("no branch, tag or snapshot \"none\""), "{}", said(&none));
    let report = check(&[json!({ "json": bare, "repository": set, "branch": "bare" })]);
    assert_eq!(report["differences"], json!([]), "{report:#}");
}

/// The last chunk of what is there holds fewer steps than a chunk has room for.
#[test]
fn icechunk_keeps_a_partial_chunk_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let program = r"
import sys, h5py, numpy as np
for name, length, start in [('one', 5, 0), ('two', 4, 5)]:
    with h5py.File(f'{sys.argv[1]}/{name}.h5', 'w') as file:
        time = file.create_dataset('time', data=np.arange(start, start + length, dtype='f8'), chunks=(2,), compression='gzip')
        time.make_scale('time')
        data = np.random.default_rng(start).integers(0, 1 << 30, (length, 50000), dtype='i4')
        file.create_dataset('v', data=data, chunks=(2, 50000), compression='gzip')
        file['v'].dims[0].attach_scale(time)
";
    let made = Command::new(python()).args(["-c", program]).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (one, two, set) = (path("one.h5"), path("two.h5"), path("set.icechunk"));
    let (before, after) = (path("before.json"), path("after.json"));
    run(["build", &one, "--concat", "time", "-o", &set]);
    run(["convert", &set, &before]);
    let refused = chunkref(["append", &set, &two]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let words = said(&refused);
    assert!(words.contains("1. v: inputs do not meet at edges of chunks"), "{words}");
    run(["convert", &set, &after]);
    assert_eq!(fs::read(&after).unwrap(), fs::read(&before).unwrap());
    assert_eq!(check(&[json!({ "source": one, "json": before, "repository": set })])["equal"], 2);
}

/// Another reader of Zarr v3 on the library's own store; it knows shuffle, zlib and fletcher32 by their numcodecs names.
#[test]
fn icechunk_reads_with_zarrs_as_with_h5py() {
    let folder = tempfile::tempdir().unwrap();
    let source = fixtures("netcdf4").join("filters.nc");
    let repository = folder.path().join("a.icechunk");
    scan(&source, &repository, &["--inline-threshold", "0"]);
    let program = "import sys, json, h5py, hdf5plugin; f = h5py.File(sys.argv[1]); print(json.dumps({n: v[()].astype(v.dtype.newbyteorder('<')).tobytes().hex() for n, v in f.items()}))";
    let output = Command::new(python()).args(["-c", program]).arg(&source).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let truth: HashMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = runtime.block_on(async {
        let storage = icechunk::new_local_filesystem_storage(&repository).await.unwrap();
        let config = Repository::fetch_config(Arc::clone(&storage)).await.unwrap().unwrap().0;
        let containers = config.virtual_chunk_containers.unwrap();
        let allowed = containers.into_keys().map(|prefix| (prefix, None)).collect();
        let opened = Repository::open(storage).authorize_virtual_chunk_access(allowed).execute();
        let main = VersionInfo::BranchTipRef("main".to_owned());
        let session = opened.await.unwrap().readonly_session(&main).await.unwrap();
        let store = Arc::new(AsyncIcechunkStore::new(session));
        let mut read = 0;
        for (name, wanted) in &truth {
            let Ok(array) = Array::async_open(Arc::clone(&store), &format!("/{name}")).await else {
                // A dimension without a variable, or a codec that is not among the features.
                continue;
            };
            let all = array.subset_all();
            let read_all = array.async_retrieve_array_subset::<ArrayBytes<'_>>(&all);
            let bytes = read_all.await.unwrap().into_fixed().unwrap();
            let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(hex.concat() == *wanted, "{name}");
            read += 1;
        }
        read
    });
    assert!(read >= 4, "{read} arrays");
}
