# SPDX-License-Identifier: MIT OR Apache-2.0
"""Messages for each entry of ecCodes' concepts, and some that miss one of its conditions."""

import functools
import random
import re

import eccodes as ec
from grib_tables import definitions, layouts

LABELS = ["shortName", "name", "units", "paramId", "typeOfLevel", "cfName", "cfVarName"]

# Data sets of several centres: what a message of them has.
DATASETS = {
    "tigge": {"productionStatusOfProcessedData": 4}, "s2s": {"productionStatusOfProcessedData": 6},
    "cerise": {"marsClass": 50}, "era6": {"marsClass": 40}, "hydro_legacy": {"marsClass": 35},
    "hydro": {"marsClass": 42}, "fire": {"marsClass": 39}, "uerra": {"productionStatusOfProcessedData": 8},
    "destine": {"productionStatusOfProcessedData": 12}, "lcgcr": {"productionStatusOfProcessedData": 14},
    "wpmip": {"productionStatusOfProcessedData": 16}, "era": {"marsClass": 23}, "nextgems": {"marsClass": 53},
}  # fmt: skip
FIRST = ["centre", "subCentre", "tablesVersion", "localTablesVersion", "productionStatusOfProcessedData"]
# Centres whose messages have the entries of WMO's list too.
CENTRES = [7, 34, 54, 74, 78, 85, 98, 46]


def folders(edition):
    pattern = re.compile(rf"(grib{edition}(?:/localConcepts/\w+)?)/[\w.]+\.def")
    return sorted({m[1] for name in definitions.names() if (m := pattern.fullmatch(name))})


@functools.cache
def centre_number(edition, name):
    table = "c-1" if edition == 1 else "c-11"
    return next((number for number, short, _ in definitions.centres(table) if short == name), None)


def origins(folder, variant):
    """What messages have that ask the list of a folder, or `None` where there are none."""
    name = folder.rpartition("/")[2]
    if variant == "l":
        base = {"centre": 98, "tablesVersion": 28}
    elif variant == "c":
        base = {"centre": 98, "tablesVersion": 35, "marsClass": 19}
    else:
        base = {"centre": 98, "tablesVersion": 35}
    if name in ("grib2", "ecmf"):
        if variant in "dg" and name == "grib2":
            return [{**base, "centre": centre} for centre in CENTRES]
        return [base]
    if name in DATASETS:
        return [{**base, **DATASETS[name]}]
    number = centre_number(2, name)
    if number is None:
        return []
    return [{**base, "centre": number, "subCentre": 98 if variant == "l" else 0}]


def entries(edition):
    """Origin, conditions and name of the folder of each entry."""
    for folder in folders(edition):
        name = folder.rpartition("/")[2]
        for variant, ending in {"d": "", "l": ".lte33", "c": ".chemsplit", "g": ".legacy"}.items():
            if edition == 1 and variant != "d":
                continue
            places = origins(folder, variant) if edition == 2 else [{"centre": centre_number(1, name)}]
            if folder == "grib1":
                places = [{"centre": centre} for centre in CENTRES]
            if not places or places[0]["centre"] is None:
                continue
            for concept in ("shortName", "paramId", "cfName", "cfVarName"):
                last = ending if concept[:2] != "cf" or variant == "g" else ""
                if concept[:2] == "cf" and variant in "lc":
                    continue
                seen = definitions.concepts(f"{folder}/{concept}{last}.def") or []
                if concept == "paramId":
                    main = {c for _, c in definitions.concepts(f"{folder}/shortName{last}.def") or []}
                    seen = [entry for entry in seen if entry[1] not in main]
                for place, (value, conditions) in enumerate(seen):
                    # An empty name makes ecCodes abort (`ammc` of edition 1).
                    if value:
                        yield places[place % len(places)], conditions, name


def levels(edition):
    """As `entries`, for kinds of level, and those that no list has."""
    for folder in folders(edition):
        name = folder.rpartition("/")[2]
        concept = "typeOfLevel" + ("Concept" if edition == 2 else "")
        places = origins(folder, "d") if edition == 2 else [{"centre": centre_number(1, name)}]
        places = [{"centre": centre} for centre in CENTRES] if folder == "grib1" else places
        if not places or places[0]["centre"] is None:
            continue
        for _, conditions in definitions.concepts(f"{folder}/{concept}.def") or []:
            for place in places:
                yield place, parameter(edition) + conditions, name
    for centre in CENTRES:
        for kind in range(256):
            if edition == 1:
                yield {"centre": centre}, (*parameter(1), ("indicatorOfTypeOfLevel", kind)), "levels"
            else:
                for second in (255, kind, 8):
                    surfaces = ("typeOfFirstFixedSurface", kind), ("typeOfSecondFixedSurface", second)
                    yield {"centre": centre, "tablesVersion": 30}, (*parameter(2), *surfaces), "levels"


def parameter(edition):
    if edition == 1:
        return ("table2Version", 2), ("indicatorOfParameter", 11)
    return ("discipline", 0), ("parameterCategory", 0), ("parameterNumber", 0)


