// SPDX-License-Identifier: MIT OR Apache-2.0
//! Patterns of names, and the files that they are meant for.

use std::collections::HashSet;

use chunkref_core::{Registry, SourceError};
use chunkref_store::{Location, Stores};

/// The locations that `text` names, as [`Stores::expand`] finds them. Of what a pattern matches, files that lie beside
/// others and hold no data ([`ScannerEntry::sidecars`](chunkref_core::ScannerEntry::sidecars)) are left out: `gfs*` takes
/// `gfs.f003` and not `gfs.f003.idx`.
///
/// # Errors
/// Those of [`Stores::expand`].
///
/// ```
/// # futures::executor::block_on(async {
/// let registry = chunkref::registry()?;
/// let found = chunkref::expand(&chunkref::stores(), &registry, "Cargo.toml").await?;
/// assert_eq!(found.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub async fn expand(
    stores: &Stores,
    registry: &Registry,
    text: &str,
) -> Result<Vec<Location>, SourceError> {
    let found = stores.expand(text).await?;
    let extensions: Vec<&str> =
        registry.entries().iter().flat_map(|entry| entry.sidecars).copied().collect();
    Ok(without_sidecars(found, &extensions))
}

/// Without those that are called after another one.
fn without_sidecars(found: Vec<Location>, extensions: &[&str]) -> Vec<Location> {
    if found.len() < 2 || extensions.is_empty() {
        return found;
    }
    let has =
        |extension: &str| extensions.iter().any(|sidecar| extension.eq_ignore_ascii_case(sidecar));
    // `a.grib2` has the sidecars `a.grib2.index` and `a.index`.
    let mut data: HashSet<String> = HashSet::new();
    for url in found.iter().map(Location::url) {
        match url.rsplit_once('.') {
            Some((_, extension)) if has(extension) => {}
            Some((stem, extension)) if !extension.contains('/') => {
                data.extend([url.to_owned(), stem.to_owned()]);
            }
            _ => {
                data.insert(url.to_owned());
            }
        }
    }
    let is_sidecar = |location: &Location| {
        let parts = location.url().rsplit_once('.');
        parts.is_some_and(|(stem, extension)| has(extension) && data.contains(stem))
    };
    found.into_iter().filter(|location| !is_sidecar(location)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_of_files_that_are_there_are_left_out() {
        let kept = |names: &[&str]| {
            let url = |name: &&str| Location::parse(&format!("s3://b.c/d.e/{name}")).unwrap();
            let kept = without_sidecars(names.iter().map(url).collect(), &["idx", "index"]);
            let names = kept.iter().map(|own| own.url().rsplit('/').next().unwrap().to_owned());
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            kept(&["gfs.f000", "gfs.f000.idx", "gfs.f003", "gfs.f003.IDX"]),
            ["gfs.f000", "gfs.f003"]
        );
        assert_eq!(kept(&["a.grib2", "a.index", "b.grib2.index"]), ["a.grib2", "b.grib2.index"]);
        assert_eq!(kept(&["plain", "plain.idx", "other"]), ["plain", "other"]);
        // Without data beside them they are what is meant.
        assert_eq!(kept(&["a.idx", "b.idx"]), ["a.idx", "b.idx"]);
    }
}
