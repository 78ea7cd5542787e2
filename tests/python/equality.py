# SPDX-License-Identifier: MIT OR Apache-2.0
"""When a type, a value or an attribute read through references equals what the source's own library reads."""
import math

import h5py
import numpy as np

HOUSEKEEPING = {"REFERENCE_LIST", "CLASS", "DIMENSION_LIST", "NAME", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict", "_NCProperties",
                "_FillValue", "_ARRAY_DIMENSIONS"}


def is_text(dtype):
    """Whether Zarr's side holds strings: fixed, of variable length, or as objects."""
    return isinstance(dtype, np.dtypes.StringDType) or dtype.kind in "SUO"


def type_difference(source, read):
    """Why `read` is no equivalent of the source's dtype, or None."""
    if source.names is not None:
        if read.names is None:
            return f"a record became {read}"
        padding = [name for name in read.names if name not in source.names]
        if any(read[name].kind != "V" or read[name].names for name in padding):
            return f"members {padding} are not in the source"
        if [name for name in read.names if name in source.names] != list(source.names):
            return f"members {read.names} instead of {source.names}"
        for name in source.names:
            if source[name].shape != read[name].shape:
                return f"member {name} has shape {read[name].shape} instead of {source[name].shape}"
            if difference := type_difference(source[name].base, read[name].base):
                return f"member {name}: {difference}"
        return None
    if source.kind == "O":
        readable = h5py.check_string_dtype(source) or h5py.check_ref_dtype(source) is h5py.Reference
        return None if is_text(read) and readable else f"{read} instead of {source} {source.metadata}"
    if source.kind == "S":
        return None if is_text(read) else f"{read} instead of {source}"
    if source.kind in "VM":
        return None if read.itemsize == source.itemsize and read.kind in "VM" and not read.names else f"{read} instead of {source}"
    if source.kind == "b" and read.kind in "iu" and read.itemsize == 1:
        return None
    return None if (source.kind, source.itemsize) == (read.kind, read.itemsize) else f"{read} instead of {source}"


def flat_type(dtype):
    """A record type without arrays and records in it: a field for each of their parts, named by its place, as `a_0` and `a.b`."""
    fields = []

    def add(name, offset, part):
        if part.subdtype:
            base, shape = part.subdtype
            for number, place in enumerate(np.ndindex(shape)):
                add("_".join([name, *map(str, place)]), offset + number * base.itemsize, base)
        elif part.names:
            for inner in part.names:
                add(f"{name}.{inner}", offset + part.fields[inner][1], part[inner])
        else:
            fields.append((name, offset, part))

    for name in dtype.names or ():
        add(name, dtype.fields[name][1], dtype[name])
    return record_type(fields, dtype)


def bytes_type(dtype):
    """A record type whose members that are arrays or records are bytes."""
    def form(part):
        return np.dtype(f"V{part.itemsize}") if part.subdtype or part.names else part
    return record_type([(name, dtype.fields[name][1], form(dtype[name])) for name in dtype.names or ()], dtype)


def record_type(fields, dtype):
    """A record type of fields (name, offset, type) that is as long as `dtype`; `dtype` itself where it is no record of plain bytes."""
    if not fields or dtype.hasobject:
        return dtype
    names, offsets, formats = zip(*fields)
    return np.dtype({"names": names, "offsets": offsets, "formats": formats, "itemsize": dtype.itemsize})


