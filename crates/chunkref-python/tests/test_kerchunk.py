# SPDX-License-Identifier: MIT OR Apache-2.0
"""The drop-in beside kerchunk itself."""

import json
import re
import sys
import warnings

import fsspec
import h5py
import kerchunk.combine
import kerchunk.grib2
import kerchunk.hdf
import numpy as np
import pytest
import xarray as xr
import zarr

import chunkref
from chunkref.kerchunk.combine import MultiZarrToZarr, drop, merge_vars
from chunkref.kerchunk.df import refs_to_dataframe
from chunkref.kerchunk.grib2 import grib_tree, scan_grib
from chunkref.kerchunk.hdf import SingleHdf5ToZarr
from chunkref.kerchunk.netCDF3 import NetCDF3ToZarr
from conftest import ROOT, write_netcdf4


def documents(refs):
    """References with their metadata parsed."""
    return {key: json.loads(value) if "/.z" in f"/{key}" else value for key, value in refs.items()}


def opened(references):
    options = {
        "fo": references,
        "remote_protocol": "file",
        "asynchronous": True,
        "remote_options": {"asynchronous": True},
    }
    store = zarr.storage.FsspecStore(fsspec.filesystem("reference", **options), read_only=True)
    return xr.open_dataset(store, engine="zarr", consolidated=False, backend_kwargs={"zarr_format": 2}).load()


@pytest.mark.parametrize("threshold", [0, 30, 500])
def test_the_same_references_as_kerchunk(example_file, threshold):
    theirs = kerchunk.hdf.SingleHdf5ToZarr(example_file, inline_threshold=threshold).translate()
    ours = SingleHdf5ToZarr(example_file, inline_threshold=threshold).translate()
    assert ours["version"] == theirs["version"] and set(ours) == set(theirs)
    ours, theirs = documents(ours["refs"]), documents(theirs["refs"])
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        if key.endswith(".zarray"):
            # kerchunk writes HDF5's fill value, which xarray takes for missing data (ADR 7).
            value["fill_value"] = ours[key]["fill_value"]
            value["dimension_separator"] = "."
        assert ours[key] == value, key


def test_sources_of_every_kind(example_file, tmp_path):
    expected = SingleHdf5ToZarr(example_file).translate()
    named = SingleHdf5ToZarr(example_file, inline_threshold=0).translate()["refs"]["temperature/0.0.0"]
    assert named[0] == example_file
    with open(example_file, "rb") as file:
        assert SingleHdf5ToZarr(file, example_file).translate() == expected
    with fsspec.open(example_file) as file:
        assert SingleHdf5ToZarr(file, example_file).translate() == expected
    with h5py.File(example_file) as file:
        assert SingleHdf5ToZarr(file, example_file).translate() == expected
    fsspec.filesystem("memory").pipe("/drop/example.nc", open(example_file, "rb").read())
    refs = SingleHdf5ToZarr("memory://drop/example.nc", inline_threshold=0).translate()["refs"]
    assert refs["temperature/1.0.0"][0] == "memory://drop/example.nc"
    assert SingleHdf5ToZarr(example_file, spec=0).translate() == expected["refs"]
    collected = {"before": "1"}
    assert SingleHdf5ToZarr(example_file, out=collected).translate()["refs"] == {"before": "1", **expected["refs"]}
    with pytest.raises(ValueError, match="not recognised"):
        SingleHdf5ToZarr(7).translate()
    with pytest.raises(FileNotFoundError):
        SingleHdf5ToZarr(str(tmp_path / "absent.nc")).translate()


def test_groups_of_h5py(tmp_path):
    path = str(tmp_path / "groups.h5")
    with h5py.File(path, "w") as file:
        file["outer/inner/a"] = np.arange(1000)
    with h5py.File(path) as file:
        refs = SingleHdf5ToZarr(file["outer"], path).translate()["refs"]
    assert refs["inner/a/0"][0] == path and "outer/.zgroup" not in refs


def test_other_names_are_kerchunk_s_own():
    from chunkref.kerchunk import codecs, grib2

    assert grib2.parse_grib_idx is __import__("kerchunk.grib2").grib2.parse_grib_idx
    assert codecs is sys.modules["kerchunk.codecs"]
    with pytest.raises(AttributeError):
        getattr(grib2, "nothing_of_the_kind")


