# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many files as one dataset."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from chunkref import _check, _chunkref
from chunkref._errors import EmitError, SkippedWarning, UnsupportedError
from chunkref._references import References, Skipped
from chunkref._scan import MOST_JOBS, ON_SKIPPED, OnSkipped, expanded, scan_settings, skipped_message
from chunkref._stores import Allow, Limits, StorageOptions, Stores, stores_of

#: Where the coordinates of a dimension come from: a text such as ``"data:NAME"``, values, or a function of one input.
CoordinateSource: TypeAlias = str | Sequence[Any] | re.Pattern[str] | Callable[[References], Any] | None
Concat: TypeAlias = str | Iterable[str] | Mapping[str, CoordinateSource] | None

#: What can be combined.
OneReferences: TypeAlias = References | Mapping[str, Any] | str | os.PathLike[str]

#: How references say that they were combined: this and the options, as JSON.
MADE_BY_COMBINING = "combine "


def combine(
    references: OneReferences | Iterable[OneReferences],
    concat: Concat = None,
    storage_options: StorageOptions = None,
    *,
    concat_dtypes: Mapping[str, Any] | None = None,
    group: str | None = None,
    identical: str | Iterable[str] = (),
    stack: Literal["differing", "all"] | Iterable[str] = "differing",
    merge: bool = False,
    sort: bool = False,
    on_conflict: Literal["error", "skip-file", "skip-variable", "skip", "first"] = "error",
    duplicates: Literal["error", "first", "last"] = "error",
    missing: Literal["error", "fill"] = "error",
    allow: Allow = (),
    limits: Limits = None,
    stores: Stores | None = None,
) -> References:
    """Combine references into one dataset.

    Parameters
    ----------
    references : iterable, or one of them
        `References`, dictionaries of kerchunk's, or paths and URLs of reference files.
    concat : str, iterable of str, or mapping
        Dimensions along which the inputs follow one another, with the source of their coordinates: ``"data:VARIABLE"``
        (default: the variable of the dimension's name), ``"cf:VARIABLE"``, ``"attr:NAME"``, ``"vattr:VARIABLE:NAME"``,
        ``"regex:PATTERN"`` or a compiled pattern, looked for in the URL, ``"INDEX"``, a list with one value for each
        input, or a function from `References` to a value.
    concat_dtypes : mapping, optional
        Types of coordinates that do not come from a variable, by dimension.
    group : str, optional
        The group of each input that is combined, and nothing else; it stays where it is.
    identical : str or iterable of str
        Variables that are taken from the first input, unchecked.
    stack : {"differing", "all"} or iterable of str
        Which variables without the dimension are stacked along it: those that differ, all, or these besides.
    merge : bool
        First put inputs with the same coordinates together, each with variables that others lack.
    sort : bool
        Put the inputs in the order of their coordinates.
    on_conflict, duplicates, missing
        What to do about inputs that contradict each other, that have the same coordinates, or lack something. `"skip"`
        leaves out inputs that differ from the first, and variables where that resolves nothing. `"first"`
        of `on_conflict` takes the standard name of the first input for all; what changes values remains an error.
    storage_options, stores
        How the files behind the references are read, for values that combining depends on.
    allow : str, os.PathLike or iterable of them
        What the references may name besides what is beside them, see `Stores`.
    limits : mapping, optional
        Bounds on what reading each set may cost, and values of it, by name, see `Stores`.

    Returns
    -------
    References

    Raises
    ------
    ReferencesError
        When a set cannot be read, or goes past a limit, which it names.
    KeyboardInterrupt
        Within about a second after Ctrl-C, whatever is computed or waited for.
    CombineError
        With all conflicts, each with the inputs on both sides and what resolves it.

    Examples
    --------
    >>> files = chunkref.scan_many(example_folder + "/*.nc")
    >>> chunkref.combine(files, "time").arrays["temperature"].shape
    (6, 3, 4)
    """
    held = stores_of(stores, storage_options, allow, limits)
    check_cube(concat, concat_dtypes, identical, stack, merge, sort, on_conflict, duplicates, missing)
    group = None if group is None else _check.text("group", group)
    if isinstance(references, (References, Mapping, str, os.PathLike)):
        references = [references]
    if isinstance(references, (bytes, bytearray)) or not isinstance(references, Iterable):
        raise _check.wrong_type("references", references, "references, or several of them")
    inputs = [_reference_set(one, held) for one in references]
    settings, made_by = cube_settings(
        concat, inputs, concat_dtypes, identical, stack, merge, sort, on_conflict, duplicates, missing, group=group
    )
    datasets = [one._dataset for one in inputs]
    combined, notes = _chunkref.combine(datasets, settings, held._native, None, None)
    _tell(notes)
    skipped = [one for some in inputs for one in some.skipped]
    return References(combined, skipped, made_by, all(one._scanned for one in inputs))


