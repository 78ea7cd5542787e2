// SPDX-License-Identifier: MIT OR Apache-2.0
//! Inputs changed at random, the same ones on every run.

use std::path::Path;

use crate::Target;

/// Longest input that is made, in bytes.
const MOST: usize = 1 << 17;

/// Makes changed inputs.
#[derive(Debug, Clone)]
pub struct Mutator {
    state: u64,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// Changes by the words of a dictionary in libFuzzer's form; equal seeds make equal changes.
    #[must_use]
    pub fn new(dictionary: &str, seed: u64) -> Self {
        let words = dictionary.lines().filter_map(word).filter(|word| !word.is_empty()).collect();
        Self { state: seed ^ 0x9e37_79b9_7f4a_7c15, words }
    }

    /// The next number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound.max(1) as u64).unwrap_or_default()
    }

    /// `seed` with one to four changes, some of which take pieces of `other`.
    pub fn change(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut content = seed.to_vec();
        for _ in 0..=self.below(4) {
            self.once(&mut content, other);
        }
        content.truncate(MOST);
        content
    }

    fn once(&mut self, content: &mut Vec<u8>, other: &[u8]) {
        let place = self.place(content.len());
        match self.below(10) {
            0 | 1 => {
                let bit = self.below(8);
                if let Some(byte) = content.get_mut(place) {
                    *byte ^= 1 << bit;
                }
            }
            2 => {
                let value = self.below(256);
                if let Some(byte) = content.get_mut(place) {
                    *byte = u8::try_from(value).unwrap_or_default();
                }
            }
            3 | 4 => {
                let extreme = self.extreme();
                overwrite(content, place, &extreme);
            }
            5 => {
                let number = self.below(self.words.len());
                if let Some(word) = self.words.get(number).cloned() {
                    if self.below(2) == 0 {
                        overwrite(content, place, &word);
                    } else {
                        content.splice(place..place, word);
                    }
                }
            }
            6 => content.truncate(place),
            7 => {
                let end = (place + 1 + self.below(64)).min(content.len());
                let copy = content.get(place..end).unwrap_or_default().to_vec();
                content.splice(place..place, copy);
            }
            8 => {
                let end = (place + 1 + self.below(16)).min(content.len());
                content.drain(place..end);
            }
            _ => {
                let start = self.place(other.len());
                let end = (start + 1 + self.below(256)).min(other.len());
                overwrite(content, place, other.get(start..end).unwrap_or_default());
            }
        }
    }

    /// A place in so many bytes. Metadata is denser at the beginning: half of them fall into the first 2 KiB.
    fn place(&mut self, length: usize) -> usize {
        let reach = if self.below(2) == 0 { length.min(2048) } else { length };
        self.below(reach.max(1)).min(length)
    }

    /// A number at an edge, in 1, 2, 4 or 8 bytes of either order.
    fn extreme(&mut self) -> Vec<u8> {
        let width = 1 << self.below(4);
        let shift = u32::try_from(self.below(64)).unwrap_or_default();
        let value = match self.below(6) {
            0 => 0,
            1 => u64::MAX,
            2 => u64::MAX >> 1,
            3 => (1 << shift) - 1,
            4 => 1 << shift,
            _ => self.below(1 << 16) as u64,
        };
        let bytes = value.to_le_bytes();
        let mut bytes = bytes.get(..width).unwrap_or(&bytes).to_vec();
        if self.below(2) == 0 {
            bytes.reverse();
        }
        bytes
    }
}

fn overwrite(content: &mut [u8], place: usize, with: &[u8]) {
    content.iter_mut().skip(place).zip(with).for_each(|(byte, with)| *byte = *with);
}

/// The word of a line `"WORD"` or `NAME="WORD"`, with `\\`, `\"` and `\xNN` undone.
fn word(line: &str) -> Option<Vec<u8>> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (_, quoted) = line.split_once('"')?;
    let quoted = quoted.strip_suffix('"')?;
    let mut word = Vec::new();
    let mut rest = quoted.bytes();
    while let Some(byte) = rest.next() {
        word.push(match byte {
            b'\\' => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
                }
                other => other,
            },
            byte => byte,
        });
    }
    Some(word)
}

/// The places of structures of HDF5 whose checksums are right, which can be made right again after a change, so that a
/// change gets past them.
#[derive(Debug, Clone, Default)]
pub struct Checksums(Vec<(usize, usize)>);

