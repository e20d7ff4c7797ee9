"""Names of pictures: which are refused, and which were there before."""

from __future__ import annotations

import bisect
import hashlib
import re
from array import array
from pathlib import Path

import numpy as np

from posetwin.data.sources.listed import Fault

_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")
# So many recent names are kept as Python numbers (about 60 bytes each) before they join the sorted array.
_RECENT = 1 << 18


def printable(name: str) -> str:
    """The name with what is no UTF-8 written as escapes, so that it can be stored and shown."""
    return name.encode("utf-8", "backslashreplace").decode()


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in name


def fault_of_path(path: str) -> Fault | None:
    """bad_name where it is no UTF-8, unsafe_path where it could lead out of the source's folder, else None.

    Symbolic links are not looked at: whoever may lay them into the folder could as well lay the pictures there.
    """
    if not _is_utf8(path):
        return Fault(printable(path), "bad_name", "its name is no UTF-8")
    if _ABSOLUTE.match(path) or ".." in re.split(r"[/\\]", path):
        return Fault(path, "unsafe_path", "its path is absolute or leads upwards, perhaps out of the source's folder")
    return None


def location_of(root: Path, name: str) -> str:
    """Where a picture of that name lies, for people. root: the source's path, a folder or one shard."""
    return f"{root if root.is_dir() else root.parent}/{name}"


def hash_of(text: str, num_bytes: int) -> int:
    """A number of so many bytes that is the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=num_bytes).digest(), "big")


class SeenNames:
    """Which names were there before, in 8 bytes a name.

    Names are told apart by 64-bit hashes: among ten million two that differ are taken for one with probability 3e-6.
    """

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._recent: set[int] = set()

    def add(self, name: str) -> bool:
        """False where it was added before."""
        number = hash_of(name, 8)
        place = bisect.bisect_left(self._sorted, number)
        if number in self._recent or (place < len(self._sorted) and self._sorted[place] == number):
            return False
        self._recent.add(number)
        if len(self._recent) >= _RECENT:
            self._merge()
        return True

    def _merge(self) -> None:
        recent = np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))
        merged = np.concatenate([np.frombuffer(self._sorted, dtype=np.uint64), recent])
        merged.sort()
        self._sorted = array("Q", merged.tobytes())
        self._recent.clear()
