# SPDX-License-Identifier: MIT OR Apache-2.0
"""kerchunk's `hdf`: HDF5 and NetCDF-4 files."""

from __future__ import annotations

import os
from typing import Any

from chunkref import _check
from chunkref._stores import Limits
from chunkref.kerchunk._original import original
from chunkref.kerchunk._sources import filled, scanned


class SingleHdf5ToZarr:
    """Translate the content of one HDF5 file into references.

    Parameters
    ----------
    h5f : str, os.PathLike, file object, h5py.File or h5py.Group
        The file. A path or URL is read natively, with ``storage_options``.
    url : str, optional
        What references call it; needed for file objects and objects of h5py.
    spec : int
        1 for kerchunk's dictionary of version 1, 0 for the bare references.
    inline_threshold : int
        Chunks of fewer stored bytes go into the references.
    storage_options : dict, optional
        Options of fsspec.
    error : {"warn", "ignore", "raise", "pdb"}
        What to do about variables that references cannot say.
    vlen_encode : {"embed", "null", "leave", "encode"}
        ``"embed"`` is chunkref's; the others are done by kerchunk itself, when it is installed.
    out : dict-like, optional
        Where references go, such as fsspec's ``LazyReferenceMapper``.
    unsupported_inline_threshold : int, optional
        Without effect: chunkref decodes what no codec reads, within ``hdf5.inline-budget``.
    limits : mapping, optional
        Bounds on what reading may cost, by name, see `chunkref.Stores`; kerchunk has no such parameter, and no bounds.

    Examples
    --------
    >>> from chunkref.kerchunk.hdf import SingleHdf5ToZarr
    >>> sorted(SingleHdf5ToZarr(example_file).translate()["refs"])[:3]
    ['.zattrs', '.zgroup', 'temperature/.zarray']
    """

    def __init__(
        self,
        h5f: Any,
        url: str | None = None,
        spec: int = 1,
        inline_threshold: float | None = 500,
        storage_options: dict[str, Any] | None = None,
        error: str = "warn",
        vlen_encode: str = "embed",
        out: Any = None,
        unsupported_inline_threshold: int | None = None,
        *,
        limits: Limits = None,
    ) -> None:
        if vlen_encode not in ("embed", "null", "leave", "encode"):
            raise NotImplementedError(f"vlen_encode={vlen_encode!r}")
        _check.optional_text("url", url)
        _check.integer("spec", spec, 0, 1)
        _check.choice("error", error, ("warn", "ignore", "raise", "pdb"))
        _check.mapping("storage_options", storage_options)
        if inline_threshold is not None:
            _check.number("inline_threshold", inline_threshold)
        _check.optional_integer("unsupported_inline_threshold", unsupported_inline_threshold)
        self.limits = _check.limits("limits", limits)
        self._source, self._url, self.spec, self.inline = h5f, url, spec, inline_threshold
        self._storage_options, self.error, self.vlen, self._out = storage_options, error, vlen_encode, out
        self._original: Any = None
        if vlen_encode != "embed":
            self._original = original("hdf", "SingleHdf5ToZarr")(
                h5f, url, spec, inline_threshold, storage_options, error, vlen_encode, out, unsupported_inline_threshold
            )

    def translate(self, preserve_linked_dsets: bool = False) -> Any:
        """Scan the file and give its references.

        Parameters
        ----------
        preserve_linked_dsets : bool
            Whether soft links are arrays of their own. Hard links always are.

        Returns
        -------
        dict or dict-like
            kerchunk's dictionary, or ``out``.
        """
        if self._original is not None:
            return self._original.translate(preserve_linked_dsets)
        source: Any = self._source
        group = ""
        if type(source).__module__.partition(".")[0] == "h5py":
            if self._url is None:
                raise ValueError("an object of h5py needs url=: references must name the file")
            source, group = self._url, str(source.name or "").strip("/")
        elif not isinstance(source, (str, os.PathLike)) and not hasattr(source, "read"):
            raise ValueError("type of input `h5f` not recognised")
        links = "follow" if _check.boolean("preserve_linked_dsets", preserve_linked_dsets) else "skip"
        references = scanned(
            source, self._url, self._storage_options, self.inline, "hdf5", self.error, self.limits, hdf5_links=links
        )
        if group:
            references = type(references)(references._dataset.group(group))
        found = references.to_dict(consolidated=False)
        if self._out is not None and self._out is not False:
            return filled(self._out, found["refs"])
        return found if self.spec >= 1 else found["refs"]

    def close(self) -> None:
        """Free what is held: nothing, as files are only open while they are scanned."""
        if self._original is not None:
            self._original.close()

    def __enter__(self) -> SingleHdf5ToZarr:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def __getattr__(name: str) -> Any:
    return original("hdf", name)
