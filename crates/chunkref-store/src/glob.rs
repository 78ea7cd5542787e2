// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patterns expanded to the objects that they match.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chunkref_core::{SourceError, SourceErrorKind};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use glob::{MatchOptions, Pattern};
use url::Url;

use crate::bucket::{Bucket, Listing};
use crate::location::{Location, split_scheme};
use crate::meter::Caller;
use crate::reader::error;
use crate::runtime::{self, Lost};
use crate::storage_options::{Credentials, Family};
use crate::stores::{Stores, bucket_key, bucket_root, family};
use crate::web::Web;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Folders of web servers that are looked into for one pattern.
const MOST_FOLDERS: usize = 100_000;

impl Stores {
    /// The locations that `text` names: itself, or all objects that match it when it is a pattern (`*`, `?`, `[a-z]`, and
    /// `**` for folders of any depth), in natural order, so that `f2` comes before `f10`. A local file whose very name is
    /// `text` comes before any pattern; on the web `?` begins a query. Buckets are listed from the longest beginning that
    /// holds no wildcard; of web servers, the pages of folders are read.
    ///
    /// # Errors
    /// [`SourceErrorKind::NotFound`] when a pattern matches nothing, [`SourceErrorKind::InvalidLocation`] when it is not a
    /// pattern, other kinds when a folder or bucket cannot be listed.
    pub async fn expand(&self, text: &str) -> Result<Vec<Location>, SourceError> {
        let mut locations = match split_scheme(text) {
            None => local(text, text)?,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
                local(rest.strip_prefix("localhost").unwrap_or(rest), text)?
            }
            Some(_) => self.remote(text).await?,
        };
        if locations.is_empty() {
            let message = if text.contains('[') {
                "no object matches this pattern; a [ that is part of a name is written [[]"
            } else {
                "no object matches this pattern"
            };
            return Err(error(SourceErrorKind::NotFound, text, message, None));
        }
        locations.sort_by(|a, b| natural_order(a.url(), b.url()));
        locations.dedup();
        Ok(locations)
    }

    async fn remote(&self, text: &str) -> Result<Vec<Location>, SourceError> {
        let location = Location::parse(text)?;
        let family = family(&location)?;
        let root = bucket_root(&location);
        if root.contains('*') {
            let message = "a pattern may match objects, not buckets or hosts: write those out";
            return Err(error(SourceErrorKind::InvalidLocation, text, message, None));
        }
        let key = bucket_key(&location);
        let key =
            if family == Family::Web { key.split(['?', '#']).next().unwrap_or(key) } else { key };
        if !is_wild(key, family) {
            return Ok(vec![location]);
        }
        let root = if family == Family::Memory { root.to_owned() } else { format!("{root}/") };
        let whole = pattern(key, text)?;
        let place = match family {
            Family::Web => Place::Web(self.web()?),
            _ => Place::Bucket(self.bucket(&location, Credentials::All)?),
        };
        let search = Search {
            place,
            root: root.clone(),
            text: location.to_string(),
            key: key.to_owned(),
            whole,
        };
        let outcome = runtime::run(&Caller::default(), None, search.run()).await;
        let keys = outcome.map_err(|lost| {
            let cause = match lost {
                Lost::Late => None,
                Lost::Failed(cause) => Some(cause.into()),
            };
            error(SourceErrorKind::Io, text, "the objects cannot be listed", cause)
        })??;
        // Brackets alone may be letters of a key.
        let literal = !key.contains('*') && (family == Family::Web || !key.contains('?'));
        if keys.is_empty() && literal {
            return Ok(vec![location]);
        }
        keys.into_iter().map(|key| Ok(location.with_url(format!("{root}{key}")))).collect()
    }
}

/// Where a pattern is looked for.
enum Place {
    Bucket(Bucket),
    Web(std::sync::Arc<Web>),
}

/// A pattern and where it is looked for.
struct Search {
    place: Place,
    /// Scheme and bucket or host, with a slash.
    root: String,
    text: String,
    key: String,
    whole: Pattern,
}

