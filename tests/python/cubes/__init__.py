# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random archives, an independent model of what they hold, and a judge of the cubes that a program makes of them."""
