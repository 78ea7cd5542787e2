# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random archives of NetCDF files, as a seed and a few mishaps of real archives make them.

A product says what a file of the archive looks like: its dimensions, its time axis and its variables, all of it plain
JSON. Each file has a copy of the product, so that a mishap changes some files and not others.
`write` makes a file of it.
"""

import copy
import datetime
import json
import pathlib

import cftime
import h5py
import netCDF4
import numpy as np

from . import mishaps, product as products


def typed(value):
    """An attribute: text as it is, `[type, value]` as numbers of that type."""
    if isinstance(value, list):
        kind, numbers = value
        return np.array(numbers, kind) if isinstance(numbers, list) else np.dtype(kind).type(numbers)
    return value


def dates_of(product, steps):
    """The instants of steps, in the calendar of the product."""
    time = product["time"]
    start = cftime.datetime(*time["start"], calendar=time["calendar"] or "standard")
    return [start + datetime.timedelta(hours=time["step_hours"] * step) for step in steps]


def units_of(product, steps):
    """Units of time in a file: its epoch may be the archive's, or its own first day."""
    time = product["time"]
    epoch = time["epoch"]
    if time["epoch_per_file"]:
        first = dates_of(product, [steps[0] if steps else 0])[0]
        epoch = [first.year, first.month, first.day]
    return f"{time['unit']} since {epoch[0]:04d}-{epoch[1]:02d}-{epoch[2]:02d}{time['clock']}"


def times(product, dates, units):
    """Dates as numbers."""
    if not dates:
        return np.zeros(0)
    return np.asarray(cftime.date2num(dates, units, product["time"]["calendar"] or "standard"), "f8")


class Source:
    """What is in a variable: numbers that depend on the seed, the variable, the step and the revision alone."""

    def __init__(self, seed, file):
        self.seed, self.file, self.product = seed, file, file["product"]

    def slab(self, variable, shape, step, member):
        """Stored values of one step of a data variable."""
        content = variable["content"]
        revision = self.file["revision"]
        generator = np.random.default_rng([self.seed, content["index"], step + 1000, member, revision])
        dtype = np.dtype(variable["dtype"])
        if dtype.kind == "f":
            values = np.round(generator.normal(280, 20, shape), 3).astype(dtype)
        else:
            low, high = (0, 200) if dtype.kind == "u" else (-100, 120)
            values = generator.integers(low, high, shape).astype(dtype)
        missing = (
            variable["fill"]
            if variable["fill"] is not None
            else variable["attributes"].get("missing_value", [None, None])[1]
        )
        if missing is not None and content.get("gaps"):
            values[generator.random(shape) < 0.15] = missing
        return values

    def static(self, variable, shape):
        """Stored values of a variable that does not change with time."""
        content = variable["content"]
        if content["kind"] == "axis":
            values = content["start"] + content["step"] * np.arange(shape[0])
        elif content["kind"] == "grid":
            rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
            values = content["start"] + 0.25 * rows + 0.01 * columns * content["step"]
        else:
            generator = np.random.default_rng([self.seed, content["index"], content.get("version", 0)])
            values = (
                generator.integers(0, 100, shape)
                if np.dtype(variable["dtype"]).kind in "iu"
                else generator.random(shape)
            )
        values = np.asarray(values)
        if noise := content.get("noise"):
            values = values * (1 + noise * np.random.default_rng(self.seed).choice([-1, 1], shape))
        return values.astype(variable["dtype"])


def create(dataset, variable, classic):
    """Declares a variable with its storage and attributes."""
    options = {}
    if not classic and variable["dims"] and variable["dtype"] != "str":
        if variable.get("zlib"):
            options.update(zlib=True, complevel=variable["zlib"])
        options.update(shuffle=bool(variable.get("shuffle")), fletcher32=bool(variable.get("fletcher")))
        if isinstance(variable.get("chunks"), list):
            options.update(chunksizes=variable["chunks"])
    if not classic and variable.get("endian") == "big" and np.dtype(variable["dtype"]).itemsize > 1:
        options.update(endian="big")
    dtype = {"str": str, "char": "S1"}.get(variable["dtype"], variable["dtype"])
    fill = variable.get("fill")
    made = dataset.createVariable(variable["name"], dtype, variable["dims"], fill_value=fill, **options)
    made.set_auto_maskandscale(False)
    made.set_auto_chartostring(False)
    for name, value in variable["attributes"].items():
        made.setncattr(name, typed(value))
    return made


def texts(steps, content):
    """A line of text for each step."""
    return [f"{content['word']} {step:03d}" for step in steps]


