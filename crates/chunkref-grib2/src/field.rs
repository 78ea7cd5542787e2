// SPDX-License-Identifier: MIT OR Apache-2.0
//! A field in the words of its users: what, on which level, when, of which member.

use std::sync::Arc;

use bytes::Bytes;
use chunkref_core::{Cursor, Limits};
use md5::Digest;

use crate::error::{Grib2Error, Result};
use crate::keys;
use crate::message::FieldSections;
use crate::points;
use crate::section::HEADER_BYTES;
use crate::section::bitmap::Bitmap;
use crate::section::grid_definition::GridDefinition;
use crate::section::identification::Identification;
use crate::section::product_definition::{ProductDefinition, Surface};
use crate::table::eccodes::label;
use crate::table::parameter::{self, Parameter};
use crate::table::template;
use crate::variant;

/// Where the bytes of a field are.
#[derive(Debug, Clone)]
pub(crate) enum Bits {
    /// The whole message, which this is the first field of.
    Message,
    /// The whole message, which was read with its head.
    Read(Bytes),
    /// Sections of the message, which make a message of their own.
    Sections(Box<FieldSections>),
    /// The bytes of a message of one field.
    Inline(Bytes),
}

/// ecCodes' `stepType` of values at a time.
pub(crate) const INSTANT: &str = "instant";

/// Lower and upper limit of an event, in the unit of the parameter.
pub(crate) type Threshold = (Option<f64>, Option<f64>);

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Where its message begins, in bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes of its message.
    pub(crate) length: u64,
    /// 0 for the first field of the message.
    pub(crate) part: usize,
    pub(crate) edition: u8,
    /// Discipline, category and number; table and number of edition 1 behind a 0.
    pub(crate) code: (u8, u8, u8),
    pub(crate) centre: u16,
    pub(crate) sub_centre: u16,
    pub(crate) parameter: Parameter,
    /// As ecCodes names it.
    pub(crate) type_of_level: String,
    /// The level, or the first of the two that bound a layer.
    pub(crate) level: f64,
    /// The second level of a layer.
    pub(crate) bottom: Option<f64>,
    /// `instant`, `accum`, `avg` …
    pub(crate) step_type: String,
    /// Reference time, in seconds since 1970.
    pub(crate) time: i64,
    /// Start and end of what the values are of, in seconds after the reference time.
    pub(crate) step_start: i64,
    pub(crate) step: i64,
    pub(crate) number: Option<u16>,
    pub(crate) total_number: Option<u16>,
    pub(crate) percentile: Option<u8>,
    /// The limits of an event that the values are the probability of.
    pub(crate) threshold: Option<Threshold>,
    /// Words for what else tells it apart: derived forecasts, kinds of probabilities, errors, constituents. They follow
    /// from the field alone.
    pub(crate) variant: String,
    /// Kinds of the surfaces and of a probability: what names may have in common that are not the same.
    pub(crate) kinds: [u8; 3],
    /// ecCodes' `dataType`.
    pub(crate) data_type: String,
    pub(crate) coordinate_values: u16,
    pub(crate) grid: Arc<GridDefinition>,
    pub(crate) grid_type: &'static str,
    /// MD5 of its grid section.
    pub(crate) grid_digest: [u8; 16],
    /// Product definition template; 0 in edition 1.
    pub(crate) product_template: u16,
    pub(crate) bits: Bits,
}

