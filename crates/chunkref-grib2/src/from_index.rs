// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fields by their index sidecar and a file like theirs, the template, without a look at their headers.
//!
//! A line of a sidecar is compared with those of the template's sidecar: the one that says the same but for date
//! and step is of a field that differs in nothing else. What has no such line is described by its header.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chunkref_core::{ByteSource, Cursor, ScanOptions, Steps};

use crate::error::{Grib2Error, Result};
use crate::field::{Bits, Field, INSTANT};
use crate::index_check;
use crate::index_line::{Listed, Said, Span};
use crate::index_sidecar::{self, Sidecar, bad};
use crate::options::Options;
use crate::reader::Reader;
use crate::scanner::{self, Described, Grids, KnownGrids};
use crate::section::indicator::Indicator;
use crate::walk::{Found, HEAD_BYTES};

/// Bytes of a message at least.
const LEAST_BYTES: u64 = 20;

/// Fields of the template, by what lines say of them.
#[derive(Debug)]
struct Template {
    /// `None` where several fields that differ have the same line.
    fields: HashMap<String, Option<Field>>,
    grids: KnownGrids,
}

/// A message whose length is known too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    /// Which of the sidecar, from 1 on.
    pub(crate) number: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// The fields of `source` as its sidecar lists them.
pub(crate) async fn describe(
    source: &dyn ByteSource,
    reader: &mut Reader<'_>,
    options: &ScanOptions,
    choices: &Options,
) -> Result<Described> {
    let sidecar = index_sidecar::find(source).await?.ok_or_else(|| {
        bad("NAME.idx or NAME.index", "there is none beside the file, which grib.index=only needs")
    })?;
    let count = sidecar.listed.len() as u64;
    let limit = ("objects", options.limits.objects);
    Grib2Error::check_limit("index sidecar", 0, "messages", count, limit)?;
    let template = template(source, options, choices).await?;
    let placed = place(&sidecar, reader.length())?;
    let mut steps = Steps::new(&options.cancellation);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for (place, listed) in placed.into_iter().zip(&sidecar.listed) {
        steps.take(1)?;
        match listed.said.as_ref().and_then(|said| template.field(said, place)) {
            Some(field) => known.push((place, field)),
            None => unknown.push(place),
        }
    }
    let mut grids = Grids::with_known(&options.limits, template.grids.clone());
    index_check::check(source.location(), reader, &sidecar.name, &known, choices.check, &mut grids)
        .await?;
    let found = read(reader, &sidecar.name, &unknown).await?;
    let mut described = scanner::read_headers(reader, found, options, &mut grids).await?;
    described.fields.extend(known.into_iter().map(|(_, field)| field));
    described.fields.sort_by_key(|field| (field.offset, field.part));
    Ok(described)
}

/// The messages of a sidecar with their lengths, which must fit the file of `length` bytes.
fn place(sidecar: &Sidecar, length: u64) -> Result<Vec<Placed>> {
    let ends = sidecar.listed.iter().skip(1).map(|next| next.offset).chain([length]);
    let mut placed = Vec::new();
    for (number, (listed, end)) in (1_u64..).zip(sidecar.listed.iter().zip(ends)) {
        let Listed { offset, length: told, .. } = *listed;
        let room = end.min(length).saturating_sub(offset);
        let bytes = told.unwrap_or(room);
        if bytes < LEAST_BYTES || bytes > room {
            let reason = format!(
                "message {number} at byte {offset} has {bytes} bytes by it, and room for {room} in the file of {length} bytes: it is the index of another file"
            );
            return Err(bad(&sidecar.name, reason));
        }
        placed.push(Placed { number, offset, length: bytes });
    }
    Ok(placed)
}

/// Reads the heads of messages; that one begins where the sidecar says is checked.
pub(crate) async fn read(
    reader: &mut Reader<'_>,
    index: &str,
    wanted: &[Placed],
) -> Result<Vec<Found>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let ranges: Vec<_> = wanted
        .iter()
        .map(|place| place.offset..place.offset.saturating_add(place.length.min(HEAD_BYTES)))
        .collect();
    let heads = reader.read(&ranges).await?;
    wanted.iter().zip(heads).map(|(place, head)| found(place, index, head)).collect()
}

fn found(place: &Placed, index: &str, head: Bytes) -> Result<Found> {
    let Placed { number, offset, length } = *place;
    let contradiction = |reason: String| Grib2Error::Contradiction {
        number,
        offset,
        reason,
        index: index.to_owned(),
    };
    let mut cursor = Cursor::new(&head, offset, "indicator section");
    let indicator = Indicator::parse(&mut cursor).ok().flatten();
    let indicator =
        indicator.ok_or_else(|| contradiction("no GRIB message begins there".to_owned()))?;
    if indicator.length != length {
        let reason =
            format!("it has {} bytes by its header, and {length} by the index", indicator.length);
        return Err(contradiction(reason));
    }
    Ok(Found { offset, indicator, head })
}

