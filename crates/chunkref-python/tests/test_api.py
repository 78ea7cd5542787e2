# SPDX-License-Identifier: MIT OR Apache-2.0
"""Scanning, building and what comes of it."""

import asyncio
import gc
import io
import json
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading

import fsspec
import h5py
import numpy as np
import pytest

import chunkref
from chunkref import _chunkref


def test_paths_urls_and_file_objects_give_the_same(example_file):
    by_path = chunkref.scan(pathlib.Path(example_file)).to_dict()
    assert chunkref.scan(f"file://{example_file}").to_dict() == by_path
    with open(example_file, "rb") as file:
        assert chunkref.scan(file, url=f"file://{example_file}").to_dict() == by_path
        assert file.tell() >= 0 and not file.closed
    with fsspec.open(example_file) as file:
        assert chunkref.scan(file).to_dict() == by_path
    memory = io.BytesIO(pathlib.Path(example_file).read_bytes())
    assert chunkref.scan(memory, url=f"file://{example_file}").to_dict() == by_path
    with pytest.raises(TypeError, match="url="):
        chunkref.scan(memory)
    with open(example_file, "r") as text, pytest.raises(TypeError, match="text mode"):
        chunkref.scan(text)


def test_files_that_read_little_at_a_time_and_fail(example_file):
    class Slow(io.RawIOBase):
        def __init__(self, fails_at=None):
            self.file, self.fails_at = open(example_file, "rb"), fails_at

        def read(self, length=-1):
            if self.fails_at is not None and self.file.tell() >= self.fails_at:
                raise PermissionError("not this part")
            return self.file.read(min(length, 100))

        def seek(self, *place):
            return self.file.seek(*place)

        def tell(self):
            return self.file.tell()

    assert len(chunkref.scan(Slow(), url="x").arrays) == 2
    with pytest.raises(chunkref.PermissionDeniedError) as caught:
        chunkref.scan(Slow(fails_at=0), url="x")
    assert isinstance(caught.value.__cause__, PermissionError) and "not this part" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("content", "error", "kind", "builtin"),
    [
        (None, chunkref.NotFoundError, "not_found", FileNotFoundError),
        (b"plain text", chunkref.UnknownFormatError, "unknown_format", ValueError),
        (b"\x89HDF\r\n\x1a\n", chunkref.FileTruncatedError, "truncated", EOFError),
    ],
)
def test_errors_have_the_kind_and_a_class_of_python(tmp_path, content, error, kind, builtin):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as caught:
        chunkref.scan(path)
    assert isinstance(caught.value, (chunkref.ScanError, builtin)) and isinstance(caught.value, builtin)
    assert caught.value.kind == kind and caught.value.location == f"file://{path}" and str(path) in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.kind) == (error, str(caught.value), kind)


def test_options_are_checked_before_anything_is_read(example_file):
    for options in ({"format": "grib3"}, {"hdf5_linnks": "skip"}, {"hdf5_links": "perhaps"}):
        with pytest.raises(chunkref.InvalidOptionError):
            chunkref.scan(example_file, **options)
    with pytest.raises(chunkref.InvalidOptionError, match="regoin"):
        chunkref.scan("s3://bucket/key", {"regoin": "x"})
    with pytest.raises(TypeError, match="open the file with fsspec"):
        chunkref.scan("gs://bucket/key", {"token": object()})


def test_nothing_is_left_out_in_silence(tmp_path):
    path = tmp_path / "odd.h5"
    with h5py.File(path, "w") as file:
        file["good"] = np.arange(3)
        file.create_dataset("sequences", (1,), h5py.vlen_dtype("i4"))[0] = [1, 2]
    with pytest.warns(chunkref.SkippedWarning, match="sequences"):
        references = chunkref.scan(path)
    assert [(one.path, one.kind) for one in references.skipped] == [("sequences", "array")]
    assert list(references.arrays) == ["good"] and "1 skipped" in repr(references)
    with pytest.raises(chunkref.UnsupportedError):
        chunkref.scan(path, on_skipped="raise")


def test_many_in_order_with_failures_and_progress(example_files, tmp_path):
    absent = str(tmp_path / "absent.nc")
    inputs = [example_files[2], absent, *example_files[:2]]
    seen = []
    scans = chunkref.scan_many(inputs, on_error="collect", progress=lambda done, count: seen.append((done, count)))
    assert len(scans) == 4
    assert [one.sources for one in scans] == [[f"file://{name}"] for name in (inputs[0], *inputs[2:])]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)] and list(scans.failures) == [f"file://{absent}"]
    with chunkref.scan_many(inputs) as scans:
        assert next(scans).arrays
        with pytest.raises(FileNotFoundError):
            next(scans)
        assert len(list(scans)) == 2
    unordered = chunkref.scan_many(example_files, ordered=False)
    assert sorted(one.sources[0] for one in unordered) == [f"file://{name}" for name in example_files]
    closed = chunkref.scan_many(example_files)
    closed.close()
    assert list(closed) == []


