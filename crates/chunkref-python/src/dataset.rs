// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dataset behind Python's `References`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use chunkref::core::Cancellation;
use chunkref::core::model::provenance::Provenance;
use chunkref::core::model::zarr::v2;
use chunkref::emit::formats;
use chunkref::kerchunk_json::{self, ReadLimits, write_kerchunk_json};
use chunkref::{
    AccessPolicy, ChunkRef, Dataset, EmitOptions, Location, References, ReferencesError, Scan,
    SkipKind, Skipped,
};
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::advice::argument;
use crate::errors;
use crate::origin::{self, Origin};
use crate::stores::{PyStores, limits_of};
use crate::wait::{Call, Stop};

/// Of the levels of zstd, the fast one.
const ZSTD_LEVEL: i32 = 1;
/// Bytes of a text that are read between two looks at whether that is cancelled.
const PART_BYTES: usize = 1 << 20;
/// How the pickled form begins, with its version.
const MAGIC: &[u8] = b"chunkref\x02";

/// Groups, arrays and chunk references, immutable, and what they may name.
#[pyclass(name = "Dataset", module = "chunkref._chunkref", frozen, from_py_object)]
#[derive(Debug, Clone)]
pub(crate) struct PyDataset(pub(crate) Arc<Dataset>, pub(crate) AccessPolicy, Option<Origin>);

impl PyDataset {
    pub(crate) fn new(dataset: Dataset, policy: AccessPolicy) -> Self {
        Self(Arc::new(dataset), policy, None)
    }

    /// Where it was read.
    pub(crate) fn origin(&self) -> Option<Origin> {
        self.2.clone()
    }

    /// The same dataset, as one that extends what was read there.
    pub(crate) fn with_origin(self, origin: Option<Origin>) -> Self {
        Self(self.0, self.1, origin)
    }
}

/// Something that was left out: path, byte, reason, kind.
pub(crate) type SkippedRow = (String, Option<u64>, String, &'static str);

pub(crate) fn skipped_rows(skipped: Vec<Skipped>) -> Vec<SkippedRow> {
    let kind = |kind| match kind {
        SkipKind::Group => "group",
        SkipKind::Attribute => "attribute",
        SkipKind::Link => "link",
        _ => "array",
    };
    let row = |one: Skipped| {
        let reason = one.reason_in_words(&argument);
        (one.path, one.offset, reason, kind(one.kind))
    };
    skipped.into_iter().map(row).collect()
}

/// How references are written.
#[derive(Debug, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct EmitSettings {
    /// The output format; `None` when the name decides.
    target: Option<String>,
    /// Options of formats, by name.
    options: BTreeMap<String, String>,
    /// Words that say how the references were made, and the numbers of things left out by kind.
    made_by: Option<String>,
    skipped: BTreeMap<String, u64>,
    /// Inputs that could not be read.
    left_out: Vec<String>,
}

impl EmitSettings {
    fn options(&self) -> EmitOptions {
        let mut options = EmitOptions::default();
        options.format_options.clone_from(&self.options);
        options.provenance = self.made_by.as_ref().map(|words| Provenance {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            options: words.clone(),
            skipped: self.skipped.clone(),
            left_out: self.left_out.clone(),
        });
        options
    }
}

#[pymethods]
impl PyDataset {
    /// Reads kerchunk JSON, version 0 or 1, within limits.
    #[staticmethod]
    fn from_json(
        py: Python<'_>,
        text: PyBackedBytes,
        limits: BTreeMap<String, u64>,
    ) -> PyResult<Self> {
        let limits = ReadLimits::from(&limits_of(py, &limits)?);
        let read = Call::new().work(py, Stop::AtOnce, move |cancellation| async move {
            let text = Cancellable { inner: &*text, cancellation };
            kerchunk_json::read_within(text, &limits)
        })?;
        let dataset = read.map_err(|source| {
            let error = ReferencesError::Damaged {
                location: "the references".to_owned(),
                description: "kerchunk JSON",
                is_guess: false,
                source: source.into(),
            };
            errors::of_references(py, &error, "")
        })?;
        Ok(Self::new(dataset, AccessPolicy::in_memory()))
    }

    /// Opens references of any kind, all of them, and what they say of how they were made: words and a number.
    #[staticmethod]
    fn open(
        py: Python<'_>,
        stores: &PyStores,
        url: &str,
    ) -> PyResult<(Self, Option<(String, u64)>)> {
        let location = Location::parse(url).map_err(|error| errors::of_source(py, &error))?;
        let stores = stores.stores();
        // Before anything is read: what is written later is compared with this.
        let held = py.detach(|| location.local_path().map(origin::held));
        let url = location.url().to_owned();
        let policy = AccessPolicy::of_set(&location);
        let opened = Call::new().work(py, Stop::AtOnce, move |_| async move {
            let references = References::open(&stores, &location).await?;
            let version = references.version();
            let recorded = references
                .recorded()
                .map(|recorded| &recorded.provenance)
                .map(|made| (made.options.clone(), made.skipped_count()));
            Ok::<_, ReferencesError>((references.into_dataset().await?, recorded, version))
        })?;
        let (dataset, recorded, version) =
            opened.map_err(|error| errors::of_references(py, &error, &url))?;
        let origin =
            held.transpose()?.map(|(path, fingerprint)| Origin::new(path, fingerprint, version));
        Ok((Self(Arc::new(dataset), policy, origin), recorded))
    }

