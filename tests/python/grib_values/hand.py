# SPDX-License-Identifier: MIT OR Apache-2.0
"""Messages made by hand, with random numbers in places that ecCodes' packers never use: all group widths and lengths, orders,
octets, kinds of missing values, runs, and the old kinds of second-order packing."""

import struct

import numpy as np

from . import made


class Bits:
    """Numbers of some bits."""

    def __init__(self):
        self.value, self.count = 0, 0

    def put(self, number, bits):
        assert 0 <= number < 1 << bits or bits == 0 == number
        self.value, self.count = self.value << bits | number, self.count + bits

    def bytes(self):
        padded = -self.count % 8
        return (self.value << padded).to_bytes((self.count + padded) // 8, "big")


def packed_bits(numbers, bits):
    out = Bits()
    for number in numbers:
        out.put(int(number), bits)
    return out.bytes()


def signed(value, bits):
    """Sign and magnitude."""
    return abs(value) | (1 << bits - 1 if value < 0 else 0)


def sections2(message):
    at, found = 16, {}
    while message[at : at + 4] != b"7777":
        length = int.from_bytes(message[at : at + 4], "big")
        found[message[at + 4]] = message[at : at + length]
        at += length
    return found


def message2(count, packed, template, representation, data, bitmap=None):
    """A message of edition 2 with these sections 5 and 7."""
    base = sections2(made.packed(2, (count, 1), "grid_simple", 8, np.zeros(count), None, {}))
    base[5] = struct.pack(">IBIH", 11 + len(representation), 5, packed, template) + representation
    base[6] = struct.pack(">IBB", 6 + (len(bitmap) if bitmap else 0), 6, 255 if bitmap is None else 0) + (bitmap or b"")
    base[7] = struct.pack(">IB", 5 + len(data), 7) + data
    body = b"".join(base[number] for number in sorted(base))
    return b"GRIB\0\0\0\x02" + struct.pack(">Q", 20 + len(body)) + body + b"7777"


def head(random, bits):
    """Reference value, scale factors and bits of a number."""
    reference = struct.pack(">f", random.normal() * 10.0 ** random.integers(-3, 4))
    binary, decimal = (signed(int(value), 16) for value in (random.integers(-20, 12), random.integers(-3, 6)))
    return reference + struct.pack(">HHB", binary, decimal, bits)


def lengths_of(random, count, groups):
    """Lengths of groups: a reference, an increment, scaled ones of some bits, and the last one."""
    increment, reference = int(random.integers(1, 4)), int(random.integers(1, 6))
    scaled = [int(random.integers(0, 9)) for _ in range(groups)]
    lengths = [number * increment + reference for number in scaled]
    while sum(lengths[:-1]) >= count and len(lengths) > 1:
        lengths.pop(), scaled.pop()
    last = count - sum(lengths[:-1])
    return reference, increment, scaled, lengths[:-1] + [last], last


def complex_packing(random):
    """Templates 5.2 and 5.3."""
    count = int(random.integers(1, 400))
    bits, missing, order = int(random.integers(0, 25)), int(random.integers(0, 3)), int(random.integers(0, 3))
    octets = int(random.integers(1, 5))
    reference, increment, scaled, lengths, last = lengths_of(random, count, int(random.integers(1, 60)))
    groups = len(lengths)
    width_reference, width_bits, length_bits = int(random.integers(0, 4)), int(random.integers(0, 5)), int(random.integers(4, 9))
    widths = [int(random.integers(0, 1 << width_bits)) for _ in range(groups)]
    # The largest references are those that mean missing values in groups of no width.
    references = [int(min((1 << bits) - 1, random.integers(0, (1 << bits) + 2))) for _ in range(groups)]
    if random.integers(2) and bits:
        references = [(1 << bits) - 1 - int(random.integers(0, min(3, 1 << bits))) if random.integers(3) == 0 else r for r in references]
    numbers = Bits()
    for width, length in zip(widths, lengths):
        width += width_reference
        for _ in range(length):
            top = (1 << width) - 1
            numbers.put(max(0, top - int(random.integers(0, 3))) if random.integers(5) == 0 else int(random.integers(0, top + 1)), width)
    representation = head(random, bits) + struct.pack(
        ">BBBIIIBBIBIB", 0, 1, missing, 0xFFFFFFFF, 0xFFFFFFFF, groups, width_reference, width_bits, reference, increment, last, length_bits
    )
    data = packed_bits(references, bits) + packed_bits(widths, width_bits) + packed_bits(scaled, length_bits) + numbers.bytes()
    if random.integers(4) and order:
        representation += struct.pack(">BB", order, octets)
        starts = Bits()
        for _ in range(order):
            starts.put(int(random.integers(0, 1 << min(8 * octets, 30))), 8 * octets)
        starts.put(signed(int(random.integers(-100, 100)), 8 * octets), 8 * octets)
        return f"hand 5.3 order {order} missing {missing}", message2(count, count, 3, representation, starts.bytes() + data)
    return f"hand 5.2 missing {missing}", message2(count, count, 2, representation, data)


def no_groups(random):
    count, template = int(random.integers(1, 50)), int(random.choice([2, 3]))
    representation = head(random, 0) + struct.pack(">BBBIIIBBIBIB", 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0)
    representation += b"\1\1" if template == 3 else b""
    return "hand 5.2 and 5.3 without groups", message2(count, count, template, representation, b"")


def run_length(random):
    """Template 5.200."""
    bits, levels = int(random.choice([2, 4, 8, 16])), int(random.integers(1, 40))
    most = min(levels, (1 << bits) - 2, int(random.integers(1, 40)))
    base = (1 << bits) - 1 - most
    numbers, count = [], 0
    while count < 300:
        run = int(random.integers(1, 90)) if base > 1 else 1
        numbers.append(int(random.integers(0, most + 1)))
        count += run
        rest = run - 1
        while rest:
            numbers.append(most + 1 + rest % base)
            rest //= base
    while len(numbers) * bits % 8:
        numbers.append(int(random.integers(0, most + 1)))
        count += 1
    heights = b"".join(struct.pack(">H", int(value)) for value in random.integers(0, 65536, levels))
    decimal = signed(int(random.integers(-3, 4)), 8)
    representation = struct.pack(">BHHB", bits, most, levels, decimal) + heights
    return "hand 5.200", message2(count, count, 200, representation, packed_bits(numbers, bits))


def floats(random):
    """Template 5.4, with a bit map."""
    count, wide = int(random.integers(1, 99)), bool(random.integers(2))
    there = random.integers(0, 2, count)
    there[0] = 1
    bitmap = np.packbits(there.astype("u1")).tobytes()
    values = random.normal(size=int(there.sum())) * 10.0 ** random.integers(-20, 20)
    data = values.astype(">f8" if wide else ">f4").tobytes()
    return "hand 5.4 bit map", message2(count, int(there.sum()), 4, b"\2" if wide else b"\1", data, bitmap)


def simple(random):
    """Template 5.0 in many bits, and with the extremes of the scale factors."""
    count, bits = int(random.integers(1, 99)), int(random.integers(1, 58))
    binary, decimal = int(random.choice([-1100, -60, 0, 40, 900])), int(random.choice([-300, -7, 0, 23, 320]))
    representation = struct.pack(">fHHBB", random.normal(), signed(binary, 16), signed(decimal, 16), bits, 0)
    numbers = [int(random.integers(0, 1 << bits)) for _ in range(count)]
    return "hand 5.0", message2(count, count, 0, representation, packed_bits(numbers, bits))


def logarithms(random):
    """Template 5.61, with a bit map."""
    count, bits = int(random.integers(1, 99)), int(random.integers(0, 25))
    there = random.integers(0, 2, count)
    there[0] = 1
    coded = int(there.sum())
    binary, added = signed(int(random.integers(-30, -bits + 1)), 16), float(random.choice([0, 1.5, -20]))
    representation = struct.pack(">fHHBf", random.normal(), binary, 0, bits, added)
    numbers = [int(random.integers(0, 1 << bits)) for _ in range(coded)]
    return "hand 5.61 bit map", message2(count, coded, 61, representation, packed_bits(numbers, bits), np.packbits(there.astype("u1")).tobytes())


def ibm(random):
    return struct.pack(">I", int(random.integers(0, 2)) << 31 | int(random.integers(60, 70)) << 24 | int(random.integers(1 << 20, 1 << 24)))


def message1(random, size, flags, first_bits_on, bitmap=None):
    """A message of edition 1 with this section 4 behind the reference value."""
    base = made.packed(1, size, "grid_simple", 8, np.zeros(size[0] * size[1]), None, {})
    at = 8
    product = bytearray(base[at : at + int.from_bytes(base[at : at + 3], "big")])
    at += len(product)
    grid = base[at : at + int.from_bytes(base[at : at + 3], "big")]
    product[7] = 0x80 | (0 if bitmap is None else 0x40)
    product[26:28] = struct.pack(">H", signed(int(random.integers(-3, 4)), 16))
    body = bytes(product) + grid
    if bitmap is not None:
        unused = len(bitmap) * 8 - size[0] * size[1]
        body += (6 + len(bitmap)).to_bytes(3, "big") + bytes([unused, 0, 0]) + bitmap
    data = struct.pack(">BH", flags, signed(int(random.integers(-12, 8)), 16)) + ibm(random) + first_bits_on
    data = (3 + len(data)).to_bytes(3, "big") + data
    total = 8 + len(body) + len(data) + 4
    return b"GRIB" + total.to_bytes(3, "big") + b"\1" + body + data + b"7777"


def second_order(random):
    """Edition 1: every kind of second-order packing."""
    size = int(random.integers(1, 20)), int(random.integers(1, 12))
    count = size[0] * size[1]
    there, bitmap = np.ones(count, int), None
    if random.integers(2):
        there = random.integers(0, 2, count)
        there[:4] = 1
        bitmap = np.packbits(there.astype("u1")).tobytes()
        bitmap += bytes(len(bitmap) % 2)
    coded = int(there.sum())
    first_bits = int(random.integers(0, 20))
    kind = int(random.integers(0, 4))
    draw = lambda bits: int(random.integers(0, 1 << bits))  # noqa: E731
    if kind == 0:
        name, (flags, groups, tail) = "general extended", extended(random, coded, first_bits, draw)
        if tail is None:
            return None
    elif kind == 1:
        rows = there.reshape(size[1], size[0]).sum(axis=1)
        widths = [int(random.integers(0, 12)) for _ in rows]
        firsts = packed_bits([draw(first_bits) for _ in rows], first_bits)
        numbers = Bits()
        for width, length in zip(widths, rows):
            for _ in range(length):
                numbers.put(draw(width), width)
        name, flags, groups, tail = "row by row", 0x10, len(rows), bytes(widths) + firsts + numbers.bytes()
    else:
        marks = random.integers(0, 4, coded) == 0
        marks[0] = True
        groups = int(marks.sum())
        constant = int(random.integers(0, 12))
        widths = [constant if kind == 2 else int(random.integers(0, 12)) for _ in range(groups)]
        numbers = Bits()
        for group in np.cumsum(marks) - 1:
            numbers.put(draw(widths[group]), widths[group])
        secondary = packed_bits(marks, 1) + packed_bits([draw(first_bits) for _ in range(groups)], first_bits) + numbers.bytes()
        name, flags, tail = ("constant width", 0x20, bytes([constant]) + secondary) if kind == 2 else ("general", 0x30, bytes(widths) + secondary)
    boustrophedonic = bool(random.integers(2)) and not (kind == 3 and bitmap is None)
    flags |= 0x04 if boustrophedonic else 0
    section = struct.pack(">BHBHHHB", first_bits, 0, flags, 0, groups % 65536, coded, groups // 65536) + tail
    name = f"hand edition 1 {name}" + (" boustrophedonic" if boustrophedonic else "")
    return name + (" bit map" if bitmap else ""), message1(random, size, 0x40, section + bytes(len(section) % 2), bitmap)


def extended(random, coded, first_bits, draw):
    order = int(random.integers(0, 4))
    if order >= coded:
        return 0, 0, None
    left, lengths = coded - order, []
    while left:
        lengths.append(min(left, int(random.integers(1, 12))))
        left -= lengths[-1]
    width_bits, length_bits, start_bits = int(random.integers(0, 5)), int(random.integers(4, 8)), int(random.integers(8, 24))
    widths = [draw(width_bits) for _ in lengths]
    numbers = Bits()
    for width, length in zip(widths, lengths):
        for _ in range(length):
            numbers.put(draw(width), width)
    tail = struct.pack(">BBH", width_bits, length_bits, 0)
    if order:
        starts = Bits()
        for _ in range(order):
            starts.put(draw(start_bits), start_bits)
        starts.put(signed(int(random.integers(-60, 60)), start_bits), start_bits)
        tail += bytes([start_bits]) + starts.bytes()
    firsts = packed_bits([draw(first_bits) for _ in lengths], first_bits)
    tail += packed_bits(widths, width_bits) + packed_bits(lengths, length_bits) + firsts + numbers.bytes()
    return 0x18 | order, len(lengths), tail


MAKERS = [complex_packing, complex_packing, complex_packing, no_groups, run_length, floats, simple, logarithms, second_order, second_order]


def all_messages(seed, count):
    random = np.random.default_rng(seed)
    for index in range(count):
        made_message = MAKERS[index % len(MAKERS)](random)
        if made_message is not None:
            yield made_message
