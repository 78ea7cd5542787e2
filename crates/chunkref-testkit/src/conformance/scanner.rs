// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of [`Scanner`](chunkref_core::Scanner).

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use chunkref_core::{
    ByteSource, Limits, MemorySource, Registry, Scan, ScanError, ScanErrorKind, ScanOptions,
    ScannerEntry, SkipKind, SourceErrorKind,
};
use chunkref_model::ChunkRef;
use futures::executor::block_on;
use futures::future::join;

use super::{Violation, require};
use crate::source::{CountingSource, FailingSource, PendingSource, TruncatingSource};

/// Damaged copies that are scanned of each sample, for each kind of damage.
const DAMAGES: u64 = 600;

/// Rounds after which a scan counts as endless.
const ENDLESS_ROUNDS: u64 = 100_000;

const LOCATION: &str = "memory://sample";

/// A file of the format.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What to call it.
    pub name: &'static str,
    /// All of it.
    pub bytes: Bytes,
    /// Rounds of reading that its structures need.
    pub rounds: u64,
}

/// Checks a format with sound samples of it. That references decode to the values that the format's own library reads
/// is not for this suite: only that library can tell.
///
/// # Errors
/// The first clause that it breaks.
pub fn scanner(entry: &ScannerEntry, samples: &[Sample]) -> Result<(), Violation> {
    require(!samples.is_empty(), "the suite has samples", || "there is none".to_owned())?;
    let named = (entry.scanner)().entry().name;
    require(named == entry.name, "the scanner knows its entry", || {
        format!("{named:?} instead of {:?}", entry.name)
    })?;
    let foreign =
        entry.options.iter().find(|option| !option.name.starts_with(&format!("{}.", entry.name)));
    require(foreign.is_none(), "options begin with the format's name", || format!("{foreign:?}"))?;
    for sample in samples {
        sound(entry, sample)?;
        failing(entry, sample)?;
        limited(entry, sample)?;
        damaged(entry, sample)?;
    }
    Ok(())
}

fn sound(entry: &ScannerEntry, sample: &Sample) -> Result<(), Violation> {
    let name = sample.name;
    let detected = Registry::from_entries([*entry])
        .and_then(|registry| registry.detect(&sample.bytes).map(|entry| entry.name));
    require(detected == Ok(entry.name), "the signature tells the format", || {
        format!("{name}: {detected:?}")
    })?;
    let source = CountingSource::new(FailingSource::after(
        memory(&sample.bytes),
        ENDLESS_ROUNDS,
        SourceErrorKind::Io,
    ));
    let scan = scan_caught(entry, &source, &ScanOptions::default(), name)?.map_err(|error| {
        Violation { clause: "a sound file is scanned", detail: format!("{name}: {error:?}") }
    })?;
    check_scan(&scan, sample.bytes.len() as u64, name)?;
    let rounds = source.rounds().len() as u64;
    require(
        rounds <= sample.rounds,
        "what is wanted at one time is asked for in one call",
        || format!("{name}: {rounds} rounds instead of {}", sample.rounds),
    )?;
    let again = scan_caught(entry, &memory(&sample.bytes), &ScanOptions::default(), name)?;
    require(
        again.ok().as_ref() == Some(&scan),
        "the same bytes and options give the same result",
        || name.to_owned(),
    )?;
    let slow = scan_caught(
        entry,
        &PendingSource::new(memory(&sample.bytes)),
        &ScanOptions::default(),
        name,
    )?;
    require(
        slow.ok().as_ref() == Some(&scan),
        "the timing of reads does not change the result",
        || name.to_owned(),
    )?;
    let (one, two) =
        (PendingSource::new(memory(&sample.bytes)), PendingSource::new(memory(&sample.bytes)));
    let (options, scanner) = (ScanOptions::default(), (entry.scanner)());
    let (one, two) = block_on(join(scanner.scan(&one, &options), scanner.scan(&two, &options)));
    let both = one.ok().as_ref() == Some(&scan) && two.ok().as_ref() == Some(&scan);
    require(both, "scans of different sources run at the same time", || name.to_owned())
}

/// Kinds of failure of a store.
const FAULTS: [SourceErrorKind; 6] = [
    SourceErrorKind::Io,
    SourceErrorKind::TimedOut,
    SourceErrorKind::Changed,
    SourceErrorKind::NotFound,
    SourceErrorKind::PermissionDenied,
    SourceErrorKind::InvalidOption,
];

