// SPDX-License-Identifier: MIT OR Apache-2.0
//! Codecs undone: those whose stored form is the format of a well-known library.

use std::io::Read;

use bytes::Bytes;
use chunkref_core::{DecodeError, DecoderEntry, inventory};
use chunkref_model::Codec;

inventory::submit! {
    DecoderEntry { codec: "zlib", decode: |_, stored, most| all(flate2::read::ZlibDecoder::new(&**stored), most) }
}
inventory::submit! {
    DecoderEntry { codec: "gzip", decode: |_, stored, most| all(flate2::read::MultiGzDecoder::new(&**stored), most) }
}
inventory::submit! {
    DecoderEntry { codec: "bz2", decode: |_, stored, most| all(bzip2::read::MultiBzDecoder::new(&**stored), most) }
}
inventory::submit! {
    DecoderEntry { codec: "zstd", decode: zstd }
}
inventory::submit! {
    DecoderEntry { codec: "shuffle", decode: unshuffle }
}
inventory::submit! {
    DecoderEntry { codec: "fletcher32", decode: fletcher32 }
}

/// The codecs that are undone, by their names in Zarr v2 metadata.
pub(crate) fn known() -> String {
    let mut names: Vec<_> = DecoderEntry::all().map(|entry| entry.codec).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Whether there is a decoder for each codec. One may still refuse a chunk, or a configuration.
#[must_use]
pub fn can_decode(codecs: &[Codec]) -> bool {
    unknown(codecs).is_none()
}

pub(crate) fn unknown(codecs: &[Codec]) -> Option<&Codec> {
    codecs.iter().find(|codec| DecoderEntry::linked(codec.name()).is_none())
}

/// Bytes that a codec may make of what is before it, more than there were: headers, checksums and tables.
const SLACK: usize = 4096;

/// Undoes `codecs` on the bytes of a chunk, the last one first. `length` is what the chunk has in elements' bytes; a chunk
/// that says it has more is damaged, so that a small file does not fill the memory. Between two codecs there may be an
/// eighth more, by which an encoder makes longer what does not shrink.
///
/// # Errors
/// What is wrong with the chunk, or that there is no decoder.
pub fn decode(codecs: &[Codec], stored: Bytes, length: usize) -> Result<Bytes, DecodeError> {
    let between = length.saturating_add(length >> 3).saturating_add(SLACK);
    let decoded = codecs.iter().enumerate().rev().try_fold(stored, |bytes, (place, codec)| {
        let room = if place == 0 { length } else { between };
        let name = codec.name();
        let missing = || DecodeError::Unsupported(format!("{name} cannot be undone"));
        let entry = DecoderEntry::linked(name).ok_or_else(missing)?;
        (entry.decode)(codec, &bytes, room).map_err(|error| match error {
            DecodeError::Damaged(reason) => {
                DecodeError::Damaged(format!("{name} data are damaged: {reason}"))
            }
            DecodeError::Unsupported(reason) => {
                DecodeError::Unsupported(format!("{name} data cannot be decoded: {reason}"))
            }
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

fn zstd(_codec: &Codec, stored: &Bytes, most: usize) -> Result<Bytes, DecodeError> {
    let decoder = ruzstd::decoding::StreamingDecoder::new(&**stored);
    all(decoder.map_err(|error| DecodeError::Damaged(error.to_string()))?, most)
}

fn all(decoder: impl Read, room: usize) -> Result<Bytes, DecodeError> {
    let mut bytes = Vec::new();
    let most = (room as u64).saturating_add(1);
    let read = decoder.take(most).read_to_end(&mut bytes);
    read.map_err(|error| DecodeError::Damaged(error.to_string()))?;
    if bytes.len() > room {
        let reason = format!("they hold more than the {room} bytes of a chunk");
        return Err(DecodeError::Damaged(reason));
    }
    Ok(bytes.into())
}

/// Bytes of equal weight lie together; what is left over at the end is as it was.
fn unshuffle(codec: &Codec, bytes: &Bytes, _most: usize) -> Result<Bytes, DecodeError> {
    let element = codec
        .configuration()
        .get("elementsize")
        .map_or(Some(4), |value| value.as_u64().and_then(|value| usize::try_from(value).ok()));
    let element = element
        .filter(|&element| element > 0)
        .ok_or_else(|| DecodeError::damaged("shuffle has no sound elementsize"))?;
    let count = bytes.len().checked_div(element).unwrap_or_default();
    if element == 1 || count < 2 {
        return Ok(bytes.clone());
    }
    let mut plain = bytes.to_vec();
    for (plane, weights) in bytes.chunks_exact(count).take(element).enumerate() {
        let places = plain.iter_mut().skip(plane).step_by(element);
        places.zip(weights).for_each(|(place, &byte)| *place = byte);
    }
    Ok(plain.into())
}

/// A checksum behind the data, as libhdf5 computes it: Fletcher's over big-endian 16-bit words, an odd last byte in the
/// high half.
fn fletcher32(_codec: &Codec, bytes: &Bytes, _most: usize) -> Result<Bytes, DecodeError> {
    let (body, stored) = bytes
        .split_last_chunk::<4>()
        .ok_or_else(|| DecodeError::damaged("there are fewer bytes than the checksum has"))?;
    let (mut sum1, mut sum2) = (0_u32, 0_u32);
    for word in body.chunks(2) {
        let high = word.first().copied().unwrap_or_default();
        let low = word.get(1).copied().unwrap_or_default();
        sum1 = sum1.saturating_add(u32::from(u16::from_be_bytes([high, low]))) % 65535;
        sum2 = sum2.saturating_add(sum1) % 65535;
    }
    let (stored, computed) = (u32::from_le_bytes(*stored), sum2 << 16 | sum1);
    if stored == computed {
        Ok(bytes.slice(..body.len()))
    } else {
        let reason = format!("the checksum is {stored:#010x}, that of the data {computed:#010x}");
        Err(DecodeError::Damaged(reason))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_codec_is_undone() {
        let data: Vec<u8> = (0..200_u8).collect();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&data).unwrap();
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(&data).unwrap();
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        for (name, stored) in [
            ("zlib", zlib(&data)),
            ("gzip", gzip.finish().unwrap()),
            ("bz2", bz2.finish().unwrap()),
            ("zstd", ruzstd::encoding::compress_to_vec(&*data, level)),
        ] {
            let codecs = [Codec::new(name)];
            assert_eq!(decode(&codecs, stored.clone().into(), 200).unwrap(), data, "{name}");
            let less = decode(&codecs, stored.clone().into(), 190).unwrap_err();
            assert!(less.to_string().contains("more than the 190 bytes"), "{name}: {less}");
            let half = stored.get(..stored.len() / 2).unwrap().to_vec();
            assert!(
                decode(&codecs, half.into(), 200).unwrap_err().to_string().contains(name),
                "{name}"
            );
        }
        assert!(!can_decode(&[Codec::new("zlib"), Codec::new("blosc")]));
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
}
