# SPDX-License-Identifier: MIT OR Apache-2.0
"""Filters: those of the library and of hdf5plugin, their order, their masks."""
import h5py
import hdf5plugin
import numpy as np
from h5py import h5z

from . import create, ramp, recipe

UNREGISTERED = 511  # of the range for private tests
OPTIONAL = h5z.FLAG_OPTIONAL


def both_kinds(f, name, **settings):
    """Integers and floats whose last chunks reach over the edge."""
    f.create_dataset(f"{name}_i4", data=ramp(30, 22), chunks=(16, 16), **settings)
    f.create_dataset(f"{name}_f8", data=ramp(700, dtype=">f8") / 8, chunks=(256,), **settings)


@recipe()
def deflate_and_shuffle(f):
    """What NetCDF-4 uses."""
    both_kinds(f, "deflate", compression="gzip", compression_opts=9)
    both_kinds(f, "shuffle", shuffle=True)
    both_kinds(f, "both", compression="gzip", shuffle=True)
    both_kinds(f, "checksum", fletcher32=True)
    both_kinds(f, "all", compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("odd_length", data=ramp(5, 3, dtype="u1"), chunks=(5, 3), fletcher32=True)


@recipe()
def filter_order(f):
    """Pipelines in an order of their own, and a filter twice."""
    create(f, "deflate_then_shuffle", (64,), "i4", ramp(64), chunk=(32,), deflate=3, shuffle=[])
    create(f, "checksum_first", (64,), "i4", ramp(64), chunk=(32,), fletcher32=[], deflate=3)
    plan_twice = {"chunk": (32,), "deflate": 1, "filter": [h5z.FILTER_DEFLATE, 0, (9,)]}
    create(f, "deflate_twice", (64,), "i4", ramp(64), **plan_twice)
    create(f, "shuffle_between", (64,), "f8", ramp(64, dtype="f8"), chunk=(32,), fletcher32=[], shuffle=[], deflate=5)


@recipe()
def filter_masks(f):
    """Chunks for which some filters were left out."""
    d = f.create_dataset("d", (24,), "i4", chunks=(8,), compression="gzip", shuffle=True)
    d[:8] = ramp(8)
    raw = ramp(8).tobytes()
    d.id.write_direct_chunk((8,), raw, filter_mask=3)
    d.id.write_direct_chunk((16,), np.frombuffer(raw, "u1").reshape(8, 4).T.tobytes(), filter_mask=2)
    d = f.create_dataset("all_alike", (16,), "f8", chunks=(8,), compression="gzip")
    for start in (0, 8):
        d.id.write_direct_chunk((start,), (ramp(8, dtype="f8") + start).tobytes(), filter_mask=1)
    noise = np.random.default_rng(5).integers(0, 256, 512).astype("u1")
    f.create_dataset("did_not_shrink", data=noise, chunks=(128,), compression="lzf")
    d = create(f, "unregistered", (16,), "i4", chunk=(8,), filter=[UNREGISTERED, OPTIONAL, (1, 2, 3)])
    d[...] = ramp(16)
    d = create(f, "large_mask", (4000,), "i4", chunk=(2000,), deflate=1)
    d[:2000] = ramp(2000)
    d.id.write_direct_chunk((2000,), ramp(2000).tobytes(), filter_mask=1)


@recipe()
def library_filters(f):
    """The rest of what comes with HDF5 and h5py."""
    both_kinds(f, "lzf", compression="lzf")
    both_kinds(f, "lzf_shuffle", compression="lzf", shuffle=True)
    both_kinds(f, "szip_nn", compression="szip", compression_opts=("nn", 8))
    both_kinds(f, "szip_ec", compression="szip", compression_opts=("ec", 16))
    f.create_dataset("scaleoffset_i4", data=ramp(90), chunks=(40,), scaleoffset=0)
    f.create_dataset("scaleoffset_u2_fill", data=ramp(90, dtype="u2"), chunks=(40,), scaleoffset=0, fillvalue=5)
    f.create_dataset("scaleoffset_f4", data=ramp(90, dtype="f4") / 10, chunks=(40,), scaleoffset=1)
    create(f, "nbit_full", (90,), "i2", ramp(90, dtype="i2"), chunk=(40,), filter=[h5z.FILTER_NBIT, 0, ()])
    twelve = h5py.h5t.STD_U16LE.copy()
    twelve.set_precision(12)
    create(f, "nbit_twelve", (90,), twelve, ramp(90, dtype="u2"), chunk=(40,), filter=[h5z.FILTER_NBIT, 0, ()])


@recipe("v1", "latest")
def plugin_filters(f):
    """The lossless ones of hdf5plugin, and one that is not."""
    both_kinds(f, "lz4", **hdf5plugin.LZ4())
    both_kinds(f, "lz4_blocks", **hdf5plugin.LZ4(nbytes=512))
    both_kinds(f, "zstd", **hdf5plugin.Zstd(clevel=3))
    both_kinds(f, "bzip2", **hdf5plugin.BZip2())
    for name in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        both_kinds(f, f"blosc_{name}", **hdf5plugin.Blosc(cname=name, clevel=5, shuffle=hdf5plugin.Blosc.SHUFFLE))
    both_kinds(f, "blosc_bits", **hdf5plugin.Blosc(cname="lz4", shuffle=hdf5plugin.Blosc.BITSHUFFLE))
    both_kinds(f, "blosc2", **hdf5plugin.Blosc2(cname="zstd"))
    both_kinds(f, "bitshuffle", **hdf5plugin.Bitshuffle(cname="none"))
    both_kinds(f, "bitshuffle_lz4", **hdf5plugin.Bitshuffle(cname="lz4"))
    both_kinds(f, "bitshuffle_zstd", **hdf5plugin.Bitshuffle(cname="zstd"))
    f.create_dataset("zfp_f4", data=ramp(16, 16, dtype="f4"), chunks=(8, 8), **hdf5plugin.Zfp(reversible=True))
    f.create_dataset("zstd_text", data=np.array([b"ab", b"cde"] * 20), chunks=(16,), **hdf5plugin.Zstd())
