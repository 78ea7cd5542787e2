# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a program on an archive in one of many ways, and says what came of it."""
import os
import re
import shlex
import shutil
import subprocess

import numpy as np

from .compare import Comparison, NotOpenable, read_cube, readable, xarray_difference
from .model import Model, Options

OUTCOMES = ["equal", "refused", "refused-needlessly", "wrong", "not-openable", "crash"]
BAD = {"wrong", "not-openable", "crash"}
RESOLUTION = re.compile(r"to resolve it|--[a-z-]+|leave|another source", re.IGNORECASE)


class Refused(Exception):
    """The program ended with an exit code other than 0."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Crash(Exception):
    """The program was killed, panicked or did not end."""


class Program:
    """The program that makes cubes, with a record of the commands."""

    def __init__(self, path, folder):
        self.path, self.folder, self.commands = str(path), folder, []

    def run(self, *arguments):
        """Runs a command; raises when it fails."""
        arguments = [str(argument) for argument in arguments]
        self.commands.append("chunkref " + shlex.join(argument.replace(f"{self.folder}/", "") for argument in arguments))
        environment = {**os.environ, "NO_COLOR": "1"}
        try:
            done = subprocess.run([self.path, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False)
        except subprocess.TimeoutExpired as error:
            raise Crash("no end after 120 s") from error
        message = done.stderr.strip()
        if done.returncode < 0 or done.returncode > 3 or "panicked" in message:
            raise Crash(f"exit code {done.returncode}: {message}")
        if done.returncode:
            raise Refused(done.returncode, message.replace(f"file://{self.folder}/", "").replace(f"{self.folder}/", ""))
        return message


def random_options(generator, model):
    """Options that fit what is in the files: a user asks for order where files come in none."""
    options = Options()
    keys = [key for number in model.filled() for key in model.keys[number][0]]
    if len(model.concat) > 1:
        keys = model.along(0, options)
    options.sort = keys != sorted(keys) or bool(generator.random() < 0.15)
    if any(len(found) > 1 for found in model.owners(options).values()) and generator.random() < 0.6:
        options.duplicates = ["first", "last"][int(generator.integers(2))]
    files = [set(model.files[number].variables) for number in model.filled()]
    holes = len(model.owners(options)) < np.prod([len(model.along(axis, options)) for axis in range(len(model.concat))])
    if (holes or any(names != files[0] for names in files)) and generator.random() < 0.7:
        options.missing = "fill"
    differing = [name for name in model.names if differs(model, name)]
    if differing and generator.random() < 0.3:
        options.identical = tuple(differing)
    return options


def differs(model, name):
    """Whether a coordinate of space differs between files in its last digits alone."""
    if name not in ("lat", "lon"):
        return False
    values = [np.asarray(file.variables[name].raw) for file in model.files if name in file.variables]
    return any(value.shape == values[0].shape and not np.array_equal(value, values[0]) and np.allclose(value, values[0], rtol=1e-4)
               for value in values[1:])


def output_name(generator, folder, name="cube"):
    """Where the cube goes: JSON, compressed JSON or Parquet."""
    return folder / (name + [".json", ".json", ".json.zst", ".json.gz", ".parq"][int(generator.integers(5))])


def make_cube(generator, program, paths, model, options, folder):
    """Makes a cube in a random way; returns its path and the way."""
    concat = [argument for dimension in model.concat for argument in ("--concat", dimension)] + options.arguments()
    threshold = [[], [], ["--inline-threshold", "0"], ["--inline-threshold", "100000"]][int(generator.integers(4))]
    way = ["build", "build", "scan+combine", "groups", "append"][int(generator.integers(5))]
    cube = output_name(generator, folder)
    if way == "build" or (way in ("groups", "append") and len(paths) < 3):
        program.run("build", *paths, "-o", cube, *concat, *threshold)
        return cube, "build"
    if way == "scan+combine":
        program.run("scan", *paths, "-o", f"{folder}/refs/", *threshold)
        references = [folder / "refs" / (path.stem + ".json") for path in paths]
        references = [reference if reference.exists() else reference.with_name(path.name + ".json") for reference, path in zip(references, paths)]
        program.run("combine", *references, "-o", cube, *concat)
        return cube, way
    cuts = sorted(int(cut) for cut in generator.choice(np.arange(1, len(paths)), size=min(2, len(paths) - 1), replace=False))
    parts = [list(paths[start:end]) for start, end in zip([0, *cuts], [*cuts, len(paths)])]
    if way == "groups":
        names = [folder / f"group{number}.json" for number in range(len(parts))]
        for part, name in zip(parts, names):
            program.run("build", *part, "-o", name, *concat, *threshold)
        program.run("combine", *names, "-o", cube, *concat)
        return cube, way
    program.run("build", *parts[0], "-o", cube, *concat, *threshold)
    for part in parts[1:]:
        program.run("append", cube, *part)
    return cube, way


def compare(cube_path, model, options):
    """The outcome of a cube that is there: `equal`, `wrong` or `not-openable`, with what differs."""
    try:
        cube_path = readable(cube_path)
        cube = read_cube(cube_path)
    except NotOpenable as error:
        return "not-openable", str(error)
    except Exception as error:  # whatever zarr and fsspec raise
        return "not-openable", f"zarr: {type(error).__name__}: {error}"
    if difference := Comparison(model, cube, options).difference():
        return "wrong", difference
    try:
        difference = xarray_difference(cube_path, cube)
    except Exception as error:  # whatever xarray raises
        return "not-openable", f"xarray: {type(error).__name__}: {error}"
    return ("wrong", difference) if difference else ("equal", "")


def dimensions(archive):
    """The dimensions along which the files of an archive follow one another."""
    return [archive.product["time"]["name"]] + (["member"] if archive.product["members"] else [])


def judge(archive, program_path, folder):
    """One run: an archive, a way, and what came of it."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = archive.write(folder)
    generator = np.random.default_rng([archive.seed, 7])
    model = Model(paths, dimensions(archive))
    options = random_options(generator, model)
    decision, reasons = model.decide(options)
    program = Program(program_path, folder)
    result = {"seed": archive.seed, "mishaps": archive.mishaps, "archive": archive.summary(), "model": decision, "reasons": reasons}
    try:
        cube, result["way"] = make_cube(generator, program, paths, model, options, folder)
        result["outcome"], result["detail"] = compare(cube, model, options)
    except Refused as refused:
        result["outcome"] = "refused-needlessly" if decision == "exact" else "refused"
        result["detail"] = refused.message
        result["resolution"] = bool(RESOLUTION.search(refused.message))
    except Crash as crash:
        result["outcome"], result["detail"] = "crash", str(crash)
    result["commands"] = program.commands
    return result


def judge_kerchunk(archive, folder):
    """The same archive through kerchunk, in the order of the names of files."""
    from . import through_kerchunk
    paths = sorted(folder.glob("*.nc"))
    model = Model(paths, dimensions(archive))
    options = random_options(np.random.default_rng([archive.seed, 7]), model)
    decision, _ = model.decide(Options(sort=True))
    try:
        cube = through_kerchunk.combine(paths, model.concat, folder / "kerchunk.json")
    except Exception as error:  # whatever kerchunk raises
        return {"outcome": "refused-needlessly" if decision == "exact" else "refused", "detail": f"{type(error).__name__}: {error}"}
    outcome, detail = compare(cube, model, Options(sort=True, duplicates=options.duplicates, missing="fill"))
    return {"outcome": outcome, "detail": detail}
