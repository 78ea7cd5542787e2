// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chunkref cat`.

use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chunkref::core::atomic::write_file;
use chunkref::model::zarr::v2;
use chunkref::model::{Array, DataType, Field};
use chunkref::read::{Lookup, ReadError, Values, read_region};
use chunkref::{Location, Opened, StoreObjects, Stores};
use clap::{Args, ValueEnum};
use futures::executor::block_on;

use crate::console::Console;
use crate::destination;
use crate::format_arguments::FormatArguments;
use crate::selection::{Axis, Selection};
use crate::store_arguments::StoreArguments;
use crate::{Exit, Stop, element, report};

/// What values are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValueFormat {
    /// Lines of the last axis, with an empty line between planes.
    Text,
    /// A line for each value, behind its indices.
    Csv,
    /// numpy's own format.
    Npy,
}

/// The command line of `cat`.
#[derive(Debug, Args)]
pub struct CatArguments {
    /// References, or a file of a known format; path or URL.
    #[arg(value_name = "CUBE")]
    pub input: String,
    /// The array, and what of it as numpy writes it: `sst`, `group/sst[0, 10:20, ::2]`, `sst[..., -1]`.
    #[arg(value_name = "VAR")]
    pub selection: String,
    /// Where to write; a name that ends in .csv or .npy says what.
    #[arg(long, short, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// What to write, whatever the name of the output [default: text].
    #[arg(long = "as", alias = "to", value_name = "FORM")]
    pub to: Option<ValueFormat>,
    /// How a file is scanned.
    #[command(flatten)]
    pub format: FormatArguments,
    /// How references and sources are read.
    #[command(flatten)]
    pub stores: StoreArguments,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What was read.
struct Part {
    dtype: DataType,
    dimensions: Vec<String>,
    axes: Vec<Axis>,
    values: Values,
}

pub(crate) fn run(arguments: &CatArguments, console: &mut Console<'_>) -> Result<Exit, Stop> {
    let selection = Selection::parse(&arguments.selection)
        .map_err(|reason| Stop::Usage(format!("{}: {reason}", arguments.selection)))?;
    let stores = arguments.stores.stores().map_err(Stop::Usage)?;
    let input = arguments.input.as_str();
    let output = arguments.output.as_deref().filter(|output| *output != Path::new("-"));
    if let (Some(output), Ok(location)) = (output, Location::parse(input)) {
        destination::refuse_same(&location, output)?;
    }
    let part = match block_on(read(arguments, &selection, &stores)) {
        Ok(part) => part,
        Err(fault) => {
            let url = Location::parse(input).map(|location| location.url().to_owned());
            report::failure(console, input, &url.unwrap_or_default(), &*fault);
            return Ok(Exit::Failed);
        }
    };
    let extension = output.and_then(Path::extension).and_then(|extension| extension.to_str());
    let format = arguments.to.unwrap_or(match extension {
        Some("csv") => ValueFormat::Csv,
        Some("npy") => ValueFormat::Npy,
        _ => ValueFormat::Text,
    });
    let Some(output) = output else {
        if console.shows_output() && format != ValueFormat::Npy {
            // A terminal obeys what is in texts; files and pipes get them as they are.
            let mut text = Vec::new();
            write(&part, format, &mut text)?;
            write!(console, "{}", String::from_utf8_lossy(&text))?;
        } else {
            write(&part, format, console.data())?;
        }
        return Ok(Exit::Done);
    };
    match write_file(output, None, |out| Ok(write(&part, format, out)?)) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => {
            report::unwritten(console, output, &error);
            Ok(Exit::Failed)
        }
    }
}

async fn read(
    arguments: &CatArguments,
    selection: &Selection,
    stores: &Stores,
) -> Result<Part, Fault> {
    let registry = chunkref::registry()?;
    let options = arguments.format.scan_options().with_limits(arguments.stores.limits());
    chunkref::validate(&registry, &options)?;
    let location = Location::parse(&arguments.input)?;
    let opened = Opened::open(stores, &registry, &location, &options).await?;
    let objects = StoreObjects::new(stores.clone(), opened.policy(stores)?);
    let lookup: Arc<dyn Lookup> = match opened {
        Opened::References(references) => Arc::new(*references),
        Opened::File(file) => Arc::new(file.scan.dataset),
    };
    let path = &selection.path;
    let array: &Array = lookup.metadata().array(path).ok_or_else(|| unknown(&*lookup, path))?;
    let axes =
        selection.axes(&array.shape).map_err(|reason| format!("array {path:?}: {reason}"))?;
    let region: Vec<_> = axes.iter().map(|axis| axis.range.clone()).collect();
    let limits = stores.limits();
    check_chunks(array, &region, limits.read_chunks)?;
    let most = limits.output_bytes;
    let values = read_region(&*lookup, &objects, path, &region, most).await.map_err(said)?;
    let values = thin(values, &axes, array.dtype.length_bytes());
    let dimensions = array.dimensions.clone();
    Ok(Part { dtype: array.dtype.clone(), dimensions, axes, values })
}

