// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zarr v3 codecs: from array to array, then from array to bytes, then from bytes to bytes.

use serde_json::{Map, Value, json};

use crate::json::writer;
use crate::zarr::v2::configuration_value;
use crate::{AttributeValue, ByteOrder, Codec, DataType};

use super::ZarrError;
use super::dtype::{Endian, endian, member};

/// The numcodecs that work on elements, which zarr-python registers as codecs from array to array.
const ARRAY_TO_ARRAY: [&str; 6] =
    ["delta", "fixedscaleoffset", "quantize", "bitround", "astype", "packbits"];

/// blosc's compressors that the v3 codec names.
const BLOSC_COMPRESSORS: [&str; 6] = ["lz4", "lz4hc", "blosclz", "zstd", "snappy", "zlib"];

/// Appends the `codecs` member for an array of `dtype`.
///
/// # Errors
/// [`ZarrError::UnsupportedCodec`] when the codecs do not come in the order that the version needs, or when a type of
/// variable length has no codec of its own; [`ZarrError::UnsupportedDataType`] for byte orders that cannot be said.
pub(super) fn push_all(
    out: &mut String,
    dtype: &DataType,
    codecs: &[Codec],
) -> Result<(), ZarrError> {
    let mut all = Vec::new();
    let object_codec = match dtype {
        DataType::VlenString => Some("vlen-utf8"),
        DataType::VlenBytes => Some("vlen-bytes"),
        _ => None,
    };
    let mut array_to_bytes = false;
    for codec in codecs {
        if object_codec == Some(codec.name()) && !array_to_bytes {
            all.push(json!({ "name": codec.name() }));
            array_to_bytes = true;
            continue;
        }
        if codec.name().starts_with("vlen-") {
            return Err(unsupported(codec, "does not fit the data type or its place"));
        }
        if ARRAY_TO_ARRAY.contains(&codec.name()) {
            if array_to_bytes {
                return Err(unsupported(
                    codec,
                    "works on elements, but comes after a codec that makes bytes",
                ));
            }
            all.push(numcodecs(codec));
            continue;
        }
        if !array_to_bytes {
            if object_codec.is_some() {
                return Err(unsupported(
                    codec,
                    "comes before the codec that makes bytes of elements of variable length",
                ));
            }
            all.push(bytes_codec(dtype)?);
            array_to_bytes = true;
        }
        all.push(bytes_to_bytes(codec, dtype));
    }
    if !array_to_bytes {
        if let Some(name) = object_codec {
            return Err(ZarrError::UnsupportedCodec {
                codec: name.to_owned(),
                reason: "is missing: the data type needs it",
            });
        }
        all.push(bytes_codec(dtype)?);
    }
    out.push_str(&Value::Array(all).to_string());
    Ok(())
}

fn unsupported(codec: &Codec, reason: &'static str) -> ZarrError {
    ZarrError::UnsupportedCodec { codec: codec.name().to_owned(), reason }
}

fn bytes_codec(dtype: &DataType) -> Result<Value, ZarrError> {
    Ok(match endian(dtype)? {
        Endian::None => json!({ "name": "bytes" }),
        Endian::Of(ByteOrder::Little) => {
            json!({ "name": "bytes", "configuration": { "endian": "little" } })
        }
        Endian::Of(ByteOrder::Big) => {
            json!({ "name": "bytes", "configuration": { "endian": "big" } })
        }
    })
}

fn bytes_to_bytes(codec: &Codec, dtype: &DataType) -> Value {
    match codec.name() {
        "zstd" => zstd(codec.configuration()).unwrap_or_else(|| numcodecs(codec)),
        "blosc" => blosc(codec.configuration(), dtype).unwrap_or_else(|| numcodecs(codec)),
        _ => numcodecs(codec),
    }
}

/// The codec by its numcodecs name, which zarr-python understands.
fn numcodecs(codec: &Codec) -> Value {
    json!({ "name": format!("numcodecs.{}", codec.name()), "configuration": codec.configuration() })
}

fn zstd(configuration: &Map<String, Value>) -> Option<Value> {
    let level = integer(configuration, "level", 0)?;
    let checksum = match configuration.get("checksum") {
        None => false,
        Some(value) => value.as_bool()?,
    };
    Some(json!({ "name": "zstd", "configuration": { "level": level, "checksum": checksum } }))
}

