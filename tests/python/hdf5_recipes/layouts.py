# SPDX-License-Identifier: MIT OR Apache-2.0
"""Data layouts, allocation, fill values, dataspaces and the file's own frame."""
import h5py
import numpy as np
from h5py import h5d

from . import MODERN, create, ramp, recipe

FILL_TIMES = {"never": h5d.FILL_TIME_NEVER, "allocation": h5d.FILL_TIME_ALLOC, "if_set": h5d.FILL_TIME_IFSET}


@recipe()
def compact(f):
    """Data inside the object header."""
    create(f, "small", (3, 5), "i2", ramp(3, 5, dtype="i2"), layout=h5d.COMPACT)
    create(f, "large", (1500,), ">f4", ramp(1500, dtype=">f4"), layout=h5d.COMPACT)
    create(f, "scalar", (), "f8", np.float64(2.5), layout=h5d.COMPACT)
    create(f, "never_written", (4,), "u2", layout=h5d.COMPACT)


@recipe()
def contiguous(f):
    """One run of bytes."""
    f.create_dataset("cube", data=ramp(3, 4, 5, dtype="f8"))
    f.create_dataset("long", data=ramp(4000, dtype=">u2"))
    f.create_dataset("late", (6,), "i4", fillvalue=17)
    create(f, "early", (6,), "i4", alloc_time=h5d.ALLOC_TIME_EARLY)


@recipe()
def external(f):
    """Data in other files, in several pieces and from an offset."""
    stem = f.filename.removesuffix(".h5")
    with open(f"{stem}.head.raw", "wb") as raw:
        raw.write(b"\xff" * 10)
    d = f.create_dataset("pieces", (30,), "<i4", external=[(f"{stem}.head.raw", 10, 40), (f"{stem}.tail.raw", 0, 80)])
    d[...] = ramp(30)
    d = f.create_dataset("one", (5, 2), "<f8", external=[(f"{stem}.one.raw", 0, h5py.h5f.UNLIMITED)])
    d[...] = ramp(5, 2, dtype="f8")
    f.create_dataset("lost", (8,), "<i2", external=[(f"{stem}.nowhere.raw", 0, 16)])


@recipe(*MODERN)
def virtual(f):
    """Datasets made of others: along chunk borders, across them, from the file itself, from names with numbers."""
    stem = f.filename.removesuffix(".h5")
    for part in range(3):
        with h5py.File(f"{stem}.part{part}.h5", "w", libver="v110") as s:
            s.create_dataset("block", data=ramp(4, 6) + 1000 * part, chunks=(2, 6), maxshape=(None, 6))
            s.create_dataset("plain", data=ramp(4, 6) + 1000 * part)
    f.create_dataset("own", data=ramp(10))
    whole = h5py.VirtualLayout((12, 6), "i4")
    plain = h5py.VirtualLayout((12, 6), "i4")
    gaps = h5py.VirtualLayout((14, 6), "i4")
    for part in range(3):
        whole[4 * part:4 * part + 4] = h5py.VirtualSource(f"{stem}.part{part}.h5", "block", shape=(4, 6))
        plain[4 * part:4 * part + 4] = h5py.VirtualSource(f"{stem}.part{part}.h5", "plain", shape=(4, 6))
        gaps[5 * part:5 * part + 4] = h5py.VirtualSource(f"{stem}.part{part}.h5", "block", shape=(4, 6))
    f.create_virtual_dataset("whole", whole, fillvalue=-5)
    f.create_virtual_dataset("plain", plain, fillvalue=-5)
    f.create_virtual_dataset("gaps", gaps, fillvalue=-5)
    strided = h5py.VirtualLayout((5,), "i4")
    strided[:] = h5py.VirtualSource(f["own"])[::2]
    f.create_virtual_dataset("strided", strided)
    lost = h5py.VirtualLayout((4,), "i4")
    lost[:] = h5py.VirtualSource(f"{stem}.nowhere.h5", "block", shape=(4,))
    f.create_virtual_dataset("lost", lost, fillvalue=8)
    growing = h5py.VirtualLayout((4, 6), "i4", maxshape=(None, 6))
    source = h5py.VirtualSource(f"{stem}.part1.h5", "block", shape=(4, 6), maxshape=(None, 6))
    growing[0:h5py.h5s.UNLIMITED, :] = source[0:h5py.h5s.UNLIMITED, :]
    f.create_virtual_dataset("growing", growing, fillvalue=-6)


