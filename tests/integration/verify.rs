// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref verify` passes what is right, and finds each planted fault by its chunk.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::environment::{chunkref, files, fixtures, said};

/// Two files combined along `t`, in a folder of their own.
pub(crate) struct Cube {
    pub(crate) folder: tempfile::TempDir,
    sources: Vec<PathBuf>,
    pub(crate) json: PathBuf,
}

impl Cube {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources: Vec<PathBuf> = files(&fixtures("goes"), &["nc"])
            .into_iter()
            .map(|source| {
                let copy = folder.path().join(source.file_name().unwrap());
                fs::copy(source, &copy).unwrap();
                copy
            })
            .collect();
        let json = folder.path().join("cube.json");
        let cube = Self { folder, sources, json };
        cube.build(&cube.json, &[]);
        cube
    }

    fn build(&self, to: &Path, options: &[&str]) {
        let mut line = vec!["build".to_owned()];
        line.extend(self.sources.iter().map(|source| source.display().to_string()));
        line.extend(["-o".to_owned(), to.display().to_string()]);
        line.extend(["--concat", "t", "--identical", "x,y", "--quiet"].map(str::to_owned));
        line.extend(options.iter().map(|&word| word.to_owned()));
        let ran = chunkref(line);
        assert!(ran.status.success(), "{}", said(&ran));
    }

    fn references(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.json).unwrap()).unwrap()
    }

    /// Writes the references as `change` leaves them, without the second copy of all documents.
    pub(crate) fn plant(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut references = self.references();
        references["refs"].as_object_mut().unwrap().remove(".zmetadata");
        change(&mut references["refs"]);
        let planted = self.folder.path().join("planted.json");
        fs::write(&planted, references.to_string()).unwrap();
        planted
    }
}

/// What `verify --json` says; it must exit with 0 or 1 as it says.
#[track_caller]
fn verify(cube: &Path, options: &[&str]) -> Value {
    let line = ["verify", cube.to_str().unwrap(), "--json"];
    let ran = chunkref(line.iter().chain(options));
    let report: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", said(&ran)));
    let sound = report["sound"].as_bool().unwrap();
    assert_eq!(ran.status.code(), Some(i32::from(!sound)), "{report:#}");
    report
}

/// The failures as array, chunk and reason.
fn failures(report: &Value) -> Vec<(String, Value, Value, String)> {
    let checks = report["checks"].as_array().unwrap();
    let all = checks.iter().flat_map(|check| {
        let name = check["check"].as_str().unwrap();
        check["failures"].as_array().unwrap().iter().map(move |failure| {
            let reason = failure["reason"].as_str().unwrap().to_owned();
            (name.to_owned(), failure["array"].clone(), failure["chunk"].clone(), reason)
        })
    });
    all.collect()
}

/// Requires that a check names a chunk with these words.
#[track_caller]
fn require(report: &Value, check: &str, array: &Value, chunk: &Value, words: &str) {
    let all = failures(report);
    let found = all.iter().any(|(name, of, at, reason)| {
        (name.as_str(), of, at) == (check, array, chunk) && reason.contains(words)
    });
    assert!(found, "no {check} of {array} {chunk} with {words:?} in {all:#?}");
}

/// The keys of the chunks of `SST`, in order.
fn chunks(references: &Value) -> Vec<String> {
    let refs = references.as_object().unwrap();
    let mut keys: Vec<_> = refs
        .keys()
        .filter(|key| key.starts_with("SST/") && !key.contains("/.z"))
        .cloned()
        .collect();
    keys.sort();
    keys
}

fn indices(key: &str) -> Value {
    let numbers = key.rsplit('/').next().unwrap().split('.');
    json!(numbers.map(|number| number.parse::<u64>().unwrap()).collect::<Vec<_>>())
}

#[test]
fn what_is_right_passes() {
    let cube = Cube::new();
    let report = verify(&cube.json, &["--all", "--against-source"]);
    assert_eq!(failures(&report), []);
    let checked = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == name).unwrap();
        check["checked"].as_u64().unwrap()
    };
    assert_eq!(checked("freshness"), 2);
    for name in ["inside", "overlaps", "decode", "against-source"] {
        assert!(checked(name) >= 8, "{name}: {report:#}");
    }
    assert!(checked("inline") > 0 && checked("complete") > 5, "{report:#}");
    // Foreign references record nothing, and say so in notes only.
    let mut foreign = cube.references();
    foreign.as_object_mut().unwrap().remove("chunkref");
    let path = cube.folder.path().join("foreign.json");
    fs::write(&path, foreign.to_string()).unwrap();
    let report = verify(&path, &[]);
    assert_eq!(failures(&report), []);
    assert!(report.to_string().contains("not recorded with a version"), "{report:#}");
    let shown = chunkref(["verify".as_ref(), cube.json.as_os_str()]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("sound, as far as it was checked"), "{text}");
}

