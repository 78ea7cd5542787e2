// SPDX-License-Identifier: MIT OR Apache-2.0
//! Options of stores, as object stores and fsspec spell them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chunkref_core::secret::{is_secret_name, keep_secret, keep_secrets_of};
use chunkref_core::{SourceError, SourceErrorKind};

use crate::prefix::UrlPrefix;

/// Environment variables that set options begin like this.
const ENVIRONMENT_PREFIX: &str = "CHUNKREF_STORAGE_";

/// Options of fsspec that say how it reads and keeps data, which is this crate's own business.
const OF_FSSPEC_ONLY: &[&str] = &[
    "asynchronous",
    "batch_size",
    "block_size",
    "cache_options",
    "cache_type",
    "cache_timeout",
    "default_block_size",
    "default_cache_type",
    "default_fill_cache",
    "fill_cache",
    "listings_expiry_time",
    "loop",
    "max_concurrency",
    "project",
    "session_kwargs",
    "simple_links",
    "size_policy",
    "skip_instance_cache",
    "use_listings_cache",
    "version_aware",
];

/// Kinds of stores, which share the spelling of their options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Local,
    Memory,
    S3,
    Google,
    Azure,
    Web,
}

impl Family {
    pub(crate) fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "file" => Self::Local,
            "memory" => Self::Memory,
            "s3" | "s3a" => Self::S3,
            "gs" | "gcs" => Self::Google,
            "az" | "abfs" | "abfss" => Self::Azure,
            "http" | "https" => Self::Web,
            _ => return None,
        })
    }

    /// The schemes that there are, for messages.
    pub(crate) const SCHEMES: &'static str =
        "file, memory, s3, s3a, gs, gcs, az, abfs, abfss, http, https";

    fn name(self) -> &'static str {
        match self {
            Self::Local => "local files",
            Self::Memory => "objects in memory",
            Self::S3 => "S3",
            Self::Google => "Google Cloud Storage",
            Self::Azure => "Azure Blob Storage",
            Self::Web => "web servers",
        }
    }
}

/// Options that hold no secret and mean the same for every store. Any other is for one store alone.
const OF_EVERY_STORE: &[&str] = &[
    "account_host",
    "account_name",
    "addressing_style",
    "allow_http",
    "allow_invalid_certificates",
    "anon",
    "aws_allow_http",
    "aws_default_region",
    "aws_endpoint",
    "aws_endpoint_url",
    "aws_region",
    "aws_request_payer",
    "aws_skip_signature",
    "aws_virtual_hosted_style_request",
    "azure_endpoint",
    "azure_storage_account_name",
    "azure_storage_endpoint",
    "base_url",
    "client_kwargs.endpoint_url",
    "client_kwargs.region_name",
    "client_kwargs.verify",
    "config_kwargs.connect_timeout",
    "config_kwargs.read_timeout",
    "config_kwargs.s3.addressing_style",
    "connect_timeout",
    "default_region",
    "endpoint",
    "endpoint_url",
    "google_base_url",
    "google_skip_signature",
    "azure_skip_signature",
    "proxy_url",
    "read_timeout",
    "region",
    "region_name",
    "request_payer",
    "requester_pays",
    "skip_signature",
    "timeout",
    "use_ssl",
    "user_agent",
    "verify",
    "virtual_hosted_style_request",
];

/// Options of the connections that all stores share.
const OF_CONNECTIONS: &[&str] = &[
    "allow_invalid_certificates",
    "client_kwargs.verify",
    "config_kwargs.connect_timeout",
    "config_kwargs.read_timeout",
    "connect_timeout",
    "proxy_url",
    "read_timeout",
    "timeout",
    "user_agent",
    "verify",
];

/// Which options, and what of the environment and the machine, an object is read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Credentials {
    /// Nothing that lets anyone in.
    None,
    /// What is given for its very store, and what the environment and the machine offer.
    Ambient,
    /// Also the options that are given for no store by name.
    All,
}

/// Names and values as the user gave them, for all stores or for one. `Debug` shows no values.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StorageOptions {
    plain: BTreeMap<String, String>,
    /// Those of one store, by scheme and bucket or host.
    of_stores: BTreeMap<String, BTreeMap<String, String>>,
}

