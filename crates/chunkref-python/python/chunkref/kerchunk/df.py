# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's `df`: references as Parquet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chunkref import _check, _chunkref
from chunkref._references import References
from chunkref._stores import Limits
from chunkref.kerchunk._original import original


def refs_to_dataframe(
    fo: str | os.PathLike[str] | Mapping[str, Any],
    url: str,
    target_protocol: str | None = None,
    target_options: dict[str, Any] | None = None,
    storage_options: dict[str, Any] | None = None,
    record_size: int = 100_000,
    categorical_threshold: int = 10,
    *,
    limits: Limits = None,
) -> None:
    """Write references as a folder of Parquet files.

    Parameters
    ----------
    fo : str or dict
        Reference file, or references.
    url : str
        The folder to write.
    target_protocol, target_options
        How fsspec opens ``fo``.
    storage_options : dict, optional
        How fsspec writes ``url``.
    record_size : int
        References per file.
    categorical_threshold : int
        Without effect: URLs are always stored once per file.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.

    Notes
    -----
    A local folder is replaced as a whole, when all of it is written; see `chunkref.References.to_parquet` for URLs.

    Examples
    --------
    >>> from chunkref.kerchunk.df import refs_to_dataframe
    >>> refs_to_dataframe({".zgroup": '{"zarr_format":2}'}, example_output + ".parq")
    """
    options = _check.mapping("target_options", target_options)
    _check.optional_text("target_protocol", target_protocol)
    _check.path("url", url)
    _check.integer("record_size", record_size, 1)
    bounds = _check.limits("limits", limits)
    most = {**_chunkref.limits(), **bounds}["set_bytes"]
    _check.integer("categorical_threshold", categorical_threshold)
    if isinstance(fo, (str, os.PathLike)):
        import fsspec

        if target_protocol is not None:
            options["protocol"] = target_protocol
        with fsspec.open(_check.path("fo", fo), "rb", **options) as file:
            references = References.from_json(file.read(most + 1), limits=bounds)
    elif isinstance(fo, Mapping):
        references = References.from_dict(fo, limits=bounds)
    else:
        raise _check.wrong_type("fo", fo, "a path, a URL, or references")
    references.to_parquet(url, record_size=record_size, storage_options=storage_options)


def __getattr__(name: str) -> Any:
    return original("df", name)
