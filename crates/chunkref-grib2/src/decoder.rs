// SPDX-License-Identifier: MIT OR Apache-2.0
//! The codecs `grib` and `gribberish`, undone: a message of one field becomes its values in scanning order, as 64-bit
//! floats, NaN where the bit map has no value.
//!
//! gribberish unpacks. It takes lengths from the message as they are, makes room for what they say and fills what is missing
//! with zeros, so everything that it will believe is checked first.

use std::panic::catch_unwind;

use bytes::Bytes;
use chunkref_core::model::Codec;
use chunkref_core::{CodecEntry, Cursor, DecodeContext, DecodeError, Steps, Truncated, inventory};
use gribberish::message::Message;

use crate::lower::DIGEST;
use crate::points;
use crate::points::message::Coordinate;

mod image;

/// Values and bits more than there are points, by which lengths are filled up.
const SLACK: u64 = 4096;

inventory::submit! {
    CodecEntry::new("grib", decode).with_messages().with_identity(DIGEST)
}
inventory::submit! {
    CodecEntry::new("gribberish", decode).with_messages().with_identity(DIGEST)
}

fn decode(
    codec: &Codec,
    stored: &Bytes,
    context: &DecodeContext<'_>,
) -> Result<Bytes, DecodeError> {
    let variable = codec.configuration().get("var").and_then(serde_json::Value::as_str);
    if let Some(coordinate) = variable.and_then(Coordinate::named) {
        return points::message::decode(coordinate, stored, context);
    }
    let points = check(stored, context)?;
    let message = stored.clone();
    // Another's code: a fault in it must not end the process.
    let unpacked = catch_unwind(move || {
        let message = Message::from_data(&message, 0).ok_or("its sections cannot be read")?;
        message.data().map_err(|error| error.to_string())
    });
    // Only damage that is not among what is checked here gets so far.
    let fault = |_| DecodeError::damaged("gribberish failed in unpacking its values");
    let values = unpacked.map_err(fault)?.map_err(DecodeError::Damaged)?;
    if values.len() != points {
        let reason = format!("{} values come out for {points} grid points", values.len());
        return Err(DecodeError::Damaged(reason));
    }
    Ok(values.into_iter().flat_map(f64::to_le_bytes).collect())
}

/// The bodies of a message's sections, as far as values depend on them.
#[derive(Debug, Default)]
struct Sections<'a> {
    points: Option<u64>,
    representation: Option<&'a [u8]>,
    bitmap: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
}

/// Checks that the message has one field, and as many packed values as its sections say; the number of grid points.
///
/// Spec: WMO FM 92-XIV GRIB edition 2, sections 0, 3, 5, 6, 7.
fn check(stored: &[u8], context: &DecodeContext<'_>) -> Result<usize, DecodeError> {
    let message = sections(stored)?;
    let whole = || DecodeError::damaged("it has not the sections 3, 5, 6 and 7 of one field");
    let points = message.points.ok_or_else(whole)?;
    let representation = message.representation.ok_or_else(whole)?;
    let (bitmap, data) = (message.bitmap.ok_or_else(whole)?, message.data.ok_or_else(whole)?);
    let bytes = points.checked_mul(8).and_then(|bytes| usize::try_from(bytes).ok());
    if bytes.is_none_or(|bytes| bytes > context.max_bytes()) {
        let reason = format!("it has {points} grid points, more than the chunk");
        return Err(DecodeError::Damaged(reason));
    }
    let packed = Cursor::new(representation, 0, "section 5").u32_be().map_err(cut)?;
    let packed = u64::from(packed);
    let present = match bitmap.split_first() {
        Some((255, _)) => points,
        Some((0, bits)) => bitmap_ones(bits, points)?,
        _ => return Err(DecodeError::unsupported("its bit map is not in the message")),
    };
    if packed != present {
        let reason = format!("{packed} values are packed where {present} points have one");
        return Err(DecodeError::Damaged(reason));
    }
    let mut steps = Steps::new(context.cancellation());
    let found = packed_values(representation, data, packed, points, &mut steps)?;
    if found < packed {
        return Err(DecodeError::Damaged(format!("its data hold {found} of {packed} values")));
    }
    if found > packed.saturating_add(packed / 8).saturating_add(SLACK) {
        let reason = format!("its data hold {found} values, and it has {packed}");
        return Err(DecodeError::Damaged(reason));
    }
    usize::try_from(points).map_err(|_| whole())
}

