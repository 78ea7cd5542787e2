# SPDX-License-Identifier: MIT OR Apache-2.0
"""The recipes as the guide has them: commands, the refusals that it shows, and the lines of Python that open cubes."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs/guide/recipes.md"
GRIB = ROOT / "docs/guide/grib.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def program():
    """The program that is tested: what CHUNKREF names, or the debug build."""
    path = pathlib.Path(os.environ.get("CHUNKREF") or ROOT / "target/debug/chunkref").resolve()
    assert path.is_file(), f"{path} is not there: CHUNKREF names the program to test"
    return path


def sections(page=GUIDE):
    """The text of each recipe of a page by its heading, and what stands before the first as ''."""
    before, *recipes = re.split(r"^## ", page.read_text(), flags=re.MULTILINE)
    return {"": before, **{recipe.split("\n", 1)[0]: recipe.split("\n", 1)[1] for recipe in recipes}}


def about(heading, page=GUIDE):
    """Gives a test the recipe of a page with this heading."""

    def mark(test):
        test.heading = heading
        return pytest.mark.parametrize("recipe", [(heading, page)], indirect=True, ids=[""])(test)

    return mark


class Recipe:
    """One recipe, run in the folder `folder`, with what its lines of Python define in `names`."""

    def __init__(self, heading, folder, page=GUIDE):
        self.folder = folder
        self.page = page
        self.text = sections(page)[heading]
        self.blocks = BLOCK.findall(self.text)
        self.names = {}
        self._python(BLOCK.findall(sections(page)[""]))

    def commands(self):
        """All command lines of the recipe."""
        return [line for kind, text in self.blocks if kind == "sh" for line in text.splitlines()]

    def refusals(self):
        """All lines of messages that the recipe shows."""
        return [line for kind, text in self.blocks if kind == "text" for line in text.splitlines()]

    def run(self, command, folder=None, more=""):
        """Run a command line of the guide, with `more` options; its exit code, and what it prints."""
        words = shlex.split(f"{command} {more}")
        assert words[0] == "chunkref" and command in self.commands()
        done = subprocess.run(
            [program(), *words[1:]],
            cwd=folder or self.folder,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def make(self, command, folder=None, more=""):
        """Run a command line that makes something."""
        assert all(option in self.text for option in more.split() if option.startswith("--")), more
        code, said = self.run(command, folder, more)
        assert code == 0, said
        return said

    def refused(self, command, *words, folder=None):
        """Run a command line that must be refused with words that the guide shows, and leave no output."""
        code, said = self.run(command, folder)
        assert code == 1, f"exit code {code}: {said}"
        for line in words:
            assert line in self.refusals() and line in said, said
        output = re.search(r" -o (\S+)", command)
        assert not output or not (pathlib.Path(folder or self.folder) / output[1]).exists()
        return said

    def open(self):
        """What the recipe's lines of Python define."""
        self._python(self.blocks)
        return self.names

    def paths(self, name):
        """What a list of relative names is from anywhere."""
        return [str(self.folder / path) for path in self.names[name]]

    def _python(self, blocks):
        here = os.getcwd()
        os.chdir(self.folder)
        try:
            for kind, text in blocks:
                if kind == "python":
                    exec(compile(text, str(self.page), "exec"), self.names)  # noqa: S102
        finally:
            os.chdir(here)
