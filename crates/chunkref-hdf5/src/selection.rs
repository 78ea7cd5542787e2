// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dataspace selections, as virtual datasets store them. Spec: HDF5 File Format 3.0, VIII.C "Dataspace Selection".

use chunkref_core::Cursor;

use crate::context::{Context, expect_version};
use crate::error::{Hdf5Error, Result};
use crate::message::dataspace::MAX_RANK;

const STRUCTURE: &str = "dataspace selection";

/// Which elements of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    None,
    All,
    /// Boxes, each in C order, one after another in the order of their first elements.
    Boxes(Vec<Region>),
    /// Blocks at regular distances.
    Regular(Vec<Stride>),
    /// Single elements; virtual datasets do not use them.
    Points,
}

/// A box of elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// First element along each axis.
    pub(crate) start: Vec<u64>,
    /// Elements along each axis.
    pub(crate) shape: Vec<u64>,
}

/// Blocks along one axis.
#[expect(clippy::struct_field_names, reason = "the specification's names")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stride {
    pub(crate) start: u64,
    pub(crate) stride: u64,
    /// Blocks; `u64::MAX` without bound.
    pub(crate) count: u64,
    /// Elements of a block.
    pub(crate) block: u64,
}

impl Selection {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let offset = cursor.offset();
        match cursor.u32_le()? {
            0 => skip_body(cursor).map(|()| Self::None),
            1 => Ok(Self::Points),
            2 => parse_hyperslab(cursor, context),
            3 => skip_body(cursor).map(|()| Self::All),
            other => {
                let reason = format!("selection type {other} does not exist");
                Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason))
            }
        }
    }

    /// The selected elements of an array of `shape` as boxes, in C order of their first elements; `None` when they are
    /// more than `limit` or single points. What has no bound of its own ends with the array.
    pub(crate) fn boxes(&self, shape: &[u64], limit: u64) -> Option<Vec<Region>> {
        match self {
            Self::None => Some(Vec::new()),
            Self::All => Some(vec![Region { start: vec![0; shape.len()], shape: shape.to_vec() }]),
            Self::Boxes(boxes) => Some(boxes.clone()),
            Self::Points => None,
            Self::Regular(axes) => {
                let mut merged: Vec<Stride> = axes.clone();
                for (axis, &length) in merged.iter_mut().zip(shape) {
                    axis.clip(length);
                    // Blocks without gaps between them are one.
                    if axis.count == 1 || axis.stride == axis.block {
                        axis.block = axis.block.checked_mul(axis.count)?;
                        axis.count = 1;
                    }
                }
                let total = merged
                    .iter()
                    .try_fold(1_u64, |product, axis| product.checked_mul(axis.count))?;
                if total > limit {
                    return None;
                }
                let mut boxes = vec![Region { start: Vec::new(), shape: Vec::new() }];
                for axis in &merged {
                    let mut next = Vec::new();
                    for region in &boxes {
                        for block in 0..axis.count {
                            let mut region = region.clone();
                            region
                                .start
                                .push(axis.start.checked_add(block.checked_mul(axis.stride)?)?);
                            region.shape.push(axis.block);
                            next.push(region);
                        }
                    }
                    boxes = next;
                }
                Some(boxes)
            }
        }
    }
}

impl Stride {
    /// Bounds what has no bound of its own by an axis of `length` elements.
    fn clip(&mut self, length: u64) {
        let available = length.saturating_sub(self.start);
        if self.block == u64::MAX {
            self.block = available;
        }
        if self.count == u64::MAX {
            let rest = available.checked_sub(self.block);
            self.count = rest.map_or(0, |rest| {
                rest.checked_div(self.stride.max(1)).unwrap_or(0).saturating_add(1)
            });
        }
    }
}

impl Selection {
    /// Whether the selection grows with its array.
    pub(crate) fn is_unlimited(&self) -> bool {
        match self {
            Self::Regular(axes) => {
                axes.iter().any(|axis| axis.count == u64::MAX || axis.block == u64::MAX)
            }
            _ => false,
        }
    }
}

impl Region {
    /// How many elements the box has; `None` when 64 bits do not hold it.
    pub(crate) fn count(&self) -> Option<u64> {
        self.shape.iter().try_fold(1_u64, |product, &length| product.checked_mul(length))
    }

    /// Whether the box lies within an array of `shape`.
    pub(crate) fn fits(&self, shape: &[u64]) -> bool {
        self.start.len() == shape.len()
            && self.start.iter().zip(&self.shape).zip(shape).all(|((&start, &length), &bound)| {
                start.checked_add(length).is_some_and(|end| end <= bound)
            })
    }
}

