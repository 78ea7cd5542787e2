# SPDX-License-Identifier: MIT OR Apache-2.0
"""The judge is judged: it says `equal` of right cubes made by hand, and finds every fault planted into them."""

import json
import pathlib

import numpy as np
import pytest

from . import by_hand, mishaps
from .archive import Archive
from .by_hand import simple_archive, simple_product
from .cells import Variable, Dataset, first_difference, instants
from .judge import compare, judge
from .model import Model, Options
from .product import new_file


@pytest.fixture(name="sources", scope="module")
def written(tmp_path_factory):
    """The files of a simple archive."""
    return simple_archive().write(tmp_path_factory.mktemp("sources"))


def judged(paths, target, change=None, options=None):
    """What the judge says of a cube made by hand, after a change."""
    made = by_hand.references(paths)
    if change:
        change(made)
    return compare(by_hand.write(made, target), Model(paths, ["time"]), options or Options())


@pytest.mark.parametrize("style", ["dimension", "scalar"])
def test_a_right_cube_is_equal(style, tmp_path):
    paths = simple_archive(style).write(tmp_path / "sources")
    assert Model(paths, ["time"]).decide(Options()) == ("exact", [])
    assert judged(paths, tmp_path / "cube.json") == ("equal", "")


def attribute(name, key, value):
    """A change of an attribute; None takes it away."""

    def change(made):
        attributes = json.loads(made[f"{name}/.zattrs"])
        attributes[key] = value
        if value is None:
            del attributes[key]
        made[f"{name}/.zattrs"] = json.dumps(attributes)

    return change


def array(name, key, value):
    """A change of `.zarray`."""

    def change(made):
        made[f"{name}/.zarray"] = json.dumps({**json.loads(made[f"{name}/.zarray"]), key: value})

    return change


def numbers(name, dtype, change_values):
    """A change of inline values."""

    def change(made):
        key = next(key for key in made if key.startswith(f"{name}/") and not key.startswith(f"{name}/.z"))
        values = np.frombuffer(by_hand.base64.b64decode(made[key].removeprefix("base64:")), dtype).copy()
        change_values(values)
        made[key] = by_hand.inline(values)

    return change


def swap(one, two):
    """Two chunks in each other's places."""

    def change(made):
        made[one], made[two] = made[two], made[one]

    return change


def add(number):
    """A change that adds to all values."""

    def change(values):
        values += number

    return change


def one_more(values):
    """A change of the last value alone."""
    values[-1] += 1


def turn(made):
    """Times and data in another order, each value with its time."""
    numbers("time", "<f8", lambda values: values.put([0, 1], values[[1, 0]]))(made)


def offset(made):
    """A chunk that begins a byte later."""
    made["tas/1.0.0"] = [made["tas/1.0.0"][0], made["tas/1.0.0"][1] + 1, made["tas/1.0.0"][2]]


def stack_mask(made):
    """A static field that is there once for each time."""
    key = next(key for key in made if key.startswith("mask/0"))
    chunk = made.pop(key)
    made.update({f"mask/{place}.0.0": chunk for place in range(6)})
    array("mask", "shape", [6, 4, 5])(made)
    array("mask", "chunks", [1, 4, 5])(made)
    attribute("mask", "_ARRAY_DIMENSIONS", ["time", "lat", "lon"])(made)


def shorter(made):
    """A cube without the last time, in all arrays."""
    for name in ("time", "time_bnds", "label", "tas", "pr"):
        shape = json.loads(made[f"{name}/.zarray"])["shape"]
        array(name, "shape", [shape[0] - 1, *shape[1:]])(made)


def written_twice(made):
    """Values where nobody wrote any."""
    made["pr/5.0.0"] = made["pr/4.0.0"]


