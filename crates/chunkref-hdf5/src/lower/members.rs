// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compound types whose members are arrays or compounds, said without either: zarr-python opens structured types of plain
//! fields only. The bytes stay where they are; only their description changes.

use std::collections::HashSet;

use chunkref_core::{FormatOption, OptionType};

use super::datatype::is_complex;
use crate::message::Datatype;
use crate::message::datatype::{Class, Member};
use crate::object::{Dataset, Objects, map_datasets};

/// The option that says what becomes of such members.
pub(crate) const OPTION: FormatOption = FormatOption::new(
    "hdf5.members",
    OptionType::Words(&["skip", "flatten", "bytes"]),
    "compounds with members that are arrays or compounds: left out, a field for each element and each inner member, or such members as bytes",
)
.with_default("skip");

/// Fields of a flattened type at most.
const MOST_FIELDS: usize = 1000;

/// What becomes of members that are arrays or compounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Fields of their own: `a_0`, `a_1` for an array, `a.b` for a compound.
    Flat,
    /// One field of bytes.
    Bytes,
}

impl Form {
    /// From the option's value.
    pub(crate) fn new(value: &str) -> Option<Self> {
        match value {
            "flatten" => Some(Self::Flat),
            "bytes" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// Changes the compound types of all datasets; those that stay as they are get skipped later, with the reason.
pub(crate) fn change(objects: Objects<Dataset>, form: Form) -> Objects<Dataset> {
    map_datasets(objects, |_, mut dataset| {
        change_type(&mut dataset.datatype, form);
        dataset
    })
}

fn change_type(datatype: &mut Datatype, form: Form) {
    if let Class::Array { base, .. } = &mut datatype.class {
        return change_type(base, form);
    }
    if is_complex(datatype) {
        return;
    }
    let Class::Compound { members } = &mut datatype.class else { return };
    let changed = match form {
        Form::Flat => flat(members),
        Form::Bytes => Some(members.iter().map(bytes).collect()),
    };
    if let Some(changed) = changed {
        *members = changed;
    }
}

/// The member, or one of bytes in place of an array or a compound that points to nothing elsewhere.
fn bytes(member: &Member) -> Member {
    let mut member = member.clone();
    let nested = matches!(member.datatype.class, Class::Array { .. } | Class::Compound { .. });
    if nested && !is_complex(&member.datatype) && !points_elsewhere(&member.datatype) {
        member.datatype.class = Class::Opaque { tag: String::new() };
    }
    member
}

/// Whether elements hold addresses of other places of the file, which mean nothing outside of it.
fn points_elsewhere(datatype: &Datatype) -> bool {
    match &datatype.class {
        Class::Reference(_)
        | Class::VariableLengthSequence { .. }
        | Class::VariableLengthString { .. } => true,
        Class::Array { base, .. } => points_elsewhere(base),
        Class::Compound { members } => {
            members.iter().any(|member| points_elsewhere(&member.datatype))
        }
        _ => false,
    }
}

/// Members without arrays and compounds; `None` when they are too many, or two would have the same name.
fn flat(members: &[Member]) -> Option<Vec<Member>> {
    let mut output = Vec::new();
    for member in members {
        add(&mut output, member.name.clone(), member.offset, &member.datatype)?;
    }
    let mut names = HashSet::new();
    output.iter().all(|member| names.insert(member.name.as_str())).then_some(output)
}

fn add(output: &mut Vec<Member>, name: String, offset: u64, datatype: &Datatype) -> Option<()> {
    match &datatype.class {
        Class::Compound { members } if !is_complex(datatype) => {
            for member in members {
                let offset = offset.checked_add(member.offset)?;
                add(output, format!("{name}.{}", member.name), offset, &member.datatype)?;
            }
        }
        Class::Array { shape, base } => {
            let count = shape.iter().try_fold(1_u64, |count, &length| count.checked_mul(length))?;
            if count > MOST_FIELDS as u64 {
                return None;
            }
            for number in 0..count {
                let step = number.checked_mul(u64::from(base.length))?;
                let place = place(number, shape);
                add(output, format!("{name}{place}"), offset.checked_add(step)?, base)?;
            }
        }
        _ => output.push(Member { name, offset, datatype: datatype.clone() }),
    }
    (output.len() <= MOST_FIELDS).then_some(())
}

/// Where element `number` of an array is, as `_0_2`.
fn place(number: u64, shape: &[u64]) -> String {
    let mut rest = number;
    let mut parts: Vec<String> = shape
        .iter()
        .rev()
        .map(|&length| {
            let part = rest.checked_rem(length).unwrap_or(0);
            rest = rest.checked_div(length).unwrap_or(0);
            format!("_{part}")
        })
        .collect();
    parts.reverse();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::datatype::StringPadding;

    fn text(length: u32) -> Datatype {
        Datatype { length, class: Class::String { padding: StringPadding::NulPadded, utf8: false } }
    }

    fn array(shape: &[u64], base: &Datatype) -> Datatype {
        let count = u32::try_from(shape.iter().product::<u64>()).unwrap();
        let class = Class::Array { shape: shape.to_vec(), base: Box::new(base.clone()) };
        Datatype { length: count * base.length, class }
    }

    fn compound(length: u32, members: &[(&str, u64, Datatype)]) -> Datatype {
        let members = members
            .iter()
            .map(|(name, offset, datatype)| Member {
                name: (*name).to_owned(),
                offset: *offset,
                datatype: datatype.clone(),
            })
            .collect();
        Datatype { length, class: Class::Compound { members } }
    }

    fn fields(mut datatype: Datatype, form: Form) -> Vec<(String, u64, u32)> {
        change_type(&mut datatype, form);
        let Class::Compound { members } = datatype.class else { panic!("no compound") };
        let field = |member: Member| (member.name, member.offset, member.datatype.length);
        members.into_iter().map(field).collect()
    }

    #[test]
    fn every_element_and_every_inner_member_gets_its_place() {
        let inner = compound(10, &[("x", 2, text(4)), ("y", 6, text(2))]);
        let outer = compound(
            40,
            &[
                ("a", 0, array(&[2, 2], &text(3))),
                ("pair", 14, array(&[2], &inner)),
                ("z", 38, text(2)),
            ],
        );
        let flat = fields(outer.clone(), Form::Flat);
        let places: Vec<(&str, u64)> =
            flat.iter().map(|(name, offset, _)| (name.as_str(), *offset)).collect();
        assert_eq!(
            places,
            [
                ("a_0_0", 0),
                ("a_0_1", 3),
                ("a_1_0", 6),
                ("a_1_1", 9),
                ("pair_0.x", 16),
                ("pair_0.y", 20),
                ("pair_1.x", 26),
                ("pair_1.y", 30),
                ("z", 38),
            ]
        );
        let bytes = fields(outer, Form::Bytes);
        let lengths: Vec<_> =
            bytes.iter().map(|(name, _, length)| (name.as_str(), *length)).collect();
        assert_eq!(lengths, [("a", 12), ("pair", 20), ("z", 2)]);
    }

    #[test]
    fn repeated_names_and_too_many_fields_change_nothing() {
        let twice = compound(8, &[("a", 0, array(&[2], &text(2))), ("a_1", 4, text(4))]);
        assert_eq!(fields(twice, Form::Flat).len(), 2);
        for shape in [&[1001][..], &[40, 40], &[u64::MAX, 2], &[0, u64::MAX]] {
            let long = Datatype {
                length: 9,
                class: Class::Array { shape: shape.to_vec(), base: Box::new(text(1)) },
            };
            let members = fields(compound(9, &[("a", 0, long)]), Form::Flat);
            assert!(members.len() <= 1, "{shape:?}");
        }
    }

    #[test]
    fn addresses_do_not_become_bytes() {
        let sequence = Datatype {
            length: 16,
            class: Class::VariableLengthSequence { base: Box::new(text(1)) },
        };
        let mut datatype = compound(16, &[("a", 0, compound(16, &[("b", 0, sequence)]))]);
        let before = datatype.clone();
        change_type(&mut datatype, Form::Bytes);
        assert_eq!(datatype, before);
    }
}
