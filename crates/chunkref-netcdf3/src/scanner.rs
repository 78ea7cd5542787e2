// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry, and the order of a scan: the header, then small chunks that go into the references.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chunkref_core::model::Source;
use chunkref_core::{
    ByteSource, FormatOption, OptionType, Scan, ScanError, ScanErrorKind, ScanOptions, Scanner,
    ScannerEntry, Signature, SkipKind, Skipped, split,
};

use crate::error::{NetCdf3Error, Result};
use crate::header::Header;
use crate::lower::{self, Choices, Placed};
use crate::record_layout::RecordLayout;

/// The first read, which most headers fit in; each later one takes four times as much.
const HEAD_BYTES: u64 = 64 << 10;
const GROWTH: u64 = 4;

const SPLIT: FormatOption = FormatOption::new(
    "netcdf3.split-contiguous",
    OptionType::Bytes,
    "cut data that lies in one piece into chunks of about this many bytes, along the slowest axes; without it, an array is one chunk",
)
.with_flag("split-contiguous");

/// The registered entry.
pub const ENTRY: ScannerEntry = ScannerEntry::new("netcdf3", || Box::new(NetCdf3Scanner))
    .with_description("NetCDF classic: CDF-1, CDF-2, CDF-5")
    .with_media_type("application/netcdf")
    .with_extensions(&["nc", "cdf", "nc3"])
    .with_signatures(&[
        Signature::at_start(b"CDF\x01"),
        Signature::at_start(b"CDF\x02"),
        Signature::at_start(b"CDF\x05"),
    ])
    .with_options(&[SPLIT]);

static STATIC_ENTRY: ScannerEntry = ENTRY;

/// Scans NetCDF classic files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetCdf3Scanner;

#[async_trait]
impl Scanner for NetCdf3Scanner {
    fn entry(&self) -> &'static ScannerEntry {
        &STATIC_ENTRY
    }

    async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let piece_bytes = split::piece_bytes(options, &SPLIT).map_err(|error| {
            ScanError::new(ScanErrorKind::InvalidOption, source.location(), error)
                .with_format(ENTRY.name)
        })?;
        let scan = scan(source, options, piece_bytes).await;
        scan.map_err(|error| error.into_scan_error(source.location()))
    }
}

async fn scan(
    source: &dyn ByteSource,
    options: &ScanOptions,
    piece_bytes: Option<u64>,
) -> Result<Scan> {
    let limits = &options.limits;
    let header = read_header(source, options).await?;
    let file_length = source.version().length;
    let layout = RecordLayout::new(&header, file_length).ok_or_else(|| {
        NetCdf3Error::inconsistent("header", 0, "a record is longer than 64 bits count")
    })?;
    let choices = Choices { file_length, piece_bytes, limits };
    let (mut dataset, mut placed, mut skipped) = lower::lower(&header, &layout, &choices);
    options.cancellation.check()?;
    let inline = read_inline(source, &placed, options).await?;
    let version = Some(source.version().clone());
    let id = dataset.add_source(Source { location: source.location().to_owned(), version });
    let mut chunks: u64 = 0;
    for (placed, inline) in placed.drain(..).zip(inline) {
        options.cancellation.check()?;
        let limit = limits.chunks;
        let filled = match dataset.root.arrays.get_mut(&placed.name) {
            // What one variable claims by itself costs only it; what all claim together ends the scan.
            Some(_) if chunks.saturating_add(placed.count) > limit => {
                return Err(NetCdf3Error::LimitExceeded {
                    structure: "variable",
                    offset: placed.first,
                    what: "chunks in one file",
                    claimed: chunks.saturating_add(placed.count),
                    limit,
                });
            }
            Some(array) => {
                chunks = chunks.saturating_add(placed.count);
                lower::fill(array, &placed, id, &inline)
            }
            None => Ok(()),
        };
        if let Err(reason) = filled {
            dataset.root.arrays.remove(&placed.name);
            let skip = Skipped::new(placed.name, SkipKind::Array, reason);
            skipped.push(skip.with_offset(placed.first));
        }
    }
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Scan::new(dataset).with_skipped(skipped))
}

/// Reads the header by a first piece and longer ones behind it, until it is whole.
async fn read_header(source: &dyn ByteSource, options: &ScanOptions) -> Result<Header> {
    let limits = &options.limits;
    let longest = limits.structure_bytes.min(limits.metadata_bytes);
    let file_length = source.version().length;
    let mut bytes = BytesMut::new();
    let mut wanted = HEAD_BYTES;
    loop {
        options.cancellation.check()?;
        let start = bytes.len() as u64;
        let range = start..wanted.min(file_length).min(longest).max(start);
        for part in source.read_many(std::slice::from_ref(&range)).await? {
            bytes.extend_from_slice(&part);
        }
        let truncated = match Header::parse(&bytes, limits) {
            Err(NetCdf3Error::Truncated(truncated)) => truncated,
            outcome => return outcome,
        };
        // What claims more than the file has is damage, and no reason to read all of the file.
        let end = truncated.offset.saturating_add(truncated.needed);
        let known = bytes.len() as u64;
        if end > file_length || known >= file_length {
            return Err(truncated.into());
        }
        if end > longest {
            return Err(NetCdf3Error::LimitExceeded {
                structure: "header",
                offset: truncated.offset,
                what: "bytes",
                claimed: end,
                limit: longest,
            });
        }
        wanted = known.saturating_mul(GROWTH).max(end);
    }
}

/// The bytes of the arrays that are shorter than the threshold, chunk by chunk; nothing for the others. It is the array
/// that counts, as for kerchunk: records of a variable lie far apart, and each would be a request.
async fn read_inline(
    source: &dyn ByteSource,
    placed: &[Placed],
    options: &ScanOptions,
) -> Result<Vec<Vec<Bytes>>> {
    let mut budget = options.limits.inline_bytes;
    let mut ranges = Vec::new();
    let counts: Vec<u64> = placed
        .iter()
        .map(|placed| {
            let stored = placed.length.saturating_mul(placed.count);
            if stored >= options.inline_threshold || stored > budget {
                return 0;
            }
            budget = budget.saturating_sub(stored);
            for number in 0..placed.count {
                let start = placed.first.saturating_add(number.saturating_mul(placed.stride));
                ranges.push(start..start.saturating_add(placed.length));
            }
            placed.count
        })
        .collect();
    let mut parts = if ranges.is_empty() { Vec::new() } else { source.read_many(&ranges).await? };
    let mut parts = parts.drain(..);
    Ok(counts
        .iter()
        .map(|&count| parts.by_ref().take(usize::try_from(count).unwrap_or(0)).collect())
        .collect())
}
