// SPDX-License-Identifier: MIT OR Apache-2.0
//! Times that are counted alike, counted from one epoch.
//!
//! A time in other units has to be the same nanosecond, or lead back to the same number and be off by half a microsecond at
//! the most. Where the units of the first input do not allow that, finer ones of the same epoch do.

use std::collections::BTreeMap;

use bytes::Bytes;
use chunkref_model::{Array, Attributes, ByteOrder, DataType};

use super::calendar::Calendar;
use super::family::{Family, Place, text};
use super::instant::{Instant, are_narrow};
use super::units::{DAY, Units, are_since};
use crate::input::Input;
use crate::value::{self, Float, Value, values};

/// Arrays that take the places of others: input, path, array.
pub(super) type Changes = Vec<(usize, String, Array)>;

/// What became of a family.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) changes: Changes,
    /// Why times of a path are not counted as those of the first input.
    pub(super) reasons: Vec<(String, String)>,
}

const PACKING: [&str; 2] = ["scale_factor", "add_offset"];
/// Attributes that are times in the units of the variable, and do not tell missing values.
const LIMITS: [&str; 4] = ["valid_min", "valid_max", "valid_range", "actual_range"];
const FINER: [&str; 5] = ["hours", "minutes", "seconds", "milliseconds", "microseconds"];
const SINCE_1970: [&str; 3] = [
    "seconds since 1970-01-01T00:00:00",
    "milliseconds since 1970-01-01T00:00:00",
    "microseconds since 1970-01-01T00:00:00",
];

/// One array of the family.
struct Own<'a> {
    place: &'a Place,
    array: &'a Array,
    calendar: Calendar,
    units: Units,
}

/// What holds for one variable in all inputs.
struct Member<'a> {
    own: &'a [Own<'a>],
    /// Whether it is the variable of the family, and not its bounds.
    is_variable: bool,
    /// Whether some are packed, so that all are unpacked.
    packed: bool,
    /// Whether all that have elements are plain values.
    plain: bool,
    /// Its first array, which describes the result.
    first: &'a Array,
}

/// What all of the family are counted in.
struct Wanted<'a> {
    text: &'a str,
    units: Units,
    calendar: &'a str,
}

/// Decides about a family.
pub(super) fn settle(inputs: &[Input<'_>], family: &Family) -> Outcome {
    let array = |place: &Place| inputs.get(place.input)?.dataset.array(&place.path);
    let alike = |places: &Vec<Place>| {
        let Some(first) = places.first() else { return true };
        places.iter().all(|place| {
            let (Some(a), Some(b)) = (array(first), array(place)) else { return true };
            let same = |name: &str| a.attributes.get(name) == b.attributes.get(name);
            place.units == first.units
                && place.calendar.eq_ignore_ascii_case(&first.calendar)
                && a.dtype == b.dtype
                && ["units", PACKING[0], PACKING[1]].into_iter().all(same)
        })
    };
    let mut outcome = Outcome::default();
    if !family.since_1970 && family.members.iter().all(alike) {
        return outcome;
    }
    // Bounds whose values are not known stay as they are, and the others move.
    let known = |place: &Place| {
        array(place).is_none_or(|array| array.is_plain() || array.shape.contains(&0))
    };
    let Some((variable, bounds)) = family.members.split_first() else { return outcome };
    let (free, fixed): (Vec<_>, Vec<_>) =
        bounds.iter().partition(|places| places.iter().all(known));
    let all: Vec<&Vec<Place>> = family.members.iter().collect();
    let some: Vec<&Vec<Place>> = std::iter::once(variable).chain(free).collect();
    let mut stay = Vec::new();
    let found = moved(inputs, &all, family.since_1970).or_else(|reason| {
        stay.clone_from(&fixed);
        if fixed.is_empty() { Err(reason) } else { moved(inputs, &some, family.since_1970) }
    });
    match found {
        Ok(changes) => outcome.changes = changes,
        Err(reason) => {
            for place in some.iter().copied().flatten() {
                outcome.reasons.push((place.path.clone(), reason.clone()));
            }
            stay = bounds.iter().collect();
        }
    }
    for places in stay {
        if family.since_1970 || !alike(variable) || !alike(places) {
            named_units(places, &array, &mut outcome);
        }
    }
    outcome
}

/// Gives bounds that stay as they are the units that they have of their variable, so that they are read as before where
/// these are the same in all inputs, and are a conflict where they are not.
fn named_units<'a>(
    places: &[Place],
    array: &impl Fn(&Place) -> Option<&'a Array>,
    outcome: &mut Outcome,
) {
    for place in places {
        let Some(array) = array(place) else { continue };
        let reason =
            format!("the times of {} are not in the references as plain values", place.path);
        outcome.reasons.push((place.path.clone(), reason));
        if text(array, "units").is_none_or(|units| !are_since(units)) {
            let mut array = array.clone();
            array.attributes.insert("units", place.units.as_str());
            array.attributes.insert("calendar", place.calendar.as_str());
            outcome.changes.push((place.input, place.path.clone(), array));
        }
    }
}

