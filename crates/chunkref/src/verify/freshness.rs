// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sources that are still what they were when the references were made.

use chunkref_core::{ByteSource, Resolution, SourceError};
use chunkref_model::{ObjectVersion, Source, SourceId};
use chunkref_store::{AccessPolicy, Location, OpenOptions, Stores};
use futures::{StreamExt, stream};

use super::{Check, Cube, Failure};

/// Sources that are looked at at a time.
const AT_A_TIME: usize = 64;

/// Opens every source that a chunk lies in or that was recorded, and compares it with the record.
pub(super) async fn check(cube: &mut Cube<'_>, stores: &Stores, policy: &AccessPolicy) -> Check {
    let mut check = Check::new("freshness", "sources");
    let sources = cube.dataset.sources().to_vec();
    let looks = sources.into_iter().enumerate().map(|(number, source)| async move {
        let found = look(stores, policy, &source).await;
        (SourceId(u32::try_from(number).unwrap_or(u32::MAX)), source, found)
    });
    let mut looks = stream::iter(looks).buffered(AT_A_TIME);
    let mut unknown = 0_u64;
    while let Some((id, source, found)) = looks.next().await {
        if let Err(ended) = stores.cancellation().check() {
            check.fail(Failure { reason: ended.to_string(), ..Failure::default() });
            break;
        }
        check.count(1);
        let mut allow = None;
        let reason = match found {
            Ok(found) => {
                let reason = source.version.as_ref().and_then(|known| difference(known, &found));
                unknown = unknown.saturating_add(u64::from(source.version.is_none()));
                cube.found.insert(id, found);
                reason
            }
            Err(error) => {
                allow = Resolution::in_chain(&error).into_iter().find_map(|found| match found {
                    Resolution::Allow { allow, .. } => Some(allow),
                    _ => None,
                });
                Some(error.to_string())
            }
        };
        if let Some(reason) = reason {
            cube.unsound.insert(id);
            let url = Some(source.location);
            check.fail(Failure { url, reason, allow, ..Failure::default() });
        }
    }
    if unknown > 0 {
        let note = format!(
            "{unknown} sources were not recorded with a version: that they are there is all that is known of them"
        );
        check.notes.push(note);
    }
    check
}

async fn look(
    stores: &Stores,
    policy: &AccessPolicy,
    source: &Source,
) -> Result<ObjectVersion, SourceError> {
    let location = Location::parse(&source.location)?;
    let opened = stores.open_within(policy, &location, &OpenOptions::default()).await?;
    Ok(opened.source.version().clone())
}

/// What differs between two versions of an object, as far as both say it.
pub(crate) fn difference(known: &ObjectVersion, found: &ObjectVersion) -> Option<String> {
    if known.length != found.length {
        return Some(format!(
            "the source has {} bytes, and had {} when it was scanned",
            found.length, known.length
        ));
    }
    if let (Some(known), Some(found)) = (&known.e_tag, &found.e_tag)
        && known != found
    {
        return Some(format!("the source was replaced: its ETag is {found}, and was {known}"));
    }
    match (known.last_modified, found.last_modified) {
        (Some(then), Some(now)) if then != now && known.e_tag.is_none() => {
            Some("the source was changed after it was scanned, by its date".to_owned())
        }
        _ => None,
    }
}
