# SPDX-License-Identifier: MIT OR Apache-2.0
"""Messages that ecCodes packs: every packing, with many bits, sizes, scales and kinds of missing values."""

import itertools
import os

import eccodes as ec
import numpy as np

MISSING = 1e100
# What is missing when it is packed: some packers of ecCodes end the process at numbers that edition 1 cannot have.
LARGE = 1e30
SIZES = [(1, 1), (2, 1), (5, 3), (16, 9), (61, 47)]
BITS = {
    "grid_simple": range(0, 33), "grid_ccsds": range(0, 33), "grid_png": [0, 1, 3, 8, 9, 12, 16, 17, 24, 25, 31],
    "grid_jpeg": [0, 1, 2, 7, 8, 11, 16, 20, 24], "grid_complex": [1, 2, 5, 8, 12, 16, 20, 23],
    "grid_complex_spatial_differencing": [1, 2, 5, 8, 12, 16, 20, 23], "grid_ieee": [32, 64],
    "grid_simple_log_preprocessing": [1, 7, 8, 12, 16, 24], "grid_run_length": [8],
}  # fmt: skip
SECOND_ORDER = ["", "_no_SPD", "_SPD1", "_SPD2", "_SPD3", "_boustrophedonic", "_no_boustrophedonic"]


def apart(pack, *arguments):
    """What a packer returns, in a process of its own: ecCodes ends the process at some fields."""
    reading, writing = os.pipe()
    if not os.fork():
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pack(*arguments) or b"")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        message = pipe.read()
    _, status = os.wait()
    return message if message and status == 0 else None


