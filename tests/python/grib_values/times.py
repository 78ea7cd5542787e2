# SPDX-License-Identifier: MIT OR Apache-2.0
"""Times of decoding beside ecCodes', in the same run."""

import time

import eccodes as ec
import numpy as np

from . import made

SIZE = (1000, 1000)
CASES = [
    (2, "grid_simple", 12, None, ()), (2, "grid_simple", 16, None, ()), (2, "grid_simple", 16, "bitmap", ()), (2, "grid_simple", 24, None, ()),
    (2, "grid_complex", 12, None, ()), (2, "grid_complex", 16, None, ()), (2, "grid_complex", 16, 1, ()),
    (2, "grid_complex_spatial_differencing", 12, None, [("orderOfSpatialDifferencing", 1)]),
    (2, "grid_complex_spatial_differencing", 16, None, [("orderOfSpatialDifferencing", 2)]),
    (2, "grid_ccsds", 12, None, ()), (2, "grid_ccsds", 16, None, ()), (2, "grid_ccsds", 24, None, ()),
    (2, "grid_png", 16, None, ()), (2, "grid_jpeg", 16, None, ()), (2, "grid_ieee", 32, None, ()), (1, "grid_simple", 16, None, ()),
    (1, "grid_second_order", 16, None, ()),
]  # fmt: skip


def theirs(message, repeats):
    """The seconds that ecCodes takes, the least of some."""
    least = float("inf")
    for _ in range(repeats):
        handle = ec.codes_new_from_message(message)
        ec.codes_set(handle, "missingValue", made.MISSING)
        start = time.perf_counter()
        ec.codes_get_values(handle)
        least = min(least, time.perf_counter() - start)
        ec.codes_release(handle)
    return least


def compare(decoded, rounds=8, repeats=8):
    """Prints the milliseconds of each case, the least of some by turns, and how many times faster the program is."""
    places = np.arange(SIZE[0] * SIZE[1])
    waves = np.sin(places % SIZE[0] / 80) * 12 + np.cos(places / 40_000) * 20
    values = 280 + waves + np.random.default_rng(1).normal(size=places.size) * 0.05
    for edition, packing, bits, missing, late in CASES:
        message = made.packed(edition, SIZE, packing, bits, values, missing, {}, late)
        if message is None:
            print(f"{packing} {bits}: not written")
            continue
        ours, least = float("inf"), float("inf")
        for _ in range(rounds):
            least = min(least, theirs(message, repeats))
            (answer,) = decoded([message], str(repeats))
            ours = float("nan") if isinstance(answer, str) else min(ours, answer[0])
        what = f"edition {edition} {packing} {bits} bits {missing or ''} {dict(late) or ''}"
        print(f"{what}: ours {ours * 1e3:.2f} ms, ecCodes {least * 1e3:.2f} ms, {least / ours:.2f} times, {len(message)} bytes")
    return 0
