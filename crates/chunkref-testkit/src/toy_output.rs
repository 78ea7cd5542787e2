// SPDX-License-Identifier: MIT OR Apache-2.0
//! An output format that keeps the contract: a crate of its own would look like this.
//!
//! A file has three lines: `TOYREFS`, one that records how the references came about, and the dataset as JSON.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chunkref_core::atomic::{self, AtomicError, Fault};
use chunkref_core::{
    Capability, EmitError, EmitOptions, Emitted, Emitter, FormatOption, MemorySet, Most,
    OptionType, ReferenceFormat, ReferenceSet, SetError, SetFiles, SetReader,
};
use chunkref_model::Dataset;
use chunkref_model::provenance::{Recorded, read_provenance};

/// How a file begins.
const MAGIC: &str = "TOYREFS\n";

/// Whether the dataset is written over many lines.
pub const PRETTY: FormatOption =
    FormatOption::new("toyrefs.pretty", OptionType::Flag, "indent the file")
        .with_default("false")
        .with_flag("toyrefs-pretty");

/// The format, which no crate submits by itself.
pub const ENTRY: ReferenceFormat = ReferenceFormat::file(
    "toy-references",
    "toyrefs",
    "toy references for tests",
    || Box::new(ToyEmitter),
    || Box::new(ToyReader),
)
.with_endings(&[".toyrefs"])
.with_begins(|_, head| head.starts_with(MAGIC.as_bytes()))
.with_foreign(foreign)
.with_capabilities(&[Capability::Inline, Capability::Remote, Capability::Provenance])
.with_options(&[PRETTY])
.with_stream(|dataset, options, output| {
    let text = text(dataset, options).and_then(|text| Ok(write(&text, output, dataset)?));
    text.map_err(|source| EmitError { destination: "output".to_owned(), source })
});

/// Writes the format.
#[derive(Debug, Clone, Copy)]
pub struct ToyEmitter;

