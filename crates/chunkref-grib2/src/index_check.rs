// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an index sidecar says of fields, compared with their headers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::{Grib2Error, Result};
use crate::field::Field;
use crate::from_index::{self, Placed};
use crate::message;
use crate::reader::Reader;
use crate::scanner::{self, Grids};

/// Reads the headers of so many of `fields`, one of each parameter in turn, and compares them with what is said of
/// them.
pub(crate) async fn check(
    location: &str,
    reader: &mut Reader<'_>,
    index: &str,
    fields: &[(Placed, Field)],
    count: u64,
    grids: &mut Grids<'_>,
) -> Result<()> {
    let chosen: Vec<_> = samples(fields, location, count)
        .into_iter()
        .filter_map(|sample| fields.get(sample))
        .collect();
    let places: Vec<_> = chosen.iter().map(|(place, _)| *place).collect();
    let found = from_index::read(reader, index, &places).await?;
    let messages = message::read_sections(reader, found).await?;
    for ((place, said), (_, message)) in chosen.into_iter().zip(messages) {
        let contradiction = |reason: String| Grib2Error::Contradiction {
            number: place.number,
            offset: place.offset,
            reason,
            index: index.to_owned(),
        };
        let described = message.map(|message| scanner::describe(&message, grids, 0));
        let mut described = described.map_err(|error| contradiction(error.to_string()))?;
        let count = described.len();
        let field = described.pop().filter(|_| count == 1);
        let Some(field) = field else {
            return Err(contradiction(format!("it has {count} fields, and one by the index")));
        };
        let field = field.map_err(|error| contradiction(error.to_string()))?;
        if let Some(reason) = difference(said, &field).or_else(|| later(said, &field)) {
            return Err(contradiction(reason));
        }
    }
    Ok(())
}

/// Places of so many fields in the list: of each parameter in turn, which are others for another file.
fn samples(fields: &[(Placed, Field)], location: &str, count: u64) -> BTreeSet<usize> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count >= fields.len() {
        return (0..fields.len()).collect();
    }
    let mut parameters: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, (_, field)) in fields.iter().enumerate() {
        let parameter = (field.code, &field.type_of_level, &field.step_type);
        parameters.entry(parameter).or_default().push(index);
    }
    let parameters: Vec<_> = parameters.into_values().collect();
    // The same file is always checked at the same places.
    let mut number = location.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut pick = |from: usize| {
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let place = (number >> 33).checked_rem(from as u64).unwrap_or(0);
        usize::try_from(place).unwrap_or(0)
    };
    let first = pick(parameters.len());
    let mut samples = BTreeSet::new();
    // Twice as many tries as samples: some meet a field that is one already.
    for turn in 0..count.saturating_mul(2) {
        let place = first.saturating_add(turn).checked_rem(parameters.len()).unwrap_or(0);
        let Some(fields) = parameters.get(place) else { break };
        samples.extend(fields.get(pick(fields.len())));
        if samples.len() >= count {
            break;
        }
    }
    samples
}

/// What one field is described by, but for reference time, step and place.
fn description(field: &Field) -> [(&'static str, String); 17] {
    let (discipline, category, number) = field.code;
    let text =
        |value: Option<u16>| value.map_or_else(|| "none".to_owned(), |value| value.to_string());
    [
        ("edition", field.edition.to_string()),
        ("centre", format!("{} {}", field.centre, field.sub_centre)),
        ("parameter", format!("{} ({discipline} {category} {number})", field.parameter.short_name)),
        ("paramId", format!("{:?}", field.parameter.param_id)),
        ("type of level", field.type_of_level.clone()),
        ("level", field.level.to_string()),
        ("second level", field.bottom.map_or_else(|| "none".to_owned(), |level| level.to_string())),
        ("type of step", field.step_type.clone()),
        ("member", text(field.number)),
        ("members", text(field.total_number)),
        ("percentile", text(field.percentile.map(u16::from))),
        ("threshold", format!("{:?}", field.threshold)),
        ("kinds of surfaces and events", format!("{:?}", field.kinds)),
        ("variant", field.variant.clone()),
        ("type of data", field.data_type.clone()),
        ("product template", field.product_template.to_string()),
        ("values of vertical coordinates", field.coordinate_values.to_string()),
    ]
}

/// In what the descriptions of two fields differ, the first one being what is said and the second what is true.
pub(crate) fn difference(said: &Field, real: &Field) -> Option<String> {
    let pairs = description(said).into_iter().zip(description(real));
    for ((name, said), (_, real)) in pairs {
        if said != real {
            return Some(format!(
                "{name} is {real} by its header, and {said} by the index and the template"
            ));
        }
    }
    let is_same = Arc::ptr_eq(&said.grid, &real.grid) || said.grid == real.grid;
    (!is_same).then(|| "its grid is another than that of the template".to_owned())
}

/// In what the times of two fields differ.
fn later(said: &Field, real: &Field) -> Option<String> {
    [
        ("reference time", said.time, real.time),
        ("start of the step", said.step_start, real.step_start),
        ("step", said.step, real.step),
    ]
    .into_iter()
    .find(|(_, said, real)| said != real)
    .map(|(name, said, real)| {
        format!("{name} is {real} seconds by its header, and {said} by the index")
    })
}
