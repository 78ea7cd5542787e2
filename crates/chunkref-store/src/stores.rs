// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that can be read from, with what reading needs in common.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chunkref_core::secret::{is_secret_name, keep_secret, keep_secrets_of, secret_parameters};
use chunkref_core::{
    ByteSource, Cancellation, Limits, Resolution, SourceError, SourceErrorKind, StoreHints,
};
use url::Url;

use crate::address::Reach;
use crate::bucket::Bucket;
use crate::counting::Counted;
use crate::guard::{Names, SystemNames};
use crate::local::LocalSource;
use crate::location::Location;
use crate::meter::{Caller, Cost, Meter};
use crate::object_source::{ObjectSource, ReadPolicy};
use crate::open::OpenOptions;
use crate::prefix::UrlPrefix;
use crate::reader::{ObjectReader, error, replaced, same_version};
use crate::retry::RetryPolicy;
use crate::storage_options::{Credentials, Family, StorageOptions, invalid, meaning};
use crate::transport::{Connector, Transport, TransportOptions};
use crate::web::Web;

/// How objects are read that are not files of this machine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Options of the stores: credentials, endpoints, regions, as `object_store` or fsspec spells them.
    pub storage: StorageOptions,
    /// What reference sets may name besides what is beside them, and servers of the internet redirect to.
    pub allow: Vec<UrlPrefix>,
    /// Whether to read without credentials, as public buckets allow.
    pub anonymous: bool,
    /// Requests under way at one time for one object.
    pub requests_per_object: NonZeroUsize,
    /// Requests under way at one time in all.
    pub requests: NonZeroUsize,
    /// Requests under way at one time at one host.
    pub requests_per_host: NonZeroUsize,
    /// How failed requests are made again.
    pub retry: RetryPolicy,
    /// The longest time that a request waits for the next byte.
    pub timeout: Duration,
    /// The longest time that reading one object may take; `None` for any.
    pub deadline: Option<Duration>,
    /// Bytes of one object that are kept in case they are asked for again.
    pub cached_bytes: u64,
    /// Whether URLs with a signature or token in the query may be read, and become part of references.
    pub keep_query: bool,
    /// Bounds on what is read through the stores: sets of references, and values through them.
    pub limits: Limits,
    /// When work on what is read ends before it is done.
    pub cancellation: Cancellation,
}

impl Default for StoreOptions {
    /// 128 requests an object, 256 in all and at one host; ten minutes an object; 16 MiB kept of each.
    fn default() -> Self {
        let number = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        Self {
            storage: StorageOptions::default(),
            allow: Vec::new(),
            anonymous: false,
            requests_per_object: number(128),
            requests: number(256),
            requests_per_host: number(256),
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(30),
            deadline: Some(Duration::from_mins(10)),
            cached_bytes: 16 << 20,
            keep_query: false,
            limits: Limits::default(),
            cancellation: Cancellation::never(),
        }
    }
}

/// An object that is open, and the meter of what it costs.
#[derive(Debug)]
pub struct Opened {
    /// The object.
    pub source: Box<dyn ByteSource>,
    pub(crate) meter: Arc<Meter>,
}

impl Opened {
    /// What was read so far, of this object and the ones that it names. For local files, what that would have cost on an
    /// object store.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.meter.cost()
    }

    /// Requests that were made again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.meter.retries()
    }
}

/// Local files, buckets and web servers, with one set of options. Cheap to clone; clones share connections and limits.
#[derive(Clone)]
pub struct Stores(Arc<Shared>, Cancellation);

struct Shared {
    options: StoreOptions,
    transport: OnceLock<Result<Arc<Transport>, String>>,
    web: OnceLock<Arc<Web>>,
    buckets: Mutex<HashMap<(String, Credentials), Bucket>>,
    names: Arc<dyn Names>,
}

