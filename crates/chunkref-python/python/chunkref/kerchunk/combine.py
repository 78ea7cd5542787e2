# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's `combine`: many reference sets as one."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chunkref import _check, _chunkref
from chunkref._build import as_text, cube_settings
from chunkref._errors import CombineError
from chunkref._references import References
from chunkref.kerchunk import _inputs
from chunkref.kerchunk._original import original
from chunkref._stores import Allow, Limits, stores_of
from chunkref.kerchunk._sources import filled, native_stores, opener, read_json, written


def _check_combining(
    path: Any,
    indicts: Any,
    coo_dtypes: Any,
    target_options: Any,
    remote_protocol: Any,
    remote_options: Any,
    inline_threshold: Any,
) -> None:
    """Check what the inputs are and how they are read."""
    for name, value in (("path", path), ("indicts", indicts)):
        one = isinstance(value, (str, os.PathLike)) and name == "path" or value is None and name == "indicts"
        if not one and (isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)):
            raise _check.wrong_type(name, value, "a list of reference sets")
    _check.mapping("coo_dtypes", coo_dtypes)
    _check.mapping("target_options", target_options)
    _check.optional_text("remote_protocol", remote_protocol)
    _check.mapping("remote_options", remote_options)
    if inline_threshold is not None:
        _check.number("inline_threshold", inline_threshold)


