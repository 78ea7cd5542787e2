# SPDX-License-Identifier: MIT OR Apache-2.0
"""A parser for VirtualiZarr: `open_virtual_dataset(url, registry=registry, parser=chunkref.virtualizarr.Parser())`."""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from obspec_utils.registry import ObjectStoreRegistry
from virtualizarr.manifests import ChunkManifest, ManifestArray, ManifestGroup, ManifestStore
from zarr.core.metadata.v3 import ArrayV3Metadata

from chunkref import _check, _chunkref, _codecs
from chunkref._errors import SkippedWarning
from chunkref._files import Ranges
from chunkref._references import References
from chunkref._scan import scan
from chunkref._stores import Limits, StorageOptions, Stores, stores_of

#: Where inline chunks are, which VirtualiZarr has no place for.
_MEMORY = "memory://chunkref"


class Parser:
    """Scans a file of any format for VirtualiZarr.

    Parameters
    ----------
    group : str, optional
        The group that becomes the root.
    skip_variables : str or iterable of str, optional
        Variables to leave out.
    storage_options, stores
        How the file is read natively; without them it is read through the registry's store.
    limits : mapping, optional
        Bounds on what reading the file may cost, by name, see `chunkref.Stores`; ``set_references`` is that of the chunks of
        the grid of one array, which VirtualiZarr holds in memory, present or not.
    **scan_options
        Those of `chunkref.scan`.

    Examples
    --------
    >>> from obspec_utils.registry import ObjectStoreRegistry
    >>> from obstore.store import LocalStore
    >>> from chunkref.virtualizarr import Parser
    >>> store = Parser()("file://" + example_file, ObjectStoreRegistry({"file://": LocalStore()}))
    >>> sorted(store._group.arrays)
    ['temperature', 'time']
    """

    def __init__(
        self,
        group: str | None = None,
        skip_variables: str | Iterable[str] | None = None,
        storage_options: StorageOptions = None,
        stores: Stores | None = None,
        limits: Limits = None,
        **scan_options: Any,
    ) -> None:
        self.group = _check.optional_text("group", group)
        self.skip_variables = set(_check.names("skip_variables", () if skip_variables is None else skip_variables))
        stores_of(stores, storage_options, limits=limits)
        _check.keywords("Parser()", scan_options, scan, without=("url", "stores", "storage_options", "limits"))
        self.storage_options, self.stores, self.limits = storage_options, stores, limits
        # Small chunks stay in the file: VirtualiZarr's manifests hold places alone.
        self.scan_options = {"inline_threshold": 0, "hdf5_names": "netcdf", **scan_options}

    def __call__(self, url: str, registry: ObjectStoreRegistry[Any]) -> ManifestStore:
        """Scan a file.

        Parameters
        ----------
        url : str
            The file.
        registry : ObjectStoreRegistry
            The stores of VirtualiZarr. One in memory is added for data that no range of the file holds.

        Returns
        -------
        ManifestStore
        """
        url = _check.path("url", url)
        held = stores_of(self.stores, self.storage_options, limits=self.limits)
        if self.stores is not None or self.storage_options is not None:
            references = scan(url, stores=held, **self.scan_options)
        else:
            store, path = registry.resolve(url)
            references = scan(_ranges(store, path), url=url, stores=held, **self.scan_options)
        _codecs.register(references._dataset.codecs())
        if self.group and self.group.strip("/"):
            references = References(references._dataset.group(self.group.strip("/")), references.skipped)
        return ManifestStore(group=_group(references, registry, self.skip_variables, held), registry=registry)


def _ranges(store: Any, path: str) -> Ranges:
    """Give an object of an obstore store as ranges."""

    def read(starts: Sequence[int], ends: Sequence[int]) -> list[bytes]:
        # Neighbours are merged already.
        parts = store.get_ranges(path, starts=list(starts), ends=list(ends), coalesce=0)
        return [bytes(part) for part in parts]

    return Ranges(read, int(store.head(path)["size"]))


def _group(
    references: References, registry: ObjectStoreRegistry[Any], skipped: set[str], stores: Stores
) -> ManifestGroup:
    documents, without = _chunkref.documents_v3(references._dataset)
    for path, reason in without:
        message = _chunkref.shown(f"{path}: no array of Zarr version 3: {reason}")
        warnings.warn(message, SkippedWarning, stacklevel=4)
    sources = references.sources
    arrays: dict[str, dict[str, ManifestArray]] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for path, text in documents:
        document = json.loads(text)
        parent, _, name = path.rpartition("/")
        if document["node_type"] == "group":
            attributes[path] = document.get("attributes", {})
        elif path not in skipped and name not in skipped:
            metadata = ArrayV3Metadata.from_dict(document)
            manifest = _manifest(references, path, sources, registry, stores)
            arrays.setdefault(parent, {})[name] = ManifestArray(metadata=metadata, chunkmanifest=manifest)

    def made(path: str) -> ManifestGroup:
        below = [other for other in attributes if other and other.rpartition("/")[0] == path and other != path]
        return ManifestGroup(
            arrays=arrays.get(path, {}),
            groups={other.rpartition("/")[2]: made(other) for other in below},
            attributes=attributes.get(path, {}),
        )

    return made("")


def _manifest(
    references: References, path: str, sources: Sequence[str], registry: ObjectStoreRegistry[Any], stores: Stores
) -> ChunkManifest:
    shape, numbers, offsets, lengths, inline = references._dataset.columns(path, stores._settings["limits"])
    of = np.frombuffer(numbers, "<i8")
    table = np.array([*sources, ""], dtype=np.dtypes.StringDType())
    paths: Any = table[np.where(of >= 0, of, len(sources))]
    if inline:
        store = _memory(registry)
        for chunk, data in inline:
            name = f"{uuid.uuid4().hex}/{chunk}"
            store.put(name, data)
            paths[chunk] = f"{_MEMORY}/{name}"
    grid = tuple(shape)
    return ChunkManifest.from_arrays(
        paths=paths.reshape(grid),
        offsets=np.frombuffer(offsets, "<u8").reshape(grid).astype("u8"),
        lengths=np.frombuffer(lengths, "<u8").reshape(grid).astype("u8"),
        validate_paths=False,
    )


def _memory(registry: ObjectStoreRegistry[Any]) -> Any:
    """Give the registry's store in memory."""
    from obstore.store import MemoryStore

    try:
        return registry.resolve(f"{_MEMORY}/x")[0]
    except ValueError:
        store = MemoryStore()
        registry.register(_MEMORY, store)
        return store
