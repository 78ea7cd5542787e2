# SPDX-License-Identifier: MIT OR Apache-2.0
"""Messages of each kind of grid, in each scanning mode, on each shape of the earth; and where their points are."""

import dataclasses
import functools
import math

import eccodes as ec
import numpy

ROWS, COLUMNS = 4, 5
MODES = [0x40, 0x00, 0x80, 0xC0, 0x20, 0x60, 0xA0, 0xE0]
ALTERNATING = [0x10, 0x50, 0xD0, 0x70]
# Shape of the earth, and the axes where it leaves them open, with the factor 10^-2.
EARTHS = {
    "sphere of 6367470 m": {"shapeOfTheEarth": 0},
    "sphere of its own": {"shapeOfTheEarth": 1, "scaleFactorOfRadiusOfSphericalEarth": 2, "scaledValueOfRadiusOfSphericalEarth": 637122950},
    "IAU 1965": {"shapeOfTheEarth": 2},
    "kilometres": {"shapeOfTheEarth": 3, "scaleFactorOfEarthMajorAxis": 3, "scaledValueOfEarthMajorAxis": 6378206,
                   "scaleFactorOfEarthMinorAxis": 3, "scaledValueOfEarthMinorAxis": 6356584},
    "GRS 80": {"shapeOfTheEarth": 4},
    "WGS 84": {"shapeOfTheEarth": 5},
    "sphere of 6371229 m": {"shapeOfTheEarth": 6},
    "metres": {"shapeOfTheEarth": 7, "scaleFactorOfEarthMajorAxis": 1, "scaledValueOfEarthMajorAxis": 63781370,
               "scaleFactorOfEarthMinorAxis": 1, "scaledValueOfEarthMinorAxis": 63500000},
    "sphere of 6371200 m": {"shapeOfTheEarth": 8},
    "Airy 1830": {"shapeOfTheEarth": 9},
}  # fmt: skip


@dataclasses.dataclass
class Case:
    """A message, and the latitudes and longitudes of its points in the order of its values."""

    name: str
    message: bytes
    latitudes: numpy.ndarray
    longitudes: numpy.ndarray
    # Degrees by which places may differ.
    tolerance: float = 1e-8
    # Whether ecCodes gives these places, so that references may lead to the message.
    by_eccodes: bool = True


def handle(edition, kind, keys, points):
    """A message of ones."""
    made = ec.codes_grib_new_from_samples(f"GRIB{edition}")
    ec.codes_set(made, "gridType", kind)
    for key, value in keys.items():
        if isinstance(value, list):
            ec.codes_set_array(made, key, value)
        else:
            ec.codes_set(made, key, value)
    ec.codes_set_values(made, numpy.ones(points))
    # The keys of another earth are there only when the message is read again.
    message = ec.codes_get_message(made)
    ec.codes_release(made)
    return message


def places(message):
    read = ec.codes_new_from_message(message)
    try:
        return ec.codes_get_array(read, "latitudes"), ec.codes_get_array(read, "longitudes")
    finally:
        ec.codes_release(read)


def turned(values, mode):
    """Values of rows from the south and columns from the west, in the order of a scanning mode."""
    rows = numpy.asarray(values).reshape(ROWS, COLUMNS)
    rows = rows if mode & 0x40 else rows[::-1]
    rows = rows[:, ::-1] if mode & 0x80 else rows
    rows = rows.T if mode & 0x20 else rows
    if mode & 0x10:
        rows = rows.copy()
        rows[1::2] = rows[1::2, ::-1]
    return rows.ravel()


def scanning(edition, mode):
    if edition == 2:
        return {"scanningMode": mode}
    return {"iScansNegatively": mode >> 7 & 1, "jScansPositively": mode >> 6 & 1, "jPointsAreConsecutive": mode >> 5 & 1}


def degrees(edition, **angles):
    return {f"{key}InDegrees": round(value, 3 if edition == 1 else 6) for key, value in angles.items()}


