// SPDX-License-Identifier: MIT OR Apache-2.0
//! Places on maps, as PROJ 9.7 has them, and orders of points. `tests/python/grib_grids` compares all with ecCodes.

use chunkref_core::{Cancellation, Cancelled, DecodeContext, DecodeError, Steps};

use super::conformal::{Lambert, Polar};
use super::equal_area::{Albers, Azimuthal};
use super::message::{Coordinate, decode};
use super::rotated::Rotated;
use super::space_view::Geostationary;
use super::transverse::Transverse;
use super::{Place, visit};
use crate::section::earth::Earth;
use crate::section::grid_definition::{GridDefinition, ScanningMode};
use crate::section::grid_template::{
    Centred, Healpix, LatLon, Projected, SpaceView, Template, TransverseMercator,
};

const SPHERE: Earth = Earth { major: 6_371_229.0, minor: 6_371_229.0 };
const ELLIPSOID: Earth = Earth { major: 6_378_137.0, minor: 6_356_752.314 };

#[track_caller]
fn near(found: Place, longitude: f64, latitude: f64, tolerance: f64) {
    let across = (found.longitude - longitude + 180.0).rem_euclid(360.0) - 180.0;
    let down = found.latitude - latitude;
    assert!(across.abs() < tolerance && down.abs() < tolerance, "{found:?}");
}

/// There and back again.
#[track_caller]
fn returns(found: (f64, f64), (x, y): (f64, f64)) {
    assert!((found.0 - x).abs() < 1e-2 && (found.1 - y).abs() < 1e-2, "{found:?} {x} {y}");
}

#[test]
fn lambert_s_cone() {
    let north = (-1.5e6, -8e5);
    for (earth, longitude, latitude) in [
        (SPHERE, -115.975_826_108_989_01, 31.287_645_988_304_202),
        (ELLIPSOID, -115.939_688_426_139_43, 31.272_160_132_125_233),
    ] {
        let cone = Lambert::new(earth, (30.0, 60.0), 260.0, 40.0).unwrap();
        near(cone.inverse(north.0, north.1), longitude, latitude, 1e-9);
        returns(cone.forward(latitude, longitude), north);
    }
    for (earth, longitude, latitude) in [
        (SPHERE, 2.823_801_001_902_665_6, -36.241_856_335_284_66),
        (ELLIPSOID, 2.860_903_551_033_263_4, -36.259_833_888_829_08),
    ] {
        let cone = Lambert::new(earth, (-20.0, -45.0), 20.0, -30.0).unwrap();
        near(cone.inverse(north.0, north.1), longitude, latitude, 1e-9);
        returns(cone.forward(latitude, longitude), north);
    }
    for parallels in [(30.0, -30.0), (90.0, 90.0), (f64::NAN, 1.0)] {
        assert_eq!(Lambert::new(SPHERE, parallels, 260.0, 40.0), None);
    }
    assert_eq!(Lambert::new(SPHERE, (30.0, 60.0), 260.0, -90.0), None);
}

#[test]
fn the_plane_at_a_pole() {
    for (earth, latitude) in [(SPHERE, 44.380_530_529_923_895), (ELLIPSOID, 44.482_365_049_036_13)]
    {
        let plane = Polar::new(earth, false, 60.0, 249.0).unwrap();
        near(plane.inverse(-3e6, -4e6), -147.869_897_645_844_02, latitude, 1e-9);
        returns(plane.forward(latitude, -147.869_897_645_844_02), (-3e6, -4e6));
    }
    for (earth, latitude) in [(SPHERE, -57.470_457_948_343_97), (ELLIPSOID, -57.575_205_537_317_64)]
    {
        let plane = Polar::new(earth, true, -70.0, 10.0).unwrap();
        near(plane.inverse(-3e6, -2e6), -113.690_067_525_979_77, latitude, 1e-9);
        returns(plane.forward(latitude, -113.690_067_525_979_77), (-3e6, -2e6));
    }
    let pole = Polar::new(ELLIPSOID, false, 90.0, 0.0).unwrap();
    assert!((pole.inverse(0.0, 0.0).latitude - 90.0).abs() < 1e-9);
}

