# SPDX-License-Identifier: MIT OR Apache-2.0
"""Clusters: processes of their own, a tree of partial combinations, and kerchunk's way with bags."""

import contextlib
import json
import os
import signal
import time

import dask
import dask.bag
import distributed
import pytest

import chunkref
import chunkref.dask
from chunkref.kerchunk.combine import MultiZarrToZarr
from chunkref.kerchunk.hdf import SingleHdf5ToZarr
from conftest import serve, write_netcdf4


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        with distributed.Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def many_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    return [write_netcdf4(folder / f"{number:02}.nc", 2 * number) for number in range(11)]


def gen_ref(name):
    """As in the tutorial: a reference dictionary of one file."""
    import fsspec

    with fsspec.open(name, mode="rb") as infile:
        return SingleHdf5ToZarr(infile, name, inline_threshold=300).translate()


def process_of(name):
    return os.getpid()


def test_scanned_by_workers(cluster, many_files):
    tasks = chunkref.dask.scan(many_files, batch=4)
    found = [one for some in dask.compute(*tasks) for one in some]
    assert found == list(chunkref.scan_many(many_files))
    assert os.getpid() not in cluster.gather(cluster.map(process_of, many_files, pure=False))


@pytest.mark.parametrize(("batch", "split_every"), [(1, 2), (3, 3), (20, 8)])
def test_a_tree_gives_what_all_at_once_gives(cluster, many_files, batch, split_every):
    cube = chunkref.dask.build(many_files, concat="time", batch=batch, split_every=split_every)
    expected = chunkref.build(many_files, concat="time")
    assert cube.to_dict() == expected.to_dict()
    # Versions of sources travel too.
    assert chunkref.verify(cube, sample=4)["sound"]


def test_datasets_are_computed_by_workers(cluster, many_files):
    dataset = chunkref.open_dataset(many_files, concat="time", chunks={"time": 2})
    assert dataset.sizes["time"] == 22
    expected = sum(sum(range(24)) + 24 * 100 * 2 * number for number in range(11))
    assert float(dataset["temperature"].sum().compute()) == expected


def test_a_bag_of_references(cluster, many_files):
    dicts = dask.bag.from_sequence(many_files, npartitions=len(many_files)).map(gen_ref).compute()
    combined = MultiZarrToZarr(dicts, remote_protocol="file", concat_dims="time").translate()
    assert combined == MultiZarrToZarr([gen_ref(name) for name in many_files], concat_dims="time").translate()
    assert "temperature/21.0.0" in combined["refs"]


def test_faults_are_the_workers_own(cluster, many_files):
    with pytest.raises(FileNotFoundError):
        chunkref.dask.build([*many_files, "/absent.nc"], concat="time")
    with pytest.raises(chunkref.CombineError):
        chunkref.dask.build([many_files[0], many_files[0]], concat="time")
    with pytest.raises(ValueError, match="number all inputs"):
        chunkref.dask.build(many_files, concat={"run": "INDEX"})
    with pytest.raises(ValueError, match="no files"):
        chunkref.dask.build([], concat="time")


@contextlib.contextmanager
def bucket_of(folder, latency="0", faults="0"):
    """A public bucket of the folder's files behind a proxy that breaks requests: how to build from it, and what it counted."""
    process, greeting = serve("s3-public", str(folder.parent), latency, faults)
    options = {"endpoint": greeting["url"], "anon": True, "region": "us-east-1"}
    counted = {}
    try:
        urls = [f"s3://{folder.name}/{name}" for name in sorted(os.listdir(folder))]
        yield (urls, options), counted
    finally:
        process.stdin.close()
        counted.update(json.loads(process.stdout.readline()))
        process.wait()


@pytest.fixture(scope="module")
def few_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("buckets") / "few"
    folder.mkdir()
    for number in range(4):
        write_netcdf4(folder / f"{number}.nc", 2 * number)
    return folder


def test_what_passes_over_is_got_over(cluster, few_files):
    with bucket_of(few_files) as ((urls, options), whole):
        expected = chunkref.build(urls, options, concat="time")
    with bucket_of(few_files, faults="25") as ((urls, options), broken):
        cube = chunkref.dask.build(urls, options, concat="time", batch=1, split_every=2)
    assert broken["faults"] >= 1
    assert cube.to_dict() == expected.to_dict()


@pytest.mark.parametrize("status", [403, 404])
def test_a_store_that_fails_is_an_error_and_never_a_part(cluster, few_files, status):
    with bucket_of(few_files) as ((urls, options), whole):
        expected = chunkref.dask.build(urls, options, concat="time", batch=2)
    assert whole["requests"] >= 4
    failed = 0
    for requests in range(whole["requests"] + 1):
        with bucket_of(few_files, faults=f"{status}@{requests}") as ((urls, options), _):
            try:
                cube = chunkref.dask.build(urls, options, concat="time", batch=2)
            except OSError as error:
                failed += 1
                assert str(status) in str(error) or isinstance(error, (FileNotFoundError, PermissionError)), error
            else:
                assert cube.to_dict() == expected.to_dict()
    assert failed == whole["requests"]


def test_a_worker_that_is_killed_is_replaced(few_files):
    with bucket_of(few_files) as ((urls, options), _):
        expected = chunkref.build(urls, options, concat="time")
    with (
        bucket_of(few_files, latency="0.3") as ((urls, options), _),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        task = chunkref.dask.build(urls, options, concat="time", batch=1, split_every=2, compute=False)
        future = client.compute(task, retries=3)
        victims = list(client.run(os.getpid).values())
        while not client.processing() or not any(client.processing().values()):
            assert not future.done(), "it took less time than this test needs"
            time.sleep(0.01)
        os.kill(victims[0], signal.SIGKILL)
        assert future.result(timeout=120).to_dict() == expected.to_dict()
