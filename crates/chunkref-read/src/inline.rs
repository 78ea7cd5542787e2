// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays replaced by their values.

use chunkref_model::Dataset;

use crate::{Open, ReadError, read_arrays};

/// Replaces the chunks of the arrays at `paths` by one inline chunk without codecs that holds all values. Nothing is
/// changed when one of them cannot be read.
///
/// # Errors
/// As [`read_arrays`].
pub async fn inline_arrays(
    dataset: &mut Dataset,
    paths: &[String],
    limit: u64,
    objects: &dyn Open,
) -> Result<(), ReadError> {
    let values = read_arrays(dataset, paths, limit, objects).await?;
    for (path, values) in paths.iter().zip(values) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(array) = dataset.group_mut(parent).arrays.get_mut(name) {
            *array = array.clone().with_plain_values(values);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use bytes::Bytes;
    use chunkref_core::{ByteSource, MemorySource, SourceError, SourceErrorKind};
    use chunkref_model::{
        Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, FillValue,
        ManifestBuilder, Source, WHOLE_OBJECT,
    };
    use futures::executor::block_on;

    use super::*;

    struct Objects(Bytes);

    #[async_trait]
    impl Open for Objects {
        async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
            let location = &*source.location;
            if location == "memory://a" {
                return Ok(Arc::new(MemorySource::new(location, self.0.clone())));
            }
            Err(SourceError {
                kind: SourceErrorKind::NotFound,
                location: location.to_owned(),
                message: "not there".to_owned(),
                source: None,
            })
        }
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        chunkref_codecs::zlib::encode(data, 1).unwrap()
    }

    /// Three chunks of two: one in the object, one missing, one inline.
    fn dataset(stored: &[u8], location: &str) -> Dataset {
        let mut dataset = Dataset::new();
        let source = dataset.add_source(Source { location: location.to_owned(), version: None });
        let mut manifest = ManifestBuilder::new([3]).unwrap();
        let length = stored.len() as u64;
        manifest.push(&[0], ChunkRef::Virtual { source, offset: 3, length }).unwrap();
        manifest.push(&[2], ChunkRef::Inline(zlib(&[5, 0, 0, 0]).into())).unwrap();
        let array = Array {
            shape: vec![5],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::UInt { length: 2, order: ByteOrder::Little },
            fill_value: Some(FillValue::UInt(7)),
            chunk_grid: ChunkGrid::regular([2]),
            codecs: vec![Codec::new("zlib").with("level", 1)],
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.group_mut("g").arrays.insert("a".to_owned(), array);
        dataset
    }

    #[test]
    fn values_take_the_place_of_chunks() {
        let stored = zlib(&[1, 0, 2, 0]);
        let objects = Objects([b"abc", &*stored].concat().into());
        let mut inlined = dataset(&stored, "memory://a");
        let paths = ["g/a".to_owned()];
        block_on(inline_arrays(&mut inlined, &paths, 10, &objects)).unwrap();
        let array = inlined.array("g/a").unwrap();
        assert_eq!(array.plain_values().unwrap(), [1, 0, 2, 0, 7, 0, 7, 0, 5, 0]);
        assert_eq!(array.chunk_grid.chunk_shape(), [5]);
    }

    #[test]
    fn faults_name_the_array_and_change_nothing() {
        let stored = zlib(&[1, 0, 2, 0]);
        let objects = Objects([b"abc", &*stored].concat().into());
        let attempt = |dataset: &Dataset, path: &str, limit| {
            let mut changed = dataset.clone();
            let paths = [path.to_owned()];
            let error = block_on(inline_arrays(&mut changed, &paths, limit, &objects)).unwrap_err();
            assert_eq!(&changed, dataset);
            error
        };
        let sound = dataset(&stored, "memory://a");
        assert!(matches!(attempt(&sound, "a", 10), ReadError::NoArray { .. }));
        assert!(matches!(attempt(&sound, "g/a", 9), ReadError::TooLarge { limit: 9, .. }));
        let elsewhere = dataset(&stored, "memory://b");
        assert!(matches!(attempt(&elsewhere, "g/a", 10), ReadError::Source(_)));
        let mut unknown = sound.clone();
        let array = unknown.group_mut("g").arrays.get_mut("a").unwrap();
        array.codecs = vec![Codec::new("unheard of")];
        let message = attempt(&unknown, "g/a", 10).to_string();
        assert!(
            message.contains("unheard of")
                && message.contains("zlib")
                && message.contains("\"g/a\""),
            "{message}"
        );
        let short = dataset(stored.get(..5).unwrap(), "memory://a");
        let message = attempt(&short, "g/a", 10).to_string();
        assert!(message.contains("chunk [0]") && message.contains("zlib"), "{message}");
        let mut whole = sound.clone();
        let array = whole.group_mut("g").arrays.get_mut("a").unwrap();
        let mut manifest = ManifestBuilder::new([3]).unwrap();
        let source = chunkref_model::SourceId(0);
        let reference = ChunkRef::Virtual { source, offset: 3, length: WHOLE_OBJECT };
        manifest.push(&[0], reference).unwrap();
        array.manifest = manifest.finish().unwrap();
        block_on(inline_arrays(&mut whole, &["g/a".to_owned()], 10, &objects)).unwrap();
        assert_eq!(whole.array("g/a").unwrap().plain_values().unwrap()[..4], [1, 0, 2, 0]);
    }
}