#[test]
fn planes_and_cones_of_equal_area() {
    for (earth, longitude, latitude) in [
        (SPHERE, -10.968_187_590_048_563, 58.488_487_859_430_77),
        (ELLIPSOID, -10.890_217_504_561_825, 58.491_360_477_637_86),
    ] {
        let plane = Azimuthal::new(earth, 52.0, 10.0).unwrap();
        // The series for the ellipsoid ends at the sixth power of its eccentricity.
        near(plane.inverse(-1.2e6, 9e5), longitude, latitude, 1e-7);
        returns(plane.forward(latitude, longitude), (-1.2e6, 9e5));
        near(plane.inverse(0.0, 0.0), 10.0, 52.0, 1e-7);
        assert!(plane.inverse(2e7, 0.0).latitude.is_nan());
    }
    for (earth, longitude, latitude) in [
        (SPHERE, -116.669_988_152_305_49, 24.667_204_130_714_655),
        (ELLIPSOID, -116.628_267_777_283_45, 24.632_895_547_799_453),
    ] {
        let cone = Albers::new(earth, (29.5, 45.5), 264.0, 37.5).unwrap();
        near(cone.inverse(-2.1e6, -1.2e6), longitude, latitude, 1e-7);
        returns(cone.forward(latitude, longitude), (-2.1e6, -1.2e6));
        assert!(cone.inverse(0.0, -9e7).latitude.is_nan());
    }
    assert_eq!(Albers::new(SPHERE, (30.0, -30.0), 0.0, 0.0), None);
    assert_eq!(Azimuthal::new(SPHERE, 200.0, 0.0), None);
}

#[test]
fn transverse_mercator() {
    let template = TransverseMercator {
        latitude: 49.0,
        longitude: -2.0,
        scale: 0.999_601_271_7,
        origin: (4e5, -1e5),
        first: (0.0, 0.0),
        step: (1.0, 1.0),
    };
    for (earth, longitude, latitude) in [
        (SPHERE, 1.729_581_356_300_664, 52.658_579_146_773_086),
        (ELLIPSOID, 1.717_532_308_693_184_4, 52.657_256_687_496_13),
    ] {
        let plane = Transverse::new(earth, &template).unwrap();
        near(plane.inverse(651_409.903, 313_177.270), longitude, latitude, 1e-9);
    }
    assert_eq!(Transverse::new(SPHERE, &TransverseMercator { scale: 0.0, ..template }), None);
}

const VIEW: SpaceView = SpaceView {
    latitude: 0.0,
    longitude: 9.5,
    diameter: (5, 5),
    centre: (2.0, 2.0),
    orientation: 0.0,
    distance: Some((35_785_831.0 + 6_378_137.0) / 6_378_137.0),
    sector: (0, 0),
};

#[test]
fn what_a_satellite_sees() {
    let view = Geostationary::new(ELLIPSOID, &VIEW).unwrap();
    near(view.inverse(-0.05, 0.08), -9.548_793_647_622_9, 27.791_944_912_996_506, 1e-9);
    assert!(view.inverse(0.2, 0.0).latitude.is_nan());
    for other in [
        SpaceView { distance: None, ..VIEW },
        SpaceView { distance: Some(0.5), ..VIEW },
        SpaceView { latitude: 1.0, ..VIEW },
        SpaceView { orientation: 90.0, ..VIEW },
    ] {
        assert_eq!(Geostationary::new(ELLIPSOID, &other), None);
    }
}

fn grid(template: Template, (ny, nx): (u32, u32), mode: u8) -> GridDefinition {
    GridDefinition {
        nx: Some(nx),
        ny: Some(ny),
        scanning: ScanningMode(mode),
        earth: Some(SPHERE),
        template,
        ..GridDefinition::new(0, ny * nx)
    }
}

fn places(grid: &GridDefinition) -> Option<Vec<Place>> {
    let (never, mut found) = (Cancellation::never(), Vec::new());
    let known = visit(grid, &mut Steps::new(&never), &mut |place| found.push(place)).unwrap();
    assert!(known || found.is_empty());
    known.then_some(found)
}

const ANGLES: LatLon = LatLon {
    first_latitude: 0.0,
    first_longitude: 0.0,
    last_latitude: 1.0,
    last_longitude: 2.0,
    i_increment: None,
    j_increment: None,
    gaussian: None,
    rotation: None,
    stretched: false,
};