impl Field {
    /// The field of sections of edition 2. `grid` is what the section 3 in force says.
    pub(crate) fn new(
        offset: u64,
        length: u64,
        discipline: u8,
        sections: FieldSections,
        grid: Arc<GridDefinition>,
    ) -> Result<Self> {
        let identification =
            Identification::parse(&mut sections.identification.body("identification section"))?;
        let (keys, places) = keys::edition2(&sections, &identification);
        let section = &sections.product;
        let product = ProductDefinition::new(section.offset, &section.bytes, &keys, &places)?;
        let bitmap = Bitmap::parse(&mut sections.bitmap.body("bit-map section"))?;
        if let Bitmap::Predefined(number) = bitmap {
            let what = format!("bit map {number} of the centre");
            return Err(Grib2Error::unsupported("bit-map section", sections.bitmap.offset, what));
        }
        check_packing(&sections, grid.count)?;
        let time = identification.reference_time.epoch_seconds().ok_or_else(|| {
            let section = &sections.identification;
            let reason = format!("{:?} is no date", identification.reference_time);
            Grib2Error::inconsistent("identification section", section.offset, reason)
        })?;
        let (step_start, step) = steps(&product, time);
        let step_type = template::step_type(&keys.processes, product.statistics.is_some());
        let code = (discipline, product.category, product.number);
        let (level_name, labels) = label::names2(identification.centre, code, &keys);
        let (type_of_level, level, bottom) =
            levels(level_name, product.first_surface, product.second_surface);
        let parameter = parameter::edition2(identification.centre, code, labels);
        let grid_type = template::grid_type(&grid);
        let part = sections.part;
        Ok(Self {
            offset,
            length,
            part,
            edition: 2,
            code,
            centre: identification.centre,
            sub_centre: identification.sub_centre,
            parameter,
            type_of_level,
            level,
            bottom,
            step_type,
            time,
            step_start,
            step,
            number: product.variant.member.map(|member| member.number),
            total_number: product
                .variant
                .member
                .map(|member| member.total)
                .or(product.variant.total),
            percentile: product.variant.percentile,
            threshold: product.variant.probability.map(|event| (event.lower, event.upper)),
            variant: variant::edition2(&product, &keys.processes),
            kinds: [
                product.first_surface.kind,
                product.second_surface.kind,
                product.variant.probability.map_or(u8::MAX, |event| event.kind),
            ],
            data_type: template::data_type(identification.type_of_data),
            coordinate_values: product.coordinate_values,
            grid,
            grid_type,
            grid_digest: md5::Md5::digest(&sections.grid.bytes).into(),
            product_template: product.template,
            bits: if part == 0 { Bits::Message } else { Bits::Sections(Box::new(sections)) },
        })
    }

    /// Seconds of the interval that a statistical process is over; `None` for values at a time.
    pub(crate) fn window(&self) -> Option<i64> {
        let window = self.step.saturating_sub(self.step_start);
        (self.step_type != INSTANT).then_some(window)
    }

    /// Lengths of the axes of its grid, and their names.
    pub(crate) fn shape(&self) -> (Vec<u64>, Vec<&'static str>) {
        match self.grid.shape() {
            Some((ny, nx)) => {
                let names = if self.has_axes() { ["latitude", "longitude"] } else { ["y", "x"] };
                let (mut shape, mut names) = (vec![u64::from(ny), u64::from(nx)], names.to_vec());
                // Columns one behind the other.
                if self.grid.scanning.j_consecutive() {
                    shape.reverse();
                    names.reverse();
                }
                (shape, names)
            }
            None => (vec![u64::from(self.grid.count)], vec!["values"]),
        }
    }

    /// Whether latitude depends on the row alone and longitude on the column alone.
    pub(crate) fn has_axes(&self) -> bool {
        points::axes::has_axes(&self.grid) && !self.grid.scanning.alternating()
    }