fn blosc(configuration: &Map<String, Value>, dtype: &DataType) -> Option<Value> {
    let cname = match configuration.get("cname") {
        None => "lz4",
        Some(name) => name.as_str().filter(|name| BLOSC_COMPRESSORS.contains(name))?,
    };
    let clevel = integer(configuration, "clevel", 5).filter(|level| (0..=9).contains(level))?;
    let blocksize = integer(configuration, "blocksize", 0).filter(|&length| length >= 0)?;
    let typesize = dtype.length_bytes().filter(|length| (1..=255).contains(length))?;
    // -1 lets numcodecs choose: by bits for single bytes, else by bytes.
    let shuffle = match integer(configuration, "shuffle", 1)? {
        0 => "noshuffle",
        -1 if typesize == 1 => "bitshuffle",
        1 | -1 => "shuffle",
        2 => "bitshuffle",
        _ => return None,
    };
    Some(json!({
        "name": "blosc",
        "configuration": {
            "typesize": typesize, "cname": cname, "clevel": clevel, "shuffle": shuffle, "blocksize": blocksize,
        },
    }))
}

/// An entry that is a whole number; `None` when it is something else.
fn integer(configuration: &Map<String, Value>, key: &str, default: i64) -> Option<i64> {
    configuration.get(key).map_or(Some(default), Value::as_i64)
}

/// The codecs of a `codecs` member, and the order of bytes that its `bytes` codec says.
///
/// # Errors
/// [`ZarrError::BadMember`] when it is no list of codecs, [`ZarrError::UnsupportedCodec`] for those that the model has no
/// name for.
pub(super) fn parse_all(value: &AttributeValue) -> Result<(Vec<Codec>, ByteOrder), ZarrError> {
    let AttributeValue::List(items) = value else { return Err(bad(value)) };
    let (mut codecs, mut order) = (Vec::new(), ByteOrder::Little);
    for item in items {
        let (name, configuration) = parts(item).ok_or_else(|| bad(item))?;
        match name {
            "bytes" => match configuration.get("endian").and_then(Value::as_str) {
                None | Some("little") => {}
                Some("big") => order = ByteOrder::Big,
                Some(_) => return Err(bad(item)),
            },
            name => codecs.push(parse(name, configuration)?),
        }
    }
    Ok((codecs, order))
}

fn parts(item: &AttributeValue) -> Option<(&str, Map<String, Value>)> {
    let members = match item {
        AttributeValue::Text(name) => return Some((name, Map::new())),
        AttributeValue::Struct(members) => members,
        _ => return None,
    };
    let AttributeValue::Text(name) = member(members, "name")? else { return None };
    let configuration = match member(members, "configuration") {
        None | Some(AttributeValue::Null) => Map::new(),
        Some(value) => match configuration_value(value)? {
            Value::Object(configuration) => configuration,
            _ => return None,
        },
    };
    Some((name, configuration))
}

fn parse(name: &str, mut configuration: Map<String, Value>) -> Result<Codec, ZarrError> {
    let name = match name {
        "blosc" => {
            configuration.remove("typesize");
            let shuffle = configuration.get("shuffle").and_then(Value::as_str);
            let number = match shuffle {
                Some("noshuffle") => Some(0),
                Some("shuffle") => Some(1),
                Some("bitshuffle") => Some(2),
                _ => None,
            };
            if let Some(number) = number {
                configuration.insert("shuffle".to_owned(), Value::from(number));
            }
            "blosc"
        }
        "zstd" | "gzip" | "vlen-utf8" | "vlen-bytes" => name,
        name => match name.strip_prefix("numcodecs.") {
            Some(name) => name,
            None => {
                return Err(ZarrError::UnsupportedCodec {
                    codec: name.to_owned(),
                    reason: "of Zarr v3 is not one that references are described with",
                });
            }
        },
    };
    let codec = configuration.into_iter().filter(|(key, _)| key != "id");
    Ok(codec.fold(Codec::new(name), |codec, (key, value)| codec.with(key, value)))
}

