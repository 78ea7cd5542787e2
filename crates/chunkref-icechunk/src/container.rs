// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual chunk containers: the folders, buckets and servers that references point into.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use chunkref_core::StoreHints;
use chunkref_model::{Dataset, SourceId};
use icechunk::config::{HttpConfig, S3Options};
use icechunk::format::manifest::{Checksum, VirtualChunkLocation};
use icechunk::virtual_chunks::VirtualChunkContainer;
use icechunk::{ObjectStoreConfig, RepositoryConfig};

use crate::{IcechunkError, location};

/// One source as references have it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) location: VirtualChunkLocation,
    pub(crate) checksum: Option<Checksum>,
    /// Bytes of the object, where they are known.
    pub(crate) length: Option<u64>,
}

/// All sources of a dataset, and the containers that they lie in.
#[derive(Debug)]
pub(crate) struct Targets {
    of_sources: Vec<Result<Target, &'static str>>,
    names: Vec<String>,
    /// By URL prefix.
    prefixes: BTreeMap<String, ObjectStoreConfig>,
}

impl Targets {
    pub(crate) fn new(dataset: &Dataset, hints: &StoreHints) -> Self {
        let (mut targets, mut names) = (Vec::new(), Vec::new());
        let mut prefixes = BTreeMap::new();
        let mut folders = Folders::default();
        for source in dataset.sources() {
            let target = location::encode(&source.location).and_then(|encoded| {
                if let Some(folder) = folder(&source.location) {
                    if folder.is_empty() {
                        return Err("it lies in no folder, and a container is one");
                    }
                    folders.add(folder);
                } else {
                    let account = encoded.account.as_ref().or(hints.account.as_ref());
                    let (prefix, store) = store(&encoded.url, account, hints)?;
                    if prefixes.get(&prefix).is_some_and(|known| *known != store) {
                        return Err("another account of Azure has a container of the same name");
                    }
                    prefixes.insert(prefix, store);
                }
                let location = VirtualChunkLocation::from_url(&encoded.url)
                    .map_err(|_| "the library does not take its URL")?;
                let version = source.version.as_ref();
                Ok(Target {
                    checksum: version.and_then(|known| location::checksum(location.url(), known)),
                    location,
                    length: version.map(|version| version.length),
                })
            });
            targets.push(target);
            names.push(source.location.clone());
        }
        for folder in folders.common() {
            let path = PathBuf::from(format!("/{folder}"));
            prefixes.insert(format!("file:///{folder}"), ObjectStoreConfig::LocalFileSystem(path));
        }
        Self { of_sources: targets, names, prefixes }
    }

    /// One source, or why a repository cannot point to it.
    pub(crate) fn get(&self, source: SourceId) -> Result<&Target, &'static str> {
        let index = usize::try_from(source.0).unwrap_or(usize::MAX);
        match self.of_sources.get(index) {
            Some(Ok(target)) => Ok(target),
            Some(Err(reason)) => Err(reason),
            None => Err("the dataset has no such source"),
        }
    }

    /// Where a source is.
    pub(crate) fn name(&self, source: SourceId) -> String {
        let index = usize::try_from(source.0).unwrap_or(usize::MAX);
        self.names.get(index).cloned().unwrap_or_default()
    }

    /// Adds the containers that `config` does not have yet, and says whether there were any.
    pub(crate) fn configure(&self, config: &mut RepositoryConfig) -> Result<bool, IcechunkError> {
        let mut changed = false;
        for (prefix, store) in &self.prefixes {
            let known = config.virtual_chunk_containers.iter().flat_map(HashMap::values);
            if known.into_iter().any(|container| prefix.starts_with(container.url_prefix())) {
                continue;
            }
            let wrap = |reason| IcechunkError::Container { prefix: prefix.clone(), reason };
            let container =
                VirtualChunkContainer::new(prefix.clone(), store.clone()).map_err(wrap)?;
            config.set_virtual_chunk_container(container).map_err(wrap)?;
            changed = true;
        }
        Ok(changed)
    }
}

