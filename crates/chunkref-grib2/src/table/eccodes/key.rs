// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keys of a message that conditions of the tables and the crate ask for.

macro_rules! keys {
    ($($name:ident = $text:literal,)+) => {
        /// A key, as ecCodes names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Key {
            $($name,)+
        }

        /// The names of all keys in their order.
        #[cfg(test)]
        const NAMES: &[&str] = &[$($text,)+];

        /// All keys in their order.
        const ALL: &[Key] = &[$(Key::$name,)+];
    };
}

keys! {
    True = "true",
    IndicatorOfTypeOfLevel = "indicatorOfTypeOfLevel",
    Level = "level",
    TopLevel = "topLevel",
    BottomLevel = "bottomLevel",
    TimeRangeIndicator = "timeRangeIndicator",
    SubCentre = "subCentre",
    TablesVersion = "tablesVersion",
    LocalTablesVersion = "localTablesVersion",
    ProductionStatusOfProcessedData = "productionStatusOfProcessedData",
    MarsClass = "marsClass",
    Generation = "generation",
    GridDefinitionTemplateNumber = "gridDefinitionTemplateNumber",
    NumberOfGridInReference = "numberOfGridInReference",
    StepType = "stepType",
    PressureUnits = "pressureUnits",
    GenVertHeightCoords = "genVertHeightCoords",
    NV = "NV",
    IsChemical = "is_chemical",
    IsChemicalSrcsink = "is_chemical_srcsink",
    IsAerosol = "is_aerosol",
    IsAerosolOptical = "is_aerosol_optical",
    NumberOfContributingSpectralBands = "numberOfContributingSpectralBands",
    NumberOfPartitions = "numberOfPartitions",
    NumberOfDistributionFunctionParameters = "numberOfDistributionFunctionParameters",
    NumberOfAdditionalParametersForReferencePeriod = "numberOfAdditionalParametersForReferencePeriod",
    NumberOfReferencePeriodTimeRanges = "numberOfReferencePeriodTimeRanges",
    NumberOfTimeRanges = "numberOfTimeRanges",
    TypeOfGeneratingProcess = "typeOfGeneratingProcess",
    BackgroundProcess = "backgroundProcess",
    GeneratingProcessIdentifier = "generatingProcessIdentifier",
    InputProcessIdentifier = "inputProcessIdentifier",
    InputOriginatingCentre = "inputOriginatingCentre",
    TypeOfPostProcessing = "typeOfPostProcessing",
    TypeOfFirstFixedSurface = "typeOfFirstFixedSurface",
    ScaleFactorOfFirstFixedSurface = "scaleFactorOfFirstFixedSurface",
    ScaledValueOfFirstFixedSurface = "scaledValueOfFirstFixedSurface",
    TypeOfSecondFixedSurface = "typeOfSecondFixedSurface",
    ScaleFactorOfSecondFixedSurface = "scaleFactorOfSecondFixedSurface",
    ScaledValueOfSecondFixedSurface = "scaledValueOfSecondFixedSurface",
    TypeOfStatisticalProcessing = "typeOfStatisticalProcessing",
    IndicatorOfUnitForTimeRange = "indicatorOfUnitForTimeRange",
    LengthOfTimeRange = "lengthOfTimeRange",
    ConstituentType = "constituentType",
    AerosolType = "aerosolType",
    TypeOfDistributionFunction = "typeOfDistributionFunction",
    ModeNumber = "modeNumber",
    SourceSinkChemicalPhysicalProcess = "sourceSinkChemicalPhysicalProcess",
    TypeOfSizeInterval = "typeOfSizeInterval",
    ScaleFactorOfFirstSize = "scaleFactorOfFirstSize",
    ScaledValueOfFirstSize = "scaledValueOfFirstSize",
    ScaleFactorOfSecondSize = "scaleFactorOfSecondSize",
    ScaledValueOfSecondSize = "scaledValueOfSecondSize",
    TypeOfWavelengthInterval = "typeOfWavelengthInterval",
    ScaleFactorOfFirstWavelength = "scaleFactorOfFirstWavelength",
    ScaledValueOfFirstWavelength = "scaledValueOfFirstWavelength",
    ScaleFactorOfSecondWavelength = "scaleFactorOfSecondWavelength",
    ScaledValueOfSecondWavelength = "scaledValueOfSecondWavelength",
    SatelliteSeries = "satelliteSeries",
    SatelliteNumber = "satelliteNumber",
    InstrumentType = "instrumentType",
    ScaledValueOfCentralWaveNumber = "scaledValueOfCentralWaveNumber",
    ProbabilityType = "probabilityType",
    ScaleFactorOfLowerLimit = "scaleFactorOfLowerLimit",
    ScaledValueOfLowerLimit = "scaledValueOfLowerLimit",
    TypeOfWavePeriodInterval = "typeOfWavePeriodInterval",
    ScaleFactorOfLowerWavePeriodLimit = "scaleFactorOfLowerWavePeriodLimit",
    ScaledValueOfLowerWavePeriodLimit = "scaledValueOfLowerWavePeriodLimit",
    ScaleFactorOfUpperWavePeriodLimit = "scaleFactorOfUpperWavePeriodLimit",
    ScaledValueOfUpperWavePeriodLimit = "scaledValueOfUpperWavePeriodLimit",
    RandomFieldNumber = "randomFieldNumber",
    TypeOfRelationToReferenceDataset = "typeOfRelationToReferenceDataset",
    HoursAfterDataCutoff = "hoursAfterDataCutoff",
    MinutesAfterDataCutoff = "minutesAfterDataCutoff",
    IndicatorOfUnitForForecastTime = "indicatorOfUnitForForecastTime",
    ForecastTime = "forecastTime",
    TypeOfEnsembleForecast = "typeOfEnsembleForecast",
    PerturbationNumber = "perturbationNumber",
    NumberOfForecastsInEnsemble = "numberOfForecastsInEnsemble",
    DerivedForecast = "derivedForecast",
    PercentileValue = "percentileValue",
    ForecastProbabilityNumber = "forecastProbabilityNumber",
    TotalNumberOfForecastProbabilities = "totalNumberOfForecastProbabilities",
    ScaleFactorOfUpperLimit = "scaleFactorOfUpperLimit",
    ScaledValueOfUpperLimit = "scaledValueOfUpperLimit",
    TotalNumberOfQuantiles = "totalNumberOfQuantiles",
    QuantileValue = "quantileValue",
    YearOfEndOfOverallTimeInterval = "yearOfEndOfOverallTimeInterval",
    YearOfModelVersion = "YearOfModelVersion",
}

