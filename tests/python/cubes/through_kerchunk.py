# SPDX-License-Identifier: MIT OR Apache-2.0
"""The same archives through kerchunk, for comparison."""

import json

import kerchunk.combine
import kerchunk.hdf

try:
    import kerchunk.netCDF3
except ImportError:  # it needs SciPy
    CLASSIC = False
else:
    CLASSIC = True


def scan(path):
    """References of a file."""
    with open(path, "rb") as handle:
        classic = handle.read(3) == b"CDF"
    if classic:
        return kerchunk.netCDF3.NetCDF3ToZarr(str(path), inline_threshold=100).translate()
    with open(path, "rb") as handle:
        return kerchunk.hdf.SingleHdf5ToZarr(handle, str(path), inline_threshold=100).translate()


def combine(paths, concat, target, identical):
    """References of all files, as a user who decodes times would combine them."""
    time = concat[0]
    cube = kerchunk.combine.MultiZarrToZarr(
        [scan(path) for path in paths],
        concat_dims=concat,
        identical_dims=identical,
        coo_map={time: f"cf:{time}"},
        remote_protocol="file",
    ).translate()
    metadata = {
        key: json.loads(value)
        for key, value in cube["refs"].items()
        if key.rsplit("/", 1)[-1] in (".zarray", ".zattrs", ".zgroup")
    }
    cube["refs"][".zmetadata"] = json.dumps({"zarr_consolidated_format": 1, "metadata": metadata})
    target.write_text(json.dumps(cube))
    return target
