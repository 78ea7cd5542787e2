// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the data of variables is.
//!
//! Spec: data of variables without the record dimension lies in one piece each. Records lie behind one another, each with
//! a piece of every record variable, padded to a multiple of 4 bytes; if there is one record variable alone, its pieces
//! are not padded.

use crate::header::Header;
use crate::variable::Variable;

/// How the records of a file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordLayout {
    /// Place of the record dimension in the list of dimensions.
    pub(crate) dimension: Option<usize>,
    /// Records in the file.
    pub(crate) records: u64,
    /// Bytes from one record to the next.
    pub(crate) stride: u64,
}

/// The extent of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Elements along each axis.
    pub(crate) shape: Vec<u64>,
    /// Whether the first axis is that of the records.
    pub(crate) by_record: bool,
    /// Bytes of all of it, or of one record; without padding.
    pub(crate) length: u64,
}

impl RecordLayout {
    /// The layout of the records of a file of `file_length` bytes; `None` when a record is longer than 64 bits count.
    pub(crate) fn new(header: &Header, file_length: u64) -> Option<Self> {
        let dimension = header.dimensions.iter().position(|dimension| dimension.length == 0);
        let by_record: Vec<_> = header
            .variables
            .iter()
            .filter(|variable| {
                dimension.is_some() && variable.dimensions.first().copied() == dimension
            })
            .collect();
        let length = |variable: &Variable| inner_length(header, variable, 1);
        let stride = match by_record.as_slice() {
            [only] => length(only)?,
            all => all.iter().try_fold(0_u64, |sum, variable| {
                sum.checked_add(length(variable)?.checked_next_multiple_of(4)?)
            })?,
        };
        let records = header.records.unwrap_or_else(|| {
            let first = by_record.iter().map(|variable| variable.begin).min();
            let room = file_length.saturating_sub(first.unwrap_or(file_length));
            room.checked_div(stride).unwrap_or(0)
        });
        Some(Self { dimension, records, stride })
    }

    /// The extent of a variable; the error is its reason for having none.
    pub(crate) fn extent(&self, header: &Header, variable: &Variable) -> Result<Extent, String> {
        let is_record = |place: &usize| self.dimension == Some(*place);
        if variable.dimensions.iter().skip(1).any(is_record) {
            return Err("the dimension of the records is not its first".to_owned());
        }
        let by_record = variable.dimensions.first().is_some_and(is_record);
        let shape = variable
            .dimensions
            .iter()
            .filter_map(|place| Some((place, header.dimensions.get(*place)?)))
            .map(
                |(place, dimension)| if is_record(place) { self.records } else { dimension.length },
            )
            .collect();
        let length = inner_length(header, variable, usize::from(by_record))
            .ok_or("it is longer than 64 bits count")?;
        Ok(Extent { shape, by_record, length })
    }
}

/// Bytes of the elements of all axes but the first `skipped`.
fn inner_length(header: &Header, variable: &Variable, skipped: usize) -> Option<u64> {
    let lengths = variable.dimensions.iter().skip(skipped);
    lengths
        .filter_map(|place| header.dimensions.get(*place))
        .try_fold(u64::from(variable.nc_type.length()), |product, dimension| {
            product.checked_mul(dimension.length)
        })
}

#[cfg(test)]
mod tests {
    use chunkref_core::Limits;

    use super::*;
    use crate::header::tests::example;

    fn header(change: impl FnOnce(&mut Header)) -> Header {
        let mut header = Header::parse(&example(), &Limits::default()).unwrap();
        change(&mut header);
        header
    }

    #[test]
    fn one_record_variable_is_not_padded_and_several_are() {
        let one = RecordLayout::new(&header(|_| {}), 0).unwrap();
        assert_eq!((one.records, one.stride), (2, 6));
        let two = header(|header| header.variables.push(header.variables[0].clone()));
        assert_eq!(RecordLayout::new(&two, 0).unwrap().stride, 16);
        let none = header(|header| drop(header.variables.remove(0)));
        assert_eq!(RecordLayout::new(&none, 0).unwrap().stride, 0);
    }

    #[test]
    fn records_of_a_file_that_is_being_written_follow_from_its_length() {
        let streaming = header(|header| header.records = None);
        assert_eq!(RecordLayout::new(&streaming, 216 + 6 * 5 + 3).unwrap().records, 5);
        assert_eq!(RecordLayout::new(&streaming, 10).unwrap().records, 0);
        let none = header(|header| {
            header.records = None;
            header.variables.remove(0);
        });
        assert_eq!(RecordLayout::new(&none, 9999).unwrap().records, 0);
    }

    #[test]
    fn extents_follow_from_shapes() {
        let header = header(|header| header.variables[1].dimensions = vec![1, 0]);
        let layout = RecordLayout::new(&header, 0).unwrap();
        let a = layout.extent(&header, &header.variables[0]).unwrap();
        assert_eq!(a, Extent { shape: vec![2, 3], by_record: true, length: 6 });
        assert!(
            layout.extent(&header, &header.variables[1]).unwrap_err().contains("not its first")
        );
    }
}
