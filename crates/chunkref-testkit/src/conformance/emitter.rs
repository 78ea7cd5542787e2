// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of [`Emitter`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chunkref_core::atomic::{AtomicError, Fingerprint, is_changed};
use chunkref_core::{EmitError, EmitOptions, Emitted, Emitter};
use chunkref_model::Dataset;

use super::{Violation, require};

/// Every file below a folder with its bytes; folders count too.
pub(super) type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// Checks an emitter: `samples` are datasets that it can write, `unsayable` one that its output format cannot say.
///
/// # Errors
/// The first clause that it breaks.
pub fn emitter(
    emitter: &dyn Emitter,
    samples: &[Dataset],
    unsayable: &Dataset,
) -> Result<(), Violation> {
    let name = emitter.name();
    let sound = !name.is_empty()
        && name.chars().all(|letter| !letter.is_uppercase() && !letter.is_whitespace());
    require(sound, "the name is short and lower-case", || format!("{name:?}"))?;
    require(!samples.is_empty(), "the suite has samples", || "there is none".to_owned())?;
    for (number, dataset) in samples.iter().enumerate() {
        written(emitter, dataset, &EmitOptions::default(), &format!("sample {number}"))?;
    }
    changed(emitter, samples)?;
    refused(emitter, samples, unsayable)
}

/// A destination that is not what it was is left as it is.
fn changed(emitter: &dyn Emitter, samples: &[Dataset]) -> Result<(), Violation> {
    let clause = "a destination that has changed is an error that says so";
    let failed = |detail: String| Violation { clause, detail };
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let destination = folder.path().join("out");
    let options = EmitOptions::default();
    for (dataset, replaces) in
        samples.iter().flat_map(|dataset| [(dataset, true), (dataset, false)])
    {
        let known = Fingerprint::of(&destination).map_err(|error| failed(error.to_string()))?;
        let options = options.clone().with_replaces(known.filter(|_| replaces));
        let outcome = emitter.emit(dataset, &destination, &options);
        outcome.map_err(|error| failed(format!("it has not changed: {error:?}")))?;
    }
    let known = Fingerprint::of(&destination).map_err(|error| failed(error.to_string()))?;
    let place = if destination.is_dir() { destination.join("other") } else { destination.clone() };
    fs::write(place, b"of another process").map_err(|error| failed(error.to_string()))?;
    let kept = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
    for dataset in samples {
        let outcome = emitter.emit(dataset, &destination, &options.clone().with_replaces(known));
        let told = outcome.as_ref().is_err_and(told);
        require(told, clause, || format!("{outcome:?}"))?;
        let found = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
        require(found == kept, clause, || "it is written all the same".to_owned())?;
    }
    Ok(())
}

/// Whether an error says that the destination changed, or names what is foreign in it.
fn told(error: &EmitError) -> bool {
    is_changed(&*error.source)
        || matches!(
            error.source.source().and_then(|cause| cause.downcast_ref()),
            Some(AtomicError::Foreign { .. })
        )
}

fn written(
    emitter: &dyn Emitter,
    dataset: &Dataset,
    options: &EmitOptions,
    sample: &str,
) -> Result<(), Violation> {
    let (first, counted) = emit_into_new_folder(emitter, dataset, options, sample)?;
    let (second, _) = emit_into_new_folder(emitter, dataset, options, sample)?;
    require(first == second, "the same dataset and options give the same bytes", || {
        sample.to_owned()
    })?;
    require(
        first.keys().any(|path| path.starts_with("out")),
        "the dataset is at the destination",
        || format!("{sample}: only {:?}", first.keys()),
    )?;
    require(
        first.keys().all(|path| path.starts_with("out")),
        "nothing is left beside the destination",
        || format!("{sample}: {:?}", first.keys()),
    )?;
    let references: u64 = dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum();
    require(
        counted.references == references,
        "every chunk that is present is written, and no other",
        || format!("{sample}: {} of {references} references", counted.references),
    )?;
    let bytes: u64 = first.values().flatten().map(|bytes| bytes.len() as u64).sum();
    require(counted.bytes == bytes, "the bytes written are counted", || {
        format!("{sample}: {} counted, {bytes} there", counted.bytes)
    })
}

fn emit_into_new_folder(
    emitter: &dyn Emitter,
    dataset: &Dataset,
    options: &EmitOptions,
    sample: &str,
) -> Result<(Tree, Emitted), Violation> {
    let failed =
        |detail: String| Violation { clause: "a dataset that can be said is written", detail };
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let destination = folder.path().join("out");
    let counted = emitter
        .emit(dataset, &destination, options)
        .map_err(|error| failed(format!("{sample}: {error:?}")))?;
    let once = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
    emitter
        .emit(dataset, &destination, options)
        .map_err(|error| failed(format!("{sample}, again: {error:?}")))?;
    let twice = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
    require(once == twice, "what the destination held is replaced", || sample.to_owned())?;
    Ok((once, counted))
}