@recipe()
def unallocated(f):
    """Defined, and never or partly written."""
    f.create_dataset("chunked", (40, 40), "f4", chunks=(10, 10), fillvalue=-1.5)
    f.create_dataset("deflated", (40,), "i2", chunks=(10,), compression="gzip")
    f.create_dataset("contiguous", (40,), "f8", fillvalue=np.pi)
    f.create_dataset("unlimited", (0, 4), "i4", maxshape=(None, 4), chunks=(8, 4))
    d = f.create_dataset("checkered", (8, 8), "i4", chunks=(2, 2), fillvalue=7)
    d[0:2, 2:4] = 1
    d[6:8, 6:8] = 2


@recipe()
def fill_values(f):
    """Fill values of every kind, on data that is partly written so that they are read."""
    kinds = {"nan": ("f4", np.nan), "minus_infinity": (">f8", -np.inf), "smallest": ("i8", -(2**63)), "largest": ("u8", 2**64 - 1),
             "text": ("S4", b"none"), "flag": ("?", True), "half": ("f2", 0.1), "tenth": ("f8", 0.1), "complex": ("c16", 1 - 2j)}
    for name, (dtype, value) in kinds.items():
        d = f.create_dataset(name, (6,), dtype, chunks=(2,), fillvalue=value)
        d[2:4] = np.zeros(2, dtype)
    pair = np.dtype([("a", "i2"), ("b", "f4")])
    f.create_dataset("compound", (4,), pair, chunks=(2,), fillvalue=np.array((3, 0.5), pair))[0:2] = np.zeros(2, pair)
    create(f, "undefined", (6,), "i4", chunk=(3,), fill_time=FILL_TIMES["never"])
    for name, when in FILL_TIMES.items():
        d = create(f, f"time_{name}", (6,), "i4", chunk=(3,), fill_value=np.array(11, "i4"), fill_time=when)
        d[0:6 if name == "never" else 3] = 1  # what was never filled has no value to compare


@recipe()
def two_fill_values(f):
    """Chunks that were never written, whose fill value is not the one that `_FillValue` marks as missing."""
    for name, options in {"plain": {}, "deflated": {"compression": "gzip", "shuffle": True}, "contiguous": {"chunks": None}}.items():
        for dtype, value, missing in (("f4", 7, -9999), (">i2", 7, -1), ("f8", np.nan, -9999), ("i4", 0, -1), ("f4", 7, 7)):
            d = f.create_dataset(f"{name}_{np.dtype(dtype).str[1:]}_{value}_{missing}", (6,), dtype, fillvalue=value, **{"chunks": (2,), **options})
            d.attrs["_FillValue"] = np.array([missing], dtype)
            if name != "contiguous":
                d[0:4] = [1, missing, 7, 2]


@recipe()
def dataspaces(f):
    """Null, scalar, empty and many-dimensional."""
    f.create_dataset("null", data=h5py.Empty("f4"))
    f.create_dataset("scalar", data=np.int16(-7))
    f.create_dataset("scalar_text", data=np.bytes_(b"abc"))
    f.create_dataset("no_rows", data=np.zeros((0, 3), "f4"))
    f.create_dataset("no_columns", (3, 0), "i4", chunks=(1, 1), maxshape=(3, None))
    f.create_dataset("one", data=ramp(1, 1, 1))
    f.create_dataset("rank_8", data=ramp(2, 1, 2, 1, 2, 1, 2, 2), chunks=(1, 1, 2, 1, 1, 1, 2, 2), compression="gzip")


def frame(f):
    """A little of everything, for files whose frame is unusual."""
    f.create_dataset("chunked", data=ramp(9, 9), chunks=(4, 4), compression="gzip")
    f.create_dataset("contiguous", data=ramp(200, dtype="f8"))
    f.create_dataset("group/text", data=["one", "two", ""], dtype=h5py.string_dtype())
    f["group"].attrs["note"] = "in an unusual frame"
    for number in range(30):
        f.create_dataset(f"many/n{number}", data=np.int8(number))


for block in (512, 4096):
    frame.__name__ = f"user_block_{block}"
    recipe(creation=lambda plan, block=block: plan.set_userblock(block))(frame)
for address, length in ((4, 4), (2, 2), (8, 4)):
    frame.__name__ = f"sizes_{address}_{length}"
    recipe(creation=lambda plan, address=address, length=length: plan.set_sizes(address, length))(frame)
frame.__name__ = "paged_space"
recipe(*MODERN, creation=lambda plan: (plan.set_file_space_strategy(h5py.h5f.FSPACE_STRATEGY_PAGE, True, 1),
                                       plan.set_file_space_page_size(512)))(frame)
