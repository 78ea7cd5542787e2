# SPDX-License-Identifier: MIT OR Apache-2.0
"""VirtualiZarr with our parser."""

import warnings

import h5py
import numpy as np
import pytest
import xarray as xr
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_dataset, open_virtual_mfdataset
from virtualizarr.manifests import ManifestStore
from virtualizarr.parsers import HDFParser

from chunkref.virtualizarr import Parser

warnings.filterwarnings("ignore", category=UserWarning)


@pytest.fixture
def registry():
    return ObjectStoreRegistry({"file://": LocalStore()})


def test_the_manifests_of_virtualizarr_s_own_parser(example_file, registry):
    url = f"file://{example_file}"
    ours, theirs = (
        open_virtual_dataset(url, registry=registry, parser=parser, loadable_variables=["time"])
        for parser in (Parser(), HDFParser())
    )
    assert ours["temperature"].data.manifest.dict() == theirs["temperature"].data.manifest.dict()
    assert ours["temperature"].dims == theirs["temperature"].dims
    assert np.array_equal(ours["time"], theirs["time"]) and ours.attrs == theirs.attrs
    natively = Parser(storage_options={})(url, registry)
    assert isinstance(natively, ManifestStore)


def test_values_are_read_through_the_store(example_file, registry):
    store = Parser()(f"file://{example_file}", registry)
    found = xr.open_zarr(store, consolidated=False, zarr_format=3).load()
    expected = xr.open_dataset(example_file, engine="netcdf4").load()
    assert np.array_equal(found["temperature"], expected["temperature"])


def test_files_become_references(example_files, registry, tmp_path):
    urls = [f"file://{name}" for name in example_files]
    cube = open_virtual_mfdataset(
        urls, registry=registry, parser=Parser(), combine="nested", concat_dim="time", loadable_variables=["time"]
    )
    cube.vz.to_kerchunk(str(tmp_path / "cube.json"), format="json")
    import chunkref

    # VirtualiZarr writes a fill value of 0, which xarray would take for missing data.
    found = chunkref.open_dataset(str(tmp_path / "cube.json"), mask_and_scale=False)
    assert np.array_equal(found["temperature"], xr.open_mfdataset(example_files)["temperature"])


def test_groups_inline_data_and_what_is_skipped(tmp_path, registry):
    path = tmp_path / "groups.h5"
    with h5py.File(path, "w") as file:
        file["g/h/a"] = np.arange(1000)
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((4,))
        dataset = h5py.h5d.create(file["g"].id, b"small", h5py.h5t.NATIVE_INT32, space, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3, 4], "i4"))
    store = Parser(group="g", skip_variables=["a"])(f"file://{path}", registry)
    found = xr.open_zarr(store, consolidated=False, zarr_format=3)
    # Data that no range of the file holds are in a store in memory.
    assert found["small"].values.tolist() == [1, 2, 3, 4]
    inner = Parser(group="g/h")(f"file://{path}", registry)
    assert xr.open_zarr(inner, consolidated=False, zarr_format=3)["a"].values.tolist() == list(range(1000))
