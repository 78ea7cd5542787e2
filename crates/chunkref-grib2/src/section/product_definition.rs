// SPDX-License-Identifier: MIT OR Apache-2.0
//! Section 4: what the values are, where and when.

use std::ops::Range;

use chunkref_core::{Cursor, Truncated};

use super::scaled_value;
use super::statistics::Statistics;
use crate::calendar::add_months;
use crate::table::eccodes::key::{Key, Keys};
use crate::table::eccodes::layout;

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

/// One member of an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Table 4.6: control, perturbed …
    pub(crate) kind: u8,
    pub(crate) number: u16,
    /// Members of the ensemble.
    pub(crate) total: u16,
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
    /// Table 4.7: mean, spread … of all members.
    pub(crate) derived: Option<u8>,
    /// Members that a derived forecast is of.
    pub(crate) total: Option<u16>,
    pub(crate) probability: Option<Probability>,
    pub(crate) percentile: Option<u8>,
    /// Number of a quantile, and how many there are.
    pub(crate) quantile: Option<(u16, u16)>,
}

/// Section 4.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, section 4, and the templates that ecCodes knows, whose octets are in its table.
/// Of others the parameter is read, which all of them begin with, and their octets tell fields apart.
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
    pub(crate) qualifier: Vec<u8>,
}

/// Octets of section 4 before its template, its header included, and of the parameter.
const TEMPLATE_AT: usize = 9;
const PARAMETER_BYTES: usize = 2;

/// Octets of a date with a time, and of the interval that ends with it, before and in each time range.
const DATE_BYTES: usize = 7;
const INTERVAL_BYTES: usize = 12;
const RANGE_BYTES: usize = 12;

/// What no template may end before.
const NEEDED: &[Key] = &[
    Key::IndicatorOfUnitForForecastTime,
    Key::ForecastTime,
    Key::TypeOfFirstFixedSurface,
    Key::ScaledValueOfFirstFixedSurface,
    Key::ScaledValueOfSecondFixedSurface,
    Key::PerturbationNumber,
    Key::DerivedForecast,
    Key::PercentileValue,
    Key::ScaledValueOfLowerLimit,
    Key::ScaledValueOfUpperLimit,
    Key::YearOfEndOfOverallTimeInterval,
];

impl ProductDefinition {
    /// A section at `offset` of the file, `section` from its own header on, with the keys and octets that
    /// [`layout::read`] found in it.
    pub(crate) fn new(
        offset: u64,
        section: &[u8],
        keys: &Keys,
        places: &[(Key, Range<usize>)],
    ) -> Result<Self, Truncated> {
        let mut cursor = Cursor::new(section, offset, "product definition section");
        cursor.skip(5)?;
        let (coordinate_values, template) = (cursor.u16_be()?, cursor.u16_be()?);
        let (category, number) = (cursor.u8()?, cursor.u8()?);
        if NEEDED.iter().any(|&key| keys.get(key).is_none() && layout::has(template, key)) {
            // What is behind the end of the section cannot be read.
            cursor.skip(cursor.remaining().saturating_add(1))?;
        }
        let place = |wanted| places.iter().find(|(key, _)| *key == wanted).map(|(_, at)| at.start);
        let statistics = match place(Key::YearOfEndOfOverallTimeInterval) {
            Some(at) => {
                let mut cursor = Cursor::new(section, offset, "product definition section");
                cursor.skip(at)?;
                Some(Statistics::parse(&mut cursor)?)
            }
            None => None,
        };
        let octet = |key| keys.get(key).and_then(|value| u8::try_from(value).ok());
        let surface = |kind, factor, value| Surface {
            kind: octet(kind).unwrap_or(u8::MAX),
            value: scaled_value(keys, factor, value),
        };
        Ok(Self {
            coordinate_values,
            template,
            category,
            number,
            generating_process: octet(Key::TypeOfGeneratingProcess).unwrap_or(u8::MAX),
            time_unit: TimeUnit(octet(Key::IndicatorOfUnitForForecastTime).unwrap_or(u8::MAX)),
            forecast_time: keys.get(Key::ForecastTime).unwrap_or(0),
            first_surface: surface(
                Key::TypeOfFirstFixedSurface,
                Key::ScaleFactorOfFirstFixedSurface,
                Key::ScaledValueOfFirstFixedSurface,
            ),
            second_surface: surface(
                Key::TypeOfSecondFixedSurface,
                Key::ScaleFactorOfSecondFixedSurface,
                Key::ScaledValueOfSecondFixedSurface,
            ),
            variant: Variant::new(keys),
            qualifier: qualifier(section, coordinate_values, statistics.as_ref(), places),
            statistics,
        })
    }
}

