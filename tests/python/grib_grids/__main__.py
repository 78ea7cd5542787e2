# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m grib_grids [FILE…]`: places of points that the program computes beside ecCodes', for messages of every kind of
grid and for those of files. The program is `CHUNKREF`.

Places are read through references that lead to the messages, by the program's own codec, whatever a scan says; and what a
scan says is compared with it: axes that go up, references to ecCodes' places only where those are in the order of the
values, and the digest of the grid section."""

import argparse
import base64
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import eccodes as ec
import numpy

from . import messages

FORM = {"zarr_format": 2, "dtype": "<f8", "compressor": None, "fill_value": None, "order": "C"}


def program(*arguments):
    command = [os.environ.get("CHUNKREF", "chunkref"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def values(folder, path, array):
    out = folder / "values.npy"
    run = program("cat", path, array, "--output", out, "--quiet")
    return (numpy.load(out), "") if run.returncode == 0 else (None, run.stderr.strip())


def computed(folder, some):
    """Latitudes and longitudes of messages that have as many points each, by the program's codec."""
    data = folder / "data.grib"
    data.write_bytes(b"".join(message for message, _ in some))
    count = some[0][1]
    found = []
    for name in ("latitude", "longitude"):
        form = {**FORM, "shape": [len(some), count], "chunks": [1, count], "filters": [{"id": "grib", "var": name, "dtype": "float64"}]}
        refs = {".zgroup": json.dumps({"zarr_format": 2}), f"{name}/.zarray": json.dumps(form), f"{name}/.zattrs": "{}"}
        at = 0
        for index, (message, _) in enumerate(some):
            refs[f"{name}/{index}.0"] = [data.as_uri(), at, len(message)]
            at += len(message)
        path = folder / "refs.json"
        path.write_text(json.dumps({"version": 1, "refs": refs}))
        got, error = values(folder, path, name)
        if got is None:
            return error
        found.append(got)
    return found


def scanned(folder, some):
    """The datasets of messages, and what the scan left out."""
    data = folder / "data.grib"
    data.write_bytes(b"".join(some))
    run = program("scan", data, "--grib-layout", "messages")
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    found = json.loads(run.stdout)
    return [document["refs"] for document in (found if isinstance(found, list) else [found])], run.stderr


def distance(got, want, circle=False):
    """The largest distance in degrees; NaN must be NaN."""
    if (numpy.isnan(got) != numpy.isnan(want)).any():
        return numpy.inf
    apart = numpy.abs(got - want)
    apart = numpy.minimum(apart % 360, -apart % 360) if circle else apart
    return float(numpy.nan_to_num(apart).max(initial=0))


def axis(refs, name):
    """The values of an axis that lies in the references; `None` of what is decoded from a message."""
    document = json.loads(refs[f"{name}/.zarray"])
    if document["filters"]:
        return None
    held = refs[f"{name}/0"]
    raw = base64.b64decode(held[7:]) if held.startswith("base64:") else held.encode("latin-1")
    return numpy.frombuffer(raw, "<f8")


def check_scan(case, refs, say):
    """What a scan says of a message."""
    dimensions = next(json.loads(value)["_ARRAY_DIMENSIONS"] for key, value in refs.items()
                      if key.endswith(".zattrs") and "GRIB_shortName" in value)  # fmt: skip
    if "latitude/.zarray" not in refs:
        if case.by_eccodes:
            say(f"{case.name}: no latitude")
        return
    if not case.by_eccodes:
        say(f"{case.name}: references lead to places that are not ecCodes'")
    axes = {name: axis(refs, name) for name in ("latitude", "longitude")}
    if axes["latitude"] is None:
        handle = ec.codes_new_from_message(case.message)
        want = ec.codes_get(handle, "md5GridSection")
        ec.codes_release(handle)
        if json.loads(refs["latitude/.zattrs"]).get("GRIB_md5GridSection") != want:
            say(f"{case.name}: another digest")
        return
    steps = numpy.diff(axes["longitude"])
    if not ((steps > 0).all() or (steps < 0).all()):
        say(f"{case.name}: longitudes go up and down: {axes['longitude'].tolist()}")
    grid = numpy.meshgrid(*(axes[name] for name in dimensions), indexing="ij")
    full = dict(zip(dimensions, (part.ravel() for part in grid)))
    for name, want in (("latitude", case.latitudes), ("longitude", case.longitudes)):
        if (far := distance(full[name], want, name == "longitude")) > case.tolerance:
            say(f"{case.name}: the axis {name} is {far} degrees off")


