# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each recipe of the guide to GRIB is run on messages of the product's structure, and every cell is compared with its message."""

import datetime
import functools
import json
import subprocess
import sys

import eccodes
import numpy as np

from .guide import GRIB, about, sections
from .twins import grib as twins


about_grib = functools.partial(about, page=GRIB)


def test_each_recipe_has_a_test():
    recipes = [heading for heading in sections(GRIB) if heading]
    assert sorted(recipes) == sorted(test.heading for test in globals().values() if hasattr(test, "heading"))


# What tells messages apart, by what the coordinates of a cube are called.
KEYS = {"number": "perturbationNumber", "percentile": "percentileValue", "threshold": "scaledValueOfUpperLimit"}


def messages(paths):
    """What ecCodes says of each message: its name, kind of step and level, place and interval, and its values."""
    found = {}
    for path in paths:
        with open(path, "rb") as file:
            while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
                get = lambda key, kind=None: eccodes.codes_get(handle, key, kind)  # noqa: B023, E731
                eccodes.codes_set(handle, "stepUnits", 0)
                time = datetime.datetime.strptime(f"{get('dataDate')}{get('dataTime'):04d}", "%Y%m%d%H%M")
                place = {
                    "variable": get("cfVarName"),
                    "stepType": get("stepType"),
                    "typeOfLevel": get("typeOfLevel"),
                    "level": get("level"),
                    "time": np.datetime64(time, "ns"),
                    "start": get("startStep", int),
                    "step": get("endStep", int),
                    "derived": get("derivedForecast") if eccodes.codes_is_defined(handle, "derivedForecast") else None,
                }
                for name, key in KEYS.items():
                    here = eccodes.codes_is_defined(handle, key)
                    place[name] = get(key) if here else None
                if place["threshold"] is not None:
                    place["threshold"] /= 100
                # ecCodes calls what is of no ensemble number 0, where a local section has room for a number.
                place["number"] = place["number"] or 0
                key = tuple(place.items())
                found.setdefault(key, []).append(eccodes.codes_get_values(handle))
                eccodes.codes_release(handle)
    return found


# Opens groups with the package alone, in a process of its own, and writes their values.
WITHOUT_ECCODES = """
import sys
sys.modules["eccodes"] = sys.modules["gribapi"] = sys.modules["cfgrib"] = sys.modules["kerchunk"] = None
import numpy, warnings, xarray
warnings.simplefilter("ignore")
name, values, *paths = sys.argv[1:]
found = {}
for path in paths:
    group = xarray.open_dataset(name, engine="chunkref", group=path)
    found |= {f"{path}/{variable}": group[variable].values for variable in group.variables}
numpy.savez(values, **found)
"""


def without_eccodes(folder, name, paths):
    """The values of all variables of some groups, as `xarray.open_dataset(…, engine="chunkref")` reads them in a process that
    has neither ecCodes nor kerchunk."""
    values = folder / "without_eccodes.npz"
    command = [sys.executable, "-c", WITHOUT_ECCODES, folder / name, values, *paths]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert ran.returncode == 0, ran.stderr
    return np.load(values)


def check(recipe, name, paths):
    """Each cell of each group of a set is the message that it should be, each message is in one cell, and cells without a
    message are missing; without ecCodes, the groups read alike. The cells that are missing."""
    expected, missing = messages(paths), 0
    open_group = recipe.names["group"]
    references = json.loads((recipe.folder / name).read_text())["refs"]
    groups = sorted(key.rsplit("/", 2)[0] for key in references if key.endswith("/step/.zarray"))
    alone = without_eccodes(recipe.folder, name, groups)
    for path in groups:
        variable, step_type, level = path.split("/")
        type_of_level, _, word = level.partition("_")
        cube = open_group(str(recipe.folder / name), path).load()
        data = cube[variable]
        for other in cube.variables:
            own, place = alone[f"{path}/{other}"], f"{path}/{other}"
            if other in ("latitude", "longitude"):
                # Computed on its own: equal but for rounding.
                np.testing.assert_allclose(own, cube[other].values, rtol=0, atol=1e-11, err_msg=place)
            else:
                np.testing.assert_array_equal(own, cube[other].values, err_msg=place)
        names = [dimension for dimension in data.dims if dimension not in ("latitude", "longitude", "y", "x")]
        for index in np.ndindex(*(data.sizes[dimension] for dimension in names)):
            cell = data.isel(dict(zip(names, index, strict=True)))
            minutes = lambda value: int(value / np.timedelta64(1, "m"))  # noqa: E731
            step = minutes(cell.step.values)
            start = step
            if "step_bounds" in cube:
                along = {name: cell[name] for name in ("time", "step") if name in cube.step_bounds.dims}
                bounds = cube.step_bounds.sel(along).values
                if not np.isnat(bounds).any():
                    start, end = (minutes(value) for value in bounds)
                    assert end == step, path
            place = {
                "variable": variable,
                "stepType": step_type,
                "typeOfLevel": type_of_level,
                "level": int(cell[type_of_level]),
                "time": cell.time.values,
                "start": start,
                "step": step,
                "derived": {"mean": 0, "spread": 4}.get(word),
                "number": int(cell.number) if "number" in cell.coords else 0,
                "percentile": int(cell.percentile) if "percentile" in cell.coords else None,
                "threshold": float(cell.threshold) if "threshold" in cell.coords else None,
            }
            fields = expected.get(tuple(place.items()), [])
            if not np.isnan(cell.values).all():
                close = [other for other in expected if other[:4] == tuple(place.items())[:4]]
                assert fields, f"{path}: no message of {place}, but {close[:3]}"
                same = [number for number, field in enumerate(fields) if np.array_equal(field, cell.values.ravel())]
                assert same, f"{path}: another message than that of {place}"
                fields.pop(same[0])
            else:
                assert not fields, f"{path}: a message of {place} is missing"
                missing += 1
            assert cell.valid_time.values == cell.time.values + cell.step.values, f"{path} {place}"
    left = [place for place, fields in expected.items() if fields]
    assert not left, f"in no cell: {left}"
    return missing


