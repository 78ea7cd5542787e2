// SPDX-License-Identifier: MIT OR Apache-2.0
//! Arrays of several inputs brought to one form, where their values say that they are the same thing.
//!
//! Much can be told from references alone, and is combined without reading. The rest is read here, once all inputs are
//! known, and only where inputs differ:
//!
//! - small arrays that are stored in different ways, and times in different units, take the form of plain values;
//! - fields that have none of the dimensions (a grid of latitudes, a mask) are compared by value, whatever their size,
//!   codecs and chunks; where they are equal, all inputs name the bytes of the first one, so that they are kept once.

mod content;
mod members;
mod plain;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chunkref_combine::largest_difference;
use chunkref_core::CombineOptions;
use chunkref_model::{Array, Dataset};
use chunkref_read::{Open, ReadError, read_arrays};
use futures::{StreamExt, TryStreamExt, stream};

use super::{CubeError, InputError};
use crate::many::{self, ManyOptions, Workers};
use content::{Content, band_bytes, content, probe};
use members::{
    adopt, all_same, array, change, comparable, forms, last, paths, place, signatures, values_bytes,
};

/// Most bytes that are in memory at one time for comparisons, beyond one band of chunks for each thread.
const MOST_HELD: u64 = 512 << 20;

/// Fields that are looked into at a time.
const FIELDS_AT_A_TIME: usize = 16;

/// An input whose references are known.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) dataset: Arc<Dataset>,
    /// How the objects that it names are opened.
    pub(super) objects: Arc<dyn Open>,
}

/// What failed, and in which input.
pub(super) type Failed = (usize, InputError);

/// How inputs are brought together.
pub(super) struct Agreement<'a> {
    pub(super) options: &'a CombineOptions,
    pub(super) many: ManyOptions,
    pub(super) workers: &'a Workers,
    /// Most bytes of one array that is read to be compared.
    pub(super) limit: u64,
    /// What messages call the inputs.
    pub(super) names: &'a [String],
}

