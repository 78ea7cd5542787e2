# SPDX-License-Identifier: MIT OR Apache-2.0
"""Hold reference files against what h5py reads from their sources.

Reads JSON lines {"source": PATH, "refs": PATH or "inline": {...}, "skipped": [PATH, ...], "members": "flatten" or "bytes" if hdf5.members was}, or {"source": PATH, "refused": WHY} for a
file of which there are no references, and answers with JSON lines {"source", "kind", "path", "verdict", "reason"}. The references are opened as users open them: fsspec and zarr-python, and xarray.

kind "array":     exact | close (text that differs in padding) | wrong | unreadable | codec (no decoder in this environment)
                  | missing | skipped | dimonly (a netCDF dimension, no variable) | notruth (h5py cannot read it either)
kind "attribute", "dimensions", "fill", "group", "xarray": only what is amiss, or, for "xarray", "opened"
kind "open":      refused (by h5py too) | notruth (only h5py refuses it) | missing (h5py opens what was refused) | failed (this comparison did)
kind "done":      closes a source; its "reason" counts the attributes and dimension lists that agree
"""
import json
import math
import os
import sys
import warnings

os.environ["HDF5_EXTFILE_PREFIX"] = "${ORIGIN}"  # external files lie beside the file that names them

import fsspec
import h5py
import hdf5plugin  # noqa: F401  registers its filters
import numpy as np
import xarray
import zarr

from chunk_sample import regions
from equality import HOUSEKEEPING, bytes_type, differs_in_padding_only, flat_type, plain, same_attribute, same_values, type_difference
from sources import Source, dimension_only, netcdf_variables

UNKNOWN_CODEC = ("codec not available", "UnknownCodecError")


