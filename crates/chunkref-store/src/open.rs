// SPDX-License-Identifier: MIT OR Apache-2.0
//! A location opened, by its scheme.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use chunkref_core::{ByteSource, SourceError, SourceErrorKind};

use crate::local::LocalSource;
use crate::location::Location;

type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<Box<dyn ByteSource>, SourceError>> + Send + 'a>>;

/// How to open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Folders of this machine that files may be in which an opened one names; its own is allowed in any case.
    pub allow_outside: Vec<PathBuf>,
}

impl OpenOptions {
    /// The same options with these folders allowed.
    #[must_use]
    pub fn with_allowed_outside(
        mut self,
        folders: impl IntoIterator<Item = impl Into<PathBuf>>,
    ) -> Self {
        self.allow_outside = folders.into_iter().map(Into::into).collect();
        self
    }
}

/// How the locations of some schemes are opened.
struct Opener {
    schemes: &'static [&'static str],
    open: for<'a> fn(&'a Location, &'a OpenOptions) -> Opening<'a>,
}

const OPENERS: &[Opener] = &[
    Opener { schemes: &["file"], open: open_local },
    Opener {
        schemes: &["s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "http", "https"],
        open: |location, _| {
            Box::pin(async move {
                let message = "object stores and the web are not supported by this build yet: copy the file here first";
                Err(refuse(location, message.to_owned()))
            })
        },
    },
];

/// Opens the object at a location.
///
/// # Errors
/// [`SourceError`] when there is none, it must not be read, or its scheme is not one of this build's.
pub async fn open(
    location: &Location,
    options: &OpenOptions,
) -> Result<Box<dyn ByteSource>, SourceError> {
    if let Some(opener) = OPENERS.iter().find(|opener| opener.schemes.contains(&location.scheme()))
    {
        return (opener.open)(location, options).await;
    }
    let known: Vec<_> = OPENERS.iter().flat_map(|opener| opener.schemes).copied().collect();
    let message =
        format!("unknown scheme {:?}: the known ones are {}", location.scheme(), known.join(", "));
    Err(refuse(location, message))
}

fn open_local<'a>(location: &'a Location, options: &'a OpenOptions) -> Opening<'a> {
    Box::pin(async move {
        let source = LocalSource::open(location.clone())?.with_allowed(&options.allow_outside);
        Ok(Box::new(source) as Box<dyn ByteSource>)
    })
}

fn refuse(location: &Location, message: String) -> SourceError {
    SourceError {
        kind: SourceErrorKind::InvalidLocation,
        location: location.url().to_owned(),
        message,
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn every_scheme_has_an_answer() {
        let manifest = Location::parse("Cargo.toml").unwrap();
        assert!(block_on(open(&manifest, &OpenOptions::default())).unwrap().version().length > 0);
        for url in ["s3://bucket/key", "gs://bucket/key", "az://container/key", "https://host/x"] {
            let error = block_on(open(&Location::parse(url).unwrap(), &OpenOptions::default()))
                .unwrap_err();
            assert!(error.to_string().contains("not supported by this build yet"), "{error}");
        }
        let error =
            block_on(open(&Location::parse("gopher://host/x").unwrap(), &OpenOptions::default()))
                .unwrap_err();
        assert!(
            error.to_string().contains("gopher") && error.to_string().contains("file, s3"),
            "{error}"
        );
    }

    #[test]
    fn no_scheme_has_two_openers() {
        let mut schemes: Vec<_> = OPENERS.iter().flat_map(|opener| opener.schemes).collect();
        let count = schemes.len();
        schemes.sort_unstable();
        schemes.dedup();
        assert_eq!(schemes.len(), count);
    }
}
