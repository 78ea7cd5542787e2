# SPDX-License-Identifier: MIT OR Apache-2.0
"""A judge of the labels of GRIB fields: names, units, numbers and kinds of level are those of ecCodes."""
