// SPDX-License-Identifier: MIT OR Apache-2.0
//! GRIB beside cfgrib, kerchunk and ecCodes: what differs is listed here with its reason, and nothing else may.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::environment::{corpus, files, fixtures, program, python, said, script};

/// The lines that one of the scripts writes.
fn findings(name: &str, files: &[PathBuf]) -> Vec<Value> {
    let output =
        Command::new(python()).arg(script(name)).arg(program()).args(files).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(finding: &'a Value, name: &str) -> &'a str {
    finding[name].as_str().unwrap()
}

/// File, fields that only the references have, fields that only cfgrib has, why.
const CFGRIB: [(&str, u64, u64, &str); 8] = [
    (
        "accumulations",
        2,
        2,
        "0-1-8: ecCodes has it for other centres, and calls it unknown; gribberish's tables have an abbreviation",
    ),
    (
        "both_editions",
        1,
        1,
        "edition 1: cfgrib has number 0 where the message tells of no ensemble",
    ),
    ("derived", 1, 0, "cfgrib keeps one of mean and spread"),
    ("percentiles", 2, 0, "cfgrib keeps one of three percentiles"),
    ("probabilities", 1, 0, "cfgrib keeps one of two limits"),
    ("repeated", 1, 0, "cfgrib keeps one of two fields of the same coordinates"),
    (
        "soil_layers",
        4,
        4,
        "no table has it for this centre: a name of its own for each such parameter, not `unknown`",
    ),
    ("unknown_parameter", 1, 1, "the same"),
];

#[test]
fn names_and_levels_are_those_of_cfgrib() {
    let mut paths = files(&fixtures("grib2"), &["grib2"]);
    // They differ by octets that cfgrib does not look at, and are compared with ecCodes.
    paths.retain(|path| !path.file_name().unwrap().to_string_lossy().starts_with("template_"));
    let (mut differences, mut same) = (BTreeMap::<String, (u64, u64)>::new(), 0);
    for finding in findings("grib_cfgrib.py", &paths) {
        let count = finding["count"].as_u64().unwrap();
        let file = text(&finding, "file").trim_end_matches(".grib2").to_owned();
        match text(&finding, "verdict") {
            "same" => same += count,
            "ours" => differences.entry(file).or_default().0 += count,
            "cfgrib" => differences.entry(file).or_default().1 += count,
            _ => panic!("{finding}"),
        }
    }
    let known = CFGRIB.iter().map(|&(file, ours, theirs, _)| (file.to_owned(), (ours, theirs)));
    assert_eq!(differences, known.collect());
    assert!(same >= 100, "{same}");
}

/// Differences from `scan_grib` of kerchunk 0.2.10 that are meant; docs/formats/grib2.md says why.
const KERCHUNK: [&str; 16] = [
    "document",
    " .zattrs: coordinates",
    " .zmetadata: more",
    "GRIB_discipline",
    "GRIB_parameterCategory",
    "GRIB_parameterNumber",
    "GRIB_cfName",
    "standard_name",
    "GRIB_variant",
    "GRIB_md5GridSection",
    "grid_mapping",
    "bounds",
    "chunk: reference",
    "number of datasets",
    "kerchunk fails",
    "same",
];

/// Files and what else differs in them.
const KERCHUNK_FILES: [(&str, &str); 10] = [
    // ecCodes calls these unknown.
    ("accumulations", "variable or level"),
    ("soil_layers", "variable or level"),
    ("unknown_parameter", "variable or level"),
    // Grids whose keys cfgrib does not list.
    ("grid_mercator", "variable or level .zattrs: GRIB_"),
    // And grids on maps, whose mapping and places it does not have.
    ("grid_polar_stereographic", "variable or level"),
    ("grid_lambert", "variable or level"),
    ("grid_rotated_ll", "variable or level"),
    // The coordinate of percentiles.
    ("percentiles", "variable or level"),
    // The limits of events.
    ("probabilities", "variable or level"),
    // A quarter of an hour is 0.25 hours, not 15.
    ("minutes", "step"),
];

#[test]
fn one_dataset_a_message_is_what_kerchunk_writes() {
    let mut paths = files(&fixtures("grib2"), &["grib2"]);
    paths.retain(|path| {
        let name = path.file_stem().unwrap().to_string_lossy();
        // With junk at its end a file takes kerchunk for ever.
        !name.starts_with("template_") && name != "junk_between"
    });
    let (mut same, mut seen, mut amiss) = (0, BTreeSet::new(), Vec::new());
    for finding in findings("grib_kerchunk.py", &paths) {
        let (file, difference) = (text(&finding, "file"), text(&finding, "difference"));
        if difference == "same" {
            same += finding["count"].as_u64().unwrap();
        }
        let of_file = || {
            KERCHUNK_FILES
                .iter()
                .any(|(name, kind)| file == format!("{name}.grib2") && difference.starts_with(kind))
        };
        let bounds = file == "ecmwf_parameters.grib2" && difference.ends_with(": more");
        if let Some(known) = KERCHUNK.iter().find(|known| difference.ends_with(**known)) {
            seen.insert(*known);
        } else if !of_file() && !bounds {
            amiss.push(finding.to_string());
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
    assert!(same >= 14_000 && seen.len() >= 12, "{same} equal entries, {seen:?}");
}

/// Real files whose references differ from ecCodes, and are right: file, verdict, part of the detail, why.
const CORPUS: [(&str, &str, &str, &str); 8] = [
    ("alternate-scanning", "absent", "", "alternating rows"),
    ("ds.waveh.5", "absent", "", "alternating rows"),
    ("nbm-asnow", "absent", "", "alternating rows"),
    ("alternate-scanning", "noted", "latitude and longitude", "what is left out is told"),
    ("ds.waveh.5", "noted", "latitude and longitude", "what is left out is told"),
    ("nbm-asnow", "noted", "latitude and longitude", "what is left out is told"),
    ("gdal__polar_stereographic", "noted", "does not compute", "an ellipsoid: ecCodes has none"),
    ("rouault-gdal", "different", "level: None for 0", "the kind of surface is missing"),
];

#[test]
fn real_files_read_as_eccodes_reads_them() {
    let Some(paths) = corpus("grib2") else { return println!("no such files on this machine") };
    let (mut amiss, mut fields) = (Vec::new(), 0);
    for finding in findings("grib_differential.py", &paths) {
        let (name, verdict) = (text(&finding, "file"), text(&finding, "verdict"));
        let (kind, detail) = (text(&finding, "kind"), text(&finding, "detail"));
        fields += u64::from(kind == "field");
        let fine = ["exact", "near", "same", "opened"].contains(&verdict);
        let known = (["key", "coordinate"].contains(&kind) || verdict == "noted")
            && CORPUS.iter().any(|(file, seen, part, _)| {
                name.contains(file) && verdict == *seen && detail.contains(part)
            });
        if !fine && !known {
            amiss.push(finding.to_string());
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
    assert!(fields >= 900, "{fields}");
}