fn bad(value: &AttributeValue) -> ZarrError {
    ZarrError::BadMember {
        member: "codecs",
        expected: "a list of codecs with names",
        found: writer::excerpt(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT: DataType = DataType::Int { length: 2, order: ByteOrder::Little };

    fn text_of(dtype: &DataType, codecs: &[Codec]) -> Result<String, ZarrError> {
        let mut out = String::new();
        push_all(&mut out, dtype, codecs).map(|()| out)
    }

    #[test]
    fn the_bytes_codec_stands_between() {
        let little = r#"{"name":"bytes","configuration":{"endian":"little"}}"#;
        assert_eq!(text_of(&INT, &[]).unwrap(), format!("[{little}]"));
        assert_eq!(text_of(&DataType::Bool, &[]).unwrap(), r#"[{"name":"bytes"}]"#);
        let delta = Codec::new("delta").with("dtype", "<i2");
        let shuffle = Codec::new("shuffle").with("elementsize", 2);
        assert_eq!(
            text_of(&INT, &[delta.clone(), shuffle.clone(), Codec::new("fletcher32")]).unwrap(),
            format!(
                r#"[{{"name":"numcodecs.delta","configuration":{{"dtype":"<i2"}}}},{little},{{"name":"numcodecs.shuffle","configuration":{{"elementsize":2}}}},{{"name":"numcodecs.fletcher32","configuration":{{}}}}]"#
            )
        );
        assert!(matches!(
            text_of(&INT, &[shuffle, delta]),
            Err(ZarrError::UnsupportedCodec { .. })
        ));
    }

    #[test]
    fn core_codecs_where_their_configuration_allows() {
        let named = |codec: Codec| text_of(&INT, &[codec]).unwrap();
        assert!(
            named(Codec::new("zstd").with("level", 3))
                .ends_with(r#"{"name":"zstd","configuration":{"level":3,"checksum":false}}]"#)
        );
        assert!(named(Codec::new("zstd").with("level", "x")).contains("numcodecs.zstd"));
        let blosc = Codec::new("blosc")
            .with("cname", "zstd")
            .with("clevel", 5)
            .with("shuffle", 2)
            .with("blocksize", 0);
        assert!(named(blosc.clone()).ends_with(
            r#"{"name":"blosc","configuration":{"typesize":2,"cname":"zstd","clevel":5,"shuffle":"bitshuffle","blocksize":0}}]"#
        ));
        for (key, value) in [("shuffle", 7), ("clevel", 10), ("blocksize", -1)] {
            assert!(named(blosc.clone().with(key, value)).contains("numcodecs.blosc"), "{key}");
        }
        assert!(
            text_of(&DataType::Raw { length: 300 }, &[blosc]).unwrap().contains("numcodecs.blosc")
        );
    }

    #[test]
    fn variable_length_needs_its_own_codec() {
        let (vlen, zlib) = (Codec::new("vlen-utf8"), Codec::new("zlib"));
        assert_eq!(
            text_of(&DataType::VlenString, &[vlen.clone(), zlib.clone()]).unwrap(),
            r#"[{"name":"vlen-utf8"},{"name":"numcodecs.zlib","configuration":{}}]"#
        );
        for (dtype, codecs) in [
            (DataType::VlenString, vec![]),
            (DataType::VlenString, vec![zlib, vlen.clone()]),
            (DataType::VlenString, vec![vlen.clone(), vlen.clone()]),
            (DataType::VlenBytes, vec![vlen.clone()]),
            (INT, vec![vlen]),
        ] {
            assert!(
                matches!(text_of(&dtype, &codecs), Err(ZarrError::UnsupportedCodec { .. })),
                "{codecs:?}"
            );
        }
    }

    #[test]
    fn written_and_read_back() {
        let blosc = Codec::new("blosc")
            .with("cname", "zstd")
            .with("clevel", 5)
            .with("shuffle", 2)
            .with("blocksize", 0);
        for codecs in [
            vec![],
            vec![Codec::new("delta").with("dtype", "<i2"), Codec::new("zlib").with("level", 4)],
            vec![
                Codec::new("shuffle").with("elementsize", 2),
                Codec::new("zstd").with("level", 3).with("checksum", false),
            ],
            vec![blosc.clone(), Codec::new("fletcher32")],
            vec![blosc.with("blocksize", -1)],
        ] {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let dtype = DataType::Int { length: 2, order };
                let text = text_of(&dtype, &codecs).unwrap();
                let parsed = parse_all(&crate::json::reader::parse(&text).unwrap()).unwrap();
                assert_eq!(parsed, (codecs.clone(), order), "{text}");
            }
        }
    }

    #[test]
    fn unknown_codecs_are_errors() {
        for text in [
            r#"[{"name":"transpose","configuration":{"order":[1,0]}}]"#,
            r#"[{"name":"sharding_indexed","configuration":{}}]"#,
            r#"[{"name":"bytes","configuration":{"endian":"middle"}}]"#,
            r#"[{"configuration":{}}]"#,
            r#"[{"name":"gzip","configuration":7}]"#,
            r#"{"name":"bytes"}"#,
            "[7]",
        ] {
            assert!(parse_all(&crate::json::reader::parse(text).unwrap()).is_err(), "{text}");
        }
        let text = r#"["bytes",{"name":"gzip","configuration":{"level":1}}]"#;
        let (codecs, _) = parse_all(&crate::json::reader::parse(text).unwrap()).unwrap();
        assert_eq!(codecs, [Codec::new("gzip").with("level", 1)]);
    }
}
