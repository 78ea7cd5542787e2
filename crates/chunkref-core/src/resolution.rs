// SPDX-License-Identifier: MIT OR Apache-2.0
//! What helps against a fault, as data: libraries say it neutrally, and each front-end names its own option for it.
//!
//! ```
//! use chunkref_core::{Advice, Cancelled, Resolution};
//!
//! let late = Cancelled::TimedOut(std::time::Duration::from_secs(1));
//! assert_eq!(Resolution::in_chain(&late), [Resolution::Deadline]);
//! let spelling = |resolution: &Resolution| match resolution {
//!     Resolution::Deadline => Some("deadline=…".to_owned()),
//!     _ => None,
//! };
//! assert_eq!(Resolution::Deadline.to_string(), "allow more time");
//! assert_eq!(Resolution::Deadline.in_words(&spelling), "allow more time (deadline=…)");
//! ```

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display};

use crate::{OnConflict, redact};

/// What whoever asked for the work can do about a fault. `Display` says it without naming an option of any front-end.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// Let sets and files name what begins like this: errors of kind [`crate::SourceErrorKind::NotAllowed`] have it.
    Allow {
        /// The object, as it is named.
        object: String,
        /// What to allow: a URL, or the path of a file.
        allow: String,
    },
    /// Let scanned files name other files in this folder.
    AllowOutside {
        /// The folder: a path or a URL.
        folder: String,
    },
    /// Read without credentials.
    Anonymous,
    /// Let references hold URLs that contain credentials.
    KeepQuery,
    /// Set an option of the store.
    StorageOption {
        /// Its name, with the store in front where it is for one of several.
        name: String,
    },
    /// Allow more time.
    Deadline,
    /// Say where the coordinates of a dimension come from.
    Concat {
        /// The dimension.
        dimension: String,
    },
    /// Put the inputs in the order of their coordinates.
    Sort,
    /// Keep the first input's variable, unchecked.
    Identical {
        /// The variable.
        variable: String,
    },
    /// Deal with conflicts in this way.
    OnConflict(OnConflict),
    /// Take one of the inputs that have the same coordinates there.
    Duplicates,
    /// Let gaps read as the fill value.
    FillMissing,
    /// Leave out the inputs that are named.
    LeaveOut,
    /// Combine the inputs along one more dimension.
    AnotherDimension,
}

/// How a front-end names the option for a resolution; `None` where it has none.
pub type Spelling<'a> = &'a dyn Fn(&Resolution) -> Option<String>;

impl Resolution {
    /// No option: what libraries say.
    #[must_use]
    pub fn unspelled(&self) -> Option<String> {
        None
    }

    /// The advice with the option of a front-end.
    #[must_use]
    pub fn in_words(&self, spelling: Spelling<'_>) -> String {
        match spelling(self) {
            Some(option) => format!("{self} ({option})"),
            None => self.to_string(),
        }
    }

    /// Several pieces of advice, each of which helps.
    #[must_use]
    pub fn all_in_words(resolutions: &[Self], spelling: Spelling<'_>) -> String {
        let words: Vec<_> = resolutions.iter().map(|one| one.in_words(spelling)).collect();
        words.join("; or ")
    }

    /// All advice that an error and its causes carry, in their order.
    #[must_use]
    pub fn in_chain(error: &(dyn Error + 'static)) -> Vec<Self> {
        let mut found = Vec::new();
        let mut next = Some(error);
        while let Some(fault) = next {
            if let Some(advice) = fault.downcast_ref::<Advice>() {
                found.extend_from_slice(advice.resolutions());
            }
            next = fault.source();
        }
        found
    }
}

impl Display for Resolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = match self {
            Self::Allow { allow, .. } => return write!(formatter, "allow {}", redact(allow)),
            Self::AllowOutside { folder } => {
                return write!(
                    formatter,
                    "allow scanned files to name files in {}",
                    redact(folder)
                );
            }
            Self::StorageOption { name } => {
                return write!(formatter, "set the storage option {name}");
            }
            Self::Concat { dimension } => {
                return write!(formatter, "give the source of the coordinates of {dimension}");
            }
            Self::Identical { variable } => {
                return write!(formatter, "keep {variable} of the first input, unchecked");
            }
            Self::Anonymous => "read it without credentials, if it is public",
            Self::KeepQuery => "keep the URL as it is, if the references may hold it",
            Self::Deadline => "allow more time",
            Self::Sort => "sort the inputs by their coordinates",
            Self::OnConflict(OnConflict::Error) => "combine nothing",
            Self::OnConflict(OnConflict::SkipFile) => {
                "leave out the inputs that differ from the first"
            }
            Self::OnConflict(OnConflict::SkipVariable) => "leave the variable out",
            Self::OnConflict(OnConflict::Skip) => "leave out inputs, and variables too",
            Self::OnConflict(OnConflict::First) => "take the first input's for all",
            Self::Duplicates => "take one of them at each of these coordinates",
            Self::FillMissing => "let variables read as their fill value there",
            Self::LeaveOut => "leave those inputs out",
            Self::AnotherDimension => "combine the inputs along one more dimension",
        };
        formatter.write_str(fixed)
    }
}

impl Debug for Resolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Resolution({self})")
    }
}

/// Advice as a cause of an error; it is found by [`Resolution::in_chain`].
#[derive(Debug)]
pub struct Advice {
    resolutions: Cow<'static, [Resolution]>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Advice {
    /// Advice that is known beforehand.
    #[must_use]
    pub const fn fixed(resolutions: &'static [Resolution]) -> Self {
        Self { resolutions: Cow::Borrowed(resolutions), cause: None }
    }

    /// Advice about a fault, with what it comes from.
    #[must_use]
    pub fn new(
        resolutions: impl Into<Vec<Resolution>>,
        cause: Option<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { resolutions: Cow::Owned(resolutions.into()), cause }
    }

    /// What helps; each of them does.
    #[must_use]
    pub fn resolutions(&self) -> &[Resolution] {
        &self.resolutions
    }
}

impl Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Resolution::all_in_words(&self.resolutions, &Resolution::unspelled))
    }
}

impl Error for Advice {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceError, SourceErrorKind};

    #[test]
    fn advice_is_found_behind_any_error_and_outlives_a_copy() {
        let kind = SourceErrorKind::NotAllowed;
        let fault = SourceError {
            kind,
            location: "s3://b/a".to_owned(),
            message: "no".to_owned(),
            source: Some("the cause".into()),
        };
        let allow = Resolution::Allow {
            object: "s3://b/a".to_owned(),
            allow: "s3://b/?X-Amz-Signature=hidden".to_owned(),
        };
        let fault = fault.with_resolution(allow.clone()).with_resolution(Resolution::Anonymous);
        let copy = fault.duplicate();
        for error in [&fault, &copy] {
            assert_eq!(Resolution::in_chain(error), [Resolution::Anonymous, allow.clone()]);
        }
        assert!(!format!("{allow} {allow:?} {fault:?}").contains("hidden"));
        assert!(Resolution::in_chain(&std::io::Error::other("x")).is_empty());
    }
}
