"""Photos below a folder, their captions in .txt files of the same name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from posetwin.contracts import FolderSource
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.texts import read_caption
from posetwin.data.sources.walking import walk_files


def _picture(root: Path, name: str) -> Listed:
    return Listed(name=name, file=name, caption=read_caption((root / name).with_suffix(".txt")))


def list_folder(source: FolderSource) -> Iterator[Listed | Fault]:
    """The .jpg, .png, .webp, .bmp and .tif files below the folder, in the order of their paths."""
    root = Path(source.path)
    for name in walk_files(root):
        yield name if isinstance(name, Fault) else attempt(name, _picture, root, name)