impl Emitter for ToyEmitter {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn emit(
        &self,
        dataset: &Dataset,
        destination: &Path,
        options: &EmitOptions,
    ) -> Result<Emitted, EmitError> {
        let failed = |source| EmitError { destination: destination.display().to_string(), source };
        // All that can fail comes before anything is written.
        let text = text(dataset, options).map_err(failed)?;
        let written = atomic::replace_file(destination, options.replaces.as_ref(), |output| {
            Ok(write(&text, output, dataset)?)
        });
        match written {
            Ok((emitted, fingerprint)) => Ok(Emitted { fingerprint, ..emitted }),
            Err(AtomicError::Content(source)) => Err(failed(source)),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn text(dataset: &Dataset, options: &EmitOptions) -> Result<String, Fault> {
    ENTRY.validate(options)?;
    options.cancellation.check()?;
    if dataset.separate {
        return Err("the format holds one dataset".into());
    }
    for (path, array) in dataset.arrays() {
        // Of a format without codecs of its own, only what Zarr version 2 can represent is sure to be read.
        chunkref_model::zarr::v2::data_type_name(&array.dtype)
            .map_err(|error| format!("array {path:?}: {error}"))?;
    }
    let record = options.provenance.as_ref().map(|provenance| provenance.member(dataset));
    let json = if PRETTY.is_on(options)? {
        serde_json::to_string_pretty(dataset)?
    } else {
        serde_json::to_string(dataset)?
    };
    Ok(format!("{MAGIC}{{{}}}\n{json}\n", record.unwrap_or_default()))
}

fn write(text: &str, mut output: impl Write, dataset: &Dataset) -> io::Result<Emitted> {
    output.write_all(text.as_bytes())?;
    let present = dataset.arrays().iter().map(|(_, array)| array.manifest.present()).sum();
    Ok(Emitted { references: present, bytes: text.len() as u64, fingerprint: None })
}

/// Opens the format.
#[derive(Debug, Clone, Copy)]
pub struct ToyReader;

#[async_trait]
impl SetReader for ToyReader {
    async fn open(
        &self,
        files: Arc<dyn SetFiles>,
        _version: Option<&str>,
    ) -> Result<Box<dyn ReferenceSet>, SetError> {
        let most = Most { bytes: files.limits().set_bytes, name: "set_bytes" };
        let bytes = files.read("", most).await?;
        let bytes = bytes.ok_or_else(|| SetError::damaged("there is no such file"))?;
        let text = std::str::from_utf8(&bytes).map_err(SetError::damaged)?;
        let lines = text.strip_prefix(MAGIC).and_then(|rest| rest.split_once('\n'));
        let (record, json) = lines.ok_or_else(|| SetError::damaged("it has no two lines"))?;
        let dataset: Dataset = serde_json::from_str(json).map_err(SetError::damaged)?;
        for (path, array) in dataset.arrays() {
            // What a file says of a grid must fit its references.
            if array.chunk_grid.grid_shape(&array.shape) != array.manifest.grid_shape() {
                return Err(SetError::damaged(format!("array {path:?} has another grid")));
            }
        }
        Ok(Box::new(MemorySet::new(dataset, read_provenance(record.as_bytes()))))
    }

    async fn recorded(&self, path: &Path, _version: Option<&str>) -> Option<Recorded> {
        let text = fs::read_to_string(path).ok().filter(|text| text.ends_with("}\n"))?;
        read_provenance(text.strip_prefix(MAGIC)?.split_once('\n')?.0.as_bytes())
    }
}

fn foreign(path: &Path) -> io::Result<Option<String>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !path.try_exists()? {
        return Ok(None);
    }
    let mut head = Vec::new();
    if path.is_file() {
        fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    }
    Ok((head != MAGIC.as_bytes()).then_some(name))
}

#[cfg(test)]
mod tests {
    use chunkref_model::{Array, Attributes, ChunkGrid, Group};

    use super::*;
    use crate::conformance::{self, Violation};
    use crate::scenes::{chunk_kinds, unsayable};

    fn check(format: &ReferenceFormat) -> Result<(), Violation> {
        let samples = [chunk_kinds(1).unwrap(), chunk_kinds(2).unwrap()];
        conformance::reference_format(format, &samples, &unsayable(chunk_kinds(1).unwrap()))
    }

    #[test]
    fn the_toy_keeps_its_contract() {
        check(&ENTRY).unwrap();
    }

    /// Writes another dataset than it is asked for.
    struct Changes(fn(&mut Dataset));

    impl Emitter for Changes {
        fn name(&self) -> &'static str {
            ENTRY.name
        }

        fn emit(
            &self,
            dataset: &Dataset,
            to: &Path,
            how: &EmitOptions,
        ) -> Result<Emitted, EmitError> {
            let mut changed = dataset.clone();
            (self.0)(&mut changed);
            ToyEmitter.emit(&changed, to, how)
        }
    }

    const fn with_emitter(emitter: fn() -> Box<dyn Emitter>) -> ReferenceFormat {
        ReferenceFormat::file(ENTRY.name, ENTRY.word, ENTRY.description, emitter, || {
            Box::new(ToyReader)
        })
        .with_endings(ENTRY.endings)
        .with_begins(|_, head| head.starts_with(MAGIC.as_bytes()))
        .with_foreign(foreign)
        .with_capabilities(ENTRY.capabilities)
        .with_options(ENTRY.options)
    }

    /// Sets the first chunk of every array to what the second has, which is missing.
    fn lose(dataset: &mut Dataset) {
        for array in dataset.root.arrays.values_mut() {
            array.manifest = chunkref_model::Manifest::empty(array.manifest.grid_shape());
        }
    }

    fn of_each_array(dataset: &mut Dataset, change: fn(&mut Array)) {
        fn below(group: &mut Group, change: fn(&mut Array)) {
            group.arrays.values_mut().for_each(change);
            group.groups.values_mut().for_each(|group| below(group, change));
        }
        below(&mut dataset.root, change);
    }

    #[test]
    fn what_is_forgotten_is_missed() {
        let format = |emitter: fn() -> Box<dyn Emitter>, missed: &str| {
            let violation = check(&with_emitter(emitter)).unwrap_err();
            assert_eq!(violation.clause, "what is read is what was written", "{missed}");
            assert!(violation.detail.contains(missed), "{missed}: {}", violation.detail);
        };
        format(
            || {
                Box::new(Changes(|all| {
                    of_each_array(all, |one| one.attributes = Attributes::new());
                }))
            },
            "attributes",
        );
        format(
            || Box::new(Changes(|all| of_each_array(all, |one| one.codecs.clear()))),
            "codecs , not shuffle",
        );
        format(
            || Box::new(Changes(|all| of_each_array(all, |one| drop(one.codecs.pop())))),
            "codecs shuffle",
        );
        format(
            || Box::new(Changes(|all| of_each_array(all, |one| one.fill_value = None))),
            "fill value None, not",
        );
        format(
            // Of another shape, and as many.
            || {
                Box::new(Changes(|all| {
                    of_each_array(all, |one| {
                        if one.shape == [5, 7] {
                            one.chunk_grid = ChunkGrid::regular([4, 5]);
                        }
                    });
                }))
            },
            "chunk shape [4, 5], not [3, 4]",
        );
        format(
            || Box::new(Changes(|all| drop(all.root.groups.remove("nothing")))),
            "group \"nothing\" is not there",
        );
        format(
            || Box::new(Changes(|all| all.group_mut("g/h").attributes = Attributes::new())),
            "group \"g/h\": attributes",
        );
        format(|| Box::new(Changes(|all| all.root.dimensions.clear())), "group \"\": dimensions");
    }

    #[test]
    fn samples_that_have_nothing_to_lose_are_refused() {
        let plain = crate::scenes::scene(1, 1, 1).unwrap();
        let unsayable = unsayable(chunk_kinds(1).unwrap());
        let violation = conformance::reference_format(&ENTRY, &[plain], &unsayable).unwrap_err();
        assert_eq!(violation.clause, "the suite has samples of everything that may be lost");
        assert!(violation.detail.contains("a chunk that is missing"), "{}", violation.detail);
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        const LESS: &[Capability] = &[Capability::Inline, Capability::Remote];
        const MORE: &[Capability] =
            &[Capability::Inline, Capability::Provenance, Capability::Separate];
        const LAZY: &[Capability] = &[Capability::Inline, Capability::Provenance, Capability::Lazy];
        const LEVEL: OptionType = OptionType::Count { least: 1, most: 9 };
        const WRONG: &[FormatOption] = &[FormatOption::new("other.name", LEVEL, "")];
        const DEFAULT: &[FormatOption] =
            &[FormatOption::new("toyrefs.level", LEVEL, "").with_default("0")];
        let own = with_emitter(|| Box::new(ToyEmitter));
        check(&own).unwrap();
        for (format, clause) in [
            (with_emitter(|| Box::new(Changes(lose))), "references are counted"),
            (own.with_options(WRONG), "options begin with the word of the format"),
            (own.with_options(DEFAULT), "the default of an option is a value of it"),
            (own.with_endings(&["toyrefs"]), "names of sets have endings that begin with a dot"),
            (own.with_capabilities(LESS), "how references came about is read where it is written"),
            (
                own.with_capabilities(MORE),
                "several datasets of their own are written only where the format can",
            ),
            (own.with_capabilities(LAZY), "a set is in memory unless its format is lazy"),
            (
                own.with_begins(|_, head| head.starts_with(b"OTHER")),
                "a set that was written is told, and may be replaced",
            ),
            (own.with_foreign(|_| Ok(None)), "a folder that holds something else is not replaced"),
        ] {
            assert_eq!(check(&format).unwrap_err().clause, clause);
        }
    }
}
