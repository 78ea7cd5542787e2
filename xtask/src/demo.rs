// SPDX-License-Identifier: MIT OR Apache-2.0
//! `demo`: GOES-16 twins in, references out, opened by xarray.

use crate::python::Environment;
use crate::step::{Outcome, Step, root, target};
use std::fs;
use std::path::{Path, PathBuf};

const TWINS: &str = "24";

/// Generate, scan one, scan all, open and check.
pub(crate) fn run() -> Outcome<()> {
    let python = Environment::prepare()?;
    Step::cargo(["build", "--release", "--package", "chunkref-cli"]).run()?;
    let folder = target().join("demo");
    python.script("goes_twins.py").args([folder.as_os_str()]).args([TWINS]).run()?;
    let program =
        target().join("release").join(if cfg!(windows) { "chunkref.exe" } else { "chunkref" });
    let (one, all) = (folder.join("one.json"), folder.join("refs"));
    let first = first_twin(&folder)?;
    fs::create_dir_all(&all)
        .map_err(|error| format!("cannot create {}: {error}", all.display()))?;
    let scan = |from: PathBuf, to: PathBuf| {
        Step::new(shorter(&program))
            .args(["scan"])
            .args([shorter(&from)])
            .args(["-o"])
            .args([to])
            .args(["--stats"])
    };
    scan(first.clone(), shorter(&one)).run()?;
    scan(folder.join("*.nc"), shorter(&all).join("")).run()?;
    python.script("demo_check.py").args([&one, &first, &all]).run()?;
    let (program, first) = (shorter(&program), shorter(&first));
    println!("\nTry next:");
    println!("  {} inspect {}", program.display(), first.display());
    println!("  {} scan {} | head -c 600", program.display(), first.display());
    println!("  cargo xtask scan YOUR_FILE.nc -o refs.json");
    println!("  cargo xtask test");
    Ok(())
}

fn first_twin(folder: &Path) -> Outcome<PathBuf> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let twins = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "nc"));
    twins.min().ok_or_else(|| format!("no twin in {}", folder.display()))
}

/// The path from the workspace's folder, where the steps run, if it lies there.
fn shorter(path: &Path) -> PathBuf {
    path.strip_prefix(root()).map_or_else(|_| path.to_owned(), |inside| Path::new(".").join(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_inside_the_workspace_are_shown_short() {
        assert_eq!(shorter(&root().join("target")), Path::new("./target"));
        assert_eq!(shorter(Path::new("/elsewhere/x")), Path::new("/elsewhere/x"));
    }
}