def maps(edition):
    """Kinds of maps and their keys, without the first point."""
    grid = {"Nx": COLUMNS, "Ny": ROWS, "DxInMetres": 250000, "DyInMetres": 180000}
    shift = {} if edition == 1 else degrees(2, LaD=38.5)
    yield "lambert", {**grid, **shift, **degrees(edition, LoV=262.5, Latin1=30, Latin2=55)}, (21.138, 237.28)
    yield "lambert", {**grid, **shift, **degrees(edition, LoV=-97.5 if edition == 1 else 262.5, Latin1=38.5, Latin2=38.5)}, (21.138, 300.1)
    yield "lambert", {**grid, **({} if edition == 1 else degrees(2, LaD=-30)), **degrees(edition, LoV=20, Latin1=-20, Latin2=-45)}, (-50.5, 3)
    orientation = "orientationOfTheGrid"
    polar = {} if edition == 1 else degrees(2, LaD=70)
    yield "polar_stereographic", {**grid, **polar, **degrees(edition, **{orientation: 249}), "projectionCentreFlag": 0}, (18.145, 217)
    yield "polar_stereographic", {**grid, **polar, **degrees(edition, **{orientation: 10}), "projectionCentreFlag": 0}, (88, 190)
    if edition == 2:
        yield "polar_stereographic", {**grid, **degrees(2, LaD=-60, orientationOfTheGrid=180), "projectionCentreFlag": 128}, (-62, 120)
        yield "polar_stereographic", {**grid, **degrees(2, LaD=90, orientationOfTheGrid=0), "projectionCentreFlag": 0}, (62, 120)
    own = {"Ni": COLUMNS, "Nj": ROWS, "DiInMetres": 250000, "DjInMetres": 180000}
    last = degrees(edition, latitudeOfLastGridPoint=20, longitudeOfLastGridPoint=100)
    yield "mercator", {**own, **last, **degrees(edition, LaD=20)}, (-18, 80)
    yield "mercator", {**own, **last, **degrees(edition, LaD=0)}, (60, 355)


def on_maps():
    """Conformal maps, whose places ecCodes gives from the south-west on in any scanning mode."""
    for edition in (1, 2):
        earths = EARTHS if edition == 2 else {"sphere": {}, "ellipsoid": {"earthIsOblate": 1}}
        for earth, shape in earths.items():
            for number, (kind, keys, first) in enumerate(maps(edition)):
                name = f"{edition} {kind} {number} {earth}"
                start = degrees(edition, latitudeOfFirstGridPoint=first[0], longitudeOfFirstGridPoint=first[1])
                north = handle(edition, kind, {**keys, **start, **scanning(edition, 0x40), **shape}, ROWS * COLUMNS)
                try:
                    latitudes, longitudes = places(north)
                except ec.CodesInternalError:
                    # Polar stereographic on an ellipsoid.
                    continue
                yield Case(name, north, latitudes, longitudes)
                for mode in MODES[1:] + (ALTERNATING if edition == 2 else []):
                    corner = [float(turned(values, mode)[0]) for values in (latitudes, longitudes)]
                    start = degrees(edition, latitudeOfFirstGridPoint=corner[0], longitudeOfFirstGridPoint=corner[1])
                    message = handle(edition, kind, {**keys, **start, **scanning(edition, mode), **shape}, ROWS * COLUMNS)
                    # The corner is rounded, which near a pole turns the longitudes.
                    near = 60 if kind == "polar_stereographic" else 4
                    yield Case(f"{name} mode {mode:#x}", message, turned(latitudes, mode), turned(longitudes, mode),
                               near * (1e-3 if edition == 1 else 1e-6), kind == "mercator" and not mode & 0x10)  # fmt: skip


def azimuthal():
    keys = {"Nx": COLUMNS, "Ny": ROWS, "standardParallelInDegrees": 52, "centralLongitudeInDegrees": 10,
            "xDirectionGridLengthInMetres": 250000, "yDirectionGridLengthInMetres": 180000}  # fmt: skip
    for earth, shape in EARTHS.items():
        oblate = shape["shapeOfTheEarth"] not in (0, 1, 6, 8)
        for parallel, first in ((52, (41.5, 2.25)), (-90, (-70, 120)), (0, (5, 355))):
            # Around a pole of an ellipsoid ecCodes divides by nearly nothing.
            for mode in MODES if not (oblate and parallel == -90) else []:
                own = {**keys, "standardParallelInDegrees": parallel, "scanningMode": mode, "latitudeOfFirstGridPointInDegrees": first[0],
                       "longitudeOfFirstGridPointInDegrees": first[1], **shape}  # fmt: skip
                message = handle(2, "lambert_azimuthal_equal_area", own, ROWS * COLUMNS)
                latitudes, longitudes = places(message)
                by_eccodes = not (oblate and mode & 0x20)
                if not by_eccodes:
                    # It has them row by row.
                    latitudes, longitudes = (values.reshape(ROWS, COLUMNS).T.ravel() for values in (latitudes, longitudes))
                yield Case(f"2 laea {parallel} {earth} mode {mode:#x}", message, latitudes, longitudes, by_eccodes=by_eccodes)


