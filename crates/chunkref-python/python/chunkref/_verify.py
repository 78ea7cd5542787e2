# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether references are right."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, Literal

from chunkref import _chunkref
from chunkref._references import References
from chunkref._scan import scan_settings
from chunkref._stores import Allow, StorageOptions, Stores, stores_of


def verify(
    references: References | str | os.PathLike[str],
    storage_options: StorageOptions = None,
    *,
    sample: int | Literal["all"] = 64,
    freshness: bool = True,
    against_source: bool = False,
    format: str | None = None,
    allow_outside: Iterable[str | os.PathLike[str]] = (),
    allow: Allow = (),
    stores: Stores | None = None,
    **format_options: str,
) -> dict[str, Any]:
    """Check references: in themselves, against their sources as they are now, and by decoding chunks.

    Parameters
    ----------
    references : References, str or os.PathLike
        In memory, or where they were written.
    storage_options, stores
        How they and the files behind them are read.
    allow : str, os.PathLike or iterable of them
        What the references may name besides what is beside them, see `Stores`.
    sample : int or "all"
        How many chunks are read and decoded, spread over arrays and files; 0 for none.
    freshness : bool
        Whether sources are looked at, to see that they are what they were.
    against_source : bool
        Whether chunks are held against a new scan of their sources.
    format, allow_outside, **format_options
        How that scan goes, as for `scan`.

    Returns
    -------
    dict
        What ``chunkref verify --json`` prints: ``sound``, counts, and ``checks`` with the failures of each.

    Examples
    --------
    >>> chunkref.verify(chunkref.scan(example_file))["sound"]
    True
    """
    held = stores_of(stores, storage_options, allow)
    scanning = scan_settings(format, 0, allow_outside, format_options) if against_source else None
    given = isinstance(references, References)
    text = _chunkref.verify(
        held._native,
        None if isinstance(references, References) else os.fspath(references),
        references._dataset if isinstance(references, References) else None,
        None if sample == "all" else int(sample),
        freshness,
        scanning,
    )
    report: dict[str, Any] = json.loads(text)
    if given:
        report["location"] = "references"
    return report