/// A store that fails once, or from then on, ends the scan: a dataset of what was read before would be taken for the
/// whole. An object that is only looked for may be done without, if that changes nothing.
fn failing(entry: &ScannerEntry, sample: &Sample) -> Result<(), Violation> {
    let whole = scan_caught(entry, &memory(&sample.bytes), &ScanOptions::default(), sample.name)?;
    for kind in FAULTS {
        for is_lasting in [false, true] {
            for sound in 0..ENDLESS_ROUNDS {
                let object = memory(&sample.bytes);
                let source = if is_lasting {
                    FailingSource::after(object, sound, kind)
                } else {
                    FailingSource::once(object, sound, kind)
                };
                let scan = scan_caught(entry, &source, &ScanOptions::default(), sample.name)?;
                if !source.has_failed() {
                    break;
                }
                let unchanged = || whole.as_ref().ok() == scan.as_ref().ok();
                if !source.has_failed_to_read() && (!kind.is_fault_of_sibling() || unchanged()) {
                    continue;
                }
                let found = scan.map(|_| ()).map_err(|error| error.kind);
                require(
                    found == Err(ScanErrorKind::from(kind)),
                    "a read that fails ends the scan with its kind of error",
                    || format!("{}: {kind:?} after {sound} reads gives {found:?}", sample.name),
                )?;
            }
        }
    }
    Ok(())
}

fn limited(entry: &ScannerEntry, sample: &Sample) -> Result<(), Violation> {
    let mut none = Limits::default();
    (none.chunks, none.inline_bytes) = (0, 0);
    let scan = scan_caught(
        entry,
        &memory(&sample.bytes),
        &ScanOptions::default().with_limits(none),
        sample.name,
    )?;
    if let Ok(scan) = scan {
        let references: u64 =
            scan.dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum();
        require(references == 0, "a scan keeps to its limits", || {
            format!("{}: {references} references where none is allowed", sample.name)
        })?;
    }
    let mut short = Limits::default();
    (short.metadata_bytes, short.structure_bytes, short.objects, short.members, short.depth) =
        (1, 1, 0, 0, 0);
    let tight = scan_caught(
        entry,
        &memory(&sample.bytes),
        &ScanOptions::default().with_limits(short),
        sample.name,
    )?;
    let arrays = tight.map_or(0, |scan| scan.dataset.arrays().len());
    require(arrays == 0, "a scan keeps to its limits", || {
        format!("{}: {arrays} arrays where no object is allowed", sample.name)
    })
}

/// Cut short, and with bytes changed: the scan ends without a panic, and what it returns is within the object.
fn damaged(entry: &ScannerEntry, sample: &Sample) -> Result<(), Violation> {
    let length = sample.bytes.len() as u64;
    let step = length.div_ceil(DAMAGES).max(1);
    let mut options = ScanOptions::default();
    options.limits.metadata_bytes = 64 << 20;
    // Heads are dense in structures, so every place there is tried.
    let places = || {
        (0..length.min(DAMAGES))
            .chain((DAMAGES..length).step_by(usize::try_from(step).unwrap_or(1)))
    };
    for place in places() {
        let cut = TruncatingSource::new(memory(&sample.bytes), place);
        endure(entry, &options, cut, &format!("{} cut to {place} bytes", sample.name))?;
    }
    for place in places() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = BytesMut::from(&sample.bytes[..]);
            if let Some(byte) = usize::try_from(place).ok().and_then(|place| bytes.get_mut(place)) {
                *byte ^= flip;
            }
            endure(
                entry,
                &options,
                memory(&bytes.freeze()),
                &format!("{} with {flip:#04x} flipped at byte {place}", sample.name),
            )?;
        }
    }
    Ok(())
}

fn endure<S: ByteSource>(
    entry: &ScannerEntry,
    options: &ScanOptions,
    source: S,
    what: &str,
) -> Result<(), Violation> {
    let source = FailingSource::after(source, ENDLESS_ROUNDS, SourceErrorKind::Io);
    let scan = scan_caught(entry, &source, options, what)?;
    require(!source.has_failed(), "a scan ends", || what.to_owned())?;
    scan.map_or(Ok(()), |scan| check_scan(&scan, source.version().length, what))
}

