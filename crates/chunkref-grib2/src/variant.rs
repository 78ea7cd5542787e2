// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words for what a field is of, beside a parameter on a level at a time: they keep apart what is not the same quantity,
//! and follow from the field alone, so that they are the same in every file.

use crate::section::product_definition::{Probability, ProductDefinition};
use crate::table::template;

/// The words of a field of edition 2, joined by `_`; empty for a plain forecast, analysis or member. `processes` are the
/// statistical processes of its time ranges, the outermost first.
pub(crate) fn edition2(product: &ProductDefinition, processes: &[u8]) -> String {
    let variant = &product.variant;
    let mut words = Vec::new();
    // A maximum of means is none of values.
    if product.statistics.is_some() && processes.len() > 1 {
        let names = processes.iter().map(|&process| template::step_type(&[process], true));
        words.push(names.collect::<Vec<_>>().join("Of"));
    }
    words.extend(process(product.generating_process).map(str::to_owned));
    words.extend(variant.derived.map(template::derived));
    words.extend(variant.probability.map(probability));
    words.extend(variant.percentile.map(|_| "percentiles".to_owned()));
    words.extend(variant.quantile.map(|(number, total)| format!("quantile{number}of{total}")));
    words.extend(variant.member.and_then(|member| perturbation(member.kind)).map(str::to_owned));
    if !product.qualifier.is_empty() {
        words.push(format!("t{}x{:08x}", product.template, digest(&product.qualifier)));
    }
    words.join("_")
}

/// The words of a field of edition 1 by ECMWF's type of it, and the octets of its local definition that tell fields
/// apart.
///
/// Definition: ecCodes' `mars/type.table`.
pub(crate) fn ecmwf1(mars_type: u8, definition: u8, qualifier: &[u8]) -> String {
    let word = match mars_type {
        12 => "forecastError",
        13 => "analysisError",
        14 => "clusterMean",
        15 => "clusterSd",
        16 | 30 => "prob",
        17 => "mean",
        18 => "spread",
        20 | 32 => "climatology",
        27 => "efi",
        28 => "efic",
        29 => "probBoundaries",
        33 => "increment",
        35 | 39 => "modelError",
        36 => "probDistribution",
        38 => "sot",
        43 => "weightedMean",
        44 => "weightedSpread",
        46 => "scaledSpread",
        47 => "timeMeanMean",
        48 => "timeMeanSpread",
        50 => "sensitivityGradient",
        62 => "singularVector",
        80 | 86 => "forecastMean",
        81 => "forecastMax",
        82 => "forecastMin",
        83 => "forecastSd",
        98 => "median",
        _ => "",
    };
    let rest = if qualifier.is_empty() {
        String::new()
    } else {
        format!("l{definition}x{:08x}", digest(qualifier))
    };
    let words = [word, &rest].into_iter().filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// A kind of generating process whose values are another quantity than the parameter.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.3.
fn process(kind: u8) -> Option<&'static str> {
    Some(match kind {
        3 | 11 => "biasCorrected",
        6 => "forecastError",
        7 => "analysisError",
        9 => "climatology",
        10 => "probabilityWeighted",
        _ => return None,
    })
}

/// Members whose numbers are counted for each sign of the perturbation.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.6.
fn perturbation(kind: u8) -> Option<&'static str> {
    (kind == 2).then_some("negative")
}

/// A kind of event; its limits are a coordinate.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.9.
fn probability(probability: Probability) -> String {
    let name = match probability.kind {
        0 => "probBelow",
        1 => "probAbove",
        3 => "probAboveLower",
        4 => "probBelowUpper",
        2 => "probBetween",
        5 => "probEqual",
        6 => "probAboveNormal",
        7 => "probNearNormal",
        8 => "probBelowNormal",
        other => return format!("prob{other}"),
    };
    name.to_owned()
}

/// A number that is the same for the same octets, of those that have no words.
fn digest(octets: &[u8]) -> u64 {
    let number = octets.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    number >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_events() {
        let event = |kind| probability(Probability { kind, lower: Some(5.0), upper: None });
        assert_eq!(
            [event(0), event(3), event(7)],
            ["probBelow", "probAboveLower", "probNearNormal"]
        );
        assert_eq!(event(77), "prob77");
    }

    #[test]
    fn types_of_mars() {
        assert_eq!(ecmwf1(11, 1, &[]), "");
        assert_eq!([ecmwf1(17, 1, &[]), ecmwf1(18, 1, &[])], ["mean", "spread"]);
        let channel = |number| ecmwf1(9, 14, &[number]);
        assert_ne!(channel(1), channel(2));
        assert!(channel(1).starts_with("l14x"), "{}", channel(1));
    }
}