impl Search {
    /// The keys that match: folder by folder as far as the pattern has no `**`, then everything below.
    async fn run(self) -> Result<Vec<String>, SourceError> {
        let segments: Vec<&str> = self.key.split('/').collect();
        let mut found = Vec::new();
        let mut under_way = FuturesUnordered::new();
        under_way.push(self.step(String::new(), 0, &segments));
        let mut folders: usize = 0;
        while let Some(step) = under_way.next().await {
            let (keys, deeper) = step?;
            found.extend(keys);
            folders = folders.saturating_add(deeper.len());
            if folders > MOST_FOLDERS {
                let message = format!(
                    "more than {MOST_FOLDERS} folders have to be looked into for this pattern: write out more of its beginning"
                );
                return Err(error(SourceErrorKind::InvalidLocation, &self.text, message, None));
            }
            for (folder, depth) in deeper {
                under_way.push(self.step(folder, depth, &segments));
            }
        }
        Ok(found)
    }

    /// What matches in `folder`, which is below the first `depth` segments of the pattern: keys, and folders with their
    /// depths to go on with.
    async fn step(
        &self,
        mut folder: String,
        mut depth: usize,
        segments: &[&str],
    ) -> Result<(Vec<String>, Vec<(String, usize)>), SourceError> {
        let last = segments.len().saturating_sub(1);
        while let Some(segment) =
            segments.get(depth).filter(|segment| depth < last && !is_wild(segment, Family::S3))
        {
            folder = format!("{folder}{segment}/");
            depth = depth.saturating_add(1);
        }
        let Some(segment) = segments.get(depth) else { return Ok((Vec::new(), Vec::new())) };
        let any_depth = *segment == "**";
        let beginning = segment.split(['*', '?', '[']).next().unwrap_or_default();
        let listing = self.list(&folder, beginning, any_depth).await?;
        let keys = listing.keys.into_iter().filter(|key| self.matches(key)).collect();
        let deeper = if any_depth {
            // The pages of web servers show one folder each; buckets have given all keys.
            listing.prefixes.into_iter().map(|prefix| (prefix, depth)).collect()
        } else if depth < last {
            let pattern = pattern(segment, &self.text)?;
            let name = |prefix: &str| {
                prefix
                    .strip_prefix(&folder)
                    .map_or("", |name| name.trim_end_matches('/'))
                    .to_owned()
            };
            let inside = |prefix: &String| pattern.matches_with(&decoded(&name(prefix)), OPTIONS);
            let next = depth.saturating_add(1);
            listing.prefixes.into_iter().filter(inside).map(|prefix| (prefix, next)).collect()
        } else {
            Vec::new()
        };
        Ok((keys, deeper))
    }

    async fn list(
        &self,
        folder: &str,
        beginning: &str,
        any_depth: bool,
    ) -> Result<Listing, SourceError> {
        match &self.place {
            Place::Bucket(bucket) => {
                let prefix = format!("{folder}{beginning}");
                bucket.list(&prefix, !any_depth, &self.text).await
            }
            Place::Web(web) => {
                let url = Url::parse(&format!("{}{folder}", self.root)).map_err(|cause| {
                    let message = "this is no URL";
                    error(
                        SourceErrorKind::InvalidLocation,
                        &self.text,
                        message,
                        Some(Box::new(cause)),
                    )
                })?;
                let mut listing = web.list(&url, &self.text).await?;
                for found in [&mut listing.keys, &mut listing.prefixes] {
                    found.retain(|url| url.starts_with(&self.root));
                    for url in found.iter_mut() {
                        *url = url.split_off(self.root.len());
                    }
                }
                Ok(listing)
            }
        }
    }

    fn matches(&self, key: &str) -> bool {
        match &self.place {
            Place::Bucket(_) => self.whole.matches_with(key, OPTIONS),
            // A person may have written the pattern either way.
            Place::Web(_) => {
                self.whole.matches_with(&decoded(key), OPTIONS)
                    || self.whole.matches_with(key, OPTIONS)
            }
        }
    }
}

/// A part of a web address as a person writes it.
fn decoded(text: &str) -> String {
    crate::location::percent_decode(text).unwrap_or_else(|| text.to_owned())
}

fn is_wild(text: &str, family: Family) -> bool {
    text.contains(['*', '[']) || (family != Family::Web && text.contains('?'))
}

fn pattern(text: &str, location: &str) -> Result<Pattern, SourceError> {
    Pattern::new(text).map_err(|cause| {
        let message =
            "this pattern cannot be read: write [*] for a star itself, and ** only as a whole folder";
        error(SourceErrorKind::InvalidLocation, location, message, Some(Box::new(cause)))
    })
}

