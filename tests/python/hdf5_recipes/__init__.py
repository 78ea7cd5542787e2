# SPDX-License-Identifier: MIT OR Apache-2.0
"""Recipes for small HDF5 files, each around one structure of the file format, and how they are run.

A recipe is a function that fills an open file; `@recipe(...)` registers it. One file is written per format generation:
`v1` the oldest structures (superblock 0), `v108` those of NetCDF-4, `v110` the chunk indexes of HDF5 1.10, `latest`
whatever this library writes newest.
"""
import ctypes
import glob
import os

import h5py
import numpy as np

GENERATIONS = {
    "v1": (h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_V18),
    "v108": (h5py.h5f.LIBVER_V18, h5py.h5f.LIBVER_V18),
    "v110": (h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110),
    "latest": (h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST),
}
USUAL = ("v1", "v110", "latest")
MODERN = ("v110", "latest")
RECIPES = []


def recipe(*generations, creation=None):
    """Register a recipe for some generations; `creation` may change the file creation property list."""
    def register(fill):
        RECIPES.append((fill.__name__, generations or USUAL, creation, fill))
        return fill
    return register


def write_all(out):
    """Run every recipe inside the folder `out` and return the names of what was written."""
    names = []
    back = os.getcwd()
    os.chdir(out)
    try:
        for name, generations, creation, fill in RECIPES:
            for generation in generations:
                path = f"{name}.{generation}.h5"
                access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
                access.set_libver_bounds(*GENERATIONS[generation])
                plan = h5py.h5p.create(h5py.h5p.FILE_CREATE)
                if creation:
                    creation(plan)
                with h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, plan, access)) as f:
                    fill(f)
                names.append(path)
    finally:
        os.chdir(back)
    return names


def ramp(*shape, dtype="i4"):
    """Values that differ from one another and from every fill value used here."""
    count = int(np.prod(shape))
    return (np.arange(1, count + 1) * 7 % 121 + 1).astype(dtype).reshape(shape)


def create(f, name, shape, dtype="i4", values=None, maxshape=None, **settings):
    """A dataset through the low-level interface: `settings` name the property list's setters and their arguments."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    for setter, arguments in settings.items():
        getattr(plan, f"set_{setter}")(*(arguments if isinstance(arguments, list) else [arguments]))
    kind = dtype if isinstance(dtype, h5py.h5t.TypeID) else h5py.h5t.py_create(np.dtype(dtype), logical=True)
    limits = maxshape and tuple(h5py.h5s.UNLIMITED if limit is None else limit for limit in maxshape)
    identifier = h5py.h5d.create(f.id, name.encode(), kind, h5py.h5s.create_simple(shape, limits), plan)
    if values is not None:
        in_memory = kind if kind.get_class() == h5py.h5t.ARRAY else None  # h5py has no element of that type
        identifier.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values), in_memory)
    return h5py.Dataset(identifier)


def library():
    """The HDF5 library inside h5py, for the calls that h5py does not wrap."""
    home = os.path.dirname(h5py.__file__)
    found = glob.glob(os.path.join(home, "..", "h5py.libs", "libhdf5-*")) + glob.glob(os.path.join(home, ".dylibs", "libhdf5.*"))
    if not found:
        raise RuntimeError(f"no HDF5 library beside {home}: install the h5py wheel of requirements.txt")
    return ctypes.CDLL(found[0])


def set_property(plan, function, *arguments):
    """Call `H5P<function>` on a property list, with unsigned arguments."""
    status = getattr(library(), f"H5P{function}")(ctypes.c_int64(plan.id), *(ctypes.c_uint(argument) for argument in arguments))
    if status < 0:
        raise RuntimeError(f"H5P{function}{arguments} failed")
