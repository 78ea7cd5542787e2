// SPDX-License-Identifier: MIT OR Apache-2.0
//! One object, read in single ranges.

use std::fmt::Debug;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{SourceError, SourceErrorKind, redact};
use chunkref_model::ObjectVersion;

/// A part of an object, and the version that it is of.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    pub(crate) version: ObjectVersion,
}

/// One object, read in single ranges, by requests on the running task's meter.
#[async_trait]
pub(crate) trait ObjectReader: Send + Sync + Debug {
    /// Reads `range`, or what there is of it at the object's end; of the version `known`, if there is one.
    async fn fetch(
        &self,
        range: Range<u64>,
        known: Option<&ObjectVersion>,
    ) -> Result<Part, SourceError>;
}

/// The tag to ask for with `If-Match`. A weak one matches nothing there (RFC 9110, 13.1.1).
pub(crate) fn strong_tag(version: &ObjectVersion) -> Option<&str> {
    version.e_tag.as_deref().filter(|tag| !tag.starts_with("W/"))
}

/// Whether both may be the same version of an object: what only one of them knows is no difference.
pub(crate) fn same_version(a: &ObjectVersion, b: &ObjectVersion) -> bool {
    fn agree<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.zip(b).is_none_or(|(a, b)| a == b)
    }
    a.length == b.length
        && agree(a.e_tag.as_ref(), b.e_tag.as_ref())
        && agree(a.last_modified.as_ref(), b.last_modified.as_ref())
}

/// An error of an object, without the secrets of its location.
pub(crate) fn error(
    kind: SourceErrorKind,
    location: &str,
    message: impl Into<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> SourceError {
    SourceError { kind, location: redact(location).into_owned(), message: message.into(), source }
}

pub(crate) fn changed(location: &str) -> SourceError {
    let message =
        "the object was changed or replaced while it was read: scan it again when it is complete";
    error(SourceErrorKind::Changed, location, message, None)
}

/// An object that is not of the version that was asked for.
pub(crate) fn replaced(location: &str) -> SourceError {
    let message = "the object is not the one that the references were made of: scan it again";
    error(SourceErrorKind::Changed, location, message, None)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn versions_differ_only_in_what_both_know() {
        let known = ObjectVersion {
            length: 5,
            e_tag: Some("\"a\"".to_owned()),
            last_modified: Some(SystemTime::UNIX_EPOCH),
        };
        let bare = ObjectVersion { length: 5, ..ObjectVersion::default() };
        assert!(same_version(&known, &bare) && same_version(&known, &known));
        let tagged = ObjectVersion { e_tag: Some("\"b\"".to_owned()), ..bare.clone() };
        assert!(!same_version(&known, &tagged) && same_version(&bare, &tagged));
        assert!(!same_version(&bare, &ObjectVersion::default()));
        let weak = ObjectVersion { e_tag: Some("W/\"b\"".to_owned()), ..bare };
        assert_eq!((strong_tag(&known), strong_tag(&weak)), (Some("\"a\""), None));
    }
}
