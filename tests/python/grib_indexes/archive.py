# SPDX-License-Identifier: MIT OR Apache-2.0
"""Archives of GRIB2 files with index sidecars, as wgrib2 and ECMWF write them, from ecCodes' keys."""

import json
import os

import eccodes

# Discipline, category, number, and what wgrib2 and ECMWF call them.
PARAMETERS = [(0, 0, 0, "TMP", "t"), (0, 2, 2, "UGRD", "u"), (0, 3, 5, "HGT", "gh")]
RAIN = (0, 1, 8, "APCP", "tp")
LEVELS = [500, 850, 1000]
RUNS = [(20240229, 0), (20240229, 1200), (20240301, 600)]
STEPS = [3, 6, 27]


def message(parameter, run, step, level=None, interval=None, member=None, data=0):
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    discipline, category, number, _, _ = parameter
    template = {(False, False): 0, (False, True): 1, (True, False): 8, (True, True): 11}[interval is not None, member is not None]
    keys = {
        "centre": 98 if member is not None else 7, "Ni": 4, "Nj": 3, "latitudeOfFirstGridPointInDegrees": 10,
        "latitudeOfLastGridPointInDegrees": 0, "longitudeOfFirstGridPointInDegrees": 0, "longitudeOfLastGridPointInDegrees": 15,
        "iDirectionIncrementInDegrees": 5, "jDirectionIncrementInDegrees": 5, "discipline": discipline,
        "dataDate": run[0], "dataTime": run[1], "productDefinitionTemplateNumber": template,
        "parameterCategory": category, "parameterNumber": number,
    }
    if level is not None:
        keys |= {"typeOfFirstFixedSurface": 100, "scaleFactorOfFirstFixedSurface": 0, "scaledValueOfFirstFixedSurface": level * 100}
    else:
        keys |= {"typeOfFirstFixedSurface": 1}
    if member is not None:
        keys |= {"perturbationNumber": member, "numberOfForecastsInEnsemble": 3}
    if interval is not None:
        keys |= {"typeOfStatisticalProcessing": 1, "stepRange": f"{interval[0]}-{interval[1]}"}
    else:
        keys |= {"stepRange": str(step)}
    for key, value in keys.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, [float(data + point % 7) for point in range(12)])
    return eccodes.codes_get_message(handle)


def fields(run, step, members):
    """Messages of a file, with wgrib2's words and ECMWF's keys for each."""
    for member in members:
        for number, parameter in enumerate(PARAMETERS):
            for level in LEVELS:
                bytes_ = message(parameter, run, step, level=level, member=member, data=number + level + step)
                words = [parameter[3], f"{level} mb", f"{step} hour fcst"]
                keys = {"param": parameter[4], "levtype": "pl", "levelist": str(level)}
                yield bytes_, words, keys, member
        # Rain from the start on, and of the last three hours; the index of ECMWF only has the former.
        intervals = [(0, step)] if member is not None else [(0, step), (step - 3, step)]
        for interval in dict.fromkeys(intervals):
            bytes_ = message(RAIN, run, step, interval=interval, member=member, data=step)
            words = [RAIN[3], "surface", span(interval)]
            yield bytes_, words, {"param": "tp", "levtype": "sfc"}, member


def span(interval):
    begin, end = interval
    if begin % 24 == 0 and end % 24 == 0:
        return f"{begin // 24}-{end // 24} day acc fcst"
    return f"{begin}-{end} hour acc fcst"


def write(folder, kind):
    """An archive of `kind` wgrib2 or ecmwf: paths of its files, of which the first is a template for all."""
    os.makedirs(folder)
    members = [None] if kind == "wgrib2" else [1, 2]
    paths = []
    for run in RUNS:
        for step in STEPS:
            path = os.path.join(folder, f"{run[0]}{run[1]:04}_f{step:03}.grib2")
            lines, at = [], 0
            with open(path, "wb") as file:
                for number, (bytes_, words, keys, member) in enumerate(fields(run, step, members)):
                    if kind == "wgrib2":
                        lines.append(":".join([str(number + 1), str(at), f"d={run[0]}{run[1] // 100:02}", *words, ""]))
                    else:
                        lines.append(json.dumps({
                            "domain": "g", "date": str(run[0]), "time": f"{run[1]:04}", "step": str(step), "type": "pf",
                            "number": str(member), **keys, "_offset": at, "_length": len(bytes_),
                        }))
                    file.write(bytes_)
                    at += len(bytes_)
                if kind == "wgrib2":
                    # A line that the template has not: its header is read.
                    extra = PARAMETERS[0]
                    bytes_ = message(extra, run, step, level=100 + step, data=1)
                    words = [extra[3], f"{100 + step} mb", f"{step} hour fcst"]
                    lines.append(":".join([str(len(lines) + 1), str(at), f"d={run[0]}{run[1] // 100:02}", *words, ""]))
                    file.write(bytes_)
            ending = ".idx" if kind == "wgrib2" else ".index"
            name = path + ending if kind == "wgrib2" else path.removesuffix(".grib2") + ending
            with open(name, "w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
            paths.append((path, name))
    return paths
