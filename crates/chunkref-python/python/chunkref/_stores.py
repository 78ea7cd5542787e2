# SPDX-License-Identifier: MIT OR Apache-2.0
"""How objects are read that are not files of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from chunkref import _check, _chunkref

StorageOptions: TypeAlias = Mapping[str, Any] | None
#: Beginnings of URLs, or paths, that references may name: one, or several.
Allow: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
#: Bounds on what reading may cost, by name.
Limits: TypeAlias = Mapping[str, int] | None

#: More requests at one time than any store or machine takes.
_MOST_REQUESTS = 65_536


class Stores:
    """Local files, buckets and web servers, with one set of options; shares connections and limits.

    Functions take `storage_options` and make stores of them, once for each set; make one of your own to say more.

    Parameters
    ----------
    storage_options : mapping, optional
        Options of the store as fsspec (``anon``, ``key``, ``secret``, ``client_kwargs``, …) or object stores spell them.
        Variables ``CHUNKREF_STORAGE_NAME`` of the environment set defaults. A mapping under the name of a store sets
        options of that store alone: ``{"s3://bucket": {"key": …}, "https://host:8000": {"token": …}}``. Secrets without
        a store are for the one that the files of a call are in.
    allow : str, os.PathLike or iterable of them
        Beginnings of URLs, or paths, of objects that references may name besides what is beside them, with the
        credentials for their store.
    anon : bool
        Read without credentials, as public buckets allow.
    concurrency, concurrency_per_file : int
        Requests under way at one time, in all and for one file.
    concurrency_per_host : int, optional
        The same at one host; as many as in all when not given.
    retries : int
        Tries of a request that failed, after the first.
    timeout : float
        Seconds after which a request is given up that brings nothing.
    deadline : float
        Seconds that reading one file may take; 0 for any.
    keep_query : bool
        Whether URLs with a signature or token in the query may be read, and become part of references.
    limits : mapping, optional
        Bounds on what reading one file or one set of references may cost, by name, as the command's ``--limit`` takes
        them: ``{"metadata_bytes": 64 << 20, "objects": 10_000}``. Whole numbers of 0 or more: bytes for names that end in
        ``_bytes``, things otherwise. Those that are not given keep their defaults. Functions that take `storage_options`
        take `limits`, too, which count before those of `stores`.

    Raises
    ------
    InvalidOptionError
        For an option or limit that there is not, and a value that it does not take.
    TypeError
        For a value of another type.

    Examples
    --------
    >>> stores = chunkref.Stores({"client_kwargs": {"region_name": "us-east-1"}}, anon=True, retries=2)
    >>> stores
    Stores('client_kwargs.region_name', anon=True, retries=2)
    """

    def __init__(
        self,
        storage_options: StorageOptions = None,
        *,
        allow: Allow = (),
        anon: bool = False,
        concurrency: int = 256,
        concurrency_per_file: int = 128,
        concurrency_per_host: int | None = None,
        retries: int = 6,
        timeout: float = 30.0,
        deadline: float = 600.0,
        keep_query: bool = False,
        limits: Limits = None,
    ) -> None:
        self._storage = flattened(storage_options)
        if not _check.number("timeout", timeout):
            raise _check.wrong_value("timeout", "takes more than 0 seconds")
        self._settings: dict[str, Any] = {
            "allow": prefixes(allow),
            "anonymous": _check.boolean("anon", anon),
            "requests": _check.integer("concurrency", concurrency, 1, _MOST_REQUESTS),
            "requests_per_object": _check.integer("concurrency_per_file", concurrency_per_file, 1, _MOST_REQUESTS),
            "requests_per_host": _check.optional_integer(
                "concurrency_per_host", concurrency_per_host, 1, _MOST_REQUESTS
            ),
            "retries": _check.integer("retries", retries, 0, 1000),
            "timeout": _check.number("timeout", timeout),
            "deadline": _check.number("deadline", deadline),
            "keep_query": _check.boolean("keep_query", keep_query),
            "limits": _check.limits("limits", limits),
        }
        self._native = _chunkref.Stores(self._storage, **self._settings)
        self._reading: Stores | None = None

    def without_deadline(self) -> Stores:
        """Give stores with the same options that hold files open for any time; the same ones each time."""
        if self._settings["deadline"] == 0:
            return self
        if self._reading is None:
            self._reading = _again(self._storage, {**self._settings, "deadline": 0.0})
        return self._reading

    def allowing(self, allow: Allow) -> Stores:
        """Give stores with the same options that let references name more."""
        more = [prefix for prefix in prefixes(allow) if prefix not in self._settings["allow"]]
        if not more:
            return self
        return _again(self._storage, {**self._settings, "allow": [*self._settings["allow"], *more]})

    def limited(self, limits: Limits) -> Stores:
        """Give stores with the same options and other bounds: those of `limits`, and for other names those of these stores."""
        bounds = {**self._settings["limits"], **_check.limits("limits", limits)}
        if bounds == self._settings["limits"]:
            return self
        return _again(self._storage, {**self._settings, "limits": bounds})

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._storage, self._settings)

    def __repr__(self) -> str:
        defaults = {
            "allow": [],
            "anonymous": False,
            "requests": 256,
            "requests_per_object": 128,
            "requests_per_host": None,
            "retries": 6,
            "timeout": 30.0,
            "deadline": 600.0,
            "keep_query": False,
            "limits": {},
        }
        names = {
            "anonymous": "anon",
            "requests": "concurrency",
            "requests_per_object": "concurrency_per_file",
            "requests_per_host": "concurrency_per_host",
        }
        # Values of storage options may be secret; their names are not.
        words = [repr(name) for name in sorted(self._storage)]
        words += [
            f"{names.get(name, name)}={value!r}" for name, value in self._settings.items() if value != defaults[name]
        ]
        return f"Stores({', '.join(words)})"

    def expand(self, pattern: str) -> list[str]:
        """Give the URLs that a path, URL or pattern names, in the order of their names.

        Parameters
        ----------
        pattern : str
            With ``*``, ``?``, ``[…]`` and ``**`` for names, or without for one object.

        Returns
        -------
        list of str
            Absolute URLs.

        Examples
        --------
        >>> len(chunkref.Stores().expand(example_folder + "/*.nc"))
        3
        """
        return self._native.expand(_check.path("pattern", pattern))


def _again(storage: dict[str, str], settings: dict[str, Any]) -> Stores:
    stores = Stores.__new__(Stores)
    stores._storage, stores._settings = storage, settings
    stores._native = _chunkref.Stores(storage, **settings)
    stores._reading = None
    return stores


def flattened(options: StorageOptions) -> dict[str, str]:
    """Give options as text by their dotted names, those of one store behind its name; those that are `None` are left out."""
    flat: dict[str, str] = {}
    for name, value in _check.mapping("storage_options", options).items():
        if value is None:
            continue
        if isinstance(value, Mapping) and "://" in name:
            flat.update({f"{name}:{inner}": text for inner, text in flattened(value).items()})
        elif isinstance(value, Mapping):
            flat.update({f"{name}.{inner}": text for inner, text in flattened(value).items()})
        elif isinstance(value, bool):
            flat[name] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            flat[name] = str(value)
        elif isinstance(value, os.PathLike):
            flat[name] = _check.path(f"storage_options[{name!r}]", value)
        else:
            raise TypeError(
                f"storage option {name!r} is a {type(value).__name__}, which the native stores do not take: "
                "open the file with fsspec and give the file object"
            )
    return flat


def prefixes(allow: Allow) -> list[str]:
    """Give beginnings of URLs, of which one may be given alone, as text."""
    return _check.paths("allow", allow)


_made: dict[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, int], ...]], Stores] = {}
_lock = threading.Lock()


def stores_of(
    stores: Stores | None, storage_options: StorageOptions, allow: Allow = (), limits: Limits = None
) -> Stores:
    """Give the stores of a call: those that it names, or those of its options, within its limits."""
    if stores is not None:
        if not isinstance(stores, Stores):
            raise _check.wrong_type("stores", stores, "chunkref.Stores")
        if _check.mapping("storage_options", storage_options):
            raise TypeError("give storage_options or stores, not both")
        return stores.limited(limits).allowing(allow)
    return _of_options(storage_options, limits).allowing(allow)


def _of_options(storage_options: StorageOptions, limits: Limits) -> Stores:
    storage, bounds = flattened(storage_options), _check.limits("limits", limits)
    key = tuple(sorted(storage.items())), tuple(sorted(bounds.items()))
    with _lock:
        if key not in _made:
            if len(_made) >= 64:
                _made.clear()
            _made[key] = Stores(storage, limits=bounds)
        return _made[key]