impl fmt::Debug for StorageOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scoped = self.of_stores.iter();
        let scoped = scoped.flat_map(|(store, named)| {
            named.keys().map(move |name| format!("{}:{name}", chunkref_core::redact(store)))
        });
        formatter.debug_set().entries(self.plain.keys().cloned().chain(scoped)).finish()
    }
}

/// One option as it is written on a command line: `NAME=VALUE`, or `STORE:NAME=VALUE` for one store alone, where STORE is
/// scheme and bucket (`s3://bucket`) or scheme, host and port (`https://host:8000`). `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageOption {
    store: Option<UrlPrefix>,
    name: String,
    value: String,
}

impl fmt::Debug for StorageOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StorageOption")
            .field("store", &self.store)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl FromStr for StorageOption {
    type Err = SourceError;

    /// Reads `NAME=VALUE` or `STORE:NAME=VALUE`. The name is that before the first `=` which a name stands before: letters,
    /// digits, `_`, `-` and `.`, beginning with a letter, and in the second form behind the first `:` of the store that it can
    /// stand behind.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = || {
            invalid("a storage option is written as NAME=VALUE, or STORE:NAME=VALUE for one store, such as s3://bucket:key=VALUE or https://host:8000:token=VALUE".to_owned())
        };
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|letter| {
                    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
                })
        };
        let named = |text: &str| {
            let (name, value) = text.split_once('=')?;
            is_name(name).then(|| (name.to_owned(), value.to_owned()))
        };
        if let Some((name, value)) = named(text) {
            return Ok(Self { store: None, name, value });
        }
        let start = text.find("://").ok_or_else(wrong)?.saturating_add("://".len());
        let rest = text.get(start..).ok_or_else(wrong)?;
        let places = rest.match_indices(':').map(|(place, _)| place.saturating_add(start));
        let found = places.into_iter().find_map(|place| {
            Some((text.get(..place)?, named(text.get(place.saturating_add(1)..)?)?))
        });
        let (store, (name, value)) = found.ok_or_else(wrong)?;
        Ok(Self { store: Some(store_named(store)?), name, value })
    }
}

/// A store without a path in it.
fn store_named(text: &str) -> Result<UrlPrefix, SourceError> {
    let prefix =
        text.parse::<UrlPrefix>().ok().filter(|prefix| prefix.is_remote() && prefix.is_store());
    prefix.ok_or_else(|| {
        invalid("a storage option is for a whole store: write scheme and bucket, or scheme, host and port, without a path".to_owned())
    })
}

/// What an option means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A setting of `object_store`, by its name there.
    Setting(&'static str, String),
    /// The same, under the name that was given.
    Same(String),
    /// One of the options that the transport and the readers here know themselves.
    Own,
    /// Of no consequence here.
    Nothing,
}

