# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write twins of GOES-16 sea surface temperature files (ABI-L2-SSTF), an hour apart.

    python goes_twins.py OUT COUNT [--side 1356]

A twin has the product's variables, packing, chunk grid, filters, dimensions and attributes; the picture is made up:
a smooth field with a masked disk edge. `--side 5424` gives the true size, a multiple of the 226-pixel chunk otherwise.
"""
import argparse
import os

import netCDF4
import numpy as np

CHUNK = 226
J2000_OF_DAY_210 = 649_166_400.0  # 2020-07-28 00:00, in seconds since 2000-01-01 12:00
UNSIGNED = {"_Unsigned": "true"}


def packed(dataset, name, dimensions, kind, values, fill=None, **attributes):
    """A variable holding raw packed integers, compressed as the product is when it is an image."""
    chunks = {"zlib": True, "complevel": 1, "chunksizes": (CHUNK, CHUNK)} if len(dimensions) == 2 else {}
    variable = dataset.createVariable(name, kind, dimensions, fill_value=fill, **chunks)
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes)
    variable[...] = values
    return variable


def picture(side, hour):
    """Raw SST (uint16 stored as int16, 65535 is fill) and quality flags of one hour."""
    line = np.linspace(-1.02, 1.02, side)
    y, x = line[:, None], line[None, :]
    kelvin = 303.0 - 25.0 * y * y + 1.5 * np.sin(3 * x + hour / 4) * np.cos(2 * y)
    raw = ((kelvin - 180.0) / 0.00244163).astype("u2") & np.uint16(0xFFF0)
    outside = x * x + y * y > 1
    cloud = np.sin(9 * x + hour / 3) + np.cos(7 * y - hour / 5) > 1.2
    quality = np.where(outside, 255, np.where(cloud, 3, 0)).astype("u1")
    raw[outside | cloud] = 65535
    return raw.view("i2"), quality.view("i1")


def global_attributes(name, hour):
    """What the product says of itself."""
    return {
        "naming_authority": "gov.nesdis.noaa", "Conventions": "CF-1.7", "standard_name_vocabulary": "CF Standard Name Table",
        "institution": "made up for a test", "project": "GOES", "production_site": "a test", "title": "ABI L2 Sea Surface Temperature",
        "Metadata_Conventions": "Unidata Dataset Discovery v1.0", "keywords": "OCEANS > OCEAN TEMPERATURE > SEA SURFACE TEMPERATURE",
        "cdm_data_type": "Image", "orbital_slot": "GOES-East", "platform_ID": "G16", "instrument_type": "GOES R Series ABI",
        "scene_id": "Full Disk", "spatial_resolution": "2km at nadir", "timeline_id": "ABI Mode 6", "dataset_name": name,
        "time_coverage_start": f"2020-07-28T{hour % 24:02d}:00:20.4Z", "time_coverage_end": f"2020-07-28T{hour % 24:02d}:59:39.7Z",
    }


def write(path, hour, side):
    """Write the twin of one hour."""
    middle = J2000_OF_DAY_210 + 3600.0 * hour + 1800.0
    with netCDF4.Dataset(path, "w") as d:
        d.setncatts(global_attributes(os.path.basename(path), hour))
        for dimension, count in (("y", side), ("x", side), ("number_of_time_bounds", 2), ("number_of_image_bounds", 2),
                                 ("number_of_SST_bounds", 2)):
            d.createDimension(dimension, count)
        sst, quality = picture(side, hour)
        packed(d, "SST", ("y", "x"), "i2", sst, np.int16(-1), long_name="ABI L2+ Sea Surface (Skin) Temperature",
               standard_name="sea_surface_skin_temperature", **UNSIGNED, valid_range=np.array([0, -6], "i2"),
               scale_factor=np.float32(0.00244163), add_offset=np.float32(180.0), units="K", resolution="y: 0.000056 rad x: 0.000056 rad",
               coordinates="retrieval_local_zenith_angle t y x", grid_mapping="goes_imager_projection", cell_methods="t: point area: point")
        packed(d, "DQF", ("y", "x"), "i1", quality, np.int8(-1), long_name="ABI L2+ Sea Surface Temperature data quality flags", **UNSIGNED,
               units="1", flag_values=np.array([0, 1, 2, 3], "i1"), coordinates="t y x", grid_mapping="goes_imager_projection",
               flag_meanings="good_quality_qf degraded_quality_qf severely_degraded_quality_qf invalid_due_to_unprocessed_qf")
        packed(d, "t", (), "f8", middle, standard_name="time", units="seconds since 2000-01-01 12:00:00", axis="T",
               long_name="J2000 epoch mid-point between the start and end image scan in seconds", bounds="time_bounds")
        packed(d, "time_bounds", ("number_of_time_bounds",), "f8", [middle - 1780.0, middle + 1780.0],
               long_name="Scan start and end times in seconds since epoch (2000-01-01 12:00:00)")
        for axis, sign in (("y", -1), ("x", 1)):
            step = 0.303688 / side
            packed(d, axis, (axis,), "i2", np.arange(side), units="rad", axis=axis.upper(), scale_factor=np.float32(sign * step),
                   add_offset=np.float32(-sign * 0.151844), long_name=f"GOES fixed grid projection {axis}-coordinate",
                   standard_name=f"projection_{axis}_coordinate")
            packed(d, f"{axis}_image", (), "f4", 0.0, units="rad", axis=axis.upper(), standard_name=f"projection_{axis}_coordinate")
            packed(d, f"{axis}_image_bounds", ("number_of_image_bounds",), "f4", [sign * -0.151844, sign * 0.151844])
        packed(d, "goes_imager_projection", (), "i4", -2147483647, long_name="GOES-R ABI fixed grid projection",
               grid_mapping_name="geostationary", perspective_point_height=35786023.0, semi_major_axis=6378137.0,
               semi_minor_axis=6356752.31414, inverse_flattening=298.2572221, latitude_of_projection_origin=0.0,
               longitude_of_projection_origin=-75.0, sweep_angle_axis="x")
        for name, value, units in (("nominal_satellite_subpoint_lat", 0.0, "degrees_north"), ("nominal_satellite_height", 35786.023, "km"),
                                   ("nominal_satellite_subpoint_lon", -75.2, "degrees_east"), ("retrieval_local_zenith_angle", 90.0, "degree")):
            packed(d, name, (), "f4", value, np.float32(-999.0), long_name=name.replace("_", " "), units=units)
        packed(d, "geospatial_lat_lon_extent", (), "f4", 0.0, np.float32(-999.0), long_name="geospatial latitude and longitude references",
               geospatial_westbound_longitude=np.float32(-156.2995), geospatial_eastbound_longitude=np.float32(6.2995),
               geospatial_northbound_latitude=np.float32(81.3282), geospatial_southbound_latitude=np.float32(-81.3282))
        packed(d, "SST_bounds", ("number_of_SST_bounds",), "i2", [0, -6], units="K", **UNSIGNED, scale_factor=np.float32(0.00244163),
               add_offset=np.float32(180.0))
        good = sst.view("u2")[quality == 0] * 0.00244163 + 180.0
        for name, value in (("mean", good.mean()), ("min", good.min()), ("max", good.max()), ("std_dev", good.std())):
            packed(d, f"{name}_SST", (), "f4", value, np.float32(-999.0), long_name=f"{name} sea surface temperature", units="K")


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("count", type=int)
    parser.add_argument("--side", type=int, default=1356)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for hour in range(args.count):
        day, of_day = 210 + hour // 24, hour % 24
        name = f"OR_ABI-L2-SSTF-M6_G16_s2020{day}{of_day:02d}00204_e2020{day}{of_day:02d}59397_c2020{day}{of_day:02d}59597.nc"
        path = os.path.join(args.out, name)
        if not os.path.exists(path):
            write(path + ".part", hour, args.side)
            os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
