// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user wrote as an absolute URL.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use chunkref_core::secret::keep_secrets_of;
use chunkref_core::{Resolution, SourceError, SourceErrorKind, redact};

use crate::prefix::UrlPrefix;

/// Where an object is: an absolute URL in the form that fsspec opens.
///
/// fsspec does not decode `%` in `file://` URLs: it cuts the scheme off and opens the rest as it stands, blanks, `#`,
/// `?` and all (tried with 2026.9.0 on nineteen kinds of odd names; the percent-encoded form opened none of them). So a local path is
/// written as it is behind `file://`, and nothing is encoded.
///
/// User information in a web URL (`https://user:password@host/`) is taken off: it is used to read, and is not part of what
/// references hold. `Display` and `Debug` hide the secrets that are left in a query; [`Location::url`] does not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    url: String,
    path: Option<PathBuf>,
    user_information: Option<String>,
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
                let scheme = scheme.to_ascii_lowercase();
                let (user_information, rest) = match scheme.as_str() {
                    "http" | "https" => split_user_information(rest),
                    _ => (None, rest),
                };
                let url = format!("{scheme}://{rest}");
                if user_information.is_some() {
                    keep_secrets_of(text);
                }
                Ok(Self { url, path: None, user_information: user_information.map(str::to_owned) })
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
        Ok(Self { url, path: Some(absolute), user_information: None })
    }

    /// The absolute URL, as it is to appear in references.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// User and password, as they stood before the host of a web URL.
    pub(crate) fn user_information(&self) -> Option<&str> {
        self.user_information.as_deref()
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

    /// The location of another object that this one, which is no local file, names by a path: in the folder of this one or
    /// below, or below one of the URLs `allowed`.
    pub(crate) fn sibling(&self, path: &str, allowed: &[String]) -> Result<Self, SourceError> {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        // The query of a web server belongs to the object, not to its folder.
        let rest = match scheme {
            "http" | "https" => rest.split(['?', '#']).next().unwrap_or_default(),
            _ => rest,
        };
        let mut parts: Vec<&str> = rest.split('/').collect();
        parts.pop();
        let wanted = if split_scheme(path).is_some() {
            path.to_owned()
        } else {
            if path.starts_with('/') {
                parts.truncate(1);
            }
            for part in path.split('/') {
                match part {
                    "" | "." => {}
                    ".." if parts.len() > 1 => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
            format!("{scheme}://{}", parts.join("/"))
        };
        let sibling = Self::parse(&wanted)?;
        let own = UrlPrefix::of(self).map(UrlPrefix::folder);
        let prefix = UrlPrefix::of(&sibling);
        let mut folders =
            own.into_iter().chain(allowed.iter().filter_map(|text| text.parse().ok()));
        if !prefix.is_some_and(|prefix| folders.any(|folder| folder.holds(&prefix))) {
            let message = format!(
                "this lies outside the folder of {self}, which names it, and is not read: allow its own folder"
            );
            let folder = wanted.rfind('/').and_then(|end| wanted.get(..end)).unwrap_or(&wanted);
            let allow = Resolution::AllowOutside { folder: folder.to_owned() };
            let fault = SourceError {
                kind: SourceErrorKind::NotAllowed,
                location: wanted,
                message,
                source: None,
            };
            return Err(fault.with_resolution(allow));
        }
        let user_information = if sibling.authority() == self.authority() {
            self.user_information.clone()
        } else {
            None
        };
        Ok(Self { user_information, ..sibling })
    }

    /// Another object of the same server, with the same login.
    pub(crate) fn with_url(&self, url: String) -> Self {
        Self { url, path: None, user_information: self.user_information.clone() }
    }

    /// Scheme and host or bucket.
    fn authority(&self) -> (&str, Option<&str>) {
        (self.scheme(), self.segments().next())
    }

    /// The parts of the URL's path, with the bucket or host first, without empty ones.
    #[must_use = "this only looks at the location"]
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        // Only on the web do `?` and `#` begin a query or fragment; elsewhere they may be in a name.
        let rest = match self.scheme() {
            "http" | "https" => rest.split(['?', '#']).next().unwrap_or_default(),
            _ => rest,
        };
        rest.split('/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redact(&self.url))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Location").field(&redact(&self.url)).finish()
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

/// What stands before the `@` of an authority, and the rest without it.
fn split_user_information(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((user, _)) => {
            (Some(user), rest.get(user.len().saturating_add(1)..).unwrap_or_default())
        }
        None => (None, rest),
    }
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

pub(crate) fn percent_decode(text: &str) -> Option<String> {
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
        assert_eq!(Location::parse("s3://b/a?b#c.nc").unwrap().file_name(), "a?b#c.nc");
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

    #[test]
    fn siblings_stay_in_the_folder_unless_it_is_allowed() {
        let main = Location::parse("s3://bucket/a/b/main.nc").unwrap();
        let allowed = ["s3://bucket/shared".to_owned(), "s3://other/".to_owned()];
        let sibling = |path: &str| main.sibling(path, &allowed).map(|found| found.url().to_owned());
        assert_eq!(sibling("x.nc").unwrap(), "s3://bucket/a/b/x.nc");
        assert_eq!(sibling("./c/../x.nc").unwrap(), "s3://bucket/a/b/x.nc");
        assert_eq!(sibling("/a/b/c/x.nc").unwrap(), "s3://bucket/a/b/c/x.nc");
        assert_eq!(sibling("../../shared/x.nc").unwrap(), "s3://bucket/shared/x.nc");
        assert_eq!(sibling("s3://other/x.nc").unwrap(), "s3://other/x.nc");
        for outside in [
            "../x.nc",
            "/x.nc",
            "s3://bucket/sharedx/y",
            "../../../../x",
            "file:///etc/passwd",
            "/a/bc/x",
        ] {
            let error = sibling(outside).unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::NotAllowed, "{outside}");
        }
        let web = Location::parse("https://me:word@host/a/b.nc?x=1").unwrap();
        let found = web.sibling("c.nc", &[]).unwrap();
        assert_eq!(
            (found.url(), found.user_information()),
            ("https://host/a/c.nc", Some("me:word"))
        );
    }

    #[test]
    fn secrets_of_the_web_are_not_shown() {
        let location = Location::parse("https://me:pass%40word@host/a@b.nc?sig=abc").unwrap();
        assert_eq!(location.user_information(), Some("me:pass%40word"));
        assert_eq!(location.url(), "https://host/a@b.nc?sig=abc");
        assert_eq!(location.to_string(), "https://host/a@b.nc?sig=***");
        assert_eq!(format!("{location:?}"), "Location(\"https://host/a@b.nc?sig=***\")");
        assert_eq!(Location::parse("https://host/a@b").unwrap().user_information(), None);
        let azure = "abfs://container@account.dfs.core.windows.net/a.nc";
        assert_eq!(url(azure), azure);
    }
}