def test_other_threads_run_and_scans_run_in_them(example_files):
    results = {}

    def work(number):
        results[number] = [chunkref.scan(example_files[number % 3]).to_dict() for _ in range(20)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(6):
        assert all(one == results[number % 3][0] for one in results[number])


def test_stopping_while_a_thread_waits(tmp_path):
    """Whoever closes scans is not held up by a thread that waits for a server."""
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.nc"
        scans = chunkref.scan_many([url], stores=chunkref.Stores(deadline=2.0))
        found = []
        waiting = threading.Thread(target=lambda: found.extend(scans))
        waiting.start()
        while not waiting.is_alive():
            time.sleep(0.01)
        scans.close()
        waiting.join(timeout=60)
    assert not waiting.is_alive() and found == []
    assert list(scans) == []


def test_asyncio(example_files):
    async def work():
        one, cube = await asyncio.gather(
            chunkref.ascan(example_files[0]), chunkref.abuild(example_files, concat="time")
        )
        many = [references async for references in chunkref.ascan_many(example_files)]
        return one, cube, many

    one, cube, many = asyncio.run(work())
    assert one == many[0] and len(many) == 3
    assert cube.arrays["temperature"].shape == (6, 3, 4)


def test_pickles_are_columns(example_files):
    cube = chunkref.build(example_files, concat="time", inline_threshold=0)
    again = pickle.loads(pickle.dumps(cube))
    assert again == cube and again.to_json() == cube.to_json()
    # Sources keep the versions that were scanned, which kerchunk's JSON has no place for.
    assert again != chunkref.References.from_json(cube.to_json())
    packed = cube._dataset.to_bytes()
    for damaged in (b"", packed[:-5], packed[:9] + b"x" + packed[10:], b"other" + packed):
        with pytest.raises(ValueError):
            _chunkref.Dataset.from_bytes(damaged)
    large = {".zgroup": '{"zarr_format":2}', "a/.zattrs": '{"_ARRAY_DIMENSIONS":["x"]}'}
    large["a/.zarray"] = json.dumps(
        {
            "shape": [50000],
            "chunks": [1],
            "dtype": "<f8",
            "fill_value": None,
            "order": "C",
            "filters": None,
            "compressor": None,
            "zarr_format": 2,
        }
    )
    large.update({f"a/{n}": ["s3://bucket/key", 8 * n, 8] for n in range(50000)})
    references = chunkref.References.from_dict({"version": 1, "refs": large})
    assert len(pickle.dumps(references)) < 50000 * 8 < len(references.to_json()) / 4
    assert pickle.loads(pickle.dumps(references)) == references


def test_written_and_opened(example_file, tmp_path):
    references = chunkref.scan(example_file, inline_threshold=0)
    for name in ("a.json", "a.json.gz", "a.json.zst"):
        assert references.to_json(tmp_path / name) is None
        assert chunkref.References.open(tmp_path / name).to_dict() == references.to_dict()
    references.to_parquet(tmp_path / "a.parq")
    assert chunkref.References.open(tmp_path / "a.parq").to_dict() == references.to_dict()
    references.to_json("memory://written/a.json.gz")
    with fsspec.open("memory://written/a.json.gz", compression="gzip") as file:
        assert json.load(file)["refs"] == references.to_dict()["refs"]
    references.to_parquet("memory://written/a.parq")
    assert fsspec.filesystem("memory").exists("/written/a.parq/.zmetadata")
    with pytest.raises(chunkref.EmitError):
        references.to_json(tmp_path / "none" / "a.json")
    try:
        references.to_icechunk(tmp_path / "a.icechunk", message="first")
    except chunkref.EmitError as error:
        assert "cargo feature icechunk" in str(error) and not (tmp_path / "a.icechunk").exists()
    else:
        assert chunkref.References.open(tmp_path / "a.icechunk").arrays == references.arrays
    with pytest.raises(chunkref.ReferencesError):
        chunkref.References.from_json("{")


def test_built_appended_and_verified(example_files, tmp_path):
    cube = chunkref.build(example_files[:2], concat="time")
    path = tmp_path / "cube.json"
    cube.to_json(path)
    longer = chunkref.append(path, example_files)
    assert longer.to_dict() == chunkref.build(example_files, concat="time").to_dict()
    assert chunkref.References.open(path).to_dict() == longer.to_dict()
    assert chunkref.append(path, example_files).to_dict() == longer.to_dict()
    assert chunkref.verify(path, sample="all", against_source=True)["sound"]
    with pytest.raises(ValueError, match="do not say how"):
        chunkref.append(chunkref.scan(example_files[0]), example_files)


def test_coordinates_of_every_kind(example_files):
    def runs(source, **options):
        cube = chunkref.build(example_files, concat={"run": source}, missing="fill", identical=["time"], **options)
        return cube.to_xarray()["run"].values.tolist()

    import re

    assert runs("attr:run") == runs([0, 1, 2]) == runs("INDEX") == [0, 1, 2]
    assert runs(re.compile(r"(\d)\.nc")) == runs(r"regex:(\d)\.nc") == [0, 1, 2]
    with pytest.raises(TypeError, match="combine"):
        runs(lambda references: 1)
    scans = list(chunkref.scan_many(example_files))
    named = chunkref.combine(scans, {"run": lambda one: int(one.sources[0][-4]) * 10}, identical=["time"])
    assert named.to_xarray()["run"].values.tolist() == [0, 10, 20]


def test_conflicts_are_listed(example_files):
    with pytest.raises(chunkref.CombineError, match="at time 0") as caught:
        chunkref.build([example_files[0], example_files[0]], concat="time")
    assert caught.value.kind == "mismatch" and 'duplicates="first"' in str(caught.value)
    with pytest.raises(TypeError, match="concat="):
        chunkref.build(example_files)
    with pytest.raises(chunkref.CombineError):
        chunkref.combine([], "time")


def test_shown_in_words_and_html(example_file):
    references = chunkref.scan(example_file)
    assert repr(references).startswith("<chunkref.References: 2 arrays, 3 chunks in 1 object>")
    assert "temperature" in references._repr_html_() and "<script" not in references._repr_html_()
    document = {".zgroup": '{"zarr_format":2}', "<b>/.zattrs": '{"_ARRAY_DIMENSIONS":["<i>"]}'}
    document["<b>/.zarray"] = json.dumps(
        {
            "shape": [1],
            "chunks": [1],
            "dtype": "|i1",
            "fill_value": None,
            "order": "C",
            "filters": None,
            "compressor": None,
            "zarr_format": 2,
        }
    )
    html = chunkref.References.from_dict(document)._repr_html_()
    assert "<b>" not in html and "<i>" not in html and "&lt;b&gt;" in html


def test_interrupted_waiting(tmp_path):
    """Ctrl-C ends a wait for a server that never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.nc"
        code = (
            "import chunkref, signal, threading, os\n"
            "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            f"try:\n    chunkref.scan({url!r}, {{'allow_http': True}})\n"
            "except KeyboardInterrupt:\n    print('interrupted')\n"
        )
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "interrupted\n", ran.stderr


def test_a_process_that_was_forked_scans(example_files, bucket, tmp_path):
    folder, url = bucket
    (folder / "forks").mkdir()
    for name in example_files:
        shutil.copy(name, folder / "forks")
    options = {"anon": True, "endpoint_url": url}
    code = (
        "import chunkref, multiprocessing\n"
        f"files = {[f's3://forks/{number}.nc' for number in range(3)]!r}\n"
        f"chunkref.build(files, {options!r}, concat='time')\n"
        f"files += {example_files!r}\n"
        f"def count(file):\n    return len(chunkref.scan(file, {options!r}).arrays)\n"
        "if __name__ == '__main__':\n"
        f"    chunkref.build(files[3:], concat='time').to_xarray()['temperature'].values\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        print(pool.map(count, files))\n"
    )
    path = tmp_path / "forks.py"
    path.write_text(code)
    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "[2, 2, 2, 2, 2, 2]\n", ran.stderr


def test_the_command(example_file, tmp_path):
    version = subprocess.run([sys.executable, "-m", "chunkref", "--version"], capture_output=True, text=True)
    assert version.stdout == f"chunkref {chunkref.__version__}\n"
    out = tmp_path / "out.json"
    script = pathlib.Path(sys.executable).parent / "chunkref"
    ran = subprocess.run([script, "scan", example_file, "-o", out], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert chunkref.References.open(out).to_dict()["refs"] == chunkref.scan(example_file).to_dict()["refs"]
    failed = subprocess.run([script, "scan", "/absent.nc"], capture_output=True, text=True)
    assert failed.returncode == 1 and "no such file" in failed.stderr


def test_memory_is_given_back(example_file):
    """Scanning again and again does not grow."""
    import resource

    for _ in range(200):
        chunkref.scan(example_file).to_dict()
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        chunkref.scan(example_file).to_dict()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
