"""What a list of pictures on disk is made of, and why one may be missing from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np

from posetwin.errors import PosetwinError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False, kw_only=True)
class Listed:
    """One picture of a source, as its files and annotations tell it; nothing of the picture itself has been read."""

    name: str
    """Relative to the source's path; inside an archive `shard.tar/member`. One name is one picture."""
    file: str
    """The file to open, relative to the source's path; empty where that path is itself the file."""
    start: int = -1
    length: int = -1
    """Byte range in `file`; both -1: the whole file."""
    row: int = -1
    """Row of an Arrow file; else -1."""
    caption: str = ""
    """Empty: it brings none."""
    class_name: str = ""
    keypoints: np.ndarray | None = None
    """(18, 3) float32 OpenPose-18: x, y in 0-based px, perhaps outside of the picture; 0 absent, 1 hidden, 2 seen."""
    box: tuple[float, float, float, float] | None = None
    """x0, y0, x1, y1 px of the annotated person, perhaps beyond the picture."""
    num_people: int = -1
    """-1: unknown."""
    group: str = ""
    """Pictures of one group (one video) fall into one split; empty: it stands alone."""


@dataclass(frozen=True, eq=False, kw_only=True)
class IndexedPicture(Listed):
    """A listed picture whose file was found. Read back from an index, `group` is empty: it has served."""

    size_bytes: int
    """Of `file`, as is the time: whoever opens it later sees whether it changed."""
    modified_ns: int


@dataclass(frozen=True)
class Fault:
    """A picture, or a piece of a source, that cannot be listed. code: one of orchestrator/errors.ts."""

    name: str
    code: str
    reason: str


def attempt(
    name: str, make: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result | Fault:
    """What `make` returns, or the fault of `name` where it raises a PosetwinError."""
    try:
        return make(*args, **kwargs)
    except PosetwinError as error:
        return Fault(name, error.code, error.message)
