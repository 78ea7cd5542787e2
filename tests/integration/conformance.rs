// SPDX-License-Identifier: MIT OR Apache-2.0
//! The traits' contracts, held against what the workspace ships.

use std::fs;

use chunkref::Registry;
use chunkref_testkit::conformance::{self, Sample};

use crate::environment::fixtures;

/// Small files with structures of every kind, and the rounds that reading them takes on a source without a cache: the
/// signature, the head, and what lies behind it, which is nothing for files as small as these.
const SAMPLES: [(&str, &str); 5] = [
    ("hdf5", "contiguous.v1.h5"),
    ("hdf5", "compact.latest.h5"),
    ("hdf5", "extensible_axes.v110.h5"),
    ("hdf5", "links.v108.h5"),
    ("netcdf4", "coordinates.nc"),
];

fn samples() -> Vec<Sample> {
    SAMPLES
        .iter()
        .map(|&(folder, name)| {
            let bytes = fs::read(fixtures(folder).join(name)).unwrap();
            assert!(bytes.len() < 64 << 10, "{name} is too long to be cut at every byte");
            Sample { name, bytes: bytes.into(), rounds: 2 }
        })
        .collect()
}

#[test]
fn the_hdf5_scanner_keeps_its_contract() {
    let registry = Registry::linked().unwrap();
    let entry = registry.by_name("hdf5").unwrap();
    conformance::scanner(entry, &samples()).unwrap();
}

/// One round for the head, which small files fit, one for what the references hold themselves.
const GRIB_SAMPLES: [&str; 8] = [
    "bitmap_of_before",
    "both_editions",
    "fields_2_to_7",
    "grid_lambert",
    "junk_between",
    "members",
    "missing_values",
    "second_order",
];

#[test]
fn the_grib_scanner_keeps_its_contract() {
    let registry = Registry::linked().unwrap();
    let samples = GRIB_SAMPLES.map(|name| {
        let bytes = fs::read(fixtures("grib2").join(name).with_extension("grib2")).unwrap();
        Sample { name, bytes: bytes.into(), rounds: 2 }
    });
    conformance::scanner(registry.by_name("grib").unwrap(), &samples).unwrap();
}

#[test]
fn the_netcdf3_scanner_keeps_its_contract() {
    let registry = Registry::linked().unwrap();
    let names =
        ["types.cdf1", "types.cdf5", "odd_records.cdf2", "one_record_i2.cdf1", "fill_values.cdf1"];
    let samples = names.map(|name| {
        let bytes = fs::read(fixtures("netcdf3").join(format!("{name}.nc"))).unwrap();
        Sample { name, bytes: bytes.into(), rounds: 2 }
    });
    conformance::scanner(registry.by_name("netcdf3").unwrap(), &samples).unwrap();
}

#[test]
fn linked_formats_can_be_told_apart() {
    let files = conformance::signatures(&Registry::linked().unwrap()).unwrap();
    // 161 places of GRIB, 8 of HDF5, 3 signatures of NetCDF at the start, in pairs.
    assert!(files > 29_000, "{files}");
}
