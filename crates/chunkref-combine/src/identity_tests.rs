// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays whose codec and attributes tell which values they have.

use chunkref_core::{CombineOptions, ConflictKind, Resolution};
use chunkref_model::{Attributes, Codec, Dataset};

use crate::testing::{data, scene};
use crate::{combine, plan};

fn along(name: &str) -> CombineOptions {
    CombineOptions::default().with_concat_dimensions([name])
}

/// Two scenes with `lat(y, x)`, each in its own object, whose digests tell which values it has.
fn told(digests: [&str; 2]) -> Vec<Dataset> {
    let pairs = digests.into_iter().zip([("a", 60.0), ("b", 120.0)]);
    let scenes = pairs.map(|(digest, (name, time))| {
        let mut dataset = scene(name, time);
        let location = format!("s3://bucket/{name}.nc");
        let mut lat = data(&mut dataset, &location, &["y", "x"], &[4, 6], &[4, 6], 7000);
        lat.codecs = vec![Codec::new("increment").with("var", "lat")];
        lat.attributes.insert("digest", digest);
        dataset.root.arrays.insert("lat".to_owned(), lat);
        dataset
    });
    scenes.collect()
}

#[test]
fn arrays_that_tell_which_values_they_have_are_not_read() {
    let combined = combine(&told(["4a", "4a"]), &along("t")).unwrap();
    assert_eq!(combined.dataset.array("lat").unwrap().dimensions, ["y", "x"]);
    assert_eq!(combined.dataset.array("sst").unwrap().dimensions, ["t", "y", "x"]);
    let inputs = told(["4a", "5b"]);
    let words = ["lat", "none of the dimensions tells them apart", "other values"];
    let error = combine(&inputs, &along("t")).unwrap_err().to_string();
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
    let plan = plan(&inputs, &along("t")).unwrap();
    assert_eq!(plan.conflicts[0].kind, ConflictKind::Coordinates);
    let resolution = Resolution::Identical { variable: "lat".to_owned() };
    assert!(plan.conflicts[0].resolutions.contains(&resolution));
    // Who asks for it gets one for each.
    let stacked = combine(&inputs, &along("t").with_stack(["lat"])).unwrap();
    assert_eq!(stacked.dataset.array("lat").unwrap().dimensions, ["t", "y", "x"]);
    // Another codec, or a set of before that has no digest, tells nothing.
    let mut inputs = told(["4a", "4a"]);
    let lat = inputs[1].root.arrays.get_mut("lat").unwrap();
    lat.attributes = Attributes::new();
    let combined = combine(&inputs, &along("t")).unwrap();
    assert_eq!(combined.dataset.array("lat").unwrap().dimensions, ["t", "y", "x"]);
}
