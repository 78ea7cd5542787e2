# SPDX-License-Identifier: MIT OR Apache-2.0
"""Goes by what messages offer: each resolution has to give a right cube, or another conflict."""

import copy
import re

from .runs import Crash, Refused, compare, concat_arguments

LEFT_OUT = re.compile(r"^(\S+) is left out: (?!.*inputs have the same coordinates)", re.MULTILINE)
CONFLICT = re.compile(r"^\d+\. (.*)$", re.MULTILINE)


def offered(message):
    """The options that a message names: pairs of a name and a value."""
    found = []
    for line in message.splitlines():
        if "to resolve it:" not in line:
            continue
        if "--on-conflict" in line:
            words = re.findall(r"--on-conflict ([a-z-]+)", line)
            found += [("conflict", word) for word in ("skip-file", "skip-variable", "skip") if word in words]
            found += [("conflict", "first")] if re.search(r"\bfirst takes|--on-conflict first\b", line) else []
        if "--duplicates" in line:
            found += [("duplicates", "first"), ("duplicates", "last")]
        if "--sort" in line:
            found.append(("sort", True))
        if "--missing fill" in line:
            found.append(("missing", "fill"))
        found += [("identical", name) for name in re.findall(r"--identical ([^\s,);]+)", line)]
    return list(dict.fromkeys(found))


def chosen(options, choice):
    """Options with one more, or None if nothing would change."""
    name, value = choice
    changed = copy.copy(options)
    if name == "identical":
        if value in options.identical:
            return None
        value = (*options.identical, value)
    if getattr(options, name) == value:
        return None
    setattr(changed, name, value)
    return changed


def walk(generator, program, model, options, message, folder):
    """Applies resolutions, one after another, until there is a cube or no way on; says where it ends."""
    steps = []
    cube = folder / "resolved.json"
    for _ in range(6):
        choices = [changed for choice in offered(message) if (changed := chosen(options, choice)) is not None]
        if not choices:
            return {"outcome": "no way out", "steps": steps, "detail": message}
        before, options = set(CONFLICT.findall(message)), choices[int(generator.integers(len(choices)))]
        arguments = options.arguments()
        steps.append(" ".join(arguments))
        try:
            said = program.run("build", *model.paths, "-o", cube, *concat_arguments(model, options), *arguments)
        except Refused as refused:
            message = refused.message
            if before & set(CONFLICT.findall(message)) == before:
                return {"outcome": "changes nothing", "steps": steps, "detail": message}
            continue
        except Crash as crash:
            return {"outcome": "crash", "steps": steps, "detail": str(crash)}
        finally:
            program.commands.pop()
        left_out = {name.rsplit("/", 1)[-1] for name in LEFT_OUT.findall(said)}
        outcome, detail = compare(cube, model.without(left_out, left_out), options)
        return {"outcome": outcome, "steps": steps, "detail": detail, "left out": sorted(left_out)}
    return {"outcome": "no end", "steps": steps, "detail": message}
