// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole messages made by hand, one for each way of packing, and what becomes of damaged ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chunkref_core::{Cancellation, Cancelled, Codecs};

use super::*;

mod messages;

use messages::{all1, all2, bits, data1, groups, head, message1, message2, section, simple};

fn values(message: Vec<u8>, most: usize) -> Result<Vec<f64>, String> {
    let codec = Codec::new("grib").with("var", "t2m");
    let entry = Codecs::linked().unwrap().by_name(codec.name()).unwrap();
    assert!(entry.is_message);
    let bytes = entry.decode(&codec, &message.into(), &DecodeContext::up_to(most));
    let bytes = bytes.map_err(|error| error.to_string())?;
    Ok(bytes.chunks(8).map(|value| f64::from_le_bytes(value.try_into().unwrap())).collect())
}

fn text(message: Vec<u8>) -> String {
    let values = values(message, 1 << 12).unwrap();
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn values_of_all_packings() {
    for (at, (message, expected)) in all2().into_iter().chain(all1()).enumerate() {
        assert_eq!(values(message.clone(), 1 << 12).err(), None, "message {at}");
        assert_eq!(text(message), expected, "message {at}");
    }
}

/// A wide row of one more point than 8 values make in bits, so that loops over whole bytes have a rest.
#[test]
fn long_rows_of_odd_bits() {
    for width in 1..=32_u8 {
        let count = 1001_u32;
        let number = |n: u32| (u64::from(n) * 0x9e37_79b9) & ((1 << width) - 1);
        let digits = |n| (0..width).rev().map(move |bit| number(n) >> bit & 1);
        let digits: String =
            (0..count).flat_map(digits).map(|bit| if bit == 0 { '0' } else { '1' }).collect();
        let representation = [head(-1.0, width), vec![0]].concat();
        let message = message2((count, count), 0, &representation, &[255], &bits(&digits));
        let found = values(message, 1 << 13).unwrap();
        for (n, value) in (0..).zip(found) {
            let number = u32::try_from(number(n)).unwrap();
            assert_eq!(value.to_bits(), (f64::from(number) - 1.0).to_bits(), "{width} {n}");
        }
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    assert!(values(simple(), 39).unwrap_err().contains("more than the chunk"));
    let changed = |place: usize, byte: u8| {
        let mut message = simple();
        message[place] = byte;
        values(message, 40).unwrap_err()
    };
    let at = |number| {
        let mut place = 16;
        let message = simple();
        while message[place + 4] != number {
            place += usize::from(message[place + 3]);
        }
        place + 5
    };
    assert!(changed(at(5) + 3, 5).contains("5 values are packed where 4"));
    assert!(changed(at(6) + 1, 0xf8).contains("4 values are packed where 5"));
    assert!(changed(at(6), 254).contains("the field before"));
    assert!(changed(at(6), 7).contains("bit map"));
    assert!(changed(at(5) + 14, 58).contains("58 bits"));
    assert!(changed(at(5) + 14, 5).contains("end before 4 values"));
    assert!(changed(at(5) + 5, 99).contains("template 5.99"));
    assert!(changed(7, 3).contains("edition 3"));
    assert!(changed(0, 0).contains("no GRIB"));
    let twice: Vec<u8> = [simple(), section(7, &[0])].concat();
    let twice = twice.iter().copied().filter(|byte| *byte != b'7').collect();
    assert!(values(twice, 40).unwrap_err().contains("several fields"));
}

#[test]
fn what_edition_1_does_not_have_in_the_message_is_an_error() {
    let sound = || message1(Some(&bits("110 101")), &data1(4, &[3, 0, 0]));
    let changed = |place: usize, byte: u8| {
        let mut message = sound();
        message[place] = byte;
        values(message, 48).unwrap_err()
    };
    let error = values(sound(), 47).unwrap_err();
    assert!(error.contains("more than the chunk"), "{error}");
    assert!(changed(15, 0).contains("its grid is not in the message"));
    // Section 3 begins at byte 68, section 4 at byte 75.
    assert!(changed(73, 9).contains("number 9"));
    assert!(changed(78, 0x10).contains("matrices"));
    assert!(changed(78, 0x80).contains("no truncation"));
    assert!(changed(78, 0x4f).contains("end early"));
    assert!(changed(85, 9).contains("12 bits for 4 values"));
}

/// Lengths of more than 8 MiB are in units of 120 octets.
#[test]
fn long_messages_of_edition_1() {
    let mut long = message1(None, &data1(0, &[8, 0, 1, 2, 3, 4, 5]));
    let end = long.len() - 4;
    long.splice(end..end, [0; 40]);
    let at = 8 + 28 + 32;
    // Two units are 240 octets, of which some are too many: section 4 ends where the end section begins.
    let surplus = u8::try_from(240 - (long.len() - 4)).unwrap();
    long[4..7].copy_from_slice(&[0x80, 0, 2]);
    long[at..at + 3].copy_from_slice(&[0, 0, surplus]);
    assert!(surplus < 120, "{surplus}");
    assert_eq!(text(long), "10 11 12 13 14 15");
}

#[test]
fn sizes_that_lie_are_refused_before_there_is_room() {
    let refused = |template, tail: &[u8], data: &[u8], reason: &str| {
        let representation = [&head(0.0, 0)[..8], tail].concat();
        let message = message2((5, 5), template, &representation, &[255], data);
        let error = values(message, 1 << 40).unwrap_err();
        assert!(error.contains(reason), "{template}: {error}");
    };
    let png = |width: u32, height: u32, colour| {
        let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
        let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [&head[..], &sizes, &[16, colour, 0, 0, 0, 0, 0, 0, 0]].concat()
    };
    refused(41, &[16, 0], &png(65_535, 65_535, 0), "4294836225 pixels");
    refused(41, &[16, 0], &png(u32::MAX, u32::MAX, 0), "pixels");
    refused(41, &[16, 0], &png(5, 1, 3), "colour type 3");
    refused(41, &[24, 0], &png(5, 1, 0), "pixels of 16 bits, and its values 24");
    refused(41, &[16, 0], &png(5, 1, 0), "ends early");
    refused(41, &[16, 0], b"\x89PNG", "ends early");
    let described = |count, width, last| [vec![8], groups(0, count, width, 0, last)].concat();
    let wide = |count: u32, width: u8, last| {
        let mut tail = described(count, 0, last);
        // The reference of widths.
        tail[16] = width;
        tail
    };
    refused(2, &described(0xffff_ffff, 0, 5), &[0; 9], "4294967295 groups of 5");
    refused(2, &wide(1, 0, u32::MAX), &[0; 9], "groups have more");
    refused(2, &wide(1, 33, 5), &[0; 99], "33 bits");
    refused(2, &wide(1, 32, 5), &[0; 9], "end before 5 values");
    refused(42, &[33, 0, 0, 8, 0, 1], &[0; 99], "33 bits");
    refused(42, &[8, 0, 0, 7, 0, 1], &[0; 99], "blocks of 7");
    refused(42, &[8, 0, 0, 8, 0x20, 0], &[0; 99], "8192 blocks");
}

#[test]
#[cfg(feature = "jpeg2000")]
fn images_of_many_parts_are_not_unpacked() {
    let siz = |width: u32, tile: u32, components: u8, precision: u8| {
        let mut siz = b"\xff\x4f\xff\x51\0\x29\0\0".to_vec();
        for value in [width, 1, 0, 0, tile, 1, 0, 0] {
            siz.extend(value.to_be_bytes());
        }
        siz.extend([0, components, precision, 1, 1]);
        siz
    };
    let cod = |precinct: u8| {
        let cod = [0xff, 0x52, 0, 14, 1, 0, 0, 1, 0, 1, 4, 4, 0, 0, 0, precinct];
        [&siz(5, 5, 1, 7)[..], &cod, &[0xff, 0x90, 0, 0]].concat()
    };
    for (image, reason) in [
        (siz(6, 6, 1, 7), "6 pixels"),
        (siz(65_535, 1, 1, 7), "65535 tiles"),
        (siz(5, 5, 2, 7), "several components"),
        (siz(5, 5, 1, 0x87), "precision 0x87"),
        (siz(5, 5, 1, 30), "precision 0x1e"),
        (cod(0), "very small precincts"),
        (siz(5, 0, 1, 7)[..9].to_vec(), "ends early"),
    ] {
        let representation = [head(0.0, 16), vec![0, 0, 255]].concat();
        let message = message2((5, 5), 40, &representation, &[255], &image);
        let error = values(message, 1 << 40).unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

/// Whatever a message is packed with, decoding asks often enough whether it is still wanted.
#[test]
fn long_messages_end_with_the_work() {
    let count = 1_u32 << 16;
    let data = vec![0; 1 << 18];
    let one_group = |missing| [head(0.0, 8), groups(missing, 1, 8, 0, count)].concat();
    let second = [&head(0.0, 8)[..], &[8, 0, 0, 0, 1, 0, 0, 0, 0, 8, 32, 0, 0]].concat();
    let mut long = vec![0; 8];
    long[1..5].copy_from_slice(&count.to_be_bytes());
    let bitmap = [vec![0], vec![0xff; 1 << 13]].concat();
    for (template, representation, data) in [
        (0, [head(0.0, 0), vec![0]].concat(), &data[..]),
        (0, [head(0.0, 13), vec![0]].concat(), &data),
        (0, [head(0.0, 16), vec![0]].concat(), &data),
        (2, one_group(0), &data),
        (2, one_group(1), &data),
        (4, vec![1], &data),
        (41, [head(0.0, 0), vec![0]].concat(), &data),
        (42, [head(0.0, 16), vec![0, 0, 32, 0, 1]].concat(), &vec![0xff; 1 << 18]),
        (61, [head(0.0, 8), vec![0; 4]].concat(), &data),
        (200, vec![8, 0, 1, 0, 1, 0, 0, 1], &vec![1; 1 << 16]),
        (50_002, second, &long),
    ] {
        for bitmap in [&[255][..], &bitmap] {
            let message =
                Bytes::from(message2((count, count), template, &representation, bitmap, data));
            let decoded = |most: usize| {
                let asked = Arc::new(AtomicUsize::new(0));
                let counted = Arc::clone(&asked);
                let cancellation = Cancellation::when(move || {
                    let before = counted.fetch_add(1, Ordering::Relaxed);
                    (before >= most).then_some(Cancelled::Stopped)
                });
                let context = DecodeContext::new(1 << 19, &cancellation);
                let outcome = decode(&Codec::new("grib"), &message, &context);
                (outcome, asked.load(Ordering::Relaxed))
            };
            let (outcome, asked) = decoded(usize::MAX);
            assert_eq!(outcome.map(|bytes| bytes.len()), Ok(1 << 19), "{template}");
            // 512 KiB come out.
            assert!(asked >= 8, "{template}: {asked} questions");
            let (outcome, asked) = decoded(4);
            assert!(matches!(outcome, Err(DecodeError::Cancelled(_))), "{template}: {outcome:?}");
            assert_eq!(asked, 5, "{template}");
        }
    }
}

#[test]
fn any_damage_is_an_error_or_stays_in_bounds() {
    const RUNS: usize = 20_000;
    let sound: Vec<Vec<u8>> =
        all2().into_iter().chain(all1()).map(|(message, _)| message).collect();
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    for message in &sound {
        for length in 0..message.len() - 6 {
            let _ = values(message[..length].to_vec(), 64);
        }
    }
    for run in 0..RUNS {
        let mut damaged = sound[run % sound.len()].clone();
        if random(8) == 0 {
            damaged.truncate(random(damaged.len()));
        }
        for _ in 0..=random(4) {
            if !damaged.is_empty() {
                let place = random(damaged.len());
                damaged[place] ^= 1 << random(8);
            }
        }
        if let Ok(values) = values(damaged, 1 << 12) {
            assert!(values.len() <= 1 << 9, "run {run}");
        }
    }
}
