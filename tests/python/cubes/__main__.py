# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m cubes --seeds 0:300 --program CHUNKREF`: random archives through a program, and what came of it."""

import argparse
import collections
import itertools
import json
import os
import pathlib
import sys
import time

from . import report
from .campaign import all_results, is_bad
from .runs import BAD, OUTCOMES


def seeds_of(text):
    """`5`, `0:300` or `1,4,9`."""
    if ":" in text:
        first, last = text.split(":")
        return list(range(int(first), int(last)))
    return [int(part) for part in text.split(",")]


def table(results, column="outcome"):
    """Counts of outcomes, in all and for each mishap."""
    rows = {"all archives": collections.Counter(result[column] for result in results)}
    for result in results:
        for mishap in result["mishaps"] or ["none"]:
            rows.setdefault(mishap, collections.Counter())[result[column]] += 1
    lines = ["".join([f"{'':20}", *(f"{outcome:>20}" for outcome in OUTCOMES)])]
    for name in ["all archives", *sorted(set(rows) - {"all archives"})]:
        lines.append("".join([f"{name:20}", *(f"{rows[name][outcome] or '.':>20}" for outcome in OUTCOMES)]))
    return "\n".join(lines)


def block(result):
    """A run that did not go well, for people."""
    lines = [
        f"--- seed {result['seed']}: {result['outcome']}; model: {result['model']} {'; '.join(result['reasons'])}",
        f"    mishaps: {', '.join(result['mishaps']) or 'none'}; {result['archive']}",
    ]
    lines += [f"    $ {command}" for command in result["commands"]]
    lines += [f"    {line}" for line in result["detail"].splitlines()[:12]]
    if walk := result.get("walk"):
        lines += [
            f"    resolutions: {walk['outcome']} after {' / '.join(walk['steps'])}",
            *(f"    {line}" for line in walk["detail"].splitlines()[:4]),
        ]
    return "\n".join(lines)


def figures(results):
    """What the table does not say."""
    refused = [result for result in results if result["outcome"].startswith("refused")]
    models = collections.Counter(result["model"] for result in refused)
    lines = [
        f"refused: no cube exists {models['impossible']}, unsure {models['unsure']}, a cube exists {models['exact']};"
        f" without a resolution {sum(not result['resolution'] for result in refused)}"
    ]
    made = [result for result in results if "verify" in result]
    lines.append(
        f"verify: calls {sum(result['verify'] == 'sound' for result in made if result['outcome'] in BAD)} of"
        f" {sum(result['outcome'] in BAD for result in made)} bad cubes sound, and"
        f" {sum(result['verify'] != 'sound' for result in made if result['outcome'] == 'equal')} equal ones not"
    )
    kinds = collections.Counter(result["detail"].split(":")[0] for result in results if result["outcome"] == "wrong")
    if kinds:
        lines.append("wrong: " + ", ".join(f"{name} {count}" for name, count in kinds.most_common()))
    exact = [result for result in results if result["model"] == "exact"]
    lines.append(
        f"of {len(exact)} archives with an exact cube {sum(result['outcome'] == 'equal' for result in exact)} are equal"
    )
    if walks := collections.Counter(result["walk"]["outcome"] for result in results if "walk" in result):
        lines.append("resolutions: " + ", ".join(f"{name} {count}" for name, count in sorted(walks.items())))
    return "\n".join(lines)


def main():
    """Runs and reports; exit code 1 when anything is wrong, or too much is refused."""
    parser = argparse.ArgumentParser(prog="cubes", description=__doc__)
    parser.add_argument("--seeds", default="0:100", help="seeds: N, FROM:TO (without TO) or A,B,C")
    parser.add_argument("--minutes", type=float, help="go on from the first seed for so long, instead of to the last")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument(
        "--program", default=os.environ.get("CHUNKREF", "chunkref"), help="the program (default: CHUNKREF)"
    )
    parser.add_argument("--only", help="only these mishaps, separated by commas; none with an empty text")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the files of runs that did not go well")
    parser.add_argument("--json", metavar="OUT", help="write all results")
    parser.add_argument("--kerchunk", action="store_true", help="also through kerchunk")
    parser.add_argument("--resolve", action="store_true", help="also go by the resolutions that messages offer")
    parser.add_argument(
        "--least", type=float, default=0, metavar="PERCENT", help="of those with an exact cube, so many have to be equal"
    )
    parser.add_argument("--quiet", action="store_true", help="tables alone, no single runs")
    arguments = parser.parse_args()
    seeds = seeds_of(arguments.seeds)
    if arguments.minutes:
        seeds = itertools.count(seeds[0])
    started, results = time.monotonic(), []
    for result in all_results(arguments, seeds):
        results.append(result)
        if is_bad(result) and not arguments.quiet:
            print(block(result), flush=True)
    print(
        f"{len(results)} archives in {time.monotonic() - started:.0f} s,"
        f" seeds {results[0]['seed']} to {results[-1]['seed']}"
    )
    print(table(results))
    print(figures(results))
    print("\n".join(report.lines(results)))
    if arguments.kerchunk:
        print("through kerchunk:")
        print(table([{**result, "outcome": result["kerchunk"]["outcome"]} for result in results if result["kerchunk"]]))
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1, default=str))
    bad = any({result["outcome"], result.get("walk", {}).get("outcome")} & BAD for result in results)
    exact = [result["outcome"] == "equal" for result in results if result["model"] == "exact"]
    enough = 100 * sum(exact) >= arguments.least * len(exact)
    if not enough:
        print(f"fewer than {arguments.least:g} % of the archives with an exact cube are equal")
    return 1 if bad or not enough else 0


if __name__ == "__main__":
    sys.exit(main())
