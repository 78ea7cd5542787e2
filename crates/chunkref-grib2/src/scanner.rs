// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry and the scan of a file.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::Source;
use chunkref_core::{
    ByteSource, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature, SkipKind, Skipped,
};

use crate::edition1;
use crate::error::{Grib2Error, Result};
use crate::field::{self, Bits, Field};
use crate::index_sidecar;
use crate::lower;
use crate::message::{self, Message};
use crate::options::{self, Filter, Options};
use crate::reader::Reader;
use crate::section::grid_definition::GridDefinition;
use crate::section::indicator::SIGNATURE;
use crate::walk::{self, Found};

/// Places where the first message of a file may begin: at once, or behind headers of the telecommunication system.
const STARTS: [u64; 161] = {
    let mut starts = [0; 161];
    let mut index = 0;
    #[expect(clippy::indexing_slicing, reason = "at compile time")]
    while index < starts.len() {
        starts[index] = index as u64;
        index += 1;
    }
    starts
};

/// The registered entry. Files whose first message begins later than byte 160 need the format named.
pub const ENTRY: ScannerEntry = ScannerEntry {
    name: "grib",
    description: "GRIB2, with messages of GRIB1 among them",
    media_type: "application/wmo-GRIB2",
    extensions: &["grib2", "grb2", "grib", "grb", "grib1", "grb1"],
    signatures: &[Signature::at(&SIGNATURE, &STARTS)],
    options: options::ALL,
    scanner: || Box::new(Grib2Scanner),
};

static STATIC_ENTRY: ScannerEntry = ENTRY;

/// Scans GRIB files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grib2Scanner;

#[async_trait]
impl Scanner for Grib2Scanner {
    fn entry(&self) -> &'static ScannerEntry {
        &STATIC_ENTRY
    }

    async fn scan(
        &self,
        source: &dyn ByteSource,
        options: &ScanOptions,
    ) -> Result<Scan, ScanError> {
        let choices = Options::new(source.location(), options)?;
        let scan = scan_file(source, options, &choices).await;
        scan.map_err(|error| error.into_scan_error(source.location()))
    }
}

async fn scan_file(
    source: &dyn ByteSource,
    options: &ScanOptions,
    choices: &Options,
) -> Result<Scan> {
    let limits = &options.limits;
    let mut reader = Reader::new(source, limits);
    let starts = index_sidecar::read(source, &choices.index).await?;
    let walk = walk::walk(&mut reader, &starts, limits).await?;
    if walk.messages.is_empty() && walk.faults.is_empty() {
        return Err(Grib2Error::NoMessage { length: reader.length() });
    }
    let mut skipped: Vec<_> =
        walk.faults.iter().map(|fault| skip(fault.offset, 0, fault.reason.clone())).collect();
    let mut fields = Vec::new();
    let mut grids = Grids::default();
    let messages = message::read_sections(&mut reader, walk.messages, limits).await?;
    for (offset, message) in messages {
        let described = match &message {
            Ok(message) => describe(message, &mut grids),
            Err(error) => vec![Err(error.clone())],
        };
        if described.is_empty() {
            skipped.push(skip(offset, 0, "the message has no data section".to_owned()));
        }
        for (part, field) in described.into_iter().enumerate() {
            match field {
                Ok(field) => fields.push(field),
                Err(error) => skipped.push(skip(offset, part, error.to_string())),
            }
        }
    }
    select(&mut fields, &choices.filters)?;
    store_parts(&mut reader, &mut fields, choices, options, &mut skipped).await?;
    let location = source.location().to_owned();
    let object = Source { location, version: Some(source.version().clone()) };
    let dataset = lower::lower(&fields, object, choices, limits)?;
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Scan { dataset, skipped })
}

fn skip(offset: u64, part: usize, reason: String) -> Skipped {
    let path = match part {
        0 => format!("message at byte {offset}"),
        part => format!("message at byte {offset}, field {part}"),
    };
    Skipped { path, offset: Some(offset), reason, kind: SkipKind::Array }
}

/// Grids by the octets of their sections: most fields of a file share one.
#[derive(Debug, Default)]
struct Grids {
    known: HashMap<Bytes, Arc<GridDefinition>>,
    /// Those of edition 1.
    others: Vec<Arc<GridDefinition>>,
}

