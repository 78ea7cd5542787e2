// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading versions 0 and 1 as a stream.
//!
//! References go into columns as they stream by; text is kept once per distinct URL and path. Templates may come
//! before or after the references that use them.

use std::io::{BufRead, BufReader, Read};

use chunkref_model::json::{reader::JsonReader, writer};
use chunkref_model::provenance::{self, Recorded};
use chunkref_model::{AttributeValue, Dataset};

use super::assemble::assemble;
use super::columns::{Collected, bad_reference};
use super::generate::{self, Made};
use super::template::Templates;
use super::{ReadError, ReadLimits};

/// Bytes that are taken from the input at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Reads kerchunk JSON of version 0 (the references alone) or 1.
///
/// Each distinct URL becomes a source, with the version that the document records, if it does. Where `.zarray`, `.zattrs` and `.zgroup` are not in the
/// references themselves they are taken from `.zmetadata`. Dimensions belong to the outermost group with an array that
/// has them.
///
/// # Errors
/// [`ReadError`], which names the key at fault: for what is not JSON, references and metadata that the model cannot
/// describe, chunks that no array has, and templates that do not expand.
pub fn read(input: impl Read) -> Result<Dataset, ReadError> {
    read_within(input, &ReadLimits::default())
}

/// The same within other bounds than those of [`ReadLimits::default`].
///
/// # Errors
/// [`ReadError`], as [`read`] has it.
pub fn read_within(input: impl Read, limits: &ReadLimits) -> Result<Dataset, ReadError> {
    let input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut json = JsonReader::new(input, limits.bounds());
    let mut envelope = Envelope::new(limits);
    envelope.read(&mut json)?;
    json.finish()?;
    let templates = Templates::new(envelope.templates)?;
    let (mut collected, mut made) = (envelope.references, Made::new(limits));
    expand_urls(&mut collected, &templates, &mut made)?;
    for (index, generator) in envelope.generators.iter().enumerate() {
        generate::expand(index, generator, &templates, &mut collected, &mut made)?;
    }
    assemble(collected, envelope.recorded.as_ref(), limits)
}

/// Expands the URLs of the references. In a document without templates braces are part of them.
fn expand_urls(
    collected: &mut Collected,
    templates: &Templates,
    made: &mut Made<'_>,
) -> Result<(), ReadError> {
    let keys = std::mem::take(&mut collected.first_keys);
    if templates.is_empty() || keys.is_empty() {
        return Ok(());
    }
    collected.replace_urls(&mut |place, url| {
        let Some(key) = keys.get(&place) else { return Ok(None) };
        let mut expanded = String::new();
        templates
            .compile(url, &[])
            .and_then(|expansion| expansion.expand(&[], &mut made.budget, &mut expanded))
            .map_err(|source| ReadError::template(format!("URL of key {key:?}"), url, source))?;
        made.keep(&expanded)?;
        Ok(Some(expanded))
    })
}

/// The members of the outermost object.
#[derive(Debug)]
struct Envelope<'a> {
    limits: &'a ReadLimits,
    references: Collected,
    templates: Vec<(String, String)>,
    generators: Vec<AttributeValue>,
    recorded: Option<Recorded>,
    /// Whether a member of version 1 was there, so that others are not references.
    version_1: bool,
}

impl<'a> Envelope<'a> {
    fn new(limits: &'a ReadLimits) -> Self {
        Self {
            limits,
            references: Collected::new(limits),
            templates: Vec::new(),
            generators: Vec::new(),
            recorded: None,
            version_1: false,
        }
    }

    fn read<R: BufRead>(&mut self, json: &mut JsonReader<R>) -> Result<(), ReadError> {
        json.begin_object()?;
        let (mut first, mut key) = (true, String::new());
        while json.next_key(&mut first, &mut key)? {
            if matches!(key.as_str(), "version" | "templates" | "gen" | "refs") && !self.version_1 {
                self.version_1 = true;
                self.references = Collected::new(self.limits);
            }
            match key.as_str() {
                "version" => {
                    let version = json.value()?;
                    if version != AttributeValue::Int(1) && version != AttributeValue::Int(0) {
                        return Err(ReadError::UnsupportedVersion {
                            version: writer::excerpt(&version),
                        });
                    }
                }
                "templates" => self.templates = templates_of(json.value()?)?,
                "gen" => self.generators = generators_of(json.value()?)?,
                "refs" => read_references(json, &mut self.references)?,
                provenance::MEMBER if self.version_1 => {
                    self.recorded = provenance::recorded(&json.value()?);
                }
                _ if self.version_1 => json.skip()?,
                _ => read_reference(json, &key, &mut String::new(), &mut self.references)?,
            }
        }
        Ok(())
    }
}

