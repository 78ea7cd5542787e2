// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Python package: its wheel, an environment that it is installed into, and its tests.

use crate::python::Environment;
use crate::step::{Outcome, Step, target};
use std::fs;
use std::path::PathBuf;

const PACKAGE: &str = "crates/chunkref-python";

/// An environment with the wheel installed.
#[derive(Debug)]
pub(crate) struct Installed {
    python: PathBuf,
}

impl Installed {
    /// Builds the wheel in cargo's profile `dev`, which shares what other steps have built, and installs it into a fresh
    /// environment. Packages that tests need are those of the other environment.
    pub(crate) fn prepare(environment: &Environment) -> Outcome<Self> {
        let wheels = target().join("wheels");
        let failed = |error: std::io::Error| format!("{}: {error}", wheels.display());
        if wheels.exists() {
            fs::remove_dir_all(&wheels).map_err(failed)?;
        }
        Step::new(environment.python())
            .args(["-m", "maturin", "build", "--profile", "dev", "--quiet", "--manifest-path"])
            .args([format!("{PACKAGE}/Cargo.toml")])
            .args(["--out".as_ref(), wheels.as_os_str()])
            .args(["--target-dir".as_ref(), target().as_os_str()])
            .env("PATH", environment.path()?)
            .run()?;
        let mut built = fs::read_dir(&wheels).map_err(failed)?;
        let wheel = built.next().ok_or("maturin built no wheel")?.map_err(failed)?.path();

        let folder = target().join("wheel-venv");
        Step::new(environment.python()).args(["-m", "venv", "--clear"]).args([&folder]).run()?;
        let python = if cfg!(windows) {
            folder.join("Scripts").join("python.exe")
        } else {
            folder.join("bin").join("python")
        };
        Step::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-index", "--no-deps"])
            .args([&wheel])
            .run()?;
        // A line in a .pth file is one more folder of packages.
        let places = "import sysconfig; print(sysconfig.get_path('purelib'))";
        let of = |python: PathBuf| Step::new(python).args(["-c", places]).output();
        let line = of(environment.python())?;
        let addition = PathBuf::from(of(python.clone())?.trim()).join("of_the_tests.pth");
        fs::write(&addition, line).map_err(|error| format!("{}: {error}", addition.display()))?;
        Ok(Self { python })
    }

    /// Checks the types of the package's sources.
    pub(crate) fn check_types(&self) -> Outcome<()> {
        Step::new(&self.python)
            .args(["-m", "mypy", "--no-incremental", "--config-file"])
            .args([format!("{PACKAGE}/pyproject.toml"), format!("{PACKAGE}/python/chunkref")])
            .run()
    }

    /// The step that runs what judges the program from outside.
    pub(crate) fn judges(&self) -> Step {
        Step::new(&self.python)
            .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
            .args(["tests/python/cubes", "tests/python/recipes"])
    }

    /// The step that runs the tests, which need the test server.
    pub(crate) fn tests(&self) -> Step {
        let server = if cfg!(windows) { "chunkref-testserver.exe" } else { "chunkref-testserver" };
        Step::new(&self.python)
            .args(["-m", "pytest", "--quiet", "--rootdir", PACKAGE])
            .args(["-c", &format!("{PACKAGE}/pyproject.toml"), &format!("{PACKAGE}/tests")])
            .env("CHUNKREF_TESTSERVER", target().join("debug").join(server))
    }
}
