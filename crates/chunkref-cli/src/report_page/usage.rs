// SPDX-License-Identifier: MIT OR Apache-2.0
//! In which objects the bytes of chunks are.

use std::io::{self, Write};

use chunkref::model::WHOLE_OBJECT;
use chunkref::model::provenance::Recorded;
use chunkref::{ChunkRef, Dataset};

use super::markup::{Column, Plain, bar, begin_table, end_table, percent, share};
use crate::table::{bytes, grouped};

/// Objects in the table.
const MOST: usize = 200;

/// What references say of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Usage<'a> {
    pub(super) url: &'a str,
    pub(super) references: u64,
    /// The sum over references, of whole objects their length; none where that is not known.
    pub(super) bytes: u64,
    /// Bytes of the object.
    pub(super) length: Option<u64>,
}

/// All objects, those with the most bytes first.
pub(super) fn usages<'a>(dataset: &'a Dataset, recorded: Option<&Recorded>) -> Vec<Usage<'a>> {
    let mut usages: Vec<Usage<'a>> = dataset
        .sources()
        .iter()
        .map(|source| {
            let url = source.location.as_str();
            let known = source.version.as_ref();
            let version = known.or_else(|| recorded.and_then(|recorded| recorded.version(url)));
            let length = version.map(|version| version.length);
            Usage { url, references: 0, bytes: 0, length }
        })
        .collect();
    for (_, array) in dataset.arrays() {
        array.manifest.visit_numbers(0..u64::MAX, &mut |_, reference| {
            let ChunkRef::Virtual { source, length, .. } = reference else { return };
            let place = usize::try_from(source.0).ok();
            let Some(usage) = place.and_then(|place| usages.get_mut(place)) else { return };
            let length =
                if length == WHOLE_OBJECT { usage.length.unwrap_or_default() } else { length };
            usage.references += 1;
            usage.bytes = usage.bytes.saturating_add(length);
        });
    }
    usages.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.url.cmp(b.url)));
    usages
}

/// The table.
pub(super) fn write(out: &mut dyn Write, usages: &[Usage<'_>]) -> io::Result<()> {
    let columns = [
        ("Object", Column::Text),
        ("References", Column::Number),
        ("Referenced", Column::Number),
        ("Length", Column::Number),
        ("Share of the object", Column::Number),
        ("", Column::Text),
    ];
    let caption = if usages.len() > MOST {
        format!(
            "The {MOST} objects of {} with the most referenced bytes",
            grouped(usages.len() as u64)
        )
    } else {
        "Referenced bytes of each object, the most first".to_owned()
    };
    begin_table(out, "objects", &caption, &columns)?;
    for usage in usages.iter().take(MOST) {
        let heading = format!("<code>{}</code>", Plain(usage.url));
        row(out, &heading, usage.references, usage.bytes, usage.length)?;
    }
    let rest = usages.get(MOST..).unwrap_or_default();
    if !rest.is_empty() {
        let sum = |part: fn(&Usage<'_>) -> u64| {
            rest.iter().fold(0_u64, |sum, usage| sum.saturating_add(part(usage)))
        };
        let lengths: Option<Vec<u64>> = rest.iter().map(|usage| usage.length).collect();
        let length = lengths.map(|all| all.into_iter().fold(0_u64, u64::saturating_add));
        let heading = format!("{} other objects", grouped(rest.len() as u64));
        row(out, &heading, sum(|usage| usage.references), sum(|usage| usage.bytes), length)?;
    }
    end_table(out)
}

fn row(
    out: &mut dyn Write,
    heading: &str,
    references: u64,
    stored: u64,
    length: Option<u64>,
) -> io::Result<()> {
    write!(
        out,
        "<tr><th scope=\"row\">{heading}</th><td class=\"number\">{}</td><td class=\"number\">{}</td>",
        grouped(references),
        bytes(stored)
    )?;
    match length {
        Some(length) => {
            write!(
                out,
                "<td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"bars\">",
                bytes(length),
                percent(stored, length)
            )?;
            bar(out, share(stored, length))?;
            writeln!(out, "</td></tr>")
        }
        None => writeln!(out, "<td class=\"number\">not known</td><td></td><td></td></tr>"),
    }
}

#[cfg(test)]
mod tests {
    use chunkref::model::ObjectVersion;
    use chunkref::model::{
        Array, Attributes, ByteOrder, ChunkGrid, DataType, ManifestBuilder, Source,
    };

    use super::*;

    fn dataset(sources: u64) -> Dataset {
        let mut dataset = Dataset::new();
        let mut manifest = ManifestBuilder::new([sources]).unwrap();
        for number in 0..sources {
            let length = number * 100;
            let version = (number > 0).then(|| ObjectVersion { length, ..Default::default() });
            let location = format!("memory://{number:03}");
            let source = dataset.add_source(Source { location, version });
            let length = if number == 1 { WHOLE_OBJECT } else { number };
            manifest.push(&[number], ChunkRef::Virtual { source, offset: 0, length }).unwrap();
        }
        let array = Array {
            shape: vec![sources],
            dimensions: vec!["x".to_owned()],
            dtype: DataType::UInt { length: 1, order: ByteOrder::Little },
            fill_value: None,
            chunk_grid: ChunkGrid::regular([1]),
            codecs: Vec::new(),
            attributes: Attributes::new(),
            manifest: manifest.finish().unwrap(),
        };
        dataset.root.arrays.insert("a".to_owned(), array);
        dataset
    }

    #[test]
    fn bytes_are_counted_where_they_are() {
        let dataset = dataset(3);
        let usages = usages(&dataset, None);
        let known = |url, bytes, length| Usage { url, references: 1, bytes, length };
        assert_eq!(
            usages,
            [
                known("memory://001", 100, Some(100)),
                known("memory://002", 2, Some(200)),
                known("memory://000", 0, None)
            ]
        );
    }

    #[test]
    fn objects_beyond_the_largest_are_summed_up() {
        let dataset = dataset(205);
        let mut out = Vec::new();
        write(&mut out, &usages(&dataset, None)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("<code>").count(), MOST);
        // Those with 4, 3, 2 and 0 bytes, and of 5 bytes: 001 has 100.
        assert!(
            text.contains(
                "5 other objects</th><td class=\"number\">5</td><td class=\"number\">14 B<"
            ),
            "{text}"
        );
    }
}
