# SPDX-License-Identifier: MIT OR Apache-2.0
"""The inputs of `MultiZarrToZarr`: flat references, with the names of the files that they came from."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chunkref._references import References
from chunkref._stores import Allow, Limits
from chunkref.kerchunk._sources import read_json


def flat(source: Any, options: dict[str, Any] | None, limits: Limits = None) -> list[dict[str, Any]]:
    """Give the flat references, without templates, of a dictionary, a mapper or a file, within limits."""
    if isinstance(source, str):
        import fsspec

        with fsspec.open(source, "rb", **(options or {})) as file:
            return flat(read_json(file, limits), options, limits)
    if hasattr(source, "flush") or (hasattr(source, "zmetadata") and not isinstance(source, dict)):
        # fsspec's mapper of Parquet: keys and values as they are asked for.
        source = {key: _decoded(source[key]) for key in source}
    references = References.from_dict(_narrowed(source), limits=limits)
    refs: dict[str, Any] = references.to_dict(consolidated=False)["refs"]
    return [refs]


def dimensions(refs: Mapping[str, Any]) -> set[str]:
    """Give the names of all dimensions that arrays have."""
    documents = (json.loads(value) for key, value in refs.items() if key.endswith("/.zattrs"))
    return {name for document in documents for name in document.get("_ARRAY_DIMENSIONS", [])}


def expand(refs: dict[str, Any], coordinates: Mapping[str, Sequence[str]], identical: Sequence[str]) -> None:
    """Give references the dimensions that they lack, of one place each."""
    import numpy

    arrays = {
        key.removesuffix("/.zarray"): json.loads(value) for key, value in refs.items() if key.endswith("/.zarray")
    }
    attributes = {path: json.loads(refs.get(f"{path}/.zattrs", "{}")) for path in arrays}
    known = dimensions(refs)
    new = {name: values[0] for name, values in coordinates.items() if name not in known and values}
    for path, array in arrays.items():
        own = attributes[path].get("_ARRAY_DIMENSIONS", [])
        if path in new and not array["shape"]:
            added = [path]
        elif path in new or path in known or path in identical:
            continue
        else:
            added = list(new)
        if not added:
            continue
        chunks = [key for key in refs if key.startswith(f"{path}/") and "/.z" not in key]
        moved = {}
        for key in chunks:
            places = key.rpartition("/")[2].split(".") if array["shape"] else []
            moved[f"{path}/" + ".".join(["0"] * len(added) + places)] = refs.pop(key)
        refs.update(moved)
        ones = [1] * len(added)
        refs[f"{path}/.zarray"] = json.dumps(
            {**array, "shape": ones + array["shape"], "chunks": ones + array["chunks"]}
        )
        refs[f"{path}/.zattrs"] = json.dumps({**attributes[path], "_ARRAY_DIMENSIONS": added + own})
    for name, text in new.items():
        if f"{name}/.zarray" in refs:
            continue
        value = numpy.array([_number(text)])
        value = value.astype("S") if value.dtype.kind == "U" else value
        document = {"shape": [1], "chunks": [1], "dtype": value.dtype.str, "fill_value": None, "order": "C"}
        refs[f"{name}/.zarray"] = json.dumps({**document, "filters": None, "compressor": None, "zarr_format": 2})
        refs[f"{name}/.zattrs"] = json.dumps({"_ARRAY_DIMENSIONS": [name]})
        refs[f"{name}/0"] = "base64:" + base64.b64encode(value.tobytes()).decode()


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def widen(refs: dict[str, Any], coordinates: dict[str, Any]) -> None:
    """Make coordinates of bytes that are text coordinates of numpy's text, as kerchunk writes them."""
    for name, values in coordinates.items():
        array = json.loads(refs.get(f"{name}/.zarray", "{}"))
        if values.dtype.kind != "S" or array.get("filters") or len(values) == 0:
            continue
        text = coordinates[name] = values.astype("U")
        array["dtype"], array["fill_value"] = text.dtype.str, ""
        refs[f"{name}/.zarray"] = json.dumps(array)
        refs[f"{name}/0"] = "base64:" + base64.b64encode(text.tobytes()).decode()