/// What cannot be said leaves everything as it was, whether there was something before or not.
fn refused(
    emitter: &dyn Emitter,
    samples: &[Dataset],
    unsayable: &Dataset,
) -> Result<(), Violation> {
    let failed =
        |detail: String| Violation { clause: "a dataset that can be said is written", detail };
    let options = EmitOptions::default();
    for before in [None, samples.first()] {
        let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let destination = folder.path().join("out");
        if let Some(dataset) = before {
            emitter
                .emit(dataset, &destination, &options)
                .map_err(|error| failed(format!("{error:?}")))?;
        }
        let kept = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
        let outcome = emitter.emit(unsayable, &destination, &options);
        require(outcome.is_err(), "what the output format cannot say is an error", || {
            format!("{outcome:?}")
        })?;
        let found = tree(folder.path()).map_err(|error| failed(error.to_string()))?;
        require(found == kept, "after a failure everything is as it was", || {
            format!("there was {:?}, there is {:?}", kept.keys(), found.keys())
        })?;
    }
    Ok(())
}

pub(super) fn tree(root: &Path) -> io::Result<Tree> {
    let (mut found, mut folders) = (Tree::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let bytes = if path.is_dir() { None } else { Some(fs::read(&path)?) };
            if bytes.is_none() {
                folders.push(path.clone());
            }
            found.insert(path.strip_prefix(root).unwrap_or(&path).to_owned(), bytes);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use bytes::Bytes;
    use futures::executor::block_on;

    use super::*;
    use crate::toy;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        None,
        LoudName,
        Random,
        LeavesTemporary,
        Appends,
        Miscounts,
        MiscountsBytes,
        WritesNothing,
        SaysAnything,
        PartialFile,
        IgnoresChange,
    }

    struct Names(Fault, AtomicU64);

    impl Emitter for Names {
        fn name(&self) -> &'static str {
            if self.0 == Fault::LoudName { "NAMES" } else { "names" }
        }

        fn emit(
            &self,
            dataset: &Dataset,
            destination: &Path,
            options: &EmitOptions,
        ) -> Result<Emitted, EmitError> {
            if options.replaces.is_some()
                && Fingerprint::of(destination).unwrap() != options.replaces
                && self.0 != Fault::IgnoresChange
            {
                let path = destination.display().to_string();
                let source = AtomicError::Changed(path.clone()).into();
                return Err(EmitError { destination: path, source });
            }
            let unsayable = dataset.array("unsayable").is_some();
            let mut text: String =
                dataset.arrays().into_iter().map(|(path, _)| path + "\n").collect();
            let mut references =
                dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum();
            match self.0 {
                Fault::Random => text += &self.1.fetch_add(1, Ordering::SeqCst).to_string(),
                Fault::LeavesTemporary => {
                    fs::write(destination.with_extension("tmp"), b"").unwrap();
                }
                Fault::Appends if destination.exists() => {
                    text += &fs::read_to_string(destination).unwrap();
                }
                Fault::Miscounts => references += 1,
                Fault::PartialFile if unsayable => fs::write(destination, b"partial").unwrap(),
                _ => {}
            }
            if unsayable && self.0 != Fault::SaysAnything {
                return Err(EmitError {
                    destination: destination.display().to_string(),
                    source: "no".into(),
                });
            }
            if self.0 != Fault::WritesNothing {
                fs::write(destination, &text).unwrap();
            }
            let extra = u64::from(self.0 == Fault::MiscountsBytes);
            Ok(Emitted { references, bytes: text.len() as u64 + extra, fingerprint: None })
        }
    }

    fn dataset(file: Bytes) -> Dataset {
        let scanned = block_on((toy::ENTRY.scanner)().scan(
            &chunkref_core::MemorySource::new("memory://a.toy", file),
            &chunkref_core::ScanOptions::default(),
        ));
        scanned.unwrap().dataset
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        let samples = [dataset(toy::file(&[("a", b"12"), ("b", b"")]))];
        let unsayable = dataset(toy::file(&[("unsayable", b"1")]));
        let check = |fault| emitter(&Names(fault, AtomicU64::new(0)), &samples, &unsayable);
        check(Fault::None).unwrap();
        for (fault, clause) in [
            (Fault::LoudName, "the name is short and lower-case"),
            (Fault::Random, "what the destination held is replaced"),
            (Fault::LeavesTemporary, "nothing is left beside the destination"),
            (Fault::Appends, "what the destination held is replaced"),
            (Fault::Miscounts, "every chunk that is present is written, and no other"),
            (Fault::MiscountsBytes, "the bytes written are counted"),
            (Fault::WritesNothing, "the dataset is at the destination"),
            (Fault::SaysAnything, "what the output format cannot say is an error"),
            (Fault::IgnoresChange, "a destination that has changed is an error that says so"),
            (Fault::PartialFile, "after a failure everything is as it was"),
        ] {
            assert_eq!(check(fault).unwrap_err().clause, clause, "{fault:?}");
        }
        let nothing = emitter(&Names(Fault::None, AtomicU64::new(0)), &[], &unsayable);
        assert_eq!(nothing.unwrap_err().clause, "the suite has samples");
    }
}
