# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare references of classic files with what netCDF4 reads: `python netcdf3_differential.py REFS SOURCE [REFS SOURCE ...]`.

Prints a line of JSON: how many arrays are exact, and every difference in words.
"""
import json
import sys
import warnings

import fsspec
import netCDF4
import numpy as np
import zarr


def plain(value):
    """A value of an attribute as JSON has it."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def same(a, b):
    """Equality in which NaN equals NaN."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


def attributes(found, wanted, without, where, differences):
    """Every attribute of the file and no other."""
    wanted = {name: plain(value) for name, value in wanted.items() if name not in without}
    for name in sorted(set(found) | set(wanted)):
        if name not in found or name not in wanted or not same(found[name], wanted[name]):
            differences.append(f"{where}@{name}: {found.get(name)!r} is not {wanted.get(name)!r}")


def compare(refs, source, differences):
    """The number of arrays that are exact."""
    files = fsspec.filesystem("reference", fo=refs, remote_protocol="file", asynchronous=True, remote_options={"asynchronous": True})
    group = zarr.open_group(zarr.storage.FsspecStore(files, read_only=True), mode="r", use_consolidated=False)
    documents = json.load(open(refs))["refs"]
    exact = 0
    with netCDF4.Dataset(source) as nc:
        nc.set_auto_maskandscale(False)
        nc.set_auto_chartostring(False)
        attributes(dict(group.attrs), {n: nc.getncattr(n) for n in nc.ncattrs()}, (), source, differences)
        found = {name for name, _ in group.arrays()}
        if found != set(nc.variables):
            differences.append(f"{source}: {sorted(found ^ set(nc.variables))} are not in both")
        for name in sorted(found & set(nc.variables)):
            variable, array, where = nc.variables[name], group[name], f"{source}:{name}"
            before = len(differences)
            attrs = dict(array.attrs)
            if tuple(attrs.pop("_ARRAY_DIMENSIONS")) != variable.dimensions:
                differences.append(f"{where}: dimensions")
            wanted = {n: variable.getncattr(n) for n in variable.ncattrs()}
            fill = json.loads(documents[f"{name}/.zarray"])["fill_value"]
            # One that is no element of the variable stays an attribute.
            expected = None if "_FillValue" in attrs else plain(wanted.pop("_FillValue", None))
            if isinstance(expected, float) and fill is not None:
                fill = float(fill)
            if (fill is None) != (expected is None) or (variable.dtype != "S1" and not same(fill, expected)):
                differences.append(f"{where}: fill value {fill!r} is not {expected!r}")
            attributes(attrs, wanted, (), where, differences)
            values, truth = np.asarray(array[...], array.dtype), np.asarray(variable[...], variable.dtype)
            if values.dtype.str.lstrip("<>|=") != truth.dtype.str.lstrip("<>|="):
                differences.append(f"{where}: {values.dtype} is not {truth.dtype}")
            elif not np.array_equal(values, truth, equal_nan=values.dtype.kind == "f"):
                differences.append(f"{where}: values differ")
            exact += len(differences) == before
    return exact


def main():
    """Command line."""
    warnings.simplefilter("ignore")
    differences, exact = [], 0
    pairs = sys.argv[1:]
    for refs, source in zip(pairs[::2], pairs[1::2]):
        exact += compare(refs, source, differences)
    print(json.dumps({"exact": exact, "differences": differences}))


if __name__ == "__main__":
    main()
