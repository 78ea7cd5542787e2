// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shuffle, filter 2: byte n of every element together. A rest that is no whole element stays at the end.

use super::Fault;

/// The element length of the filter's client data.
pub(crate) fn element_length(values: &[u32]) -> Result<usize, Fault> {
    match values.first().copied().and_then(|length| usize::try_from(length).ok()) {
        Some(length) if length > 0 => Ok(length),
        _ => Err(Fault::unsupported("shuffle without an element length")),
    }
}

/// Applies the filter.
pub(super) fn encode(bytes: &[u8], length: usize) -> Vec<u8> {
    if length < 2 {
        return bytes.to_vec();
    }
    let elements = bytes.chunks_exact(length);
    let rest = elements.remainder();
    let mut output: Vec<u8> = (0..length)
        .flat_map(|plane| elements.clone().filter_map(move |element| element.get(plane).copied()))
        .collect();
    output.extend_from_slice(rest);
    output
}

/// Undoes the filter.
pub(super) fn decode(bytes: &[u8], length: usize) -> Vec<u8> {
    let count = bytes.len().checked_div(length).unwrap_or(0);
    if length < 2 || count == 0 {
        return bytes.to_vec();
    }
    let (whole, rest) = bytes.split_at(count.saturating_mul(length));
    let planes: Vec<&[u8]> = whole.chunks_exact(count).collect();
    let mut output: Vec<u8> = (0..count)
        .flat_map(|element| planes.iter().filter_map(move |plane| plane.get(element).copied()))
        .collect();
    output.extend_from_slice(rest);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_gathered_and_the_rest_kept() {
        assert_eq!(encode(&[1, 2, 3, 4, 5], 2), [1, 3, 2, 4, 5]);
        assert_eq!(decode(&[1, 3, 2, 4, 5], 2), [1, 2, 3, 4, 5]);
        assert_eq!(decode(&[1, 2], 3), [1, 2]);
    }

    #[test]
    fn the_element_length_must_be_there() {
        assert_eq!(element_length(&[8]).unwrap(), 8);
        assert!(element_length(&[]).is_err() && element_length(&[0]).is_err());
    }
}
