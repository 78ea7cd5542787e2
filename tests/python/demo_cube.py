# SPDX-License-Identifier: MIT OR Apache-2.0
"""Open the day's cube through S3, draw a time series and a map from the original bytes, and compare with the files.

`python demo_cube.py CUBE FOLDER_OF_TWINS S3_ENDPOINT OUTPUT_FOLDER`: the last part of the published tutorial.
"""
import pathlib
import sys
import time
import warnings

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import netCDF4
import numpy as np
import xarray


def main():
    """Command line."""
    cube, twins, endpoint, output = sys.argv[1:]
    warnings.simplefilter("ignore")
    twins, output = sorted(pathlib.Path(twins).glob("*.nc")), pathlib.Path(output)
    remote = {"anon": True, "asynchronous": True, "client_kwargs": {"endpoint_url": endpoint}}
    options = {"fo": cube, "remote_protocol": "s3", "remote_options": remote}
    start = time.perf_counter()
    dataset = xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options, "consolidated": False}, chunks={})
    print(f"\n>>> the cube of {len(twins)} files, opened in {time.perf_counter() - start:.2f} s")
    print(dataset)

    raw = xarray.open_dataset("reference://", engine="zarr", backend_kwargs={"storage_options": options, "consolidated": False}, decode_cf=False)
    if dataset.sizes["t"] != len(twins):
        sys.exit(f"{dataset.sizes['t']} times of {len(twins)} files")
    for number, twin in enumerate(twins):
        with netCDF4.Dataset(twin) as nc:
            nc.set_auto_maskandscale(False)
            np.testing.assert_array_equal(raw["t"].values[number], nc["t"][...])
            np.testing.assert_array_equal(raw["SST"][number].values, nc["SST"][...], err_msg=str(twin))
            np.testing.assert_array_equal(raw["DQF"][number].values, nc["DQF"][...], err_msg=str(twin))

    # As the tutorial has it: the pixels of good quality, their mean at each time, and the mean of all times.
    start = time.perf_counter()
    good = dataset["SST"].where(dataset["DQF"] == 0)
    series, image = good.mean(["x", "y"]).compute(), good.mean("t").compute()
    read = time.perf_counter() - start
    figure, axes = plt.subplots(figsize=(8, 3), layout="constrained")
    axes.plot(series["t"].values, series.values, marker="o", markersize=3)
    axes.set(title="Mean sea surface temperature of good pixels", ylabel="K", xlabel="time (UTC)")
    figure.autofmt_xdate()
    figure.savefig(output / "time_series.png", dpi=110)
    figure, axes = plt.subplots(figsize=(7, 6), layout="constrained")
    drawn = axes.imshow(image.values, cmap="viridis")
    axes.set(title=f"Sea surface temperature, mean of {len(twins)} images", xlabel="x", ylabel="y")
    figure.colorbar(drawn, label="K")
    figure.savefig(output / "map.png", dpi=110)
    print(f"\nchecked: t, SST and DQF of all {len(twins)} files equal netCDF4's; mean series and map read and drawn in {read:.1f} s:")
    print(f"  {output / 'time_series.png'}\n  {output / 'map.png'}")


if __name__ == "__main__":
    main()
