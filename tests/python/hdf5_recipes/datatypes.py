# SPDX-License-Identifier: MIT OR Apache-2.0
"""Datatypes of every class, byte order and precision."""
import h5py
import numpy as np
from h5py import h5t

from . import create, ramp, recipe

RED_GREEN = h5py.enum_dtype({"RED": 0, "GREEN": 1, "LONG_NAME_OF_BLUE": -5}, basetype="i2")
STATION = np.dtype([("height", "<f4"), ("counts", ">i2", (3,)), ("code", "S5")])


@recipe()
def numbers(f):
    """Integers and floats of every width and order."""
    for order in "<>":
        for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"):
            name = f"{'little' if order == '<' else 'big'}_{kind}"
            f.create_dataset(name, data=ramp(3, 4).astype(order + kind), chunks=(2, 3) if kind == "i4" else None)
    f.create_dataset("extremes_i8", data=np.array([-(2**63), 2**63 - 1], "i8"))
    f.create_dataset("extremes_u8", data=np.array([0, 2**64 - 1], ">u8"))
    f.create_dataset("special_f4", data=np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45], "f4"))
    f.create_dataset("flags", data=np.array([[True, False], [False, False]]))


def changed(base, **settings):
    """A copy of a predefined type with some of its properties set."""
    kind = base.copy()
    for setter, arguments in settings.items():
        getattr(kind, f"set_{setter}")(*arguments)
    return kind


@recipe()
def odd_numbers(f):
    """Numbers that NumPy has not: three bytes, twelve bits, brain floats, long doubles, bit fields, times."""
    create(f, "three_bytes", (5,), changed(h5t.STD_I32LE, precision=(24,), size=(3,)), ramp(5))
    create(f, "twelve_bits", (5,), changed(h5t.STD_U16LE, precision=(12,)), ramp(5, dtype="u2"))
    create(f, "twelve_bits_up", (5,), changed(h5t.STD_I16BE, precision=(12,), offset=(4,)), ramp(5, dtype="i2"))
    create(f, "long_double", (3,), h5t.NATIVE_LDOUBLE, np.array([1, 2, 3], np.longdouble))
    create(f, "bits_8", (4,), h5t.STD_B8LE)
    create(f, "bits_16_big", (4,), h5t.STD_B16BE)
    create(f, "time", (2,), h5t.UNIX_D32LE)
    brain = h5t.IEEE_F32LE.copy()
    brain.set_fields(15, 7, 8, 0, 7)
    brain.set_size(2)
    brain.set_precision(16)
    brain.set_ebias(127)
    create(f, "brain_float", (4,), brain, np.array([1, 2.5, -3, 0], "f4"))


@recipe()
def strings(f):
    """Text: fixed and variable, every padding and character set, in every layout."""
    f.create_dataset("fixed", data=np.array([b"ab", b"", b"abcd"]))
    f.create_dataset("fixed_chunked", data=np.array([[b"a", b"bcd"], [b"ef", b"g"]]), chunks=(1, 2), compression="gzip")
    f.create_dataset("one_byte", data=np.array([b"x", b"y", b"\0"], "S1"))
    f.create_dataset("fixed_utf8", (2,), h5py.string_dtype("utf-8", 6))[...] = ["né".encode(), "日本".encode()]
    for name, padding in (("space", h5t.STR_SPACEPAD), ("terminated", h5t.STR_NULLTERM), ("null", h5t.STR_NULLPAD)):
        kind = h5t.C_S1.copy()
        kind.set_size(6)
        kind.set_strpad(padding)
        create(f, f"padded_{name}", (2,), kind, np.array([b"abc", b"de"], "S6"))
    f.create_dataset("variable", data=["one", "", "three and a half", "é日本𝄞"], dtype=h5py.string_dtype())
    f.create_dataset("variable_ascii", data=["plain", "ascii"], dtype=h5py.string_dtype("ascii"))
    f.create_dataset("variable_grid", data=np.array([["a", "b", "c"], ["d", "", "f" * 300]], object), dtype=h5py.string_dtype(), chunks=(1, 2))
    f.create_dataset("variable_deflated", data=[f"row {row}" for row in range(40)], dtype=h5py.string_dtype(), chunks=(16,), compression="gzip")
    f.create_dataset("variable_scalar", data="just one", dtype=h5py.string_dtype())
    f.create_dataset("variable_unwritten", (3,), h5py.string_dtype(), chunks=(2,))
    f.create_dataset("long", data=["x" * 5000, "y" * 70000], dtype=h5py.string_dtype())
    f.create_dataset("fixed_scalar", data=np.bytes_(b"scalar"))


