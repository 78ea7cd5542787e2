# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random products: what the files of an archive look like before anything happens to them."""

import copy

CALENDARS = ["standard"] * 6 + [
    "gregorian",
    "proleptic_gregorian",
    None,
    "noleap",
    "365_day",
    "360_day",
    "all_leap",
    "366_day",
    "julian",
]
FORMATS = ["NETCDF4"] * 7 + ["NETCDF4_CLASSIC", "NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]
NAMES = [("tas", "K"), ("sst", "degC"), ("pr", "kg m-2 s-1")]


def pick(generator, choices):
    """One of these."""
    return choices[int(generator.integers(len(choices)))]


def chance(generator, share):
    """True in this share of the cases."""
    return bool(generator.random() < share)


def random_time(generator, style):
    """The time axis of a product."""
    step_hours = pick(generator, [1, 6, 24, 24, 24 * 5])
    unit = pick(generator, ["days", "days", "hours", "seconds", "minutes"])
    dtypes = ["f8", "f8", "f8"]
    if unit in ("days", "hours"):
        dtypes.append("f4")
    if unit != "days" or step_hours % 24 == 0:
        dtypes += ["i4", "i4"]
    per_file = chance(generator, 0.35)
    start = [int(generator.integers(1995, 2020)), int(generator.integers(1, 13)), int(generator.integers(1, 28))]
    epoch = pick(generator, [start, [1970, 1, 1], [1900, 1, 1], [1978, 1, 1]])
    if unit == "seconds" and epoch[0] < 1970:
        epoch = [1970, 1, 1]
    return {
        "name": pick(generator, ["time", "time", "t"]),
        "style": style,
        "unlimited": chance(generator, 0.7),
        "dtype": pick(generator, dtypes),
        "unit": unit,
        "step_hours": step_hours,
        "start": start,
        "epoch": epoch,
        "epoch_per_file": per_file,
        "clock": pick(generator, ["", " 00:00:00", "T00:00:00Z"]),
        "calendar": pick(generator, CALENDARS),
    }


def entry(name, dtype, dims, content, attributes=None, **more):
    """A variable of a product."""
    return {
        "name": name,
        "dtype": dtype,
        "dims": dims,
        "content": content,
        "attributes": attributes or {},
        "fill": None,
        "zlib": 0,
        **more,
    }


def random_space(generator, dims, variables):
    """Dimensions of space with their coordinates; returns the names of the dimensions."""
    kind = pick(generator, ["latlon", "latlon", "levels", "curvilinear", "stations"])
    big = kind in ("latlon", "curvilinear") and chance(generator, 0.15)
    rows, columns = (132, 130) if big else (int(generator.integers(3, 9)), int(generator.integers(3, 9)))
    zlib = pick(generator, [0, 0, 4])
    if kind == "stations":
        dims["station"] = rows
        variables.append(
            entry(
                "station", "i4", ["station"], {"kind": "axis", "start": 100, "step": 7}, {"long_name": "station number"}
            )
        )
        return ["station"]
    if kind == "curvilinear":
        dims.update(y=rows, x=columns)
        for name, step in (("lat", 1), ("lon", -2)):
            variables.append(
                entry(
                    name,
                    pick(generator, ["f4", "f8"]),
                    ["y", "x"],
                    {"kind": "grid", "start": 40.0, "step": step},
                    {"units": "degrees_north" if name == "lat" else "degrees_east", "standard_name": name},
                    zlib=zlib,
                )
            )
        return ["y", "x"]
    names = ["lat", "lon"]
    dims.update(lat=rows, lon=columns)
    dtype = pick(generator, ["f4", "f8"])
    packed = chance(generator, 0.1)
    for name, start in (("lat", -30.3), ("lon", 10.1)):
        attributes = {
            "units": "degrees_north" if name == "lat" else "degrees_east",
            "axis": "Y" if name == "lat" else "X",
        }
        content = {"kind": "axis", "start": start, "step": 0.7}
        if packed:
            attributes.update(scale_factor=["f4", 0.1], add_offset=["f4", start])
            content = {"kind": "axis", "start": 0, "step": 7}
        variables.append(entry(name, "i2" if packed else dtype, [name], content, attributes))
    if kind == "levels":
        dims["lev"] = int(generator.integers(2, 4))
        variables.append(
            entry(
                "lev",
                "f4",
                ["lev"],
                {"kind": "axis", "start": 1000.0, "step": -150.0},
                {"units": "hPa", "positive": "down"},
            )
        )
        names = ["lev", *names]
    return names


def random_storage(generator, variable, product, per_file):
    """Chunks and filters of a variable with data. Most fit the lengths of files; what does not fit is a mishap."""
    time = product["time"]["name"]
    variable["zlib"] = pick(generator, [0, 1, 4, 4, 9])
    variable["shuffle"] = bool(variable["zlib"]) and chance(generator, 0.6)
    variable["fletcher"] = chance(generator, 0.15)
    variable["endian"] = "big" if chance(generator, 0.05) else "native"
    shape = [
        per_file if name == time else 1 if name == "member" and product["members"] > 1 else product["dims"][name]
        for name in variable["dims"]
    ]
    if chance(generator, 0.7) or (variable["zlib"] and not product["time"]["unlimited"]):
        whole = chance(generator, 0.5)
        variable["chunks"] = [
            pick(generator, [1, max(length, 1)]) if name == time else length if whole else max(1, (length + 1) // 2)
            for name, length in zip(variable["dims"], shape)
        ]


def random_values(generator, variable, classic):
    """Type, packing and fill value of a variable with data."""
    kind = pick(generator, ["float", "float", "double", "packed", "packed", "integer", "bytes"])
    attributes = variable["attributes"]
    if kind in ("float", "double"):
        variable["dtype"] = "f4" if kind == "float" else "f8"
        fills = [None, -9999.0, 1e20, float("nan")]
    elif kind == "bytes":
        variable["dtype"] = "i1" if classic else pick(generator, ["i1", "u1"])
        fills = [None, 127] if variable["dtype"] == "i1" else [None, 255]
        if variable["dtype"] == "i1" and chance(generator, 0.3):
            attributes["_Unsigned"] = "true"
            fills = [None, -1]
    else:
        variable["dtype"] = pick(generator, ["i2", "i4"])
        fills = [None, -32767, -9999, 0]
    if kind == "packed":
        width = pick(generator, ["f4", "f8"])
        attributes["scale_factor"] = [width, pick(generator, [0.1, 0.5, 0.01, 1.0])]
        if chance(generator, 0.7):
            attributes["add_offset"] = [width, pick(generator, [0.0, 273.15, 25.0])]
    variable["fill"] = pick(generator, fills)
    if (
        chance(generator, 0.3) and "_Unsigned" not in attributes
    ):  # xarray compares missing_value after it has made numbers unsigned
        value = variable["fill"] if variable["fill"] is not None else -99
        attributes["missing_value"] = [
            variable["dtype"] if variable["dtype"] != "u1" else "u1",
            value if variable["dtype"] != "u1" else abs(value),
        ]
    variable["content"]["gaps"] = chance(generator, 0.6)


def add_time(generator, product, classic):
    """Variables of the time axis: the coordinate, its bounds, a second time."""
    time = product["time"]
    scalar = time["style"] == "scalar"
    along = [] if scalar else [time["name"]]
    attributes = {"standard_name": "time", "axis": "T"}
    storage = {}
    if not classic and not scalar and chance(generator, 0.3):
        storage = {
            "zlib": 4,
            "shuffle": chance(generator, 0.5),
            "chunks": [pick(generator, [1, 512])] if time["unlimited"] else None,
        }
    bounds = None if scalar else pick(generator, [None, None, "bounds", "climatology"])
    dtype = time["dtype"]
    product["variables"].append(entry(time["name"], dtype, along, {"kind": "time"}, attributes, **storage))
    if bounds:
        name = f"{time['name']}_bnds" if bounds == "bounds" else "climatology_bnds"
        attributes[bounds] = name
        product["dims"]["nv"] = 2
        bounds_type = pick(generator, [dtype, dtype, "f8"])
        product["variables"].append(
            entry(
                name,
                bounds_type,
                [time["name"], "nv"],
                {"kind": "bounds", "own_units": chance(generator, 0.2)},
                {},
                zlib=0 if classic else pick(generator, [0, 4]),
                chunks=pick(generator, [None, [1, 2]]) if time["unlimited"] else None,
            )
        )
    if not scalar and chance(generator, 0.2):
        product["variables"].append(
            entry(
                "reftime",
                dtype,
                along,
                {"kind": "reference", "own_units": True},
                {"standard_name": "forecast_reference_time"},
            )
        )


def random_product(generator):
    """A product: everything that the files of an archive have in common."""
    style = "scalar" if chance(generator, 0.15) else "dimension"
    file_format = pick(generator, FORMATS)
    classic, netcdf4 = file_format.startswith("NETCDF3"), file_format == "NETCDF4"
    members = pick(generator, [2, 3]) if style == "dimension" and chance(generator, 0.1) else 0
    product = {
        "name": "day",
        "format": file_format,
        "time": random_time(generator, style),
        "dims": {},
        "variables": [],
        "members": members,
        "attributes": {"Conventions": "CF-1.8", "title": "a random archive", "history": "made by a generator"},
    }
    per_file = 1 if style == "scalar" else pick(generator, [1, 1, 2, 3, 4])
    product["per_file"] = per_file
    add_time(generator, product, classic)
    time = product["time"]["name"]
    space = random_space(generator, product["dims"], product["variables"])
    along = [] if style == "scalar" else [time]
    if members:
        product["dims"]["member"] = 1
        text = netcdf4 and chance(generator, 0.2)
        product["variables"].append(entry("member", "str" if text else "i4", ["member"], {"kind": "member"}))
        along.append("member")
    elif chance(generator, 0.1):
        product["dims"]["ensemble"] = 2
        product["variables"].append(entry("ensemble", "i4", ["ensemble"], {"kind": "axis", "start": 1, "step": 1}))
        along.append("ensemble")
    for index in range(int(generator.integers(1, 4))):
        name, units = NAMES[index]
        attributes = {
            "units": units,
            "long_name": f"random {name}",
            "standard_name": name,
            "cell_methods": f"{time}: mean",
        }
        dims = along + space
        if "station" in space and netcdf4 and not members and chance(generator, 0.3):
            dims = space + along  # a series for each station
        variable = entry(
            name, "f4", dims, {"kind": "data", "index": index, "member_dim": "member" if members else None}, attributes
        )
        if "y" in space:
            attributes["coordinates"] = "lat lon"
        random_values(generator, variable, classic or file_format == "NETCDF4_CLASSIC")
        if not classic:
            random_storage(generator, variable, product, per_file)
        product["variables"].append(variable)
    add_static(generator, product, space, classic)
    return product


def add_static(generator, product, space, classic):
    """Fields without time, text, a grid mapping."""
    time = product["time"]["name"]
    netcdf4 = product["format"] == "NETCDF4"
    if chance(generator, 0.4):
        zlib = 0 if classic else pick(generator, [0, 4])
        product["variables"].append(
            entry(
                "mask",
                pick(generator, ["i1", "i4", "f4"]),
                space[-2:],
                {"kind": "static", "index": 20},
                {"long_name": "land-sea mask"},
                zlib=zlib,
            )
        )
    if chance(generator, 0.1):
        product["dims"].update(row=140, column=130)
        product["variables"].append(
            entry(
                "area",
                "f8",
                ["row", "column"],
                {"kind": "static", "index": 21},
                {"units": "m2"},
                zlib=0 if classic else pick(generator, [0, 4]),
            )
        )
    if chance(generator, 0.2):
        product["variables"].append(
            entry(
                "crs",
                "i4",
                [],
                {"kind": "static", "index": 22},
                {"grid_mapping_name": "latitude_longitude", "semi_major_axis": ["f8", 6378137.0]},
            )
        )
    if chance(generator, 0.2):
        moving = product["time"]["style"] == "dimension" and chance(generator, 0.7)
        content = {"kind": "text", "moving": moving, "word": "run", "length": 12}
        dims = [time] if moving else []
        if netcdf4 and chance(generator, 0.4):
            product["dims"]["one"] = 1
            product["variables"].append(entry("label", "str", dims or ["one"], content))
        else:
            product["dims"]["letters"] = 12
            product["variables"].append(entry("label", "char", [*dims, "letters"], content))


def new_file(product, steps, member=0):
    """A file of an archive."""
    return {
        "steps": steps,
        "member": member,
        "revision": 0,
        "without": [],
        "unwritten": [],
        "product": copy.deepcopy(product),
    }


def chunk_along(variable, dimension):
    """How long the chunks of a variable are along a dimension, where the product says it."""
    if not isinstance(variable.get("chunks"), list) or dimension not in variable["dims"]:
        return 1
    return variable["chunks"][variable["dims"].index(dimension)]


def random_split(generator, product):
    """The files of an archive: consecutive steps, most with the same number in each file."""
    count = int(generator.integers(2, 7))
    per_file = product["per_file"]
    time = product["time"]["name"]
    compressed = any(
        chunk_along(variable, time) > 1 for variable in product["variables"] if variable["content"]["kind"] == "data"
    )
    lengths = [per_file] * count
    if (
        product["time"]["style"] == "dimension"
        and product["time"]["unlimited"]
        and not compressed
        and chance(generator, 0.4)
    ):
        lengths = [int(generator.integers(1, 5)) for _ in range(count)]
    elif per_file > 1 and product["time"]["unlimited"] and chance(generator, 0.3):
        lengths[-1] -= 1
    files, first = [], 0
    for length in lengths:
        steps = list(range(first, first + length))
        first += length
        for member in range(max(product["members"], 1)):
            files.append(new_file(product, steps, member))
    return files[:9]
