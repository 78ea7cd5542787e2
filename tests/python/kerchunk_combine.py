# SPDX-License-Identifier: MIT OR Apache-2.0
"""What kerchunk's tests combine, on files made here: `python kerchunk_combine.py CHUNKREF FOLDER`.

Every case is combined by chunkref and by kerchunk from the same references, opened by xarray, and compared with each other
and with xarray's own combination of the files. Prints a line of JSON: the cases by name, each with what differs in words.
"""
import json
import re
import subprocess
import sys
import warnings

import fsspec
import kerchunk.combine
import netCDF4
import numpy as np
import xarray as xr

warnings.simplefilter("ignore")


def write(path, times, *, chunk=1, member=0, units="hours since 2000-01-01", variables=("data",), shift=0, compress=True):
    """A file of `data(time, y, x)` with coordinates, a number that differs and one that does not."""
    with netCDF4.Dataset(path, "w") as nc:
        for name, length in (("time", len(times)), ("y", 4), ("x", 6)):
            nc.createDimension(name, length)
        nc.member = member
        nc.createVariable("time", "f8", ("time",))[:] = np.asarray(times)
        nc["time"].units = units
        for name, length in (("y", 4), ("x", 6)):
            nc.createVariable(name, "f4", (name,))[:] = np.arange(length)
        for number, name in enumerate(variables):
            shape = (len(times), 4, 6)
            values = np.asarray(times)[:, None, None] * 100 + np.arange(24).reshape(4, 6) + 1000 * member + number + shift
            if compress:
                nc.createVariable(name, "i4", ("time", "y", "x"), zlib=True, chunksizes=(chunk, 4, 6))[:] = values
            else:
                nc.createVariable(name, "i4", ("time", "y", "x"), contiguous=True)[:] = values
            assert nc[name].shape == shape
            nc[name].member = member
        nc.createVariable("static", "i4", ("y", "x"))[:] = np.arange(24).reshape(4, 6)
    return str(path)


