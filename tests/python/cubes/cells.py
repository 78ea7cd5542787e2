# SPDX-License-Identifier: MIT OR Apache-2.0
"""What stored numbers mean: masks, packing, instants and text, for sources and for cubes alike.

This follows the CF conventions and what xarray makes of them, in float64 throughout, and uses nothing of xarray.
"""

import functools
from fractions import Fraction

import cftime
import netCDF4
import numpy as np

SECONDS = {
    "days": 86400,
    "day": 86400,
    "hours": 3600,
    "hour": 3600,
    "minutes": 60,
    "minute": 60,
    "seconds": 1,
    "second": 1,
    "s": 1,
    "milliseconds": Fraction(1, 1000),
    "microseconds": Fraction(1, 10**6),
    "nanoseconds": Fraction(1, 10**9),
}
SAME_CALENDARS = {
    "gregorian": "standard",
    "proleptic_gregorian": "standard",
    "365_day": "noleap",
    "366_day": "all_leap",
}
TOLERANCE = 50  # microseconds; float64 days since 1900 are exact to about 1


def calendar_of(attributes):
    """The calendar by one name; those that are equal since 1582-10-15 are one."""
    name = str(attributes.get("calendar", "standard")).lower()
    return SAME_CALENDARS.get(name, name)


@functools.lru_cache(maxsize=4096)
def epoch_of(units, calendar):
    """Microseconds from 1900-01-01 of a calendar to the epoch of units."""
    date = cftime.num2date(0, units, calendar)
    return int(cftime.date2num(date, "microseconds since 1900-01-01", calendar))


def instants(values, units, calendar):
    """Numbers as microseconds since 1900-01-01 of the calendar, computed in fractions; NaN is None."""
    unit = SECONDS[units.split()[0].lower()] * Fraction(10**6)
    epoch = epoch_of(units, calendar)
    one = {
        value: None if value != value else round(Fraction(value) * unit) + epoch
        for value in set(np.ravel(values).tolist())
    }
    return np.array([one.get(value) for value in np.ravel(values).tolist()], object).reshape(np.shape(values))


class Cells:
    """Decoded values of a variable: `values`, where they are `masked`, and where either is right (`loose`)."""

    def __init__(self, kind, values, masked, loose):
        self.kind, self.values, self.masked, self.loose = kind, values, masked, loose

    def __getitem__(self, place):
        return Cells(self.kind, *(np.asarray(part[place]) for part in (self.values, self.masked, self.loose)))

    @property
    def shape(self):
        """Lengths of the axes."""
        return self.values.shape


def numbers(attribute):
    """The numbers of an attribute."""
    try:
        return np.atleast_1d(np.asarray(attribute, dtype="f8"))
    except (TypeError, ValueError):
        return np.zeros(0)


def equal_attributes(one, two):
    """Whether two attributes say the same, whatever the type of numbers."""
    if isinstance(one, (str, bytes)) or isinstance(two, (str, bytes)):
        return one == two
    one, two = np.atleast_1d(np.asarray(one)), np.atleast_1d(np.asarray(two))
    if one.dtype.kind in "USO" or two.dtype.kind in "USO":
        return one.tolist() == two.tolist()
    return one.shape == two.shape and bool(np.array_equal(one.astype("f8"), two.astype("f8"), equal_nan=True))


class Variable:
    """A variable as it is stored."""

    def __init__(self, name, dims, raw, attributes, storage=None):
        self.name, self.dims, self.raw, self.attributes, self.storage = (
            name,
            tuple(dims),
            np.asarray(raw),
            attributes,
            storage,
        )

    @property
    def is_text(self):
        """Whether it holds text."""
        return self.raw.dtype.kind in "SUOT" or isinstance(self.raw.dtype, np.dtypes.StringDType)

    def text(self):
        """Text of each cell, characters joined along the last axis."""
        flat = [
            item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
            for item in np.ravel(self.raw).tolist()
        ]
        values = np.array(flat, object).reshape(self.raw.shape)
        dims = self.dims
        if self.raw.dtype.kind == "S" and self.raw.dtype.itemsize == 1 and values.ndim:
            joined = (
                ["".join(letter or "\0" for letter in row) for row in values.reshape(-1, values.shape[-1])]
                if values.size
                else []
            )
            values, dims = np.array(joined, object).reshape(values.shape[:-1]), dims[:-1]
        values = np.array([str(item).rstrip("\0 ") for item in np.ravel(values)], object).reshape(values.shape)
        return Variable(self.name, dims, values, self.attributes, self.storage)


