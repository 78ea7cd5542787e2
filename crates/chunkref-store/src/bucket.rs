// SPDX-License-Identifier: MIT OR Apache-2.0
//! Buckets and containers of object stores.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use chunkref_core::{Resolution, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
};

use crate::aws_profile::Profile;
use crate::reader::{ObjectReader, Part, changed, error, strong_tag};
use crate::storage_options::{Credentials, Family, Meaning, StorageOptions, invalid, meaning};
use crate::transport::{Connector, NoAnswer};

/// The most keys that a pattern is looked for in.
const LONGEST_LISTING: usize = 10_000_000;

/// A bucket, a container, or the objects in memory.
#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    pages: Pages,
}

/// Without the store, which holds credentials.
impl std::fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Bucket").field("pages", &self.pages).finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Pages {
    Paginated(Arc<dyn PaginatedListStore>),
    Plain,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Paginated(_) => "Paginated",
            Self::Plain => "Plain",
        })
    }
}

/// Keys and, below a delimiter, common prefixes.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) keys: Vec<String>,
    pub(crate) prefixes: Vec<String>,
}

impl Bucket {
    /// The bucket of that name. A region is what S3 has said about the bucket, and comes before the options. Without
    /// credentials, nothing of the environment and the machine is asked but where the store is.
    #[expect(clippy::too_many_arguments, reason = "all of what makes one")]
    pub(crate) fn new(
        family: Family,
        scheme: &str,
        name: &str,
        options: &StorageOptions,
        credentials: Credentials,
        anonymous: bool,
        region: Option<&str>,
        connector: Connector,
    ) -> Result<Self, SourceError> {
        let settings = settings(family, options)?;
        let public = credentials == Credentials::None;
        let anonymous = anonymous || public || options.anonymous()?;
        // The transport tries again; two such loops would multiply.
        let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let bucket = match family {
            Family::S3 => {
                let mut builder = s3_builder(&settings, options, anonymous, public)?;
                if let Some(region) = region {
                    builder = builder.with_region(region);
                }
                let builder = builder.with_bucket_name(name).with_allow_http(true);
                builder.with_retry(retry).with_http_connector(connector).build().map(Self::s3)
            }
            Family::Google => {
                let mut builder = if public {
                    GoogleCloudStorageBuilder::new()
                } else {
                    GoogleCloudStorageBuilder::from_env()
                };
                for (setting, value) in &settings {
                    builder = builder.with_config(known::<GoogleConfigKey>(setting)?, value);
                }
                if anonymous {
                    builder = builder.with_skip_signature(true);
                }
                let builder = builder.with_bucket_name(name);
                builder.with_retry(retry).with_http_connector(connector).build().map(Self::google)
            }
            Family::Azure => {
                let environment = MicrosoftAzureBuilder::from_env();
                let mut builder = environment.clone();
                if public {
                    builder = MicrosoftAzureBuilder::new();
                    for key in [AzureConfigKey::AccountName, AzureConfigKey::Endpoint] {
                        if let Some(value) = environment.get_config_value(&key) {
                            builder = builder.with_config(key, value);
                        }
                    }
                }
                let (container, account) = match name.split_once('@') {
                    Some((container, host)) => (container, host.split('.').next()),
                    None => (name, None),
                };
                if let Some(account) = account {
                    builder = builder.with_account(account);
                }
                for (setting, value) in &settings {
                    builder = builder.with_config(known::<AzureConfigKey>(setting)?, value);
                }
                if anonymous {
                    builder = builder.with_skip_signature(true);
                }
                let builder = builder.with_container_name(container).with_allow_http(true);
                builder.with_retry(retry).with_http_connector(connector).build().map(Self::azure)
            }
            Family::Memory => return Ok(Self { store: memory(), pages: Pages::Plain }),
            Family::Local | Family::Web => {
                return Err(invalid(format!("{scheme} has no buckets")));
            }
        };
        bucket.map_err(|cause| {
            let location = format!("{scheme}://{name}");
            let message = format!(
                "the store cannot be set up ({}): check the storage options and the environment",
                Plain::of(&cause)
            );
            error(SourceErrorKind::InvalidOption, &location, message, None)
        })
    }

    fn s3(store: AmazonS3) -> Self {
        let store = Arc::new(store);
        Self { pages: Pages::Paginated(Arc::clone(&store) as _), store }
    }

    fn google(store: GoogleCloudStorage) -> Self {
        let store = Arc::new(store);
        Self { pages: Pages::Paginated(Arc::clone(&store) as _), store }
    }

