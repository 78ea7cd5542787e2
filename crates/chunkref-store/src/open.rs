// SPDX-License-Identifier: MIT OR Apache-2.0
//! How one object is opened.

use chunkref_model::ObjectVersion;

/// How one object is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Folders, as local paths or URLs, that objects may be in which an opened one names; its own is allowed in any case.
    pub allow_outside: Vec<String>,
    /// The version that the object must be of. Where it says enough to be asked for, opening makes no request, and
    /// nothing that is read is kept.
    pub expected: Option<ObjectVersion>,
    /// Whether the object stays open: then the time for reading begins anew with each read, not once with the opening.
    pub kept_open: bool,
}

impl OpenOptions {
    /// The same options with these folders allowed.
    #[must_use]
    pub fn with_allowed_outside(
        mut self,
        folders: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.allow_outside = folders.into_iter().map(Into::into).collect();
        self
    }

    /// The same options for an object that stays open, or does not.
    #[must_use]
    pub fn with_kept_open(mut self, kept_open: bool) -> Self {
        self.kept_open = kept_open;
        self
    }

    /// The same options for this version of the object only.
    #[must_use]
    pub fn with_expected(mut self, version: Option<ObjectVersion>) -> Self {
        self.expected = version;
        self
    }
}
