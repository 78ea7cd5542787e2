# SPDX-License-Identifier: MIT OR Apache-2.0
"""The tables of the crate for GRIB, made of ecCodes' concepts.

`index.txt`      version, keys, lists of concepts, layouts of product templates, centres
`concepts.txt`   one line for the entries of a list that share their first codes, sorted for a binary search
`parameters.txt` what the entries of parameters name, by number
`codes.txt`      names and units of WMO's code tables
"""

import re

from . import definitions, layouts, units

# The keys that conditions or the crate ask for, by the letters that the tables write.
# `crates/chunkref-grib2/src/table/eccodes/key.rs` has the same list.
KEYS = [
    # what always holds
    "true",
    # edition 1
    "indicatorOfTypeOfLevel", "level", "topLevel", "bottomLevel", "timeRangeIndicator",
    # sections 1 to 3
    "subCentre", "tablesVersion", "localTablesVersion", "productionStatusOfProcessedData", "marsClass", "generation",
    "gridDefinitionTemplateNumber", "numberOfGridInReference",
    # made of others
    "stepType", "pressureUnits", "genVertHeightCoords", "NV", *layouts.CONSTANTS,
    # section 4
    *layouts.COUNTS,
    "typeOfGeneratingProcess", "backgroundProcess", "generatingProcessIdentifier", "inputProcessIdentifier",
    "inputOriginatingCentre", "typeOfPostProcessing", "typeOfFirstFixedSurface", "scaleFactorOfFirstFixedSurface",
    "scaledValueOfFirstFixedSurface", "typeOfSecondFixedSurface", "scaleFactorOfSecondFixedSurface",
    "scaledValueOfSecondFixedSurface", "typeOfStatisticalProcessing", "indicatorOfUnitForTimeRange",
    "lengthOfTimeRange", "constituentType", "aerosolType", "typeOfDistributionFunction", "modeNumber",
    "sourceSinkChemicalPhysicalProcess", "typeOfSizeInterval", "scaleFactorOfFirstSize", "scaledValueOfFirstSize",
    "scaleFactorOfSecondSize", "scaledValueOfSecondSize", "typeOfWavelengthInterval",
    "scaleFactorOfFirstWavelength", "scaledValueOfFirstWavelength", "scaleFactorOfSecondWavelength",
    "scaledValueOfSecondWavelength", "satelliteSeries", "satelliteNumber", "instrumentType",
    "scaledValueOfCentralWaveNumber", "probabilityType", "scaleFactorOfLowerLimit", "scaledValueOfLowerLimit",
    "typeOfWavePeriodInterval", "scaleFactorOfLowerWavePeriodLimit", "scaledValueOfLowerWavePeriodLimit",
    "scaleFactorOfUpperWavePeriodLimit", "scaledValueOfUpperWavePeriodLimit", "randomFieldNumber",
    "typeOfRelationToReferenceDataset",
    # section 4: what no condition asks for
    "hoursAfterDataCutoff", "minutesAfterDataCutoff", "indicatorOfUnitForForecastTime", "forecastTime",
    "typeOfEnsembleForecast", "perturbationNumber", "numberOfForecastsInEnsemble", "derivedForecast", "percentileValue",
    "forecastProbabilityNumber", "totalNumberOfForecastProbabilities", "scaleFactorOfUpperLimit",
    "scaledValueOfUpperLimit", "totalNumberOfQuantiles", "quantileValue", "yearOfEndOfOverallTimeInterval",
    "YearOfModelVersion",
]  # fmt: skip
SECTION_4 = KEYS[KEYS.index(layouts.COUNTS[-1]) + 1 :]

# Keys that no message has: their conditions never hold in ecCodes either.
NEVER = {"localElementNumber", "atmosphericChemicalConsituentType"}
# Words that conditions compare with, as numbers.
WORDS = {("pressureUnits", "hPa"): 0, ("pressureUnits", "Pa"): 1, ("stepType", "accum"): 1}
ALWAYS = {"dummy", "dummyc", "true"}

