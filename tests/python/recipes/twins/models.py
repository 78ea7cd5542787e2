# SPDX-License-Identifier: MIT OR Apache-2.0
"""Twins of what models of the ocean, the weather and the rivers write."""

import datetime

import netCDF4
import numpy as np

from .writing import axis, chunked, numbers, put


def wrf(folder):
    """Three files of two hours: text dates, minutes, staggered grids, and a grid that is repeated for each time."""
    files = []
    for part in range(3):
        hours = [2 * part, 2 * part + 1]
        files.append(folder / f"wrfout_d01_2005-08-28_{hours[0]:02d}:00:00")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts(
                {
                    "TITLE": " OUTPUT FROM WRF V4.2 MODEL",
                    "START_DATE": "2005-08-28_00:00:00",
                    "MAP_PROJ": np.int32(1),
                    "DX": np.float32(12000),
                }
            )
            for name, length in (
                ("Time", None),
                ("DateStrLen", 19),
                ("west_east", 28),
                ("south_north", 24),
                ("bottom_top", 3),
                ("west_east_stag", 29),
                ("south_north_stag", 25),
                ("bottom_top_stag", 4),
            ):
                d.createDimension(name, length)
            put(
                d,
                "Times",
                ("Time", "DateStrLen"),
                "S1",
                np.array([list(f"2005-08-28_{hour:02d}:00:00") for hour in hours], "S1"),
                storage=chunked(1, 19),
            )
            put(
                d,
                "XTIME",
                ("Time",),
                "f4",
                [60 * hour for hour in hours],
                storage=chunked(1),
                FieldType=np.int32(104),
                MemoryOrder="0  ",
                description="minutes since 2005-08-28 00:00:00",
                units="minutes since 2005-08-28 00:00:00",
                stagger="",
            )
            for number, (name, sizes, stagger) in enumerate(
                (
                    ("XLAT", (24, 28), ""),
                    ("XLONG", (24, 28), ""),
                    ("XLAT_U", (24, 29), "X"),
                    ("XLONG_U", (24, 29), "X"),
                    ("XLAT_V", (25, 28), "Y"),
                    ("XLONG_V", (25, 28), "Y"),
                )
            ):
                grid = 30 + numbers(number, sizes, "f4") / 1000
                put(
                    d,
                    name,
                    ("Time", "south_north" + "_stag" * (stagger == "Y"), "west_east" + "_stag" * (stagger == "X")),
                    "f4",
                    np.stack([grid, grid]),
                    storage=chunked(1, *sizes),
                    MemoryOrder="XY ",
                    units="degree",
                    stagger=stagger,
                    coordinates="XLONG XLAT",
                )
            for name, levels, sizes, stagger, coordinates in (
                ("T2", (), (24, 28), "", "XLONG XLAT XTIME"),
                ("U", (3,), (24, 29), "X", "XLONG_U XLAT_U XTIME"),
                ("V", (3,), (25, 28), "Y", "XLONG_V XLAT_V XTIME"),
                ("PH", (4,), (24, 28), "Z", "XLONG XLAT XTIME"),
            ):
                dimensions = [
                    "Time",
                    *(["bottom_top" + "_stag" * (stagger == "Z")] if levels else []),
                    "south_north" + "_stag" * (stagger == "Y"),
                    "west_east" + "_stag" * (stagger == "X"),
                ]
                put(
                    d,
                    name,
                    dimensions,
                    "f4",
                    numbers(100 * part + len(name) + ord(name[0]), (2, *levels, *sizes), "f4") / 8,
                    storage=chunked(1, *levels, *sizes),
                    MemoryOrder="XYZ" if levels else "XY ",
                    units="m s-1",
                    stagger=stagger,
                    coordinates=coordinates,
                )
    return files


