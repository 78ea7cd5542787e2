// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user wrote as an absolute URL.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use chunkref_core::{SourceError, SourceErrorKind};

/// Where an object is: an absolute URL in the form that fsspec opens.
///
/// fsspec does not decode `%` in `file://` URLs: it cuts the scheme off and opens the rest as it stands, blanks, `#`,
/// `?` and all (tried with 2026.9.0 on nineteen kinds of odd names; the percent-encoded form opened none of them). So a local path is
/// written as it is behind `file://`, and nothing is encoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    url: String,
    path: Option<PathBuf>,
}

impl Location {
    /// Reads a path, relative or absolute, a `file://` URL or another URL. A `file://` URL is taken as it stands, as
    /// fsspec does; when there is no such file but there is one of the percent-decoded name, that one is meant.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidLocation`] when it is empty, not UTF-8 once absolute, or names another machine's file.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text.is_empty() {
            return Err(invalid(text, "the location is empty: give a path or a URL"));
        }
        match split_scheme(text) {
            None => Self::from_path(Path::new(text)),
            Some(("file", rest)) => {
                let rest = rest.strip_prefix("localhost").unwrap_or(rest);
                if !rest.starts_with('/') {
                    return Err(invalid(
                        text,
                        "a file URL has three slashes and an absolute path: file:///folder/name",
                    ));
                }
                let rest = if cfg!(windows) { rest.trim_start_matches('/') } else { rest };
                let plain = Path::new(rest);
                if !plain.exists()
                    && let Some(decoded) = percent_decode(rest)
                    && Path::new(&decoded).exists()
                {
                    return Self::from_path(Path::new(&decoded));
                }
                Self::from_path(plain)
            }
            Some((scheme, rest)) => {
                Ok(Self { url: format!("{}://{rest}", scheme.to_ascii_lowercase()), path: None })
            }
        }
    }

    /// The location of a local path, which need not exist.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidLocation`] when it is not UTF-8 once absolute: references are text.
    pub fn from_path(path: &Path) -> Result<Self, SourceError> {
        let absolute = std::path::absolute(path).map_err(|error| SourceError {
            kind: SourceErrorKind::InvalidLocation,
            location: path.display().to_string(),
            message: "the path cannot be made absolute: is the working directory still there?"
                .to_owned(),
            source: Some(Box::new(error)),
        })?;
        let absolute = without_parents(absolute);
        let Some(text) = absolute.to_str() else {
            let message = "the path is not UTF-8, and references are text: rename it";
            return Err(invalid(&absolute.display().to_string(), message));
        };
        let url = if cfg!(windows) {
            format!("file:///{}", text.replace('\\', "/"))
        } else {
            format!("file://{text}")
        };
        Ok(Self { url, path: Some(absolute) })
    }

    /// The absolute URL, as it is to appear in references.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The scheme, in lower case: `file`, `s3`, …
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.split_once("://").map_or("file", |(scheme, _)| scheme)
    }

    /// The path, for a file of this machine.
    #[must_use]
    pub fn local_path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The last part of the URL's path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.segments().next_back().unwrap_or_default()
    }

    /// The parts of the URL's path, with the bucket or host first, without empty ones.
    #[must_use = "this only looks at the location"]
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        // Only a local path may hold `?` and `#` in a name; elsewhere they begin a query or fragment.
        let rest = if self.path.is_some() {
            rest
        } else {
            rest.split(['?', '#']).next().unwrap_or_default()
        };
        rest.split('/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

/// Scheme and rest of a URL; `None` for a path. One letter is a Windows drive, not a scheme.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let sound = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    sound.then_some((scheme, rest))
}

/// The path without `..` where that names the same file: behind a symbolic link, `..` is not the folder written before it.
fn without_parents(path: PathBuf) -> PathBuf {
    if !path.components().any(|part| part == Component::ParentDir) {
        return path;
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    match (path.canonicalize(), plain.canonicalize()) {
        (Ok(written), Ok(shorter)) if written == shorter => plain,
        _ => path,
    }
}

fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn invalid(location: &str, message: &str) -> SourceError {
    SourceError {
        kind: SourceErrorKind::InvalidLocation,
        location: location.to_owned(),
        message: message.to_owned(),
        source: None,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        Location::parse(text).unwrap().url().to_owned()
    }

    #[test]
    fn odd_names_stay_as_they_are() {
        for name in [
            "a b",
            "ünï",
            "a#b",
            "a?b",
            "a%b",
            "a%20b",
            "a&b",
            "{{u}}",
            "a::b",
            "back\\slash",
            "[0]*",
        ] {
            assert_eq!(url(&format!("/data/{name}")), format!("file:///data/{name}"));
            assert_eq!(url(&format!("file:///data/{name}")), format!("file:///data/{name}"));
            assert_eq!(Location::parse(&format!("/data/{name}")).unwrap().file_name(), name);
        }
    }

    #[test]
    fn relative_paths_become_absolute() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(url("x.nc"), format!("file://{}/x.nc", here.display()));
        assert_eq!(url("./x.nc"), format!("file://{}/x.nc", here.display()));
        assert_eq!(url("src/../Cargo.toml"), format!("file://{}/Cargo.toml", here.display()));
    }

    #[test]
    fn parents_behind_a_symbolic_link_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("far/deep")).unwrap();
        std::fs::write(root.join("far/x.nc"), b"far").unwrap();
        std::os::unix::fs::symlink(root.join("far/deep"), root.join("near")).unwrap();
        let written = format!("{}/near/../x.nc", root.display());
        assert_eq!(url(&written), format!("file://{written}"));
    }

    #[test]
    fn an_encoded_file_url_finds_the_decoded_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.nc");
        std::fs::write(&path, b"x").unwrap();
        let encoded = format!("file://{}", path.display()).replace(' ', "%20");
        assert_eq!(url(&encoded), format!("file://{}", path.display()));
        let literal = folder.path().join("a%20b.nc");
        std::fs::write(&literal, b"x").unwrap();
        assert_eq!(
            url(&encoded),
            format!("file://{}", literal.display()),
            "a file of the very name comes first"
        );
    }

    #[test]
    fn other_schemes_and_bad_locations() {
        assert_eq!(url("S3://bucket/a b/c.nc"), "s3://bucket/a b/c.nc");
        let location = Location::parse("https://host/a/c.nc?key=1").unwrap();
        assert_eq!((location.scheme(), location.file_name()), ("https", "c.nc"));
        assert!(location.local_path().is_none());
        for text in ["", "file://host/x.nc", "file://x.nc"] {
            assert_eq!(
                Location::parse(text).unwrap_err().kind,
                SourceErrorKind::InvalidLocation,
                "{text:?}"
            );
        }
        assert_eq!(url("file://localhost/x.nc"), "file:///x.nc");
        assert_eq!(split_scheme("C://x"), None);
    }
}