fn said(error: ReadError) -> Fault {
    match error {
        ReadError::TooLarge { array, limit } => format!(
            "the values of array {array:?}, or of one of its chunks, are more than the limit output_bytes={limit} allows: select less, or raise it"
        )
        .into(),
        other => other.into(),
    }
}

/// Chunks are counted before any is read: an array of nothing but fill values may have any number of them.
fn check_chunks(array: &Array, region: &[Range<u64>], limit: u64) -> Result<(), String> {
    let axes = region.iter().zip(array.chunk_grid.chunk_shape());
    let count = axes.fold(1_u64, |all, (range, &chunk)| {
        let chunk = chunk.max(1);
        let along = range.end.div_ceil(chunk).saturating_sub(range.start / chunk);
        all.saturating_mul(if range.is_empty() { 0 } else { along })
    });
    if count > limit {
        return Err(format!(
            "the selection has parts of {count} chunks, more than the limit read_chunks={limit} allows: select less, or raise it"
        ));
    }
    Ok(())
}

fn unknown(lookup: &dyn Lookup, path: &str) -> String {
    let arrays = lookup.metadata().arrays();
    let mut names: Vec<_> = arrays.iter().map(|(path, _)| path.as_str()).take(20).collect();
    if arrays.len() > names.len() {
        names.push("…");
    }
    format!("there is no array {path:?}; there are {}", names.join(", "))
}

/// Every `step`-th of the values along each axis.
fn thin(values: Values, axes: &[Axis], element: Option<u64>) -> Values {
    if axes.iter().all(|axis| axis.step == 1) {
        return values;
    }
    let shape: Vec<u64> =
        axes.iter().map(|axis| axis.range.end.saturating_sub(axis.range.start)).collect();
    let mut places: Vec<u64> = vec![0];
    for (axis, length) in axes.iter().zip(&shape) {
        places = places
            .into_iter()
            .flat_map(|place| {
                (0..axis.count()).map(move |index| {
                    place.saturating_mul(*length).saturating_add(index.saturating_mul(axis.step))
                })
            })
            .collect();
    }
    let places = places.into_iter().filter_map(|place| usize::try_from(place).ok());
    match values {
        Values::Variable(all) => {
            Values::Variable(places.filter_map(|place| all.get(place).cloned()).collect())
        }
        Values::Fixed(bytes) => {
            let element = usize::try_from(element.unwrap_or(1)).unwrap_or(1);
            let part = |place: usize| {
                let start = place.saturating_mul(element);
                bytes.get(start..start.saturating_add(element)).unwrap_or_default()
            };
            Values::Fixed(places.flat_map(part).copied().collect())
        }
    }
}

impl Part {
    /// Elements along the axes that are kept.
    fn shape(&self) -> Vec<u64> {
        self.axes.iter().filter(|axis| axis.kept).map(Axis::count).collect()
    }

    fn texts(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match &self.values {
            Values::Variable(values) => {
                Box::new(values.iter().map(|value| element::text(&self.dtype, value)))
            }
            Values::Fixed(bytes) => {
                let element = self.dtype.length_bytes().unwrap_or(1).max(1);
                let element = usize::try_from(element).unwrap_or(1);
                Box::new(bytes.chunks(element).map(|value| element::text(&self.dtype, value)))
            }
        }
    }
}

fn write(part: &Part, format: ValueFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        ValueFormat::Text => write_text(part, out),
        ValueFormat::Csv => write_csv(part, out),
        ValueFormat::Npy => write_npy(part, out),
    }
}

