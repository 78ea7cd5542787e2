# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m grib_indexes`: references by index sidecars alone are those of scans, and sidecars of other files are found out.

The program is `CHUNKREF`."""

import json
import os
import re
import subprocess
import sys
import tempfile

from . import archive


def run(*arguments):
    command = [os.environ.get("CHUNKREF", "chunkref"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def scanned(path, *options):
    done = run("scan", path, *options)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)["refs"]


def planted(text, kind):
    """Sidecars that are not of the file, and what the message has to have in it."""
    if kind == "wgrib2":
        yield "shifted", re.sub(r"(?m)^(\d+):(\d+)", lambda found: f"{found[1]}:{int(found[2]) + 16}", text), "byte"
        yield "another level", text.replace(":850 mb:", ":999 mb:").replace(":500 mb:", ":850 mb:"), "level"
        yield "another run", re.sub(r"d=\d{10}", "d=2024010106", text), "reference time"
        yield "another step", text.replace(":6 hour fcst:", ":9 hour fcst:"), "step"
    else:
        yield "shifted", re.sub(r'"_offset": (\d+)', lambda found: f'"_offset": {int(found[1]) + 16}', text), "byte"
        yield "another level", text.replace('"levelist": "850"', '"levelist": "9"').replace('"500"', '"850"'), "level"
        yield "another run", re.sub(r'"date": "\d+"', '"date": "20240101"', text), "reference time"
        yield "another step", re.sub(r'"step": "\d+"', '"step": "9"', text), "step"
        yield "another member", text.replace('"number": "1"', '"number": "7"').replace('"number": "2"', '"number": "1"'), "member"


def judge(folder, kind):
    """Faults that were found, and how many comparisons were made."""
    faults, compared, chunks = [], 0, 0
    files = archive.write(folder, kind)
    template = files[0][0]
    only = ["--grib-index", "only", "--grib-template", template, "--grib-check"]
    for path, _ in files:
        for layout in ["tree", "flat"]:
            for threshold in ["0", "500"]:
                common = ["--grib-layout", layout, "--inline-threshold", threshold]
                whole = scanned(path, "--grib-index", "no", *common)
                alone = scanned(path, *only, "2", *common)
                compared += 1
                chunks += sum(isinstance(entry, list) for entry in whole.values())
                if whole != alone:
                    keys = sorted(key for key in whole | alone if whole.get(key) != alone.get(key))
                    faults.append(f"{kind} {os.path.basename(path)} {layout}: {len(keys)} entries differ, such as {keys[:3]}")
    path, index = files[1]
    with open(index, encoding="ascii") as file:
        text = file.read()
    for name, wrong, word in planted(text, kind):
        with open(index, "w", encoding="ascii") as file:
            file.write(wrong)
        done = run("scan", path, *only, "1000")
        compared += 1
        if done.returncode == 0 or word not in done.stderr or os.path.basename(path) not in done.stderr:
            faults.append(f"{kind}, {name}: exit {done.returncode}: {done.stderr}")
    with open(index, "w", encoding="ascii") as file:
        file.write(text)
    # A cube of all runs of a step.
    paths = [path for path, _ in files if path.endswith("f006.grib2")]
    sets = []
    for options in [["--grib-index", "no"], [*only, "1"]]:
        done = run("build", *paths, "--concat", "time", "-o", os.path.join(folder, f"{len(sets)}.json"), *options)
        if done.returncode != 0:
            faults.append(f"{kind} build: {done.stderr}")
            return faults, compared, chunks
        with open(os.path.join(folder, f"{len(sets)}.json"), encoding="utf-8") as file:
            sets.append({key: entry for key, entry in json.load(file)["refs"].items() if key != ".zattrs"})
    compared += 1
    if sets[0] != sets[1]:
        faults.append(f"{kind}: the cubes differ")
    return faults, compared, chunks


def main():
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ["wgrib2", "ecmwf"]:
            found, compared, chunks = judge(os.path.join(folder, kind), kind)
            faults += found
            print(f"{kind}: {compared} comparisons, {chunks} byte ranges, {len(found)} faults")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