def _narrowed(source: Any) -> Any:
    """Make coordinates of numpy's text, which chunkref has no type for, coordinates of bytes."""
    import numpy

    refs = source.get("refs", source)
    changed: dict[str, Any] = {}
    for key, document in refs.items():
        if not key.endswith("/.zarray") or isinstance(document, list):
            continue
        array = document if isinstance(document, dict) else json.loads(document)
        dtype = array.get("dtype")
        if (
            isinstance(dtype, str)
            and dtype[1:2] == "U"
            and len(array["shape"]) == 1
            and array["chunks"] >= array["shape"]
        ):
            text = _bytes_of(refs[key.replace(".zarray", "0")])
            values = numpy.frombuffer(text, dtype=dtype).astype("S")
            changed[key] = json.dumps({**array, "dtype": values.dtype.str, "fill_value": None, "compressor": None})
            changed[key.replace(".zarray", "0")] = values.tobytes()
    if not changed:
        return source
    return {**source, "refs": {**refs, **changed}} if "refs" in source else {**refs, **changed}


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, str):
        return base64.b64decode(value[7:]) if value.startswith("base64:") else value.encode()
    return bytes(value)


def _decoded(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class Inputs:
    """Reference sets in memory.

    Attributes
    ----------
    sets : list of dict
        Flat references of each.
    names : list of str or None
        The file that each came from, or that its template ``u`` names.
    """

    def __init__(
        self,
        path: Any,
        indicts: Sequence[Mapping[str, Any]] | None,
        target_options: dict[str, Any],
        preprocess: Callable[[dict[str, Any]], Any] | None,
        limits: Limits = None,
    ) -> None:
        self.limits = limits
        self.names: list[str | None]
        if indicts is not None:
            sources: list[Any] = list(indicts)
            self.names = list(path)
        elif not isinstance(path, str) and not isinstance(path[0], str):
            sources = list(path)
            self.names = [one.get("templates", {}).get("u") if isinstance(one, dict) else None for one in sources]
        else:
            import fsspec

            paths = path
            if isinstance(path, str):
                system, pattern = fsspec.core.url_to_fs(path, **target_options)
                paths = [system.unstrip_protocol(one) for one in sorted(system.glob(pattern))] or [path]
            self.names = [file.full_name for file in fsspec.open_files(paths, **target_options)]
            sources = list(self.names)
        self.sets = [refs for source in sources for refs in flat(source, target_options, limits)]
        if preprocess is not None:
            for refs in self.sets:
                preprocess(refs)
        self._groups: dict[int, Any] = {}

    def variables(self, number: int) -> list[str]:
        """Names of arrays at the root of one input."""
        keys = self.sets[number]
        return [key.removesuffix("/.zarray") for key in keys if key.endswith("/.zarray") and key.count("/") == 1]

    def only_variable(self, number: int, others: Sequence[str]) -> str:
        """Give the one variable of an input that is none of `others` and no coordinate of its dimension."""
        names = [name for name in self.variables(number) if name not in others]
        if len(names) > 1:
            names = [name for name in names if self._dimensions(number, name) != [name]]
        if len(names) != 1:
            raise ValueError("Multiple varnames found in dataset, please provide a more specific selector")
        return names[0]

    def name_variables(
        self, selector: Any, evaluate: Callable[[str, Any, int, Inputs], Any], others: Sequence[str]
    ) -> list[str]:
        """Call the data variable of each input as `selector` says, and give the names."""
        if isinstance(selector, str) and selector == "VARNAME":
            return [name for number in range(len(self.sets)) for name in self.variables(number) if name not in others]
        names = []
        for number, refs in enumerate(self.sets):
            old = self.only_variable(number, others)
            new = str(evaluate("var", selector, number, self))
            self.sets[number] = {
                (new + key[len(old) :] if key.startswith(f"{old}/") else key): value for key, value in refs.items()
            }
            names.append(new)
        return names

    def drop_sources_of_other_names(self, given: Mapping[str, Any]) -> None:
        """Take arrays out that have a dimension's name, where its coordinates are given."""
        for number, refs in enumerate(self.sets):
            for name in given:
                # An array along the dimension says how many places there are; its values are replaced.
                if f"{name}/.zarray" in refs and self._dimensions(number, name) != [name]:
                    for key in [key for key in refs if key.startswith(f"{name}/")]:
                        del refs[key]

    def one_for_each_place(self, coordinates: Sequence[list[list[str]]], merge: bool) -> None:
        """Leave one input with each set of coordinates: all of them put together, or the last one, as kerchunk does."""
        if not coordinates:
            return
        places: dict[tuple[tuple[str, ...], ...], list[int]] = {}
        for number in range(len(self.sets)):
            places.setdefault(tuple(tuple(values[number]) for values in coordinates), []).append(number)
        together = [
            {key: value for number in numbers for key, value in self.sets[number].items()}
            for numbers in places.values()
        ]
        self.sets = together if merge else [self.sets[numbers[-1]] for numbers in places.values()]
        self.names = [self.names[numbers[-1]] for numbers in places.values()]
        for values in coordinates:
            values[:] = [values[numbers[-1]] for numbers in places.values()]

    def attribute(self, number: int, selector: str) -> Any:
        """Give what a selector ``attr:NAME`` or ``vattr:VARIABLE:NAME`` names in one input."""
        kind, _, name = selector.partition(":")
        variable, _, name = name.partition(":") if kind == "vattr" else ("", "", name)
        key = f"{variable}/.zattrs" if variable else ".zattrs"
        return json.loads(self.sets[number].get(key, "{}"))[name]

    def group(self, number: int, options: dict[str, Any], protocol: str | None, allow: Allow = ()) -> Any:
        """Open one input with zarr-python."""
        if number not in self._groups:
            import zarr

            from chunkref._stores import stores_of
            from chunkref.kerchunk._sources import native_stores, opener
            from chunkref.store import ChunkrefStore

            store = ChunkrefStore(
                References.from_dict({"version": 1, "refs": self.sets[number]}, limits=self.limits),
                stores=native_stores(None, options, self.limits) or stores_of(None, None, limits=self.limits),
                allow=allow,
                open=opener(options),
                protocol=protocol,
            )
            self._groups[number] = zarr.open_group(store, mode="r", zarr_format=2, use_consolidated=False)
        return self._groups[number]

    def _dimensions(self, number: int, name: str) -> list[str]:
        attributes = json.loads(self.sets[number].get(f"{name}/.zattrs", "{}"))
        return list(attributes.get("_ARRAY_DIMENSIONS", []))


def selected(group: Any, selector: str, dtype: Any) -> Any:
    """Give what a selector finds in an opened input."""
    kind, _, rest = selector.partition(":")
    array = group[rest]
    if kind == "data":
        return array[...]
    import cftime
    import numpy

    calendar = array.attrs.get("calendar", "standard")
    times = numpy.atleast_1d(cftime.num2date(array[...], units=array.attrs["units"], calendar=calendar))
    return numpy.array([time.isoformat() for time in times.ravel()], dtype=dtype)


def single_values(found: Any, dtype: Any) -> list[Any]:
    """Give coordinates as a list of single values of a type."""
    import numpy

    values = numpy.asarray(found, dtype=dtype).ravel()
    if values.dtype.kind == "m":
        return list(values.view("i8"))
    if values.dtype.kind == "M":
        return [str(value) for value in values]
    if values.dtype.kind == "S":
        values = numpy.char.decode(values)
    return [str(value) for value in values] if values.dtype.kind == "U" else list(values)


def copy_attributes(source: dict[str, Any], refs: dict[str, Any], name: str, drop_time: bool) -> None:
    """Give a coordinate the attributes that the array of its name has in the first input, as kerchunk does."""
    key = f"{name}/.zattrs"
    if key in source and key in refs:
        attributes = {**json.loads(source[key]), "_ARRAY_DIMENSIONS": [name]}
        if drop_time:
            # Times of numpy say themselves what they count.
            attributes = {one: value for one, value in attributes.items() if one not in ("units", "calendar")}
        refs[key] = json.dumps(attributes)


def described_by_first(sets: list[dict[str, Any]], coordinates: Iterable[str]) -> list[dict[str, Any]]:
    """Give sets in which arrays have the attributes and fill values of the first that has them, but for coordinates."""
    known: dict[str, Any] = {}
    found = []
    for one in sets:
        refs = dict(one)
        for key, value in one.items():
            array, _, name = key.rpartition("/")
            if not array or array in coordinates or name not in (".zattrs", ".zarray"):
                continue
            first = known.setdefault(key, value)
            if name == ".zattrs":
                own = json.loads(value)
                own = {key: own[key] for key in own if key == "_ARRAY_DIMENSIONS"}
                refs[key] = json.dumps({**json.loads(first), **own})
            else:
                refs[key] = json.dumps({**json.loads(value), "fill_value": json.loads(first)["fill_value"]})
        found.append(refs)
    return found


def values_of(refs: Mapping[str, Any], name: str, otherwise: Any = None) -> Any:
    """Give the values of an array that references hold themselves; `otherwise` when there is none."""
    import numpy

    import zarr

    from chunkref.store import ChunkrefStore

    store = ChunkrefStore(References.from_dict({"version": 1, "refs": dict(refs)}))
    group: Any = zarr.open_group(store, mode="r", zarr_format=2, use_consolidated=False)
    path = (
        name
        if name in group
        else next((key.removesuffix("/.zarray") for key in refs if key.endswith(f"/{name}/.zarray")), name)
    )
    # One input alone is itself, and may lack the dimension.
    return group[path][...].ravel() if path in group else numpy.array(otherwise or [])
