// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 4: what the values are, where and when.

use bytes::Bytes;
use chunkref_core::{Cursor, Truncated};

use super::statistics::Statistics;
use super::{SignMagnitude, scaled};
use crate::calendar::add_months;

/// Unit of a time.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeUnit(pub(crate) u8);

impl TimeUnit {
    /// `epoch` moved by `count` of the unit, or `None` for a unit that is none.
    pub(crate) fn add(self, epoch: i64, count: i64) -> Option<i64> {
        let seconds = |unit: i64| epoch.checked_add(count.checked_mul(unit)?);
        let months = |unit: i64| Some(add_months(epoch, count.checked_mul(unit)?));
        match self.0 {
            0 => seconds(60),
            1 => seconds(3600),
            2 => seconds(86_400),
            3 => months(1),
            4 => months(12),
            5 => months(120),
            6 => months(360),
            7 => months(1200),
            10 => seconds(3 * 3600),
            11 => seconds(6 * 3600),
            12 => seconds(12 * 3600),
            13 | 254 => seconds(1),
            14 => seconds(15 * 60),
            15 => seconds(30 * 60),
            _ => None,
        }
    }
}

/// A surface that a field lies on, or one of the two that it lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Surface {
    /// Table 4.5; 255 for none.
    pub(crate) kind: u8,
    /// In the unit of the kind.
    pub(crate) value: Option<f64>,
}

impl Surface {
    pub(crate) const NONE: Self = Self { kind: 255, value: None };

    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let (kind, factor) = (cursor.u8()?, cursor.u8()?);
        Ok(Self { kind, value: scaled(factor, cursor.u32_be()?) })
    }
}

/// One member of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Table 4.6: control, perturbed …
    pub(crate) kind: u8,
    pub(crate) number: u8,
    /// Members of the ensemble.
    pub(crate) total: u8,
}

/// A probability of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Probability {
    /// Table 4.9: below, above, between …
    pub(crate) kind: u8,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
}

/// What a field is of, besides a parameter on a surface at a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Variant {
    pub(crate) member: Option<Member>,
    /// Table 4.7: mean, spread … of all members, and how many they are.
    pub(crate) derived: Option<(u8, u8)>,
    pub(crate) probability: Option<Probability>,
    pub(crate) percentile: Option<u8>,
}

/// Section 4.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 4, templates 4.0 to 4.15, 4.40 to 4.49, 4.60, 4.61, 4.70 to 4.73, 4.103
/// and 4.104. Of other templates the parameter is read, which all of them begin with, and their octets tell fields
/// apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProductDefinition {
    /// Values of coordinates after the template, such as those of hybrid levels.
    pub(crate) coordinate_values: u16,
    pub(crate) template: u16,
    /// Table 4.1 of the discipline.
    pub(crate) category: u8,
    /// Table 4.2 of discipline and category.
    pub(crate) number: u8,
    /// Table 4.3.
    pub(crate) generating_process: u8,
    pub(crate) time_unit: TimeUnit,
    /// Start of the forecast or of its interval, in units after the reference time.
    pub(crate) forecast_time: i64,
    pub(crate) first_surface: Surface,
    pub(crate) second_surface: Surface,
    pub(crate) variant: Variant,
    pub(crate) statistics: Option<Statistics>,
    /// Octets that tell fields apart and that nothing else here says: constituent, size of aerosols, wavelength, or all
    /// of a template that is not known.
    pub(crate) qualifier: Bytes,
}

/// What follows the surfaces.
enum Tail {
    None,
    Member,
    /// Octets of derived forecasts after type and number of members.
    Derived(usize),
    Probability,
    Percentile,
    Spatial,
    Reforecast,
}

impl ProductDefinition {
    /// The octets after length and number.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        let (coordinate_values, template) = (cursor.u16_be()?, cursor.u16_be()?);
        let (category, number) = (cursor.u8()?, cursor.u8()?);
        let mut product = Self {
            coordinate_values,
            template,
            category,
            number,
            generating_process: 255,
            time_unit: TimeUnit(255),
            forecast_time: 0,
            first_surface: Surface::NONE,
            second_surface: Surface::NONE,
            variant: Variant::default(),
            statistics: None,
            qualifier: Bytes::new(),
        };
        let Some((prefix, tail, interval)) = layout(template) else {
            product.qualifier = Bytes::copy_from_slice(cursor.rest());
            return Ok(product);
        };
        product.qualifier = Bytes::copy_from_slice(cursor.bytes(prefix)?);
        product.generating_process = cursor.u8()?;
        // Background and model, hours and minutes of the cut-off.
        cursor.skip(5)?;
        product.time_unit = TimeUnit(cursor.u8()?);
        product.forecast_time =
            if template == 44 { cursor.u16_be()?.signed() } else { cursor.u32_be()?.signed() };
        product.first_surface = Surface::parse(cursor)?;
        product.second_surface = Surface::parse(cursor)?;
        product.read_tail(cursor, &tail)?;
        if interval {
            product.statistics = Some(Statistics::parse(cursor)?);
        }
        Ok(product)
    }

    fn read_tail(&mut self, cursor: &mut Cursor<'_>, tail: &Tail) -> Result<(), Truncated> {
        let variant = &mut self.variant;
        match tail {
            Tail::None => {}
            Tail::Member | Tail::Reforecast => {
                let (kind, number, total) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
                variant.member = Some(Member { kind, number, total });
                if matches!(tail, Tail::Reforecast) {
                    self.qualifier = Bytes::copy_from_slice(cursor.bytes(7)?);
                }
            }
            Tail::Derived(more) => {
                variant.derived = Some((cursor.u8()?, cursor.u8()?));
                self.qualifier = Bytes::copy_from_slice(cursor.bytes(*more)?);
            }
            Tail::Probability => {
                // Number and count of the forecast probabilities.
                cursor.skip(2)?;
                let kind = cursor.u8()?;
                let (factor, value) = (cursor.u8()?, cursor.u32_be()?);
                let lower = scaled(factor, value);
                let (factor, value) = (cursor.u8()?, cursor.u32_be()?);
                variant.probability =
                    Some(Probability { kind, lower, upper: scaled(factor, value) });
            }
            Tail::Percentile => variant.percentile = Some(cursor.u8()?),
            Tail::Spatial => self.qualifier = Bytes::copy_from_slice(cursor.bytes(3)?),
        }
        Ok(())
    }
}

