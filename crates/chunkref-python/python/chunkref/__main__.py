# SPDX-License-Identifier: MIT OR Apache-2.0
"""The command `chunkref`: `python -m chunkref` and the console script."""

from __future__ import annotations

import os
import signal
import sys

from chunkref._chunkref import main as run


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    # Ctrl-C is the command's business: it ends what is under way, and nothing is left half-written.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    words = [os.fsencode("chunkref"), *map(os.fsencode, sys.argv[1:])]
    sys.exit(run([os.fsdecode(word) for word in words]))


if __name__ == "__main__":
    main()
