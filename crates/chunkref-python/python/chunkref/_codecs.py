# SPDX-License-Identifier: MIT OR Apache-2.0
"""Codecs that references name, made known to numcodecs: those of other packages where they are installed, and that of GRIB."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util


def register(names: set[str]) -> None:
    """Make codecs known to numcodecs: those of imagecodecs, and of GRIB that of kerchunk or, without it, that of this package.

    Parameters
    ----------
    names : set of str
        Identifiers of codecs. Of packages that are not installed nothing is done: readers then say which codec it is.
    """
    from numcodecs.registry import codec_registry

    absent = {name for name in names if name not in codec_registry}
    if any(name.startswith("imagecodecs_") for name in absent):
        with contextlib.suppress(ImportError):
            importlib.import_module("imagecodecs.numcodecs").register_codecs(verbose=False)
    if "grib" in absent:
        without_kerchunk()
    if "grib" in absent and "grib" not in codec_registry:
        with contextlib.suppress(ImportError):
            importlib.import_module("kerchunk.codecs")


def without_kerchunk() -> None:
    """Make this package's codec of GRIB known where kerchunk, whose codec numcodecs finds, or ecCodes is not installed."""
    from numcodecs.registry import codec_registry

    if "grib" not in codec_registry and not all(importlib.util.find_spec(name) for name in ("eccodes", "kerchunk")):
        codec_registry["grib"] = importlib.import_module("chunkref._grib").Grib
