# SPDX-License-Identifier: MIT OR Apache-2.0
"""The codec of GRIB messages for numcodecs."""

from __future__ import annotations

from typing import Any

import numcodecs.abc
import numpy as np

from chunkref import _chunkref

#: Bytes of the values of one message at the most: what the limit on grid points allows.
MOST_BYTES = 8 * _chunkref.limits()["grid_points"]


class Grib(numcodecs.abc.Codec):  # type: ignore[misc]
    """Messages of GRIB, in place of kerchunk's codec where kerchunk or ecCodes is not installed."""

    codec_id = "grib"

    def __init__(self, var: str, dtype: str | None = None) -> None:
        self.var = var
        self.dtype = dtype or "float64"

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Give the values of a message, or its latitudes or longitudes."""
        values = _chunkref.decode_grib(bytes(buf), self.var, MOST_BYTES)
        decoded = np.frombuffer(values, "f8").astype(self.dtype, copy=False)
        if out is None:
            return decoded
        out[...] = decoded.reshape(out.shape)
        return out

    def encode(self, buf: Any) -> Any:
        """Messages are only read."""
        raise NotImplementedError("messages of GRIB are only read")
