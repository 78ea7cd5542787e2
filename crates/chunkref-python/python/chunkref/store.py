# SPDX-License-Identifier: MIT OR Apache-2.0
"""A store of zarr-python 3 over references: metadata from memory, chunks read by the native part."""

from __future__ import annotations

import asyncio
import errno
import functools
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    Store,
    SuffixByteRequest,
)
from zarr.core.buffer import Buffer, BufferPrototype

from chunkref import _check, _chunkref
from chunkref._errors import ChunkError
from chunkref._references import ArrayInfo, References
from chunkref._stores import Allow, Limits, StorageOptions, Stores, stores_of

if TYPE_CHECKING:
    from typing import Self

#: A key with the bytes that are wanted of its value, as the native part takes it.
_Request = tuple[str, int | None, int | None]


class ChunkrefStore(Store):
    """References as a read-only store of Zarr version 2.

    Values that zarr-python asks for at one time are read at one time. The store pickles, with its references or, for
    references that were written, with their URL; those in Parquet are read as they are needed.

    Parameters
    ----------
    references : References, str or os.PathLike
        In memory, or the URL of reference files.
    storage_options, stores
        How the references and the files behind them are read, see `Stores`.
    allow : str, os.PathLike or iterable of them
        What the references may name besides what is beside them, see `Stores`.
    limits : mapping, optional
        Bounds on what reading the references may cost, and a chunk that is decoded, by name, see `Stores`. They pickle with
        the store.
    open : callable, optional
        Gives a file object for a URL of a scheme that is not read natively.
    protocol : str, optional
        The protocol of locations that have none.

    Examples
    --------
    >>> import zarr
    >>> from chunkref.store import ChunkrefStore
    >>> group = zarr.open_group(ChunkrefStore(chunkref.scan(example_file)), mode="r")
    >>> group["temperature"][1, 2, 3].item()
    23.0
    """

    supports_writes: bool = False
    supports_deletes: bool = False
    supports_listing: bool = True

    def __init__(
        self,
        references: References | str | os.PathLike[str],
        storage_options: StorageOptions = None,
        *,
        allow: Allow = (),
        limits: Limits = None,
        stores: Stores | None = None,
        open: Callable[[str], Any] | None = None,
        protocol: str | None = None,
    ) -> None:
        super().__init__(read_only=True)
        # A dataset is open for as long as somebody works with it, and its files with it.
        self._stores = stores_of(stores, storage_options, allow, limits).without_deadline()
        self._references = references if isinstance(references, References) else _check.path("references", references)
        self._open_url = _check.function("open", open)
        self._protocol = _check.optional_text("protocol", protocol)
        self._pending: dict[asyncio.AbstractEventLoop, list[tuple[_Request, asyncio.Future[bytes | None]]]] = {}
        native = self._stores._native
        if isinstance(self._references, References):
            self._native = _chunkref.ReferenceStore(self._references._dataset, native, open, protocol)
        else:
            self._native = _chunkref.ReferenceStore.open(native, self._references, open, protocol)
        self._is_open = True

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self._references, self._stores, self._open_url, self._protocol)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChunkrefStore) and (self is other or self._references == other._references)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        of = self._references if isinstance(self._references, str) else repr(self._references).splitlines()[0]
        return f"ChunkrefStore({_chunkref.shown(of)})"

    @functools.cached_property
    def arrays(self) -> dict[str, ArrayInfo]:
        """The arrays of references in memory."""
        return self._references.arrays if isinstance(self._references, References) else {}

    @functools.cached_property
    def typed(self) -> bool:
        """Whether it is known which types attributes have in the files."""
        known = self._references
        return isinstance(known, References) and known._scanned and "grib" not in known._dataset.codecs()

    def attribute_types(self, path: str) -> dict[str, str]:
        """Give the types that numbers among an array's attributes have in its file."""
        return {} if isinstance(self._references, str) else self._references._dataset.attribute_types(path)

    def damaged(self, path: str, key: str, fault: Exception) -> ChunkError:
        """Give the error of a chunk that a codec does not undo."""
        array, chunk, url, offset, length = self._native.place(f"{path}/{key}") or (path, None, None, None, None)
        message = _chunkref.shown(f"{_where(array, chunk, url, offset, length)}: it cannot be decoded: {fault}")
        made = ChunkError(message, "malformed", None if url is None else _chunkref.redacted(url))
        made.at(array, None if chunk is None else tuple(chunk), None, offset, length)
        return made

    def with_read_only(self, read_only: bool = False) -> Self:
        """Give this store, which cannot be written."""
        if not read_only:
            raise ValueError("references cannot be written through: build() or append() make new ones")
        return self

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Give the value of a key, or the part of it that is asked for; `None` when there is none."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes | None] = loop.create_future()
        pending = self._pending.setdefault(loop, [])
        pending.append(((key, *_part(byte_range)), future))
        if len(pending) == 1:
            # What others ask for before the loop comes round goes along.
            loop.call_soon(self._flush, loop)
        value = await future
        return None if value is None else prototype.buffer.from_bytes(value)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        pending = self._pending.pop(loop, [])
        requests = [request for request, _ in pending]
        reading = loop.run_in_executor(_threads(), _reading.run, self._native.get_many, requests)

        def distribute(done: asyncio.Future[list[tuple[bytes | None, Exception | None]]]) -> None:
            failed = done.exception() if not done.cancelled() else asyncio.CancelledError()
            answers = [(None, failed)] * len(pending) if failed is not None else done.result()
            for (_, future), (value, error) in zip(pending, answers, strict=True):
                if future.done():
                    continue
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(value)

        reading.add_done_callback(distribute)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Give parts of several values, which are read at one time."""
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        """Whether there is a value."""
        there: bool = await self._run(self._native.exists, key)
        return there

    async def getsize(self, key: str) -> int:
        """Give the length of a value in bytes."""
        size: int | None = await self._run(self._native.size, key)
        if size is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such key", key)
        return size

    async def list(self) -> AsyncIterator[str]:
        """Give all keys."""
        for key in await self._run(self._native.list, ""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Give the keys that begin with a prefix."""
        folder = prefix if not prefix or prefix.endswith("/") else prefix.rpartition("/")[0]
        folder = f"{folder}/" if folder and not folder.endswith("/") else folder
        for key in await self._run(self._native.list, folder):
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Give the names directly below a prefix."""
        folder = prefix.rstrip("/")
        for name in await self._run(self._native.list_folder, f"{folder}/" if folder else ""):
            yield name.rstrip("/")

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refuse."""
        self._check_writable()

    async def _run(self, function: Callable[[str], Any], key: str) -> Any:
        return await asyncio.get_running_loop().run_in_executor(_threads(), _reading.run, function, key)


