# SPDX-License-Identifier: MIT OR Apache-2.0
"""What fsspec makes of the templates and generators of documents.

Reads a list of documents of version 1 from a file, and prints a list of what `ReferenceFileSystem` has under each key.
"""

import json
import sys

from fsspec.implementations.reference import ReferenceFileSystem


def expanded(document):
    """The references of a document, or what went wrong."""
    try:
        files = ReferenceFileSystem(
            fo=document, remote_protocol="memory", simple_templates=False, skip_instance_cache=True
        )
    except Exception as error:  # noqa: BLE001: any error of the reader counts
        return {"error": repr(error)}
    return {key: value for key, value in files.references.items() if "/." not in key and not key.startswith(".")}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        documents = json.load(file)
    json.dump([expanded(document) for document in documents], sys.stdout)
