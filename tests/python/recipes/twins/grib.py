# SPDX-License-Identifier: MIT OR Apache-2.0
"""Small GRIB messages with the keys of well-known products, made by ecCodes."""

import datetime
import gzip

import eccodes
import numpy as np

GRID = {
    "Ni": 6,
    "Nj": 4,
    "latitudeOfFirstGridPointInDegrees": 60.0,
    "longitudeOfFirstGridPointInDegrees": 10.0,
    "latitudeOfLastGridPointInDegrees": 57.0,
    "longitudeOfLastGridPointInDegrees": 15.0,
    "iDirectionIncrementInDegrees": 1.0,
    "jDirectionIncrementInDegrees": 1.0,
}
LAMBERT = {
    "gridType": "lambert",
    "Nx": 6,
    "Ny": 4,
    "shapeOfTheEarth": 6,
    "latitudeOfFirstGridPointInDegrees": 21.138123,
    "longitudeOfFirstGridPointInDegrees": 237.280472,
    "LaDInDegrees": 38.5,
    "LoVInDegrees": 262.5,
    "DxInMetres": 300000,
    "DyInMetres": 300000,
    "Latin1InDegrees": 38.5,
    "Latin2InDegrees": 38.5,
    "jScansPositively": 1,
}
RUN = datetime.datetime(2024, 1, 1)
HOUR = datetime.timedelta(hours=1)
# Each message has values of its own.
count = iter(range(1, 10**9))


def message(keys, sample="GRIB2", grid=GRID):
    """A message with these keys, and 24 values that no other has."""
    handle = eccodes.codes_grib_new_from_samples(sample)
    for key, value in {**grid, **keys}.items():
        if value is None:
            eccodes.codes_set_missing(handle, key)
        else:
            eccodes.codes_set(handle, key, value)
    eccodes.codes_set(handle, "bitsPerValue", 24)
    eccodes.codes_set_values(handle, np.arange(24.0) + 100 * next(count))
    content = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return content


def at(run, step, code, surface, level=0, template=0, **more):
    """Keys of a value at a time; `step` in minutes or hours."""
    minutes = step != int(step)
    return {
        "centre": "kwbc",
        "dataDate": int(f"{run:%Y%m%d}"),
        "dataTime": int(f"{run:%H%M}"),
        "significanceOfReferenceTime": 1,
        "discipline": code[0],
        "productDefinitionTemplateNumber": template,
        "parameterCategory": code[1],
        "parameterNumber": code[2],
        "typeOfFirstFixedSurface": surface,
        "scaleFactorOfFirstFixedSurface": 0,
        "scaledValueOfFirstFixedSurface": level,
        "indicatorOfUnitOfTimeRange": 0 if minutes else 1,
        "forecastTime": int(step * 60) if minutes else int(step),
        **more,
    }


def over(run, start, end, process, code, surface, level=0, template=8, **more):
    """Keys of a value over an interval, in hours."""
    last = run + end * HOUR
    names = ["year", "month", "day", "hour", "minute", "second"]
    ends = {f"{name}OfEndOfOverallTimeInterval": getattr(last, name) for name in names}
    return {
        **at(run, start, code, surface, level, template),
        **ends,
        "typeOfStatisticalProcessing": process,
        "typeOfTimeIncrement": 2,
        "indicatorOfUnitForTimeRange": 1,
        "lengthOfTimeRange": end - start,
        **more,
    }


TEMPERATURE, GEOPOTENTIAL_HEIGHT, RAIN, RAIN_RATE = (0, 0, 0), (0, 3, 5), (0, 1, 8), (0, 1, 7)
WIND = [(0, 2, 2), (0, 2, 3)]


