// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of all targets.

#[cfg(feature = "sets")]
use crate::cubes;
#[cfg(feature = "front-end")]
use crate::words;
use crate::{codecs, formats, seeds, sets, skeleton};

/// One thing to fuzz.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, that of the file in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Does with an input what the target is about; panics when a property does not hold.
    pub run: fn(&[u8]),
    /// Words of its format, in libFuzzer's form.
    pub dictionary: &'static str,
    /// Inputs to begin with, of the folder of fixtures.
    pub seeds: seeds::Seeds,
}

macro_rules! dictionary {
    ($name:literal) => {
        include_str!(concat!("../../../fuzz/dictionaries/", $name, ".dict"))
    };
}

const HDF5: &str = dictionary!("hdf5");
const GRIB: &str = dictionary!("grib");
const JSON: &str = dictionary!("json");
const WORDS: &str = dictionary!("words");

const fn target(
    name: &'static str,
    run: fn(&[u8]),
    dictionary: &'static str,
    seeds: seeds::Seeds,
) -> Target {
    Target { name, run, dictionary, seeds }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("codecs", codecs::codecs, HDF5, seeds::codecs),
    #[cfg(feature = "sets")]
    target("combine", cubes::combine, JSON, seeds::none),
    target("grib_decode", codecs::grib, GRIB, seeds::grib),
    target("grib_scan", formats::grib, GRIB, seeds::grib),
    target("hdf5_chunk_index", skeleton::chunk_index, HDF5, seeds::chunk_index),
    target("hdf5_filters", skeleton::filters, HDF5, seeds::filters),
    target("hdf5_group", skeleton::group, HDF5, seeds::group),
    target("hdf5_heap", skeleton::heap, HDF5, seeds::heap),
    target("hdf5_message", skeleton::message, HDF5, seeds::message),
    target("hdf5_scan", formats::hdf5, HDF5, seeds::hdf5),
    target("hdf5_virtual", skeleton::virtual_mapping, HDF5, seeds::heap),
    #[cfg(feature = "icechunk")]
    target("icechunk", sets::icechunk, JSON, seeds::icechunk),
    target("kerchunk_json", sets::kerchunk_json, JSON, seeds::kerchunk_json),
    #[cfg(feature = "front-end")]
    target("kerchunk_packed", sets::kerchunk_packed, JSON, seeds::kerchunk_packed),
    target("netcdf3_scan", formats::netcdf3, WORDS, seeds::netcdf3),
    #[cfg(feature = "sets")]
    target("parquet", sets::parquet, JSON, seeds::parquet),
    #[cfg(feature = "front-end")]
    target("words", words::words, WORDS, seeds::words),
];

/// The target of a name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
