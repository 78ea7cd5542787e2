// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of all packings, octet by octet.

/// Bytes of binary digits, with zeros up to a whole byte.
pub(super) fn bits(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|digit| *digit != b' ').collect();
    let byte = |digits: &[u8]| {
        (0..8).fold(0, |byte, place| byte << 1 | digits.get(place).map_or(0, |digit| digit & 1))
    };
    digits.chunks(8).map(byte).collect()
}

pub(super) fn section(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 5).unwrap();
    [&length.to_be_bytes(), &[number][..], body].concat()
}

/// Reference value, no scale factors, and bits.
pub(super) fn head(reference: f32, bits: u8) -> Vec<u8> {
    [&reference.to_be_bytes()[..], &[0, 0, 0, 0, bits]].concat()
}

/// A message of edition 2.
pub(super) fn message2(
    (points, packed): (u32, u32),
    template: u16,
    representation: &[u8],
    bitmap: &[u8],
    data: &[u8],
) -> Vec<u8> {
    let grid = match template {
        // Truncation 1.
        50 | 51 => [&[0, 0, 0, 0, 6, 0, 0, 0, 50][..], &[0, 0, 0, 1].repeat(3), &[1, 1]].concat(),
        _ => [&[0][..], &points.to_be_bytes(), &[0; 60]].concat(),
    };
    let head = [&packed.to_be_bytes()[..], &template.to_be_bytes(), representation].concat();
    let mut all = b"GRIB\0\0\0\x02\0\0\0\0\0\0\0\0".to_vec();
    for (number, body) in
        [(1, &[0; 16][..]), (3, &grid), (4, &[0; 29]), (5, &head), (6, bitmap), (7, data)]
    {
        all.extend(section(number, body));
    }
    all.extend(b"7777");
    let length = all.len() as u64;
    all[8..16].copy_from_slice(&length.to_be_bytes());
    all
}

/// A message of edition 1, of 3 by 2 points or of truncation 1, with section 4 from its flags on.
pub(super) fn message1(bitmap: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    let is_spectral = data[0] & 0x80 != 0;
    let flags = if bitmap.is_some() { 0xc0 } else { 0x80 };
    let mut all = b"GRIB\0\0\0\x01".to_vec();
    all.extend([0, 0, 28, 128, 98, 145, 255, flags, 167, 105, 0, 2, 19, 3, 1, 12, 0, 1, 6]);
    all.extend([0, 0, 0, 0, 0, 21, 0, 0, 0]);
    if is_spectral {
        all.extend([0, 0, 32, 0, 255, 50, 0, 1, 0, 1, 0, 1, 1, 1]);
        all.extend([0; 18]);
    } else {
        all.extend([0, 0, 32, 0, 255, 0, 0, 3, 0, 2, 0, 0xea, 0x60, 0x80, 0x27, 0x10, 0x80]);
        all.extend([0, 0xe6, 0x78, 0x80, 0x1f, 0x40, 3, 0xe8, 3, 0xe8, 0, 0, 0, 0, 0]);
    }
    if let Some(bitmap) = bitmap {
        all.extend([0, 0, 6 + u8::try_from(bitmap.len()).unwrap(), 2, 0, 0]);
        all.extend(bitmap);
    }
    all.extend([0, 0, 3 + u8::try_from(data.len()).unwrap()]);
    all.extend(data);
    all.extend(b"7777");
    let length = u8::try_from(all.len()).unwrap();
    all[6] = length;
    all
}

/// Section 4 of edition 1 from its flags on, with the reference value 10.
pub(super) fn data1(flags: u8, rest: &[u8]) -> Vec<u8> {
    [&[flags, 0, 0, 0x41, 0xa0, 0, 0][..], rest].concat()
}

/// What describes the groups of complex packing: missing values, count, bits of widths and of lengths, last length.
pub(super) fn groups(missing: u8, count: u32, widths: u8, lengths: u8, last: u32) -> Vec<u8> {
    let mut all = vec![0, 1, missing];
    all.extend([0; 8]);
    all.extend(count.to_be_bytes());
    all.extend([0, widths, 0, 0, 0, 0, 1]);
    all.extend(last.to_be_bytes());
    all.push(lengths);
    all
}

