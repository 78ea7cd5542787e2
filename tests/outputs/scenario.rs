// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands that write, each with what is there before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Every file below a folder with its bytes, links with where they lead; folders count too.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A command that writes something into a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Commands that make what is there before.
    pub(crate) before: &'static [&'static str],
    /// The command. `IN` is the folder of the inputs, `OUT` that of the outputs.
    pub(crate) command: &'static str,
    /// Whether it writes several outputs, of which some may be old and some new.
    pub(crate) several: bool,
}

const ONE: Scenario = Scenario { name: "", before: &[], command: "", several: false };

/// One for each command and each kind of output, over nothing and over an older output.
pub(crate) const SCENARIOS: [Scenario; 15] = [
    Scenario { name: "scan", command: "scan IN/a.nc -o OUT/x.json", ..ONE },
    Scenario {
        name: "scan over another",
        before: &["scan IN/b.nc -o OUT/x.json"],
        command: "scan IN/a.nc -o OUT/x.json",
        ..ONE
    },
    Scenario {
        name: "scan of many, the first of which is there",
        before: &["scan IN/a.nc -o OUT/all/"],
        command: "scan IN/a.nc IN/b.nc IN/c.nc -o OUT/all/ --resume",
        several: true,
    },
    Scenario {
        name: "scan to Parquet",
        before: &["scan IN/b.nc -o OUT/x.parq"],
        command: "scan IN/a.nc -o OUT/x.parq --record-size 1",
        ..ONE
    },
    Scenario {
        name: "build",
        before: &["build IN/a.nc --concat t -o OUT/cube.json.gz"],
        command: "build IN/a.nc IN/b.nc --concat t -o OUT/cube.json.gz",
        ..ONE
    },
    Scenario {
        name: "build to Parquet",
        command: "build IN/a.nc IN/b.nc --concat t -o OUT/cube.parq --record-size 1",
        ..ONE
    },
    Scenario {
        name: "append",
        before: &["build IN/a.nc IN/b.nc --concat t -o OUT/cube.json"],
        command: "append OUT/cube.json IN/c.nc",
        ..ONE
    },
    Scenario {
        name: "append to Parquet",
        before: &["build IN/a.nc IN/b.nc --concat t -o OUT/cube.parq --record-size 1"],
        command: "append OUT/cube.parq IN/c.nc --record-size 1",
        ..ONE
    },
    Scenario {
        name: "combine",
        before: &["scan IN/a.nc -o OUT/a.json", "scan IN/b.nc -o OUT/b.json"],
        command: "combine OUT/a.json OUT/b.json --concat t -o OUT/cube.json.zst",
        ..ONE
    },
    Scenario {
        name: "convert to Parquet",
        before: &["scan IN/a.nc -o OUT/a.json", "scan IN/b.nc -o OUT/x.parq"],
        command: "convert OUT/a.json OUT/x.parq",
        ..ONE
    },
    Scenario {
        name: "convert to JSON",
        before: &["scan IN/a.nc -o OUT/a.parq", "scan IN/b.nc -o OUT/x.json"],
        command: "convert OUT/a.parq OUT/x.json",
        ..ONE
    },
    Scenario {
        name: "report",
        before: &["report IN/b.nc -o OUT/x.html"],
        command: "report IN/a.nc -o OUT/x.html",
        ..ONE
    },
    Scenario { name: "cat as text", command: "cat IN/a.nc v -o OUT/v.txt", ..ONE },
    Scenario {
        name: "cat as CSV",
        before: &["cat IN/b.nc v -o OUT/v.csv"],
        command: "cat IN/a.nc v -o OUT/v.csv",
        ..ONE
    },
    Scenario {
        name: "cat for numpy",
        before: &["cat IN/b.nc v -o OUT/v.npy"],
        command: "cat IN/a.nc v -o OUT/v.npy",
        ..ONE
    },
];