impl Grids {
    /// The same field on the grid that an earlier one has, if one has the same.
    fn share(&mut self, mut field: Field) -> Field {
        match self.others.iter().find(|known| **known == field.grid) {
            Some(known) => field.grid = Arc::clone(known),
            None => self.others.push(Arc::clone(&field.grid)),
        }
        field
    }
}

/// The fields of a message.
fn describe(message: &Message, grids: &mut Grids) -> Vec<Result<Field>> {
    let Found { offset, indicator, .. } = &message.found;
    if indicator.edition == 1 {
        let field = message
            .sections
            .first()
            .ok_or_else(|| Grib2Error::inconsistent("message", *offset, "it has no sections"))
            .and_then(|section| edition1::parse(*offset, indicator.length, &section.bytes))
            .map(|field| grids.share(field));
        return vec![field];
    }
    message
        .fields()
        .into_iter()
        .map(|sections| {
            let sections = sections?;
            let grid = if let Some(grid) = grids.known.get(&sections.grid.bytes) {
                Arc::clone(grid)
            } else {
                let grid = field::parse_grid(&mut sections.grid.body("grid definition section"))?;
                grids.known.insert(sections.grid.bytes.clone(), Arc::clone(&grid));
                grid
            };
            Field::new(*offset, indicator.length, indicator.discipline, sections, grid)
        })
        .collect()
}

/// Keeps the fields that all filters let through.
fn select(fields: &mut Vec<Field>, filters: &[Filter]) -> Result<()> {
    for (name, values) in filters {
        if let Some(field) = fields.first()
            && field.key(name).is_none()
        {
            return Err(Grib2Error::BadFilter { key: name.clone() });
        }
        fields.retain(|field| {
            field.key(name).is_some_and(|found| values.iter().any(|value| is_same(value, &found)))
        });
    }
    Ok(())
}

/// Whether two texts are the same, or the same number.
fn is_same(wanted: &str, found: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    wanted == found || number(wanted).is_some_and(|wanted| number(found) == Some(wanted))
}

/// Reads what no byte range holds alone, later fields of messages, and small messages into the references.
async fn store_parts(
    reader: &mut Reader<'_>,
    fields: &mut Vec<Field>,
    choices: &Options,
    options: &ScanOptions,
    skipped: &mut Vec<Skipped>,
) -> Result<()> {
    let mut budget = options.limits.inline_bytes;
    let (mut ranges, mut wanted) = (Vec::new(), Vec::new());
    let mut kept = Vec::new();
    for field in fields.drain(..) {
        let index = kept.len();
        let pieces = match &field.bits {
            Bits::Message if field.length < options.inline_threshold => {
                let whole = field.offset..field.offset.saturating_add(field.length);
                Ok(vec![whole])
            }
            Bits::Sections(sections) if choices.inline_submessages => sections.ranges(),
            Bits::Sections(_) => {
                let reason = "a later field of its message, which no byte range holds alone: grib.submessages=inline stores it in the references";
                skipped.push(skip(field.offset, field.part, reason.to_owned()));
                continue;
            }
            _ => {
                kept.push(field);
                continue;
            }
        };
        match pieces {
            Ok(pieces) => {
                let bytes = pieces.iter().fold(0_u64, |sum, range| {
                    sum.saturating_add(range.end.saturating_sub(range.start))
                });
                let Some(left) = budget.checked_sub(bytes) else {
                    let reason = format!(
                        "{bytes} bytes of a later field of its message are more than the limit of bytes stored inline leaves"
                    );
                    skipped.push(skip(field.offset, field.part, reason));
                    continue;
                };
                budget = left;
                wanted.push((index, ranges.len(), pieces.len()));
                ranges.extend(pieces);
                kept.push(field);
            }
            Err(error) => skipped.push(skip(field.offset, field.part, error.to_string())),
        }
    }
    *fields = kept;
    if ranges.is_empty() {
        return Ok(());
    }
    let blocks = reader.read(&ranges).await?;
    for (index, start, count) in wanted {
        let pieces = blocks.get(start..start.saturating_add(count)).unwrap_or_default();
        if let Some(field) = fields.get_mut(index) {
            let bytes = match &field.bits {
                Bits::Sections(_) => message::assemble(field.code.0, pieces),
                _ => pieces.first().cloned().unwrap_or_default(),
            };
            field.bits = Bits::Inline(bytes);
        }
    }
    Ok(())
}
