# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write a twin of a GOES-16 cloud and moisture file (ABI-L2-MCMIPF) for counting what a scan of it costs.

    python mcmipf_twin.py OUT

Two files, each with the product's 32 images of 24 x 24 chunks in the on-disk structures that the real files have
(superblock 0, symbol tables, version-1 B-trees whose nodes lie scattered between the chunks): `realistic.nc` with chunks
of the real sizes, which do not decode, and `tiny.nc` with short ones that do. `NAME.json` beside each says how many
bytes of metadata the file has by libhdf5's own count, and how many datasets and chunks.
"""
import argparse
import json
import pathlib
import zlib

import h5py
import numpy as np

SIDE, CHUNK, BANDS = 5424, 226, range(1, 17)
GRID = SIDE // CHUNK


def chunk_payloads(kind, item):
    """A few payloads that the chunks take in turn."""
    if kind == "realistic":
        base = 17_000 if item == 2 else 950
        return [np.random.default_rng(seed).bytes(base + 29 * seed) for seed in range(48)]
    raw = bytearray(CHUNK * CHUNK * item)
    payloads = []
    for seed in range(48):
        raw[: 40 * item] = bytes((seed * 7 + n) % 100 for n in range(40 * item))
        payloads.append(zlib.compress(bytes(raw), 1))
    return payloads


def number(file, name, value, kind, **attributes):
    """A dataset of one number or a few."""
    dataset = file.create_dataset(name, data=np.asarray(value, kind))
    for key, text in attributes.items():
        dataset.attrs[key] = text
    return dataset


def image(file, name, kind, payloads, **attributes):
    """A chunked image on the scales `y` and `x`."""
    dataset = file.create_dataset(name, (SIDE, SIDE), kind, chunks=(CHUNK, CHUNK), compression="gzip", compression_opts=1, fillvalue=-1)
    dataset.attrs["_FillValue"] = np.array([-1], kind)
    for key, value in attributes.items():
        dataset.attrs[key] = value
    for axis, scale in enumerate("yx"):
        dataset.dims[axis].attach_scale(file[scale])
    for place in range(GRID * GRID):
        corner = (place // GRID * CHUNK, place % GRID * CHUNK)
        dataset.id.write_direct_chunk(corner, payloads[place % len(payloads)])


def write(path, kind):
    """One file."""
    wide, narrow = chunk_payloads(kind, 2), chunk_payloads(kind, 1)
    with h5py.File(path, "w", libver=("earliest", "v108")) as file:
        for key in ("title", "Conventions", "platform_ID", "scene_id", "dataset_name", "time_coverage_start", "time_coverage_end"):
            file.attrs[key] = f"{key} of a twin of the multi-band product"
        for scale in "yx":
            number(file, scale, np.arange(SIDE), "i2", units="rad", axis=scale.upper(), scale_factor=np.float32(5.6e-5)).make_scale(scale)
        for scale, length in (("band", 1), ("number_of_time_bounds", 2)):
            name = f"This is a netCDF dimension but not a netCDF variable. {length:9d}"
            file.create_dataset(scale, (length,), ">f4").make_scale(name)
        number(file, "t", 649_166_400.0, "f8", units="seconds since 2000-01-01 12:00:00", standard_name="time")
        number(file, "time_bounds", [0, 600], "f8").dims[0].attach_scale(file["number_of_time_bounds"])
        number(file, "goes_imager_projection", -1, "i4", grid_mapping_name="geostationary", sweep_angle_axis="x")
        for band in BANDS:
            suffix = f"C{band:02d}"
            image(file, f"CMI_{suffix}", "i2", wide, long_name=f"imagery of band {band}", units="1", scale_factor=np.float32(0.00025))
            image(file, f"DQF_{suffix}", "i1", narrow, long_name=f"quality of band {band}", units="1")
            number(file, f"band_id_{suffix}", [band], "i1", units="1").dims[0].attach_scale(file["band"])
            for statistic in ("min", "max", "mean", "std_dev"):
                number(file, f"{statistic}_{suffix}", 0.5, "f4", units="1", valid_range=np.array([0, 1], "f4"))


def count(path):
    """What libhdf5 says of the file's metadata."""
    sizes = {"metadata_bytes": 96, "datasets": 0, "chunks": 0}  # 96: the superblock
    collections = set()

    def add(name, thing):
        info = h5py.h5o.get_info(thing.id)
        sizes["metadata_bytes"] += info.hdr.space.total
        for part in (info.meta_size.obj, info.meta_size.attr):
            sizes["metadata_bytes"] += part.index_size + part.heap_size
        if isinstance(thing, h5py.Dataset):
            sizes["datasets"] += 1
            sizes["chunks"] += thing.id.get_num_chunks() if thing.chunks else 0

    with h5py.File(path) as file:
        add("/", file)
        file.visititems(add)
    with open(path, "rb") as raw:  # global heap collections belong to no object
        data = raw.read()
    at = data.find(b"GCOL\x01\0\0\0")
    while at >= 0:
        if at % 8 == 0:
            collections.add(at)
            sizes["metadata_bytes"] += int.from_bytes(data[at + 8 : at + 16], "little")
        at = data.find(b"GCOL\x01\0\0\0", at + 8)
    assert collections, "dimension scales keep their lists in the global heap"
    return sizes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for kind in ("tiny", "realistic"):
        path = out / f"{kind}.nc"
        write(path, kind)
        path.with_suffix(".json").write_text(json.dumps(count(path)))
        print(path, count(path))