@about_grib("GFS: a forecast")
def test_gfs(recipe):
    paths = twins.gfs(recipe.folder)
    recipe.make(*recipe.commands())
    recipe.open()
    assert check(recipe, "gfs.json", paths) == 0
    names = recipe.names
    assert names["t2m"].sizes["step"] == 5
    hours = names["rain"].step_bounds.values / np.timedelta64(1, "h")
    assert hours.tolist() == [[0, 3], [0, 6], [6, 9], [6, 12]]
    assert (names["since_start"].step_bounds.values[:, 0] == np.timedelta64(0)).all()


@about_grib("GFS: runs and steps")
def test_runs(recipe):
    name = "gfs.{run:%Y%m%d%H}/gfs.t{run:%H}z.pgrb2.0p25.f{step:03d}"
    paths = twins.gfs(recipe.folder, runs=3, name=name)
    recipe.make(*recipe.commands())
    recipe.open()
    assert check(recipe, "runs.json", paths) == 8
    names = recipe.names
    first = names["runs"].t2m
    offset = names["constant_offset"]
    np.testing.assert_array_equal(offset.valid_time.values, first.time.values + np.timedelta64(6, "h"))
    forecast = names["constant_forecast"]
    assert len(np.unique(forecast.step)) == forecast.sizes["valid_time"] == 3
    best = names["best_estimate"]
    assert best.valid_time.to_index().is_unique and best.valid_time.to_index().is_monotonic_increasing
    for time in best.valid_time.values:
        run = best.time.sel(valid_time=time).values
        known = [other for other in first.time.values if time - other in first.step.values]
        known = [other for other in known if not np.isnan(first.sel(time=other, step=time - other)).all()]
        assert run == max(known)


@about_grib("HRRR: quarters of an hour")
def test_hrrr(recipe):
    paths = twins.hrrr(recipe.folder)
    recipe.make(*recipe.commands())
    recipe.open()
    assert check(recipe, "hrrr.json", paths) == 0
    wind = recipe.names["wind"]
    assert wind.sizes["step"] == 9 and wind.latitude.dims == ("y", "x")


@about_grib("GEFS: members")
def test_gefs(recipe):
    members, derived = twins.gefs(recipe.folder)
    build, of_spread = recipe.commands()
    recipe.make(build)
    recipe.make(of_spread)
    recipe.open()
    assert check(recipe, "gefs.json", members) == 0
    assert check(recipe, "spread.json", derived) == 0
    assert recipe.names["members"].number.values.tolist() == [0, 1, 2]
    assert recipe.names["mean"].gh.attrs["GRIB_variant"] == "mean"
    assert recipe.names["spread"].gh.attrs["GRIB_variant"] == "spread"


@about_grib("ECMWF: open data")
def test_ecmwf(recipe):
    paths = twins.ecmwf(recipe.folder)
    [build] = recipe.commands()
    recipe.make(build)
    recipe.open()
    assert check(recipe, "enfo.json", paths) == 0
    assert recipe.names["ensemble"].number.values.tolist() == [0, 1, 2]


@about_grib("ERA5: months, then the next one")
def test_era5(recipe):
    paths = twins.era5(recipe.folder)
    build, append = recipe.commands()
    recipe.make(build)
    recipe.make(append)
    recipe.open()
    # Analyses and forecasts are at runs of their own.
    check(recipe, "era5.json", paths)
    assert recipe.names["temperature"].sizes["time"] == 24
    windows = recipe.names["precipitation"].step_bounds.values / np.timedelta64(1, "h")
    assert windows.tolist() == [[0, 1], [1, 2], [2, 3]]


@about_grib("NBM: percentiles and probabilities")
def test_nbm(recipe):
    paths = twins.nbm(recipe.folder)
    recipe.make(*recipe.commands())
    recipe.open()
    assert check(recipe, "nbm.json", paths) == 0
    assert recipe.names["percentiles"].percentile.values.tolist() == [10, 50, 90]
    assert recipe.names["chance"].tp.attrs["GRIB_variant"] == "probAbove"
    assert "GRIB_variant" not in recipe.names["rain"].tp.attrs


@about_grib("MRMS: compressed files")
def test_mrms(recipe):
    compressed, plain = recipe.commands()
    twins.mrms(recipe.folder, compressed=True)
    recipe.refused(compressed, *recipe.refusals())
    paths = twins.mrms(recipe.folder, compressed=False)
    recipe.make(plain)
    recipe.open()
    assert check(recipe, "mrms.json", paths) == 0
    assert recipe.names["radar"].sizes["time"] == 3
