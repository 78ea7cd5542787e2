# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where the product templates of edition 2 have their keys: asked of ecCodes, message by message."""

import re

import eccodes as ec

from . import definitions

# Keys that count repeated parts; what follows lies further behind for each.
COUNTS = [
    "numberOfContributingSpectralBands",
    "numberOfPartitions",
    "numberOfDistributionFunctionParameters",
    "numberOfAdditionalParametersForReferencePeriod",
    "numberOfReferencePeriodTimeRanges",
    "numberOfTimeRanges",
]

# Keys that ecCodes makes of the number of the template.
CONSTANTS = ["is_chemical", "is_chemical_srcsink", "is_aerosol", "is_aerosol_optical"]

ALIASES = {"aerosolType": "constituentType", "numberOfContributingSpectralBands": "NB"}


def numbers():
    """The templates that ecCodes has."""
    found = set()
    for name in definitions.names():
        if match := re.fullmatch(r"grib2/(?:templates|local/ecmf)/template\.4\.(\d+)\.def", name):
            found.add(int(match[1]))
    return sorted(found)


def _message(template, counts):
    handle = ec.codes_grib_new_from_samples("GRIB2")
    if template >= 32768:
        ec.codes_set(handle, "centre", 98)
    ec.codes_set(handle, "productDefinitionTemplateNumber", template)
    for key, count in counts.items():
        ec.codes_set(handle, key, count)
    return handle


def _places(template, counts, keys):
    handle = _message(template, counts)
    start = ec.codes_get_offset(handle, "section4Length")
    found = {}
    for key in keys:
        try:
            found[key] = ec.codes_get_offset(handle, ALIASES.get(key, key)) - start
        except ec.CodesInternalError:
            continue
        if found[key] <= 0 or not ec.codes_is_defined(handle, key):
            del found[key]
    ec.codes_release(handle)
    return found


def _reading(message, start, key):
    """Octets of the key, whether it has a sign, and whether all bits set mean missing: by what ecCodes reads."""
    if key in COUNTS:
        return 1, False, False

    def read(pattern):
        changed = ec.codes_new_from_message(message[:start] + pattern + message[start + len(pattern):])
        value = ec.codes_get_long(changed, key)
        ec.codes_release(changed)
        return value

    octets = {0x01: 1, 0x0102: 2, 0x010203: 3, 0x01020304: 4}[read(b"\1\2\3\4")]
    has_sign = read(b"\x81" + b"\1" * (octets - 1)) < 0
    return octets, has_sign, read(b"\xff" * octets) == ec.CODES_MISSING_LONG


def layouts(keys):
    """For each template its constants, and its keys as: key, octet, octets, sign, missing, and for each count the octets
    that it moves the key by and whether the key is there only from a count of one on."""
    wanted = [*COUNTS, *keys]
    for template in numbers():
        counts = [key for key in COUNTS if key in _places(template, {}, COUNTS)]
        one = _places(template, {key: 1 for key in counts}, wanted)
        handle = _message(template, {key: 1 for key in counts})
        message, section = ec.codes_get_message(handle), ec.codes_get_offset(handle, "section4Length")
        constants = {key: ec.codes_get_long(handle, key) for key in CONSTANTS}
        ec.codes_release(handle)
        moves = {key: [] for key in one}
        for count in counts:
            two = _places(template, {**{key: 1 for key in counts}, count: 2}, wanted)
            none = _places(template, {**{key: 1 for key in counts}, count: 0}, wanted)
            for key in one:
                if stride := two[key] - one[key]:
                    moves[key].append((count, stride, key not in none))
                elif key not in none:
                    moves[key].append((count, 0, True))
        rows = []
        for key, place in sorted(one.items(), key=lambda item: item[1]):
            octets, sign, missing = _reading(message, section + place, key)
            base = place - sum(stride for _, stride, _ in moves[key])
            rows.append((key, base, octets, sign, missing, moves[key]))
        yield template, {key: value for key, value in constants.items() if value}, rows