    fn azure(store: MicrosoftAzure) -> Self {
        let store = Arc::new(store);
        Self { pages: Pages::Paginated(Arc::clone(&store) as _), store }
    }

    /// The object called `key`; `location` is what messages call it.
    pub(crate) fn object(&self, key: &str, location: &str) -> Result<BucketObject, SourceError> {
        let path = Path::parse(key).map_err(|cause| {
            let message = "this key cannot be asked for: it is empty, or has an empty part or one of dots alone";
            error(SourceErrorKind::InvalidLocation, location, message, Some(Box::new(Plain::of(&cause))))
        })?;
        Ok(BucketObject { store: Arc::clone(&self.store), path, location: location.to_owned() })
    }

    /// All keys that begin with `prefix`; with `delimited`, those without a further slash, and the prefixes up to it.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        delimited: bool,
        location: &str,
    ) -> Result<Listing, SourceError> {
        let mut listing = Listing::default();
        let describe = |cause| describe(location, &cause);
        match &self.pages {
            Pages::Plain => {
                let objects = self.store.list(None).map_ok(|object| object.location.to_string());
                let keys: Vec<_> = objects.try_collect().await.map_err(describe)?;
                for key in keys.into_iter().filter(|key| key.starts_with(prefix)) {
                    let rest = key.get(prefix.len()..).unwrap_or_default();
                    match rest.split_once('/') {
                        Some((folder, _)) if delimited => {
                            let folder = format!("{prefix}{folder}/");
                            if !listing.prefixes.contains(&folder) {
                                listing.prefixes.push(folder);
                            }
                        }
                        _ => listing.keys.push(key),
                    }
                }
            }
            Pages::Paginated(pages) => {
                let mut page_token = None;
                loop {
                    let options = PaginatedListOptions {
                        delimiter: delimited.then(|| "/".into()),
                        page_token: page_token.take(),
                        ..PaginatedListOptions::default()
                    };
                    let asked = Some(prefix).filter(|prefix| !prefix.is_empty());
                    let page = pages.list_paginated(asked, options).await.map_err(describe)?;
                    let ListResult { common_prefixes, objects, .. } = page.result;
                    let folders = common_prefixes.into_iter().map(|prefix| format!("{prefix}/"));
                    listing.prefixes.extend(folders);
                    // A key that ends in a slash stands for a folder, and would be read as the one without it.
                    listing
                        .keys
                        .extend(objects.into_iter().map(|object| object.location.to_string()));
                    if listing.keys.len() > LONGEST_LISTING {
                        let message = format!(
                            "more than {LONGEST_LISTING} objects have to be listed for this pattern: write out more of its beginning"
                        );
                        return Err(error(
                            SourceErrorKind::InvalidLocation,
                            location,
                            message,
                            None,
                        ));
                    }
                    match page.page_token {
                        Some(token) => page_token = Some(token),
                        None => break,
                    }
                }
            }
        }
        Ok(listing)
    }
}

/// The objects of `memory://`, which all of the process shares.
fn memory() -> Arc<InMemory> {
    static MEMORY: std::sync::OnceLock<Arc<InMemory>> = std::sync::OnceLock::new();
    Arc::clone(MEMORY.get_or_init(Arc::default))
}

/// Puts an object under `memory://KEY`, where the rest of this process finds it; for tests and examples.
///
/// # Errors
/// [`SourceError`] when the key cannot be one.
pub async fn put_in_memory(key: &str, bytes: bytes::Bytes) -> Result<(), SourceError> {
    let location = format!("memory://{key}");
    let path = Path::parse(key).map_err(|cause| {
        let message = "this cannot be a key";
        error(
            SourceErrorKind::InvalidLocation,
            &location,
            message,
            Some(Box::new(Plain::of(&cause))),
        )
    })?;
    let put = memory().put(&path, bytes.into()).await;
    put.map(drop).map_err(|cause| describe(&location, &cause))
}

/// The settings of `object_store` that the options come to.
fn settings(
    family: Family,
    options: &StorageOptions,
) -> Result<Vec<(String, String)>, SourceError> {
    let mut settings = Vec::new();
    for (name, value) in options.iter() {
        match meaning(family, name, value)? {
            Meaning::Setting(setting, value) => settings.push((setting.to_owned(), value)),
            Meaning::Same(value) => settings.push((name.to_owned(), value)),
            Meaning::Own if family == Family::Azure && name == "connection_string" => {
                settings.extend(connection_string(value)?);
            }
            Meaning::Own | Meaning::Nothing => {}
        }
    }
    Ok(settings)
}

