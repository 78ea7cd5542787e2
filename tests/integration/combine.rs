// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files combined along a dimension, opened by xarray and compared with xarray's own combination of the files.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::environment::{chunkref, files, fixtures, program, python, root, said, script};

/// A few satellite images of one time each, without a time axis.
fn scenes() -> Vec<PathBuf> {
    files(&fixtures("goes"), &["nc"])
}

fn run<T: AsRef<std::ffi::OsStr>>(
    command: &str,
    inputs: &[PathBuf],
    arguments: impl IntoIterator<Item = T>,
) -> Output {
    let mut all: Vec<OsString> = vec![command.into()];
    all.extend(inputs.iter().map(OsString::from));
    all.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
    chunkref(all)
}

#[track_caller]
fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// Compares with xarray's own combination.
#[track_caller]
fn compare(references: &Path, dimension: &str, files: &[PathBuf]) {
    let output = Command::new(python())
        .arg(script("combined.py"))
        .arg(references)
        .arg(dimension)
        .args(files)
        .output()
        .unwrap();
    succeed(&output);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(words.contains(&format!("of {} files are equal", files.len())), "{words}");
}

#[test]
fn what_append_is_asked_for_counts_and_a_changed_input_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = series(folder.path(), &recipe(false, false));
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (inputs[0].display().to_string(), inputs[1].display().to_string());
    let set = at("set.json");
    succeed(&run("build", &inputs[..1], ["--concat", "time", "-o", &set]));
    // The same times once more, under another name: refused, unless one of the two is to be kept.
    let twin = at("twin.nc");
    fs::copy(&first, &twin).unwrap();
    let refused = chunkref(["append", &set, &twin]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("--duplicates"), "{}", said(&refused));
    succeed(&chunkref(["append", &set, &twin, "--duplicates", "first"]));
    succeed(&chunkref(["append", &set, &second]));
    let before = fs::read(&set).unwrap();
    // A file that has grown since it was scanned.
    fs::write(&second, [fs::read(&second).unwrap(), vec![0; 9]].concat()).unwrap();
    let changed = chunkref(["append", &set, &second]);
    assert_eq!(changed.status.code(), Some(1), "{}", said(&changed));
    assert!(said(&changed).contains("as it was before"), "{}", said(&changed));
    assert_eq!(fs::read(&set).unwrap(), before);
}

