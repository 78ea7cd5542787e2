# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write COUNT tiny files of every format into OUT, one third each: `python soak_files.py OUT COUNT`."""
import pathlib
import sys

import netCDF4
import numpy as np

from grib_fixtures import field


def classic(path, number, fmt):
    """One time of a variable on 4 by 3 points."""
    with netCDF4.Dataset(path, "w", format=fmt) as file:
        file.createDimension("time", 1)
        file.createDimension("y", 4)
        file.createDimension("x", 3)
        time = file.createVariable("time", "i4", ("time",))
        time.units = "hours since 2020-01-01"
        time[:] = number
        for name, length in (("y", 4), ("x", 3)):
            file.createVariable(name, "f4", (name,))[:] = np.arange(length)
        value = file.createVariable("value", "f8", ("time", "y", "x"))
        value[:] = np.arange(12).reshape(1, 4, 3) + number


def chunked(path, number):
    """The same in NetCDF-4, with a compressed variable of two chunks that are not stored inline."""
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.createDimension("time", None)
        file.createDimension("y", 32)
        file.createDimension("x", 32)
        time = file.createVariable("time", "i4", ("time",), chunksizes=(1,))
        time.units = "hours since 2020-01-01"
        time[:] = [number]
        for name in ("y", "x"):
            file.createVariable(name, "f4", (name,))[:] = np.arange(32)
        value = file.createVariable("value", "i2", ("time", "y", "x"), zlib=True, chunksizes=(1, 16, 32))
        value[:] = np.random.default_rng(number).integers(0, 999, (1, 32, 32))


def main():
    out, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for kind in ("nc4", "nc3", "grib"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    for number in range(count // 3):
        chunked(out / "nc4" / f"f{number:05}.nc", number)
        classic(out / "nc3" / f"f{number:05}.nc", number, ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET")[number % 2])
        message = field(seed=number, shortName="t", typeOfLevel="isobaricInhPa", level=850, dataDate=20240201 + number % 28)
        (out / "grib" / f"f{number:05}.grib2").write_bytes(message)
    (out / "complete").write_text(f"{count}\n")


if __name__ == "__main__":
    main()
