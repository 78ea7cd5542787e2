// SPDX-License-Identifier: MIT OR Apache-2.0
//! Properties of writing and reading together.

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::{WriteOptions, read, write};
use chunkref_model::{
    Array, AttributeValue, Attributes, ByteOrder, ChunkGrid, ChunkRef, Codec, DataType, Dataset,
    Dimension, Field, FillValue, Group, ManifestBuilder, Source, WHOLE_OBJECT,
};

/// A reference by URL, as sources are numbered only when the dataset is put together.
#[derive(Debug, Clone)]
enum Reference {
    Virtual(String, u64, u64),
    Whole(String),
    Inline(Vec<u8>),
}

/// An array's axes (length and chunk length), everything else about it, and its references by chunk number.
#[derive(Debug, Clone)]
struct ArrayPlan {
    axes: Vec<(u64, u64)>,
    dtype: DataType,
    fill_value: Option<FillValue>,
    codecs: Vec<Codec>,
    attributes: Attributes,
    references: Vec<Option<Reference>>,
}

#[derive(Debug, Clone)]
struct GroupPlan {
    attributes: Attributes,
    arrays: Vec<(String, ArrayPlan)>,
}

fn order() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_map(|value| if value.is_nan() { f64::NAN } else { value }),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        (-1000_i32..1000).prop_map(f64::from),
    ]
}

fn element_bytes(length: usize) -> impl Strategy<Value = Option<FillValue>> {
    option::of(vec(any::<u8>(), length).prop_map(|bytes| FillValue::Bytes(Bytes::from(bytes))))
}

/// A data type with a fill value and the codecs that it needs.
fn dtype() -> impl Strategy<Value = (DataType, Option<FillValue>, Vec<Codec>)> {
    let no_codecs = |(dtype, fill_value)| (dtype, fill_value, Vec::new());
    let vlen = |name: &str| vec![Codec::new(name)];
    let (text_codecs, bytes_codecs) = (vlen("vlen-utf8"), vlen("vlen-bytes"));
    prop_oneof![
        option::of(any::<bool>())
            .prop_map(|fill| (DataType::Bool, fill.map(FillValue::Bool)))
            .prop_map(no_codecs),
        (any::<i8>(), Just(DataType::Int { length: 1, order: ByteOrder::Little }))
            .prop_map(|(fill, dtype)| (dtype, Some(FillValue::Int(fill.into()))))
            .prop_map(no_codecs),
        (option::of(any::<i64>()), order())
            .prop_map(|(fill, order)| (
                DataType::Int { length: 8, order },
                fill.map(FillValue::Int)
            ))
            .prop_map(no_codecs),
        (option::of(any::<u16>()), order())
            .prop_map(|(fill, order)| (
                DataType::UInt { length: 2, order },
                fill.map(|fill| FillValue::UInt(fill.into()))
            ))
            .prop_map(no_codecs),
        (option::of(any::<u64>()), order())
            .prop_map(|(fill, order)| (
                DataType::UInt { length: 8, order },
                fill.map(FillValue::UInt)
            ))
            .prop_map(no_codecs),
        (option::of(float()), order(), prop_oneof![Just(2_u8), Just(4), Just(8)])
            .prop_map(|(fill, order, length)| (
                DataType::Float { length, order },
                fill.map(FillValue::Float)
            ))
            .prop_map(no_codecs),
        (option::of((float(), float())), order(), prop_oneof![Just(8_u8), Just(16)])
            .prop_map(|(fill, order, length)| (
                DataType::Complex { length, order },
                fill.map(|(real, imaginary)| FillValue::Complex(real, imaginary))
            ))
            .prop_map(no_codecs),
        element_bytes(5)
            .prop_map(|fill| (DataType::FixedString { length: 5 }, fill))
            .prop_map(no_codecs),
        element_bytes(7).prop_map(|fill| (DataType::Raw { length: 7 }, fill)).prop_map(no_codecs),
        (element_bytes(9), order())
            .prop_map(|(fill, order)| {
                let field =
                    |name: &str, dtype| Field { name: name.to_owned(), dtype, shape: vec![] };
                let fields = vec![
                    field("a b", DataType::Float { length: 4, order }),
                    field("\"é", DataType::FixedString { length: 5 }),
                ];
                (DataType::Struct { fields }, fill)
            })
            .prop_map(no_codecs),
        (option::of(any::<i64>()), order())
            .prop_map(|(fill, order)| (
                DataType::DateTime { unit: "10ms".to_owned(), order },
                fill.map(FillValue::Int)
            ))
            .prop_map(no_codecs),
        (option::of(any::<i64>()), order())
            .prop_map(|(fill, order)| (
                DataType::TimeDelta { unit: "ns".to_owned(), order },
                fill.map(FillValue::Int)
            ))
            .prop_map(no_codecs),
        option::of(".{0,5}").prop_map(move |fill| (
            DataType::VlenString,
            fill.map(FillValue::Text),
            text_codecs.clone()
        )),
        element_bytes(3).prop_map(move |fill| (DataType::VlenBytes, fill, bytes_codecs.clone())),
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(AttributeValue::Bool),
        any::<i64>().prop_map(AttributeValue::Int),
        any::<u64>().prop_map(AttributeValue::UInt),
        float().prop_map(AttributeValue::Float),
        any::<String>().prop_map(AttributeValue::Text),
        Just(AttributeValue::Null),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::List),
            btree_map("[a-zé\"]{0,3}", inner, 0..4)
                .prop_map(|members| AttributeValue::Struct(members.into_iter().collect())),
        ]
    });
    vec(("[a-zA-Zµ \"\\\\]{1,4}", value), 0..4).prop_map(|entries| entries.into_iter().collect())
}

