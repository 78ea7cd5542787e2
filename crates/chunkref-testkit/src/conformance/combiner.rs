// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contract of [`Combiner`].

use std::collections::{BTreeMap, BTreeSet};

use chunkref_core::{CombineErrorKind, CombineOptions, Combiner};
use chunkref_model::{Array, ChunkRef, Dataset};

use super::{Violation, require};

/// References by what they name, with how often each appears.
type References = BTreeMap<(String, u64, u64, Vec<u8>), u64>;

/// Checks a combiner: `inputs` fit together under `options`, in this order; each of `misfits` does not fit to the first
/// input.
///
/// # Errors
/// The first clause that it breaks.
pub fn combiner(
    combiner: &dyn Combiner,
    inputs: &[Dataset],
    options: &CombineOptions,
    misfits: &[Dataset],
) -> Result<(), Violation> {
    let [first, _, ..] = inputs else {
        return require(false, "the suite has samples", || {
            "two inputs at least are needed".to_owned()
        });
    };
    let kind = combiner.combine(&[], options).map(|_| ()).map_err(|error| error.kind);
    require(
        kind == Err(CombineErrorKind::NoInput),
        "no input is an error of kind NoInput",
        || format!("{kind:?}"),
    )?;
    for (number, input) in inputs.iter().enumerate() {
        let alone = attempt(combiner, std::slice::from_ref(input), options, "one input")?;
        let again = attempt(combiner, std::slice::from_ref(&alone), options, "one input again")?;
        require(alone == again, "what is combined combines to itself", || {
            format!("input {number} becomes something else")
        })?;
        check_references(std::slice::from_ref(input), &alone, "alone")?;
    }
    let all = attempt(combiner, inputs, options, "all inputs")?;
    let again = attempt(combiner, inputs, options, "all inputs again")?;
    require(all == again, "the same inputs in the same order give the same result", || {
        "two runs differ".to_owned()
    })?;
    for place in 1..inputs.len() {
        let (head, tail) = inputs.split_at(place);
        let parts = [
            attempt(combiner, head, options, "a head")?,
            attempt(combiner, tail, options, "a tail")?,
        ];
        let grouped = attempt(combiner, &parts, options, "two groups")?;
        require(grouped == all, "grouping does not change the result", || {
            format!("groups split at {place} differ")
        })?;
    }
    check_references(inputs, &all, "as given")?;
    let reversed: Vec<_> = inputs.iter().rev().cloned().collect();
    check_references(
        inputs,
        &attempt(combiner, &reversed, options, "the reverse order")?,
        "in reverse order",
    )?;
    for (number, misfit) in misfits.iter().enumerate() {
        check_misfit(combiner, &[first.clone(), misfit.clone()], options, number)?;
    }
    Ok(())
}

fn attempt(
    combiner: &dyn Combiner,
    inputs: &[Dataset],
    options: &CombineOptions,
    what: &str,
) -> Result<Dataset, Violation> {
    combiner.combine(inputs, options).map_err(|error| Violation {
        clause: "inputs that fit together are combined",
        detail: format!("{what}: {error}"),
    })
}

/// Chunks move by renumbering alone: no reference is changed, made up or left out. Values that are in the references as
/// they are may be put together anew, but none is made up.
fn check_references(inputs: &[Dataset], combined: &Dataset, order: &str) -> Result<(), Violation> {
    for (path, array) in combined.arrays() {
        let Some(there) = elements(array) else { continue };
        let known = inputs.iter().filter_map(|input| input.array(&path)).filter_map(elements);
        let known: BTreeSet<_> = known.flatten().collect();
        // Coordinates may be of no array.
        let made_up = there.iter().find(|element| !known.contains(*element));
        require(made_up.is_none() || known.is_empty(), "no value is made up", || {
            format!("{order}: {path} has {made_up:?}")
        })?;
    }
    let (there, mut wanted) = (references(combined), References::new());
    for input in inputs {
        for (reference, count) in references(input) {
            *wanted.entry(reference).or_default() += count;
        }
    }
    let made_up = there
        .iter()
        .find(|(reference, count)| wanted.get(*reference).is_none_or(|known| known < *count));
    require(made_up.is_none(), "the bytes that a reference names are never changed", || {
        format!("{order}: {made_up:?}")
    })?;
    // A variable without the dimension is the same in all inputs and stays once, so its other copies may be gone; one
    // that is in no output at all may not, unless an equal array stands for it.
    let lost =
        inputs.iter().flat_map(Dataset::arrays).find(|(path, _)| combined.array(path).is_none());
    require(lost.is_none(), "no array is left out", || {
        format!("{order}: {:?}", lost.map(|(path, _)| path))
    })
}

