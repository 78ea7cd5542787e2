# SPDX-License-Identifier: MIT OR Apache-2.0
"""What kerchunk is given as a source: URLs, paths, file objects, with options of fsspec."""

from __future__ import annotations

import functools
import io
import json
import os
from typing import Any

from chunkref import _check, _chunkref, _codecs
from chunkref._errors import InvalidOptionError, ReferencesError, SkippedWarning, UnsupportedError
from chunkref._files import is_file, name_of
from chunkref._references import References, local_path, skipped_of
from chunkref._scan import scan_settings, skipped_message
from chunkref._stores import Limits, StorageOptions, Stores, stores_of

#: Protocols that chunkref reads itself; fsspec opens the others.
NATIVE = frozenset({"file", "local", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "http", "https"})


def is_native(url: str) -> bool:
    """Whether chunkref reads a URL itself: one of fsspec's chains (``simplecache::…``) is fsspec's."""
    scheme, separator, _ = url.partition("://")
    return "::" not in url and (not separator or scheme in NATIVE)


def native_stores(url: str | None, storage_options: StorageOptions, limits: Limits = None) -> Stores | None:
    """Give the stores that read a URL with options of fsspec, within limits; `None` where only fsspec can."""
    bounds = _check.limits("limits", limits)
    if url is not None and not is_native(url):
        return None
    try:
        stores = stores_of(None, storage_options, limits=bounds)
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
    limits: Limits = None,
    **format_options: Any,
) -> References:
    """Scan what kerchunk would open; references call it as the caller does."""
    threshold = 0 if inline_threshold is None else int(_check.number("inline_threshold", inline_threshold))
    settings = scan_settings(scanned, format, threshold, (), format_options)
    storage_options = _check.mapping("storage_options", storage_options)
    _check.optional_text("url", url)
    if is_file(source) and not isinstance(source, (str, os.PathLike)):
        location = url or name_of(source) or "file"
        held = stores_of(None, None, limits=limits)
        dataset, rows = _chunkref.scan_file(held._native, source, location, settings)
    else:
        text = _check.path("url", source)
        stores = native_stores(text, storage_options, limits)
        if stores is not None:
            dataset, rows = _chunkref.scan(stores._native, text, settings)
            absolute = stores._native.absolute(text)
            if absolute != text:
                dataset = dataset.relocated({absolute: text})
        else:
            held = stores_of(None, None, limits=limits)
            with opener(storage_options)(text) as file:
                dataset, rows = _chunkref.scan_file(held._native, file, text, settings)
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


def read_json(file: Any, limits: Limits) -> Any:
    """Give what a file of JSON holds, which may have as many bytes as the limit ``set_bytes`` says."""
    most = {**_chunkref.limits(), **_check.limits("limits", limits)}["set_bytes"]
    text = file.read(most + 1)
    if len(text) > most:
        where = name_of(file) or "the references"
        message = _chunkref.shown(f"{where}: it has more bytes than the limit set_bytes={most} allows")
        raise ReferencesError(message, "malformed", _chunkref.redacted(where))
    return json.loads(text)


def written(filename: str | os.PathLike[str], text: str, storage_options: StorageOptions) -> None:
    """Write text to a path or URL, all of it or nothing where that can be.

    Local files are written as all outputs of chunkref are: beside their place, and put there when they are whole. Elsewhere
    all bytes are handed to fsspec in one call.
    """
    import fsspec

    options = _check.mapping("storage_options", storage_options)
    name = _check.path("filename", filename)
    compression = fsspec.core.get_compression(name, options.pop("compression", None))
    data = text.encode(options.pop("encoding", "utf-8"))
    if compression is not None:
        packed = io.BytesIO()
        # Whatever closes the packer closes what it writes to.
        packed.close, ended = (lambda: None), packed.close  # type: ignore[method-assign]
        with fsspec.core.compr[compression](packed, mode="wb") as packer:
            packer.write(data)
        data = packed.getvalue()
        ended()
    local = local_path(name) if "::" not in name else None
    if local is not None:
        # Folders are made, and ~ is the user's, as fsspec has it.
        local = os.path.expanduser(local)
        os.makedirs(os.path.dirname(os.path.abspath(local)), exist_ok=True)
        _chunkref.write_file(local, data)
        return
    system, path = fsspec.core.url_to_fs(name, **options)
    system.makedirs(system._parent(path), exist_ok=True)
    system.pipe_file(path, data)
