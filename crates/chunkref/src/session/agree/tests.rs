// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is read to bring inputs together, and what becomes of them.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, CombineOptions, Limits, MemorySource, OnConflict, SourceError};
use chunkref_model::{
    Array, Attributes, ByteOrder, ChunkGrid, ChunkRef, DataType, Dataset, ManifestBuilder,
    ObjectVersion, Source,
};
use chunkref_read::Open;
use chunkref_store::{StoreOptions, Stores};
use futures::executor::block_on;

use crate::session::{Cube, Input, Session};

/// Elements of a field; 128 KiB.
const FIELD: u32 = 16 << 10;

/// One object, and how much was read of it.
#[derive(Debug, Default)]
struct Object {
    bytes: Vec<u8>,
    read: AtomicU64,
    fails: bool,
    big: bool,
    calendar: Option<&'static str>,
}

#[derive(Debug)]
struct Counted(Arc<Object>, MemorySource);

#[async_trait]
impl ByteSource for Counted {
    fn location(&self) -> &str {
        self.1.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.1.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        for range in ranges {
            self.0.read.fetch_add(range.end - range.start, Ordering::Relaxed);
        }
        self.1.read_many(ranges).await
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.1.open_sibling(path).await
    }
}

struct Objects(Arc<Object>);

#[async_trait]
impl Open for Objects {
    async fn open(&self, source: &Source) -> Result<Arc<dyn ByteSource>, SourceError> {
        let memory = MemorySource::new(source.location.clone(), self.0.bytes.clone().into());
        if self.0.fails {
            memory.open_sibling("what is not there").await?;
        }
        Ok(Arc::new(Counted(Arc::clone(&self.0), memory)))
    }
}

/// An input with `lat(y)`, whose values are all of the object, and with `time` where it has steps.
fn input(
    name: &str,
    time: i32,
    values: &[f64],
    object: Object,
    steps: bool,
) -> (Input, Arc<Object>) {
    let mut dataset = Dataset::new();
    let source = dataset.add_source(Source { location: format!("memory://{name}"), version: None });
    let little = ByteOrder::Little;
    let order = if object.big { ByteOrder::Big } else { little };
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| if object.big { value.to_be_bytes() } else { value.to_le_bytes() })
        .collect();
    let mut manifest = ManifestBuilder::new([1]).unwrap();
    let length = bytes.len() as u64;
    manifest.push(&[0], ChunkRef::Virtual { source, offset: 0, length }).unwrap();
    let array = |dimensions: &[&str], shape: &[u64], dtype| Array {
        shape: shape.to_vec(),
        dimensions: dimensions.iter().map(|&name| name.to_owned()).collect(),
        dtype,
        fill_value: None,
        chunk_grid: ChunkGrid::regular(shape),
        codecs: Vec::new(),
        attributes: Attributes::new(),
        manifest: chunkref_model::Manifest::empty(Vec::new()),
    };
    let mut lat = array(&["y"], &[values.len() as u64], DataType::Float { length: 8, order });
    lat.manifest = manifest.finish().unwrap();
    let (dimensions, shape): (&[&str], &[u64]) = if steps { (&["time"], &[1]) } else { (&[], &[]) };
    let mut own = array(dimensions, shape, DataType::Int { length: 4, order: little })
        .with_plain_values(time.to_le_bytes().to_vec().into());
    own.attributes.insert("units", "days since 2000-01-01");
    if let Some(calendar) = object.calendar {
        own.attributes.insert("calendar", calendar);
    }
    dataset.root.arrays.insert("lat".to_owned(), lat);
    dataset.root.arrays.insert("time".to_owned(), own);
    let object = Arc::new(Object { bytes, ..object });
    let objects = Arc::new(Objects(Arc::clone(&object)));
    (Input::dataset_by(name, Arc::new(dataset), objects), object)
}

fn combined(inputs: Vec<Input>, limit: Option<u64>) -> Result<Cube, crate::session::CubeError> {
    let mut options = StoreOptions::default();
    options.limits.compared_bytes = limit.unwrap_or(Limits::default().compared_bytes);
    let session = Session::new().unwrap().with_stores(Stores::new(options));
    let options = CombineOptions::default().with_concat_dimensions(["time"]);
    block_on(session.combine(inputs, &options, &mut ()))
}

/// Combines without the inputs that differ from the first.
fn combined_of_alike(inputs: Vec<Input>) -> Cube {
    let options = CombineOptions::default()
        .with_concat_dimensions(["time"])
        .with_on_conflict(OnConflict::SkipFile);
    block_on(Session::new().unwrap().combine(inputs, &options, &mut ())).unwrap()
}

fn ramp(step: f64) -> Vec<f64> {
    (0..FIELD).map(|number| f64::from(number) * step).collect()
}

