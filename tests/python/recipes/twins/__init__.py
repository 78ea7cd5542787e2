# SPDX-License-Identifier: MIT OR Apache-2.0
"""Small twins of the products: dimensions, types, packing, chunks, filters and attributes are those of the real files.

Values are made up. Each function writes into a folder and returns the files in the order of their coordinates.
"""

from .climate import cmip6, cmip6_of_360_days, era5, era5_packed, era5_uneven
from .models import nwm, roms, wrf
from .satellites import dated, goes, icesat2, oisst, sentinel5p, without_shuffle

__all__ = [
    "cmip6",
    "cmip6_of_360_days",
    "dated",
    "era5",
    "era5_packed",
    "era5_uneven",
    "goes",
    "icesat2",
    "nwm",
    "oisst",
    "roms",
    "sentinel5p",
    "without_shuffle",
    "wrf",
]
