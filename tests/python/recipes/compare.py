# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether a cube is what xarray makes of the files themselves."""

import numpy as np
import xarray

RAW = {"mask_and_scale": False, "decode_times": False}


def files(paths, group=None, raw=False):
    """The files as xarray reads them through netCDF's own library: decoded, or as stored."""
    options = RAW if raw else {}
    return [xarray.open_dataset(path, engine="netcdf4", group=group, **options) for path in paths]


def joined(datasets, dimension):
    """xarray's own cube: what lacks the dimension is stacked along it where any two differ, and otherwise kept."""
    first, *others = datasets
    static = {
        name: variable
        for name, variable in first.variables.items()
        if dimension not in variable.dims
        and name != dimension
        and all(variable.equals(other.variables[name]) for other in others)
    }
    along = xarray.concat(
        [part.drop_vars(static) for part in datasets],
        dimension,
        data_vars="all",
        coords="all",
        join="exact",
        combine_attrs="override",
    )
    coordinates = {name: variable for name, variable in static.items() if name in first.coords}
    rest = {name: variable for name, variable in static.items() if name not in first.coords}
    return along.assign_coords(coordinates).assign(rest)


def is_time(variable):
    """Whether a decoded variable holds dates."""
    return variable.dtype.kind == "M" or variable.dtype == object and hasattr(variable.values.flat[0], "calendar")


def same_values(name, expected, got, close=False):
    """Equal dimensions and values; numbers may be decoded in another width with `close`."""
    assert expected.dims == got.dims, f"{name}: {got.dims} instead of {expected.dims}"
    assert expected.shape == got.shape, f"{name}: {got.shape} instead of {expected.shape}"
    left, right = expected.values, got.values
    if left.dtype.kind in "fc" and close:
        largest = np.nanmax(np.abs(left), initial=0)
        np.testing.assert_allclose(right, left, rtol=1e-6, atol=1e-6 * largest, equal_nan=True, err_msg=name)
    elif left.dtype.kind in "fc":
        np.testing.assert_array_equal(right, left, err_msg=name)
    elif left.dtype.kind in "SUO" and not is_time(expected):
        text = [
            [item.decode() if isinstance(item, bytes) else str(item) for item in values.flat]
            for values in (left, right)
        ]
        assert text[0] == text[1], name
    else:
        assert is_time(expected) == is_time(got), f"{name}: {right.dtype} instead of {left.dtype}"
        np.testing.assert_array_equal(right, left, err_msg=name)
        if left.dtype == object:
            assert [item.calendar for item in left.flat] == [item.calendar for item in right.flat], name


def same(expected, got):
    """Decoded datasets that agree in dimensions, coordinates, values and times."""
    assert dict(expected.sizes) == dict(got.sizes)
    assert set(expected.variables) == set(got.variables)
    assert set(expected.coords) == set(got.coords)
    for name in expected.variables:
        same_values(name, expected[name].variable, got[name].variable, close=True)
        same_attributes(name, expected[name].attrs, got[name].attrs)


def same_attributes(name, expected, got):
    """Every attribute of the file, as a number of any type; references may add a fill value."""
    for key, value in expected.items():
        assert key in got, f"{name}: no attribute {key}"
        assert np.array_equal(np.ravel(got[key]), np.ravel(value), equal_nan=np.ravel(value).dtype.kind == "f"), (
            f"{name}: {key} is {got[key]}, not {value}"
        )
    assert set(got) - set(expected) <= {"_FillValue"}, f"{name}: {set(got) - set(expected)}"


def same_as_stored(expected, got, times):
    """Datasets that are not decoded: every number and its type.

    Values of the variables `times` may count from another date; they are compared where they are decoded.
    """
    assert dict(expected.sizes) == dict(got.sizes)
    assert set(expected.variables) == set(got.variables)
    for name in set(expected.variables) - times:
        kinds = [variable[name].dtype.newbyteorder("=") for variable in (expected, got)]
        assert kinds[0] == kinds[1] or all(kind.kind in "SUO" for kind in kinds), f"{name}: {kinds}"
        same_values(name, expected[name].variable, got[name].variable)
        same_attributes(name, expected[name].attrs, got[name].attrs)


def is_cube_of(recipe, name, cube, join):
    """The cube `cube`, in the reference set `name`, is what `join` makes of the files, decoded and as stored.

    `join` takes whether values are as stored. Returns what was expected, decoded.
    """
    decoded = join(False)
    same(decoded, cube)
    times = {variable for variable in decoded.variables if is_time(decoded[variable].variable)}
    same_as_stored(join(True), recipe.names["cube"](str(recipe.folder / name), **RAW), times)
    return decoded
