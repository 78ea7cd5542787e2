// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of level types, as ecCodes has them in `typeOfLevel`.

/// Kind of surface, its name alone, and its name as a layer between two surfaces of the kind.
type Row = (u8, &'static str, &'static str);

/// Spec: WMO FM 92-XIV GRIB edition 2, table 4.5.
const SURFACES: &[Row] = &[
    (1, "surface", ""),
    (2, "cloudBase", ""),
    (3, "cloudTop", ""),
    (4, "isothermZero", ""),
    (5, "adiabaticCondensation", ""),
    (6, "maxWind", ""),
    (7, "tropopause", ""),
    (8, "nominalTop", ""),
    (9, "seaBottom", ""),
    (10, "atmosphere", ""),
    (11, "cumulonimbusBase", ""),
    (12, "cumulonimbusTop", ""),
    (14, "freeConvection", ""),
    (15, "convectiveCondensation", ""),
    (16, "neutralBuoyancy", ""),
    (17, "mostUnstableParcel", ""),
    (18, "mixedLayerParcel", ""),
    (20, "isothermal", ""),
    (36, "stratopause", ""),
    (100, "isobaricInPa", "isobaricLayer"),
    (101, "meanSea", ""),
    (102, "heightAboveSea", "heightAboveSeaLayer"),
    (103, "heightAboveGround", "heightAboveGroundLayer"),
    (104, "sigma", "sigmaLayer"),
    (105, "hybrid", "hybridLayer"),
    (106, "depthBelowLand", "depthBelowLandLayer"),
    (107, "theta", "thetaLayer"),
    (108, "pressureFromGround", "pressureFromGroundLayer"),
    (109, "potentialVorticity", ""),
    (111, "eta", ""),
    (114, "snow", "snowLayer"),
    (117, "mixedLayerDepthGeneric", ""),
    (118, "hybridHeight", ""),
    (119, "hybridPressure", ""),
    (151, "soil", "soilLayer"),
    (152, "seaIce", "seaIceLayer"),
    (160, "depthBelowSea", "depthBelowSeaLayer"),
    (162, "lakeBottom", ""),
    (166, "mixingLayer", ""),
    (168, "oceanModel", "oceanModelLayer"),
    (173, "snowTopOverIceOnWater", ""),
    (174, "iceTopOnWater", ""),
    (175, "iceTopUnderSnowOnWater", ""),
    (176, "iceBottomOnWater", ""),
    (177, "indefiniteSoilDepth", ""),
];

/// Kinds that NCEP uses on its own.
const NCEP: &[Row] = &[
    (200, "atmosphereSingleLayer", "atmosphereSingleLayer"),
    (201, "oceanSingleLayer", "oceanSingleLayer"),
    (204, "highestTroposphericFreezing", "highestTroposphericFreezing"),
    (206, "gridScaleCloudBottom", "gridScaleCloudBottom"),
    (207, "gridScaleCloudTop", "gridScaleCloudTop"),
    (209, "boundaryLayerCloudBottom", "boundaryLayerCloudBottom"),
    (210, "boundaryLayerCloudTop", "boundaryLayerCloudTop"),
    (211, "boundaryLayerCloudLayer", "boundaryLayerCloudLayer"),
    (212, "lowCloudBottom", "lowCloudBottom"),
    (213, "lowCloudTop", "lowCloudTop"),
    (214, "lowCloudLayer", "lowCloudLayer"),
    (215, "cloudCeiling", "cloudCeiling"),
    (220, "planetaryBoundaryLayer", "planetaryBoundaryLayer"),
    (221, "layerBetween2Hybrids", "layerBetween2Hybrids"),
    (222, "middleCloudBottom", "middleCloudBottom"),
    (223, "middleCloudTop", "middleCloudTop"),
    (224, "middleCloudLayer", "middleCloudLayer"),
    (232, "highCloudBottom", "highCloudBottom"),
    (233, "highCloudTop", "highCloudTop"),
    (234, "highCloudLayer", "highCloudLayer"),
    (235, "oceanIsotherm", "oceanIsotherm"),
    (240, "oceanMixedLayer", "oceanMixedLayer"),
    (241, "orderedSequenceData", "orderedSequenceData"),
    (242, "convectiveCloudBottom", "convectiveCloudBottom"),
    (243, "convectiveCloudTop", "convectiveCloudTop"),
    (244, "convectiveCloudLayer", "convectiveCloudLayer"),
    (245, "lowestLevelWetBulb0", "lowestLevelWetBulb0"),
    (247, "equilibrium", "equilibrium"),
    (248, "shallowConvectiveCloudBottom", "shallowConvectiveCloudBottom"),
    (249, "shallowConvectiveCloudTop", "shallowConvectiveCloudTop"),
    (251, "deepConvectiveCloudBottom", "deepConvectiveCloudBottom"),
    (252, "deepConvectiveCloudTop", "deepConvectiveCloudTop"),
];

/// NCEP, as a centre.
const NCEP_CENTRE: u16 = 7;

/// The name of the level type of a field between two kinds of surface, 255 for none; `unknown_FIRST` or
/// `unknown_FIRST_SECOND` where there is none.
pub(crate) fn name(centre: u16, first: u8, second: u8) -> String {
    if (first, second) == (1, 8) {
        return "entireAtmosphere".to_owned();
    }
    let local = if centre == NCEP_CENTRE { NCEP } else { &[] };
    let row = SURFACES.iter().chain(local).find(|(kind, ..)| *kind == first);
    match row {
        Some((_, alone, _)) if second == 255 => (*alone).to_owned(),
        Some((_, _, layer)) if second == first && !layer.is_empty() => (*layer).to_owned(),
        _ if second == 255 => format!("unknown_{first}"),
        _ => format!("unknown_{first}_{second}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_layers_and_local_ones() {
        assert_eq!(name(7, 103, 255), "heightAboveGround");
        assert_eq!(name(98, 106, 106), "depthBelowLandLayer");
        assert_eq!(name(98, 1, 8), "entireAtmosphere");
        assert_eq!(name(7, 214, 255), "lowCloudLayer");
        assert_eq!(name(98, 214, 255), "unknown_214");
        assert_eq!(name(7, 101, 103), "unknown_101_103");
    }

    #[test]
    fn kinds_are_listed_once_in_order() {
        let kinds: Vec<u8> = SURFACES.iter().chain(NCEP).map(|row| row.0).collect();
        assert!(kinds.is_sorted_by(|a, b| a < b));
    }
}