class Dataset:
    """Variables and attributes of a file or of a cube."""

    def __init__(self, variables, attributes):
        self.variables, self.attributes, self.decoded = variables, attributes, {}

    def time_of(self, name):
        """Units and calendar of a variable of instants: its own, or those of the variable whose bounds it is."""
        own = self.variables[name].attributes
        if " since " in str(own.get("units", "")):
            if "calendar" not in own:
                for parent in self.parents(name):
                    return str(own["units"]), calendar_of(parent.attributes)
            return str(own["units"]), calendar_of(own)
        for parent in self.parents(name):
            return str(own.get("units", parent.attributes["units"])), calendar_of({**parent.attributes, **own})
        return None

    def parents(self, name):
        """Variables of time whose bounds this one is."""
        return [
            variable
            for variable in self.variables.values()
            if variable.name != name
            and name in (variable.attributes.get("bounds"), variable.attributes.get("climatology"))
            and " since " in str(variable.attributes.get("units", ""))
        ]

    def cells(self, name):
        """Decoded values of a variable."""
        if name not in self.decoded:
            self.decoded[name] = self.decode(name)
        return self.decoded[name]

    def decode(self, name):
        """Decodes a variable."""
        variable = self.variables[name]
        if variable.is_text:
            values = variable.text().raw
            nothing = np.zeros(values.shape, bool)
            return Cells("text", values, nothing, nothing)
        raw, attributes = variable.raw, variable.attributes
        masked = np.isnan(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, bool)
        for attribute in ("_FillValue", "missing_value"):
            for number in numbers(attributes.get(attribute, [])):
                with np.errstate(all="ignore"):
                    masked = masked | (raw == np.float64(number).astype(raw.dtype))
        default = netCDF4.default_fillvals.get(raw.dtype.str[1:])
        loose = (
            (raw == np.dtype(raw.dtype).type(default))
            if "_FillValue" not in attributes and default is not None
            else np.zeros(raw.shape, bool)
        )
        if str(attributes.get("_Unsigned", "")).lower() == "true" and raw.dtype.kind == "i":
            raw = raw.view(f"u{raw.dtype.itemsize}")
        if time := self.time_of(name):
            values = instants(np.where(masked, np.nan, raw.astype("f8")) if raw.dtype.kind == "f" else raw, *time)
            return Cells("time", values, masked, loose)
        if "scale_factor" in attributes or "add_offset" in attributes:
            raw = (
                raw.astype("f8") * numbers(attributes.get("scale_factor", 1))[0]
                + numbers(attributes.get("add_offset", 0))[0]
            )
        return Cells("number", raw, masked, loose)


def first_difference(expected, got, tolerance=0):
    """The first place where cells differ, with both values, or None. `tolerance` is relative, for numbers."""
    if expected.shape != got.shape:
        return f"shape {got.shape} instead of {expected.shape}"
    if expected.kind == "time" and got.kind != "time":
        return f"{got.kind} instead of times"
    both = ~expected.masked & ~got.masked
    if expected.kind == "text" or got.kind == "text":
        different = np.array(
            [str(one) != str(two) for one, two in zip(np.ravel(expected.values), np.ravel(got.values))], bool
        )
        different = different.reshape(expected.shape)
    elif expected.kind == "time":
        pairs = zip(np.ravel(expected.values), np.ravel(got.values))
        different = np.array(
            [one is not None and two is not None and abs(one - two) > TOLERANCE for one, two in pairs], bool
        )
        different = different.reshape(expected.shape) & both
    else:
        with np.errstate(all="ignore"):
            one, two = expected.values.astype("f8"), got.values.astype("f8")
            different = (
                (one != two)
                if not tolerance
                else ~(np.abs(one - two) <= tolerance * (np.maximum(np.abs(one), np.abs(two)) + 1))
            )
        different &= both
    different |= (expected.masked != got.masked) & ~(expected.loose | got.loose)
    if not different.any():
        return None
    place = tuple(int(index) for index in np.argwhere(different)[0])
    show = [("missing" if cells.masked[place] else str(cells.values[place])) for cells in (expected, got)]
    return f"at {place}: {show[1]} instead of {show[0]} ({int(different.sum())} of {different.size} cells)"
