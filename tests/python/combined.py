# SPDX-License-Identifier: MIT OR Apache-2.0
"""Open combined references with xarray and compare with the files themselves, put together by xarray.

`python combined.py REFS DIMENSION FILE...`: the files follow one another along DIMENSION, which they have or lack.
"""
import sys
import warnings

import numpy as np
import xarray


def originals(files, dimension):
    """The files as xarray combines them."""
    datasets = [xarray.open_dataset(path, engine="netcdf4", decode_cf=False).load() for path in files]
    return xarray.concat(datasets, dimension, data_vars="different", coords="different", compat="equals", combine_attrs="override")


def main():
    """Command line."""
    refs, dimension, *files = sys.argv[1:]
    warnings.simplefilter("ignore")
    options = {"fo": refs, "remote_protocol": "file"}
    arguments = {"engine": "zarr", "backend_kwargs": {"storage_options": options, "consolidated": False}}
    combined = xarray.open_dataset("reference://", decode_cf=False, **arguments)
    expected = originals(files, dimension)
    names = sorted(map(str, expected.variables))
    if sorted(map(str, combined.variables)) != names:
        sys.exit(f"variables are {sorted(combined.variables)}, not {names}")
    for name in names:
        found, wanted = combined[name], expected[name]
        if dimension in wanted.dims and dimension not in found.dims:
            # Equal in all files: kept once there, repeated here.
            found = found.expand_dims({dimension: wanted.sizes[dimension]}).transpose(*wanted.dims)
        if found.dims != wanted.dims or found.dtype != wanted.dtype:
            sys.exit(f"{name} is {found.dims} {found.dtype}, not {wanted.dims} {wanted.dtype}")
        np.testing.assert_array_equal(found.values, wanted.values, err_msg=name)
    times = xarray.open_dataset("reference://", **arguments)[dimension].values
    np.testing.assert_array_equal(times, xarray.decode_cf(expected)[dimension].values)
    print(f"{len(names)} variables of {len(files)} files are equal, {combined.sizes[dimension]} along {dimension}")


if __name__ == "__main__":
    main()