impl Agreement<'_> {
    /// Brings `members` together; the answer says which fields differ although no dimension tells them apart, a line each.
    pub(super) async fn reach(&self, members: &mut [Member]) -> Result<Vec<String>, CubeError> {
        self.make_plain(members).await?;
        let mut notes = Vec::new();
        if self.options.merge {
            self.merge_equal(members).await?;
        }
        if !self.options.concat_dimensions.is_empty() && !self.options.stack_all {
            self.keep_once(members, &mut notes).await?;
            self.keep_along_some(members).await?;
        }
        Ok(notes)
    }

    /// Calls `work` for many arrays at a time; the results in the order of `items`, which name an input and a path.
    async fn each<R, F>(
        &self,
        members: &[Member],
        items: &[(usize, String)],
        held: u64,
        work: impl Fn(Member, String) -> F + Send + Sync + 'static,
    ) -> Result<Vec<R>, Vec<Failed>>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, ReadError>> + Send,
    {
        let open = usize::try_from(MOST_HELD.checked_div(held).unwrap_or(u64::MAX));
        let open = NonZeroUsize::new(open.unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN);
        let open = self.many.open.min(open);
        let own: Vec<_> = items
            .iter()
            .filter_map(|(input, path)| Some((members.get(*input)?.clone(), path.clone())))
            .collect();
        let failed = |place: usize, error| (items.get(place).map_or(0, |item| item.0), error);
        let work = move |(member, path)| work(member, path);
        let mut results = self.workers.for_each(own, open, work);
        let mut found: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let mut faults = Vec::new();
        while let Some((place, outcome)) = results.next().await {
            match outcome {
                Ok(Ok(result)) => {
                    if let Some(slot) = found.get_mut(place) {
                        *slot = Some(result);
                    }
                }
                Ok(Err(error)) => faults.push(failed(place, InputError::Values(error))),
                Err(panic) => {
                    faults.push(failed(place, InputError::Panic(many::panicked(&panic))));
                }
            }
        }
        let all: Option<Vec<R>> = found.into_iter().collect();
        match all {
            Some(all) if faults.is_empty() => Ok(all),
            _ => Err(faults),
        }
    }

    fn failed(&self, members: &[Member], faults: Vec<Failed>) -> CubeError {
        let name = |place: usize| self.names.get(place).cloned().unwrap_or_default();
        let url = |place: usize| {
            let member: Option<&Member> = members.get(place);
            let source = member.and_then(|member| member.dataset.sources().first());
            source.map(|source| source.location.clone()).unwrap_or_default()
        };
        let mut seen = BTreeSet::new();
        let mut failed: Vec<_> = faults
            .into_iter()
            .filter(|(place, _)| seen.insert(*place))
            .map(|(place, error)| super::FailedInput {
                place,
                name: name(place),
                url: url(place),
                error,
            })
            .collect();
        failed.sort_by_key(|input| input.place);
        CubeError::Inputs(failed)
    }

    /// Lets values take the place of the references of arrays that are stored in different ways.
    async fn make_plain(&self, members: &mut [Member]) -> Result<(), CubeError> {
        let wanted = plain::wanted(members, self.options);
        if wanted.is_empty() {
            return Ok(());
        }
        let read = self.each(members, &wanted, plain::MOST_TIMES, |member, path| async move {
            let paths = std::slice::from_ref(&path);
            let read =
                read_arrays(&member.dataset, paths, plain::MOST_TIMES, &*member.objects).await?;
            Ok(read.into_iter().next().unwrap_or_default())
        });
        let read = read.await.map_err(|faults| self.failed(members, faults))?;
        for ((input, path), values) in wanted.into_iter().zip(read) {
            if let Some(member) = members.get_mut(input) {
                change(member, &path, |array| array.with_plain_values(values));
            }
        }
        Ok(())
    }

    /// Fields without any of the dimensions are kept once where they are equal.
    async fn keep_once(
        &self,
        members: &mut [Member],
        notes: &mut Vec<String>,
    ) -> Result<(), CubeError> {
        // An input without a step says nothing of what the others are.
        let is_empty = |input: &usize| {
            let arrays = members.get(*input).map(|member| member.dataset.arrays());
            arrays.unwrap_or_default().iter().any(|(_, array)| {
                let mut axes = array.dimensions.iter().zip(&array.shape);
                axes.any(|(name, &length)| length == 0 && self.is_dimension(name))
            })
        };
        let all = 0..members.len();
        let mut inputs: Vec<usize> = all.clone().filter(|input| !is_empty(input)).collect();
        if inputs.is_empty() {
            inputs = all.collect();
        }
        // Without the dimensions in any input, each is one place along them, and most of its fields differ.
        let scenes = !members
            .iter()
            .any(|member| member.dataset.arrays().iter().any(|(_, array)| self.is_along(array)));
        let mut fields: Vec<(u64, String, Vec<usize>)> = Vec::new();
        for (path, holders) in paths(members, &inputs) {
            let arrays: Vec<&Array> =
                holders.iter().filter_map(|&input| array(members, input, &path)).collect();
            let own = !arrays.iter().any(|array| self.is_along(array));
            if own && holders.len() > 1 && !self.named(&path) && comparable(&arrays) {
                fields.push((values_bytes(&arrays), path, holders));
            }
        }
        // Small ones first, so that one large one does not keep all others from being compared.
        fields.sort();
        // Looks into all fields at once, which are a round each.
        let all: &[Member] = members;
        let looks = fields.into_iter().map(|(bytes, path, holders)| async move {
            let found =
                if scenes { self.promising(all, &path, holders).await? } else { vec![holders] };
            Ok::<_, CubeError>((bytes, path, found))
        });
        let looks: Vec<_> = stream::iter(looks).buffered(FIELDS_AT_A_TIME).try_collect().await?;
        let mut left = self.limit;
        for (bytes, path, holders) in looks {
            for holders in holders.into_iter().filter(|holders| holders.len() > 1) {
                if all_same(members, &path, &holders) {
                    continue;
                }
                let Some(rest) = left.checked_sub(bytes) else {
                    notes.push(self.not_compared(&path, bytes));
                    continue;
                };
                left = rest;
                let kinds = self.unite(members, &path, &holders).await?;
                // The same times in several units are compared when they are counted alike.
                let counted = |input: &usize| array(members, *input, &path).and_then(plain::since);
                let units: BTreeSet<_> = holders.iter().filter_map(counted).collect();
                if let ([first, second, ..], false) = (&*kinds, scenes || units.len() > 1) {
                    notes.push(self.difference(members, &path, *first, *second).await?);
                }
            }
        }
        Ok(())
    }

    /// Small variables along some of the dimensions, such as bounds of times that all members have, where they are equal
    /// in all inputs of one place along these.
    async fn keep_along_some(&self, members: &mut [Member]) -> Result<(), CubeError> {
        let inputs: Vec<usize> = (0..members.len()).collect();
        for (path, holders) in paths(members, &inputs) {
            let arrays: Vec<&Array> =
                holders.iter().filter_map(|&input| array(members, input, &path)).collect();
            let Some(own) = self.own_of_some(&arrays) else { continue };
            let small = arrays
                .iter()
                .all(|array| array.logical_bytes().is_some_and(|bytes| bytes <= plain::MOST_SMALL));
            if self.named(&path) || !small || arrays.iter().all(|array| array.is_plain()) {
                continue;
            }
            let mut groups: BTreeMap<Vec<Option<Vec<u8>>>, Vec<usize>> = BTreeMap::new();
            for &input in &holders {
                groups.entry(place(members, input, &own)).or_default().push(input);
            }
            for holders in groups.into_values().filter(|holders| holders.len() > 1) {
                let arrays: Vec<&Array> =
                    holders.iter().filter_map(|&input| array(members, input, &path)).collect();
                if !comparable(&arrays) {
                    break;
                }
                if all_same(members, &path, &holders) {
                    continue;
                }
                let pair = holders.get(..2).unwrap_or_default();
                // Data of members differ, as a look into two of them tells.
                let differ = signatures(members, &path, &holders).len() > 1
                    || self.probed(members, &path, pair).await?.len() > 1;
                if differ {
                    break;
                }
                self.unite(members, &path, &holders).await?;
            }
        }
        Ok(())
    }

    /// The dimensions of the combination that some of these arrays have, where they have not all.
    fn own_of_some(&self, arrays: &[&Array]) -> Option<Vec<String>> {
        let names = self.options.concat_dimensions.iter().map(|dimension| &dimension.name);
        let has = |name: &&String| arrays.iter().any(|array| array.dimensions.contains(name));
        let own: Vec<String> = names.clone().filter(has).cloned().collect();
        (!own.is_empty() && own.len() < names.len()).then_some(own)
    }

    fn not_compared(&self, path: &str, bytes: u64) -> String {
        let limit = self.limit;
        format!(
            "{path} has none of the dimensions, and is not compared: its values in all inputs have {bytes} bytes, and no \
             more than the limit compared_bytes of {limit} are read for this; each input keeps its own along the dimensions"
        )
    }

    /// Variables that several inputs with the same coordinates have, where they are equal.
    async fn merge_equal(&self, members: &mut [Member]) -> Result<(), CubeError> {
        let names = self.options.concat_dimensions.iter().map(|dimension| dimension.name.clone());
        let names: Vec<String> = names.collect();
        let mut groups: BTreeMap<Vec<Option<Vec<u8>>>, Vec<usize>> = BTreeMap::new();
        for input in 0..members.len() {
            groups.entry(place(members, input, &names)).or_default().push(input);
        }
        for inputs in groups.into_values().filter(|inputs| inputs.len() > 1) {
            for (path, holders) in paths(members, &inputs) {
                let arrays: Vec<&Array> =
                    holders.iter().filter_map(|&input| array(members, input, &path)).collect();
                let few = values_bytes(&arrays) <= self.limit;
                if few && comparable(&arrays) && !all_same(members, &path, &holders) {
                    self.unite(members, &path, &holders).await?;
                }
            }
        }
        Ok(())
    }

    fn is_dimension(&self, name: &str) -> bool {
        self.options.concat_dimensions.iter().any(|dimension| dimension.name == name)
    }

    fn is_along(&self, array: &Array) -> bool {
        array.dimensions.iter().any(|name| self.is_dimension(name))
    }

    /// Whether the options decide about the variable.
    fn named(&self, path: &str) -> bool {
        let mut names = self.options.identical.iter().chain(&self.options.stack);
        names.any(|name| name == path || name == last(path))
    }

    /// Inputs whose stored bytes may be equal: of one length in every chunk, and equal where they are looked into. What
    /// differs in that much is not read.
    async fn promising(
        &self,
        members: &[Member],
        path: &str,
        holders: Vec<usize>,
    ) -> Result<Vec<Vec<usize>>, CubeError> {
        let forms = forms(members, path, &holders);
        let groups = signatures(members, path, &holders);
        // Along one dimension, a field that differs in one input is kept for each.
        let one_for_all = self.options.concat_dimensions.len() == 1;
        if one_for_all && groups.len() > forms.len() {
            return Ok(Vec::new());
        }
        // Bytes that are stored in several ways say nothing.
        if let [[one, ..], [other, ..], ..] =
            forms.iter().map(Vec::as_slice).collect::<Vec<_>>()[..]
        {
            if self.alike(members, path, *one, *other).await? {
                return Ok(vec![holders]);
            }
            if one_for_all {
                return Ok(Vec::new());
            }
        }
        let mut found = Vec::new();
        for group in groups.into_iter().filter(|group| group.len() > 1) {
            let pair = group.get(..2).unwrap_or_default();
            let alike = self.probed(members, path, pair).await?;
            if one_for_all && alike.len() > 1 {
                return Ok(Vec::new());
            }
            found.extend(self.probed(members, path, &group).await?);
        }
        if one_for_all && found.len() > 1 {
            return Ok(Vec::new());
        }
        found.sort();
        Ok(found)
    }

    /// Whether two inputs have equal values in one place.
    async fn alike(
        &self,
        members: &[Member],
        path: &str,
        one: usize,
        other: usize,
    ) -> Result<bool, CubeError> {
        let items = [(one, path.to_owned()), (other, path.to_owned())];
        let values = self.each(members, &items, content::PROBE_BYTES, |member, path| async move {
            content::middle(&member.dataset, &*member.objects, &path).await
        });
        let values = values.await.map_err(|faults| self.failed(members, faults))?;
        Ok(values.first() == values.get(1))
    }

    /// Inputs in groups of those whose bytes are equal in one place.
    async fn probed(
        &self,
        members: &[Member],
        path: &str,
        inputs: &[usize],
    ) -> Result<Vec<Vec<usize>>, CubeError> {
        let items: Vec<_> = inputs.iter().map(|&input| (input, path.to_owned())).collect();
        let probes = self.each(members, &items, content::PROBE_BYTES, |member, path| async move {
            probe(&member.dataset, &*member.objects, &path).await
        });
        let probes = probes.await.map_err(|faults| self.failed(members, faults))?;
        let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
        for (&input, probe) in inputs.iter().zip(probes) {
            alike.entry(probe).or_default().push(input);
        }
        Ok(alike.into_values().collect())
    }

    /// Reads and compares the values of one variable. All inputs with equal values name the bytes of the first of them;
    /// the answer is the first input of each kind of values.
    async fn unite(
        &self,
        members: &mut [Member],
        path: &str,
        holders: &[usize],
    ) -> Result<Vec<usize>, CubeError> {
        let described = holders.first().and_then(|&first| array(members, first, path));
        let held = described.map_or(0, band_bytes);
        let items: Vec<_> = holders.iter().map(|&input| (input, path.to_owned())).collect();
        let contents = self.each(members, &items, held, |member, path| async move {
            content(&member.dataset, &*member.objects, &path).await
        });
        let contents = contents.await.map_err(|faults| self.failed(members, faults))?;
        let mut known: HashMap<Content, usize> = HashMap::new();
        let (mut kinds, mut others) = (Vec::new(), Vec::new());
        for (&input, content) in holders.iter().zip(contents) {
            if let Some(&first) = known.get(&content) {
                others.push((first, input));
            } else {
                known.insert(content, input);
                kinds.push(input);
            }
        }
        // Along one dimension, each input keeps its own when one of them differs.
        if kinds.len() == 1 || self.options.concat_dimensions.len() > 1 {
            for (first, input) in others {
                adopt(members, path, first, input);
            }
        }
        Ok(kinds)
    }

    /// How two inputs differ, in words.
    async fn difference(
        &self,
        members: &[Member],
        path: &str,
        one: usize,
        other: usize,
    ) -> Result<String, CubeError> {
        let items = [(one, path.to_owned()), (other, path.to_owned())];
        let limit = self.limit;
        let read = self.each(members, &items, limit, move |member, path| async move {
            let paths = std::slice::from_ref(&path);
            let values = read_arrays(&member.dataset, paths, limit, &*member.objects).await?;
            Ok(values.into_iter().next().unwrap_or_default())
        });
        let read = read.await.map_err(|faults| self.failed(members, faults))?;
        let name = |input: usize| self.names.get(input).map_or("an input", String::as_str);
        let mut words = format!(
            "{path} is not the same in all inputs, although it has none of the dimensions: {} and {}",
            name(one),
            name(other)
        );
        let found = match (&*read, array(members, one, path), array(members, other, path)) {
            ([a, b], Some(left), Some(right)) => {
                largest_difference((&left.dtype, a), (&right.dtype, b), &left.shape)
            }
            _ => None,
        };
        words.push_str(" differ");
        if let Some(difference) = found {
            let _ = write!(words, " by {difference}");
        }
        words.push_str("; each input keeps its own along the dimensions");
        Ok(words)
    }
}
