# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is in a file or in references."""

from __future__ import annotations

import json
import os
from typing import Any

from chunkref import _check
from chunkref._references import References
from chunkref._scan import scan
from chunkref._stores import Limits, StorageOptions, Stores


def inspect(
    source: str | os.PathLike[str] | References,
    storage_options: StorageOptions = None,
    *,
    limits: Limits = None,
    stores: Stores | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Describe a file to scan, or references.

    Parameters
    ----------
    source : str, os.PathLike or References
        What to describe.
    storage_options, limits, stores, **options
        As for `scan`.

    Returns
    -------
    dict
        What ``chunkref inspect --json`` prints: ``location``, ``groups``, ``dimensions``, ``arrays`` and ``skipped``.

    Examples
    --------
    >>> [array["path"] for array in chunkref.inspect(example_file)["arrays"]]
    ['temperature', 'time']
    """
    if isinstance(source, References):
        if options or storage_options is not None or limits is not None or stores is not None:
            raise TypeError(
                "references in memory are not read: storage_options=, limits=, stores= and options are for what is"
            )
        references, location = source, "references"
    else:
        location = _check.path("source", source)
        _check.keywords("inspect()", options, scan, without=("url", "on_skipped"))
        name = location.rstrip("/").lower()
        if name.endswith((".json", ".json.gz", ".json.zst", ".parq", ".parquet", ".icechunk")):
            references = References.open(location, storage_options, limits=limits, stores=stores)
        else:
            references = scan(
                location, storage_options, limits=limits, stores=stores, on_skipped="ignore", **options
            )
    document: dict[str, Any] = json.loads(references._dataset.summary(location, ""))
    document["skipped"] = [
        {"path": one.path, "offset": one.offset, "reason": one.reason, "kind": one.kind} for one in references.skipped
    ]
    del document["format"], document["length"]
    return document
