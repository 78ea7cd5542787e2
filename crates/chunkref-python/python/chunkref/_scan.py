# SPDX-License-Identifier: MIT OR Apache-2.0
"""Scanning one file or many."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from chunkref import _check, _chunkref
from chunkref._errors import SkippedWarning, UnsupportedError
from chunkref._files import is_file, name_of
from chunkref._references import References, Skipped, skipped_of
from chunkref._stores import Limits, StorageOptions, Stores, stores_of

OnSkipped: TypeAlias = Literal["warn", "ignore", "raise"]
ON_SKIPPED: tuple[OnSkipped, ...] = ("warn", "ignore", "raise")

#: The most threads that make sense.
MOST_JOBS = 10_000


def scan(
    source: Any,
    storage_options: StorageOptions = None,
    *,
    url: str | None = None,
    format: str | None = None,
    inline_threshold: int = 500,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    on_skipped: OnSkipped = "warn",
    limits: Limits = None,
    stores: Stores | None = None,
    **format_options: Any,
) -> References:
    """Scan one file.

    Parameters
    ----------
    source : str, os.PathLike or file object
        A path or URL, which is read natively; or anything with `read`, `seek` and `tell`, such as what fsspec opens.
    storage_options, stores
        How the URL is read, see `Stores`.
    url : str, optional
        What references call a file object; its own name when not given.
    format : str, optional
        ``"hdf5"``, ``"netcdf3"`` or ``"grib"``, instead of going by the first bytes.
    inline_threshold : int
        Chunks of fewer stored bytes go into the references themselves; 0 for none.
    allow_outside : str, os.PathLike, or iterable of them
        Folders from which other files may be read that the file names.
    on_skipped : {"warn", "ignore", "raise"}
        What to do about variables that references cannot say; they are in `References.skipped` in any case.
    limits : mapping, optional
        Bounds on what reading the file may cost, by name, see `Stores`.
    **format_options
        Options of formats (`chunkref formats` lists them), with an underscore for the dot:
        ``hdf5_links="skip"``, ``grib_layout="messages"``.

    Returns
    -------
    References

    Raises
    ------
    ScanError
        Of the class of its kind, such as `NotFoundError` or `FileTruncatedError`; `LimitExceededError` for a file that goes
        past a limit, which it names.
    KeyboardInterrupt
        Within about a second after Ctrl-C, whatever is computed or waited for.

    Examples
    --------
    >>> chunkref.scan(example_file, inline_threshold=0).chunk_count
    3
    >>> with open(example_file, "rb") as file:
    ...     chunkref.scan(file, url="s3://bucket/example.nc").sources
    ['s3://bucket/example.nc']
    """
    held = stores_of(stores, storage_options, limits=limits)
    settings = scan_settings(scan, format, inline_threshold, allow_outside, format_options)
    _check.choice("on_skipped", on_skipped, ON_SKIPPED)
    _check.optional_text("url", url)
    if is_file(source) and not isinstance(source, (str, os.PathLike)):
        location = url or name_of(source)
        if location is None:
            raise TypeError("this file object has no name: say what references call it, with url=")
        scanned = _chunkref.scan_file(held._native, source, location, settings)
    else:
        if url is not None:
            raise TypeError("url= is what references call a file object; a path or URL has its own name")
        location = _check.path("source", source)
        scanned = _chunkref.scan(held._native, location, settings)
    references = _told(location, scanned, on_skipped)
    if isinstance(references, References):
        return references
    raise references


def scan_many(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    storage_options: StorageOptions = None,
    *,
    format: str | None = None,
    inline_threshold: int = 500,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    on_skipped: OnSkipped = "warn",
    on_error: Literal["raise", "collect"] = "raise",
    ordered: bool = True,
    jobs: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    limits: Limits = None,
    stores: Stores | None = None,
    **format_options: Any,
) -> ScanMany:
    """Scan many files, several at a time.

    Parameters
    ----------
    sources : str or iterable of str
        URLs, paths and patterns of them.
    on_error : {"raise", "collect"}
        Whether a file that fails raises at its turn, after which iteration may go on, or is passed over and listed in
        `ScanMany.failures`.
    ordered : bool
        Whether results come in the order of the inputs, or as they are finished.
    jobs : int, optional
        Threads that scan; one per core when not given. More files than that are open at a time.
    progress : callable, optional
        Called with the number of files that are done and of all.
    storage_options, format, inline_threshold, allow_outside, on_skipped, limits, stores, **format_options
        As for `scan`; limits are for each file.

    Returns
    -------
    ScanMany
        An iterator over `References` with a length, so ``tqdm(scan_many(…))`` shows how far it is. Ctrl-C while it waits
        raises `KeyboardInterrupt` and ends all of the work.

    Examples
    --------
    >>> [references.sources[0][-4:] for references in chunkref.scan_many(example_folder + "/*.nc")]
    ['0.nc', '1.nc', '2.nc']
    """
    held = stores_of(stores, storage_options, limits=limits)
    settings = scan_settings(scan_many, format, inline_threshold, allow_outside, format_options)
    _check.choice("on_skipped", on_skipped, ON_SKIPPED)
    raises = _check.choice("on_error", on_error, ("raise", "collect")) == "raise"
    ordered = _check.boolean("ordered", ordered)
    jobs = _check.optional_integer("jobs", jobs, 1, MOST_JOBS)
    _check.function("progress", progress)
    urls = expanded(held, sources)
    native = _chunkref.scan_many(held._native, urls, settings, jobs)
    return ScanMany(native, urls, on_skipped, raises, ordered, progress)


class ScanMany(Iterator[References]):
    """Scans under way: an iterator over `References`. Close it, or use it as a context, to end the work early.

    Attributes
    ----------
    urls : list of str
        The inputs.
    done : int
        How many of them are scanned, or failed.
    failures : dict
        The exceptions of those that failed, by URL.
    """

    def __init__(
        self,
        native: _chunkref.Scans,
        urls: list[str],
        on_skipped: OnSkipped,
        raises: bool,
        ordered: bool,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        self._native, self._on_skipped, self._raises, self._progress = native, on_skipped, raises, progress
        self._ordered = ordered
        self._waiting: dict[int, References | Exception] = {}
        self._next = 0
        self.urls = urls
        self.done = 0
        self.failures: dict[str, Exception] = {}

    def __len__(self) -> int:
        return len(self.urls)

    def __next__(self) -> References:
        while True:
            if self._next in self._waiting:
                result = self._waiting.pop(self._next)
                self._next += 1
                if isinstance(result, References):
                    return result
                if self._raises:
                    raise result
                continue
            found = self._native.next()
            if found is None:
                raise StopIteration
            place, url, scanned, error = found
            self.done += 1
            if self._progress is not None:
                self._progress(self.done, len(self.urls))
            ended = _told(url, scanned, self._on_skipped) if scanned is not None else error
            if ended is None:
                continue
            if isinstance(ended, Exception):
                self.failures[url] = ended
            self._waiting[place if self._ordered else self._next] = ended

    def close(self) -> None:
        """End the work that is under way."""
        self._native.close()

    def __enter__(self) -> ScanMany:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def scan_settings(
    function: Callable[..., Any],
    format: str | None,
    inline_threshold: int,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    format_options: Mapping[str, Any],
) -> dict[str, Any]:
    """Check settings and give them as the native part takes them; `function` is the one that was given them."""
    _check.keywords(f"{function.__name__}()", format_options, function)
    return {
        "format": _check.optional_text("format", format),
        "inline_threshold": _check.integer("inline_threshold", inline_threshold),
        "allow_outside": _check.paths("allow_outside", allow_outside),
        "format_options": {option_name(name): _option_value(name, value) for name, value in format_options.items()},
    }


def _option_value(name: str, value: Any) -> str:
    """Give the value of a format's option as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ",".join(f"{key}={one}" for key, one in _check.mapping(name, value).items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_check.names(name, value))
    return str(_check.integer(name, value))


