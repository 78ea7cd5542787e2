// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the tests need from outside: the program under test, a Python, fixtures. What is missing fails, with what to do.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::{env, fs};

const ADVICE: &str = "run `cargo xtask test`, or `cargo xtask fixtures` once";

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The interpreter with the packages of `tests/python/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    let own = if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" };
    let python = env::var_os("CHUNKREF_PYTHON").map_or_else(|| target().join(own), PathBuf::from);
    assert!(python.exists(), "no Python for the comparison at {}: {ADVICE}", python.display());
    python
}

/// One of the scripts in `tests/python`.
pub(crate) fn script(name: &str) -> PathBuf {
    root().join("tests/python").join(name)
}

/// The folder of fixtures of one kind, written now if they are not there.
pub(crate) fn fixtures(kind: &str) -> PathBuf {
    static WRITTEN: OnceLock<PathBuf> = OnceLock::new();
    let folder = WRITTEN.get_or_init(|| {
        let folder = env::var_os("CHUNKREF_FIXTURES")
            .map_or_else(|| target().join("fixtures"), PathBuf::from);
        let output =
            Command::new(python()).arg(script("fixtures.py")).arg(&folder).output().unwrap();
        assert!(
            output.status.success(),
            "the fixtures could not be written: {}\n{ADVICE}",
            said(&output)
        );
        folder
    });
    folder.join(kind)
}

/// The fixtures of one kind, in order: every file of these endings.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known))
    });
    files.sort();
    assert!(!files.is_empty(), "no {endings:?} in {}: {ADVICE}", folder.display());
    files
}

/// Chromium, where there is one: that of `CHUNKREF_CHROMIUM`, or the system's.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHUNKREF_CHROMIUM") {
        let named = PathBuf::from(named);
        assert!(named.exists(), "CHUNKREF_CHROMIUM names {}, which is not there", named.display());
        return Some(named);
    }
    Some(PathBuf::from("/usr/bin/chromium")).filter(|path| path.exists())
}

/// A folder for what tests leave to be looked at.
pub(crate) fn artefacts() -> PathBuf {
    let folder = target().join("artefacts");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The `chunkref` program: another build that `CHUNKREF_PROGRAM` names, or one with the profile of these tests.
pub(crate) fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(program) = env::var_os("CHUNKREF_PROGRAM") {
            return PathBuf::from(program);
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let output = Command::new(cargo)
            // Of the whole workspace, so that its libraries are those that were built for the tests.
            .args(["build", "--quiet", "--workspace", "--bin", "chunkref"])
            .args(
                cfg!(feature = "icechunk")
                    .then_some("--features=chunkref-cli/icechunk,chunkref-tests/icechunk"),
            )
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "chunkref-cli does not build: {}", said(&output));
        let name = if cfg!(windows) { "chunkref.exe" } else { "chunkref" };
        let program = target().join("debug").join(name);
        assert!(program.exists(), "cargo built no {}", program.display());
        program
    })
}

/// Run the program.
pub(crate) fn chunkref<T: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = T>,
) -> Output {
    Command::new(program()).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

/// What a process said on its standard error.
pub(crate) fn said(output: &Output) -> String {
    format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// Real files beside the project, on machines that have them; the project's tests do not depend on them.
pub(crate) fn corpus(kind: &str) -> Option<Vec<PathBuf>> {
    let folder = root().join("../shared/corpus").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    Some(files)
}
