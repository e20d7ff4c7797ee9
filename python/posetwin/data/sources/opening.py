"""The bytes of a listed picture: a whole file, or its range of an archive."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posetwin.data.sources.listed import IndexedPicture
from posetwin.errors import PosetwinError

# A file beyond this is no picture that anyone trains on.
MAX_BYTES = 512 << 20
_MAX_ARCHIVES = 16


class _Archives:
    """Open archives, those used last: of millions of pictures few lie in another one than the picture before."""

    def __init__(self) -> None:
        self._handles: OrderedDict[Path, int] = OrderedDict()

    def open(self, path: Path) -> int:
        if path in self._handles and not os.path.samestat(os.fstat(self._handles[path]), os.stat(path)):
            # Another file has that name by now.
            os.close(self._handles.pop(path))
        if path not in self._handles:
            self._handles[path] = os.open(path, os.O_RDONLY)
        if len(self._handles) > _MAX_ARCHIVES:
            os.close(self._handles.popitem(last=False)[1])
        self._handles.move_to_end(path)
        return self._handles[path]


# Of this process; one that is forked reads by position, so that sharing the handles does no harm.
_archives = _Archives()


@contextmanager
def _opened(path: Path, in_archive: bool) -> Iterator[int]:
    if in_archive:
        yield _archives.open(path)
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def _refuse_changed(path: Path, handle: int, picture: IndexedPicture) -> None:
    status = os.fstat(handle)
    if (status.st_size, status.st_mtime_ns) != (picture.size_bytes, picture.modified_ns):
        hint = "run again with --fresh, and leave the source alone meanwhile"
        raise PosetwinError("source_changed", f"{path} changed since it was listed", hint)


def _read_range(handle: int, start: int, length: int) -> bytes:
    """Shorter where the file ends before."""
    pieces: list[bytes] = []
    while length > 0 and (piece := os.pread(handle, length, start)):
        pieces.append(piece)
        start, length = start + len(piece), length - len(piece)
    return b"".join(pieces)


def _read(path: Path, picture: IndexedPicture) -> bytes:
    in_archive = picture.length >= 0
    start, length = (picture.start, picture.length) if in_archive else (0, picture.size_bytes)
    if length > MAX_BYTES:
        raise PosetwinError("bad_image", f"{path}: {length} bytes are more than the {MAX_BYTES} of any picture")
    with _opened(path, in_archive) as handle:
        _refuse_changed(path, handle, picture)
        content = _read_range(handle, start, length)
        # Once more: it may have been written to while it was read.
        _refuse_changed(path, handle, picture)
    if len(content) < length:
        raise PosetwinError("bad_image", f"{path} ends in the middle of {picture.name}")
    return content


def read_content(root: Path, picture: IndexedPicture) -> bytes:
    """The encoded picture. root: the source's path.

    Raises PosetwinError: missing_file, source_changed (size or time of the file differ from the index), bad_image
    (larger than MAX_BYTES, or unreadable).
    """
    path = root / picture.file
    try:
        return _read(path, picture)
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except OSError as error:
        raise PosetwinError("bad_image", f"{path} cannot be read: {error.strerror}") from error
