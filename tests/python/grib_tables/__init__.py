# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tables of GRIB's parameters, levels and centres, made of the definitions of the pinned ecCodes."""