@functools.cache
def templates():
    """The keys of each product template."""
    wanted = {key for _, conditions, _ in entries(2) for key, _ in conditions}
    wanted -= {"discipline", "localTablesVersion", "gridDefinitionTemplateNumber", "numberOfGridInReference"}
    found = {}
    for number in layouts.numbers():
        handle = ec.codes_grib_new_from_samples("GRIB2")
        if number >= 32768:
            ec.codes_set(handle, "centre", 98)
        ec.codes_set(handle, "productDefinitionTemplateNumber", number)
        for count in layouts.COUNTS:
            if ec.codes_is_defined(handle, count):
                ec.codes_set(handle, count, 1)
        found[number] = {key for key in wanted if ec.codes_is_defined(handle, key)}
        for key in layouts.CONSTANTS:
            if not ec.codes_get_long(handle, key):
                found[number].discard(key)
        ec.codes_release(handle)
    return found, wanted


def template(conditions, centre):
    """A template that has all the keys, with as few others as there can be."""
    found, wanted = templates()
    needed = {key for key, _ in conditions} & wanted
    if any(key == "stepType" for key, _ in conditions):
        needed.add("typeOfStatisticalProcessing")
    fits = [
        (len(keys), number) for number, keys in found.items()
        if needed <= keys and (number < 32768 or centre == 98) and number not in (20, 254, 1000, 1001, 1002)
    ]  # fmt: skip
    return min(fits)[1] if fits else None


def edition2(origin, conditions):
    """A message; `None` where no template has all keys."""
    number = template(conditions, origin["centre"])
    if number is None:
        return None
    handle = ec.codes_grib_new_from_samples("GRIB2")
    given = {**origin, **{key: value for key, value in conditions if key in FIRST}}
    for key in FIRST:
        if key in given:
            ec.codes_set(handle, key, given[key])
    if "marsClass" in given:
        if given["centre"] != 98:
            ec.codes_set(handle, "subCentre", 98)
        ec.codes_set(handle, "setLocalDefinition", 1)
        ec.codes_set(handle, "marsClass", given["marsClass"])
    rest = [(key, value) for key, value in conditions if key not in FIRST]
    for key, value in rest:
        if key in ("gridDefinitionTemplateNumber", "discipline"):
            ec.codes_set(handle, key, value)
    ec.codes_set(handle, "productDefinitionTemplateNumber", number)
    for count in layouts.COUNTS:
        if ec.codes_is_defined(handle, count) and count not in dict(conditions):
            ec.codes_set(handle, count, 1)
    skipped = {"gridDefinitionTemplateNumber", "discipline", "pressureUnits", "genVertHeightCoords", "dummyc"}
    for key, value in rest:
        if key in skipped or key in layouts.CONSTANTS:
            continue
        if isinstance(value, tuple):
            ec.codes_set(handle, "numberOfTimeRanges", len(value))
            ec.codes_set_array(handle, key, value)
        elif key == "stepType":
            ec.codes_set(handle, "typeOfStatisticalProcessing", {"accum": 1}[value])
        elif key == "NV":
            continue
        elif value is None:
            ec.codes_set_missing(handle, key)
        else:
            ec.codes_set(handle, key, value)
    return handle


def edition1(origin, conditions):
    handle = ec.codes_grib_new_from_samples("GRIB1")
    ec.codes_set(handle, "deleteLocalDefinition", 1)
    ec.codes_set(handle, "centre", origin["centre"])
    for key, value in conditions:
        if key == "stepType":
            ec.codes_set(handle, "timeRangeIndicator", 4)
        elif value is None:
            ec.codes_set_missing(handle, key)
        else:
            ec.codes_set(handle, key, value)
    return handle


def truth(handle):
    """What ecCodes calls a message; `None` for what it does not know the key of."""
    labels = {}
    for key in [*LABELS, "shortNameECMF", "paramIdECMF", "cfNameECMF", "cfVarNameECMF"]:
        try:
            labels[key] = ec.codes_get_string(handle, key)
        except ec.CodesInternalError:
            labels[key] = None
    return labels


def nearby(conditions, source):
    """The conditions with one of them dropped or changed: another entry has to fit, or none."""
    codes = {"discipline", "parameterCategory", "parameterNumber", "table2Version", "indicatorOfParameter"}
    others = [place for place, (key, value) in enumerate(conditions) if key not in codes and isinstance(value, int)]
    if not others:
        return None
    place = source.choice(others)
    key, value = conditions[place]
    if key in layouts.CONSTANTS or source.random() < 0.5:
        return (*conditions[:place], *conditions[place + 1 :])
    if value in (0, 255):
        return (*conditions[:place], (key, 1), *conditions[place + 1 :])
    return (*conditions[:place], (key, max(value + source.choice([-1, 1]), 0)), *conditions[place + 1 :])


def all_messages(edition, every, seed):
    """Name of the list, message and ecCodes' labels: of each `every`th entry, and of as many that miss one condition."""
    source = random.Random(seed)
    make = edition1 if edition == 1 else edition2
    offset = seed % every
    for kind, rows in (("", entries(edition)), ("levels ", levels(edition))):
        for place, (origin, conditions, name) in enumerate(rows):
            if place % every != offset:
                continue
            variants = [conditions]
            if (changed := nearby(conditions, source)) is not None:
                variants.append(changed)
            for some in variants:
                try:
                    handle = make(origin, some)
                except ec.CodesInternalError:
                    yield kind + name, some, None, None
                    continue
                if handle is None:
                    yield kind + name, some, None, None
                    continue
                yield kind + name, some, ec.codes_get_message(handle), truth(handle)
                ec.codes_release(handle)
