// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stored chunks, decoded.

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{Codecs, DecodeContext};

/// The longest chunk that is asked for, in bytes.
const MOST: usize = 1 << 16;

/// Any decoder: the first byte chooses it, the next two are what the chunk may have in bytes, the fourth one chooses the
/// configuration. What comes out is an error or no longer than that.
pub fn codecs(data: &[u8]) {
    let [choice, low, high, shape, stored @ ..] = data else { return };
    let entries = Codecs::linked().map(Codecs::entries).unwrap_or_default();
    let Some(entry) = entries.get(usize::from(*choice) % entries.len().max(1)) else { return };
    let name = entry.name;
    let most = usize::from(u16::from_le_bytes([*low, *high])).min(MOST);
    let codec = configured(name, *shape);
    let stored = Bytes::copy_from_slice(stored);
    if let Ok(decoded) =
        chunkref_read::decode(&[codec], stored.clone(), &DecodeContext::up_to(most))
    {
        // What only reorders bytes or takes a checksum off has no length of its own to check.
        let room = (most + 4).max(stored.len());
        assert!(
            decoded.len() <= room,
            "{name}: {} bytes where {most} are asked for",
            decoded.len()
        );
    }
}

/// Messages of GRIB. What comes out are 8 bytes for each point, and no more than the chunk has.
pub fn grib(data: &[u8]) {
    let stored = Bytes::copy_from_slice(data);
    for name in ["grib", "gribberish"] {
        let decoded =
            chunkref_read::decode(&[Codec::new(name)], stored.clone(), &DecodeContext::up_to(MOST));
        if let Ok(decoded) = decoded {
            assert!(decoded.len() <= MOST + 4, "{} bytes for {MOST}", decoded.len());
            assert_eq!(decoded.len() % 8, 0, "64-bit floats");
        }
    }
}

fn configured(name: &str, shape: u8) -> Codec {
    let codec = Codec::new(name);
    let length = 1_u64 << (shape & 7);
    match name {
        "shuffle" => codec.with("elementsize", length),
        "imagecodecs_szip" => codec
            .with("options_mask", u64::from(shape))
            .with("pixels_per_block", length)
            .with("bits_per_pixel", u64::from(shape >> 3))
            .with("pixels_per_scanline", length * 4),
        "imagecodecs_bitshuffle" => {
            codec.with("itemsize", length).with("blocksize", u64::from(shape >> 3) * 8)
        }
        "astype" => codec.with("encode_dtype", "<f4").with("decode_dtype", "<f4"),
        _ => codec,
    }
}