ELEMENTS = ["paramId", "shortName", "name", "units", "cfName", "cfVarName"]
# Files of one concept: the letter, and what is behind the name. `d` is for messages as they are now, `l` for those
# before ECMWF's migration of 2025, `c` for those with chemical constituents apart, `g` for what is looked up last.
VARIANTS = {"d": "", "l": ".lte33", "c": ".chemsplit", "g": ".legacy"}


def letter(number):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#$%&*@^_~<>/:;?()[]{}"
    return (letters + "!|,-`'\"\\")[number]


def _key(name):
    return letter(KEYS.index(name))


def _condition(conditions):
    """Conditions in the letters of the tables; `None` for those that never hold."""
    words = []
    for key, value in conditions:
        if key in NEVER or (key == "dummy" and value == 0):
            return None
        key = "true" if key in ALWAYS else key
        value = WORDS.get((key, value), value)
        values = value if isinstance(value, tuple) else (value,)
        words.append(_key(key) + ",".join("" if one is None else str(one) for one in values))
    return " ".join(words)


def _alternatives(conditions):
    """`true = is_one_of(key, a, b)` as one list of conditions for each value."""
    for place, (key, value) in enumerate(conditions):
        if isinstance(value, str) and value.startswith("is_one_of("):
            name, *numbers = value[len("is_one_of(") : -1].split(",")
            for number in numbers:
                rest = (*conditions[:place], (name.strip(), int(number)), *conditions[place + 1 :])
                yield from _alternatives(rest)
            return
    yield conditions


def _codes(edition, conditions):
    """The codes that an entry is looked up by, as hexadecimal digits, and the other conditions."""
    names = ["table2Version", "indicatorOfParameter"] if edition == 1 else ["discipline", "parameterCategory", "parameterNumber"]
    found = dict(conditions)
    if not all(name in found for name in names):
        return None, None
    code = "".join(f"{found[name]:02x}" for name in names)
    return code, tuple((key, value) for key, value in conditions if key not in names)


class Tables:
    """Entries by list and codes, and the parameters that they name."""

    def __init__(self):
        self.groups, self.parameters, self.lists, self.dropped = {}, {}, [], 0
        for edition in (1, 2):
            folders = [f"grib{edition}"]
            pattern = re.compile(rf"(grib{edition}/localConcepts/\w+)/")
            folders += sorted({m[1] for name in definitions.names() if (m := pattern.match(name))})
            for folder in folders:
                self._folder(edition, folder)

    def _folder(self, edition, folder):
        code = letter(len(self.lists))
        for variant, ending in VARIANTS.items():
            if edition == 2 or variant == "d":
                self._parameters(edition, folder, code, variant, ending)
        self._plain(code, "l", f"{folder}/typeOfLevel{'Concept' if edition == 2 else ''}.def",
                    "indicatorOfTypeOfLevel" if edition == 1 else "typeOfFirstFixedSurface")
        if edition == 2:
            self._plain(code, "s", f"{folder}/MTG2SwitchConcept.def", None)
            if folder == "grib2":
                self._datasets(code)
            self._plain(code, "t", f"{folder}/MTG2SwitchViaTablesVersionConcept.def", None)
        self.lists.append((code, folder))

    def _parameters(self, edition, folder, code, variant, ending):
        files = {}
        for element in ELEMENTS:
            last = ending if element[:2] != "cf" or variant == "g" else ""
            files[element] = definitions.concepts(f"{folder}/{element}{last}.def") or []
        main = files["shortName"]
        same = [e for e in ELEMENTS if [c for _, c in files[e]] == [c for _, c in main]] if main else []
        self._rows(edition, code, variant, same, files)
        for element in ELEMENTS:
            if element not in same and files[element]:
                self._rows(edition, code, variant, [element], files)

    def _rows(self, edition, code, variant, elements, files):
        if not elements:
            return
        for place, (_, conditions) in enumerate(files[elements[0]]):
            values = {element: files[element][place][0].strip() for element in elements}
            codes, rest = _codes(edition, conditions)
            condition = _condition(rest) if codes else None
            if condition is None:
                self.dropped += 1
                continue
            if "units" in values:
                values["units"] = units.udunits(values["units"])
            fields = tuple(values.get(element, "") or ('""' if element in values else "") for element in ELEMENTS)
            number = self.parameters.setdefault(fields, len(self.parameters))
            self._add((code, "p", codes), variant, condition, f"{number:x}")

    def _plain(self, code, kind, name, first):
        for value, conditions in definitions.concepts(name) or []:
            for conditions in _alternatives(conditions):
                codes, rest = "", conditions
                if first is not None and value != "unknown":
                    codes = f"{dict(conditions)[first]:02x}"
                    rest = tuple(pair for pair in conditions if pair[0] != first)
                condition = _condition(rest)
                if condition is None or value == "unknown":
                    continue
                self._add((code, kind, codes), "d", condition, value)

    def _datasets(self, code):
        """The concept `datasetForLocal`, of which the first that fits counts; so they are turned round."""
        block = re.search(r"concept datasetForLocal\(unknown\) \{(.*?)\n\}", definitions.text("grib2/section.4.def"), re.S)
        for value, conditions in reversed(definitions.entries(block[1], "datasetForLocal")):
            if value != "unknown":
                self._add((code, "d", ""), "d", _condition(conditions), value)

    def _add(self, group, variant, condition, value):
        """Puts an entry behind those of its own variant, beside an equal one of another where that keeps the order."""
        entries = self.groups.setdefault(group, [])
        last = max((i for i, entry in enumerate(entries) if variant in entry[0]), default=-1)
        for entry in entries[last + 1 :]:
            if entry[1:] == [condition, value]:
                entry[0] += variant
                return
        entries.insert(last + 1, [variant, condition, value])

    def concepts(self):
        lines = []
        for (code, kind, codes), entries in self.groups.items():
            rows = [f"{variants}{' ' if condition else ''}{condition}={value}" for variants, condition, value in entries]
            lines.append(f"{code}{kind}{codes}\t" + "\t".join(rows))
        return "".join(f"{line}\n" for line in sorted(lines, key=str.encode))

    def labels(self):
        return "".join(f"{number:04x}\t" + "\t".join(fields) + "\n" for fields, number in self.parameters.items())


