# SPDX-License-Identifier: MIT OR Apache-2.0
"""`python -m grib_tables FOLDER`: writes the tables of the pinned ecCodes to a folder; `--check` compares them instead."""

import sys
from pathlib import Path

from . import tables


def main():
    check = "--check" in sys.argv
    folder = Path([argument for argument in sys.argv[1:] if argument != "--check"][0])
    wrong = []
    for name, content in tables.build().items():
        path = folder / name
        if not check:
            path.write_text(content, encoding="utf-8", newline="\n")
            print(f"{path}: {len(content.encode())} bytes")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            wrong.append(name)
    if wrong:
        sys.exit(f"{', '.join(wrong)} in {folder}: not what the pinned ecCodes has; run `cargo xtask grib-tables` and commit the result")


main()
