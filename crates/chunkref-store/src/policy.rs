// SPDX-License-Identifier: MIT OR Apache-2.0
//! What reference sets and files may name.

use std::collections::BTreeSet;
use std::path::Path;

use chunkref_core::{Resolution, SourceError, SourceErrorKind, redact};
use url::Url;

use crate::address::names_internal_host;
use crate::location::Location;
use crate::prefix::{UrlPrefix, real};
use crate::storage_options::{Credentials, Family};

/// Folders of the system that hold no data.
const OF_THE_SYSTEM: &[&str] =
    &["/boot", "/dev", "/etc", "/private/etc", "/private/var/run", "/proc", "/run", "/sys"];

/// A folder below one of those where removable disks are.
const REMOVABLE: &str = "/run/media";

/// What may be opened of the objects that a reference set, or a file, names.
///
/// What the user names is opened as it is. What a set names is opened when it lies
/// - in the folder of the set, or below: with the credentials of the set's store;
/// - below a prefix that the user allows: with the credentials for its store;
/// - on another public bucket or host: without credentials, and never at an address of the own network;
/// - in a local file elsewhere, if the set is a local file which is the user's own: when it is a data file, which begins
///   with the signature of a format that is linked in, and lies in no hidden or system folder.
///
/// Anything else is an error of kind [`SourceErrorKind::NotAllowed`] whose cause says what to allow.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccessPolicy {
    named_by: Vec<NamedBy>,
    allowed: Vec<UrlPrefix>,
    everything: bool,
}

/// A set or file that names objects.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct NamedBy {
    /// What messages call it.
    name: String,
    /// What it may name like its own.
    own: Vec<UrlPrefix>,
    /// Why it may not name local data files elsewhere; nothing when it may.
    without_local: Option<String>,
}

/// How an object may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grant {
    /// With these credentials; without any, at public addresses only.
    With(Credentials),
    /// When it is a data file.
    DataFile,
}

impl AccessPolicy {
    /// Everything may be named, with all credentials: for sets that were made by the same program for itself alone.
    #[must_use]
    pub fn everything() -> Self {
        Self { named_by: Vec::new(), allowed: Vec::new(), everything: true }
    }