def index(tables):
    lines = [f"version {definitions.VERSION}", "keys " + " ".join(KEYS)]
    lines += [f"list {code} {folder}" for code, folder in tables.lists]
    for template, constants, rows in layouts.layouts(SECTION_4):
        words = [f"{_key(key)}={value}" for key, value in constants.items()]
        for key, base, octets, sign, missing, moves in rows:
            word = f"{_key(key)}{base}.{octets}{'s' * sign}{'m' * missing}"
            word += "".join(f"+{_key(count)}{stride}{'!' * needed}" for count, stride, needed in moves)
            words.append(word)
        lines.append(f"template {template} " + " ".join(words))
    known = {}
    for number, abbreviation, title in definitions.centres("c-11"):
        known[number] = abbreviation, title
        lines.append(f"centre 2 {number} {abbreviation} {title}")
    for number, abbreviation, title in definitions.centres("c-1"):
        if known.get(number) != (abbreviation, title):
            lines.append(f"centre 1 {number} {abbreviation} {title}")
    return "".join(f"{line}\n" for line in lines)


def codes():
    """Names and units of WMO's own numbers: what concepts leave out still has them."""
    latest = max(
        int(match[1]) for name in definitions.names()
        if (match := re.fullmatch(r"grib2/tables/(\d+)/4\.2\.0\.0\.table", name))
    )  # fmt: skip
    lines = []
    for name in definitions.names():
        if match := re.fullmatch(rf"grib2/tables/{latest}/4\.2\.(\d+)\.(\d+)\.table", name):
            code = int(match[1]), int(match[2])
            for number, _, title, unit in definitions.code_table(name):
                if max(*code, number) < 192 and title.lower() not in ("reserved", "missing"):
                    lines.append(f"{bytes([*code, number]).hex()}\t{title}\t{units.udunits(unit)}")
    return "".join(f"{line}\n" for line in sorted(lines))


def build():
    """The files by name."""
    tables = Tables()
    return {
        "codes.txt": codes(),
        "concepts.txt": tables.concepts(),
        "index.txt": index(tables),
        "parameters.txt": tables.labels(),
    }