    /// The value of a key as cfgrib knows it, as text; `None` for a key that is not known, and empty where the field has
    /// none.
    pub(crate) fn key(&self, name: &str) -> Option<String> {
        let optional =
            |value: Option<u16>| value.map(|value| value.to_string()).unwrap_or_default();
        let (discipline, category, number) = self.code;
        Some(match name {
            "shortName" => self.parameter.short_name.clone(),
            "cfVarName" => self.parameter.variable.clone(),
            "name" => self.parameter.long_name.clone(),
            "units" => self.parameter.units.clone(),
            "cfName" => self.parameter.standard_name.unwrap_or_default().to_owned(),
            "paramId" => {
                self.parameter.param_id.map(|number| number.to_string()).unwrap_or_default()
            }
            "typeOfLevel" => self.type_of_level.clone(),
            "level" | "topLevel" => self.level.to_string(),
            "bottomLevel" => self.bottom.unwrap_or(self.level).to_string(),
            "stepType" => self.step_type.clone(),
            "step" | "endStep" => hours(self.step).to_string(),
            "startStep" => hours(self.step_start).to_string(),
            "stepRange" if self.step_type == "instant" => hours(self.step).to_string(),
            "stepRange" => format!("{}-{}", hours(self.step_start), hours(self.step)),
            "number" | "perturbationNumber" => optional(self.number),
            "totalNumber" => optional(self.total_number),
            "percentileValue" => optional(self.percentile.map(u16::from)),
            "dataType" => self.data_type.clone(),
            "gridType" => self.grid_type.to_owned(),
            "edition" => self.edition.to_string(),
            "centre" => crate::table::eccodes::centre(self.edition, self.centre).0,
            "discipline" => discipline.to_string(),
            "parameterCategory" => category.to_string(),
            "parameterNumber" => number.to_string(),
            "productDefinitionTemplateNumber" => self.product_template.to_string(),
            _ => return None,
        })
    }
}

/// Hours of seconds.
pub(crate) fn hours(seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "times have fewer than 53 bits")]
    let seconds = seconds as f64;
    seconds / 3600.0
}

/// Checks that the data section has room for the values of simple packing, and that they are no more than the points.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 5, template 5.0.
fn check_packing(sections: &FieldSections, points: u32) -> Result<()> {
    let section = &sections.representation;
    let mut cursor = section.body("data representation section");
    let (packed, template) = (cursor.u32_be()?, cursor.u16_be()?);
    if template != 0 {
        return Ok(());
    }
    // Reference value and scale factors.
    cursor.skip(8)?;
    let bits = cursor.u8()?;
    if packed > points {
        let reason = format!("{packed} values are packed, and the grid has {points} points");
        return Err(Grib2Error::inconsistent(cursor.structure(), section.offset, reason));
    }
    let needed = u64::from(packed).saturating_mul(bits.into()).div_ceil(8);
    let held = sections.data.length.saturating_sub(HEADER_BYTES);
    if needed > held {
        let reason =
            format!("it holds {held} bytes, and {packed} values of {bits} bits need {needed}");
        return Err(Grib2Error::inconsistent("data section", sections.data.offset, reason));
    }
    Ok(())
}

/// Start and end of what the values are of, in seconds after the reference time.
fn steps(product: &ProductDefinition, time: i64) -> (i64, i64) {
    let begin = product.time_unit.add(time, product.forecast_time).unwrap_or(time);
    let end = product.statistics.map_or(begin, |statistics| {
        let told = statistics.end.epoch_seconds();
        // Lengths from 2^31 on are missing or were written from negative numbers; then the end counts, be it before the start.
        let length = i32::try_from(statistics.length).ok().map(i64::from);
        let counted = || statistics.unit.add(begin, length?);
        told.filter(|&end| end >= begin).or_else(counted).or(told).unwrap_or(begin)
    });
    (begin.saturating_sub(time), end.saturating_sub(time))
}

/// Type of level, level, and the second level of a layer. `unknown_FIRST` or `unknown_FIRST_SECOND` where ecCodes has
/// no name.
fn levels(name: Option<&str>, first: Surface, second: Surface) -> (String, f64, Option<f64>) {
    let name = name.map_or_else(
        || match (first.kind, second.kind) {
            (first, 255) => format!("unknown_{first}"),
            (first, second) => format!("unknown_{first}_{second}"),
        },
        str::to_owned,
    );
    let mut level = first.value.unwrap_or(0.0);
    // ecCodes tells pressures in hPa, but for those of less than one.
    if name == "isobaricInhPa" {
        level /= 100.0;
    }
    let bottom = if second.kind == 255 { None } else { second.value };
    (name, level, bottom)
}

/// Parses what a section 3 says.
pub(crate) fn parse_grid(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Arc<GridDefinition>> {
    Ok(Arc::new(GridDefinition::parse(cursor, limits)?))
}
