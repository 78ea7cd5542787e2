# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare names and levels in references of GRIB files with cfgrib's: `python grib_cfgrib.py PROGRAM FILE...`.

A field is told by its variable, kind of step, kind of level, level, member, reference time and step. One JSON line for each kind of finding in
a file: {"file", "verdict", "field", "count"}. Verdicts are `same`, `ours` and `cfgrib` (only that side has such a field), and `failed`."""
import collections
import datetime
import json
import logging
import pathlib
import subprocess
import sys
import warnings

import cfgrib
import fsspec
import kerchunk.codecs  # noqa: F401  registers the codec
import numpy
import zarr

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
HOUR = 3600


def fields_of_cfgrib(path):
    """Every field of every dataset that cfgrib makes of a file."""
    found = collections.Counter()
    for dataset in cfgrib.open_datasets(str(path), backend_kwargs={"indexpath": ""}):
        for name, array in dataset.data_vars.items():
            kind = array.attrs.get("GRIB_typeOfLevel", "undef")
            axes = [numpy.atleast_1d(dataset[axis].values) if axis in dataset.coords else [None] for axis in ("time", "step", "number", kind)]
            grid = array.ndim - sum(axis in array.dims for axis in ("time", "step", "number", kind))
            for place in numpy.ndindex(*map(len, axes)):
                time, step, number, level = (axis[index] for axis, index in zip(axes, place))
                # A cube of cfgrib has a place for fields that the file has not: they are missing values throughout.
                at = {axis: index for axis, index in zip(("time", "step", "number", kind), place) if axis in array.dims}
                if array.ndim > grid and numpy.isnan(array.isel(at).values).all():
                    continue
                seconds = None if time is None else int(numpy.datetime64(time, "s").astype("int64"))
                hours = None if step is None else numpy.timedelta64(step, "s").astype("int64") / HOUR
                found[(name, array.attrs.get("GRIB_stepType"), kind, None if level is None else float(level),
                       None if number is None else int(number), seconds, hours)] += 1
    return found


def fields_of_references(program, path):
    """The same of the layout that has one dataset for each field."""
    output = subprocess.run([program, "scan", path, "--grib-layout", "messages"], capture_output=True, check=False)
    if output.returncode:
        raise RuntimeError(output.stderr.decode())
    found = collections.Counter()
    for document in json.loads(output.stdout):
        filesystem = fsspec.filesystem("reference", fo=document, remote_protocol="file", asynchronous=True)
        root = zarr.open_group(zarr.storage.FsspecStore(filesystem, read_only=True), mode="r", zarr_format=2)
        name, array = next((name, array) for name, array in root.arrays() if "GRIB_shortName" in array.attrs)
        kind = array.attrs["GRIB_typeOfLevel"]
        scalar = lambda key: root[key][()].item() if key in root else None  # noqa: E731
        level, number = scalar(kind), scalar("number")
        found[(name, array.attrs["GRIB_stepType"], kind, level, number, scalar("time"), scalar("step"))] += 1
    return found


def text(field):
    """A field in one line, without what is nothing."""
    name, step_type, kind, level, number, time, step = field
    when = "" if time is None else datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    parts = [name, step_type, f"{kind} {level}", "" if number is None else f"number {number}", when, "" if step is None else f"step {float(step)}"]
    return ", ".join(part for part in parts if part)


def main():
    """Command line."""
    program, *paths = sys.argv[1:]
    for path in paths:
        def say(verdict, field, count):
            print(json.dumps({"file": pathlib.Path(path).name, "verdict": verdict, "field": field, "count": count}))
        try:
            ours = fields_of_references(program, path)
        except Exception as error:  # noqa: BLE001  one file must not end the comparison
            say("failed", repr(error), 0)
            continue
        try:
            theirs = fields_of_cfgrib(path)
        except Exception as error:  # noqa: BLE001
            say("cfgrib failed", repr(error), sum(ours.values()))
            continue
        say("same", "", sum((ours & theirs).values()))
        for verdict, left in (("ours", ours - theirs), ("cfgrib", theirs - ours)):
            for field, count in left.items():
                say(verdict, text(field), count)


if __name__ == "__main__":
    main()