#[test]
fn wrong_offsets_and_lengths_are_found() {
    let cube = Cube::new();
    let key = chunks(&cube.references()["refs"])[1].clone();
    let at = indices(&key);
    let sst = json!("SST");
    let shifted = cube.plant(|refs| {
        let offset = refs[&key][1].as_u64().unwrap();
        refs[&key][1] = json!(offset + 3);
    });
    let report = verify(&shifted, &["--all", "--against-source"]);
    require(&report, "decode", &sst, &at, "zlib data are damaged");
    require(&report, "against-source", &sst, &at, "no such chunk");
    let shorter = cube.plant(|refs| {
        let length = refs[&key][2].as_u64().unwrap();
        refs[&key][2] = json!(length - 5);
    });
    let report = verify(&shorter, &["--all", "--against-source"]);
    require(&report, "decode", &sst, &at, "damaged");
    require(&report, "against-source", &sst, &at, "no such chunk");
    let beyond = cube.plant(|refs| refs[&key][1] = json!(1_u64 << 40));
    let report = verify(&beyond, &["--sample", "0"]);
    require(&report, "inside", &sst, &at, "beyond its object");
    let longer = cube.plant(|refs| {
        let length = refs[&key][2].as_u64().unwrap();
        refs[&key][2] = json!(length + 4000);
    });
    let report = verify(&longer, &["--all", "--against-source"]);
    require(&report, "against-source", &sst, &at, "no such chunk");
}

#[test]
fn swapped_and_lost_chunks_are_found() {
    let cube = Cube::new();
    let keys = chunks(&cube.references()["refs"]);
    let sst = json!("SST");
    let swapped = cube.plant(|refs| {
        let (one, other) = (refs[&keys[0]].clone(), refs[&keys[1]].clone());
        (refs[&keys[0]], refs[&keys[1]]) = (other, one);
    });
    // Both decode, so that only the source knows.
    assert_eq!(failures(&verify(&swapped, &["--all"])), []);
    let report = verify(&swapped, &["--against-source"]);
    for key in &keys[..2] {
        require(&report, "against-source", &sst, &indices(key), "not the one that belongs here");
    }
    assert_eq!(failures(&report).len(), 2, "{report:#}");
    let lost = cube.plant(|refs| drop(refs.as_object_mut().unwrap().remove(&keys[2])));
    let report = verify(&lost, &["--against-source"]);
    require(&report, "complete", &sst, &indices(&keys[2]), "when it was written");
    require(&report, "against-source", &sst, &indices(&keys[2]), "no reference to it");
}

/// Each source is whole in itself, so that only coordinates tell where it belongs.
#[test]
fn sources_in_each_others_places_are_found() {
    let cube = Cube::new();
    let swapped = cube.plant(|refs| {
        let object = refs.as_object_mut().unwrap();
        let keys: Vec<_> = object.keys().filter(|key| key.starts_with("SST/0")).cloned().collect();
        for key in keys {
            let other = key.replacen("SST/0", "SST/1", 1);
            let (one, two) = (object.remove(&key).unwrap(), object.remove(&other).unwrap());
            object.insert(key, two);
            object.insert(other, one);
        }
    });
    assert_eq!(failures(&verify(&swapped, &["--all"])), []);
    let report = verify(&swapped, &["--all", "--against-source"]);
    let keys = chunks(&cube.references()["refs"]);
    for key in keys.iter().filter(|key| key.starts_with("SST/")) {
        let words = "whose coordinates are those of another place";
        require(&report, "against-source", &json!("SST"), &indices(key), words);
    }
}

#[test]
fn times_that_are_not_the_sources_are_found() {
    let cube = Cube::new();
    let moved = cube.plant(|refs| {
        let attributes = refs["t/.zattrs"].as_str().unwrap();
        let changed = attributes.replace("2000-01-01", "2000-01-02");
        assert_ne!(changed, attributes);
        refs["t/.zattrs"] = changed.into();
    });
    assert_eq!(failures(&verify(&moved, &["--all"])), []);
    let report = verify(&moved, &["--all", "--against-source"]);
    let found = failures(&report);
    let lost = found.iter().filter(|(.., reason)| reason.contains("no place for step 0"));
    assert_eq!(lost.count(), 2, "{report:#}");
}

