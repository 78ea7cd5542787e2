# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write small NetCDF classic files: `python netcdf3_fixtures.py OUT`."""
import pathlib
import sys

import netCDF4
import numpy as np

FORMATS = {"cdf1": "NETCDF3_CLASSIC", "cdf2": "NETCDF3_64BIT_OFFSET", "cdf5": "NETCDF3_64BIT_DATA"}
CLASSIC = ["i1", "S1", "i2", "i4", "f4", "f8"]
OF_CDF5 = ["u1", "u2", "u4", "i8", "u8"]


def values(dtype, shape, seed):
    """Values of every bit pattern but NaN."""
    rng = np.random.default_rng(seed)
    if dtype == "S1":
        return rng.choice(np.array([b"a", b"Z", b" ", b"\0"]), shape)
    if dtype.startswith("f"):
        return rng.normal(0, 1e3, shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def create(path, fmt):
    """An empty file in which nothing is filled beforehand."""
    file = netCDF4.Dataset(path, "w", format=FORMATS[fmt])
    file.set_fill_off()
    return file


def types(out, fmt):
    """Every type, in one piece and by records, with attributes of every type."""
    with create(out / f"types.{fmt}.nc", fmt) as f:
        f.title, f.empty, f.letters = "every type", "", "\u00b0C \u4e2d"
        for name, length in [("t", None), ("y", 3), ("x", 5)]:
            f.createDimension(name, length)
        for seed, dtype in enumerate(CLASSIC + (OF_CDF5 if fmt == "cdf5" else [])):
            for kind, dims in [("scalar", ()), ("row", ("x",)), ("plane", ("y", "x")), ("record", ("t",)), ("cube", ("t", "y", "x"))]:
                v = f.createVariable(f"{kind}_{dtype}", dtype, dims)
                if dtype != "S1":
                    v.one = np.array(7, dtype)
                    v.many = np.array([1, 2, 3], dtype)
                v.units = "K"
                shape = tuple(4 if d == "t" else len(f.dimensions[d]) for d in dims)
                v[...] = values(dtype, shape, seed)


def records(out, fmt):
    """One record variable alone is not padded; several are; a file may have no record yet."""
    for dtype in ["i1", "i2", "S1", "f8"]:
        with create(out / f"one_record_{dtype}.{fmt}.nc", fmt) as f:
            f.createDimension("t", None)
            f.createDimension("x", 3)
            f.createVariable("fixed", "i2", ("x",))[:] = [1, 2, 3]
            f.createVariable("v", dtype, ("t", "x"))[:] = values(dtype, (7, 3), 1)
    with create(out / f"odd_records.{fmt}.nc", fmt) as f:
        f.createDimension("t", None)
        f.createDimension("x", 3)
        f.createVariable("a", "i1", ("t", "x"))[:] = values("i1", (6, 3), 2)
        f.createVariable("b", "i2", ("t", "x"))[:] = values("i2", (6, 3), 3)
        f.createVariable("c", "S1", ("t",))[:] = values("S1", (6,), 4)
        f.createVariable("d", "f8", ("t",))[:] = values("f8", (6,), 5)
    with create(out / f"no_records.{fmt}.nc", fmt) as f:
        f.createDimension("t", None)
        f.createDimension("x", 3)
        f.createVariable("v", "f4", ("t", "x"))
        f.createVariable("x", "f4", ("x",))[:] = [0, 1, 2]


def fill_values(out, fmt):
    """Fill values, and packing that readers undo."""
    with netCDF4.Dataset(out / f"fill_values.{fmt}.nc", "w", format=FORMATS[fmt]) as f:
        f.createDimension("x", 4)
        f.createVariable("own", "i2", ("x",), fill_value=-99)[:] = np.ma.masked_equal([1, -99, 3, 4], -99)
        f.createVariable("default", "f4", ("x",))[1:3] = [1, 2]
        f.createVariable("letters", "S1", ("x",), fill_value=b"*")[:2] = [b"a", b"b"]
        packed = f.createVariable("packed", "i2", ("x",), fill_value=-1)
        packed.scale_factor, packed.add_offset = np.float32(0.1), 273.15
        packed.set_auto_scale(False)
        packed[:] = [0, 1, 2, -1]


def long_header(out, fmt):
    """A header that the first read does not hold."""
    with create(out / f"long_header.{fmt}.nc", fmt) as f:
        f.createDimension("x", 2)
        for number in range(600):
            v = f.createVariable(f"variable_{number:04}", "i4", ("x",))
            v.long_name = f"variable number {number} " + "with a long description " * 10
            v[:] = [number, -number]


def streaming(out, fmt):
    """Numbers of records that a writer has not filled in."""
    whole = bytearray((out / f"odd_records.{fmt}.nc").read_bytes())
    width = 8 if fmt == "cdf5" else 4
    whole[4 : 4 + width] = b"\xff" * width
    (out / f"streaming.{fmt}.nc").write_bytes(whole)


def main():
    """Command line."""
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for fmt in FORMATS:
        for recipe in [types, records, fill_values, long_header, streaming]:
            recipe(out, fmt)


if __name__ == "__main__":
    main()
