// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contracts of [`ReferenceFormat`], [`SetReader`](chunkref_core::SetReader) and [`ReferenceSet`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chunkref_core::atomic::is_changed;
use chunkref_core::{
    Capability, EmitOptions, Form, OptionType, ReferenceFormat, ReferenceSet, SetFiles,
};
use chunkref_model::provenance::Provenance;
use chunkref_model::{ChunkRef, Dataset};
use futures::executor::block_on;

use super::described::{Described, lacking, plain};
use super::emitter::tree;
use super::{Violation, emitter, require};
use crate::set_files::LocalSetFiles;

/// Checks an output format: `samples` are datasets that it can represent, `unsayable` is one that it cannot.
///
/// Between them the samples have chunks that are missing, virtual and, where the format can, inline; attributes of groups
/// and arrays, codecs, a fill value, an array without axes, one that its chunks do not divide, and a group with nothing in
/// it. [`chunk_kinds`](crate::scenes::chunk_kinds) has all of it, and [`unsayable`](crate::scenes::unsayable) makes a
/// dataset that no version of Zarr can represent. What is read is compared in all of that, and so are the dimensions of
/// groups, which are those of their arrays; the order of attributes is not.
///
/// # Errors
/// The first clause that it breaks.
pub fn reference_format(
    format: &ReferenceFormat,
    samples: &[Dataset],
    unsayable: &Dataset,
) -> Result<(), Violation> {
    let inline = |(_, (reference, _)): &(Vec<u64>, _)| matches!(reference, ChunkRef::Inline(_));
    let has_inline = |sample| Described::new(sample).chunks().values().flatten().any(inline);
    let lacking = lacking(samples).or_else(|| {
        let is_there = !format.can(Capability::Inline) || samples.iter().any(has_inline);
        (!is_there).then_some("an inline chunk")
    });
    require(lacking.is_none(), "the suite has samples of everything that may be lost", || {
        format!("{} samples without {}", samples.len(), lacking.unwrap_or_default())
    })?;
    entry(format)?;
    for (number, dataset) in samples.iter().enumerate() {
        for (variant, options) in variants(format) {
            let sample = format!("sample {number}, {variant}");
            round_trip(format, dataset, &options, &sample)?;
        }
    }
    if let [first, ..] = samples {
        record(format, first)?;
        options(format, first)?;
        foreign(format, first)?;
        damaged(format, first)?;
        separate(format, first)?;
        if format.can(Capability::History) {
            history(format, samples, unsayable)?;
        } else {
            emitter(&*format.emitter(), samples, unsayable)?;
        }
    }
    Ok(())
}

/// What the entry says of itself.
fn entry(format: &ReferenceFormat) -> Result<(), Violation> {
    let plain = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| !letter.is_uppercase() && !letter.is_whitespace())
    };
    require(
        plain(format.name) && plain(format.word),
        "the name and the word are short and lower-case",
        || format!("{:?}, {:?}", format.name, format.word),
    )?;
    require(
        format.emitter().name() == format.name,
        "the emitter has the name of the format",
        || format.emitter().name().to_owned(),
    )?;
    let endings = format.endings.iter().all(|ending| ending.starts_with('.') && ending.len() > 1);
    require(
        endings && !format.endings.is_empty(),
        "names of sets have endings that begin with a dot",
        || format!("{:?}", format.endings),
    )?;
    for option in format.options {
        let own = option.name.strip_prefix(format.word).is_some_and(|rest| rest.starts_with('.'));
        require(own, "options begin with the word of the format", || option.name.to_owned())?;
        let checked = option.default.map_or(Ok(()), |default| option.check(default));
        require(checked.is_ok(), "the default of an option is a value of it", || {
            format!("{checked:?}")
        })?;
    }
    let known = format.version_option.is_none_or(|name| {
        format.can(Capability::History) && format.options.iter().any(|option| option.name == name)
    });
    require(known, "the version option is one of the format's, which has a history", || {
        format!("{:?}", format.version_option)
    })
}

