# SPDX-License-Identifier: MIT OR Apache-2.0
"""Twins of the products of the recipes: a few kilobytes each, with the dimensions, types, packing, chunks, filters and attributes
of the real files. Values are made up. Each function writes into a folder and returns the files in the order of their coordinates."""

import datetime

import h5py
import netCDF4
import numpy as np

import goes_twins

DEFLATED = {"zlib": True, "complevel": 1, "shuffle": True}


def put(dataset, name, dimensions, kind, values, fill=None, storage=None, **attributes):
    """A variable that holds `values` as they are, packed or not; `storage` are the options of netCDF4's createVariable."""
    variable = dataset.createVariable(name, kind, dimensions, fill_value=fill, **(storage or {}))
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes)
    variable[...] = values
    return variable


def chunked(*shape):
    """Compressed chunks of this shape."""
    return {**DEFLATED, "chunksizes": shape}


def numbers(seed, shape, kind, low=0, high=1000):
    """Made-up values of any type."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(kind)


def rows(seed, shape):
    """Made-up values that are the same along all axes but the second, so that large arrays take little room in files."""
    line = numbers(seed, shape[1], "f4").reshape(-1, *[1] * (len(shape) - 2))
    return np.broadcast_to(line, shape)


def axis(dataset, name, values, kind="f4", **attributes):
    """A dimension with its coordinates."""
    dataset.createDimension(name, len(values))
    put(dataset, name, (name,), kind, values, **attributes)


def goes(folder):
    """ABI-L2-SSTF of a day: a scene every three hours, whose time `t` is a scalar."""
    files = []
    for hour in range(0, 24, 3):
        start = f"s2020210{hour:02d}00204_e2020210{hour:02d}59397_c2020210{hour:02d}59597"
        files.append(folder / f"OR_ABI-L2-SSTF-M6_G16_{start}.nc")
        goes_twins.write(files[-1], hour, 2 * goes_twins.CHUNK)
    return files


def without_shuffle(path):
    """Writes a scene again as it was before its images were shuffled."""
    copy = path.with_suffix(".part")
    with netCDF4.Dataset(path) as source, netCDF4.Dataset(copy, "w") as d:
        d.setncatts(source.__dict__)
        for name, dimension in source.dimensions.items():
            d.createDimension(name, dimension.size)
        for name, variable in source.variables.items():
            variable.set_auto_maskandscale(False)
            attributes = {key: variable.getncattr(key) for key in variable.ncattrs() if key != "_FillValue"}
            storage = {**chunked(*variable.chunking()), "shuffle": False, "complevel": 1} if variable.ndim == 2 else {}
            put(d, name, variable.dimensions, variable.dtype, variable[...], getattr(variable, "_FillValue", None), storage, **attributes)
    copy.replace(path)


def era5_month(path, month, hours, chunk):
    """A month of hours as float32, in chunks of `chunk` hours."""
    first = int((datetime.datetime(2024, month, 1) - datetime.datetime(1900, 1, 1)).total_seconds()) // 3600
    with netCDF4.Dataset(path, "w") as d:
        d.Conventions = "CF-1.6"
        d.createDimension("time", hours)
        axis(d, "latitude", np.linspace(90, -90, 5), "f8", units="degrees_north", long_name="latitude")
        axis(d, "longitude", np.linspace(0, 315, 8), "f8", units="degrees_east", long_name="longitude")
        put(d, "time", ("time",), "i4", first + np.arange(hours), units="hours since 1900-01-01 00:00:00", calendar="gregorian",
            long_name="time")
        put(d, "utc_date", ("time",), "i4", 2024000000 + month * 10000 + np.arange(hours), long_name="UTC date yyyy-mm-dd hh:00:00 as yyyymmddhh")
        put(d, "VAR_2T", ("time", "latitude", "longitude"), "f4", 250 + numbers(month, (hours, 5, 8), "f4") / 16, np.float32(9.999e20),
            chunked(chunk, 5, 8), long_name="2 metre temperature", short_name="2t", units="K", grid_specification="0.25 degree")


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
            put(d, "time", ("time",), "i4", first + np.arange(hours), units="hours since 1900-01-01 00:00:00.0", calendar="gregorian",
                long_name="time")
            put(d, "t2m", ("time", "latitude", "longitude"), "i2", numbers(month, (hours, 5, 8), "i2"), np.int16(-32767), scale_factor=scale,
                add_offset=257.70367009778755, missing_value=np.int16(-32767), units="K", long_name="2 metre temperature")
    return files


def cmip6_file(path, model, member, calendar, years, epoch="1850-01-01"):
    """Monthly means of a model's member."""
    months = [(year, month) for year in years for month in range(1, 13)]
    dates = [netCDF4.num2date(0, "days since 1850-01-01", calendar).replace(year=y, month=m) for y, m in months]
    edges = [*dates, dates[-1].replace(year=years[-1] + 1, month=1)]
    days = netCDF4.date2num(edges, f"days since {epoch}", calendar).astype("f8")
    bounds = np.stack([days[:-1], days[1:]], axis=1)
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as d:
        d.setncatts({"Conventions": "CF-1.7 CMIP-6.2", "mip_era": "CMIP6", "source_id": model, "experiment_id": "historical",
                     "variant_label": member, "table_id": "Amon", "variable_id": "tas", "grid_label": "gn"})
        d.createDimension("time", None)
        d.createDimension("bnds", 2)
        put(d, "time", ("time",), "f8", bounds.mean(axis=1), storage={"chunksizes": (512,)}, bounds="time_bnds", units=f"days since {epoch}",
            calendar=calendar, axis="T", long_name="time", standard_name="time")
        put(d, "time_bnds", ("time", "bnds"), "f8", bounds, storage={"chunksizes": (1, 2)})
        for name, values in (("lat", np.linspace(-75, 75, 32)), ("lon", np.linspace(0, 345, 24))):
            axis(d, name, values, "f8", bounds=f"{name}_bnds", units="degrees_north" if name == "lat" else "degrees_east", axis="Y" if name == "lat" else "X")
            put(d, f"{name}_bnds", (name, "bnds"), "f8", np.stack([values - 5, values + 5], axis=1))
        put(d, "height", (), "f8", 2.0, units="m", axis="Z", positive="up", standard_name="height")
        seed = years[0] * 100 + sum(member.encode())
        put(d, "tas", ("time", "lat", "lon"), "f4", 220 + numbers(seed, (len(months), 32, 24), "f4", 0, 20_000) / 256, np.float32(1e20), chunked(1, 32, 24),
            standard_name="air_temperature", units="K", cell_methods="area: time: mean", coordinates="height",
            missing_value=np.float32(1e20), cell_measures="area: areacella")


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


