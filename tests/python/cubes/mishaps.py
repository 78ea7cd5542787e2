# SPDX-License-Identifier: MIT OR Apache-2.0
"""What happens to real archives: each mishap changes the files of an archive, or returns None where it cannot."""

import copy

from .product import chance, pick

SYNONYMS = {
    "noleap": "365_day",
    "365_day": "noleap",
    "all_leap": "366_day",
    "366_day": "all_leap",
    "standard": "gregorian",
    "gregorian": "standard",
    "proleptic_gregorian": "standard",
    None: "standard",
    "360_day": "360_DAY",
}


def data_variables(file, kind="data"):
    """Variables of a file with this content."""
    return [variable for variable in file["product"]["variables"] if variable["content"]["kind"] == kind]


def since(generator, files):
    """The files from some day on; the first stays as it is."""
    return files[int(generator.integers(1, len(files))) :]


def changes(change, kind="data"):
    """A mishap that changes one variable from some file on."""

    def apply(generator, files):
        names = [variable["name"] for variable in data_variables(files[0], kind)]
        if not names or len(files) < 2:
            return None
        name = pick(generator, names)
        for file in since(generator, files):
            for variable in file["product"]["variables"]:
                if variable["name"] == name and change(variable, file) is False:
                    return None
        return files

    return apply


def netcdf4(file):
    """Whether a file has chunks and filters."""
    return file["product"]["format"].startswith("NETCDF4")


def simple(files):
    """Whether the archive is one of time alone."""
    return not files[0]["product"]["members"]


def empty(generator, files):
    """A file without records."""
    time = files[0]["product"]["time"]
    if not time["unlimited"] or time["style"] != "dimension" or not simple(files):
        return None
    place = int(generator.integers(0, len(files) + 1))
    nothing = copy.deepcopy(files[min(place, len(files) - 1)])
    nothing["steps"] = []
    return files[:place] + [nothing] + files[place:]


def lacks_variable(generator, files):
    """A file without one of the variables."""
    names = [variable["name"] for variable in data_variables(files[0])]
    pick(generator, files)["without"].append(pick(generator, names))
    return files if len(names) > 1 else None


def duplicate(generator, files):
    """A file that is there twice."""
    place = int(generator.integers(len(files)))
    return files[: place + 1] + [copy.deepcopy(files[place])] + files[place + 1 :]


def revised(generator, files):
    """A file that is there again with other values."""
    again = duplicate(generator, files)
    for one, two in zip(again, again[1:]):
        if one == two:
            two["revision"] = 1
            return again
    return None


def overlap(generator, files):
    """A file that goes on into the next one, with the same values."""
    if files[0]["product"]["time"]["style"] == "scalar" or not simple(files) or len(files) < 2:
        return None
    place = int(generator.integers(len(files) - 1))
    if files[place]["steps"][-1:] != [step - 1 for step in files[place + 1]["steps"][:1]]:
        return None
    files[place]["steps"] = files[place]["steps"] + files[place + 1]["steps"][:1]
    return files


def overlap_differs(generator, files):
    """A file that goes on into the next one, with other values."""
    if (changed := overlap(generator, files)) is None:
        return None
    changed[-1]["revision"] = 1
    return changed


def gap(generator, files):
    """A file that is not there."""
    return files[:1] + files[2:] if len(files) > 2 and simple(files) else None


def hole(generator, files):
    """A combination of time and member without a file."""
    return files[:-1] if not simple(files) and len(files) > 2 else None


def late(generator, files):
    """A file of the middle that came last."""
    return files[:1] + files[2:] + files[1:2] if len(files) > 2 else None


def disorder(generator, files):
    """Files whose names are in no order."""
    order = generator.permutation(len(files))
    return [files[place] for place in order]


def noise(generator, files):
    """Coordinates of space with another last digit."""
    size = pick(generator, [1e-15, 1e-7, 1e-5])
    changed = False
    for file in since(generator, files):
        for variable in data_variables(file, "axis") + data_variables(file, "grid"):
            if variable["name"] in ("lat", "lon"):
                variable["content"]["noise"] = size
                changed = True
    return files if changed else None


def grid(generator, files):
    """Another grid of the same size."""
    changed = False
    for file in since(generator, files):
        for variable in data_variables(file, "axis") + data_variables(file, "grid"):
            if variable["name"] in ("lat", "y", "station"):
                variable["content"]["start"] += 1
                changed = True
    return files if changed else None