/// The letters that the tables write for the keys, in their order.
const LETTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#$%&*@^_~<>/:;?()[]{}!|,-`'\"\\";

impl Key {
    /// The key that a letter stands for.
    pub(super) fn from_letter(letter: u8) -> Option<Self> {
        let place = LETTERS.iter().position(|&other| other == letter)?;
        ALL.get(place).copied()
    }
}

/// What a key is where all its octets are set and that means missing.
pub(crate) const MISSING: i64 = 0x7fff_ffff;

/// The values of the keys of one field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Keys {
    values: [Option<i64>; ALL.len()],
    /// The statistical processes of the time ranges, the outermost first.
    pub(crate) processes: Vec<u8>,
}

impl Keys {
    /// No key but the one that always holds.
    pub(crate) fn new() -> Self {
        let mut keys = Self { values: [None; ALL.len()], processes: Vec::new() };
        keys.set(Key::True, 1);
        keys
    }

    /// The keys that conditions ask for: those behind them are times and numbers that no label depends on.
    pub(super) fn of_conditions(&self) -> Self {
        let mut keys = self.clone();
        keys.values
            .iter_mut()
            .skip(Key::HoursAfterDataCutoff as usize)
            .for_each(|value| *value = None);
        keys
    }

    /// The value of a key; `None` where the message has none.
    pub(crate) fn get(&self, key: Key) -> Option<i64> {
        self.values.get(key as usize).copied().flatten()
    }

    pub(crate) fn set(&mut self, key: Key, value: impl Into<i64>) {
        if let Some(place) = self.values.get_mut(key as usize) {
            *place = Some(value.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_tables() {
        let lines = crate::table::eccodes::INDEX.lines();
        let names = lines.filter_map(|line| line.strip_prefix("keys "));
        let names: Vec<_> = names.flat_map(str::split_whitespace).collect();
        assert_eq!(names, NAMES);
        for (key, &letter) in ALL.iter().zip(LETTERS) {
            assert_eq!(Key::from_letter(letter), Some(*key));
        }
        assert_eq!(Key::from_letter(b'='), None);
    }

    #[test]
    fn absent_and_present() {
        let mut keys = Keys::new();
        assert_eq!((keys.get(Key::True), keys.get(Key::Level)), (Some(1), None));
        keys.set(Key::Level, 2_u8);
        assert_eq!(keys.get(Key::Level), Some(2));
    }
}
