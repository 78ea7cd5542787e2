# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare what references of GRIB files read as with what ecCodes reads: `python grib_differential.py PROGRAM FILE...`.

One JSON line per finding: {"file", "layout", "kind", "path", "verdict", "detail"}. Kinds are `field` and `coordinate` (values),
`key` (names and levels) and `xarray` (a group opens)."""
import collections
import datetime
import json
import pathlib
import subprocess
import sys
import warnings

import eccodes
import fsspec
import kerchunk.codecs  # noqa: F401  registers the codec
import numpy
import xarray
import zarr
from grib_labels import compare

warnings.simplefilter("ignore")
MISSING = 1e100
KEYS = ["shortName", "cfVarName", "cfName", "paramId", "typeOfLevel", "level", "stepType", "gridType", "units", "name"]


def singles(message):
    """A message of edition 2 as messages of one field each: the bytes that ecCodes is asked about."""
    if message[7] == 1:
        return [message]
    current, bitmap, found, at = {}, b"", [], 16
    while message[at:at + 4] != b"7777":
        length = int.from_bytes(message[at:at + 4], "big")
        number, data = message[at + 4], message[at:at + length]
        if number == 6 and data[5] == 0:
            bitmap = data
        current[number] = bitmap if number == 6 and data[5] == 254 else data
        if number == 7:
            body = b"".join(current[key] for key in sorted(current))
            found.append(message[:8] + (len(body) + 20).to_bytes(8, "big") + body + b"7777")
        at += length
    return found


def truth(path):
    """Every field as ecCodes reads it, in the order of the file."""
    messages = []
    content = pathlib.Path(path).read_bytes()
    with open(path, "rb") as file:
        while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
            offset, length = eccodes.codes_get_long(handle, "offset"), eccodes.codes_get_long(handle, "totalLength")
            messages += singles(content[offset:offset + length])
            eccodes.codes_release(handle)
    return [decode(message) for message in messages]


def place_of(handle):
    """Where ecCodes sees a field: parameter, level, member, and reference and valid time in minutes."""
    def key(name):
        try:
            return eccodes.codes_get_long(handle, name)
        except eccodes.CodesInternalError:
            return None

    def minutes(date, clock):
        day = datetime.date(date // 10000, date // 100 % 100, date % 100).toordinal()
        return (day - datetime.date(1970, 1, 1).toordinal()) * 1440 + clock // 100 * 60 + clock % 100
    codes = ["discipline", "parameterCategory", "parameterNumber"] if key("edition") == 2 else ["table2Version", "indicatorOfParameter"]
    return {"parameter": [key(name) for name in codes], "level": key("level"), "number": key("number"),
            "time": minutes(key("dataDate"), key("dataTime")), "valid_time": minutes(key("validityDate"), key("validityTime"))}


def decode(message):
    """Values, coordinates and keys of a message."""
    handle = eccodes.codes_new_from_message(message)
    eccodes.codes_set(handle, "missingValue", MISSING)
    data = eccodes.codes_get_values(handle)
    field = {"values": numpy.where(data == MISSING, numpy.nan, data), "keys": {}, "latitudes": None, "longitudes": None, "place": place_of(handle)}
    for name in KEYS:
        try:
            field["keys"][name] = eccodes.codes_get(handle, name)
        except eccodes.CodesInternalError:
            pass
    for name in ("latitudes", "longitudes"):
        try:
            field[name] = eccodes.codes_get_array(handle, name)
        except eccodes.CodesInternalError:
            pass
    eccodes.codes_release(handle)
    return field


def scan(program, path, layout):
    """References of a file."""
    output = subprocess.run([program, "scan", path, "--grib-layout", layout], capture_output=True, check=False)
    if output.returncode:
        raise RuntimeError(output.stderr.decode())
    return json.loads(output.stdout), output.stderr.decode()


def store(references):
    """References as a store of zarr."""
    filesystem = fsspec.filesystem("reference", fo=references, remote_protocol="file", asynchronous=True)
    return zarr.storage.FsspecStore(filesystem, read_only=True)


def same(got, want):
    """Whether all values are equal, missing ones too."""
    got = numpy.asarray(got).reshape(-1)
    return got.size == want.size and bool(((got == want) | (numpy.isnan(got) & numpy.isnan(want))).all())


def near(got, want, shape):
    """The largest distance in degrees of coordinates of one or two dimensions."""
    got = numpy.asarray(got, "f8")
    full = want.reshape(shape) if got.ndim == 2 else want
    return float(numpy.abs((got.reshape(-1) - full.reshape(-1) + 180) % 360 - 180).max())


def data_arrays(group):
    """Arrays of variables: those that have the keys of their message."""
    for name, member in group.members(max_depth=None):
        if isinstance(member, zarr.Array) and "GRIB_shortName" in member.attrs:
            yield name, member


def check_messages(documents, fields, say):
    """One dataset for each field, with all of its coordinates."""
    if len(documents) != len(fields):
        say("field", "", "count", f"{len(documents)} datasets of {len(fields)} fields")
    for index, (document, field) in enumerate(zip(documents, fields)):
        root = zarr.open_group(store(document), mode="r", zarr_format=2)
        for name, array in data_arrays(root):
            path = f"{index}/{name}"
            say("field", path, "exact" if same(array[...], field["values"]) else "different")
            for key in KEYS:
                want, found = field["keys"].get(key), array.attrs.get(f"GRIB_{key}")
                if key == "level":
                    found = float(root[field["keys"]["typeOfLevel"]][()]) if field["keys"].get("typeOfLevel") in root else None
                if want not in (None, "unknown", "undef") and (key, want) != ("paramId", 0):
                    equal = compare.same_units(found, want) if key == "units" else found == want
                    say("key", path, "same" if equal else "different", f"{key}: {found!r} for {want!r}")
            latitudes, longitudes = field["latitudes"], field["longitudes"]
            if latitudes is None or "latitude" not in root:
                if latitudes is not None:
                    say("coordinate", f"{index}/latitude", "absent")
                continue
            for name, want in (("latitude", latitudes), ("longitude", longitudes)):
                got = root[name][...]
                if root[name].ndim == 1 and array.ndim == 2:
                    got = numpy.broadcast_to(got[:, None] if name == "latitude" else got[None, :], array.shape)
                distance = near(got, want, array.shape)
                say("coordinate", f"{index}/{name}", "near" if distance <= 2e-6 else "different", f"{distance} degrees")


def told_place(root, name, array, indices):
    """Where the references have a chunk: the coordinates at its indices."""
    group = root[name.rpartition("/")[0]] if "/" in name else root
    at = dict(zip(array.attrs["_ARRAY_DIMENSIONS"], indices))
    told = {"parameter": [array.attrs[f"GRIB_{key}"] for key in ("discipline", "parameterCategory", "parameterNumber")]}
    for key, coordinate in (("level", array.attrs["GRIB_typeOfLevel"]), ("number", "number"), ("time", "time"), ("valid_time", "valid_time")):
        if coordinate in group:
            dimensions = group[coordinate].attrs["_ARRAY_DIMENSIONS"]
            told[key] = float(group[coordinate][tuple(at[dimension] for dimension in dimensions)])
    return told


def fits(told, place):
    """Whether a place is the one that ecCodes sees. It cuts levels to whole numbers and times to minutes."""
    codes = place["parameter"]
    same_level = told.get("level") is None or place["level"] is None or int(told["level"]) == place["level"]
    same_number = told.get("number") is None or told["number"] == (place["number"] or 0)
    same_times = all(told[key] // 60 == place[key] for key in ("time", "valid_time"))
    return told["parameter"][-len(codes):] == codes and same_level and same_number and same_times


def check_cubes(document, fields, say):
    """Every field is one chunk of one array, and the rest of the arrays is missing."""
    root = zarr.open_group(store(document), mode="r", zarr_format=2)
    left = collections.defaultdict(list)
    for field in fields:
        left[field["values"].tobytes()].append(field["place"])
    for name, array in data_arrays(root):
        chunks = [key for key in document["refs"] if key.startswith(name + "/") and "/." not in key]
        for key in chunks:
            indices = [int(part) for part in key.rpartition("/")[2].split(".")]
            place = tuple(slice(index * size, (index + 1) * size) for index, size in zip(indices, array.chunks))
            known = left[numpy.ascontiguousarray(array[place]).tobytes()]
            say("field", key, "exact" if known else "different")
            told = told_place(root, name, array, indices)
            fitting = next((place for place in known if fits(told, place)), None)
            say("place", key, "same" if fitting else "different", f"{told} for {known}")
            if known:
                known.remove(fitting or known[0])
    for places in left.values():
        if places:
            say("field", "", "absent", f"{len(places)} fields")
    for path in sorted({name.rpartition("/")[0] for name, _ in data_arrays(root)}):
        options = {"fo": document, "remote_protocol": "file"}
        try:
            with xarray.open_dataset("reference://", engine="zarr", group=path or None,
                                     backend_kwargs={"storage_options": options, "consolidated": True}) as dataset:
                complete = {"time", "step", "valid_time"} <= set(dataset.coords)
            say("xarray", path, "opened" if complete else "incomplete")
        except Exception as error:  # noqa: BLE001  whatever the reader says
            say("xarray", path, "failed", repr(error))


def main():
    """Command line."""
    program, *paths = sys.argv[1:]
    for path in paths:
        for layout in ("messages", "tree", "flat"):
            def say(kind, name, verdict, detail=""):
                finding = {"file": pathlib.Path(path).name, "layout": layout, "kind": kind, "path": name, "verdict": verdict, "detail": detail}
                print(json.dumps(finding))
            try:
                fields = truth(path)
                document, notes = scan(program, path, layout)
                if notes:
                    say("field", "", "noted", notes)
                if layout == "messages":
                    check_messages(document, fields, say)
                else:
                    check_cubes(document, fields, say)
            except Exception as error:  # noqa: BLE001  one file must not end the comparison
                say("field", "", "failed", repr(error))


if __name__ == "__main__":
    main()
