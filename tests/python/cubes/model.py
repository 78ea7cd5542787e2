# SPDX-License-Identifier: MIT OR Apache-2.0
"""The truth about an archive, from its files alone, read with netCDF4: what is where, and whether a cube exists."""

import netCDF4
import numpy as np

from .cells import TOLERANCE, Dataset, Variable, calendar_of, equal_attributes, first_difference, numbers

MEANING = {"units", "positive", "flag_values", "flag_meanings", "grid_mapping_name", "semi_major_axis", "standard_name"}
PACKING = ("scale_factor", "add_offset", "_Unsigned")


def read(path):
    """A source file, with the storage of its variables."""
    variables = {}
    with netCDF4.Dataset(path) as source:
        source.set_auto_maskandscale(False)
        source.set_auto_chartostring(False)
        for name, variable in source.variables.items():
            attributes = {key: variable.getncattr(key) for key in variable.ncattrs()}
            filters = variable.filters() if source.data_model.startswith("NETCDF4") else None
            chunks = variable.chunking() if filters is not None and variable.dimensions else None
            if filters is None:
                unlimited = any(source.dimensions[dimension].isunlimited() for dimension in variable.dimensions)
                chunks = "records" if unlimited else "contiguous"
            storage = {
                "codecs": tuple(sorted(key for key, value in (filters or {}).items() if value and key != "complevel")),
                "chunks": chunks,
                "order": (
                    "classic"
                    if filters is None
                    else variable.endian() if np.dtype(variable.dtype).itemsize > 1 else "native"
                ),
            }
            variables[name] = Variable(name, variable.dimensions, variable[...], attributes, storage)
        attributes = {key: source.getncattr(key) for key in source.ncattrs()}
    return Dataset(variables, attributes)


class Options:
    """What the run asks for besides the dimensions."""

    def __init__(
        self,
        sort=False,
        duplicates="error",
        missing="error",
        identical=(),
        conflict="error",
        decoded=False,
        merge=False,
    ):
        self.sort, self.duplicates, self.missing, self.identical, self.conflict = (
            sort,
            duplicates,
            missing,
            tuple(identical),
            conflict,
        )
        self.merge = merge
        self.decoded = decoded  # --concat TIME=cf:TIME

    def arguments(self):
        """As the command line says it."""
        found = ["--sort"] if self.sort else []
        found += ["--duplicates", self.duplicates] if self.duplicates != "error" else []
        found += ["--missing", self.missing] if self.missing != "error" else []
        found += ["--on-conflict", self.conflict] if self.conflict != "error" else []
        found += ["--merge"] if self.merge else []
        return found + (["--identical", ",".join(self.identical)] if self.identical else [])