/// Default options, and each switch turned over.
fn variants(format: &ReferenceFormat) -> Vec<(String, EmitOptions)> {
    let switches = format.options.iter().filter(|option| option.takes == OptionType::Flag);
    let turned = switches.map(|option| {
        let value = (option.default != Some("true")).to_string();
        let name = format!("{}={value}", option.name);
        (name, EmitOptions::default().with_format_option(option.name, value))
    });
    std::iter::once(("default options".to_owned(), EmitOptions::default())).chain(turned).collect()
}

fn failed(clause: &'static str, detail: impl std::fmt::Debug) -> Violation {
    Violation { clause, detail: format!("{detail:?}") }
}

const WORKS: &str = "a temporary folder can be made and read";
const WRITTEN: &str = "a dataset that can be represented is written";
const OPENED: &str = "what was written is opened";

/// What is written is opened as what it was, and told from other files.
fn round_trip(
    format: &ReferenceFormat,
    dataset: &Dataset,
    options: &EmitOptions,
    sample: &str,
) -> Result<(), Violation> {
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let path = folder.path().join(format!("set.{}", format.extension()));
    let emitted = format.emit(dataset, &path, options);
    let emitted = emitted.map_err(|error| failed(WRITTEN, (sample, error)))?;
    let present: u64 = dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum();
    require(emitted.references == present, "references are counted", || sample.to_owned())?;
    told(format, &path, sample)?;

    let expected = Described::expected(dataset);
    let local: Arc<dyn SetFiles> = Arc::new(LocalSetFiles::new(&path));
    let remote: Arc<dyn SetFiles> = Arc::new(LocalSetFiles::new(&path).as_remote());
    let places = if format.can(Capability::Remote) { vec![local, remote] } else { vec![local] };
    for files in places {
        let set = block_on(format.open(files, None));
        let set = set.map_err(|error| failed(OPENED, (sample, error)))?;
        let all = block_on(set.read(&|_| true));
        let all = all.map_err(|error| failed(OPENED, (sample, error)))?;
        same(&expected, &Described::new(&all), "what is read is what was written", sample)?;
        held(format, &*set, &expected, sample)?;
        single(&*set, &expected, sample)?;
    }
    Ok(())
}

