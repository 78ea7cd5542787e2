# SPDX-License-Identifier: MIT OR Apache-2.0
"""What kerchunk is given as a source: URLs, paths, file objects, with options of fsspec."""

from __future__ import annotations

import functools
import os
from typing import Any

from chunkref import _check, _chunkref, _codecs
from chunkref._errors import InvalidOptionError, SkippedWarning, UnsupportedError
from chunkref._files import is_file, name_of
from chunkref._references import References, skipped_of
from chunkref._scan import scan_settings, skipped_message
from chunkref._stores import StorageOptions, Stores, stores_of

#: Protocols that chunkref reads itself; fsspec opens the others.
NATIVE = frozenset({"file", "local", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https"})


def is_native(url: str) -> bool:
    """Whether chunkref reads a URL itself: one of fsspec's chains (``simplecache::…``) is fsspec's."""
    scheme, separator, _ = url.partition("://")
    return "::" not in url and (not separator or scheme in NATIVE)


def native_stores(url: str | None, storage_options: StorageOptions) -> Stores | None:
    """Give the stores that read a URL with options of fsspec; `None` where only fsspec can."""
    if url is not None and not is_native(url):
        return None
    try:
        stores = stores_of(None, storage_options)
        if url is not None:
            stores._native.validate(url)
    except (TypeError, InvalidOptionError):
        return None
    return stores


def opener(storage_options: StorageOptions) -> Any:
    """Give a function that opens a URL through fsspec."""

    return functools.partial(_open_url, dict(storage_options or {}))


def _open_url(storage_options: dict[str, Any], url: str) -> Any:
    import fsspec

    plain = {name: value for name, value in storage_options.items() if name != "asynchronous"}
    return fsspec.open(url, "rb", **plain).open()


def scanned(
    source: Any,
    url: str | None,
    storage_options: StorageOptions,
    inline_threshold: float | None,
    format: str | None,
    error: str = "warn",
    **format_options: Any,
) -> References:
    """Scan what kerchunk would open; references call it as the caller does."""
    threshold = 0 if inline_threshold is None else int(_check.number("inline_threshold", inline_threshold))
    settings = scan_settings(scanned, format, threshold, (), format_options)
    storage_options = _check.mapping("storage_options", storage_options)
    _check.optional_text("url", url)
    if is_file(source) and not isinstance(source, (str, os.PathLike)):
        location = url or name_of(source) or "file"
        dataset, rows = _chunkref.scan_file(source, location, settings)
    else:
        text = _check.path("url", source)
        stores = native_stores(text, storage_options)
        if stores is not None:
            dataset, rows = _chunkref.scan(stores._native, text, settings)
            absolute = stores._native.absolute(text)
            if absolute != text:
                dataset = dataset.relocated({absolute: text})
        else:
            with opener(storage_options)(text) as file:
                dataset, rows = _chunkref.scan_file(file, text, settings)
        location = text
    skipped = skipped_of(rows)
    if skipped and error != "ignore":
        message = skipped_message(location, skipped)
        if error == "raise":
            raise UnsupportedError(message, "unsupported", location)
        import warnings

        warnings.warn(message, SkippedWarning, stacklevel=3)
    _codecs.register(dataset.codecs())
    return References(dataset, skipped)


def filled(out: Any, refs: dict[str, Any]) -> Any:
    """Put references into what a caller gave as ``out``, and give what kerchunk returns then."""
    for key, value in refs.items():
        out[key] = value
    if hasattr(out, "flush"):
        out.flush()
        return out
    return {"version": 1, "refs": dict(out)}
