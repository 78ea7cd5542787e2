# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bounds by name: what they are for, that each function obeys them, and that they travel."""

import json
import pathlib
import pickle
import re

import numpy as np
import pytest

import chunkref
import chunkref.dask
import chunkref.virtualizarr
from chunkref.kerchunk.combine import MultiZarrToZarr, merge_vars
from chunkref.kerchunk.df import refs_to_dataframe
from chunkref.kerchunk.hdf import SingleHdf5ToZarr
from chunkref.kerchunk.netCDF3 import NetCDF3ToZarr
from chunkref.store import ChunkrefStore

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def reference(example_file, tmp_path):
    """References of one file, which is a set of two arrays."""
    path = tmp_path / "set.json"
    chunkref.scan(example_file).to_json(path)
    return str(path)


def test_the_names_are_those_of_the_documentation():
    documented = re.findall(r"^\| `([a-z_]+)` \| [0-9,]+", (ROOT / "docs/security.md").read_text(), re.MULTILINE)
    assert len(documented) > 15 and documented == list(chunkref._chunkref.limits())
    chunkref.Stores(limits=dict.fromkeys(documented, 1))


def test_names_and_values_are_checked():
    with pytest.raises(chunkref.InvalidOptionError, match="metadata_bytes, structure_bytes, objects, chunks"):
        chunkref.Stores(limits={"metadata": 1})
    with pytest.raises(chunkref.InvalidOptionError, match="did you mean 'objects'"):
        chunkref.scan("/absent", limits={"objcts": 1})
    for value in (True, "5", 1.0, None, np.float32(1)):
        with pytest.raises(TypeError, match="limits"):
            chunkref.Stores(limits={"objects": value})
    for name, value in (("objects", -1), ("depth", 2**32), ("objects", 2**64)):
        with pytest.raises(ValueError, match="limits|depth"):
            chunkref.Stores(limits={name: value})
    # As for the command, hyphens are underscores.
    assert repr(chunkref.Stores(limits={"set-bytes": np.int64(5)})) == "Stores(limits={'set_bytes': 5})"


@pytest.mark.parametrize(
    "scan",
    [
        lambda file, **given: chunkref.scan(file, **given),
        lambda file, **given: list(chunkref.scan_many([file], **given)),
        lambda file, **given: chunkref.build([file], concat="time", **given),
        lambda file, **given: chunkref.inspect(file, **given),
        lambda file, **given: chunkref.open_dataset(file, **given),
        lambda file, **given: chunkref.open_dataset([file], concat="time", **given),
        lambda file, **given: chunkref.dask.scan(file, **given)[0].compute(scheduler="synchronous"),
        lambda file, **given: chunkref.dask.build(file, concat="time", compute=False, **given).compute(
            scheduler="synchronous"
        ),
        lambda file, **given: SingleHdf5ToZarr(file, **given).translate(),
        lambda file, **given: scan_object(file, **given),
    ],
)
def test_every_scan_obeys(scan, example_file):
    assert scan(example_file, limits={"chunks": 1000}) is not None
    with pytest.raises(chunkref.LimitExceededError, match="chunks"):
        scan(example_file, limits={"chunks": 1})


def scan_object(file, **given):
    with open(file, "rb") as opened:
        return chunkref.scan(opened, **given)


def test_other_formats_and_file_objects_obey(example_netcdf3, example_file):
    with pytest.raises(chunkref.LimitExceededError):
        NetCDF3ToZarr(example_netcdf3, limits={"members": 1}).translate()
    with open(example_file, "rb") as file, pytest.raises(chunkref.LimitExceededError):
        SingleHdf5ToZarr(file, limits={"objects": 1}).translate()
    with open(example_file, "rb") as file, pytest.raises(chunkref.LimitExceededError):
        chunkref.open_dataset(file, limits={"objects": 1})