def cubes(folder, say):
    """Hourly files of one grid have it once, and those of another are refused."""
    paths = []
    for hour, first in ((0, 20), (1, 20), (2, 20), (3, 21)):
        keys = {"Nx": 6, "Ny": 5, "latitudeOfFirstGridPointInDegrees": first, "longitudeOfFirstGridPointInDegrees": 240, "LaDInDegrees": 40,
                "LoVInDegrees": 260, "DxInMetres": 3000, "DyInMetres": 3000, "Latin1InDegrees": 30, "Latin2InDegrees": 60, "scanningMode": 64,
                "shapeOfTheEarth": 6, "dataDate": 20240101, "dataTime": 100 * hour, "shortName": "2t"}  # fmt: skip
        paths.append(folder / f"hour{hour}.grib2")
        paths[-1].write_bytes(messages.handle(2, "lambert", keys, 30))
    for layout in ("flat", "tree"):
        cube = folder / f"{layout}.json"
        options = ("--concat", "time", "--grib-layout", layout)
        run = program("build", *paths[:2], *options, "-o", cube)
        run = run if run.returncode else program("append", cube, paths[2])
        if run.returncode:
            say(f"cube: {run.stderr}")
            continue
        refs = json.loads(cube.read_text())["refs"]
        shapes = {key.split("/")[-2]: json.loads(value)["shape"] for key, value in refs.items() if key.endswith("/.zarray")}
        if shapes["latitude"] != [5, 6] or shapes["longitude"] != [5, 6] or shapes["crs"] != [] or shapes["t2m"] != [3, 1, 5, 6]:
            say(f"cube {layout}: {shapes}")
        run = program("verify", cube)
        if run.returncode or "sound" not in run.stdout:
            say(f"cube {layout}: {run.stdout} {run.stderr}")
        run = program("build", paths[0], paths[3], *options, "-o", folder / "other.json")
        if run.returncode == 0 or "latitude: the coordinates differ" not in run.stderr or str(paths[3].name) not in run.stderr:
            say(f"cube {layout} of two grids: {run.stderr}")


def of_file(path):
    """A case for each grid of a file of which ecCodes gives places in their order."""
    seen = set()
    with open(path, "rb") as file:
        while (handle := ec.codes_grib_new_from_file(file)) is not None:
            digest = ec.codes_get(handle, "md5GridSection") if ec.codes_is_defined(handle, "md5GridSection") else None
            if digest not in seen:
                seen.add(digest)
                mode = ec.codes_get(handle, "scanningMode") if ec.codes_is_defined(handle, "scanningMode") else 0
                kind = ec.codes_get(handle, "gridType")
                plain = mode == 0x40 if kind in ("lambert", "polar_stereographic", "mercator") else not mode & 0x10
                try:
                    found = ec.codes_get_array(handle, "latitudes"), ec.codes_get_array(handle, "longitudes")
                    # Angles of large grids add up.
                    yield messages.Case(f"{path.name} {kind}", ec.codes_get_message(handle), *found, 1e-6, plain)
                except ec.CodesInternalError:
                    yield messages.Case(f"{path.name} {kind}", ec.codes_get_message(handle), None, None)
            ec.codes_release(handle)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    wrong, worst, counts = [], collections.defaultdict(float), collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cases = [case for path in options.files for case in of_file(path)] if options.files else messages.all_cases()
        groups = collections.defaultdict(list)
        for case in cases:
            if case.latitudes is None:
                counts["of which ecCodes gives no places"] += 1
            elif options.files and not case.by_eccodes:
                counts["of which ecCodes' places are in another order"] += 1
            else:
                groups[len(case.latitudes), case.name if options.files else ""].append(case)
        for some in groups.values():
            got = computed(folder, [(case.message, len(case.latitudes)) for case in some])
            if isinstance(got, str):
                wrong.append(f"{some[0].name}: {got}")
                continue
            for case, latitudes, longitudes in zip(some, *got):
                counts["messages"] += 1
                counts["places"] += latitudes.size
                far = max(distance(latitudes, case.latitudes), distance(longitudes, case.longitudes, True))
                kind = " ".join(case.name.split()[:2]) + ("" if case.by_eccodes else ", in another order")
                worst[case.name if options.files else kind] = max(worst[case.name if options.files else kind], far)
                if far > case.tolerance:
                    wrong.append(f"{case.name}: {far} degrees off")
        if not options.files:
            cubes(folder, wrong.append)
            documents, _ = scanned(folder, [case.message for case in cases])
            if len(documents) != len(cases):
                wrong.append(f"{len(documents)} datasets of {len(cases)} messages")
            for case, refs in zip(cases, documents):
                check_scan(case, refs, wrong.append)
    for kind, far in sorted(worst.items()):
        print(f"{kind:60} {far:.2g}")
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    for line in wrong[:200]:
        print(line)
    if wrong or not counts["messages"]:
        sys.exit(f"{len(wrong)} findings")


if __name__ == "__main__":
    main()