def build(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    storage_options: StorageOptions = None,
    *,
    concat: Concat = None,
    concat_dtypes: Mapping[str, Any] | None = None,
    group: str | None = None,
    identical: str | Iterable[str] = (),
    stack: Literal["differing", "all"] | Iterable[str] = "differing",
    merge: bool = False,
    sort: bool = False,
    on_conflict: Literal["error", "skip-file", "skip-variable", "skip", "first"] = "error",
    on_failure: Literal["error", "skip"] = "error",
    duplicates: Literal["error", "first", "last"] = "error",
    missing: Literal["error", "fill"] = "error",
    format: str | None = None,
    inline_threshold: int = 500,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    on_skipped: OnSkipped = "warn",
    jobs: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    limits: Limits = None,
    stores: Stores | None = None,
    **format_options: Any,
) -> References:
    """Scan files and combine them into one dataset. No file is opened twice.

    Parameters
    ----------
    sources : str or iterable of str
        URLs, paths and patterns of them.
    concat, concat_dtypes, group, identical, stack, merge, sort, on_conflict, duplicates, missing
        As for `combine`.
    on_failure : {"error", "skip"}
        Whether an input that cannot be read ends the work, or is left out: with a warning, in ``skipped`` with the kind
        ``"input"``, and in what the references record.
    storage_options, format, inline_threshold, allow_outside, on_skipped, jobs, progress, limits, stores, **format_options
        As for `scan_many`.

    Returns
    -------
    References

    Raises
    ------
    ScanError, CombineError, KeyboardInterrupt
        As for `scan` and `combine`.

    Examples
    --------
    >>> cube = chunkref.build(example_folder + "/*.nc", concat="time")
    >>> cube.arrays["temperature"].shape
    (6, 3, 4)
    """
    held = stores_of(stores, storage_options, limits=limits)
    check_cube(concat, concat_dtypes, identical, stack, merge, sort, on_conflict, duplicates, missing)
    _check.choice("on_failure", on_failure, ("error", "skip"))
    scanning = scan_settings(build, format, inline_threshold, allow_outside, format_options)
    jobs = _check_running(on_skipped, jobs, progress)
    urls = expanded(held, sources)
    settings, made_by = cube_settings(
        concat,
        urls,
        concat_dtypes,
        identical,
        stack,
        merge,
        sort,
        on_conflict,
        duplicates,
        missing,
        on_failure,
        group,
    )
    built = _chunkref.build(held._native, urls, scanning, settings, [], jobs, progress)
    return _built(built, on_skipped, made_by)


