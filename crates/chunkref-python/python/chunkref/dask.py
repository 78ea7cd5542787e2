# SPDX-License-Identifier: MIT OR Apache-2.0
"""Scanning and combining on a Dask cluster: a task for each batch of files, and a tree of partial combinations.

Tasks are plain functions of URLs, so retries, placement and the dashboard are Dask's. What travels between workers are
references in columns, compressed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dask.delayed import delayed

from chunkref import _build, _check, _scan
from chunkref._build import Concat
from chunkref._references import References
from chunkref._stores import Limits, StorageOptions, Stores, stores_of

if TYPE_CHECKING:
    from dask.delayed import Delayed


def scan(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    storage_options: StorageOptions = None,
    *,
    batch: int = 1,
    limits: Limits = None,
    stores: Stores | None = None,
    **options: Any,
) -> list[Delayed]:
    """Scan files: one task for each batch of them.

    Parameters
    ----------
    sources : str or iterable of str
        URLs, paths and patterns, which are expanded here.
    batch : int
        Files that one task scans.
    storage_options, limits, stores, **options
        As for `chunkref.scan_many`; they go to the workers.

    Returns
    -------
    list of dask.delayed.Delayed
        Each gives a list of `References`. ``dask.compute(*tasks)`` runs them; ``client.compute(tasks, retries=3)`` does so
        with retries.

    Examples
    --------
    >>> import dask, chunkref.dask
    >>> tasks = chunkref.dask.scan(example_folder + "/*.nc")
    >>> [len(found) for found in dask.compute(*tasks, scheduler="synchronous")]
    [1, 1, 1]
    """
    held = stores_of(stores, storage_options, limits=limits)
    batch = _check.integer("batch", batch, 1)
    _check.keywords("scan()", options, _scan.scan_many, without=_NOT_ON_WORKERS)
    task = delayed(_scan_batch, pure=True)
    return [task(urls, held, options) for urls in _batches(_scan.expanded(held, sources), batch)]


def build(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    storage_options: StorageOptions = None,
    *,
    concat: Concat = None,
    batch: int = 8,
    split_every: int = 8,
    compute: bool = True,
    limits: Limits = None,
    stores: Stores | None = None,
    cube_options: dict[str, Any] | None = None,
    **options: Any,
) -> References | Delayed:
    """Scan files and combine them into one dataset, by a tree of partial combinations.

    Combining groups of files and then the groups gives what combining all of them at once gives. Batches are runs of the
    files in their order, so give them in the order of their coordinates, or ``cube_options={"sort": True}``.

    Parameters
    ----------
    sources : str or iterable of str
        URLs, paths and patterns, which are expanded here.
    concat : str, iterable of str, or mapping
        As for `chunkref.build`; ``"INDEX"``, lists and functions are not for groups and are refused.
    batch : int
        Files that one task scans and combines.
    split_every : int
        Partial results that one task combines.
    compute : bool
        Whether the cluster is asked now, or a task is given that does so.
    storage_options, limits, stores
        How files are read on the workers, and what that may cost.
    cube_options : dict, optional
        Other options of `chunkref.combine`.
    **options
        Those of `chunkref.scan`.

    Returns
    -------
    References or dask.delayed.Delayed

    Examples
    --------
    >>> import dask, chunkref.dask
    >>> with dask.config.set(scheduler="synchronous"):
    ...     cube = chunkref.dask.build(example_folder + "/*.nc", concat="time", batch=2)
    >>> cube.arrays["temperature"].shape
    (6, 3, 4)
    """
    held = stores_of(stores, storage_options, limits=limits)
    batch = _check.integer("batch", batch, 1)
    split_every = _check.integer("split_every", split_every, 2)
    compute = _check.boolean("compute", compute)
    more = _check.mapping("cube_options", cube_options)
    for option in more:
        if option not in _CUBE:
            raise _check.unknown_keyword("cube_options=", option, list(_CUBE))
    _check.keywords("build()", options, _scan.scan_many, without=_NOT_ON_WORKERS)
    cube = {"concat": _grouped(concat), **more}
    _build.check_cube(**{**_CUBE, "concat": cube["concat"], **more})
    urls = _scan.expanded(held, sources)
    if not urls:
        raise ValueError("there are no files to build from")
    first = delayed(_build_batch, pure=True)
    level = [first(some, held, cube, options) for some in _batches(urls, batch)]
    again = delayed(_combine_batch, pure=True)
    while len(level) > 1:
        level = [
            some[0] if len(some) == 1 else again(some, held, cube) for some in _batches(level, split_every)
        ]
    task: Delayed = level[0]
    if not compute:
        return task
    found: Any = task.compute()  # type: ignore[no-untyped-call]
    if not isinstance(found, References):
        raise TypeError(f"a worker gave {type(found).__name__}, not references")
    return found


#: Options of `chunkref.combine` besides `concat`, with their defaults.
_CUBE: dict[str, Any] = {
    "concat_dtypes": None,
    "identical": (),
    "stack": "differing",
    "merge": False,
    "sort": False,
    "on_conflict": "error",
    "duplicates": "error",
    "missing": "error",
}

#: What each worker decides, or this function.
_NOT_ON_WORKERS = ("storage_options", "limits", "stores", "allow", "on_error", "ordered", "progress")


def _grouped(concat: Concat) -> Any:
    """Refuse coordinates that number all inputs, which no worker knows."""
    items: dict[str, Any]
    items = dict(concat) if isinstance(concat, Mapping) else dict.fromkeys(_check.names("concat", concat or ()))
    for name, source in items.items():
        if source is not None and (not isinstance(source, str) or source == "INDEX"):
            raise ValueError(
                f"concat= gives coordinates of {name!r} that number all inputs, which no worker knows: use data:, cf:, attr:, vattr: or regex:"
            )
    return items


def _batches(items: Sequence[Any], length: int) -> list[list[Any]]:
    return [list(items[start : start + length]) for start in range(0, len(items), length)]


def _scan_batch(urls: list[str], stores: Stores, options: dict[str, Any]) -> list[References]:
    return list(_scan.scan_many(urls, stores=stores, **options))


def _build_batch(urls: list[str], stores: Stores, cube: dict[str, Any], options: dict[str, Any]) -> References:
    return _build.build(urls, stores=stores, **cube, **options)


def _combine_batch(parts: list[References], stores: Stores, cube: dict[str, Any]) -> References:
    return _build.combine(parts, stores=stores, **cube)
