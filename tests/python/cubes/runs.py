# SPDX-License-Identifier: MIT OR Apache-2.0
"""One run of the program, and the comparison of the cube that it made."""

import os
import shlex
import subprocess

from .compare import Comparison, NotOpenable, read_cube, readable, xarray_difference

OUTCOMES = ["equal", "refused", "refused-needlessly", "wrong", "not-openable", "crash", "judge-failed"]
BAD = {"wrong", "not-openable", "crash", "judge-failed"}


class Refused(Exception):
    """The program ended with an exit code other than 0."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Crash(Exception):
    """The program was killed, panicked or did not end."""


class Program:
    """The program that makes cubes, with a record of the commands."""

    def __init__(self, path, folder):
        self.path, self.folder, self.commands = str(path), folder, []

    def run(self, *arguments):
        """Runs a command; raises when it fails."""
        arguments = [str(argument) for argument in arguments]
        self.commands.append(
            "chunkref " + shlex.join(argument.replace(f"{self.folder}/", "") for argument in arguments)
        )
        environment = {**os.environ, "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                [self.path, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Crash("no end after 120 s") from error
        message = done.stderr.strip()
        if done.returncode < 0 or done.returncode > 3 or "panicked" in message:
            raise Crash(f"exit code {done.returncode}: {message}")
        if done.returncode:
            raise Refused(done.returncode, message.replace(f"file://{self.folder}/", "").replace(f"{self.folder}/", ""))
        return message


def concat_arguments(model, options):
    """The dimensions, as the command line says them."""
    time = model.concat[0]
    names = [f"{time}=cf:{time}" if options.decoded else time, *model.concat[1:]]
    return [argument for name in names for argument in ("--concat", name)]


def compare(cube_path, model, options):
    """The outcome of a cube that is there: `equal`, `wrong` or `not-openable`, with what differs."""
    try:
        cube_path = readable(cube_path)
        cube = read_cube(cube_path)
    except NotOpenable as error:
        return "not-openable", str(error)
    except Exception as error:  # whatever zarr and fsspec raise
        return "not-openable", f"zarr: {type(error).__name__}: {error}"
    if difference := Comparison(model, cube, options).difference():
        return "wrong", difference
    try:
        difference = xarray_difference(cube_path, cube)
    except Exception as error:  # whatever xarray raises
        return "not-openable", f"xarray: {type(error).__name__}: {error}"
    return ("wrong", f"xarray: {difference}") if difference else ("equal", "")
