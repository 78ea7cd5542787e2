# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each recipe of the guide is run on twins of the product, and what it makes is compared with the files."""

import netCDF4
import numpy as np
import pytest

from . import twins
from .compare import RAW, files, is_cube_of, joined, same, same_as_stored, same_values
from .guide import Recipe, about, sections


def test_each_recipe_has_a_test_and_at_most_fifteen_lines_of_text():
    recipes = {heading: text for heading, text in sections().items() if heading}
    assert sorted(recipes) == sorted(test.heading for test in globals().values() if hasattr(test, "heading"))
    for heading, text in recipes.items():
        prose = [
            line
            for number, block in enumerate(text.split("```"))
            if number % 2 == 0
            for line in block.splitlines()
            if line
        ]
        assert len(prose) <= 15, heading


def cube_is_that_of(recipe, name, variable, paths, dimension):
    """The cube, which the recipe opens as `variable` if it does, is what xarray makes of these files; returns that."""
    cube = recipe.names[variable] if variable else recipe.names["cube"](str(recipe.folder / name))
    return is_cube_of(recipe, name, cube, lambda raw: joined(files(paths, raw=raw), dimension))


@about("GOES: a day of scenes")
def test_goes(recipe):
    paths = twins.goes(recipe.folder)
    [build] = recipe.commands()
    recipe.make(build)
    recipe.open()
    day = cube_is_that_of(recipe, "goes.json", "goes", paths, "t")
    assert day.sizes["t"] == 8 and day.SST.dims == ("t", "y", "x")
    assert (
        recipe.names["goes"].time_bounds.dims == ("t", "number_of_time_bounds")
        and recipe.names["goes"].x_image.dims == ()
    )

    for path in paths[:3]:
        twins.without_shuffle(path)
    (recipe.folder / "goes.json").unlink()
    recipe.refused(build, *recipe.refusals())
    for path in paths[3:]:
        path.unlink()
    recipe.make(build)
    cube_is_that_of(recipe, "goes.json", None, paths[:3], "t")


@about("ERA5: hours in monthly files")
def test_era5(recipe, tmp_path_factory):
    paths = twins.era5(recipe.folder)
    build, scan, packed = recipe.commands()
    recipe.make(build)
    recipe.open()
    cube_is_that_of(recipe, "era5.json", "era5", paths, "time")
    for twin, command, words in (
        (twins.era5_uneven, build, recipe.refusals()[0]),
        (twins.era5_packed, packed, recipe.refusals()[1]),
    ):
        folder = tmp_path_factory.mktemp("months")
        paths = twin(folder)
        recipe.refused(command, words, folder=folder)
        recipe.make(scan, folder)
        same(joined(files(paths), "time"), recipe.names["series"](str(folder / "months/*.json"), "time"))
    twins.era5_packed(folder, scales=(0.002, 0.002))
    recipe.make(packed, folder)


@about("CMIP6: members and calendars")
def test_cmip6(recipe, tmp_path_factory):
    def grid(folder):
        def join(raw):
            members = []
            for member in ("r1i1p1f1", "r2i1p1f1"):
                paths = sorted(folder.glob(f"tas_Amon_CESM2_*_{member}_*.nc"))
                members.append(joined(files(paths, raw=raw), "time"))
            if raw:
                # The second member counts from another date, which is compared where values are decoded.
                members[1] = members[1].assign_coords(time=members[0].time).assign(time_bnds=members[0].time_bnds)
            return joined(members, "member").assign_coords(member=[b"r1i1p1f1", b"r2i1p1f1"])

        return join

    twins.cmip6(recipe.folder)
    build, plan = recipe.commands()
    recipe.make(build)
    recipe.open()
    year = is_cube_of(recipe, "tas.json", recipe.names["tas"], grid(recipe.folder))
    assert year.tas.dims == ("member", "time", "lat", "lon") and year.time_bnds.dims == ("time", "bnds")
    second = recipe.names["tas"].sel(member=b"r2i1p1f1")
    same_values(
        "tas", joined(files(sorted(recipe.folder.glob("*r2i1p1f1*.nc"))), "time").tas.variable, second.tas.variable
    )
    second = second.load()
    (recipe.folder / "tas_Amon_CESM2_historical_r2i1p1f1_gn_200201-200312.nc").unlink()
    code, said = recipe.run(build)
    assert code == 1 and "--missing fill" in said
    recipe.make(build, more="--missing fill")
    gap = recipe.open()["tas"].tas.sel(member=b"r2i1p1f1")
    assert gap[24:].isnull().all()
    same_values("tas", second.tas.variable[:24], gap.variable[:24])
    twins.cmip6_of_360_days(recipe.folder)
    recipe.refused(plan, *recipe.refusals())

    folder = tmp_path_factory.mktemp("calendars")
    twins.cmip6(folder, ("gregorian", "proleptic_gregorian"))
    recipe.make(build, folder)
    other = Recipe(test_cmip6.heading, folder)
    other.open()
    is_cube_of(other, "tas.json", other.names["tas"], grid(folder))