    /// For references in the memory of this process, which came from nowhere that is known: they are taken for the user's
    /// own, and have no folder.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(NamedBy {
            name: "a set in memory".to_owned(),
            own: Vec::new(),
            without_local: None,
        })
    }

    /// For the reference set at a location, a file or a folder.
    #[must_use]
    pub fn of_set(location: &Location) -> Self {
        let name = format!("the set {location}");
        if let Some(path) = location.local_path() {
            let (own, without_local) = (beside(path), not_own(path));
            return Self::new(NamedBy { name, own, without_local });
        }
        let own = UrlPrefix::of(location).map(UrlPrefix::folder).into_iter().collect();
        let without_local = Some("the set is not a file of this machine".to_owned());
        Self::new(NamedBy { name, own, without_local })
    }

    /// For a file at a location that the user named, and for what it may name.
    #[must_use]
    pub fn of_file(location: &Location, allow_outside: &[String]) -> Self {
        Self::of_files([location], allow_outside)
    }

    /// The same for several files.
    #[must_use]
    pub fn of_files<'a>(
        locations: impl IntoIterator<Item = &'a Location>,
        allow_outside: &[String],
    ) -> Self {
        let mut own = BTreeSet::new();
        let mut name = String::new();
        for location in locations {
            name =
                if name.is_empty() { format!("the file {location}") } else { "a file".to_owned() };
            let prefix = UrlPrefix::of(location);
            // Of files of other kinds, all that is in their folder is theirs already.
            own.extend(prefix.clone().filter(|prefix| prefix.is_local() && prefix.is_hidden()));
            match location.local_path() {
                Some(path) => own.extend(beside(path)),
                None => own.extend(prefix.map(UrlPrefix::folder)),
            }
        }
        let without_local = Some("it lies outside the folder of the file".to_owned());
        Self::new(NamedBy { name, own: own.into_iter().collect(), without_local })
            .with_allowed(allow_outside.iter().filter_map(|folder| folder.parse().ok()))
    }

    fn new(named_by: NamedBy) -> Self {
        Self { named_by: vec![named_by], allowed: Vec::new(), everything: false }
    }

    /// The same with what begins with these allowed.
    #[must_use]
    pub fn with_allowed(mut self, prefixes: impl IntoIterator<Item = UrlPrefix>) -> Self {
        self.allowed.extend(prefixes);
        self
    }

    /// What either of two allows: for references that came of both.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        for by in other.named_by {
            let same =
                |known: &NamedBy| known.own == by.own && known.without_local == by.without_local;
            if !self.named_by.iter().any(same) {
                self.named_by.push(by);
            }
        }
        self.allowed.extend(other.allowed);
        self.everything |= other.everything;
        self
    }

    /// The stores that the sets and files are in.
    pub(crate) fn own_stores(&self) -> impl Iterator<Item = &str> {
        let own = self.named_by.iter().flat_map(|by| &by.own);
        own.filter(|own| own.is_remote()).map(UrlPrefix::store)
    }

    /// How the object at a location may be opened.
    pub(crate) fn check(&self, location: &Location) -> Result<Grant, SourceError> {
        if self.everything {
            return Ok(Grant::With(Credentials::All));
        }
        let Some(prefix) = UrlPrefix::of(location) else {
            let allow = location.url().to_owned();
            return Err(self.refusal(location, allow, "its path has parts that mean a parent"));
        };
        let mut own = self.named_by.iter().flat_map(|by| &by.own).chain(&self.allowed);
        if own.any(|own| own.holds(&prefix) && !(prefix.is_local() && hidden(own.below(&prefix)))) {
            let credentials =
                if self.is_bound(&prefix) { Credentials::All } else { Credentials::Ambient };
            return Ok(Grant::With(credentials));
        }
        if prefix.is_local() {
            return self.check_local(location, &prefix);
        }
        match Family::of(location.scheme()) {
            // What cannot be opened is no question of policy.
            Some(Family::S3 | Family::Google | Family::Azure) | None => {
                Ok(Grant::With(Credentials::None))
            }
            Some(Family::Web) => match Url::parse(location.url()) {
                Ok(url) if names_internal_host(&url) => {
                    let reason = "the host is one of this machine's own network";
                    Err(self.refusal(location, format!("{}/", prefix.store()), reason))
                }
                _ => Ok(Grant::With(Credentials::None)),
            },
            _ => Err(self.refusal(
                location,
                location.url().to_owned(),
                "it lies outside the folder of the set",
            )),
        }
    }

    fn check_local(&self, location: &Location, prefix: &UrlPrefix) -> Result<Grant, SourceError> {
        let reasons: Vec<_> = self.named_by.iter().map(|by| by.without_local.as_ref()).collect();
        if let Some(reason) = reasons.iter().flatten().next()
            && reasons.iter().all(Option::is_some)
        {
            return Err(self.refusal(location, location.url().to_owned(), reason));
        }
        let path = location.local_path().map(real).unwrap_or_default();
        let below = |folder: &&str| path.starts_with(folder);
        let refuse = |reason: &str| {
            Err(self.refusal(location, format!("file://{}", path.display()), reason))
        };
        if !path.starts_with(REMOVABLE)
            && let Some(folder) = OF_THE_SYSTEM.iter().find(|folder| below(folder))
        {
            return refuse(&format!("{folder} is a folder of the system"));
        }
        let everywhere = UrlPrefix::of_path(Path::new("/"));
        if hidden(everywhere.below(prefix)) {
            return refuse("it, or a folder that it is in, is hidden");
        }
        Ok(Grant::DataFile)
    }

    /// Whether options of stores that are not given for one of them are for this one: the store of the sets and files, or the only one
    /// that is allowed.
    fn is_bound(&self, prefix: &UrlPrefix) -> bool {
        if self.own_stores().next().is_some() {
            return self.own_stores().any(|store| store == prefix.store());
        }
        let mut allowed = self.allowed.iter().filter(|allowed| allowed.is_remote());
        allowed.all(|allowed| allowed.store() == prefix.store())
    }

    /// The error of a local file that is no data file.
    pub(crate) fn no_data_file(&self, location: &Location) -> SourceError {
        let reason =
            "it is not in the folder of the set and begins like no format that is known here";
        self.refusal(location, location.url().to_owned(), reason)
    }

    /// The error of an object at an address that may not be asked.
    pub(crate) fn internal(&self, location: &Location) -> SourceError {
        let allow = UrlPrefix::of(location).map(|prefix| format!("{}/", prefix.store()));
        let reason = "the host has an address of this machine's own network";
        self.refusal(location, allow.unwrap_or_else(|| location.url().to_owned()), reason)
    }

    /// The error of an object that was asked for without credentials, and is not for everybody.
    pub(crate) fn forbidden(&self, location: &Location, fault: SourceError) -> SourceError {
        let Some(prefix) = UrlPrefix::of(location) else { return fault };
        let allow = format!("{}/", prefix.store());
        let message = format!(
            "it is not public, and {} names it, not you, so it was asked for without credentials: allow {allow} to use yours",
            self.who()
        );
        SourceError { message, source: None, ..fault }
            .with_resolution(Resolution::Allow { object: location.url().to_owned(), allow })
    }

    fn who(&self) -> &str {
        match self.named_by.as_slice() {
            [by] => &by.name,
            _ => "one of the sets",
        }
    }

    fn refusal(&self, location: &Location, allow: String, reason: &str) -> SourceError {
        let who = self.who();
        let shown = redact(&allow);
        let message = format!(
            "{who} names this and may not, because {reason}: allow {shown} if you trust what names it"
        );
        let fault = SourceError {
            kind: SourceErrorKind::NotAllowed,
            location: location.url().to_owned(),
            message,
            source: None,
        };
        fault.with_resolution(Resolution::Allow { object: location.url().to_owned(), allow })
    }
}