def write(path, file, seed):
    """Writes one file of an archive."""
    product, steps = file["product"], file["steps"]
    classic = product["format"].startswith("NETCDF3")
    source = Source(seed, file)
    time = product["time"]
    axis = time["name"]
    along = time["style"] == "dimension"
    with netCDF4.Dataset(path, "w", format=product["format"]) as dataset:
        for name, length in product["dims"].items():
            dataset.createDimension(name, length)
        if along:
            # The classic format has records along the first axis alone.
            first = all(axis not in variable["dims"][1:] for variable in product["variables"])
            unlimited = time["unlimited"] and (first or not classic)
            dataset.createDimension(axis, None if unlimited else len(steps))
        for name, value in product["attributes"].items():
            dataset.setncattr(name, typed(value))
        units = units_of(product, steps)
        made = {
            variable["name"]: create(dataset, variable, classic)
            for variable in product["variables"]
            if variable["name"] not in file["without"]
        }
        for variable in product["variables"]:
            if variable["name"] in made:
                fill_in(made[variable["name"]], variable, file, source, units)
    for name, value in ({} if classic else file.get("other_fill", {})).items():
        with h5py.File(path, "r+") as handle:
            if name in handle:
                handle[name].attrs["_FillValue"] = np.array([value], handle[name].dtype)


def fill_in(target, variable, file, source, units):
    """Writes the values of a variable."""
    product, steps = file["product"], file["steps"]
    time, content = product["time"], variable["content"]
    kind = content["kind"]
    dates = dates_of(product, steps)
    if kind in ("time", "bounds", "reference"):
        own = units
        if kind == "time" or content.get("own_units"):
            target.units = units
            if time["calendar"]:
                target.calendar = time["calendar"]
        if kind == "reference":
            dates = dates_of(product, [min(steps, default=0) - 4] * len(steps))
        values = times(product, dates, own)
        if kind == "bounds":
            later = times(product, dates_of(product, [step + 1 for step in steps]), own)
            values = np.stack([values, later], axis=1)
        values = values.astype(variable["dtype"])
        if time["style"] == "scalar":
            target[...] = values[0]
        elif steps:
            target[:] = values
        return
    if kind == "member":
        target[:] = (
            np.array([f"r{file['member'] + 1}i1p1f1"], object) if variable["dtype"] == "str" else [file["member"]]
        )
    elif kind == "text":
        lines = texts(steps if content["moving"] else [0], content)
        if variable["dtype"] == "char":
            letters = np.array([list(line.ljust(content["length"])) for line in lines], "S1").reshape(
                len(lines), content["length"]
            )
            if steps or not content["moving"]:
                target[:] = letters if target.ndim == 2 else letters[0]
        else:
            for place, line in enumerate(lines):
                target[place] = line
    elif kind == "data":
        shape = tuple(
            1 if name == content.get("member_dim") else product["dims"][name]
            for name in variable["dims"]
            if name != time["name"]
        )
        written = steps[:-1] if variable["name"] in file["unwritten"] else steps
        for place, step in enumerate(written):
            slab = source.slab(variable, shape, step, file["member"])
            if time["style"] == "scalar":
                target[...] = slab
            else:
                target[tuple(place if name == time["name"] else slice(None) for name in variable["dims"])] = slab
    else:
        target[...] = source.static(variable, tuple(product["dims"][name] for name in variable["dims"]))


class Archive:
    """A random archive: `description` says what it is, `write` makes its files."""

    def __init__(self, seed, only=None):
        """`only` limits the mishaps to these names (for making a finding smaller)."""
        generator = np.random.default_rng(seed)
        base = products.random_product(generator)
        files = products.random_split(generator, base)
        self.seed = seed
        self.mishaps = []
        count, order = mishaps.choose(generator)
        for name in order:
            if (only is not None and name not in only) or (only is None and len(self.mishaps) == count):
                continue
            rng = np.random.default_rng([seed, *name.encode()])
            changed = mishaps.MISHAPS[name](rng, copy.deepcopy(files))
            if changed is not None:
                files = changed
                self.mishaps.append(name)
        if not set(self.mishaps) & mishaps.ONE_FILE and generator.random() < 0.08:
            files = mishaps.pairs(files)
        self.settle(base, files)

    def settle(self, product, files):
        """Takes these files, and names them in their order."""
        self.product, self.files = product, files
        for number, file in enumerate(files):
            file["name"] = f"{product['name']}_{number:03d}{file.get('part', '')}.nc"

    @classmethod
    def of(cls, product, files, seed=0):
        """An archive of these files, without chance."""
        archive = cls.__new__(cls)
        archive.seed, archive.mishaps = seed, []
        archive.settle(product, files)
        return archive

    @property
    def description(self):
        """What was made, as JSON can say it."""
        return {"seed": self.seed, "mishaps": self.mishaps, "product": self.product, "files": self.files}

    def summary(self):
        """One line about the archive."""
        time = self.product["time"]
        lengths = ",".join(str(len(file["steps"])) for file in self.files)
        return (
            f"{self.product['format']} {time['style']} time of {time['dtype']} in {time['unit']} ({time['calendar']},"
            f" {'epoch per file' if time['epoch_per_file'] else 'one epoch'}), files of {lengths} steps"
        )

    def write(self, folder):
        """Writes the files, in the order of their names, and returns their paths."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for file in self.files:
            path = folder / file["name"]
            write(path, file, self.seed)
            paths.append(path)
        (folder / "archive.description").write_text(json.dumps(self.description, indent=1, default=str))
        return paths
