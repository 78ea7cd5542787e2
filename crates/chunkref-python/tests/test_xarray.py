# SPDX-License-Identifier: MIT OR Apache-2.0
"""The engine and the store beside NetCDF's own readers."""

import asyncio
import io
import json
import pathlib
import pickle
import subprocess
import sys
import warnings

import dask
import fsspec
import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

import chunkref
from chunkref.store import ChunkrefStore
from conftest import ROOT

ENCODING = ("dtype", "_FillValue", "missing_value", "scale_factor", "add_offset", "units", "calendar")


def differences(path, group=None):
    """What differs between the engine's dataset and NetCDF's, in words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            xr.open_dataset(path, engine="netcdf4", group=group) as theirs,
            xr.open_dataset(path, engine="chunkref", group=group) as ours,
        ):
            found = []
            if not theirs.identical(ours):
                found.append("not identical")
            for name in set(theirs.variables) & set(ours.variables):
                a, b = theirs[name], ours[name]
                if a.dtype != b.dtype:
                    found.append(f"{name}: dtype {a.dtype}, {b.dtype}")
                for key in ENCODING:
                    pair = [one.encoding.get(key) for one in (a, b)]
                    equal = (
                        pair[0] == pair[1] if key == "dtype" else repr(np.asarray(pair[0])) == repr(np.asarray(pair[1]))
                    )
                    if not equal:
                        found.append(f"{name}: {key} {pair}")
            if theirs.encoding["unlimited_dims"] != ours.encoding["unlimited_dims"]:
                found.append("unlimited dimensions")
            return found


@pytest.fixture(scope="module")
def odd_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("odd") / "odd.nc"
    with netCDF4.Dataset(path, "w") as nc:
        nc.createDimension("x", 6)
        nc.createDimension("n", None)
        packed = nc.createVariable("packed", "i2", ("x",), fill_value=-1)
        packed.setncatts(
            {"scale_factor": np.float32(0.1), "add_offset": np.float32(3.3), "valid_range": np.array([0, 100], "i2")}
        )
        packed[:] = np.arange(6) + 3.3
        double = nc.createVariable("double", "i2", ("x",))
        double.setncatts({"scale_factor": 0.5, "add_offset": 1.0})
        double[:] = np.arange(6)
        nc.createVariable("never_written", "f8", ("x",))
        nc.createVariable("partly", "i4", ("n", "x"), chunksizes=(1, 6))[3] = np.arange(6)
        nc.createVariable("big_endian", ">i4", ("x",), endian="big")[:] = np.arange(6)
        time = nc.createVariable("time", "f8", ("n",))
        time.setncatts({"units": "days since 2001-01-01", "calendar": "noleap"})
        time[:] = [1, 2, 3, 4]
        inner = nc.createGroup("inner")
        inner.createDimension("z", 2)
        inner.createVariable("z", "f4", ("z",))[:] = [1, 2]
        inner.createVariable("both", "f4", ("z", "x"))[:] = 1
    return str(path)


def test_the_same_datasets_as_netcdf4(odd_file, example_file, example_netcdf3):
    for path in (odd_file, example_file, example_netcdf3):
        assert differences(path) == [], path
    assert differences(odd_file, "inner") == []


def test_data_are_read_lazily_and_from_other_processes(example_file, odd_file):
    dataset = chunkref.open_dataset(example_file, chunks={})
    again = pickle.loads(pickle.dumps(dataset))
    expected = xr.open_dataset(example_file, engine="netcdf4").load()
    with dask.config.set(scheduler="threads"):
        assert again["temperature"].sum().compute() == expected["temperature"].sum()
    assert again.identical(expected)
    tree = xr.open_datatree(odd_file, engine="chunkref")
    assert float(tree["inner/both"].sum()) == 12 and set(tree.groups) == {"/", "/inner"}
    assert tree["packed"].dtype == "f4" and tree["/"].encoding["unlimited_dims"] == {"n"}
    inner = xr.open_datatree(odd_file, engine="chunkref", group="inner")
    assert float(inner["both"].sum()) == 12 and inner.groups == ("/",)


def test_sources_of_every_kind(example_file, example_files, tmp_path):
    expected = xr.open_dataset(example_file, engine="netcdf4").load()
    references = chunkref.scan(example_file)
    references.to_json(tmp_path / "a.json")
    references.to_parquet(tmp_path / "a.parq")
    fsspec.filesystem("memory").pipe("/engine/example.nc", pathlib.Path(example_file).read_bytes())
    sources = [
        pathlib.Path(example_file),
        references,
        references.to_dict(),
        str(tmp_path / "a.json"),
        str(tmp_path / "a.parq"),
        io.BytesIO(pathlib.Path(example_file).read_bytes()),
        fsspec.open("memory://engine/example.nc").open(),
        open(example_file, "rb"),
    ]
    for source in sources:
        found = chunkref.open_dataset(source)
        assert np.array_equal(found["temperature"], expected["temperature"]), source
    cube = chunkref.open_dataset(example_files, concat="time")
    assert np.array_equal(cube["temperature"], xr.open_mfdataset(example_files)["temperature"])
    parts = list(chunkref.scan_many(example_files))
    assert chunkref.open_dataset(parts, concat="time").identical(cube)
    skipped = chunkref.open_dataset(example_file, drop_variables="time", decode_times=False)
    assert list(skipped.variables) == ["temperature"]


def test_a_store_of_zarr(example_file):
    references = chunkref.scan(example_file, inline_threshold=0)
    refs = references.to_dict()["refs"]
    store = ChunkrefStore(references)
    prototype = default_buffer_prototype()
    whole = pathlib.Path(example_file).read_bytes()
    _, offset, length = refs["temperature/1.0.0"]
    chunk = whole[offset : offset + length]

    async def values():
        parts = [None, RangeByteRequest(2, 9), OffsetByteRequest(5), SuffixByteRequest(4)]
        found = await store.get_partial_values(prototype, [("temperature/1.0.0", part) for part in parts])
        listed = [key async for key in store.list()]
        below = [key async for key in store.list_prefix("temperature/")]
        names = sorted([name async for name in store.list_dir("")])
        there = [await store.exists(key) for key in ("time/0", "time/1", "temperature/.zarray", "nothing")]
        absent = await store.get("temperature/9.0.0", prototype)
        size = await store.getsize("temperature/1.0.0")
        many = await asyncio.gather(*(store.get(key, prototype) for key in listed * 5))
        return [one.to_bytes() for one in found], listed, below, names, there, absent, size, many

    found, listed, below, names, there, absent, size, many = asyncio.run(values())
    assert found == [chunk, chunk[2:9], chunk[5:], chunk[-4:]]
    assert sorted(listed) == sorted(refs) and set(below) == {key for key in refs if key.startswith("temperature/")}
    assert names == [".zattrs", ".zgroup", ".zmetadata", "temperature", "time"]
    assert there == [True, False, True, False] and absent is None and size == length and len(many) == 5 * len(listed)
    assert all(one is not None for one in many)
    with pytest.raises(ValueError):
        zarr.open_group(store, mode="r")["temperature"][0] = 1
    assert pickle.loads(pickle.dumps(store)) == store
    with pytest.raises(ValueError):
        store.with_read_only(False)


def test_a_source_that_changed_is_an_error(tmp_path, example_file):
    path = tmp_path / "changing.nc"
    path.write_bytes(pathlib.Path(example_file).read_bytes())
    dataset = chunkref.open_dataset(path, scan_options={"inline_threshold": 0})
    path.write_bytes(pathlib.Path(example_file).read_bytes() + b"more")
    with pytest.raises(chunkref.ChangedError):
        dataset["temperature"].load()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        chunkref.open_dataset(path)


def test_the_engine_is_listed_without_zarr():
    code = "import sys; sys.modules['zarr'] = None; import xarray; print('chunkref' in xarray.backends.list_engines())"
    ran = subprocess.run([sys.executable, "-W", "error:Engine 'chunkref'", "-c", code], capture_output=True, text=True)
    assert ran.stdout == "True\n", ran.stderr


def test_codecs_of_other_packages_are_found(tmp_path):
    import h5py
    import hdf5plugin

    path = tmp_path / "lz4.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.arange(4000), chunks=(1000,), **hdf5plugin.LZ4())
    assert chunkref.open_dataset(path)["a"].values.tolist() == list(range(4000))


def test_grib_is_decoded_without_eccodes(tmp_path):
    """Values, and places on a map, in a process that has neither ecCodes nor kerchunk; both are compared with ecCodes'."""
    import eccodes

    path, references = tmp_path / "a.grib2", tmp_path / "a.json"
    handle = eccodes.codes_grib_new_from_samples("GRIB2")
    for key, value in {
        "gridType": "lambert", "Nx": 5, "Ny": 4, "shapeOfTheEarth": 6, "latitudeOfFirstGridPointInDegrees": 21.138123,
        "longitudeOfFirstGridPointInDegrees": 237.280472, "LaDInDegrees": 38.5, "LoVInDegrees": 262.5, "DxInMetres": 300000,
        "DyInMetres": 300000, "Latin1InDegrees": 38.5, "Latin2InDegrees": 38.5, "jScansPositively": 1, "shortName": "2t",
    }.items():  # fmt: skip
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.arange(20.0) + 9990)
    with open(path, "wb") as file:
        eccodes.codes_write(handle, file)
    chunkref.scan(path).to_json(references)
    code = (
        "import sys; sys.modules['eccodes'] = sys.modules['kerchunk'] = None\n"
        "import json, warnings, xarray; warnings.simplefilter('ignore')\n"
        f"group = xarray.open_dataset({str(references)!r}, engine='chunkref', group='t2m/instant/heightAboveGround')\n"
        "print(json.dumps([group[name].values.ravel().tolist() for name in ('t2m', 'latitude', 'longitude')]))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    values, latitudes, longitudes = json.loads(ran.stdout)
    # One of the values is 9999, which is none that is missing.
    assert values == eccodes.codes_get_values(handle).tolist()
    np.testing.assert_allclose(latitudes, eccodes.codes_get_array(handle, "latitudes"), atol=1e-6)
    np.testing.assert_allclose(longitudes, eccodes.codes_get_array(handle, "longitudes"), atol=1e-6)


#: Files of the corpus that are not the same, with the reason.
EXPLAINED = {
    "Ouranosinc-xclim-testdata__daily_surface_cancities_1990-1993.nc": "strings are StringDType, as xarray has them from Zarr",
    "SciTools-iris-sample-data__vlstr_type.nc": "strings",
    "nasa-harmony-opendap-subsetter__ABoVE_TVPRM_bbox.nc4": "strings",
    "podaac-concise__merged-ASCATA-L2-25km-Lat-90.0_90.0-Lon-180.0_180.0.subset.nc": "strings",
    "Unidata-netcdf-c__ref_tst_irish_rover.nc": "flag_values and flag_meanings of an enum",
    "Unidata-netcdf4-python__test_gold.nc": "xarray hides attributes that begin with _nc in stores of Zarr",
    "fsspec-kerchunk__air_linked.nc": "NetCDF calls dimensions by the last hard link of their scale",
    "roocs-mini-esgf-data__psl_ERA5_mon_194001-202212.nc": "netCDF4-python hides least_significant_digit",
    "rouault-gdal__complex.nc": "complex numbers are complex, not pairs",
}


def test_real_files_are_the_same():
    corpus = ROOT.parent / "shared/corpus"
    if not corpus.is_dir():
        pytest.skip("there are no real files beside the project")
    compared, other = 0, {}
    for path in sorted([*(corpus / "netcdf4").glob("*.nc*"), *(corpus / "netcdf3").glob("*.nc")]):
        try:
            with xr.open_dataset(path, engine="netcdf4"):
                pass
        except Exception:  # what NetCDF's reader does not open cannot be compared
            continue
        compared += 1
        found = differences(path)
        if found:
            other[path.name] = found[:3]
    assert compared > 70
    assert {name: found for name, found in other.items() if name not in EXPLAINED} == {}
    assert sorted(set(EXPLAINED) - set(other)) == [], "these are the same now"


def test_json_documents_are_strict(example_file):
    for key, value in chunkref.scan(example_file).to_dict()["refs"].items():
        if ".z" in key:
            json.loads(value)
