// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether formats can be told apart: files that have the signatures of two of them, at every pair of places.

use std::ops::Range;

use chunkref_core::{Registry, RegistryError, ScannerEntry, Signature};

use super::{Violation, require};

/// Most bytes of a file that may be read to tell its format.
const LONGEST_HEAD: u64 = 64 << 10;

/// A signature that a file is given.
#[derive(Clone, Copy)]
struct Claim<'a> {
    entry: &'a ScannerEntry,
    signature: &'a Signature,
    offset: u64,
}

impl Claim<'_> {
    fn range(&self) -> Range<usize> {
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
        start..start.saturating_add(self.signature.bytes.len())
    }

    fn write(&self, file: &mut [u8]) {
        if let Some(place) = file.get_mut(self.range()) {
            place.copy_from_slice(self.signature.bytes);
        }
    }
}

/// Checks that the formats of a registry can be told apart. Whoever adds a format gives a registry of it and of those
/// that it is to work beside. Returns how many files were made.
///
/// # Errors
/// The first clause that is broken.
pub fn signatures(registry: &Registry) -> Result<usize, Violation> {
    for entry in registry.entries() {
        for signature in entry.signatures {
            let whole = !signature.bytes.is_empty()
                && !signature.offsets.is_empty()
                && (signature.mask.is_empty() || signature.mask.len() == signature.bytes.len())
                && signature.reach() <= LONGEST_HEAD;
            require(whole, "a signature has bytes, places and a whole mask", || {
                format!("{}: {signature:?}", entry.name)
            })?;
        }
    }
    let mut files = 0;
    for one in claims(registry) {
        for other in claims(registry) {
            let same = one.entry.name == other.entry.name;
            if !same && one.offset == other.offset {
                require(
                    !one.signature.overlaps(other.signature),
                    "no file has the signatures of two formats at one place",
                    || format!("{} and {} at {}", one.entry.name, other.entry.name, one.offset),
                )?;
                continue;
            }
            ambiguous(registry, one, other)?;
            files += 1;
        }
    }
    Ok(files)
}

fn claims(registry: &Registry) -> impl Iterator<Item = Claim<'_>> {
    registry.entries().iter().flat_map(|entry| {
        entry.signatures.iter().flat_map(move |signature| {
            signature.offsets.iter().map(move |&offset| Claim { entry, signature, offset })
        })
    })
}

/// A file with two signatures: the one at the start says what it is; else it is both formats'. One that is written over
/// another may destroy it, so either may be found then.
fn ambiguous(registry: &Registry, one: Claim<'_>, other: Claim<'_>) -> Result<(), Violation> {
    let mut file = vec![0; usize::try_from(registry.reach()).unwrap_or_default()];
    one.write(&mut file);
    other.write(&mut file);
    let (a, b) = (one.range(), other.range());
    let apart = a.end <= b.start || b.end <= a.start;
    let mut names = vec![one.entry.name, other.entry.name];
    names.sort_unstable();
    names.dedup();
    let found = registry.detect(&file).map(|entry| entry.name);
    let right = match (&found, one.offset, other.offset) {
        (Ok(name), 0, _) if apart => *name == one.entry.name,
        (Ok(name), _, 0) if apart => *name == other.entry.name,
        (Ok(name), _, _) if apart => names == [*name],
        (Ok(name), _, _) => names.contains(name),
        (Err(RegistryError::Ambiguous { matches }), one, other) => {
            *matches == names && (!apart || (one != 0 && other != 0))
        }
        (Err(_), _, _) => false,
    };
    require(right, "a signature at the start beats one that is searched for", || {
        format!(
            "a file with {} at {} and {} at {} gives {found:?}",
            one.entry.name, one.offset, other.entry.name, other.offset
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy;

    fn check(others: &[Signature]) -> Result<usize, Violation> {
        let entries = others.iter().zip(["a", "b", "c"]).map(|(&signature, name)| {
            toy::ENTRY.with_name(name).with_signatures(Vec::leak(vec![signature]))
        });
        signatures(&Registry::from_entries(entries.chain([toy::ENTRY])).unwrap())
    }

    #[test]
    fn formats_that_can_be_told_apart_pass() {
        // Itself: 1. With three places of another: 4 × 4, without two that are at one place.
        assert_eq!(check(&[]), Ok(1));
        assert_eq!(check(&[Signature::at(b"ABC", &[0, 2, 512])]), Ok(14));
    }

    #[test]
    fn formats_that_cannot_are_found() {
        let clause = |others: &[Signature]| check(others).unwrap_err().clause;
        let broken = "a signature has bytes, places and a whole mask";
        assert_eq!(clause(&[Signature::at_start(b"")]), broken);
        assert_eq!(clause(&[Signature::at(b"A", &[])]), broken);
        assert_eq!(clause(&[Signature::at(b"A", &[1 << 40])]), broken);
        assert_eq!(clause(&[Signature { bytes: b"AB", mask: &[0xff], offsets: &[0] }]), broken);
        let same = "no file has the signatures of two formats at one place";
        assert_eq!(clause(&[Signature::at_start(b"TOY")]), same);
        // The second is part of the first, which makes any file with the first and the third one of three formats.
        let parts =
            [Signature::at(b"PQ", &[4]), Signature::at(b"Q", &[5]), Signature::at(b"R", &[9])];
        assert_eq!(clause(&parts), "a signature at the start beats one that is searched for");
    }
}
