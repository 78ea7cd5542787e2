# SPDX-License-Identifier: MIT OR Apache-2.0
"""The engine ``"chunkref"`` of xarray: files and references opened as datasets, in one go and lazily."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from xarray.backends import BackendEntrypoint
from xarray.backends.zarr import ZarrArrayWrapper, ZarrBackendEntrypoint, ZarrStore
from xarray.core.indexing import LazilyIndexedArray

from chunkref import _check, _codecs
from chunkref._build import Concat, build, combine
from chunkref._errors import ChunkError, ChunkrefError
from chunkref._files import is_file, name_of
from chunkref._references import ArrayInfo, References
from chunkref._scan import scan
from chunkref._stores import Allow, Limits, StorageOptions, Stores, stores_of

if TYPE_CHECKING:
    # xarray loads engines when it lists them, and zarr-python need not be there for that.
    from xarray import Dataset, DataTree, Variable

    from chunkref.store import ChunkrefStore

#: What names of reference files end in.
_REFERENCES = (".json", ".json.gz", ".json.zst", ".parq", ".parquet", ".icechunk")


class ChunkrefBackendEntrypoint(BackendEntrypoint):
    """Opens NetCDF, HDF5 and GRIB files, and references of them, through chunkref.

    ``xarray.open_dataset(source, engine="chunkref", …)``; the parameters besides xarray's own are below.

    Parameters
    ----------
    filename_or_obj : str, os.PathLike, References, file object, or a list of them
        A file to scan; references in memory, as kerchunk's dictionary, or in JSON or Parquet; or several files, which
        `concat` or ``combine_options`` combine.
    group : str, optional
        The group to open.
    storage_options, stores
        How files are read, see `Stores`.
    allow : str, os.PathLike or iterable of them
        What references may name besides what is beside them, see `Stores`: a folder of data that are not files of a known
        format, a private bucket, a server of the own network.
    limits : mapping, optional
        Bounds on what reading files and references may cost, by name, see `Stores`.
    concat : str, list or mapping, optional
        As for `chunkref.build`.
    combine_options : mapping, optional
        Other options of `chunkref.build`, such as ``{"merge": True}``.
    scan_options : mapping, optional
        Options of `chunkref.scan`, such as ``{"format": "hdf5", "hdf5_links": "skip"}``.

    Examples
    --------
    >>> import xarray
    >>> dataset = xarray.open_dataset(example_file, engine="chunkref")
    >>> float(dataset["temperature"].max())
    23.0
    >>> with xarray.open_dataset([example_folder + "/*.nc"], engine="chunkref", concat="time") as cube:
    ...     dict(cube.sizes)["time"]
    6
    """

    description = "NetCDF, HDF5 and GRIB files, and references of them, read natively"
    open_dataset_parameters = (
        "filename_or_obj",
        "mask_and_scale",
        "decode_times",
        "concat_characters",
        "decode_coords",
        "drop_variables",
        "use_cftime",
        "decode_timedelta",
        "group",
        "storage_options",
        "allow",
        "limits",
        "stores",
        "concat",
        "combine_options",
        "scan_options",
    )
    supports_groups = True

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        mask_and_scale: Any = True,
        decode_times: Any = True,
        concat_characters: Any = True,
        decode_coords: Any = True,
        drop_variables: str | Iterable[str] | None = None,
        use_cftime: Any = None,
        decode_timedelta: Any = None,
        group: str | None = None,
        storage_options: StorageOptions = None,
        allow: Allow = (),
        limits: Limits = None,
        stores: Stores | None = None,
        concat: Concat = None,
        combine_options: Mapping[str, Any] | None = None,
        scan_options: Mapping[str, Any] | None = None,
    ) -> Dataset:
        """Open one group as a dataset."""
        root = (_check.optional_text("group", group) or "").strip("/")
        if drop_variables is not None:
            drop_variables = _check.names("drop_variables", drop_variables)
        store, unlimited = opened(
            filename_or_obj, storage_options, stores, concat, combine_options, scan_options, allow, limits
        )
        decoding = {
            "mask_and_scale": mask_and_scale,
            "decode_times": decode_times,
            "concat_characters": concat_characters,
            "decode_coords": decode_coords,
            "drop_variables": drop_variables,
            "use_cftime": use_cftime,
            "decode_timedelta": decode_timedelta,
        }
        return _group(store, root, unlimited, decoding)

    def open_groups_as_dict(
        self,
        filename_or_obj: Any,
        *,
        group: str | None = None,
        storage_options: StorageOptions = None,
        allow: Allow = (),
        limits: Limits = None,
        stores: Stores | None = None,
        concat: Concat = None,
        combine_options: Mapping[str, Any] | None = None,
        scan_options: Mapping[str, Any] | None = None,
        **decoding: Any,
    ) -> dict[str, Dataset]:
        """Open a group and every one below it, each as a dataset of its own."""
        import zarr

        root = (_check.optional_text("group", group) or "").strip("/")
        store, unlimited = opened(
            filename_or_obj, storage_options, stores, concat, combine_options, scan_options, allow, limits
        )
        opened_root = zarr.open_group(store, path=root, mode="r", zarr_format=2)
        below = [name for name, member in opened_root.members(max_depth=None) if isinstance(member, zarr.Group)]
        groups = {"/": _group(store, root, unlimited, decoding)}
        for name in sorted(below):
            groups[f"/{name}"] = _group(store, f"{root}/{name}".strip("/"), unlimited, decoding)
        return groups

    def open_datatree(self, filename_or_obj: Any, **options: Any) -> DataTree:
        """Open all groups as a tree."""
        from xarray import DataTree

        return DataTree.from_dict(self.open_groups_as_dict(filename_or_obj, **options))

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Leave files to other engines unless this one is named."""
        return isinstance(filename_or_obj, References)