def text(value):
    """A string as text, whatever it came as; bytes that are not UTF-8 stay distinguishable."""
    if value is None:
        return ""
    return bytes(value).decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def same_values(source, read, name_of=None):
    """Element by element: bits equal, NaN equal to NaN, text equal but for trailing NULs."""
    source, read = np.asarray(source), np.asarray(read)
    if source.dtype.names is not None:
        same = np.ones(source.shape, bool)
        for member in source.dtype.names:
            part = same_values(source[member], read[member], name_of)
            same &= part.reshape(*source.shape, -1).all(axis=-1) if part.size else True
        return same
    if source.dtype.kind in "OS" or is_text(read.dtype):
        pairs = zip(source.ravel(), read.ravel(), strict=True)
        equal = [text(name_of(a) if name_of else a).rstrip("\0") == text(b).rstrip("\0") for a, b in pairs]
        return np.array(equal, bool).reshape(source.shape)
    if source.dtype.kind == "c":
        return same_values(source.real, read.real) & same_values(source.imag, read.imag)
    if source.dtype.kind in "VM" or source.dtype.kind == "b":
        width = max(1, source.dtype.itemsize)
        raw = [np.frombuffer(side.tobytes(), "u1").reshape(-1, width) for side in (source, read)]
        return (raw[0] == raw[1]).all(axis=1).reshape(source.shape)
    native = [np.ascontiguousarray(side, side.dtype.newbyteorder("=")) for side in (source, read)]
    if source.dtype.kind == "f" and source.dtype.itemsize in (2, 4, 8):
        bits = [side.view(f"u{side.dtype.itemsize}") for side in native]
        return ((bits[0] == bits[1]) | (np.isnan(native[0]) & np.isnan(native[1]))).reshape(source.shape)
    return (native[0] == native[1]).reshape(source.shape)


def differs_in_padding_only(source, read):
    """Fixed text of HDF5 may be padded with spaces or end at a NUL; Zarr knows neither."""
    if source.dtype.kind != "S" or not is_text(read.dtype) or source.shape != read.shape:
        return False
    cut = [[text(value).split("\0")[0].rstrip(" ") for value in side.ravel()] for side in (source, read)]
    return cut[0] == cut[1]


def plain(value, name_of):
    """An attribute of h5py as the JSON value that stands for it; complex numbers stay complex, None stands for "no value"."""
    if isinstance(value, h5py.Empty) or value is None:
        return None
    if isinstance(value, (h5py.Reference, h5py.RegionReference)):
        return name_of(value)
    if isinstance(value, (bytes, str)):
        return text(value).rstrip("\0")
    if isinstance(value, np.void) and value.dtype.names:
        return {name: plain(value[name], name_of) for name in value.dtype.names}
    if isinstance(value, np.void):
        return bytes(value)
    if isinstance(value, np.ndarray):
        return plain(value[()], name_of) if value.ndim == 0 and value.dtype.kind != "O" else [plain(item, name_of) for item in value]
    return value


def same_attribute(wanted, found):
    """Whether JSON's `found` says what `wanted`, of `plain`, says; one element and a list of it are the same."""
    if wanted is None:
        return found in (None, "", " ", [], [""])
    if isinstance(wanted, bytes):
        return found is not None  # bytes have no agreed form in JSON
    if isinstance(wanted, dict):
        values = list(found.values()) if isinstance(found, dict) else found
        return isinstance(values, list) and len(values) == len(wanted) and all(map(same_attribute, wanted.values(), values))
    if isinstance(wanted, list):
        if isinstance(found, list) and len(found) == len(wanted) and all(map(same_attribute, wanted, found)):
            return True
        return len(wanted) == 1 and not isinstance(found, list) and same_attribute(wanted[0], found) or not wanted and found in ("", None)
    if isinstance(wanted, str):
        return isinstance(found, str) and (found == wanted or (found, wanted) == (" ", ""))
    if isinstance(wanted, (complex, np.complexfloating)):
        parts = [complex(found).real, complex(found).imag] if isinstance(found, str) else found
        return isinstance(parts, list) and len(parts) == 2 and same_attribute(wanted.real, parts[0]) and same_attribute(wanted.imag, parts[1])
    if isinstance(wanted, (float, np.floating)):
        if isinstance(found, str):
            found = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(found)
        if not isinstance(found, (int, float)):
            return False
        return bool(np.isnan(wanted) and math.isnan(found) or type(wanted)(found) == wanted)
    return isinstance(found, int) and int(wanted) == int(found)
