# SPDX-License-Identifier: MIT OR Apache-2.0
"""The judge of references of GRIB files by index sidecars alone."""
