# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sorts runs that did not go well into kinds, each with its smallest archive: `python -m cubes.report RESULTS.json`."""

import json
import pathlib
import re
import sys

from .runs import BAD

ROLES = {
    "tas": "DATA",
    "sst": "DATA",
    "pr": "DATA",
    "lat": "GRID",
    "lon": "GRID",
    "station": "GRID",
    "lev": "GRID",
    "mask": "STATIC",
    "area": "STATIC",
    "crs": "STATIC",
    "time": "TIME",
    "t": "TIME",
    "time_bnds": "BOUNDS",
    "t_bnds": "BOUNDS",
    "climatology_bnds": "CLIMATOLOGY",
}
CONFLICT = re.compile(r"^\d+\. (.*)$", re.MULTILINE)


def general(text):
    """A message without what differs between archives of one kind."""
    text = re.sub(r"day_\d+(_[ab])?\.\w+", "FILE", text)
    text = re.sub(r"\[[^\]]*\]|\('[^)]*\)|at \([^)]*\)|\(\d+ of \d+ cells\)|'\d{4}-[^']*'", "…", text)
    text = re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "N", text)
    return re.sub(r"\b[a-z_]+\b", lambda word: ROLES.get(word[0], word[0]), text)


def kind_of(outcome, detail):
    """What a run has in common with others: the first difference, or the first conflict."""
    conflicts = CONFLICT.findall(detail)
    first = conflicts[0] if conflicts else (detail.splitlines() or [""])[0]
    return f"{outcome}: {general(first)[:200]}"


def size(result):
    """How much there is in an archive to look at."""
    return len(result["mishaps"]), len(result["commands"]), result["archive"].count(","), result["seed"]


def kinds(results):
    """Kinds of runs that did not go well, the gravest and most frequent first; the smallest run first in each."""
    found = {}
    for result in results:
        if result["outcome"] not in ("equal", "refused"):
            found.setdefault(kind_of(result["outcome"], result["detail"]), []).append(result)
        walk = result.get("walk")
        if walk and walk["outcome"] in BAD:
            found.setdefault(kind_of(f"a resolution leads to {walk['outcome']}", walk["detail"]), []).append(result)
    order = sorted(
        found, key=lambda kind: (kind.startswith("a resolution"), kind.startswith("refused"), -len(found[kind]))
    )
    return {kind: sorted(found[kind], key=size) for kind in order}


def lines(results):
    """The kinds, for people."""
    for kind, runs in kinds(results).items():
        smallest = runs[0]
        yield f"{len(runs):5}  {kind}"
        steps = f"; resolutions {' / '.join(smallest['walk']['steps'])}" if kind.startswith("a resolution") else ""
        mishaps, others = ", ".join(smallest["mishaps"]) or "no mishap", [run["seed"] for run in runs[1:6]]
        yield f"         seed {smallest['seed']} ({mishaps}); others {others}{steps}"


if __name__ == "__main__":
    print("\n".join(lines(json.loads(pathlib.Path(sys.argv[1]).read_text()))))