@recipe()
def variable_length(f):
    """Sequences of other types."""
    d = f.create_dataset("integers", (3,), h5py.vlen_dtype("i4"))
    d[0], d[2] = [1, 2, 3], [4]
    d = f.create_dataset("floats", (2, 2), h5py.vlen_dtype(">f8"), chunks=(1, 2))
    d[1, 1] = [0.5, np.nan]
    create(f, "of_compound", (2,), h5t.vlen_create(h5t.py_create(STATION)))
    create(f, "of_sequences", (2,), h5t.vlen_create(h5t.vlen_create(h5t.STD_I16LE)))


@recipe()
def enums(f):
    """Named values."""
    f.create_dataset("colours", data=np.array([0, 1, -5, 0], "i2"), dtype=RED_GREEN)
    f.create_dataset("big", data=np.array([1, 0], ">u4"), dtype=h5py.enum_dtype({"ON": 1, "OFF": 0}, basetype=">u4"))
    f.create_dataset("unknown", data=np.array([7, 9], "u1"), dtype=h5py.enum_dtype({"SEVEN": 7}, basetype="u1"), chunks=(1,))
    f.create_dataset("bool", data=np.array([True, False]), chunks=(2,), compression="gzip")
    f["named"] = RED_GREEN
    f.create_dataset("by_name", (2,), f["named"], fillvalue=1)


@recipe()
def compounds(f):
    """Records: plain, with padding, nested, with arrays, text, flags and named values."""
    record = np.zeros(4, STATION)
    record["height"], record["counts"], record["code"] = ramp(4), ramp(4, 3), b"xyz"
    f.create_dataset("station", data=record)
    f.create_dataset("station_chunked", data=record, chunks=(3,), compression="gzip", shuffle=True)
    padded = np.zeros(3, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [3, 16], "itemsize": 29}))
    padded["a"], padded["b"] = ramp(3), ramp(3) / 2
    f.create_dataset("padded", data=padded)
    nested = np.zeros(3, np.dtype([("id", "u4"), ("inner", [("x", "f4"), ("deep", [("y", "i2", (2, 2))])])]))
    nested["id"], nested["inner"]["x"], nested["inner"]["deep"]["y"] = ramp(3), 1.5, ramp(3, 2, 2)
    f.create_dataset("nested", data=nested)
    mixed = np.zeros(2, np.dtype([("flag", "?"), ("colour", RED_GREEN), ("z", "c8"), ("half", "f2")]))
    mixed["flag"], mixed["colour"], mixed["z"] = [True, False], [1, -5], [1 + 2j, 3]
    f.create_dataset("mixed", data=mixed)
    text = np.zeros(2, np.dtype([("name", h5py.string_dtype()), ("value", "f8")]))
    text["name"], text["value"] = ["one", "two"], [1, 2]
    f.create_dataset("with_text", data=text)
    f.create_dataset("scalar", data=record[1])
    create(f, "with_sequence", (2,), compound(("n", h5t.STD_I32LE), ("seq", h5t.vlen_create(h5t.STD_I32LE))))
    create(f, "with_reference", (2,), compound(("n", h5t.STD_I32LE), ("to", h5t.STD_REF_OBJ)))
    create(f, "one_member", (3,), compound(("only", h5t.IEEE_F32BE)), np.array([(1,), (2,), (3,)], [("only", "f4")]))


