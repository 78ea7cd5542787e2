# SPDX-License-Identifier: MIT OR Apache-2.0
"""Opens a cube and compares every cell of it with the model of its sources."""

import json

import cftime
import fsspec
import numcodecs
import numpy as np
import xarray
import zarr

from .cells import TOLERANCE, Cells, Dataset, Variable, equal_attributes, first_difference
from .model import MEANING, PACKING, Options, place_of

INNER = {
    "_ARRAY_DIMENSIONS",
    "_FillValue",
    "missing_value",
    "calendar",
    "bounds",
    "climatology",
    "_NCProperties",
    *PACKING,
}
GRAVITY = ["coordinates", "names", "values", "dimensions", "attributes"]
COMPRESSIONS = {".zst": "zstd", ".gz": "gzip"}


class NotOpenable(Exception):
    """A cube that zarr or xarray cannot read."""


def storage_options(path):
    """What fsspec needs to know about a set of references."""
    options = {"fo": str(path), "remote_protocol": "file"}
    for ending, compression in COMPRESSIONS.items():
        if str(path).endswith(ending):
            options["target_options"] = {"compression": compression}
    return options


def readable(path):
    """A cube that fsspec can read here: zstd needs a package that may be missing."""
    if not str(path).endswith(".zst") or "zstd" in fsspec.compression.compr:
        return path
    plain = path.with_name(path.name.removesuffix(".zst").removesuffix(".json") + ".plain.json")
    plain.write_bytes(numcodecs.Zstd().decode(path.read_bytes()))
    return plain


def fill_value(text, dtype):
    """A fill value of Zarr v2 as a number, or None."""
    if text is None or dtype.kind not in "iufb":
        return None
    if isinstance(text, str):
        return {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}.get(text)
    return text


def read_cube(path):
    """A cube, read with zarr; each array as it is stored."""
    plain = fsspec.filesystem("reference", skip_instance_cache=True, **storage_options(path))
    metadata = json.loads(plain.cat(".zmetadata"))["metadata"]
    mapper = fsspec.filesystem(
        "reference",
        skip_instance_cache=True,
        asynchronous=True,
        remote_options={"asynchronous": True},
        **storage_options(path),
    )
    store = zarr.storage.FsspecStore(mapper, read_only=True)
    variables = {}
    for key, array in metadata.items():
        if not key.endswith("/.zarray"):
            continue
        name = key.removesuffix("/.zarray")
        attributes = dict(metadata.get(f"{name}/.zattrs", {}))
        opened = zarr.open_array(store, path=name, mode="r", zarr_format=2)
        raw = np.asarray(opened[...])
        dims = attributes.pop("_ARRAY_DIMENSIONS", [])
        fill = fill_value(array["fill_value"], raw.dtype)
        if fill is not None:
            attributes["_FillValue"] = fill
        elif isinstance(attributes.get("_FillValue"), str) and raw.dtype.kind in "iuf":
            attributes["_FillValue"] = fill_value(attributes["_FillValue"], raw.dtype)
        if raw.ndim != len(dims):
            raise NotOpenable(f"{name} has {raw.ndim} axes and the dimensions {dims}")
        variables[name] = Variable(name, dims, raw, attributes)
    lengths = {}
    for variable in variables.values():
        for dimension, length in zip(variable.dims, variable.raw.shape):
            if lengths.setdefault(dimension, length) != length:
                raise NotOpenable(
                    f"{dimension} has {length} places in {variable.name}, and {lengths[dimension]} in another array"
                )
    return Dataset(variables, dict(metadata.get(".zattrs", {})))


def as_cells(values, kind, calendar):
    """What xarray decoded, as cells."""
    values = np.asarray(values)
    if kind == "time" and values.dtype.kind == "M":
        epoch = np.datetime64("1900-01-01", "us")
        masked = np.isnat(values)
        numbers = (values.astype("M8[us]") - epoch).astype("i8").astype(object)
        numbers[masked] = None
        return Cells("time", numbers, masked, np.zeros(values.shape, bool))
    if kind == "time" and values.dtype.kind == "O":
        unit = "microseconds since 1900-01-01"
        flat = [
            None if date is None or date != date else int(cftime.date2num(date, unit, calendar))
            for date in np.ravel(values)
        ]
        numbers = np.array(flat, object).reshape(values.shape)
        return Cells(
            "time",
            numbers,
            np.array([number is None for number in flat], bool).reshape(values.shape),
            np.zeros(values.shape, bool),
        )
    masked = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    return Cells("number", values, masked, np.zeros(values.shape, bool))


