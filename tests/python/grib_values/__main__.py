# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m grib_values [FILE...]`: the values of messages beside those of ecCodes, of FILEs or of messages that it makes.

The program is `GRIB_VALUES`, the example of that name in `crates/chunkref-grib2`. `--every N` takes each Nth of the messages
that ecCodes packs (50), `--hand N` makes so many by hand (2000), `--seed N` says which of them. `--show` prints each message
that is not the same, `--time` compares times instead, of packings of a million points.

The columns: messages whose values are equal to the last bit; near, which is 1e-14 of the largest of them; that differ; that
only ecCodes decodes, that need JPEG 2000, which is not built in, that only the program decodes, or neither; and that ecCodes does
not write. Exits with 1 where messages differ, or
where ecCodes decodes what it packed and the program does not."""

import argparse
import collections
import os
import struct
import subprocess
import sys

import eccodes as ec
import numpy as np
from grib_differential import singles

from . import hand, made, times

VERDICTS = ["equal", "near", "differ", "refused", "not built", "ours alone", "neither", "unwritten"]


def truth(message):
    """What ecCodes decodes, with NaN for what is missing, or `None`."""
    handle = ec.codes_new_from_message(message)
    try:
        ec.codes_set(handle, "missingValue", made.MISSING)
        values = ec.codes_get_values(handle)
        return np.where(values == made.MISSING, np.nan, values)
    except ec.CodesInternalError:
        return None
    finally:
        ec.codes_release(handle)


def decoded(messages, *arguments):
    """What the program decodes of each message: values, or the reason why not."""
    program = [os.environ["GRIB_VALUES"], *arguments]
    stored = b"".join(struct.pack("<I", len(message)) + message for message in messages)
    output = subprocess.run(program, input=stored, capture_output=True, check=True).stdout
    found, at = [], 0
    while at < len(output):
        (length,) = struct.unpack_from("<q", output, at)
        part = output[at + 8 : at + 8 + abs(length)]
        found.append(part.decode() if length < 0 else np.frombuffer(part, "<f8"))
        at += 8 + abs(length)
    if len(found) != len(messages):
        raise RuntimeError(f"{len(found)} answers to {len(messages)} messages")
    return found


def verdict(want, got):
    if isinstance(got, str) and "feature jpeg2000" in got:
        return "not built"
    if want is None or isinstance(got, str):
        return "neither" if want is None and isinstance(got, str) else "refused" if want is not None else "ours alone"
    if want.shape != got.shape or (np.isnan(want) != np.isnan(got)).any():
        return "differ"
    if ((want == got) | np.isnan(want)).all():
        return "equal"
    largest = np.nanmax(np.abs(want))
    return "near" if np.allclose(got, want, rtol=0, atol=1e-14 * largest, equal_nan=True) else "differ"


def of_files(paths):
    for path in paths:
        try:
            with open(path, "rb") as file:
                while (handle := ec.codes_grib_new_from_file(file)) is not None:
                    message = ec.codes_get_message(handle)
                    ec.codes_release(handle)
                    for single in singles(message):
                        yield os.path.basename(path), single
        except ec.CodesInternalError as error:
            print(f"{path}: {error}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(prog="grib_values", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--hand", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--time", action="store_true")
    options = parser.parse_args()
    if options.time:
        return times.compare(decoded)
    pairs = of_files(options.files) if options.files else [
        *made.all_messages(options.seed, options.every), *hand.all_messages(options.seed, options.hand),
    ]  # fmt: skip
    counts, values, reasons = collections.defaultdict(collections.Counter), 0, collections.Counter()
    batch = []

    def flush():
        nonlocal values
        for (name, message), got in zip(batch, decoded([message for _, message in batch])):
            want = truth(message)
            found = verdict(want, got)
            counts[name][found] += 1
            values += 0 if want is None else want.size
            if found == "refused":
                reasons[f"{name}: {got}"] += 1
            if options.show and found in ("near", "differ", "refused", "ours alone"):
                show(name, found, want, got)
        batch.clear()

    for name, message in pairs:
        if message is None:
            counts[name]["unwritten"] += 1
            continue
        batch.append((name, message))
        if len(batch) >= 200:
            flush()
    flush()
    for name, found in sorted(counts.items()):
        print(f"{name}: " + ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS if found[verdict]))
    for reason, number in sorted(reasons.items()):
        print(f"  {number} refused: {reason}")
    total = sum(counts.values(), collections.Counter())
    print(f"{sum(total.values())} messages, {values} values: " + ", ".join(f"{total[verdict]} {verdict}" for verdict in VERDICTS))
    return 1 if total["differ"] or total["refused"] and not options.files or not total["equal"] else 0


def show(name, found, want, got):
    if want is None or isinstance(got, str) or want.shape != got.shape:
        print(f"{name}: {found}: {got if isinstance(got, str) else got.shape}, ecCodes {None if want is None else want.shape}")
        return
    places = np.flatnonzero((want != got) & ~(np.isnan(want) & np.isnan(got)))
    print(f"{name}: {found}: {places.size} of {want.size}, first at {places[:1]}: {got[places[:4]]}, ecCodes {want[places[:4]]}")


if __name__ == "__main__":
    sys.exit(main())
