# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which parts of an array to compare: all of it, unless it has very many chunks or bytes."""
import itertools
import math
import random

import numpy as np

MANY_CHUNKS = 12_000
MOST_COMPARED = 2_500


def regions(array, keys, whole, dataset):
    """Slices to compare.

    Of a huge array: its first and last chunks, those that are referenced, those whose data is not the fill value, some at random.
    """
    if not array.shape:
        return [()]
    grid = [math.ceil(count / chunk) if chunk else 0 for count, chunk in zip(array.shape, array.chunks)]
    if math.prod(grid) <= MANY_CHUNKS and whole is not None:
        return [tuple(slice(0, count) for count in array.shape)]
    chance = random.Random(7)
    corners = [tuple(0 for _ in grid), tuple(count - 1 for count in grid)]
    wanted = {tuple(chance.randrange(count) for count in grid) for _ in range(200)}
    if math.prod(grid) <= 100:
        wanted |= set(itertools.product(*map(range, grid)))
    wanted |= set(picked(chance, [tuple(map(int, key.split("."))) for key in keys]))
    if whole is not None and dataset.fillvalue is not None and whole.dtype.names is None:
        fill = dataset.fillvalue
        written = np.argwhere(whole != fill if fill == fill else ~np.isnan(whole)) // np.array(array.chunks)
        wanted |= set(picked(chance, [tuple(map(int, row)) for row in np.unique(written, axis=0)]))
    inside = {index for index in wanted if all(0 <= place < count for place, count in zip(index, grid))}
    return [tuple(slice(place * chunk, min((place + 1) * chunk, count)) for place, chunk, count in zip(index, array.chunks, array.shape))
            for index in [*corners, *sorted(inside)]]


def picked(chance, indices):
    """All, or as many as there is time for."""
    return indices if len(indices) <= MOST_COMPARED else chance.sample(indices, MOST_COMPARED)