fn write_text(part: &Part, out: &mut dyn Write) -> io::Result<()> {
    let shape = part.shape();
    let mut axes = shape.iter().rev().copied();
    let (row, plane) = (axes.next().unwrap_or(1).max(1), axes.next().unwrap_or(u64::MAX).max(1));
    // Text may hold spaces.
    let separator = match part.dtype {
        DataType::FixedString { .. } | DataType::VlenString | DataType::Struct { .. } => "\n",
        _ => " ",
    };
    let (mut column, mut rows) = (0_u64, 0_u64);
    for text in part.texts() {
        if column == 0 && rows == plane {
            writeln!(out)?;
            rows = 0;
        }
        write!(out, "{}{text}", if column == 0 { "" } else { separator })?;
        column = column.saturating_add(1);
        if column == row {
            writeln!(out)?;
            (column, rows) = (0, rows.saturating_add(1));
        }
    }
    Ok(())
}

fn write_csv(part: &Part, out: &mut dyn Write) -> io::Result<()> {
    let names = part.axes.iter().enumerate().map(|(number, _)| {
        let name = part.dimensions.get(number).filter(|name| !name.is_empty());
        quoted(name.map_or_else(|| format!("axis_{number}"), Clone::clone))
    });
    let mut header: Vec<_> = names.collect();
    header.push("value".to_owned());
    writeln!(out, "{}", header.join(","))?;
    for (number, text) in part.texts().enumerate() {
        let mut rest = number as u64;
        let mut indices: Vec<String> = Vec::new();
        for axis in part.axes.iter().rev() {
            let count = axis.count().max(1);
            let index = axis.range.start.saturating_add((rest % count).saturating_mul(axis.step));
            indices.push(index.to_string());
            rest /= count;
        }
        indices.reverse();
        indices.push(quoted(text));
        writeln!(out, "{}", indices.join(","))?;
    }
    Ok(())
}

/// A field of CSV (RFC 4180).
fn quoted(text: String) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// The format of `numpy.save`, version 1.0, or 3.0 for names that are not ASCII.
fn write_npy(part: &Part, out: &mut dyn Write) -> io::Result<()> {
    let invalid = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
    let (descr, values): (String, std::borrow::Cow<'_, [u8]>) = match &part.values {
        Values::Fixed(bytes) => (descr(&part.dtype).map_err(invalid)?, bytes.as_slice().into()),
        Values::Variable(_) if part.dtype != DataType::VlenString => {
            return Err(invalid("numpy has no form for bytes of variable length".to_owned()));
        }
        Values::Variable(texts) => {
            let texts: Vec<Vec<char>> =
                texts.iter().map(|text| String::from_utf8_lossy(text).chars().collect()).collect();
            let length = texts.iter().map(Vec::len).max().unwrap_or(0).max(1);
            let padded = texts.iter().flat_map(|text| {
                let padding = std::iter::repeat_n('\0', length.saturating_sub(text.len()));
                text.iter().copied().chain(padding)
            });
            let bytes: Vec<u8> =
                padded.flat_map(|letter| u32::from(letter).to_le_bytes()).collect();
            (format!("'<U{length}'"), bytes.into())
        }
    };
    let shape = tuple(&part.shape());
    let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    let (version, prefix): (u8, usize) =
        if header.is_ascii() && header.len() < 60_000 { (1, 10) } else { (3, 12) };
    let padding = 63_usize.saturating_sub(prefix.saturating_add(header.len()) % 64);
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    out.write_all(b"\x93NUMPY")?;
    out.write_all(&[version, 0])?;
    let too_long = || invalid("its fields have names too long for numpy".to_owned());
    let length = u32::try_from(header.len()).map_err(|_| too_long())?;
    let length = length.to_le_bytes();
    out.write_all(if version == 1 { length.get(..2).unwrap_or_default() } else { &length })?;
    out.write_all(header.as_bytes())?;
    out.write_all(&values)
}

/// A tuple of Python.
fn tuple(lengths: &[u64]) -> String {
    let mut text = String::from("(");
    for length in lengths {
        text.push_str(&length.to_string());
        text.push(',');
    }
    text + ")"
}

/// numpy's description of a type as a literal of Python.
fn descr(dtype: &DataType) -> Result<String, String> {
    let DataType::Struct { fields } = dtype else {
        let name = v2::data_type_name(dtype).map_err(|error| error.to_string())?;
        return Ok(format!("'{name}'"));
    };
    let field = |field: &Field| {
        let dtype = descr(&field.dtype)?;
        let name = field.name.escape_default();
        if field.shape.is_empty() {
            return Ok(format!("('{name}', {dtype})"));
        }
        Ok(format!("('{name}', {dtype}, {})", tuple(&field.shape)))
    };
    let fields = fields.iter().map(field).collect::<Result<Vec<_>, String>>()?;
    Ok(format!("[{}]", fields.join(", ")))
}