@pytest.mark.parametrize(
    "read",
    [
        lambda path, **given: chunkref.References.open(path, **given),
        lambda path, **given: chunkref.References.from_json(pathlib.Path(path).read_text(), **given),
        lambda path, **given: chunkref.References.from_dict(json.loads(pathlib.Path(path).read_text()), **given),
        lambda path, **given: chunkref.combine([path], merge=True, **given),
        lambda path, **given: chunkref.combine([json.loads(pathlib.Path(path).read_text())], merge=True, **given),
        lambda path, **given: chunkref.verify(path, **given),
        lambda path, **given: chunkref.inspect(path, **given),
        lambda path, **given: chunkref.open_dataset(path, **given),
        lambda path, **given: chunkref.open_dataset(json.loads(pathlib.Path(path).read_text()), **given),
        lambda path, **given: ChunkrefStore(path, **given),
        lambda path, **given: MultiZarrToZarr([path], concat_dims=["time"], remote_protocol="file", **given).translate(),
        lambda path, **given: refs_to_dataframe(path, path + ".parq", **given) or 1,
    ],
)
def test_every_reading_of_references_obeys(read, reference):
    assert read(reference, limits={"objects": 1000, "set_bytes": 100_000}) is not None
    for limits in ({"objects": 1}, {"set_bytes": 100}):
        with pytest.raises(chunkref.ReferencesError) as caught:
            read(reference, limits=limits)
        assert next(iter(limits)) in str(caught.value)


def test_merging_variables_reads_no_more(reference):
    assert merge_vars([reference])["refs"]
    with pytest.raises(chunkref.ReferencesError, match="set_bytes=100"):
        merge_vars([reference], limits={"set_bytes": 100})


def test_appending_obeys(example_files, tmp_path):
    path = tmp_path / "cube.json"
    chunkref.build(example_files[:2], concat="time").to_json(path)
    before = path.read_bytes()
    with pytest.raises(chunkref.LimitExceededError):
        chunkref.append(path, example_files[2:], limits={"chunks": 1})
    with pytest.raises(chunkref.ReferencesError, match="set_references"):
        chunkref.append(path, example_files[2:], limits={"set_references": 1})
    assert path.read_bytes() == before
    assert chunkref.append(path, example_files[2:], limits={"chunks": 100}).arrays["temperature"].shape[0] == 6


def test_a_chunk_decodes_to_no_more_than_a_limit(example_file):
    references = chunkref.scan(example_file, inline_threshold=0)
    assert chunkref.verify(references)["sound"]
    assert not chunkref.verify(references, limits={"decoded_chunk_bytes": 10})["sound"]
    with pytest.raises(chunkref.CombineError, match="decoded_chunk_bytes"):
        chunkref.combine([references, references], {"temperature": "data:temperature"}, limits={"decoded_chunk_bytes": 10})


def test_columns_have_a_limit(example_file):
    dataset = chunkref.scan(example_file)._dataset
    assert dataset.columns("temperature", {})[0] == [2, 1, 1]
    with pytest.raises(chunkref.LimitExceededError, match="set_references=1"):
        dataset.columns("temperature", {"set_references": 1})
    from obspec_utils.registry import ObjectStoreRegistry
    from obstore.store import LocalStore

    registry = ObjectStoreRegistry({"file://": LocalStore()})
    with pytest.raises(chunkref.LimitExceededError, match="set_references=1"):
        chunkref.virtualizarr.Parser(limits={"set_references": 1})("file://" + example_file, registry)


def test_limits_travel_and_add_up(example_file):
    stores = chunkref.Stores(limits={"chunks": 1})
    again = pickle.loads(pickle.dumps(stores))
    assert repr(again) == repr(stores) == "Stores(limits={'chunks': 1})"
    for held in (stores, again):
        with pytest.raises(chunkref.LimitExceededError):
            chunkref.scan(example_file, stores=held)
        # Those of a call count before those of its stores, which keep the others.
        assert chunkref.scan(example_file, stores=held, limits={"chunks": 100}).arrays
        with pytest.raises(chunkref.LimitExceededError):
            chunkref.scan(example_file, stores=held, limits={"objects": 100})
    assert chunkref.scan(example_file).arrays
    tasks = chunkref.dask.scan(example_file, limits={"chunks": 1})
    with pytest.raises(chunkref.LimitExceededError):
        pickle.loads(pickle.dumps(tasks[0])).compute(scheduler="synchronous")
    store = ChunkrefStore(chunkref.scan(example_file), limits={"objects": 5})
    assert pickle.loads(pickle.dumps(store))._stores._settings["limits"] == {"objects": 5}
