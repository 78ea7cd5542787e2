// SPDX-License-Identifier: MIT OR Apache-2.0
//! The entry and the scan of a file.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chunkref_core::model::Source;
use chunkref_core::{
    ByteSource, Limits, Scan, ScanError, ScanOptions, Scanner, ScannerEntry, Signature, SkipKind,
    Skipped,
};

use crate::edition1;
use crate::error::{Grib2Error, Result};
use crate::field::{self, Bits, Field};
use crate::from_index;
use crate::index_sidecar;
use crate::inline;
use crate::lower;
use crate::message::{self, Message};
use crate::options::{self, Filter, IndexChoice, Options};
use crate::reader::Reader;
use crate::section::Section;
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
pub const ENTRY: ScannerEntry = ScannerEntry::new("grib", || Box::new(Grib2Scanner))
    .with_aliases(&["grib2"])
    .with_description("GRIB2, with messages of GRIB1 among them")
    .with_media_type("application/wmo-GRIB2")
    .with_extensions(&["grib2", "grb2", "grib", "grb", "grib1", "grb1"])
    .with_sidecars(&["idx", "index"])
    .with_signatures(&[Signature::at(&SIGNATURE, &STARTS)])
    .with_options(options::ALL);

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

/// The fields of a file, and what of it cannot be described.
#[derive(Debug, Default)]
pub(crate) struct Described {
    pub(crate) fields: Vec<Field>,
    pub(crate) skipped: Vec<Skipped>,
}

/// The fields of all messages, of which `starts` are those that are known to begin somewhere.
pub(crate) async fn walk_file(
    reader: &mut Reader<'_>,
    starts: &[u64],
    options: &ScanOptions,
    grids: &mut Grids<'_>,
) -> Result<Described> {
    let walk = walk::walk(reader, starts).await?;
    if walk.messages.is_empty() && walk.faults.is_empty() {
        return Err(Grib2Error::NoMessage { length: reader.length() });
    }
    let mut described = read_headers(reader, walk.messages, options, grids).await?;
    described
        .skipped
        .extend(walk.faults.iter().map(|fault| skip(fault.offset, 0, fault.reason.clone())));
    Ok(described)
}

/// The fields of messages, by their headers.
pub(crate) async fn read_headers(
    reader: &mut Reader<'_>,
    found: Vec<Found>,
    options: &ScanOptions,
    grids: &mut Grids<'_>,
) -> Result<Described> {
    let Described { mut fields, mut skipped } = Described::default();
    for (offset, message) in message::read_sections(reader, found).await? {
        options.cancellation.check()?;
        let described = match &message {
            Ok(message) => describe(message, grids, options.inline_threshold),
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
    Ok(Described { fields, skipped })
}

async fn scan_file(
    source: &dyn ByteSource,
    options: &ScanOptions,
    choices: &Options,
) -> Result<Scan> {
    let mut reader = Reader::new(source, options);
    let described = if choices.index == IndexChoice::Only {
        from_index::describe(source, &mut reader, options, choices).await?
    } else {
        let starts = index_sidecar::starts(source, &choices.index).await?;
        walk_file(&mut reader, &starts, options, &mut Grids::new(&options.limits)).await?
    };
    let Described { mut fields, mut skipped } = described;
    select(&mut fields, &choices.filters)?;
    let fields = inline::store(&mut reader, fields, choices, options, &mut skipped).await?;
    let location = source.location().to_owned();
    let object = Source { location, version: Some(source.version().clone()) };
    let (dataset, left_out) = lower::lower(&fields, object, choices, options)?;
    skipped.extend(left_out);
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Scan::new(dataset).with_skipped(skipped))
}

pub(crate) fn skip(offset: u64, part: usize, reason: String) -> Skipped {
    let path = match part {
        0 => format!("message at byte {offset}"),
        part => format!("message at byte {offset}, field {part}"),
    };
    Skipped::new(path, SkipKind::Array, reason).with_offset(offset)
}

/// Grids by what their sections say: most fields of a file share one.
#[derive(Debug)]
pub(crate) struct Grids<'a> {
    limits: &'a Limits,
    /// Where the section 3 of the last field is, and its grid: the further fields of a message mostly have the same.
    last: Option<(u64, Arc<GridDefinition>)>,
    pub(crate) known: KnownGrids,
}

