// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which folders are reference sets and nothing else, so that they may be replaced.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use chunkref_core::atomic::Replaceable;
use chunkref_model::Group;

use crate::{METADATA, metadata};

/// A set that this crate, kerchunk or fsspec has written: `.zmetadata` with the number of references in a partition,
/// partitions of the arrays that it lists, and perhaps its documents as files of their own.
pub(crate) const REFERENCE_SET: Replaceable =
    Replaceable { what: "a Parquet reference set", foreign };

const DOCUMENTS: [&str; 3] = [".zgroup", ".zarray", ".zattrs"];

/// What `.zmetadata` lists.
#[derive(Default)]
struct Listed {
    arrays: BTreeSet<String>,
    /// Groups, arrays, and the folders that they are in.
    folders: BTreeSet<String>,
}

/// The first thing in a folder that is not part of a set.
pub(crate) fn foreign(folder: &Path) -> io::Result<Option<String>> {
    if !folder.try_exists()? {
        return Ok(None);
    }
    let path = folder.join(METADATA);
    let is_file = fs::symlink_metadata(&path).is_ok_and(|there| there.is_file());
    let text = if is_file { fs::read(&path)? } else { Vec::new() };
    let Ok(known) = metadata::parse(&text, &chunkref_core::Limits::default()) else {
        let mut names = names(folder)?.into_iter();
        let other = names.find(|name| name != METADATA).unwrap_or_else(|| METADATA.to_owned());
        return Ok(Some(first_file(folder, &other)?));
    };
    let mut listed = Listed::default();
    list(&known.dataset.root, "", &mut listed);
    walk(folder, "", &listed)
}

fn list(group: &Group, path: &str, listed: &mut Listed) {
    listed.folders.insert(path.to_owned());
    for name in group.arrays.keys() {
        let path = join(path, name);
        // The name of an array may have slashes.
        let mut parent = path.as_str();
        while let Some((above, _)) = parent.rsplit_once('/') {
            listed.folders.insert(above.to_owned());
            parent = above;
        }
        listed.folders.insert(path.clone());
        listed.arrays.insert(path);
    }
    for (name, group) in &group.groups {
        list(group, &join(path, name), listed);
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn walk(folder: &Path, below: &str, listed: &Listed) -> io::Result<Option<String>> {
    for name in names(folder)? {
        let (key, path) = (join(below, &name), folder.join(&name));
        let there = fs::symlink_metadata(&path)?;
        if there.is_dir() && listed.folders.contains(&key) {
            if let Some(found) = walk(&path, &key, listed)? {
                return Ok(Some(found));
            }
            continue;
        }
        let own = there.is_file()
            && (key == METADATA
                || (is_partition(&name) && listed.arrays.contains(below))
                || (DOCUMENTS.contains(&name.as_str()) && listed.folders.contains(below)));
        if !own {
            return Ok(Some(join(below, &first_file(folder, &name)?)));
        }
    }
    Ok(None)
}

/// `refs.0.parq`, `refs.1.parq`, …
fn is_partition(name: &str) -> bool {
    let number = name.strip_prefix("refs.").and_then(|rest| rest.strip_suffix(".parq"));
    number.is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// The name itself, or the first file in the folder of that name.
fn first_file(folder: &Path, name: &str) -> io::Result<String> {
    let (mut found, mut path) = (name.to_owned(), folder.join(name));
    while fs::symlink_metadata(&path)?.is_dir() {
        let Some(first) = names(&path)?.into_iter().next() else { break };
        path.push(&first);
        found = format!("{found}/{first}");
    }
    Ok(found)
}

/// The names in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_any_writer_are_known_and_all_else_is_foreign() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("set");
        fs::create_dir_all(folder.join("g/a")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        let array = |fill: &str| {
            format!(
                r#"{{"zarr_format":2,"shape":[4],"chunks":[2],"dtype":"<f4","compressor":null,"filters":null,"fill_value":{fill},"order":"C"}}"#
            )
        };
        let set = format!(
            r#"{{"metadata":{{".zgroup":{{"zarr_format":2}},"g/.zgroup":{{"zarr_format":2}},"g/a/.zarray":{},"b/.zarray":{}}},"record_size":3}}"#,
            array("NaN"),
            array("0")
        );
        write(METADATA, &set);
        write("g/a/refs.0.parq", "");
        write("g/.zgroup", "");
        write("g/a/.zattrs", "");
        assert_eq!(foreign(&folder).unwrap(), None);
        for name in ["g/a/notes.txt", "g/a/refs.x.parq", "g/refs.0.parq", "g/a/0.0"] {
            write(name, "mine");
            assert_eq!(foreign(&folder).unwrap().as_deref(), Some(name));
            fs::remove_file(folder.join(name)).unwrap();
        }
        // A folder of which the metadata knows nothing.
        fs::create_dir_all(folder.join("c/d")).unwrap();
        assert_eq!(foreign(&folder).unwrap().as_deref(), Some("c/d"));
        write("c/d/refs.0.parq", "");
        assert_eq!(foreign(&folder).unwrap().as_deref(), Some("c/d/refs.0.parq"));
        fs::remove_dir_all(folder.join("c")).unwrap();
        // A partition that is a link leads to something else.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc/hosts", folder.join("g/a/refs.1.parq")).unwrap();
            assert_eq!(foreign(&folder).unwrap().as_deref(), Some("g/a/refs.1.parq"));
            fs::remove_file(folder.join("g/a/refs.1.parq")).unwrap();
        }
        assert_eq!(foreign(&folder).unwrap(), None);
        for text in ["", "{}", r#"{"metadata":{".zgroup":{}}}"#, r#"{"record_size":"3"}"#] {
            write(METADATA, text);
            assert_eq!(foreign(&folder).unwrap().as_deref(), Some("g/.zgroup"), "{text}");
        }
        fs::remove_dir_all(folder.join("g")).unwrap();
        assert_eq!(foreign(&folder).unwrap().as_deref(), Some(METADATA));
    }
}