def roms(folder, step=2):
    """Three history files of two times; the grid, above 64 KiB a field, is in every file.

    With a `step` of one hour, files repeat the last time of those before.
    """
    files = []
    rho, u = (96, 100), (96, 99)
    for part in range(3):
        files.append(folder / f"ocean_his_{part + 1:04d}.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"type": "ROMS/TOMS history file", "file": files[-1].name, "Conventions": "CF-1.4"})
            for name, length in (
                ("eta_rho", rho[0]),
                ("xi_rho", rho[1]),
                ("eta_u", u[0]),
                ("xi_u", u[1]),
                ("s_rho", 3),
                ("s_w", 4),
                ("ocean_time", None),
            ):
                d.createDimension(name, length)
            put(
                d,
                "s_rho",
                ("s_rho",),
                "f8",
                [-0.8, -0.5, -0.2],
                long_name="S-coordinate at RHO-points",
                valid_min=-1.0,
                valid_max=0.0,
                standard_name="ocean_s_coordinate_g2",
                formula_terms="s: s_rho C: Cs_r eta: zeta depth: h depth_c: hc",
            )
            put(d, "s_w", ("s_w",), "f8", [-1.0, -0.6, -0.3, 0.0], long_name="S-coordinate at W-points")
            put(
                d,
                "Cs_r",
                ("s_rho",),
                "f8",
                [-0.7, -0.4, -0.1],
                long_name="S-coordinate stretching curves at RHO-points",
            )
            for name, value in (("hc", 20.0), ("theta_s", 5.0), ("theta_b", 0.4)):
                put(d, name, (), "f8", value, long_name=name)
            put(d, "Vtransform", (), "i4", 2, long_name="vertical terrain-following transformation equation")
            for number, (name, points) in enumerate(
                (
                    ("h", "rho"),
                    ("lon_rho", "rho"),
                    ("lat_rho", "rho"),
                    ("mask_rho", "rho"),
                    ("lon_u", "u"),
                    ("lat_u", "u"),
                )
            ):
                sizes = rho if points == "rho" else u
                put(
                    d,
                    name,
                    (f"eta_{points}", f"xi_{points}"),
                    "f8",
                    numbers(number, sizes, "f8") / 8,
                    storage={} if name == "h" else chunked(*sizes),
                    long_name=name,
                    units="meter",
                    coordinates=f"lon_{points} lat_{points}",
                    grid="grid",
                )
            put(
                d,
                "ocean_time",
                ("ocean_time",),
                "f8",
                1387238400.0 + 3600 * np.array([step * part, step * part + 1]),
                storage={"chunksizes": (1,)},
                long_name="time since initialization",
                units="seconds since 1970-01-01 00:00:00",
                calendar="proleptic_gregorian",
                field="time, scalar, series",
            )
            for name, levels, points in (("zeta", (), "rho"), ("temp", (3,), "rho"), ("u", (3,), "u")):
                sizes = rho if points == "rho" else u
                put(
                    d,
                    name,
                    ("ocean_time", *(["s_rho"] if levels else []), f"eta_{points}", f"xi_{points}"),
                    "f4",
                    np.round(
                        np.broadcast_to(numbers(part + len(name), (2, *levels, 1, 1), "f4"), (2, *levels, *sizes)) / 8,
                        1,
                    ),
                    np.float32(1e37),
                    chunked(1, *levels, *sizes),
                    long_name=name,
                    time="ocean_time",
                    coordinates=f"lon_{points} lat_{points} ocean_time",
                )
    return files


def nwm_file(path, valid, run):
    """Streamflow at one hour; neither it nor the names have the dimension of time."""
    with netCDF4.Dataset(path, "w") as d:
        d.setncatts(
            {
                "TITLE": "OUTPUT FROM NWM v2.1",
                "featureType": "timeSeries",
                "model_output_type": "channel_rt",
                "model_initialization_time": f"{run:%Y-%m-%d_%H:00:00}",
                "model_output_valid_time": f"{valid:%Y-%m-%d_%H:00:00}",
            }
        )
        minutes = "minutes since 1970-01-01 00:00:00 UTC"
        axis(
            d,
            "time",
            [valid.timestamp() // 60],
            "i4",
            long_name="valid output time",
            standard_name="time",
            units=minutes,
        )
        axis(
            d,
            "reference_time",
            [run.timestamp() // 60],
            "i4",
            long_name="model initialization time",
            standard_name="forecast_reference_time",
            units=minutes,
        )
        axis(d, "feature_id", 101 + 2 * np.arange(1000), "i8", long_name="Reach ID", cf_role="timeseries_id")
        put(d, "crs", (), "S1", b"", esri_pe_string="GEOGCS[...]", spatial_ref="GEOGCS[...]")
        seed = int(run.timestamp() // 3600) % 1000 + int(valid.timestamp() // 3600) % 1000 * 1000
        for name, scale in (("streamflow", 0.01), ("velocity", 0.01), ("qSfcLatRunoff", 1e-5)):
            put(
                d,
                name,
                ("feature_id",),
                "i4",
                numbers(seed + len(name), 1000, "i4", 0, 10_000),
                np.int32(-999900),
                chunked(500),
                scale_factor=np.float32(scale),
                add_offset=np.float32(0),
                missing_value=np.int32(-999900),
                units="m3 s-1",
                grid_mapping="crs",
                coordinates="latitude longitude",
                valid_range=np.array([0, 5000000], "i4"),
            )


def nwm(folder):
    """Three runs of the analysis. Each gives its own hour and, revised, the two before; the one of 01 UTC came late."""
    files = []
    for run in range(3):
        for back in (2, 1, 0):
            start = datetime.datetime(2024, 5, 1, run + 2, tzinfo=datetime.UTC)
            files.append(folder / f"nwm.t{run + 2:02d}z.analysis_assim.channel_rt.tm{back:02d}.conus.nc")
            nwm_file(files[-1], start - datetime.timedelta(hours=back), start)
    return files
