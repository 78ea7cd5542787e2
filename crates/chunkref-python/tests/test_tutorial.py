# SPDX-License-Identifier: MIT OR Apache-2.0
"""The steps of a published kerchunk tutorial (GOES-16, ESIP 2022), with other import lines.

They run on twins in a server on loopback, so options say where that is; plots and cells of the notebook are left out.
"""

import functools
import json
import shutil
import subprocess
import sys

import dask
import dask.bag as db
import fsspec
import numpy as np
import pytest
import xarray as xr

from chunkref.kerchunk.combine import MultiZarrToZarr
from chunkref.kerchunk.hdf import SingleHdf5ToZarr
from conftest import ROOT

DAY = "noaa-goes16/ABI-L2-SSTF/2020/210"


@pytest.fixture(scope="module")
def archive(bucket, tmp_path_factory):
    """Four hours of the archive as it lies in the bucket, and the options that lead to the server."""
    folder, url = bucket
    twins = tmp_path_factory.mktemp("twins")
    script = ROOT / "tests/python/goes_twins.py"
    subprocess.run([sys.executable, script, twins, "4", "--side", "678"], check=True)
    for hour, path in enumerate(sorted(twins.iterdir())):
        place = folder / DAY / f"{hour:02}"
        place.mkdir(parents=True)
        shutil.copy(path, place)
    return {"anon": True, "client_kwargs": {"endpoint_url": url}}, sorted(twins.iterdir())


def gen_ref(f, options):
    with fsspec.open(f, mode="rb", **options) as infile:
        return SingleHdf5ToZarr(infile, f, inline_threshold=300).translate()


def test_the_tutorial(archive, tmp_path):
    options, twins = archive
    fs = fsspec.filesystem("s3", **options)
    flist = fs.glob(f"s3://{DAY}/*/*.nc")
    flist = ["s3://" + f for f in flist]
    assert len(flist) == 4

    u = flist[0]
    with fsspec.open(u, mode="rb", **options) as infile:
        reference = SingleHdf5ToZarr(infile, u, inline_threshold=100).translate()
    assert reference["refs"]["SST/0.0"][0] == u

    with dask.config.set(scheduler="threads"):
        bag = db.from_sequence(flist, npartitions=len(flist)).map(functools.partial(gen_ref, options=options))
        dicts = bag.compute()
    for d, name in zip(dicts, flist, strict=True):
        with open(tmp_path / name.split("/")[-1].replace(".nc", ".json"), "w") as outf:
            outf.write(json.dumps(d))

    mzz = MultiZarrToZarr(
        dicts,
        remote_protocol="s3",
        remote_options=options,
        concat_dims="t",
        inline_threshold=0,
    )
    mzz_dict = mzz.translate(str(tmp_path / "combined.json"))
    assert json.load(open(tmp_path / "combined.json")) == mzz_dict

    asynchronous = {**options, "asynchronous": True}
    storage = {"fo": mzz_dict, "remote_protocol": "s3", "remote_options": asynchronous}
    ds = xr.open_dataset(
        "reference://", engine="zarr", backend_kwargs={"consolidated": False, "storage_options": storage}
    )
    assert ds["SST"].shape == (4, 678, 678)
    for hour, twin in enumerate(twins):
        with xr.open_dataset(twin, engine="netcdf4") as expected:
            assert np.allclose(ds["SST"][hour], expected["SST"], equal_nan=True, rtol=0, atol=1e-3)
            assert ds["t"][hour].values == expected["t"].values