@about("OISST: the day on which a variable changed")
def test_oisst(recipe):
    paths = twins.oisst(recipe.folder)
    build, without_ice, *sides = recipe.commands()
    recipe.refused(build, *recipe.refusals())
    for command in (without_ice, *sides):
        recipe.make(command)
    recipe.open()
    is_cube_of(
        recipe,
        "oisst.json",
        recipe.names["oisst"],
        lambda raw: joined([part.drop_vars("ice") for part in files(paths, raw=raw)], "time"),
    )
    cube_is_that_of(recipe, "old.json", "old", paths[:4], "time")
    cube_is_that_of(recipe, "new.json", "new", paths[4:], "time")
    both = [part.ice.values if part.ice.units == "1" else part.ice.values / 100 for part in files(paths)]
    np.testing.assert_allclose(recipe.names["ice"].values, np.concatenate(both), rtol=1e-6)
    assert recipe.names["ice"].dims == ("time", "zlev", "lat", "lon")


@about("WRF")
def test_wrf(recipe):
    paths = twins.wrf(recipe.folder)
    build, names, text = recipe.commands()
    recipe.make(build)
    recipe.open()

    def join(raw):
        run = joined(files(paths, raw=raw), "Time")
        return run.assign_coords(Time=run.XTIME.variable)

    run = is_cube_of(recipe, "wrf.json", recipe.names["wrf"], join)
    assert run.XLAT.dims == ("Time", "south_north", "west_east") and run.U.dims[-1] == "west_east_stag"
    assert list(recipe.names["wrf"].Times.values) == [f"2005-08-28_{hour:02d}:00:00".encode() for hour in range(6)]
    recipe.make(names)
    recipe.open()
    cube_is_that_of(recipe, "wrf.json", "wrf", paths, "Time")
    recipe.make(text)
    recipe.open()
    assert list(recipe.names["wrf"].Time.values) == list(recipe.names["wrf"].Times.values)


@about("ROMS: static grids")
def test_roms(recipe):
    paths = twins.roms(recipe.folder)
    [build] = recipe.commands()
    recipe.make(build)
    recipe.open()
    history = cube_is_that_of(recipe, "roms.json", "roms", paths, "ocean_time")
    assert history.h.dims == ("eta_rho", "xi_rho") and history.h.nbytes > 64 * 1024

    with netCDF4.Dataset(paths[1], "a") as d:
        d["h"][5, 7] += 0.125
    said = recipe.make(build)
    assert "h is not the same in all inputs" in said and "at [5, 7] (97.625 and 97.75)" in said
    recipe.open()
    assert cube_is_that_of(recipe, "roms.json", "roms", paths, "ocean_time").h.dims == (
        "ocean_time",
        "eta_rho",
        "xi_rho",
    )
    recipe.make(build, more="--identical h")
    same_values("h", history.h.variable, recipe.open()["roms"].h.variable)

    paths = twins.roms(recipe.folder, step=1)
    code, said = recipe.run(build)
    assert code == 1 and "--duplicates" in said
    recipe.make(build, more="--duplicates last")
    recipe.open()

    def continued(raw):
        parts = files(paths, raw=raw)
        return joined([part.isel(ocean_time=slice(0, 1)) for part in parts[:-1]] + parts[-1:], "ocean_time")

    assert is_cube_of(recipe, "roms.json", recipe.names["roms"], continued).sizes["ocean_time"] == 4