class Model:
    """What a cube of these files has to hold. The files come in the order of the command line."""

    def __init__(self, paths, concat):
        self.paths, self.concat = list(paths), list(concat)
        self.files = [read(path) for path in paths]
        self.keys = [[self.keys_of(file, dimension) for dimension in concat] for file in self.files]
        self.names = list(dict.fromkeys(name for file in self.files for name in file.variables))

    def without(self, files, variables):
        """The model without these files, by name, and these variables."""
        rest = Model([path for path in self.paths if path.name not in files], self.concat)
        rest.names = [name for name in rest.names if name not in variables]
        return rest

    def keys_of(self, file, dimension):
        """Where a file lies along a dimension: instants, numbers or text."""
        if dimension not in file.variables:
            return []
        cells = file.cells(dimension)
        return [value if cells.kind == "time" else str(value) for value in np.ravel(cells.values)]

    def is_empty(self, number):
        """Whether a file has no place in the cube."""
        return any(not keys for keys in self.keys[number])

    def filled(self):
        """Numbers of the files that hold something."""
        return [number for number in range(len(self.files)) if not self.is_empty(number)]

    def counts(self, number, owners):
        """Whether anything along the dimensions is from a file."""
        return any(number == owner for found in owners.values() for owner, _ in found)

    def is_left_out(self, number, owners):
        """Whether none of a file's places counts, because other files have them all."""
        return not self.is_empty(number) and not self.counts(number, owners)

    def along(self, axis, options):
        """The keys of an axis in the order that the cube has to have."""
        keys = list(dict.fromkeys(key for number in self.filled() for key in self.keys[number][axis]))
        return (
            sorted(
                keys,
                key=lambda key: (isinstance(key, str), int(key) if isinstance(key, str) and key.isdigit() else key),
            )
            if options.sort
            else keys
        )

    def combinations(self, number):
        """Each place of a file: its position in the file, and its keys."""
        places = [[]]
        for keys in self.keys[number]:
            places = [[*place, (position, key)] for place in places for position, key in enumerate(keys)]
        return [(tuple(position for position, _ in place), tuple(key for _, key in place)) for place in places]

    def owners(self, options):
        """For each place the files whose values count: one if duplicates are settled, else all."""
        owners = {}
        for number in self.filled():
            for position, key in self.combinations(number):
                owners.setdefault(key, []).append((number, position))
        if options.duplicates == "first":
            return {key: found[:1] for key, found in owners.items()}
        if options.duplicates == "last":
            return {key: found[-1:] for key, found in owners.items()}
        return owners

    def is_joined(self, name):
        """Whether a variable has one of the dimensions somewhere, or is the coordinate of one."""
        return name in self.concat or any(
            set(self.concat) & set(file.variables[name].dims) for file in self.files if name in file.variables
        )

    def places_of(self, name, options=None):
        """The places where a file that counts has a variable."""
        return [
            key
            for key, owners in self.owners(options or Options()).items()
            if any(name in self.files[number].variables for number, _ in owners)
        ]

    def is_stacked(self, name):
        """Whether a variable that has none of the dimensions differs between files that each lie at one place."""
        if self.is_joined(name) or any(
            file.variables[self.concat[0]].raw.ndim for file in self.files if self.concat[0] in file.variables
        ):
            return False
        cells = [file.cells(name) for file in self.files if name in file.variables]
        if any(file.variables[name].dims == (name,) for file in self.files if name in file.variables):
            return False
        return any(first_difference(cells[0], other) for other in cells[1:])

    def differs_beside(self, name, dims):
        """Whether a variable differs between files that lie at one place of the dimensions that it has."""
        found = {}
        for key, owners in self.owners(Options()).items():
            for number, position in owners:
                if name in self.files[number].variables:
                    found.setdefault(
                        tuple(one for one, dimension in zip(key, self.concat) if dimension in dims), []
                    ).append(self.slab(number, name, position))
        return any(first_difference(slabs[0], slab) for slabs in found.values() for slab in slabs[1:])

    def slab(self, number, name, position):
        """The cells of a variable at a place of a file."""
        variable = self.files[number].variables[name]
        cells = self.files[number].cells(name)
        where = dict(zip(self.concat, position))
        return cells[tuple(where.get(dimension, slice(None)) for dimension in variable.dims[: cells.values.ndim])]

    # The decision.

    def decide(self, options):
        """Whether a cube exists: `exact`, `impossible` or `unsure`, with reasons."""
        impossible, unsure = [], []
        filled = self.filled()
        if not filled:
            return "unsure", ["nothing in any file"]
        calendars = {calendar_of(self.files[number].variables[self.concat[0]].attributes) for number in filled}
        if len(calendars) > 1:
            impossible.append(f"calendars {sorted(calendars)}")
        if options.decoded and any(
            self.files[number].variables[self.concat[0]].raw.dtype.itemsize < 8 for number in filled
        ):
            unsure.append("decoded times that may not be whole microseconds")
        self.decide_places(options, impossible, unsure)
        for name in self.names:
            files = [
                number
                for number in (filled if self.is_joined(name) else range(len(self.files)))
                if name in self.files[number].variables
            ]
            if not files:
                continue
            variables = [self.files[number].variables[name] for number in files]
            if len({variable.dims for variable in variables}) > 1:
                impossible.append(f"{name}: dimensions differ")
                continue
            for attribute in MEANING:
                found = [variable.attributes.get(attribute) for variable in variables]
                timed = self.files[files[0]].time_of(name) is not None
                if any(not equal_or_none(found[0], one) for one in found) and not (attribute == "units" and timed):
                    impossible.append(f"{name}: {attribute} differs")
            if self.is_joined(name) or self.is_stacked(name):
                self.decide_joined(name, files, variables, options, impossible, unsure)
            else:
                self.decide_static(name, files, variables, options, impossible, unsure)
        if impossible:
            return "impossible", impossible
        return ("unsure", unsure) if unsure else ("exact", [])

    def decide_places(self, options, impossible, unsure):
        """Duplicates, order, and combinations without a file."""
        owners = self.owners(Options())
        twice = {key: found for key, found in owners.items() if len(found) > 1}
        if twice and options.duplicates == "error" and not options.merge:
            unsure.append("duplicates without --duplicates")
            for found in twice.values():
                for name in self.names:
                    if (self.is_joined(name) or self.is_stacked(name)) and name not in self.concat:
                        slabs = [
                            self.slab(number, name, position)
                            for number, position in found
                            if name in self.files[number].variables
                        ]
                        if any(first_difference(slabs[0], slab) for slab in slabs[1:]):
                            impossible.append(f"{name}: two values at one place")
                            return
        for axis, dimension in enumerate(self.concat):
            keys = self.along(axis, Options())
            if len(self.concat) == 1 and options.duplicates != "error":
                counting = self.owners(options)
                keys = [
                    key
                    for number in self.filled()
                    for position, (key,) in self.combinations(number)
                    if counting[(key,)][0] == (number, position)
                ]
            if keys != sorted(keys) and not options.sort:
                unsure.append(f"{dimension} in no order")
        total = np.prod([len(self.along(axis, options)) for axis in range(len(self.concat))])
        if total > len(owners) and options.missing == "error":
            unsure.append("combinations without a file")

    def decide_static(self, name, files, variables, options, impossible, unsure):
        """A variable that no dimension of the cube has."""
        if name in options.identical:
            return
        cells = [self.files[number].cells(name) for number in files]
        if any(first_difference(cells[0], other) for other in cells[1:]):
            shapes = {cell.shape for cell in cells}
            axis = variables[0].dims == (name,)
            (impossible if axis or len(shapes) > 1 else unsure).append(f"{name}: differs between files")
        if len(files) < len(self.files) and not options.merge:
            unsure.append(f"{name}: not in all files")

    def decide_joined(self, name, files, variables, options, impossible, unsure):
        """A variable along a dimension of the cube: whether Zarr can say it as one array."""
        first = variables[0]
        fillable = first.raw.dtype.kind == "f" or any("_FillValue" in variable.attributes for variable in variables)
        gaps = len(self.places_of(name, options)) < np.prod([len(self.along(axis, options)) for axis in range(len(self.concat))])
        if gaps and name not in self.concat and (options.missing != "fill" or not fillable):
            unsure.append(f"{name}: missing in a file, or combinations without a file")
        rest = [
            tuple(
                length for length, dimension in zip(variable.raw.shape, variable.dims) if dimension not in self.concat
            )
            for variable in variables
        ]
        if len(set(rest)) > 1:
            impossible.append(f"{name}: lengths differ")
            return
        if self.files[files[0]].time_of(name) or name in self.concat or first.is_text:
            return  # small, and written out
        if (
            len({variable.raw.dtype.str for variable in variables}) > 1
            or len({variable.storage["order"] for variable in variables}) > 1
        ):
            unsure.append(f"{name}: types differ")
        for attribute in PACKING:
            if any(
                not equal_or_none(first.attributes.get(attribute), variable.attributes.get(attribute))
                for variable in variables
            ):
                unsure.append(f"{name}: {attribute} differs")
        for attribute in ("_FillValue", "missing_value"):
            found = [numbers(variable.attributes.get(attribute, [])) for variable in variables]
            if any(not equal_attributes(found[0], other) for other in found):
                unsure.append(f"{name}: {attribute} differs")
        self.decide_chunks(name, files, variables, options, unsure)

    def decide_chunks(self, name, files, variables, options, unsure):
        """Codecs and grids of chunks."""
        first = variables[0]
        if len({variable.storage["codecs"] for variable in variables}) > 1:
            unsure.append(f"{name}: codecs differ")
            return
        axes = [axis for axis, dimension in enumerate(first.dims) if dimension in self.concat]
        kinds = [variable.storage["chunks"] for variable in variables]
        partial = any(
            self.keys[number] != self.keys[found[0][0]]
            for found in self.owners(Options()).values()
            for number, _ in found
        )
        if all(kind in ("records", "contiguous") for kind in kinds):
            if "contiguous" in kinds and (partial or axes[:1] not in ([], [0])):
                unsure.append(f"{name}: contiguous data that cannot be cut")
            return
        if any(not isinstance(kind, list) for kind in kinds) or len({tuple(kind) for kind in kinds}) > 1:
            unsure.append(f"{name}: chunk shapes differ")
            return
        chunk = kinds[0]
        if any(
            dimension == "member" and chunk[axis] != 1
            for axis, dimension in zip(axes, [first.dims[axis] for axis in axes])
        ):
            unsure.append(f"{name}: chunks of members")
        time = first.dims.index(self.concat[0]) if self.concat[0] in first.dims else None
        if time is None or chunk[time] == 1:
            return
        seen, position = set(), 0
        order = sorted(files, key=lambda number: self.keys[number][0][0]) if options.sort else files
        for number in order:
            if seen.issuperset(self.keys[number][0]):
                continue
            between = options.sort and seen and min(set(self.keys[number][0]) - seen) < max(seen)
            if position % chunk[time] or between:
                unsure.append(f"{name}: a file does not begin at an edge of chunks")
                return
            seen.update(self.keys[number][0])
            position += len(self.keys[number][0])
        if partial:
            unsure.append(f"{name}: an overlap within chunks")


def equal_or_none(one, two):
    """Whether two attributes, or their absence, are the same."""
    if one is None or two is None:
        return one is None and two is None
    return equal_attributes(one, two)


def place_of(key, keys):
    """Where a key is among those of a cube; instants are the same within the tolerance."""
    for place, other in enumerate(keys):
        if key == other or (not isinstance(key, str) and not isinstance(other, str) and abs(key - other) <= TOLERANCE):
            return place
    return None
