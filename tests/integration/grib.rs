// SPDX-License-Identifier: MIT OR Apache-2.0
//! GRIB: every field equals what ecCodes reads, in every layout, and a scan costs what the file's structure asks for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use chunkref::store::{Cost, Counted, LocalSource, Location};
use chunkref::{Scan, ScanOptions, scan_source};
use futures::executor::block_on;
use serde_json::Value;

use crate::environment::{files, fixtures, program, python, said, script};

/// Keys that differ from ecCodes', and are right: file, what differs, why.
const KNOWN: [(&str, &str, &str); 2] = [
    ("soil_layers.grib2", "level: 0.1 for 0", "ecCodes cuts levels to whole numbers"),
    ("soil_layers.grib2", "level: 0.4 for 0", "ecCodes cuts levels to whole numbers"),
];

#[test]
fn fixtures_read_as_eccodes_reads_them() {
    let output = Command::new(python())
        .arg(script("grib_differential.py"))
        .arg(program())
        .args(files(&fixtures("grib2"), &["grib2"]))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let (mut counts, mut amiss, mut known) = (BTreeMap::new(), Vec::new(), 0);
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let fine = ["exact", "near", "same", "opened"].contains(&text("verdict").as_str());
        let is_known = KNOWN
            .iter()
            .any(|(file, detail, _)| *file == text("file") && *detail == text("detail"));
        if fine {
            *counts.entry(format!("{} {}", text("layout"), text("kind"))).or_insert(0) += 1;
        } else if is_known {
            known += 1;
        } else {
            amiss.push(line.to_owned());
        }
    }
    assert!(amiss.is_empty(), "{} differences:\n{}", amiss.len(), amiss.join("\n"));
    assert_eq!(known, KNOWN.len(), "a known difference does not occur any more");
    for (what, least) in [
        ("messages field", 152),
        ("tree field", 152),
        ("flat field", 152),
        ("tree place", 152),
        ("flat place", 152),
        ("messages key", 1421),
        ("messages coordinate", 302),
        // Windows of several lengths are one group.
        ("tree xarray", 138),
        ("flat xarray", 74),
    ] {
        assert!(counts.get(what) >= Some(&least), "{what}: {counts:?}");
    }
}

fn scan(path: &Path, options: &ScanOptions) -> (Scan, Cost) {
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let source = Counted::new(LocalSource::open(location).unwrap());
    let scan = block_on(scan_source(&source, options)).unwrap();
    let cost = source.cost();
    (scan, cost)
}

const MESSAGES: usize = 170;

/// A message with the sections of `sample` and a data section of so many bytes.
fn swollen(sample: &[u8], level: u32, data_bytes: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = &sample[16..sample.len() - 4];
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let mut section = rest[..length].to_vec();
        match section[4] {
            4 => section[24..28].copy_from_slice(&level.to_be_bytes()),
            7 => {
                let padding = (0_u8..=250).cycle().take(data_bytes);
                section.extend(padding);
                let length = u32::try_from(section.len()).unwrap();
                section[..4].copy_from_slice(&length.to_be_bytes());
            }
            _ => {}
        }
        body.extend(section);
        rest = &rest[length..];
    }
    let mut message = sample[..8].to_vec();
    message.extend((body.len() as u64 + 20).to_be_bytes());
    message.extend(body);
    message.extend(b"7777");
    message
}

/// 170 messages of as different lengths as those of HRRR, and what wgrib2 lists of them.
fn hrrr_like() -> (Vec<u8>, String) {
    let sample = fs::read(fixtures("grib2").join("grid_lambert.grib2")).unwrap();
    let (mut bytes, mut index) = (Vec::new(), String::new());
    for number in 0..MESSAGES {
        let data_bytes = 20_000 + (number * 7919) % 140_000;
        writeln!(index, "{}:{}:d=2024022906:TMP:{number} mb:anl:", number + 1, bytes.len())
            .unwrap();
        bytes.extend(swollen(&sample, u32::try_from(number).unwrap() * 100 + 100, data_bytes));
    }
    (bytes, index)
}

