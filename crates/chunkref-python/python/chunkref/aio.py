# SPDX-License-Identifier: MIT OR Apache-2.0
"""The same work for asyncio: each call runs in a thread, and the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from chunkref._build import build
from chunkref._references import References
from chunkref._scan import scan, scan_many


async def ascan(source: Any, storage_options: Any = None, **options: Any) -> References:
    """Scan one file: `scan` in a thread.

    Examples
    --------
    >>> import asyncio
    >>> len(asyncio.run(chunkref.ascan(example_file)).arrays)
    2
    """
    return await asyncio.to_thread(scan, source, storage_options, **options)


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
    scans = await asyncio.to_thread(scan_many, sources, storage_options, **options)
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
    return await asyncio.to_thread(build, sources, storage_options, **options)
