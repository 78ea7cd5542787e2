# SPDX-License-Identifier: MIT OR Apache-2.0
"""Open Icechunk repositories as users do and compare them with the source's own library: `python icechunk_check.py < JOBS`.

Reads JSON lines {"source": PATH of a netCDF or HDF5 file, "json": the same references as kerchunk JSON, "repository": PATH,
"branch": NAME}, and prints one line of JSON: how many arrays equal what h5py or netCDF4 reads (or, where those read none of
that name, what kerchunk JSON gives), how many chunks are absent, how many datasets xarray opens to the same as from kerchunk
JSON, masks included, and every difference in words. "source" may be left out.
"""
import json
import os
import sys
import warnings

os.environ.setdefault("ICECHUNK_LOG", "error")  # it says on standard output that folders are no place for two writers

import fsspec
import h5py
import hdf5plugin  # noqa: F401  registers its filters
import icechunk
import imagecodecs.numcodecs
import netCDF4
import numcodecs.registry
import numpy as np
import xarray
import zarr
import zarr.registry
from zarr.codecs.numcodecs import Zlib

from equality import same_values

MOST_VALUES, MOST_CHUNKS = 1 << 20, 1 << 10  # of larger arrays a corner is compared


def register():
    """Codecs of bytes that numcodecs knows and Zarr v3 does not, by the names that repositories have them under."""
    imagecodecs.numcodecs.register_codecs(verbose=False)
    for name in list(numcodecs.registry.codec_registry):
        if name.startswith("imagecodecs_"):
            codec = type(name, Zlib.__bases__, {}, codec_name=name)
            zarr.registry.register_codec(f"numcodecs.{name}", codec)


def opened(repository, branch):
    """The store of a branch, with every container that the repository names allowed."""
    storage = icechunk.local_filesystem_storage(repository)
    config = icechunk.Repository.fetch_config(storage)
    allowed = icechunk.containers_credentials({prefix: None for prefix in config.virtual_chunk_containers or {}})
    repo = icechunk.Repository.open(storage, authorize_virtual_chunk_access=allowed)
    return repo.readonly_session(branch).store


def of_json(references):
    """The store of kerchunk JSON."""
    options = {"fo": references, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
    return zarr.storage.FsspecStore(fsspec.filesystem("reference", skip_instance_cache=True, **options), read_only=True)


def members(group):
    """Groups and arrays by their path."""
    return dict(group.members(max_depth=None))


class Source:
    """Values as the source's own library reads them."""

    def __init__(self, path):
        self.hdf5 = self.classic = None
        if path is None:
            return
        if h5py.is_hdf5(path):
            self.hdf5 = h5py.File(path)
        else:
            self.classic = netCDF4.Dataset(path)
            self.classic.set_auto_maskandscale(False)

    def values(self, path, part, like):
        """The values of a part of a variable, or None when they are no plain numbers of the same shape."""
        try:
            if self.classic:
                values = np.asarray(self.classic[path][part])
            else:
                values = np.asarray(self.hdf5[path][part]) if self.hdf5 else None
        except (KeyError, OSError, TypeError, IndexError, ValueError, MemoryError):
            return None
        if values is None or values.dtype.kind not in "iufb" or values.shape != like.shape or values.dtype.kind != like.dtype.kind:
            return None
        return values


def check(job, counts, differences):
    """Compare one repository."""
    name = job["repository"]
    store, other_store = opened(name, job.get("branch", "main")), of_json(job["json"])
    found, wanted = members(zarr.open_group(store, mode="r", zarr_format=3)), members(zarr.open_group(other_store, mode="r", zarr_format=2))
    if sorted(found) != sorted(wanted):
        differences.append(f"{name}: {sorted(set(found) ^ set(wanted))} are not in both")
    source = Source(job.get("source"))
    for path in sorted(set(found) & set(wanted)):
        array, other = found[path], wanted[path]
        if not isinstance(array, zarr.Array):
            if json.dumps(dict(array.attrs)) != json.dumps(dict(other.attrs)):
                differences.append(f"{name}: the attributes of group {path} differ")
            continue
        large = other.size > MOST_VALUES or other.nchunks > MOST_CHUNKS
        part = (slice(0, 3),) * other.ndim if large else ...
        try:
            truth = np.asarray(other[part])
        except Exception:  # a codec that this environment lacks, whatever references are written as
            counts["undecodable"] += 1
            continue
        try:
            values = np.asarray(array[part])
        except Exception as error:
            differences.append(f"{name}: {path} cannot be read: {error!r}")
            continue
        if not large:
            counts["absent"] += array.nchunks - array.nchunks_initialized
        plain = source.values(path, part, values)
        if plain is not None:
            counts["of_source"] += 1
        if values.shape != truth.shape or not same_values(truth if plain is None else plain, values).all():
            differences.append(f"{name}: the values of {path} differ")
            continue
        attributes = {key: value for key, value in array.attrs.items() if key != "_FillValue"}
        others = {key: value for key, value in other.attrs.items() if key not in ("_ARRAY_DIMENSIONS", "_FillValue")}
        if json.dumps(attributes) != json.dumps(others):
            differences.append(f"{name}: the attributes of {path} differ")
            continue
        if other.fill_value is not None and "dim" not in path and str(array.fill_value) != str(other.fill_value):
            differences.append(f"{name}: the fill value of {path} is {array.fill_value}, not {other.fill_value}")
            continue
        counts["equal"] += 1
    look_alike(name, store, other_store, counts, differences)


def look_alike(name, store, other_store, counts, differences):
    """Whether xarray makes the same of both: masked, scaled, with times."""
    try:
        wanted = xarray.open_zarr(other_store, consolidated=False, zarr_format=2, chunks=None)
        if any(isinstance(node, zarr.Array) and node.nchunks > MOST_CHUNKS for node in members(zarr.open_group(other_store, mode="r")).values()):
            return
        if wanted.nbytes > 64 * MOST_VALUES:
            return
        wanted.load()
    except Exception:  # names that xarray does not take, codecs that are not there
        counts["not_for_xarray"] += 1
        return
    try:
        found = xarray.open_zarr(store, consolidated=False, zarr_format=3, chunks=None).load()
        # xarray masks bytes in version 2 only.
        unmasked = [name for name in found.variables if found[name].dtype.kind == "S" and wanted[name].dtype.kind == "O"]
        wanted, found = wanted.drop_vars(unmasked), found.drop_vars(unmasked)
        xarray.testing.assert_equal(wanted, found)
        kinds = [{name: (part.dtype.kind, part.dtype.itemsize) for name, part in side.variables.items()} for side in (wanted, found)]
        if kinds[0] != kinds[1]:
            differences.append(f"{name}: xarray gives other types")
    except Exception as error:
        differences.append(f"{name}: xarray: {str(error)[:300]!r}")
        return
    counts["for_xarray"] += 1


def main():
    """Command line."""
    warnings.simplefilter("ignore")
    register()
    counts = dict.fromkeys(["equal", "of_source", "absent", "undecodable", "for_xarray", "not_for_xarray"], 0)
    differences = []
    for line in sys.stdin:
        check(json.loads(line), counts, differences)
    print(json.dumps({**counts, "differences": differences}))


if __name__ == "__main__":
    main()
    # Threads of icechunk that still hold an error make the interpreter crash now and then while it takes itself down.
    sys.stdout.flush()
    os._exit(0)
