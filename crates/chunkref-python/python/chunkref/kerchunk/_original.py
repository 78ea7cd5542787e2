# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk itself, for what chunkref does not do."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def original(module: str, name: str) -> Any:
    """Give an object of kerchunk's.

    Raises
    ------
    AttributeError
        When kerchunk is not installed, or has no such name.
    """
    try:
        found = importlib.import_module(f"kerchunk.{module}")
    except ImportError as error:
        raise AttributeError(
            f"chunkref.kerchunk.{module} has no {name!r}, and kerchunk, which may have it, cannot be imported: {error}"
        ) from error
    return getattr(found, name)
