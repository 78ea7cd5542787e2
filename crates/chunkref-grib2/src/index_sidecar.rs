// SPDX-License-Identifier: MIT OR Apache-2.0
//! Index sidecars: `.idx` of NOAA's wgrib2 and `.index` of ECMWF, which list where messages begin.

use chunkref_core::ByteSource;

use crate::error::{Grib2Error, Result};
use crate::index_line::{self, Listed};
use crate::options::IndexChoice;

/// Bytes of a sidecar at the most.
const MOST_BYTES: u64 = 64 << 20;

/// Bytes of one of its lines at the most: what is longer describes no field.
const MOST_LINE_BYTES: usize = 1 << 16;

/// A sidecar, and what it lists.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) name: String,
    /// Messages by their offsets, ascending; at least one.
    pub(crate) listed: Vec<Listed>,
}

/// Starts of messages that the sidecar of `source` lists, ascending; none without one.
pub(crate) async fn starts(source: &dyn ByteSource, choice: &IndexChoice) -> Result<Vec<u64>> {
    let sidecar = match choice {
        IndexChoice::None => None,
        IndexChoice::Named(name) => match open(source, name).await? {
            Some(sidecar) if !sidecar.listed.is_empty() => Some(sidecar),
            Some(_) => return Err(bad(name, "no line of it tells where a message begins")),
            None => {
                let reason = "there is none beside the file; leave grib.index out to do without";
                return Err(bad(name, reason));
            }
        },
        IndexChoice::Auto | IndexChoice::Only => find(source).await?,
    };
    let listed = sidecar.map(|sidecar| sidecar.listed).unwrap_or_default();
    Ok(listed.into_iter().map(|message| message.offset).collect())
}

/// The sidecar that lies beside `source` under one of its names, if it is of use.
pub(crate) async fn find(source: &dyn ByteSource) -> Result<Option<Sidecar>> {
    for name in names(source.location()) {
        match open(source, &name).await {
            Ok(Some(sidecar)) if !sidecar.listed.is_empty() => return Ok(Some(sidecar)),
            // A sidecar that cannot be used is as good as none: it is the file that counts.
            Ok(_) | Err(Grib2Error::LimitExceeded { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

pub(crate) fn bad(name: &str, reason: impl Into<String>) -> Grib2Error {
    Grib2Error::BadIndex { name: name.to_owned(), reason: reason.into() }
}

/// Names that sidecars of the object at `location` have.
fn names(location: &str) -> Vec<String> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let name = decode(path.rsplit('/').next().unwrap_or_default());
    if name.is_empty() {
        return Vec::new();
    }
    let mut names = vec![format!("{name}.idx"), format!("{name}.index")];
    if let Some((stem, _)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) {
        names.push(format!("{stem}.index"));
    }
    names
}

/// A part of a URL without percent-encoding.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .filter(|_| byte == b'%')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        if let Some(value) = hex {
            bytes.push(value);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn open(source: &dyn ByteSource, name: &str) -> Result<Option<Sidecar>> {
    let Some(sidecar) = source.open_optional(name).await? else { return Ok(None) };
    let length = sidecar.version().length;
    Grib2Error::check_limit(
        "index sidecar",
        0,
        "bytes",
        length,
        ("of an index sidecar", MOST_BYTES),
    )?;
    let whole = 0..length;
    let bytes = sidecar.read_many(std::slice::from_ref(&whole)).await?.pop().unwrap_or_default();
    let listed = parse(&String::from_utf8_lossy(&bytes));
    Ok(Some(Sidecar { name: name.to_owned(), listed }))
}

fn parse(text: &str) -> Vec<Listed> {
    index_line::parse(text.lines().filter(|line| line.len() <= MOST_LINE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(text: &str) -> Vec<u64> {
        parse(text).into_iter().map(|message| message.offset).collect()
    }

    #[test]
    fn both_kinds_are_read() {
        let idx = "1:0:d=2020072800:REFC:entire atmosphere:anl:\n2.1:339:d=20:UGRD:10 m:anl:\n2.2:339:d=20:VGRD:10 m:anl:\n";
        assert_eq!(offsets(idx), [0, 339]);
        let index =
            "{\"domain\": \"g\", \"_offset\": 12, \"_length\": 3}\n{\"_offset\": 4}\nx\n{\"a\"\n";
        assert_eq!(offsets(index), [4, 12]);
    }

    #[test]
    fn names_are_those_beside_the_file() {
        assert_eq!(
            names("https://host/a/b%20c.grib2?sig=1"),
            ["b c.grib2.idx", "b c.grib2.index", "b c.index"]
        );
        assert!(names("memory:///").is_empty());
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
