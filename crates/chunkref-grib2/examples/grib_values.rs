// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decodes messages for the judge `tests/python/grib_values`.
//!
//! Standard input has messages, each behind its length as a little-endian `u32`. Standard output has for each of them the
//! bytes that follow, as a little-endian `i64`: of its values, as 64-bit floats, or with a minus sign of the reason why there
//! are none. With an argument N the least time of N is written instead, in seconds, as a 64-bit float.

use std::io::{self, Read, Write};
use std::time::Instant;

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{Codecs, DecodeContext};
use chunkref_grib2 as _;

fn main() -> io::Result<()> {
    let times: Option<u32> = std::env::args().nth(1).and_then(|times| times.parse().ok());
    let codecs = Codecs::linked().map_err(io::Error::other)?;
    let entry = codecs.by_name("grib").ok_or_else(|| io::Error::other("no codec"))?;
    let codec = Codec::new("grib");
    let context = DecodeContext::up_to(1 << 31);
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    loop {
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return output.flush(),
            read => read?,
        }
        let mut message = Vec::new();
        input.by_ref().take(u32::from_le_bytes(length).into()).read_to_end(&mut message)?;
        let message = Bytes::from(message);
        let decoded = entry.decode(&codec, &message, &context).map_err(|error| error.to_string());
        match (decoded, times) {
            (Ok(values), None) => {
                output.write_all(&i64::try_from(values.len()).unwrap_or(0).to_le_bytes())?;
                output.write_all(&values)?;
            }
            (Ok(_), Some(times)) => {
                let mut least = f64::INFINITY;
                for _ in 0..times {
                    let start = Instant::now();
                    let decoded = entry.decode(&codec, &message, &context);
                    least = least.min(start.elapsed().as_secs_f64());
                    drop(decoded);
                }
                output.write_all(&8_i64.to_le_bytes())?;
                output.write_all(&least.to_le_bytes())?;
            }
            (Err(reason), _) => {
                let length = i64::try_from(reason.len()).unwrap_or(0);
                output.write_all(&(-length).to_le_bytes())?;
                output.write_all(reason.as_bytes())?;
            }
        }
    }
}
