# SPDX-License-Identifier: MIT OR Apache-2.0
"""Chunk indexes: single chunk, implicit, fixed array, extensible array, B-trees of both versions."""
import h5py
import numpy as np

from . import MODERN, create, ramp, recipe, set_property

EARLY = h5py.h5d.ALLOC_TIME_EARLY


@recipe()
def single_chunk(f):
    """The whole dataset is one chunk."""
    f.create_dataset("whole", data=ramp(6, 9), chunks=(6, 9))
    f.create_dataset("deflated", data=ramp(6, 9, dtype="f8"), chunks=(6, 9), compression="gzip")
    f.create_dataset("room", data=ramp(4, 4), chunks=(8, 8), maxshape=(8, 8))
    f.create_dataset("empty", (5, 5), "i2", chunks=(5, 5), fillvalue=-3)


@recipe(*MODERN)
def implicit(f):
    """Chunks allocated early, without filters: their places follow from the first address."""
    create(f, "even", (8, 12), "i4", ramp(8, 12), chunk=(4, 6), alloc_time=EARLY)
    create(f, "edges", (7, 5, 3), "f4", ramp(7, 5, 3, dtype="f4"), chunk=(3, 2, 2), alloc_time=EARLY)
    create(f, "room", (6, 6), "i2", ramp(6, 6, dtype="i2"), maxshape=(6, 12), chunk=(3, 3), alloc_time=EARLY)


def fixed_array(count):
    """A recipe with so many chunks; a page of the index holds 1024."""
    def fill(f):
        f.create_dataset("plain", data=ramp(count, dtype="i2"), chunks=(1,))
        f.create_dataset("deflated", data=ramp(count, 3, dtype="u1"), chunks=(1, 3), compression="gzip", compression_opts=1)
    fill.__name__ = f"fixed_array_{count}"
    return fill


for number in (2, 700, 1023, 1024, 1025, 2048, 2050):
    recipe(*MODERN)(fixed_array(number))


@recipe(*MODERN)
def fixed_array_holes(f):
    """Whole pages that were never written, between written ones."""
    for name, settings in (("plain", {}), ("deflated", {"compression": "gzip"})):
        d = f.create_dataset(name, (5200, 2), "i2", chunks=(2, 2), fillvalue=-9, **settings)
        d[40:44] = 5
        d[2049:2051] = 6
        d[5198:] = 7


@recipe(*MODERN)
def fixed_array_room(f):
    """Room to grow, to a fixed limit."""
    f.create_dataset("both", data=ramp(9, 14), chunks=(4, 5), maxshape=(16, 30))
    f.create_dataset("last", data=ramp(9, 14), chunks=(4, 5), maxshape=(9, 40), compression="gzip")
    f.create_dataset("first", data=ramp(2, 3, 8), chunks=(1, 2, 3), maxshape=(20, 3, 8), shuffle=True)


@recipe(*MODERN)
def extensible_axes(f):
    """One unlimited axis, in every position; libhdf5 tells wrong places for all but the first."""
    for axis in range(3):
        limits = [6, 10, 8]
        limits[axis] = None
        f.create_dataset(f"axis{axis}", data=ramp(6, 10, 8), chunks=(2, 3, 4), maxshape=limits)
        f.create_dataset(f"axis{axis}_deflated", data=ramp(6, 10, 8), chunks=(2, 3, 4), maxshape=limits, compression="gzip")
    f.create_dataset("room_behind", data=ramp(12, 7), chunks=(5, 3), maxshape=(None, 20))
    f.create_dataset("room_before", data=ramp(7, 12), chunks=(3, 5), maxshape=(22, None))
    f.create_dataset("line", data=ramp(33), chunks=(4,), maxshape=(None,))


@recipe(*MODERN)
def extensible_long(f):
    """Past the index block, into data blocks and super blocks."""
    f.create_dataset("plain", data=ramp(3500, dtype="i2"), chunks=(1,), maxshape=(None,))
    f.create_dataset("deflated", data=ramp(1800, dtype="i2"), chunks=(1,), maxshape=(None,), compression="gzip")


@recipe(*MODERN)
def extensible_paged(f):
    """So far out that data blocks come in pages, most of them never written."""
    for name, settings in (("plain", {}), ("deflated", {"compression": "gzip"})):
        d = f.create_dataset(name, (300_000,), "i1", chunks=(1,), maxshape=(None,), fillvalue=-4, **settings)
        for start in (0, 3, 200, 5_000, 131_070, 150_000, 299_990):
            d[start:start + 5] = np.arange(1, 6)


@recipe(*MODERN)
def extensible_holes(f):
    """A few chunks written out of many."""
    d = f.create_dataset("d", (4, 9000), "f4", chunks=(2, 9), maxshape=(4, None), fillvalue=np.nan, compression="gzip")
    d[3, 17] = 1.5
    d[0, 8000:8100] = ramp(100, dtype="f4")


@recipe(*MODERN)
def btree_v2(f):
    """Two unlimited axes or more."""
    f.create_dataset("leaf", data=ramp(9, 9), chunks=(4, 4), maxshape=(None, None))
    f.create_dataset("deflated", data=ramp(40, 40), chunks=(4, 4), maxshape=(None, None), compression="gzip", shuffle=True)
    f.create_dataset("three", data=ramp(5, 6, 7), chunks=(2, 2, 2), maxshape=(None, 9, None))
    f.create_dataset("deep", data=ramp(90, 80, dtype="i1"), chunks=(1, 1), maxshape=(None, None))


@recipe("v1", "v108")
def btree_v1(f):
    """The index of the old formats, several levels deep."""
    f.create_dataset("deep", data=ramp(4500, dtype="i2"), chunks=(1,))
    f.create_dataset("edges", data=ramp(19, 22), chunks=(8, 9), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("unlimited", data=ramp(7, 8, 9), chunks=(2, 3, 4), maxshape=(None, 8, None))


@recipe("v1", creation=lambda plan: (set_property(plan, "set_istore_k", 2), set_property(plan, "set_sym_k", 2, 2)))
def btree_v1_narrow(f):
    """Nodes of four entries, so that few chunks and few names make a tall tree."""
    f.create_dataset("tall", data=ramp(16, 20), chunks=(1, 2), compression="gzip")
    for number in range(90):
        f.create_dataset(f"name{number * 37 % 90:02d}", data=np.int16(number))


@recipe()
def resized(f):
    """Grown and shrunk after writing: chunks outside the shape, chunks never written."""
    d = f.create_dataset("shrunk", data=ramp(20, 20), chunks=(5, 5), maxshape=(None, 20))
    d.resize((7, 20))
    d = f.create_dataset("shrunk_then_grown", data=ramp(20, 20), chunks=(6, 6), maxshape=(None, None), fillvalue=-1)
    d.resize((8, 9))
    d.resize((18, 21))
    d = f.create_dataset("grown", data=ramp(5), chunks=(4,), maxshape=(None,), fillvalue=99)
    d.resize((31,))
    d = f.create_dataset("emptied", data=ramp(5), chunks=(4,), maxshape=(None,))
    d.resize((0,))
    f.create_dataset("chunk_beyond_shape", data=ramp(3), chunks=(512,), maxshape=(None,), compression="gzip")
