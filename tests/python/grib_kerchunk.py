# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare the layout `messages` with what kerchunk's `scan_grib` writes: `python grib_kerchunk.py PROGRAM FILE...`.

One JSON line for each kind of difference in a file: {"file", "difference", "count", "example"}; `same` counts the equal entries. The seconds that
both took go to standard error. kerchunk gets PATIENCE seconds for a file: padding between messages has it go round without end."""
import base64
import collections
import json
import logging
import pathlib
import signal
import subprocess
import sys
import time
import warnings

import numpy
from grib_labels.compare import same_units
from kerchunk.grib2 import scan_grib

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
PATIENCE = 60


def parsed(references):
    """References with metadata parsed, and without the consolidated copy."""
    entries = {}
    for key, value in references.items():
        name = key.rpartition("/")[2]
        if name in (".zarray", ".zattrs", ".zgroup"):
            value = json.loads(value) if isinstance(value, str) else value
        entries[key] = value
    return entries


def numbers(value, array):
    """The numbers of an inline chunk."""
    content = base64.b64decode(value[7:]) if value.startswith("base64:") else value.encode()
    return numpy.frombuffer(content, array["dtype"]).astype("f8")


def compare(ours, theirs, say):
    """All entries of two documents."""
    if ours.keys() != theirs.keys() or (ours["version"], ours.get("templates")) != (theirs["version"], theirs["templates"]):
        say("document", {key: ours.get(key) for key in ("version", "templates")}, {key: theirs.get(key) for key in ("version", "templates")})
    ours, theirs = parsed(ours["refs"]), parsed(theirs["refs"])
    for key in sorted(ours.keys() | theirs.keys()):
        array, _, leaf = key.rpartition("/")
        where = array if array in ("", "latitude", "longitude", "time", "step", "valid_time", "number") else "variable or level"
        if key not in ours or key not in theirs:
            say(f"{where} {leaf if leaf.startswith('.z') else 'chunk'}: {'absent' if key not in ours else 'more'}", key, None)
        elif leaf in (".zarray", ".zattrs", ".zgroup"):
            for name in sorted(ours[key].keys() | theirs[key].keys()):
                got, want = ours[key].get(name, "absent"), theirs[key].get(name, "absent")
                close = isinstance(got, (int, float)) and isinstance(want, (int, float)) and abs(got - want) <= 1e-6 * max(1, abs(want))
                close = close or (name in ("units", "GRIB_units") and same_units(str(got), str(want)))
                say("same" if got == want or close else f"{where} {leaf}: {name}", got, want, key)
        elif isinstance(ours[key], str) and isinstance(theirs[key], str):
            got, want = numbers(ours[key], ours[f"{array}/.zarray"]), numbers(theirs[key], theirs[f"{array}/.zarray"])
            equal = got.shape == want.shape and bool((numpy.abs((got - want + 180) % 360 - 180) < 3e-6).all())
            say("same" if equal else f"{where} chunk: values", got[:3].tolist(), want[:3].tolist(), key)
        else:
            say("same" if ours[key] == theirs[key] else f"{where} chunk: reference", str(ours[key])[:40], str(theirs[key])[:40], key)


def give_up(*_):
    """The time is over."""
    raise TimeoutError("no end in time")


def main():
    """Command line."""
    signal.signal(signal.SIGALRM, give_up)
    program, *paths = sys.argv[1:]
    for path in paths:
        counts, examples = collections.Counter(), {}

        def say(difference, got, want, key=""):
            counts[difference] += 1
            examples.setdefault(difference, f"{key} {got!r}, kerchunk {want!r}")
        begin = time.perf_counter()
        signal.alarm(PATIENCE)
        try:
            theirs = scan_grib(path)
        except Exception as error:  # noqa: BLE001  files that kerchunk cannot read are many
            theirs = None
            say("kerchunk fails", "", repr(error))
        signal.alarm(0)
        middle = time.perf_counter()
        output = subprocess.run([program, "scan", path, "--grib-layout", "messages"], capture_output=True, check=False)
        print(f"{pathlib.Path(path).name}: kerchunk {middle - begin:.3f} s, chunkref {time.perf_counter() - middle:.3f} s", file=sys.stderr)
        if output.returncode:
            say("fails", output.stderr.decode(), "")
        elif theirs is not None:
            ours = json.loads(output.stdout)
            if len(ours) != len(theirs):
                say("number of datasets", len(ours), len(theirs))
            else:
                for got, want in zip(ours, theirs):
                    compare(got, want, say)
        for difference, count in counts.items():
            print(json.dumps({"file": pathlib.Path(path).name, "difference": difference, "count": count, "example": examples[difference][:300]}))


if __name__ == "__main__":
    main()
