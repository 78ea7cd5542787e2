# SPDX-License-Identifier: MIT OR Apache-2.0
"""Twins of reanalyses and climate models."""

import datetime

import netCDF4
import numpy as np

from .writing import axis, chunked, numbers, put


def era5_month(path, month, hours, chunk):
    """A month of hours as float32, in chunks of `chunk` hours."""
    first = int((datetime.datetime(2024, month, 1) - datetime.datetime(1900, 1, 1)).total_seconds()) // 3600
    with netCDF4.Dataset(path, "w") as d:
        d.Conventions = "CF-1.6"
        d.createDimension("time", hours)
        axis(d, "latitude", np.linspace(90, -90, 5), "f8", units="degrees_north", long_name="latitude")
        axis(d, "longitude", np.linspace(0, 315, 8), "f8", units="degrees_east", long_name="longitude")
        put(
            d,
            "time",
            ("time",),
            "i4",
            first + np.arange(hours),
            units="hours since 1900-01-01 00:00:00",
            calendar="gregorian",
            long_name="time",
        )
        put(
            d,
            "utc_date",
            ("time",),
            "i4",
            2024000000 + month * 10000 + np.arange(hours),
            long_name="UTC date yyyy-mm-dd hh:00:00 as yyyymmddhh",
        )
        put(
            d,
            "VAR_2T",
            ("time", "latitude", "longitude"),
            "f4",
            250 + numbers(month, (hours, 5, 8), "f4") / 16,
            np.float32(9.999e20),
            chunked(chunk, 5, 8),
            long_name="2 metre temperature",
            short_name="2t",
            units="K",
            grid_specification="0.25 degree",
        )


def era5(folder):
    """Two months of hours in chunks of a day."""
    files = [folder / f"e5.oper.an.sfc.128_167_2t.2024{month:02d}.nc" for month in (1, 2)]
    for path, month, days in zip(files, (1, 2), (31, 29)):
        era5_month(path, month, 24 * days, 24)
    return files


def era5_uneven(folder):
    """Two months of hours in chunks of 27 hours, which no month is a multiple of."""
    files = [folder / f"e5.oper.an.sfc.128_167_2t.2024{month:02d}.nc" for month in (1, 2)]
    for path, month, days in zip(files, (1, 2), (31, 29)):
        era5_month(path, month, 24 * days, 27)
    return files


def era5_packed(folder, scales=(0.0017631979796170203, 0.00182)):
    """The first days of two months of the older downloads: int16, packed by the range of values of each file."""
    files = []
    for month, hours, scale in zip((1, 2), (72, 48), scales):
        files.append(folder / f"era5-t2m-2024{month:02d}.nc")
        first = int((datetime.datetime(2024, month, 1) - datetime.datetime(1900, 1, 1)).total_seconds()) // 3600
        with netCDF4.Dataset(files[-1], "w", format="NETCDF3_64BIT_OFFSET") as d:
            axis(d, "longitude", np.linspace(0, 315, 8), units="degrees_east", long_name="longitude")
            axis(d, "latitude", np.linspace(90, -90, 5), units="degrees_north", long_name="latitude")
            d.createDimension("time", None)
            put(
                d,
                "time",
                ("time",),
                "i4",
                first + np.arange(hours),
                units="hours since 1900-01-01 00:00:00.0",
                calendar="gregorian",
                long_name="time",
            )
            put(
                d,
                "t2m",
                ("time", "latitude", "longitude"),
                "i2",
                numbers(month, (hours, 5, 8), "i2"),
                np.int16(-32767),
                scale_factor=scale,
                add_offset=257.70367009778755,
                missing_value=np.int16(-32767),
                units="K",
                long_name="2 metre temperature",
            )
    return files


def cmip6_file(path, model, member, calendar, years, epoch="1850-01-01"):
    """Monthly means of a model's member."""
    months = [(year, month) for year in years for month in range(1, 13)]
    dates = [netCDF4.num2date(0, "days since 1850-01-01", calendar).replace(year=y, month=m) for y, m in months]
    edges = [*dates, dates[-1].replace(year=years[-1] + 1, month=1)]
    days = netCDF4.date2num(edges, f"days since {epoch}", calendar).astype("f8")
    bounds = np.stack([days[:-1], days[1:]], axis=1)
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as d:
        d.setncatts(
            {
                "Conventions": "CF-1.7 CMIP-6.2",
                "mip_era": "CMIP6",
                "source_id": model,
                "experiment_id": "historical",
                "variant_label": member,
                "table_id": "Amon",
                "variable_id": "tas",
                "grid_label": "gn",
            }
        )
        d.createDimension("time", None)
        d.createDimension("bnds", 2)
        put(
            d,
            "time",
            ("time",),
            "f8",
            bounds.mean(axis=1),
            storage={"chunksizes": (512,)},
            bounds="time_bnds",
            units=f"days since {epoch}",
            calendar=calendar,
            axis="T",
            long_name="time",
            standard_name="time",
        )
        put(d, "time_bnds", ("time", "bnds"), "f8", bounds, storage={"chunksizes": (1, 2)})
        for name, values in (("lat", np.linspace(-75, 75, 32)), ("lon", np.linspace(0, 345, 24))):
            axis(
                d,
                name,
                values,
                "f8",
                bounds=f"{name}_bnds",
                units="degrees_north" if name == "lat" else "degrees_east",
                axis="Y" if name == "lat" else "X",
            )
            put(d, f"{name}_bnds", (name, "bnds"), "f8", np.stack([values - 5, values + 5], axis=1))
        put(d, "height", (), "f8", 2.0, units="m", axis="Z", positive="up", standard_name="height")
        seed = years[0] * 100 + sum(member.encode())
        put(
            d,
            "tas",
            ("time", "lat", "lon"),
            "f4",
            220 + numbers(seed, (len(months), 32, 24), "f4", 0, 20_000) / 256,
            np.float32(1e20),
            chunked(1, 32, 24),
            standard_name="air_temperature",
            units="K",
            cell_methods="area: time: mean",
            coordinates="height",
            missing_value=np.float32(1e20),
            cell_measures="area: areacella",
        )


def cmip6(folder, calendars=("noleap", "noleap")):
    """Two periods of two members of one model; the second member counts its days from another date."""
    files = []
    for member, epoch, calendar in zip(("r1i1p1f1", "r2i1p1f1"), ("1850-01-01", "1851-01-01"), calendars):
        for years in ((2000, 2001), (2002, 2003)):
            files.append(folder / f"tas_Amon_CESM2_historical_{member}_gn_{years[0]}01-{years[1]}12.nc")
            cmip6_file(files[-1], "CESM2", member, calendar, years, epoch)
    return files


def cmip6_of_360_days(folder):
    """Another model, whose years have 360 days."""
    path = folder / "tas_Amon_UKESM1-0-LL_historical_r1i1p1f2_gn_200001-200112.nc"
    cmip6_file(path, "UKESM1-0-LL", "r1i1p1f2", "360_day", (2000, 2001))
    return [path]
