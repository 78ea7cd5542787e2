# SPDX-License-Identifier: MIT OR Apache-2.0
"""Groups, links, attributes, shared messages and dimension scales."""
import h5py
import numpy as np

from . import create, ramp, recipe, set_property
from .datatypes import RED_GREEN, STATION

TRACKED = h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED
EVERY = ("v1", "v108", "v110", "latest")


@recipe(*EVERY)
def links(f):
    """Hard, soft and external links: to data, to groups, to nothing, in circles."""
    stem = f.filename.removesuffix(".h5")
    with h5py.File(f"{stem}.target.h5", "w") as t:
        t.create_dataset("inside/d", data=ramp(12))
        t["back"] = h5py.ExternalLink(f.filename, "/a")
    a = f.create_group("a")
    d = a.create_dataset("d", data=ramp(5), chunks=(2,))
    f["hard"] = d
    f["z/also_hard"] = d
    f["soft"] = h5py.SoftLink("/a/d")
    a["relative"] = h5py.SoftLink("d")
    f["chain"] = h5py.SoftLink("/soft")
    f["to_group"] = h5py.SoftLink("/a")
    f["dangling"] = h5py.SoftLink("/nowhere/at/all")
    a["self"] = h5py.SoftLink("/a/self")
    a["ping"], a["pong"] = h5py.SoftLink("/a/pong"), h5py.SoftLink("/a/ping")
    a["up"] = f["/"]
    f["z/a_again"] = a
    f["external"] = h5py.ExternalLink(f"{stem}.target.h5", "/inside/d")
    f["external_group"] = h5py.ExternalLink(f"{stem}.target.h5", "/inside")
    f["external_back"] = h5py.ExternalLink(f"{stem}.target.h5", "/back")
    f["external_lost"] = h5py.ExternalLink(f"{stem}.nowhere.h5", "/d")


@recipe(*EVERY)
def many_links(f):
    """More names than a group's header or one block holds, in no order."""
    g = f.create_group("dense")
    for number in range(500):
        g.create_dataset(f"v{number * 331 % 500:04d}", data=np.int16(number))
    f.create_dataset("n" * 300 + "_long", data=ramp(2))
    for number in range(40):
        f[f"soft_{number:03d}"] = h5py.SoftLink(f"/dense/v{number:04d}")


@recipe(*EVERY, creation=lambda plan: (plan.set_link_creation_order(TRACKED), plan.set_attr_creation_order(TRACKED)))
def creation_order(f):
    """Names and attributes that remember when they came."""
    for number in range(40):
        f.create_dataset(f"v{97 * number % 40:02d}", data=np.int32(number))
        f.attrs[f"a{89 * number % 40:02d}"] = number
    g = f.create_group("few", track_order=True)
    for name in "zxy":
        g[name] = ramp(2)


@recipe(*EVERY)
def names(f):
    """Names that need care."""
    for name in ("with space", "dot.in.name", "é日本", "100%", 'quo"te', "back\\slash", "tab\tin", "{{u}}", "{brace}", "x" * 255):
        f.create_dataset(name, data=ramp(3))
        f[name].attrs[name] = name
    g = f
    for level in range(40):
        g = g.create_group(f"level{level}")
    g.create_dataset("bottom", data=ramp(3))
    f.create_group("empty")


@recipe(*EVERY)
def deleted(f):
    """Links and attributes that are gone leave holes."""
    for number in range(12):
        f.create_dataset(f"v{number:02d}", data=ramp(4))
        f["v00"].attrs[f"a{number:02d}"] = "x" * number
    for number in (1, 4, 5, 11):
        del f[f"v{number:02d}"]
        del f["v00"].attrs[f"a{number:02d}"]
    few = f.create_dataset("few", data=ramp(4))
    few.attrs["first"], few.attrs["second"] = "a" * 50, 2
    del few.attrs["first"]
    few.attrs["second"] = "now a text that is longer"
    g = f.create_group("shrunk")
    for number in range(30):
        g[f"n{number}"] = np.int8(number)
    for number in range(28):
        del g[f"n{number}"]