/// The folder that a path is in, and that its links lead to.
fn beside(path: &Path) -> Vec<UrlPrefix> {
    let written = path.parent().map(real);
    let target = real(path).parent().map(Path::to_owned);
    let mut folders: Vec<_> =
        written.into_iter().chain(target).map(|folder| UrlPrefix::of_path(&folder)).collect();
    folders.dedup();
    folders
}

fn hidden(parts: &[String]) -> bool {
    parts.iter().any(|part| part.starts_with('.'))
}

/// Why a local set is not the user's own: its owner is another than this process and the system's administrator, or others
/// may write it. A group of the user's own number is the user's own.
#[cfg(unix)]
fn not_own(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    const OTHERS: u32 = 0o002;
    const GROUP: u32 = 0o020;
    let user = rustix::process::geteuid().as_raw();
    // Of a folder, also the file that says what is in it.
    for part in [path.to_owned(), path.join(".zmetadata")] {
        let Ok(metadata) = std::fs::metadata(&part) else { continue };
        if metadata.uid() != user && metadata.uid() != 0 {
            return Some("the set belongs to somebody else".to_owned());
        }
        let shared = metadata.mode() & GROUP != 0 && metadata.gid() != metadata.uid();
        if metadata.mode() & OTHERS != 0 || shared {
            return Some("the set can be written by others".to_owned());
        }
    }
    None
}

