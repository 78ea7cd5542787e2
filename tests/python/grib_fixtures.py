# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write small GRIB files with ecCodes into OUT, each with structures of one kind: `python grib_fixtures.py OUT`."""
import argparse
import pathlib

import eccodes
import numpy

GRIDS = {
    "regular_ll": dict(gridType="regular_ll", Ni=12, Nj=7, latitudeOfFirstGridPointInDegrees=60.0, longitudeOfFirstGridPointInDegrees=350.0,
                       latitudeOfLastGridPointInDegrees=30.0, longitudeOfLastGridPointInDegrees=45.0, iDirectionIncrementInDegrees=5.0,
                       jDirectionIncrementInDegrees=5.0),
    "southward": dict(gridType="regular_ll", Ni=9, Nj=5, jScansPositively=1, latitudeOfFirstGridPointInDegrees=-20.0, longitudeOfFirstGridPointInDegrees=0.0,
                      latitudeOfLastGridPointInDegrees=20.0, longitudeOfLastGridPointInDegrees=320.0, iDirectionIncrementInDegrees=40.0,
                      jDirectionIncrementInDegrees=10.0),
    "lambert": dict(gridType="lambert", Nx=11, Ny=8, shapeOfTheEarth=6, latitudeOfFirstGridPointInDegrees=21.138123, longitudeOfFirstGridPointInDegrees=237.280472,
                    LaDInDegrees=38.5, LoVInDegrees=262.5, DxInMetres=300000, DyInMetres=300000, Latin1InDegrees=38.5, Latin2InDegrees=38.5, jScansPositively=1),
    "polar_stereographic": dict(gridType="polar_stereographic", Nx=9, Ny=10, shapeOfTheEarth=6, latitudeOfFirstGridPointInDegrees=18.14503,
                                longitudeOfFirstGridPointInDegrees=217.107456, LaDInDegrees=60.0, orientationOfTheGridInDegrees=249.0, DxInMetres=500000,
                                DyInMetres=500000, jScansPositively=1),
    "mercator": dict(gridType="mercator", Ni=10, Nj=6, shapeOfTheEarth=6, latitudeOfFirstGridPointInDegrees=18.0, longitudeOfFirstGridPointInDegrees=190.0,
                     latitudeOfLastGridPointInDegrees=29.0, longitudeOfLastGridPointInDegrees=206.0, LaDInDegrees=20.0, DiInMetres=200000, DjInMetres=250000,
                     jScansPositively=1),
    "rotated_ll": dict(gridType="rotated_ll", Ni=8, Nj=6, latitudeOfFirstGridPointInDegrees=-10.0, longitudeOfFirstGridPointInDegrees=350.0,
                       latitudeOfLastGridPointInDegrees=10.0, longitudeOfLastGridPointInDegrees=18.0, iDirectionIncrementInDegrees=4.0,
                       jDirectionIncrementInDegrees=4.0, jScansPositively=1, latitudeOfSouthernPoleInDegrees=-36.0, longitudeOfSouthernPoleInDegrees=245.0),
}
SAMPLES = {"regular_gg": "regular_gg_pl_grib2", "reduced_gg": "reduced_gg_pl_32_grib2", "sh": "sh_pl_grib2"}

# Parameters that ECMWF writes: its own numbers and those of WMO.
ECMWF_PARAMETERS = [
    8, 9, 27, 28, 33, 34, 39, 40, 41, 42, 47, 49, 57, 59, 78, 79, 136, 137, 141, 144, 146, 147, 160, 164, 169, 170, 173, 175, 176,
    177, 178, 179, 180, 181, 182, 183, 186, 187, 188, 189, 205, 212, 228, 235, 245, 3062, 3067, 140221, 140230, 140231, 140232,
    140233, 228001, 228029, 228089, 228090, 228141, 228144, 228164, 228228, 228235, 228246, 228247, 260015, 260038,
    260048, 260121, 260199,
]
# Product definition templates that no other fixture has, and what they take.
TEMPLATES = {
    number: parts.split() for number, parts in {
        7: "near", 9: "near hours", 10: "near hours", 11: "near hours ensemble", 12: "near hours", 15: "near", 40: "near species",
        41: "near species ensemble", 42: "near species hours", 43: "near species hours ensemble", 44: "near particle",
        45: "near particle ensemble", 46: "near particle hours", 47: "near particle hours ensemble", 48: "near particle",
        49: "near particle ensemble", 60: "near ensemble", 61: "near hours ensemble", 70: "near", 71: "near ensemble", 72: "near hours",
        73: "near hours ensemble", 103: "near", 104: "near ensemble",
    }.items()
}


def values(count, seed):
    """Numbers that any packing can hold: they differ from each other and are whole."""
    return (numpy.arange(count, dtype="f8") * 7 + seed * 13) % 251