def _where(
    array: str, chunk: Sequence[int] | None, url: str | None, offset: int | None, length: int | None
) -> str:
    """Say which chunk, and where its bytes are."""
    words = f"array {array!r}" if chunk is None else f"array {array!r}, chunk {list(chunk)}"
    if offset is None or length is None:
        return words if url is None else f"{words}, all of {url}"
    return words if url is None else f"{words}, bytes {offset} to {offset + length} of {url}"


def _part(byte_range: ByteRequest | None) -> tuple[int | None, int | None]:
    match byte_range:
        case None:
            return None, None
        case RangeByteRequest(start, end):
            return start, end
        case OffsetByteRequest(offset):
            return offset, None
        case SuffixByteRequest(suffix):
            return None, suffix
    raise TypeError(f"{byte_range!r} is no part of a value")


def _unpickled(
    references: References | str, stores: Stores, open: Callable[[str], Any] | None, protocol: str | None
) -> ChunkrefStore:
    return ChunkrefStore(references, stores=stores, open=open, protocol=protocol)


@functools.cache
def _threads_of(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(16, thread_name_prefix=f"chunkref-{process}")


_making = threading.Lock()

#: Ends what those threads wait for when the interpreter ends, which waits for them: after Ctrl-C nobody wants it any more.
_reading = _chunkref.Stopper()
_at_exit = getattr(threading, "_register_atexit", None)
if _at_exit is not None:
    # Functions of `atexit` are called when the threads have ended.
    _at_exit(_reading.stop)


def _threads() -> ThreadPoolExecutor:
    """Threads that wait for the native part; a process that was forked gets its own."""
    with _making:
        return _threads_of(os.getpid())