def option_name(keyword: str) -> str:
    """Give the name of a format's option: ``hdf5_inline_budget`` is ``hdf5.inline-budget``."""
    if "." in keyword:
        return keyword
    format_name, _, option = keyword.partition("_")
    return f"{format_name}.{option.replace('_', '-')}"


def expanded(stores: Stores, sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """Give the URLs that paths, URLs and patterns name."""
    urls: list[str] = []
    for text in _check.paths("sources", sources):
        urls.extend(stores.expand(text) if any(sign in text for sign in "*?[") else [text])
    return urls


def _told(
    location: str, scanned: tuple[_chunkref.Dataset, list[Any]], on_skipped: OnSkipped
) -> References | UnsupportedError:
    dataset, rows = scanned
    skipped = skipped_of(rows)
    if skipped and on_skipped != "ignore":
        message = skipped_message(location, skipped)
        if on_skipped == "raise":
            return UnsupportedError(message, "unsupported", location)
        warnings.warn(message, SkippedWarning, stacklevel=3)
    return References(dataset, skipped, scanned=True)


def skipped_message(location: str, skipped: tuple[Skipped, ...]) -> str:
    """Say what was left out of a file."""
    some = "; ".join(f"{one.path}: {one.reason}" for one in skipped[:3])
    more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    return _chunkref.shown(f"{location}: not in the references: {some}{more}")


def format_options_doc() -> str:
    """Say what the options of the formats are that are linked in, a line each."""
    lines = ["Options of formats, as keywords:", ""]
    for name, takes, default, help in _chunkref.format_options():
        shown = "" if default is None else f" (default: ``{default}``)"
        lines.append(f"- ``{name.replace('.', '_').replace('-', '_')}``: {takes}. {help[:1].upper()}{help[1:]}{shown}.")
    return "\n".join(lines)


for _function in (scan, scan_many):
    _function.__doc__ = f"{inspect.cleandoc(_function.__doc__ or '')}\n\nNotes\n-----\n{format_options_doc()}\n"