FAULTS = {
    "two chunks swapped in time": (swap("tas/1.0.0", "tas/2.0.0"), "wrong", "tas: place"),
    "two chunks swapped in space": (swap("pr/1.0.0", "pr/1.1.0"), "wrong", "pr: place"),
    "a chunk of another variable": (swap("tas/0.0.0", "tas/5.1.0"), "wrong", "tas: place"),
    "a chunk dropped": (lambda made: made.pop("tas/3.1.0"), "wrong", "missing instead of"),
    "a chunk without fill value dropped": (lambda made: made.pop("pr/3.1.0"), "wrong", "pr: place"),
    "values where there are none": (written_twice, "wrong", "pr: place"),
    "time shifted by one": (numbers("time", "<f8", add(1)), "wrong", "time: "),
    "one time shifted": (numbers("time", "<f8", one_more), "wrong", "time: "),
    "times in another order": (turn, "wrong", "another order"),
    "bounds shifted": (numbers("time_bnds", "<f8", add(1)), "wrong", "time_bnds: place"),
    "the epoch changed": (attribute("time", "units", "days since 2000-01-02"), "wrong", "time: "),
    "the unit of time changed": (attribute("time", "units", "hours since 2000-01-01"), "wrong", "time: "),
    "the calendar changed": (attribute("time", "calendar", "360_day"), "wrong", "time: "),
    "the calendar changed to noleap": (attribute("time", "calendar", "noleap"), "wrong", "time: "),
    "bounds no longer named": (attribute("time", "bounds", None), "wrong", "time: bounds"),
    "scale_factor changed": (attribute("tas", "scale_factor", 0.25), "wrong", "tas: place"),
    "scale_factor lost": (attribute("tas", "scale_factor", None), "wrong", "tas: place"),
    "add_offset changed a little": (attribute("tas", "add_offset", 273.16), "wrong", "tas: place"),
    "the fill value changed": (array("tas", "fill_value", 0), "wrong", "tas: place"),
    "the unit changed": (attribute("tas", "units", "degC"), "wrong", "tas: units"),
    "an attribute lost": (attribute("tas", "long_name", None), "wrong", "long_name"),
    "an attribute made up": (attribute("pr", "comment", "hello"), "wrong", "comment"),
    "the last time cut off": (shorter, "wrong", "time: the sources'"),
    "the grid shifted": (numbers("lat", "<f4", add(0.001)), "wrong", "lat: "),
    "the static field changed": (numbers("mask", "i1", one_more), "wrong", "mask: "),
    "the static field stacked": (stack_mask, "wrong", "mask: the same in all files, but stacked"),
    "text changed": (numbers("label", "u1", add(1)), "wrong", "label: "),
    "dimensions in another order": (
        attribute("tas", "_ARRAY_DIMENSIONS", ["time", "lon", "lat"]),
        "not-openable",
        "lon has",
    ),
    "an array longer than the others": (array("pr", "shape", [7, 4, 5]), "not-openable", "time has"),
    "an offset off by one": (offset, "not-openable", "zarr"),
    "a codec that is none": (array("tas", "compressor", {"id": "nothing"}), "not-openable", "zarr"),
    "another type": (array("tas", "dtype", ">i2"), "wrong", "tas: place"),
    "no shuffle": (array("tas", "filters", None), "wrong", "tas: place"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault, sources, tmp_path):
    change, outcome, word = FAULTS[fault]
    said, detail = judged(sources, tmp_path / "cube.json", change)
    assert said == outcome and word in detail, (said, detail)


def decided(tmp_path, change, options=None, style="dimension"):
    """The model's decision on a simple archive after a mishap."""
    archive = simple_archive(style)
    files = change(np.random.default_rng(1), archive.files)
    archive.settle(archive.product, files)
    return Model(archive.write(tmp_path), ["time"]).decide(options or Options())[0]


@pytest.mark.parametrize(
    ("mishap", "options", "decision"),
    [
        ("empty", Options(), "exact"),
        ("gap", Options(), "exact"),
        ("late", Options(), "unsure"),
        ("late", Options(sort=True), "exact"),
        ("duplicate", Options(), "unsure"),
        ("duplicate", Options(duplicates="last"), "exact"),
        ("revised", Options(), "impossible"),
        ("revised", Options(duplicates="last"), "exact"),
        ("overlap", Options(duplicates="first"), "exact"),
        ("noise", Options(), "impossible"),
        ("grid", Options(), "impossible"),
        ("grid size", Options(), "impossible"),
        ("units", Options(), "impossible"),
        ("other calendar", Options(), "impossible"),
        ("calendar", Options(), "exact"),
        ("epoch", Options(), "exact"),
        ("time unit", Options(), "exact"),
        ("time dtype", Options(), "exact"),
        ("level", Options(), "exact"),
        ("codec", Options(), "unsure"),
        ("dtype", Options(), "unsure"),
        ("attribute text", Options(), "exact"),
        ("unwritten", Options(), "exact"),
        ("time chunks", Options(), "unsure"),
        ("static differs", Options(), "unsure"),
        ("lacks variable", Options(), "unsure"),
        ("lacks variable", Options(missing="fill"), "exact"),
        ("format", Options(), "unsure"),
    ],
)
def test_the_model_decides(mishap, options, decision, tmp_path):
    assert decided(tmp_path, mishaps.MISHAPS[mishap], options) == decision


def test_a_cube_of_one_of_two_revisions_is_wrong_unless_the_user_said_which(tmp_path):
    product = simple_product()
    files = [new_file(product, [0, 1]), new_file(product, [2, 3]), new_file(product, [2, 3])]
    files[2]["revision"] = 1
    paths = Archive.of(product, files).write(tmp_path / "sources")
    made = by_hand.references(paths[:2])
    cube = by_hand.write(made, tmp_path / "cube.json")
    model = Model(paths, ["time"])
    assert compare(cube, model, Options(duplicates="first")) == ("equal", "")
    assert compare(cube, model, Options())[0] == "wrong"
    assert compare(cube, model, Options(duplicates="last"))[0] == "wrong"


def test_a_lost_file_is_found(sources, tmp_path):
    cube = by_hand.write(by_hand.references(sources[:2]), tmp_path / "cube.json")
    outcome, detail = compare(cube, Model(sources, ["time"]), Options())
    assert outcome == "wrong" and "is not in the cube" in detail


def program(folder, script):
    """A program that does what a line of shell says."""
    path = folder / "program.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("echo 'error: no' >&2; exit 1", "refused-needlessly"),
        ("kill -9 $$", "crash"),
        ("echo 'thread panicked' >&2; exit 101", "crash"),
        ("exit 0", "not-openable"),
    ],
)
def test_outcomes_of_programs(script, outcome, tmp_path):
    assert judge(simple_archive(), program(tmp_path, script), tmp_path / "run")["outcome"] == outcome


