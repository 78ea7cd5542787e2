// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields that are stored in the references: later ones of their messages, which no byte range holds alone, and
//! small ones.

use std::ops::Range;

use chunkref_core::{ScanOptions, Skipped};

use crate::error::Result;
use crate::field::{Bits, Field};
use crate::message;
use crate::options::Options;
use crate::reader::Reader;
use crate::scanner::skip;

/// Bytes that one field needs, and where they are among those of all.
struct Wanted {
    field: usize,
    first: usize,
    count: usize,
}

/// `fields` with the bytes of those that are stored in the references; what cannot be is skipped.
pub(crate) async fn store(
    reader: &mut Reader<'_>,
    fields: Vec<Field>,
    choices: &Options,
    options: &ScanOptions,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Field>> {
    let mut budget = options.limits.inline_bytes;
    let (mut ranges, mut wanted) = (Vec::new(), Vec::new());
    let mut kept: Vec<Field> = Vec::new();
    for mut field in fields {
        options.cancellation.check_at(kept.len() as u64)?;
        let mut leave_out = |reason| skipped.push(skip(field.offset, field.part, reason));
        let pieces = match pieces(&field, choices, options.inline_threshold) {
            Ok(Some(pieces)) => pieces,
            Ok(None) => {
                kept.push(field);
                continue;
            }
            Err(reason) => {
                leave_out(reason);
                continue;
            }
        };
        let bytes = if let Bits::Read(bytes) = &field.bits {
            bytes.len() as u64
        } else {
            pieces
                .iter()
                .map(|range| range.end.saturating_sub(range.start))
                .fold(0, u64::saturating_add)
        };
        let Some(left) = budget.checked_sub(bytes) else {
            leave_out(format!(
                "{bytes} bytes of a later field of its message are more than the limit inline_bytes leaves"
            ));
            continue;
        };
        budget = left;
        if let Bits::Read(bytes) = field.bits {
            field.bits = Bits::Inline(bytes);
        } else {
            wanted.push(Wanted { field: kept.len(), first: ranges.len(), count: pieces.len() });
            ranges.extend(pieces);
        }
        kept.push(field);
    }
    if !ranges.is_empty() {
        let blocks = reader.read(&ranges).await?;
        for Wanted { field, first, count } in wanted {
            let pieces = blocks.get(first..first.saturating_add(count)).unwrap_or_default();
            if let Some(field) = kept.get_mut(field) {
                field.bits = Bits::Inline(match &field.bits {
                    Bits::Sections(_) => message::assemble(field.code.0, pieces),
                    _ => pieces.first().cloned().unwrap_or_default(),
                });
            }
        }
    }
    Ok(kept)
}

/// The byte ranges of a field that is stored in the references, none of one that is read; `None` for one that stays
/// where it is, and the reason for one that is left out.
fn pieces(
    field: &Field,
    choices: &Options,
    threshold: u64,
) -> std::result::Result<Option<Vec<Range<u64>>>, String> {
    match &field.bits {
        Bits::Read(_) => Ok(Some(Vec::new())),
        Bits::Message if field.length < threshold => {
            let whole = field.offset..field.offset.saturating_add(field.length);
            Ok(Some(std::iter::once(whole).collect()))
        }
        Bits::Sections(sections) if choices.inline_submessages => {
            sections.ranges().map(Some).map_err(|error| error.to_string())
        }
        Bits::Sections(_) => Err("a later field of its message, which no byte range holds alone: grib.submessages=inline stores it in the references".to_owned()),
        Bits::Message | Bits::Inline(_) => Ok(None),
    }
}
