# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's names, done by chunkref: change ``from kerchunk…`` to ``from chunkref.kerchunk…``, and nothing else.

Signatures and outputs are kerchunk's; where values differ, chunkref's are those that the format's own library reads. What
chunkref has no part in (other formats, ``vlen_encode`` other than ``"embed"``) is kerchunk's own, where it is installed.

>>> from chunkref.kerchunk.hdf import SingleHdf5ToZarr
>>> with open(example_file, "rb") as file:
...     references = SingleHdf5ToZarr(file, "s3://bucket/example.nc", inline_threshold=0).translate()
>>> references["refs"]["temperature/0.0.0"][0]
's3://bucket/example.nc'
"""

from __future__ import annotations

from typing import Any

from chunkref._chunkref import __version__

__all__ = ["__version__", "set_reference_filesystem_cachable"]


def set_reference_filesystem_cachable(cachable: bool = True) -> None:
    """Let fsspec keep instances of reference file systems, or not."""
    import fsspec

    fsspec.get_filesystem_class("reference").cachable = cachable


def __getattr__(name: str) -> Any:
    import importlib

    if name.startswith("__"):
        raise AttributeError(name)
    for package in ("chunkref.kerchunk", "kerchunk"):
        try:
            return importlib.import_module(f"{package}.{name}")
        except ModuleNotFoundError:
            continue
    raise AttributeError(f"module 'chunkref.kerchunk' has no attribute {name!r}")
