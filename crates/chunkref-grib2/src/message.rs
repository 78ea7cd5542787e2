// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sections of a message, and the fields that they make.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use chunkref_core::{Cursor, Limits};

use crate::edition1;
use crate::error::{Grib2Error, Result};
use crate::reader::Reader;
use crate::section::bitmap::Bitmap;
use crate::section::indicator::Indicator;
use crate::section::indicator::{END, INDICATOR_BYTES};
use crate::section::{HEADER_BYTES, Section};
use crate::walk::{Found, HEAD_BYTES};

/// Bytes that are read where a section begins that lies behind what is known.
const MORE_BYTES: u64 = 512;

/// Octets of section 6 that say which bit map there is.
const BITMAP_BYTES: u64 = 6;

/// Octets of section 2 that say which lists of names are meant; the rest is opaque.
const LOCAL_BYTES: u64 = 14;

/// Octets of the end section.
const END_BYTES: u64 = 4;

/// The sections of one field; those that an earlier field of the message has too are repeated here.
#[derive(Debug, Clone)]
pub(crate) struct FieldSections {
    /// 0 for the first field of the message.
    pub(crate) part: usize,
    pub(crate) identification: Section,
    pub(crate) local: Option<Section>,
    pub(crate) grid: Section,
    pub(crate) product: Section,
    pub(crate) representation: Section,
    pub(crate) bitmap: Section,
    pub(crate) data: Section,
    /// The bit map that section 6 means when it names the one before.
    pub(crate) previous_bitmap: Option<Section>,
}

/// A message and its sections, as far as they are of interest.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) found: Found,
    pub(crate) sections: Vec<Section>,
}

/// A walk over the sections of one message.
#[derive(Debug)]
struct SectionWalk {
    found: Found,
    /// What was read of the message last, and its place in the file.
    block: (u64, Bytes),
    at: u64,
    end: u64,
    sections: Vec<Section>,
    most: u64,
    structure_bytes: u64,
}

/// The first bytes of a message that are worth keeping, of those that were read of it: its sections up to the first
/// bit map or data, or all of a message that is no longer than a head.
pub(crate) fn head(indicator: &Indicator, bytes: &[u8]) -> Bytes {
    let least = usize::try_from(indicator.length.min(HEAD_BYTES)).unwrap_or(usize::MAX);
    let wanted = if indicator.edition == 1 { sections1(bytes) } else { sections2(bytes) };
    let length = usize::try_from(indicator.length).unwrap_or(usize::MAX);
    let end = wanted.unwrap_or(least).max(least).min(length).min(bytes.len());
    // A copy, or it would keep the whole block that was read.
    Bytes::copy_from_slice(bytes.get(..end).unwrap_or_default())
}

/// Where section 2 of a message of edition 1 ends.
fn sections1(bytes: &[u8]) -> Option<usize> {
    let product = usize::try_from(edition1::INDICATOR_BYTES).ok()?;
    let section = bytes.get(product..)?;
    let length = |section: &[u8]| {
        let [a, b, c] = *section.first_chunk()?;
        usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()
    };
    let grid = length(section)?;
    let end = if edition1::has_grid(section) {
        grid.checked_add(length(section.get(grid..)?)?)?
    } else {
        grid
    };
    product.checked_add(end)
}

/// Where a message of edition 2 has the first of its data or of a bit map of its own, with what says that it is.
fn sections2(bytes: &[u8]) -> Option<usize> {
    let mut at = usize::try_from(INDICATOR_BYTES).ok()?;
    loop {
        let &[a, b, c, d, number] = bytes.get(at..)?.first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
        let header = usize::try_from(HEADER_BYTES).ok()?;
        let bitmap = usize::try_from(BITMAP_BYTES).ok()?;
        match number {
            6 if length > bitmap => return at.checked_add(bitmap),
            1..=6 if length >= header => at = at.checked_add(length)?,
            _ => return at.checked_add(header),
        }
    }
}

enum Step {
    Done,
    Wants(Range<u64>),
}

impl SectionWalk {
    fn new(found: Found, limits: &Limits) -> Self {
        let indicator_bytes =
            if found.indicator.edition == 1 { edition1::INDICATOR_BYTES } else { INDICATOR_BYTES };
        let at = found.offset.saturating_add(indicator_bytes);
        let end = found.offset.saturating_add(found.indicator.length).saturating_sub(END_BYTES);
        let block = (found.offset, found.head.clone());
        let (most, structure_bytes) = (limits.members, limits.structure_bytes);
        Self { found, block, at, end, sections: Vec::new(), most, structure_bytes }
    }

    fn get(&self, at: u64, length: u64) -> Option<Bytes> {
        let (start, bytes) = &self.block;
        let from = usize::try_from(at.checked_sub(*start)?).ok()?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        (to <= bytes.len()).then(|| bytes.slice(from..to))
    }

