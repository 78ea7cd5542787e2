// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a set, which may be compressed.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use chunkref_core::Limits;

/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How a frame of zstd begins.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Largest window of zstd, as a power of two: 128 MiB, as the tool has it without `--long`.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Whether something begins as a compressed text does.
pub(crate) fn is_packed(head: &[u8]) -> bool {
    head.starts_with(&GZIP) || head.starts_with(&ZSTD)
}

/// The text of what may be compressed. A text that becomes larger than `limits` let it is an error where it does.
pub(crate) fn unpacked<'a>(
    mut packed: impl BufRead + 'a,
    limits: &Limits,
) -> io::Result<Box<dyn Read + 'a>> {
    let head = packed.fill_buf()?;
    let (gzip, zstd) = (head.starts_with(&GZIP), head.starts_with(&ZSTD));
    if !gzip && !zstd {
        return Ok(Box::new(packed));
    }
    let stored = Rc::new(Cell::new(0));
    let counted = Counted { inner: packed, stored: Rc::clone(&stored) };
    let inner: Box<dyn Read + 'a> = if gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(counted))
    } else {
        let mut decoder = zstd::Decoder::with_buffer(counted)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Box::new(decoder)
    };
    Ok(Box::new(Expanding { inner, stored, limits: limits.clone(), made: 0 }))
}

/// Counts the bytes that are taken.
struct Counted<R> {
    inner: R,
    stored: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.stored.set(self.stored.get().saturating_add(count as u64));
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.stored.set(self.stored.get().saturating_add(count as u64));
        self.inner.consume(count);
    }
}

/// A text that must not become much larger than what it is stored as.
struct Expanding<R> {
    inner: R,
    stored: Rc<Cell<u64>>,
    limits: Limits,
    made: u64,
}

impl<R: Read> Read for Expanding<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.made = self.made.saturating_add(count as u64);
        let stored = self.stored.get();
        if self.made > self.limits.expanded_bytes(stored) {
            let (made, limit) = (self.made, self.limits.set_expansion);
            return Err(io::Error::other(format!(
                "{stored} compressed bytes become more than {made}, which the limit set_expansion={limit} does not allow"
            )));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn length(packed: &[u8], limits: &Limits) -> io::Result<u64> {
        io::copy(&mut unpacked(packed, limits)?, &mut io::sink())
    }

    #[test]
    fn bombs_are_refused_and_what_is_dense_is_not() {
        let bomb = vec![b' '; 80 << 20];
        let mut limits = Limits::default();
        limits.set_expansion = 300;
        let zstd = zstd::encode_all(bomb.as_slice(), 3).unwrap();
        for packed in [gzip(&bomb), zstd] {
            let error = length(&packed, &limits).unwrap_err().to_string();
            assert!(error.contains("set_expansion=300"), "{error}");
            assert_eq!(length(&packed, &loose()).unwrap(), 80 << 20);
        }
        limits.set_expansion = 1;
        let small = vec![b' '; 60 << 20];
        assert_eq!(length(&gzip(&small), &limits).unwrap(), 60 << 20);
        assert_eq!(length(&bomb, &limits).unwrap(), 80 << 20);
    }

    fn loose() -> Limits {
        let mut limits = Limits::default();
        limits.set_expansion = u64::MAX;
        limits
    }
}
