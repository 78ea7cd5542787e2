# SPDX-License-Identifier: MIT OR Apache-2.0
"""Open references with xarray and compare with the file itself.

`python demo_check.py REFS SOURCE FOLDER_OF_REFS FOLDER_OF_REFS_OF_BUCKET S3_ENDPOINT`
"""
import json
import pathlib
import sys
import time
import warnings

import h5py
import netCDF4
import numpy as np
import xarray


def in_double_precision(dataset):
    """JSON has one kind of number, so references carry `scale_factor` in double precision; decode the file that way too."""
    for variable in dataset.variables.values():
        variable.attrs = {name: value.item() if isinstance(value, np.generic) else value for name, value in variable.attrs.items()}
    return dataset


def main():
    """Command line."""
    refs, source, folder, remote, endpoint = sys.argv[1:]
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    options = {"fo": refs, "remote_protocol": "file"}
    dataset = xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options, "consolidated": False})
    opened = time.perf_counter() - start
    print("\n>>> xarray.open_dataset('reference://', engine='zarr', backend_kwargs={'storage_options': {'fo': REFS}, 'consolidated': False})")
    print(dataset)
    start = time.perf_counter()
    temperature = dataset["SST"].values
    read = time.perf_counter() - start
    with xarray.open_dataset(source, engine="netcdf4", decode_cf=False) as direct:
        np.testing.assert_array_equal(temperature, xarray.decode_cf(in_double_precision(direct))["SST"].values)
    raw = xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options, "consolidated": False}, decode_cf=False)
    with h5py.File(source) as h5, netCDF4.Dataset(source) as nc:
        nc.set_auto_maskandscale(False)
        for name in nc.variables:
            np.testing.assert_array_equal(raw[name].values, h5[name][()], err_msg=name)
            np.testing.assert_array_equal(raw[name].values, nc[name][...], err_msg=name)
        count = len(nc.variables)
    print(f"\nopened in {opened:.2f} s, SST read in {read:.2f} s: {np.isfinite(temperature).sum():,} of {temperature.size:,} pixels have a value,")
    print(f"{np.nanmin(temperature):.3f} to {np.nanmax(temperature):.3f} K")
    print(f"checked: SST as xarray decodes it equals xarray over netCDF4 (in double precision), and the raw values of all {count} variables equal h5py's and netCDF4's")
    sets = sorted(pathlib.Path(folder).glob("*.json"))
    keys = sum(len(json.loads(path.read_text())["refs"]) for path in sets)
    if not sets:
        sys.exit(f"no references in {folder}")
    print(f"{len(sets)} reference files in {folder}, {keys:,} keys, {sum(path.stat().st_size for path in sets) / 1e6:.1f} MB")
    through_s3(sorted(pathlib.Path(remote).rglob("*.json")), temperature, len(sets), endpoint)


def through_s3(sets, temperature, count, endpoint):
    """The references of the bucket: as many as of the folder, and the first reads the same values through S3."""
    if len(sets) != count:
        sys.exit(f"{len(sets)} reference files of the bucket, {count} of the folder")
    # zarr-python asks without waiting, so the file system of the bucket must be one that answers so.
    remote = {"anon": True, "asynchronous": True, "client_kwargs": {"endpoint_url": endpoint}}
    options = {"fo": str(sets[0]), "remote_protocol": "s3", "remote_options": remote}
    with xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options, "consolidated": False}) as dataset:
        np.testing.assert_array_equal(dataset["SST"].values, temperature)
    print(f"{len(sets)} reference files of the bucket; SST of the first, read by s3fs from {endpoint}, is the same")


if __name__ == "__main__":
    main()
