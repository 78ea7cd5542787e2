// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses of objects, which hdf5-metno keeps to itself.
//!
//! It has no safe way to the number in a token or in an object reference but their `Debug` text. Text of another form
//! than the pinned version writes is an error, never a guess.

use hdf5_metno::{LocationToken, ObjectReference1};

use crate::context::Address;
use crate::value::Value;

/// The address in a token: its first 8 bytes, the lowest first.
pub(super) fn of_token(token: LocationToken) -> Option<Address> {
    let text = format!("{token:?}");
    let (_, numbers) = text.split_once('[')?;
    let (numbers, _) = numbers.split_once(']')?;
    let bytes: Vec<u8> =
        numbers.split(", ").map(|number| number.parse().ok()).collect::<Option<_>>()?;
    Some(Address(u64::from_le_bytes(*bytes.first_chunk()?)))
}

/// The value of an object reference in a file with addresses of `length` bytes.
pub(super) fn of_reference(reference: ObjectReference1, length: u8) -> Value {
    let text = format!("{reference:?}");
    let number = text.split_once("inner: ").and_then(|(_, number)| number.strip_suffix(" }"));
    let Some(Ok(number)) = number.map(str::parse::<u64>) else {
        return Value::Unsupported("a reference of unknown form");
    };
    // libhdf5 sets only as many bytes as the file's addresses have.
    let unused = 64_u32.saturating_sub(u32::from(length).saturating_mul(8));
    let all = u64::MAX.checked_shr(unused).unwrap_or(0);
    let address = number & all;
    Value::Object((address != 0 && address != all).then_some(Address(address)))
}

#[cfg(test)]
mod tests {
    use hdf5_metno::File;

    use super::*;

    #[test]
    fn tokens_and_references_name_one_address() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("a.h5")).unwrap();
        file.create_group("g").unwrap();
        let token = of_token(file.loc_info_by_name("g").unwrap().token).unwrap();
        let reference = file.reference::<ObjectReference1>("g").unwrap();
        assert_eq!(of_reference(reference, 8), Value::Object(Some(token)));
        assert!(token.0 > 0 && token.0 < 10_000, "{token:?}");
        let low = Address(token.0 & 0xff);
        assert_eq!(of_reference(reference, 1), Value::Object((low.0 != 0).then_some(low)));
    }
}