impl Variant {
    fn new(keys: &Keys) -> Self {
        let octet = |key| keys.get(key).and_then(|value| u8::try_from(value).ok());
        let count = |key| keys.get(key).and_then(|value| u16::try_from(value).ok());
        let total = count(Key::NumberOfForecastsInEnsemble);
        let member = count(Key::PerturbationNumber).map(|number| Member {
            kind: octet(Key::TypeOfEnsembleForecast).unwrap_or(u8::MAX),
            number,
            total: total.unwrap_or_default(),
        });
        let limit = |factor, value| scaled_value(keys, factor, value);
        let probability = octet(Key::ProbabilityType).map(|kind| Probability {
            kind,
            lower: limit(Key::ScaleFactorOfLowerLimit, Key::ScaledValueOfLowerLimit),
            upper: limit(Key::ScaleFactorOfUpperLimit, Key::ScaledValueOfUpperLimit),
        });
        Self {
            member,
            derived: octet(Key::DerivedForecast),
            total: total.filter(|_| member.is_none()),
            probability,
            percentile: octet(Key::PercentileValue),
            quantile: count(Key::QuantileValue).zip(count(Key::TotalNumberOfQuantiles)),
        }
    }
}

/// The octets of a template that say what no other part of [`ProductDefinition`] does. Who made a field and when it was
/// made are left out: forecasts of a model belong together whatever its version is.
fn qualifier(
    section: &[u8],
    coordinate_values: u16,
    statistics: Option<&Statistics>,
    places: &[(Key, Range<usize>)],
) -> Vec<u8> {
    let values = usize::from(coordinate_values).saturating_mul(4);
    let end = section.len().saturating_sub(values);
    let mut says: Vec<Option<u8>> =
        section.get(..end).unwrap_or_default().iter().copied().map(Some).collect();
    let mut leave_out = |range: Range<usize>| {
        let range = range.start.min(end)..range.end.min(end);
        says.get_mut(range).unwrap_or_default().iter_mut().for_each(|octet| *octet = None);
    };
    leave_out(0..TEMPLATE_AT.saturating_add(PARAMETER_BYTES));
    for (key, range) in places {
        let more = match key {
            Key::YearOfModelVersion => DATE_BYTES,
            Key::YearOfEndOfOverallTimeInterval => {
                let ranges = statistics.map_or(0, |statistics| usize::from(statistics.ranges));
                INTERVAL_BYTES.saturating_add(ranges.saturating_mul(RANGE_BYTES))
            }
            _ if is_qualifier(*key) => continue,
            _ => range.len(),
        };
        leave_out(range.start..range.start.saturating_add(more));
    }
    says.into_iter().flatten().collect()
}

