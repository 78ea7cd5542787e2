# SPDX-License-Identifier: MIT OR Apache-2.0
"""A judge of the values of GRIB messages: they are those of ecCodes, to the last bit."""