/// The local files that a path or pattern names.
fn local(path: &str, text: &str) -> Result<Vec<Location>, SourceError> {
    if !is_wild(path, Family::Local) || Path::new(path).symlink_metadata().is_ok() {
        return Ok(vec![Location::parse(text)?]);
    }
    pattern(path, text)?;
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // Several of them find what one finds.
    parts.dedup_by(|next, part| *next == "**" && *part == "**");
    let mut found = Vec::new();
    walk(Path::new(root), &parts, text, &mut found)?;
    found.iter().map(|path| Location::from_path(path)).collect()
}

/// The files below a folder that match the parts of a pattern.
fn walk(
    folder: &Path,
    parts: &[&str],
    text: &str,
    found: &mut Vec<PathBuf>,
) -> Result<(), SourceError> {
    let Some((&part, rest)) = parts.split_first() else { return Ok(()) };
    if !is_wild(part, Family::Local) {
        let path = folder.join(part);
        if rest.is_empty() {
            found.extend(Some(path).filter(|path| path.exists() && !path.is_dir()));
            return Ok(());
        }
        return if path.is_dir() { walk(&path, rest, text, found) } else { Ok(()) };
    }
    let all_below = part == "**";
    if all_below && !rest.is_empty() {
        walk(folder, rest, text, found)?;
    }
    let wanted = pattern(part, text)?;
    for (name, is_folder, is_link) in names_in(folder, text)? {
        let shown = name.to_string_lossy();
        if !wanted.matches_with(&shown, OPTIONS) {
            continue;
        }
        let path = folder.join(&name);
        if is_folder && all_below && !is_link {
            walk(&path, parts, text, found)?;
        } else if is_folder && !all_below {
            walk(&path, rest, text, found)?;
        } else if !is_folder && rest.is_empty() {
            if name.to_str().is_none() {
                let message = format!(
                    "the name {shown:?} in {} is not UTF-8, which references are: rename the file",
                    folder.display()
                );
                return Err(error(SourceErrorKind::InvalidLocation, text, message, None));
            }
            found.push(path);
        }
    }
    Ok(())
}

/// The names in a folder, in order, each with whether it is a folder, and one behind a symbolic link. A folder that is not
/// there has none.
fn names_in(folder: &Path, text: &str) -> Result<Vec<(OsString, bool, bool)>, SourceError> {
    let failed = |cause: std::io::Error| {
        let kind = match cause.kind() {
            std::io::ErrorKind::PermissionDenied => SourceErrorKind::PermissionDenied,
            _ => SourceErrorKind::Io,
        };
        let message = format!("the folder {} cannot be listed", folder.display());
        error(kind, text, message, Some(Box::new(cause)))
    };
    let shown = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match std::fs::read_dir(shown) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_link = entry.file_type().map_err(failed)?.is_symlink();
        names.push((entry.file_name(), entry.path().is_dir(), is_link));
    }
    names.sort();
    Ok(names)
}