def field(grid="regular_ll", seed=0, missing=0, edition=2, **keys):
    """One message of 16 bits per value."""
    handle = eccodes.codes_grib_new_from_samples(SAMPLES.get(grid, f"regular_ll_pl_grib{edition}"))
    for name, value in (GRIDS.get(grid, {}) if edition == 2 else {}).items():
        eccodes.codes_set(handle, name, value)
    eccodes.codes_set(handle, "dataDate", keys.pop("dataDate", 20240229))
    eccodes.codes_set(handle, "dataTime", keys.pop("dataTime", 600))
    for name, value in keys.items():
        eccodes.codes_set(handle, name, value)
    eccodes.codes_set(handle, "bitsPerValue", 16)
    if grid != "sh":
        count = eccodes.codes_get_long(handle, "numberOfDataPoints")
        if grid in GRIDS and edition == 2:
            count = eccodes.codes_get_long(handle, "Nx") * eccodes.codes_get_long(handle, "Ny")
            eccodes.codes_set(handle, "numberOfDataPoints", count)
        data = values(count, seed)
        if missing:
            eccodes.codes_set(handle, "bitmapPresent", 1)
            eccodes.codes_set(handle, "missingValue", 9999)
            data[::missing] = 9999
        eccodes.codes_set_values(handle, data)
    message = eccodes.codes_get_message(handle)
    eccodes.codes_release(handle)
    return message


def surface(kind, value=None, factor=0, second=255, second_value=None, **keys):
    """Keys of a level."""
    keys.update(typeOfFirstFixedSurface=kind, typeOfSecondFixedSurface=second)
    if value is not None:
        keys.update(scaleFactorOfFirstFixedSurface=factor, scaledValueOfFirstFixedSurface=value)
    if second_value is not None:
        keys.update(scaleFactorOfSecondFixedSurface=factor, scaledValueOfSecondFixedSurface=second_value)
    return keys


def parameter(category, number, discipline=0):
    """Keys of a parameter."""
    return dict(discipline=discipline, parameterCategory=category, parameterNumber=number)


def sections(message):
    """The sections 1 to 7 of a message of edition 2."""
    found, at = [], 16
    while message[at:at + 4] != b"7777":
        length = int.from_bytes(message[at:at + 4], "big")
        found.append((message[at + 4], message[at:at + length]))
        at += length
    return found


def merge(messages, first, bitmap_of_before=False):
    """One message of several fields, which repeats the sections from `first` on."""
    body = b"".join(data for _, data in sections(messages[0]))
    for message in messages[1:]:
        for number, data in sections(message):
            if number == 6 and bitmap_of_before:
                data = b"\0\0\0\x06\x06\xfe"
            if number >= first:
                body += data
    return messages[0][:8] + (len(body) + 20).to_bytes(8, "big") + body + b"7777"


def local(message, content):
    """The same message with a local section."""
    body = b""
    for number, data in sections(message):
        body += data
        if number == 1:
            body += (len(content) + 5).to_bytes(4, "big") + b"\x02" + content
    return message[:8] + (len(body) + 20).to_bytes(8, "big") + body + b"7777"


