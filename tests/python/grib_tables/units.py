# SPDX-License-Identifier: MIT OR Apache-2.0
"""Units as ecCodes' definitions have them, in one spelling that UDUNITS reads: `m s-1`."""

import re

# Numbers without a dimension, codes and counts.
_NUMBERS = {
    "(0 - 1)", "(0-1)", "0-1", "0to1", "(-1 to 1)", "-/+", "1", "amount", "categorical", "category", "code",
    "count", "dimensionless", "fraction", "index", "integer", "integer(0-13)", "justanumber", "keine", "no unit",
    "numeric", "proportion", "byte", "degreeday", "-",
}  # fmt: skip

# What says nothing.
_UNKNOWN = {"", "~", "?", "???", "various", "missing", "reserved", "unknown"}

# Spellings that no rule below reads.
WORDS = {
    "10-7 s-2": "1e-7 s-2",
    "10**5 s**-1": "1e5 s-1",
    "s-1 10-5": "1e-5 s-1",
    "m 10-4": "1e-4 m",
    "(10**-6 g) m**-3": "1e-6 g m-3",
    "10**-6 W m**-2 sr**-1 m**-1": "1e-6 W m-2 sr-1 m-1",
    "(s m**-1)**-1": "m s-1",
    "Atm cm": "atm cm",
    "DBZ_MAX": "dBZ",
    "Dobson": "DU",
    "Gpm": "gpm",
    "Joule": "J",
    "K m2 2-1": "K m2 s-1",
    "Km kg-1 s-1": "K m kg-1 s-1",
    "M": "m",
    "M/S": "m s-1",
    "Nm**-3": "N m-3",
    "Pa(O3)": "Pa",
    "Ws m**-2": "W s m-2",
    "W m-**3 sr**-1": "W m-3 sr-1",
    "cm per day": "cm d-1",
    "dBZ ?": "dBZ",
    "dBz": "dBZ",
    "dBz ?": "dBZ",
    "degree coming from": "degree",
    "degreeperday": "degree d-1",
    "day": "d",
    "deg E": "degrees_east",
    "deg N": "degrees_north",
    "Degree E": "degrees_east",
    "Degree N": "degrees_north",
    "hour": "h",
    "kg (kg s**-1)**-1": "s",
    "kg (m**2 s**-1)**-1": "kg m-2 s",
    "kg (m**2 s-1)**-1": "kg m-2 s",
    "kg C m**-2 s**-1": "kg m-2 s-1",
    "kg kg-1m-3": "kg kg-1 m-3",
    "kgm-2": "kg m-2",
    "m of water equivalent": "m",
    "m of water equivalent s**-1": "m s-1",
    "m**2s**-2": "m2 s-2",
    "m-2s-1": "m-2 s-1",
    "m2s-2": "m2 s-2",
    "mb": "hPa",
    "m s**-1 per time step": "m s-1",
    "psu per time step": "1e-3",
    "deg C per time step": "degC",
    "m-2/s-2": "m-2 s-2",
    "m**2 s radian**-1": "m2 s rad-1",
    "CCITTIA5": "1",
    "CCITT IA5": "1",
    "boolean": "1",
    "pH": "1",
    "Joule m-2": "J m-2",
    "Number m-2": "m-2",
    "Person m-2": "m-2",
    "Millimetres*100 + number of stations": "1",
    "image^data": "unknown",
    "mg S/m**2": "mg m-2",
    "m s*-1": "m s-1",
    "ms*-1": "m s-1",
    "ms-1": "m s-1",
    "Bites per day per person": "d-1",
    "Number m**-2": "m-2",
    "Person m**-2": "m-2",
    "kg m**-2/day": "kg m-2 d-1",
    "psuperday": "1e-3 d-1",
    "w m-2": "W m-2",
    "bq m-2": "Bq m-2",
    "bq m-2 s-1": "Bq m-2 s-1",
    "bq m-3": "Bq m-3",
}

_NAMES = {
    "psu": "1e-3", "deg": "degree", "degrees": "degree", "radians": "rad", "radian": "rad", "day": "d",
    "C": "degC", "count": "1", "mm6": "mm6", "kg**2": "kg2",
}  # fmt: skip


def udunits(text):
    """The spelling of this project."""
    text = text.strip()
    if text in WORDS:
        return WORDS[text]
    lower = text.lower()
    if lower in _UNKNOWN:
        return "unknown"
    if lower in _NUMBERS or re.match(r"\(?(code )?table", lower) or lower.startswith("ln(") or lower.startswith("log10("):
        return "1"
    if re.fullmatch(r"deg(ree)?s?\.?( true)?", lower):
        return "degree"
    text = re.sub(r"\bdeg(rees)? ?C\b", "degC", text, flags=re.I)
    text = text.replace("**", "").replace("s*-1", "s-1").replace("*", " ").replace(" per ", "/")
    if re.search(r"[^\w /.%-]|\d/\d|\d{2,}", text):
        return text
    first, *others = [part.strip() for part in text.split("/")]
    words = [_NAMES.get(word, word) for word in first.split() if word != "1"]
    for part in others:
        for word in part.split():
            match = re.fullmatch(r"([A-Za-z]+)(-?\d+)?", word)
            if match is None:
                return text
            words.append(f"{_NAMES.get(match[1], match[1])}-{match[2] or 1}")
    return " ".join(words) or "1"
