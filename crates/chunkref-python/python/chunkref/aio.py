# SPDX-License-Identifier: MIT OR Apache-2.0
"""The same work for asyncio: each call runs in a thread, and the event loop goes on meanwhile.

When a task is cancelled, as Ctrl-C does with those of `asyncio.run`, its work ends within about a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from chunkref import _chunkref
from chunkref._build import build
from chunkref._references import References
from chunkref._scan import scan, scan_many

_T = TypeVar("_T")


async def ascan(source: Any, storage_options: Any = None, **options: Any) -> References:
    """Scan one file: `scan` in a thread.

    Examples
    --------
    >>> import asyncio
    >>> len(asyncio.run(chunkref.ascan(example_file)).arrays)
    2
    """
    return await _in_thread(scan, source, storage_options, **options)


async def ascan_many(sources: Any, storage_options: Any = None, **options: Any) -> AsyncIterator[References]:
    """Scan many files: an asynchronous iterator over what `scan_many` gives.

    Examples
    --------
    >>> import asyncio
    >>> async def count():
    ...     return [len(one.arrays) async for one in chunkref.ascan_many(example_folder + "/*.nc")]
    >>> asyncio.run(count())
    [2, 2, 2]
    """
    scans = await _in_thread(scan_many, sources, storage_options, **options)
    try:
        while True:
            one = await asyncio.to_thread(next, scans, None)
            if one is None:
                return
            yield one
    finally:
        scans.close()


async def abuild(sources: Any, storage_options: Any = None, **options: Any) -> References:
    """Scan and combine files: `build` in a thread."""
    return await _in_thread(build, sources, storage_options, **options)


async def _in_thread(function: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
    """Call a function in a thread, and end its work when the task is cancelled."""
    stopper = _chunkref.Stopper()
    try:
        return await asyncio.to_thread(stopper.run, function, *arguments, **options)
    except asyncio.CancelledError:
        stopper.stop()
        raise
