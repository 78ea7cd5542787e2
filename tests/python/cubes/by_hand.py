# SPDX-License-Identifier: MIT OR Apache-2.0
"""Right cubes made by hand, from what h5py says about chunks, to test the judge with; and an archive for that."""

import base64
import json

import h5py
import netCDF4
import numpy as np

from .archive import Archive
from .product import entry, new_file


def simple_product(style="dimension"):
    """A product in NetCDF-4 with packed data, bounds, a static field and text."""
    time = {
        "name": "time",
        "style": style,
        "unlimited": True,
        "dtype": "f8",
        "unit": "days",
        "step_hours": 24,
        "start": [2001, 2, 27],
        "epoch": [2000, 1, 1],
        "epoch_per_file": False,
        "clock": "",
        "calendar": "standard",
    }
    along = ["time"] if style == "dimension" else []
    storage = {"zlib": 4, "shuffle": True, "chunks": [1, 2, 5] if along else [2, 5]}
    packed = entry(
        "tas",
        "i2",
        [*along, "lat", "lon"],
        {"kind": "data", "index": 0, "gaps": True},
        {"units": "K", "long_name": "temperature", "scale_factor": ["f8", 0.1], "add_offset": ["f8", 273.15]},
        **storage,
    )
    packed["fill"] = -32767
    plain = entry("pr", "f4", [*along, "lat", "lon"], {"kind": "data", "index": 1}, {"units": "mm"}, **storage)
    variables = [
        entry(
            "time",
            "f8",
            along,
            {"kind": "time"},
            {"standard_name": "time", "bounds": "time_bnds"} if along else {"standard_name": "time"},
        ),
        entry("lat", "f4", ["lat"], {"kind": "axis", "start": -10.0, "step": 0.7}, {"units": "degrees_north"}),
        entry("lon", "f8", ["lon"], {"kind": "axis", "start": 5.0, "step": 0.3}, {"units": "degrees_east"}),
        entry("mask", "i1", ["lat", "lon"], {"kind": "static", "index": 5}, {"long_name": "mask"}),
        packed,
        plain,
    ]
    if along:
        variables.insert(1, entry("time_bnds", "f8", ["time", "nv"], {"kind": "bounds"}))
        variables.append(
            entry("label", "char", ["time", "letters"], {"kind": "text", "moving": True, "word": "run", "length": 12})
        )
    return {
        "name": "day",
        "format": "NETCDF4",
        "time": time,
        "dims": {"lat": 4, "lon": 5, "nv": 2, "letters": 12},
        "variables": variables,
        "members": 0,
        "per_file": 2,
        "attributes": {"title": "simple"},
    }


def simple_archive(style="dimension"):
    """Three files of two steps each, or of one where time is a scalar; the last step of `pr` is not written."""
    product = simple_product(style)
    steps = [[0, 1], [2, 3], [4, 5]] if style == "dimension" else [[0], [1], [2]]
    files = [new_file(product, one) for one in steps]
    if style == "dimension":
        files[-1]["unwritten"] = ["pr"]
    return Archive.of(product, files)


def plain(value):
    """An attribute as JSON has it."""
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def inline(values):
    """Values as an inline chunk."""
    return "base64:" + base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def metadata_of(dataset, shape, chunks):
    """`.zarray` of an HDF5 dataset."""
    filters = [{"id": "shuffle", "elementsize": dataset.dtype.itemsize}] if dataset.shuffle else None
    compressor = {"id": "zlib", "level": dataset.compression_opts} if dataset.compression == "gzip" else None
    fill = dataset.attrs["_FillValue"][0].item() if "_FillValue" in dataset.attrs else None
    if fill is None and dataset.dtype.kind == "f":
        fill = float(dataset.fillvalue) if dataset.chunks else None
    return {
        "zarr_format": 2,
        "shape": list(shape),
        "chunks": list(chunks) or [],
        "dtype": dataset.dtype.str,
        "compressor": compressor,
        "filters": filters,
        "fill_value": fill,
        "order": "C",
    }


def chunk_references(path, dataset, start, stacked):
    """The chunks of a dataset at their places in the cube, whose first axis begins at `start`."""
    for number in range(dataset.id.get_num_chunks()):
        chunk = dataset.id.get_chunk_info(number)
        place = [offset // length for offset, length in zip(chunk.chunk_offset, dataset.chunks)]
        place = [start, *place] if stacked else [place[0] + start // dataset.chunks[0], *place[1:]]
        yield ".".join(map(str, place)), [str(path), chunk.byte_offset, chunk.size]


def references(paths):
    """References of the files of a simple archive, which are in order and have one epoch."""
    made = {".zgroup": json.dumps({"zarr_format": 2})}
    with netCDF4.Dataset(paths[0]) as first:
        dims = {name: list(variable.dimensions) for name, variable in first.variables.items()}
        attributes = {
            name: {key: plain(variable.getncattr(key)) for key in variable.ncattrs()}
            for name, variable in first.variables.items()
        }
        made[".zattrs"] = json.dumps({key: plain(first.getncattr(key)) for key in first.ncattrs()})
    files = [h5py.File(path) for path in paths]
    lengths = [file["time"].shape[0] if file["time"].ndim else 1 for file in files]
    starts = np.cumsum([0, *lengths])
    for name, axes in dims.items():
        first = files[0][name]
        stacked = not dims["time"] and (name == "time" or first.chunks is not None)
        if "time" not in axes and not stacked:
            array, axes_made = metadata_of(first, first.shape, first.shape), axes
            made[f"{name}/" + (".".join("0" * first.ndim) or "0")] = inline(first[...])
        elif first.chunks is None or first.ndim == 1 or name in ("time_bnds", "label"):
            values = np.concatenate([np.atleast_1d(file[name][...]) for file in files])
            array, axes_made = metadata_of(first, values.shape, values.shape), ["time", *axes] if stacked else axes
            array.update(compressor=None, filters=None, dtype=values.dtype.str)
            made[f"{name}/" + ".".join("0" * values.ndim)] = inline(values)
        else:
            inner, chunks = first.shape if stacked else first.shape[1:], [1, *first.chunks] if stacked else first.chunks
            array, axes_made = metadata_of(first, [int(starts[-1]), *inner], chunks), (
                ["time", *axes] if stacked else axes
            )
            for path, file, start in zip(paths, files, starts):
                made.update(
                    {f"{name}/{key}": chunk for key, chunk in chunk_references(path, file[name], int(start), stacked)}
                )
        made[f"{name}/.zarray"] = json.dumps(array)
        made[f"{name}/.zattrs"] = json.dumps({**attributes[name], "_ARRAY_DIMENSIONS": axes_made})
    for file in files:
        file.close()
    return made


def write(made, target):
    """Writes references, with consolidated metadata."""
    metadata = {
        key: json.loads(value)
        for key, value in made.items()
        if key.rsplit("/", 1)[-1] in (".zarray", ".zattrs", ".zgroup")
    }
    consolidated = json.dumps({"zarr_consolidated_format": 1, "metadata": metadata})
    target.write_text(json.dumps({"version": 1, "refs": {**made, ".zmetadata": consolidated}}))
    return target