fn check_scan(scan: &Scan, length: u64, name: &str) -> Result<(), Violation> {
    let dataset = &scan.dataset;
    for (path, array) in dataset.arrays() {
        let rank = array.shape.len();
        let consistent = array.dimensions.len() == rank
            && array.chunk_grid.chunk_shape().len() == rank
            && !array.chunk_grid.chunk_shape().contains(&0)
            && array.manifest.grid_shape() == array.chunk_grid.grid_shape(&array.shape);
        require(
            consistent,
            "shape, dimensions, chunk grid and manifest of an array agree",
            || {
                format!(
                    "{name}: {path}: {:?}, {:?}, {:?}",
                    array.shape, array.dimensions, array.chunk_grid
                )
            },
        )?;
        let mut outside = None;
        array.manifest.visit(&mut |_, reference| {
            if let ChunkRef::Virtual { source, offset, length: count } = reference {
                let known = dataset.source(source);
                let own = known.is_some_and(|source| source.location == LOCATION);
                let end = offset.checked_add(count);
                if known.is_none() || (own && end.is_none_or(|end| end > length)) {
                    outside = Some((source, offset, count));
                }
            }
        });
        require(outside.is_none(), "every reference lies within the object that it names", || {
            format!("{name}: {path}: {outside:?} of {length} bytes")
        })?;
    }
    require(
        scan.skipped.is_sorted_by(|a, b| a.path <= b.path),
        "skipped things are in the order of their paths",
        || format!("{name}: {:?}", scan.skipped.iter().map(|skip| &skip.path).collect::<Vec<_>>()),
    )?;
    for skip in &scan.skipped {
        require(!skip.reason.is_empty(), "what is skipped has a reason", || {
            format!("{name}: {}", skip.path)
        })?;
        let there = match skip.kind {
            SkipKind::Array => dataset.array(&skip.path).is_some(),
            SkipKind::Group => !skip.path.is_empty() && dataset.group(&skip.path).is_some(),
            _ => false,
        };
        require(!there, "what is skipped is not in the dataset too", || {
            format!("{name}: {}", skip.path)
        })?;
    }
    Ok(())
}

fn scan_caught(
    entry: &ScannerEntry,
    source: &dyn ByteSource,
    options: &ScanOptions,
    what: &str,
) -> Result<Result<Scan, ScanError>, Violation> {
    catch_unwind(AssertUnwindSafe(|| block_on((entry.scanner)().scan(source, options))))
        .map_err(|_| Violation { clause: "a scan does not panic", detail: what.to_owned() })
}

