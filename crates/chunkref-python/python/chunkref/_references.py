# SPDX-License-Identifier: MIT OR Apache-2.0
"""References in memory."""

from __future__ import annotations

import html
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chunkref import _check, _chunkref
from chunkref._stores import Limits, StorageOptions, Stores, stores_of

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something of a file that is not in its references.

    Attributes
    ----------
    path : str
        Path in the file; ``path@name`` for an attribute.
    offset : int or None
        Where in the file, in bytes, when known.
    reason : str
        What it is and what to do, in words.
    kind : str
        ``"array"``, ``"group"``, ``"attribute"`` or ``"link"``; ``"input"`` for a whole input that could not be read,
        whose URL is the path.
    """

    path: str
    offset: int | None
    reason: str
    kind: str


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """What references say of an array.

    Attributes
    ----------
    shape, chunks : tuple of int
        Elements along each axis of the array and of a chunk.
    dimensions : tuple of str
        Names of the axes.
    dtype : str
        Element type in numpy's notation.
    chunk_count : int
        Chunks that are there.
    grid_count : int or None
        Chunks that the grid has, present or not; `None` for more than 64 bits hold.
    stored_bytes : int
        Bytes of the chunks as they are stored.
    """

    shape: tuple[int, ...]
    dimensions: tuple[str, ...]
    dtype: str
    chunks: tuple[int, ...]
    chunk_count: int
    grid_count: int | None
    stored_bytes: int


class References:
    """Groups, arrays and the places of their chunks: what a scan finds, and what readers of Zarr open.

    References are immutable and held in columns of numbers, about 20 bytes a chunk; pickles are those columns, compressed.
    Make them with `scan`, `build` or `combine`, or open what was written with `References.open`.

    Attributes
    ----------
    skipped : tuple of Skipped
        Everything of the files that is not in the references, with the reasons.

    Examples
    --------
    >>> references = chunkref.scan(example_file)
    >>> references.arrays["temperature"].shape
    (2, 3, 4)
    >>> import pickle
    >>> pickle.loads(pickle.dumps(references)) == references
    True
    """

    __slots__ = ("_dataset", "_made_by", "_scanned", "_arrays", "skipped")

    def __init__(
        self,
        dataset: _chunkref.Dataset,
        skipped: Iterable[Skipped] = (),
        made_by: str | None = None,
        scanned: bool = False,
    ) -> None:
        self._dataset = dataset
        self._made_by = made_by
        # Whether they come from files, not from documents, which say less.
        self._scanned = scanned
        self._arrays: dict[str, ArrayInfo] | None = None
        self.skipped = tuple(skipped)

    @classmethod
    def open(
        cls,
        url: str | os.PathLike[str],
        storage_options: StorageOptions = None,
        *,
        limits: Limits = None,
        stores: Stores | None = None,
    ) -> References:
        """Open references that were written: kerchunk JSON, compressed or not, or a folder of kerchunk Parquet.

        Parameters
        ----------
        url : str or os.PathLike
            Where they are.
        storage_options, stores
            How they are read, see `Stores`.
        limits : mapping, optional
            Bounds on what reading them may cost, by name, see `Stores`.

        Returns
        -------
        References
            All of them.

        Raises
        ------
        NotFoundError, ReferencesError
            When there are none, or they are damaged or go past a limit, which the error names.
        KeyboardInterrupt
            Within about a second after Ctrl-C.

        Examples
        --------
        >>> chunkref.scan(example_file).to_json(example_output)
        >>> len(chunkref.References.open(example_output).arrays)
        2
        """
        native = stores_of(stores, storage_options, limits=limits)._native
        dataset, recorded = _chunkref.Dataset.open(native, _check.path("url", url))
        return cls(dataset, made_by=recorded[0] if recorded else None)

    @classmethod
    def from_dict(cls, references: Mapping[str, Any] | list[Any], *, limits: Limits = None) -> References:
        """Make references of a dictionary of kerchunk's, version 0 or 1, or of a list of them.

        Parameters
        ----------
        references : mapping or list
            The dictionary.
        limits : mapping, optional
            Bounds on what its text may cost, by name, see `Stores`.

        Raises
        ------
        ReferencesError
            When it is none of kerchunk's, or goes past a limit, which the error names.

        Examples
        --------
        >>> chunkref.References.from_dict({".zgroup": '{"zarr_format":2}'}).arrays
        {}
        """
        if not isinstance(references, (Mapping, list)):
            raise _check.wrong_type("references", references, "a dictionary of kerchunk's")
        plain = dict(references) if isinstance(references, Mapping) else references
        return cls.from_json(json.dumps(plain, default=_plain), limits=limits)

    @classmethod
    def from_json(cls, text: str | bytes, *, limits: Limits = None) -> References:
        """Make references of the text of kerchunk JSON.

        Parameters
        ----------
        text : str or bytes
            The text, not compressed.
        limits : mapping, optional
            Bounds on what it may cost, by name, see `Stores`.

        Raises
        ------
        ReferencesError
            When it is not kerchunk JSON, or goes past a limit, which the error names.
        KeyboardInterrupt
            Within about a second after Ctrl-C.
        """
        if not isinstance(text, (str, bytes, bytearray, memoryview)):
            raise _check.wrong_type("text", text, "the text of kerchunk JSON")
        bounds = _check.limits("limits", limits)
        return cls(_chunkref.Dataset.from_json(text.encode() if isinstance(text, str) else bytes(text), bounds))

    def to_json(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        consolidated: bool = True,
        templates: bool = False,
        storage_options: StorageOptions = None,
    ) -> str | None:
        """Write kerchunk JSON, version 1.

        Parameters
        ----------
        path : str or os.PathLike, optional
            A local file, which is whole or what it was, compressed when the name ends in ``.gz`` or ``.zst``; or a URL that
            fsspec writes: object stores and ``memory`` have all of it or nothing, others (``ftp``, ``sftp``, ``smb``,
            ``hdfs``, archives) may keep a part when writing fails. The text is returned when it is not given.
        consolidated : bool
            Write ``.zmetadata``, without which zarr-python 3 sees no nested groups.
        templates : bool
            Say each URL once, as a template that readers expand.
        storage_options : mapping, optional
            Options of fsspec for a URL.

        Returns
        -------
        str or None
            The text, without `path`.
        """
        options = _json_options(consolidated, templates)
        settings = self._settings(options=options, target="json")
        _check.mapping("storage_options", storage_options)
        if path is None:
            return self._dataset.to_json(settings).decode()
        self._write(path, settings, storage_options)
        return None

    def to_parquet(
        self, path: str | os.PathLike[str], *, record_size: int = 100_000, storage_options: StorageOptions = None
    ) -> None:
        """Write a folder of kerchunk Parquet, which fsspec opens lazily.

        Parameters
        ----------
        path : str or os.PathLike
            A local folder, which is replaced when all of it is written; or a URL that fsspec writes, file by file: when
            that fails, some files are new and others as they were, on every store. Write to a new URL, or write a local
            folder and copy it.
        record_size : int
            References per file.
        storage_options : mapping, optional
            Options of fsspec for a URL.
        """
        size = _check.integer("record_size", record_size, 1)
        self._write(path, self._settings(options={"parquet.record-size": str(size)}, target="parquet"), storage_options)

    def to_icechunk(
        self,
        path: str | os.PathLike[str],
        storage_options: StorageOptions = None,
        *,
        branch: str | None = None,
        message: str | None = None,
        stores: Stores | None = None,
    ) -> None:
        """Commit to a local Icechunk repository, which is made where it is not there.

        Parameters
        ----------
        path : str or os.PathLike
            Its folder.
        storage_options, stores
            How the files behind the references are reached, which the repository notes, without secrets.
        branch : str, optional
            The branch; that of a new repository, or ``main``, when not given.
        message : str, optional
            What the commit says.

        Raises
        ------
        EmitError
            Also in builds without the cargo feature ``icechunk``.
        """
        commit = {
            "icechunk.branch": _check.optional_text("branch", branch),
            "icechunk.message": _check.optional_text("message", message),
        }
        options = {name: value for name, value in commit.items() if value is not None}
        settings = self._settings(options=options, target="icechunk")
        native = stores_of(stores, storage_options)._native
        self._dataset.emit(_check.path("path", path), settings, native)

    def to_dict(self, *, consolidated: bool = True, templates: bool = False) -> dict[str, Any]:
        """Give kerchunk's dictionary, version 1: ``{"version": 1, "refs": {…}}``.

        Raises
        ------
        ValueError
            For several datasets of their own, as ``grib_layout="messages"`` gives: see `to_dicts`.
        """
        options = _json_options(consolidated, templates)
        if self._dataset.separate():
            raise ValueError("these are several datasets of their own: to_dicts() gives one dictionary for each")
        text = self._dataset.to_json(self._settings(options=options, made_by=None))
        loaded: dict[str, Any] = json.loads(text)
        return loaded

    def to_dicts(self, *, consolidated: bool = True) -> list[dict[str, Any]]:
        """Give one dictionary of kerchunk's for each dataset."""
        consolidated = _check.boolean("consolidated", consolidated)
        options = _json_options(consolidated, False)
        loaded = json.loads(self._dataset.to_json(self._settings(options=options, made_by=None)))
        return loaded if isinstance(loaded, list) else [loaded]

    def to_xarray(self, **options: Any) -> xarray.Dataset:
        """Open as a dataset: `chunkref.open_dataset` of these references."""
        from chunkref import open_dataset

        return open_dataset(self, **options)

    @property
    def arrays(self) -> dict[str, ArrayInfo]:
        """The arrays by path."""
        if self._arrays is None:
            self._arrays = {
                path: ArrayInfo(tuple(shape), tuple(dimensions), dtype, tuple(chunks), present, count, stored)
                for path, shape, dimensions, dtype, chunks, present, count, stored in self._dataset.arrays()
            }
        return dict(self._arrays)

    @property
    def sources(self) -> list[str]:
        """URLs of the objects that chunks lie in."""
        return self._dataset.sources()

    @property
    def chunk_count(self) -> int:
        """How many chunks there are."""
        return sum(array.chunk_count for array in self.arrays.values())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, References):
            return NotImplemented
        return self._dataset == other._dataset and self.skipped == other.skipped

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._dataset.to_bytes(), self.skipped, self._made_by, self._scanned)

    def __repr__(self) -> str:
        arrays, sources = self.arrays, self.sources
        lines = [
            f"<chunkref.References: {_count(len(arrays), 'array')}, {_count(self.chunk_count, 'chunk')} in {_count(len(sources), 'object')}>"
        ]
        width = max((len(path) for path in arrays), default=0)
        for path, array in list(arrays.items())[:_MOST_ROWS]:
            shape = ", ".join(f"{name}: {length}" for name, length in zip(array.dimensions, array.shape, strict=True))
            lines.append(f"  {path:{width}}  {array.dtype:6} ({shape})")
        if len(arrays) > _MOST_ROWS:
            lines.append(f"  … and {len(arrays) - _MOST_ROWS} more")
        if self.skipped:
            lines.append(f"  {len(self.skipped)} skipped: {', '.join(one.path for one in self.skipped[:5])}")
        return _chunkref.shown("\n".join(lines))

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th scope='row' style='text-align:left'>{_escaped(path)}</th>"
            f"<td>{_escaped(array.dtype)}</td>"
            f"<td>{' × '.join(f'{_escaped(n)} {s}' for n, s in zip(array.dimensions, array.shape, strict=True)) or 'scalar'}</td>"
            f"<td>{' × '.join(map(str, array.chunks))}</td>"
            f"<td style='text-align:right'>{array.chunk_count:,}</td>"
            f"<td style='text-align:right'>{array.stored_bytes:,}</td></tr>"
            for path, array in list(self.arrays.items())[: 10 * _MOST_ROWS]
        )
        skipped = "".join(f"<li>{_escaped(one.path)}: {_escaped(one.reason)}</li>" for one in self.skipped[:100])
        heads = ("array", "type", "shape", "chunk", "chunks", "stored bytes")
        return (
            f"<div><strong>chunkref.References</strong>: {_count(len(self.arrays), 'array')}, "
            f"{_count(self.chunk_count, 'chunk')} in {_count(len(self.sources), 'object')}"
            f"<table><thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
            f"<tbody>{cells}</tbody></table>"
            + (
                f"<details><summary>{len(self.skipped)} skipped</summary><ul>{skipped}</ul></details>"
                if skipped
                else ""
            )
            + "</div>"
        )

    def _settings(self, **settings: Any) -> dict[str, Any]:
        defaults = {
            "target": None,
            "options": {},
            "made_by": self._made_by,
            "skipped": dict(Counter(one.kind for one in self.skipped if one.kind != "input")),
            "left_out": [one.path for one in self.skipped if one.kind == "input"],
        }
        return {**defaults, **settings}

    def _write(self, path: str | os.PathLike[str], settings: dict[str, Any], storage_options: StorageOptions) -> None:
        text = _check.path("path", path)
        options = _check.mapping("storage_options", storage_options)
        local = local_path(text)
        if local is not None:
            stores_of(None, options)._native.validate(text)
            self._dataset.emit(local, settings)
            return
        import fsspec

        system, remote = fsspec.core.url_to_fs(text, **options)
        with tempfile.TemporaryDirectory() as folder:
            there = str(Path(folder) / Path(remote.rstrip("/")).name)
            self._dataset.emit(there, settings)
            system.put(there, remote.rstrip("/"), recursive=os.path.isdir(there))