def grid_size(generator, files):
    """A grid with one more row."""
    for file in since(generator, files):
        dims = file["product"]["dims"]
        name = next(name for name in ("lat", "y", "station") if name in dims)
        dims[name] += 1
        for variable in data_variables(file):
            if isinstance(variable.get("chunks"), list) and any(
                length == dims[name] - 1 for length in variable["chunks"]
            ):
                variable["chunks"] = None
    return files


def static_differs(variable, _file):
    """A field without time that changes."""
    variable["content"]["version"] = 1


def attribute_type(variable, _file):
    """The same number as another type."""
    changed = False
    attributes = variable["attributes"]
    for name in ("missing_value", "scale_factor", "add_offset"):
        if name in attributes and attributes[name][0] != "u1":
            attributes[name] = ["f8" if attributes[name][0] != "f8" else "f4", attributes[name][1]]
            changed = True
    attributes["valid_max"] = ["f4", 500]
    return changed or None


def attribute_text(variable, _file):
    """Another description."""
    variable["attributes"]["long_name"] = "another name"
    variable["attributes"]["comment"] = "new"


def units(variable, _file):
    """Another unit."""
    variable["attributes"]["units"] = "mm"


def codec(variable, file):
    """Shuffle, or compression, from some day on (GOES-16 MCMIPF, 2023-04-19)."""
    if not netcdf4(file):
        return False
    if variable["zlib"]:
        variable["shuffle"] = not variable.get("shuffle")
    else:
        variable["zlib"] = 4
    return None


def checksum(variable, file):
    """A checksum from some day on."""
    variable["fletcher"] = not variable.get("fletcher")
    return netcdf4(file) and None


def byte_order(variable, file):
    """Another order of bytes."""
    variable["endian"] = "big" if variable.get("endian") != "big" else "native"
    return netcdf4(file) and variable["dtype"] not in ("i1", "u1") and None


def level(variable, file):
    """Another level of compression."""
    if not netcdf4(file) or not variable["zlib"]:
        return False
    variable["zlib"] = 2 if variable["zlib"] != 2 else 3
    return None


def chunks(variable, file):
    """Other chunks in space."""
    if not netcdf4(file) or not isinstance(variable.get("chunks"), list) or variable["chunks"][-1] < 2:
        return False
    variable["chunks"] = [*variable["chunks"][:-1], variable["chunks"][-1] - 1]
    return None


def time_chunks(generator, files):
    """Chunks in time that do not fit the files."""
    time = files[0]["product"]["time"]
    if not netcdf4(files[0]) or not time["unlimited"] or time["style"] != "dimension":
        return None
    changed = False
    for file in files:
        for variable in data_variables(file):
            if isinstance(variable.get("chunks"), list):
                variable["chunks"][variable["dims"].index(time["name"])] = 3
                changed = True
    return files if changed else None


def packing(variable, _file):
    """Another scale."""
    if "scale_factor" not in variable["attributes"]:
        return False
    variable["attributes"]["scale_factor"] = [variable["attributes"]["scale_factor"][0], 0.25]
    return None


def dtype(variable, _file):
    """A wider type."""
    wider = {"f4": "f8", "f8": "f4", "i2": "i4", "i4": "i2", "i1": "i2", "u1": "i2"}
    variable["dtype"] = wider[variable["dtype"]]
    if "missing_value" in variable["attributes"]:
        variable["attributes"]["missing_value"][0] = variable["dtype"]


def fill(variable, _file):
    """Another fill value."""
    if variable["fill"] is None or variable["dtype"] in ("i1", "u1"):
        return False
    variable["fill"] = -32000 if variable["dtype"][0] == "i" else -32000.0
    variable["attributes"].pop("missing_value", None)
    return None


def fill_goes(variable, _file):
    """No fill value from some day on, or one."""
    if variable["dtype"] in ("i1", "u1"):
        return False
    variable["fill"] = None if variable["fill"] is not None else -999
    return None


def unwritten(generator, files):
    """Steps that nobody wrote.

    Only where time comes first: netCDF-C 4.10.1 puts values of a variable that is shorter than its second, unlimited
    dimension in the wrong places, so that the model would be wrong.
    """
    if files[0]["product"]["time"]["style"] != "dimension":
        return None
    variables = data_variables(files[0])
    if any(variable["dims"][0] != files[0]["product"]["time"]["name"] for variable in variables):
        return None
    name = pick(generator, [variable["name"] for variable in variables])
    for file in files:
        if chance(generator, 0.5):
            file["unwritten"].append(name)
    return files


def two_fills(generator, files):
    """Steps that nobody wrote, whose fill value is not the one that the attribute names."""
    if not netcdf4(files[0]) or unwritten(generator, files) is None:
        return None
    for variable in data_variables(files[0]):
        if variable["dtype"][0] == "f" and variable["fill"] is not None and variable["fill"] == variable["fill"]:
            for file in files:
                file["unwritten"] = [variable["name"]]
                file["other_fill"] = {variable["name"]: -5555.0}
            return files
    return None


