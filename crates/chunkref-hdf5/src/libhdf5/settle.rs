// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of two descriptions of one file: libhdf5's instead of the native one, or the native one where libhdf5
//! says the same.

use std::collections::{BTreeMap, BTreeSet};

use super::found::{Found, FoundKind, FoundObject};
use super::transcript::Descriptions;
use super::{build, difference};
use crate::attributes::NamedAttribute;
use crate::context::{Address, Context};
use crate::error::{Hdf5Error, Result};
use crate::object::{Described, Object, ObjectKind, Objects};

/// What libhdf5's word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is taken.
    Source,
    /// Where it is another than the native engine's, neither is taken.
    Witness,
}

/// The description to go on with.
pub(super) fn settle(
    mut native: Objects<Described>,
    mut found: Found,
    descriptions: &Descriptions,
    context: &Context,
    role: Role,
) -> Objects<Described> {
    let known = native.keys().map(|id| id.address);
    let addresses: BTreeSet<Address> = known.chain(found.keys().copied()).collect();
    let mut settled = BTreeMap::new();
    for address in addresses {
        let offset = context.file_offset(address);
        let (ours, theirs) = (native.remove(&context.object(address)), found.remove(&address));
        let built = theirs.map(|theirs| {
            let known = ours.as_ref().and_then(|ours| ours.as_ref().ok());
            theirs.map(|theirs| object(theirs, known, descriptions, context, offset))
        });
        let object = match (role, ours, built) {
            (Role::Source, _, built) => built,
            (Role::Witness, Some(Ok(ours)), Some(Ok(theirs))) => Some(Ok(agreed(ours, &theirs))),
            (Role::Witness, Some(Ok(_)), Some(Err(error))) => {
                Some(Err(disagreement(offset, &[format!("only libhdf5 cannot read it: {error}")])))
            }
            // What cannot be read stays so; what no native link leads to is a difference of links.
            (Role::Witness, ours, _) => ours,
        };
        if let Some(object) = object {
            settled.insert(context.object(address), object);
        }
    }
    settled
}

/// An object as libhdf5 has it.
fn object(
    theirs: FoundObject,
    ours: Option<&Object<Described>>,
    descriptions: &Descriptions,
    context: &Context,
    offset: u64,
) -> Object<Described> {
    let attributes = ours.and_then(|ours| ours.attributes.as_ref().ok());
    let attributes = attributes.map_or(&[][..], Vec::as_slice);
    let attributes = theirs.attributes.map(|theirs| {
        let one = |theirs| build::attribute(theirs, attributes, descriptions, context, offset);
        theirs.into_iter().map(one).collect()
    });
    let kind = match (theirs.kind, ours.map(|ours| &ours.kind)) {
        (FoundKind::Datatype, _) => ObjectKind::Datatype,
        (FoundKind::Group(links), ours) => {
            let ours = match ours {
                Some(ObjectKind::Group(ours)) => Some(ours),
                _ => None,
            };
            let known = ours.and_then(|ours| ours.as_ref().ok()).map_or(&[][..], Vec::as_slice);
            let built = links.and_then(|links| build::links(links, known, context, offset));
            ObjectKind::Group(in_native_words(built, ours))
        }
        (FoundKind::Dataset(dataset), ours) => {
            let ours = match ours {
                Some(ObjectKind::Dataset(ours)) => Some(ours.as_ref()),
                _ => None,
            };
            let known = ours.and_then(|ours| ours.as_ref().ok());
            let built = dataset
                .and_then(|dataset| build::dataset(dataset, known, descriptions, context, offset));
            ObjectKind::Dataset(Box::new(in_native_words(built, ours)))
        }
    };
    Object { offset, attributes, kind }
}

/// What neither engine can read is said as the native one says it: structure and byte.
fn in_native_words<T>(theirs: Result<T>, ours: Option<&Result<T>>) -> Result<T> {
    match (theirs, ours) {
        (Err(_), Some(Err(error))) => Err(error.clone()),
        (theirs, _) => theirs,
    }
}

/// The native object, with an error in the place of everything that libhdf5 says otherwise.
fn agreed(mut ours: Object<Described>, theirs: &Object<Described>) -> Object<Described> {
    let offset = ours.offset;
    let unordered = matches!(ours.kind, ObjectKind::Datatype);
    ours.kind = match (ours.kind, &theirs.kind) {
        (ObjectKind::Datatype, ObjectKind::Datatype) => ObjectKind::Datatype,
        (ObjectKind::Group(ours), ObjectKind::Group(theirs)) => {
            ObjectKind::Group(agree(ours, theirs, offset, |ours, theirs| {
                difference::of_links(ours, theirs)
            }))
        }
        (ObjectKind::Dataset(ours), ObjectKind::Dataset(theirs)) => {
            ObjectKind::Dataset(Box::new(agree(*ours, theirs, offset, difference::of_datasets)))
        }
        (ours, theirs) => {
            let reason = format!(
                "it is {} to the native engine and {} to libhdf5",
                name(&ours),
                name(theirs)
            );
            ObjectKind::Dataset(Box::new(Err(disagreement(offset, &[reason]))))
        }
    };
    ours.attributes = match (ours.attributes, &theirs.attributes) {
        (Ok(ours), Ok(theirs)) => agreed_attributes(ours, theirs, offset, unordered),
        (Ok(_), Err(error)) => {
            Err(disagreement(offset, &[format!("only libhdf5 cannot read them: {error}")]))
        }
        (Err(error), _) => Err(error),
    };
    ours
}