def files():
    """Names and contents."""
    temperature, wind_u, wind_v = parameter(0, 0), parameter(2, 2), parameter(2, 3)
    pressures = [surface(100, level) for level in (100000, 85000, 50000, 50)]
    yield "pressure_levels", [field(seed=index, **temperature, **level) for index, level in enumerate(pressures)]
    for grid in [*GRIDS, *SAMPLES]:
        yield f"grid_{grid}", [field(grid, seed=1)]
    yield "near_the_ground", [field(seed=1, **temperature, **surface(103, 2)), field(seed=2, **wind_u, **surface(103, 10)),
                              field(seed=3, **wind_v, **surface(103, 10)), field(seed=4, **parameter(3, 1), **surface(101))]
    layers = [(0, 1), (1, 4), (4, 10), (10, 20)]
    yield "soil_layers", [field(seed=index, **parameter(0, 192, discipline=2), **surface(106, top, 1, 106, bottom))
                          for index, (top, bottom) in enumerate(layers)]
    yield "steps", [field(seed=hour, **temperature, **surface(103, 2), indicatorOfUnitOfTimeRange=1, forecastTime=hour) for hour in (0, 3, 6)]
    yield "minutes", [field(seed=minute, **temperature, **surface(103, 2), indicatorOfUnitOfTimeRange=0, forecastTime=minute) for minute in (15, 30)]
    interval = dict(productDefinitionTemplateNumber=8, typeOfStatisticalProcessing=1, indicatorOfUnitForTimeRange=1)
    totals = [dict(forecastTime=0, lengthOfTimeRange=end, dayOfEndOfOverallTimeInterval=29, monthOfEndOfOverallTimeInterval=2,
                   yearOfEndOfOverallTimeInterval=2024, hourOfEndOfOverallTimeInterval=6 + end) for end in (3, 6)]
    yield "accumulations", [field(seed=index, **interval, **parameter(1, 8), **surface(1), **keys) for index, keys in enumerate(totals)]
    yield "members", [field(seed=number, productDefinitionTemplateNumber=1, typeOfProcessedData=4, perturbationNumber=number,
                            numberOfForecastsInEnsemble=3, **temperature, **surface(103, 2)) for number in range(3)]
    yield "percentiles", [field(seed=value, productDefinitionTemplateNumber=6, percentileValue=value, **temperature, **surface(103, 2))
                          for value in (10, 50, 90)]
    yield "derived", [field(seed=kind, productDefinitionTemplateNumber=2, derivedForecast=kind, numberOfForecastsInEnsemble=20, **temperature,
                            **surface(103, 2)) for kind in (0, 4)]
    yield "probabilities", [field(seed=limit, productDefinitionTemplateNumber=5, probabilityType=1, scaleFactorOfUpperLimit=0,
                                  scaledValueOfUpperLimit=limit, **temperature, **surface(103, 2)) for limit in (273, 283)]
    yield "missing_values", [field(seed=1, missing=5, **temperature, **surface(103, 2))]
    pair = [field(seed=1, **wind_u, **surface(103, 10)), field(seed=2, **wind_v, **surface(103, 10))]
    yield "fields_4_to_7", [merge(pair, 4)]
    yield "fields_3_to_7", [merge([pair[0], field("southward", seed=3, **wind_v, **surface(103, 10))], 3)]
    ours = [field(seed=seed, centre=7, **keys, **surface(103, 10)) for seed, keys in enumerate([wind_u, wind_v])]
    yield "fields_2_to_7", [merge([local(ours[0], b"abc"), local(ours[1], b"defg")], 2)]
    masked = [field(seed=seed, missing=4, **keys, **surface(103, 10)) for seed, keys in enumerate([wind_u, wind_v])]
    yield "bitmap_of_before", [merge(masked, 4, bitmap_of_before=True)]
    yield "unknown_parameter", [field(seed=1, **parameter(77, 99), **surface(103, 2))]
    yield "repeated", [field(seed=seed, **temperature, **surface(103, 2)) for seed in (1, 2)]
    yield "two_grids", [field(grid, seed=1, **temperature, **surface(103, 2)) for grid in ("regular_ll", "southward")]
    yield "both_editions", [field(seed=1, edition=1), field(seed=2, **temperature, **surface(103, 2))]
    yield "junk_between", [b"\r\r\nXXXX99 KWBC 290600\r\r\n", field(seed=1, **temperature, **surface(103, 2)), b"padding of some bytes",
                           field(seed=2, **temperature, **surface(101)), b"\0" * 37]
    yield "ieee", [field(seed=1, packingType="grid_ieee", **temperature, **surface(103, 2))]
    yield "ccsds", [field(seed=1, packingType="grid_ccsds", **temperature, **surface(103, 2))]
    yield "second_order", [field(seed=1, packingType="grid_complex_spatial_differencing", **temperature, **surface(103, 2))]
    yield "ecmwf_parameters", [field(seed=number % 97, centre=98, typeOfFirstFixedSurface=1, paramId=number) for number in ECMWF_PARAMETERS] + [
        field(seed=1, centre=98, **parameter(0, 22, discipline=2), **surface(106, 0, 0, 106, 1))]
    near = dict(temperature, **surface(103, 2))
    hours = dict(typeOfStatisticalProcessing=0, indicatorOfUnitForTimeRange=1, lengthOfTimeRange=3, dayOfEndOfOverallTimeInterval=29,
                 monthOfEndOfOverallTimeInterval=2, yearOfEndOfOverallTimeInterval=2024, hourOfEndOfOverallTimeInterval=9)
    ensemble = dict(perturbationNumber=2, numberOfForecastsInEnsemble=3)
    species = dict(constituentType=62001)
    particle = dict(aerosolType=62006, typeOfSizeInterval=0, scaleFactorOfFirstSize=8, scaledValueOfFirstSize=3, scaleFactorOfSecondSize=7,
                    scaledValueOfSecondSize=5)
    for number, keys in TEMPLATES.items():
        keys = {name: value for part in keys for name, value in {"near": near, "hours": hours, "ensemble": ensemble, "species": species,
                                                                 "particle": particle}[part].items()}
        yield f"template_{number}", [field(seed=number, productDefinitionTemplateNumber=number, **keys)]


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, parts in files():
        (out / f"{name}.grib2").write_bytes(b"".join(parts))


if __name__ == "__main__":
    main()
