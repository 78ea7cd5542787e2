// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays of which no chunk is there: how chunks would be cut and encoded is as in other inputs.

use std::collections::BTreeMap;

use chunkref_model::{Array, ChunkGrid, Codec, Manifest};

use crate::input::{Input, alike};

/// How chunks are cut and encoded.
type Storage = (Vec<u64>, Vec<Codec>);

/// Lets arrays without any chunk have the chunk shape and the codecs of the first input that has chunks.
pub(crate) fn adopt(inputs: &mut [Input<'_>]) {
    let stored = |array: &Array| array.manifest.present() > 0;
    if alike(inputs, &|a, b| stored(a) && stored(b)) {
        return;
    }
    let mut first: BTreeMap<String, Storage> = BTreeMap::new();
    let mut without: Vec<(usize, String)> = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        for (path, array) in input.dataset.arrays() {
            if array.manifest.present() == 0 {
                without.push((place, path));
            } else {
                let storage = || (array.chunk_grid.chunk_shape().to_vec(), array.codecs.clone());
                first.entry(path).or_insert_with(storage);
            }
        }
    }
    for (place, path) in without {
        let (Some(input), Some((chunk_shape, codecs))) = (inputs.get_mut(place), first.get(&path))
        else {
            continue;
        };
        let Some(array) = input.dataset.array(&path) else { continue };
        let same = array.chunk_grid.chunk_shape() == chunk_shape && array.codecs == *codecs;
        if same || array.shape.len() != chunk_shape.len() {
            continue;
        }
        let chunk_grid = ChunkGrid::regular(chunk_shape.clone());
        let manifest = Manifest::empty(chunk_grid.grid_shape(&array.shape));
        let codecs = codecs.clone();
        let array = Array { chunk_grid, manifest, codecs, ..array.clone() };
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
        input.dataset.to_mut().group_mut(parent).arrays.insert(name.to_owned(), array);
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::CombineOptions;

    use super::*;
    use crate::combine;
    use crate::testing::{elements, series};

    #[test]
    fn nothing_that_is_stored_tells_how() {
        let along = CombineOptions::default().with_concat_dimensions(["time"]);
        let mut inputs = [series("a", 0, 4, 2), series("b", 4, 4, 2), series("c", 8, 4, 2)];
        for unwritten in [0, 2] {
            let array = inputs[unwritten].root.arrays.get_mut("temperature").unwrap();
            array.codecs.clear();
            array.chunk_grid = ChunkGrid::regular([4, 6]);
            array.manifest = Manifest::empty([1, 1]);
        }
        let cube = combine(&inputs, &along).unwrap().dataset;
        let array = cube.array("temperature").unwrap();
        assert_eq!(array.codecs, inputs[1].array("temperature").unwrap().codecs);
        let read = elements(&cube, "temperature");
        let own = elements(&inputs[1], "temperature");
        for (place, says) in &read {
            if (4..8).contains(&place[0]) {
                assert_eq!(*says, own[&vec![place[0] - 4, place[1]]]);
            } else {
                assert_eq!(says, "missing");
            }
        }
    }
}