/// Version, reserved bytes and length of a selection that says nothing more.
fn skip_body(cursor: &mut Cursor<'_>) -> Result<()> {
    Ok(cursor.skip(12)?)
}

fn parse_hyperslab(cursor: &mut Cursor<'_>, context: &Context) -> Result<Selection> {
    let offset = cursor.offset();
    let version = cursor.u32_le()?;
    let (regular, width) = match version {
        1 => {
            cursor.skip(8)?; // reserved, length
            (false, 4)
        }
        2 => {
            cursor.skip(5)?; // flags, length
            (true, 8)
        }
        3 => {
            let flags = cursor.u8()?;
            (flags & 1 != 0, usize::from(cursor.u8()?))
        }
        _ => {
            let version = u8::try_from(version).unwrap_or(u8::MAX);
            return Err(Hdf5Error::UnsupportedVersion { structure: STRUCTURE, offset, version });
        }
    };
    let rank = cursor.u32_le()?;
    if rank == 0 || rank > u32::from(MAX_RANK) || !matches!(width, 2 | 4 | 8) {
        let reason =
            format!("a selection of rank {rank} in numbers of {width} bytes is not possible");
        return Err(Hdf5Error::inconsistent(STRUCTURE, offset, reason));
    }
    let unlimited = u64::MAX >> 64_usize.saturating_sub(width.saturating_mul(8));
    if regular {
        let axes = (0..rank).map(|_| {
            let mut number = || -> Result<u64> { Ok(cursor.uint_le(width)?) };
            let (start, stride, count, block) = (number()?, number()?, number()?, number()?);
            let bound = |value| if value == unlimited { u64::MAX } else { value };
            Ok(Stride { start, stride, count: bound(count), block: bound(block) })
        });
        return Ok(Selection::Regular(axes.collect::<Result<_>>()?));
    }
    let count = cursor.uint_le(if version == 1 { 4 } else { width })?;
    Hdf5Error::check_limit(STRUCTURE, offset, "blocks", count, context.limits.members)?;
    let mut boxes = Vec::new();
    for _ in 0..count {
        let start: Vec<u64> =
            (0..rank).map(|_| Ok(cursor.uint_le(width)?)).collect::<Result<_>>()?;
        let mut shape = Vec::new();
        for &first in &start {
            let last = cursor.uint_le(width)?;
            let length = last.checked_sub(first).and_then(|length| length.checked_add(1));
            shape.push(length.ok_or_else(|| {
                Hdf5Error::inconsistent(
                    STRUCTURE,
                    offset,
                    format!("a block from {first} to {last}"),
                )
            })?);
        }
        boxes.push(Region { start, shape });
    }
    Ok(Selection::Boxes(boxes))
}

/// One mapping of a virtual dataset. Spec: VII, "Global Heap Block for Virtual Datasets".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// The source file; `.` for the virtual dataset's own.
    pub(crate) file: String,
    /// Path of the source dataset.
    pub(crate) dataset: String,
    pub(crate) source: Selection,
    pub(crate) target: Selection,
}

/// All mappings, from the global heap object of a virtual layout.
pub(crate) fn parse_mappings(bytes: &[u8], offset: u64, context: &Context) -> Result<Vec<Mapping>> {
    const STRUCTURE: &str = "virtual dataset mappings";
    let mut cursor = Cursor::new(bytes, offset, STRUCTURE);
    let version = expect_version(&mut cursor, &[0, 1])?;
    let count = context.length(&mut cursor)?;
    Hdf5Error::check_limit(STRUCTURE, offset, "mappings", count, context.limits.members)?;
    crate::context::verify_checksum(bytes, offset, STRUCTURE)?;
    let mut mappings: Vec<Mapping> = Vec::new();
    for _ in 0..count {
        // Version 1 leaves names out that are the file's own or those of an earlier mapping.
        let flags = if version == 1 { cursor.u8()? } else { 0 };
        let file = match flags {
            _ if flags & SAME_FILE != 0 => ".".to_owned(),
            _ if flags & FILE_SHARED != 0 => earlier(&mut cursor, context, &mappings)?.file.clone(),
            _ => text(&mut cursor)?,
        };
        let dataset = match flags {
            _ if flags & DATASET_SHARED != 0 => {
                earlier(&mut cursor, context, &mappings)?.dataset.clone()
            }
            _ => text(&mut cursor)?,
        };
        let source = Selection::parse(&mut cursor, context)?;
        let target = Selection::parse(&mut cursor, context)?;
        mappings.push(Mapping { file, dataset, source, target });
    }
    Ok(mappings)
}

/// Flags of a mapping in lists of version 1.
const FILE_SHARED: u8 = 1;
const DATASET_SHARED: u8 = 2;
const SAME_FILE: u8 = 4;

