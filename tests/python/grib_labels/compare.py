# SPDX-License-Identifier: MIT OR Apache-2.0
"""Labels that the program writes beside those of ecCodes."""

import re

from grib_tables import units

LABELS = ["shortName", "name", "units", "paramId", "typeOfLevel", "cfName", "cfVarName"]

# Units that ecCodes writes for numbers without a dimension, as words.
NUMBERS = (
    "numeric dimensionless proportion fraction integer index code categorical category count amount keine byte "
    "degreeday justanumber 1 - -/+ 0to1 0-1"
).split()


def exponents(text):
    """Units as powers of their words: `m s**-1`, `m/s` and `m s-1` are one."""
    text = text.strip().replace("**", "").replace("*", " ")
    if re.search(r"[^\w ./%-]|per|\d/\d", text):
        return text
    powers = {}
    for place, part in enumerate(text.split("/")):
        for word in part.split():
            match = re.fullmatch(r"([A-Za-z_%]+)(-?\d+)?", word)
            if match is None:
                if word == "1":
                    continue
                return text
            power = int(match[2] or 1) * (-1 if place else 1)
            powers[match[1]] = powers.get(match[1], 0) + power
    return powers


def same_units(ours, theirs):
    """Whether the spelling of the project means what ecCodes writes. Words and scales that UDUNITS does not have are
    listed in `grib_tables.units`; here they only have to be known as such."""
    if theirs.strip() in units.WORDS:
        return ours == units.WORDS[theirs.strip()]
    lower = theirs.strip().lower()
    if lower in ("", "~", "?", "???", "various", "missing", "reserved", "unknown", "image^data"):
        return ours == "unknown"
    if lower in NUMBERS or "table" in lower or lower.startswith(("(0", "(-1", "ln(", "log10(", "integer(", "no unit")):
        return ours == "1"
    if re.match(r"deg", lower):
        wanted = "degC" if lower.endswith("c") else "degrees_" + {"n": "north", "e": "east"}.get(lower[-1], "")
        return ours in ("degree", wanted) or lower.startswith(("degreeperday", "degree coming"))
    if exponents(ours) == exponents(theirs):
        return True
    return ours == units.udunits(theirs) and bool(re.search(r"psu|rad|deg|day|\bC\b|per", theirs))


def verdict(key, ours, theirs):
    """`same`, `differ`, `unknown` where only ecCodes has a word, `own` where only the program has one, `neither`."""
    if theirs is None:
        return None
    theirs = theirs.strip()
    none = {"shortName": ("unknown", ""), "name": ("unknown",), "units": ("unknown", "~"), "paramId": ("0",),
            "typeOfLevel": ("unknown",), "cfName": ("unknown",), "cfVarName": ("unknown", "p0", "")}[key]  # fmt: skip
    is_none = ours is None or ours == "unknown" or ours.startswith("unknown_")
    if theirs in none or (key == "cfName" and theirs == ""):
        return "neither" if is_none else "own"
    if is_none:
        return "unknown" if key != "units" or not same_units("unknown", theirs) else "neither"
    if key == "units":
        return "same" if same_units(ours, theirs) else "differ"
    if key == "cfVarName":
        theirs = re.sub(r"[^A-Za-z0-9_-]", "_", theirs)
    return "same" if ours == theirs else "differ"


def is_of_another(key, truth):
    """Whether ecCodes takes a label from ECMWF's list, and the short name from another: it is of another quantity."""
    theirs = truth.get(f"{key}ECMF")
    return theirs is not None and truth[key] == theirs and truth["shortName"] != truth["shortNameECMF"]