def xarray_difference(path, cube):
    """Where xarray decodes a cube to something else than this package, or None. Raises what xarray raises."""
    for decode_times in (True, False):
        options = {"storage_options": storage_options(path)}
        with xarray.open_dataset(
            "reference://", engine="zarr", backend_kwargs=options, decode_times=decode_times, chunks=None, cache=False
        ) as opened:
            if set(opened.variables) != set(cube.variables):
                return f"xarray shows {sorted(opened.variables)}, zarr {sorted(cube.variables)}"
            for name, variable in cube.variables.items():
                values = opened[name].values
                if variable.is_text:
                    continue
                time = cube.time_of(name)
                if time and not decode_times:
                    continue
                cells = cube.cells(name)
                if time and values.dtype.kind not in "MO":
                    continue  # bounds that xarray does not decode
                got = as_cells(values, cells.kind, time and time[1])
                if difference := first_difference(cells, got, 0 if time else 2e-6):
                    return f"{name} through xarray: {difference}"
    return None


class Comparison:
    """A cube beside the model of its sources."""

    def __init__(self, model, cube, options=None):
        self.model, self.cube, self.options = model, cube, options or Options()
        self.owners = model.owners(self.options)
        self.places = []

    def difference(self):
        """What differs, the gravest first: up to three things, or None."""
        try:
            if difference := self.coordinates():
                return f"coordinates: {difference}"
            if difference := self.names():
                return f"names: {difference}"
            found = self.values()
            if difference := self.attributes():
                found.append(f"attributes: {difference}")
        except (KeyError, ValueError, IndexError, TypeError, OverflowError) as error:
            return f"values: the cube cannot be compared: {type(error).__name__} {error}"
        return "\n".join(sorted(found, key=lambda difference: GRAVITY.index(difference.split(":")[0]))[:3]) or None

    def coordinates(self):
        """Compares places along the dimensions, and their order; then `places` has the index of each key."""
        for axis, dimension in enumerate(self.model.concat):
            if dimension not in self.cube.variables:
                return f"{dimension} is not in the cube"
            wanted = self.model.along(axis, self.options)
            got = self.model.keys_of(self.cube, dimension)
            if got != wanted:
                index = {key: place_of(key, got) for key in wanted}
                if lost := [key for key in wanted if index[key] is None]:
                    return (
                        f"{dimension}: the sources' {shown(lost[0])} is not in the cube ({len(lost)} of {len(wanted)})"
                    )
                if len(got) > len(wanted):
                    extra = [key for place, key in enumerate(got) if place not in index.values()]
                    counts = f"{len(got)} places for {len(wanted)}"
                    return f"{dimension}: the cube has {shown(extra[0])} twice, or without a source ({counts})"
                if list(index.values()) != sorted(index.values()):
                    return f"{dimension}: another order, {[shown(key) for key in got]}"
                self.places.append(index)
            else:
                self.places.append({key: place for place, key in enumerate(got)})
        return None

    def wanted(self):
        """Names of the variables of all files that are not left out as a whole."""
        files = enumerate(self.model.files)
        files = [file for number, file in files if not self.model.is_left_out(number, self.owners)]
        return [name for name in self.model.names if any(name in file.variables for file in files)]

    def names(self):
        """Compares the names of variables."""
        if missing := [name for name in self.wanted() if name not in self.cube.variables]:
            return f"{missing[0]} is not in the cube"
        extra = [name for name in self.cube.variables if name not in self.model.names]
        return f"{extra[0]} is in no source" if extra else None

    def attributes(self):
        """Compares attributes: what all sources say is in the cube, and nothing that no source says."""
        sources = self.model.files
        if difference := attribute_difference(
            "the data set", self.cube.attributes, [source.attributes for source in sources]
        ):
            return difference
        for name, variable in self.cube.variables.items():
            found = [
                source.variables[name].attributes
                for number, source in enumerate(sources)
                if name in source.variables
                and not (self.model.is_joined(name) and self.model.is_empty(number))
                and not self.model.is_left_out(number, self.owners)
            ]
            found = found or [source.variables[name].attributes for source in sources if name in source.variables]
            ignored = {"units"} if self.cube.time_of(name) else set()
            if difference := attribute_difference(name, variable.attributes, found, ignored):
                return difference
            for attribute in ("bounds", "climatology"):
                wanted = [attributes.get(attribute) for attributes in found]
                if variable.attributes.get(attribute) not in wanted:
                    return f"{name}: {attribute} is {variable.attributes.get(attribute)} instead of {wanted[0]}"
        return None

    def values(self):
        """Compares the cells of all variables."""
        found = []
        for name in self.wanted():
            difference = self.joined(name) if self.model.is_joined(name) else self.static(name)
            if difference:
                kind = "dimensions" if "dimensions (" in difference or "stacked" in difference else "values"
                found.append(f"{kind}: {name}: {difference}")
        return found

    def where(self, key, dims):
        """The index of a place in an array of the cube with these dimensions."""
        places = {dimension: self.places[axis][key[axis]] for axis, dimension in enumerate(self.model.concat)}
        return tuple(places.get(dimension, slice(None)) for dimension in dims)

    def joined(self, name):
        """Compares a variable along a dimension, place by place."""
        cube = self.cube.cells(name)
        dims = self.cube.variables[name].dims[: cube.values.ndim]
        source = next(file for file in self.model.files if name in file.variables)
        wanted = source.variables[name].dims[: source.cells(name).values.ndim]
        if name in self.model.concat:
            wanted = (name,)
        stacked = (
            tuple(dimension for dimension in self.model.concat if dimension in dims and dimension not in wanted)
            + wanted
        )
        if dims != wanted and (dims != stacked or not self.model.differs_beside(name, wanted)):
            return f"dimensions {dims} instead of {wanted}"
        covered = np.zeros(cube.shape, bool)
        for key, owners in self.owners.items():
            place = self.where(key, dims)
            covered[place] |= (
                not any(name in self.model.files[number].variables for number, _ in owners)
                and len(owners) == 1
                and self.twice(key)
            )
            for number, position in owners:
                if name in self.model.files[number].variables:
                    expected = self.model.slab(
                        number, name, position if set(wanted) & set(source.variables[name].dims) else ()
                    )
                    got = cube[place]
                    if name in self.model.concat and expected.shape != got.shape:
                        expected = Cells(
                            expected.kind,
                            expected.values.reshape(got.shape),
                            expected.masked.reshape(got.shape),
                            expected.loose.reshape(got.shape),
                        )
                    if difference := first_difference(expected, got):
                        return f"place {[shown(one) for one in key]} of {self.model.paths[number].name}, {difference}"
                    covered[place] = True
        empty = ~covered & ~cube.masked & ~cube.loose
        if cube.kind == "text":
            empty &= np.array([bool(item) for item in np.ravel(cube.values)], bool).reshape(cube.shape)
        if empty.any():
            place = tuple(int(index) for index in np.argwhere(empty)[0])
            return f"at {place}: {cube.values[place]}, and no source has anything there"
        return None

    def twice(self, key):
        """Whether several files have a place, of which one counts."""
        return len(self.model.owners(Options())[key]) > 1

    def static(self, name):
        """Compares a variable without the dimensions: once, or, where files differ, at each place."""
        cube = self.cube.cells(name)
        dims = self.cube.variables[name].dims[: cube.values.ndim]
        files = [number for number in range(len(self.model.files)) if name in self.model.files[number].variables]
        first = self.model.files[files[0]]
        wanted = first.variables[name].dims[: first.cells(name).values.ndim]
        if dims == wanted:
            if name in self.options.identical:
                return first_difference(first.cells(name), cube)
            for number in [number for number in files if self.model.counts(number, self.owners)] or files:
                if difference := first_difference(self.model.files[number].cells(name), cube):
                    return f"kept once, but {self.model.paths[number].name} has another value {difference}"
            return None
        stacked = tuple(dimension for dimension in self.model.concat if dimension in dims) + wanted
        if dims != stacked:
            return f"dimensions {dims} instead of {wanted}"
        cells = [self.model.files[number].cells(name) for number in files]
        if len(files) == len(self.model.files) and not any(first_difference(cells[0], other) for other in cells[1:]):
            return f"the same in all files, but stacked: {dims}"
        covered = np.zeros(cube.shape, bool)
        for key, owners in self.owners.items():
            place = self.where(key, dims)
            for number, _ in owners:
                if number in files:
                    if difference := first_difference(self.model.files[number].cells(name), cube[place]):
                        return f"place {[shown(one) for one in key]} of {self.model.paths[number].name}, {difference}"
                    covered[place] = True
        return (
            "a place has values, and no source has anything there"
            if (~covered & ~cube.masked & ~cube.loose).any()
            else None
        )


def attribute_difference(where, got, found, ignored=()):
    """How attributes differ from those of the sources, or None."""
    skip = INNER | set(ignored)
    for name in dict.fromkeys([*got, *(name for attributes in found for name in attributes)]):
        if name in skip or name.startswith("_nc3"):
            continue
        values = [attributes[name] for attributes in found if name in attributes]
        if name in got and not any(equal_attributes(got[name], value) for value in values):
            return f"{where}: {name} is {got[name]!r}" + (
                f" instead of {values[0]!r}" if values else ", and no source has it"
            )
        if name not in got and len(values) == len(found):
            return f"{where}: {name} = {values[0]!r} is lost"
        if name in MEANING and name in got and any(not equal_attributes(got[name], value) for value in values):
            return f"{where}: {name} is {got[name]!r}, and differs between files"
    return None


def shown(key):
    """A key as people read it."""
    if isinstance(key, str):
        return key
    return (
        (np.datetime64("1900-01-01", "us") + np.timedelta64(key, "us")).item().isoformat()
        if key is not None
        else "missing"
    )


__all__ = ["TOLERANCE", "Comparison", "NotOpenable", "read_cube", "xarray_difference"]