/// The signatures of structures that end with a checksum.
const CHECKED: [&[u8; 4]; 11] = [
    b"OHDR", b"OCHK", b"BTHD", b"BTIN", b"BTLF", b"FRHP", b"FHIB", b"FAHD", b"FADB", b"EAHD",
    b"EAIB",
];
/// The longest structure that is looked for, in bytes.
const LONGEST: usize = 1024;

impl Checksums {
    /// Those of a sound file: a structure ends where the four bytes behind it are its checksum.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut found = Vec::new();
        let mut look = |start: usize, from: usize| {
            let end = content.len().saturating_sub(4).min(start + LONGEST);
            let matches = |&stop: &usize| {
                let stored = content.get(stop..stop + 4).and_then(|bytes| bytes.try_into().ok());
                let body = content.get(start..stop).unwrap_or_default();
                stored.map(u32::from_le_bytes) == Some(crate::skeleton::checksum(body))
            };
            found.extend((start + from..=end).find(matches).map(|stop| (start, stop)));
        };
        if content.starts_with(b"\x89HDF\r\n\x1a\n") && content.get(8).is_some_and(|&v| v >= 2) {
            look(0, 12);
        }
        for start in 0..content.len().saturating_sub(8) {
            let name = content.get(start..start + 4).unwrap_or_default();
            if CHECKED.iter().any(|known| &known[..] == name) {
                look(start, 6);
            }
        }
        Self(found)
    }

    /// Makes them right again in a changed file.
    pub fn mend(&self, content: &mut [u8]) {
        for &(start, stop) in &self.0 {
            let Some(body) = content.get(start..stop) else { continue };
            let checksum = crate::skeleton::checksum(body).to_le_bytes();
            if let Some(stored) = content.get_mut(stop..stop + 4) {
                stored.copy_from_slice(&checksum);
            }
        }
    }
}

/// Changed seeds of a target, one after another. Half of those of HDF5 have their checksums made right again.
#[derive(Debug)]
pub struct Changed {
    mutator: Mutator,
    /// Each seed, with its checksums when they are looked for.
    seeds: Vec<(Vec<u8>, Option<Checksums>)>,
    /// Whether the inputs are files of HDF5.
    hdf5: bool,
}

impl Changed {
    /// At most `most` seeds of a target, evenly taken; equal numbers give equal inputs.
    #[must_use]
    pub fn new(target: &Target, fixtures: &Path, most: usize, number: u64) -> Self {
        let seeds = (target.seeds)(fixtures);
        let step = seeds.len().div_ceil(most).max(1);
        Self {
            mutator: Mutator::new(target.dictionary, number),
            seeds: seeds.into_iter().step_by(step).map(|seed| (seed, None)).collect(),
            hdf5: target.name == "hdf5_scan",
        }
    }

    /// How many seeds there are.
    #[must_use]
    pub fn seeds(&self) -> usize {
        self.seeds.len()
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let (number, other) = (self.pick(), self.pick());
        let other = self.seeds.get(other).map(|(seed, _)| seed.clone()).unwrap_or_default();
        let Some((seed, checksums)) = self.seeds.get_mut(number) else { return Vec::new() };
        let mut input = self.mutator.change(seed, &other);
        if self.hdf5 && self.mutator.below(2) == 0 {
            checksums.get_or_insert_with(|| Checksums::of(seed)).mend(&mut input);
        }
        input
    }

    fn pick(&mut self) -> usize {
        self.mutator.below(self.seeds.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_make_equal_changes() {
        let make = |seed| {
            let mut mutator = Mutator::new("a=\"GRIB\\x00\"", seed);
            (0..50).map(|_| mutator.change(b"some content", b"other")).collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        assert!(make(1).iter().filter(|content| **content != b"some content").count() > 40);
    }

    #[test]
    fn words_are_those_of_libfuzzer() {
        assert_eq!(word("name=\"a\\x00\\\\\\\"\"").unwrap(), b"a\0\\\"");
        assert_eq!(word("\"plain\"").unwrap(), b"plain");
        assert_eq!(word("# \"comment\""), None);
    }

    #[test]
    fn checksums_are_found_and_mended() {
        let sound = crate::skeleton::file(&[], &[], b"");
        let checksums = Checksums::of(&sound);
        assert_eq!(checksums.0.len(), 3, "the superblock and two headers");
        let mut changed = sound.clone();
        changed[20] ^= 1;
        checksums.mend(&mut changed);
        assert_ne!(changed, sound);
        assert_eq!(Checksums::of(&changed).0, checksums.0);
    }
}