def test_strings_as_kerchunk_encodes_them(tmp_path):
    path = str(tmp_path / "strings.h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("s", data=["a", "bc"], dtype=h5py.string_dtype())
    leave = SingleHdf5ToZarr(path, vlen_encode="leave", inline_threshold=0).translate()
    assert leave == kerchunk.hdf.SingleHdf5ToZarr(path, vlen_encode="leave", inline_threshold=0).translate()
    with pytest.raises(NotImplementedError):
        SingleHdf5ToZarr(path, vlen_encode="other")


def test_netcdf3(example_netcdf3):
    refs = NetCDF3ToZarr(example_netcdf3, inline_threshold=0).translate()
    assert refs["refs"]["salinity/2.0"][0] == example_netcdf3
    expected = xr.open_dataset(example_netcdf3, engine="netcdf4").load()
    found = opened(refs)
    assert np.array_equal(found["salinity"], expected["salinity"]) and np.array_equal(found["depth"], expected["depth"])
    cut = NetCDF3ToZarr(example_netcdf3, inline_threshold=0, max_chunk_size=8).translate()
    assert [cut["refs"][f"depth/{n}"][2] for n in range(2)] == [8, 8]


CASES = [
    {"concat_dims": "time"},
    {"concat_dims": ["time"], "identical_dims": ["x", "y"]},
    {"concat_dims": ["time"], "coo_dtypes": {"time": "f4"}},
    {"coo_map": {"time": "cf:time"}, "concat_dims": ["time"]},
    {"coo_map": {"time": "cf:time"}, "coo_dtypes": {"time": "M8[s]"}, "concat_dims": ["time"]},
    {"coo_map": {"run": "attr:run"}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {"coo_map": {"run": "vattr:temperature:run"}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {"coo_map": {"run": "INDEX"}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {"coo_map": {"run": [5, 6, 7]}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {"coo_map": {"run": ["c", "a", "b"]}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {"coo_map": {"run": re.compile(r"(\d)\.nc")}, "concat_dims": ["run"], "identical_dims": ["time"]},
    {
        "coo_map": {"run": lambda index, group, variable, name: index * 10 + group.attrs["run"]},
        "concat_dims": ["run"],
        "identical_dims": ["time"],
    },
    {"concat_dims": ["time"], "preprocess": drop("temperature")},
    {
        "concat_dims": ["time"],
        "postprocess": lambda refs: {key: value for key, value in refs.items() if "temp" not in key},
    },
    {"concat_dims": ["time"], "inline_threshold": 0},
    {"concat_dims": ["time"], "inline_threshold": 10000},
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_combined_as_kerchunk_combines(case, example_files, tmp_path):
    options = dict(CASES[case])
    parts = [SingleHdf5ToZarr(name, inline_threshold=0).translate() for name in example_files]
    paths = {"path": example_files, "indicts": parts}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copies = json.loads(json.dumps(parts))
        theirs = kerchunk.combine.MultiZarrToZarr(
            **{**paths, "indicts": copies}, remote_protocol="file", **options
        ).translate()
        ours = MultiZarrToZarr(**paths, remote_protocol="file", **options).translate()
    assert ours["version"] == 1
    a, b = opened(ours), opened(theirs)
    assert set(a.variables) == set(b.variables) and a.sizes == b.sizes
    for name in b.variables:
        assert a[name].dims == b[name].dims, name
        assert a[name].dtype.kind == b[name].dtype.kind, name
        assert np.array_equal(a[name], b[name]), name
        # kerchunk leaves the units of numbers beside numpy's times.
        assert set(a[name].attrs) == set(b[name].attrs) - ({"units"} if case == 4 and name == "time" else set()), name
    assert a.attrs == b.attrs


def test_two_dimensions_as_kerchunk_has_them(tmp_path):
    parts = [
        SingleHdf5ToZarr(write_netcdf4(tmp_path / f"{run}{number}.nc", 2 * number, run=run)).translate()
        for run in (3, 5)
        for number in (0, 1)
    ]
    options = {
        "coo_map": {"run": "attr:run", "time": "data:time"},
        "concat_dims": ["run", "time"],
        "remote_protocol": "file",
    }
    theirs = opened(kerchunk.combine.MultiZarrToZarr(json.loads(json.dumps(parts)), **options).translate())
    ours = opened(MultiZarrToZarr(parts, **options).translate())
    for name in ("run", "time", "temperature"):
        assert ours[name].dims == theirs[name].dims and np.array_equal(ours[name], theirs[name])
    # Where nothing is, kerchunk's arrays read as anything, and ours as what means missing.
    hole = opened(MultiZarrToZarr(parts[:3], **options).translate())["temperature"]
    assert np.isnan(hole[1, 2:]).all() and np.array_equal(hole[0], ours["temperature"][0])


@pytest.mark.filterwarnings("ignore:Concatenated coordinate")
@pytest.mark.parametrize("source", ["attr:run", "vattr:temperature:units", 2.5, "INDEX"])
def test_one_input_gets_the_dimension(source, example_files):
    parts = [SingleHdf5ToZarr(example_files[1], inline_threshold=0).translate()]
    options = {
        "coo_map": {"run": source},
        "concat_dims": ["run"],
        "identical_dims": ["time"],
        "remote_protocol": "file",
    }
    theirs = opened(kerchunk.combine.MultiZarrToZarr(json.loads(json.dumps(parts)), **options).translate())
    ours = opened(MultiZarrToZarr(parts, **options).translate())
    for name in theirs.variables:
        assert ours[name].dims == theirs[name].dims and np.array_equal(ours[name], theirs[name]), name
        assert ours[name].dtype.kind == theirs[name].dtype.kind, name


def test_inputs_and_outputs_of_every_kind(example_files, tmp_path):
    files = []
    for number, name in enumerate(example_files):
        files.append(str(tmp_path / f"{number}.json"))
        with open(files[-1], "w") as file:
            json.dump(SingleHdf5ToZarr(name).translate(), file)
    combined = MultiZarrToZarr(files, concat_dims="time", remote_protocol="file")
    out = str(tmp_path / "combined.json")
    found = combined.translate(out)
    assert json.load(open(out)) == found
    assert MultiZarrToZarr(str(tmp_path / "[0-2].json"), concat_dims="time").translate() == found
    assert combined.coos["time"].tolist() == [0, 1, 2, 3, 4, 5]
    collected = {}
    MultiZarrToZarr(files, concat_dims="time", out=collected).translate()
    assert collected == found["refs"]
    first = MultiZarrToZarr(files[:2], concat_dims="time").translate()
    assert opened(MultiZarrToZarr.append(files[2:], first, concat_dims="time").translate()).identical(opened(found))
    refs_to_dataframe(found, str(tmp_path / "out.parq"), record_size=10)
    assert chunkref.References.open(tmp_path / "out.parq").to_dict(consolidated=False) == found
    refs_to_dataframe(out, "memory://combined.parq")
    assert fsspec.filesystem("memory").exists("/combined.parq/time/refs.0.parq")
    with pytest.raises(ValueError, match="also be identical"):
        MultiZarrToZarr(files, concat_dims="time", identical_dims=["time"])


def test_variables_of_several_files(tmp_path):
    parts = []
    for name in ("a", "b"):
        path = str(tmp_path / f"{name}.h5")
        with h5py.File(path, "w") as file:
            file[name] = np.arange(200.0) + ord(name)
            file[name].dims[0].label = "x"
        parts.append(SingleHdf5ToZarr(path).translate())
    assert set(merge_vars(parts)["refs"]) >= {"a/0", "b/0"}
    combined = MultiZarrToZarr(parts, concat_dims=["var"])
    assert set(opened(combined.translate()).variables) == {"a", "b"} and combined.coos["var"].tolist() == ["a", "b"]
    one = opened(MultiZarrToZarr(parts, coo_map={"name": "VARNAME", "var": "value"}).translate())
    assert one["value"].dims[0] == "name" and one["name"].values.tolist() == ["a", "b"]
    assert one["value"].values[:, 0].tolist() == [ord("a"), ord("b")]


def test_what_kerchunk_does_not_see_is_a_warning(tmp_path):
    parts = [SingleHdf5ToZarr(write_netcdf4(tmp_path / f"{number}.nc", 2 * number)).translate() for number in range(2)]
    key = "temperature/.zattrs"
    parts[1]["refs"][key] = parts[1]["refs"][key].replace('"K"', '"degC"')
    with pytest.warns(UserWarning, match="(?s)units differs.*as in kerchunk"):
        combined = MultiZarrToZarr(parts, concat_dims="time").translate()
    assert json.loads(combined["refs"][key])["units"] == "K"


GRIB = ["accumulations", "ccsds", "members", "near_the_ground", "pressure_levels", "repeated", "steps"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", GRIB)
def test_grib(name):
    path = ROOT / f"target/fixtures/grib2/{name}.grib2"
    messages = scan_grib(str(path))
    theirs = kerchunk.grib2.scan_grib(str(path))
    assert len(messages) == len(theirs) and scan_grib(str(path), skip=1) == messages[:1]
    assert all(
        set(one) == set(other) and one["templates"] == other["templates"]
        for one, other in zip(messages, theirs, strict=True)
    )
    levels = {"typeOfLevel": ["surface", "meanSea"]}
    assert len(scan_grib(str(path), filter=levels)) == len(kerchunk.grib2.scan_grib(str(path), filter=levels))
    ours = grib_tree(messages)["refs"]
    expected = kerchunk.grib2.grib_tree(json.loads(json.dumps(messages)))["refs"]
    arrays = {key for key in expected if key.endswith(".zarray")}
    assert {key for key in ours if key.endswith((".zarray", ".zgroup"))} == {
        key for key in expected if key.endswith((".zarray", ".zgroup"))
    }
    for key in arrays:
        assert json.loads(ours[key])["shape"] == json.loads(expected[key])["shape"], key
        attributes = key.replace(".zarray", ".zattrs")
        assert json.loads(ours[attributes]) == json.loads(expected[attributes]), key
    encoded = {key.removesuffix(".zarray") for key in arrays if '"grib"' in expected[key].replace(" ", "")}
    chunks = {
        key: value for key, value in expected.items() if key.rpartition("/")[0] + "/" in encoded and "/.z" not in key
    }
    assert chunks and {key: ours.get(key) for key in chunks} == chunks