def _group(store: ChunkrefStore, path: str, unlimited: dict[str, set[str]], decoding: dict[str, Any]) -> Dataset:
    """Open one group of a store as a dataset."""
    opened_group = TypedZarrStore.open_group(store, group=path or None, mode="r", consolidated=not path, zarr_format=2)
    # The name is of no consequence, as the store is open.
    dataset: Dataset = ZarrBackendEntrypoint().open_dataset("references", store=opened_group, **decoding)
    _name_byte_orders(dataset, store.arrays, path)
    dataset.encoding["unlimited_dims"] = set(unlimited.get(path, set()))
    return dataset


class TypedZarrStore(ZarrStore):
    """A group of a store, whose attributes have the types that they have in the file.

    JSON knows one kind of number; in NetCDF a ``scale_factor`` of 32 bits makes values of 32 bits. And Zarr's fill value is
    what missing chunks read as, which is only ``_FillValue`` where the file says so.
    """

    def open_store_variable(self, name: str) -> Variable:
        """Give a variable before its values are decoded."""
        variable: Variable = super().open_store_variable(name)  # type: ignore[no-untyped-call]
        store: ChunkrefStore = self.zarr_group.store
        lazy = variable._data
        if isinstance(lazy, LazilyIndexedArray) and isinstance(lazy.array, ZarrArrayWrapper):
            named: Any = NamedChunks(lazy.array.get_array())  # type: ignore[no-untyped-call]
            variable._data = cast(Any, LazilyIndexedArray(named, lazy.key))
        if not store.typed:
            return variable
        path = f"{self.zarr_group.path}/{name}".strip("/")
        types = store.attribute_types(path)
        if "_FillValue" not in types:
            variable.attrs.pop("_FillValue", None)
        for attribute, dtype in types.items():
            if attribute in variable.attrs:
                variable.attrs[attribute] = _typed(variable.attrs[attribute], dtype)
        return variable


class NamedChunks(ZarrArrayWrapper):
    """An array of Zarr whose errors of decoding say which chunk it was, and where its bytes are."""

    __slots__ = ()

    def _getitem(self, key: Any) -> Any:
        return self._read(super()._getitem, key, "OrthogonalIndexer")

    def _oindex(self, key: Any) -> Any:
        return self._read(super()._oindex, key, "OrthogonalIndexer")

    def _vindex(self, key: Any) -> Any:
        return self._read(super()._vindex, key, "CoordinateIndexer")

    def _read(self, read: Callable[[Any], Any], key: Any, indexer: str) -> Any:
        try:
            return read(key)
        except (ChunkrefError, MemoryError):
            raise
        except Exception as error:
            found = self._damaged(key, indexer)
            if found is None:
                raise
            raise found from error

    def _damaged(self, key: Any, indexer: str) -> ChunkError | None:
        """Find the chunk that cannot be decoded, by trying each; `None` when each can be."""
        import zarr.core.indexing

        array = self._array
        store: ChunkrefStore = array.store
        places = getattr(zarr.core.indexing, indexer)
        for projection in places(key, array.shape, array.metadata.chunk_grid):
            chunk = tuple(projection.chunk_coords)
            try:
                array.get_block_selection(chunk) if chunk else array[...]
            except (ChunkrefError, MemoryError):
                raise
            except Exception as fault:
                return store.damaged(array.path, array.metadata.encode_chunk_key(chunk), fault)
        return None


