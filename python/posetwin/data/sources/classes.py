"""A folder for each class, as Cricket Shots and Yoga Posture come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from posetwin.contracts import ClassesSource
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.texts import clean_class
from posetwin.data.sources.walking import walk_files

# Folders that hold the folders of the classes; what lies in them directly has no class.
_SPLITS = frozenset({"train", "test", "val", "valid", "validation"})


def _class_of(name: str) -> str:
    folder = PurePosixPath(name).parent.name
    return "" if folder.lower() in _SPLITS else clean_class(folder)


def _picture(name: str) -> Listed:
    return Listed(name=name, file=name, class_name=_class_of(name))


def list_classes(source: ClassesSource) -> Iterator[Listed | Fault]:
    """The pictures below the folder in the order of their paths; the class is the folder that holds the picture."""
    for name in walk_files(Path(source.path)):
        yield name if isinstance(name, Fault) else attempt(name, _picture, name)
