"""The files below a folder, in the order of their paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from posetwin.data.sources.listed import Fault
from posetwin.data.sources.names import printable

PICTURE = re.compile(r"\.(jpe?g|png|webp|bmp|tiff?)$", re.IGNORECASE)

_Identity = tuple[int, int]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself: the picture that it is named after is missing, not the whole folder.
        return False


def _children(folder: Path, ending: re.Pattern[str]) -> list[str]:
    """Folders end in a slash, which sorts them as the paths of their files are sorted. Hidden names are passed over:
    `._photo.jpg` is what macOS leaves beside photo.jpg, not a picture."""
    with os.scandir(folder) as entries:
        visible = [(entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith(".")]
    return sorted(f"{name}/" if is_folder else name for name, is_folder in visible if is_folder or ending.search(name))


def _identity(folder: Path) -> _Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def walk_files(root: Path, ending: re.Pattern[str] = PICTURE) -> Iterator[str | Fault]:
    """Paths, relative to `root` and with slashes, of the files whose name has that ending, sorted.

    The names of one folder are held at a time, with those of the folders above it. Links are followed, but not back
    to a folder that leads to them. A folder that cannot be read is a fault, missing_file.
    """
    open_folders: list[tuple[str, tuple[_Identity, ...]]] = [("", ())]
    while open_folders:
        path, above = open_folders.pop()
        if path and not path.endswith("/"):
            yield path
            continue
        try:
            identity = _identity(root / path)
            if identity not in above:
                children = _children(root / path, ending)
                open_folders.extend((path + name, (*above, identity)) for name in reversed(children))
        except OSError as error:
            yield Fault(printable(path), "missing_file", f"the folder cannot be read: {error.strerror}")
