# SPDX-License-Identifier: MIT OR Apache-2.0
"""Open references in Parquet as fsspec does and compare with the same in JSON: `python parquet_check.py JSON PARQUET ...`.

Prints a line of JSON: how many arrays are equal, how many chunks are absent, and every difference in words. Absent chunks
read as the fill value.
"""
import json
import sys
import warnings

import fsspec
import numpy as np
import zarr


def opened(references):
    """The group of references."""
    options = {"fo": references, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
    files = fsspec.filesystem("reference", skip_instance_cache=True, **options)
    return zarr.open_group(zarr.storage.FsspecStore(files, read_only=True), mode="r", zarr_format=2)


def arrays(group):
    """Every array by its path."""
    return {path: member for path, member in group.members(max_depth=None) if isinstance(member, zarr.Array)}


def same(one, other):
    """Equality in which NaN equals NaN, of any type."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return one.tobytes() == other.tobytes() if one.dtype.kind != "O" and one.dtype.kind != "T" else np.array_equal(one, other)


def main():
    """Command line."""
    warnings.simplefilter("ignore")
    equal, absent, differences = 0, 0, []
    for of_json, of_parquet in zip(sys.argv[1::2], sys.argv[2::2]):
        wanted, found = arrays(opened(of_json)), arrays(opened(of_parquet))
        keys = json.load(open(of_json))["refs"]
        if sorted(wanted) != sorted(found):
            differences.append(f"{of_parquet}: {sorted(set(wanted) ^ set(found))} are not in both")
        for path in sorted(set(wanted) & set(found)):
            one, other = wanted[path], found[path]
            there = sum(key.rpartition("/")[0] == path and not key.rpartition("/")[2].startswith(".") for key in keys)
            absent += max(int(np.prod(one.cdata_shape)) - there, 0)
            try:
                values = np.asarray(one[...], one.dtype if one.shape == () else None)
            except Exception:  # a codec that this environment lacks, whatever references are written as
                continue
            if not same(values, np.asarray(other[...], other.dtype if other.shape == () else None)):
                differences.append(f"{of_parquet}: the values of {path} differ")
            elif json.dumps(dict(one.attrs)) != json.dumps(dict(other.attrs)):
                differences.append(f"{of_parquet}: the attributes of {path} differ")
            else:
                equal += 1
    print(json.dumps({"equal": equal, "absent": absent, "differences": differences}))


if __name__ == "__main__":
    main()
