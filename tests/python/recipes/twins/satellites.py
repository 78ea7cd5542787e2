# SPDX-License-Identifier: MIT OR Apache-2.0
"""Twins of what satellites measure: scenes, orbits, granules and the analysis of a day."""

import datetime

import goes_twins
import h5py
import netCDF4
import numpy as np

from .writing import axis, chunked, numbers, put, rows


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
            put(
                d,
                name,
                variable.dimensions,
                variable.dtype,
                variable[...],
                getattr(variable, "_FillValue", None),
                storage,
                **attributes,
            )
    copy.replace(path)


def oisst(folder):
    """Six days of the 0.25 degree analysis; from the fifth on, `ice` is a float of another unit, not packed."""
    files = []
    for day in range(6):
        date = datetime.date(2020, 2, 27) + datetime.timedelta(day)
        files.append(folder / f"oisst-avhrr-v02r01.{date:%Y%m%d}.nc")
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts(
                {
                    "Conventions": "CF-1.6, ACDD-1.3",
                    "title": "a twin of NOAA/NCEI 1/4 Degree Daily OISST",
                    "time_coverage_start": f"{date}T00:00:00Z",
                }
            )
            d.createDimension("time", None)
            put(
                d,
                "time",
                ("time",),
                "f4",
                [(date - datetime.date(1978, 1, 1)).days],
                long_name="Center time of the day",
                units="days since 1978-01-01 12:00:00",
            )
            axis(d, "zlev", [0.0], long_name="Sea surface height", units="meters", positive="down", actual_range="0, 0")
            axis(d, "lat", np.linspace(-69, 69, 24), long_name="Latitude", units="degrees_north")
            axis(d, "lon", np.linspace(0, 350, 36), long_name="Longitude", units="degrees_east")
            for number, name in enumerate(("sst", "anom", "err", "ice")):
                values = numbers(10 * day + number, (1, 1, 24, 36), "i2", 0, 100)
                values[0, 0, 0, :2] = -999
                shape = ("time", "zlev", "lat", "lon")
                if name == "ice" and day >= 4:
                    share = np.where(values == -999, -999, values / 100).astype("f4")
                    put(
                        d,
                        name,
                        shape,
                        "f4",
                        share,
                        np.float32(-999),
                        chunked(1, 1, 24, 36),
                        long_name="Sea ice concentration",
                        units="1",
                    )
                else:
                    put(
                        d,
                        name,
                        shape,
                        "i2",
                        values,
                        np.int16(-999),
                        chunked(1, 1, 24, 36),
                        long_name=name,
                        scale_factor=np.float32(0.01),
                        add_offset=np.float32(0),
                        valid_min=np.int16(-300),
                        valid_max=np.int16(4500),
                        units="%" if name == "ice" else "Celsius",
                    )
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
            put(
                d,
                "rain",
                ("lat", "lon"),
                "f4",
                numbers(day, (40, 30), "f4") / 8,
                np.float32(-9999),
                chunked(40, 15),
                units="mm",
            )
    return files