def opened(references):
    """The dataset of references, loaded."""
    options = {"fo": references, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
    store = __import__("zarr").storage.FsspecStore(fsspec.filesystem("reference", **options), read_only=True)
    return xr.open_dataset(store, engine="zarr", consolidated=False, backend_kwargs={"zarr_format": 2}).load()


class Case:
    """One set of files and how they are combined."""

    def __init__(self, chunkref, folder, name):
        self.chunkref, self.folder, self.name = chunkref, folder / name, name
        self.folder.mkdir(parents=True)
        self.differences = []

    def scanned(self, files):
        """The references of files, as files."""
        refs = [f"{file}.json" for file in files]
        for file, ref in zip(files, refs):
            subprocess.run([self.chunkref, "scan", file, "-o", ref, "--inline-threshold", "0"], check=True)
        return refs

    def combined(self, refs, *options):
        """chunkref's combination."""
        out = str(self.folder / "out.json")
        ran = subprocess.run([self.chunkref, "combine", *refs, "-o", out, *options], capture_output=True, text=True)
        if ran.returncode:
            self.differences.append(ran.stderr)
            raise RuntimeError(ran.stderr)
        return opened(out)

    def kerchunk(self, refs, **options):
        """kerchunk's combination of the same references."""
        for ref in refs:
            one = json.load(open(ref))
            one.pop("chunkref", None)
            one["refs"].pop(".zmetadata", None)
            json.dump(one, open(ref, "w"))
        return opened(kerchunk.combine.MultiZarrToZarr(refs, remote_protocol="file", **options).translate())

    def same(self, what, ours, other, ignore=()):
        """Values, dimensions and coordinates are the same."""
        for name in sorted((set(ours.variables) | set(other.variables)) - set(ignore)):
            if name not in ours.variables or name not in other.variables:
                self.differences.append(f"{what}: {name} is in one of them only")
            elif ours[name].dims != other[name].dims:
                self.differences.append(f"{what}: {name} has the dimensions {ours[name].dims} and {other[name].dims}")
            elif not np.array_equal(ours[name].values, other[name].values):
                self.differences.append(f"{what}: the values of {name} differ")


def along_time(case):
    for chunk in (1, 2):
        files = [write(case.folder / f"c{chunk}f{n}.nc", range(4 * n, 4 * n + 4), chunk=chunk) for n in range(3)]
        refs = case.scanned(files)
        ours = case.combined(refs, "--concat", "time", "--identical", "x,y")
        truth = xr.open_mfdataset(files, data_vars="minimal", combine="nested", concat_dim="time").load()
        case.same("kerchunk", ours, case.kerchunk(refs, concat_dims=["time"], identical_dims=["x", "y", "static"]))
        case.same("xarray", ours, truth)


def one_piece_each(case):
    files = [write(case.folder / f"f{n}.nc", range(4 * n, 4 * n + 4), compress=False) for n in range(3)]
    refs = case.scanned(files)
    ours = case.combined(refs, "--concat", "time")
    case.same("kerchunk", ours, case.kerchunk(refs, concat_dims=["time"], identical_dims=["x", "y", "static"]))
    case.same("xarray", ours, xr.open_mfdataset(files, data_vars="minimal", combine="nested", concat_dim="time").load())


def pieces_of_other_lengths(case):
    files = [write(case.folder / f"f{n}.nc", times, compress=False) for n, times in enumerate([range(3), range(3, 8), range(8, 10)])]
    ours = case.combined(case.scanned(files), "--concat", "time")
    case.same("xarray", ours, xr.open_mfdataset(files, data_vars="minimal", combine="nested", concat_dim="time").load())


def coordinates(case):
    files = [write(case.folder / f"run{n}_f.nc", range(4), member=n) for n in (3, 5)]
    refs = case.scanned(files)
    identical = ["x", "y", "time", "static"]
    for source, of_kerchunk in (
        ("attr:member", "attr:member"),
        ("vattr:data:member", "vattr:data:member"),
        ("INDEX", "INDEX"),
        (r"regex:run(\d+)", re.compile(r".*run(\d+)_f.*")),
        ("list:10,20", [10, 20]),
    ):
        ours = case.combined(refs, "--concat", f"run={source}")
        theirs = case.kerchunk(refs, coo_map={"run": of_kerchunk}, concat_dims=["run"], identical_dims=identical)
        if hasattr(of_kerchunk, "pattern"):  # which kerchunk keeps as text
            theirs["run"] = theirs["run"].astype("i8")
        case.same(f"kerchunk {source}", ours, theirs)


def two_dimensions(case):
    files = [write(case.folder / f"m{m}t{n}.nc", range(4 * n, 4 * n + 4), member=m) for m in (0, 1) for n in (0, 1)]
    refs = case.scanned(files)
    ours = case.combined(refs, "--concat", "member=attr:member", "--concat", "time")
    theirs = case.kerchunk(
        refs, coo_map={"member": "attr:member", "time": "data:time"}, concat_dims=["member", "time"], identical_dims=["x", "y", "static"]
    )
    case.same("kerchunk", ours, theirs)


def times_since_1970(case):
    units = ["hours since 2000-01-01", "days since 2000-01-02"]
    files = [write(case.folder / f"f{n}.nc", [6 * (n == 0)], units=unit) for n, unit in enumerate(units)]
    refs = case.scanned(files)
    ours = case.combined(refs, "--concat", "time=cf:time")
    theirs = case.kerchunk(
        refs, coo_map={"time": "cf:time"}, coo_dtypes={"time": "M8[s]"}, concat_dims=["time"], identical_dims=["x", "y", "static"]
    )
    case.same("kerchunk", ours, theirs)
    case.same("xarray", ours, xr.open_mfdataset(files, data_vars="minimal", combine="nested", concat_dim="time").load())


def stacked(case):
    files = [write(case.folder / f"f{n}.nc", [n]) for n in range(3)]
    refs = case.scanned(files)
    ours = case.combined(refs, "--concat", "time", "--stack", "all")
    case.same("kerchunk", ours, case.kerchunk(refs, concat_dims=["time"], identical_dims=["x", "y"]))


def variables(case):
    files = [write(case.folder / f"{name}.nc", range(4), variables=(name,)) for name in ("a", "b")]
    refs = case.scanned(files)
    ours = case.combined(refs, "--merge")
    dicts = [json.load(open(ref)) for ref in refs]
    theirs = opened({"version": 1, "refs": kerchunk.combine.merge_vars(dicts)["refs"]})
    case.same("kerchunk", ours, theirs)
    case.same("xarray", ours, xr.open_mfdataset(files).load())


def bare_arrays(case):
    import h5py

    files = []
    for n in range(3):
        files.append(str(case.folder / f"f{n}.h5"))
        with h5py.File(files[-1], "w") as file:
            file.create_dataset("data", data=np.arange(24).reshape(4, 6) + 100 * n, chunks=(2, 6), compression="gzip")
    refs = case.scanned(files)
    ours = case.combined(refs, "--concat", "phony_dim_0")
    theirs = kerchunk.combine.concatenate_arrays([json.load(open(ref)) for ref in refs], path="data")
    fs = fsspec.filesystem("reference", fo=theirs, remote_protocol="file", asynchronous=True, remote_options={"asynchronous": True})
    zarr = __import__("zarr")
    theirs = zarr.open_group(zarr.storage.FsspecStore(fs, read_only=True), mode="r", zarr_format=2)["data"][...]
    if not np.array_equal(ours["data"].values, theirs):
        case.differences.append("kerchunk: the values differ")


def small_chunks_that_do_not_meet(case):
    files = [write(case.folder / f"f{n}.nc", range(3 * n, 3 * n + 3), chunk=2) for n in range(2)]
    ours = case.combined(case.scanned(files), "--concat", "time")
    case.same("xarray", ours, xr.open_mfdataset(files, data_vars="minimal", combine="nested", concat_dim="time").load())


def large_chunks_that_do_not_meet(case):
    files = []
    for n in range(2):
        files.append(str(case.folder / f"f{n}.nc"))
        with netCDF4.Dataset(files[-1], "w") as nc:
            nc.createDimension("time", 3)
            nc.createDimension("x", 20000)
            nc.createVariable("time", "f8", ("time",))[:] = np.arange(3) + 3 * n
            nc.createVariable("data", "i4", ("time", "x"), zlib=True, chunksizes=(2, 20000))[:] = np.ones((3, 20000))
    refs = case.scanned(files)
    ran = subprocess.run([case.chunkref, "combine", *refs, "-o", str(case.folder / "o.json"), "--concat", "time"], capture_output=True, text=True)
    if ran.returncode != 1 or "do not meet at edges of chunks" not in ran.stderr:
        case.differences.append(f"combined: {ran.stderr}")
    try:
        theirs = case.kerchunk(refs, concat_dims=["time"])
        if not np.array_equal(theirs["data"].values, np.ones((6, 20000))):
            return  # it combines them, and reads other values
        case.differences.append("kerchunk combines them well")
    except Exception:  # or it gives what cannot be opened
        pass


CASES = [
    along_time,
    one_piece_each,
    pieces_of_other_lengths,
    coordinates,
    two_dimensions,
    times_since_1970,
    stacked,
    variables,
    bare_arrays,
    small_chunks_that_do_not_meet,
    large_chunks_that_do_not_meet,
]


def main():
    """Command line."""
    import pathlib
    import traceback

    chunkref, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    report = {}
    for function in CASES:
        case = Case(chunkref, folder, function.__name__)
        try:
            function(case)
        except Exception:  # reported with the case
            case.differences.append(traceback.format_exc())
        report[case.name] = case.differences
    print(json.dumps(report))


if __name__ == "__main__":
    main()
