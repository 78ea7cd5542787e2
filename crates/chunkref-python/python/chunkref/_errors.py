# SPDX-License-Identifier: MIT OR Apache-2.0
"""Exceptions: one class for each kind of fault, so that callers catch what they can do something about."""

from __future__ import annotations

import errno as numbers
from typing import Any, ClassVar


class ChunkrefError(Exception):
    """The base of all faults that are the input's, the store's or the caller's, not a bug.

    Those that are an `OSError` have its ``errno`` and ``filename``, too. All of them survive pickling and copying.

    Attributes
    ----------
    kind : str
        The kind, as in the Rust library: ``"not_found"``, ``"truncated"``, ….
    location : str or None
        The object, without secrets.
    array : str or None
        The array that was read.
    chunk : tuple of int or None
        Where the chunk is in the array's grid.
    offset, length : int or None
        Where the chunk's bytes are in the object.
    """

    _errno: ClassVar[int | None] = None

    kind: str
    location: str | None
    array: str | None
    chunk: tuple[int, ...] | None
    offset: int | None
    length: int | None

    def __init__(self, message: str, kind: str = "", location: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.location = location
        self.array = self.chunk = self.offset = self.length = None
        if isinstance(self, OSError):
            system: Any = self
            system.errno, system.strerror = self._errno, message
            system.filename = None if location is None else location.removeprefix("file://")

    def __str__(self) -> str:
        # That of OSError would put the number before the message.
        return str(self.args[0]) if self.args else ""

    def at(
        self,
        array: str | None,
        chunk: tuple[int, ...] | None,
        location: str | None = None,
        offset: int | None = None,
        length: int | None = None,
    ) -> ChunkrefError:
        """Say which chunk it was, and give the same exception."""
        self.array, self.chunk, self.offset, self.length = array, chunk, offset, length
        self.location = self.location or location
        if isinstance(self, OSError) and self.location is not None:
            system: Any = self
            system.filename = self.location.removeprefix("file://")
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        state = dict(self.__dict__)
        if isinstance(self, OSError):
            # These are no ordinary attributes.
            system: Any = self
            state |= {"errno": system.errno, "strerror": system.strerror, "filename": system.filename}
        return _again, (type(self), self.args, state)


def _again(of: type[ChunkrefError], args: tuple[Any, ...], state: dict[str, Any]) -> ChunkrefError:
    made = of(*args)
    for name, value in state.items():
        setattr(made, name, value)
    return made


class ScanError(ChunkrefError):
    """A file could not be scanned, or read.

    Attributes
    ----------
    format : str or None
        The format that it was scanned as, when that was clear.
    """

    def __init__(self, message: str, kind: str = "", location: str | None = None, format: str | None = None) -> None:
        super().__init__(message, kind, location)
        self.format = format


class NotFoundError(ScanError, FileNotFoundError):
    """There is no such file."""

    _errno = numbers.ENOENT


class PermissionDeniedError(ScanError, PermissionError):
    """Reading the file is not allowed."""

    _errno = numbers.EACCES


class UnknownFormatError(ScanError, ValueError):
    """No known format has files that begin like this one."""


class AmbiguousError(ScanError, ValueError):
    """More than one format claims the file."""


class FileTruncatedError(ScanError, EOFError):
    """The file ends before its structures do."""


class MalformedError(ScanError, ValueError):
    """The file contradicts itself or its format."""


class UnsupportedError(ScanError, NotImplementedError):
    """The file is sound but uses something that is not covered yet."""


class LimitExceededError(ScanError):
    """The file would cost more than the limits allow."""


class ChangedError(ScanError):
    """The file changed while it was read."""


class InvalidOptionError(ScanError, ValueError):
    """An option has no such name or value."""


class InvalidLocationError(ScanError, ValueError):
    """A location is none that can be read."""


class TimedOutError(ScanError, TimeoutError):
    """The file took longer than it may."""

    _errno = numbers.ETIMEDOUT


class ScanIoError(ScanError, OSError):
    """The store failed."""

    _errno = numbers.EIO


class ChunkError(ChunkrefError, ValueError):
    """A chunk's bytes are not what its codecs make: the file is damaged, or the references are not of it."""


class CombineError(ChunkrefError, ValueError):
    """References could not be combined; the message lists every conflict with what resolves it."""


class ReferencesError(ChunkrefError, ValueError):
    """References cannot be read."""


class EmitError(ChunkrefError, OSError):
    """References cannot be written."""

    _errno = numbers.EIO


class SkippedWarning(UserWarning):
    """Something of a file is not in its references."""


_OF_SCAN: dict[str, type[ScanError]] = {
    "not_found": NotFoundError,
    "permission_denied": PermissionDeniedError,
    "unknown_format": UnknownFormatError,
    "ambiguous": AmbiguousError,
    "truncated": FileTruncatedError,
    "malformed": MalformedError,
    "unsupported": UnsupportedError,
    "limit_exceeded": LimitExceededError,
    "changed": ChangedError,
    "invalid_option": InvalidOptionError,
    "invalid_location": InvalidLocationError,
    "timed_out": TimedOutError,
    "io": ScanIoError,
}


def of_kind(
    family: str, kind: str, message: str, location: str, format: str | None, errno: int | None
) -> ChunkrefError:
    """Make the exception of a fault that the native part found; `errno` is the system's number of it."""
    where = location or None
    made: ChunkrefError
    if family == "scan":
        made = _OF_SCAN.get(kind, ScanError)(message, kind, where, format)
    else:
        families: dict[str, type[ChunkrefError]] = {
            "combine": CombineError,
            "references": ReferencesError,
            "emit": EmitError,
            "chunk": ChunkError,
        }
        made = families.get(family, ChunkrefError)(message, kind, where)
    if isinstance(made, (ScanIoError, EmitError)) and errno is not None:
        system: Any = made
        system.errno = errno
    return made