def append(
    references: References | str | os.PathLike[str],
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    storage_options: StorageOptions = None,
    *,
    format: str | None = None,
    inline_threshold: int = 500,
    allow_outside: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    on_skipped: OnSkipped = "warn",
    jobs: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    allow: Allow = (),
    retry: int = 0,
    limits: Limits = None,
    stores: Stores | None = None,
    **format_options: Any,
) -> References:
    """Extend a combined set by more files, as it was combined. Files that it has already are passed over.

    Parameters
    ----------
    references : References, str or os.PathLike
        What `build` or `combine` gave, or a local file or folder of it, which is replaced when all is well.
    sources, storage_options, format, inline_threshold, allow_outside, on_skipped, jobs, progress, stores, **format_options
        As for `build`.
    limits : mapping, optional
        Bounds on what reading the set and each file may cost, by name, see `Stores`.
    allow : str, os.PathLike or iterable of them
        What the references may name besides what is beside them, see `Stores`.
    retry : int
        When another process has written the set meanwhile, read it again and append to that, at most so many times.

    Returns
    -------
    References
        The longer set.

    Raises
    ------
    EmitError
        When another process has written the set since it was read (``kind == "changed"``): nothing of it is lost, and the
        files are not appended. So too when what `append` gave is written to where its set was opened.
    KeyboardInterrupt
        Within about a second after Ctrl-C; the set is what it was, unless it was just being put in its place.
    ValueError
        When the set does not say how it was combined: combine it and `References` of the files with `combine` then.

    Examples
    --------
    >>> files = sorted(chunkref.Stores().expand(example_folder + "/*.nc"))
    >>> cube = chunkref.build(files[:2], concat="time")
    >>> chunkref.append(cube, files).arrays["temperature"].shape
    (6, 3, 4)
    """
    held = stores_of(stores, storage_options, allow, limits)
    scanning = scan_settings(append, format, inline_threshold, allow_outside, format_options)
    jobs = _check_running(on_skipped, jobs, progress)
    sources = _check.paths("sources", sources)
    retry = _check.integer("retry", retry)
    set_path = None if isinstance(references, References) else _check.path("references", references)
    given = references if isinstance(references, References) else References.open(references, stores=held)
    if given._made_by is None or not given._made_by.startswith(MADE_BY_COMBINING):
        raise ValueError(
            "these references do not say how they were combined: use combine() with references of the files"
        )
    known = set(given.sources)
    # Both spellings of a local file, the path and the URL, are one.
    urls = [url for url in expanded(held, sources) if not {url, _file_url(url)} & known]
    if not urls:
        return given
    settings = {"record": given._made_by, "values": {}}
    built = _chunkref.build(held._native, urls, scanning, settings, [given._dataset], jobs, progress)
    longer = _built(built, on_skipped, given._made_by, given.skipped, given._scanned)
    if set_path is not None:
        try:
            longer._dataset.emit(set_path, longer._settings())
        except EmitError as error:
            if error.kind != "changed" or retry <= 0:
                raise
            return append(
                references,
                urls,
                format=format,
                inline_threshold=inline_threshold,
                allow_outside=allow_outside,
                on_skipped=on_skipped,
                jobs=jobs,
                progress=progress,
                retry=retry - 1,
                stores=held,
                **format_options,
            )
    return longer


def check_cube(
    concat: Any,
    concat_dtypes: Any,
    identical: Any,
    stack: Any,
    merge: Any,
    sort: Any,
    on_conflict: Any,
    duplicates: Any,
    missing: Any,
) -> None:
    """Check how inputs become one, before anything is read."""
    if concat is not None and not isinstance(concat, Mapping):
        _check.names("concat", concat)
    for name, source in (concat.items() if isinstance(concat, Mapping) else ()):
        _check.text("concat", name)
        sound = isinstance(source, (str, re.Pattern)) or callable(source) or isinstance(source, Iterable)
        if source is not None and (not sound or isinstance(source, (bytes, Mapping, set, frozenset))):
            raise _check.wrong_type(f"concat[{name!r}]", source, "text, a pattern, a function or a list of values")
    _check.mapping("concat_dtypes", concat_dtypes)
    _check.names("identical", identical)
    _check.names("stack", stack)
    merges, _ = _check.boolean("merge", merge), _check.boolean("sort", sort)
    _check.choice("on_conflict", on_conflict, ("error", "skip-file", "skip-variable", "skip", "first"))
    _check.choice("duplicates", duplicates, ("error", "first", "last"))
    _check.choice("missing", missing, ("error", "fill"))
    if not concat and not merges:
        raise TypeError(
            "nothing says how the inputs become one: concat= joins them along a dimension, merge= puts variables together"
        )


def _check_running(on_skipped: Any, jobs: Any, progress: Any) -> int | None:
    _check.choice("on_skipped", on_skipped, ON_SKIPPED)
    _check.function("progress", progress)
    return _check.optional_integer("jobs", jobs, 1, MOST_JOBS)


