# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m grib_labels`: the labels of the program beside ecCodes', over the entries of all of its concepts.

The program is `CHUNKREF`. `--every N` takes each Nth entry (100), `--seed N` which of them, `--jobs N` processes,
`--show` prints each label that is not the same.

The columns: labels that are the same, that differ, that only ecCodes has, that only the program has, of these that it
has of its second source and says so; those that ecCodes takes from ECMWF's list though the short name is another
centre's, which the program does not; and those that neither has."""

import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

from . import compare, messages

BATCH = 2000


def scanned(batch, folder):
    """The attributes of the one variable of each message, in their order."""
    path = os.path.join(folder, "labels.grib")
    with open(path, "wb") as file:
        for message in batch:
            file.write(message)
    command = [os.environ.get("CHUNKREF", "chunkref"), "scan", path, "--grib-layout", "messages"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    if "skipped" in run.stderr:
        sys.stderr.write(run.stderr)
    documents = json.loads(run.stdout)
    documents = documents if isinstance(documents, list) else [documents]
    found = []
    for document in documents:
        for name, entry in document["refs"].items():
            if name.endswith(".zattrs") and "GRIB_shortName" in entry:
                attributes = json.loads(entry)
                found.append({key: attributes.get(f"GRIB_{key}") for key in compare.LABELS})
                found[-1]["source"] = attributes.get("GRIB_nameSource")
                break
    return found


def shard(task):
    edition, every, seed, show = task
    counts, lines, batch = collections.Counter(), [], []

    def flush(folder):
        found = scanned([message for _, _, message, _ in batch], folder)
        if len(found) != len(batch):
            raise RuntimeError(f"{len(batch)} messages, and {len(found)} datasets")
        for (name, conditions, _, truth), ours in zip(batch, found):
            for key in compare.LABELS:
                value = None if ours[key] is None else str(ours[key])
                verdict = compare.verdict(key, value, truth[key])
                if verdict is None:
                    continue
                if verdict == "own" and (ours["source"] == "gribberish" or ours["source"] and key in ("name", "units")):
                    verdict = "second"
                if verdict in ("differ", "unknown") and compare.is_of_another(key, truth):
                    verdict = "another"
                counts[edition, name, key, verdict] += 1
                if verdict in ("differ", "unknown", "own"):
                    lines.append(f"{edition} {name} {key}: {value!r}, ecCodes {truth[key]!r} {dict(conditions)}")
        batch.clear()

    with tempfile.TemporaryDirectory() as folder:
        for name, conditions, message, truth in messages.all_messages(edition, every, seed):
            if message is None:
                counts[edition, name, "message", "none"] += 1
                continue
            batch.append((name, conditions, message, truth))
            if len(batch) == BATCH:
                flush(folder)
        if batch:
            flush(folder)
    return counts, lines if show else lines[:20]


def table(counts, by_list):
    words = ["same", "differ", "unknown", "own", "second", "another", "neither"]
    print(f"{'':34}" + "".join(f"{word:>9}" for word in words))
    rows = collections.defaultdict(collections.Counter)
    for (edition, name, key, verdict), count in counts.items():
        if key != "message":
            rows[f"{edition} {name + ' ' if by_list else ''}{key}"][verdict] += count
    for row in sorted(rows):
        print(f"{row:34}" + "".join(f"{rows[row][word]:9}" for word in words))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--edition", type=int, choices=[1, 2])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--by-list", action="store_true")
    options = parser.parse_args()
    editions = [options.edition] if options.edition else [1, 2]
    tasks = [
        (edition, options.every * options.jobs, options.seed + options.every * job, options.show)
        for edition in editions
        for job in range(options.jobs)
    ]
    counts, lines = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for some, wrong in pool.map(shard, tasks):
            counts.update(some)
            lines += wrong
    table(counts, options.by_list)
    none = sum(count for (_, _, key, _), count in counts.items() if key == "message")
    print(f"{none} entries with which ecCodes makes no message")
    for line in lines:
        print(line)
    if lines:
        sys.exit(f"{len(lines)} labels are not those of ecCodes")


if __name__ == "__main__":
    main()
