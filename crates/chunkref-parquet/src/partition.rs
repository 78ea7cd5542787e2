// SPDX-License-Identifier: MIT OR Apache-2.0
//! One partition: rows of references as a Parquet file.
//!
//! | column | type | null |
//! |---|---|---|
//! | `path` | URL | when the bytes are in `raw`, or the chunk is missing |
//! | `offset`, `size` | bytes, 64 bits signed; both 0 with a path for a whole object | never |
//! | `raw` | the bytes themselves | when the row has a path, or the chunk is missing |
//!
//! Partitions without raw bytes have no column `raw`, and those of raw bytes alone have no other, as kerchunk writes
//! them. There is no pandas metadata, so that pandas makes of `path` no category: a null of a category is not `None`, and
//! fsspec takes such a chunk for a URL.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use chunkref_core::Limits;
use chunkref_model::{ChunkRef, WHOLE_OBJECT};
use parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, Type as PhysicalType, ZstdLevel,
};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::guard;

/// The rows of one partition in columns; a row is empty until it is set.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// 1 where the row has a path.
    has_path: Vec<i16>,
    paths: Vec<ByteArray>,
    offsets: Vec<i64>,
    sizes: Vec<i64>,
    has_raw: Vec<i16>,
    raws: Vec<ByteArray>,
    /// Bytes of the file that they were read from.
    pub(crate) stored_bytes: u64,
}