fn codecs() -> impl Strategy<Value = Vec<Codec>> {
    let codec = prop_oneof![
        (0..10).prop_map(|level| Codec::new("zlib").with("level", level)),
        (1..9).prop_map(|length| Codec::new("shuffle").with("elementsize", length)),
        any::<bool>().prop_map(|flag| Codec::new("zstd").with("level", -3).with("checksum", flag)),
        (-1.0e3..1.0e3).prop_map(|scale| Codec::new("fixedscaleoffset")
            .with("scale", scale)
            .with("astype", "<i2")),
        Just(Codec::new("fletcher32")),
    ];
    vec(codec, 0..4)
}

fn reference() -> impl Strategy<Value = Reference> {
    let url = || prop_oneof![4 => Just("s3://bucket/a.nc".to_owned()), 1 => "[a-z{}\"é/]{0,6}"];
    prop_oneof![
        4 => (url(), 0..u64::MAX / 2, 0..u64::MAX / 2)
            .prop_map(|(url, offset, length)| Reference::Virtual(url, offset, length)),
        1 => url().prop_map(Reference::Whole),
        1 => vec(any::<u8>(), 0..6).prop_map(Reference::Inline),
        1 => prop_oneof!["base64:.{0,3}", "[ -~]{0,6}", Just("{\"a\": 1}".to_owned())]
            .prop_map(|text| Reference::Inline(text.into_bytes())),
    ]
}

fn array() -> impl Strategy<Value = ArrayPlan> {
    let axes = vec((0_u64..20, 3_u64..9), 0..4);
    let references = prop_oneof![
        vec(Just(None), 0..2),
        vec(option::weighted(0.9, reference()), 0..30),
        vec(option::weighted(0.2, reference()), 0..30),
    ];
    (axes, dtype(), codecs(), attributes(), references).prop_map(
        |(axes, (dtype, fill_value, mut all), codecs, attributes, references)| {
            all.extend(codecs);
            ArrayPlan { axes, dtype, fill_value, codecs: all, attributes, references }
        },
    )
}

/// Groups by path; names of arrays never are those of groups, but either may be a number.
fn plan() -> impl Strategy<Value = Vec<(String, GroupPlan)>> {
    let arrays = vec(("[abé]{1,2}|[0-9]|1\\.5", array()), 0..4);
    let group =
        (attributes(), arrays).prop_map(|(attributes, arrays)| GroupPlan { attributes, arrays });
    vec(("|[XY]|1[01]|[XY]/1[01]|[XY]/Z", group), 1..4)
}

/// Puts a dataset together as reading does: sources in order of use, dimensions in the outermost group.
fn build(plan: &[(String, GroupPlan)]) -> Dataset {
    let mut dataset = Dataset::new();
    for (path, group) in plan {
        let target = dataset.group_mut(path);
        target.attributes = group.attributes.clone();
        for (name, array) in &group.arrays {
            target.arrays.insert(name.clone(), shell(path, array));
        }
    }
    let mut all = Vec::new();
    dataset.visit_groups(&mut |path, group| {
        all.extend(group.arrays.keys().map(|name| (path.to_owned(), name.clone())));
    });
    for (path, name) in all {
        let references = &plan
            .iter()
            .filter(|(known, _)| *known == path)
            .flat_map(|(_, group)| &group.arrays)
            .rfind(|(known, _)| *known == name)
            .unwrap()
            .1
            .references;
        let grid_shape = dataset.group(&path).unwrap().arrays[&name].manifest.grid_shape().to_vec();
        let mut manifest = ManifestBuilder::new(grid_shape.clone()).unwrap();
        let count = grid_shape.iter().product::<u64>();
        for (number, reference) in (0..count).zip(references) {
            let Some(reference) = reference else { continue };
            let mut indices = vec![0; grid_shape.len()];
            let mut rest = number;
            for (index, length) in indices.iter_mut().zip(&grid_shape).rev() {
                *index = rest % length;
                rest /= length;
            }
            let mut add =
                |url: &String| dataset.add_source(Source { location: url.clone(), version: None });
            let reference = match reference {
                Reference::Virtual(url, offset, length) => {
                    ChunkRef::Virtual { source: add(url), offset: *offset, length: *length }
                }
                Reference::Whole(url) => {
                    ChunkRef::Virtual { source: add(url), offset: 0, length: WHOLE_OBJECT }
                }
                Reference::Inline(bytes) => ChunkRef::Inline(Bytes::from(bytes.clone())),
            };
            manifest.push(&indices, reference).unwrap();
        }
        dataset.group_mut(&path).arrays.get_mut(&name).unwrap().manifest =
            manifest.finish().unwrap();
    }
    define_dimensions(&mut dataset.root);
    dataset
}

