# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every argument of every public function, with values that it does not take: the right exception, which names the argument,
and nothing read or written."""

import asyncio
import builtins
import inspect
import os
import pathlib

import numpy as np
import pytest

import chunkref
import chunkref.aio
import chunkref.dask
import chunkref.virtualizarr
import chunkref.xarray
from chunkref.kerchunk.combine import MultiZarrToZarr, merge_vars
from chunkref.kerchunk.df import refs_to_dataframe
from chunkref.kerchunk.grib2 import GribToZarr, grib_tree, scan_grib
from chunkref.kerchunk.hdf import SingleHdf5ToZarr
from chunkref.kerchunk.netCDF3 import NetCDF3ToZarr
from chunkref.store import ChunkrefStore


class BytesPath:
    """A path that is bytes, as os.fspath allows."""

    def __fspath__(self):
        return b"x"


NOT_TEXT = [5, 1.5, True, b"x", ["x"], {"x": 1}, object()]
NO_PATH = [5, True, b"x", BytesPath(), object(), None, "", "a\0b"]
NO_PATHS = [5, True, b"x", BytesPath(), object(), None, {"x": "y"}, [5], [None], [b"x"], "", ["a", ""], [["x"]]]
NO_NAMES = [5, True, b"x", object(), None, {"x": "y"}, [5], [None], [b"x"], [["x"]], "", pathlib.Path("x")]
NO_BOOLEAN = [None, 0, 1, "yes", "false", 1.0, [], np.int64(1)]
NO_NUMBER = [None, "5", b"5", True, [], float("nan"), float("inf"), -1, -0.5, 1 + 2j, np.float64("nan")]
NO_MAPPING = ["anon", b"x", 5, True, ["a"], [("a", 1)], {5: 1}, object()]
NO_FUNCTION = [5, "print", True, []]
NO_SETTING = ["warning", "", 5, None, True, b"warn", ["warn"]]
NO_STORES = ["s3", 5, {"anon": True}, object()]
NO_LIMITS = [
    *NO_MAPPING,
    {"objcts": 1},
    *({"objects": value} for value in [None, "5", "64MiB", 1.0, True, np.bool_(True), [], -1, 2**70, float("nan")]),
]


def no_integer(least=0, optional=False):
    values = ["5", b"5", 1.0, float("nan"), True, False, [], least - 1, -1, 2**70, np.float32(3), np.bool_(True)]
    return values if optional else [*values, None]


SCANNING = {
    "storage_options": NO_MAPPING,
    "limits": NO_LIMITS,
    "stores": NO_STORES,
    "format": NOT_TEXT,
    "inline_threshold": no_integer(),
    "allow_outside": NO_PATHS,
}
CUBE = {
    "concat": [5, True, b"x", object(), [5], {"time": 5}, {"time": b"x"}, {5: "x"}, {"time": {"a": 1}}, ""],
    "concat_dtypes": NO_MAPPING,
    "identical": NO_NAMES,
    "stack": NO_NAMES,
    "merge": NO_BOOLEAN,
    "sort": NO_BOOLEAN,
    "on_conflict": NO_SETTING,
    "duplicates": NO_SETTING,
    "missing": NO_SETTING,
}
RUNNING = {"on_skipped": NO_SETTING, "jobs": no_integer(1, optional=True), "progress": NO_FUNCTION}


def run(coroutine):
    return asyncio.run(coroutine)


async def collected(*arguments, **options):
    return [one async for one in chunkref.ascan_many(*arguments, **options)]


def read_back(**options):
    options = {"filename_or_obj": FILE, **options}
    return chunkref.xarray.ChunkrefBackendEntrypoint().open_dataset(**options)


#: A file that is there, so that only the wrong argument is wrong; it is never opened.
FILE = __file__

#: For each function its sound arguments, and the wrong values of each of its parameters.
FUNCTIONS = {
    "scan": (chunkref.scan, {"source": FILE}, {**SCANNING, "source": NO_PATH, "url": NOT_TEXT, "on_skipped": NO_SETTING}),
    "scan_many": (
        chunkref.scan_many,
        {"sources": [FILE]},
        {**SCANNING, **RUNNING, "sources": NO_PATHS, "on_error": NO_SETTING, "ordered": NO_BOOLEAN},
    ),
    "build": (
        chunkref.build,
        {"sources": [FILE], "concat": "time"},
        {**SCANNING, **RUNNING, **CUBE, "sources": NO_PATHS, "group": NOT_TEXT, "on_failure": NO_SETTING},
    ),
    "combine": (
        chunkref.combine,
        {"references": [FILE], "concat": "time"},
        {
            **CUBE,
            "allow": NO_PATHS,
            "group": NOT_TEXT,
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
            "references": [5, True, None, b"x", [5], [None], [""], object()],
        },
    ),
    "append": (
        chunkref.append,
        {"references": FILE, "sources": [FILE]},
        {**SCANNING, **RUNNING, "allow": NO_PATHS, "retry": no_integer(), "references": NO_PATH, "sources": NO_PATHS},
    ),
    "verify": (
        chunkref.verify,
        {"references": FILE},
        {
            **{name: values for name, values in SCANNING.items() if name != "inline_threshold"},
            "allow": NO_PATHS,
            "references": NO_PATH,
            "sample": ["some", "", *no_integer()[1:]],
            "freshness": NO_BOOLEAN,
            "against_source": NO_BOOLEAN,
        },
    ),
    "inspect": (chunkref.inspect, {"source": FILE}, {**SCANNING, "source": NO_PATH}),
    "ascan": (
        lambda **given: run(chunkref.ascan(given.pop("source"), given.pop("storage_options", None), **given)),
        {"source": FILE},
        {**SCANNING, "source": NO_PATH},
    ),
    "ascan_many": (
        lambda **given: run(collected(given.pop("sources"), given.pop("storage_options", None), **given)),
        {"sources": FILE},
        {**SCANNING, "sources": NO_PATHS},
    ),
    "abuild": (
        lambda **given: run(chunkref.abuild(given.pop("sources"), given.pop("storage_options", None), **given)),
        {"sources": FILE, "concat": "time"},
        {**SCANNING, **CUBE, "sources": NO_PATHS},
    ),
    "Stores": (
        chunkref.Stores,
        {},
        {
            "allow": NO_PATHS,
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "anon": NO_BOOLEAN,
            "concurrency": no_integer(1),
            "concurrency_per_file": no_integer(1),
            "concurrency_per_host": no_integer(1, optional=True),
            "retries": no_integer(),
            "timeout": [*NO_NUMBER, 0],
            "deadline": NO_NUMBER,
            "keep_query": NO_BOOLEAN,
        },
    ),
    "Stores.expand": (chunkref.Stores().expand, {"pattern": FILE}, {"pattern": NO_PATH}),
    "References.open": (
        chunkref.References.open,
        {"url": FILE},
        {"url": NO_PATH, "limits": NO_LIMITS, "storage_options": NO_MAPPING, "stores": NO_STORES},
    ),
    "References.from_dict": (
        chunkref.References.from_dict,
        {"references": {}},
        {"references": [5, None, "x", b"x", object()], "limits": NO_LIMITS},
    ),
    "References.from_json": (
        chunkref.References.from_json,
        {"text": "{}"},
        {"text": [5, None, {}, object()], "limits": NO_LIMITS},
    ),
    "to_json": (
        lambda **given: chunkref.References.from_dict({}).to_json(**given),
        {"path": "out.json"},
        {
            "path": NO_PATH[:5] + NO_PATH[6:],
            "consolidated": NO_BOOLEAN,
            "templates": NO_BOOLEAN,
            "storage_options": NO_MAPPING,
        },
    ),
    "to_parquet": (
        lambda **given: chunkref.References.from_dict({}).to_parquet(**given),
        {"path": "out.parq"},
        {"path": NO_PATH, "record_size": no_integer(1), "storage_options": NO_MAPPING},
    ),
    "to_icechunk": (
        lambda **given: chunkref.References.from_dict({}).to_icechunk(**given),
        {"path": "out.icechunk"},
        {
            "path": NO_PATH,
            "branch": NOT_TEXT,
            "message": NOT_TEXT,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
        },
    ),
    "to_dict": (
        lambda **given: chunkref.References.from_dict({}).to_dict(**given),
        {},
        {"consolidated": NO_BOOLEAN, "templates": NO_BOOLEAN},
    ),
    "to_dicts": (
        lambda **given: chunkref.References.from_dict({}).to_dicts(**given),
        {},
        {"consolidated": NO_BOOLEAN},
    ),
    "ChunkrefStore": (
        ChunkrefStore,
        {"references": FILE},
        {
            "allow": NO_PATHS,
            "limits": NO_LIMITS,
            "references": NO_PATH,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
            "open": NO_FUNCTION,
            "protocol": NOT_TEXT,
        },
    ),
    "dask.scan": (
        chunkref.dask.scan,
        {"sources": [FILE]},
        {
            "sources": NO_PATHS,
            "batch": no_integer(1),
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
        },
    ),
    "dask.build": (
        chunkref.dask.build,
        {"sources": [FILE], "concat": "time"},
        {
            "sources": NO_PATHS,
            "concat": [5, True, b"x", object(), [5], {"time": 5}, {"time": ["x"]}, ""],
            "batch": no_integer(1),
            "split_every": no_integer(2),
            "compute": NO_BOOLEAN,
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
            "cube_options": [*NO_MAPPING, {"identicl": "x"}],
        },
    ),
    "virtualizarr.Parser": (
        chunkref.virtualizarr.Parser,
        {},
        {
            "group": NOT_TEXT,
            "skip_variables": [value for value in NO_NAMES if value is not None],
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
        },
    ),
    "engine": (
        read_back,
        {},
        {
            "allow": NO_PATHS,
            "limits": NO_LIMITS,
            "filename_or_obj": NO_PATH,
            "group": NOT_TEXT,
            "drop_variables": [value for value in NO_NAMES if value is not None],
            "storage_options": NO_MAPPING,
            "stores": NO_STORES,
            "concat": [5, True, b"x", object(), [5], {"time": 5}],
            "combine_options": [*NO_MAPPING, {"identicl": "x"}],
            "scan_options": [*NO_MAPPING, {"on_skiped": "warn"}],
        },
    ),
    "SingleHdf5ToZarr": (
        SingleHdf5ToZarr,
        {"h5f": FILE},
        {
            "url": NOT_TEXT,
            "limits": NO_LIMITS,
            "spec": no_integer(),
            "inline_threshold": [value for value in NO_NUMBER if value is not None],
            "storage_options": NO_MAPPING,
            "error": NO_SETTING,
        },
    ),
    "NetCDF3ToZarr": (
        NetCDF3ToZarr,
        {"filename": FILE},
        {
            "filename": NO_PATH,
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "inline_threshold": [value for value in NO_NUMBER if value is not None],
            "max_chunk_size": no_integer(),
        },
    ),
    "scan_grib": (
        scan_grib,
        {"url": FILE},
        {
            "url": NO_PATH,
            "limits": NO_LIMITS,
            "storage_options": NO_MAPPING,
            "inline_threshold": [value for value in NO_NUMBER if value is not None],
            "skip": no_integer(),
            "filter": NO_MAPPING,
        },
    ),
    "grib_tree": (
        grib_tree,
        {"message_groups": []},
        {"message_groups": ["x", 5, None, {"a": 1}, b"x"], "limits": NO_LIMITS, "remote_options": NO_MAPPING},
    ),
    "refs_to_dataframe": (
        refs_to_dataframe,
        {"fo": {}, "url": "out.parq"},
        {
            "fo": [5, None, b"x", ""],
            "limits": NO_LIMITS,
            "url": NO_PATH,
            "target_protocol": NOT_TEXT,
            "target_options": NO_MAPPING,
            "record_size": no_integer(1),
            "categorical_threshold": no_integer(),
        },
    ),
    "MultiZarrToZarr": (
        MultiZarrToZarr,
        {"path": [{}], "concat_dims": ["time"]},
        {
            "allow": NO_PATHS,
            "limits": NO_LIMITS,
            "path": [5, None, True, b"x", {"a": 1}],
            "indicts": [5, True, b"x", "x", {"a": 1}],
            "coo_map": NO_MAPPING,
            "concat_dims": [value for value in NO_NAMES if value is not None],
            "coo_dtypes": NO_MAPPING,
            "identical_dims": [value for value in NO_NAMES if value is not None],
            "target_options": NO_MAPPING,
            "remote_protocol": NOT_TEXT,
            "remote_options": NO_MAPPING,
            "inline_threshold": [value for value in NO_NUMBER if value is not None],
            "preprocess": NO_FUNCTION,
            "postprocess": NO_FUNCTION,
        },
    ),
}

CASES = [
    pytest.param(function, sound, name, value, id=f"{of}-{name}-{number}")
    for of, (function, sound, wrong) in FUNCTIONS.items()
    for name, values in wrong.items()
    for number, value in enumerate(values)
]


@pytest.fixture(autouse=True)
def _nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield


@pytest.mark.parametrize(("function", "sound", "name", "value"), CASES)
def test_wrong_values_are_refused_by_name_with_nothing_touched(function, sound, name, value, tmp_path):
    with pytest.raises((TypeError, ValueError)) as caught:
        function(**{**sound, name: value})
    assert type(caught.value) in (TypeError, ValueError, chunkref.InvalidOptionError), repr(caught.value)
    assert name in str(caught.value), str(caught.value)
    assert os.listdir(tmp_path) == []


def test_every_argument_is_in_the_table():
    passed_on = {
        "scan": {"format_options"},
        "scan_many": {"format_options"},
        "build": {"format_options"},
        "append": {"format_options"},
        "verify": {"format_options"},
        "inspect": {"options"},
        "dask.scan": {"options"},
        "dask.build": {"options"},
        "virtualizarr.Parser": {"scan_options"},
        "NetCDF3ToZarr": {"kwargs", "out"},
        "SingleHdf5ToZarr": {"h5f", "out", "vlen_encode", "unsupported_inline_threshold"},
        "MultiZarrToZarr": {"out"},
        "scan_grib": {"common"},
        "refs_to_dataframe": {"storage_options"},
    }
    for of, (function, _, wrong) in FUNCTIONS.items():
        if getattr(function, "__name__", "<lambda>") in ("<lambda>", "read_back"):
            continue
        parameters = set(inspect.signature(function).parameters) - {"self", "cls"}
        assert parameters - set(wrong) == passed_on.get(of, set()), of
    public = {name for name in chunkref.__all__ if inspect.isfunction(getattr(chunkref, name))}
    assert public <= set(FUNCTIONS) | {"open_dataset"}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: chunkref.scan(FILE, on_skiped="warn"), "did you mean 'on_skipped'"),
        (lambda: chunkref.scan_many(FILE, job=1), "did you mean 'jobs'"),
        (lambda: chunkref.build(FILE, concat="time", identicl="x"), "did you mean 'identical'"),
        (lambda: chunkref.scan(FILE, bogus=1), "bogus"),
        (lambda: chunkref.inspect(FILE, bogus=1), "bogus"),
        (lambda: chunkref.verify(FILE, bogus=1), "bogus"),
        (lambda: chunkref.dask.scan(FILE, bogus=1), "bogus"),
        (lambda: chunkref.dask.build(FILE, concat="time", bogus=1), "bogus"),
        (lambda: chunkref.virtualizarr.Parser(bogus=1), "bogus"),
        (lambda: run(chunkref.ascan(FILE, bogus=1)), "bogus"),
        (lambda: chunkref.open_dataset(FILE, engine="netcdf4"), "engine"),
        (lambda: chunkref.scan(FILE, url="s3://b/k"), "url="),
        (lambda: chunkref.build(FILE), "nothing says how"),
    ],
)
def test_keywords_that_nobody_knows_are_type_errors(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_storage_options_are_checked_for_paths_too(example_file, tmp_path):
    for options in ({"regoin": "x"}, {"client_kwargs": {"regoin": "x"}}):
        with pytest.raises(chunkref.InvalidOptionError):
            chunkref.scan(example_file, options)
        with pytest.raises(chunkref.InvalidOptionError):
            chunkref.scan(example_file).to_json(tmp_path / "out.json", storage_options=options)
    with pytest.raises(chunkref.InvalidOptionError, match='did you mean "region"'):
        chunkref.scan("s3://bucket/key", {"regoin": "x"})
    assert chunkref.scan(example_file, {"anon": True, "client_kwargs": {"region_name": "x"}}).arrays
    assert os.listdir(tmp_path) == []


def test_one_string_is_one_name(example_files, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    for folders in (str(outside), outside, [outside], (str(outside),)):
        settings = chunkref._scan.scan_settings(chunkref.scan, None, np.int64(5), folders, {})
        assert settings["allow_outside"] == [str(outside)] and settings["inline_threshold"] == 5
    one = chunkref.build(example_files, concat="time", identical="temperature")
    assert one == chunkref.build(example_files, concat=["time"], identical=["temperature"], jobs=np.int32(2))
    reference = tmp_path / "one.json"
    chunkref.scan(example_files[0]).to_json(reference)
    assert chunkref.combine(reference, "time") == chunkref.combine([str(reference)], "time")
    skipped = chunkref.virtualizarr.Parser(skip_variables="temperature").skip_variables
    assert skipped == {"temperature"}
    assert MultiZarrToZarr([{}], concat_dims="time", identical_dims="SST").identical_dims == ["SST"]
    assert chunkref.open_dataset(example_files[0], drop_variables="temperature").data_vars.keys() == set()


def test_formats_take_their_options_as_python_has_them(example_file):
    assert chunkref.scan(example_file, hdf5_links="skip").arrays
    with pytest.raises(chunkref.InvalidOptionError):
        chunkref.scan(example_file, hdf5_links=True)
    for value in (None, object(), 1.5, b"skip"):
        with pytest.raises(TypeError, match="hdf5_links"):
            chunkref.scan(example_file, hdf5_links=value)


def test_no_message_shows_a_secret_or_what_a_terminal_obeys():
    secret = "zq8-very-secret-indeed"
    odd = "a\x1b[31m\u202e\x9b"
    shown = []
    for call in (
        lambda: chunkref.Stores({"secret": [secret]}),
        lambda: chunkref.scan(f"https://me:{secret}@127.0.0.1:1/a?sig={secret}"),
        lambda: chunkref.scan("s3://bucket/a", {"secret": secret, "regoin": secret}),
        lambda: chunkref.scan(
            f"s3://bucket/{odd}",
            stores=chunkref.Stores({"secret": secret, "key": secret, "endpoint_url": "http://127.0.0.1:1"}, retries=0),
        ),
        lambda: chunkref.scan(f"/no/such/{odd}"),
        lambda: chunkref.scan(FILE, on_skipped=odd),
        lambda: chunkref.scan(FILE, **{odd: 1}),
        lambda: chunkref.References.open(f"https://127.0.0.1:1/a?token={secret}"),
    ):
        try:
            call()
        except Exception as error:
            shown += [str(error), repr(error), str(error.__cause__)]
            # Attributes are for programs, and exact but for secrets.
            assert secret not in f"{getattr(error, 'location', '')} {getattr(error, 'filename', '')}"
        else:
            raise AssertionError("this was to fail")
    stores = chunkref.Stores({"secret": secret, "key": secret})
    references = chunkref.References.from_dict({
        ".zgroup": '{"zarr_format":2}',
        f"{odd}/.zarray": '{"zarr_format":2,"shape":[1],"chunks":[1],"dtype":"<i4","compressor":null,"fill_value":0,'
        '"filters":null,"order":"C"}',
        f"{odd}/0": [f"https://h/?sig={secret}", 0, 4],
    })
    shown += [repr(stores), repr(references), references._repr_html_(), repr(ChunkrefStore(references, stores=stores))]
    for text in shown:
        assert secret not in text, text
        assert not any(ord(letter) < 32 and letter != "\n" or letter in "\x1b\x9b\u202e" for letter in text), ascii(text)
    assert builtins.any("***" in text for text in shown)
