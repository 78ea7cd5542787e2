# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many archives, one after another or in several processes."""

import itertools
import multiprocessing
import pathlib
import shutil
import tempfile
import time
import traceback
import warnings

from .archive import Archive
from .judge import judge, judge_kerchunk
from .runs import BAD


def run(task):
    """One archive; an error of the judge itself is an outcome too."""
    seed, arguments, root = task
    warnings.simplefilter("ignore")
    only = None if arguments.only is None else [name for name in arguments.only.split(",") if name]
    folder = pathlib.Path(root) / str(seed)
    archive = Archive(seed, only)
    try:
        result = judge(archive, arguments.program, folder, arguments.resolve)
        if arguments.kerchunk:
            result["kerchunk"] = judge_kerchunk(archive, folder)
    except Exception:  # whatever the judge did not think of
        result = {
            "seed": seed,
            "mishaps": archive.mishaps,
            "archive": archive.summary(),
            "model": "unsure",
            "reasons": [],
            "commands": [],
            "outcome": "judge-failed",
            "detail": traceback.format_exc(),
            "kerchunk": None,
        }
    if arguments.keep and is_bad(result):
        shutil.copytree(folder, pathlib.Path(arguments.keep) / str(seed), dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return result


def is_bad(result):
    """Whether anything is wrong, or refused for nothing."""
    return result["outcome"] not in ("equal", "refused") or result.get("walk", {}).get("outcome") in BAD


def all_results(arguments, seeds):
    """Results in the order of seeds, until the time is over."""
    ends = time.monotonic() + 60 * (arguments.minutes or 60 * 24 * 365)
    with tempfile.TemporaryDirectory(prefix="cubes-") as root:
        tasks = ((seed, arguments, root) for seed in seeds)
        if arguments.jobs == 1:
            found = map(run, tasks)
        else:
            pool = multiprocessing.get_context("spawn").Pool(arguments.jobs)
            found = itertools.chain.from_iterable(
                pool.imap(run, batch) for batch in batches(tasks, 16 * arguments.jobs)
            )
        for result in found:
            yield result
            if time.monotonic() > ends:
                break
        if arguments.jobs > 1:
            pool.terminate()
            pool.join()


def batches(tasks, count):
    """So many tasks at a time, since seeds may have no end."""
    while batch := list(itertools.islice(tasks, count)):
        yield batch
