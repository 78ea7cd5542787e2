# SPDX-License-Identifier: MIT OR Apache-2.0
"""What h5py and netCDF4-python find in a source file."""
import json
import os
import signal

import h5py

DIMENSION_ONLY = b"This is a netCDF dimension but not a netCDF variable"
PATIENCE = 20  # seconds for netCDF to list a file


class Source:
    """An HDF5 file: every object once, with the first of its names."""

    def __init__(self, path):
        self.file = h5py.File(path, "r", locking=False)
        self.datasets, self.groups = {}, {self.identity(self.file): [""]}
        self.walk(self.file, "")

    @staticmethod
    def identity(thing):
        """What two names of one object have in common."""
        info = h5py.h5o.get_info(thing.id)
        return info.fileno, info.addr

    def walk(self, group, prefix):
        """Follow hard links; soft and external ones only name what is elsewhere."""
        children = []
        try:
            names = sorted(group)
        except (RuntimeError, OSError, ValueError):
            return
        for name in names:
            path = f"{prefix}{name}"
            try:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    continue
                thing = group[name]
                identity = self.identity(thing)
            except (KeyError, OSError, RuntimeError, TypeError, ValueError):
                self.datasets[path] = path  # there is something, and h5py cannot open it
                continue
            if isinstance(thing, h5py.Dataset):
                self.datasets.setdefault(identity, path)
            elif isinstance(thing, h5py.Group):
                known = identity in self.groups
                self.groups.setdefault(identity, []).append(path)
                if not known:
                    children.append((thing, f"{path}/"))
        for child, deeper in children:
            self.walk(child, deeper)

    def dataset(self, path):
        """The dataset that a user finds under this path, following links, and its identity."""
        try:
            thing = self.file[path]
            return (self.identity(thing), thing) if isinstance(thing, h5py.Dataset) else (None, None)
        except (KeyError, OSError, RuntimeError, TypeError, ValueError):
            return None, None

    def group_paths(self):
        """Every name of every group."""
        return [path for paths in self.groups.values() for path in paths]

    def name_of(self, reference):
        """The path of what a reference points at; empty for none."""
        try:
            return self.file[reference].name if reference else ""
        except (ValueError, OSError, KeyError):
            return ""


def dimension_only(dataset):
    """Whether this is netCDF's stand-in for a dimension that has no variable."""
    try:
        name = dataset.attrs.get("NAME", b"")
    except (OSError, TypeError, ValueError):
        return False
    return (name.encode() if isinstance(name, str) else bytes(name)).startswith(DIMENSION_ONLY)


def netcdf_variables(path):
    """Names and shapes as netCDF4-python shows them; nothing when it cannot open the file.

    In a process of its own: the library may not survive an HDF5 file that is no netCDF file.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(PATIENCE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # its last words, should it die, are of no use
        try:
            with os.fdopen(writer, "w") as answer:
                json.dump(list_variables(path), answer)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        words = answer.read()
    os.waitpid(child, 0)
    return json.loads(words) if words.endswith("}") else {}


def list_variables(path):
    """Walk a file with netCDF4-python."""
    import netCDF4
    found = {}
    with netCDF4.Dataset(path) as dataset:
        groups = [("", dataset)]
        while groups:
            prefix, group = groups.pop()
            for name, variable in group.variables.items():
                found[f"{prefix}{name}"] = {"dimensions": list(variable.dimensions), "shape": list(variable.shape)}
            groups += [(f"{prefix}{name}/", deeper) for name, deeper in group.groups.items()]
    return found