impl StorageOptions {
    /// Options of the environment: `CHUNKREF_STORAGE_ENDPOINT_URL` sets `endpoint_url`, and two underscores stand for the
    /// dot of `client_kwargs.region_name`.
    #[must_use]
    pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(ENVIRONMENT_PREFIX)?.to_ascii_lowercase();
            Some((name.replace("__", "."), value))
        });
        let mut options = Self::default();
        for (name, value) in named {
            options.set(name, value);
        }
        options
    }

    /// Sets one option, in place of an earlier value. One that holds a secret, or may, is for the store of the inputs when
    /// they are all in one. No message shows the value if it is a secret.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        keep_secrets_of_option(&name, &value);
        self.plain.insert(name, value);
    }

    /// Sets one option of one store, which is written as scheme and bucket or host.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidOption`] when that is no store, or the option is one of the connections that all share.
    pub fn set_for(
        &mut self,
        store: &str,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), SourceError> {
        let store = Some(store_named(store)?);
        self.add(StorageOption { store, name: name.into(), value: value.into() })
    }

    /// Sets one option that was read.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidOption`] when it is for one store and one of the connections that all share.
    pub fn add(&mut self, option: StorageOption) -> Result<(), SourceError> {
        let StorageOption { store, name, value } = option;
        let Some(store) = store else {
            self.set(name, value);
            return Ok(());
        };
        if OF_CONNECTIONS.contains(&name.as_str()) {
            return Err(invalid(format!(
                "storage option {name} is for all stores: give it without naming one"
            )));
        }
        keep_secrets_of_option(&name, &value);
        self.of_stores.entry(store.store().to_owned()).or_default().insert(name, value);
        Ok(())
    }

    /// The options that an object of a store is read with.
    pub(crate) fn for_store(&self, store: &str, credentials: Credentials) -> Self {
        let all = credentials == Credentials::All;
        let kept = self.plain.iter().filter(|(name, value)| all || is_of_every_store(name, value));
        let mut plain: BTreeMap<_, _> =
            kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        let own = self.of_stores.get(store).filter(|_| credentials != Credentials::None);
        plain.extend(own.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        Self { plain, of_stores: BTreeMap::new() }
    }

    /// Whether a store has options of its own.
    pub(crate) fn names_store(&self, store: &str) -> bool {
        self.of_stores.contains_key(store)
    }

    /// The options that are for one store and do not say which.
    pub(crate) fn for_one_store(&self) -> impl Iterator<Item = &str> {
        let for_one = self.plain.iter().filter(|(name, value)| !is_of_every_store(name, value));
        for_one.map(|(name, _)| name.as_str())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.plain.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plain.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of the first of `names` that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Whether the options themselves ask for reading without credentials.
    pub(crate) fn anonymous(&self) -> Result<bool, SourceError> {
        match self.first(&["anon", "skip_signature", "aws_skip_signature"]) {
            Some(value) => truth("anon", value),
            None => Ok(self.get("token") == Some("anon")),
        }
    }

    /// The value of an option in seconds.
    pub(crate) fn seconds(&self, names: &[&str]) -> Result<Option<Duration>, SourceError> {
        let Some((name, text)) = names.iter().find_map(|name| Some((name, self.get(name)?))) else {
            return Ok(None);
        };
        let seconds = text.trim().trim_end_matches('s').trim();
        match seconds
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        {
            Some(duration) if !duration.is_zero() => Ok(Some(duration)),
            _ => Err(invalid(format!("storage option {name}: {text:?} is no number of seconds"))),
        }
    }

    /// The value of an option that is true or false.
    pub(crate) fn flag(&self, names: &[&str]) -> Result<bool, SourceError> {
        match names.iter().find_map(|name| Some((name, self.get(name)?))) {
            Some((name, value)) => truth(name, value),
            None => Ok(false),
        }
    }
}

fn is_of_every_store(name: &str, value: &str) -> bool {
    let no_secret =
        name == "token" && matches!(value, "anon" | "google_default" | "cloud" | "cache");
    no_secret || OF_EVERY_STORE.contains(&name) || OF_FSSPEC_ONLY.contains(&name)
}

/// What an option means for a kind of store; an error that names it when nobody knows it.
#[expect(clippy::match_same_arms, reason = "the arms are in the order of the stores")]
pub(crate) fn meaning(family: Family, name: &str, value: &str) -> Result<Meaning, SourceError> {
    let setting = |name, value: &str| Ok(Meaning::Setting(name, value.to_owned()));
    let flag = |setting, value| Ok(Meaning::Setting(setting, truth(name, value)?.to_string()));
    match (family, name) {
        (_, name) if OF_FSSPEC_ONLY.contains(&name) => Ok(Meaning::Nothing),
        (Family::Local | Family::Memory, _) if is_of_some_store(name, value) => {
            Ok(Meaning::Nothing)
        }
        (
            _,
            "allow_http"
            | "aws_allow_http"
            | "allow_invalid_certificates"
            | "client_kwargs.verify"
            | "verify"
            | "proxy_url"
            | "user_agent"
            | "connect_timeout"
            | "timeout"
            | "read_timeout"
            | "config_kwargs.connect_timeout"
            | "config_kwargs.read_timeout"
            | "use_ssl",
        ) => Ok(Meaning::Own),
        (Family::S3 | Family::Google | Family::Azure, "anon") => flag("skip_signature", value),
        (Family::S3, "key" | "username") => setting("access_key_id", value),
        (Family::S3, "secret" | "password") => setting("secret_access_key", value),
        (Family::S3, "client_kwargs.endpoint_url") => setting("endpoint", value),
        (Family::S3, "client_kwargs.region_name" | "region_name") => setting("region", value),
        (Family::S3, "requester_pays") => flag("request_payer", value),
        (Family::S3, "config_kwargs.s3.addressing_style" | "addressing_style") => match value {
            "virtual" => setting("virtual_hosted_style_request", "true"),
            "path" | "auto" => setting("virtual_hosted_style_request", "false"),
            _ => Err(invalid(format!(
                "storage option {name} does not take the value {value:?}; it takes virtual, path, auto"
            ))),
        },
        (Family::S3, "profile") => Ok(Meaning::Own),
        (Family::Google, "token") => match value {
            "anon" => setting("skip_signature", "true"),
            "google_default" | "cloud" | "cache" => Ok(Meaning::Nothing),
            path => setting("service_account", path),
        },
        (Family::Google, "endpoint_url" | "client_kwargs.endpoint_url") => {
            setting("base_url", value)
        }
        (Family::Azure, "account_host" | "endpoint_url") => setting("endpoint", value),
        (Family::Azure, "connection_string") => Ok(Meaning::Own),
        (
            Family::Web,
            "username" | "key" | "password" | "secret" | "token" | "bearer_token" | "encoded"
            | "anon",
        ) => Ok(Meaning::Own),
        (Family::Web, name) if header_name(name).is_some() => Ok(Meaning::Own),
        (Family::S3, _)
            if name.parse::<object_store::aws::AmazonS3ConfigKey>().is_ok_and(|key| {
                !matches!(key, object_store::aws::AmazonS3ConfigKey::Client(_))
            }) =>
        {
            Ok(Meaning::Same(value.to_owned()))
        }
        (Family::Google, _)
            if name
                .parse::<object_store::gcp::GoogleConfigKey>()
                .is_ok_and(|key| !matches!(key, object_store::gcp::GoogleConfigKey::Client(_))) =>
        {
            Ok(Meaning::Same(value.to_owned()))
        }
        (Family::Azure, _)
            if name.parse::<object_store::azure::AzureConfigKey>().is_ok_and(|key| {
                !matches!(key, object_store::azure::AzureConfigKey::Client(_))
            }) =>
        {
            Ok(Meaning::Same(value.to_owned()))
        }
        _ => Err(invalid(format!(
            "unknown storage option {name:?} for {}{}: the guide on stores lists the known ones",
            family.name(),
            did_you_mean(name)
        ))),
    }
}

/// Lets no message hold the secrets of an option's value. The path of a file with a key is none.
fn keep_secrets_of_option(name: &str, value: &str) {
    let name = name.rsplit(':').next().unwrap_or(name);
    if is_secret_name(name) && !std::path::Path::new(value).is_file() {
        keep_secret(value);
    }
    if name.ends_with("connection_string") {
        let parts = value.split(';').filter_map(|part| part.split_once('='));
        parts.filter(|(name, _)| is_secret_name(name)).for_each(|(_, value)| keep_secret(value));
    }
    if name.ends_with("sas_token") || name.ends_with("sas_key") {
        keep_secrets_of(&format!("?{}", value.trim_start_matches('?')));
    }
    // A document of keys, as Google's are.
    if let Ok(mut document) = serde_json::from_str::<serde_json::Value>(value) {
        keep_secrets_in(&mut document);
    }
    keep_secrets_of(value);
}

fn keep_secrets_in(document: &mut serde_json::Value) {
    for (name, value) in document.as_object_mut().into_iter().flatten() {
        if let Some(text) = value.as_str().filter(|_| is_secret_name(name)) {
            keep_secret(text);
            text.lines().for_each(keep_secret);
        }
    }
}

/// Whether an option is one of any store: inputs of several kinds have the same options.
fn is_of_some_store(name: &str, value: &str) -> bool {
    let others = [Family::S3, Family::Google, Family::Azure, Family::Web];
    matches!(name, "auto_mkdir" | "create_parents")
        || others.iter().any(|&family| meaning(family, name, value).is_ok())
}

/// The names that are known and often written.
const OFTEN_WRITTEN: &[&str] = &[
    "access_key_id",
    "account_key",
    "account_name",
    "allow_http",
    "allow_invalid_certificates",
    "anon",
    "bearer_token",
    "client_kwargs.endpoint_url",
    "client_kwargs.region_name",
    "connect_timeout",
    "connection_string",
    "endpoint",
    "endpoint_url",
    "key",
    "password",
    "profile",
    "proxy_url",
    "read_timeout",
    "region",
    "request_payer",
    "requester_pays",
    "sas_token",
    "secret",
    "secret_access_key",
    "service_account",
    "session_token",
    "skip_signature",
    "timeout",
    "token",
    "use_ssl",
    "user_agent",
    "username",
    "verify",
];

/// The known name that is most like another, in words.
fn did_you_mean(name: &str) -> String {
    let distance = |known: &&&str| strsim::osa_distance(name, known);
    let nearest = OFTEN_WRITTEN.iter().min_by_key(distance);
    let near = nearest.filter(|known| strsim::osa_distance(name, known) * 3 <= name.len().max(3));
    near.map(|known| format!(" (did you mean {known:?}?)")).unwrap_or_default()
}

/// The HTTP header that an option sets: `headers.NAME`, as in fsspec's `client_kwargs.headers.NAME`.
pub(crate) fn header_name(option: &str) -> Option<&str> {
    option.strip_prefix("client_kwargs.").unwrap_or(option).strip_prefix("headers.")
}

fn truth(name: &str, value: &str) -> Result<bool, SourceError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(invalid(format!(
            "storage option {name} does not take the value {value:?}; it takes true, false"
        ))),
    }
}

