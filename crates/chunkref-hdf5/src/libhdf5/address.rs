// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses of objects, which hdf5-metno keeps to itself.
//!
//! It has no safe way to the number in a token or in an object reference but their `Debug` text. Text of another form
//! than the pinned version writes is an error, never a guess.

use hdf5_metno::{LocationToken, ObjectReference1};

use crate::context::{Address, Context};
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

/// The value of an object reference in a file.
pub(super) fn of_reference(reference: ObjectReference1, context: &Context) -> Value {
    let text = format!("{reference:?}");
    let number = text.split_once("inner: ").and_then(|(_, number)| number.strip_suffix(" }"));
    let Some(Ok(number)) = number.map(str::parse::<u64>) else {
        return Value::Unsupported("a reference of unknown form");
    };
    // libhdf5 sets only as many bytes as the file's addresses have.
    let unused = 64_u32.saturating_sub(u32::from(context.size_of_offsets).saturating_mul(8));
    let all = u64::MAX.checked_shr(unused).unwrap_or(0);
    let address = number & all;
    let id = context.object(Address(address));
    Value::Object((address != 0 && address != all).then_some(id))
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
        let mut context = crate::testing::context();
        assert_eq!(of_reference(reference, &context), Value::Object(Some(context.object(token))));
        assert!(token.0 > 0 && token.0 < 10_000, "{token:?}");
        let low = Address(token.0 & 0xff);
        context.size_of_offsets = 1;
        let id = (low.0 != 0).then_some(context.object(low));
        assert_eq!(of_reference(reference, &context), Value::Object(id));
    }
}
