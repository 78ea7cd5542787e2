// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many stored bytes chunks have.

use std::io::{self, Write};

use chunkref::model::WHOLE_OBJECT;
use chunkref::{ChunkRef, Manifest};

use super::markup::{Column, bar, begin_table, end_table, percent, share};
use crate::table::{bytes, grouped};

/// Chunks by their stored bytes; each class has twice the bytes of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    /// Class 0 has no bytes, class n from 2^(n-1) to below 2^n.
    counts: [u64; 65],
    /// Whole objects whose length is not known.
    pub(super) unknown: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: [0; 65], unknown: 0 }
    }

    /// Adds the chunks of an array.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        manifest.visit_numbers(0..u64::MAX, &mut |_, reference| match reference {
            ChunkRef::Virtual { length: WHOLE_OBJECT, .. } => self.unknown += 1,
            ChunkRef::Virtual { length, .. } => self.count(length),
            ChunkRef::Inline(stored) => self.count(stored.len() as u64),
            ChunkRef::Missing => {}
        });
    }

    fn count(&mut self, length: u64) {
        let class = usize::try_from(u64::BITS - length.leading_zeros()).unwrap_or_default();
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
    }

    /// From the first to the last class that has chunks: least bytes, most bytes, chunks.
    pub(super) fn classes(&self) -> Vec<(u64, u64, u64)> {
        let there = |count: &u64| *count > 0;
        let Some(lowest) = self.counts.iter().position(there) else { return Vec::new() };
        let highest = self.counts.iter().rposition(there).unwrap_or(lowest);
        let bounds = |class: usize| match u32::try_from(class).unwrap_or(0) {
            0 => (0, 0),
            class => (1_u64 << (class - 1), u64::MAX >> (u64::BITS - class)),
        };
        (lowest..=highest)
            .map(|class| {
                let (least, most) = bounds(class);
                (least, most, self.counts.get(class).copied().unwrap_or_default())
            })
            .collect()
    }

    /// The table; `id` is that of its caption, which is markup.
    pub(super) fn write(&self, out: &mut dyn Write, id: &str, caption: &str) -> io::Result<()> {
        let classes = self.classes();
        let most = classes.iter().map(|class| class.2).max().unwrap_or_default();
        let all = classes.iter().map(|class| class.2).sum::<u64>().saturating_add(self.unknown);
        let columns = [
            ("Stored bytes", Column::Text),
            ("Chunks", Column::Number),
            ("Share", Column::Number),
            ("Beside the fullest class", Column::Text),
        ];
        begin_table(out, id, caption, &columns)?;
        for (least, upper, count) in classes {
            let (share, text) = (share(count, most), percent(count, all));
            write!(
                out,
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{text}</td><td class=\"bars\">",
                range(least, upper),
                grouped(count)
            )?;
            bar(out, share)?;
            writeln!(out, "</td></tr>")?;
        }
        if self.unknown > 0 {
            writeln!(
                out,
                "<tr><th scope=\"row\">whole objects of unknown length</th><td class=\"number\">{}</td>\
                 <td class=\"number\">{}</td><td></td></tr>",
                grouped(self.unknown),
                percent(self.unknown, all)
            )?;
        }
        end_table(out)
    }
}

fn range(least: u64, most: u64) -> String {
    match most {
        0 => "0 B".to_owned(),
        1 => "1 B".to_owned(),
        u64::MAX => format!("{} and more", bytes(least)),
        _ => format!("{} to less than {}", bytes(least), bytes(most + 1)),
    }
}

#[cfg(test)]
mod tests {
    use chunkref::model::{ManifestBuilder, SourceId};

    use super::*;

    #[test]
    fn every_chunk_is_in_one_class() {
        let mut builder = ManifestBuilder::new([10]).unwrap();
        let lengths = [0, 1, 2, 3, 4, 1023, 1024, u64::MAX - 1, WHOLE_OBJECT];
        for (place, length) in (0..).zip(lengths) {
            let reference = ChunkRef::Virtual { source: SourceId(0), offset: 0, length };
            builder.push(&[place], reference).unwrap();
        }
        let mut histogram = Histogram::new();
        histogram.add(&builder.finish().unwrap());
        let classes = histogram.classes();
        assert_eq!(classes.len(), 65);
        assert_eq!(classes[..4], [(0, 0, 1), (1, 1, 1), (2, 3, 2), (4, 7, 1)]);
        assert_eq!(classes[10], (512, 1023, 1));
        assert_eq!(classes[11], (1024, 2047, 1));
        assert_eq!(classes[64], (1 << 63, u64::MAX, 1));
        assert_eq!(histogram.unknown, 1);
        assert_eq!(classes.iter().map(|class| class.2).sum::<u64>(), 8);
    }

    #[test]
    fn only_classes_between_chunks_are_kept() {
        let mut builder = ManifestBuilder::new([4]).unwrap();
        let inline = |length: usize| ChunkRef::Inline(vec![0; length].into());
        builder.push(&[0], inline(5)).unwrap();
        builder.push(&[3], inline(40)).unwrap();
        let mut histogram = Histogram::new();
        histogram.add(&builder.finish().unwrap());
        assert_eq!(histogram.classes(), [(4, 7, 1), (8, 15, 0), (16, 31, 0), (32, 63, 1)]);
        assert_eq!(range(4, 7), "4 B to less than 8 B");
    }
}