fn known<K: std::str::FromStr>(setting: &str) -> Result<K, SourceError> {
    setting.parse().map_err(|_| invalid(format!("unknown storage option {setting:?}")))
}

fn s3_builder(
    settings: &[(String, String)],
    options: &StorageOptions,
    anonymous: bool,
    public: bool,
) -> Result<AmazonS3Builder, SourceError> {
    let mut builder = AmazonS3Builder::from_env();
    if public {
        let environment = std::mem::replace(&mut builder, AmazonS3Builder::new());
        for key in [
            AmazonS3ConfigKey::Region,
            AmazonS3ConfigKey::DefaultRegion,
            AmazonS3ConfigKey::Endpoint,
            AmazonS3ConfigKey::VirtualHostedStyleRequest,
        ] {
            if let Some(value) = environment.get_config_value(&key) {
                builder = builder.with_config(key, value);
            }
        }
    }
    let given = |setting: AmazonS3ConfigKey| {
        settings
            .iter()
            .any(|(name, _)| name.parse::<AmazonS3ConfigKey>().is_ok_and(|key| key == setting))
            || builder.get_config_value(&setting).is_some()
    };
    let named = options.get("profile");
    let has_keys = given(AmazonS3ConfigKey::AccessKeyId)
        || given(AmazonS3ConfigKey::WebIdentityTokenFile)
        || given(AmazonS3ConfigKey::ContainerCredentialsRelativeUri)
        || given(AmazonS3ConfigKey::ContainerCredentialsFullUri);
    let has_region = given(AmazonS3ConfigKey::Region) || given(AmazonS3ConfigKey::DefaultRegion);
    if !anonymous && (named.is_some() || !has_keys) {
        let profile = Profile::load(named)?;
        for (name, setting) in [
            ("aws_access_key_id", AmazonS3ConfigKey::AccessKeyId),
            ("aws_secret_access_key", AmazonS3ConfigKey::SecretAccessKey),
            ("aws_session_token", AmazonS3ConfigKey::Token),
            ("region", AmazonS3ConfigKey::Region),
            ("endpoint_url", AmazonS3ConfigKey::Endpoint),
        ] {
            if let Some(value) = profile.get(name)
                && !(has_region && name == "region")
            {
                builder = builder.with_config(setting, value);
            }
        }
    }
    for (setting, value) in settings {
        builder = builder.with_config(known::<AmazonS3ConfigKey>(setting)?, value);
    }
    if anonymous {
        builder = builder.with_skip_signature(true);
    }
    Ok(builder)
}

/// The settings of a connection string of Azure.
fn connection_string(text: &str) -> Result<Vec<(String, String)>, SourceError> {
    let mut settings = Vec::new();
    let (mut protocol, mut account, mut suffix) = ("https", None, None);
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| {
            invalid(
                "storage option connection_string: its parts are NAME=VALUE, with ; between them"
                    .to_owned(),
            )
        })?;
        let mut set = |setting: &str| settings.push((setting.to_owned(), value.to_owned()));
        match name.trim() {
            "AccountName" => {
                account = Some(value);
                set("account_name");
            }
            "AccountKey" => set("account_key"),
            "SharedAccessSignature" => set("sas_token"),
            "BlobEndpoint" => set("endpoint"),
            "DefaultEndpointsProtocol" => protocol = value,
            "EndpointSuffix" => suffix = Some(value),
            _ => {}
        }
    }
    if let (Some(account), Some(suffix)) = (account, suffix)
        && !settings.iter().any(|(name, _)| name == "endpoint")
    {
        settings.push(("endpoint".to_owned(), format!("{protocol}://{account}.blob.{suffix}")));
    }
    Ok(settings)
}

/// An object of a bucket.
pub(crate) struct BucketObject {
    store: Arc<dyn ObjectStore>,
    path: Path,
    location: String,
}

/// Without the store, which holds credentials.
impl std::fmt::Debug for BucketObject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let location = chunkref_core::redact(&self.location);
        formatter.debug_struct("BucketObject").field("location", &location).finish_non_exhaustive()
    }
}

