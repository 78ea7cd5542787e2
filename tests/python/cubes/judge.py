# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a program on an archive in one of many ways, and says what came of it."""

import shutil

import numpy as np

from . import resolutions
from .model import Model, Options
from .runs import Crash, Program, Refused, compare, concat_arguments


def random_options(generator, model):
    """Options that fit what is in the files: a user asks for order where files come in none."""
    options = Options()
    if len(model.concat) > 1:
        orders = [model.along(axis, options) for axis in range(len(model.concat))]
    else:
        orders = [[key for number in model.filled() for key in model.keys[number][0]]]
    options.sort = any(keys != sorted(keys) for keys in orders) or bool(generator.random() < 0.15)
    if archive_of_pairs(model):
        options.merge = True
    elif any(len(found) > 1 for found in model.owners(options).values()) and generator.random() < 0.6:
        options.duplicates = ["first", "last"][int(generator.integers(2))]
    lacking = [
        name
        for name in model.names
        if model.is_joined(name) and len(model.places_of(name)) < len(model.owners(options))
    ]
    if (not is_whole(model) or lacking) and generator.random() < 0.7:
        options.missing = "fill"
    differing = [name for name in model.names if differs(model, name)]
    if differing and generator.random() < 0.3:
        options.identical = tuple(differing)
    options.decoded = bool(generator.random() < 0.08)
    return options


def archive_of_pairs(model):
    """Whether variables of one place are in several files."""
    return any(path.stem.endswith("_b") for path in model.paths)


def differs(model, name):
    """Whether a coordinate of space differs between files in its last digits alone."""
    if name not in ("lat", "lon"):
        return False
    values = [np.asarray(file.variables[name].raw) for file in model.files if name in file.variables]
    return any(
        value.shape == values[0].shape
        and not np.array_equal(value, values[0])
        and np.allclose(value, values[0], rtol=1e-4)
        for value in values[1:]
    )


def output_name(generator, folder, name="cube"):
    """Where the cube goes: JSON, compressed JSON or Parquet."""
    return folder / (name + [".json", ".json", ".json.zst", ".json.gz", ".parq"][int(generator.integers(5))])


def is_whole(model):
    """Whether each combination of coordinates has a file."""
    return len(model.owners(Options())) == np.prod(
        [len(model.along(axis, Options())) for axis in range(len(model.concat))]
    )


def make_cube(generator, program, paths, model, options, folder):
    """Makes a cube in a random way; returns its path and the way."""
    concat = concat_arguments(model, options) + options.arguments()
    threshold = [[], [], ["--inline-threshold", "0"], ["--inline-threshold", "100000"]][int(generator.integers(4))]
    way = ["build", "build", "scan+combine", "groups", "append"][int(generator.integers(5))]
    cube = output_name(generator, folder)
    if way == "build" or (options.merge and way != "scan+combine") or (way in ("groups", "append") and len(paths) < 3):
        program.run("build", *paths, "-o", cube, *concat, *threshold)
        return cube, "build"
    if way == "scan+combine":
        program.run("scan", *paths, "-o", f"{folder}/refs/", *threshold)
        references = [folder / "refs" / (path.stem + ".json") for path in paths]
        references = [
            reference if reference.exists() else reference.with_name(path.name + ".json")
            for reference, path in zip(references, paths)
        ]
        program.run("combine", *references, "-o", cube, *concat)
        return cube, way
    cuts = sorted(
        int(cut) for cut in generator.choice(np.arange(1, len(paths)), size=min(2, len(paths) - 1), replace=False)
    )
    parts = [list(paths[start:end]) for start, end in zip([0, *cuts], [*cuts, len(paths)])]
    wholes = parts if way == "groups" else [paths[:cut] for cut in cuts]
    if len(model.concat) > 1 and any(not is_whole(Model(whole, model.concat)) for whole in wholes):
        way = "build"  # a part of a grid is no cube
        program.run("build", *paths, "-o", cube, *concat, *threshold)
        return cube, way
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


def verified(program, cube):
    """What `verify` says of a cube: `sound`, or the first failure."""
    try:
        program.run("verify", cube, "--all", "--against-source", "--quiet")
    except Refused as refused:
        return refused.message or "failed"
    except Crash as crash:
        return str(crash)
    finally:
        program.commands.pop()
    return "sound"


def dimensions(archive):
    """The dimensions along which the files of an archive follow one another."""
    return [archive.product["time"]["name"]] + (["member"] if archive.product["members"] else [])


def judge(archive, program_path, folder, resolve=False):
    """One run: an archive, a way, and what came of it."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = archive.write(folder)
    generator = np.random.default_rng([archive.seed, 7])
    model = Model(paths, dimensions(archive))
    options = random_options(generator, model)
    decision, reasons = model.decide(options)
    program = Program(program_path, folder)
    result = {
        "seed": archive.seed,
        "mishaps": archive.mishaps,
        "archive": archive.summary(),
        "model": decision,
        "reasons": reasons,
    }
    try:
        cube, result["way"] = make_cube(generator, program, paths, model, options, folder)
        result["outcome"], result["detail"] = compare(cube, model, options)
        result["verify"] = verified(program, cube)
    except Refused as refused:
        result["outcome"] = "refused-needlessly" if decision == "exact" else "refused"
        result["detail"] = refused.message
        result["resolution"] = "to resolve it" in refused.message
        if resolve and not options.merge:  # what is left out of a merge is not told by file
            result["walk"] = resolutions.walk(
                np.random.default_rng([archive.seed, 8]), program, model, options, refused.message, folder
            )
    except Crash as crash:
        result["outcome"], result["detail"] = "crash", str(crash)
    result["commands"] = program.commands
    return result


def judge_kerchunk(archive, folder):
    """The same archive through kerchunk, in the order of the names of files; None where it lacks what it needs."""
    from . import through_kerchunk  # which needs kerchunk

    paths = sorted(folder.glob("*.nc"))
    if not through_kerchunk.CLASSIC and any(file["product"]["format"].startswith("NETCDF3") for file in archive.files):
        return None
    model = Model(paths, dimensions(archive))
    options = random_options(np.random.default_rng([archive.seed, 7]), model)
    decision, _ = model.decide(Options(sort=True))
    try:
        static = [name for name in model.names if not model.is_joined(name) and not model.is_stacked(name)]
        cube = through_kerchunk.combine(paths, model.concat, folder / "kerchunk.json", static)
    except Exception as error:  # whatever kerchunk raises
        return {
            "outcome": "refused-needlessly" if decision == "exact" else "refused",
            "detail": f"{type(error).__name__}: {error}",
        }
    outcome, detail = compare(cube, model, Options(sort=True, duplicates=options.duplicates, missing="fill"))
    return {"outcome": outcome, "detail": detail}
