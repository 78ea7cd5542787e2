// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codec `delta` of numcodecs: the first value, and of each other one the difference to the one before.
//!
//! Source: `numcodecs/delta.py`. Integers of 1, 2, 4 and 8 bytes are covered, stored as the type that they are of.

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{
    CodecEntry, CodecInput, DecodeContext, DecodeError, EncodeError, LengthChange, inventory,
};

/// The codec.
pub static ENTRY: CodecEntry = CodecEntry::new("delta", decode)
    .with_input(CodecInput::Elements)
    .with_length(LengthChange::None)
    .with_encode(encode);

inventory::submit! { ENTRY }

/// Elements between two looks at whether the work is still wanted.
const PIECE: usize = 4096;

/// Bytes of an element and whether they are in big-endian order, of settings that are covered.
fn element(codec: &Codec) -> Result<(usize, bool), String> {
    let text = |name: &str| {
        codec.configuration().get(name).and_then(|value| value.as_str()).map(str::to_owned)
    };
    let dtype = text("dtype").ok_or("it has no dtype")?;
    if text("astype").is_some_and(|astype| astype != dtype) {
        return Err(format!("differences are stored as another type than {dtype}"));
    }
    let mut letters = dtype.chars();
    let order = letters.next();
    match (order, letters.next(), letters.as_str().parse()) {
        (Some('<' | '>' | '|'), Some('i' | 'u'), Ok(bytes @ (1 | 2 | 4 | 8))) => {
            Ok((bytes, order == Some('>')))
        }
        _ => Err(format!("values of type {dtype} are not covered")),
    }
}

fn decode(
    codec: &Codec,
    stored: &Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let (bytes, big) = element(codec).map_err(DecodeError::unsupported)?;
    let mut values = stored.to_vec();
    let mut sum = 0_u64;
    for piece in values.chunks_mut(bytes * PIECE) {
        context.cancellation().check()?;
        for value in piece.chunks_exact_mut(bytes) {
            sum = sum.wrapping_add(number(value, big));
            store(value, sum, big);
        }
    }
    Ok(values.into())
}

fn encode(codec: &Codec, plain: &Bytes) -> Result<Bytes, EncodeError> {
    let (bytes, big) = element(codec).map_err(EncodeError)?;
    let mut values = plain.to_vec();
    let mut before = 0_u64;
    for value in values.chunks_exact_mut(bytes) {
        let now = number(value, big);
        store(value, now.wrapping_sub(before), big);
        before = now;
    }
    Ok(values.into())
}

/// The bits of an element; higher ones are of no matter, because sums of the lower ones do not depend on them.
fn number(value: &[u8], big: bool) -> u64 {
    let add = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
    if big { value.iter().fold(0, add) } else { value.iter().rev().fold(0, add) }
}

fn store(value: &mut [u8], number: u64, big: bool) {
    let bytes = number.to_le_bytes();
    let length = value.len();
    for (place, byte) in value.iter_mut().enumerate() {
        *byte = bytes[if big { length - 1 - place } else { place }];
    }
}

#[cfg(test)]
mod tests {
    use chunkref_testkit::conformance::{self, CodecSample};

    use super::*;

    #[test]
    fn sums_wrap_as_numpy_lets_them() {
        for (dtype, plain, stored) in [
            ("<i2", vec![5, 0, 3, 0, 255, 255], vec![5, 0, 254, 255, 252, 255]),
            (">u2", vec![0, 5, 0, 3], vec![0, 5, 255, 254]),
            ("|u1", vec![200, 10], vec![200, 66]),
        ] {
            let codec = Codec::new("delta").with("dtype", dtype);
            let (plain, stored) = (Bytes::from(plain), Bytes::from(stored));
            assert_eq!(ENTRY.encode(&codec, &plain).unwrap().unwrap(), stored, "{dtype}");
            let context = DecodeContext::up_to(plain.len());
            assert_eq!(ENTRY.decode(&codec, &stored, &context).unwrap(), plain, "{dtype}");
        }
        let float = Codec::new("delta").with("dtype", "<f4");
        let decoded = ENTRY.decode(&float, &Bytes::new(), &DecodeContext::up_to(0));
        assert!(matches!(decoded, Err(DecodeError::Unsupported(_))));
    }

    #[test]
    fn the_codec_keeps_its_contract() {
        let sample = |name, dtype: &str, plain: Vec<u8>| {
            CodecSample::new(name, Codec::new("delta").with("dtype", dtype), plain)
        };
        let long = (0..1_u32 << 16).flat_map(|number| (number * number).to_le_bytes()).collect();
        let samples = [
            sample("a long chunk", "<i4", long),
            sample("a few bytes", "|u1", vec![1, 2, 250]),
            sample("a part of an element", ">u8", vec![1; 11]),
            // As numcodecs writes it.
            sample("of numcodecs", "<i2", vec![5, 0, 3, 0]).with_stored(vec![5, 0, 254, 255]),
        ];
        conformance::codec(&ENTRY, &samples).unwrap();
    }
}