/// Octets before the generating process, what follows the surfaces, and whether an interval ends the template.
fn layout(template: u16) -> Option<(usize, Tail, bool)> {
    const CONSTITUENT: usize = 2;
    const AEROSOL: usize = 13;
    const OPTICAL: usize = 24;
    const POST_PROCESSING: usize = 5;
    const WAVE_PERIOD: usize = 11;
    Some(match template {
        0 | 7 => (0, Tail::None, false),
        1 => (0, Tail::Member, false),
        2 => (0, Tail::Derived(0), false),
        5 => (0, Tail::Probability, false),
        6 => (0, Tail::Percentile, false),
        8 => (0, Tail::None, true),
        9 => (0, Tail::Probability, true),
        10 => (0, Tail::Percentile, true),
        11 => (0, Tail::Member, true),
        12 => (0, Tail::Derived(0), true),
        15 => (0, Tail::Spatial, false),
        40 => (CONSTITUENT, Tail::None, false),
        41 => (CONSTITUENT, Tail::Member, false),
        42 => (CONSTITUENT, Tail::None, true),
        43 => (CONSTITUENT, Tail::Member, true),
        44 => (AEROSOL, Tail::None, false),
        45 => (AEROSOL, Tail::Member, false),
        46 => (AEROSOL, Tail::None, true),
        47 => (AEROSOL, Tail::Member, true),
        48 => (OPTICAL, Tail::None, false),
        49 => (OPTICAL, Tail::Member, false),
        60 => (0, Tail::Reforecast, false),
        61 => (0, Tail::Reforecast, true),
        70 => (POST_PROCESSING, Tail::None, false),
        71 => (POST_PROCESSING, Tail::Member, false),
        72 => (POST_PROCESSING, Tail::None, true),
        73 => (POST_PROCESSING, Tail::Member, true),
        103 => (WAVE_PERIOD, Tail::None, false),
        104 => (WAVE_PERIOD, Tail::Member, false),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<ProductDefinition, Truncated> {
        ProductDefinition::parse(&mut Cursor::new(bytes, 100, "product definition section"))
    }

    /// Octets 6 to 34 of template `number`, a soil layer of 0.1 to 0.4 m three hours ahead.
    fn soil(number: u8) -> Vec<u8> {
        let mut bytes = vec![
            0, 0, // no coordinate values
            0, number, // template
            0, 2, // category, number
            2, 0, 96, // generating process: forecast
            0, 0, 0, // cut-off
            1, 0, 0, 0, 3, // three hours
        ];
        bytes.extend([106, 1, 0, 0, 0, 1, 106, 1, 0, 0, 0, 4]);
        bytes
    }

    #[test]
    fn levels_are_exact() {
        let product = parse(&soil(0)).unwrap();
        assert_eq!((product.category, product.number, product.forecast_time), (0, 2, 3));
        assert_eq!(product.first_surface, Surface { kind: 106, value: Some(0.1) });
        assert_eq!(product.second_surface, Surface { kind: 106, value: Some(0.4) });
        assert!(parse(&soil(0)[..28]).is_err());
    }

    #[test]
    fn members_percentiles_and_probabilities() {
        let with = |number, tail: &[u8]| parse(&[soil(number), tail.to_vec()].concat()).unwrap();
        assert_eq!(
            with(1, &[3, 7, 30]).variant.member,
            Some(Member { kind: 3, number: 7, total: 30 })
        );
        assert_eq!(with(2, &[4, 20]).variant.derived, Some((4, 20)));
        assert_eq!(with(6, &[90]).variant.percentile, Some(90));
        let probability = with(5, &[0, 0, 1, 255, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 25]);
        assert_eq!(
            probability.variant.probability,
            Some(Probability { kind: 1, lower: None, upper: Some(0.25) })
        );
    }

    #[test]
    fn an_unknown_template_keeps_its_octets() {
        let product = parse(&soil(30)).unwrap();
        assert_eq!((product.category, product.number), (0, 2));
        assert_eq!(product.first_surface, Surface::NONE);
        assert_eq!(product.qualifier.len(), 23);
    }

    #[test]
    fn units_of_time() {
        assert_eq!(TimeUnit(11).add(0, 2), Some(43_200));
        assert_eq!(TimeUnit(3).add(0, 1), Some(31 * 86_400));
        assert_eq!(TimeUnit(255).add(0, 1), None);
        assert_eq!(TimeUnit(2).add(i64::MAX, i64::MAX), None);
    }
}
