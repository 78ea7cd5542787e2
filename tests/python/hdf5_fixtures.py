# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write small HDF5 files that each exercise one structure of the format: `python hdf5_fixtures.py OUT`."""
import argparse
import os

from hdf5_recipes import write_all
from hdf5_recipes import chunk_indexes, datatypes, filters, layouts, objects  # noqa: F401  registers their recipes


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    out = parser.parse_args().out
    os.makedirs(out, exist_ok=True)
    names = write_all(out)
    total = sum(os.path.getsize(os.path.join(out, name)) for name in os.listdir(out))
    print(f"{len(names)} HDF5 fixtures in {out}, {total // 1024} KiB with the files they point to")


if __name__ == "__main__":
    main()
