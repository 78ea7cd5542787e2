// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names resolved to addresses, of which only those are given that a request may go to.
//!
//! A name is looked up and connected to in one step, so an answer of the name's server that changes between a check and the
//! connection is of no use to whoever gives it.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::address::Reach;

/// Looks a name up.
pub(crate) trait Names: Send + Sync + fmt::Debug {
    /// The addresses of a name; their ports mean nothing.
    fn addresses(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>;
}

/// The names that the system knows.
#[derive(Debug)]
pub(crate) struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// A host that a request may not go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) host: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is an address of this machine's own network", self.host)
    }
}

impl std::error::Error for Refused {}

/// A resolver that gives the addresses within a reach.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) names: Arc<dyn Names>,
    pub(crate) reach: Reach,
    /// Hosts of proxies, which the user named, and which look up the names of others themselves.
    pub(crate) proxies: Arc<HashSet<String>>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { names, reach, proxies } = self.clone();
        let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        Box::pin(async move {
            let mut found = names.addresses(host.clone()).await?;
            if !proxies.contains(&host) {
                found.retain(|address| reach.holds(address.ip()));
                if found.is_empty() {
                    return Err(Refused { host }.into());
                }
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// The hosts of the proxies that requests go through.
pub(crate) fn proxy_hosts(option: Option<&str>) -> HashSet<String> {
    let variables = ["http_proxy", "https_proxy", "all_proxy"];
    let environment = variables
        .into_iter()
        .flat_map(|name| [std::env::var(name).ok(), std::env::var(name.to_ascii_uppercase()).ok()]);
    let hosts = environment.flatten().chain(option.map(str::to_owned)).filter_map(|text| {
        let url = if text.contains("://") { text } else { format!("http://{text}") };
        Some(Url::parse(&url).ok()?.host_str()?.to_ascii_lowercase())
    });
    hosts.collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Names that all have the same addresses.
    #[derive(Debug)]
    pub(crate) struct Fixed(pub(crate) Vec<SocketAddr>);

    impl Names for Fixed {
        fn addresses(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
            let found = self.0.clone();
            Box::pin(async move { Ok(found) })
        }
    }

    fn resolve(reach: Reach, addresses: &[&str], proxies: &[&str]) -> Result<Vec<String>, String> {
        let found = addresses.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
        let guard = Guard {
            names: Arc::new(Fixed(found.collect())),
            reach,
            proxies: Arc::new(proxies.iter().map(|&host| host.to_owned()).collect()),
        };
        let resolved = guard.resolve("Data.example".parse().unwrap());
        let resolved = futures::executor::block_on(resolved);
        resolved
            .map(|found| found.map(|address| address.ip().to_string()).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn internal_addresses_of_public_names_are_left_out() {
        let mixed = ["127.0.0.1", "8.8.8.8", "::1", "169.254.169.254"];
        assert_eq!(resolve(Reach::Public, &mixed, &[]).unwrap(), ["8.8.8.8"]);
        assert_eq!(resolve(Reach::Internal, &mixed, &[]).unwrap(), ["127.0.0.1", "8.8.8.8", "::1"]);
        let error = resolve(Reach::Public, &["10.0.0.1", "::ffff:10.0.0.1"], &[]).unwrap_err();
        assert!(error.contains("data.example"), "{error}");
    }

    #[test]
    fn a_proxy_may_be_of_the_own_network() {
        assert_eq!(resolve(Reach::Public, &["10.0.0.1"], &["data.example"]).unwrap(), ["10.0.0.1"]);
    }
}
