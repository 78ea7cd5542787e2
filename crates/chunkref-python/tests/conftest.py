# SPDX-License-Identifier: MIT OR Apache-2.0
"""What all tests of the Python package use: small files, and servers of the workspace's test server."""

import json
import os
import pathlib
import subprocess

import netCDF4
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def write_netcdf4(path, start=0, **attributes):
    """A file of two times: `temperature(time, y, x)` in chunks of one time, compressed."""
    with netCDF4.Dataset(path, "w") as nc:
        nc.title = "an example"
        nc.setncatts(attributes)
        nc.createDimension("time", None)
        for name, length in (("y", 3), ("x", 4)):
            nc.createDimension(name, length)
        time = nc.createVariable("time", "f8", ("time",), chunksizes=(2,))
        time.units = "hours since 2020-01-01"
        time[:] = start + np.arange(2)
        values = nc.createVariable("temperature", "f4", ("time", "y", "x"), zlib=True, chunksizes=(1, 3, 4))
        values.units = "K"
        values.run = start
        values[:] = np.arange(24).reshape(2, 3, 4) + 100 * start
    return str(path)


def write_netcdf3(path):
    """A classic file with a coordinate and records."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as nc:
        nc.title = "a classic example"
        nc.createDimension("depth", 4)
        nc.createDimension("time", None)
        depth = nc.createVariable("depth", "i4", ("depth",))
        depth.units = "m"
        depth[:] = [0, 10, 20, 30]
        salinity = nc.createVariable("salinity", "f4", ("time", "depth"))
        salinity.scale_factor = np.float32(0.25)
        salinity[:] = np.arange(12).reshape(3, 4)
    return str(path)


@pytest.fixture(scope="session")
def example_file(tmp_path_factory):
    return write_netcdf4(tmp_path_factory.mktemp("example") / "example.nc")


@pytest.fixture(scope="session")
def example_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    for number in range(3):
        write_netcdf4(folder / f"{number}.nc", 2 * number, run=number)
    return str(folder)


@pytest.fixture(scope="session")
def example_files(example_folder):
    return [f"{example_folder}/{number}.nc" for number in range(3)]


@pytest.fixture(scope="session")
def example_netcdf3(tmp_path_factory):
    return write_netcdf3(tmp_path_factory.mktemp("classic") / "classic.nc")


def serve(kind, folder, *arguments):
    """Start a server of the workspace; gives the process and what it says of itself."""
    program = os.environ.get("CHUNKREF_TESTSERVER", ROOT / "target/debug/chunkref-testserver")
    process = subprocess.Popen(
        [program, kind, folder, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return process, json.loads(process.stdout.readline())


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A folder whose folders are public buckets, and the URL of the server."""
    folder = tmp_path_factory.mktemp("buckets")
    process, greeting = serve("s3-public", str(folder))
    yield folder, greeting["url"]
    process.stdin.close()
    process.wait()