fn memory(bytes: &Bytes) -> MemorySource {
    MemorySource::new(LOCATION, bytes.clone())
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "one range is what is asked for")]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use async_trait::async_trait;
    use chunkref_core::{Scanner, Skipped};
    use chunkref_model::{AttributeValue, Dataset, ManifestBuilder, SourceId};
    use futures::FutureExt;

    use super::*;
    use crate::toy::{self, ToyScanner};

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        None,
        OtherEntry,
        Panics,
        Endless,
        HidesFailures,
        Counts,
        Impatient,
        Exclusive,
        Serial,
        Outside,
        Inconsistent,
        IgnoresLimits,
        IgnoresObjectLimit,
        Unsorted,
        NoReason,
        Both,
    }

    struct Bad(Fault);

    static OTHER: ScannerEntry = toy::ENTRY.with_name("other");
    static SCANS: AtomicU64 = AtomicU64::new(0);
    static BUSY: AtomicBool = AtomicBool::new(false);

    fn skip(path: &str, reason: &str) -> Skipped {
        Skipped::new(path, SkipKind::Array, reason)
    }

    #[async_trait]
    impl Scanner for Bad {
        fn entry(&self) -> &'static ScannerEntry {
            if self.0 == Fault::OtherEntry { &OTHER } else { ToyScanner.entry() }
        }

        async fn scan(
            &self,
            source: &dyn ByteSource,
            options: &ScanOptions,
        ) -> Result<Scan, ScanError> {
            let nothing = Scan::new(Dataset::new());
            match self.0 {
                Fault::Panics if source.version().length == 9 => panic!("nine is too much"),
                Fault::Endless if source.version().length == 9 => {
                    while source.read_many(&[0..1]).await.is_ok() {}
                }
                Fault::Impatient if source.read_many(&[]).now_or_never().is_none() => {
                    return Ok(nothing);
                }
                Fault::Exclusive if BUSY.swap(true, Ordering::SeqCst) => return Ok(nothing),
                Fault::Serial => {
                    for offset in 0..source.version().length {
                        let _ = source.read_many(&[offset..offset + 1]).await;
                    }
                }
                _ => {}
            }
            let mut options = options.clone();
            match self.0 {
                Fault::IgnoresLimits => options.limits.chunks = 100,
                Fault::IgnoresObjectLimit => {
                    (options.limits.objects, options.limits.structure_bytes) = (100, 100);
                }
                _ => {}
            }
            if self.0 == Fault::IgnoresLimits {
                options.limits.inline_bytes = 100;
            }
            let scan = ToyScanner.scan(source, &options).await;
            BUSY.store(false, Ordering::SeqCst);
            if self.0 == Fault::HidesFailures {
                return Ok(scan.unwrap_or(nothing));
            }
            let mut scan = scan?;
            let arrays = &mut scan.dataset.root.arrays;
            match self.0 {
                Fault::Counts => {
                    let count = SCANS.fetch_add(1, Ordering::SeqCst);
                    scan.dataset.root.attributes.insert("count", AttributeValue::UInt(count));
                }
                Fault::Outside => {
                    for array in arrays.values_mut() {
                        let mut manifest = ManifestBuilder::new([1]).unwrap();
                        let reference =
                            ChunkRef::Virtual { source: SourceId(0), offset: u64::MAX, length: 2 };
                        manifest.push(&[0], reference).unwrap();
                        array.manifest = manifest.finish().unwrap();
                    }
                }
                Fault::Inconsistent => {
                    for array in arrays.values_mut() {
                        array.dimensions.clear();
                    }
                }
                Fault::Unsorted => scan.skipped = vec![skip("z", "why"), skip("b", "why")],
                Fault::NoReason => scan.skipped.push(skip("z", "")),
                Fault::Both => scan.skipped.push(skip("a", "why")),
                _ => {}
            }
            Ok(scan)
        }
    }

    type Construct = fn() -> Box<dyn Scanner>;

    fn samples(rounds: u64) -> [Sample; 1] {
        [Sample {
            name: "two arrays",
            bytes: toy::file(&[("a", b"123"), ("?", b"x"), ("long", &[7; 600])]),
            rounds,
        }]
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        let check = |scanner| self::scanner(&toy::ENTRY.with_scanner(scanner), &samples(3));
        check(|| Box::new(Bad(Fault::None))).unwrap();
        let cases: [(Construct, &str); 15] = [
            (|| Box::new(Bad(Fault::OtherEntry)), "the scanner knows its entry"),
            (|| Box::new(Bad(Fault::Panics)), "a scan does not panic"),
            (|| Box::new(Bad(Fault::Endless)), "a scan ends"),
            (
                || Box::new(Bad(Fault::HidesFailures)),
                "a read that fails ends the scan with its kind of error",
            ),
            (|| Box::new(Bad(Fault::Counts)), "the same bytes and options give the same result"),
            (|| Box::new(Bad(Fault::Impatient)), "the timing of reads does not change the result"),
            (|| Box::new(Bad(Fault::Exclusive)), "scans of different sources run at the same time"),
            (
                || Box::new(Bad(Fault::Serial)),
                "what is wanted at one time is asked for in one call",
            ),
            (
                || Box::new(Bad(Fault::Outside)),
                "every reference lies within the object that it names",
            ),
            (
                || Box::new(Bad(Fault::Inconsistent)),
                "shape, dimensions, chunk grid and manifest of an array agree",
            ),
            (|| Box::new(Bad(Fault::IgnoresLimits)), "a scan keeps to its limits"),
            (|| Box::new(Bad(Fault::IgnoresObjectLimit)), "a scan keeps to its limits"),
            (|| Box::new(Bad(Fault::Unsorted)), "skipped things are in the order of their paths"),
            (|| Box::new(Bad(Fault::NoReason)), "what is skipped has a reason"),
            (|| Box::new(Bad(Fault::Both)), "what is skipped is not in the dataset too"),
        ];
        for (scanner, clause) in cases {
            assert_eq!(check(scanner).unwrap_err().clause, clause);
        }
    }

    #[test]
    fn samples_and_signatures_count() {
        assert_eq!(scanner(&toy::ENTRY, &[]).unwrap_err().clause, "the suite has samples");
        let other = [Sample { name: "text", bytes: Bytes::from_static(b"text"), rounds: 1 }];
        assert_eq!(
            scanner(&toy::ENTRY, &other).unwrap_err().clause,
            "the signature tells the format"
        );
        let renamed = toy::ENTRY.with_name("renamed");
        assert_eq!(
            scanner(&renamed, &samples(3)).unwrap_err().clause,
            "the scanner knows its entry"
        );
        assert!(
            scanner(&toy::ENTRY, &samples(1)).unwrap_err().detail.contains("3 rounds instead of 1")
        );
    }
}
