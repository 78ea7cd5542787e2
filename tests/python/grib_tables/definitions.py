# SPDX-License-Identifier: MIT OR Apache-2.0
"""ecCodes' definition files, from the shared library that holds them, and the concepts that they list."""

import ctypes
import functools
import re
from pathlib import Path

import eccodes
import eccodeslib

VERSION = eccodes.codes_get_api_version()
_FOLDER = Path(eccodeslib.__path__[0]) / "lib64"


@functools.cache
def names():
    """The names of all definition files of GRIB, below `definitions/`."""
    binary = (_FOLDER / "libeccodes_memfs.so").read_bytes()
    found = re.findall(rb"/MEMFS/definitions/((?:grib[12]|common|mars)/[\w./-]+)", binary)
    return sorted({name.decode() for name in found})


@functools.cache
def text(name):
    """The content of a definition file; `None` where there is none."""
    library, c = ctypes.CDLL(str(_FOLDER / "libeccodes.so")), ctypes.CDLL(None)
    library.codes_fopen.restype = ctypes.c_void_p
    library.codes_fopen.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    c.fread.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
    c.fclose.argtypes = [ctypes.c_void_p]
    if name not in names():
        return None
    file = library.codes_fopen(f"/MEMFS/definitions/{name}".encode(), b"r")
    if not file:
        return None
    buffer, parts = ctypes.create_string_buffer(1 << 20), []
    while count := c.fread(buffer, 1, len(buffer), file):
        parts.append(buffer.raw[:count])
    c.fclose(file)
    return b"".join(parts).decode("utf-8")


_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>'[^']*'|"[^"]*")|(?P<call>is_one_of\([^)]*\))"""
    r"""|(?P<word>[A-Za-z_]\w*(?:\(\))?|-?\d+)|(?P<mark>[={};\[\],])"""
)


def _tokens(source, name):
    place = 0
    while place < len(source):
        match = _TOKEN.match(source, place)
        if match is None:
            raise SyntaxError(f"{name}: {source[place:place + 60]!r}")
        place = match.end()
        if match.lastgroup is not None:
            yield match.lastgroup, match.group(match.lastgroup)


@functools.cache
def concepts(name):
    """The entries of a concept file in its order: value, and conditions as pairs of key and value.

    A value is a number, a tuple of numbers, a text, or `None` for one that is missing in the message."""
    source = text(name)
    if source is None:
        return None
    return entries(source, name)


def entries(source, name):
    """The entries of a text in the language of concepts."""
    return list(_entries(_tokens(source, name), name))


def _entries(tokens, name):
    def take(wanted):
        kind, token = next(tokens)
        if token != wanted:
            raise SyntaxError(f"{name}: {token!r} where {wanted!r} is expected")

    for kind, value in tokens:
        value = value[1:-1] if kind == "text" else value
        take("=")
        take("{")
        conditions = []
        for _, key in tokens:
            if key == "}":
                break
            take("=")
            conditions.append((key, _value(tokens)))
            take(";")
        yield value, tuple(conditions)


def _value(tokens):
    kind, token = next(tokens)
    if kind == "text":
        return token[1:-1]
    if token == "missing()":
        return None
    if kind == "call":
        return token
    if token != "[":
        return int(token)
    numbers = []
    for _, token in tokens:
        if token == "]":
            return tuple(numbers)
        if token != ",":
            numbers.append(int(token))


def centres(table):
    """Number, abbreviation and title of each centre."""
    for line in text(f"common/{table}.table").splitlines():
        if match := re.match(r"(\d+)\s+(\S+)\s+(.*\S)", line):
            yield int(match[1]), match[2], match[3]


def code_table(name):
    """Number, abbreviation, title and units of each entry of a code table."""
    for line in (text(name) or "").splitlines():
        match = re.match(r"\s*(\d+)\s+(\S+)\s+(.*?)\s*(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\))?\s*$", line)
        if match:
            yield int(match[1]), match[2], match[3], match[4] or ""
