// SPDX-License-Identifier: MIT OR Apache-2.0
//! Object stores and web servers: real servers on loopback, and what goes wrong between.

mod access;
mod faults;
mod many;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use chunkref::store::{OpenOptions, Opened, StoreOptions};
use chunkref::{Location, Scan, ScanError, ScanOptions, SourceError, Stores};
use chunkref_testserver::S3Server;
use futures::executor::block_on;
use serde_json::Value;
use tempfile::TempDir;

use crate::environment::{files, fixtures, program};

/// What a file of eight rounds is called on the servers.
pub(super) const NAME: &str = "sst.nc";

pub(super) fn original() -> PathBuf {
    files(&fixtures("goes"), &["nc"]).remove(0)
}

pub(super) fn quick() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.retry.first_wait = Duration::from_millis(5);
    options.retry.retries = 4;
    options.timeout = Duration::from_secs(2);
    options.deadline = Some(Duration::from_secs(20));
    options
}

/// A folder with that file, to be served and changed.
pub(super) fn served() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(original(), folder.path().join(NAME)).unwrap();
    folder
}

pub(super) fn open(stores: &Stores, url: &str) -> Result<Opened, SourceError> {
    block_on(stores.open(&Location::parse(url).unwrap(), &OpenOptions::default()))
}

pub(super) fn scan(stores: &Stores, url: &str) -> Result<Scan, ScanError> {
    let location = Location::parse(url).unwrap();
    block_on(chunkref::scan_at(stores, &location, &ScanOptions::default())).0
}

/// All that a scan says, but where the file is.
pub(super) fn content(scan: &Scan) -> Vec<(String, String)> {
    let described = |array: &chunkref::Array| format!("{array:?}");
    scan.dataset.arrays().iter().map(|(path, array)| (path.clone(), described(array))).collect()
}

pub(super) fn expected() -> Vec<(String, String)> {
    content(&scan(&Stores::default(), original().to_str().unwrap()).unwrap())
}

/// The whole text of an error with all its causes.
pub(super) fn text(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}; {error}");
        cause = error.source();
    }
    text
}

pub(super) fn signed(url: &str) -> StoreOptions {
    let mut options = quick();
    options.storage.set("endpoint_url", url);
    options.storage.set("key", S3Server::ACCESS_KEY);
    options.storage.set("secret", S3Server::SECRET_KEY);
    options
}

/// A folder laid out like the public bucket of GOES-16: hours of a day, in each one file.
pub(super) fn archive() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("noaa-goes16/ABI-L2-SSTF/2020/210");
    for (hour, file) in files(&fixtures("goes"), &["nc"]).iter().enumerate() {
        let hour = day.join(format!("{hour:02}"));
        fs::create_dir_all(&hour).unwrap();
        fs::copy(file, hour.join(file.file_name().unwrap())).unwrap();
    }
    let other = folder.path().join("noaa-goes16/ABI-L2-SSTF/2020/211/00");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("other-day.nc"), b"not read").unwrap();
    folder
}

pub(super) fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).env("NO_COLOR", "1").envs(environment.iter().copied());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "NETRC"] {
        if !environment.iter().any(|(given, _)| *given == name) {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

pub(super) fn below(root: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

pub(super) fn references(path: &Path) -> Value {
    let document: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    document["refs"].clone()
}

/// All hours of one day in the bucket of [`archive`].
pub(super) const PATTERN: &str = "s3://noaa-goes16/ABI-L2-SSTF/2020/210/*/*.nc";