/// The container of an object that is no local file.
fn store(
    url: &str,
    account: Option<&String>,
    hints: &StoreHints,
) -> Result<(String, ObjectStoreConfig), &'static str> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let store = match scheme {
        "s3" => {
            let mut options = S3Options::default();
            options.region.clone_from(&hints.region);
            options.endpoint_url.clone_from(&hints.endpoint);
            options.anonymous = hints.anonymous;
            let endpoint = hints.endpoint.as_deref();
            options.allow_http = endpoint.is_some_and(|url| url.starts_with("http://"));
            options.force_path_style = endpoint.is_some();
            match hints.endpoint {
                Some(_) => ObjectStoreConfig::S3Compatible(options),
                None => ObjectStoreConfig::S3(options),
            }
        }
        "gs" => ObjectStoreConfig::Gcs(HashMap::new()),
        "az" => {
            let account =
                account.ok_or("Icechunk needs the account: set the storage option account_name")?;
            ObjectStoreConfig::Azure(HashMap::from([("account".to_owned(), account.clone())]))
        }
        _ => {
            let mut config = HttpConfig::default();
            if scheme == "http" {
                config.opts.insert("allow_http".to_owned(), "true".to_owned());
            }
            ObjectStoreConfig::Http(config)
        }
    };
    Ok((format!("{scheme}://{authority}/"), store))
}

/// The folder of a local file, without the first slash and with the last one.
fn folder(location: &str) -> Option<&str> {
    let path = location.strip_prefix("file:///")?;
    Some(path.rfind('/').map_or("", |end| path.get(..=end).unwrap_or_default()))
}

/// The folder that all local files have in common; where that is the root, one for each folder below it.
#[derive(Debug, Default)]
struct Folders {
    /// By the first part of the path.
    common: BTreeMap<String, String>,
}

impl Folders {
    fn add(&mut self, folder: &str) {
        let first = folder.split_inclusive('/').next().unwrap_or_default();
        let Some(common) = self.common.get_mut(first) else {
            self.common.insert(first.to_owned(), folder.to_owned());
            return;
        };
        while !folder.starts_with(common.as_str()) {
            let parent =
                common.trim_end_matches('/').rfind('/').map_or(0, |end| end.saturating_add(1));
            common.truncate(parent);
        }
    }

    fn common(self) -> impl Iterator<Item = String> {
        self.common.into_values().filter(|folder| !folder.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use chunkref_model::Source;

    use super::*;

    fn prefixes(locations: &[&str], hints: &StoreHints) -> Vec<String> {
        let mut dataset = Dataset::new();
        for location in locations {
            dataset.add_source(Source { location: (*location).to_owned(), version: None });
        }
        let targets = Targets::new(&dataset, hints);
        let mut config = RepositoryConfig::default();
        assert_eq!(targets.configure(&mut config).unwrap(), !targets.prefixes.is_empty());
        assert!(!targets.configure(&mut config).unwrap(), "a second time nothing is new");
        targets.prefixes.into_keys().collect()
    }

    #[test]
    fn every_place_has_a_container() {
        let hints = StoreHints::default();
        let of = |locations: &[&str]| prefixes(locations, &hints);
        assert_eq!(of(&["file:///data/a/1.nc", "file:///data/b/c/2.nc"]), ["file:///data/"]);
        assert_eq!(of(&["file:///data/ab/1.nc", "file:///data/a/2.nc"]), ["file:///data/"]);
        assert_eq!(of(&["file:///d/1.nc", "file:///e/2.nc"]), ["file:///d/", "file:///e/"]);
        assert_eq!(
            of(&["s3://b/x/1.nc", "s3a://b/2.nc", "gs://g/3.nc", "https://h:1/x/4.nc"]),
            ["gs://g/", "https://h:1/", "s3://b/"]
        );
        assert_eq!(of(&["memory://a/b", "az://box/k"]), [""; 0]);
        assert_eq!(of(&["abfs://box@me.dfs.core.windows.net/k"]), ["az://box/"]);
    }

    #[test]
    fn two_accounts_with_one_name_are_told_apart() {
        let mut dataset = Dataset::new();
        for account in ["me", "you"] {
            let location = format!("abfs://box@{account}.dfs.core.windows.net/k");
            dataset.add_source(Source { location, version: None });
        }
        let targets = Targets::new(&dataset, &StoreHints::default());
        assert!(targets.get(SourceId(0)).is_ok());
        assert!(targets.get(SourceId(1)).unwrap_err().contains("another account"));
        assert!(targets.get(SourceId(2)).is_err());
    }
}