/// A PNG image of one row of grey samples, stored without compression.
fn png(width: u8, depth: u8, row: &[u8]) -> Vec<u8> {
    let mut all = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8], data: &[u8]| {
        all.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let named = [name, data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&named);
        all.extend(named);
        all.extend(sum.sum().to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, width, 0, 0, 0, 1, depth, 0, 0, 0, 0]);
    let mut stream = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut stream, &[&[0], row].concat()).unwrap();
    chunk(b"IDAT", &stream.finish().unwrap());
    chunk(b"IEND", &[]);
    all
}

/// Five points: 10, none, 12, 14, 11, in 3 bits each above 10.
pub(super) fn simple() -> Vec<u8> {
    let representation = [head(10.0, 3), vec![0]].concat();
    // A bit behind the last point means nothing.
    message2((5, 4), 0, &representation, &[0, 0b1011_1001], &bits("000 010 100 001"))
}

/// Messages of all packings of edition 2, with their values.
pub(super) fn all2() -> Vec<(Vec<u8>, &'static str)> {
    let five = |template, representation: Vec<u8>, data: &[u8]| {
        message2((5, 5), template, &representation, &[255], data)
    };
    let with = |start: Vec<u8>, rest: &[u8]| [&start, rest].concat();
    // Groups of two and of three values, with references 4 and 7 and widths 1 and 2.
    let two = bits("0100 0111");
    let packed = [two, bits("001 010"), bits("10 00"), bits("01 00 01 11")].concat();
    let complex = |missing| with(head(10.0, 4), &groups(missing, 2, 3, 2, 3));
    let differences = |order| with(complex(0), &[order, 1]);
    let single: Vec<u8> =
        [1.5_f32, 2.0, 9999.0, -1.0, 0.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    let double: Vec<u8> =
        [1.5_f64, 2.0, 0.0025, -1.0, 0.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    let levels = [4, 0, 3, 0, 3, 1, 0, 10, 0, 20, 0, 35];
    vec![
        (simple(), "10 NaN 12 14 11"),
        (five(0, with(head(9999.0, 0), &[0]), &[]), "9999 9999 9999 9999 9999"),
        (five(0, with(head(1.0, 16), &[0]), &[0, 1, 0, 2, 0, 3, 1, 0, 39, 14]), "2 3 4 257 9999"),
        (five(2, complex(0), &packed), "14 15 17 18 20"),
        (five(2, complex(1), &packed), "14 NaN 17 18 NaN"),
        (five(2, complex(2), &packed), "NaN NaN 17 18 NaN"),
        // Differences from 3, or from 3 and 5, with 1 taken off each.
        (five(3, differences(1), &with(vec![3, 0x81], &packed)), "13 17 23 30 39"),
        (five(3, differences(2), &with(vec![3, 5, 0x81], &packed)), "13 15 23 38 62"),
        (
            five(3, with(head(2.5, 0), &with(groups(0, 0, 0, 0, 0), &[1, 1])), &[]),
            "2.5 2.5 2.5 2.5 2.5",
        ),
        (five(4, vec![1], &single), "1.5 2 9999 -1 0"),
        (five(4, vec![2], &double), "1.5 2 0.0025 -1 0"),
        (five(41, with(head(10.0, 8), &[0]), &png(5, 8, &[0, 1, 2, 3, 255])), "10 11 12 13 265"),
        (five(41, with(head(10.0, 3), &[0]), &png(5, 8, &[0, 1, 2, 3, 7])), "10 11 12 13 17"),
        (five(41, with(head(10.0, 4), &[0]), &png(5, 4, &[0x01, 0x2e, 0xf0])), "10 11 12 24 25"),
        (
            five(41, with(head(10.0, 12), &[0]), &png(5, 16, &[0, 1, 0, 2, 0, 3, 1, 0, 4, 0])),
            "11 12 13 266 1034",
        ),
        (five(41, with(head(10.0, 0), &[0]), &[]), "10 10 10 10 10"),
        (five(40, with(head(10.0, 0), &[0, 0, 255]), &[]), "10 10 10 10 10"),
        // A block of 8 samples of 4 bits that is stored as it is, without differences.
        (
            five(
                42,
                with(head(10.0, 4), &[0, 0, 8, 0, 1]),
                &bits("111 0001 0010 1111 0000 0011 0000 0000 0000"),
            ),
            "11 12 25 10 13",
        ),
        // The same with a reference sample, and one bit of each difference: 5, +1, -1, 0, +2.
        (
            five(
                42,
                with(head(10.0, 4), &[0, 8, 8, 0, 1]),
                &bits("010 0101 01 1 1 001 1 1 1 0 1 0 0 0 0 0"),
            ),
            "15 16 15 15 17",
        ),
        (five(61, with(head(0.0, 2), &1_f32.to_be_bytes()), &bits("00 00 00 00 00")), "0 0 0 0 0"),
        // Levels of 1, 2 and 3.5; numbers above 3 are digits of lengths, in base 12.
        (five(200, levels.to_vec(), &bits("0001 0110 0010 0011")), "1 1 1 2 3.5"),
        (
            message2(
                (6, 6),
                50,
                &with(head(1.0, 4), &7_f32.to_be_bytes()),
                &[255],
                &bits("0000 0001 0010 0011 0100"),
            ),
            "7 1 2 3 4 5",
        ),
        // The first coefficient as it is; those of n = 1 divided by 2.
        (
            message2(
                (6, 6),
                51,
                &with(head(0.0, 4), &[0, 15, 0x42, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]),
                &[255],
                &[&7_f32.to_be_bytes()[..], &8_f32.to_be_bytes(), &bits("0010 0001 0100 0110")]
                    .concat(),
            ),
            "7 8 1 0 2 3",
        ),
        // Groups of one and of two values behind 3 and 5, differences of the second order, with 1 taken off.
        (
            five(
                50_002,
                with(head(10.0, 8), &[4, 0, 0, 0, 2, 0, 0, 0, 3, 2, 2, 0, 2, 8, 3, 5, 0x81]),
                &[bits("00 01"), bits("01 10"), bits("0010 0001"), bits("0 1")].concat(),
            ),
            "13 15 18 21 25",
        ),
    ]
}

/// The same of edition 1, all of six points.
pub(super) fn all1() -> Vec<(Vec<u8>, &'static str)> {
    let second = |flags: u8, groups: u8, rest: &[u8]| {
        let head = [4, 0, 0, flags, 0, 0, 0, groups, 0, 6, 0];
        message1(None, &data1(0x40, &[&head, rest].concat()))
    };
    let rows = [&[1, 2][..], &bits("0100 0111"), &bits("0 1 1 00 01 10")].concat();
    let marked = |widths: &[u8], numbers: &str| {
        [widths, &bits("100 100"), &bits("0100 0111"), &bits(numbers)].concat()
    };
    // Widths and lengths of 2 bits, and differences of the first order from 3, with 1 taken off each.
    let extended = [&[2, 2, 0, 0, 8, 3, 0x81][..], &bits("01 10"), &bits("10 11")].concat();
    let extended = [extended, bits("0100 0111"), bits("0 1 00 01 11")].concat();
    vec![
        (message1(None, &data1(0, &[8, 0, 1, 2, 3, 4, 5])), "10 11 12 13 14 15"),
        (
            message1(
                Some(&bits("110 101")),
                &data1(4, &[&[3][..], &bits("000 001 010 111")].concat()),
            ),
            "10 11 NaN 12 NaN 17",
        ),
        (message1(None, &data1(0, &[0])), "10 10 10 10 10 10"),
        (message1(None, &[0, 0xff, 0xff, 0, 0, 0, 0, 0]), "NaN NaN NaN NaN NaN NaN"),
        (second(0x10, 2, &rows), "14 15 15 17 18 19"),
        (second(0x20, 2, &marked(&[1], "0 1 1 0 0 1")), "14 15 15 17 17 18"),
        (second(0x30, 2, &marked(&[1, 2], "0 1 1 00 01 10")), "14 15 15 17 18 19"),
        (second(0x24, 2, &marked(&[1], "0 1 1 0 0 1")), "14 15 15 18 17 17"),
        (second(0x19, 2, &extended), "13 16 20 26 33 42"),
        (second(0x1d, 2, &extended), "13 16 20 42 33 26"),
        (
            message1(
                None,
                &data1(
                    0x80,
                    &[&[4, 0x41, 0x70, 0, 0][..], &bits("0000 0001 0010 0011 0100")].concat(),
                ),
            ),
            "7 10 11 12 13 14",
        ),
        // Of a subset of truncation 0, whose last coefficients are weighted with 0.
        (
            message1(
                None,
                &data1(
                    0xc0,
                    &[
                        &[4, 0, 0, 3, 0xe8, 0, 0, 0, 0x41, 0x70, 0, 0, 0, 0, 0, 0][..],
                        &bits("0010 0001 0100 0110"),
                    ]
                    .concat(),
                ),
            ),
            "0 0 6 0 7 8",
        ),
    ]
}