    fn wants(&self, length: u64) -> Step {
        let least = self.at.saturating_add(length);
        let most = self.at.saturating_add(MORE_BYTES).min(self.end);
        Step::Wants(self.at..most.max(least))
    }

    fn check_structure(&self, length: u64) -> Result<()> {
        let limit = ("structure_bytes", self.structure_bytes);
        Grib2Error::check_limit("section", self.at, "bytes", length, limit)
    }

    /// Takes what was read of `range`: all of it, or the walk would ask for it for ever.
    fn take(&mut self, range: &Range<u64>, block: Bytes) -> Result<()> {
        if (block.len() as u64) < range.end.saturating_sub(range.start) {
            let reason = format!("it reaches past the end of the file at byte {}", range.end);
            return Err(Grib2Error::inconsistent("message", self.found.offset, reason));
        }
        self.block = (range.start, block);
        Ok(())
    }

    fn step(&mut self) -> Result<Step> {
        if self.found.indicator.edition == 1 { self.step1() } else { self.step2() }
    }

    /// Sections 1 and 2 of a message of edition 1 are kept as one section.
    fn step1(&mut self) -> Result<Step> {
        let mut wanted = edition1::LENGTH_BYTES;
        for part in 0..2_u8 {
            let Some(head) = self.get(self.at, wanted) else {
                return self.wants1(wanted);
            };
            if part == 1 && !edition1::has_grid(&head) {
                wanted = wanted.saturating_sub(edition1::LENGTH_BYTES);
                break;
            }
            let begin = wanted.saturating_sub(edition1::LENGTH_BYTES);
            let begin = usize::try_from(begin).unwrap_or(usize::MAX);
            let mut cursor =
                Cursor::new(head.get(begin..).unwrap_or_default(), self.at, "section of edition 1");
            let length = edition1::length24(&mut cursor)?;
            wanted = wanted.saturating_sub(edition1::LENGTH_BYTES).saturating_add(length);
            if part == 0 {
                wanted = wanted.saturating_add(edition1::LENGTH_BYTES);
            }
        }
        let Some(bytes) = self.get(self.at, wanted) else { return self.wants1(wanted) };
        self.sections.push(Section { number: 1, offset: self.at, length: wanted, bytes });
        Ok(Step::Done)
    }

    fn wants1(&self, length: u64) -> Result<Step> {
        if self.at.saturating_add(length) > self.end {
            let reason =
                format!("its sections do not fit the message, which ends at byte {}", self.end);
            return Err(Grib2Error::inconsistent(
                "message of edition 1",
                self.found.offset,
                reason,
            ));
        }
        self.check_structure(length)?;
        Ok(self.wants(length))
    }

    fn step2(&mut self) -> Result<Step> {
        while self.at < self.end {
            let left = self.end.saturating_sub(self.at);
            if left < HEADER_BYTES {
                let reason = format!(
                    "its last section ends {left} bytes before its end section, which is too few for another: the message is damaged"
                );
                return Err(Grib2Error::inconsistent("message", self.found.offset, reason));
            }
            let Some(header) = self.get(self.at, HEADER_BYTES) else {
                return Ok(self.wants(HEADER_BYTES));
            };
            let mut cursor = Cursor::new(&header, self.at, "section");
            let (length, number) = (u64::from(cursor.u32_be()?), cursor.u8()?);
            let end = self.at.saturating_add(length);
            if length < HEADER_BYTES || end > self.end || !(1..=7).contains(&number) {
                let reason = format!(
                    "section {number} of {length} bytes does not fit the message, which ends at byte {}",
                    self.end
                );
                return Err(Grib2Error::inconsistent("section", self.at, reason));
            }
            let wanted = match number {
                // Data is not for a scan.
                7 => HEADER_BYTES,
                2 => LOCAL_BYTES.min(length),
                6 => BITMAP_BYTES.min(length),
                _ => {
                    self.check_structure(length)?;
                    length
                }
            };
            let Some(bytes) = self.get(self.at, wanted) else { return Ok(self.wants(wanted)) };
            self.sections.push(Section { number, offset: self.at, length, bytes });
            let count = self.sections.len() as u64;
            let limit = ("members", self.most);
            Grib2Error::check_limit("message", self.found.offset, "sections", count, limit)?;
            self.at = end;
        }
        Ok(Step::Done)
    }
}

