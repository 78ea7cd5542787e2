# SPDX-License-Identifier: MIT OR Apache-2.0
"""A judge of the places of GRIB's points: latitudes and longitudes are those of ecCodes."""