def cube_settings(
    concat: Concat,
    inputs: Sequence[References] | Sequence[str],
    concat_dtypes: Mapping[str, Any] | None,
    identical: str | Iterable[str],
    stack: str | Iterable[str],
    merge: bool,
    sort: bool,
    on_conflict: str,
    duplicates: str,
    missing: str,
    on_failure: str = "error",
    group: str | None = None,
) -> tuple[dict[str, Any], str | None]:
    """Give settings as the native part takes them, and the record that references keep."""
    dimensions: Mapping[str, CoordinateSource]
    dimensions = concat if isinstance(concat, Mapping) else dict.fromkeys(_check.names("concat", concat or ()))
    texts, values = [], {}
    for name, source in dimensions.items():
        if source is None:
            texts.append(name)
        elif isinstance(source, str):
            texts.append(f"{name}={source}")
        else:
            texts.append(f"{name}=INDEX")
            values[name] = [as_text(value) for value in _values(name, source, inputs)]
    more = {
        "identical": _check.names("identical", identical),
        "stack": [] if stack in ("differing", "all") else _check.names("stack", stack),
        "stack-all": stack == "all",
        "merge": merge,
        "sort": sort,
        "on-conflict": on_conflict,
        "on-failure": on_failure,
        "group": None if group is None else _check.text("group", group),
        "duplicates": duplicates,
        "missing": missing,
    }
    dtypes = {name: _dtype_name(dtype) for name, dtype in (concat_dtypes or {}).items()}
    for name in dtypes:
        if name not in dimensions:
            raise ValueError(f"concat_dtypes names {name!r}, which concat does not")
    record = _chunkref.combine_record(texts, dtypes, json.dumps(more))
    return {"record": record, "values": values}, None if values else record


def _values(name: str, source: Any, inputs: Sequence[Any]) -> list[Any]:
    """Give one coordinate for each input."""
    if callable(source):
        if any(not isinstance(one, References) for one in inputs):
            raise TypeError(
                f"coordinates of {name!r} from a function need references: scan the files, and combine what that gives"
            )
        return [source(one) for one in inputs]
    if isinstance(source, re.Pattern):
        found = []
        for one in inputs:
            url = one if isinstance(one, str) else next(iter(one.sources), "")
            match = source.search(url)
            if match is None:
                raise ValueError(f"{source.pattern!r} is not in {url}")
            found.append(match.group(1) if match.re.groups else match.group())
        return found
    return list(source)


def as_text(value: Any) -> str:
    """Give a coordinate as text, which becomes a number or a date again where it is one."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":
        return str(value)
    return str(value.item() if hasattr(value, "item") else value)


def _dtype_name(dtype: Any) -> str:
    if isinstance(dtype, str):
        return dtype
    import numpy

    return str(numpy.dtype(dtype).str)


def _reference_set(one: Any, stores: Stores) -> References:
    if isinstance(one, References):
        return one
    if isinstance(one, Mapping):
        return References.from_dict(one, limits=stores._settings["limits"])
    return References.open(_check.path("references", one), stores=stores)


def _file_url(url: str) -> str:
    return url if "://" in url else "file://" + os.path.abspath(url)


def _tell(notes: Iterable[str]) -> None:
    for note in notes:
        warnings.warn(_chunkref.shown(note), SkippedWarning, stacklevel=3)


def _built(
    built: Any,
    on_skipped: OnSkipped,
    made_by: str | None,
    before: Iterable[Skipped] = (),
    scanned: bool = True,
) -> References:
    dataset, notes, left = built
    _tell(notes)
    by_url: dict[str, list[Skipped]] = {}
    for url, row in left:
        by_url.setdefault(url, []).append(Skipped(*row))
    for url, some in by_url.items():
        if some[0].kind == "input":
            warnings.warn(f"{url} is left out: {some[0].reason}", SkippedWarning, stacklevel=3)
        elif on_skipped == "warn":
            warnings.warn(skipped_message(url, tuple(some)), SkippedWarning, stacklevel=3)
        elif on_skipped == "raise":
            raise UnsupportedError(skipped_message(url, tuple(some)), "unsupported", url)
    skipped = [*before, *(one for some in by_url.values() for one in some)]
    return References(dataset, skipped, made_by, scanned)