fn cut(_: Truncated) -> DecodeError {
    DecodeError::damaged("its sections end early")
}

/// The bodies of the sections.
fn sections(stored: &[u8]) -> Result<Sections<'_>, DecodeError> {
    let mut message = Sections::default();
    match stored.first_chunk::<16>() {
        Some(head) if head.starts_with(b"GRIB") && head.get(7) == Some(&2) => {}
        Some(head) if head.starts_with(b"GRIB") => {
            return Err(DecodeError::unsupported("values of GRIB edition 1 are not unpacked here"));
        }
        _ => return Err(DecodeError::damaged("it is no GRIB message")),
    }
    let mut rest = stored.get(16..).unwrap_or_default();
    while let Some(head) = rest.first_chunk::<5>() {
        if head.starts_with(b"7777") {
            break;
        }
        let [a, b, c, d, number] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let body = rest.get(5..length);
        let body = body.ok_or_else(|| DecodeError::damaged("its sections end early"))?;
        let twice = match number {
            3 => {
                let mut cursor = Cursor::new(body, 0, "section 3");
                cursor.skip(1).map_err(cut)?;
                let points = cursor.u32_be().map_err(cut)?;
                message.points.replace(points.into()).is_some()
            }
            5 => message.representation.replace(body).is_some(),
            6 => message.bitmap.replace(body).is_some(),
            7 => message.data.replace(body).is_some(),
            _ => false,
        };
        if twice {
            let reason = "it holds several fields, which are not told apart here";
            return Err(DecodeError::unsupported(reason));
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(message)
}

/// The points that have a value, of which the bit map has a bit for each.
fn bitmap_ones(bits: &[u8], points: u64) -> Result<u64, DecodeError> {
    let present =
        ones(bits, points).ok_or_else(|| DecodeError::damaged("its bit map ends early"))?;
    let all = (bits.len() as u64).saturating_mul(8);
    if all > points.saturating_add(SLACK) {
        return Err(DecodeError::Damaged(format!(
            "its bit map has {all} bits for {points} points"
        )));
    }
    // They would be taken for points.
    if ones(bits, all) != Some(present) {
        let reason = "bits behind the last point of its bit map are not unpacked here";
        return Err(DecodeError::unsupported(reason));
    }
    Ok(present)
}

/// The bits that are set among the first `count`.
fn ones(bits: &[u8], count: u64) -> Option<u64> {
    let whole = usize::try_from(count / 8).ok()?;
    let rest = u32::try_from(count % 8).ok()?;
    let mut ones: u64 = bits.get(..whole)?.iter().map(|byte| u64::from(byte.count_ones())).sum();
    if rest > 0 {
        let last = bits.get(whole)? >> 8_u32.checked_sub(rest)?;
        ones = ones.checked_add(last.count_ones().into())?;
    }
    Some(ones)
}

/// How many values the data hold when they are what section 5 says.
fn packed_values(
    representation: &[u8],
    data: &[u8],
    packed: u64,
    points: u64,
    steps: &mut Steps<'_>,
) -> Result<u64, DecodeError> {
    let mut cursor = Cursor::new(representation, 0, "section 5");
    cursor.skip(4).map_err(cut)?;
    let template = cursor.u16_be().map_err(cut)?;
    if template == 40 && !cfg!(feature = "jpeg2000") {
        let reason = "JPEG 2000 is unpacked only by builds with the feature jpeg2000";
        return Err(DecodeError::unsupported(reason));
    }
    if !matches!(template, 0 | 2 | 3 | 40 | 41) {
        let reason = format!("data representation template 5.{template} is not unpacked here");
        return Err(DecodeError::Unsupported(reason));
    }
    // Reference value and scale factors.
    cursor.skip(8).map_err(cut)?;
    let bits = u64::from(cursor.u8().map_err(cut)?);
    if bits > 32 {
        return Err(DecodeError::Unsupported(format!(
            "values of {bits} bits are not unpacked here"
        )));
    }
    match template {
        2 | 3 => grouped(cursor, (template, bits), data, packed, steps),
        41 if bits == 0 => {
            Err(DecodeError::unsupported("a field of one value packed as PNG is not unpacked here"))
        }
        _ if bits == 0 => Ok(packed),
        40 => image::jpeg2000(data, points),
        41 => image::png(data, points),
        _ => Ok((data.len() as u64).saturating_mul(8).checked_div(bits).unwrap_or_default()),
    }
}

/// The lengths of all groups of complex packing together.
fn grouped(
    mut cursor: Cursor<'_>,
    (template, bits): (u16, u64),
    data: &[u8],
    packed: u64,
    steps: &mut Steps<'_>,
) -> Result<u64, DecodeError> {
    // Type of values, splitting method.
    cursor.skip(2).map_err(cut)?;
    let missing = cursor.u8().map_err(cut)?;
    cursor.skip(8).map_err(cut)?;
    let groups = u64::from(cursor.u32_be().map_err(cut)?);
    let width_reference = u64::from(cursor.u8().map_err(cut)?);
    let width_bits = u64::from(cursor.u8().map_err(cut)?);
    let reference = u64::from(cursor.u32_be().map_err(cut)?);
    let increment = u64::from(cursor.u8().map_err(cut)?);
    let last = u64::from(cursor.u32_be().map_err(cut)?);
    let length_bits = u64::from(cursor.u8().map_err(cut)?);
    if missing != 0 {
        let reason = "missing values in complex packing are not unpacked here";
        return Err(DecodeError::unsupported(reason));
    }
    let mut extra = 0;
    if template == 3 {
        let order = u64::from(cursor.u8().map_err(cut)?);
        let octets = u64::from(cursor.u8().map_err(cut)?);
        if !matches!(order, 1 | 2) || !(1..=4).contains(&octets) {
            let reason = format!("spatial differences of order {order} are not unpacked here");
            return Err(DecodeError::Unsupported(reason));
        }
        extra = octets.saturating_mul(order.saturating_add(1));
    }
    if groups == 0 || groups > packed {
        return Err(DecodeError::Damaged(format!("it has {groups} groups of {packed} values")));
    }
    if length_bits > 32 || width_bits > 32 {
        return Err(DecodeError::damaged("its groups are described by more than 32 bits"));
    }
    // Places behind 2^24 bits are computed with 24 bits there: what is read would lie elsewhere.
    if [bits, width_bits, length_bits].iter().any(|bits| groups.saturating_mul(*bits) > 1 << 24) {
        return Err(DecodeError::Unsupported(format!("{groups} groups are not unpacked here")));
    }
    let block = |bits: u64| groups.saturating_mul(bits).div_ceil(8);
    let widths_at = extra.saturating_add(block(bits));
    let lengths_at = widths_at.saturating_add(block(width_bits));
    let values_at = lengths_at.saturating_add(block(length_bits));
    let (mut widths, mut lengths) = (Bits::at(data, widths_at), Bits::at(data, lengths_at));
    let (mut values, mut value_bits) = (0_u64, 0_u64);
    for group in 1..=groups {
        steps.take(1)?;
        let early = || DecodeError::damaged("its groups end early");
        let width = widths.take(width_bits).ok_or_else(early)?.saturating_add(width_reference);
        let scaled = lengths.take(length_bits).ok_or_else(early)?;
        // The last group has its length elsewhere.
        let length = if group == groups {
            last
        } else {
            scaled.saturating_mul(increment).saturating_add(reference)
        };
        values = values.saturating_add(length);
        value_bits = value_bits.saturating_add(width.saturating_mul(length));
        if values > packed {
            let reason = format!("its groups have more than {packed} values");
            return Err(DecodeError::Damaged(reason));
        }
        if width > 32 {
            return Err(DecodeError::Damaged(format!("a group of it has values of {width} bits")));
        }
    }
    let end = values_at.saturating_mul(8).saturating_add(value_bits);
    if end > (data.len() as u64).saturating_mul(8) {
        return Err(DecodeError::damaged("its data end before the values of its groups"));
    }
    Ok(values)
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    place: u64,
}

impl<'a> Bits<'a> {
    /// From a byte of `data` on.
    fn at(data: &'a [u8], byte: u64) -> Self {
        let bytes = usize::try_from(byte).ok().and_then(|start| data.get(start..));
        Self { bytes: bytes.unwrap_or_default(), place: 0 }
    }

    fn take(&mut self, count: u64) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(usize::try_from(self.place / 8).ok()?)?;
            let shift = 7_u64.checked_sub(self.place % 8)?;
            value = value << 1 | u64::from(byte >> shift & 1);
            self.place = self.place.checked_add(1)?;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use chunkref_core::Codecs;

    use super::*;

    fn section(number: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 5).unwrap();
        [&length.to_be_bytes(), &[number][..], body].concat()
    }

    /// Five points: 10, none, 12, 14, 11, in 3 bits each above 10.
    fn message() -> Vec<u8> {
        let grid = [&[0][..], &5_u32.to_be_bytes(), &[0; 60]].concat();
        let representation =
            [&4_u32.to_be_bytes()[..], &[0, 0], &10_f32.to_be_bytes(), &[0, 0, 0, 0, 3, 0]]
                .concat();
        let mut all = b"GRIB\0\0\0\x02\0\0\0\0\0\0\0\0".to_vec();
        all.extend(section(1, &[0; 16]));
        all.extend(section(3, &grid));
        all.extend(section(4, &[0; 29]));
        all.extend(section(5, &representation));
        all.extend(section(6, &[0, 0b1011_1000]));
        all.extend(section(7, &[0b0000_1010, 0b0001_0000]));
        all.extend(b"7777");
        let length = all.len() as u64;
        all[8..16].copy_from_slice(&length.to_be_bytes());
        all
    }

    fn values(message: Vec<u8>, most: usize) -> Result<Vec<f64>, String> {
        let codec = Codec::new("grib").with("var", "t2m");
        let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
        assert!(entry.is_message);
        let bytes = entry.decode(&codec, &message.into(), &DecodeContext::up_to(most));
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(bytes.chunks(8).map(|value| f64::from_le_bytes(value.try_into().unwrap())).collect())
    }

    #[test]
    fn values_in_scanning_order() {
        let values = values(message(), 40).unwrap();
        let text: Vec<_> = values.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10", "NaN", "12", "14", "11"]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(values(message(), 39).unwrap_err().contains("more than the chunk"));
        let changed = |place: usize, byte: u8| {
            let mut message = message();
            message[place] = byte;
            values(message, 40).unwrap_err()
        };
        let at = |number| {
            let mut place = 16;
            let message = message();
            while message[place + 4] != number {
                place += usize::from(message[place + 3]);
            }
            place + 5
        };
        assert!(changed(at(5) + 3, 5).contains("5 values are packed where 4"));
        assert!(changed(at(6) + 1, 0xf8).contains("4 values are packed where 5"));
        assert!(changed(at(6) + 1, 0b1011_1001).contains("behind the last point"));
        assert!(changed(at(6), 254).contains("bit map"));
        assert!(changed(at(5) + 14, 33).contains("33 bits"));
        assert!(changed(at(5) + 14, 5).contains("data hold 3 of 4 values"));
        assert!(changed(at(5) + 5, 200).contains("template 5.200"));
        assert!(changed(7, 1).contains("edition 1"));
        assert!(changed(0, 0).contains("no GRIB"));
        let twice: Vec<u8> = [message(), section(7, &[0])].concat();
        let twice = twice.iter().copied().filter(|byte| *byte != b'7').collect();
        assert!(values(twice, 40).unwrap_err().contains("several fields"));
    }

    /// A message of 5 points without a bit map, whose values are packed by a template.
    fn packed(template: u8, tail: &[u8], data: &[u8]) -> Vec<u8> {
        let grid = [&[0][..], &5_u32.to_be_bytes(), &[0; 60]].concat();
        let head = [&5_u32.to_be_bytes()[..], &[0, template], &[0; 8]].concat();
        let representation = [&head, tail].concat();
        let mut all = b"GRIB\0\0\0\x02\0\0\0\0\0\0\0\0".to_vec();
        let (bitmap, data) = (section(6, &[255]), section(7, data));
        all.extend([section(3, &grid), section(5, &representation), bitmap, data].concat());
        all.extend(b"7777");
        all
    }

    #[test]
    fn sizes_that_lie_are_refused_before_gribberish_makes_room() {
        let refused = |template, tail: &[u8], data: &[u8], reason: &str| {
            let error = values(packed(template, tail, data), 1 << 40).unwrap_err();
            assert!(error.contains(reason), "{template}: {error}");
        };
        let png = |width: u32, height: u32, colour| {
            let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
            let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
            [&head[..], &sizes, &[16, colour, 0, 0, 0]].concat()
        };
        refused(41, &[16, 0], &png(65_535, 65_535, 0), "4294836225 pixels");
        refused(41, &[16, 0], &png(u32::MAX, u32::MAX, 0), "pixels");
        refused(41, &[16, 0], &png(5, 1, 3), "colour type 3");
        refused(41, &[16, 0], b"\x89PNG", "ends early");
        // A bit for a value, and far more of them than values.
        refused(0, &[1, 0], &[0; 4096], "hold 32768 values, and it has 5");
        let groups = |groups: u32, width: u8, last: u32| {
            let mut tail = vec![8, 0, 1, 0];
            tail.extend([0; 8]);
            tail.extend(groups.to_be_bytes());
            tail.extend([width, 0, 0, 0, 0, 0, 1]);
            tail.extend(last.to_be_bytes());
            tail.push(0);
            tail
        };
        refused(2, &groups(0xffff_ffff, 0, 5), &[0; 9], "4294967295 groups of 5");
        refused(2, &groups(1, 0, u32::MAX), &[0; 9], "groups have more than 5");
        refused(2, &groups(1, 33, 5), &[0; 99], "33 bits");
        refused(2, &groups(1, 32, 5), &[0; 9], "end before the values");
    }

    #[test]
    #[cfg(feature = "jpeg2000")]
    fn images_of_many_parts_are_not_unpacked() {
        let siz = |width: u32, tile: u32, components: u8| {
            let mut siz = b"\xff\x4f\xff\x51\0\x29\0\0".to_vec();
            for value in [width, 1, 0, 0, tile, 1, 0, 0] {
                siz.extend(value.to_be_bytes());
            }
            siz.extend([0, components, 7, 1, 1]);
            siz
        };
        let cod = |precinct: u8| {
            let cod = [0xff, 0x52, 0, 14, 1, 0, 0, 1, 0, 1, 4, 4, 0, 0, 0, precinct];
            [&siz(5, 5, 1)[..], &cod, &[0xff, 0x90, 0, 0]].concat()
        };
        for (image, reason) in [
            (siz(6, 6, 1), "6 pixels"),
            (siz(65_535, 1, 1), "65535 tiles"),
            (siz(5, 5, 2), "several components"),
            (cod(0), "very small precincts"),
            (siz(5, 0, 1)[..9].to_vec(), "ends early"),
        ] {
            let error = values(packed(40, &[16, 0], &image), 1 << 40).unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }

    #[test]
    fn any_damage_is_an_error_or_stays_in_bounds() {
        let sound = message();
        for length in 0..sound.len() - 6 {
            assert!(values(sound[..length].to_vec(), 40).is_err(), "{length}");
        }
        for place in 0..sound.len() {
            for bit in 0..8 {
                let mut damaged = sound.clone();
                damaged[place] ^= 1 << bit;
                if let Ok(values) = values(damaged, 40) {
                    assert_eq!(values.len(), 5, "{place} {bit}");
                }
            }
        }
    }
}
