// SPDX-License-Identifier: MIT OR Apache-2.0
//! The references of a few fixtures, line by line, so that a change of the output shows in a difference.
//!
//! `UPDATE_GOLDEN=1` rewrites them. They depend on where the pinned h5py and netCDF4 put the bytes.

use crate::environment::{chunkref, fixtures, root, said};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::{env, fs};

const FIXTURES: [&str; 25] = [
    "hdf5/attributes.v1.h5",
    "hdf5/btree_v1_narrow.v1.h5",
    "hdf5/btree_v2.v110.h5",
    "hdf5/compact.latest.h5",
    "hdf5/compounds.v1.h5",
    "hdf5/deflate_and_shuffle.v1.h5",
    "hdf5/dimension_scales.v1.h5",
    "hdf5/extensible_axes.v110.h5",
    "hdf5/fill_values.latest.h5",
    "hdf5/fixed_array_700.v110.h5",
    "hdf5/implicit.latest.h5",
    "hdf5/links.v108.h5",
    "hdf5/user_block_512.v1.h5",
    "netcdf4/coordinates.nc",
    "netcdf4/dimensions.nc",
    "netcdf4/groups.nc",
    "grib2/accumulations.grib2",
    "grib2/bitmap_of_before.grib2",
    "grib2/both_editions.grib2",
    "grib2/grid_lambert.grib2",
    "grib2/members.grib2",
    "grib2/soil_layers.grib2",
    "netcdf3/fill_values.cdf1.nc",
    "netcdf3/odd_records.cdf2.nc",
    "netcdf3/types.cdf5.nc",
];
/// Most lines of a golden file; what follows is counted.
const MOST_LINES: usize = 300;

#[test]
fn golden_references_are_what_the_scan_gives() {
    let folder = |kind: &str| {
        root().join("tests/golden").join(if kind == "netcdf4" { "hdf5" } else { kind })
    };
    let update = env::var_os("UPDATE_GOLDEN").is_some();
    let mut expected = BTreeSet::new();
    let mut different = Vec::new();
    for fixture in FIXTURES {
        let (kind, name) = fixture.split_once('/').unwrap();
        let found = references(&fixtures(kind).join(name));
        let folder = folder(kind);
        let golden = folder.join(format!("{name}.refs"));
        expected.insert(golden.clone());
        if update {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&golden, &found).unwrap();
            continue;
        }
        let Ok(wanted) = fs::read_to_string(&golden) else {
            different.push(format!("{} is missing", golden.display()));
            continue;
        };
        if let Some((number, (wanted, found))) = wanted
            .lines()
            .zip(found.lines())
            .enumerate()
            .find(|(_, (wanted, found))| wanted != found)
        {
            different
                .push(format!("{name}, line {}:\n  golden {wanted}\n  found  {found}", number + 1));
        } else if wanted != found {
            different.push(format!(
                "{name}: {} lines, found {}",
                wanted.lines().count(),
                found.lines().count()
            ));
        }
    }
    for folder in ["hdf5", "grib2", "netcdf3"].map(folder) {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
            panic!("{}: {error}: run `cargo xtask golden`", folder.display())
        });
        for entry in entries {
            let path = entry.unwrap().path();
            assert!(
                expected.contains(&path),
                "{} belongs to no fixture: delete it",
                path.display()
            );
        }
    }
    assert!(
        different.is_empty(),
        "look at these, then run `cargo xtask golden`:\n{}",
        different.join("\n")
    );
}

/// One reference per line: the key, a tab, and either place and length or the text as JSON writes it.
fn references(path: &std::path::Path) -> String {
    let output = chunkref(["scan".as_ref(), path.as_os_str()]);
    assert!(output.status.success(), "{}: {}", path.display(), said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let location = format!("file://{}", path.display());
    let mut text = String::new();
    let references = document["refs"].as_object().expect("kerchunk JSON has an object `refs`");
    for (key, reference) in references.iter().take(MOST_LINES) {
        match reference {
            Value::Array(parts) => {
                let url = parts[0].as_str().unwrap();
                let url = if url == location { "{file}" } else { url.rsplit('/').next().unwrap() };
                let place: Vec<String> = parts[1..].iter().map(Value::to_string).collect();
                writeln!(text, "{key}\t{url} {}", place.join(" ")).unwrap();
            }
            inline => writeln!(text, "{key}\t{inline}").unwrap(),
        }
    }
    if references.len() > MOST_LINES {
        writeln!(text, "and {} more", references.len() - MOST_LINES).unwrap();
    }
    text
}
