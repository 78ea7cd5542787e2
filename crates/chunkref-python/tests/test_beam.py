# SPDX-License-Identifier: MIT OR Apache-2.0
"""The example of the guide for Apache Beam, on the direct runner. Beam is not among the packages of the tests."""

import re

import pytest

import chunkref
from conftest import ROOT

beam = pytest.importorskip("apache_beam")


def test_the_example_of_the_guide(example_files, tmp_path, monkeypatch):
    guide = (ROOT / "docs/guide/python.md").read_text()
    section = guide.split("## Beam")[1].split("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.S).group(1)
    monkeypatch.chdir(tmp_path)
    # The functions are pickled by value, as in a notebook.
    exec(
        compile(code.replace(', {"anon": True}', ""), "guide", "exec"), {"urls": example_files, "__name__": "__main__"}
    )
    found = chunkref.References.open(tmp_path / "cube.parq")
    assert found.to_dict() == chunkref.build(example_files, concat="time").to_dict()