/// The array without references. A dimension's name holds the group's path and the length.
fn shell(path: &str, plan: &ArrayPlan) -> Array {
    let shape: Vec<u64> = plan.axes.iter().map(|(length, _)| *length).collect();
    let chunk_grid =
        ChunkGrid::regular(plan.axes.iter().map(|(_, chunk)| *chunk).collect::<Vec<_>>());
    let grid_shape = chunk_grid.grid_shape(&shape);
    Array {
        dimensions: shape.iter().map(|length| format!("{path}{length}")).collect(),
        shape,
        dtype: plan.dtype.clone(),
        fill_value: plan.fill_value.clone(),
        chunk_grid,
        codecs: plan.codecs.clone(),
        attributes: plan.attributes.clone(),
        manifest: chunkref_model::Manifest::empty(grid_shape),
    }
}

/// Names hold the group's path and the length, so no group sees those of another.
fn define_dimensions(group: &mut Group) {
    for array in group.arrays.values() {
        for (name, &length) in array.dimensions.iter().zip(&array.shape) {
            let dimension = Dimension { name: name.clone(), length, unlimited: false };
            if !group.dimensions.contains(&dimension) {
                group.dimensions.push(dimension);
            }
        }
    }
    group.groups.values_mut().for_each(define_dimensions);
}

fn text_of(dataset: &Dataset, consolidated: bool) -> Vec<u8> {
    let mut out = Vec::new();
    write(dataset, &WriteOptions { consolidated, ..WriteOptions::default() }, &mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_gives_what_was_written(plan in plan(), consolidated: bool) {
        let dataset = build(&plan);
        let text = text_of(&dataset, consolidated);
        prop_assert_eq!(&text_of(&dataset, consolidated), &text);
        let again = read(text.as_slice()).unwrap();
        prop_assert_eq!(&again, &dataset);
        prop_assert_eq!(&text_of(&again, consolidated), &text);
    }

    #[test]
    fn a_cut_document_is_an_error(plan in plan(), cut in 0.0..1.0) {
        let text = text_of(&build(&plan), true);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a place within a small document")]
        let length = (text.len() as f64 * cut) as usize;
        prop_assert!(read(&text[..length]).is_err());
    }

    #[test]
    fn a_changed_byte_is_an_error_or_another_dataset(plan in plan(), place: prop::sample::Index, byte: u8) {
        let mut text = text_of(&build(&plan), true);
        let place = place.index(text.len());
        text[place] = byte;
        if let Ok(dataset) = read(text.as_slice()) {
            // What was read is a dataset that can be written, and from then on nothing changes.
            let first = text_of(&read(text_of(&dataset, true).as_slice()).unwrap(), true);
            prop_assert_eq!(text_of(&read(first.as_slice()).unwrap(), true), first);
        }
    }
}

#[test]
fn every_truncation_of_one_document_is_an_error() {
    let mut dataset = Dataset::new();
    let source =
        dataset.add_source(Source { location: "s3://bucket/a.nc".to_owned(), version: None });
    let axes = vec![(6, 3)];
    let plan = ArrayPlan {
        axes,
        dtype: DataType::Float { length: 4, order: ByteOrder::Little },
        fill_value: Some(FillValue::Float(f64::NAN)),
        codecs: vec![],
        attributes: Attributes::new(),
        references: vec![],
    };
    let mut array = shell("", &plan);
    let mut manifest = ManifestBuilder::new([2]).unwrap();
    manifest.push(&[0], ChunkRef::Virtual { source, offset: 1, length: 2 }).unwrap();
    manifest.push(&[1], ChunkRef::Inline(Bytes::from_static(b"\0\x01"))).unwrap();
    array.manifest = manifest.finish().unwrap();
    dataset.root.arrays.insert("v".to_owned(), array);
    let text = text_of(&dataset, true);
    assert!(read(text.as_slice()).is_ok());
    for length in 0..text.len() {
        assert!(read(&text[..length]).is_err(), "cut at {length}");
    }
}