#[test]
fn many_messages_take_few_rounds_and_few_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hrrr.grib2");
    let (bytes, index) = hrrr_like();
    fs::write(&path, &bytes).unwrap();
    let options = ScanOptions::default();
    let (plain, cost) = scan(&path, &options);
    assert!(plain.skipped.is_empty(), "{:?}", plain.skipped);
    let references =
        |scan: &Scan| scan.dataset.array("t/instant/isobaricInhPa/t").unwrap().manifest.present();
    assert_eq!(references(&plain), MESSAGES as u64);
    assert!(
        cost.rounds <= 30 && cost.bytes * 20 <= bytes.len() as u64,
        "{cost} of {}",
        bytes.len()
    );
    assert_eq!(cost, Cost { rounds: 28, requests: 188, bytes: 718_090, ..Cost::default() });

    fs::write(folder.path().join("hrrr.grib2.idx"), &index).unwrap();
    let (indexed, cost) = scan(&path, &options);
    assert_eq!(indexed, plain);
    // The signature, the heads of all messages, and sections that reach beyond them; the sidecar is a source of its own and
    // one round more, so that there are four.
    assert_eq!(cost, Cost { rounds: 3, requests: 156, bytes: 535_120, ..Cost::default() });

    // An index of another file costs rounds, and no message.
    let wrong = index.replace(":d=", "1:d=");
    fs::write(folder.path().join("hrrr.grib2.idx"), wrong).unwrap();
    assert_eq!(scan(&path, &options).0, plain);
    let without = options.with_format_option("grib.index", "no");
    assert_eq!(scan(&path, &without).0, plain);
}

#[test]
fn filters_keep_what_they_name() {
    let path = fixtures("grib2").join("near_the_ground.grib2");
    let names = |filter: &str| {
        let options = ScanOptions::default().with_format_option("grib.filter", filter);
        let scan = scan(&path, &options).0;
        assert!(scan.skipped.is_empty());
        scan.dataset.root.groups.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names("typeOfLevel=heightAboveGround"), ["t2m", "u10", "v10"]);
    assert_eq!(names("shortName=2t|10u,level=10"), ["u10"]);
    assert!(names("shortName=none").is_empty());
    let location = Location::parse(path.to_str().unwrap()).unwrap();
    let source = LocalSource::open(location).unwrap();
    let options = ScanOptions::default().with_format_option("grib.filter", "colour=red");
    let error = block_on(scan_source(&source, &options)).unwrap_err();
    assert!(error.source.to_string().contains("\"colour\""), "{:?}", error.source);
}

#[test]
fn every_message_is_referenced_or_skipped() {
    let sound = fs::read(fixtures("grib2").join("steps.grib2")).unwrap();
    let length = sound.len() / 3;
    let folder = tempfile::tempdir().unwrap();
    let count = |bytes: &[u8]| {
        let path = folder.path().join("a.grib2");
        fs::write(&path, bytes).unwrap();
        let scan = scan(&path, &ScanOptions::default()).0;
        let array = scan.dataset.array("t2m/instant/heightAboveGround/t2m");
        (array.map_or(0, |array| array.manifest.present()), scan.skipped)
    };
    assert_eq!(count(&sound), (3, Vec::new()));
    // The end section of the second message is gone.
    let mut damaged = sound.clone();
    damaged[2 * length - 1] = 0;
    let (references, skipped) = count(&damaged);
    assert_eq!((references, skipped.len()), (2, 1));
    assert_eq!(skipped[0].offset, Some(length as u64));
    assert!(skipped[0].reason.contains("does not end with 7777"), "{}", skipped[0].reason);
    // The last message is cut.
    let (references, skipped) = count(&sound[..sound.len() - 9]);
    assert_eq!((references, skipped.len()), (2, 1));
    assert!(skipped[0].reason.contains("cut off"), "{}", skipped[0].reason);
    // A section that is longer than its message.
    let mut damaged = sound;
    damaged[length + 16..length + 20].copy_from_slice(&[0, 1, 0, 0]);
    let (references, skipped) = count(&damaged);
    assert_eq!((references, skipped.len()), (2, 1));
    assert!(skipped[0].reason.contains("section"), "{}", skipped[0].reason);
}