pub(crate) fn invalid(message: String) -> SourceError {
    SourceError {
        kind: SourceErrorKind::InvalidOption,
        location: "storage options".to_owned(),
        message,
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &'static str, value: &str) -> Meaning {
        Meaning::Setting(name, value.to_owned())
    }

    #[test]
    fn spellings_of_fsspec_are_mapped() {
        for (family, name, value, expected) in [
            (Family::S3, "anon", "True", set("skip_signature", "true")),
            (Family::S3, "key", "k", set("access_key_id", "k")),
            (Family::S3, "secret", "s", set("secret_access_key", "s")),
            (Family::S3, "token", "t", Meaning::Same("t".to_owned())),
            (Family::S3, "endpoint_url", "http://h", Meaning::Same("http://h".to_owned())),
            (Family::S3, "client_kwargs.region_name", "r", set("region", "r")),
            (Family::S3, "default_fill_cache", "False", Meaning::Nothing),
            (Family::Google, "token", "anon", set("skip_signature", "true")),
            (Family::Google, "token", "/a.json", set("service_account", "/a.json")),
            (Family::Azure, "account_name", "a", Meaning::Same("a".to_owned())),
            (Family::Azure, "sas_token", "a", Meaning::Same("a".to_owned())),
            (Family::Web, "headers.X-Y", "z", Meaning::Own),
            (Family::Local, "auto_mkdir", "1", Meaning::Nothing),
        ] {
            assert_eq!(meaning(family, name, value).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_nobody_knows_is_named() {
        for (family, name) in [
            (Family::S3, "acount_name"),
            (Family::S3, "http2_only"),
            (Family::Google, "key"),
            (Family::Azure, "profile"),
            (Family::Web, "region"),
            (Family::Local, "regoin"),
        ] {
            let error = meaning(family, name, "x").unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::InvalidOption);
            assert!(error.to_string().contains(name), "{error}");
        }
        assert!(meaning(Family::S3, "anon", "perhaps").is_err());
        assert!(meaning(Family::S3, "addressing_style", "odd").is_err());
    }

    #[test]
    fn options_of_one_store_are_read_with_their_store() {
        for (text, store, name, value) in [
            ("key=a=b", None, "key", "a=b"),
            ("headers.X-Y=https://h:1:x=y", None, "headers.X-Y", "https://h:1:x=y"),
            ("client_kwargs.region_name=r", None, "client_kwargs.region_name", "r"),
            ("s3://bucket:key=v", Some("s3://bucket"), "key", "v"),
            ("s3a://bucket/:key=v:w=x", Some("s3://bucket"), "key", "v:w=x"),
            ("https://Host:token=t", Some("https://host:443"), "token", "t"),
            ("https://host:8000:token=t", Some("https://host:8000"), "token", "t"),
            ("http://[::1]:8000:headers.X-Y=t", Some("http://[::1]:8000"), "headers.X-Y", "t"),
            ("http://[::1]:token=", Some("http://[::1]:80"), "token", ""),
            (
                "abfs://c@a.dfs.core.windows.net:sas_token=sv=1&sig=x",
                Some("abfs://c@a.dfs.core.windows.net"),
                "sas_token",
                "sv=1&sig=x",
            ),
        ] {
            let option: StorageOption = text.parse().unwrap();
            let found = option.store.as_ref().map(UrlPrefix::store);
            assert_eq!((found, &*option.name, &*option.value), (store, name, value), "{text}");
            assert!(!format!("{option:?}").contains("sig=x"));
        }
        for wrong in [
            "",
            "x",
            "=x",
            "1a=x",
            "s3://bucket=v",
            "s3://bucket/a/b:key=v",
            "s3://:key=v",
            "file:///a:key=v",
            "memory://a:key=v",
            "https://host:8000=t",
        ] {
            assert!(wrong.parse::<StorageOption>().is_err(), "{wrong}");
        }
        let timeout: StorageOption = "s3://bucket:timeout=3".parse().unwrap();
        assert!(StorageOptions::default().add(timeout).is_err());
    }

    #[test]
    fn secrets_go_to_their_store_alone() {
        let mut options = StorageOptions::default();
        options.set("region", "r");
        options.set("key", "flat");
        options.set("headers.X-Anything", "flat");
        options.set_for("s3://mine", "key", "of-my-own").unwrap();
        let key = |store: &str, credentials| {
            let own = options.for_store(store, credentials);
            assert_eq!(own.get("region"), Some("r"));
            own.get("key").map(str::to_owned)
        };
        assert_eq!(key("s3://mine", Credentials::All).as_deref(), Some("of-my-own"));
        assert_eq!(key("s3://mine", Credentials::Ambient).as_deref(), Some("of-my-own"));
        assert_eq!(key("s3://mine", Credentials::None), None);
        assert_eq!(key("s3://other", Credentials::All).as_deref(), Some("flat"));
        assert_eq!(key("s3://other", Credentials::Ambient), None);
        let secret: Vec<_> = options.for_one_store().collect();
        assert_eq!(secret, ["headers.X-Anything", "key"]);
        assert!(format!("{options:?}").contains("s3://mine:key"));
    }

    /// What is not known to be without secrets counts as one.
    #[test]
    fn options_of_every_store_let_nobody_in() {
        for name in [
            "key",
            "secret",
            "token",
            "password",
            "sas_token",
            "connection_string",
            "account_key",
            "service_account",
            "headers.Cookie",
            "profile",
            "bearer_token",
            "aws_sse_customer_key_base64",
            "google_service_account_key",
            "encoded",
        ] {
            assert!(!is_of_every_store(name, "x"), "{name}");
        }
        assert!(is_of_every_store("token", "anon"));
    }

    #[test]
    fn the_environment_sets_options() {
        let variables = [
            ("CHUNKREF_STORAGE_CLIENT_KWARGS__REGION_NAME", "r"),
            ("CHUNKREF_STORAGE_ANON", "true"),
            ("CHUNKREF_LOG", "debug"),
        ];
        let mut options = StorageOptions::from_environment(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(options.get("client_kwargs.region_name"), Some("r"));
        assert!(options.anonymous().unwrap());
        options.set("secret", "hidden");
        assert!(!format!("{options:?}").contains("hidden"));
        options.set("timeout", "2.5s");
        assert_eq!(options.seconds(&["timeout"]).unwrap(), Some(Duration::from_millis(2500)));
        options.set("timeout", "soon");
        assert!(options.seconds(&["timeout"]).is_err());
    }
}