#[test]
fn dimensions_that_disagree_are_found() {
    let cube = Cube::new();
    let longer = cube.plant(|refs| {
        let zarray = refs["t/.zarray"].as_str().unwrap();
        let changed = zarray.replacen("\"shape\":[2]", "\"shape\":[3]", 1);
        assert_ne!(changed, zarray);
        refs["t/.zarray"] = changed.into();
    });
    let report = verify(&longer, &["--sample", "0"]);
    let check = check(&report, "dimensions");
    assert!(check["failed"].as_u64().unwrap() > 0, "{report:#}");
}

#[test]
fn what_is_described_otherwise_than_in_the_sources_is_found() {
    let cube = Cube::new();
    let document = |key: &str, from: &str, to: &str| {
        cube.plant(|refs| {
            let text = refs[key].as_str().unwrap();
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{key}");
            refs[key] = changed.into();
        })
    };
    for (key, from, to, words) in [
        ("SST/.zarray", "\"<i2\"", "\">i2\"", "its element type is int16 (big-endian)"),
        ("SST/.zarray", "\"fill_value\":-1", "\"fill_value\":7", "its fill value is 7"),
        ("SST/.zattrs", "\"y\",\"x\"", "\"x\",\"y\"", "its dimensions are"),
    ] {
        let report = verify(&document(key, from, to), &["--all", "--against-source"]);
        let found = failures(&report);
        assert!(found.iter().any(|(.., reason)| reason.contains(words)), "{key}: {found:#?}");
    }
    let gone = cube.plant(|refs| {
        refs.as_object_mut().unwrap().retain(|key, _| !key.starts_with("DQF/"));
    });
    require(&verify(&gone, &[]), "complete", &json!("DQF"), &Value::Null, "is not there now");
}

#[test]
fn chunks_of_another_variable_or_a_foreign_file_are_found() {
    let cube = Cube::new();
    let exchanged = cube.plant(|refs| {
        let other = refs["DQF/0.0.0"].clone();
        refs["SST/0.0.0"] = other;
    });
    let report = verify(&exchanged, &["--all", "--against-source"]);
    require(&report, "against-source", &json!("SST"), &json!([0, 0, 0]), "no chunk of \"SST\"");
    let foreign = cube.folder.path().join("foreign.nc");
    fs::copy(&cube.sources[1], &foreign).unwrap();
    let from = cube.sources[0].file_name().unwrap().to_str().unwrap();
    let replaced = cube.plant(|refs| {
        refs["SST/0.1.1"][0] =
            refs["SST/0.1.1"][0].as_str().unwrap().replace(from, "foreign.nc").into();
    });
    let report = verify(&replaced, &["--all", "--against-source"]);
    assert_eq!(report["sound"], false, "{report:#}");
}