def drop(fields: str | tuple[str, ...]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Give a `preprocess` function that takes out all keys that begin with `fields`."""

    def preprocess(refs: dict[str, Any]) -> dict[str, Any]:
        for key in [key for key in refs if key.startswith(fields)]:
            del refs[key]
        return refs

    return preprocess


class MultiZarrToZarr:
    """Combine many reference sets into one.

    Parameters
    ----------
    path : str, list of str, or list of dict
        Reference files, a pattern of them, or dictionaries of kerchunk's.
    indicts : list of dict, optional
        The dictionaries, when `path` has the file names that go with them.
    coo_map : dict, optional
        Where the coordinates of each dimension come from: ``"data:VARIABLE"`` (the default), ``"cf:VARIABLE"``,
        ``"attr:NAME"``, ``"vattr:VARIABLE:NAME"``, ``"INDEX"``, ``"VARNAME"``, a compiled pattern for the file's name, a
        list with one value for each input, a constant, or a function ``(index, group, variable, file name)`` of the opened
        input. The name ``"var"`` stands for the names of variables.
    concat_dims : str or list of str, optional
        The dimensions; those of `coo_map` when not given.
    coo_dtypes : dict, optional
        Types of coordinates.
    identical_dims : str or list of str, optional
        Variables that are taken from the first input.
    target_options, remote_protocol, remote_options
        How fsspec opens reference files; the protocol and options of the files behind them.
    inline_threshold : int
        Chunks of fewer stored bytes go into the references; 0 for none.
    preprocess, postprocess : callable, optional
        Called with the flat references of each input, which they change, and with those of the result, for which they give
        other ones.
    out : dict-like, optional
        Where references go, such as fsspec's ``LazyReferenceMapper``.
    allow : str, os.PathLike or iterable of them
        What the references may name besides public objects and data files, see `chunkref.Stores`; kerchunk has no such
        parameter, and reads all that they name.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.

    Notes
    -----
    Inputs are checked first, as `chunkref.combine` does. Where they contradict each other in what kerchunk does not
    look at (other coordinates, fill values, units), that is a warning, and the first input counts.

    Examples
    --------
    >>> from chunkref.kerchunk.combine import MultiZarrToZarr
    >>> from chunkref.kerchunk.hdf import SingleHdf5ToZarr
    >>> parts = [SingleHdf5ToZarr(f"{example_folder}/{n}.nc").translate() for n in range(3)]
    >>> combined = MultiZarrToZarr(parts, concat_dims="time", remote_protocol="file").translate()
    >>> json.loads(combined["refs"]["temperature/.zarray"])["shape"]
    [6, 3, 4]
    """

    def __init__(
        self,
        path: Any,
        indicts: Sequence[Mapping[str, Any]] | None = None,
        coo_map: Mapping[str, Any] | None = None,
        concat_dims: str | Sequence[str] | None = None,
        coo_dtypes: Mapping[str, Any] | None = None,
        identical_dims: str | Sequence[str] | None = None,
        target_options: dict[str, Any] | None = None,
        remote_protocol: str | None = None,
        remote_options: dict[str, Any] | None = None,
        inline_threshold: int = 500,
        preprocess: Callable[[dict[str, Any]], Any] | None = None,
        postprocess: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        out: Any = None,
        *,
        allow: Allow = (),
        limits: Limits = None,
    ) -> None:
        _check_combining(path, indicts, coo_dtypes, target_options, remote_protocol, remote_options, inline_threshold)
        _check.function("preprocess", preprocess)
        _check.function("postprocess", postprocess)
        self.coo_map = _check.mapping("coo_map", coo_map)
        if concat_dims is None:
            concat_dims = list(self.coo_map)
        self.concat_dims = _check.names("concat_dims", concat_dims)
        for name in self.concat_dims:
            self.coo_map.setdefault(name, "VARNAME" if name == "var" else f"data:{name}")
        self.identical_dims = _check.names("identical_dims", () if identical_dims is None else identical_dims)
        if set(self.coo_map) & set(self.identical_dims):
            raise ValueError("Values being mapped cannot also be identical")
        self.path, self._indicts = path, indicts
        self.coo_dtypes = dict(coo_dtypes or {})
        self.target_options, self.remote_protocol = target_options or {}, remote_protocol
        self.remote_options, self.inline = remote_options or {}, inline_threshold
        self.preprocess, self.postprocess = preprocess, postprocess
        self.out: Any = {} if out is None else out
        self.allow = _check.paths("allow", allow)
        self.limits = _check.limits("limits", limits)
        self.coos: dict[str, Any] | None = None
        self.done: set[int] = set()
        self._before: list[dict[str, Any]] = []
        self._result: dict[str, Any] = {}

    @classmethod
    def append(
        cls,
        path: Any,
        original_refs: Any,
        remote_protocol: str | None = None,
        remote_options: dict[str, Any] | None = None,
        target_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> MultiZarrToZarr:
        """Extend combined references by more of them.

        Parameters
        ----------
        path
            The sets to add.
        original_refs : dict, str or LazyReferenceMapper
            The combined set. What fsspec's mapper holds is changed in place.
        remote_protocol, remote_options, target_options, **kwargs
            As they were when the set was combined.

        Returns
        -------
        MultiZarrToZarr
            Whose `translate` gives the longer set.
        """
        lazy = hasattr(original_refs, "flush")
        made = cls(
            path,
            remote_protocol=remote_protocol,
            remote_options=remote_options,
            target_options=target_options,
            out=original_refs if lazy else None,
            **kwargs,
        )
        made._before = _inputs.flat(original_refs, target_options, made.limits)
        return made

    def first_pass(self) -> dict[str, Any]:
        """Combine, and give the coordinates of each dimension."""
        import numpy

        inputs = _inputs.Inputs(self.path, self._indicts, self.target_options, self.preprocess, self.limits)
        inputs.sets = [*self._before, *inputs.sets]
        inputs.names = [*(None for _ in self._before), *inputs.names]
        selectors = dict(self.coo_map)
        variable = selectors.pop("var", "VARNAME")
        concat: dict[str, Any] = {}
        dtypes: dict[str, Any] = {}
        for name in self.concat_dims:
            if name != "var":
                concat[name] = self._source(name, selectors[name], inputs, dtypes)
        names = inputs.name_variables(variable, self._evaluate, self.concat_dims + self.identical_dims)
        merge = "var" in self.coo_map and len(set(names)) > 1
        given = {name: source for name, source in concat.items() if isinstance(source, list)}
        if merge and given:
            # Coordinates that are given number all inputs, so what is at one place is put together before.
            for name in concat:
                if name not in given:
                    given[name] = self._values(name, selectors[name], inputs, dtypes)
            concat = dict(given)
        for name, values in given.items():
            self._warn_of_few(name, {value for some in values for value in some})
        inputs.drop_sources_of_other_names(given)
        if len(given) == len(concat):
            inputs.one_for_each_place(list(given.values()), merge)
            merge = False
        flat = {name: [value for some in values for value in some] for name, values in given.items()}
        self._result = self._combine(inputs.sets, {**concat, **flat}, dtypes, merge)
        lacking = [name for name in concat if name not in _inputs.dimensions(self._result)]
        if lacking:
            # All inputs are at one place, or there is only one.
            places = {name: flat.get(name) or self._values(name, selectors[name], inputs, {})[-1] for name in lacking}
            _inputs.expand(self._result, places, self.identical_dims)
        self.coos = {name: _inputs.values_of(self._result, name, flat.get(name)) for name in concat}
        _inputs.widen(self._result, self.coos)
        for name in given:
            _inputs.copy_attributes(inputs.sets[0], self._result, name, drop_time="M" in str(dtypes.get(name, "")))
        if "var" in self.concat_dims:
            self.coos["var"] = numpy.array(sorted(set(names)))
        for name, values in self.coos.items():
            if not isinstance(concat.get(name), list):
                self._warn_of_few(name, values)
        self.done.add(1)
        return self.coos

    @staticmethod
    def _warn_of_few(name: str, values: Any) -> None:
        if len(values) < 2:
            message = f"Concatenated coordinate '{name}' contains less than expected number of values across the datasets: {values}"
            warnings.warn(message, stacklevel=4)

    def store_coords(self) -> None:
        """Put the coordinates and the attributes of the root into `out`."""
        self._put(True)
        self.done.add(2)

    def second_pass(self) -> None:
        """Put all other arrays into `out`."""
        self._put(False)
        self.done.add(3)

    def _put(self, coordinates: bool) -> None:
        for key, value in self._result.items():
            if ("/" not in key or key.split("/")[0] in (self.coos or {})) == coordinates:
                self.out[key] = value

    def translate(self, filename: str | None = None, storage_options: dict[str, Any] | None = None) -> Any:
        """Combine, and give the references or write them.

        Parameters
        ----------
        filename : str, optional
            Where JSON is written, too: a local path, whose folders are made, or a URL of fsspec.
        storage_options : dict, optional
            Options of fsspec for it, ``compression`` and ``encoding`` among them.

        Returns
        -------
        dict or dict-like
            kerchunk's dictionary of version 1, or `out`.

        Raises
        ------
        EmitError
            When a local file cannot be written, or is one that no output replaces: a data file, or part of a set.
        KeyboardInterrupt
            After Ctrl-C; a local file is what it was then.

        Notes
        -----
        A local file is all of the references, or what it was, whatever fails. At a URL that depends on fsspec, which gets
        all bytes in one call: what is written to object stores (``s3``, ``gs``, ``az``, ``abfs``) and ``memory`` is there as
        a whole or not at all. ``ftp``, ``sftp``, ``smb``, ``hdfs``, ``webhdfs``, ``dav``, archives such as ``zip`` and
        whatever mounts a disk write in place, so a failure may leave a part of the file there. `out` is filled key by key
        by whoever made it.
        """
        for number, step in ((1, self.first_pass), (2, self.store_coords), (3, self.second_pass)):
            if number not in self.done:
                step()
        if 4 not in self.done and self.postprocess is not None:
            self.out = self.postprocess(self.out)
        self.done.add(4)
        found = consolidate(self.out) if isinstance(self.out, dict) else filled(self.out, {})
        if filename is not None:
            written(filename, json.dumps(found), storage_options)
        return found

    def _source(self, name: str, selector: Any, inputs: _inputs.Inputs, dtypes: dict[str, Any]) -> Any:
        """Give where a dimension's coordinates come from, as `chunkref.combine` takes it."""
        dtype = self.coo_dtypes.get(name)
        if isinstance(selector, str) and selector.startswith("cf:") and (dtype is None or "M" not in str(dtype)):
            # Brought to one epoch, that of the first input.
            selector = "data:" + selector.removeprefix("cf:")
        if isinstance(selector, str) and selector.startswith("data:") and dtype is None:
            return selector
        return self._values(name, selector, inputs, dtypes)

    def _values(self, name: str, selector: Any, inputs: _inputs.Inputs, dtypes: dict[str, Any]) -> list[list[str]]:
        """Give the coordinates of each input as text."""
        dtype = self.coo_dtypes.get(name)
        found = [self._evaluate(name, selector, number, inputs) for number in range(len(inputs.sets))]
        values = [_inputs.single_values(one, dtype) for one in found]
        if dtype is not None:
            dtypes[name] = dtype
        elif any(isinstance(value, str) for some in values for value in some):
            # Text stays text, even where it is a number.
            dtypes[name] = f"S{max(len(str(value).encode()) for some in values for value in some)}"
        return [[as_text(value) for value in some] for some in values]

    def _evaluate(self, name: str, selector: Any, number: int, inputs: _inputs.Inputs) -> Any:
        """Give the coordinate or coordinates of one input."""
        if number < len(self._before):
            return _inputs.values_of(inputs.sets[number], name)
        place = number - len(self._before)
        if isinstance(selector, re.Pattern):
            file = inputs.names[number] or ""
            match = selector.search(file)
            if match is None:
                raise ValueError(f"{selector.pattern!r} is not in the name {file!r}")
            return match.group(1) if match.re.groups else match.group()
        if isinstance(selector, (list, tuple)):
            return selector[place]
        if not callable(selector) and not isinstance(selector, str):
            return selector
        if selector == "INDEX":
            return place
        if selector == "VARNAME":
            return inputs.only_variable(number, self.concat_dims + self.identical_dims)
        if not callable(selector) and selector.partition(":")[0] in ("attr", "vattr"):
            return inputs.attribute(number, selector)
        if callable(selector) or selector.partition(":")[0] in ("data", "cf"):
            group = inputs.group(number, self.remote_options, self.remote_protocol, self.allow)
            if callable(selector):
                return selector(place, group, name, inputs.names[number])
            return _inputs.selected(group, selector, self.coo_dtypes.get(name))
        return selector

    def _combine(
        self, sets: list[dict[str, Any]], concat: dict[str, Any], dtypes: dict[str, Any], merge: bool
    ) -> dict[str, Any]:
        def opened(sets: list[dict[str, Any]]) -> list[References]:
            return [References.from_dict({"version": 1, "refs": one}, limits=self.limits) for one in sets]

        references = opened(sets)
        known = native_stores(None, self.remote_options, self.limits)
        stores = (known or stores_of(None, None, limits=self.limits)).allowing(self.allow)
        open_url = opener(self.remote_options)
        others = sorted({name for one in references for name in _coordinates(one)} - set(concat))
        paths = {path for one in references for path in one.arrays}
        known_names = paths | {path.rsplit("/", 1)[-1] for path in paths}

        def run(
            references: list[References], identical: list[str], on_conflict: str
        ) -> tuple[_chunkref.Dataset, list[str]]:
            stack: Any = "all" if concat else "differing"
            # kerchunk passes over names that no input has.
            identical = [name for name in identical if name in known_names]
            settings, _ = cube_settings(
                concat, references, dtypes, identical, stack, merge or not concat, True, on_conflict, "last", "fill"
            )
            datasets = [one._dataset for one in references]
            return _chunkref.combine(datasets, settings, stores._native, open_url, self.remote_protocol)

        try:
            dataset, _ = run(references, self.identical_dims, "error")
        except CombineError as error:
            # kerchunk looks at none of this, and takes what the first input has.
            sources = [str(source).partition(":")[2] for source in concat.values()]
            alike = opened(_inputs.described_by_first(sets, {*concat, *sources}))
            dataset, _ = run(alike, [*self.identical_dims, *others], "first")
            warnings.warn(f"{error}\nthe first input counts, as in kerchunk", stacklevel=4)
        if self.inline:
            dataset = _chunkref.inline_small(dataset, int(self.inline), stores._native, open_url, self.remote_protocol)
        combined: dict[str, Any] = References(dataset).to_dict(consolidated=False)["refs"]
        return combined


def consolidate(refs: Mapping[str, Any]) -> dict[str, Any]:
    """Give flat references as kerchunk's dictionary of version 1."""
    import base64

    found: dict[str, Any] = {}
    for key, value in refs.items():
        value = value.to_bytes() if hasattr(value, "to_bytes") and not isinstance(value, int) else value
        if isinstance(value, bytes):
            value = value.decode() if value.isascii() else "base64:" + base64.b64encode(value).decode()
        found[key] = value
    return {"version": 1, "refs": found}


def merge_vars(
    files: Sequence[Any], storage_options: dict[str, Any] | None = None, *, limits: Limits = None
) -> dict[str, Any]:
    """Put the variables of reference sets with the same coordinates together, without looking at them.

    Parameters
    ----------
    files : list of dict, str or OpenFile
        The sets.
    storage_options : dict, optional
        How fsspec opens files.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.
    """
    _check.limits("limits", limits)
    merged: dict[str, Any] = {}
    for file in files:
        if isinstance(file, Mapping):
            one: Any = file
        else:
            import fsspec

            given = isinstance(file, (str, os.PathLike))
            opened = fsspec.open(os.fspath(file), "rb", **(storage_options or {})) if given else file
            with opened as stream:
                one = read_json(stream, limits)
        if not merged:
            merged = {**one, "refs": dict(one["refs"])}
        else:
            merged["refs"].update(one["refs"])
    return merged


def _coordinates(references: References) -> set[str]:
    """Names of arrays that are coordinates of a dimension."""
    arrays = references.arrays
    dimensions = {name for array in arrays.values() for name in array.dimensions}
    return {path for path in arrays if path.rsplit("/", 1)[-1] in dimensions}


def __getattr__(name: str) -> Any:
    return original("combine", name)