class Comparison:
    """One source and its references."""

    def __init__(self, job, agreed):
        self.job, self.agreed = job, agreed
        document = job.get("inline")
        if document is None:
            with open(job["refs"], encoding="utf-8") as file:
                document = json.load(file)
        self.keys = document.get("refs", document)
        self.restated = {"flatten": flat_type, "bytes": bytes_type}.get(job.get("members"), lambda dtype: dtype)
        self.netcdf = netcdf_variables(job["source"])
        self.source = Source(job["source"])
        with_options = {"remote_protocol": "file", "remote_options": {"asynchronous": True}, "asynchronous": True}
        self.store = zarr.storage.FsspecStore(fsspec.filesystem("reference", fo=document, skip_instance_cache=True, **with_options), read_only=True)
        self.root = zarr.open_group(self.store, mode="r", zarr_format=2)
        self.chunks = {key.rpartition("/")[0]: [] for key in self.keys if key.endswith("/.zarray")}
        for key in self.keys:
            parent, _, name = key.rpartition("/")
            if not name.startswith(".z") and parent in self.chunks:
                self.chunks[parent].append(name)

    def say(self, kind, path, verdict, reason=""):
        """Write one line of the answer."""
        say(self.job, kind, path, verdict, reason)

    def document(self, key):
        """A metadata document of the references."""
        value = self.keys.get(key, "{}")
        return json.loads(value) if isinstance(value, str) else value

    def run(self):
        """Compare everything."""
        found = set()
        for path in sorted(self.chunks):
            identity, dataset = self.source.dataset(path)
            if dataset is None:
                self.say("array", path, "wrong", "the source has no such dataset")
                continue
            found.add(identity)
            if dimension_only(dataset):
                self.say("array", path, "wrong", "a netCDF dimension without a variable")
                continue
            self.say("array", path, *self.array(path, dataset))
            self.attributes(path, dataset)
            self.dimensions(path, dataset)
            self.fill(path, dataset)
        for identity, path in self.source.datasets.items():
            if identity not in found:
                self.absent(path)
        for identity, paths in self.source.groups.items():
            if any(not path or f"{path}/.zgroup" in self.keys for path in paths):
                self.agreed["groups"] += 1
            elif not self.is_skipped(paths[0]):
                self.say("group", paths[0], "missing")
        for path in self.source.group_paths():
            if f"{path}/.zgroup".lstrip("/") in self.keys:
                self.attributes(path, self.source.file[path or "/"])
        self.smoke()

    def is_skipped(self, path):
        """Whether the scanner said that it left this, or a group above it, out."""
        names = {name.strip("/") for name in self.job.get("skipped", [])}
        parts = path.split("/")
        return any("/".join(parts[:count]) in names for count in range(1, len(parts) + 1))

    def absent(self, path):
        """A dataset that the references do not have."""
        _, dataset = self.source.dataset(path)
        if dataset is not None and dimension_only(dataset):
            self.say("array", path, "dimonly")
        elif self.is_skipped(path):
            self.say("array", path, "skipped")
        elif dataset is None:
            self.say("array", path, "notruth", "h5py cannot open it")
        else:
            try:
                dataset[()]
                self.say("array", path, "missing", f"{dataset.dtype} {dataset.shape}")
            except (OSError, TypeError, ValueError, KeyError) as error:
                self.say("array", path, "notruth", error)

    def array(self, path, dataset):
        """The verdict on one array, with its reason."""
        try:
            array = self.root[path]
            shape, dtype = array.shape, array.dtype
        except Exception as error:  # whatever zarr makes of the metadata is a finding
            return self.failed(error)
        try:
            source_type, inner = dataset.dtype, ()
            while source_type.subdtype:  # an array of arrays too
                inner, source_type = inner + source_type.subdtype[1], source_type.subdtype[0]
        except TypeError as error:
            return "notruth", error
        if dataset.shape is None:
            return ("exact", "") if 0 in shape else ("wrong", f"a null dataspace became {shape}")
        wanted = dataset.shape + inner
        netcdf = self.netcdf.get(path, {}).get("shape")
        if shape != wanted and list(shape) != netcdf:
            return "wrong", f"shape {shape} instead of {wanted}"
        if difference := type_difference(self.restated(source_type), dtype):
            return "wrong", difference
        return self.values(path, dataset, array, source_type, wanted)

    def values(self, path, dataset, array, source_type, wanted):
        """Compare the values, all of them unless the array is huge."""
        to_name = self.source.name_of if h5py.check_ref_dtype(source_type) else None
        padding = False
        whole = None
        if math.prod(wanted) * max(1, source_type.itemsize) <= 64 << 20:
            try:
                whole = np.asarray(dataset[()])
            except (OSError, TypeError, ValueError) as error:
                return "notruth", error
            if array.shape != wanted:  # an unlimited axis that netCDF shows longer, filled
                filled = np.full(array.shape, dataset.fillvalue, source_type)
                filled[tuple(map(slice, wanted))] = whole
                whole = filled
        for region in regions(array, self.chunks[path], whole, dataset):
            try:
                read = np.asarray(array[region])
            except Exception as error:  # any failure to decode is a finding
                return self.failed(error)
            source = np.asarray(whole[region] if whole is not None else dataset[region[:dataset.ndim]])
            if (restated := self.restated(source.dtype)) is not source.dtype:
                source = source.view(restated)
            same = same_values(source, read, to_name)
            if not same.all() and differs_in_padding_only(source, read):
                padding = True
            elif not same.all():
                at = tuple(map(int, np.argwhere(~same)[0]))
                return "wrong", f"{int((~same).sum())} values, first at {at} of {region}: {read[at]!r} instead of {source[at]!r}"
        return ("close", "text differs in padding") if padding else ("exact", "")

    @staticmethod
    def failed(error):
        """What an exception while decoding means."""
        words = f"{type(error).__name__}: {error} <- {error.__cause__!r}"
        return ("codec" if any(mark in words for mark in UNKNOWN_CODEC) else "unreadable"), words

    def attributes(self, path, thing):
        """Compare the attributes of a group or a dataset."""
        have = self.document(f"{path}/.zattrs".lstrip("/"))
        for name in thing.attrs:
            if name in HOUSEKEEPING:
                continue
            try:
                wanted = plain(thing.attrs[name], self.source.name_of)
            except (OSError, TypeError, ValueError, KeyError):
                continue  # h5py has no value for it
            label = f"{path}@{name}"
            if name not in have:
                if not self.is_skipped(label) and not self.is_skipped(f"{path}/{name}"):
                    self.say("attribute", label, "missing", repr(wanted))
            elif same_attribute(wanted, have[name]):
                self.agreed["attributes"] += 1
            else:
                self.say("attribute", label, "wrong", f"{have[name]!r} instead of {wanted!r}")
        enum = isinstance(thing, h5py.Dataset) and h5py.check_enum_dtype(thing.dtype)
        allowed = HOUSEKEEPING | ({"flag_values", "flag_meanings"} if enum else set())
        for name in have.keys() - set(thing.attrs) - allowed:
            self.say("attribute", f"{path}@{name}", "extra", repr(have[name]))

    def dimensions(self, path, dataset):
        """Compare the dimension names with those that netCDF shows."""
        have = self.document(f"{path}/.zattrs").get("_ARRAY_DIMENSIONS")
        rank = len(self.document(f"{path}/.zarray").get("shape", []))
        if not isinstance(have, list) or len(have) != rank:
            self.say("dimensions", path, "wrong", f"{have} for {rank} axes")
            return
        shown = self.netcdf.get(path, {}).get("dimensions", [])
        if any(not self.same_dimension(mine, theirs) for mine, theirs in zip(have, shown)):
            self.say("dimensions", path, "wrong", f"{have} instead of {shown}")
            return
        self.agreed["dimensions"] += 1

    def same_dimension(self, mine, theirs):
        """The name alone, after the path of its group, or another name of the same scale, or both made up."""
        if theirs in (mine, mine.rpartition("/")[2]) or theirs.startswith("phony_dim") and mine.startswith("phony_dim"):
            return True
        identity, _ = self.source.dataset(mine)
        return identity is not None and identity == self.source.dataset(theirs)[0]

    def fill(self, path, dataset):
        """`_FillValue` becomes the array's fill value, or stays an attribute, beside no other fill value that xarray would mask instead."""
        if "_FillValue" not in dataset.attrs or dataset.dtype.kind not in "iufS":
            return
        if "_FillValue" in self.document(f"{path}/.zattrs"):
            other = self.document(f"{path}/.zarray").get("fill_value")
            if other is not None and np.asarray(dataset.attrs["_FillValue"]).dtype == dataset.dtype and dataset.attrs["_FillValue"].size == 1:
                self.say("fill", path, "wrong", f"{other!r} beside the attribute {dataset.attrs['_FillValue']!r}")
            return
        try:
            wanted, fill = np.asarray(dataset.attrs["_FillValue"]), self.root[path].metadata.fill_value
        except Exception:  # the array's own verdict says so already
            return
        if wanted.size == 1 and (fill is None or not same_values(wanted.ravel(), np.asarray([fill]).astype(wanted.dtype)).all()):
            self.say("fill", path, "wrong", f"{fill!r} instead of {wanted.ravel()[0]!r}")

    def smoke(self):
        """Whether xarray opens the root."""
        try:
            with xarray.open_dataset(self.store, engine="zarr", zarr_format=2, consolidated=False, decode_times=False) as dataset:
                self.say("xarray", "", "opened", f"{len(dataset.variables)} variables")
        except Exception as error:  # any failure is the finding
            self.say("xarray", "", "failed", f"{type(error).__name__}: {error}")


