# SPDX-License-Identifier: MIT OR Apache-2.0
"""The examples in docstrings run, and give what they say."""

import doctest
import importlib
import json
import pkgutil

import pytest

import chunkref

MODULES = sorted(
    info.name for info in pkgutil.walk_packages(chunkref.__path__, "chunkref.") if not info.name.endswith("__main__")
)


@pytest.mark.parametrize("name", ["chunkref", *(name for name in MODULES if name != "chunkref._chunkref")])
def test_examples(name, example_file, example_folder, example_netcdf3, tmp_path):
    module = importlib.import_module(name)
    names = {
        "chunkref": chunkref,
        "json": json,
        "example_file": example_file,
        "example_folder": example_folder,
        "example_netcdf3": example_netcdf3,
        "example_output": str(tmp_path / "refs.json"),
    }
    for test in doctest.DocTestFinder().find(module, name, extraglobs=names):
        outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
        assert outcome.failed == 0, test.name


def test_every_public_function_has_an_example():
    without = [
        name
        for name in chunkref.__all__
        if callable(getattr(chunkref, name))
        and not isinstance(getattr(chunkref, name), type)
        and ">>>" not in (getattr(chunkref, name).__doc__ or "")
    ]
    assert without == ["abuild"]