def sentinel5p(folder):
    """Two orbits of a level 2 product, of different lengths; `qa_value` is packed with float32."""
    files = []
    for number, (orbit, lines) in enumerate(((12367, 400), (12368, 420))):
        files.append(
            folder
            / f"S5P_OFFL_L2__NO2____20200303T0{number + 1}3547_20200303T0{number + 3}1717_{orbit}_01_010302_20200306T053815.nc"
        )
        with netCDF4.Dataset(files[-1], "w") as d:
            d.setncatts({"Conventions": "CF-1.7", "orbit": np.int32(orbit), "time_reference": "2020-03-03T00:00:00Z"})
            p = d.createGroup("PRODUCT")
            axis(p, "scanline", np.arange(lines), "i4", units="1", axis="Y", long_name="along-track dimension index")
            axis(p, "ground_pixel", np.arange(60), "i4", units="1", axis="X", long_name="across-track dimension index")
            axis(p, "corner", np.arange(4), "i4", units="1", long_name="pixel corner index")
            axis(
                p,
                "time",
                [320889600],
                "i4",
                units="seconds since 2010-01-01 00:00:00",
                standard_name="time",
                long_name="reference time for the measurements",
            )
            pixels, shape = ("time", "scanline", "ground_pixel"), (1, lines, 60)
            put(
                p,
                "delta_time",
                ("time", "scanline"),
                "i4",
                5_747_000 + 1_000_000 * number + 840 * np.arange(lines),
                storage=chunked(1, lines),
                units="milliseconds",
                long_name="offset from reference start time of measurement",
            )
            for seed, name in enumerate(("latitude", "longitude")):
                put(
                    p,
                    name,
                    pixels,
                    "f4",
                    rows(orbit + seed, shape) / 16,
                    np.float32(9.96921e36),
                    chunked(*shape),
                    standard_name=name,
                    units="degrees_north" if name == "latitude" else "degrees_east",
                    bounds=f"/PRODUCT/SUPPORT_DATA/GEOLOCATIONS/{name}_bounds",
                )
            quality = np.arange(lines * 60).reshape(shape) % 102
            quality[quality == 101] = 255
            put(
                p,
                "qa_value",
                pixels,
                "u1",
                quality,
                np.uint8(255),
                chunked(*shape),
                units="1",
                scale_factor=np.float32(0.01),
                add_offset=np.float32(0),
                valid_min=np.uint8(0),
                valid_max=np.uint8(100),
                long_name="data quality value",
                coordinates="longitude latitude",
            )
            put(
                p,
                "nitrogendioxide_tropospheric_column",
                pixels,
                "f4",
                rows(orbit, shape) / 1e6,
                np.float32(9.96921e36),
                chunked(*shape),
                units="mol m-2",
                multiplication_factor_to_convert_to_molecules_percm2=np.float32(6.02214e19),
                coordinates="longitude latitude",
            )
            g = p.createGroup("SUPPORT_DATA").createGroup("GEOLOCATIONS")
            put(
                g,
                "latitude_bounds",
                (*pixels, "corner"),
                "f4",
                rows(orbit + 2, (*shape, 4)) / 16,
                storage=chunked(*shape, 4),
            )
    return files


def icesat2(folder, thousand=1000):
    """Two granules of ATL06: beams as groups, each with a `delta_time` of its own length, in compressed chunks.

    Subsets are written where `thousand` is less.
    """
    files = []
    for number, segments in enumerate(({"gt1l": 23, "gt1r": 31}, {"gt1l": 25, "gt1r": 12})):
        files.append(folder / f"ATL06_2020030{number + 1}010203_1040070{number}_006_01.h5")
        with h5py.File(files[-1], "w") as f:
            f.attrs["short_name"] = "ATL06"
            for seed, (beam, thousands) in enumerate(segments.items()):
                length = thousands * thousand
                g = f.create_group(f"{beam}/land_ice_segments")
                options = {"chunks": (10 * thousand,), "compression": 6, "shuffle": True}
                times = g.create_dataset(
                    "delta_time", data=68_000_000.0 + 1e5 * number + np.arange(length) / 256, **options
                )
                times.attrs.update({"units": "seconds since 2018-01-01", "standard_name": "time"})
                times.make_scale("delta_time")
                for name, kind in (
                    ("h_li", "f4"),
                    ("latitude", "f8"),
                    ("longitude", "f8"),
                    ("atl06_quality_summary", "i1"),
                ):
                    d = g.create_dataset(
                        name,
                        data=np.repeat(numbers(10 * number + seed, -(-length // 400), kind, 0, 100), 400)[:length],
                        **options,
                    )
                    d.attrs["coordinates"] = "delta_time latitude longitude"
                    if name == "h_li":
                        d.attrs["_FillValue"] = np.array([3.4028235e38], "f4")
                    d.dims[0].attach_scale(times)
    return files
