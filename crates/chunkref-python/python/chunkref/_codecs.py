# SPDX-License-Identifier: MIT OR Apache-2.0
"""Codecs of other packages that references name, made known to numcodecs where those packages are installed."""

from __future__ import annotations

import importlib


def register(names: set[str]) -> None:
    """Make codecs known to numcodecs: those of imagecodecs, and kerchunk's of GRIB.

    Parameters
    ----------
    names : set of str
        Identifiers of codecs. Of packages that are not installed nothing is done: readers then say which codec it is.
    """
    from numcodecs.registry import codec_registry

    absent = {name for name in names if name not in codec_registry}
    try:
        if any(name.startswith("imagecodecs_") for name in absent):
            importlib.import_module("imagecodecs.numcodecs").register_codecs(verbose=False)
        if "grib" in absent:
            importlib.import_module("kerchunk.codecs")
    except ImportError:
        return