fn agree<T>(
    ours: Result<T>,
    theirs: &Result<T>,
    offset: u64,
    differences: impl FnOnce(&T, &T) -> Vec<String>,
) -> Result<T> {
    let ours = ours?;
    let differences = match theirs {
        Ok(theirs) => differences(&ours, theirs),
        Err(error) => vec![format!("only libhdf5 cannot read it: {error}")],
    };
    if differences.is_empty() { Ok(ours) } else { Err(disagreement(offset, &differences)) }
}

fn agreed_attributes(
    mut ours: Vec<NamedAttribute>,
    theirs: &[NamedAttribute],
    offset: u64,
    unordered: bool,
) -> Result<Vec<NamedAttribute>> {
    let names = |attributes: &[NamedAttribute]| -> Vec<String> {
        let mut names: Vec<String> = attributes.iter().map(|one| one.name.clone()).collect();
        if unordered {
            names.sort();
        }
        names
    };
    let (our_names, their_names) = (names(&ours), names(theirs));
    if our_names != their_names {
        return Err(disagreement(
            offset,
            &[difference::text("names of attributes", &our_names, &their_names)],
        ));
    }
    for one in &mut ours {
        let Some(other) = theirs.iter().find(|other| other.name == one.name) else { continue };
        let value = std::mem::replace(&mut one.value, Err(disagreement(offset, &[])));
        one.value = agree(value, &other.value, one.offset, difference::of_attributes);
    }
    Ok(ours)
}

fn disagreement(offset: u64, differences: &[String]) -> Hdf5Error {
    let reason = format!("the engines disagree: {}", differences.join("; "));
    Hdf5Error::inconsistent("cross-check", offset, reason)
}

fn name(kind: &ObjectKind<Described>) -> &'static str {
    match kind {
        ObjectKind::Group(_) => "a group",
        ObjectKind::Dataset(_) => "a dataset",
        ObjectKind::Datatype => "a datatype",
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::attributes::AttributeValue;
    use crate::message::Dataspace;
    use crate::message::Datatype;
    use crate::message::datatype::{Class, StringPadding};
    use crate::message::link::{Link, LinkTarget};
    use crate::value::Value;

    fn attribute(name: &str, text: &'static str) -> NamedAttribute {
        let class = Class::String { padding: StringPadding::NulPadded, utf8: false };
        let value = AttributeValue {
            datatype: Datatype { length: 4, class },
            dataspace: Dataspace::Simple { shape: vec![], max_shape: vec![] },
            values: vec![Value::Text(Bytes::from_static(text.as_bytes()))],
        };
        NamedAttribute { name: name.to_owned(), offset: 8, value: Ok(value) }
    }

    fn group(attributes: Vec<NamedAttribute>, target: u64) -> Object<Described> {
        let target = LinkTarget::Hard(crate::testing::context().object(Address(target)));
        let links = vec![Link { name: "a".to_owned(), creation_order: None, target }];
        Object { offset: 96, attributes: Ok(attributes), kind: ObjectKind::Group(Ok(links)) }
    }

    #[test]
    fn what_the_engines_agree_on_stays() {
        let ours = || group(vec![attribute("x", "one"), attribute("y", "two")], 5);
        let settled = agreed(ours(), &ours());
        assert!(matches!(&settled.kind, ObjectKind::Group(Ok(links)) if links.len() == 1));
        assert!(settled.attributes.unwrap().iter().all(|one| one.value.is_ok()));
    }

    #[test]
    fn what_no_engine_reads_is_said_in_native_words() {
        let error = |reason| Err::<(), _>(Hdf5Error::inconsistent("heap", 8, reason));
        let words = |result: Result<()>| result.unwrap_err().to_string();
        assert!(words(in_native_words(error("b"), Some(&error("a")))).ends_with(": a"));
        assert!(words(in_native_words(error("b"), Some(&Ok(())))).ends_with(": b"));
        assert!(in_native_words(Ok(()), Some(&error("a"))).is_ok());
    }

    #[test]
    fn a_difference_costs_what_it_is_about() {
        let ours = || group(vec![attribute("x", "one"), attribute("y", "two")], 5);
        let settled = agreed(ours(), &group(vec![attribute("x", "1"), attribute("y", "two")], 5));
        let attributes = settled.attributes.unwrap();
        let error = attributes[0].value.as_ref().unwrap_err().to_string();
        assert!(error.contains("the engines disagree") && error.contains("one"), "{error}");
        assert!(attributes[1].value.is_ok());
        let settled = agreed(ours(), &group(vec![attribute("x", "one")], 6));
        assert!(settled.attributes.is_err());
        assert!(matches!(settled.kind, ObjectKind::Group(Err(_))));
    }
}
