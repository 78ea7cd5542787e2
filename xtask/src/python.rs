// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Python environment of the tests: created under the target folder, from pinned packages, when they change.

use crate::step::{Outcome, Step, root, target};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

const REQUIREMENTS: &str = "tests/python/requirements.txt";
const GRIB_TABLES: &str = "crates/chunkref-grib2/src/table/eccodes";
const INTERPRETERS: [&str; 3] = ["python3.11", "python3", "python"];

/// An environment that is ready to use.
#[derive(Debug)]
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Create or bring up to date.
    pub(crate) fn prepare() -> Outcome<Self> {
        let environment = Self { folder: target().join("venv") };
        let requirements = root().join(REQUIREMENTS);
        let wanted = fs::read_to_string(&requirements)
            .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
        let stamp = environment.folder.join("requirements.stamp");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted)
            && environment.python().exists()
        {
            return Ok(environment);
        }
        let interpreter = interpreter(|name| {
            Step::new(name).args(["-c", "import sys; print(*sys.version_info[:2])"]).output().ok()
        })?;
        Step::new(interpreter).args(["-m", "venv", "--clear"]).args([&environment.folder]).run().map_err(|error| {
            format!("{error}\nPython cannot create a virtual environment: on Debian and Ubuntu install python3-venv, elsewhere the module `venv`")
        })?;
        let install =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        Step::new(environment.python()).args(install).args([requirements]).run().map_err(|error| {
            format!("{error}\nthe packages of {REQUIREMENTS} could not be installed: they come from PyPI, or from where pip's configuration says")
        })?;
        fs::write(&stamp, wanted)
            .map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
        Ok(environment)
    }

    /// The interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.bin().join(if cfg!(windows) { "python.exe" } else { "python" })
    }

    /// A search path that begins with this environment's programs (`CMake` is one).
    pub(crate) fn path(&self) -> Outcome<OsString> {
        let old = env::var_os("PATH").unwrap_or_default();
        env::join_paths([self.bin()].into_iter().chain(env::split_paths(&old)))
            .map_err(|error| format!("PATH: {error}"))
    }

    /// Write the fixtures, if they are not there yet, and return their folder.
    pub(crate) fn fixtures(&self) -> Outcome<PathBuf> {
        let folder = target().join("fixtures");
        self.script("fixtures.py").args([&folder]).run()?;
        Ok(folder)
    }

    /// One of the scripts in `tests/python`.
    pub(crate) fn script(&self, name: &str) -> Step {
        Step::new(self.python()).args([Path::new("tests/python").join(name)])
    }

    /// The judge of cubes, with the program that was built last: nothing may be wrong, and of archives that can be a cube
    /// 95 % have to become one.
    pub(crate) fn cubes(&self, arguments: &[&str]) -> Step {
        let name = if cfg!(windows) { "chunkref.exe" } else { "chunkref" };
        Step::new(self.python())
            .args(["-m", "cubes", "--least", "95", "--quiet", "--jobs"])
            .args([std::thread::available_parallelism().map_or(1, usize::from).to_string()])
            .args(arguments)
            .env("PYTHONPATH", root().join("tests/python"))
            .env("CHUNKREF", target().join("debug").join(name))
    }

    /// The tables of the crate for GRIB: written, or with `--check` compared with what the pinned ecCodes has.
    pub(crate) fn grib_tables(&self, arguments: &[&str]) -> Step {
        self.module("grib_tables").args(arguments).args([root().join(GRIB_TABLES)])
    }

    /// The judge of labels of GRIB fields, with the program that was built last.
    pub(crate) fn grib_labels(&self) -> Step {
        self.judge("grib_labels")
    }

    /// The judge of references of GRIB files by index sidecars alone, with the program that was built last.
    pub(crate) fn grib_indexes(&self) -> Step {
        self.judge("grib_indexes")
    }

    /// One of the packages in `tests/python` that run the program that was built last.
    fn judge(&self, module: &str) -> Step {
        let name = if cfg!(windows) { "chunkref.exe" } else { "chunkref" };
        self.module(module).env("CHUNKREF", target().join("debug").join(name))
    }

    /// The judge of places of GRIB's points, with the program that was built last.
    pub(crate) fn grib_grids(&self) -> Step {
        let name = if cfg!(windows) { "chunkref.exe" } else { "chunkref" };
        self.module("grib_grids").env("CHUNKREF", target().join("debug").join(name))
    }

    /// The judge of values of GRIB messages, with the example that was built last.
    pub(crate) fn grib_values(&self) -> Step {
        let name = if cfg!(windows) { "grib_values.exe" } else { "grib_values" };
        let program = target().join("debug/examples").join(name);
        self.module("grib_values").env("GRIB_VALUES", program)
    }

    /// One of the packages in `tests/python`.
    fn module(&self, name: &str) -> Step {
        Step::new(self.python()).args(["-m", name]).env("PYTHONPATH", root().join("tests/python"))
    }

    fn bin(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }
}

/// The first interpreter that is new enough; `version` answers "major minor" for a program that exists.
fn interpreter(version: impl Fn(&str) -> Option<String>) -> Outcome<&'static str> {
    let mut found = Vec::new();
    for name in INTERPRETERS {
        let Some(answer) = version(name) else { continue };
        let mut numbers = answer.split_whitespace().map(|part| part.parse::<u32>().unwrap_or(0));
        let number = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if number >= (3, 11) {
            return Ok(name);
        }
        found.push(format!("; `{name}` is {}.{}", number.0, number.1));
    }
    Err(format!(
        "Python 3.11 or newer is needed for the fixtures and the comparison with h5py, and none of {} is one{}",
        INTERPRETERS.join(", "),
        found.concat()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_interpreter_that_is_new_enough_is_taken() {
        let version = |name: &str| if name == "python3" { Some("3 12\n".to_owned()) } else { None };
        assert_eq!(interpreter(version), Ok("python3"));
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = interpreter(|name| (name == "python3").then(|| "3 9".to_owned())).unwrap_err();
        assert!(
            error.contains("Python 3.11 or newer") && error.contains("`python3` is 3.9"),
            "{error}"
        );
        assert!(interpreter(|_| None).is_err());
    }
}