/// Whether a key tells fields apart and is no part of [`ProductDefinition`].
fn is_qualifier(key: Key) -> bool {
    let others = [
        Key::InputProcessIdentifier,
        Key::InputOriginatingCentre,
        Key::TypeOfPostProcessing,
        Key::ConstituentType,
        Key::AerosolType,
        Key::TypeOfDistributionFunction,
        Key::ModeNumber,
        Key::SourceSinkChemicalPhysicalProcess,
        Key::TypeOfSizeInterval,
        Key::ScaleFactorOfFirstSize,
        Key::ScaledValueOfFirstSize,
        Key::ScaleFactorOfSecondSize,
        Key::ScaledValueOfSecondSize,
        Key::TypeOfWavelengthInterval,
        Key::ScaleFactorOfFirstWavelength,
        Key::ScaledValueOfFirstWavelength,
        Key::ScaleFactorOfSecondWavelength,
        Key::ScaledValueOfSecondWavelength,
        Key::NumberOfContributingSpectralBands,
        Key::NumberOfPartitions,
        Key::NumberOfDistributionFunctionParameters,
        Key::SatelliteSeries,
        Key::SatelliteNumber,
        Key::InstrumentType,
        Key::ScaledValueOfCentralWaveNumber,
        Key::TypeOfWavePeriodInterval,
        Key::ScaleFactorOfLowerWavePeriodLimit,
        Key::ScaledValueOfLowerWavePeriodLimit,
        Key::ScaleFactorOfUpperWavePeriodLimit,
        Key::ScaledValueOfUpperWavePeriodLimit,
        Key::RandomFieldNumber,
        Key::TypeOfRelationToReferenceDataset,
    ];
    others.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(section: &[u8]) -> Result<ProductDefinition, Truncated> {
        let template = u16::from_be_bytes([section[7], section[8]]);
        let mut keys = Keys::new();
        let places = layout::read(template, section, &mut keys);
        ProductDefinition::new(100, section, &keys, &places)
    }

    /// A soil layer of 0.1 to 0.4 m three hours ahead: `before` the generating process, `tail` behind the surfaces.
    fn soil(template: u8, before: &[u8], tail: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0, 4, 0, 0, 0, template, 2, 3];
        bytes.extend(before);
        // Generating process; cut-off; three hours.
        bytes.extend([2, 0, 96, 0, 0, 0, 1, 0, 0, 0, 3]);
        bytes.extend([106, 1, 0, 0, 0, 1, 106, 1, 0, 0, 0, 4]);
        bytes.extend(tail);
        bytes
    }

    #[test]
    fn levels_are_exact() {
        let product = parse(&soil(0, &[], &[])).unwrap();
        assert_eq!((product.category, product.number, product.forecast_time), (2, 3, 3));
        assert_eq!(product.first_surface, Surface { kind: 106, value: Some(0.1) });
        assert_eq!(product.second_surface, Surface { kind: 106, value: Some(0.4) });
        assert_eq!((product.generating_process, product.time_unit), (2, TimeUnit(1)));
        assert!(product.qualifier.is_empty(), "{:?}", product.qualifier);
        assert!(parse(&soil(0, &[], &[])[..33]).is_err());
    }

    #[test]
    fn members_percentiles_and_probabilities() {
        let variant = |template, tail: &[u8]| parse(&soil(template, &[], tail)).unwrap().variant;
        let member = variant(1, &[3, 7, 30]).member;
        assert_eq!(member, Some(Member { kind: 3, number: 7, total: 30 }));
        assert_eq!((variant(2, &[4, 20]).derived, variant(2, &[4, 20]).total), (Some(4), Some(20)));
        assert_eq!(variant(6, &[90]).percentile, Some(90));
        assert_eq!(variant(86, &[0, 10, 0, 3]).quantile, Some((3, 10)));
        let probability = variant(5, &[0, 0, 1, 255, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 25]);
        let expected = Probability { kind: 1, lower: None, upper: Some(0.25) };
        assert_eq!(probability.probability, Some(expected));
        assert!(parse(&soil(1, &[], &[3])).is_err());
    }

    #[test]
    fn what_tells_fields_apart_is_kept() {
        // A constituent, in a template that puts it before the generating process.
        let ozone = parse(&soil(40, &[0, 0], &[])).unwrap();
        let dust = parse(&soil(40, &[0xf2, 0x32], &[])).unwrap();
        assert_eq!((ozone.forecast_time, ozone.first_surface.kind), (3, 106));
        assert_ne!(ozone.qualifier, dust.qualifier);
        // Who made a field is not.
        let mut other = soil(40, &[0, 0], &[]);
        other[15] = 97;
        assert_eq!(parse(&other).unwrap().qualifier, ozone.qualifier);
    }

    #[test]
    fn an_unknown_template_keeps_its_octets() {
        let product = parse(&soil(239, &[], &[])).unwrap();
        assert_eq!((product.category, product.number), (2, 3));
        assert_eq!(product.first_surface.kind, 255);
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