/// Reads the sections of all messages, all at the same time.
pub(crate) async fn read_sections(
    reader: &mut Reader<'_>,
    found: Vec<Found>,
) -> Result<Vec<(u64, Result<Message>)>> {
    let limits = reader.limits();
    let mut waiting: Vec<(usize, SectionWalk)> =
        found.into_iter().map(|found| SectionWalk::new(found, limits)).enumerate().collect();
    let mut messages = Vec::new();
    while !waiting.is_empty() {
        let (mut still, mut ranges) = (Vec::new(), Vec::new());
        for (index, mut sections) in waiting {
            reader.cancellation().check_at(index as u64)?;
            let offset = sections.found.offset;
            match sections.step() {
                Ok(Step::Wants(range)) => {
                    ranges.push(range);
                    still.push((index, sections));
                }
                Ok(Step::Done) => {
                    let SectionWalk { found, sections, .. } = sections;
                    messages.push((index, offset, Ok(Message { found, sections })));
                }
                Err(error) => messages.push((index, offset, Err(error))),
            }
        }
        waiting = Vec::new();
        if !ranges.is_empty() {
            let blocks = reader.read(&ranges).await?;
            for (((index, mut sections), block), range) in
                still.into_iter().zip(blocks).zip(&ranges)
            {
                match sections.take(range, block) {
                    Ok(()) => waiting.push((index, sections)),
                    Err(error) => messages.push((index, sections.found.offset, Err(error))),
                }
            }
        }
    }
    messages.sort_by_key(|(index, ..)| *index);
    Ok(messages.into_iter().map(|(_, offset, message)| (offset, message)).collect())
}

impl Message {
    /// The fields in their order: one for each data section, with the sections in force there.
    pub(crate) fn fields(&self) -> Vec<Result<FieldSections>> {
        let mut current: [Option<Section>; 8] = Default::default();
        let (mut fields, mut previous_bitmap) = (Vec::new(), None);
        for section in &self.sections {
            if let Some(slot) = current.get_mut(usize::from(section.number)) {
                *slot = Some(section.clone());
            }
            let has_bitmap = section.number == 6
                && Bitmap::parse(&mut section.body("bit-map section")) == Ok(Bitmap::Here);
            if has_bitmap {
                previous_bitmap = Some(section.clone());
            }
            if section.number == 7 {
                let part = fields.len();
                fields.push(self.field(part, &current, previous_bitmap.clone()));
                // A further field repeats its sections from 4 on at least (regulation 92.1.4).
                current.iter_mut().skip(4).for_each(|slot| *slot = None);
            }
        }
        fields
    }

    fn field(
        &self,
        part: usize,
        current: &[Option<Section>; 8],
        previous_bitmap: Option<Section>,
    ) -> Result<FieldSections> {
        let [_, identification, local, grid, product, representation, bitmap, data] = current;
        let take = |section: &Option<Section>, number: u8| {
            section.clone().ok_or_else(|| {
                let reason = format!("field {part} has no section {number}");
                Grib2Error::inconsistent("message", self.found.offset, reason)
            })
        };
        Ok(FieldSections {
            part,
            identification: take(identification, 1)?,
            local: local.clone(),
            grid: take(grid, 3)?,
            product: take(product, 4)?,
            representation: take(representation, 5)?,
            bitmap: take(bitmap, 6)?,
            data: take(data, 7)?,
            previous_bitmap,
        })
    }
}

impl FieldSections {
    /// The byte ranges that make this field a message of its own, between its section 0 and its end.
    pub(crate) fn ranges(&self) -> Result<Vec<Range<u64>>> {
        let bitmap = match Bitmap::parse(&mut self.bitmap.body("bit-map section"))? {
            Bitmap::Previous => self.previous_bitmap.as_ref().ok_or_else(|| {
                let reason = "the bit map of a field before it is meant, and there is none";
                Grib2Error::inconsistent("bit-map section", self.bitmap.offset, reason)
            })?,
            _ => &self.bitmap,
        };
        let sections = [Some(&self.identification), self.local.as_ref(), Some(&self.grid)]
            .into_iter()
            .chain([Some(&self.product), Some(&self.representation), Some(bitmap)])
            .chain([Some(&self.data)]);
        Ok(sections
            .flatten()
            .map(|section| section.offset..section.offset.saturating_add(section.length))
            .collect())
    }
}

/// A message of one field, from the sections that [`FieldSections::ranges`] names.
pub(crate) fn assemble(discipline: u8, sections: &[Bytes]) -> Bytes {
    let body = sections.iter().map(|section| section.len() as u64).fold(0, u64::saturating_add);
    let length = body.saturating_add(INDICATOR_BYTES).saturating_add(END_BYTES);
    let mut message = BytesMut::new();
    message.extend_from_slice(b"GRIB\xff\xff");
    message.extend_from_slice(&[discipline, 2]);
    message.extend_from_slice(&length.to_be_bytes());
    for section in sections {
        message.extend_from_slice(section);
    }
    message.extend_from_slice(&END);
    message.freeze()
}
