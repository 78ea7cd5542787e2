// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a location to a scan.

use std::sync::OnceLock;

use bytes::Bytes;
use chunkref_core::{
    ByteSource, MemorySource, OptionError, Registry, Scan, ScanError, ScanErrorKind, ScanOptions,
    ScannerEntry,
};
use chunkref_store::{Cost, Location, OpenOptions, StorageOptions, StoreOptions, Stores};

/// Scans the object at a path or URL with the formats that are linked in. Options of stores are those of the environment
/// ([`stores`]); [`scan_at`] takes others.
///
/// Local files are read where the future is polled, and requests run on threads of their own, so any executor does.
///
/// # Errors
/// [`ScanError`] when it cannot be read, is of no known format, or is broken as a whole.
pub async fn scan(url: &str, options: &ScanOptions) -> Result<Scan, ScanError> {
    let location = Location::parse(url).map_err(|error| ScanError::from_source(error, None))?;
    scan_at(&stores(), &location, options).await.0
}

/// The stores of this process: with the options that variables `CHUNKREF_STORAGE_…` of the environment set.
#[must_use]
pub fn stores() -> Stores {
    static STORES: OnceLock<Stores> = OnceLock::new();
    let made = STORES.get_or_init(|| {
        let mut options = StoreOptions::default();
        options.storage =
            StorageOptions::from_environment(std::env::vars_os().filter_map(|(name, value)| {
                Some((name.into_string().ok()?, value.into_string().ok()?))
            }));
        Stores::new(options)
    });
    made.clone()
}

/// Scans the object at a location, through these stores, and says what reading cost.
///
/// # Errors
/// [`ScanError`] when it cannot be read, is of no known format, or is broken as a whole.
pub async fn scan_at(
    stores: &Stores,
    location: &Location,
    options: &ScanOptions,
) -> (Result<Scan, ScanError>, Cost) {
    let options = &options_within(stores, options);
    let opening = OpenOptions::default().with_allowed_outside(&options.allow_outside);
    let opened = match stores.open(location, &opening).await {
        Ok(opened) => opened,
        Err(error) => return (Err(ScanError::from_source(error, None)), Cost::default()),
    };
    let outcome = scan_source(&opened.source, options).await;
    (outcome, opened.cost())
}

/// The same options, for one scan that begins now: what computes ends with the deadline of what `stores` read, or when they
/// are cancelled.
#[must_use]
pub fn options_within(stores: &Stores, options: &ScanOptions) -> ScanOptions {
    let cancellation = options.cancellation.or(&stores.cancellation());
    options.clone().with_cancellation(cancellation)
}

/// Scans a file in memory; `location` is what references call it.
///
/// # Errors
/// [`ScanError`] when it is of no known format, or is broken as a whole.
pub async fn open(bytes: Bytes, location: &str, options: &ScanOptions) -> Result<Scan, ScanError> {
    scan_source(&MemorySource::new(location, bytes), options).await
}

/// Scans what `source` reads with the formats that are linked in.
///
/// # Errors
/// [`ScanError`] when it is of no known format, or is broken as a whole.
pub async fn scan_source(
    source: &dyn ByteSource,
    options: &ScanOptions,
) -> Result<Scan, ScanError> {
    let registry = registry().map_err(|error| refuse(source, error))?;
    scan_with(&registry, source, options).await
}

/// Scans what `source` reads with the formats of `registry`.
///
/// # Errors
/// [`ScanError`] when it is of no format of the registry, or is broken as a whole.
pub async fn scan_with(
    registry: &Registry,
    source: &dyn ByteSource,
    options: &ScanOptions,
) -> Result<Scan, ScanError> {
    validate(registry, options).map_err(|error| refuse(source, error))?;
    let entry = choose(registry, source, options).await?;
    entry.scan(source, options).await
}

/// The formats that are linked in.
///
/// # Errors
/// [`OptionError::Format`] when two of them share a name.
pub fn registry() -> Result<Registry, OptionError> {
    Ok(Registry::linked()?)
}

/// The format that `source` is scanned as: the one that the options name, else the one whose signature it has.
///
/// # Errors
/// [`ScanError`] when there is no such format, or no single one, or the head of the object cannot be read.
pub async fn choose<'a>(
    registry: &'a Registry,
    source: &dyn ByteSource,
    options: &ScanOptions,
) -> Result<&'a ScannerEntry, ScanError> {
    match &options.format {
        Some(name) => registry.by_name(name).map_err(|error| refuse(source, error.into())),
        None => registry.detect_source(source).await,
    }
}

