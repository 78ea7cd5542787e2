# SPDX-License-Identifier: MIT OR Apache-2.0
"""Sets that somebody else writes while they are extended."""

from __future__ import annotations

import json
import os
import pickle
import shutil

import pytest

import chunkref


@pytest.fixture(params=["cube.json", "cube.parq"])
def cube(request, tmp_path, example_folder):
    """Give the path of a set of the first file, and all files."""
    files = sorted(os.path.join(example_folder, name) for name in os.listdir(example_folder) if name.endswith(".nc"))
    path = str(tmp_path / request.param)
    write(chunkref.build(files[:1], concat="time"), path)
    return path, files


def write(references, path):
    if path.endswith(".parq"):
        references.to_parquet(path)
    else:
        references.to_json(path)


def times(path):
    return chunkref.References.open(path).arrays["time"].shape[0]


def test_what_another_wrote_is_not_replaced(cube):
    path, files = cube
    mine = chunkref.append(chunkref.References.open(path), files[2:])
    chunkref.append(path, files[1:2])
    there = times(path)
    with pytest.raises(chunkref.EmitError, match="changed meanwhile") as caught:
        write(mine, path)
    assert caught.value.kind == "changed"
    assert times(path) == there
    write(mine, path + "2" if path.endswith(".json") else path.replace(".parq", "2.parq"))


def test_a_set_is_extended_again_and_again(cube):
    path, files = cube
    opened = chunkref.References.open(path)
    first = times(path)
    for count in range(2, len(files) + 1):
        opened = chunkref.append(opened, files[:count])
        write(opened, path)
    assert times(path) == first * len(files)
    # One that came over a pickle has no memory of where it was read.
    write(pickle.loads(pickle.dumps(opened)), path)


def test_append_tries_again(cube, monkeypatch):
    path, files = cube
    build = chunkref._build._chunkref.build
    others = [files[1:2]]

    def slow(*arguments):
        built = build(*arguments)
        if others:
            chunkref.append(path, others.pop())
        return built

    with monkeypatch.context() as patched:
        patched.setattr(chunkref._build._chunkref, "build", slow)
        with pytest.raises(chunkref.EmitError, match="changed meanwhile"):
            chunkref.append(path, files[2:])
    others.append(files[1:2])
    first = times(path)
    chunkref.append(path, files, retry=1)
    assert times(path) > first


def test_a_folder_of_other_things_is_refused(cube, tmp_path):
    path, files = cube
    store = tmp_path / "store.zarr"
    (store / "a").mkdir(parents=True)
    (store / ".zmetadata").write_text(json.dumps({"metadata": {}, "zarr_consolidated_format": 1}))
    (store / "a" / "0").write_text("DATA")
    with pytest.raises(chunkref.EmitError, match="holds a/0"):
        chunkref.References.open(path).to_parquet(store)
    assert (store / "a" / "0").read_text() == "DATA"
    shutil.rmtree(store)