fn templates_of(value: AttributeValue) -> Result<Vec<(String, String)>, ReadError> {
    let bad = |place: String, reason| ReadError::BadGenerator { place, reason };
    let AttributeValue::Struct(members) = value else {
        return Err(bad("templates".to_owned(), "not an object"));
    };
    let templates = members.into_iter().map(|(name, value)| match value {
        AttributeValue::Text(text) => Ok((name, text)),
        _ => Err(bad(format!("template {name:?}"), "not a string")),
    });
    templates.collect()
}

fn generators_of(value: AttributeValue) -> Result<Vec<AttributeValue>, ReadError> {
    match value {
        AttributeValue::List(generators) => Ok(generators),
        _ => Err(ReadError::BadGenerator { place: "gen".to_owned(), reason: "not a list" }),
    }
}

fn read_references<R: BufRead>(
    json: &mut JsonReader<R>,
    collected: &mut Collected,
) -> Result<(), ReadError> {
    json.begin_object()?;
    let (mut first, mut key, mut text) = (true, String::new(), String::new());
    while json.next_key(&mut first, &mut key)? {
        read_reference(json, &key, &mut text, collected)?;
    }
    Ok(())
}

/// Reads one value of `refs`; `text` is a buffer that is used again.
fn read_reference<R: BufRead>(
    json: &mut JsonReader<R>,
    key: &str,
    text: &mut String,
    collected: &mut Collected,
) -> Result<(), ReadError> {
    match json.peek("a reference")? {
        b'"' => {
            json.string_into(text)?;
            collected.add_text(key, text, &mut |text| json.parse_inner(text))
        }
        b'[' => {
            let range = read_location(json, key, text)?;
            collected.add_virtual(key, text, range)
        }
        b'{' => collected.add_object(key, json.value()?),
        _ => {
            json.value()?;
            Err(bad_reference(key, "the value is neither text, a list nor an object"))
        }
    }
}

/// `[url]` or `[url, offset, length]`; the URL goes into `url`.
fn read_location<R: BufRead>(
    json: &mut JsonReader<R>,
    key: &str,
    url: &mut String,
) -> Result<Option<(u64, u64)>, ReadError> {
    json.begin_list()?;
    let mut first = true;
    if !json.next_item(&mut first)? {
        return Err(bad_reference(key, "the list is empty"));
    }
    match json.peek("a URL")? {
        b'"' => json.string_into(url)?,
        b'n' => {
            json.value()?;
            return Err(bad_reference(
                key,
                "the URL is null, which needs a target that the references do not name",
            ));
        }
        _ => return Err(bad_reference(key, "the URL is not a string")),
    }
    if !json.next_item(&mut first)? {
        return Ok(None);
    }
    let offset = unsigned(&json.number()?)
        .ok_or_else(|| bad_reference(key, "the offset is not a whole number"))?;
    if !json.next_item(&mut first)? {
        return Err(bad_reference(key, "there is an offset without a length"));
    }
    let length = unsigned(&json.number()?)
        .ok_or_else(|| bad_reference(key, "the length is not a whole number"))?;
    if json.next_item(&mut first)? {
        return Err(bad_reference(key, "the list has more than a URL, an offset and a length"));
    }
    Ok(Some((offset, length)))
}