#[cfg(not(unix))]
fn not_own(_: &Path) -> Option<String> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn location(url: &str) -> Location {
        Location::parse(url).unwrap()
    }

    fn check(policy: &AccessPolicy, url: &str) -> Result<Grant, String> {
        policy.check(&location(url)).map_err(|fault| {
            assert_eq!(fault.kind, SourceErrorKind::NotAllowed);
            let resolutions = Resolution::in_chain(&fault);
            let [Resolution::Allow { allow, .. }] = resolutions.as_slice() else {
                panic!("{resolutions:?}")
            };
            assert!(fault.message.contains("may not, because"), "{}", fault.message);
            allow.clone()
        })
    }

    const OWN: Result<Grant, String> = Ok(Grant::With(Credentials::All));
    const AMBIENT: Result<Grant, String> = Ok(Grant::With(Credentials::Ambient));
    const PUBLIC: Result<Grant, String> = Ok(Grant::With(Credentials::None));

    #[test]
    fn sets_of_the_network_name_what_is_beside_them_and_what_is_public() {
        let policy = AccessPolicy::of_set(&location("https://host/a/cube.parq/"))
            .with_allowed(["s3://mine/x".parse().unwrap(), "/archive/raw".parse().unwrap()]);
        for url in ["https://host/a/x.nc", "https://host:443/a/b/../c/x.nc", "https://host/a/.x"] {
            assert_eq!(check(&policy, url), OWN, "{url}");
        }
        assert_eq!(check(&policy, "s3://mine/x/y"), AMBIENT, "options are for the set's host");
        assert_eq!(check(&policy, "/archive/raw/x"), AMBIENT);
        for url in ["https://host/b/x.nc", "http://host/a/x.nc", "s3://other/x", "s3://mine/y"] {
            assert_eq!(check(&policy, url), PUBLIC, "{url}");
        }
        for (url, allow) in [
            ("/etc/passwd", "file:///etc/passwd"),
            ("/archive/raw/.ssh/x", "file:///archive/raw/.ssh/x"),
            ("https://host/a/%2e%2e%2fx", "https://host/a/%2e%2e%2fx"),
            ("http://localhost:80/x", "http://localhost:80/"),
            ("http://0xa9fea9fe/x", "http://169.254.169.254:80/"),
            ("memory://x", "memory://x"),
        ] {
            assert_eq!(check(&policy, url), Err(allow.to_owned()));
        }
    }

    #[test]
    fn own_sets_name_data_files() {
        let policy = AccessPolicy::in_memory().with_allowed(["s3://mine".parse().unwrap()]);
        assert_eq!(check(&policy, "/absent/archive/x.nc"), Ok(Grant::DataFile));
        assert_eq!(check(&policy, "/run/media/disk/x.nc"), Ok(Grant::DataFile));
        assert_eq!(check(&policy, "s3://mine/x"), OWN, "the only store that is allowed");
        for url in
            ["/etc/x.nc", "/proc/self/environ", "/run/x", "/absent/.ssh/x.nc", "/absent/.x.nc"]
        {
            assert!(check(&policy, url).is_err(), "{url}");
        }
        let several = policy.with_allowed(["https://host".parse().unwrap()]);
        assert_eq!(check(&several, "s3://mine/x"), AMBIENT);
        assert_eq!(check(&AccessPolicy::everything(), "/etc/passwd"), OWN);
    }

    #[test]
    fn what_came_of_two_sets_names_what_either_may() {
        let first = AccessPolicy::of_set(&location("https://first/a/x.json"));
        let second = AccessPolicy::of_set(&location("https://second/a/x.json"));
        let both = first.clone().or(second).or(first);
        assert_eq!(both.named_by.len(), 2);
        assert_eq!(check(&both, "https://first/a/y"), OWN);
        assert_eq!(check(&both, "https://second/a/y"), OWN);
        assert!(check(&both, "/absent/x.nc").is_err());
        let files = AccessPolicy::of_files(
            &[location("/absent/a/x.nc"), location("/absent/a/y.nc"), location("/absent/b/.z.nc")],
            &["/absent/c".to_owned()],
        );
        for url in ["/absent/a/x.nc", "/absent/a/d/z", "/absent/b/.z.nc", "/absent/c/x"] {
            assert!(check(&files, url).is_ok(), "{url}");
        }
        for url in ["/absent/x.nc", "/absent/a/.z.nc", "/absent/b/.y.nc"] {
            assert!(check(&files, url).is_err(), "{url}");
        }
    }
}