def field(random, kind, count):
    """Values of a kind: a wave, noise, steps, or the same everywhere."""
    if kind == "wave":
        return 273.15 + 20 * np.sin(np.arange(count) / 7) + random.normal(size=count) * 0.01
    if kind == "noise":
        return random.normal(size=count) * 10.0 ** random.integers(-5, 6)
    if kind == "steps":
        return np.repeat(random.integers(-9, 10, size=count // 5 + 1), 5)[:count] * 0.5
    if kind == "positive":
        return np.exp(random.normal(size=count))
    if kind == "number":
        # One of them is the number that ecCodes takes for missing values unless it is told otherwise.
        return np.where(np.arange(count) % 4 == 1, 9999.0, np.arange(count) % 10000.0)
    return np.full(count, float(np.float32(random.normal() * 100)))


def handle_of(edition, size, keys):
    """A message of a regular grid."""
    handle = ec.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
    ni, nj = size
    for key, value in dict(Ni=ni, Nj=nj, iDirectionIncrementInDegrees=1, jDirectionIncrementInDegrees=1).items():
        ec.codes_set(handle, key, value)
    if edition == 2:
        ec.codes_set(handle, "numberOfDataPoints", ni * nj)
    for key, value in keys.items():
        ec.codes_set(handle, key, value)
    return handle


def packed(edition, size, packing, bits, values, missing, keys, late=()):
    """One message, or `None` where ecCodes does not write it."""
    handle = handle_of(edition, size, keys)
    try:
        ec.codes_set(handle, "missingValue", LARGE)
        values = np.array(values, "f8")
        if missing == "bitmap":
            values[::3] = LARGE
            ec.codes_set(handle, "bitmapPresent", 1)
        elif missing == "all":
            values[:] = LARGE
            ec.codes_set(handle, "bitmapPresent", 1)
        # Second-order packings are made of others: their packers do not take values at once.
        is_late = "second_order" in packing
        if not is_late:
            ec.codes_set(handle, "packingType", packing)
        if missing in (1, 2):
            ec.codes_set(handle, "missingValueManagementUsed", missing)
            values[1::3] = 9999
        for key, value in late:
            ec.codes_set(handle, key, value)
        if packing == "grid_ieee":
            ec.codes_set(handle, "precision", 1 if bits == 32 else 2)
        elif bits is not None:
            ec.codes_set(handle, "bitsPerValue", bits)
        ec.codes_set_values(handle, values)
        if is_late:
            ec.codes_set(handle, "packingType", packing)
        return ec.codes_get_message(handle)
    except ec.CodesInternalError:
        return None
    finally:
        ec.codes_release(handle)


def grids(random, every):
    """Messages of grid points: (name, message or None)."""
    cases = []
    for packing, bits in BITS.items():
        for bit, size, missing in itertools.product(bits, SIZES, [None, "bitmap", "all"]):
            cases.append((2, packing, bit, size, missing, ()))
    for order, bit, size, missing in itertools.product([1, 2], [1, 4, 8, 13, 16, 21], SIZES[1:], [None, "bitmap", 1, 2]):
        cases.append((2, "grid_complex_spatial_differencing", bit, size, missing, [("orderOfSpatialDifferencing", order)]))
    for bit, size, missing in itertools.product([1, 4, 8, 13, 16, 21], SIZES[1:], [1, 2]):
        cases.append((2, "grid_complex", bit, size, missing, ()))
    # Without padded intervals, which the libaec of ecCodes reads but does not write.
    for flags, block, interval, bit in itertools.product([0, 8, 14, 15, 9], [8, 16, 32, 64], [1, 3, 128, 4096], [1, 4, 8, 11, 16, 19, 24, 32]):
        late = [("ccsdsFlags", flags), ("ccsdsBlockSize", block), ("ccsdsRsi", interval)]
        cases.append((2, "grid_ccsds", bit, SIZES[4], None, late))
    for flags, bit in itertools.product([24, 16], [1, 2, 3, 4]):
        cases.append((2, "grid_ccsds", bit, SIZES[4], None, [("ccsdsFlags", flags)]))
    for bit, size, missing in itertools.product(range(0, 33), SIZES, [None, "bitmap", "all"]):
        cases.append((1, "grid_simple", bit, size, missing, ()))
    # In edition 2 ecCodes writes differences of the second order well, and too few values of the others.
    orders = [(1, kind) for kind in SECOND_ORDER] + [(2, kind) for kind in SECOND_ORDER if "SPD1" not in kind and "SPD3" not in kind and "no_SPD" not in kind]
    for (edition, kind), bit, size, missing in itertools.product(orders, [1, 4, 8, 12, 16, 24], SIZES, [None, "bitmap"]):
        cases.append((edition, "grid_second_order" + kind, bit, size, missing, ()))
    for bit, size in itertools.product([32, 64], SIZES):
        cases.append((1, "grid_ieee", bit, size, None, ()))
    for index, (edition, packing, bits, size, missing, late) in enumerate(cases):
        for kind in ["wave", "noise", "steps", "constant", "number", "positive"]:
            draw = random.integers(every)
            scale = int(random.choice([0, 0, 1, 3, -2]))
            values = field(random, kind, size[0] * size[1])
            if draw:
                continue
            # ecCodes ends the process at some with a bit map.
            if "log" in packing and (kind not in ("positive", "wave") or missing):
                continue
            if missing in (1, 2) and kind == "number":
                continue
            keys = {"decimalScaleFactor": scale} if scale and "ieee" not in packing else {}
            name = f"edition {edition} {packing}" + (f" missing {missing}" if missing else "")
            yield name, apart(packed, edition, size, packing, bits, values, missing, keys, late)


def spectra(random):
    """Messages of spherical harmonics."""
    for edition, truncation, packing, bits, subset, scale in itertools.product(
        [1, 2], [21, 31], ["spectral_simple", "spectral_complex"], [0, 4, 12, 16, 24], [0, 3, 20, 21, 31], [0, 2]
    ):
        handle = ec.codes_grib_new_from_samples(f"sh_sfc_grib{edition}")
        try:
            for key in "JKM":
                ec.codes_set(handle, key, truncation)
            ec.codes_set(handle, "packingType", packing)
            if packing == "spectral_complex":
                # In a subset of more than all, ecCodes writes past the end.
                if subset > truncation:
                    continue
                for key in ["JS", "KS", "MS"]:
                    ec.codes_set(handle, key, subset)
            elif subset:
                continue
            ec.codes_set(handle, "bitsPerValue", bits)
            ec.codes_set(handle, "decimalScaleFactor", scale)
            count = (truncation + 1) * (truncation + 2)
            values = random.normal(size=count) / (1 + np.arange(count))
            values[1 : 2 * truncation + 2 : 2] = 0
            ec.codes_set_values(handle, values)
            yield f"edition {edition} {packing}", ec.codes_get_message(handle)
        except ec.CodesInternalError:
            yield f"edition {edition} {packing}", None
        finally:
            ec.codes_release(handle)


def all_messages(seed, every):
    random = np.random.default_rng(seed)
    yield from grids(random, every)
    yield from spectra(random)
