# SPDX-License-Identifier: MIT OR Apache-2.0
"""Find the chunks of archival files and describe them as Zarr references.

A scan reads the metadata of a NetCDF, HDF5 or GRIB file, wherever it is, and says of each array what Zarr needs to know
and where its chunks lie. Everything that takes time runs natively, without the interpreter's lock.

>>> import chunkref
>>> references = chunkref.scan(example_file)
>>> sorted(references.arrays)
['temperature', 'time']
>>> references.to_json(example_output)

For users of kerchunk there is `chunkref.kerchunk`, with its names; for those of xarray the engine ``"chunkref"``
(`chunkref.xarray`) and `open_dataset`; for clusters `chunkref.dask`; for VirtualiZarr `chunkref.virtualizarr`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chunkref._build import append, build, combine
from chunkref._chunkref import __version__
from chunkref._errors import (
    AmbiguousError,
    ChangedError,
    ChunkError,
    ChunkrefError,
    CombineError,
    EmitError,
    FileTruncatedError,
    InvalidLocationError,
    InvalidOptionError,
    LimitExceededError,
    MalformedError,
    NotFoundError,
    PermissionDeniedError,
    ReferencesError,
    ScanError,
    ScanIoError,
    SkippedWarning,
    TimedOutError,
    UnknownFormatError,
    UnsupportedError,
)
from chunkref._inspect import inspect
from chunkref._references import ArrayInfo, References, Skipped
from chunkref._scan import ScanMany, scan, scan_many
from chunkref._stores import Stores
from chunkref._verify import verify
from chunkref.aio import abuild, ascan, ascan_many

if TYPE_CHECKING:
    import xarray

__all__ = [
    "AmbiguousError",
    "ArrayInfo",
    "ChangedError",
    "ChunkError",
    "ChunkrefError",
    "CombineError",
    "EmitError",
    "FileTruncatedError",
    "InvalidLocationError",
    "InvalidOptionError",
    "LimitExceededError",
    "MalformedError",
    "NotFoundError",
    "PermissionDeniedError",
    "References",
    "ReferencesError",
    "ScanError",
    "ScanIoError",
    "ScanMany",
    "Skipped",
    "SkippedWarning",
    "Stores",
    "TimedOutError",
    "UnknownFormatError",
    "UnsupportedError",
    "__version__",
    "abuild",
    "append",
    "ascan",
    "ascan_many",
    "build",
    "combine",
    "inspect",
    "open_dataset",
    "scan",
    "scan_many",
    "verify",
]


def open_dataset(source: Any, **options: Any) -> xarray.Dataset:
    """Open files or references as an `xarray.Dataset`, lazily.

    Parameters
    ----------
    source : str, os.PathLike, References, file object, or a list of them
        A file to scan, references (kerchunk JSON or Parquet, or in memory), or several with ``concat=``.
    **options
        Those of `chunkref.xarray.ChunkrefBackendEntrypoint.open_dataset` and of `xarray.open_dataset`.

    Returns
    -------
    xarray.Dataset
        The variables; values are read when they are asked for.

    Examples
    --------
    >>> dataset = chunkref.open_dataset(example_file)
    >>> dataset["temperature"].dims
    ('time', 'y', 'x')
    """
    import xarray

    if options.setdefault("engine", "chunkref") != "chunkref":
        raise TypeError("open_dataset() opens with the engine 'chunkref': use xarray.open_dataset() for others")
    return xarray.open_dataset(source, **options)
