// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file's description may still cost, counted before anything is made.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chunkref_core::model::SourceId;
use chunkref_core::{Cancellation, Limits, ScanOptions};

use super::codec::Decoder;
use crate::error::{Grib2Error, Result};
use crate::grid_axes;
use crate::section::grid_definition::GridDefinition;

/// Latitudes of rows and longitudes of columns.
pub(super) type GridAxes = Option<(Vec<f64>, Vec<f64>)>;

/// What all of a file's fields are lowered with.
pub(super) struct Budget<'a> {
    pub(super) source: SourceId,
    pub(super) decoder: Decoder,
    limits: &'a Limits,
    cancellation: &'a Cancellation,
    inline_bytes: u64,
    objects: u64,
    axes: HashMap<*const GridDefinition, Arc<GridAxes>>,
    numbers: HashMap<String, u64>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(source: SourceId, decoder: Decoder, options: &'a ScanOptions) -> Self {
        let (limits, cancellation) = (&options.limits, &options.cancellation);
        let (axes, numbers) = Default::default();
        Self { source, decoder, limits, cancellation, inline_bytes: 0, objects: 0, axes, numbers }
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

    /// The axes of a grid, computed once.
    pub(super) fn axes(&mut self, grid: &Arc<GridDefinition>) -> Result<Arc<GridAxes>> {
        if let Some(axes) = self.axes.get(&Arc::as_ptr(grid)) {
            return Ok(Arc::clone(axes));
        }
        self.cancellation.check()?;
        let axes = Arc::new(grid_axes::axes(grid));
        self.axes.insert(Arc::as_ptr(grid), Arc::clone(&axes));
        Ok(axes)
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
