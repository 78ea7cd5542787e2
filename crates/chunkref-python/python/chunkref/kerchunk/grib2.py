# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's `grib2`: GRIB files, message by message, and trees of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from chunkref import _check
from chunkref._stores import Limits
from chunkref.kerchunk._original import original
from chunkref.kerchunk._sources import scanned
from chunkref.kerchunk.combine import MultiZarrToZarr


def scan_grib(
    url: str,
    common: Any = None,
    storage_options: dict[str, Any] | None = None,
    inline_threshold: float = 100,
    skip: int = 0,
    filter: Mapping[str, Any] | None = None,
    *,
    limits: Limits = None,
) -> list[dict[str, Any]]:
    """Give references for each message of a GRIB file.

    Parameters
    ----------
    url : str
        Path or URL.
    common
        Without effect, as in kerchunk.
    storage_options : dict, optional
        Options of fsspec.
    inline_threshold : int
        Arrays of fewer bytes go into the references.
    skip : int
        Stop after so many messages; 0 for all.
    filter : dict, optional
        Only messages whose keys have these values, or one of them.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.

    Returns
    -------
    list of dict
        kerchunk's dictionaries of version 1, with the URL as template ``u``.
    """
    url = _check.path("url", url)
    skip = _check.integer("skip", skip)
    filter = _check.mapping("filter", filter)
    options = {"grib_layout": "messages", "grib_codec": "eccodes"}
    if filter:
        options["grib_filter"] = ",".join(f"{key}={_alternatives(value)}" for key, value in filter.items())
    references = scanned(url, None, storage_options, inline_threshold, "grib", limits=limits, **options)
    messages = []
    for found in references.to_dicts(consolidated=False)[: skip or None]:
        for value in found["refs"].values():
            if isinstance(value, list) and value[0] == url:
                value[0] = "{{u}}"
        messages.append({"version": 1, "refs": found["refs"], "templates": {"u": url}})
    return messages


class GribToZarr:
    """`scan_grib` as an object with `translate`, as kerchunk has it."""

    def __init__(
        self, url: str, storage_options: dict[str, Any] | None = None, inline_threshold: float = 100, **kwargs: Any
    ) -> None:
        self.url, self.storage_options, self.inline, self.kwargs = url, storage_options, inline_threshold, kwargs

    def translate(self) -> list[dict[str, Any]]:
        """Scan the file and give references for each message."""
        return scan_grib(self.url, storage_options=self.storage_options, inline_threshold=self.inline, **self.kwargs)


def grib_tree(
    message_groups: Iterable[dict[str, Any]], remote_options: dict[str, Any] | None = None, *, limits: Limits = None
) -> dict[str, Any]:
    """Put messages together as a tree of groups: variable, step type, level type.

    Messages of one place in the tree are combined along ``time``, ``step`` and, where there are several, their level.
    Messages of unknown variables are left out, as in kerchunk.

    Parameters
    ----------
    message_groups : iterable of dict
        What `scan_grib` gave, of one file or several.
    remote_options : dict, optional
        Options of fsspec for the files.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.

    Returns
    -------
    dict
        kerchunk's dictionary of version 1.
    """
    if isinstance(message_groups, (str, bytes, Mapping)) or not isinstance(message_groups, Iterable):
        raise _check.wrong_type("message_groups", message_groups, "a list of what scan_grib gave")
    _check.mapping("remote_options", remote_options)
    _check.limits("limits", limits)
    tree: dict[str, Any] = {".zgroup": '{"zarr_format":2}', ".zattrs": "{}"}
    members: dict[str, list[dict[str, Any]]] = {}
    levels: dict[str, set[str]] = {}
    for message in message_groups:
        if not isinstance(message, Mapping) or message.get("version") != 1:
            raise ValueError("messages are kerchunk's dictionaries of version 1, as scan_grib gives them")
        refs = message["refs"]
        coordinates = json.loads(refs[".zattrs"])["coordinates"].split(" ")
        names = dict.fromkeys(key.split("/")[0] for key in refs if "/" in key)
        variable = next((name for name in names if name not in coordinates), None)
        if variable is None:
            raise RuntimeError(f"there is no variable among {list(names)}")
        if variable == "unknown":
            continue
        attributes = json.loads(refs[f"{variable}/.zattrs"])
        path = variable
        _group(tree, path, {"name": attributes.get("GRIB_name")})
        for key in ("stepType", "typeOfLevel"):
            value = attributes.get(f"GRIB_{key}")
            if value:
                path = f"{path}/{value}"
                _group(tree, path, {key: value})
        _group(tree, path, {"coordinates": " ".join(coordinates)})
        members.setdefault(path, []).append(message)
        level = path.split("/")[-1]
        if level == attributes.get("GRIB_typeOfLevel"):
            values = (json.dumps(refs[key]) for key in (f"{level}/0", f"{level}/") if key in refs)
            levels.setdefault(path, set()).update(values)
    for path, messages in members.items():
        dimensions, identical = ["time", "step"], ["longitude", "latitude"]
        level = path.split("/")[-1]
        if len(levels.get(path, ())) == 1:
            identical.append(level)
        elif levels.get(path):
            dimensions.append(level)
        combined = MultiZarrToZarr(
            messages,
            remote_options=remote_options,
            concat_dims=dimensions,
            identical_dims=identical,
            limits=limits,
        ).translate()
        for key, value in combined["refs"].items():
            if key not in (".zattrs", ".zgroup"):
                tree[f"{path}/{key}"] = value
    return {"version": 1, "refs": tree}


def _group(tree: dict[str, Any], path: str, attributes: dict[str, Any]) -> None:
    """Make a group, or add attributes to it."""
    tree.setdefault(f"{path}/.zgroup", '{"zarr_format":2}')
    known = json.loads(tree.get(f"{path}/.zattrs", "{}"))
    known.update({name: value for name, value in attributes.items() if name not in known or name == "coordinates"})
    tree[f"{path}/.zattrs"] = json.dumps(known)


def _alternatives(value: Any) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return "|".join(str(one) for one in value)
    return str(value)


def __getattr__(name: str) -> Any:
    return original("grib2", name)