#[test]
fn documents_that_contradict_each_other_are_an_error() {
    let cube = Cube::new();
    let mut references = cube.references();
    let all = references["refs"][".zmetadata"].as_str().unwrap();
    references["refs"][".zmetadata"] = all.replacen("\"<i2\"", "\">i2\"", 1).into();
    let path = cube.folder.path().join("two.json");
    fs::write(&path, references.to_string()).unwrap();
    let ran = chunkref(["verify".as_ref(), path.as_os_str()]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(said(&ran).contains(".zmetadata says otherwise"), "{}", said(&ran));
}

#[test]
fn a_missing_partition_is_found() {
    let cube = Cube::new();
    let parquet = cube.folder.path().join("cube.parq");
    cube.build(&parquet, &["--record-size", "3"]);
    assert_eq!(failures(&verify(&parquet, &["--all", "--against-source"])), []);
    fs::remove_file(parquet.join("SST/refs.1.parq")).unwrap();
    let report = verify(&parquet, &["--sample", "0"]);
    let keys = chunks(&cube.references()["refs"]);
    require(&report, "complete", &json!("SST"), &indices(&keys[3]), "when it was written");
}

#[test]
fn corrupt_inline_chunks_are_found() {
    let cube = Cube::new();
    let references = cube.references();
    let refs = references["refs"].as_object().unwrap();
    let plain = |name: &str| {
        serde_json::from_str::<Value>(refs[&format!("{name}/.zarray")].as_str().unwrap())
    };
    let (key, _) = refs
        .iter()
        .find(|(key, value)| {
            let name = key.split('/').next().unwrap();
            value.is_string() && !key.contains(".z") && plain(name).unwrap()["dtype"] == "<f8"
        })
        .unwrap();
    let (name, _) = key.split_once('/').unwrap();
    let short = cube.plant(|refs| refs[key] = json!("base64:AAAA"));
    let report = verify(&short, &["--sample", "0"]);
    require(
        &report,
        "inline",
        &json!(name),
        &indices_of(key, &refs[&format!("{name}/.zarray")]),
        "bytes",
    );
    // Other values of the right length.
    let (t, _) = refs.iter().find(|(key, _)| key.starts_with("t/") && !key.contains(".z")).unwrap();
    let other = cube.plant(|refs| refs[t] = json!("base64:AAAAAAAA8D8AAAAAAADwPw=="));
    let report = verify(&other, &["--sample", "0"]);
    require(&report, "complete", &json!("t"), &json!([0]), "not those that were written");
}

/// The place of a chunk: that of an array without axes has no numbers.
fn indices_of(key: &str, document: &Value) -> Value {
    let metadata: Value = serde_json::from_str(document.as_str().unwrap()).unwrap();
    if metadata["shape"] == json!([]) { json!([]) } else { indices(key) }
}

#[test]
fn sources_that_changed_are_found() {
    let cube = Cube::new();
    let url = format!("file://{}", cube.sources[1].display());
    let named = |report: &Value, words: &str| {
        let checks = report["checks"].as_array().unwrap();
        let freshness = checks.iter().find(|check| check["check"] == "freshness").unwrap();
        let failures = freshness["failures"].as_array().unwrap();
        assert_eq!(failures.len(), 1, "{report:#}");
        assert_eq!(failures[0]["url"], url.as_str());
        assert!(failures[0]["reason"].as_str().unwrap().contains(words), "{report:#}");
    };
    let whole = fs::read(&cube.sources[1]).unwrap();
    // Replaced by a file of the same length at another time.
    let earlier = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&cube.sources[1]).unwrap().set_modified(earlier).unwrap();
    named(&verify(&cube.json, &[]), "by its date");
    let ran = chunkref(["cat".as_ref(), cube.json.as_os_str(), "SST[-1]".as_ref()]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(said(&ran).contains("not the one that the references were made of"), "{}", said(&ran));
    fs::write(&cube.sources[1], &whole[..whole.len() / 2]).unwrap();
    let report = verify(&cube.json, &["--all"]);
    named(&report, "and had");
    let beyond = failures(&report).iter().filter(|(check, ..)| check == "inside").count();
    assert!(beyond > 0, "{report:#}");
    fs::remove_file(&cube.sources[1]).unwrap();
    named(&verify(&cube.json, &[]), "no such file");
}

#[test]
fn what_cannot_be_read_at_all_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let ran = chunkref(["verify".as_ref(), folder.path().join("none.json").as_os_str()]);
    assert_eq!(ran.status.code(), Some(1), "{}", said(&ran));
    assert!(ran.stdout.is_empty());
    let ran = chunkref(["verify", "a.json", "--against-source", "--option", "x.y=1"]);
    assert_eq!(ran.status.code(), Some(2), "{}", said(&ran));
}

/// A second library reads the values of the sampled chunks in the sources.
#[cfg(feature = "libhdf5")]
#[test]
fn libhdf5_reads_the_values_of_the_sample() {
    use chunkref::verify::{Report, Sample, VerifyOptions, verify};
    use chunkref::{Location, References, ScanOptions};
    use futures::executor::block_on;

    let cube = Cube::new();
    let verified = |path: &Path| -> Report {
        let stores = chunkref::stores();
        let location = Location::from_path(path).unwrap();
        let references = block_on(References::open(&stores, &location)).unwrap();
        let mut options = VerifyOptions::default();
        options.sample = Sample::All;
        options.against_source =
            Some(ScanOptions::default().with_format_option("hdf5.engine", "libhdf5"));
        block_on(verify(&stores, references, &options)).unwrap()
    };
    let report = verified(&cube.json);
    assert!(report.is_sound(), "{report:#?}");
    let values = report.checks.iter().find(|check| check.name == "values").unwrap();
    assert!(values.checked >= 16, "{values:#?}");
    let keys = chunks(&cube.references()["refs"]);
    let swapped = cube.plant(|refs| {
        let (one, other) = (refs[&keys[0]].clone(), refs[&keys[1]].clone());
        (refs[&keys[0]], refs[&keys[1]]) = (other, one);
    });
    let report = verified(&swapped);
    let values = report.checks.iter().find(|check| check.name == "values").unwrap();
    let found: Vec<_> = values.failures.iter().map(|failure| json!(failure.chunk)).collect();
    assert_eq!(found, [indices(&keys[0]), indices(&keys[1])], "{values:#?}");
}

