// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs of arrays, undone by the decoders that are linked in: those of `chunkref-codecs`, and of formats.

use bytes::Bytes;
use chunkref_codecs as _;
use chunkref_core::{CodecEntry, Codecs, DecodeContext, DecodeError};
use chunkref_model::Codec;

use crate::ReadError;

/// The codecs that are undone, by their names in Zarr v2 metadata.
fn known(codecs: &Codecs) -> String {
    codecs.entries().iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

/// Whether there is a decoder for each codec. One may still refuse a chunk, or a configuration.
#[must_use]
pub fn can_decode(codecs: &[Codec]) -> bool {
    codecs.iter().all(|codec| entry(codec).is_some())
}

/// An error unless there is a decoder for each codec of the array at `path`.
pub(crate) fn check(path: &str, codecs: &[Codec]) -> Result<(), ReadError> {
    if codecs.is_empty() {
        return Ok(());
    }
    let linked = Codecs::linked().map_err(ReadError::Codecs)?;
    match codecs.iter().find(|codec| linked.by_name(codec.name()).is_none()) {
        None => Ok(()),
        Some(codec) => Err(ReadError::UnknownCodec {
            array: path.to_owned(),
            codec: codec.name().to_owned(),
            known: known(linked),
        }),
    }
}

/// Whether a chunk behind these codecs is a message of its own, which other references may read parts of; `None` when there
/// is no decoder of one of the codecs, so that it is not known.
#[must_use]
pub fn are_messages(codecs: &[Codec]) -> Option<bool> {
    let entries: Option<Vec<_>> = codecs.iter().map(entry).collect();
    entries.map(|entries| entries.iter().any(|entry| entry.is_message))
}

fn entry(codec: &Codec) -> Option<&'static CodecEntry> {
    Codecs::linked().ok()?.by_name(codec.name())
}

/// Bytes that a codec may make of what is before it, more than there were: headers, checksums and tables.
const SLACK: usize = 4096;

/// Undoes `codecs` on the bytes of a chunk, the last one first. The context says what the chunk has in elements' bytes; a
/// chunk that says it has more is damaged, so that a small file does not fill the memory. Between two codecs there may be
/// an eighth more, by which an encoder makes longer what does not shrink.
///
/// # Errors
/// What is wrong with the chunk, that there is no decoder, or that the work was ended.
pub fn decode(
    codecs: &[Codec],
    stored: Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let linked = Codecs::linked().map_err(|error| DecodeError::unsupported(error.to_string()))?;
    let length = context.max_bytes();
    let between = length.saturating_add(length >> 3).saturating_add(SLACK);
    let decoded = codecs.iter().enumerate().rev().try_fold(stored, |bytes, (place, codec)| {
        let room = if place == 0 { length } else { between };
        let name = codec.name();
        let missing = || DecodeError::Unsupported(format!("{name} cannot be undone"));
        let entry = linked.by_name(name).ok_or_else(missing)?;
        entry.decode(codec, &bytes, &context.with_max_bytes(room)).map_err(|error| match error {
            DecodeError::Damaged(reason) => {
                DecodeError::Damaged(format!("{name} data are damaged: {reason}"))
            }
            DecodeError::Unsupported(reason) => {
                DecodeError::Unsupported(format!("{name} data cannot be decoded: {reason}"))
            }
            ended => ended,
        })
    })?;
    // Codecs that only move bytes take what they get.
    if decoded.len() > length && !codecs.is_empty() {
        let reason =
            format!("the chunk has {} bytes where it has room for {length}", decoded.len());
        return Err(DecodeError::Damaged(reason));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use chunkref_core::{Cancellation, Cancelled};

    use super::*;

    fn decode(codecs: &[Codec], stored: Bytes, length: usize) -> Result<Bytes, DecodeError> {
        super::decode(codecs, stored, &DecodeContext::up_to(length))
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        chunkref_codecs::zlib::encode(data, 1).unwrap()
    }

    #[test]
    fn every_codec_is_undone() {
        let data: Vec<u8> = (0..200_u8).collect();
        for (name, stored) in [
            ("zlib", zlib(&data)),
            ("gzip", chunkref_codecs::gzip::encode(&data, 1).unwrap()),
            ("bz2", chunkref_codecs::bzip2::encode(&data, 1).unwrap()),
            ("zstd", chunkref_codecs::zstd::encode(&data)),
        ] {
            let codecs = [Codec::new(name)];
            assert_eq!(decode(&codecs, stored.clone().into(), 200).unwrap(), data, "{name}");
            let less = decode(&codecs, stored.clone().into(), 190).unwrap_err();
            assert!(less.to_string().contains("more than 190 bytes"), "{name}: {less}");
            let half = stored.get(..stored.len() / 2).unwrap().to_vec();
            assert!(
                decode(&codecs, half.into(), 200).unwrap_err().to_string().contains(name),
                "{name}"
            );
        }
        assert!(can_decode(&[Codec::new("zlib"), Codec::new("blosc")]));
        assert!(!can_decode(&[Codec::new("zlib"), Codec::new("unheard of")]));
    }

    #[test]
    fn what_has_no_decoder_may_be_a_message() {
        assert_eq!(are_messages(&[]), Some(false));
        assert_eq!(are_messages(&[Codec::new("zlib"), Codec::new("shuffle")]), Some(false));
        assert_eq!(are_messages(&[Codec::new("zlib"), Codec::new("unheard of")]), None);
    }

    #[test]
    fn a_pipeline_is_undone_from_its_end() {
        // Two big-endian words 0x0102 0x0304 and a byte over; the checksum of what lies before it.
        let shuffled = [1, 3, 2, 4, 9];
        let (mut one, mut two) = (0_u32, 0_u32);
        for word in [0x0103, 0x0204, 0x0900] {
            one = (one + word) % 65535;
            two = (two + one) % 65535;
        }
        let checked = [&shuffled[..], &(two << 16 | one).to_le_bytes()].concat();
        let codecs = [
            Codec::new("shuffle").with("elementsize", 2),
            Codec::new("fletcher32"),
            Codec::new("zlib"),
        ];
        assert_eq!(decode(&codecs, zlib(&checked).into(), 5).unwrap(), [1, 2, 3, 4, 9][..]);
        let long = decode(&codecs, zlib(&checked).into(), 4).unwrap_err();
        assert!(long.to_string().contains("5 bytes where it has room for 4"), "{long}");
        let wrong = [&shuffled[..], &[0; 4]].concat();
        assert!(
            decode(&codecs, zlib(&wrong).into(), 5).unwrap_err().to_string().contains("checksum")
        );
    }

    #[test]
    fn an_ended_work_is_no_damage() {
        let ended = Cancellation::when(|| Some(Cancelled::Stopped));
        let codecs = [Codec::new("shuffle"), Codec::new("zlib")];
        let stored = zlib(&[0; 100]).into();
        let outcome = super::decode(&codecs, stored, &DecodeContext::new(100, &ended));
        assert_eq!(outcome, Err(DecodeError::Cancelled(Cancelled::Stopped)));
    }
}
