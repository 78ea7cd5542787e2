// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stores as reference sets and files may use them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::{ByteSource, Registry, Resolution, SourceError, SourceErrorKind};
use chunkref_model::ObjectVersion;

use crate::location::Location;
use crate::open::OpenOptions;
use crate::policy::{AccessPolicy, Grant};
use crate::prefix::UrlPrefix;
use crate::storage_options::{Credentials, invalid};
use crate::stores::{Opened, Stores};

impl Stores {
    /// A policy with what these stores allow.
    #[must_use]
    pub fn policy_with_allowed(&self, policy: AccessPolicy) -> AccessPolicy {
        policy.with_allowed(self.options().allow.iter().cloned())
    }

    /// The policy for what a reference set at `location` names, with what these stores allow.
    #[must_use]
    pub fn policy_of_set(&self, location: &Location) -> AccessPolicy {
        self.policy_with_allowed(AccessPolicy::of_set(location))
    }

    /// The same for a file at `location` that the user named, and for objects that a scan of it found.
    #[must_use]
    pub fn policy_of_file(&self, location: &Location, allow_outside: &[String]) -> AccessPolicy {
        self.policy_with_allowed(AccessPolicy::of_file(location, allow_outside))
    }

    /// Checks that it is clear which store options are for that are for one: all these locations are in one, or, when none
    /// of them is in a store, all that is allowed.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidOption`] that names the option and two stores.
    pub fn check_binding<'a>(
        &self,
        locations: impl IntoIterator<Item = &'a Location>,
    ) -> Result<(), SourceError> {
        let named: Vec<_> = locations.into_iter().filter_map(UrlPrefix::of).collect();
        self.check_stores(named.iter().filter(|prefix| prefix.is_remote()).map(UrlPrefix::store))
    }

    /// The same for all that sets and files which a policy is for are in.
    ///
    /// # Errors
    /// [`SourceErrorKind::InvalidOption`] that names the option and two stores.
    pub fn check_policy(&self, policy: &AccessPolicy) -> Result<(), SourceError> {
        self.check_stores(policy.own_stores())
    }

    fn check_stores<'a>(&self, stores: impl Iterator<Item = &'a str>) -> Result<(), SourceError> {
        let options = self.options();
        let Some(option) = options.storage.for_one_store().next() else { return Ok(()) };
        let mut stores: BTreeSet<_> = stores.collect();
        if stores.is_empty() {
            let allowed = options.allow.iter().filter(|prefix| prefix.is_remote());
            stores = allowed.map(UrlPrefix::store).collect();
        }
        let mut stores = stores.into_iter();
        let (Some(first), Some(other)) = (stores.next(), stores.next()) else { return Ok(()) };
        let fault = invalid(format!(
            "storage option {option} is for one store, and there are several ({first}, {other}): say which, as in {first}:{option}=VALUE"
        ));
        Err(fault.with_resolution(Resolution::StorageOption { name: format!("{first}:{option}") }))
    }

    /// Opens an object that is named not by the user but by a reference set or file, as `policy` allows.
    ///
    /// # Errors
    /// [`SourceError`] of kind [`SourceErrorKind::NotAllowed`] when the policy does not allow it, else as for
    /// [`Stores::open`].
    pub async fn open_within(
        &self,
        policy: &AccessPolicy,
        location: &Location,
        options: &OpenOptions,
    ) -> Result<Opened, SourceError> {
        let meter = Arc::default();
        let grant = policy.check(location)?;
        let credentials = match grant {
            Grant::With(credentials) => credentials,
            Grant::DataFile => Credentials::None,
        };
        let source = self.open_on(location, options, &meter, credentials).await;
        if grant == Grant::DataFile {
            let source = source?;
            if !begins_like_data(&source).await? {
                return Err(policy.no_data_file(location));
            }
            return Ok(Opened { source, meter });
        }
        if credentials != Credentials::None {
            return Ok(Opened { source: source?, meter });
        }
        let (policy, location) = (policy.clone(), location.clone());
        let source = source.map_err(|fault| in_words(&policy, &location, fault))?;
        Ok(Opened { source: Box::new(Public { source, policy, location }), meter })
    }
}

/// An object that is read without credentials, because something that the user named names it.
#[derive(Debug)]
struct Public {
    source: Box<dyn ByteSource>,
    policy: AccessPolicy,
    location: Location,
}

