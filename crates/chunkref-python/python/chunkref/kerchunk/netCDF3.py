# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's `netCDF3`: NetCDF classic files."""

from __future__ import annotations

from typing import Any

from chunkref import _check
from chunkref._stores import Limits
from chunkref.kerchunk._original import original
from chunkref.kerchunk._sources import filled, scanned


class NetCDF3ToZarr:
    """Translate the content of one NetCDF classic file into references.

    Parameters
    ----------
    filename : str
        Path or URL.
    storage_options : dict, optional
        Options of fsspec.
    inline_threshold : int
        Chunks of fewer stored bytes go into the references; 0 for none.
    max_chunk_size : int
        Cut variables without records into chunks of about so many bytes; 0 for no cutting.
    out : dict-like, optional
        Where references go, such as fsspec's ``LazyReferenceMapper``.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.
    **kwargs
        Those of scipy's reader, without effect.

    Examples
    --------
    >>> from chunkref.kerchunk.netCDF3 import NetCDF3ToZarr
    >>> NetCDF3ToZarr(example_netcdf3, inline_threshold=0).translate()["refs"]["depth/0"][2]
    16
    """

    def __init__(
        self,
        filename: str,
        storage_options: dict[str, Any] | None = None,
        inline_threshold: float | None = 100,
        max_chunk_size: int = 0,
        out: Any = None,
        *,
        limits: Limits = None,
        **kwargs: Any,
    ) -> None:
        _check.path("filename", filename)
        _check.mapping("storage_options", storage_options)
        if inline_threshold is not None:
            _check.number("inline_threshold", inline_threshold)
        _check.integer("max_chunk_size", max_chunk_size)
        self.limits = _check.limits("limits", limits)
        self.filename, self.storage_options, self.threshold = filename, storage_options, inline_threshold
        self.max_chunk_size, self.out = max_chunk_size, out

    def translate(self) -> Any:
        """Scan the file and give its references."""
        options = {"netcdf3_split_contiguous": str(self.max_chunk_size)} if self.max_chunk_size else {}
        references = scanned(
            self.filename, None, self.storage_options, self.threshold, "netcdf3", limits=self.limits, **options
        )
        found = references.to_dict(consolidated=False)
        return found if self.out is None else filled(self.out, found["refs"])


netcdf_recording_file = NetCDF3ToZarr


def __getattr__(name: str) -> Any:
    return original("netCDF3", name)