/// The earlier mapping whose number comes next.
fn earlier<'m>(
    cursor: &mut Cursor<'_>,
    context: &Context,
    mappings: &'m [Mapping],
) -> Result<&'m Mapping> {
    let offset = cursor.offset();
    let number = context.length(cursor)?;
    usize::try_from(number).ok().and_then(|number| mappings.get(number)).ok_or_else(|| {
        let reason = format!("a name is that of mapping {number}, which does not come before");
        Hdf5Error::inconsistent(cursor.structure(), offset, reason)
    })
}

/// NUL-terminated text.
fn text(cursor: &mut Cursor<'_>) -> Result<String> {
    let mut bytes = Vec::new();
    loop {
        match cursor.u8()? {
            0 => return Ok(crate::message::link::lossless(&bytes)),
            byte => bytes.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::lookup3;
    use crate::testing::context;

    fn stride(start: u64, stride: u64, count: u64, block: u64) -> Stride {
        Stride { start, stride, count, block }
    }

    #[test]
    fn every_version_of_a_hyperslab() {
        let mut v1 = vec![2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0];
        for number in [20_u32, 0, 39, 9] {
            v1.extend(number.to_le_bytes());
        }
        let parse = |bytes: &[u8]| Selection::parse(&mut Cursor::new(bytes, 0, "test"), &context());
        let region = Region { start: vec![20, 0], shape: vec![20, 10] };
        assert_eq!(parse(&v1).unwrap(), Selection::Boxes(vec![region]));

        let v3 = [2, 0, 0, 0, 3, 0, 0, 0, 1, 2, 1, 0, 0, 0, 20, 0, 1, 0, 0xff, 0xff, 5, 0];
        assert_eq!(parse(&v3).unwrap(), Selection::Regular(vec![stride(20, 1, u64::MAX, 5)]));
        assert_eq!(
            parse(&[3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap(),
            Selection::All
        );
        assert!(parse(&[9, 0, 0, 0]).is_err());
        assert!(parse(&[2, 0, 0, 0, 3, 0, 0, 0, 1, 3, 1, 0, 0, 0]).is_err(), "numbers of 3 bytes");
    }

    #[test]
    fn blocks_without_gaps_are_one_box() {
        let joined = Selection::Regular(vec![stride(4, 2, 5, 2), stride(0, 1, 1, 3)]);
        let boxes = joined.boxes(&[20, 3], 10).unwrap();
        assert_eq!(boxes, [Region { start: vec![4, 0], shape: vec![10, 3] }]);
        let apart = Selection::Regular(vec![stride(0, 4, 3, 1)]);
        assert_eq!(apart.boxes(&[20], 10).unwrap().len(), 3);
        assert_eq!(apart.boxes(&[20], 2), None);
        let endless = Selection::Regular(vec![stride(3, 4, u64::MAX, 2)]);
        let starts: Vec<_> =
            endless.boxes(&[20], 10).unwrap().iter().map(|region| region.start[0]).collect();
        assert_eq!(starts, [3, 7, 11, 15]);
        assert!(endless.is_unlimited() && endless.boxes(&[4], 10).unwrap().is_empty());
    }

    #[test]
    fn version_1_shares_names() {
        let all = [3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut bytes = vec![1];
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend(b"\x00a.h5\0/d\0");
        bytes.extend([all, all].concat());
        bytes.push(FILE_SHARED | DATASET_SHARED);
        bytes.extend([0; 16]);
        bytes.extend([all, all].concat());
        bytes.extend(b"\x04/own\0");
        bytes.extend([all, all].concat());
        bytes.extend(lookup3(&bytes).to_le_bytes());
        let mappings = parse_mappings(&bytes, 0, &context()).unwrap();
        let names: Vec<_> =
            mappings.iter().map(|one| (one.file.as_str(), one.dataset.as_str())).collect();
        assert_eq!(names, [("a.h5", "/d"), ("a.h5", "/d"), (".", "/own")]);
    }

    #[test]
    fn mappings_are_checksummed() {
        let mut bytes = vec![0];
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(b"a.h5\0/d\0");
        for _ in 0..2 {
            bytes.extend([3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        bytes.extend(lookup3(&bytes).to_le_bytes());
        let mappings = parse_mappings(&bytes, 0, &context()).unwrap();
        assert_eq!((mappings[0].file.as_str(), mappings[0].dataset.as_str()), ("a.h5", "/d"));
        bytes[10] ^= 1;
        assert!(matches!(parse_mappings(&bytes, 0, &context()), Err(Hdf5Error::Checksum { .. })));
    }
}