/// The main job as a Rust program does it, and as the command does it, is one.
#[test]
fn a_program_builds_the_cube_that_the_command_builds() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = series(folder.path(), &recipe(false, false));
    let at = |name: &str| folder.path().join(name);
    let (by_program, by_command) = (at("program.json"), at("command.json"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ran = Command::new(cargo)
        .args(["build", "--quiet", "--workspace", "--example", "build_cube"])
        .current_dir(root())
        .output()
        .unwrap();
    succeed(&ran);
    let example = program().with_file_name("examples").join("build_cube");
    succeed(&Command::new(example).args([&by_program, &at("*.nc")]).output().unwrap());
    let built = run("build", &inputs, ["--concat", "time", "-o", by_command.to_str().unwrap()]);
    succeed(&built);
    assert_eq!(fs::read(by_program).unwrap(), fs::read(by_command).unwrap());
}

/// Series made by netCDF4: `temperature(time, x)` with an unlimited time, whose coordinates lie in a chunk of 512.
fn series(folder: &Path, script: &str) -> Vec<PathBuf> {
    let output = Command::new(python()).arg("-c").arg(script).arg(folder).output().unwrap();
    succeed(&output);
    files(folder, &["nc"])
}

const SERIES: &str = "
import netCDF4, numpy, sys
for number, (start, steps) in enumerate([(0, 4), (4, 6), (10, 3)]):
    with netCDF4.Dataset(f'{sys.argv[1]}/f{number}.nc', 'w') as d:
        d.createDimension('time', None)
        d.createDimension('x', 10)
        d.createDimension('nv', 2)
        time = d.createVariable('time', 'i4', ('time',), zlib=True, chunksizes=(512,))
        day = number if EPOCHS else 0
        time.units = f'hours since 2000-01-{1 + day:02d} 00:00:00'
        bounds = d.createVariable('time_bounds', 'f8', ('time', 'nv'), zlib=True, chunksizes=(512, 2))
        time.bounds = 'time_bounds'
        data = d.createVariable('temperature', 'i2', ('time', 'x'), zlib=True, shuffle=True, chunksizes=(2 if steps % 2 == 0 or number == 2 else 1, 10))
        data.set_auto_maskandscale(False)
        data.scale_factor = 0.5 if number < 2 or not PACKING else 0.25
        steps = numpy.arange(start, start + steps)
        time[:] = steps - 24 * day
        bounds[:] = (steps - 24 * day)[:, None] + numpy.array([-0.5, 0.5])
        data[:] = steps[:, None] * 100 + numpy.arange(10)
        x = d.createVariable('x', 'f4', ('x',))
        x[:] = numpy.arange(10)
";

fn recipe(epochs: bool, packing: bool) -> String {
    let word = |flag| if flag { "True" } else { "False" };
    format!("EPOCHS = {}\nPACKING = {}\n{SERIES}", word(epochs), word(packing))
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn images_become_a_cube() {
    let (folder, scenes) = (folder(), scenes());
    let cube = folder.path().join("cube.json");
    succeed(&run("build", &scenes, ["--concat", "t", "-o", cube.to_str().unwrap()]));
    compare(&cube, "t", &scenes);
}

#[test]
fn references_combine_as_files_do() {
    let (folder, scenes) = (folder(), scenes());
    let refs = format!("{}/refs/", folder.path().display());
    succeed(&run("scan", &scenes, ["-o", &refs]));
    let cube = folder.path().join("cube.json");
    let pattern = [PathBuf::from(&refs).join("*.json")];
    succeed(&run("combine", &pattern, ["--concat", "t", "-o", cube.to_str().unwrap()]));
    compare(&cube, "t", &scenes);
}

#[test]
fn series_are_joined_with_their_times() {
    let folder = folder();
    let series = series(folder.path(), &recipe(false, false));
    let cube = folder.path().join("cube.json");
    succeed(&run("build", &series, ["--concat", "time", "-o", cube.to_str().unwrap()]));
    compare(&cube, "time", &series);
}

#[test]
fn epochs_become_one() {
    let (folder, other) = (folder(), tempfile::tempdir().unwrap());
    let moved = series(folder.path(), &recipe(true, false));
    let plain = series(other.path(), &recipe(false, false));
    let cube = folder.path().join("cube.json");
    succeed(&run("build", &moved, ["--concat", "time", "-o", cube.to_str().unwrap()]));
    // The same times, counted from one epoch.
    compare(&cube, "time", &plain);
}

#[test]
fn nothing_is_written_when_inputs_contradict_each_other() {
    let folder = folder();
    let series = series(folder.path(), &recipe(false, true));
    let cube = folder.path().join("cube.json");
    let arguments = ["--concat", "time", "-o", cube.to_str().unwrap()];
    let output = run("build", &series, arguments);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let words = said(&output);
    for word in ["1 conflict", "temperature: scale_factor differs", "0.25: ", "f2.nc", "skip-file"]
    {
        assert!(words.contains(word), "{word:?} is not in {words}");
    }
    assert!(!cube.exists());
    let plan = run("plan", &series, ["--concat", "time"]);
    assert_eq!(plan.status.code(), Some(1), "{}", said(&plan));
    assert!(String::from_utf8_lossy(&plan.stdout).contains("scale_factor differs"));
    let output = run("build", &series, arguments.into_iter().chain(["--on-conflict", "skip-file"]));
    succeed(&output);
    assert!(said(&output).contains("f2.nc is left out"), "{}", said(&output));
    compare(&cube, "time", &series[..2]);
}

#[test]
fn wrong_command_lines_and_inputs() {
    let (folder, scenes) = (folder(), scenes());
    let cube = folder.path().join("cube.json");
    let cube = cube.to_str().unwrap();
    let code = |output: &Output, words: &[&str]| {
        for word in words {
            assert!(said(output).contains(word), "{word:?} is not in {}", said(output));
        }
        output.status.code()
    };
    let none = run("build", &scenes, ["-o", cube]);
    assert_eq!(code(&none, &["--concat"]), Some(2));
    let source = run("build", &scenes, ["-o", cube, "--concat", "t=VARNAME"]);
    assert_eq!(code(&source, &["no source of coordinates"]), Some(2));
    let input = scenes[0].to_str().unwrap();
    let over = run("build", &scenes, ["-o", input, "--concat", "t"]);
    assert_eq!(code(&over, &["is an input"]), Some(2));
    let absent = run("build", &[folder.path().join("no*.nc")], ["-o", cube, "--concat", "t"]);
    assert_eq!(code(&absent, &["no*.nc"]), Some(1));
    let not_json = run("combine", &scenes, ["-o", cube, "--concat", "t"]);
    assert_eq!(code(&not_json, &["nothing is combined"]), Some(1));
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn appending_gives_what_building_gives() {
    let (folder, scenes) = (folder(), scenes());
    let (first, rest) = scenes.split_at(1);
    let whole = folder.path().join("whole.json");
    let all = ["--concat", "t", "--identical", "x,y", "-o", whole.to_str().unwrap()];
    succeed(&run("build", &scenes, all));
    for name in ["set.json", "set.parq", "set.json.gz"] {
        let set = folder.path().join(name);
        let set = set.to_str().unwrap();
        let made = ["--concat", "t", "--identical", "x,y", "-o", set];
        let files = if name == "set.json" { &scenes[..2] } else { first };
        succeed(&run("build", files, made));
        let mut line: Vec<OsString> = vec!["append".into(), set.into()];
        line.extend(rest.iter().map(OsString::from));
        let appended = chunkref(line);
        succeed(&appended);
        let note = said(&appended).contains("1 of the inputs are in");
        assert_eq!(note, name == "set.json", "{}", said(&appended));
        let json = folder.path().join("again.json");
        succeed(&chunkref(["convert", set, json.to_str().unwrap()]));
        let refs = |path: &Path| {
            let text = fs::read_to_string(path).unwrap();
            text.split_once("\"refs\"").unwrap().1.to_owned()
        };
        assert_eq!(refs(&json), refs(&whole), "{name}");
        let before = fs::metadata(set).unwrap().modified().unwrap();
        let nothing = chunkref(["append", set, scenes[0].to_str().unwrap(), "--concat", "t"]);
        succeed(&nothing);
        assert_eq!(fs::metadata(set).unwrap().modified().unwrap(), before, "nothing is new");
    }
    compare(&whole, "t", &scenes);
    let bare = folder.path().join("bare.json");
    succeed(&run("scan", first, ["-o", bare.to_str().unwrap()]));
    let output = chunkref(["append", bare.to_str().unwrap(), rest[0].to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("does not say how it was combined"), "{}", said(&output));
}

#[test]
fn what_kerchunk_combines_is_combined_alike() {
    let folder = folder();
    let output = Command::new(python())
        .arg(script("kerchunk_combine.py"))
        .arg(program())
        .arg(folder.path().join("cases"))
        .output()
        .unwrap();
    succeed(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cases = report.as_object().unwrap();
    assert_eq!(cases.len(), 11, "{report:#}");
    assert!(cases.values().all(|differences| *differences == serde_json::json!([])), "{report:#}");
}

#[test]
fn the_work_goes_on_without_files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut inputs = series(folder.path(), &recipe(false, false));
    let at = |name: &str| folder.path().join(name);
    let (whole, set) = (at("whole.json"), at("set.json"));
    let set_name = set.display().to_string();
    succeed(&run("build", &inputs, ["--concat", "time", "-o", &whole.display().to_string()]));
    let empty = at("empty.nc");
    fs::write(&empty, b"").unwrap();
    inputs.insert(1, empty.clone());
    let refused = run("build", &inputs, ["--concat", "time", "-o", &set_name]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("--on-failure skip"), "{}", said(&refused));
    assert!(!set.exists());
    let skipping = ["--concat", "time", "--on-failure", "skip", "-o", &set_name];
    inputs.push(at("absent.nc"));
    let built = run("build", &inputs, skipping);
    assert_eq!(built.status.code(), Some(3), "{}", said(&built));
    assert!(said(&built).contains("2 of 5 inputs are left out"), "{}", said(&built));
    for name in ["empty.nc", "absent.nc"] {
        assert!(said(&built).contains(name), "{}", said(&built));
    }
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&set).unwrap()).unwrap();
    let made: serde_json::Value = serde_json::from_slice(&fs::read(&whole).unwrap()).unwrap();
    assert_eq!(document["refs"], made["refs"]);
    let left_out = document["chunkref"]["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 2);
    // Where nothing can be read, nothing is built; and no set is replaced by one without what it had.
    let none = run("build", std::slice::from_ref(&empty), skipping);
    assert_eq!(none.status.code(), Some(1));
    fs::write(&set, b"{\"version\":1").unwrap();
    let broken = run("append", &[set.clone(), inputs[0].clone()], ["--concat", "time"]);
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(fs::read(&set).unwrap(), b"{\"version\":1");
}