def write(path, messages):
    """Writes messages one behind the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(messages))
    return path


def gfs(folder, runs=1, steps=(0, 3, 6, 9, 12), name="gfs.t{run:%H}z.pgrb2.0p25.f{step:03d}"):
    """Files of GFS: values at a time, averages and sums of buckets of up to six hours, and sums since the start."""
    paths = []
    for number in range(runs):
        run = RUN + 6 * number * HOUR
        # The last run is on its way.
        for step in steps[: len(steps) - (number == runs - 1 and runs > 1)]:
            messages = [at(run, step, TEMPERATURE, 103, 2)]
            messages += [at(run, step, TEMPERATURE, 100, 100 * level) for level in (850, 500)]
            messages += [at(run, step, code, 103, 10) for code in WIND]
            if step:
                start = (step - 1) // 6 * 6
                messages.append(over(run, start, step, 0, RAIN_RATE, 1))
                messages += [over(run, begin, step, 1, RAIN, 1) for begin in (start, 0)]
            path = folder / name.format(run=run, step=step)
            paths.append(write(path, map(message, messages)))
    return paths


def hrrr(folder):
    """Files of an hour each, with fields of its quarters on a Lambert grid."""
    paths = []
    for hour in range(3):
        steps = [hour - 0.75, hour - 0.5, hour - 0.25, hour] if hour else [0]
        fields = [message(at(RUN, step, code, 103, 10), grid=LAMBERT) for step in steps for code in WIND]
        paths.append(write(folder / f"hrrr.t00z.wrfsubhf{hour:02d}.grib2", fields))
    return paths


def gefs(folder):
    """Files of a member and a step each, and those of means and spreads."""
    for step in (0, 6):
        for number in range(3):
            more = {
                "typeOfEnsembleForecast": 3 if number else 1,
                "perturbationNumber": number,
                "numberOfForecastsInEnsemble": 30,
            }
            fields = [at(RUN, step, GEOPOTENTIAL_HEIGHT, 100, 100 * level, 1, **more) for level in (500, 250)]
            name = f"ge{'p' if number else 'c'}{number:02d}.t00z.pgrb2a.f{step:03d}"
            write(folder / name, map(message, fields))
        for name, kind in (("geavg", 0), ("gespr", 4)):
            more = {"derivedForecast": kind, "numberOfForecastsInEnsemble": 30}
            fields = [at(RUN, step, GEOPOTENTIAL_HEIGHT, 100, 50000, 2, **more)]
            write(folder / f"{name}.t00z.pgrb2a.f{step:03d}", map(message, fields))
    return sorted(folder.glob("gec*")) + sorted(folder.glob("gep*")), sorted(folder.glob("ge[as]*"))


def ecmwf(folder):
    """Files of all members of a step, with an index beside each."""
    paths = []
    for step in (0, 3, 6):
        fields = []
        for number in range(3):
            more = {
                "centre": "ecmf",
                "typeOfEnsembleForecast": 4 if number else 1,
                "perturbationNumber": number,
                "numberOfForecastsInEnsemble": 51,
            }
            fields.append(message(at(RUN, step, TEMPERATURE, 103, 2, 1, **more)))
            if step:
                fields.append(message(over(RUN, 0, step, 1, (0, 1, 193), 1, template=11, localTablesVersion=1, **more)))
        path = write(folder / f"20240101000000-{step}h-enfo-ef.grib2", fields)
        place, lines = 0, []
        for field in fields:
            lines.append(f'{{"date": "20240101", "_offset": {place}, "_length": {len(field)}}}')
            place += len(field)
        path.with_suffix(".index").write_text("\n".join(lines) + "\n")
        paths.append(path)
    return paths


def era5(folder):
    """Monthly files of edition 1: analyses of each sixth hour, and sums of an hour each from two forecasts a day."""
    paths = []
    for month in (1, 2, 3):
        fields = []
        for day in (1, 2):
            base = {"centre": "ecmf", "table2Version": 128, "dataDate": 20240000 + 100 * month + day}
            for hour in (0, 6, 12, 18):
                keys = {**base, "dataTime": 100 * hour, "indicatorOfParameter": 167, "P1": 0, "timeRangeIndicator": 0}
                fields.append(message({**keys, "indicatorOfTypeOfLevel": 1, "level": 0}, "regular_ll_sfc_grib1"))
            for hour in (6, 18):
                for step in (1, 2, 3):
                    keys = {**base, "dataTime": 100 * hour, "indicatorOfParameter": 228, "timeRangeIndicator": 4}
                    keys |= {"P1": step - 1, "P2": step, "indicatorOfTypeOfLevel": 1, "level": 0}
                    fields.append(message(keys, "regular_ll_sfc_grib1"))
        paths.append(write(folder / f"era5_2024-{month:02d}.grib", fields))
    return paths


def nbm(folder):
    """Files of a step each: the sum of rain of the last six hours, its percentiles, and chances of more than some inches."""
    paths = []
    for step in (6, 12):
        fields = [over(RUN, step - 6, step, 1, RAIN, 1)]
        fields += [over(RUN, step - 6, step, 1, RAIN, 1, template=10, percentileValue=part) for part in (10, 50, 90)]
        for limit in (254, 2540):
            more = {
                "probabilityType": 1,
                "scaleFactorOfLowerLimit": None,
                "scaledValueOfLowerLimit": None,
                "scaleFactorOfUpperLimit": 2,
                "scaledValueOfUpperLimit": limit,
            }
            fields.append(over(RUN, step - 6, step, 1, RAIN, 1, template=9, **more))
        paths.append(write(folder / f"blend.t12z.qmd.f{step:03d}.co.grib2", map(message, fields)))
    return paths


def mrms(folder, compressed):
    """Files of one field each, of two minutes."""
    paths = []
    for minute in (0, 2, 4):
        run = RUN + datetime.timedelta(minutes=minute)
        field = message(at(run, 0, (0, 15, 1), 102, 500, centre=161))
        path = folder / f"MRMS_MergedReflectivity_{run:%Y%m%d-%H%M}00.grib2"
        if compressed:
            path = path.with_suffix(".grib2.gz")
        paths.append(write(path, [gzip.compress(field) if compressed else field]))
    return paths
