// SPDX-License-Identifier: MIT OR Apache-2.0
//! Index sidecars: `.idx` of NOAA's wgrib2 and `.index` of ECMWF, which list where messages begin.

use std::collections::BTreeSet;

use chunkref_core::ByteSource;
use serde_json::Value;

use crate::error::{Grib2Error, Result};
use crate::options::IndexChoice;

/// Bytes of a sidecar at the most.
const MOST_BYTES: u64 = 64 << 20;

/// Bytes of one of its lines at the most: what is longer describes no field.
const MOST_LINE_BYTES: usize = 1 << 16;

/// Starts of messages that the sidecar of `source` lists, ascending; none without one.
pub(crate) async fn read(source: &dyn ByteSource, choice: &IndexChoice) -> Result<Vec<u64>> {
    match choice {
        IndexChoice::None => Ok(Vec::new()),
        IndexChoice::Named(name) => match open(source, name).await? {
            Some(starts) if !starts.is_empty() => Ok(starts),
            Some(_) => Err(bad(name, "no line of it tells where a message begins")),
            None => {
                Err(bad(name, "there is none beside the file; leave grib.index out to do without"))
            }
        },
        IndexChoice::Auto => {
            for name in names(source.location()) {
                match open(source, &name).await {
                    Ok(Some(starts)) if !starts.is_empty() => return Ok(starts),
                    // A sidecar that cannot be used is as good as none: it is the file that counts.
                    Ok(_) | Err(Grib2Error::LimitExceeded { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(Vec::new())
        }
    }
}

fn bad(name: &str, reason: &str) -> Grib2Error {
    Grib2Error::BadIndex { name: name.to_owned(), reason: reason.to_owned() }
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

async fn open(source: &dyn ByteSource, name: &str) -> Result<Option<Vec<u64>>> {
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
    Ok(Some(parse(&String::from_utf8_lossy(&bytes))))
}

/// Starts of messages, ascending. A message of several fields has several lines, and counts once.
fn parse(text: &str) -> Vec<u64> {
    let lines = text.lines().filter(|line| line.len() <= MOST_LINE_BYTES);
    let starts: BTreeSet<u64> = lines.filter_map(start).collect();
    starts.into_iter().collect()
}

/// `NUMBER:OFFSET:d=DATE:…`, or an object with `_offset`.
fn start(line: &str) -> Option<u64> {
    let line = line.trim();
    if line.starts_with('{') {
        let value: Value = serde_json::from_str(line).ok()?;
        return value.get("_offset")?.as_u64();
    }
    line.split(':').nth(1)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let idx = "1:0:d=2020072800:REFC:entire atmosphere:anl:\n2.1:339:d=20:UGRD:10 m:anl:\n2.2:339:d=20:VGRD:10 m:anl:\n";
        assert_eq!(parse(idx), [0, 339]);
        let index =
            "{\"domain\": \"g\", \"_offset\": 12, \"_length\": 3}\n{\"_offset\": 4}\nx\n{\"a\"\n";
        assert_eq!(parse(index), [4, 12]);
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