fn moved(
    inputs: &[Input<'_>],
    family: &[&Vec<Place>],
    since_1970: bool,
) -> Result<Changes, String> {
    let first = family.first().and_then(|places| places.first());
    let first = first.ok_or("there are no times")?;
    let calendar = Calendar::of(&first.calendar)
        .ok_or_else(|| format!("times of the calendar {} are not computed", first.calendar))?;
    let mut members: Vec<Vec<Own<'_>>> = Vec::new();
    for places in family {
        let own = places.iter().filter_map(|place| {
            let array = inputs.get(place.input)?.dataset.array(&place.path)?;
            Some(own(place, array, calendar))
        });
        members.push(own.collect::<Result<_, _>>()?);
    }
    let candidates: Vec<String> = if since_1970 {
        SINCE_1970.map(str::to_owned).into()
    } else {
        let unit = Units::unit_in(&first.units).unwrap_or_default();
        let finer = FINER.into_iter().filter_map(|name| {
            let text = Units::with_unit(&first.units, name)?;
            (Units::unit_in(&text)? < unit).then_some(text)
        });
        std::iter::once(first.units.clone()).chain(finer).collect()
    };
    let mut reason = None;
    for text in &candidates {
        let units = Units::parse(text, calendar)
            .ok_or_else(|| format!("{text:?} is no epoch known here"))?;
        let wanted = Wanted { text, units, calendar: &first.calendar };
        match in_units(&members, &wanted, since_1970) {
            Ok(changes) => return Ok(changes),
            Err(why) => {
                reason.get_or_insert(why);
            }
        }
    }
    Err(reason.unwrap_or_default())
}

fn own<'a>(place: &'a Place, array: &'a Array, goal: Calendar) -> Result<Own<'a>, String> {
    let calendar = Calendar::of(&place.calendar)
        .ok_or_else(|| format!("times of the calendar {} are not computed", place.calendar))?;
    if calendar != goal && !(calendar.is_gregorian() && goal.is_gregorian()) {
        return Err("the calendars have other dates".to_owned());
    }
    let units = Units::parse(&place.units, calendar)
        .ok_or_else(|| format!("{:?} is no epoch known here", place.units))?;
    Ok(Own { place, array, calendar, units })
}

/// All members in these units, each in the type of numbers that holds them.
fn in_units(
    members: &[Vec<Own<'_>>],
    wanted: &Wanted<'_>,
    since_1970: bool,
) -> Result<Changes, String> {
    let mut changes = Vec::new();
    for (number, own) in members.iter().enumerate() {
        let Some(first) = own.first() else { continue };
        let member = Member {
            own,
            is_variable: number == 0,
            packed: own.iter().any(Own::is_packed),
            plain: own.iter().all(|own| own.is_empty() || own.array.is_plain()),
            first: first.array,
        };
        let since_1970 = since_1970 && member.is_variable;
        let mut reason = None;
        let found = types(&member, since_1970).into_iter().find_map(|dtype| {
            let moved: Result<Vec<_>, _> =
                own.iter().map(|own| own.in_units(&member, wanted, &dtype)).collect();
            moved.map_err(|why| reason.get_or_insert(why).len()).ok()
        });
        let found = found.ok_or_else(|| reason.unwrap_or_default())?;
        for (own, array) in own.iter().zip(found) {
            let Some(mut array) = array else { continue };
            if since_1970 && array.attributes.get("calendar").is_none() {
                array.attributes.insert("calendar", wanted.calendar);
            }
            changes.push((own.place.input, own.place.path.clone(), array));
        }
    }
    Ok(changes)
}

/// The types of numbers that are tried, the best first.
fn types(member: &Member<'_>, whole: bool) -> Vec<DataType> {
    let first = &member.first.dtype;
    let order = match (first, whole) {
        (DataType::Int { order, length: 2.. } | DataType::Float { order, .. }, false) => *order,
        _ => ByteOrder::Little,
    };
    let (int, float) = (DataType::Int { length: 8, order }, DataType::Float { length: 8, order });
    if whole {
        return vec![int];
    }
    let one = member.own.iter().all(|own| own.array.dtype == *first);
    let mut types = Vec::new();
    if one && !member.packed {
        types.push(first.clone());
    }
    let others = match first {
        DataType::Float { .. } => [float, int],
        _ if member.packed => [float, int],
        _ => [int, float],
    };
    for dtype in others {
        if !types.contains(&dtype) {
            types.push(dtype);
        }
    }
    types
}

impl Own<'_> {
    fn is_empty(&self) -> bool {
        self.array.shape.contains(&0)
    }

    fn is_packed(&self) -> bool {
        PACKING.iter().any(|name| self.array.attributes.get(name).is_some())
    }

    /// The array in other units and another type; `None` when it is that already.
    fn in_units(
        &self,
        member: &Member<'_>,
        wanted: &Wanted<'_>,
        dtype: &DataType,
    ) -> Result<Option<Array>, String> {
        let goal_calendar = Calendar::of(wanted.calendar);
        let still = self.units == wanted.units && self.array.dtype == *dtype && !member.packed;
        let mut array = if still { self.array.clone() } else { self.counted(wanted.units, dtype)? };
        // Where there are no elements, the codecs are those of the others.
        if member.plain && self.is_empty() && !array.is_plain() {
            array = array.with_plain_values(Bytes::new());
        }
        if goal_calendar != Some(self.calendar) {
            self.check_since_reform()?;
        }
        let own_units = text(member.first, "units").is_some_and(are_since);
        set(
            &mut array.attributes,
            "units",
            (member.is_variable || own_units).then_some(wanted.text),
            are_since,
        );
        // The first one's name of the calendar, or none, as it has it.
        // Bounds with units of their own have the calendar of their variable, which not all readers know.
        let special = !member.is_variable && own_units && goal_calendar != Some(Calendar::Standard);
        let named = text(member.first, "calendar").is_some() || special;
        let calendar = named.then_some(wanted.calendar);
        set(&mut array.attributes, "calendar", calendar, |_| true);
        if self.units != wanted.units {
            for name in LIMITS {
                array.attributes.remove(name);
            }
        }
        let same = still && array == *self.array;
        Ok((!same).then_some(array))
    }

    /// Fails for times before the mixed calendar was Gregorian.
    fn check_since_reform(&self) -> Result<(), String> {
        let reform = i128::from(Calendar::reform()) * DAY;
        for time in self.times()?.into_iter().flatten() {
            if time.nanoseconds.saturating_add(self.units.epoch) < reform {
                return Err("before 1582-10-15 the calendars count differently".to_owned());
            }
        }
        Ok(())
    }

    /// Every time since the own epoch, and nothing where it is missing.
    fn times(&self) -> Result<Vec<Option<Instant>>, String> {
        let missing = self.missing();
        let numbers = self.numbers()?;
        let is_time = |number: &&Value| !is_missing(number, &missing);
        let narrow = !self.is_packed() && are_narrow(numbers.iter().filter(is_time));
        numbers
            .into_iter()
            .map(|number| {
                if is_missing(&number, &missing) {
                    return Ok(None);
                }
                let number = self.unpacked(number)?;
                let time = Instant::of(&number, self.units.unit, narrow);
                time.map(Some).ok_or_else(|| format!("{number} is no time"))
            })
            .collect()
    }

    fn numbers(&self) -> Result<Vec<Value>, String> {
        // However they would be encoded.
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let Some(plain) = self.array.plain_values() else {
            let path = &self.place.path;
            return Err(format!(
                "the times of {path} are not in the references as plain values, so they cannot be changed"
            ));
        };
        let found = values(&self.array.dtype, &plain).unwrap_or_default();
        if found.iter().any(|value| matches!(value, Value::Bytes(_))) {
            return Err("times that are no numbers are not changed".to_owned());
        }
        Ok(found)
    }

    /// The numbers that mean that there is none.
    fn missing(&self) -> Vec<Value> {
        let fill =
            self.array.fill_value.as_ref().and_then(|fill| value::of_fill(&self.array.dtype, fill));
        let named = ["_FillValue", "missing_value"].into_iter();
        let named = named.flat_map(|name| {
            let attribute = self.array.attributes.get(name);
            attribute.map(|own| value::of_attribute(&self.array.dtype, own)).unwrap_or_default()
        });
        fill.into_iter().chain(named).collect()
    }

    /// A packed number as readers unpack it, in 64 bits.
    fn unpacked(&self, number: Value) -> Result<Value, String> {
        if !self.is_packed() {
            return Ok(number);
        }
        let setting = |name: &str, default: f64| match self.array.attributes.get(name) {
            None => Ok(default),
            Some(attribute) => value::number(attribute)
                .ok_or_else(|| format!("its {name} is no number, so the times are not unpacked")),
        };
        let (scale, offset) = (setting("scale_factor", 1.0)?, setting("add_offset", 0.0)?);
        if self.array.attributes.get("_Unsigned").is_some() {
            return Err("packed times without a sign are not unpacked".to_owned());
        }
        let number = value::as_float(&number).ok_or_else(|| format!("{number} is not exact"))?;
        let time = number * scale + offset;
        // Readers unpack in 32 bits where the settings have 32.
        #[expect(clippy::cast_possible_truncation, reason = "what such readers do")]
        let narrow = f64::from(number as f32 * scale as f32 + offset as f32);
        #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
        let is_narrow = |name: &str, value: f64| match self.array.attributes.types().get(name) {
            Some(dtype) => matches!(dtype, DataType::Float { length: 4, .. }),
            None => f64::from(value as f32).to_bits() == value.to_bits(),
        };
        let is_narrow = is_narrow(PACKING[0], scale) && is_narrow(PACKING[1], offset);
        if is_narrow && narrow.to_bits() != time.to_bits() {
            return Err("packed times are not the same for all readers, so they are not unpacked"
                .to_owned());
        }
        Ok(Value::Float(Float::new(time)))
    }

    /// The array with its times counted in other units, unpacked, in numbers of this type.
    fn counted(&self, to: Units, dtype: &DataType) -> Result<Array, String> {
        let (missing, numbers) = (self.missing(), self.numbers()?);
        let times = self.times()?;
        let element = dtype.length_bytes().unwrap_or_default();
        let fill_value = self.array.fill_value.as_ref();
        let fill_value = fill_value
            .and_then(|fill| value::fill_of(dtype, &value::of_fill(&self.array.dtype, fill)?));
        let mut known: BTreeMap<Instant, Vec<u8>> = BTreeMap::new();
        let mut moved: Vec<u8> = Vec::new();
        for (number, time) in numbers.iter().zip(times) {
            let Some(time) = time else {
                let bytes = value::encode(dtype, number);
                moved.extend(
                    bytes.ok_or("one of them is missing, and other numbers cannot say that")?,
                );
                continue;
            };
            let lost = || format!("{number} in other units would not be exact");
            let since = time.later_by(self.units.epoch - to.epoch).ok_or_else(lost)?;
            if let Some(bytes) = known.get(&since) {
                moved.extend_from_slice(bytes);
                continue;
            }
            let value = match dtype {
                DataType::Float { .. } => {
                    since.float(to.unit).map(|value| Value::Float(Float::new(value)))
                }
                _ => since.whole(to.unit).map(Value::Int),
            };
            let value = value.ok_or_else(lost)?;
            if is_missing(&value, &missing) {
                return Err(format!(
                    "{number} in other units would be {value}, which means that there is none"
                ));
            }
            let bytes = match dtype {
                // To the nearest number of 32 bits, if that is the same time.
                DataType::Float { length: 4, .. } => value::rounded(dtype, &value)
                    .filter(|(_, back)| {
                        Instant::of(back, to.unit, true)
                            .is_some_and(|back| since.is(back.nanoseconds))
                    })
                    .map(|(bytes, _)| bytes),
                _ => value::encode(dtype, &value),
            };
            let bytes = bytes.ok_or_else(lost)?;
            moved.extend_from_slice(&bytes);
            known.insert(since, bytes);
        }
        debug_assert_eq!(moved.len() as u64, element.saturating_mul(numbers.len() as u64));
        let mut attributes = self.array.attributes.clone();
        for name in PACKING {
            attributes.remove(name);
        }
        let array = Array { dtype: dtype.clone(), fill_value, attributes, ..self.array.clone() };
        Ok(if self.is_empty() { array } else { array.with_plain_values(moved.into()) })
    }
}

fn is_missing(number: &Value, missing: &[Value]) -> bool {
    matches!(number, Value::Float(value) if value.get().is_nan())
        || missing.iter().any(|own| value::same_number(own, number))
}

/// Sets a text, or takes out one that `mine` is true of.
fn set(attributes: &mut Attributes, name: &str, text: Option<&str>, mine: impl Fn(&str) -> bool) {
    use chunkref_model::AttributeValue::Text;
    match (attributes.get(name), text) {
        (Some(Text(own)), Some(text)) if own == text => {}
        (_, Some(text)) => attributes.insert(name, text),
        (Some(Text(own)), None) if mine(own) => {
            attributes.remove(name);
        }
        (_, None) => {}
    }
}