/// The set is known by its form and its marks.
fn told(format: &ReferenceFormat, path: &Path, sample: &str) -> Result<(), Violation> {
    let clause = "a set that was written is told, and may be replaced";
    let foreign = (format.foreign)(path).map_err(|error| failed(clause, error))?;
    require(foreign.is_none(), clause, || format!("{sample}: foreign is {foreign:?}"))?;
    let (known, by) = match format.form {
        Form::Folder => (format.marks_folder(path), "its marks (with_marks)"),
        Form::File => {
            let head = fs::read(path).map_err(|error| failed(clause, error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let head = head.get(..head.len().min(64)).unwrap_or_default();
            let known = format.begins.is_some_and(|begins| begins(&name, head));
            (path.is_file() && known, "its name and first bytes (with_begins)")
        }
    };
    require(known, clause, || format!("{sample}: it is not told by {by}"))
}

/// What is in memory is all, and only formats that are not lazy have it.
fn held(
    format: &ReferenceFormat,
    set: &dyn ReferenceSet,
    expected: &Described,
    sample: &str,
) -> Result<(), Violation> {
    let clause = "a set is in memory unless its format is lazy";
    require(set.in_memory().is_none() == format.can(Capability::Lazy), clause, || {
        sample.to_owned()
    })?;
    if let Some(dataset) = set.in_memory() {
        same(expected, &Described::new(dataset), "what is in memory is what was written", sample)?;
    }
    let metadata = Described::without_chunks(set.metadata());
    same(expected, &metadata, "the metadata has every group and array", sample)?;
    require(
        set.version().is_some() == format.can(Capability::History),
        "a set has a version where its format has a history",
        || format!("{sample}: {:?}", set.version()),
    )
}

/// Arrays alone and chunks alone are what they are among all.
fn single(set: &dyn ReferenceSet, expected: &Described, sample: &str) -> Result<(), Violation> {
    for (path, chunks) in expected.chunks() {
        let read = block_on(set.read(&|wanted| wanted == path));
        let read = read.map_err(|error| failed(OPENED, (sample, error)))?;
        let clause = "an array that is read alone is what it is among all";
        let difference = expected.difference_of_array(path, &Described::new(&read));
        require(difference.is_none(), clause, || {
            format!("{sample}: {}", difference.clone().unwrap_or_default())
        })?;
        let clause = "a chunk that is looked up is the one that is read";
        for (indices, chunk) in chunks {
            let found = block_on(set.chunk(path, indices));
            let (reference, source) = found.map_err(|error| failed(clause, error))?;
            let found = plain(reference, source.map(|source| source.location));
            require(found == *chunk, clause, || {
                format!("{sample}: {path} {indices:?}: {found:?}, not {chunk:?}")
            })?;
        }
    }
    let clause = "there is no chunk of an array that is not there";
    let absent = block_on(set.chunk("there/is/no such array", &[0]));
    require(absent.is_err(), clause, || format!("{absent:?}"))
}

/// How references came about is written along, or is not.
fn record(format: &ReferenceFormat, dataset: &Dataset) -> Result<(), Violation> {
    let clause = "how references came about is read where it is written";
    let provenance = Provenance {
        version: "1.2.3".to_owned(),
        options: "some=words".to_owned(),
        skipped: BTreeMap::from([("array".to_owned(), 2)]),
        left_out: vec!["s3://bucket/broken.nc".to_owned()],
    };
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let path = folder.path().join(format!("set.{}", format.extension()));
    let options = EmitOptions::default().with_provenance(provenance.clone());
    format.emit(dataset, &path, &options).map_err(|error| failed(WRITTEN, error))?;
    let set = block_on(format.open(Arc::new(LocalSetFiles::new(&path)), None));
    let set = set.map_err(|error| failed(OPENED, error))?;
    let alone = block_on(format.reader().recorded(&path, None));
    let expected = format.can(Capability::Provenance).then_some(&provenance);
    for found in [set.recorded(), alone.as_ref()] {
        let found = found.map(|recorded| &recorded.provenance);
        require(found == expected, clause, || format!("{found:?}"))?;
    }
    let nothing = block_on(format.reader().recorded(&folder.path().join("absent"), None));
    require(nothing.is_none(), clause, || format!("where there is nothing: {nothing:?}"))
}

/// Options that there are not, and values that an option does not take, are errors, and nothing is written.
fn options(format: &ReferenceFormat, dataset: &Dataset) -> Result<(), Violation> {
    let clause = "an option that is not there, or a value that it does not take, is an error";
    let unknown = (format!("{}.there-is-no-such-option", format.word), "1".to_owned());
    let wrong = format.options.iter().filter_map(|option| {
        let value = ["there is no such value", ""];
        let value = value.into_iter().find(|value| option.check(value).is_err())?;
        Some((option.name.to_owned(), value.to_owned()))
    });
    for (name, value) in std::iter::once(unknown).chain(wrong) {
        let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
        let path = folder.path().join("set");
        let options = EmitOptions::default().with_format_option(&name, &value);
        let outcome = format.emit(dataset, &path, &options);
        require(outcome.is_err(), clause, || format!("{name}={value}: {outcome:?}"))?;
        let left = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
        require(left.is_empty(), clause, || format!("{name}={value}: {:?}", left.keys()))?;
    }
    // One command line serves several formats.
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let options = EmitOptions::default().with_format_option("another-format.option", "1");
    let outcome = format.emit(dataset, &folder.path().join("set"), &options);
    outcome.map(|_| ()).map_err(|error| failed("options of other formats are passed over", error))
}

/// A folder of something else stays as it is.
fn foreign(format: &ReferenceFormat, dataset: &Dataset) -> Result<(), Violation> {
    let clause = "a folder that holds something else is not replaced";
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let path = folder.path().join("set");
    fs::create_dir(&path).map_err(|error| failed(WORKS, error))?;
    fs::write(path.join("thesis.txt"), b"years of work").map_err(|error| failed(WORKS, error))?;
    let before = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
    let told = (format.foreign)(&path).map_err(|error| failed(clause, error))?;
    require(told.is_some(), clause, || "nothing in it is foreign".to_owned())?;
    let outcome = format.emit(dataset, &path, &EmitOptions::default());
    require(outcome.is_err(), clause, || format!("{outcome:?}"))?;
    let after = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
    require(before == after, clause, || format!("{:?}", after.keys()))
}

/// Files of a set that are cut off are an error or a dataset, never a panic.
fn damaged(format: &ReferenceFormat, dataset: &Dataset) -> Result<(), Violation> {
    let clause = "a damaged set is an error or a dataset";
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let path = folder.path().join("set");
    let emitted = format.emit(dataset, &path, &EmitOptions::default());
    emitted.map_err(|error| failed(WRITTEN, error))?;
    let files = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
    for (name, bytes) in files {
        let Some(bytes) = bytes else { continue };
        let file = folder.path().join(&name);
        for length in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            let part = bytes.get(..length).unwrap_or_default();
            fs::write(&file, part).map_err(|error| failed(WORKS, error))?;
            let outcome = std::panic::catch_unwind(|| {
                block_on(async {
                    let files = Arc::new(LocalSetFiles::new(&path));
                    let set = format.open(files, None).await.ok()?;
                    set.read(&|_| true).await.ok()
                })
            });
            require(outcome.is_ok(), clause, || {
                format!("{} cut to {length} bytes panics", name.display())
            })?;
        }
        fs::write(&file, &bytes).map_err(|error| failed(WORKS, error))?;
    }
    Ok(())
}

/// Several datasets of their own are written by formats that can, and are an error of the others.
fn separate(format: &ReferenceFormat, sample: &Dataset) -> Result<(), Violation> {
    let clause = "several datasets of their own are written only where the format can";
    let mut dataset = sample.clone();
    let root = std::mem::take(&mut dataset.root);
    *dataset.group_mut("0") = root.clone();
    *dataset.group_mut("1") = root;
    dataset.separate = true;
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let outcome = format.emit(&dataset, &folder.path().join("set"), &EmitOptions::default());
    require(outcome.is_ok() == format.can(Capability::Separate), clause, || format!("{outcome:?}"))
}

/// Of a format with a history, earlier versions stay, and a version that is not current any more is not built upon.
fn history(
    format: &ReferenceFormat,
    samples: &[Dataset],
    unsayable: &Dataset,
) -> Result<(), Violation> {
    let clause = "earlier versions stay";
    let folder = tempfile::tempdir().map_err(|error| failed(WORKS, error))?;
    let path = folder.path().join("set");
    let mut versions: Vec<(String, Described)> = Vec::new();
    for dataset in samples {
        let options = EmitOptions::default();
        format.emit(dataset, &path, &options).map_err(|error| failed(WRITTEN, error))?;
        let set = block_on(format.open(Arc::new(LocalSetFiles::new(&path)), None));
        let set = set.map_err(|error| failed(OPENED, error))?;
        versions.push((set.version().unwrap_or_default(), Described::expected(dataset)));
    }
    for (version, expected) in &versions {
        let files = Arc::new(LocalSetFiles::new(&path));
        let set = block_on(format.open(files, Some(version)));
        let set = set.map_err(|error| failed(clause, error))?;
        let found = block_on(set.read(&|_| true)).map_err(|error| failed(clause, error))?;
        same(expected, &Described::new(&found), clause, version)?;
    }
    let (Some((old, _)), Some(dataset)) = (versions.first(), samples.first()) else {
        return Ok(());
    };
    if versions.iter().any(|(version, _)| version != old) {
        let clause = "what was made from an earlier version is an error that says so";
        let options = EmitOptions::default().with_parent(Some(old.clone()));
        let outcome = format.emit(dataset, &path, &options);
        let told = outcome.as_ref().is_err_and(|error| is_changed(&*error.source));
        require(told, clause, || format!("{outcome:?}"))?;
    }
    let clause = "after a failure everything is as it was";
    let fresh = folder.path().join("fresh");
    let before = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
    for path in [&path, &fresh] {
        let outcome = format.emit(unsayable, path, &EmitOptions::default());
        require(outcome.is_err(), "what the output format cannot say is an error", || {
            format!("{outcome:?}")
        })?;
    }
    let after = tree(folder.path()).map_err(|error| failed(WORKS, error))?;
    require(before == after, clause, || format!("{:?}", after.keys()))
}

fn same(
    expected: &Described,
    found: &Described,
    clause: &'static str,
    sample: &str,
) -> Result<(), Violation> {
    match expected.difference(found) {
        Some(difference) => Err(Violation { clause, detail: format!("{sample}: {difference}") }),
        None => Ok(()),
    }
}
