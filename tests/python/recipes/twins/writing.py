# SPDX-License-Identifier: MIT OR Apache-2.0
"""How twins are written: variables with their values as stored, chunks, and made-up numbers."""

import numpy as np

DEFLATED = {"zlib": True, "complevel": 1, "shuffle": True}


def put(dataset, name, dimensions, kind, values, fill=None, storage=None, **attributes):
    """A variable that holds `values` as they are, packed or not; `storage` are options of createVariable."""
    variable = dataset.createVariable(name, kind, dimensions, fill_value=fill, **(storage or {}))
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes)
    variable[...] = values
    return variable


def chunked(*shape):
    """Compressed chunks of this shape."""
    return {**DEFLATED, "chunksizes": shape}


def numbers(seed, shape, kind, low=0, high=1000):
    """Made-up values of any type."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(kind)


def rows(seed, shape):
    """Made-up values that are the same along all axes but the second, so that large arrays compress well."""
    line = numbers(seed, shape[1], "f4").reshape(-1, *[1] * (len(shape) - 2))
    return np.broadcast_to(line, shape)


def axis(dataset, name, values, kind="f4", **attributes):
    """A dimension with its coordinates."""
    dataset.createDimension(name, len(values))
    put(dataset, name, (name,), kind, values, **attributes)
