// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far apart two arrays are.

use std::fmt;

use chunkref_model::DataType;

use crate::value::{Value, values};

/// Where two arrays of one shape differ most.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The largest difference of two numbers; `None` for text, and where only one of them is a number.
    pub most: Option<f64>,
    /// Where it is; the first place of several.
    pub place: Vec<u64>,
    /// Both values there, in words.
    pub values: [String; 2],
    /// Elements that differ.
    pub count: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(most) = self.most {
            write!(formatter, "at most {most:e}, ")?;
        }
        let [one, other] = &self.values;
        write!(formatter, "at {:?} ({one} and {other}), in {} elements", self.place, self.count)
    }
}

/// Where values in C order differ most, each with its type; `None` where they are equal, or are not of one shape or of a
/// type that can be compared.
///
/// ```
/// use chunkref_combine::largest_difference;
/// use chunkref_model::DataType;
///
/// let dtype = DataType::UInt { length: 1, order: chunkref_model::ByteOrder::Little };
/// let found = largest_difference((&dtype, &[1, 2, 3, 4]), (&dtype, &[1, 2, 9, 5]), &[2, 2]).unwrap();
/// assert_eq!(found.to_string(), "at most 6e0, at [1, 0] (3 and 9), in 2 elements");
/// ```
#[must_use]
pub fn largest_difference(
    one: (&DataType, &[u8]),
    other: (&DataType, &[u8]),
    shape: &[u64],
) -> Option<Difference> {
    let width = |dtype: &DataType| usize::try_from(dtype.length_bytes()?).ok();
    let [left, right] = [one, other].map(|(dtype, bytes)| Some(bytes.chunks_exact(width(dtype)?)));
    let (left, right) = (left?, right?);
    if left.len() != right.len() {
        return None;
    }
    let mut found: Option<(usize, Option<f64>, [Value; 2])> = None;
    let mut count = 0;
    for (number, (a, b)) in left.zip(right).enumerate() {
        // Most elements are equal, and need not be decoded for that.
        if a == b && one.0 == other.0 {
            continue;
        }
        let (a, b) = (values(one.0, a)?.pop()?, values(other.0, b)?.pop()?);
        if a == b {
            continue;
        }
        count += 1;
        let apart = apart(&a, &b);
        let further = match &found {
            None => true,
            Some((_, most, _)) => apart.unwrap_or(f64::INFINITY) > most.unwrap_or(f64::INFINITY),
        };
        if further {
            found = Some((number, apart, [a, b]));
        }
    }
    let (number, most, pair) = found?;
    let mut rest = number as u64;
    let mut place: Vec<u64> = Vec::new();
    for &length in shape.iter().rev() {
        place.push(rest.checked_rem(length)?);
        rest = rest.checked_div(length)?;
    }
    place.reverse();
    Some(Difference { most, place, values: pair.map(|value| value.to_string()), count })
}

fn apart(a: &Value, b: &Value) -> Option<f64> {
    let apart = match (a, b) {
        #[expect(clippy::cast_precision_loss, reason = "shown to people")]
        (Value::Int(a), Value::Int(b)) => (a - b).unsigned_abs() as f64,
        (Value::Float(a), Value::Float(b)) => (a.get() - b.get()).abs(),
        _ => return None,
    };
    apart.is_finite().then_some(apart)
}