/// Order of names in which runs of digits count as numbers; ties fall back to the order of bytes.
#[must_use]
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(&x), Some(&y)) = (left.first(), right.first()) {
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number, left_rest) = split_digits(left);
            let (other, right_rest) = split_digits(right);
            match number.len().cmp(&other.len()).then_with(|| number.cmp(other)) {
                Ordering::Equal => (left, right) = (left_rest, right_rest),
                unequal => return unequal,
            }
        } else if x == y {
            (left, right) = (left.get(1..).unwrap_or_default(), right.get(1..).unwrap_or_default());
        } else {
            return x.cmp(&y);
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits at the start, without leading zeros, and what follows them.
fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or_default();
    let zeros = digits.iter().position(|&byte| byte != b'0').unwrap_or(digits.len());
    (digits.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod odd_names {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_name_that_is_not_utf_8_is_an_error_where_it_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
        for name in [&b"a.nc"[..], b"b\xe9.nc", b".hidden.nc"] {
            std::fs::write(at(name), b"x").unwrap();
        }
        let found = |pattern: &str| {
            let path = format!("{}/{pattern}", folder.path().display());
            local(&path, &path).map(|found| found.len())
        };
        for (pattern, count) in
            [("a*.nc", 1), ("*.txt", 0), ("**/a.nc", 1), ("**/**/a.nc", 1), (".*.nc", 1)]
        {
            assert_eq!(found(pattern).unwrap(), count, "{pattern}");
        }
        for pattern in ["*.nc", "**/*.nc", "**"] {
            let error = found(pattern).unwrap_err();
            assert!(error.message.contains("not UTF-8"), "{pattern}: {error}");
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;

    use futures::executor::block_on;

    use super::*;

    fn expand(text: &str) -> Result<Vec<Location>, SourceError> {
        block_on(Stores::default().expand(text))
    }

    fn names(pattern: &str) -> Vec<String> {
        expand(pattern).unwrap().iter().map(|location| location.file_name().to_owned()).collect()
    }

    #[test]
    fn brackets_that_match_nothing_are_letters_of_a_key() {
        assert_eq!(names("memory://bucket/of[1].nc"), ["of[1].nc"]);
        assert!(expand("memory://bucket/of[1]*.nc").map_or(true, |found| found.is_empty()));
    }

    #[test]
    fn patterns_match_files_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        fs::create_dir_all(folder.path().join("sub/deep.nc")).unwrap();
        for name in
            ["f10.nc", "f9.nc", "f1.nc", ".hidden.nc", "other.h5", "sub/f2.nc", "sub/deep.nc/f3.nc"]
        {
            fs::write(folder.path().join(name), b"x").unwrap();
        }
        assert_eq!(names(&format!("{root}/*.nc")), ["f1.nc", "f9.nc", "f10.nc"]);
        assert_eq!(names(&format!("file://{root}/f?.nc")), ["f1.nc", "f9.nc"]);
        assert_eq!(
            names(&format!("{root}/**/*.nc")),
            ["f1.nc", "f9.nc", "f10.nc", "f3.nc", "f2.nc"]
        );
        assert_eq!(names(&format!("{root}/f[19].nc")), ["f1.nc", "f9.nc"]);
        fs::write(folder.path().join("f[19].nc"), b"x").unwrap();
        assert_eq!(
            names(&format!("{root}/f[19].nc")),
            ["f[19].nc"],
            "a file of the very name comes first"
        );
    }

    #[test]
    fn no_match_and_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display().to_string();
        let kind = |text: &str| expand(text).unwrap_err().kind;
        assert_eq!(kind(&format!("{root}/*.nc")), SourceErrorKind::NotFound);
        assert_eq!(kind(&format!("{root}/a**b")), SourceErrorKind::InvalidLocation);
        assert_eq!(names("/absent/x.nc"), ["x.nc"], "what is no pattern is not looked for");
        assert_eq!(expand("s3://bucket/a.nc").unwrap()[0].url(), "s3://bucket/a.nc");
        assert_eq!(kind("s3://buck*/a.nc"), SourceErrorKind::InvalidLocation);
    }

    #[test]
    fn keys_are_matched_folder_by_folder() {
        for key in [
            "2020/210/00/f10.nc",
            "2020/210/00/f9.nc",
            "2020/210/01/f1.nc",
            "2020/211/00/f1.nc",
            "2020/210/00/deep/f3.nc",
            "2020/210/f0.nc",
            "x.nc",
        ] {
            block_on(crate::put_in_memory(&format!("glob/{key}"), b"x".as_slice().into())).unwrap();
        }
        let keys = |pattern: &str| -> Vec<String> {
            let found = expand(&format!("memory://glob/{pattern}")).unwrap();
            found.iter().map(|found| found.url().replace("memory://glob/", "")).collect()
        };
        assert_eq!(
            keys("2020/210/*/*.nc"),
            ["2020/210/00/f9.nc", "2020/210/00/f10.nc", "2020/210/01/f1.nc"]
        );
        assert_eq!(
            keys("2020/2?0/**/f[0-3].nc"),
            ["2020/210/00/deep/f3.nc", "2020/210/01/f1.nc", "2020/210/f0.nc"]
        );
        assert_eq!(keys("**/f9.nc"), ["2020/210/00/f9.nc"]);
        assert_eq!(keys("20*/*/00/f1.nc"), ["2020/211/00/f1.nc"]);
        let none = expand("memory://glob/2021/*.nc").unwrap_err();
        assert_eq!(none.kind, SourceErrorKind::NotFound);
    }

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["a10b2", "a2b10", "a2", "a02", "a2b9", "b", "a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a02", "a2", "a2b9", "a2b10", "a10b2", "b"]);
    }
}
