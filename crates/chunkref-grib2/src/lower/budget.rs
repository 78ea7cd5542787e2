// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file's description may still cost, counted before anything is made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chunkref_core::model::SourceId;
use chunkref_core::{Cancellation, Limits, ScanOptions, SkipKind, Skipped};

use super::codec::Decoder;
use super::grid_mapping;
use crate::error::{Grib2Error, Result};
use crate::field::Field;
use crate::points::{self, plane::Plane};
use crate::section::grid_definition::GridDefinition;

/// Where the points of a grid are, as far as rows and columns tell.
#[derive(Debug)]
pub(super) struct Geography {
    /// Latitudes of rows and longitudes of columns.
    pub(super) axes: Option<(Vec<f64>, Vec<f64>)>,
    /// Rows and columns on a map that CF has a mapping for; none where rows alternate.
    pub(super) plane: Option<Plane>,
}

/// What all of a file's fields are lowered with.
pub(super) struct Budget<'a> {
    pub(super) source: SourceId,
    pub(super) decoder: Decoder,
    limits: &'a Limits,
    cancellation: &'a Cancellation,
    inline_bytes: u64,
    objects: u64,
    grids: HashMap<*const GridDefinition, Arc<Geography>>,
    left_out: BTreeMap<*const GridDefinition, Skipped>,
    numbers: HashMap<String, u64>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(source: SourceId, decoder: Decoder, options: &'a ScanOptions) -> Self {
        let (limits, cancellation) = (&options.limits, &options.cancellation);
        let (grids, left_out, numbers) = Default::default();
        let (inline_bytes, objects) = (0, 0);
        Self {
            source,
            decoder,
            limits,
            cancellation,
            inline_bytes,
            objects,
            grids,
            left_out,
            numbers,
        }
    }

    /// Counts bytes of values or attributes that are kept in the description.
    pub(super) fn take_bytes(&mut self, bytes: u64) -> Result<()> {
        self.inline_bytes = self.with_bytes(bytes)?;
        Ok(())
    }

    /// Whether so many values of eight bytes may still be made.
    pub(super) fn check_values(&self, count: u64) -> Result<()> {
        self.with_bytes(count.saturating_mul(8)).map(drop)
    }

    fn with_bytes(&self, bytes: u64) -> Result<u64> {
        let total = self.inline_bytes.saturating_add(bytes);
        let limit = ("inline_bytes", self.limits.inline_bytes);
        Grib2Error::check_limit("file", 0, "bytes stored inline", total, limit)?;
        Ok(total)
    }

    /// Counts a group or an array, and asks whether the scan is still wanted.
    pub(super) fn take_object(&mut self) -> Result<()> {
        self.cancellation.check_at(self.objects)?;
        self.objects = self.objects.saturating_add(1);
        let limit = ("objects", self.limits.objects);
        Grib2Error::check_limit("file", 0, "groups and arrays", self.objects, limit)
    }

    /// Where the points of a grid are, computed once.
    pub(super) fn geography(&mut self, grid: &Arc<GridDefinition>) -> Result<Arc<Geography>> {
        if let Some(known) = self.grids.get(&Arc::as_ptr(grid)) {
            return Ok(Arc::clone(known));
        }
        self.cancellation.check()?;
        let is_plain = !grid.scanning.alternating();
        let lengths = [grid.nx, grid.ny].into_iter().flatten().map(u64::from);
        self.check_values(lengths.fold(0, u64::saturating_add))?;
        let axes = is_plain.then(|| points::axes::axes(grid)).flatten();
        // Only what goes into the references, which are bounded, is computed and kept.
        let has_mapping = is_plain && axes.is_none() && grid_mapping::attributes(grid).is_some();
        let plane = has_mapping.then(|| Plane::new(grid)).flatten();
        let known = Arc::new(Geography { axes, plane });
        self.grids.insert(Arc::as_ptr(grid), Arc::clone(&known));
        Ok(known)
    }

    /// Notes that the coordinates of a grid are left out, once for each grid.
    pub(super) fn leave_out(&mut self, field: &Field, reason: &str) {
        let path = "latitude and longitude";
        let skipped = Skipped::new(path, SkipKind::Array, reason).with_offset(field.offset);
        self.left_out.entry(Arc::as_ptr(&field.grid)).or_insert(skipped);
    }

    /// What was left out.
    pub(super) fn left_out(self) -> Vec<Skipped> {
        let mut all: Vec<_> = self.left_out.into_values().collect();
        all.sort_by_key(|skipped| skipped.offset);
        all
    }

    /// `name`, or `name_2` … where it is taken in the group at `path`.
    pub(super) fn free_name<T>(
        &mut self,
        path: &str,
        taken: &BTreeMap<String, T>,
        name: &str,
    ) -> String {
        if !taken.contains_key(name) {
            return name.to_owned();
        }
        // Where the last search ended: a file may have very many of one name.
        let number = self.numbers.entry(format!("{path}/{name}")).or_insert(1);
        loop {
            *number = number.saturating_add(1);
            let free = format!("{name}_{number}");
            if !taken.contains_key(&free) {
                return free;
            }
        }
    }
}
