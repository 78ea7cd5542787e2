# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare fields that our reader unpacked with those of ecCodes: `python reading_grib.py REPORT`.

REPORT is JSON: `{REFERENCES: {PATH: FILE}}`, where FILE holds values as 64-bit floats: of the first four places along all axes
but the last two. Prints how many arrays are equal, to 1e-9 of their largest value, and every difference in words.
"""
import json
import sys
import warnings

import fsspec
import kerchunk.codecs  # registers the codec
import numpy as np
import zarr


def main():
    """Command line."""
    warnings.simplefilter("ignore")
    equal, differences = 0, []
    for references, files in json.load(open(sys.argv[1])).items():
        options = {"fo": references, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
        mapped = fsspec.filesystem("reference", skip_instance_cache=True, **options)
        group = zarr.open_group(zarr.storage.FsspecStore(mapped, read_only=True), mode="r", zarr_format=2)
        for path, file in files.items():
            array = group[path]
            part = tuple(slice(4) for _ in range(max(array.ndim - 2, 0))) + (Ellipsis,)
            expected, found = np.ravel(array[part]), np.fromfile(file, "<f8")
            largest = np.nanmax(np.abs(expected), initial=0)
            if expected.shape != found.shape or not np.allclose(found, expected, rtol=0, atol=1e-9 * largest, equal_nan=True):
                differences.append(f"{references}: {path}: {found[:4]} for {expected[:4]}")
            else:
                equal += 1
    print(json.dumps({"equal": equal, "differences": differences}))


if __name__ == "__main__":
    main()