def oisst(folder):
    """Six days of the 0.25 degree analysis; from the fifth on, `ice` is a float of another unit and not a packed integer."""
    files = []
    for day in range(6):
        date = datetime.date(2020, 2, 27) + datetime.timedelta(day)
        files.append(folder / f"oisst-avhrr-v02r01.{date:%Y%m%d}.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"Conventions": "CF-1.6, ACDD-1.3", "title": "a twin of NOAA/NCEI 1/4 Degree Daily OISST", "time_coverage_start": f"{date}T00:00:00Z"})
            d.createDimension("time", None)
            put(d, "time", ("time",), "f4", [(date - datetime.date(1978, 1, 1)).days], long_name="Center time of the day",
                units="days since 1978-01-01 12:00:00")
            axis(d, "zlev", [0.0], long_name="Sea surface height", units="meters", positive="down", actual_range="0, 0")
            axis(d, "lat", np.linspace(-69, 69, 24), long_name="Latitude", units="degrees_north")
            axis(d, "lon", np.linspace(0, 350, 36), long_name="Longitude", units="degrees_east")
            for number, name in enumerate(("sst", "anom", "err", "ice")):
                values = numbers(10 * day + number, (1, 1, 24, 36), "i2", 0, 100)
                values[0, 0, 0, :2] = -999
                shape = ("time", "zlev", "lat", "lon")
                if name == "ice" and day >= 4:
                    share = np.where(values == -999, -999, values / 100).astype("f4")
                    put(d, name, shape, "f4", share, np.float32(-999), chunked(1, 1, 24, 36), long_name="Sea ice concentration", units="1")
                else:
                    put(d, name, shape, "i2", values, np.int16(-999), chunked(1, 1, 24, 36), long_name=name, scale_factor=np.float32(0.01),
                        add_offset=np.float32(0), valid_min=np.int16(-300), valid_max=np.int16(4500), units="%" if name == "ice" else "Celsius")
    return files


def wrf(folder):
    """Three files of two hours: text dates, minutes, staggered grids, and a grid that is repeated for each time."""
    files = []
    for part in range(3):
        hours = [2 * part, 2 * part + 1]
        files.append(folder / f"wrfout_d01_2005-08-28_{hours[0]:02d}:00:00")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"TITLE": " OUTPUT FROM WRF V4.2 MODEL", "START_DATE": "2005-08-28_00:00:00", "MAP_PROJ": np.int32(1), "DX": np.float32(12000)})
            for name, length in (("Time", None), ("DateStrLen", 19), ("west_east", 28), ("south_north", 24), ("bottom_top", 3), ("west_east_stag", 29),
                                 ("south_north_stag", 25), ("bottom_top_stag", 4)):
                d.createDimension(name, length)
            put(d, "Times", ("Time", "DateStrLen"), "S1", np.array([list(f"2005-08-28_{hour:02d}:00:00") for hour in hours], "S1"),
                storage=chunked(1, 19))
            put(d, "XTIME", ("Time",), "f4", [60 * hour for hour in hours], storage=chunked(1), FieldType=np.int32(104), MemoryOrder="0  ",
                description="minutes since 2005-08-28 00:00:00", units="minutes since 2005-08-28 00:00:00", stagger="")
            for number, (name, sizes, stagger) in enumerate((("XLAT", (24, 28), ""), ("XLONG", (24, 28), ""), ("XLAT_U", (24, 29), "X"), ("XLONG_U", (24, 29), "X"),
                                                             ("XLAT_V", (25, 28), "Y"), ("XLONG_V", (25, 28), "Y"))):
                grid = 30 + numbers(number, sizes, "f4") / 1000
                put(d, name, ("Time", "south_north" + "_stag" * (stagger == "Y"), "west_east" + "_stag" * (stagger == "X")), "f4",
                    np.stack([grid, grid]), storage=chunked(1, *sizes), MemoryOrder="XY ", units="degree", stagger=stagger, coordinates="XLONG XLAT")
            for name, levels, sizes, stagger, coordinates in (("T2", (), (24, 28), "", "XLONG XLAT XTIME"), ("U", (3,), (24, 29), "X", "XLONG_U XLAT_U XTIME"),
                                                              ("V", (3,), (25, 28), "Y", "XLONG_V XLAT_V XTIME"), ("PH", (4,), (24, 28), "Z", "XLONG XLAT XTIME")):
                dimensions = ["Time", *(["bottom_top" + "_stag" * (stagger == "Z")] if levels else []), "south_north" + "_stag" * (stagger == "Y"),
                              "west_east" + "_stag" * (stagger == "X")]
                put(d, name, dimensions, "f4", numbers(100 * part + len(name) + ord(name[0]), (2, *levels, *sizes), "f4") / 8,
                    storage=chunked(1, *levels, *sizes), MemoryOrder="XYZ" if levels else "XY ", units="m s-1", stagger=stagger, coordinates=coordinates)
    return files


