# SPDX-License-Identifier: MIT OR Apache-2.0
"""Write all fixtures into OUT, unless they are there and were written by the same recipes: `python fixtures.py OUT`."""
import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
RECIPES = ["requirements.txt", "fixtures.py", "goes_twins.py", "grib_fixtures.py", "hdf5_fixtures.py", "mcmipf_twin.py", "netcdf3_fixtures.py", "netcdf4_fixtures.py", "hdf5_recipes/*.py"]
STEPS = [("hdf5_fixtures.py", "hdf5"), ("netcdf4_fixtures.py", "netcdf4"), ("netcdf3_fixtures.py", "netcdf3"), ("grib_fixtures.py", "grib2"), ("goes_twins.py", "goes", "2", "--side", "452"), ("mcmipf_twin.py", "mcmipf")]


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    digest = hashlib.sha256()
    for path in sorted(path for pattern in RECIPES for path in HERE.glob(pattern)):
        digest.update(path.read_bytes())
    stamp = out / "recipes.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        print(f"fixtures in {out} are up to date")
        return
    shutil.rmtree(out, ignore_errors=True)
    for script, folder, *arguments in STEPS:
        subprocess.run([sys.executable, HERE / script, out / folder, *arguments], check=True)
    stamp.write_text(digest.hexdigest())


if __name__ == "__main__":
    main()