#[async_trait]
impl ByteSource for Public {
    fn location(&self) -> &str {
        self.source.location()
    }

    fn version(&self) -> &ObjectVersion {
        self.source.version()
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let read = self.source.read_many(ranges).await;
        read.map_err(|fault| in_words(&self.policy, &self.location, fault))
    }

    async fn open_sibling(&self, path: &str) -> Result<Box<dyn ByteSource>, SourceError> {
        self.source.open_sibling(path).await
    }
}

/// The same fault with what to allow, where that helps.
fn in_words(policy: &AccessPolicy, location: &Location, fault: SourceError) -> SourceError {
    match fault.kind {
        SourceErrorKind::NotAllowed if fault.source.is_none() => policy.internal(location),
        SourceErrorKind::PermissionDenied => policy.forbidden(location, fault),
        _ => fault,
    }
}

/// Whether an object begins like one of a format that is linked in.
async fn begins_like_data(source: &dyn ByteSource) -> Result<bool, SourceError> {
    let formats = Registry::linked().map_err(|cause| invalid(cause.to_string()))?;
    let head = 0..formats.reach().min(source.version().length);
    let head = source.read_many(std::slice::from_ref(&head)).await?;
    let head = head.first().map_or(&[][..], |head| head);
    let mut signatures = formats.entries().iter().flat_map(|entry| entry.signatures);
    Ok(signatures.any(|signature| signature.matches(head)))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use futures::executor::block_on;

    use super::*;
    use crate::guard::tests::Fixed;
    use crate::stores::StoreOptions;

    fn leading_here(options: StoreOptions) -> Stores {
        Stores::with_names(options, Arc::new(Fixed(vec![([127, 0, 0, 1], 0).into()])))
    }

    fn allowed(fault: &SourceError) -> Option<String> {
        match Resolution::in_chain(fault).into_iter().next()? {
            Resolution::Allow { allow, .. } => Some(allow),
            _ => None,
        }
    }

    /// As with a name whose server answers a public address first and this machine's then.
    #[test]
    fn a_public_name_that_leads_here_is_not_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut options = StoreOptions::default();
        options.retry.retries = 0;
        let stores = leading_here(options);
        let policy = stores.policy_of_set(&Location::parse("https://sets.example/a.json").unwrap());
        let open = |url: &str| {
            let location = Location::parse(url).unwrap();
            block_on(stores.open_within(&policy, &location, &OpenOptions::default())).unwrap_err()
        };
        let fault = open(&format!("http://data.example:{port}/a.nc"));
        assert_eq!(fault.kind, SourceErrorKind::NotAllowed, "{fault}");
        assert_eq!(allowed(&fault), Some(format!("http://data.example:{port}/")));
        assert!(listener.accept().is_err(), "nobody came");
        let fault = open("s3://bucket/a.nc");
        assert_eq!(fault.kind, SourceErrorKind::NotAllowed, "{fault}");
        assert_eq!(allowed(&fault).as_deref(), Some("s3://bucket/"));
    }

    #[test]
    fn options_for_one_store_need_one_store() {
        let location = |url: &str| Location::parse(url).unwrap();
        let check = |options: &StoreOptions, urls: &[&str]| {
            let locations: Vec<_> = urls.iter().map(|url| location(url)).collect();
            Stores::new(options.clone()).check_binding(&locations).map_err(|fault| fault.message)
        };
        let mut options = StoreOptions::default();
        options.storage.set("region", "r");
        let several = ["s3://a/x", "s3://b/x", "/local", "https://h/x"];
        assert_eq!(check(&options, &several), Ok(()));
        options.storage.set("key", "k");
        assert_eq!(check(&options, &["s3://a/x", "s3a://a/y", "/local"]), Ok(()));
        assert_eq!(check(&options, &["https://h/x", "https://H:443/y"]), Ok(()));
        let message = check(&options, &several).unwrap_err();
        assert!(message.contains("https://h:443:key=VALUE"), "{message}");
        assert!(check(&options, &["https://h/x", "http://h/x"]).is_err());
        options.allow = vec!["s3://a".parse().unwrap(), "s3://a/b".parse().unwrap()];
        assert_eq!(check(&options, &["/local"]), Ok(()));
        options.allow.push("s3://b".parse().unwrap());
        assert!(check(&options, &["/local"]).is_err());
        assert_eq!(check(&options, &["s3://c/x"]), Ok(()));
    }
}
