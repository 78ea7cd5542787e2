# SPDX-License-Identifier: MIT OR Apache-2.0
"""Ctrl-C while the native part computes or waits: the call ends soon, with KeyboardInterrupt, and nothing is written."""

import os
import signal
import struct
import subprocess
import sys
import time

import netCDF4
import pytest

import chunkref

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

#: How long the end may take: about a second, on a machine that others use, too.
SOON = 2.5

BEFORE = """
import asyncio, json, os, sys, time
import chunkref, chunkref.aio
inline = {"inline_threshold": 0, "limits": {"chunks": 10**9}}
def begins():
    print("begins", flush=True)
try:
"""
AFTER = """
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def many_records(path, count):
    """A classic file with so many records of four variables, of which the file system stores next to nothing."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as nc:
        nc.createDimension("time", None)
        for number in range(4):
            nc.createVariable(f"v{number}", "i4", ("time",))[:] = [1]
    length = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(4)
        file.write(struct.pack(">I", count))
        file.truncate(length + 16 * (count - 1))
    return str(path)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file that takes tens of seconds to scan in a debug build, and one that takes seconds."""
    folder = tmp_path_factory.mktemp("large")
    return {"huge": many_records(folder / "huge.nc", 20_000_000), "big": many_records(folder / "big.nc", 500_000)}


def interrupt(body, wait=1.0, soon=SOON, **names):
    """Run lines in a process, send it SIGINT when it has begun, and give the seconds until it is interrupted and ends."""
    lines = "".join(f"    {name} = {value!r}\n" for name, value in names.items())
    lines += "".join(f"    {line}\n" for line in body.strip().splitlines())
    process = subprocess.Popen(
        [sys.executable, "-c", BEFORE + lines + AFTER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = process.stdout.readline()
        assert said == "begins\n", process.stderr.read()
        time.sleep(wait)
        assert process.poll() is None, "it took less time than this test needs"
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stdout.readline()
        heard = time.monotonic() - start
        assert said == "interrupted\n", (said, process.stderr.read())
        process.wait(60)
        ended = time.monotonic() - start
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert heard < soon and ended < soon, (heard, ended)


def test_a_scan_that_computes(large):
    interrupt("begins()\nchunkref.scan(file, **inline)", file=large["huge"])


def test_a_scan_of_a_file_object(large):
    interrupt("with open(file, 'rb') as opened:\n    begins()\n    chunkref.scan(opened, **inline)", file=large["huge"])


def test_scans_of_many_files(large):
    interrupt("begins()\nlist(chunkref.scan_many([file, file], **inline))", file=large["huge"])


def test_a_build(large):
    interrupt("begins()\nchunkref.build([file, file], concat={'time': 'INDEX'}, **inline)", file=large["huge"])


def test_a_verification(large):
    body = "references = chunkref.scan(file, **inline)\nbegins()\nchunkref.verify(references, sample='all')"
    interrupt(body, file=large["big"])


def test_a_combination(large):
    body = (
        "many = [chunkref.scan(file, **inline)] * 30\n"
        "begins()\n"
        "chunkref.combine(many, merge=True)"
    )
    interrupt(body, 0.5, file=large["big"])


def test_references_whose_generators_compute():
    """What has no place where it asks whether it is wanted is left to itself."""
    body = """
array = {"zarr_format": 2, "shape": [9000000], "chunks": [1], "dtype": "<i4", "order": "C"}
array.update(compressor=None, fill_value=0, filters=None)
one = {"key": "v/{{i}}", "url": "http://h/x", "offset": "{{i}}", "length": "1", "dimensions": {"i": {"stop": 9000000}}}
text = json.dumps({"version": 1, "gen": [one], "refs": {".zgroup": '{"zarr_format":2}', "v/.zarray": json.dumps(array)}})
begins()
chunkref.References.from_json(text, limits={"generated_references": 10**7})
"""
    interrupt(body)


@pytest.mark.parametrize("name", ["out.json", "out.json.zst", "out.parq"])
def test_an_output_is_what_it_was(large, tmp_path, name):
    path = tmp_path / name
    small = chunkref.References.from_dict({".zgroup": '{"zarr_format":2}'})
    small.to_parquet(path) if name.endswith("parq") else small.to_json(path)
    body = """
references = chunkref.scan(file, **inline)
write = references.to_parquet if path.endswith("parq") else references.to_json
begins()
write(path)
"""
    # What is written is made up first, in one go, and that is waited for.
    interrupt(body, 0.4, 4 * SOON, file=large["big"], path=str(path))
    assert chunkref.References.open(path) == small
    assert os.listdir(tmp_path) == [name]


def test_what_is_appended_to_is_what_it_was(large, tmp_path, example_files):
    path = tmp_path / "cube.json"
    chunkref.build(example_files[:2], concat="time").to_json(path)
    before = path.read_bytes()
    interrupt("begins()\nchunkref.append(path, [file], **inline)", file=large["huge"], path=str(path))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["cube.json"]


def test_tasks_of_asyncio(large):
    body = """
async def main():
    begins()
    await chunkref.ascan(file, **inline)
asyncio.run(main())
"""
    interrupt(body, file=large["huge"])


def test_values_of_a_server_that_does_not_answer(example_file, tmp_path):
    """Neither the call nor the end of the process waits for it."""
    body = """
import socket
server = socket.create_server(("127.0.0.1", 0))
url = "http://127.0.0.1:%d/a.nc" % server.getsockname()[1]
known = chunkref.scan(example, inline_threshold=20).to_dict()
for value in known["refs"].values():
    if isinstance(value, list):
        value[0] = url
dataset = chunkref.open_dataset(known, allow=url, decode_times=False)
begins()
dataset["temperature"].load()
"""
    interrupt(body, example=example_file)