def roms(folder, step=2):
    """Three history files of two times; the grid, above 64 KiB a field, is in every file. With a `step` of one hour, files repeat
    the last time of those before."""
    files = []
    rho, u = (96, 100), (96, 99)
    for part in range(3):
        files.append(folder / f"ocean_his_{part + 1:04d}.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"type": "ROMS/TOMS history file", "file": files[-1].name, "Conventions": "CF-1.4"})
            for name, length in (("eta_rho", rho[0]), ("xi_rho", rho[1]), ("eta_u", u[0]), ("xi_u", u[1]), ("s_rho", 3), ("s_w", 4), ("ocean_time", None)):
                d.createDimension(name, length)
            put(d, "s_rho", ("s_rho",), "f8", [-0.8, -0.5, -0.2], long_name="S-coordinate at RHO-points", valid_min=-1.0, valid_max=0.0,
                standard_name="ocean_s_coordinate_g2", formula_terms="s: s_rho C: Cs_r eta: zeta depth: h depth_c: hc")
            put(d, "s_w", ("s_w",), "f8", [-1.0, -0.6, -0.3, 0.0], long_name="S-coordinate at W-points")
            put(d, "Cs_r", ("s_rho",), "f8", [-0.7, -0.4, -0.1], long_name="S-coordinate stretching curves at RHO-points")
            for name, value in (("hc", 20.0), ("theta_s", 5.0), ("theta_b", 0.4)):
                put(d, name, (), "f8", value, long_name=name)
            put(d, "Vtransform", (), "i4", 2, long_name="vertical terrain-following transformation equation")
            for number, (name, points) in enumerate((("h", "rho"), ("lon_rho", "rho"), ("lat_rho", "rho"), ("mask_rho", "rho"), ("lon_u", "u"), ("lat_u", "u"))):
                sizes = rho if points == "rho" else u
                put(d, name, (f"eta_{points}", f"xi_{points}"), "f8", numbers(number, sizes, "f8") / 8, storage={} if name == "h" else chunked(*sizes),
                    long_name=name, units="meter", coordinates=f"lon_{points} lat_{points}", grid="grid")
            put(d, "ocean_time", ("ocean_time",), "f8", 1387238400.0 + 3600 * np.array([step * part, step * part + 1]), storage={"chunksizes": (1,)},
                long_name="time since initialization", units="seconds since 1970-01-01 00:00:00", calendar="proleptic_gregorian", field="time, scalar, series")
            for name, levels, points in (("zeta", (), "rho"), ("temp", (3,), "rho"), ("u", (3,), "u")):
                sizes = rho if points == "rho" else u
                put(d, name, ("ocean_time", *(["s_rho"] if levels else []), f"eta_{points}", f"xi_{points}"), "f4",
                    np.round(np.broadcast_to(numbers(part + len(name), (2, *levels, 1, 1), "f4"), (2, *levels, *sizes)) / 8, 1), np.float32(1e37),
                    chunked(1, *levels, *sizes), long_name=name, time="ocean_time", coordinates=f"lon_{points} lat_{points} ocean_time")
    return files


def sentinel5p(folder):
    """Two orbits of a level 2 product, of different lengths; `qa_value` is packed with float32."""
    files = []
    for number, (orbit, lines) in enumerate(((12367, 400), (12368, 420))):
        files.append(folder / f"S5P_OFFL_L2__NO2____20200303T0{number + 1}3547_20200303T0{number + 3}1717_{orbit}_01_010302_20200306T053815.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"Conventions": "CF-1.7", "orbit": np.int32(orbit), "time_reference": "2020-03-03T00:00:00Z"})
            p = d.createGroup("PRODUCT")
            axis(p, "scanline", np.arange(lines), "i4", units="1", axis="Y", long_name="along-track dimension index")
            axis(p, "ground_pixel", np.arange(60), "i4", units="1", axis="X", long_name="across-track dimension index")
            axis(p, "corner", np.arange(4), "i4", units="1", long_name="pixel corner index")
            axis(p, "time", [320889600], "i4", units="seconds since 2010-01-01 00:00:00", standard_name="time", long_name="reference time for the measurements")
            pixels, shape = ("time", "scanline", "ground_pixel"), (1, lines, 60)
            put(p, "delta_time", ("time", "scanline"), "i4", 5_747_000 + 1_000_000 * number + 840 * np.arange(lines), storage=chunked(1, lines),
                units="milliseconds", long_name="offset from reference start time of measurement")
            for seed, name in enumerate(("latitude", "longitude")):
                put(p, name, pixels, "f4", rows(orbit + seed, shape) / 16, np.float32(9.96921e36), chunked(*shape), standard_name=name,
                    units="degrees_north" if name == "latitude" else "degrees_east", bounds=f"/PRODUCT/SUPPORT_DATA/GEOLOCATIONS/{name}_bounds")
            quality = np.arange(lines * 60).reshape(shape) % 102
            quality[quality == 101] = 255
            put(p, "qa_value", pixels, "u1", quality, np.uint8(255), chunked(*shape), units="1", scale_factor=np.float32(0.01),
                add_offset=np.float32(0), valid_min=np.uint8(0), valid_max=np.uint8(100), long_name="data quality value",
                coordinates="longitude latitude")
            put(p, "nitrogendioxide_tropospheric_column", pixels, "f4", rows(orbit, shape) / 1e6, np.float32(9.96921e36), chunked(*shape),
                units="mol m-2", multiplication_factor_to_convert_to_molecules_percm2=np.float32(6.02214e19), coordinates="longitude latitude")
            g = p.createGroup("SUPPORT_DATA").createGroup("GEOLOCATIONS")
            put(g, "latitude_bounds", (*pixels, "corner"), "f4", rows(orbit + 2, (*shape, 4)) / 16, storage=chunked(*shape, 4))
    return files


def icesat2(folder, thousand=1000):
    """Two granules of ATL06: beams as groups, each with a `delta_time` of its own length, in compressed chunks; a subset where
    `thousand` is less."""
    files = []
    for number, segments in enumerate(({"gt1l": 23, "gt1r": 31}, {"gt1l": 25, "gt1r": 12})):
        files.append(folder / f"ATL06_2020030{number + 1}010203_1040070{number}_006_01.h5")
        with h5py.File(files[-1], "w") as f:
            f.attrs["short_name"] = "ATL06"
            for seed, (beam, thousands) in enumerate(segments.items()):
                length = thousands * thousand
                g = f.create_group(f"{beam}/land_ice_segments")
                options = {"chunks": (10 * thousand,), "compression": 6, "shuffle": True}
                times = g.create_dataset("delta_time", data=68_000_000.0 + 1e5 * number + np.arange(length) / 256, **options)
                times.attrs.update({"units": "seconds since 2018-01-01", "standard_name": "time"})
                times.make_scale("delta_time")
                for name, kind in (("h_li", "f4"), ("latitude", "f8"), ("longitude", "f8"), ("atl06_quality_summary", "i1")):
                    d = g.create_dataset(name, data=np.repeat(numbers(10 * number + seed, -(-length // 400), kind, 0, 100), 400)[:length], **options)
                    d.attrs["coordinates"] = "delta_time latitude longitude"
                    if name == "h_li":
                        d.attrs["_FillValue"] = np.array([3.4028235e38], "f4")
                    d.dims[0].attach_scale(times)
    return files


def nwm_file(path, valid, run):
    """Streamflow at one hour; neither it nor the names have the dimension of time."""
    with netCDF4.Dataset(path, "w") as d:
        d.setncatts({"TITLE": "OUTPUT FROM NWM v2.1", "featureType": "timeSeries", "model_output_type": "channel_rt",
                     "model_initialization_time": f"{run:%Y-%m-%d_%H:00:00}", "model_output_valid_time": f"{valid:%Y-%m-%d_%H:00:00}"})
        minutes = "minutes since 1970-01-01 00:00:00 UTC"
        axis(d, "time", [valid.timestamp() // 60], "i4", long_name="valid output time", standard_name="time", units=minutes)
        axis(d, "reference_time", [run.timestamp() // 60], "i4", long_name="model initialization time", standard_name="forecast_reference_time", units=minutes)
        axis(d, "feature_id", 101 + 2 * np.arange(1000), "i8", long_name="Reach ID", cf_role="timeseries_id")
        put(d, "crs", (), "S1", b"", esri_pe_string="GEOGCS[...]", spatial_ref="GEOGCS[...]")
        seed = int(run.timestamp() // 3600) % 1000 + int(valid.timestamp() // 3600) % 1000 * 1000
        for name, scale in (("streamflow", 0.01), ("velocity", 0.01), ("qSfcLatRunoff", 1e-5)):
            put(d, name, ("feature_id",), "i4", numbers(seed + len(name), 1000, "i4", 0, 10_000), np.int32(-999900), chunked(500), scale_factor=np.float32(scale),
                add_offset=np.float32(0), missing_value=np.int32(-999900), units="m3 s-1", grid_mapping="crs", coordinates="latitude longitude",
                valid_range=np.array([0, 5000000], "i4"))


def nwm(folder):
    """Three runs of the analysis. Each gives its own hour and, revised, the two before; the one of 01 UTC came late."""
    files = []
    for run in range(3):
        for back in (2, 1, 0):
            start = datetime.datetime(2024, 5, 1, run + 2, tzinfo=datetime.timezone.utc)
            files.append(folder / f"nwm.t{run + 2:02d}z.analysis_assim.channel_rt.tm{back:02d}.conus.nc")
            nwm_file(files[-1], start - datetime.timedelta(hours=back), start)
    return files


def dated(folder):
    """Daily rain without any time in the files."""
    files = []
    for day in range(5):
        date = datetime.date(2024, 2, 27) + datetime.timedelta(day)
        files.append(folder / f"rain_{date:%Y%m%d}_v2.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            axis(d, "lat", np.linspace(-39, 39, 40), units="degrees_north")
            axis(d, "lon", np.linspace(0, 348, 30), units="degrees_east")
            put(d, "rain", ("lat", "lon"), "f4", numbers(day, (40, 30), "f4") / 8, np.float32(-9999), chunked(40, 15), units="mm")
    return files
