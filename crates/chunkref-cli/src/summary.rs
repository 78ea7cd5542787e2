// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a scan found, in words.

use chunkref::model::Codec;

/// A codec with its plain configuration values: `zlib(level=4)`.
pub(crate) fn codec(codec: &Codec) -> String {
    let values: Vec<_> =
        codec.configuration().iter().map(|(name, value)| format!("{name}={value}")).collect();
    if values.is_empty() {
        codec.name().to_owned()
    } else {
        format!("{}({})", codec.name(), values.join(","))
    }
}

/// Elements along each axis: `24×180`.
pub(crate) fn axes(lengths: &[u64]) -> String {
    if lengths.is_empty() {
        return "scalar".to_owned();
    }
    lengths.iter().map(u64::to_string).collect::<Vec<_>>().join("×")
}

/// Logical by stored bytes, with one decimal.
pub(crate) fn ratio(logical: u64, stored: u64) -> Option<String> {
    if logical == 0 || stored == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let ratio = logical as f64 / stored as f64;
    Some(format!("{ratio:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_in_words() {
        assert_eq!(codec(&Codec::new("zlib").with("level", 4)), "zlib(level=4)");
        assert_eq!(codec(&Codec::new("fletcher32")), "fletcher32");
    }
}