def unrotated(latitudes, longitudes, south, east, angle):
    """Places of latitudes and longitudes around another pole."""
    lat, lon, tilt, turn = (numpy.radians(values) for values in (latitudes, longitudes, -(90 + south), -east))
    x, y, z = numpy.cos(lon) * numpy.cos(lat), numpy.sin(lon) * numpy.cos(lat), numpy.sin(lat)
    flat = math.cos(tilt) * x + math.sin(tilt) * z
    upright = numpy.clip(-math.sin(tilt) * x + math.cos(tilt) * z, -1, 1)
    east_of = numpy.arctan2(-flat * math.sin(turn) + y * math.cos(turn), flat * math.cos(turn) + y * math.sin(turn))
    return numpy.degrees(numpy.arcsin(upright)), numpy.degrees(east_of) - angle


def angles(edition, mode, south, north, west, east):
    """Corners and steps of a regular grid."""
    down, back = not mode & 0x40, bool(mode & 0x80)
    ends = {"latitudeOfFirstGridPoint": north if down else south, "latitudeOfLastGridPoint": south if down else north,
            "longitudeOfFirstGridPoint": east if back else west, "longitudeOfLastGridPoint": west if back else east}  # fmt: skip
    steps = {"iDirectionIncrement": (east - west) % 360 / (COLUMNS - 1), "jDirectionIncrement": (north - south) / (ROWS - 1)}
    return {"Ni": COLUMNS, "Nj": ROWS, **degrees(edition, **ends, **steps), **scanning(edition, mode)}


def regular():
    """Regular and rotated grids."""
    for edition in (1, 2):
        for mode in MODES:
            for west, east in ((0, 12), (336.5, 20.5), (180, 60), (350, 10), (0, 240), (-20, 20)):
                keys = angles(edition, mode, -6, 6, west, east)
                name = f"{edition} regular {west} {east} mode {mode:#x}"
                message = handle(edition, "regular_ll", keys, ROWS * COLUMNS)
                yield Case(name, message, *places(message))
                pole = {"latitudeOfSouthernPoleInDegrees": -32.5, "longitudeOfSouthernPoleInDegrees": 10}
                for angle in (0, 15.5):
                    turn = {"angleOfRotationInDegrees" if edition == 1 else "angleOfRotation": float(angle)}
                    message = handle(edition, "rotated_ll", {**keys, **pole, **turn}, ROWS * COLUMNS)
                    yield Case(f"{name} rotated {angle}", message, *places(message))


def alternating():
    """Regular grids whose rows alternate."""
    for mode in ALTERNATING:
        keys = angles(2, mode, -6, 6, 350, 10)
        message = handle(2, "regular_ll", keys, ROWS * COLUMNS)
        # ecCodes has them as if they did not.
        plain = handle(2, "regular_ll", {**keys, "scanningMode": mode & 0xE0}, ROWS * COLUMNS)
        latitudes, longitudes = (values.reshape((COLUMNS, ROWS) if mode & 0x20 else (ROWS, COLUMNS)) for values in places(plain))
        for values in (latitudes, longitudes):
            values[1::2] = values[1::2, ::-1].copy()
        yield Case(f"2 regular mode {mode:#x}", message, latitudes.ravel(), longitudes.ravel(), by_eccodes=False)


