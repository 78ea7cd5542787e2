# SPDX-License-Identifier: MIT OR Apache-2.0
"""The recipes of `docs/guide/recipes.md`, run on small twins of the products that they are about."""
