// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields by index sidecars alone are those of scans, and sidecars of other files are found out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::ObjectVersion;
use chunkref_core::{
    ByteSource, MemorySource, Scan, ScanError, ScanErrorKind, ScanOptions, Scanner as _,
    SourceError,
};
use futures::executor::block_on;

use crate::Grib2Scanner;
use crate::cost_tests::message;

/// An object among those of its folder.
#[derive(Debug)]
struct Beside(MemorySource, BTreeMap<String, Bytes>);

impl Beside {
    fn new(name: &str, folder: &BTreeMap<String, Bytes>) -> Option<Self> {
        let bytes = folder.get(name)?.clone();
        Some(Self(MemorySource::new(format!("memory://a/{name}"), bytes), folder.clone()))
    }
}

#[async_trait]
impl ByteSource for Beside {
    fn location(&self) -> &str {
        self.0.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.0.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        self.0.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        match Self::new(path, &self.1) {
            Some(source) => Ok(Box::new(source)),
            None => self.0.open_sibling(path).await,
        }
    }
}

/// Where messages of edition 2 that [`message`] makes have their hours ahead and their level.
const HOURS: usize = 130;
const LEVEL: usize = 136;

/// The run of an hour at a step: fields on four levels.
fn run(hour: usize, step: u8) -> (Vec<u8>, String) {
    let (mut file, mut index) = (Vec::new(), String::new());
    for level in 1..=4_u8 {
        let mut bytes = message(2, hour, 700 + usize::from(level) * 10);
        (bytes[HOURS], bytes[LEVEL]) = (step, level);
        let ahead = format!("{step} hour fcst");
        let begin = file.len();
        writeln!(index, "{level}:{begin}:d=20000101{hour:02}:TMP:{level} m above ground:{ahead}:")
            .unwrap();
        file.extend(bytes);
    }
    (file, index)
}

/// Runs of three hours, of which the first is the template under a name of its own.
fn archive(template: &str) -> BTreeMap<String, Bytes> {
    let mut folder = BTreeMap::new();
    for (name, hour, step) in [(template, 0, 3), ("b.grib2", 6, 9), ("c.grib2", 12, 24)] {
        let (file, index) = run(hour, step);
        folder.insert(name.to_owned(), file.into());
        folder.insert(format!("{name}.idx"), index.into());
    }
    folder
}

fn scan(
    folder: &BTreeMap<String, Bytes>,
    name: &str,
    options: &ScanOptions,
) -> Result<Scan, ScanError> {
    block_on(Grib2Scanner.scan(&Beside::new(name, folder).unwrap(), options))
}

fn only(template: &str, check: &str) -> ScanOptions {
    ScanOptions::default()
        .with_format_option("grib.index", "only")
        .with_format_option("grib.template", template)
        .with_format_option("grib.check", check)
}

#[test]
fn references_are_those_of_a_scan() {
    let mut folder = archive("same.grib2");
    // A line that the template has not: its header is read.
    let (mut file, mut index) = run(18, 6);
    let begin = file.len();
    let mut bytes = message(2, 18, 900);
    (bytes[HOURS], bytes[LEVEL]) = (6, 9);
    file.extend(bytes);
    writeln!(index, "5:{begin}:d=2000010118:TMP:9 m above ground:6 hour fcst:").unwrap();
    folder.insert("d.grib2".to_owned(), file.into());
    folder.insert("d.grib2.idx".to_owned(), index.into());
    for name in ["same.grib2", "b.grib2", "c.grib2", "d.grib2"] {
        for layout in ["tree", "flat", "messages"] {
            let scanned = ScanOptions::default().with_format_option("grib.layout", layout);
            let expected = scan(&folder, name, &scanned).unwrap();
            for check in ["0", "1", "99"] {
                let options = only("same.grib2", check).with_format_option("grib.layout", layout);
                assert_eq!(
                    scan(&folder, name, &options).unwrap(),
                    expected,
                    "{name} {layout} {check}"
                );
            }
        }
    }
}

#[test]
fn sidecars_of_other_files_are_found_out() {
    let text = |folder: &BTreeMap<String, Bytes>, name: &str| {
        String::from_utf8(folder[name].to_vec()).unwrap()
    };
    let whole = archive("found.grib2");
    let index = text(&whole, "b.grib2.idx");
    let shifted: String = index
        .lines()
        .map(|line| {
            let mut words: Vec<_> = line.split(':').map(str::to_owned).collect();
            words[1] = (words[1].parse::<u64>().unwrap() + 8).to_string();
            words.join(":") + "\n"
        })
        .collect();
    for (wrong, reason) in [
        (shifted, "no GRIB message begins there"),
        (index.replace("d=2000010106", "d=2000010112"), "reference time"),
        (index.replace("9 hour", "10 hour"), "step is"),
        (index.replace("4 m above", "7 m above").replace("1 m above", "4 m above"), "level is 1"),
        (text(&whole, "c.grib2.idx").replace("d=2000010112", "d=2000010106"), "step is"),
        (index.replace(":710:", ":700:"), "it has"),
        (index.replace(":710:", ":9999999:"), "index of another file"),
    ] {
        let mut folder = whole.clone();
        folder.insert("b.grib2.idx".to_owned(), wrong.clone().into());
        let error = scan(&folder, "b.grib2", &only("found.grib2", "99")).unwrap_err();
        let said = error.source.to_string();
        assert!(said.contains(reason), "{said}, not {reason}: {wrong}");
        assert!(said.contains("b.grib2.idx"), "{said}");
    }
}

#[test]
fn what_is_missing_is_told() {
    let mut folder = archive("told.grib2");
    let without = ScanOptions::default().with_format_option("grib.index", "only");
    let error = scan(&folder, "b.grib2", &without).unwrap_err();
    assert!(error.source.to_string().contains("grib.template"), "{}", error.source);
    let error = scan(&folder, "b.grib2", &only("none.grib2", "1")).unwrap_err();
    assert_eq!(error.kind, ScanErrorKind::NotFound);
    folder.remove("told.grib2.idx");
    let error = scan(&folder, "b.grib2", &only("told.grib2", "1")).unwrap_err();
    assert!(error.source.to_string().contains("template has no index"), "{}", error.source);
    folder.remove("b.grib2.idx");
    let error = scan(&folder, "b.grib2", &only("told.grib2", "1")).unwrap_err();
    assert!(error.source.to_string().contains("none beside the file"), "{}", error.source);
}
