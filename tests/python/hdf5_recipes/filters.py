# SPDX-License-Identifier: MIT OR Apache-2.0
"""Filters: those of the library and of hdf5plugin, their order, their masks."""
import platform

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


def noise(*shape, dtype="u1", seed=11):
    """Bytes that no filter shrinks."""
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.random.default_rng(seed).integers(0, 256, count).astype("u1").view(dtype).reshape(shape)


def steps(count, dtype):
    """Slow slopes with zeros between, so that every way of coding a block occurs; three parts in four are noise of few bits."""
    values = np.concatenate([np.arange(count) // 5 % 100, np.zeros(count), np.random.default_rng(3).integers(0, 9, 2 * count)])
    return values.astype(dtype)


NUMBERS = ("i1", "u1", "<i2", ">u2", "<i4", ">u4", "<i8", ">i8", "<f4", ">f4", "<f8", ">f8")


@recipe()
def szip_types(f):
    """Both options, every number, blocks that do not divide the line, noise."""
    for dtype in NUMBERS:
        for option in ("nn", "ec"):
            name = f"{option}_{np.dtype(dtype).str[1:]}_{'big' if dtype.startswith('>') else 'little'}"
            f.create_dataset(name, data=steps(300, dtype), chunks=(500,), compression="szip", compression_opts=(option, 8))
    f.create_dataset("padded_lines", data=steps(90, "<i2").reshape(12, 30), chunks=(5, 11), compression="szip", compression_opts=("nn", 4))
    f.create_dataset("long_lines", data=steps(5000, "<i4"), chunks=(20000,), compression="szip", compression_opts=("nn", 32))
    f.create_dataset("zeros", data=np.zeros(9000, "<u2"), chunks=(9000,), compression="szip", compression_opts=("nn", 8))
    f.create_dataset("noise", data=noise(600, dtype="<i4"), chunks=(200,), compression="szip", compression_opts=("ec", 16))
    mixed = np.concatenate([steps(100, "<i4"), noise(400, dtype="<i4")])
    f.create_dataset("some_did_not_shrink", data=mixed, chunks=(100,), compression="szip", compression_opts=("nn", 8))
    f.create_dataset("shuffled", data=steps(300, "<f4"), chunks=(400,), shuffle=True, compression="szip")
    f.create_dataset("checked", data=steps(300, "<f4"), chunks=(400,), fletcher32=True, compression="szip")


@recipe()
def scaleoffset_types(f):
    """Integers and decimal floats of every kind, with fill values among them."""
    for dtype in NUMBERS:
        name = f"{np.dtype(dtype).str[1:]}_{'big' if dtype.startswith('>') else 'little'}"
        values = steps(60, dtype)
        f.create_dataset(name, data=values, chunks=(100,), scaleoffset=2 if values.dtype.kind == "f" else 0)
        f.create_dataset(f"{name}_wide", data=values, chunks=(100,), scaleoffset=5 if values.dtype.kind == "f" else 7)
        d = f.create_dataset(f"{name}_fill", (240,), dtype, chunks=(100,), scaleoffset=1 if values.dtype.kind == "f" else 0, fillvalue=77)
        d[:150] = np.where(np.arange(150) % 7 == 0, np.array(77, dtype), values[:150])
    f.create_dataset("negative", data=-steps(60, "<i4"), chunks=(100,), scaleoffset=0)
    f.create_dataset("tens", data=steps(60, "<f8") * 100, chunks=(100,), scaleoffset=0)
    f.create_dataset("all_alike", data=np.full(50, 9, "<i2"), chunks=(20,), scaleoffset=0)
    f.create_dataset("whole_range", data=noise(100, dtype="<i4"), chunks=(50,), scaleoffset=0)
    f.create_dataset("compressed", data=steps(60, "<i4"), chunks=(100,), scaleoffset=0, shuffle=True, compression="gzip")


@recipe()
def no_codec(f):
    """Pipelines that no Zarr codec undoes: the data goes into the references."""
    packed = [h5z.FILTER_NBIT, 0, ()]
    record = np.zeros(40, [("a", "<i2"), ("b", ">f4"), ("c", "S3")])
    record["a"], record["b"], record["c"] = ramp(40), ramp(40) / 4, b"xyz"
    create(f, "nbit_record", (40,), record.dtype, record, chunk=(16,), filter=packed)
    create(f, "nbit_f8", (40,), ">f8", ramp(40, dtype="f8"), chunk=(16,), filter=packed)
    f.create_dataset("lzf_zeros", data=np.zeros((64, 64), "<i4"), chunks=(32, 32), compression="lzf")
    f.create_dataset("cube", data=steps(60, "<i4").reshape(6, 8, 5), chunks=(4, 3, 5), scaleoffset=0)
    f.create_dataset("noise", data=noise(256, dtype="<i4"), chunks=(64,), scaleoffset=0)
    d = f.create_dataset("sparse", (100,), "<i4", chunks=(10,), scaleoffset=0, fillvalue=3)
    d[40:55] = ramp(15)
    d = create(f, "never_written", (16,), "i4", chunk=(8,), filter=[UNREGISTERED, OPTIONAL, ()])
    f.create_dataset("words", data=["one", "two", "three"] * 9, dtype=h5py.string_dtype(), chunks=(4,), compression="szip")
    f.create_dataset("lzf_words", data=["one", "two", "three"] * 9, dtype=h5py.string_dtype(), chunks=(4,), compression="lzf")


@recipe("v1", "latest")
def plugin_types(f):
    """Filters of hdf5plugin on elements of other lengths, on noise, on chunks of one block and of many."""
    for name, settings in {
        "lz4": hdf5plugin.LZ4(),
        "bits": hdf5plugin.Bitshuffle(cname="none"),
        "bits_blocks": hdf5plugin.Bitshuffle(cname="none", nelems=16),
        "bits_lz4": hdf5plugin.Bitshuffle(cname="lz4"),
        "bits_lz4_blocks": hdf5plugin.Bitshuffle(cname="lz4", nelems=64),
        "bits_zstd": hdf5plugin.Bitshuffle(cname="zstd"),
        "blosc2": hdf5plugin.Blosc2(),
        "blosc2_bits": hdf5plugin.Blosc2(cname="lz4", filters=hdf5plugin.Blosc2.BITSHUFFLE),
        "blosc2_delta": hdf5plugin.Blosc2(cname="zlib", filters=hdf5plugin.Blosc2.DELTA),
        "blosc2_plain": hdf5plugin.Blosc2(cname="blosclz", filters=hdf5plugin.Blosc2.NOFILTER),
    }.items():
        for dtype in ("u1", "<i2", ">f4", "<f8", "<c16"):
            f.create_dataset(f"{name}_{np.dtype(dtype).str[1:]}", data=steps(1000, dtype), chunks=(1500,), **settings)
        f.create_dataset(f"{name}_noise", data=noise(999, dtype="<i4"), chunks=(333,), **settings)
        f.create_dataset(f"{name}_zeros", data=np.zeros(50000, "<i4"), chunks=(30000,), **settings)
        f.create_dataset(f"{name}_few", data=ramp(5, dtype="<i4"), chunks=(5,), **settings)
        f.create_dataset(f"{name}_many", data=steps(12500, "<i4").reshape(250, 200), chunks=(250, 150), **settings)
    f.create_dataset("blosc2_blocks", data=steps(90000, "<i4").reshape(600, 600), chunks=(500, 590), **hdf5plugin.Blosc2(cname="lz4"))
    f.create_dataset("blosc2_cube", data=steps(45000, "<u2").reshape(50, 60, 60), chunks=(47, 50, 33), **hdf5plugin.Blosc2(filters=hdf5plugin.Blosc2.DELTA))
    f.create_dataset("shuffled_lz4", data=steps(1000, "<i4"), chunks=(1500,), shuffle=True, **hdf5plugin.LZ4())
    f.create_dataset("checked_bits", data=steps(1000, "<i4"), chunks=(1500,), fletcher32=True, **hdf5plugin.Bitshuffle(cname="none"))


@recipe("v1", "latest")
def plugin_filters(f):
    """The lossless ones of hdf5plugin, one that may be, and one that nobody decodes."""
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
    f.create_dataset("sperr_f4", data=ramp(16, 16, dtype="f4"), chunks=(8, 8), **hdf5plugin.Sperr(rate=8))
    f.create_dataset("zstd_text", data=np.array([b"ab", b"cde"] * 20), chunks=(16,), **hdf5plugin.Zstd())


@recipe("v1", "latest")
def zfp(f):
    """Every mode, type and number of axes, blocks that reach over the edge, and values at both ends of what floats hold."""
    modes = {
        "rate": {"rate": 11}, "precision": {"precision": 13}, "accuracy": {"accuracy": 0.01}, "lossless": {"reversible": True},
        "expert": {"minbits": 20, "maxbits": 900, "maxprec": 40, "minexp": -20},
    }
    shapes = {1: ((301,), (130,)), 2: ((33, 18), (30, 9)), 3: ((9, 11, 14), (5, 11, 7)), 4: ((5, 6, 7, 9), (5, 3, 7, 9))}
    for rank, (shape, chunks) in shapes.items():
        count = int(np.prod(shape))
        waves = np.sin(np.arange(count) / 7) * 1000 + np.arange(count) / 3
        waves[count // 3:count // 2] = 0
        for dtype in ("<f4", "<f8", "<i4", "<i8"):
            for mode, settings in modes.items():
                if mode == "accuracy" and "i" in dtype:
                    continue  # integers have none
                name = f"{mode}_{dtype[1:]}_{rank}"
                f.create_dataset(name, data=waves.astype(dtype).reshape(shape), chunks=chunks, **hdf5plugin.Zfp(**settings))
    tiny = np.array([0, 1e-310, -5e-324, 2e-308, np.nan, np.inf, -np.inf, -0.0, 1.7e308, -1e300, 1, 2])
    huge = np.array([1.7e308, -1e300, 5e-324, 1, 0, 0, 0, 0, 1e-310, -5e-324, 2e-308, 0])
    f.create_dataset("lossless_extremes", data=tiny, chunks=(12,), **hdf5plugin.Zfp(reversible=True))
    f.create_dataset("extremes", data=huge, chunks=(12,), **hdf5plugin.Zfp(precision=60))
    f.create_dataset("extremes_f4", data=np.array([3e38, -1e-40, 1, 0, 1e-45, 1e-40, 0, 0], "f4"), chunks=(8,), **hdf5plugin.Zfp(precision=32))
    f.create_dataset("noise", data=noise(40, 50, dtype="<i4"), chunks=(17, 50), **hdf5plugin.Zfp(reversible=True))
    f.create_dataset("wide_noise", data=noise(40, 50, dtype="<i8"), chunks=(17, 50), **hdf5plugin.Zfp(rate=20))
    f.create_dataset("long_axes_only", data=ramp(1, 60, 1, dtype="<f8"), chunks=(1, 60, 1), **hdf5plugin.Zfp(precision=30))
    f.create_dataset("shuffled", data=ramp(64, dtype="<f8"), chunks=(32,), fletcher32=True, **hdf5plugin.Zfp(reversible=True))


# SZ leaves to the compiler what numbers out of range become, and whether multiplications and additions round on their own.
SZ_AS_HERE = platform.machine() in ("x86_64", "AMD64")


@recipe("v1")
def sz(f):
    """Every type, number of axes and kind of bound, and values for which all ways of predicting occur; what is not compressed."""
    shapes = {1: ((1900,), (1500,)), 2: ((60, 53), (37, 53)), 3: ((13, 16, 19), (13, 14, 10)), 4: ((5, 6, 12, 11), (5, 6, 9, 11))}
    modes = {
        "fine": {"absolute": 1e-4}, "coarse": {"absolute": 2}, "relative": {"relative": 1e-2},
        "pointwise": {"pointwise_relative": 0.1}, "pointwise_fine": {"pointwise_relative": 1e-6},
    }
    for rank, (shape, chunks) in shapes.items() if SZ_AS_HERE else ():
        n = np.arange(np.prod(shape))
        random = np.random.default_rng(rank)
        values = {
            "smooth": np.sin(n / 70) * 90,
            "rough": random.normal(0, 9, len(n)).cumsum() % 100 - 20,
            "mostly_one": np.where(random.random(len(n)) < 0.05, random.normal(0, 10, len(n)), 1.5),
            "gaps": np.where(n % 37 == 5, np.nan, np.cos(n / 50) * 1e3),
            "zeros": np.where(n % 500 < 200, 0, np.sin(n / 30) * 50),
            "orders": 10.0 ** random.integers(-20, 20, len(n)) * np.where(n % 3, -1, 1),
        }
        for kind, data in values.items():
            for dtype in ("<f4", "<f8"):
                for mode, settings in modes.items():
                    name = f"{kind}_{dtype[1:]}_{rank}_{mode}"
                    f.create_dataset(name, data=data.astype(dtype).reshape(shape), chunks=chunks, **hdf5plugin.SZ(**settings))
        for dtype in ("<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8"):
            slopes = (n // 3 % 97 + n % 7).astype(dtype).reshape(shape)
            wide = (np.abs(np.sin(n / 40)) * np.iinfo(dtype).max / 3).astype(dtype).reshape(shape)
            f.create_dataset(f"{dtype[1:]}_{rank}", data=slopes, chunks=chunks, **hdf5plugin.SZ(absolute=3))
            f.create_dataset(f"{dtype[1:]}_{rank}_wide", data=wide, chunks=chunks, **hdf5plugin.SZ(relative=1e-3))
    f.create_dataset("constant", data=np.full((8, 30), 3.75), chunks=(8, 30), **hdf5plugin.SZ(absolute=0.1))
    f.create_dataset("constant_i4", data=np.full(400, -7, "<i4"), chunks=(400,), **hdf5plugin.SZ(absolute=1))
    f.create_dataset("constant_pointwise", data=np.full(400, 7.5, "<f4"), chunks=(400,), **hdf5plugin.SZ(pointwise_relative=0.1))
    f.create_dataset("noise", data=noise(40, 50, dtype="<i4").astype("<f8"), chunks=(17, 50), **hdf5plugin.SZ(absolute=1e-3))
    f.create_dataset("few", data=ramp(19, dtype="<f4"), chunks=(19,), **hdf5plugin.SZ(absolute=0.1))
    f.create_dataset("one_row", data=ramp(1, 40, dtype="<f4"), chunks=(1, 40), **hdf5plugin.SZ(absolute=0.1))
    f.create_dataset("big_endian", data=ramp(400, dtype=">f4"), chunks=(400,), **hdf5plugin.SZ(absolute=0.1))
    f.create_dataset("flat_axes", data=ramp(1, 60, 1, 40, dtype="<f8"), chunks=(1, 60, 1, 40), **hdf5plugin.SZ(absolute=0.5))


@recipe("v1", "latest")
def sz3(f):
    """Every type and number of axes, smooth values and rough ones, so that all predictors occur; chunks that are too short."""
    shapes = {1: ((3001,), (1300,)), 2: ((66, 70), (60, 39)), 3: ((19, 21, 24), (15, 11, 17)), 4: ((9, 10, 11, 12), (9, 7, 8, 12))}
    for rank, (shape, chunks) in shapes.items():
        count = int(np.prod(shape))
        smooth = np.sin(np.arange(count) / 70) * 90
        line = np.abs(np.arange(count) % 97 - 48) * 2.5
        rough = np.random.default_rng(rank).normal(0, 9, count).cumsum() % 100
        for kind, values in (("smooth", smooth), ("line", line), ("rough", rough)):
            for dtype in ("<f4", "<f8"):
                for bound in (1e-4, 0.03, 2):
                    name = f"{kind}_{dtype[1:]}_{rank}_{bound}"
                    f.create_dataset(name, data=values.astype(dtype).reshape(shape), chunks=chunks, **hdf5plugin.SZ3(absolute=bound))
            f.create_dataset(f"{kind}_relative_{rank}", data=values.reshape(shape), chunks=chunks, **hdf5plugin.SZ3(relative=1e-3))
    f.create_dataset("norm", data=np.sin(np.arange(6000.)).reshape(20, 300), chunks=(20, 300), **hdf5plugin.SZ3(norm2=0.1))
    f.create_dataset("few", data=ramp(19, dtype="<f4"), chunks=(19,), **hdf5plugin.SZ3(absolute=0.1))
    f.create_dataset("zeros", data=np.zeros(500), chunks=(400,), **hdf5plugin.SZ3(absolute=0.1))
    f.create_dataset("noise", data=np.random.default_rng(9).normal(0, 1e6, (40, 50, 6)), chunks=(17, 50, 6), **hdf5plugin.SZ3(absolute=1e-3))
    f.create_dataset("flat_axes", data=ramp(1, 60, 1, 40, dtype="<f8"), chunks=(1, 60, 1, 40), **hdf5plugin.SZ3(absolute=0.5))
    # The plugin ends the process for some arrays of single bytes; what predictions below zero become is the machine's own.
    unsigned = ("<u2", "<u4", "<u8") if SZ_AS_HERE else ()
    for dtype in ("<i2", "<i4", "<i8", *unsigned):
        for rank, (shape, chunks) in shapes.items():
            values = np.arange(np.prod(shape)) // 3 % 97 * 31
            f.create_dataset(f"{dtype[-2:]}_{rank}", data=values.astype(dtype).reshape(shape), chunks=chunks, **hdf5plugin.SZ3(absolute=3))
