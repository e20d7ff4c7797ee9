"""Sources of pictures on disk: every kind is listed by one file, lazily, in an order that its content alone decides."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from posetwin.contracts import (
    ClassesSource,
    CocoSource,
    DatasetsSource,
    FolderSource,
    ImagefolderSource,
    MpiiSource,
    WebdatasetSource,
)
from posetwin.data.sources.listed import Fault, IndexedPicture, Listed
from posetwin.data.sources.names import SeenNames, fault_of_path, printable
from posetwin.errors import PosetwinError

PictureSource = (
    FolderSource | ClassesSource | ImagefolderSource | MpiiSource | CocoSource | DatasetsSource | WebdatasetSource
)


def _lister(source: PictureSource) -> Callable[[Any], Iterator[Listed | Fault]]:
    # Imported where it is needed: scipy and pyarrow take their time.
    return getattr(import_module(f"posetwin.data.sources.{source.kind}"), f"list_{source.kind}")


class _Files:
    """Size and time of files; that of the last one is kept, since the pictures of an archive follow each other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._last: tuple[str, tuple[int, int] | Fault] | None = None

    def look_at(self, file: str) -> tuple[int, int] | Fault:
        if self._last is None or self._last[0] != file:
            self._last = file, self._look_at(file)
        return self._last[1]

    def _look_at(self, file: str) -> tuple[int, int] | Fault:
        try:
            status = os.stat(self._root / file)
        except OSError as error:
            return Fault(file, "missing_file", f"{file} is not there: {error.strerror}")
        if not stat.S_ISREG(status.st_mode):
            return Fault(file, "bad_image", f"{file} is no file")
        return status.st_size, status.st_mtime_ns


def _found(listed: Listed, files: _Files, seen: SeenNames) -> IndexedPicture | Fault:
    fault = fault_of_path(listed.name) or fault_of_path(listed.file)
    if fault is not None:
        return Fault(printable(listed.name), fault.code, fault.reason)
    if not seen.add(listed.name):
        return Fault(listed.name, "duplicate", "it was listed before")
    found = files.look_at(listed.file)
    if isinstance(found, Fault):
        return Fault(listed.name, found.code, found.reason)
    return IndexedPicture(**vars(listed), size_bytes=found[0], modified_ns=found[1])


def _shown(fault: Fault) -> Fault:
    return Fault(printable(fault.name), fault.code, printable(fault.reason))


def list_pictures(source: PictureSource) -> Iterator[IndexedPicture | Fault]:
    """The pictures of a source, each with its file found, and what cannot be used of it.

    Faults: missing_file, bad_image (no file), bad_name (no UTF-8), unsafe_path (absolute or upwards, or a link in an
    archive), duplicate (a name for the second time), bad_keypoints, bad_annotations, no_person, corrupt_file (a torn
    archive). Raises PosetwinError where the source as a whole is of no use: missing_file, bad_annotations,
    unknown_value, unsafe_path.
    """
    root = Path(source.path)
    if not root.exists():
        raise PosetwinError("missing_file", f"{root} does not exist")
    if not root.is_dir() and source.kind != "webdataset":
        raise PosetwinError("missing_file", f"{root} is not a folder")
    files, seen = _Files(root), SeenNames()
    for entry in _lister(source)(source):
        yield _shown(entry) if isinstance(entry, Fault) else _found(entry, files, seen)