    /// kerchunk JSON, version 1.
    fn to_json<'py>(
        &self,
        py: Python<'py>,
        settings: EmitSettings,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (dataset, options) = (Arc::clone(&self.0), settings.options());
        let written = Call::new().work(py, Stop::AtOnce, move |cancellation| async move {
            let mut text = Cancellable { inner: Vec::new(), cancellation };
            write_kerchunk_json(&dataset, &options, &mut text).map(|_| text.inner)
        })?;
        let text = written.map_err(|error| errors::of_emit(py, &error))?;
        Ok(PyBytes::new(py, &text))
    }

    /// Writes to a local path what its name or the settings ask for; gives the number of references and of bytes. `stores`
    /// tell a repository how the files behind the references are reached.
    #[pyo3(signature = (path, settings, stores=None))]
    fn emit(
        &self,
        py: Python<'_>,
        path: PathBuf,
        settings: EmitSettings,
        stores: Option<&PyStores>,
    ) -> PyResult<(u64, u64)> {
        let invalid = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let formats = formats().map_err(|error| invalid(&error))?;
        let format = match settings.target.as_deref() {
            None => formats.of_destination(&path),
            Some(name) => formats.by_name(name),
        };
        let format = *format.map_err(|error| invalid(&error))?;
        formats.validate(&settings.options()).map_err(|error| invalid(&error))?;
        let mut options = settings.options();
        if let Some(stores) = stores {
            options = options.with_stores(stores.stores().hints());
        }
        let (dataset, origin) = (Arc::clone(&self.0), self.2.clone());
        let emitted =
            Call::new().work(py, Stop::WhenItHasEnded, move |cancellation| async move {
                let options = options.with_cancellation(cancellation);
                let Some(origin) = origin.filter(|origin| origin.is_at(&path)) else {
                    return format.emit(&dataset, &path, &options);
                };
                // In the place of what was read: only if that is still there.
                let emitted = format.emit(&dataset, &path, &origin.expect(&format, options));
                if let Ok(emitted) = &emitted {
                    origin.renew(&path, emitted.fingerprint);
                }
                emitted
            })?;
        let emitted = emitted.map_err(|error| errors::of_emit(py, &error))?;
        Ok((emitted.references, emitted.bytes))
    }

    /// All of it in columns, compressed: what pickles hold.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let packed = py.detach(|| {
            let mut packed = MAGIC.to_vec();
            let mut encoder = zstd::Encoder::new(&mut packed, ZSTD_LEVEL)?;
            rmp_serde::encode::write_named(&mut encoder, &(&self.1, &*self.0))
                .map_err(std::io::Error::other)?;
            encoder.finish()?;
            Ok::<_, std::io::Error>(packed)
        });
        Ok(PyBytes::new(py, &packed?))
    }

    /// What `to_bytes` gave.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, packed: &[u8]) -> PyResult<Self> {
        let unpacked = py.detach(|| {
            let packed = packed.strip_prefix(MAGIC).ok_or_else(|| {
                "these are no references, or of another version of chunkref".to_owned()
            })?;
            let decoder = zstd::Decoder::new(packed).map_err(|error| error.to_string())?;
            let buffered: Box<dyn Read> = Box::new(std::io::BufReader::new(decoder));
            rmp_serde::from_read::<_, (AccessPolicy, Dataset)>(buffered)
                .map_err(|error| error.to_string())
        });
        let (policy, dataset) = unpacked.map_err(PyValueError::new_err)?;
        Ok(Self::new(dataset, policy))
    }

    /// What `chunkref inspect --json` says, as JSON.
    fn summary(&self, location: &str, format: &str) -> String {
        let dataset = (*self.0).clone();
        let scan = Scan::new(dataset);
        chunkref::contents::document(location, format, 0, &scan, &argument).to_string()
    }

    /// Path, shape, dimensions, type and chunk shape of each array, and its chunks: how many there are, how many the grid
    /// has, and how many bytes they have.
    #[expect(clippy::type_complexity, reason = "a row of a table")]
    fn arrays(
        &self,
    ) -> Vec<(String, Vec<u64>, Vec<String>, String, Vec<u64>, u64, Option<u64>, u64)> {
        let arrays = self.0.arrays().into_iter();
        let row = |(path, array): (String, &chunkref::Array)| {
            let dtype = v2::data_type_name(&array.dtype)
                .unwrap_or_else(|_| chunkref::contents::dtype(&array.dtype));
            let chunks = array.chunk_grid.chunk_shape().to_vec();
            let manifest = &array.manifest;
            let (present, count) = (manifest.present(), manifest.count());
            let stored = manifest.stored_bytes();
            let (shape, dimensions) = (array.shape.clone(), array.dimensions.clone());
            (path, shape, dimensions, dtype, chunks, present, count, stored)
        };
        arrays.map(row).collect()
    }

    /// The types that the attributes of an array have in the file, where that is known: names and numpy's notation.
    fn attribute_types(&self, path: &str) -> BTreeMap<String, String> {
        let array = self.0.array(path);
        let types = array.into_iter().flat_map(|array| array.attributes.types());
        types
            .filter_map(|(name, dtype)| Some((name.clone(), v2::data_type_name(dtype).ok()?)))
            .collect()
    }

    /// Names of all codecs.
    fn codecs(&self) -> BTreeSet<String> {
        let arrays = self.0.arrays().into_iter();
        arrays
            .flat_map(|(_, array)| array.codecs.iter().map(|codec| codec.name().to_owned()))
            .collect()
    }

    /// Locations of the objects that chunks lie in.
    fn sources(&self) -> Vec<String> {
        self.0.sources().iter().map(|source| source.location.clone()).collect()
    }

    /// Whether it is a list of datasets of its own, as GRIB messages are.
    fn separate(&self) -> bool {
        self.0.separate
    }

    /// The columns of an array's references, in C order of its grid: for each chunk the number of its source (or -1 for
    /// none, -2 for inline bytes), its offset and its length, as little-endian 64-bit integers; and the inline bytes by
    /// chunk number.
    #[expect(clippy::type_complexity, reason = "columns")]
    fn columns<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        limits: BTreeMap<String, u64>,
    ) -> PyResult<(
        Vec<u64>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Bound<'py, PyBytes>,
        Vec<(u64, Bound<'py, PyBytes>)>,
    )> {
        let array = self.0.array(path).ok_or_else(|| PyKeyError::new_err(path.to_owned()))?;
        let manifest = &array.manifest;
        let most = limits_of(py, &limits)?.set_references;
        let count = manifest.count().filter(|&count| count <= most);
        let count = count.and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
            errors::of_limit(py, &format!(
                "{path}: its grid has more chunks than the limit set_references={most} allows in memory"
            ))
        })?;
        let mut sources = vec![-1_i64; count];
        let (mut offsets, mut lengths) = (vec![0_u64; count], vec![0_u64; count]);
        let mut inline = Vec::new();
        manifest.visit_numbers(0..count as u64, &mut |number, reference| {
            let row = usize::try_from(number).unwrap_or(usize::MAX);
            let mut set = |source, offset, length| {
                if let (Some(s), Some(o), Some(l)) =
                    (sources.get_mut(row), offsets.get_mut(row), lengths.get_mut(row))
                {
                    (*s, *o, *l) = (source, offset, length);
                }
            };
            match reference {
                ChunkRef::Virtual { source, offset, length } => {
                    set(i64::from(source.0), offset, length);
                }
                ChunkRef::Inline(bytes) => {
                    set(-2, 0, bytes.len() as u64);
                    inline.push((number, PyBytes::new(py, &bytes)));
                }
                ChunkRef::Missing => {}
            }
        });
        let sources: Vec<u8> = sources.iter().flat_map(|value| value.to_le_bytes()).collect();
        let packed = |column: &[u64]| {
            let bytes: Vec<u8> = column.iter().flat_map(|value| value.to_le_bytes()).collect();
            PyBytes::new(py, &bytes)
        };
        let (offsets, lengths) = (packed(&offsets), packed(&lengths));
        Ok((manifest.grid_shape().to_vec(), PyBytes::new(py, &sources), offsets, lengths, inline))
    }

    /// The same dataset with other locations of objects, by their old ones.
    fn relocated(&self, names: HashMap<String, String>) -> PyResult<Self> {
        let mut dataset = Dataset::new();
        for (number, source) in self.0.sources().iter().enumerate() {
            let mut source = source.clone();
            if let Some(name) = names.get(&source.location) {
                source.location.clone_from(name);
            }
            if usize::try_from(dataset.add_source(source).0) != Ok(number) {
                return Err(PyValueError::new_err("two objects would have one location"));
            }
        }
        dataset.root = self.0.root.clone();
        dataset.separate = self.0.separate;
        Ok(Self::new(dataset, self.1.clone()))
    }

    /// The group at `path` as a dataset of its own.
    fn group(&self, path: &str) -> PyResult<Self> {
        let root = self.0.group(path).ok_or_else(|| PyKeyError::new_err(path.to_owned()))?.clone();
        let mut dataset = Dataset::new();
        for source in self.0.sources() {
            dataset.add_source(source.clone());
        }
        dataset.root = root;
        Ok(Self::new(dataset, self.1.clone()))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// A text that is read or made until that is cancelled.
struct Cancellable<T> {
    inner: T,
    cancellation: Cancellation,
}

impl<R: Read> Read for Cancellable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.cancellation.check().map_err(io::Error::other)?;
        // Of a text in memory, a part at a time.
        let most = buffer.len().min(PART_BYTES);
        self.inner.read(buffer.get_mut(..most).unwrap_or_default())
    }
}

impl<W: Write> Write for Cancellable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.cancellation.check().map_err(io::Error::other)?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