def time_dtype(variable, file):
    """Time as another type (OISST, 2020-02-28)."""
    wider = {"f8": "f4", "f4": "f8", "i4": "f8"}
    if file["product"]["time"]["unit"] in ("seconds", "minutes") and variable["dtype"] == "f8":
        return False
    variable["dtype"] = wider[variable["dtype"]]
    return None


def time_unit(generator, files):
    """Time in another unit."""
    time = files[0]["product"]["time"]
    other = {
        "days": "hours",
        "hours": "days" if time["dtype"][0] == "f" else "minutes",
        "seconds": "hours",
        "minutes": "seconds",
    }
    if time["unit"] == "minutes" and time["dtype"] != "f8":
        return None
    for file in since(generator, files):
        file["product"]["time"]["unit"] = other[time["unit"]]
    return files


def calendar(generator, files):
    """The same calendar by another name."""
    name = files[0]["product"]["time"]["calendar"]
    if name not in SYNONYMS:
        return None
    for file in since(generator, files):
        file["product"]["time"]["calendar"] = SYNONYMS[name]
    return files


def other_calendar(generator, files):
    """Another calendar."""
    for file in since(generator, files):
        file["product"]["time"]["calendar"] = (
            "360_day" if file["product"]["time"]["calendar"] != "360_day" else "noleap"
        )
        file["product"]["time"]["start"][2] = min(file["product"]["time"]["start"][2], 28)
    return files


def file_format(generator, files):
    """Another format of files from some day on."""
    if any(variable["dtype"] in ("str", "u1") for variable in files[0]["product"]["variables"]):
        return None
    for file in since(generator, files):
        file["product"]["format"] = "NETCDF3_CLASSIC" if netcdf4(file) else "NETCDF4"
    return files


def epoch(generator, files):
    """Another epoch from some day on."""
    for file in since(generator, files):
        file["product"]["time"]["epoch"] = [1990, 1, 1]
        file["product"]["time"]["epoch_per_file"] = False
    return files


MISHAPS = {
    "empty": empty,
    "lacks variable": lacks_variable,
    "duplicate": duplicate,
    "revised": revised,
    "overlap": overlap,
    "overlap differs": overlap_differs,
    "gap": gap,
    "hole": hole,
    "late": late,
    "disorder": disorder,
    "noise": noise,
    "grid": grid,
    "grid size": grid_size,
    "static differs": changes(static_differs, "static"),
    "attribute type": changes(attribute_type),
    "attribute text": changes(attribute_text),
    "units": changes(units),
    "codec": changes(codec),
    "checksum": changes(checksum),
    "byte order": changes(byte_order),
    "level": changes(level),
    "chunks": changes(chunks),
    "time chunks": time_chunks,
    "packing": changes(packing),
    "dtype": changes(dtype),
    "fill": changes(fill),
    "fill goes": changes(fill_goes),
    "unwritten": unwritten,
    "two fills": two_fills,
    "time dtype": changes(time_dtype, "time"),
    "time unit": time_unit,
    "calendar": calendar,
    "other calendar": other_calendar,
    "format": file_format,
    "epoch": epoch,
}


# Those that have something to do with which file has a place.
ONE_FILE = {"empty", "duplicate", "revised", "overlap", "overlap differs", "lacks variable", "hole"}


def pairs(files):
    """Each file as two, of which each has some of the variables."""
    names = [variable["name"] for variable in data_variables(files[0])]
    if len(names) < 2:
        return files
    found = []
    for file in files:
        one, two = copy.deepcopy(file), copy.deepcopy(file)
        one.update(without=names[1:], part="_a")
        two.update(without=names[:1], part="_b")
        found += [one, two]
    return found


# Those that leave no cube, or none that references can say: they are rarer here than the others.
HARD = {
    "grid",
    "grid size",
    "units",
    "other calendar",
    "packing",
    "dtype",
    "codec",
    "byte order",
    "checksum",
    "chunks",
    "format",
    "fill",
    "fill goes",
    "revised",
    "overlap differs",
    "time chunks",
    "noise",
}


def choose(generator):
    """How many mishaps there are, and the order in which they are tried: not all can happen to all archives."""
    count = int(generator.choice([0, 1, 2, 3], p=[0.15, 0.4, 0.3, 0.15]))
    ranks = {name: generator.random() ** (4 if name in HARD else 1) for name in MISHAPS}
    return count, sorted(ranks, key=ranks.get, reverse=True)
