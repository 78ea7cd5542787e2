// SPDX-License-Identifier: MIT OR Apache-2.0
//! Beginnings of URLs, in a form in which equal ones are equal.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use chunkref_core::{SourceError, SourceErrorKind, redact};
use url::Url;

use crate::location::{Location, percent_decode};
use crate::reader::error;

/// The beginning of URLs: a store, and parts of a path in it. It holds what begins with all of its parts: `s3://b/a` holds
/// `s3://b/a/x` and not `s3://b/ab`.
///
/// Hosts are in lower case and their ports are written out; `.` and `..` are resolved, and percent-encoding is undone where
/// it has a meaning; of local files, symbolic links are followed. A URL in which a part could mean a parent to some server
/// is no prefix, and nothing holds it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct UrlPrefix {
    store: String,
    parts: Vec<String>,
}

impl UrlPrefix {
    /// The prefix of a location: itself and what is below. `None` where parts of it are ambiguous.
    #[must_use]
    pub fn of(location: &Location) -> Option<Self> {
        if let Some(path) = location.local_path() {
            return Some(Self::of_path(&real(path)));
        }
        let scheme = match location.scheme() {
            "s3a" => "s3",
            "gcs" => "gs",
            "abfss" => "abfs",
            scheme => scheme,
        };
        if matches!(scheme, "http" | "https") {
            return Self::of_web(location);
        }
        let (_, rest) = location.url().split_once("://")?;
        let (authority, path) = match scheme {
            "memory" => ("", rest),
            _ => rest.split_once('/').unwrap_or((rest, "")),
        };
        let authority = match authority.split_once('@') {
            Some((container, host)) => format!("{container}@{}", host.to_ascii_lowercase()),
            None => authority.to_owned(),
        };
        let parts = parts(path.split('/'))?;
        Some(Self { store: format!("{scheme}://{authority}"), parts })
    }

    /// The prefix of local files below a path, whose links are followed.
    pub(crate) fn of_path(path: &Path) -> Self {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            Component::Prefix(drive) => Some(drive.as_os_str().to_string_lossy().into_owned()),
            _ => None,
        });
        Self { store: "file://".to_owned(), parts: parts.collect() }
    }

    fn of_web(location: &Location) -> Option<Self> {
        let url = Url::parse(location.url()).ok()?;
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        let port = url.port_or_known_default()?;
        let mut decoded = Vec::new();
        for part in url.path_segments()? {
            let plain = percent_decode(part).unwrap_or_else(|| part.to_owned());
            // A server may take either of these for a separator.
            decoded.extend(plain.split(['/', '\\']).map(str::to_owned));
        }
        let parts = parts(decoded.iter().map(String::as_str))?;
        Some(Self { store: format!("{}://{host}:{port}", url.scheme()), parts })
    }

    /// Scheme and bucket or host: what credentials are for.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Whether all of the other is below this.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.store == other.store && other.parts.starts_with(&self.parts)
    }

    /// The parts that are below this, of one that it holds.
    pub(crate) fn below<'a>(&self, other: &'a Self) -> &'a [String] {
        other.parts.get(self.parts.len()..).unwrap_or_default()
    }

    /// The folder that it is in.
    pub(crate) fn folder(mut self) -> Self {
        self.parts.pop();
        self
    }

    /// Whether the last part begins with a dot.
    pub(crate) fn is_hidden(&self) -> bool {
        self.parts.last().is_some_and(|part| part.starts_with('.'))
    }

    /// Whether it is a store, and no path in it.
    pub(crate) fn is_store(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn is_local(&self) -> bool {
        self.store == "file://"
    }

    /// Whether it is a store that may want credentials.
    pub(crate) fn is_remote(&self) -> bool {
        !matches!(self.store.as_str(), "file://" | "memory://")
    }
}

impl FromStr for UrlPrefix {
    type Err = SourceError;

    /// Reads a path or URL.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let location = Location::parse(text)?;
        let prefix = Self::of(&location);
        let prefix = prefix.filter(|prefix| !prefix.is_remote() || !prefix.store.ends_with('/'));
        prefix.ok_or_else(|| {
            let message = "this is no beginning of URLs: write a path, or scheme, bucket or host, and as much of the path as all have in common";
            error(SourceErrorKind::InvalidLocation, text, message, None)
        })
    }
}

impl fmt::Display for UrlPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.is_local() && cfg!(windows) { "/" } else { "" };
        write!(formatter, "{}{slash}/{}", redact(&self.store), redact(&self.parts.join("/")))
    }
}

impl fmt::Debug for UrlPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("UrlPrefix").field(&self.to_string()).finish()
    }
}

