// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo deny` and `typos`: installed under the target folder, as wheels of `PyPI`, which take seconds where building them
//! takes many minutes.

use crate::python::Environment;
use crate::step::{Outcome, Step, root, target};
use std::fs;
use std::path::PathBuf;

/// The tools with their versions.
const REQUIREMENTS: &str = "xtask/tools.txt";

/// Programs that are ready to use.
#[derive(Debug)]
pub(crate) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Installs them, if they are not there in these versions.
    pub(crate) fn prepare() -> Outcome<Self> {
        let tools = Self { folder: target().join("tools") };
        let requirements = root().join(REQUIREMENTS);
        let wanted = fs::read_to_string(&requirements)
            .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
        let stamp = tools.folder.join("tools.stamp");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(tools);
        }
        // pip leaves programs of an earlier version in such a folder as they are.
        match fs::remove_dir_all(&tools.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("cannot remove {}: {error}", tools.folder.display()));
            }
            _ => {}
        }
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
            "--no-deps",
            "--target",
        ];
        Step::new(Environment::prepare()?.python())
            .args(install)
            .args([&tools.folder])
            .args(["--requirement", REQUIREMENTS])
            .run()
            .map_err(|error| {
                format!("{error}\nthe tools of {REQUIREMENTS} could not be installed: they come from PyPI, or from where pip's configuration says")
            })?;
        fs::write(&stamp, wanted)
            .map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
        Ok(tools)
    }

    /// Licences, sources and banned crates of all that is linked, and advisories where their database can be had.
    pub(crate) fn deny(&self) -> Outcome<()> {
        // Icechunk brings a C library for TLS along, which no other build may have.
        self.program("cargo-deny")
            .args(["--exclude-dev", "--exclude", "chunkref-icechunk"])
            .args(["check", "--hide-inclusion-graph", "bans"])
            .run()?;
        self.program("cargo-deny")
            .args(["--all-features", "check", "licenses", "sources"])
            .run()?;
        if self.program("cargo-deny").args(["fetch", "db"]).run().is_ok() {
            return self
                .program("cargo-deny")
                .args(["--all-features", "check", "advisories"])
                .run();
        }
        println!(
            "cargo deny: ADVISORIES WERE NOT CHECKED: their database (github.com/RustSec/advisory-db) cannot be reached \
             from here; licences, bans and sources were checked"
        );
        Ok(())
    }

    /// Words that are misspelled in what is committed.
    pub(crate) fn typos(&self) -> Outcome<()> {
        self.program("typos").run()
    }

    fn program(&self, name: &str) -> Step {
        let name = if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() };
        Step::new(self.folder.join("bin").join(name))
    }
}
