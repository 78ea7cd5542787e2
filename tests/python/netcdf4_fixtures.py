# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write small NetCDF-4 files that each exercise one convention of the format: `python netcdf4_fixtures.py OUT`."""
import argparse
import os

import netCDF4
import numpy as np

FIXTURES = []


def fixture(write):
    """Register a writer of one file."""
    FIXTURES.append(write)
    return write


def ramp(*shape, dtype="f4"):
    """Values that differ from one another and from the fill values used here."""
    return (np.arange(1, int(np.prod(shape)) + 1) * 7 % 113).astype(dtype).reshape(shape)


def variable(d, name, dimensions, kind="f4", values=None, **settings):
    """Define and, if there are values, write a variable of raw numbers."""
    attributes = settings.pop("attributes", {})
    v = d.createVariable(name, kind, dimensions, **settings)
    v.set_auto_maskandscale(False)
    v.setncatts(attributes)
    if values is not None:
        v[...] = values
    return v


@fixture
def dimensions(d):
    """With and without variables, unlimited ones, several, one of length zero."""
    for name, count in (("time", None), ("y", 4), ("x", 5), ("bare", 3), ("member", None), ("never", None)):
        d.createDimension(name, count)
    variable(d, "time", ("time",), "f8", np.arange(6) * 3600, attributes={"units": "seconds since 2001-01-01", "calendar": "standard"})
    variable(d, "y", ("y",), "f8", np.arange(4))
    variable(d, "field", ("time", "y", "x"), "f4", ramp(6, 4, 5), zlib=True, chunksizes=(1, 4, 5))
    variable(d, "profile", ("bare", "x"), "i2", ramp(3, 5))
    variable(d, "ensemble", ("time", "member"), "i4", ramp(6, 3), chunksizes=(2, 2))
    variable(d, "short_of_time", ("time",), "f4")[0:2] = [1, 2]
    variable(d, "no_rows", ("never", "x"), "f4")
    variable(d, "scalar", (), "i8", -5)


@fixture
def groups(d):
    """Dimensions inherited by groups, hidden by groups, of the same name in two of them."""
    d.createDimension("x", 5)
    d.createDimension("t", None)
    variable(d, "x", ("x",), "f4", np.arange(5))
    inner = d.createGroup("forecast")
    inner.createDimension("z", 2)
    variable(inner, "z", ("z",), "i4", [10, 20])
    variable(inner, "wind", ("t", "z", "x"), "f4", ramp(3, 2, 5), zlib=True, shuffle=True)
    deep = inner.createGroup("surface")
    deep.createDimension("x", 3)
    variable(deep, "x", ("x",), "f8", [0.5, 1.5, 2.5])
    variable(deep, "rain", ("t", "x"), "i2", ramp(3, 3))
    other = d.createGroup("analysis")
    other.createDimension("z", 4)
    variable(other, "heat", ("z",), "f4", ramp(4))
    other.setncattr("title", "another group")
    d.createGroup("empty")


@fixture
def coordinates(d):
    """Coordinate variables of two dimensions, names of dimensions on variables that are no coordinates."""
    for name, count in (("y", 3), ("x", 4), ("station", 5), ("level", 2), ("text", 8)):
        d.createDimension(name, count)
    variable(d, "x", ("y", "x"), "f8", ramp(3, 4, dtype="f8"))
    variable(d, "y", ("station",), "f4", ramp(5))
    variable(d, "level", (), "i4", 7)
    variable(d, "station", ("station", "text"), "S1", netCDF4.stringtochar(np.array(["alpha", "beta", "c", "", "epsilon8"], "S8")))
    variable(d, "v", ("level", "y", "x"), "f4", ramp(2, 3, 4))
    variable(d, "square", ("x", "x"), "i2", ramp(4, 4))


@fixture
def late_definitions(d):
    """Dimensions whose coordinate came after their data, and in another order than the dimensions."""
    for name, count in (("a", 2), ("b", 3), ("c", 4)):
        d.createDimension(name, count)
    variable(d, "data", ("c", "a", "b"), "i4", ramp(4, 2, 3))
    for name, count in (("c", 4), ("b", 3)):
        variable(d, name, (name,), "f4", ramp(count))
    d.renameDimension("a", "renamed")
    d.renameVariable("data", "values")


@fixture
def strings(d):
    """Texts of variable length and characters."""
    d.createDimension("n", 4)
    d.createDimension("t", None)
    d.createVariable("names", str, ("n",))[:] = np.array(["one", "", "three", "é日本"], object)
    log = d.createVariable("log", str, ("t",), chunksizes=(2,))
    for row in range(5):
        log[row] = f"line {row}"
    d.createVariable("scalar", str, ())[...] = "alone"
    d.createVariable("partly", str, ("n",))[1] = "only one"
    d.createVariable("letters", "S1", ("n",))[:] = np.array([b"a", b"b", b"", b"d"], "S1")
    d.setncattr("one", "text")
    d.setncattr_string("as_string", "text")
    d.setncattr("several", ["a", "bb", ""])


@fixture
def user_types(d):
    """Enums, compounds, sequences, opaque-like bytes."""
    d.createDimension("n", 3)
    cloud = d.createEnumType(np.int8, "cloud_t", {"Clear": 0, "Cumulus": 1, "Missing": 127})
    variable(d, "clouds", ("n",), cloud, np.array([0, 1, 127], "i1"), fill_value=127)
    kind = np.dtype([("u", "f4"), ("v", "f4"), ("count", "i2", (2,))])
    wind = d.createCompoundType(kind, "wind_t")
    values = np.zeros(3, kind)
    values["u"], values["v"], values["count"] = ramp(3), ramp(3) / 4, ramp(3, 2)
    variable(d, "wind", ("n",), wind, values)
    rows = d.createVLType(np.int32, "rows_t")
    ragged = d.createVariable("ragged", rows, ("n",))
    for number in range(3):
        ragged[number] = np.arange(number + 1, dtype="i4")
    variable(d, "plain", ("n",), "f4", ramp(3))