def _name_byte_orders(dataset: Dataset, arrays: Mapping[str, ArrayInfo], group: str) -> None:
    """Let encodings name the order of bytes as NetCDF's reader does: that of the file, but for classic files."""
    import numpy

    classic = all(array.dtype[0] in ">|" for array in arrays.values())
    for name, variable in dataset.variables.items():
        info: ArrayInfo | None = arrays.get(f"{group}/{name}".strip("/"))
        known: Any = variable.encoding.get("dtype")
        if info is None or known is None or getattr(known, "kind", "O") not in "iuf":
            continue
        dtype = numpy.dtype(info.dtype)
        if (dtype.kind, dtype.itemsize) == (known.kind, known.itemsize):
            variable.encoding["dtype"] = dtype.newbyteorder("=") if classic else dtype


def _typed(value: Any, dtype: str) -> Any:
    """Give a number, or a list of them, in its type; unchanged where it does not fit."""
    import numpy

    if isinstance(value, str) or isinstance(value, list) and any(isinstance(one, (str, list)) for one in value):
        return value
    native = numpy.dtype(dtype).newbyteorder("=")
    with numpy.errstate(all="ignore"):
        typed = numpy.asarray(value).astype(native)
    if not numpy.array_equal(typed, numpy.asarray(value), equal_nan=native.kind == "f"):
        return value
    return typed[()] if typed.ndim == 0 else typed


def opened(
    source: Any,
    storage_options: StorageOptions = None,
    stores: Stores | None = None,
    concat: Concat = None,
    combine_options: Mapping[str, Any] | None = None,
    scan_options: Mapping[str, Any] | None = None,
    allow: Allow = (),
    limits: Limits = None,
) -> tuple[ChunkrefStore, dict[str, set[str]]]:
    """Give the store of what xarray is to open, and the names of unlimited dimensions by group."""
    from chunkref.store import ChunkrefStore

    held = stores_of(stores, storage_options, allow, limits)
    cube = _check.mapping("combine_options", combine_options)
    _check.keywords("combine_options=", cube, combine, without=("concat", "storage_options", "limits", "stores"))
    given = _check.mapping("scan_options", scan_options)
    _check.keywords("scan_options=", given, scan, without=("url", "storage_options", "limits", "stores"))
    # NetCDF shows variables by the names that this option gives them.
    scanning = {"hdf5_names": "netcdf", **given}
    open_url: Any = None
    if isinstance(source, (list, tuple)) or concat is not None or combine_options is not None:
        sources = list(source) if isinstance(source, (list, tuple)) else [source]
        if all(isinstance(one, (str, os.PathLike)) and not _is_references(one) for one in sources):
            references = build(sources, concat=concat, stores=held, **cube, **scanning)
        else:
            _refuse_scan_options(given)
            references = combine(sources, concat, stores=held, **cube)
    elif isinstance(source, References):
        _refuse_scan_options(given)
        references = source
    elif isinstance(source, Mapping):
        _refuse_scan_options(given)
        references = References.from_dict(source, limits=held._settings["limits"])
    elif _is_references(source):
        _refuse_scan_options(given)
        _codecs.without_kerchunk()
        return ChunkrefStore(source, stores=held), {}
    elif is_file(source) and not isinstance(source, (str, os.PathLike)):
        # Chunks are read from the same object, whatever it is.
        references = scan(source, url=f"python://{name_of(source) or 'file'}", stores=held, **scanning)
        open_url = functools.partial(_same, source)
    else:
        references = scan(_check.path("filename_or_obj", source), stores=held, **scanning)
    _codecs.register(references._dataset.codecs())
    document = json.loads(references._dataset.summary("", ""))
    unlimited: dict[str, set[str]] = {}
    for dimension in document["dimensions"]:
        if dimension["unlimited"]:
            unlimited.setdefault(dimension["group"], set()).add(dimension["path"].rpartition("/")[2])
    return ChunkrefStore(references, stores=held, open=open_url), unlimited


def _refuse_scan_options(given: Mapping[str, Any]) -> None:
    if given:
        raise TypeError("scan_options= are for files: references are not scanned")


def _is_references(source: Any) -> bool:
    if not isinstance(source, (str, os.PathLike)):
        return False
    name = _check.path("filename_or_obj", source).rstrip("/").lower()
    return name.endswith(_REFERENCES) or os.path.isfile(os.path.join(name, ".zmetadata"))


def _same(file: Any, url: str) -> Any:
    return file