#[async_trait]
impl ObjectReader for BucketObject {
    async fn fetch(
        &self,
        range: Range<u64>,
        known: Option<&ObjectVersion>,
    ) -> Result<Part, SourceError> {
        let first = known.is_none();
        let mut options = GetOptions::new().with_range(Some(GetRange::Bounded(range)));
        if let Some(known) = known {
            match strong_tag(known) {
                Some(tag) => options.if_match = Some(tag.to_owned()),
                None => options.if_unmodified_since = known.last_modified.map(Into::into),
            }
        }
        let result = match self.store.get_opts(&self.path, options).await {
            Ok(result) => result,
            // No range of an object without bytes can be had; whether it is one, its head says.
            Err(cause) if first && is_other(&cause) => {
                return match self.store.head(&self.path).await {
                    Ok(meta) if meta.size == 0 => {
                        Ok(Part { bytes: bytes::Bytes::new(), version: version(meta) })
                    }
                    _ => Err(describe(&self.location, &cause)),
                };
            }
            Err(cause) => return Err(describe(&self.location, &cause)),
        };
        let version = version(result.meta.clone());
        let bytes = result.bytes().await.map_err(|cause| describe(&self.location, &cause))?;
        Ok(Part { bytes, version })
    }
}

fn version(meta: ObjectMeta) -> ObjectVersion {
    let modified = SystemTime::from(meta.last_modified);
    ObjectVersion {
        length: meta.size,
        e_tag: meta.e_tag,
        last_modified: Some(modified).filter(|&modified| modified != SystemTime::UNIX_EPOCH),
    }
}

fn is_other(cause: &object_store::Error) -> bool {
    matches!(cause, object_store::Error::Generic { .. })
}

/// The text of an error of a store that is worth showing: its own frame names the request, which may hold a secret.
#[derive(Debug)]
struct Plain(String);

impl Plain {
    fn of(cause: &(dyn std::error::Error + 'static)) -> Self {
        let mut last = cause;
        while let Some(deeper) = last.source() {
            last = deeper;
        }
        Self(chunkref_core::redact(&last.to_string()).into_owned())
    }
}

impl std::fmt::Display for Plain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Plain {}

/// Whether a request was not made, because its host may not be asked.
fn is_refused(cause: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(cause);
    while let Some(error) = cause {
        if error.downcast_ref::<NoAnswer>().is_some_and(NoAnswer::is_refused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What an error of a store means to whoever asked for the object.
fn describe(location: &str, cause: &object_store::Error) -> SourceError {
    use object_store::Error;
    const ABSENT: (SourceErrorKind, &str) =
        (SourceErrorKind::NotFound, "there is no such object: check the bucket and the key");
    const FORBIDDEN: (SourceErrorKind, &str) = (
        SourceErrorKind::PermissionDenied,
        "the store does not let this be read: check the credentials",
    );
    if is_refused(cause) {
        let message =
            "the store is at an address of this machine's own network, and you did not name it";
        return error(SourceErrorKind::NotAllowed, location, message, None);
    }
    let plain = Plain::of(cause);
    let (kind, message) = match cause {
        Error::NotFound { .. } => ABSENT,
        Error::Precondition { .. } | Error::NotModified { .. } => return changed(location),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => FORBIDDEN,
        Error::InvalidPath { .. } => (
            SourceErrorKind::InvalidLocation,
            "a key here cannot be named by this program, such as one with an empty part (//) or a part .. in it: write out more of the pattern's beginning, so that it is not listed",
        ),
        // Of listings, the store's crate tells the status in words alone.
        _ if plain.0.contains("status code: 404") => ABSENT,
        _ if plain.0.contains("status code: 403") || plain.0.contains("status code: 401") => {
            FORBIDDEN
        }
        _ => (SourceErrorKind::Io, "the store failed"),
    };
    let without = plain.0.contains("169.254.") || cause.to_string().contains("169.254.");
    let message = if without {
        "no credentials were found (environment, profile, instance metadata): give them"
    } else {
        message
    };
    let fault = error(kind, location, message, Some(Box::new(plain)));
    if without || kind == SourceErrorKind::PermissionDenied {
        return fault.with_resolution(Resolution::Anonymous);
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_name_account_key_and_endpoint() {
        let settings = connection_string(
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;EndpointSuffix=core.windows.net;",
        )
        .unwrap();
        let get = |name: &str| {
            settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(get("account_name"), Some("a"));
        assert_eq!(get("account_key"), Some("k=="));
        assert_eq!(get("endpoint"), Some("https://a.blob.core.windows.net"));
        assert!(connection_string("AccountName").is_err());
    }
}