impl Scenario {
    /// Words of a command, with the folders put in.
    pub(crate) fn words(command: &str, input: &Path, output: &Path) -> Vec<String> {
        let word = |word: &str| {
            let word = match word.strip_prefix("IN/") {
                Some(rest) => format!("{}/{rest}", input.display()),
                None => word.to_owned(),
            };
            match word.strip_prefix("OUT/") {
                Some(rest) => format!("{}/{rest}", output.display()),
                None => word,
            }
        };
        command.split(' ').map(word).collect()
    }

    /// The state before the command, and after it, in `output`. `must` runs a command, which must succeed.
    #[track_caller]
    pub(crate) fn states(&self, output: &Path, must: impl Fn(&str)) -> (Tree, Tree) {
        plant(&Tree::new(), output);
        for command in self.before {
            must(command);
        }
        let old = tree(output);
        must(self.command);
        let new = tree(output);
        assert!(old != new && !new.keys().any(|path| is_left_over(path)), "{}", self.name);
        (old, new)
    }
}

/// A folder of small files of NetCDF classic, one time each.
pub(crate) fn inputs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
        let bytes = netcdf(f64::from(u8::try_from(number).unwrap()), "v");
        fs::write(folder.path().join(name).with_extension("nc"), bytes).unwrap();
    }
    folder
}

/// NetCDF classic with `t(t)` and a variable of `(t, x)`.
/// Spec: <https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html>.
pub(crate) fn netcdf(time: f64, variable: &str) -> Vec<u8> {
    fn number(bytes: &mut Vec<u8>, value: u32) {
        bytes.extend(value.to_be_bytes());
    }
    fn name(bytes: &mut Vec<u8>, text: &str) {
        number(bytes, u32::try_from(text.len()).unwrap());
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let header = |begin: u32| {
        let mut bytes = b"CDF\x01\0\0\0\0".to_vec();
        for value in [10, 2] {
            number(&mut bytes, value);
        }
        for (dimension, length) in [("t", 1), ("x", 4)] {
            name(&mut bytes, dimension);
            number(&mut bytes, length);
        }
        for value in [0, 0, 11, 2] {
            number(&mut bytes, value);
        }
        name(&mut bytes, "t");
        // One dimension, no attributes, doubles.
        for value in [1, 0, 0, 0, 6, 8, begin] {
            number(&mut bytes, value);
        }
        name(&mut bytes, variable);
        for value in [2, 0, 1, 0, 0, 6, 32, begin + 8] {
            number(&mut bytes, value);
        }
        bytes
    };
    let mut bytes = header(u32::try_from(header(0).len()).unwrap());
    for value in [time, time, time + 0.25, time + 0.5, time + 0.75] {
        bytes.extend(value.to_be_bytes());
    }
    bytes
}

/// What is below a folder.
pub(crate) fn tree(root: &Path) -> Tree {
    let (mut found, mut folders) = (Tree::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap().to_owned(), bytes);
        }
    }
    found
}

/// Makes `root` hold a tree and nothing else.
pub(crate) fn plant(tree: &Tree, root: &Path) {
    let _ = fs::remove_dir_all(root);
    fs::create_dir_all(root).unwrap();
    for (path, bytes) in tree {
        let folder = tree.keys().any(|other| other != path && other.starts_with(path));
        if folder {
            fs::create_dir_all(root.join(path)).unwrap();
        } else {
            fs::write(root.join(path), bytes).unwrap();
        }
    }
}

/// Names that only this program gives, and only for a moment.
pub(crate) fn is_left_over(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part.starts_with(".chunkref-") || part.ends_with(".chunkref-old")
    })
}

/// Whether every file is of the one state or the other, and with one output all of them are of the same.
pub(crate) fn is_old_or_new(found: &Tree, old: &Tree, new: &Tree, several: bool) -> bool {
    if !several {
        return found == old || found == new;
    }
    let known = |path: &PathBuf, bytes: &Vec<u8>| {
        old.get(path) == Some(bytes) || new.get(path) == Some(bytes)
    };
    found.iter().all(|(path, bytes)| known(path, bytes))
        && old.keys().all(|path| found.contains_key(path))
}