def test_a_refusal_is_right_where_no_cube_exists(tmp_path):
    archive = simple_archive()
    archive.settle(archive.product, mishaps.grid(np.random.default_rng(1), archive.files))
    result = judge(archive, program(tmp_path, "echo 'to resolve it: --identical' >&2; exit 1"), tmp_path / "run")
    assert (result["outcome"], result["resolution"]) == ("refused", True)


def test_a_seed_is_always_the_same_archive(tmp_path):
    for seed in range(20):
        assert json.dumps(Archive(seed).description) == json.dumps(Archive(seed).description)
    one, two = (Archive(5).write(tmp_path / name) for name in "ab")
    for first, second in zip(one, two):
        model = Model([first, second], ["time"])
        for name in model.names:
            assert first_difference(model.files[0].cells(name), model.files[1].cells(name)) is None


@pytest.mark.parametrize("name", mishaps.MISHAPS)
def test_each_mishap_happens(name, tmp_path):
    for seed in range(200):
        archive = Archive(seed, only=[name])
        if archive.mishaps:
            assert archive.files != Archive(seed, only=[]).files
            assert all(pathlib.Path(path).exists() for path in archive.write(tmp_path))
            return
    raise AssertionError(f"{name} never happens")


def test_instants_are_exact():
    day = 86400 * 10**6
    assert instants(np.array([0.5, 1.0]), "days since 1900-01-01", "standard").tolist() == [day // 2, day]
    assert instants(np.array([24]), "hours since 1900-02-28", "noleap").tolist() == [59 * day]
    assert instants(np.array([30]), "days since 1900-01-30", "360_day").tolist() == [59 * day]


def test_masks():
    cells = Dataset(
        {
            "v": Variable(
                "v", ["x"], np.array([1, 2, -9], "i2"), {"_FillValue": -9, "missing_value": 2, "scale_factor": 0.5}
            )
        },
        {},
    ).cells("v")
    assert cells.masked.tolist() == [False, True, True] and cells.values[0] == 0.5
    loose = Dataset({"v": Variable("v", ["x"], np.array([1, 9.96921e36], "f4"), {})}, {}).cells("v")
    assert loose.masked.tolist() == [False, False] and loose.loose.tolist() == [False, True]