def compound(*members):
    """A compound type of (name, type) pairs, packed."""
    kind = h5t.create(h5t.COMPOUND, sum(member.get_size() for _, member in members))
    offset = 0
    for name, member in members:
        kind.insert(name.encode(), offset, member)
        offset += member.get_size()
    return kind


@recipe()
def complex_numbers(f):
    """As a record of two floats, the way of h5py; natively in the newest format."""
    values = np.array([1 + 2j, -0.5j, 3])
    for kind in ("<c8", ">c16", "<c16"):
        f.create_dataset(f"record_{'big' if kind[0] == '>' else 'little'}_{kind[1:]}", data=values.astype(kind), chunks=(2,))
    if ".latest." in f.filename:
        create(f, "native_c8", (3,), h5t.COMPLEX_IEEE_F32LE, values.astype("<c8"))
        create(f, "native_big_c16", (3,), h5t.COMPLEX_IEEE_F64BE, values.astype(">c16"), chunk=(2,))
        create(f, "native_half", (3,), h5t.COMPLEX_IEEE_F16LE)


@recipe()
def arrays_as_elements(f):
    """Elements that are arrays themselves."""
    create(f, "matrix", (4,), h5t.array_create(h5t.IEEE_F32LE, (2, 3)), ramp(4, 2, 3, dtype="f4"))
    create(f, "chunked", (5, 2), h5t.array_create(h5t.STD_I16BE, (3,)), ramp(5, 2, 3, dtype=">i2"), chunk=(2, 2), deflate=4)
    create(f, "scalar", (), h5t.array_create(h5t.STD_U8LE, (4,)), ramp(4, dtype="u1"))
    create(f, "of_arrays", (2,), h5t.array_create(h5t.array_create(h5t.STD_I32LE, (2,)), (3,)))
    create(f, "of_records", (2,), h5t.array_create(h5t.py_create(STATION), (2,)))
    plain = h5t.array_create(compound(("a", h5t.STD_I32LE), ("b", h5t.IEEE_F64BE)), (2,))
    create(f, "of_plain_records", (3,), plain)
    create(f, "of_plain_records_chunked", (5, 2), plain, chunk=(2, 2), deflate=4)
    text = h5t.C_S1.copy()
    text.set_size(3)
    create(f, "of_text", (2,), h5t.array_create(text, (2,)))


@recipe()
def opaque(f):
    """Bytes with a tag, dates of h5py among them."""
    f.create_dataset("seven", data=np.array([b"1234567", b"abcdefg"], "V7"))
    dates = np.array(["2020-07-28T01:02:03", "NaT"], "<M8[s]")
    f.create_dataset("dates", data=dates.astype(h5py.opaque_dtype(dates.dtype)))
    kind = h5t.create(h5t.OPAQUE, 3)
    kind.set_tag(b"a tag of some length")
    create(f, "tagged", (4,), kind)


@recipe()
def references(f):
    """To objects and to regions."""
    target = f.create_dataset("deep/target", data=ramp(6, 6))
    f.create_dataset("objects", data=np.array([target.ref, f["deep"].ref, h5py.Reference()], dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
    f.create_dataset("grid", (2, 2), h5py.ref_dtype, chunks=(1, 2))[0, 1] = target.ref
    f.create_dataset("regions", (2,), h5py.regionref_dtype)[0] = target.regionref[1:3, 2:5]
    f.create_dataset("scalar", data=target.ref, dtype=h5py.ref_dtype)


@recipe()
def committed(f):
    """Types that have a name and are shared."""
    f["types/length"] = np.dtype(">f8")
    f["types/station"] = STATION
    f["types/text"] = h5py.string_dtype()
    d = f.create_dataset("lengths", data=ramp(5, dtype=">f8"), dtype=f["types/length"])
    d.attrs.create("typical", 1.5, dtype=f["types/length"])
    f.create_dataset("stations", (3,), f["types/station"], chunks=(2,))[1] = (1.0, [1, 2, 3], b"q")
    f.create_dataset("names", (2,), f["types/text"])[...] = ["x", "yz"]
    f.attrs.create("name", "of a shared type", dtype=f["types/text"])