impl Template {
    fn new(sidecar: &Sidecar, fields: Vec<Field>, grids: KnownGrids) -> Self {
        let mut by_offset: HashMap<u64, Option<Field>> = HashMap::new();
        for field in fields {
            // A message of several fields is none that a line describes.
            let same = by_offset.entry(field.offset);
            same.and_modify(|known| *known = None).or_insert(Some(field));
        }
        let mut by_line: HashMap<String, Option<Field>> = HashMap::new();
        for listed in &sidecar.listed {
            let Some(said) = &listed.said else { continue };
            let Some(field) = by_offset.remove(&listed.offset).flatten() else { continue };
            let same = by_line.entry(said.what.clone());
            let field = field.takes(said.span).map(|_| field);
            same.and_modify(|known| {
                let is_like = known
                    .as_ref()
                    .zip(field.as_ref())
                    .is_some_and(|(known, field)| index_check::difference(known, field).is_none());
                if !is_like {
                    *known = None;
                }
            })
            .or_insert(field.clone());
        }
        Self { fields: by_line, grids }
    }

    /// The field that a line says something of.
    fn field(&self, said: &Said, place: Placed) -> Option<Field> {
        let like = self.fields.get(&said.what)?.as_ref()?;
        let (step_start, step) = like.takes(said.span)?;
        Some(Field {
            offset: place.offset,
            length: place.length,
            time: said.time,
            step_start,
            step,
            bits: Bits::Message,
            ..like.clone()
        })
    }
}

impl Field {
    /// Start and end of what the values of a field like this one are of, where its line says `span`; `None` where
    /// the line says something that such a field cannot have.
    fn takes(&self, span: Span) -> Option<(i64, i64)> {
        let is_instant = self.step_type == INSTANT;
        match span {
            Span::At(step) => is_instant.then_some((step, step)),
            Span::Between(begin, end) => (!is_instant && begin <= end).then_some((begin, end)),
            Span::Until(step) if is_instant => Some((step, step)),
            // From the start on, or over as long as in the template.
            Span::Until(step) if self.step_start == 0 => Some((0, step)),
            Span::Until(step) => Some((step.saturating_sub(self.window()?), step)),
        }
    }
}

/// A template that was read, of which name, and when.
type Kept = ((String, Vec<String>), Instant, Arc<Template>);

/// Templates that are kept at the most.
const MOST_KEPT: usize = 4;

/// How long a template that was read is taken to be as it was.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// The template, read once for many files.
async fn template(
    source: &dyn ByteSource,
    options: &ScanOptions,
    choices: &Options,
) -> Result<Arc<Template>> {
    static KEPT: LazyLock<Mutex<Vec<Kept>>> = LazyLock::new(Mutex::default);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let name = choices.template.as_deref().ok_or(Grib2Error::NoTemplate)?;
    let name = name.strip_prefix("file://").unwrap_or(name);
    // A name without a folder is of a file in each file's own.
    let folder = source.location().rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if name.starts_with('/') || name.contains("://") {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    let key = (whole, options.allow_outside.clone());
    let known = |(known, since, _): &&Kept| *known == key && since.elapsed() < KEPT_FOR;
    if let Some((_, _, template)) = kept().iter().find(known) {
        return Ok(Arc::clone(template));
    }
    let since = Instant::now();
    let template = Arc::new(read_template(source, name, options).await?);
    let mut kept = kept();
    kept.retain(|(other, ..)| *other != key);
    if kept.len() >= MOST_KEPT {
        kept.remove(0);
    }
    kept.push((key, since, Arc::clone(&template)));
    Ok(template)
}

async fn read_template(
    source: &dyn ByteSource,
    name: &str,
    options: &ScanOptions,
) -> Result<Template> {
    let opened = source.open_sibling(name).await?;
    let sidecar = index_sidecar::find(&*opened).await?.ok_or_else(|| {
        bad(name, "the template has no index sidecar, NAME.idx or NAME.index, beside it")
    })?;
    let starts: Vec<_> = sidecar.listed.iter().map(|message| message.offset).collect();
    let mut grids = Grids::new(&options.limits);
    let mut reader = Reader::new(&*opened, options);
    let described = scanner::walk_file(&mut reader, &starts, options, &mut grids).await?;
    Ok(Template::new(&sidecar, described.fields, grids.known))
}