#[test]
fn points_are_in_the_order_of_the_values() {
    let numbers = |mode| {
        let found = places(&grid(Template::LatLon(ANGLES), (2, 3), mode)).unwrap();
        let number = |place: Place| (place.latitude * 10.0 + place.longitude).round();
        found.into_iter().map(number).map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(numbers(0x40), "0 1 2 10 11 12");
    // Every second row goes the other way.
    assert_eq!(numbers(0x50), "0 1 2 12 11 10");
    // Columns, and every second one the other way.
    assert_eq!(numbers(0x60), "0 10 1 11 2 12");
    assert_eq!(numbers(0x70), "0 10 11 1 2 12");
}

#[test]
fn ncep_s_grid_around_its_centre() {
    // A net around 54° N 106° W whose first point is 8 steps south and 10 west of the centre.
    let centre = (54.0, 254.0);
    let net = Rotated::around(centre);
    let first = net.inverse(-10.0, -8.0);
    let template = Centred {
        first: (first.latitude, first.longitude),
        centre,
        i_increment: 1.0,
        j_increment: 1.0,
        staggered: false,
    };
    let found = places(&grid(Template::Centred(template), (17, 21), 0x40)).unwrap();
    near(found[8 * 21 + 10], 254.0, 54.0, 1e-9);
    near(found[0], first.longitude, first.latitude, 1e-9);
    let staggered = Centred { staggered: true, ..template };
    assert_eq!(places(&grid(Template::Centred(staggered), (17, 21), 0x40)), None);
}

#[test]
fn what_is_not_known_has_no_places() {
    let projected = Projected {
        first_latitude: 20.0,
        first_longitude: 240.0,
        true_latitude: 40.0,
        orientation: 260.0,
        dx: 3000.0,
        dy: 3000.0,
        centre_flags: 0,
        intersections: Some((30.0, 60.0)),
        south_pole: None,
    };
    let known = grid(Template::Lambert(projected), (3, 4), 0x40);
    assert_eq!(places(&known).unwrap().len(), 12);
    let no_earth = GridDefinition { earth: None, ..known.clone() };
    let no_shape = GridDefinition { count: 11, ..known.clone() };
    let bipolar = Projected { centre_flags: 0x40, ..projected };
    let bipolar = GridDefinition { template: Template::Lambert(bipolar), ..known.clone() };
    let infinite = Projected { dx: f64::INFINITY, ..projected };
    let infinite = GridDefinition { template: Template::Lambert(infinite), ..known };
    let stretched = LatLon { stretched: true, ..ANGLES };
    let stretched = grid(Template::LatLon(stretched), (2, 3), 0);
    let healpix = Healpix { side: 2, first_longitude: 45.0, position: 4, ordering: 0 };
    let mut healpix = grid(Template::Healpix(healpix), (1, 47), 0);
    healpix.nx = None;
    let other = grid(Template::Other, (2, 3), 0);
    for grid in [no_earth, no_shape, bipolar, infinite, stretched, healpix, other] {
        assert_eq!(places(&grid), None, "{grid:?}");
    }
}

/// A message of 3 by 2 points, 0 to 2° E and 1 to 0° N.
fn message() -> Vec<u8> {
    let mut section = vec![0, 0, 0, 72, 3, 0, 0, 0, 0, 6, 0, 0, 0, 0, 6];
    section.extend([255; 15]);
    for value in [3, 2, 0, u32::MAX, 1_000_000, 0] {
        section.extend(value.to_be_bytes());
    }
    section.push(0x30);
    for value in [0_u32, 2_000_000, 1_000_000, 1_000_000] {
        section.extend(value.to_be_bytes());
    }
    section.push(0);
    [b"GRIB\0\0\0\x02", &[0; 8][..], &[0, 0, 0, 6, 1, 0], &section].concat()
}

#[test]
fn coordinates_of_a_message() {
    let context = DecodeContext::up_to(48);
    let decoded = |coordinate, message: &[u8]| {
        let bytes = decode(coordinate, message, &context)?;
        let values = bytes.chunks(8).map(|value| f64::from_le_bytes(value.try_into().unwrap()));
        Ok::<_, DecodeError>(values.map(|value| value.to_string()).collect::<Vec<_>>().join(" "))
    };
    let message = message();
    assert_eq!(decoded(Coordinate::Latitude, &message).unwrap(), "1 1 1 0 0 0");
    assert_eq!(decoded(Coordinate::Longitude, &message).unwrap(), "0 1 2 0 1 2");
    let short = decode(Coordinate::Latitude, &message, &DecodeContext::up_to(47)).unwrap_err();
    assert!(short.to_string().contains("more than the chunk"), "{short}");
    let ended = Cancellation::when(|| Some(Cancelled::Stopped));
    let mut many = message.clone();
    // 3 by 4096 points.
    many[22 + 6..22 + 10].copy_from_slice(&12_288_u32.to_be_bytes());
    many[22 + 34..22 + 38].copy_from_slice(&4096_u32.to_be_bytes());
    let outcome = decode(Coordinate::Latitude, &many, &DecodeContext::new(1 << 20, &ended));
    assert_eq!(outcome, Err(DecodeError::Cancelled(Cancelled::Stopped)));
    let mut stretched = message.clone();
    stretched[22 + 13] = 2;
    assert!(matches!(decoded(Coordinate::Latitude, &stretched), Err(DecodeError::Unsupported(_))));
    // Any damage is an error or as many values.
    for length in 0..message.len() {
        assert!(decoded(Coordinate::Latitude, &message[..length]).is_err(), "{length}");
    }
    for place in 0..message.len() * 8 {
        let mut damaged = message.clone();
        damaged[place / 8] ^= 1 << (place % 8);
        if let Ok(bytes) = decode(Coordinate::Longitude, &damaged, &context) {
            assert!(bytes.len() <= 48 && bytes.len() % 8 == 0, "{place}");
        }
    }
}
