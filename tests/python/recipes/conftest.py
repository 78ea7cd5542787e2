# SPDX-License-Identifier: MIT OR Apache-2.0
"""What all tests of recipes start from."""

import pytest

from .guide import Recipe


@pytest.fixture(name="recipe")
def in_a_folder_of_its_own(request, tmp_path):
    """The recipe that the test is about."""
    heading, page = request.param
    return Recipe(heading, tmp_path, page)