impl Rows {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            has_path: vec![0; count],
            offsets: vec![0; count],
            sizes: vec![0; count],
            has_raw: vec![0; count],
            ..Self::default()
        }
    }

    /// Rows, set or not.
    pub(crate) fn len(&self) -> usize {
        self.has_path.len()
    }

    /// Sets a row; rows come in order.
    pub(crate) fn set_path(&mut self, row: usize, path: &ByteArray, offset: i64, size: i64) {
        let slots =
            (self.has_path.get_mut(row), self.offsets.get_mut(row), self.sizes.get_mut(row));
        if let (Some(has), Some(at), Some(length)) = slots {
            (*has, *at, *length) = (1, offset, size);
            self.paths.push(path.clone());
        }
    }

    /// Sets a row; rows come in order.
    pub(crate) fn set_raw(&mut self, row: usize, bytes: Bytes) {
        if let Some(has) = self.has_raw.get_mut(row) {
            *has = 1;
            self.raws.push(ByteArray::from(bytes));
        }
    }

    /// The Parquet file.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let with_paths = !self.paths.is_empty();
        let with_raws = !self.raws.is_empty();
        let mut columns = Vec::new();
        if with_paths {
            columns.push(column("path", PhysicalType::BYTE_ARRAY, Repetition::OPTIONAL, true)?);
            columns.push(column("offset", PhysicalType::INT64, Repetition::REQUIRED, false)?);
            columns.push(column("size", PhysicalType::INT64, Repetition::REQUIRED, false)?);
        }
        // A partition of three columns is one of paths alone to fsspec, so missing rows are told by a fourth.
        let missing = self.paths.len().saturating_add(self.raws.len()) < self.has_path.len();
        if with_raws || missing {
            columns.push(column("raw", PhysicalType::BYTE_ARRAY, Repetition::OPTIONAL, false)?);
        }
        let schema = Type::group_type_builder("schema").with_fields(columns).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::None)
            // Without a count of nulls fastparquet makes numbers floating-point ones.
            .set_column_statistics_enabled("offset".into(), EnabledStatistics::Chunk)
            .set_column_statistics_enabled("size".into(), EnabledStatistics::Chunk)
            .set_dictionary_enabled(false)
            .set_column_dictionary_enabled("path".into(), true)
            .set_created_by(concat!("chunkref ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let mut out = Vec::new();
        let mut file = SerializedFileWriter::new(&mut out, Arc::new(schema), Arc::new(properties))?;
        let mut group = file.next_row_group()?;
        let mut place: u8 = if with_paths { 0 } else { 3 };
        while let Some(mut column) = group.next_column()? {
            match place {
                0 => column.typed::<ByteArrayType>().write_batch(
                    &self.paths,
                    Some(&self.has_path),
                    None,
                )?,
                1 => column.typed::<Int64Type>().write_batch(&self.offsets, None, None)?,
                2 => column.typed::<Int64Type>().write_batch(&self.sizes, None, None)?,
                _ => column.typed::<ByteArrayType>().write_batch(
                    &self.raws,
                    Some(&self.has_raw),
                    None,
                )?,
            };
            column.close()?;
            place = place.saturating_add(1);
        }
        group.close()?;
        file.close()?;
        Ok(out)
    }

    /// Calls `visit` with row and reference of every row that is set; the path is that of the reference.
    pub(crate) fn visit(
        &self,
        visit: &mut dyn FnMut(usize, Found<'_>) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        let (mut paths, mut raws) = (self.paths.iter(), self.raws.iter());
        for row in 0..self.has_path.len() {
            let path = match self.has_path.get(row) {
                Some(1) => paths.next(),
                _ => None,
            };
            let raw = match self.has_raw.get(row) {
                Some(1) => raws.next(),
                _ => None,
            };
            // Raw bytes go first, as they do in fsspec.
            if let Some(raw) = raw {
                visit(row, Found::Raw(Bytes::copy_from_slice(raw.data())))?;
            } else if let Some(path) = path {
                let path = std::str::from_utf8(path.data())
                    .map_err(|_| format!("row {row}: its path is not UTF-8"))?;
                let numbers = (self.offsets.get(row).copied(), self.sizes.get(row).copied());
                let (Some(offset), Some(size)) = numbers else { continue };
                let (Ok(offset), Ok(size)) = (u64::try_from(offset), u64::try_from(size)) else {
                    return Err(format!("row {row}: offset {offset} or size {size} is negative"));
                };
                let length = if (offset, size) == (0, 0) { WHOLE_OBJECT } else { size };
                visit(row, Found::Path { path, offset, length })?;
            }
        }
        Ok(())
    }

    /// Reads a Parquet file of `count` rows at most; columns that are not there are null in every row.
    pub(crate) fn decode(
        bytes: Bytes,
        count: usize,
        limits: &Limits,
    ) -> std::result::Result<Self, Fault> {
        guard::check(&bytes, limits).map_err(Fault::Said)?;
        let stored_bytes = bytes.len() as u64;
        let allowed = limits.expanded_bytes(stored_bytes);
        let most = limits.partition_references;
        // The crate takes some damage for a fault of its own.
        let read = catch_unwind(AssertUnwindSafe(|| Self::read(bytes, count, most)));
        let mut rows = read.unwrap_or_else(|_| {
            Err(Fault::Said(
                "it is damaged in a way that the reader of Parquet does not expect".to_owned(),
            ))
        })?;
        let raw = rows.raws.iter().fold(0_u64, |sum, raw| sum.saturating_add(raw.len() as u64));
        if raw > allowed {
            let limit = limits.set_expansion;
            return Err(Fault::Said(format!(
                "its inline data become {raw} bytes, which the limit set_expansion={limit} does not allow"
            )));
        }
        rows.stored_bytes = stored_bytes;
        Ok(rows)
    }

    fn read(bytes: Bytes, count: usize, most: u64) -> std::result::Result<Self, Fault> {
        let file = SerializedFileReader::new(bytes)?;
        let metadata = file.metadata().file_metadata();
        let stored = usize::try_from(metadata.num_rows()).unwrap_or(usize::MAX);
        if stored.min(count) as u64 > most {
            let (stored, name) = (stored.min(count), "partition_references");
            return Err(Fault::Said(format!(
                "it has {stored} references, more than the limit {name}={most} allows"
            )));
        }
        // kerchunk's last partition may have rows for chunks that the grid does not have; they are not read.
        let mut rows = Self::default();
        let names: Vec<String> = metadata
            .schema_descr()
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        let there = |name: &str| names.iter().any(|known| known == name);
        let paths = there("path") && there("offset") && there("size");
        if !(paths || there("raw") && !there("path")) {
            let found: Vec<String> =
                names.iter().take(10).map(|name| name.chars().take(40).collect()).collect();
            return Err(Fault::Said(format!(
                "it is no partition of references, whose columns are path, offset and size, or raw, or all four: it has {}",
                found.join(", ")
            )));
        }
        for group in 0..file.num_row_groups() {
            let group = file.get_row_group(group)?;
            for (place, name) in names.iter().enumerate() {
                let limit = stored.min(count);
                match name.as_str() {
                    "path" => {
                        read_bytes(&*group, place, limit, &mut rows.has_path, &mut rows.paths)?;
                    }
                    "raw" => read_bytes(&*group, place, limit, &mut rows.has_raw, &mut rows.raws)?,
                    "offset" => read_numbers(&*group, place, limit, &mut rows.offsets)?,
                    "size" => read_numbers(&*group, place, limit, &mut rows.sizes)?,
                    _ => {}
                }
            }
        }
        // As many as there are, not as many as the file says.
        let stored = rows.has_path.len().max(rows.has_raw.len()).max(rows.sizes.len());
        rows.has_path.resize(stored, 0);
        rows.has_raw.resize(stored, 0);
        rows.offsets.resize(stored, 0);
        rows.sizes.resize(stored, 0);
        Ok(rows)
    }
}

/// One reference of a partition.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    Path { path: &'a str, offset: u64, length: u64 },
    Raw(Bytes),
}

