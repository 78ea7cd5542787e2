# SPDX-License-Identifier: MIT OR Apache-2.0
"""What exceptions say: numbers and names as those of Python have them, chunks that are damaged, and how they travel."""

import copy
import errno
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
import zarr

import chunkref
from chunkref.store import ChunkrefStore


@pytest.fixture
def copied(example_file, tmp_path):
    """A file that may be damaged, and its references."""
    path = tmp_path / "copied.nc"
    shutil.copy(example_file, path)
    return path, chunkref.scan(path, inline_threshold=0)


def place_of(references, chunk):
    """Where a chunk of `temperature` is."""
    _, _, offsets, lengths, _ = references._dataset.columns("temperature", {})
    return int(np.frombuffer(offsets, "<u8")[chunk]), int(np.frombuffer(lengths, "<u8")[chunk])


def test_errors_of_files_have_numbers_and_names(tmp_path):
    path = tmp_path / "absent.nc"
    with pytest.raises(FileNotFoundError) as caught:
        chunkref.scan(path)
    error = caught.value
    assert (error.errno, error.filename, error.location) == (errno.ENOENT, str(path), f"file://{path}")
    assert str(error) and not str(error).startswith("[Errno")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error) and str(again) == str(error) and again.args == error.args
        for name in ("errno", "filename", "strerror", "kind", "location", "format", "array", "chunk"):
            assert getattr(again, name) == getattr(error, name), name
    if os.getuid() != 0:
        path.write_bytes(b"x")
        path.chmod(0)
        with pytest.raises(PermissionError) as caught:
            chunkref.scan(path)
        assert caught.value.errno == errno.EACCES
    with pytest.raises(chunkref.ScanError) as caught:
        chunkref.scan(tmp_path)
    assert caught.value.location == f"file://{tmp_path}"
    with pytest.raises(OSError) as caught:
        chunkref.References.from_dict({".zgroup": '{"zarr_format":2}'}).to_json(tmp_path / "no" / "such" / "out.json")
    assert isinstance(caught.value, chunkref.EmitError) and caught.value.errno == errno.ENOENT
    assert caught.value.filename.endswith("out.json")


def test_every_class_travels():
    made = [
        getattr(chunkref, name)
        for name in chunkref.__all__
        if isinstance(getattr(chunkref, name), type) and issubclass(getattr(chunkref, name), chunkref.ChunkrefError)
    ]
    assert len(made) > 15
    for one in made:
        error = one("words", "kind", "file:///a").at("v", (0, 1), None, 5, 6)
        again = pickle.loads(pickle.dumps(error))
        assert (str(again), again.kind, again.array, again.chunk) == ("words", "kind", "v", (0, 1))
        assert (again.offset, again.length, again.location) == (5, 6, "file:///a")
        if issubclass(one, OSError):
            assert isinstance(again.errno, int) and again.filename == "/a"


@pytest.mark.parametrize(
    "read",
    [
        lambda dataset: dataset["temperature"].load(),
        lambda dataset: dataset["temperature"][1].load(),
        lambda dataset: dataset["temperature"].isel(time=[1, 1]).load(),
        lambda dataset: dataset["temperature"].isel(time=xr.DataArray([1]), x=xr.DataArray([0])).load(),
        lambda dataset: dataset.chunk({"time": 1}).compute(scheduler="synchronous"),
    ],
)
def test_a_damaged_chunk_is_named(copied, read):
    path, references = copied
    offset, length = place_of(references, 1)
    # Of a document, which does not know the version of the file.
    references = chunkref.References.from_dict(references.to_dict())
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * length)
    with chunkref.open_dataset(references) as dataset:
        assert float(dataset["temperature"][0].max()) == 11.0
        with pytest.raises(chunkref.ChunkError) as caught:
            read(dataset)
    error = caught.value
    assert (error.array, error.chunk, error.offset, error.length) == ("temperature", (1, 0, 0), offset, length)
    assert error.location == f"file://{path}" and error.__cause__ is not None and isinstance(error, ValueError)
    for part in ("temperature", "[1, 0, 0]", str(path), f"bytes {offset} to {offset + length}"):
        assert part in str(error), str(error)


@pytest.mark.parametrize("damage", ["gone", "short"])
def test_what_cannot_be_read_is_never_missing(copied, damage):
    path, references = copied
    offset, length = place_of(references, 1)
    if damage == "gone":
        path.unlink()
    else:
        os.truncate(path, offset + 1)
    wanted = FileNotFoundError if damage == "gone" else chunkref.ScanError
    store = ChunkrefStore(references)
    with pytest.raises(wanted) as caught:
        zarr.open_group(store, mode="r", zarr_format=2)["temperature"][1]
    error = caught.value
    assert isinstance(error, chunkref.ScanError)
    assert (error.array, error.chunk, error.offset, error.length) == ("temperature", (1, 0, 0), offset, length)
    assert str(path) in str(error) and "temperature" in str(error)
    with pytest.raises(wanted), chunkref.open_dataset(references, decode_times=False) as dataset:
        dataset["temperature"].load()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_a_scan():
    """The scan of a server that never answers ends at once when the user wants it."""
    script = (
        "import socket, threading, _thread, chunkref\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "def accept():\n"
        "    server.accept()\n"
        "    _thread.interrupt_main()\n"
        "    threading.Event().wait(60)\n"
        "threading.Thread(target=accept, daemon=True).start()\n"
        "try:\n"
        "    chunkref.scan('http://127.0.0.1:%d/a.nc' % server.getsockname()[1])\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "interrupted\n", ran.stderr
