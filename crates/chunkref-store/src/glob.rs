// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patterns expanded to the objects that they match.

use std::cmp::Ordering;
use std::path::Path;

use chunkref_core::{SourceError, SourceErrorKind};

use crate::location::{Location, split_scheme};

/// The locations that `text` names: itself, or all files that match it when it is a pattern (`*`, `?`, `[a-z]`, and
/// `**` for folders of any depth), in natural order, so that `f2` comes before `f10`. A file whose very name is `text`
/// comes before any pattern.
///
/// # Errors
/// [`SourceErrorKind::NotFound`] when a pattern matches nothing, [`SourceErrorKind::InvalidLocation`] when it is not a
/// pattern, [`SourceErrorKind::Io`] or [`SourceErrorKind::PermissionDenied`] when a folder cannot be listed.
pub fn expand(text: &str) -> Result<Vec<Location>, SourceError> {
    let pattern = match split_scheme(text) {
        None => text,
        Some(("file", rest)) => rest.strip_prefix("localhost").unwrap_or(rest),
        Some(_) => return Ok(vec![Location::parse(text)?]),
    };
    if !pattern.contains(['*', '?', '[']) || Path::new(pattern).symlink_metadata().is_ok() {
        return Ok(vec![Location::parse(text)?]);
    }
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(pattern, options).map_err(|cause| SourceError {
        kind: SourceErrorKind::InvalidLocation,
        location: text.to_owned(),
        message: "this pattern cannot be read: write [*] for a star itself, and ** only as a whole folder".to_owned(),
        source: Some(Box::new(cause)),
    })?;
    let mut locations = Vec::new();
    for path in paths {
        let path = path.map_err(|cause| SourceError {
            kind: match cause.error().kind() {
                std::io::ErrorKind::PermissionDenied => SourceErrorKind::PermissionDenied,
                _ => SourceErrorKind::Io,
            },
            location: text.to_owned(),
            message: format!("the folder {} cannot be listed", cause.path().display()),
            source: Some(Box::new(cause)),
        })?;
        if !path.is_dir() {
            locations.push(Location::from_path(&path)?);
        }
    }
    if locations.is_empty() {
        return Err(SourceError {
            kind: SourceErrorKind::NotFound,
            location: text.to_owned(),
            message: "no file matches this pattern".to_owned(),
            source: None,
        });
    }
    locations.sort_by(|a, b| natural_order(a.url(), b.url()));
    Ok(locations)
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
#[cfg(unix)]
mod tests {
    use std::fs;

    use super::*;

    fn names(pattern: &str) -> Vec<String> {
        expand(pattern).unwrap().iter().map(|location| location.file_name().to_owned()).collect()
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
        assert_eq!(expand("s3://bucket/*.nc").unwrap()[0].url(), "s3://bucket/*.nc");
    }

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["a10b2", "a2b10", "a2", "a02", "a2b9", "b", "a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "a02", "a2", "a2b9", "a2b10", "a10b2", "b"]);
    }
}