def local_path(text: str) -> str | None:
    """Give the path that a text means on this machine; `None` for a URL of elsewhere."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    return rest if scheme == "file" else None


def skipped_of(rows: Iterable[tuple[str, int | None, str, str]]) -> tuple[Skipped, ...]:
    """Give what the native part skipped as objects."""
    return tuple(Skipped(*row) for row in rows)


_MOST_ROWS = 20


def _json_options(consolidated: bool, templates: bool) -> dict[str, str]:
    """Give options of the output format, checked."""
    given = {"json.consolidated": consolidated, "json.templates": templates}
    return {name: str(_check.boolean(name.split(".")[1], value)).lower() for name, value in given.items()}


def _escaped(text: str) -> str:
    return html.escape(_chunkref.shown(text))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _unpickled(packed: bytes, skipped: tuple[Skipped, ...], made_by: str | None, scanned: bool) -> References:
    return References(_chunkref.Dataset.from_bytes(packed), skipped, made_by, scanned)


def _plain(value: Any) -> Any:
    """Values that kerchunk's dictionaries may hold and JSON does not."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        import base64

        data = bytes(value)
        # As kerchunk reads text: what is ASCII is itself.
        return (
            data.decode()
            if data.isascii() and not data.startswith(b"base64:")
            else "base64:" + base64.b64encode(data).decode()
        )
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"references hold text, bytes and lists, not {type(value).__name__}")
