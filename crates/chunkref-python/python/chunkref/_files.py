# SPDX-License-Identifier: MIT OR Apache-2.0
"""File objects as sources of byte ranges."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ranges:
    """An object that is read by ranges: a function from starts and ends to bytes, and its length."""

    read: Callable[[Sequence[int], Sequence[int]], list[bytes]]
    length: int


def is_file(source: Any) -> bool:
    """Whether something can be read as a file: it has `read`, `seek` and `tell`."""
    return isinstance(source, Ranges) or all(hasattr(source, name) for name in ("read", "seek", "tell"))


def name_of(file: Any) -> str | None:
    """What a file object calls itself: a URL for fsspec's, a path for Python's."""
    system, path = getattr(file, "fs", None), getattr(file, "path", None)
    if system is not None and isinstance(path, str) and hasattr(system, "unstrip_protocol"):
        return str(system.unstrip_protocol(path))
    name = getattr(file, "full_name", None) or getattr(file, "name", None)
    return name if isinstance(name, str) else None


def source(file: Any) -> tuple[Callable[[Sequence[int], Sequence[int]], list[bytes]], int]:
    """Give what the native part reads a file object with.

    Parameters
    ----------
    file : file object
        Anything with `read`, `seek` and `tell`.

    Returns
    -------
    tuple
        A function from the starts and ends of ranges to their bytes, and the length of the file in bytes. Files of
        asynchronous file systems of fsspec are read at several places at a time.
    """
    if isinstance(file, Ranges):
        return file.read, file.length
    if not is_file(file):
        raise TypeError(f"a file object has read, seek and tell: {file!r}")
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"the file is open in text mode: open it with mode='rb' ({file!r})")
    lock = threading.Lock()
    with lock:
        place = file.tell()
        length = file.seek(0, io.SEEK_END)
        if length is None:
            length = file.tell()
        file.seek(place)
    system: Any = getattr(file, "fs", None)
    path: Any = getattr(file, "path", None)
    if getattr(system, "async_impl", False) and path and getattr(file, "mode", "rb") == "rb":

        def read_ranges(starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
            parts = system.cat_ranges([path] * len(starts), list(starts), list(ends), on_error="raise")
            return [bytes(part) for part in parts]

        return read_ranges, int(length)

    def read_one_by_one(starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        parts = []
        with lock:
            for start, end in zip(starts, ends, strict=True):
                file.seek(start)
                parts.append(_read(file, end - start))
        return parts

    return read_one_by_one, int(length)


def _read(file: Any, length: int) -> bytes:
    """Read so many bytes, in several goes where `file` gives fewer at a time."""
    data = bytes(file.read(length) or b"")
    while len(data) < length:
        more = file.read(length - len(data))
        if not more:
            break
        data += bytes(more)
    return data