#[test]
fn equal_fields_are_kept_once_and_read_once() {
    let inputs: Vec<_> = (0..3)
        .map(|number| input(&format!("{number}.nc"), number, &ramp(0.5), Object::default(), true))
        .collect();
    let objects: Vec<_> = inputs.iter().map(|(_, object)| Arc::clone(object)).collect();
    let cube = combined(inputs.into_iter().map(|(input, _)| input).collect(), None).unwrap();
    let lat = cube.dataset.array("lat").unwrap();
    assert_eq!(lat.dimensions, ["y"]);
    let ChunkRef::Virtual { source, .. } = lat.manifest.get(&[0]) else { panic!("{lat:?}") };
    assert_eq!(cube.dataset.source(source).unwrap().location, "memory://0.nc");
    assert!(cube.notes.is_empty(), "{:?}", cube.notes);
    for object in objects {
        assert_eq!(object.read.load(Ordering::Relaxed), u64::from(FIELD) * 8);
    }
}

#[test]
fn fields_that_differ_are_named_with_how_far_apart_they_are() {
    let mut other = ramp(0.5);
    other[5] += 2.0;
    other[7] += 0.25;
    let inputs = [ramp(0.5), other];
    let inputs = inputs.iter().zip(0..).map(|(values, number)| {
        input(&format!("{number}.nc"), number, values, Object::default(), true).0
    });
    let cube = combined(inputs.collect(), None).unwrap();
    assert_eq!(cube.dataset.array("lat").unwrap().dimensions, ["time", "y"]);
    assert_eq!(
        cube.notes,
        [
            "lat is not the same in all inputs, although it has none of the dimensions: 0.nc and 1.nc differ by at most \
             2e0, at [5] (2.5 and 4.5), in 2 elements; each input keeps its own along the dimensions"
        ]
    );
}

#[test]
fn fields_of_inputs_that_are_left_out_do_not_count() {
    let fields = [ramp(0.5), ramp(0.5), ramp(0.25), ramp(0.5)[1..].to_vec()];
    for other in [2, 3] {
        let inputs = [0, 1, other].map(|number: usize| {
            let name = format!("{number}.nc");
            let time = i32::try_from(number).unwrap();
            let calendar = (number == 2).then_some("360_day");
            let object = Object { calendar, ..Object::default() };
            input(&name, time, &fields[number], object, true).0
        });
        let cube = combined_of_alike(inputs.into());
        assert_eq!(cube.dataset.array("lat").unwrap().dimensions, ["y"], "{other}");
        assert_eq!(cube.dataset.array("time").unwrap().shape, [2]);
        assert!(cube.notes.iter().all(|note| note.contains("is left out")), "{:?}", cube.notes);
    }
}

#[test]
fn what_is_not_read_is_said() {
    let inputs = (0..2).map(|number| {
        input(&format!("{number}.nc"), number, &ramp(0.5), Object::default(), true).0
    });
    let cube = combined(inputs.collect(), Some(1 << 17)).unwrap();
    assert_eq!(cube.dataset.array("lat").unwrap().dimensions, ["time", "y"]);
    assert_eq!(cube.notes.len(), 1, "{:?}", cube.notes);
    assert!(cube.notes[0].contains("lat has none of the dimensions, and is not compared"));
    assert!(cube.notes[0].contains("compared_bytes"));
}

#[test]
fn scenes_are_hardly_read() {
    let inputs: Vec<_> = (0..4)
        .map(|number| {
            let values = ramp(f64::from(number));
            input(&format!("{number}.nc"), number, &values, Object::default(), false)
        })
        .collect();
    let objects: Vec<_> = inputs.iter().map(|(_, object)| Arc::clone(object)).collect();
    let cube = combined(inputs.into_iter().map(|(input, _)| input).collect(), None).unwrap();
    assert_eq!(cube.dataset.array("lat").unwrap().dimensions, ["time", "y"]);
    assert!(cube.notes.is_empty(), "{:?}", cube.notes);
    let read: Vec<_> = objects.iter().map(|object| object.read.load(Ordering::Relaxed)).collect();
    assert_eq!(read, [64 << 10, 64 << 10, 0, 0]);
}

#[test]
fn equal_fields_of_scenes_are_kept_once_in_any_order_of_bytes() {
    let scenes = |steps: [f64; 3]| {
        (0..).zip(steps).map(|(number, step)| {
            let object = Object { big: number == 2, ..Object::default() };
            input(&format!("{number}.nc"), number, &ramp(step), object, false).0
        })
    };
    let cube = combined(scenes([0.5; 3]).collect(), None).unwrap();
    assert_eq!(cube.dataset.array("lat").unwrap().dimensions, ["y"]);
    // Data of scenes in two orders are a conflict of types.
    let error = combined(scenes([0.5, 1.0, 1.5]).collect(), None).unwrap_err();
    assert!(matches!(error, crate::session::CubeError::Combine(_)), "{error:?}");
}

#[test]
fn a_field_that_cannot_be_read_fails_its_input() {
    let good = input("0.nc", 0, &ramp(0.5), Object::default(), true).0;
    let bad = Object { fails: true, ..Object::default() };
    let bad = input("1.nc", 1, &ramp(0.5), bad, true).0;
    let error = combined(vec![good, bad], None).unwrap_err();
    let crate::session::CubeError::Inputs(failed) = error else { panic!("{error:?}") };
    let names: Vec<_> = failed.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["1.nc"]);
}