/// The parts without empty ones; `None` when one of them could mean a parent.
fn parts<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => return None,
            part => kept.push(part.to_owned()),
        }
    }
    Some(kept)
}

/// A path with its links followed as far as it is there, and `.` and `..` resolved.
pub(crate) fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (path.parent(), path.components().next_back()) {
        (Some(folder), Some(Component::Normal(name))) => real(folder).join(name),
        (Some(folder), Some(Component::ParentDir)) => {
            let mut folder = real(folder);
            folder.pop();
            folder
        }
        (Some(folder), _) => real(folder),
        (None, _) => path.to_owned(),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<UrlPrefix> {
        UrlPrefix::of(&Location::parse(text).unwrap())
    }

    fn holds(prefix: &str, url: &str) -> bool {
        of(url).is_some_and(|url| of(prefix).unwrap().holds(&url))
    }

    #[test]
    fn prefixes_hold_whole_parts_only() {
        for (prefix, url) in [
            ("s3://bucket", "s3://bucket/a/b.nc"),
            ("s3://bucket/", "s3a://bucket/a/b.nc"),
            ("s3://bucket/a", "s3://bucket/a"),
            ("s3://bucket/a/", "s3://bucket/a/b"),
            ("s3://bucket/a b", "s3://bucket/a b/c%20d"),
            ("gcs://b/", "gs://b/x"),
            ("abfs://c@a.dfs.core.windows.net/x", "abfss://c@A.DFS.core.windows.net/x/y"),
            ("https://host/a", "https://HOST:443/a/b?x=/../"),
            ("https://host/a", "https://host./a/./b"),
            ("https://host/a", "https://host/b/../a/c"),
            ("https://host/a", "https://host/%61/c"),
            ("https://host/a%20b", "https://host/a b/c"),
            ("http://host:80", "http://user:word@host/a"),
            ("http://127.0.0.1:8000", "http://0x7f.1:8000/a"),
            ("http://[::1]:8000/", "http://[0:0::1]:8000/a"),
            ("/absent/x", "file:///absent/x/y"),
            ("/absent/x", "file://localhost/absent/./z/../x/y"),
            ("/", "/absent/x"),
        ] {
            assert!(holds(prefix, url), "{prefix} {url}");
        }
        for (prefix, url) in [
            ("s3://bucket/a", "s3://bucket/ab"),
            ("s3://bucket/a", "s3://bucket"),
            ("s3://bucket", "s3://bucket2/a"),
            ("s3://bucket", "gs://bucket/a"),
            ("s3://bucket/a", "s3://bucket/a/../b"),
            ("s3://bucket/a", "s3://bucket/A/b"),
            ("https://host/a", "http://host/a"),
            ("https://host/a", "https://host:8443/a"),
            ("https://host/a", "https://host/a/../b"),
            ("https://host/a", "https://host/a/%2e%2e/b"),
            ("https://host/a", "https://host/a/%2E./b"),
            ("https://host/a", "https://host/a/x%2f..%2f../b"),
            ("https://host/a", "https://host/a/x%5c..%5c..%5cb"),
            ("https://host/a", "https://host.evil/a/b"),
            ("https://host/a", "https://host@evil/a/b"),
            ("https://host/a", "https://evil/https://host/a/b"),
            ("https://host/a", "https:\\\\host/a"),
            ("/absent/x", "/absent/xy"),
            ("/absent/x", "/absent/x/../y"),
            ("/absent/x", "s3://absent/x"),
        ] {
            assert!(!holds(prefix, url), "{prefix} {url}");
        }
    }

    #[test]
    fn links_of_local_files_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("far/deep")).unwrap();
        std::os::unix::fs::symlink(root.join("far"), root.join("near")).unwrap();
        let path = |name: &str| root.join(name).display().to_string();
        assert!(holds(&path("far"), &path("near/x")));
        assert!(holds(&path("near"), &path("far/deep/x")));
        assert!(!holds(&path("near"), &path("near/../x")), "not what `..` looks like");
        assert!(holds(&path("far"), &path("near/deep/../y")));
    }

    #[test]
    fn what_a_user_allows_is_read() {
        for (text, shown) in [
            ("s3://bucket", "s3://bucket/"),
            ("https://Host/a/", "https://host:443/a"),
            ("file:///absent/x.nc", "file:///absent/x.nc"),
            ("/", "file:///"),
        ] {
            assert_eq!(text.parse::<UrlPrefix>().unwrap().to_string(), shown);
        }
        for wrong in ["", "s3://", "https://", "s3://bucket/../x", "https://h/a%2f..%2fb"] {
            assert!(wrong.parse::<UrlPrefix>().is_err(), "{wrong}");
        }
    }
}