/// References in JSON to `data.bin`, with an array for each list of codecs, of two chunks of which one is inline.
fn encoded(folder: &Path, arrays: &[(&str, Value)]) -> PathBuf {
    fs::write(folder.join("data.bin"), b"abcd").unwrap();
    let mut refs = json!({".zgroup": "{\"zarr_format\":2}"});
    for (name, filters) in arrays {
        let array = json!({
            "zarr_format": 2, "shape": [8], "chunks": [4], "dtype": "|u1", "order": "C", "fill_value": 0,
            "compressor": null, "filters": filters,
        });
        refs[format!("{name}/.zarray")] = array.to_string().into();
        refs[format!("{name}/.zattrs")] = "{\"_ARRAY_DIMENSIONS\":[\"x\"]}".into();
        refs[format!("{name}/0")] = "base64:AAECAw==".into();
        refs[format!("{name}/1")] = json!([folder.join("data.bin"), 0, 4]);
    }
    let path = folder.join("encoded.json");
    fs::write(&path, json!({"version": 1, "refs": refs}).to_string()).unwrap();
    path
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[test]
fn what_cannot_be_decoded_is_not_fine() {
    let folder = tempfile::tempdir().unwrap();
    // One codec that nobody has, and one with settings that its decoder does not cover.
    let other = json!([{"id": "astype", "encode_dtype": "|u1", "decode_dtype": "|i1"}]);
    let arrays = [("plain", Value::Null), ("a", json!([{"id": "my-xor"}])), ("b", other)];
    let path = encoded(folder.path(), &arrays);
    let report = verify(&path, &[]);
    for name in ["inline", "decode"] {
        let check = check(&report, name);
        let counts = [&check["checked"], &check["failed"], &check["unchecked"]];
        assert_eq!(counts, [&json!(1), &json!(0), &json!(2)], "{report:#}");
        let note = check["notes"][0].as_str().unwrap();
        assert!(note.starts_with("2 of 3 chunks were not decoded"), "{note}");
        assert!(note.contains("my-xor") && note.contains("astype"), "{note}");
    }
    let ran = chunkref(["verify", path.to_str().unwrap()]);
    let shown = String::from_utf8(ran.stdout).unwrap();
    assert!(shown.contains("1 chunks fine, 2 not checked"), "{shown}");

    let path = encoded(folder.path(), &arrays[1..2]);
    let report = verify(&path, &[]);
    let note = check(&report, "decode")["notes"][0].as_str().unwrap();
    assert!(note.starts_with("the one chunk was not decoded"), "{note}");
    let ran = chunkref(["verify", path.to_str().unwrap()]);
    let shown = String::from_utf8(ran.stdout).unwrap();
    assert!(shown.contains("0 chunks fine, 1 not checked"), "{shown}");
    let ran = chunkref(["cat", path.to_str().unwrap(), "a"]);
    assert!(said(&ran).contains("extending.md"), "{}", said(&ran));
}

#[test]
fn codecs_that_collide_are_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = encoded(folder.path(), &[("a", json!([{"id": "shuffle", "elementsize": 1}]))]);
    let path = path.to_str().unwrap();
    let run = |words: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_colliding")).args(words).output().unwrap()
    };
    let target = folder.path().join("other.json");
    for words in [
        &["formats"][..],
        &["verify", path],
        &["cat", path, "a"],
        &["convert", path, target.to_str().unwrap()],
    ] {
        let ran = run(words);
        assert_eq!(ran.status.code(), Some(2), "{words:?}: {}", said(&ran));
        let wanted = "two codecs are registered under the name \"zlib\"";
        assert!(said(&ran).contains(wanted), "{words:?}: {}", said(&ran));
    }
    assert!(!target.exists());
    let ran = run(&["library", path]);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["sound"], false, "{report:#}");
    let failure = &check(&report, "codecs")["failures"][0]["reason"];
    assert!(failure.as_str().unwrap().contains("link only one"), "{report:#}");
    for name in ["inline", "decode"] {
        assert_eq!(check(&report, name)["checked"], 0, "{report:#}");
    }
}
