# SPDX-License-Identifier: MIT OR Apache-2.0
"""Outputs that are whole or what they were, those of the drop-in for kerchunk among them."""

import gzip
import json
import os
import threading

import fsspec
import pytest

import chunkref
from chunkref.kerchunk.combine import MultiZarrToZarr
from chunkref.kerchunk.hdf import SingleHdf5ToZarr


@pytest.fixture
def combining(example_files):
    """Give what combines the example files; `broken` makes references that JSON does not hold."""
    parts = [SingleHdf5ToZarr(file).translate() for file in example_files]

    def made(broken=False):
        def postprocess(refs):
            return {**refs, "z/0": object()} if broken else refs

        return MultiZarrToZarr(parts, concat_dims="time", remote_protocol="file", postprocess=postprocess)

    return made


def test_the_drop_in_replaces_files_as_a_whole(combining, tmp_path):
    real, path = tmp_path / "real.json", tmp_path / "out.json"
    real.write_text("old")
    real.chmod(0o640)
    path.symlink_to(real)
    with pytest.raises(TypeError):
        combining(broken=True).translate(str(path))
    assert real.read_text() == "old"
    found = combining().translate(path)
    assert json.loads(real.read_text()) == found and path.is_symlink() and real.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["out.json", "real.json"]
    # Folders are made, as fsspec makes them, and nothing is packed that does not ask for it.
    combining().translate(f"file://{tmp_path}/new/folder/out.json.gz")
    assert json.loads((tmp_path / "new/folder/out.json.gz").read_text()) == found
    combining().translate(str(tmp_path / "packed"), {"compression": "gzip"})
    assert json.loads(gzip.decompress((tmp_path / "packed").read_bytes())) == found


def test_the_drop_in_does_not_replace_data(combining, tmp_path, example_files):
    path = tmp_path / "data.nc"
    path.write_bytes(open(example_files[0], "rb").read())
    before = path.read_bytes()
    with pytest.raises(chunkref.EmitError, match="data file"):
        combining().translate(str(path))
    assert path.read_bytes() == before
    with pytest.raises(chunkref.EmitError):
        combining().translate(str(tmp_path))


def test_the_drop_in_hands_all_bytes_to_other_stores_at_once(combining):
    url = "memory://drop-in/out.json"
    with fsspec.open(url, "wt") as file:
        file.write("old")
    with pytest.raises(TypeError):
        combining(broken=True).translate(url)
    with fsspec.open(url, "rt") as file:
        assert file.read() == "old"
    found = combining().translate(url)
    with fsspec.open(url, "rt") as file:
        assert json.loads(file.read()) == found


@pytest.mark.parametrize("name", ["cube.json", "cube.parq"])
def test_what_another_process_writes_right_after_us_is_noticed(example_files, tmp_path, name):
    """What is compared with is what was written, not what is there afterwards."""
    path, other = tmp_path / name, tmp_path / f"other-{name}"

    def write(references, where):
        references.to_parquet(where) if name.endswith("parq") else references.to_json(where)

    write(chunkref.build(example_files[:2], concat="time"), path)
    write(chunkref.build(example_files[2:], concat="time"), other)
    old, late = path.stat().st_ino, threading.Event()

    def replace():
        while path.stat().st_ino == old:
            pass
        if path.is_dir():
            # In one step: what is unchanged is one file in the old folder and the new one.
            os.replace(other / ".zmetadata", path / ".zmetadata")
        else:
            os.replace(other, path)
        late.set()

    opened = chunkref.References.open(path)
    thread = threading.Thread(target=replace, daemon=True)
    thread.start()
    write(opened, path)
    assert late.wait(30)
    thread.join()
    with pytest.raises(chunkref.EmitError, match="changed meanwhile") as caught:
        write(chunkref.append(opened, example_files[2:]), path)
    assert caught.value.kind == "changed"
    # Without anybody else, one may write again and again.
    again = chunkref.References.open(path)
    for _ in range(3):
        write(again, path)