fn unsigned(value: &AttributeValue) -> Option<u64> {
    match value {
        AttributeValue::Int(value) => u64::try_from(*value).ok(),
        AttributeValue::UInt(value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunkref_model::zarr::v2::HierarchyError;
    use chunkref_model::{ChunkRef, SourceId, WHOLE_OBJECT};

    const ZARRAY: &str = r#""{\"shape\":[4],\"chunks\":[2],\"dtype\":\"<i2\",\"fill_value\":null,\"order\":\"C\",\"filters\":null,\"compressor\":null,\"zarr_format\":2}""#;

    fn with_refs(refs: &str) -> Result<Dataset, ReadError> {
        read(format!(r#"{{"version":1,"refs":{{"a/.zarray":{ZARRAY},{refs}}}}}"#).as_bytes())
    }

    /// Places of chunks are no metadata, however many there are.
    #[test]
    fn references_do_not_count_as_values_of_metadata() {
        let refs: Vec<_> = (0..100).map(|n| format!(r#""a/{n}":["s3://b/f",{n},1]"#)).collect();
        let zarray = ZARRAY.replace("[4]", "[200]");
        let set = format!(r#"{{"version":1,"refs":{{"a/.zarray":{zarray},{}}}}}"#, refs.join(","));
        let limits = ReadLimits { metadata_values: 20, ..ReadLimits::default() };
        let dataset = read_within(set.as_bytes(), &limits).unwrap();
        assert_eq!(dataset.array("a").unwrap().manifest.present(), 100);
        let limits = ReadLimits { metadata_values: 5, ..ReadLimits::default() };
        assert!(read_within(set.as_bytes(), &limits).is_err(), "the description of an array does");
    }

    fn at(offset: u64, length: u64) -> ChunkRef {
        ChunkRef::Virtual { source: SourceId(0), offset, length }
    }

    #[test]
    fn version_0_is_the_references_alone() {
        let dataset = read(
            format!(
                r#"{{"a/1":["u",1,2],".zgroup":"{{\"zarr_format\":2}}","a/.zarray":{ZARRAY}}}"#
            )
            .as_bytes(),
        );
        let dataset = dataset.unwrap();
        let array = dataset.array("a").unwrap();
        assert_eq!(array.manifest.get(&[1]), at(1, 2));
        assert_eq!(array.manifest.get(&[0]), ChunkRef::Missing);
        assert_eq!(array.dimensions, ["a_dim_0"]);
        assert!(matches!(
            read(&br#"{"version":2,"refs":{}}"#[..]),
            Err(ReadError::UnsupportedVersion { .. })
        ));
    }

    #[test]
    fn every_form_of_reference() {
        let dataset = with_refs(
            r#""a/0":["u"],"a/1":{"x": [1, NaN]},"a/.zattrs":{"_ARRAY_DIMENSIONS":["t"],"n":NaN}"#,
        );
        let dataset = dataset.unwrap();
        let array = dataset.array("a").unwrap();
        assert_eq!(array.manifest.get(&[0]), at(0, WHOLE_OBJECT));
        assert_eq!(
            array.manifest.get(&[1]),
            ChunkRef::Inline(bytes::Bytes::from_static(br#"{"x":[1,NaN]}"#))
        );
        assert_eq!(array.attributes.get("n"), Some(&AttributeValue::Float(f64::NAN)));
        assert_eq!(array.dimensions, ["t"]);
        assert_eq!(dataset.root.dimensions.len(), 1);
        let dataset = with_refs(r#""a/0":"base64:AP8=","a/1":"text""#).unwrap();
        let manifest = &dataset.array("a").unwrap().manifest;
        assert_eq!(manifest.get(&[0]), ChunkRef::Inline(bytes::Bytes::from_static(b"\0\xff")));
        assert_eq!(manifest.get(&[1]), ChunkRef::Inline(bytes::Bytes::from_static(b"text")));
    }

    #[test]
    fn faults_name_the_key() {
        for (refs, key, reason) in [
            (r#""a/0":[null,0,5]"#, "a/0", "null"),
            (r#""a/0":[]"#, "a/0", "empty"),
            (r#""a/0":["u",1]"#, "a/0", "without a length"),
            (r#""a/0":["u",1,2,3]"#, "a/0", "more than"),
            (r#""a/0":["u",-1,2]"#, "a/0", "offset"),
            (r#""a/0":["u",1,2.5]"#, "a/0", "length"),
            (r#""a/0":["u",18446744073709551615,1]"#, "a/0", "64 bits"),
            (r#""a/0":[5]"#, "a/0", "not a string"),
            (r#""a/0":null"#, "a/0", "neither text"),
            (r#""a/0":"base64:?""#, "a/0", "base64"),
            (r#""a/2":["u",1,2]"#, "a/2", "does not fit"),
            (r#""a/0.0":["u",1,2]"#, "a/0.0", "no array"),
            (r#""b/0":["u",1,2]"#, "b/0", "no array"),
            (r#""a/x":["u",1,2]"#, "a/x", "neither a Zarr v2 document"),
            (r#""a/.zattrs":"[1""#, "a/.zattrs", "not usable"),
            (r#""a/.zattrs":["u"]"#, "a/.zattrs", "in the references"),
            (r#""a/.zattrs":{"_ARRAY_DIMENSIONS":[]}"#, "a/.zattrs", "not usable"),
            (r#""a/.zattrs":{"_ARRAY_DIMENSIONS":"x"}"#, "a/.zattrs", "not usable"),
            (r#""a/.zgroup":{"zarr_format":2}"#, "a/.zgroup", "array"),
            (r#""a/b/.zgroup":{"zarr_format":2}"#, "a/b/.zgroup", "array"),
            (r#"".zgroup":{"zarr_format":3}"#, ".zgroup", "not usable"),
            (r#"".zarray":{}"#, ".zarray", "root"),
            (r#""b//.zgroup":{"zarr_format":2}"#, "b//.zgroup", "empty"),
            (r#"".zgroup":{"zarr_format":2},".zgroup":{"zarr_format":2}"#, ".zgroup", "twice"),
        ] {
            let error = with_refs(refs).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{key:?}")) && error.contains(reason),
                "{refs}: {error}"
            );
        }
        let error = with_refs(r#""a/0":"x","a/0":"y""#).unwrap_err();
        assert!(
            matches!(error, ReadError::Hierarchy(HierarchyError::Array { path, .. }) if path == "a")
        );
        let deep = format!(r#""{}b/.zgroup":{{"zarr_format":2}}"#, "b/".repeat(100_000));
        assert!(matches!(
            with_refs(&deep),
            Err(ReadError::Hierarchy(HierarchyError::BadKey { .. }))
        ));
    }

    #[test]
    fn slashes_between_numbers_and_numbers_for_names() {
        let zarray = r#"{"shape":[4,4],"chunks":[2,4],"dtype":"<i2","dimension_separator":"/","zarr_format":2}"#;
        let refs = format!(
            r#"{{"a/1/0":["u",1,2],"a/.zarray":{zarray},"5/7/1":["u",3,4],"5/7/.zarray":{ZARRAY}}}"#
        );
        let dataset = read(refs.as_bytes()).unwrap();
        assert_eq!(dataset.array("a").unwrap().manifest.get(&[1, 0]), at(1, 2));
        assert_eq!(dataset.array("5/7").unwrap().manifest.get(&[1]), at(3, 4));
    }

    #[test]
    fn consolidated_metadata_fills_gaps() {
        let refs = format!(
            r#"{{"a/0":"x",".zmetadata":{{"metadata":{{"a/.zarray":{},".zattrs":{{"t":1}}}}}},".zattrs":{{"t":2}}}}"#,
            r#"{"shape":[1],"chunks":[1],"dtype":"|i1","zarr_format":2}"#
        );
        let dataset = read(refs.as_bytes()).unwrap();
        assert_eq!(dataset.array("a").unwrap().manifest.present(), 1);
        assert_eq!(dataset.root.attributes.get("t"), Some(&AttributeValue::Int(2)));
    }

    #[test]
    fn templates_and_generators() {
        let head = format!(r#""a/.zarray":{ZARRAY}"#);
        let text = format!(
            r#"{{"refs":{{{head},"a/0":["{{{{u}}}}/x",1,2]}},"version":1,"templates":{{"u":"s3://b","f":"{{{{c}}}}.nc"}},
            "gen":[{{"key":"a/{{{{i}}}}","url":"{{{{u}}}}/{{{{f(c='t')}}}}","offset":"{{{{i*1000}}}}","length":"100","dimensions":{{"i":{{"start":1,"stop":2}}}}}}]}}"#
        );
        let dataset = read(text.as_bytes()).unwrap();
        let locations: Vec<_> =
            dataset.sources().iter().map(|source| source.location.as_str()).collect();
        assert_eq!(locations, ["s3://b/x", "s3://b/t.nc"]);
        let expected = ChunkRef::Virtual { source: SourceId(1), offset: 1000, length: 100 };
        assert_eq!(dataset.array("a").unwrap().manifest.get(&[1]), expected);
        // Without templates braces are part of the URL.
        let dataset = with_refs(r#""a/0":["{{u}}",1,2]"#).unwrap();
        assert_eq!(dataset.sources()[0].location, "{{u}}");
    }
}
