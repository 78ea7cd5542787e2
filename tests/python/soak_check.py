# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whether references say the same as those of an undisturbed run: `python soak_check.py WANTED FOUND PREFIX PREFIX`.

WANTED and FOUND are kerchunk JSON or folders of it; the prefixes are those of the objects' URLs in each. Prints the number of sets
and keys, and fails for anything that is lost, doubled or different, and for files that are no result.
"""
import json
import pathlib
import sys


def pairs(members):
    """A dictionary, unless a key is there twice."""
    if len({key for key, _ in members}) < len(members):
        raise SystemExit(f"a key is there twice: {sorted(key for key, _ in members)[:20]}")
    return dict(members)


def references(path, prefix):
    """Keys and values, with the prefix of objects taken off; a list of documents as one."""
    text = json.loads(path.read_text(), object_pairs_hook=pairs)
    documents = text if isinstance(text, list) else [text]
    found = {}
    for number, document in enumerate(documents):
        for key, value in document["refs"].items():
            if isinstance(value, list):
                assert value[0].startswith(prefix), value
                value = [value[0][len(prefix):], *value[1:]]
            found[number, key] = value
    return found


def main():
    wanted, found = (pathlib.Path(word) for word in sys.argv[1:3])
    prefixes = sys.argv[3:5]
    files = [wanted] if wanted.is_file() else sorted(path for path in wanted.rglob("*") if path.is_file())
    names = [path.relative_to(wanted) for path in files]
    if found.is_dir():
        there = sorted(path.relative_to(found) for path in found.rglob("*") if path.is_file())
        if there != names:
            raise SystemExit(f"lost: {sorted(set(names) - set(there))[:5]}, not wanted: {sorted(set(there) - set(names))[:5]}")
    keys = 0
    for name in names:
        one, other = references(wanted / name, prefixes[0]), references(found / name, prefixes[1])
        if one != other:
            different = sorted(str(key) for key in one.keys() | other.keys() if one.get(key) != other.get(key))
            raise SystemExit(f"{found / name}: {len(other)} keys instead of {len(one)}; different: {different[:5]}")
        keys += len(one)
    print(len(names), keys)


if __name__ == "__main__":
    main()
