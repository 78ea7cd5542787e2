// SPDX-License-Identifier: MIT OR Apache-2.0
//! Coefficients of spherical harmonics: real and imaginary part by turns, in the order of zonal wave numbers.

use chunkref_core::{DecodeError, Steps};

use super::bits::Bits;
use super::simple::{self, Packing};
use super::values::{Values, ibm, to_float};

/// Coefficients of a triangular truncation, if it is one: `(J + 1)(J + 2)` numbers.
pub(super) fn coefficients(truncation: [u32; 3]) -> Result<usize, DecodeError> {
    let [j, k, m] = truncation;
    if j != k || j != m {
        let reason = format!("the truncation {j}, {k}, {m} is not unpacked here");
        return Err(DecodeError::Unsupported(reason));
    }
    let count = u64::from(j).saturating_add(1).saturating_mul(u64::from(j).saturating_add(2));
    usize::try_from(count).map_err(|_| DecodeError::damaged("it has too many coefficients"))
}

/// Simple packing: the first coefficient, a real number, is stored apart.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.50 and 7.50.
pub(super) fn simple(
    packing: &Packing,
    first: f64,
    data: &[u8],
    values: &mut Values<'_>,
    steps: &mut Steps<'_>,
) -> Result<(), DecodeError> {
    values.push(first)?;
    simple::unpack(packing, data, values, steps)
}

/// How the coefficients of the lowest wave numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Floats {
    Ibm,
    Single,
    Double,
}

impl Floats {
    fn bits(self) -> u32 {
        if self == Self::Double { 64 } else { 32 }
    }

    fn take(self, bits: &mut Bits<'_>) -> f64 {
        let mut half = || u32::try_from(bits.take(32)).unwrap_or_default();
        match self {
            Self::Ibm => ibm(half()),
            Self::Single => f32::from_bits(half()).into(),
            Self::Double => {
                let high = u64::from(half());
                f64::from_bits(high << 32 | u64::from(half()))
            }
        }
    }
}

/// Complex packing: the lowest wave numbers as they are, the others weighted by a power of the Laplacian.
#[derive(Debug)]
pub(super) struct Complex {
    pub(super) packing: Packing,
    pub(super) truncation: u32,
    /// The truncation of the coefficients that are stored as they are.
    pub(super) subset: [u32; 3],
    pub(super) floats: Floats,
    /// The exponent of `n (n + 1)`.
    pub(super) exponent: f64,
    /// Whether the last coefficients of each row of the subset are weighted too, as those of edition 1 are.
    pub(super) weighted_edge: bool,
}

impl Complex {
    /// Spec: WMO FM 92-XIV GRIB edition 2, templates 5.51 and 7.51.
    pub(super) fn unpack(
        &self,
        data: &[u8],
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        let subset_values = coefficients(self.subset)?;
        let [subset, ..] = self.subset;
        if subset > self.truncation || self.packing.bits > 57 {
            let reason = format!(
                "a subset {subset} of the truncation {}, and {} bits, are not unpacked here",
                self.truncation, self.packing.bits
            );
            return Err(DecodeError::Unsupported(reason));
        }
        if subset == self.truncation {
            return self.all(data, values, steps);
        }
        let mut high = Bits::new(data);
        let mut low = high.behind(subset_values, self.floats.bits())?;
        low.check(values.left().saturating_sub(subset_values), self.packing.bits)?;
        let weights = self.weights(steps)?;
        for zonal in 0..=self.truncation {
            for total in zonal..=self.truncation {
                steps.take(2)?;
                let weight = weights.get(usize::try_from(total).unwrap_or(usize::MAX));
                let weight = weight.copied().unwrap_or_default();
                if total <= subset {
                    let edge = if self.weighted_edge && total == subset { weight } else { 1.0 };
                    values.push(self.floats.take(&mut high) * edge)?;
                    values.push(self.floats.take(&mut high) * edge)?;
                    continue;
                }
                let mut next = || {
                    let number = low.take(self.packing.bits);
                    self.packing.scale.coefficient(number, weight)
                };
                let (real, imaginary) = (next(), next());
                values.push(real)?;
                // Zonal means have no imaginary part.
                values.push(if zonal == 0 { 0.0 } else { imaginary })?;
            }
        }
        Ok(())
    }

    /// All coefficients are in the subset: ecCodes writes IEEE's numbers in both editions.
    fn all(
        &self,
        data: &[u8],
        values: &mut Values<'_>,
        steps: &mut Steps<'_>,
    ) -> Result<(), DecodeError> {
        let floats = if self.floats == Floats::Ibm { Floats::Single } else { self.floats };
        let mut bits = Bits::new(data);
        bits.check(values.left(), floats.bits())?;
        for _ in 0..values.left() {
            steps.take(1)?;
            values.push(self.packing.scale.in_units(floats.take(&mut bits)))?;
        }
        Ok(())
    }

    /// What packed numbers of each total wave number are multiplied with.
    fn weights(&self, steps: &mut Steps<'_>) -> Result<Vec<f64>, DecodeError> {
        let mut weights = vec![0.0];
        for n in 1..=i64::from(self.truncation) {
            steps.take(1)?;
            let power = to_float(n.saturating_mul(n.saturating_add(1))).powf(self.exponent);
            weights.push(if power == 0.0 { 0.0 } else { 1.0 / power });
        }
        Ok(weights)
    }
}
