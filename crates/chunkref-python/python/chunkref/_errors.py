# SPDX-License-Identifier: MIT OR Apache-2.0
"""Exceptions: one class for each kind of fault, so that callers catch what they can do something about."""

from __future__ import annotations


class ChunkrefError(Exception):
    """The base of all faults that are the input's, the store's or the caller's, not a bug.

    Attributes
    ----------
    kind : str
        The kind, as in the Rust library: ``"not_found"``, ``"truncated"``, ….
    location : str or None
        The object, without secrets.
    """

    def __init__(self, message: str, kind: str = "", location: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.location = location

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (*self.args, self.kind, self.location)


class ScanError(ChunkrefError):
    """A file could not be scanned.

    Attributes
    ----------
    format : str or None
        The format that it was scanned as, when that was clear.
    """

    def __init__(self, message: str, kind: str = "", location: str | None = None, format: str | None = None) -> None:
        super().__init__(message, kind, location)
        self.format = format

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (*self.args, self.kind, self.location, self.format)


class NotFoundError(ScanError, FileNotFoundError):
    """There is no such file."""


class PermissionDeniedError(ScanError, PermissionError):
    """Reading the file is not allowed."""


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


class ScanIoError(ScanError, OSError):
    """The store failed."""


class CombineError(ChunkrefError, ValueError):
    """References could not be combined; the message lists every conflict with what resolves it."""


class ReferencesError(ChunkrefError, ValueError):
    """References cannot be read."""


class EmitError(ChunkrefError, OSError):
    """References cannot be written."""


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


def of_kind(family: str, kind: str, message: str, location: str, format: str | None) -> ChunkrefError:
    """Make the exception of a fault that the native part found."""
    where = location or None
    if family == "scan":
        return _OF_SCAN.get(kind, ScanError)(message, kind, where, format)
    families: dict[str, type[ChunkrefError]] = {
        "combine": CombineError,
        "references": ReferencesError,
        "emit": EmitError,
    }
    return families.get(family, ChunkrefError)(message, kind, where)
