# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether references are right."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, Literal

from chunkref import _check, _chunkref
from chunkref._references import References
from chunkref._scan import scan_settings
from chunkref._stores import Allow, Limits, StorageOptions, Stores, stores_of


def verify(
    references: References | str | os.PathLike[str],
    storage_options: StorageOptions = None,
    *,
    sample: int | Literal["all"] = 64,
    freshness: bool = True,
    against_source: bool = False,
    format: str | None = None,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    allow: Allow = (),
    limits: Limits = None,
    stores: Stores | None = None,
    **format_options: Any,
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
    limits : mapping, optional
        Bounds on what reading the references may cost, decoding a chunk, and that scan, by name, see `Stores`.

    Returns
    -------
    dict
        What ``chunkref verify --json`` prints: ``sound``, counts, and ``checks`` with the failures of each.

    Raises
    ------
    NotFoundError, ReferencesError
        When there are no references, or they cannot be read within the limits.
    KeyboardInterrupt
        Within about a second after Ctrl-C.

    Examples
    --------
    >>> chunkref.verify(chunkref.scan(example_file))["sound"]
    True
    """
    held = stores_of(stores, storage_options, allow, limits)
    settings = scan_settings(verify, format, 0, allow_outside, format_options)
    scanning = settings if _check.boolean("against_source", against_source) else None
    every = isinstance(sample, str) and _check.choice("sample", sample, ("all",)) == "all"
    freshness = _check.boolean("freshness", freshness)
    number = None if every else _check.integer("sample", sample)
    given = isinstance(references, References)
    text = _chunkref.verify(
        held._native,
        None if isinstance(references, References) else _check.path("references", references),
        references._dataset if isinstance(references, References) else None,
        number,
        freshness,
        scanning,
    )
    report: dict[str, Any] = json.loads(text)
    if given:
        report["location"] = "references"
    return report