/// Checks the format's name and the format options before anything is read. An option of a format that a file turns out
/// not to be in is allowed, so that one command line serves files of several formats.
///
/// # Errors
/// [`OptionError`] with the names or values that there are.
pub fn validate(registry: &Registry, options: &ScanOptions) -> Result<(), OptionError> {
    registry.check(options)
}

fn refuse(source: &dyn ByteSource, error: OptionError) -> ScanError {
    ScanError::new(ScanErrorKind::InvalidOption, source.location(), error)
}

#[cfg(test)]
mod tests {
    use chunkref_core::{Scanner, SourceErrorKind};
    use chunkref_testkit::{FailingSource, toy};
    use futures::executor::block_on;

    use super::*;

    fn toy_registry() -> Registry {
        Registry::from_entries([toy::ENTRY]).unwrap()
    }

    fn scan_toy(options: &ScanOptions) -> Result<Scan, ScanError> {
        let source = MemorySource::new("memory://a.toy", toy::file(&[("a", &[4, 5])]));
        block_on(scan_with(&toy_registry(), &source, options))
    }

    #[test]
    fn a_format_is_found_by_signature_and_by_name() {
        let by_signature = scan_toy(&ScanOptions::default()).unwrap();
        assert_eq!(by_signature.dataset.arrays().len(), 1);
        assert_eq!(scan_toy(&ScanOptions::default().with_format("toy")).unwrap(), by_signature);
        let error = scan_toy(&ScanOptions::default().with_format("grib2")).unwrap_err();
        assert_eq!(error.kind, ScanErrorKind::InvalidOption);
        assert!(
            error.source.to_string().contains("\"grib2\"")
                && error.source.to_string().contains("toy")
        );
    }

    /// A scanner that takes what it could not read for what is not there.
    struct Careless;

    #[async_trait::async_trait]
    impl Scanner for Careless {
        fn entry(&self) -> &'static ScannerEntry {
            &CARELESS
        }

        async fn scan(&self, source: &dyn ByteSource, _: &ScanOptions) -> Result<Scan, ScanError> {
            for place in 0..3 {
                let _ = source.read_many(std::slice::from_ref(&(place..place + 1))).await;
            }
            let _ = source.open_sibling("beside").await;
            Ok(Scan::new(chunkref_model::Dataset::new()))
        }
    }

    static CARELESS: ScannerEntry = toy::ENTRY.with_scanner(|| Box::new(Careless));

    #[test]
    fn no_scanner_hides_a_failing_source() {
        let registry = Registry::from_entries([CARELESS]).unwrap();
        let options = ScanOptions::default().with_format("toy");
        let scan = |sound: u64, kind: SourceErrorKind| {
            let object = MemorySource::new("memory://a.toy", toy::file(&[("a", &[4, 5])]));
            let source = FailingSource::once(object, sound, kind);
            block_on(scan_with(&registry, &source, &options))
        };
        for kind in [SourceErrorKind::Io, SourceErrorKind::TimedOut, SourceErrorKind::Changed] {
            for sound in 0..4 {
                let error = scan(sound, kind).unwrap_err();
                assert_eq!(error.kind, ScanErrorKind::from(kind), "{sound}");
                assert_eq!((error.format, &*error.location), (Some("toy"), "memory://a.toy"));
                assert!(error.source.to_string().contains(&format!("operation {sound}")));
            }
            assert!(scan(4, kind).is_ok());
        }
        assert!(scan(3, SourceErrorKind::NotFound).is_ok());
    }

    #[test]
    fn options_are_checked_by_name_and_value() {
        let with = |name: &str, value: &str| {
            validate(&toy_registry(), &ScanOptions::default().with_format_option(name, value))
        };
        assert_eq!(with("toy.order", "big"), Ok(()));
        assert_eq!(with("toy.label", "anything at all"), Ok(()));
        let error = with("toy.colour", "red").unwrap_err().to_string();
        assert!(error.contains("toy.colour") && error.contains("toy.order, toy.label"), "{error}");
        let error = with("toy.order", "middle").unwrap_err().to_string();
        assert!(error.contains("\"middle\"") && error.contains("little, big"), "{error}");
        let error = scan_toy(&ScanOptions::default().with_format_option("x", "y")).unwrap_err();
        assert_eq!(error.kind, ScanErrorKind::InvalidOption);
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let kind = |url: &str| block_on(scan(url, &ScanOptions::default())).unwrap_err().kind;
        assert_eq!(kind("/absent/x.nc"), ScanErrorKind::NotFound);
        assert_eq!(kind("Cargo.toml"), ScanErrorKind::UnknownFormat);
        assert_eq!(kind("src"), ScanErrorKind::Io);
        let empty =
            block_on(open(Bytes::new(), "memory://empty", &ScanOptions::default())).unwrap_err();
        assert!(empty.source.to_string().contains("it is empty"));
    }
}