def main():
    """Answer every line of standard input."""
    warnings.simplefilter("ignore")
    try:
        from imagecodecs.numcodecs import register_codecs  # decoders beyond numcodecs, where they are installed
        register_codecs(verbose=False)
    except ImportError:
        pass
    for line in sys.stdin:
        job = json.loads(line)
        agreed = {"attributes": 0, "dimensions": 0, "groups": 0}
        try:
            if not nothing_to_compare(job):
                Comparison(job, agreed).run()
        except Exception as error:  # one odd file must not end the run; "failed" fails the test
            say(job, "open", "", "failed", f"{type(error).__name__}: {error}")
        say(job, "done", "", "done", json.dumps(agreed))


def nothing_to_compare(job):
    """Whether there is nothing to compare: h5py cannot open the file, or there are no references, which is wrong if it can."""
    try:
        h5py.File(job["source"], locking=False).close()
    except OSError as error:
        say(job, "open", "", "refused" if "refused" in job else "notruth", error)
        return True
    if "refused" in job:
        say(job, "open", "", "missing", job["refused"])
    return "refused" in job


def say(job, kind, path, verdict, reason=""):
    """Write one line of the answer."""
    print(json.dumps({"source": job["source"], "kind": kind, "path": path, "verdict": verdict, "reason": str(reason)[:300]}), flush=True)


if __name__ == "__main__":
    main()