@about("Sentinel-5P: orbits")
def test_sentinel5p(recipe):
    paths = twins.sentinel5p(recipe.folder)
    plan, scan = recipe.commands()
    recipe.refused(plan, *recipe.refusals())
    recipe.make(scan)
    recipe.open()
    as_stored = [recipe.names["cube"](name, group="PRODUCT", **RAW) for name in recipe.paths("names")]
    for orbit, wanted, stored, raw in zip(
        recipe.names["orbits"], files(paths, "PRODUCT"), as_stored, files(paths, "PRODUCT", raw=True), strict=True
    ):
        same(wanted, orbit)
        assert orbit.qa_value.dtype == wanted.qa_value.dtype == np.float32
        same_values("qa_value", wanted.qa_value.variable, orbit.qa_value.variable)
        same_as_stored(raw, stored, set())
        assert (orbit.qa_value >= 0.5).sum() == (wanted.qa_value >= 0.5).sum()
    # What the recipe says of references that are opened as usual.
    plain = recipe.names["cube"](recipe.paths("names")[0], group="PRODUCT").qa_value
    assert plain.dtype == np.float64 and (plain >= 0.5).sum() < (files(paths, "PRODUCT")[0].qa_value >= 0.5).sum()
    assert f"{plain.values.flat[50]:.17f}" == "0.49999998882412910"


@about("ICESat-2: granules and beams")
def test_icesat2(recipe, tmp_path_factory):
    paths = twins.icesat2(recipe.folder)
    plan, scan, build = recipe.commands()
    recipe.refused(plan, *recipe.refusals())
    recipe.make(scan)
    beam = "gt1l/land_ice_segments"
    same(joined(files(paths, beam), "delta_time"), recipe.open()["gt1l"])

    folder = tmp_path_factory.mktemp("subsets")
    paths = twins.icesat2(folder, thousand=1)
    recipe.make(build, folder)
    same(joined(files(paths, beam), "delta_time"), recipe.names["cube"](str(folder / "gt1l.json"), group=beam))
    with pytest.raises(Exception, match="gt1r"):
        recipe.names["cube"](str(folder / "gt1l.json"), group="gt1r/land_ice_segments")


@about("National Water Model: late and revised files")
def test_nwm(recipe, tmp_path_factory):
    build, append, runs = recipe.commands()
    paths = twins.nwm(recipe.folder)

    def latest(raw):
        parts = {}
        for path, part in zip(paths, files(paths, raw=raw), strict=True):
            parts[part.time.values[0]] = part.drop_vars("reference_time").squeeze("time")
        return joined([parts[time] for time in sorted(parts)], "time")

    late = [path for path in paths if ".t04z." in path.name]
    kept = [path.rename(path.with_suffix(".late")) for path in late]
    recipe.make(build)
    for path in kept:
        path.rename(path.with_suffix(".nc"))
    recipe.make(append)
    recipe.open()
    hours = is_cube_of(recipe, "nwm.json", recipe.names["nwm"], latest)
    assert hours.sizes["time"] == 5
    at_once = Recipe(test_nwm.heading, tmp_path_factory.mktemp("at_once"))
    twins.nwm(at_once.folder)
    at_once.make(build)
    at_once.open()
    is_cube_of(at_once, "nwm.json", at_once.names["nwm"], latest)

    at_once.make(runs)
    grid = at_once.names["cube"](str(at_once.folder / "runs.json"))
    assert dict(grid.sizes) == {"time": 5, "reference_time": 3, "feature_id": 1000}
    for part in files(paths):
        cell = grid.streamflow.sel(time=part.time[0], reference_time=part.reference_time[0])
        np.testing.assert_allclose(cell.values, part.streamflow.values, rtol=1e-6)
    assert int(grid.streamflow.isnull().all("feature_id").sum()) == 15 - len(paths)


@about("Dates from the names of files")
def test_dates(recipe):
    paths = twins.dated(recipe.folder)
    [build] = recipe.commands()
    recipe.make(build)
    recipe.open()
    dates = np.array(["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"], "M8[ns]")
    days = joined(files(paths), "time").assign_coords(time=dates)
    same(days, recipe.names["rain"])
    same_as_stored(
        joined(files(paths, raw=True), "time").assign_coords(time=dates),
        recipe.names["cube"](str(recipe.folder / "rain.json"), **RAW),
        {"time"},
    )

    (recipe.folder / "rain.json").unlink()
    paths[1].rename(recipe.folder / "rain_latest_v2.nc")
    said = recipe.refused(build)
    assert "rain_latest_v2.nc" in said