/// Without connections and buckets, which hold credentials.
impl fmt::Debug for Stores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stores").field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Default for Stores {
    fn default() -> Self {
        Self::new(StoreOptions::default())
    }
}

impl Stores {
    /// Stores with these options. Nothing is opened or checked yet.
    #[must_use]
    pub fn new(options: StoreOptions) -> Self {
        keep_secrets_of_environment();
        Self::with_names(options, Arc::new(SystemNames))
    }

    /// The same with another way to look up the names of hosts that the user did not name.
    pub(crate) fn with_names(options: StoreOptions, names: Arc<dyn Names>) -> Self {
        let (transport, web, buckets) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        let cancellation = options.cancellation.clone();
        Self(Arc::new(Shared { options, transport, web, buckets, names }), cancellation)
    }

    /// Bounds on what is read.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.options.limits
    }

    /// What may be written down of how these stores are reached.
    #[must_use]
    pub fn hints(&self) -> StoreHints {
        let options = &self.0.options;
        let first = |names: &[&str]| options.storage.first(names).map(str::to_owned);
        let mut hints = StoreHints::default();
        hints.anonymous = options.anonymous || options.storage.anonymous().unwrap_or(false);
        hints.region = first(&["region", "aws_region", "region_name", "client_kwargs.region_name"]);
        hints.endpoint =
            first(&["endpoint_url", "endpoint", "aws_endpoint_url", "client_kwargs.endpoint_url"]);
        hints.account = first(&["account_name", "azure_storage_account_name"]);
        hints
    }

    /// When work on one object that begins now ends: with the deadline, or before.
    #[must_use]
    pub fn cancellation(&self) -> Cancellation {
        self.1.within(self.0.options.deadline)
    }

    /// The same stores, with the same connections, for work that `cancellation` ends, too.
    #[must_use]
    pub fn with_cancellation(&self, cancellation: &Cancellation) -> Self {
        Self(Arc::clone(&self.0), self.1.or(cancellation))
    }

    /// Checks that the options are ones of the store that `location` is in, before anything is read.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidOption`] that names the option, [`SourceErrorKind::InvalidLocation`] for a scheme that is
    /// not known or a location that must not become a reference.
    pub fn validate(&self, location: &Location) -> Result<(), SourceError> {
        let family = family(location)?;
        let store = UrlPrefix::of(location).map(|prefix| prefix.store().to_owned());
        let storage = &self.0.options.storage;
        let storage = storage.for_store(store.as_deref().unwrap_or_default(), Credentials::All);
        for (name, value) in storage.iter() {
            meaning(family, name, value)?;
        }
        match family {
            Family::Local | Family::Memory => Ok(()),
            Family::Web => self.refuse_secrets(location),
            _ => self.bucket(location, Credentials::All).map(drop),
        }
    }

    /// Opens the object at a location.
    ///
    /// # Errors
    /// [`SourceError`] when there is none, it must not be read, or its scheme or an option is not known.
    pub async fn open(
        &self,
        location: &Location,
        options: &OpenOptions,
    ) -> Result<Opened, SourceError> {
        let meter = Arc::default();
        let source = self.open_on(location, options, &meter, Credentials::All).await?;
        Ok(Opened { source, meter })
    }

    pub(crate) async fn open_on(
        &self,
        location: &Location,
        options: &OpenOptions,
        meter: &Arc<Meter>,
        credentials: Credentials,
    ) -> Result<Box<dyn ByteSource>, SourceError> {
        let family = family(location)?;
        if family == Family::Local {
            self.validate(location)?;
            let source = LocalSource::open(location.clone())?.with_allowed(&options.allow_outside);
            let found = source.version();
            if options.expected.as_ref().is_some_and(|expected| !same_version(expected, found)) {
                return Err(replaced(location.url()));
            }
            return Ok(Box::new(Counted::with_meter(source, Arc::clone(meter))));
        }
        let caller = Caller::new(meter);
        if family == Family::Web {
            self.refuse_secrets(location)?;
            let reader: Arc<dyn ObjectReader> =
                Arc::new(self.web()?.object(location, credentials)?);
            let ways = Ways { stores: self.clone(), options: options.clone(), credentials };
            if let Some(source) = ObjectSource::expected(&ways, location, &reader, &caller) {
                return Ok(Box::new(source));
            }
            let source = ObjectSource::open(&ways, location, reader, caller).await?;
            return Ok(Box::new(source));
        }
        // The first answer of a bucket says whether it was asked in the right region.
        let known = self.buckets().contains_key(&(bucket_root(location).to_owned(), credentials));
        let reader = self.bucket_object(location, credentials)?;
        let ways = Ways { stores: self.clone(), options: options.clone(), credentials };
        if known && let Some(source) = ObjectSource::expected(&ways, location, &reader, &caller) {
            return Ok(Box::new(source));
        }
        match ObjectSource::open(&ways, location, reader, caller.clone()).await {
            Ok(source) => Ok(Box::new(source)),
            Err(fault) => match caller.take_region() {
                // S3 says where the bucket is when it was asked in the wrong region.
                Some(region) if fault.kind != SourceErrorKind::NotFound => {
                    self.make_bucket(location, Some(&region), credentials)?;
                    let reader = self.bucket_object(location, credentials)?;
                    let caller = Caller::new(meter);
                    Ok(Box::new(ObjectSource::open(&ways, location, reader, caller).await?))
                }
                _ => Err(fault),
            },
        }
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    pub(crate) fn read_policy(&self) -> ReadPolicy {
        ReadPolicy {
            requests: self.0.options.requests_per_object.get(),
            cached_bytes: self.0.options.cached_bytes,
            deadline: self.0.options.deadline,
        }
    }

    fn refuse_secrets(&self, location: &Location) -> Result<(), SourceError> {
        let secrets = secret_parameters(location.url());
        if self.0.options.keep_query || secrets.is_empty() {
            return Ok(());
        }
        let message = format!(
            "this URL contains credentials ({}), and references would hold it: give the plain URL and credentials, or let the references hold it",
            secrets.join(", ")
        );
        let fault = error(SourceErrorKind::InvalidLocation, location.url(), message, None);
        Err(fault.with_resolution(Resolution::KeepQuery))
    }

    fn transport(&self) -> Result<Arc<Transport>, SourceError> {
        if let Some(made) = self.0.transport.get() {
            return made.clone().map_err(invalid);
        }
        let options = self.transport_options()?;
        let made = self.0.transport.get_or_init(|| {
            let made = Transport::new(&options).map(Arc::new);
            made.map_err(|error| format!("requests cannot be made: {error}"))
        });
        made.clone().map_err(invalid)
    }

    fn transport_options(&self) -> Result<TransportOptions, SourceError> {
        let options = &self.0.options;
        let storage = &options.storage;
        let connect = storage.seconds(&["connect_timeout", "config_kwargs.connect_timeout"])?;
        let timeout = ["read_timeout", "config_kwargs.read_timeout", "timeout"];
        let verify = ["client_kwargs.verify", "verify"];
        let unverified = storage.first(&verify).is_some() && !storage.flag(&verify)?;
        Ok(TransportOptions {
            requests: options.requests.get(),
            requests_per_host: options.requests_per_host.get(),
            retry: options.retry,
            timeout: storage.seconds(&timeout)?.unwrap_or(options.timeout),
            connect_timeout: connect.unwrap_or(Duration::from_secs(10)),
            accept_any_certificate: unverified || storage.flag(&["allow_invalid_certificates"])?,
            proxy: storage.get("proxy_url").map(str::to_owned),
            user_agent: storage.get("user_agent").map(str::to_owned),
            names: Arc::clone(&self.0.names),
        })
    }

    pub(crate) fn web(&self) -> Result<Arc<Web>, SourceError> {
        if let Some(web) = self.0.web.get() {
            return Ok(Arc::clone(web));
        }
        let Shared { options, .. } = &*self.0;
        let web = Web::new(self.transport()?, options.storage.clone(), options.allow.clone());
        let web = Arc::new(web);
        Ok(Arc::clone(self.0.web.get_or_init(|| web)))
    }

    /// The bucket that a location is in.
    pub(crate) fn bucket(
        &self,
        location: &Location,
        credentials: Credentials,
    ) -> Result<Bucket, SourceError> {
        let known = self.buckets().get(&(bucket_root(location).to_owned(), credentials)).cloned();
        match known {
            Some(bucket) => Ok(bucket),
            None => self.make_bucket(location, None, credentials),
        }
    }

    fn make_bucket(
        &self,
        location: &Location,
        region: Option<&str>,
        credentials: Credentials,
    ) -> Result<Bucket, SourceError> {
        let root = bucket_root(location);
        let (scheme, name) = root.split_once("://").unwrap_or((location.scheme(), root));
        let family = family(location)?;
        if name.is_empty() && family != Family::Memory {
            let message = format!("there is no bucket in this: write {scheme}://BUCKET/KEY");
            return Err(error(SourceErrorKind::InvalidLocation, location.url(), message, None));
        }
        let Shared { options, .. } = &*self.0;
        let store = UrlPrefix::of(location).map(|prefix| prefix.store().to_owned());
        let storage = options.storage.for_store(store.as_deref().unwrap_or(root), credentials);
        let named = credentials != Credentials::None;
        let connector = Connector {
            transport: self.transport()?,
            reach: if named { Reach::Any } else { Reach::Public },
            endpoint: endpoint(family, &storage),
        };
        let bucket = Bucket::new(
            family,
            scheme,
            name,
            &storage,
            credentials,
            options.anonymous,
            region,
            connector,
        )?;
        self.buckets().insert((root.to_owned(), credentials), bucket.clone());
        Ok(bucket)
    }

    fn bucket_object(
        &self,
        location: &Location,
        credentials: Credentials,
    ) -> Result<Arc<dyn ObjectReader>, SourceError> {
        let bucket = self.bucket(location, credentials)?;
        Ok(Arc::new(bucket.object(bucket_key(location), location.url())?))
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Credentials), Bucket>> {
        self.0.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets no message hold keys and tokens of the environment, which clients of the stores take from there.
fn keep_secrets_of_environment() {
    static KEPT: std::sync::Once = std::sync::Once::new();
    KEPT.call_once(|| {
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if is_secret_variable(name, value) {
                keep_secret(value);
            }
            keep_secrets_of(value);
        }
    });
}

/// `PWD` is no password, and `SSH_AUTH_SOCK` says where something is: without paths no message could name a file.
fn is_secret_variable(name: &str, value: &str) -> bool {
    let is_path = std::path::Path::new(value).is_absolute() && std::fs::metadata(value).is_ok();
    is_secret_name(name) && !matches!(name, "PWD" | "OLDPWD") && !is_path
}

/// How an object was opened, for those beside it.
#[derive(Debug, Clone)]
pub(crate) struct Ways {
    pub(crate) stores: Stores,
    pub(crate) options: OpenOptions,
    pub(crate) credentials: Credentials,
}

/// The address of the store that the user gives.
fn endpoint(family: Family, storage: &StorageOptions) -> Option<Url> {
    let names: &[&str] = match family {
        Family::S3 => &[
            "endpoint_url",
            "endpoint",
            "aws_endpoint_url",
            "aws_endpoint",
            "client_kwargs.endpoint_url",
        ],
        Family::Google => {
            &["endpoint_url", "base_url", "google_base_url", "client_kwargs.endpoint_url"]
        }
        _ => &[
            "endpoint_url",
            "endpoint",
            "account_host",
            "azure_endpoint",
            "azure_storage_endpoint",
        ],
    };
    let of_environment = || match family {
        Family::S3 => {
            std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL")).ok()
        }
        Family::Azure => std::env::var("AZURE_ENDPOINT").ok(),
        _ => None,
    };
    let text = storage.first(names).map(str::to_owned).or_else(of_environment)?;
    Url::parse(&text).ok()
}

/// The kind of store that a location is in.
pub(crate) fn family(location: &Location) -> Result<Family, SourceError> {
    Family::of(location.scheme()).ok_or_else(|| {
        let message = format!(
            "unknown scheme {:?}: the known ones are {}",
            location.scheme(),
            Family::SCHEMES
        );
        error(SourceErrorKind::InvalidLocation, location.url(), message, None)
    })
}

/// Scheme and bucket of a location; objects in memory have no bucket.
pub(crate) fn bucket_root(location: &Location) -> &str {
    let url = location.url();
    let start = location.scheme().len().saturating_add("://".len());
    let rest = url.get(start..).unwrap_or_default();
    let length =
        if location.scheme() == "memory" { 0 } else { rest.find('/').unwrap_or(rest.len()) };
    url.get(..start.saturating_add(length)).unwrap_or(url)
}

/// What is behind the bucket of a location.
pub(crate) fn bucket_key(location: &Location) -> &str {
    let rest = location.url().get(bucket_root(location).len()..).unwrap_or_default();
    rest.strip_prefix('/').unwrap_or(rest)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is what is asked for")]
mod tests {
    use chunkref_model::ObjectVersion;
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn folders_are_no_secrets() {
        for name in ["PWD", "OLDPWD", "SSH_AUTH_SOCK"] {
            assert!(!is_secret_variable(name, "/"), "{name}");
        }
        assert!(!is_secret_variable("OLDPWD", "/no/such/folder/any/more"));
        assert!(is_secret_variable("AWS_SECRET_ACCESS_KEY", "/AbCdEfGh/IjKlMnOp"));
        assert!(is_secret_variable("DB_PWD", "horse"));
    }

    #[test]
    fn buckets_and_keys() {
        for (url, root, key) in [
            ("s3://bucket/a/b c.nc", "s3://bucket", "a/b c.nc"),
            ("s3://bucket", "s3://bucket", ""),
            ("memory://a/b", "memory://", "a/b"),
            ("memory:///a/b", "memory://", "a/b"),
            ("abfs://c@a.dfs.core.windows.net/k", "abfs://c@a.dfs.core.windows.net", "k"),
        ] {
            let location = Location::parse(url).unwrap();
            assert_eq!((bucket_root(&location), bucket_key(&location)), (root, key));
        }
    }

    #[test]
    fn options_and_locations_are_checked_first() {
        let mut options = StoreOptions::default();
        options.storage.set("anon", "true");
        options.storage.set("regoin", "x");
        let stores = Stores::new(options);
        let validate = |url: &str| stores.validate(&Location::parse(url).unwrap());
        let error = validate("s3://bucket/a").unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::InvalidOption);
        assert!(error.to_string().contains("did you mean \"region\""), "{error}");
        let error = validate("file:///a").unwrap_err();
        assert_eq!(
            error.kind,
            SourceErrorKind::InvalidOption,
            "a local file has none of that name"
        );
        let stores = Stores::default();
        let kind = |url: &str| stores.validate(&Location::parse(url).unwrap()).unwrap_err().kind;
        assert_eq!(kind("gopher://host/x"), SourceErrorKind::InvalidLocation);
        assert_eq!(kind("s3:///x"), SourceErrorKind::InvalidLocation);
        assert_eq!(kind("https://host/x?X-Amz-Signature=s"), SourceErrorKind::InvalidLocation);
    }

    #[test]
    fn a_signed_url_is_refused_without_showing_it() {
        let location = Location::parse("https://host/x?sig=abcdef").unwrap();
        let refused = block_on(Stores::default().open(&location, &OpenOptions::default()));
        let message = refused.unwrap_err().to_string();
        assert!(
            message.contains("contains credentials") && !message.contains("abcdef"),
            "{message}"
        );
        let options = StoreOptions { keep_query: true, ..StoreOptions::default() };
        Stores::new(options).validate(&location).unwrap();
    }

    #[test]
    fn objects_in_memory_keep_the_contract() {
        let object: Vec<u8> =
            (0..200_000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
        for length in [0, 1, 65_536, 200_000] {
            let object = &object[..length];
            block_on(crate::put_in_memory("contract/a", object.to_vec().into())).unwrap();
            let location = Location::parse("memory://contract/a").unwrap();
            let opened =
                block_on(Stores::default().open(&location, &OpenOptions::default())).unwrap();
            chunkref_testkit::conformance::byte_source(&opened.source, object).unwrap();
        }
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        block_on(crate::put_in_memory("kept/a", vec![7; 400_000].into())).unwrap();
        let location = Location::parse("memory://kept/a").unwrap();
        let opened = block_on(Stores::default().open(&location, &OpenOptions::default())).unwrap();
        let read = |ranges: &[std::ops::Range<u64>]| {
            block_on(opened.source.read_many(ranges)).unwrap();
            opened.cost().rounds
        };
        assert_eq!(read(&[0..10]), 1, "all of it is in the head");
        assert_eq!(read(&[100_000..100_010, 110_000..110_010]), 2);
        assert_eq!(read(&[105_000..105_001]), 2, "the gap between the two was read along");
        assert_eq!(read(&[300_000..300_001]), 3);
    }

    #[test]
    fn an_expected_version_costs_no_opening_and_holds_for_every_read() {
        block_on(crate::put_in_memory("expected/a", vec![7; 400_000].into())).unwrap();
        let location = Location::parse("memory://expected/a").unwrap();
        let stores = Stores::default();
        let open = |version: Option<ObjectVersion>| {
            let options = OpenOptions::default().with_expected(version);
            block_on(stores.open(&location, &options))
        };
        let first = open(None).unwrap();
        let known = first.source.version().clone();
        let expected = open(Some(known.clone())).unwrap();
        assert_eq!(expected.cost().rounds, 0, "the version is known");
        let read = |opened: &Opened| block_on(opened.source.read_many(&[200_000..200_001]));
        assert_eq!(read(&expected).unwrap()[0], [7][..]);
        read(&expected).unwrap();
        assert_eq!(expected.cost().rounds, 2, "nothing is kept");
        // A length alone is not asked for with a request, so the head is read and compared.
        let length = ObjectVersion { length: 400_000, ..ObjectVersion::default() };
        assert_eq!(open(Some(length.clone())).unwrap().cost().rounds, 1);
        let other = ObjectVersion { length: 399_999, ..length };
        assert_eq!(open(Some(other)).unwrap_err().kind, SourceErrorKind::Changed);
        block_on(crate::put_in_memory("expected/a", vec![8; 400_000].into())).unwrap();
        let replaced = open(Some(known)).unwrap();
        assert_eq!(read(&replaced).unwrap_err().kind, SourceErrorKind::Changed);
    }

    #[test]
    fn an_object_that_changes_is_noticed() {
        block_on(crate::put_in_memory("changed/a", vec![7; 400_000].into())).unwrap();
        let location = Location::parse("memory://changed/a").unwrap();
        let opened = block_on(Stores::default().open(&location, &OpenOptions::default())).unwrap();
        block_on(crate::put_in_memory("changed/a", vec![8; 400_000].into())).unwrap();
        let error = block_on(opened.source.read_many(std::slice::from_ref(&(200_000..200_001))));
        assert_eq!(error.unwrap_err().kind, SourceErrorKind::Changed);
    }
}
