# SPDX-License-Identifier: MIT OR Apache-2.0
"""Arguments checked, by type and by value, before anything is read or written.

A wrong type is a `TypeError`, a wrong value an `InvalidOptionError`, which is a `ValueError`; both name the argument. One string
counts as one name, never as its letters.
"""

from __future__ import annotations

import difflib
import inspect
import math
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from chunkref._errors import InvalidOptionError

_Choice = TypeVar("_Choice", bound=str)

#: The most that numbers of the native part hold.
_MOST = 2**63 - 1


def wrong_type(name: str, value: Any, wanted: str) -> TypeError:
    """Give the error of an argument of another type. What it holds is not shown: it may be a secret."""
    return TypeError(f"{name}= takes {wanted}, not {_kind(value)}")


def wrong_value(name: str, message: str) -> InvalidOptionError:
    """Give the error of an argument of a wrong value."""
    return InvalidOptionError(f"{name}= {message}", "invalid_option")


def boolean(name: str, value: Any) -> bool:
    """Check that an argument is true or false, of Python or numpy."""
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise wrong_type(name, value, "True or False")


def integer(name: str, value: Any, least: int = 0, most: int = _MOST) -> int:
    """Check that an argument is a whole number, of Python or numpy."""
    if not _is_boolean(value):
        try:
            number = operator.index(value)
        except TypeError:
            pass
        else:
            if not least <= number <= most:
                bounds = f"of {least} or more" if most == _MOST else f"from {least} to {most}"
                raise wrong_value(name, f"takes a whole number {bounds}, not {number}")
            return number
    raise wrong_type(name, value, "a whole number")


def optional_integer(name: str, value: Any, least: int = 0, most: int = _MOST) -> int | None:
    """Check that an argument is a whole number or `None`."""
    return None if value is None else integer(name, value, least, most)


def number(name: str, value: Any, least: float = 0.0) -> float:
    """Check that an argument is a finite number, of Python or numpy."""
    if _is_boolean(value) or isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise wrong_type(name, value, "a number")
    try:
        given = float(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong_type(name, value, "a number") from None
    if not math.isfinite(given) or given < least or given > 1e15:
        raise wrong_value(name, f"takes a finite number of {least:g} or more, not {given:g}")
    return given


def text(name: str, value: Any) -> str:
    """Check that an argument is text."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "text")
    return value


def optional_text(name: str, value: Any) -> str | None:
    """Check that an argument is text or `None`."""
    return None if value is None else text(name, value)


def path(name: str, value: Any) -> str:
    """Check that an argument is a path or URL, and give its text."""
    if isinstance(value, (str, os.PathLike)):
        found = os.fspath(value)
        if isinstance(found, str):
            if not found:
                raise wrong_value(name, "is empty: give a path or a URL")
            if "\0" in found:
                raise wrong_value(name, "holds a zero character, which no path has")
            return found
        value = found
    raise wrong_type(name, value, "a path or URL as str or os.PathLike")


def paths(name: str, value: Any) -> list[str]:
    """Check that an argument is one path or URL, or several."""
    return [path(name, one) for one in _several(name, value, "a path or URL, or several of them")]


def names(name: str, value: Any) -> list[str]:
    """Check that an argument is one name, or several."""
    found = [text(name, one) for one in _several(name, value, "a name, or several of them")]
    if "" in found:
        raise wrong_value(name, "holds an empty name")
    return found


def choice(name: str, value: Any, known: Sequence[_Choice]) -> _Choice:
    """Check that an argument is one of the words that it may be."""
    word = text(name, value)
    for one in known:
        if one == word:
            return one
    raise wrong_value(name, f"takes {_listed(known)}, not {_shown(word)}{near(word, known)}")


def mapping(name: str, value: Any) -> dict[str, Any]:
    """Check that an argument is a mapping of names, or `None`, and give it as a dictionary."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong_type(name, value, "a mapping of names to values")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{name}= has a name that is {_kind(key)}, not text")
    return dict(value)


def limits(name: str, value: Any) -> dict[str, int]:
    """Check bounds by name: those that there are, and whole numbers of 0 or more; `None` for none.

    Returns
    -------
    dict
        The bounds by the names of the table, in which hyphens are underscores.
    """
    from chunkref import _chunkref

    known = _chunkref.limits()
    found: dict[str, int] = {}
    for given, bound in mapping(name, value).items():
        limit = given.replace("-", "_")
        if limit not in known:
            raise wrong_value(name, f"has no limit {_shown(given)}{near(limit, list(known))}; there are {', '.join(known)}")
        found[limit] = integer(f"{name}[{given!r}]", bound)
    return found


def function(name: str, value: Any) -> Callable[..., Any] | None:
    """Check that an argument can be called, or is `None`."""
    if value is not None and not callable(value):
        raise wrong_type(name, value, "a function")
    return value  # type: ignore[no-any-return]


def keywords(name: str, given: Mapping[str, Any], *functions: Callable[..., Any], without: Iterable[str] = ()) -> None:
    """Check that names of options are ones of functions that they will be given to, later or elsewhere."""
    known: list[str] = []
    for one in functions:
        for parameter in inspect.signature(one).parameters.values():
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY or parameter.default is not inspect.Parameter.empty:
                known.append(parameter.name)
    known = [one for one in known if one not in without]
    for option in given:
        if option not in known and not is_format_option(option):
            raise unknown_keyword(name, option, known)


def unknown_keyword(name: str, option: str, known: Sequence[str]) -> TypeError:
    """Give the error of an option that nobody knows."""
    return TypeError(f"{name} has no option {_shown(option)}{near(option, known)}; there are {', '.join(known)}")


def is_format_option(option: str) -> bool:
    """Whether a keyword is one of a format, such as ``hdf5_links``."""
    from chunkref import _chunkref

    head = option.replace(".", "_").partition("_")[0]
    return head != option and head in _chunkref.format_names()


def near(word: str, known: Sequence[str]) -> str:
    """Give the known word that is most like another, as the end of a message."""
    found = difflib.get_close_matches(word, known, 1, 0.7)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _several(name: str, value: Any, wanted: str) -> list[Any]:
    if isinstance(value, (str, os.PathLike)):
        return [value]
    if isinstance(value, (bytes, bytearray, memoryview, Mapping)) or not isinstance(value, Iterable):
        raise wrong_type(name, value, wanted)
    return list(value)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _shown(word: str) -> str:
    from chunkref import _chunkref

    return repr(_chunkref.shown(word[:80]))


def _listed(known: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(map(repr, known[:-1])), repr(known[-1]))))