def gaussian():
    """Gaussian grids, whole and reduced, also in part, and around another pole."""
    for edition in (1, 2):
        pole = {"latitudeOfSouthernPoleInDegrees": -32.5, "longitudeOfSouthernPoleInDegrees": 10}
        whole = {"Ni": 8, "Nj": 4, "N": 2, "iDirectionIncrementInDegrees": 45,
                 **degrees(edition, latitudeOfFirstGridPoint=59.444, latitudeOfLastGridPoint=-59.444, longitudeOfFirstGridPoint=0,
                           longitudeOfLastGridPoint=315)}  # fmt: skip
        message = handle(edition, "regular_gg", whole, 32)
        yield Case(f"{edition} Gaussian", message, *places(message))
        rotated = handle(edition, "rotated_gg", {**whole, **pole}, 32)
        # ecCodes does not turn them.
        yield Case(f"{edition} rotated Gaussian", rotated, *unrotated(*places(message), -32.5, 10, 0), tolerance=1e-5, by_eccodes=False)
        reduced = ec.codes_grib_new_from_samples(f"reduced_gg_pl_32_grib{edition}")
        message = ec.codes_get_message(reduced)
        yield Case(f"{edition} reduced", message, *places(message))
        rows, parallels = ec.codes_get_array(reduced, "pl"), numpy.unique(ec.codes_get_array(reduced, "latitudes"))[::-1]
        for west, east in ((0, 60), (10.5, 100.25), (340, 20), (350, 349), (0, 357)):
            part = ec.codes_clone(reduced)
            ec.codes_set(part, "Nj", 8)
            ec.codes_set_array(part, "pl", rows[8:16])
            corners = degrees(edition, latitudeOfFirstGridPoint=parallels[8], latitudeOfLastGridPoint=parallels[15],
                              longitudeOfFirstGridPoint=west, longitudeOfLastGridPoint=east)  # fmt: skip
            for key, value in corners.items():
                ec.codes_set(part, key, value)
            points = ec.codes_get(part, "numberOfDataPointsExpected" if edition == 2 else "numberOfDataPoints")
            ec.codes_set_values(part, numpy.ones(points))
            if edition == 2:
                ec.codes_set(part, "numberOfDataPoints", points)
            message = ec.codes_get_message(part)
            yield Case(f"{edition} reduced {west} {east}", message, *places(message))
            ec.codes_release(part)
        ec.codes_release(reduced)


def reduced_angles():
    for west, east, rows in ((0, 300, [3, 6, 4]), (10, 70, [3, 5, 4]), (350, 20, [2, 3, 4])):
        made = ec.codes_grib_new_from_samples("reduced_ll_sfc_grib2")
        for key, value in {"Nj": 3, "latitudeOfFirstGridPointInDegrees": 20, "latitudeOfLastGridPointInDegrees": 0, "jDirectionIncrementInDegrees": 10,
                           "longitudeOfFirstGridPointInDegrees": west, "longitudeOfLastGridPointInDegrees": east}.items():  # fmt: skip
            ec.codes_set(made, key, value)
        ec.codes_set_array(made, "pl", rows)
        ec.codes_set(made, "numberOfDataPoints", sum(rows))
        ec.codes_set_values(made, numpy.ones(sum(rows)))
        message = ec.codes_get_message(made)
        ec.codes_release(made)
        yield Case(f"2 reduced_ll {west} {east}", message, *places(message))


def healpix():
    for side in (1, 2, 3, 4, 8, 16):
        for order in ("ring", "nested"):
            if order == "nested" and side & (side - 1):
                continue
            keys = {"Nside": side, "orderingConvention": order, "longitudeOfFirstGridPointInDegrees": 45, "shapeOfTheEarth": 6}
            message = handle(2, "healpix", keys, 12 * side * side)
            yield Case(f"2 healpix {side} {order}", message, *places(message))


def space_view():
    for earth, shape in EARTHS.items():
        for mode in [0x00, 0x40, 0x80, 0xC0, 0x20, *ALTERNATING]:
            # Not in the middle, so that every direction is told from the other one.
            columns = (1.75, 0.25) if not mode & 0x80 else (COLUMNS - 1 - 1.75, 0.25)
            rows = 1.25 if not mode & 0x40 else ROWS - 1 - 1.25
            keys = {"Nx": COLUMNS, "Ny": ROWS, "latitudeOfSubSatellitePoint": 0, "longitudeOfSubSatellitePoint": 9500000, "dx": 5, "dy": 5,
                    "Xp": round(columns[0] * 1000), "Yp": round(rows * 1000), "Nr": 6610710, "Xo": 0, "Yo": 0, "orientationOfTheGrid": 0,
                    "scanningMode": mode, **shape}  # fmt: skip
            message = handle(2, "space_view", keys, ROWS * COLUMNS)
            first = handle(2, "space_view", {**keys, "scanningMode": 0, "Xp": 1750, "Yp": 1250}, ROWS * COLUMNS)
            latitudes, longitudes = places(first)
            # ecCodes has them from the north-west on; 0 for what is not on the earth.
            beside = (latitudes == 0) & (longitudes == 0)
            southward = [numpy.where(beside, numpy.nan, values).reshape(ROWS, COLUMNS)[::-1] for values in (latitudes, longitudes)]
            yield Case(f"2 space view {earth} mode {mode:#x}", message, *(turned(values, mode) for values in southward), by_eccodes=mode == 0)


@functools.cache
def all_cases():
    makers = (on_maps, azimuthal, regular, alternating, gaussian, reduced_angles, healpix, space_view)
    return [case for maker in makers for case in maker()]