@fixture
def fill_values(d):
    """Given, default, switched off, equal to real data, of every kind of number; written and not."""
    d.createDimension("n", 6)
    for kind, value in (("i1", -1), ("u1", 255), ("i2", -999), ("u2", 65535), ("i4", 0), ("u4", 1), ("i8", -(2**63)), ("u8", 2**64 - 1),
                        ("f4", 1e20), ("f8", np.nan)):
        v = variable(d, f"given_{kind}", ("n",), kind, fill_value=np.array(value, kind), chunksizes=(2,))
        v[0:2] = [1, 2]
        variable(d, f"default_{kind}", ("n",), kind, chunksizes=(2,))[2:4] = [0, 2]
        variable(d, f"never_{kind}", ("n",), kind)
    variable(d, "off", ("n",), "f4", ramp(6), fill_value=False)
    variable(d, "zeros", ("n",), "i2", np.zeros(6), fill_value=np.int16(0))
    variable(d, "character", ("n",), "S1", fill_value=b"-")
    variable(d, "infinity", ("n",), "f8", [1, 2, np.inf, 4, 5, 6], fill_value=np.inf)


@fixture
def never_written(d):
    """Variables, coordinates among them, that were defined and left."""
    d.createDimension("t", None)
    d.createDimension("x", 7)
    variable(d, "x", ("x",), "f8", attributes={"units": "m"})
    variable(d, "t", ("t",), "f8")
    variable(d, "grown", ("t", "x"), "f4", zlib=True)
    variable(d, "other", ("t",), "i4", [1, 2, 3])


@fixture
def packing(d):
    """Scale, offset, unsigned integers, missing values, ranges."""
    d.createDimension("y", 8)
    d.createDimension("x", 9)
    common = {"scale_factor": np.float32(0.01), "add_offset": 273.15, "missing_value": np.int16(-32768), "valid_min": np.int16(-30000)}
    variable(d, "packed", ("y", "x"), "i2", ramp(8, 9, dtype="i2"), zlib=True, fill_value=np.int16(-32767), attributes=common)
    variable(d, "unsigned", ("y", "x"), "i1", ramp(8, 9, dtype="i1"), fill_value=np.int8(-1), attributes={"_Unsigned": "true"})
    variable(d, "flags", ("x",), "u1", ramp(9, dtype="u1"), attributes={"flag_masks": np.array([1, 2, 4], "u1"), "flag_meanings": "a b c"})


@fixture
def filters(d):
    """What netCDF's own calls offer."""
    d.createDimension("y", 30)
    d.createDimension("x", 20)
    choices = {"zlib": {"zlib": True, "complevel": 4}, "shuffled": {"zlib": True, "shuffle": True}, "checked": {"fletcher32": True},
               "all": {"zlib": True, "shuffle": True, "fletcher32": True}, "none": {"chunksizes": (7, 6)}, "contiguous": {"contiguous": True},
               "zstd": {"compression": "zstd"}, "bzip2": {"compression": "bzip2"}, "big": {"zlib": True, "kind": ">f4", "endian": "big"},
               "rounded": {"zlib": True, "least_significant_digit": 2, "significant_digits": 3, "quantize_mode": "BitRound"}}
    for name, settings in choices.items():
        chunks = {} if "contiguous" in settings else {"chunksizes": (8, 7)}
        variable(d, name, ("y", "x"), values=ramp(30, 20), **chunks | settings)


@fixture
def attributes(d):
    """Attributes of all kinds and many of them, on the file and on variables."""
    d.createDimension("n", 2)
    v = variable(d, "v", ("n",), "f4", ramp(2))
    for place in (d, v):
        place.setncatts({"text": "é", "empty": "", "i1": np.int8(-1), "u2": np.uint16(65535), "i8": np.int64(-(2**63)), "u8": np.uint64(2**64 - 1),
                         "f4": np.float32(0.1), "f8": 0.1, "list": np.arange(5, dtype="i2"), "floats": np.array([np.nan, 1, -np.inf]),
                         "coordinates_like": "a b c", "texts": ["x", "yy"]})
    for number in range(25):
        v.setncattr(f"attribute_{number:02d}", number)
        d.setncattr(f"global_{number:02d}", f"value {number}")


def classic(path):
    """The classic data model in an HDF5 file."""
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as d:
        d.createDimension("t", None)
        d.createDimension("x", 3)
        d.title = "classic model"
        variable(d, "t", ("t",), "f8", np.arange(4.0))
        variable(d, "v", ("t", "x"), "f4", ramp(4, 3), zlib=True)
        variable(d, "c", ("x",), "S1", np.array([b"a", b"b", b"c"], "S1"))


@fixture
def many_variables(d):
    """More variables and attributes than a group's header holds."""
    d.createDimension("n", 3)
    for number in range(150):
        variable(d, f"v{number * 37 % 150:03d}", ("n",), "i2", [number] * 3, attributes={"units": "1", "number": number})


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    out = parser.parse_args().out
    os.makedirs(out, exist_ok=True)
    for write in FIXTURES:
        with netCDF4.Dataset(os.path.join(out, f"{write.__name__}.nc"), "w") as d:
            write(d)
    classic(os.path.join(out, "classic.nc"))
    print(f"{len(FIXTURES) + 1} NetCDF-4 fixtures in {out}")


if __name__ == "__main__":
    main()