impl Found<'_> {
    /// The reference, with the source's index from `source`.
    pub(crate) fn reference(
        self,
        source: &mut dyn FnMut(&str) -> chunkref_model::SourceId,
    ) -> ChunkRef {
        match self {
            Self::Path { path, offset, length } => {
                ChunkRef::Virtual { source: source(path), offset, length }
            }
            Self::Raw(bytes) => ChunkRef::Inline(bytes),
        }
    }
}

/// Why a partition is not read.
#[derive(Debug)]
pub(crate) enum Fault {
    Format(parquet::errors::ParquetError),
    Said(String),
}

impl From<parquet::errors::ParquetError> for Fault {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Format(error)
    }
}

fn column(
    name: &str,
    physical: PhysicalType,
    repetition: Repetition,
    text: bool,
) -> Result<Arc<Type>> {
    let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
    let builder = if text {
        builder
            .with_logical_type(Some(LogicalType::String))
            .with_converted_type(ConvertedType::UTF8)
    } else {
        builder
    };
    Ok(Arc::new(builder.build()?))
}

fn read_bytes(
    group: &dyn parquet::file::reader::RowGroupReader,
    place: usize,
    limit: usize,
    has: &mut Vec<i16>,
    values: &mut Vec<ByteArray>,
) -> std::result::Result<(), Fault> {
    let descriptor = group.metadata().column(place).column_descr_ptr();
    let optional = descriptor.max_def_level();
    // A column without any value, as pyarrow writes it: it has the type of nothing.
    if descriptor.physical_type() == PhysicalType::INT32 && optional > 0 {
        let mut reader = get_typed_column_reader::<Int32Type>(group.get_column_reader(place)?);
        let (mut levels, mut numbers) = (Vec::new(), Vec::new());
        let room = limit.saturating_sub(has.len());
        let (rows, values, _) = reader.read_records(room, Some(&mut levels), None, &mut numbers)?;
        if values == 0 {
            has.extend(std::iter::repeat_n(0, rows));
            return Ok(());
        }
    }
    if descriptor.physical_type() != PhysicalType::BYTE_ARRAY || descriptor.max_rep_level() > 0 {
        return Err(Fault::Said(format!("column {:?} is not text or bytes", descriptor.name())));
    }
    let mut reader = get_typed_column_reader::<ByteArrayType>(group.get_column_reader(place)?);
    let room = limit.saturating_sub(has.len());
    let mut levels = Vec::new();
    let (rows, _, _) = reader.read_records(room, Some(&mut levels), None, values)?;
    if optional == 0 {
        levels = vec![1; rows];
    }
    has.extend(levels.into_iter().map(|level| i16::from(optional == 0 || level == optional)));
    Ok(())
}

fn read_numbers(
    group: &dyn parquet::file::reader::RowGroupReader,
    place: usize,
    limit: usize,
    numbers: &mut Vec<i64>,
) -> std::result::Result<(), Fault> {
    let descriptor = group.metadata().column(place).column_descr_ptr();
    if descriptor.physical_type() != PhysicalType::INT64 || descriptor.max_rep_level() > 0 {
        return Err(Fault::Said(format!("column {:?} is not 64-bit integers", descriptor.name())));
    }
    let mut reader = get_typed_column_reader::<Int64Type>(group.get_column_reader(place)?);
    let room = limit.saturating_sub(numbers.len());
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (rows, _, _) = reader.read_records(room, Some(&mut levels), None, &mut values)?;
    if descriptor.max_def_level() == 0 {
        numbers.extend(values);
        return Ok(());
    }
    let mut values = values.into_iter();
    let own = levels.into_iter().take(rows);
    numbers.extend(own.map(|level| {
        if level == descriptor.max_def_level() { values.next().unwrap_or_default() } else { 0 }
    }));
    Ok(())
}
