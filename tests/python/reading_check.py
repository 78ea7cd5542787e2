# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compare what our reader read with what zarr-python reads: `python reading_check.py REPORT`.

REPORT is JSON: `{REFERENCES: {PATH: CRC}}`, where CRC is the CRC-32 of all values of an array in C order, as its data type in
the references has them, or of each text and a NUL. Prints how many arrays are equal and every difference in words.
"""
import json
import sys
import warnings
import zlib

import fsspec
import numpy as np
import zarr


def stored_dtype(metadata):
    """The numpy type of a `.zarray` document."""
    dtype = metadata["dtype"]
    return np.dtype([tuple(field) for field in dtype] if isinstance(dtype, list) else dtype)


def checksum(values, dtype):
    """The sum of an array's values."""
    if dtype == object:
        texts = (text.encode() if isinstance(text, str) else bytes(text) for text in np.ravel(values))
        return zlib.crc32(b"".join(text + b"\0" for text in texts))
    return zlib.crc32(np.ascontiguousarray(np.asarray(values).astype(dtype, copy=False)).tobytes())


def main():
    """Command line."""
    warnings.simplefilter("ignore")
    equal, lacking, differences = 0, 0, []
    for references, sums in json.load(open(sys.argv[1])).items():
        options = {"fo": references, "remote_protocol": "file", "asynchronous": True, "remote_options": {"asynchronous": True}}
        files = fsspec.filesystem("reference", skip_instance_cache=True, **options)
        group = zarr.open_group(zarr.storage.FsspecStore(files, read_only=True), mode="r", zarr_format=2)
        keys = json.load(open(references))["refs"]
        for path, expected in sums.items():
            try:
                values = np.asarray(group[path][...])
            except Exception as error:  # a codec that this environment lacks
                lacking += 1
                print(f"{references} {path}: {error}"[:300], file=sys.stderr)
                continue
            if checksum(values, stored_dtype(json.loads(keys[path + "/.zarray"]))) == expected:
                equal += 1
            else:
                differences.append(f"{references}: the values of {path} differ")
    print(json.dumps({"equal": equal, "lacking": lacking, "differences": differences}))


if __name__ == "__main__":
    import imagecodecs.numcodecs

    imagecodecs.numcodecs.register_codecs()
    main()
