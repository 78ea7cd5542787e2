// SPDX-License-Identifier: MIT OR Apache-2.0
//! Dataspace. Spec: HDF5 File Format 3.0, IV.A.2.b.

use chunkref_core::Cursor;

use crate::context::{Context, expect_version};
use crate::error::{Hdf5Error, Result};

/// Highest rank that HDF5 allows.
pub(crate) const MAX_RANK: u8 = 32;

/// The extent of a dataset or attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dataspace {
    /// No elements.
    Null,
    /// A scalar (no axes) or an array.
    Simple {
        /// Elements along each axis.
        shape: Vec<u64>,
        /// Elements that each axis may grow to; `None` without bound. As long as `shape`.
        max_shape: Vec<Option<u64>>,
    },
}

impl Dataspace {
    pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Result<Self> {
        let version = expect_version(cursor, &[1, 2])?;
        let offset = cursor.offset();
        let rank = cursor.u8()?;
        if rank > MAX_RANK {
            let reason = format!("a rank of {rank} is more than HDF5's {MAX_RANK}");
            return Err(Hdf5Error::inconsistent(cursor.structure(), offset, reason));
        }
        let flags = cursor.u8()?;
        if version == 1 {
            cursor.skip(5)?;
        } else if cursor.u8()? == 2 {
            return Ok(Self::Null);
        }
        let shape: Vec<u64> = (0..rank).map(|_| context.length(cursor)).collect::<Result<_>>()?;
        let max_shape = if flags & 1 == 0 {
            shape.iter().copied().map(Some).collect()
        } else {
            let unlimited = u64::MAX
                >> 64_u32.saturating_sub(u32::from(context.size_of_lengths).saturating_mul(8));
            let bound = |length| if length == unlimited { None } else { Some(length) };
            (0..rank).map(|_| Ok(bound(context.length(cursor)?))).collect::<Result<_>>()?
        };
        Ok(Self::Simple { shape, max_shape })
    }

    /// Elements along each axis; empty for a null dataspace too.
    pub(crate) fn shape(&self) -> &[u64] {
        match self {
            Self::Null => &[],
            Self::Simple { shape, .. } => shape,
        }
    }

    /// How many elements there are; `None` when 64 bits do not hold it.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Null => Some(0),
            Self::Simple { shape, .. } if shape.contains(&0) => Some(0),
            Self::Simple { shape, .. } => {
                shape.iter().try_fold(1_u64, |product, &length| product.checked_mul(length))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    fn parse(bytes: &[u8]) -> Result<Dataspace> {
        Dataspace::parse(&mut Cursor::new(bytes, 0, "dataspace"), &context())
    }

    #[test]
    fn versions_and_types() {
        let mut v1 = vec![1, 2, 1, 0, 0, 0, 0, 0];
        for length in [3, 4, 3, u64::MAX] {
            v1.extend(length.to_le_bytes());
        }
        let space = parse(&v1).unwrap();
        assert_eq!(space, Dataspace::Simple { shape: vec![3, 4], max_shape: vec![Some(3), None] });
        assert_eq!(space.count(), Some(12));
        assert_eq!(parse(&[2, 0, 0, 0]).unwrap().count(), Some(1));
        assert_eq!(parse(&[2, 0, 0, 2]).unwrap(), Dataspace::Null);
    }

    #[test]
    fn claims_are_checked() {
        assert!(matches!(parse(&[2, 33, 0, 1]), Err(Hdf5Error::Inconsistent { offset: 1, .. })));
        assert!(matches!(
            parse(&[3, 0, 0, 1]),
            Err(Hdf5Error::UnsupportedVersion { version: 3, .. })
        ));
        assert!(matches!(parse(&[2, 1, 0, 1, 0]), Err(Hdf5Error::Truncated(_))));
        let mut huge = vec![2, 2, 0, 1];
        huge.extend([0xff; 16]);
        assert_eq!(parse(&huge).unwrap().count(), None);
    }
}
