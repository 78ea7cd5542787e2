// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files and folders whose names begin with a dot. Keys, logins and histories are kept in them, so a file that is scanned
//! cannot lead there: what it names may lie below its own folder, or below one that is allowed, only by other names.

use std::path::{Component, Path, PathBuf};

use chunkref_core::{Resolution, SourceError, SourceErrorKind};

/// Where something lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Below one of the folders, by names without a dot in front.
    Inside,
    /// Below one of the folders, but only by a name with a dot in front.
    Hidden,
    /// Below none of them.
    Outside,
}

impl Place {
    /// Where a path without `.` and `..` lies.
    pub(crate) fn of(path: &Path, folders: &[PathBuf]) -> Self {
        let below = folders.iter().filter_map(|folder| path.strip_prefix(folder).ok());
        Self::among(below.map(|rest| {
            rest.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
        }))
    }

    /// Where a URL lies. What is below no folder by its letters is looked at as a whole.
    pub(crate) fn of_url(url: &str, folders: &[&str]) -> Self {
        let below = folders
            .iter()
            .filter_map(|folder| url.strip_prefix(folder.trim_end_matches('/'))?.strip_prefix('/'));
        match Self::among(below.map(has_hidden_part)) {
            Self::Outside => {
                let path = url.split_once("://").map_or(url, |(_, path)| path);
                if has_hidden_part(path) { Self::Hidden } else { Self::Outside }
            }
            place => place,
        }
    }

    /// Of ways there, each of which is hidden or not.
    fn among(ways: impl Iterator<Item = bool>) -> Self {
        ways.fold(Self::Outside, |place, is_hidden| match (place, is_hidden) {
            (Self::Inside, _) | (_, false) => Self::Inside,
            _ => Self::Hidden,
        })
    }
}

/// Whether a part of a URL's path begins with a dot, written as such or percent-encoded.
fn has_hidden_part(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split(['/', '\\']).any(|part| {
        part.starts_with('.')
            || part.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2e"))
    }) || {
        let lower = path.to_ascii_lowercase();
        lower.contains("%2f.") || lower.contains("%2f%2e") || lower.contains("%5c.")
    }
}

/// A path without `.` and `..`, by its letters alone.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

/// The refusal of something hidden that the object at `by` names.
pub(crate) fn refusal(location: &str, by: &str) -> SourceError {
    let folder = location.rfind('/').and_then(|end| location.get(..end)).unwrap_or(location);
    let fault = SourceError {
        kind: SourceErrorKind::NotAllowed,
        location: location.to_owned(),
        message: format!(
            "this has a name with a dot in front, or lies in such a folder, and is not read because {by} names it: give it another name, or allow the folder that it is in, by its own path"
        ),
        source: None,
    };
    fault.with_resolution(Resolution::AllowOutside { folder: folder.to_owned() })
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::{Location, OpenOptions, Stores};

    #[test]
    fn paths_are_inside_hidden_or_outside() {
        let folders = ["/data", "/home/me/.cache/x"].map(PathBuf::from);
        let place = |path: &str| Place::of(&normal(Path::new(path)), &folders);
        for inside in ["/data/a", "/data/a/b.c", "/home/me/.cache/x/a", "/data/.b/../a"] {
            assert_eq!(place(inside), Place::Inside, "{inside}");
        }
        for hidden in ["/data/.ssh/id", "/data/a/.b", "/data/.netrc", "/home/me/.cache/x/.y/a"] {
            assert_eq!(place(hidden), Place::Hidden, "{hidden}");
        }
        for outside in ["/home/me/.ssh/id", "/datax/a", "/data/../x", "/home/me/.cache/y"] {
            assert_eq!(place(outside), Place::Outside, "{outside}");
        }
    }

    #[test]
    fn urls_are_looked_at_below_the_folder() {
        let folders = ["https://h/.public/a", "s3://b/x/"];
        let place = |url: &str| Place::of_url(url, &folders);
        assert_eq!(place("https://h/.public/a/b.nc?.x"), Place::Inside);
        assert_eq!(place("s3://b/x/y/z"), Place::Inside);
        for hidden in [
            "https://h/.public/a/.b",
            "https://h/.public/a/%2Eb/c",
            "https://h/.public/a/b%2f.c",
            "s3://b/x/.aws/credentials",
            "s3://other/.aws/credentials",
            "https://H/.git/config",
        ] {
            assert_eq!(place(hidden), Place::Hidden, "{hidden}");
        }
        assert_eq!(place("s3://b/y"), Place::Outside);
    }

    #[test]
    fn objects_of_stores_have_no_hidden_siblings() {
        let folder = "hidden-siblings";
        for name in ["main.nc", "part", ".aws/credentials", "a/.b/c", "a/d"] {
            let bytes = b"part".as_slice().into();
            block_on(crate::put_in_memory(&format!("{folder}/{name}"), bytes)).unwrap();
        }
        let open = |allowed: &[String]| {
            let location = Location::parse(&format!("memory://{folder}/main.nc")).unwrap();
            let options = OpenOptions::default().with_allowed_outside(allowed);
            block_on(Stores::default().open(&location, &options)).unwrap().source
        };
        let whole = format!("memory://{folder}");
        for allowed in [vec![], vec![whole.clone()], vec!["memory://".to_owned()]] {
            let source = open(&allowed);
            for path in [".aws/credentials", "a/.b/c", "./a/../.aws/credentials", ".absent"] {
                let error = block_on(source.open_sibling(path)).unwrap_err();
                assert_eq!(error.kind, SourceErrorKind::NotAllowed, "{path}: {error}");
                assert!(block_on(source.open_optional(path)).unwrap().is_none());
            }
            assert!(block_on(source.open_sibling("a/d")).is_ok());
        }
        let source = open(&[format!("{whole}/.aws")]);
        assert!(block_on(source.open_sibling(".aws/credentials")).is_ok());
        assert!(block_on(source.open_sibling("a/.b/c")).is_err());
    }
}
