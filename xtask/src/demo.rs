// SPDX-License-Identifier: MIT OR Apache-2.0
//! `demo`: GOES-16 twins in, references and a data cube out, opened by xarray.

use crate::python::Environment;
use crate::server::Server;
use crate::step::{Outcome, Step, root, target};
use std::fs;
use std::path::{Path, PathBuf};

const TWINS: &str = "24";

/// All twins on the server; the same words name a day of the real bucket.
const BUCKET_PATTERN: &str = "s3://noaa-goes16/ABI-L2-SSTF/2020/210/*/*.nc";

/// Generate, scan one, scan all, build a cube of all, open, draw and check.
pub(crate) fn run() -> Outcome<()> {
    let python = Environment::prepare()?;
    Step::cargo(["build", "--release", "--package", "chunkref-cli"]).run()?;
    Step::cargo(["build", "--package", "chunkref-testserver"]).run()?;
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
    let stored = folder.join("store");
    fill_bucket(&folder, &stored)?;
    let server = Server::start("s3-public", &stored)?;
    let remote = folder.join("refs-of-bucket");
    Step::new(shorter(&program))
        .args(["scan", BUCKET_PATTERN, "--anon", "--stats", "-o"])
        .args([shorter(&remote).join("")])
        .env("CHUNKREF_STORAGE_ENDPOINT_URL", server.url())
        .run()?;
    let check = python.script("demo_check.py").args([&one, &first, &all, &remote]);
    check.args([server.url()]).run()?;
    let cube = folder.join("sst.json");
    Step::new(shorter(&program))
        .args(["build", BUCKET_PATTERN, "--anon", "--concat", "t", "--identical", "x,y", "-o"])
        .args([shorter(&cube)])
        .env("CHUNKREF_STORAGE_ENDPOINT_URL", server.url())
        .run()?;
    let draw = python.script("demo_cube.py").args([shorter(&cube), shorter(&folder)]);
    draw.args([server.url()]).args([shorter(&folder)]).run()?;
    drop(server);
    let (program, first) = (shorter(&program), shorter(&first));
    println!("\nTry next:");
    println!("  {} inspect {}", program.display(), first.display());
    println!("  {} scan {} | head -c 600", program.display(), first.display());
    println!("  cargo xtask scan YOUR_FILE.nc -o refs.json");
    println!("  cargo xtask test");
    Ok(())
}

/// Lays the twins out as the public bucket of GOES-16 is: one folder for each hour of the day.
fn fill_bucket(twins: &Path, stored: &Path) -> Outcome<()> {
    let failed =
        |path: &Path, error: std::io::Error| format!("cannot fill {}: {error}", path.display());
    let day = stored.join("noaa-goes16/ABI-L2-SSTF/2020/210");
    for twin in sorted_twins(twins)? {
        let name = twin.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // OR_ABI-L2-SSTF-M6_G16_s<year><day><hour>…: the hour is behind seven digits.
        let hour = name.split("_s").nth(1).and_then(|time| time.get(7..9)).unwrap_or("00");
        let folder = day.join(hour);
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let copy = folder.join(&name);
        fs::copy(&twin, &copy).map_err(|error| failed(&copy, error))?;
    }
    Ok(())
}

fn first_twin(folder: &Path) -> Outcome<PathBuf> {
    let twins = sorted_twins(folder)?;
    twins.into_iter().next().ok_or_else(|| format!("no twin in {}", folder.display()))
}

fn sorted_twins(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut twins: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "nc"))
        .collect();
    twins.sort();
    Ok(twins)
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