/// Grids that fields of a file have, or of the file that it is like.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownGrids {
    /// Those of edition 2, by the octets of their sections.
    sections: HashMap<Bytes, Arc<GridDefinition>>,
    /// Those of edition 1, by all that they say: sections may differ in what is no part of the grid.
    others: HashMap<String, Arc<GridDefinition>>,
}

impl<'a> Grids<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self::with_known(limits, KnownGrids::default())
    }

    pub(crate) fn with_known(limits: &'a Limits, known: KnownGrids) -> Self {
        Self { limits, last: None, known }
    }

    /// What a section 3 says.
    fn get(&mut self, section: &Section) -> Result<Arc<GridDefinition>> {
        if let Some((_, grid)) = self.last.as_ref().filter(|(offset, _)| *offset == section.offset)
        {
            return Ok(Arc::clone(grid));
        }
        let grid = if let Some(grid) = self.known.sections.get(&section.bytes) {
            Arc::clone(grid)
        } else {
            let grid =
                field::parse_grid(&mut section.body("grid definition section"), self.limits)?;
            self.known.sections.insert(section.bytes.clone(), Arc::clone(&grid));
            grid
        };
        self.last = Some((section.offset, Arc::clone(&grid)));
        Ok(grid)
    }

    /// The same field on the grid that an earlier one has, if one has the same.
    fn share(&mut self, mut field: Field) -> Field {
        let known = self.known.others.entry(format!("{:?}", field.grid));
        field.grid = Arc::clone(known.or_insert_with(|| Arc::clone(&field.grid)));
        field
    }
}

/// The fields of a message; a message of less than `threshold` bytes is kept where it was read whole.
pub(crate) fn describe(
    message: &Message,
    grids: &mut Grids<'_>,
    threshold: u64,
) -> Vec<Result<Field>> {
    let mut fields = describe_all(message, grids);
    let Found { indicator, head, .. } = &message.found;
    let is_whole = head.len() as u64 == indicator.length;
    if let Some(Ok(field)) = fields.first_mut()
        && is_whole
        && indicator.length < threshold
    {
        field.bits = Bits::Read(head.clone());
    }
    fields
}