fn check_misfit(
    combiner: &dyn Combiner,
    inputs: &[Dataset],
    options: &CombineOptions,
    number: usize,
) -> Result<(), Violation> {
    let outcome = combiner.combine(inputs, options);
    let Err(error) = outcome else {
        return require(false, "a mismatch is an error", || format!("misfit {number} is combined"));
    };
    let (kind, message) = (error.kind, error.to_string());
    let fits = matches!(kind, CombineErrorKind::Mismatch | CombineErrorKind::Unsupported);
    require(fits, "a mismatch is an error", || format!("misfit {number} is {kind:?}"))?;
    for source in inputs.iter().flat_map(Dataset::sources) {
        require(
            message.contains(&source.location),
            "a mismatch names all inputs at fault",
            || format!("misfit {number}: {} is not in {message:?}", source.location),
        )?;
    }
    Ok(())
}

/// The elements of an array whose values are in the references as they are.
fn elements(array: &Array) -> Option<BTreeSet<Vec<u8>>> {
    let length = usize::try_from(array.dtype.length_bytes()?).ok().filter(|&length| length > 0)?;
    Some(array.plain_values()?.chunks_exact(length).map(<[u8]>::to_vec).collect())
}

/// References of all arrays whose values are not in the references as they are.
fn references(dataset: &Dataset) -> References {
    let mut found = References::new();
    for (_, array) in dataset.arrays() {
        if array.is_plain() {
            continue;
        }
        array.manifest.visit(&mut |_, reference| {
            let key = match reference {
                ChunkRef::Virtual { source, offset, length } => {
                    let location = dataset.source(source).map(|source| source.location.clone());
                    (location.unwrap_or_default(), offset, length, Vec::new())
                }
                ChunkRef::Inline(bytes) => (String::new(), 0, 0, bytes.to_vec()),
                ChunkRef::Missing => return,
            };
            *found.entry(key).or_default() += 1;
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use chunkref_core::CombineError;
    use chunkref_model::{Attributes, ChunkGrid, DataType, ManifestBuilder, Source};

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        None,
        TakesNothing,
        ChangesOne,
        Random,
        Nested,
        Shifts,
        MakesUp,
        LosesArray,
        TakesAnything,
        NamesOne,
        NeverFits,
    }

    /// Puts one-dimensional arrays of one-byte chunks one after another.
    struct Chain(Fault, AtomicU64);

    impl Combiner for Chain {
        fn combine(&self, inputs: &[Dataset], _: &CombineOptions) -> Result<Dataset, CombineError> {
            let error = |kind, message: &str| Err(CombineError::new(kind, message));
            let Some(first) = inputs.first() else {
                if self.0 == Fault::TakesNothing {
                    return Ok(Dataset::new());
                }
                return error(CombineErrorKind::NoInput, "nothing");
            };
            if inputs.len() == 1 {
                let mut alone = first.clone();
                if self.0 == Fault::ChangesOne {
                    // A second time gives more than the first.
                    let before = alone.root.attributes.iter().count();
                    alone.root.attributes.insert(format!("combined {before}"), "yes");
                }
                return Ok(alone);
            }
            let dtypes = |dataset: &Dataset| {
                dataset.arrays().iter().map(|(_, array)| array.dtype.clone()).collect::<Vec<_>>()
            };
            let fits = inputs.iter().all(|input| dtypes(input) == dtypes(first));
            if self.0 == Fault::NeverFits || (!fits && self.0 != Fault::TakesAnything) {
                let names =
                    inputs.iter().flat_map(Dataset::sources).map(|source| source.location.clone());
                let names: Vec<_> =
                    names.take(if self.0 == Fault::NamesOne { 1 } else { 99 }).collect();
                return error(CombineErrorKind::Mismatch, &names.join(" "));
            }
            let mut combined = Dataset::new();
            for (path, array) in first.arrays() {
                let length: u64 = inputs
                    .iter()
                    .filter_map(|input| input.array(&path))
                    .map(|array| array.shape[0])
                    .sum();
                let mut builder = ManifestBuilder::new([length]).unwrap();
                let mut start = 0;
                for input in inputs {
                    let part = input.array(&path).unwrap();
                    part.manifest.visit(&mut |chunk_indices, reference| {
                        let ChunkRef::Virtual { source, offset, length } = reference else {
                            return;
                        };
                        let source = combined.add_source(input.source(source).unwrap().clone());
                        let offset = offset + u64::from(self.0 == Fault::Shifts);
                        builder
                            .push(
                                &[start + chunk_indices[0]],
                                ChunkRef::Virtual { source, offset, length },
                            )
                            .unwrap();
                    });
                    start += part.shape[0];
                }
                let array = Array {
                    shape: vec![length],
                    manifest: builder.finish().unwrap(),
                    ..array.clone()
                };
                combined.root.arrays.insert(path, array);
            }
            match self.0 {
                Fault::Random => {
                    let count = self.1.fetch_add(1, Ordering::SeqCst).to_string();
                    combined.root.attributes.insert("count", count);
                }
                Fault::Nested => {
                    combined.root.attributes.insert("inputs", inputs.len().to_string());
                }
                Fault::MakesUp => {
                    let value = bytes::Bytes::from_static(b"\x09");
                    for array in combined.root.arrays.values_mut() {
                        let shape = array.shape.iter().product::<u64>();
                        let values = value.repeat(usize::try_from(shape).unwrap());
                        *array = array.clone().with_plain_values(values.into());
                    }
                }
                Fault::LosesArray => combined.root.arrays.clear(),
                _ => {}
            }
            Ok(combined)
        }
    }

    fn input(name: &str, dtype: DataType) -> Dataset {
        let mut dataset = Dataset::new();
        let source =
            dataset.add_source(Source { location: format!("memory://{name}"), version: None });
        let mut manifest = ManifestBuilder::new([2]).unwrap();
        for index in 0..2 {
            manifest
                .push(&[index], ChunkRef::Virtual { source, offset: 10 + index, length: 1 })
                .unwrap();
        }
        let array = Array {
            shape: vec![2],
            dimensions: vec!["x".to_owned()],
            dtype,
            fill_value: None,
            chunk_grid: ChunkGrid::regular([1]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.root.arrays.insert("a".to_owned(), array);
        dataset
    }

    #[test]
    fn each_fault_is_found_by_its_clause() {
        let inputs: Vec<_> = ["one", "two", "three"].map(|name| input(name, DataType::Bool)).into();
        let misfits = [input("other", DataType::Raw { length: 1 })];
        let options = CombineOptions::default().with_concat_dimensions(["x"]);
        let check = |fault| combiner(&Chain(fault, AtomicU64::new(0)), &inputs, &options, &misfits);
        check(Fault::None).unwrap();
        for (fault, clause) in [
            (Fault::TakesNothing, "no input is an error of kind NoInput"),
            (Fault::ChangesOne, "what is combined combines to itself"),
            (Fault::Random, "the same inputs in the same order give the same result"),
            (Fault::Nested, "grouping does not change the result"),
            (Fault::TakesAnything, "a mismatch is an error"),
            (Fault::NamesOne, "a mismatch names all inputs at fault"),
            (Fault::NeverFits, "inputs that fit together are combined"),
        ] {
            assert_eq!(check(fault).unwrap_err().clause, clause, "{fault:?}");
        }
        // Two inputs have no groups to differ by, so these faults show where they are.
        for (fault, clause) in [
            (Fault::Shifts, "the bytes that a reference names are never changed"),
            (Fault::LosesArray, "no array is left out"),
        ] {
            let found =
                combiner(&Chain(fault, AtomicU64::new(0)), &inputs[..2], &options, &misfits);
            assert_eq!(found.unwrap_err().clause, clause);
        }
        let plain: Vec<_> = inputs[..2]
            .iter()
            .map(|input| {
                let mut input = input.clone();
                for array in input.root.arrays.values_mut() {
                    *array = array.clone().with_plain_values(bytes::Bytes::from_static(&[1, 2]));
                }
                input
            })
            .collect();
        let found = combiner(&Chain(Fault::MakesUp, AtomicU64::new(0)), &plain, &options, &misfits);
        assert_eq!(found.unwrap_err().clause, "no value is made up");
        let single =
            combiner(&Chain(Fault::None, AtomicU64::new(0)), &inputs[..1], &options, &misfits);
        assert_eq!(single.unwrap_err().clause, "the suite has samples");
    }
}