@recipe(*EVERY)
def attributes(f):
    """Attributes of all kinds, on the file, a group and data."""
    for place in (f, f.create_group("g"), f.create_dataset("d", data=ramp(3))):
        a = place.attrs
        a["text"], a["unicode"], a["no_text"] = "plain", "Ångström 日本", ""
        a["fixed"], a["fixed_list"] = np.bytes_(b"fixed"), np.array([b"x", b"yy"])
        a["texts"], a["one_text"] = ["a", "", "ccc"], ["single"]
        a["integer"], a["float"], a["big"] = 7, 0.1, np.array([1, 2], ">i8")
        a["largest"], a["single"], a["half"] = np.uint64(2**64 - 1), np.float32(0.1), np.float16(0.25)
        a["one"], a["list"], a["none"] = np.array([5], "i2"), np.arange(4, dtype="u1"), np.zeros(0, "f4")
        a["matrix"], a["cube"] = np.arange(6.0).reshape(2, 3), np.arange(8, dtype="i4").reshape(2, 2, 2)
        a["text_grid"] = np.array([["a", "b"], ["c", "d"]], object)
        a["nan"], a["infinities"] = np.nan, np.array([np.inf, -np.inf])
        a["flag"], a["flags"] = True, np.array([True, False])
        a["complex"], a["empty"] = 1 + 2j, h5py.Empty("f4")
        a.create("empty_text", h5py.Empty(h5py.string_dtype()))
        a.create("colour", 1, dtype=RED_GREEN)
        a.create("station", np.array((1.5, (1, 2, 3), b"abc"), STATION))
        a.create("stations", np.zeros(2, STATION))
        a.create("to_object", f["/"].ref, dtype=h5py.ref_dtype)
        a.create("opaque", np.array(b"123", "V3"))
        a.create("units", 3)  # a name that readers expect to be text
        sequence = np.empty(2, object)
        sequence[0], sequence[1] = np.array([1, 2], "i4"), np.array([3], "i4")
        a.create("sequence", sequence, dtype=h5py.vlen_dtype("i4"))
        a.create("array_type", np.arange(6, dtype="i4").reshape(2, 3), shape=(2, 3), dtype=np.dtype(("i4", (3,))))


@recipe("v108", "v110", "latest")
def large_attributes(f):
    """Dense storage: many, and larger than any other place holds."""
    d = f.create_dataset("d", data=ramp(3))
    for number in range(60):
        d.attrs[f"attribute {number * 37 % 60:02d}"] = f"value {number}" * (number % 7)
    f.attrs["huge"] = np.arange(20_000)
    f.attrs["huge_text"] = np.array([b"t" * 66_000])
    f.attrs["small"] = 1


@recipe("v108", "latest", creation=lambda plan: [set_property(plan, "set_shared_mesg_nindexes", 1),
                                                  set_property(plan, "set_shared_mesg_index", 0, 0x1F, 20)])
def shared_messages(f):
    """Equal header messages stored once, in the file's table of shared messages."""
    pair = np.dtype([("a", "i2"), ("b", "f4")])
    for number in range(60):
        d = f.create_dataset(f"d{number:02d}", (4, 5), pair, chunks=(2, 5), compression="gzip", shuffle=True, fillvalue=np.array((1, 2), pair))
        d[number % 4] = np.ones(5, pair)
        d.attrs["same"] = "a text that all of them share"


def filtered_group(f, filters):
    """A group whose link heap goes through filters."""
    plan = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    for function, arguments in filters:
        set_property(plan, function, *arguments)
    g = h5py.Group(h5py.h5g.create(f.id, b"filtered", gcpl=plan))
    for number in range(200):
        g[f"n{number:03d} and a long common tail of the name"] = np.int16(number)


@recipe("v108", "latest")
def filtered_heap(f):
    """The heap of a dense group, deflated."""
    filtered_group(f, [("set_deflate", (6,))])


@recipe("v108", "latest")
def filtered_heap_checksum(f):
    """The heap of a dense group, shuffled, deflated and with a checksum."""
    filtered_group(f, [("set_deflate", (1,)), ("set_fletcher32", ())])


@recipe()
def dimension_scales(f):
    """Scales attached once, several times, in two dimensions, from other groups; labels; none at all."""
    for name, count in (("t", 3), ("y", 4), ("x", 5)):
        f.create_dataset(name, data=ramp(count, dtype="f8")).make_scale(f"name of {name}")
    f.create_dataset("sub/level", data=ramp(2)).make_scale()
    f.create_dataset("second_x", data=ramp(5)).make_scale("other")
    f.create_dataset("grid", data=ramp(4, 5)).make_scale("two dimensions")
    d = f.create_dataset("full", data=ramp(3, 4, 5))
    for axis, name in enumerate("tyx"):
        d.dims[axis].attach_scale(f[name])
    d = f.create_dataset("two_on_an_axis", data=ramp(5))
    d.dims[0].attach_scale(f["x"])
    d.dims[0].attach_scale(f["second_x"])
    d = f.create_dataset("sub/partly", data=ramp(2, 4, 7))
    d.dims[0].attach_scale(f["sub/level"])
    d.dims[1].attach_scale(f["y"])
    d = f.create_dataset("labels", data=ramp(4, 6))
    d.dims[0].label, d.dims[1].label = "row", "column"
    f.create_dataset("bare", data=ramp(4, 9))
    f.create_dataset("bare_square", data=ramp(4, 4))
    create(f, "never", (6,), "f4")
    f["never"].make_scale("never written")