fn describe_all(message: &Message, grids: &mut Grids<'_>) -> Vec<Result<Field>> {
    let Found { offset, indicator, .. } = &message.found;
    if indicator.edition == 1 {
        let field = message
            .sections
            .first()
            .ok_or_else(|| Grib2Error::inconsistent("message", *offset, "it has no sections"))
            .and_then(|section| {
                edition1::parse(*offset, indicator.length, &section.bytes, grids.limits)
            })
            .map(|field| grids.share(field));
        return vec![field];
    }
    message
        .fields()
        .into_iter()
        .map(|sections| {
            let sections = sections?;
            let grid = grids.get(&sections.grid)?;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use chunkref_core::{Cancellation, Cancelled, MemorySource, ScanErrorKind};
    use futures::executor::block_on;

    use super::*;

    fn section(number: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 5).unwrap();
        [&length.to_be_bytes(), &[number][..], body].concat()
    }

    /// A regular grid: template, points along both axes, basic angle and its parts, first and last longitude, first
    /// latitude, and parallels or the increment along a column.
    fn grid(
        template: u8,
        (nx, ny): (u32, u32),
        angle: (u32, u32),
        lon: (u32, u32),
        lat: u32,
        n: u32,
    ) -> Vec<u8> {
        let mut bytes =
            [&[0][..], &nx.wrapping_mul(ny).to_be_bytes(), &[0, 0, 0, template, 6]].concat();
        bytes.extend([255; 15]);
        for value in [nx, ny, angle.0, angle.1, lat, lon.0] {
            bytes.extend(value.to_be_bytes());
        }
        bytes.push(48);
        for value in [0, lon.1, 1_000_000, n] {
            bytes.extend(value.to_be_bytes());
        }
        bytes.push(0);
        section(3, &bytes)
    }

    fn plain(nx: u32, ny: u32) -> Vec<u8> {
        grid(0, (nx, ny), (0, u32::MAX), (0, 3_000_000), 60_000_000, 1_000_000)
    }

    /// Section 4: a temperature so many hours ahead.
    fn product(hours: u32) -> Vec<u8> {
        let head = [0, 0, 0, 0, 0, 0, 2, 0, 96, 0, 0, 0, 1];
        let surfaces = [1, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0];
        section(4, &[&head[..], &hours.to_be_bytes(), &surfaces].concat())
    }

    /// Sections 5 to 7: the same value at each point.
    fn constant(points: u32) -> Vec<u8> {
        let packing = [&points.to_be_bytes()[..], &[0; 14]].concat();
        [section(5, &packing), section(6, &[255]), section(7, &[])].concat()
    }

    /// A message of 2020-01-01 at an hour.
    fn message(hour: u8, sections: &[Vec<u8>]) -> Vec<u8> {
        let who = section(1, &[0, 7, 0, 0, 2, 1, 1, 0x07, 0xe4, 1, 1, hour, 0, 0, 0, 1]);
        let body = [who, sections.concat(), b"7777".to_vec()].concat();
        let length = (body.len() as u64 + 16).to_be_bytes();
        [&b"GRIB\0\0\0\x02"[..], &length, &body].concat()
    }

    fn scanned(bytes: Vec<u8>, options: &ScanOptions) -> Result<Scan, ScanError> {
        block_on(Grib2Scanner.scan(&MemorySource::new("memory://a", bytes.into()), options))
    }

    fn skipped(bytes: Vec<u8>) -> String {
        let scan = scanned(bytes, &ScanOptions::default()).unwrap();
        assert_eq!(scan.skipped.len(), 1, "{scan:?}");
        scan.skipped[0].reason.clone()
    }

    #[test]
    fn bytes_behind_the_last_section_are_damage_and_no_loop() {
        let sections = [plain(4, 2), product(0), constant(8)];
        for stray in 1..=4 {
            for long in [0, 20_000] {
                let local = section(2, &vec![0; long]);
                let bytes = message(0, &[&[local], &sections[..], &[vec![0; stray]]].concat());
                let reason = skipped(bytes);
                assert!(reason.contains(&format!("ends {stray} bytes before")), "{reason}");
            }
        }
        let bytes = message(0, &[&sections[..], &[vec![0; 5]]].concat());
        assert!(skipped(bytes).contains("section 0 of 0 bytes"));
    }

    #[test]
    fn grids_that_would_fill_the_memory_are_left_out() {
        for (nx, ny, limit) in [
            (50_000_000, 1, "axis_values"),
            (1, 50_000_000, "axis_values"),
            (400_000_000, 1, "axis_values"),
            (0xffff_fffe, 1, "grid_points"),
            (0x8000_0000, 2, "axis_values"),
        ] {
            let points = nx * u32::from(ny == 1) + ny * u32::from(nx == 1);
            let reason = skipped(message(0, &[plain(nx, ny), product(0), constant(points)]));
            assert!(reason.contains(limit), "{nx} {ny}: {reason}");
        }
        let mut rows = grid(40, (u32::MAX, 2_000_000), (0, u32::MAX), (0, 0), 0, 1_000_000);
        rows[6..11].copy_from_slice(&[0, 0, 0, 8, 1]);
        assert!(skipped(message(0, &[rows, product(0), constant(8)])).contains("axis_values"));
    }

    #[test]
    fn angles_and_parallels_of_any_kind_end() {
        let mut bytes = Vec::new();
        for (angle, lon) in [
            ((0xffff_fffe, 1), (0x7fff_ffff, 0)),
            ((0x7fff_ffff, 1), (0x7fff_ffff, 1)),
            ((1_000_000, 1), (0x7fff_ffff, 0)),
            ((1, 0xffff_fffe), (1, 0)),
        ] {
            bytes.extend(message(0, &[grid(0, (4, 2), angle, lon, 0, 0), product(0), constant(8)]));
        }
        for parallels in [1, 2000, 20_000, 32_768, 32_769, 0x7fff_ffff, u32::MAX] {
            let grid = grid(40, (4, 2), (0, u32::MAX), (0, 3_000_000), 80_000_000, parallels);
            bytes.extend(message(0, &[grid, product(0), constant(8)]));
        }
        let scan = scanned(bytes, &ScanOptions::default()).unwrap();
        assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
    }

    #[test]
    fn packed_values_must_fit_grid_and_data() {
        let packing =
            |points: u32, bits: u8| [&points.to_be_bytes()[..], &[0; 10], &[bits, 0]].concat();
        let with = |points, bits, data: &[u8]| {
            let (packing, bitmap) = (section(5, &packing(points, bits)), section(6, &[255]));
            message(0, &[plain(4, 2), product(0), packing, bitmap, section(7, data)])
        };
        let reason = skipped(with(8, 16, &[0; 15]));
        assert!(reason.contains("8 values of 16 bits need 16"), "{reason}");
        assert!(skipped(with(9, 0, &[])).contains("the grid has 8 points"));
        assert!(
            scanned(with(8, 16, &[0; 16]), &ScanOptions::default()).unwrap().skipped.is_empty()
        );
    }

    #[test]
    fn a_further_field_repeats_its_sections() {
        let sections = [plain(4, 2), product(0), constant(8), section(7, &[])];
        assert!(skipped(message(0, &sections)).contains("field 1 has no section 4"));
        let sections = [plain(4, 2), product(0), constant(8), product(3), constant(8)];
        let scan = scanned(message(0, &sections), &ScanOptions::default()).unwrap();
        assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
    }

    #[test]
    fn coordinates_are_counted_before_they_are_made() {
        // Each field at a time and a step of its own: their product is in no file.
        let fields: Vec<u8> = (0..24_u8)
            .flat_map(|hour| {
                message(hour, &[plain(4, 2), product(u32::from(hour) * 7), constant(8)])
            })
            .collect();
        let mut limits = Limits::default();
        limits.inline_bytes = 24 * 24 * 8;
        let options = ScanOptions::default().with_inline_threshold(0).with_limits(limits);
        for layout in ["tree", "flat"] {
            let options = options.clone().with_format_option("grib.layout", layout);
            let error = scanned(fields.clone(), &options).unwrap_err();
            assert_eq!(error.kind, ScanErrorKind::LimitExceeded);
            assert!(error.source.to_string().contains("inline_bytes"), "{}", error.source);
        }
        let mut limits = Limits::default();
        limits.objects = 100;
        let options = ScanOptions::default().with_limits(limits);
        let options = options.with_format_option("grib.layout", "messages");
        let error = scanned(fields, &options).unwrap_err();
        assert!(error.source.to_string().contains("limit objects"), "{}", error.source);
    }

    #[test]
    fn a_scan_that_is_ended_is_an_error_at_every_check() {
        let fields: Vec<u8> = (0..3_u8)
            .flat_map(|hour| message(hour, &[plain(4, 2), product(hour.into()), constant(8)]))
            .collect();
        for layout in ["tree", "flat", "messages"] {
            let options = ScanOptions::default().with_format_option("grib.layout", layout);
            let whole = scanned(fields.clone(), &options).unwrap();
            let mut checks = 0;
            loop {
                let (asked, most) = (AtomicU64::new(0), checks);
                let ended = Cancellation::when(move || {
                    let over = asked.fetch_add(1, Ordering::Relaxed) >= most;
                    over.then_some(Cancelled::TimedOut(Duration::from_secs(1)))
                });
                match scanned(fields.clone(), &options.clone().with_cancellation(ended)) {
                    Ok(scan) => break assert_eq!(scan, whole),
                    Err(error) => assert_eq!(error.kind, ScanErrorKind::TimedOut),
                }
                checks += 1;
            }
            assert!(checks >= 8, "{layout}: {checks}");
        }
    }
}
