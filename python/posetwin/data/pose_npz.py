"""Landmarks from a NumPy archive. Nothing in it is ever unpickled: that would run the code of whoever made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posetwin.errors import PosetwinError

_LANDMARKS = ("keypoints", "kp", "landmarks")
_VISIBILITIES = ("visibility", "vis")
_HEADERS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_HINT = "np.savez(path, keypoints=…) of N × K × 2 numbers or more, with visibility=… of N × K where it is known"


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    is_numeric: bool


def _headers(archive: Any) -> dict[str, _Header]:
    """What every array is, without reading it: those of texts and objects are nobody's business."""
    found = {}
    for name in archive.zip.namelist():
        with archive.zip.open(name) as stream:
            read_header = name.endswith(".npy") and _HEADERS.get(np.lib.format.read_magic(stream))
            if read_header:
                shape, _, dtype = read_header(stream)
                found[name.removesuffix(".npy")] = _Header(shape, dtype.kind in "biuf")
    return found


def _choose(path: Path, headers: dict[str, _Header]) -> str:
    """The array of landmarks: by its name, else the only one of three dimensions."""
    named = [name for name in _LANDMARKS if name in headers]
    shaped = [name for name, header in headers.items() if header.is_numeric and len(header.shape) == 3]
    if not named and len(shaped) != 1:
        held = ", ".join(f"{name} {header.shape}" for name, header in headers.items()) or "no array"
        message = f"{path} holds {held}: which are the landmarks? None is called {', '.join(_LANDMARKS)}"
        raise PosetwinError("bad_keypoints", message, _HINT)
    return (named or shaped)[0]


def _numbers(path: Path, archive: Any, name: str, header: _Header) -> np.ndarray:
    if not header.is_numeric:
        raise PosetwinError("bad_keypoints", f"{path}: {name} holds no numbers, and objects are never unpickled", _HINT)
    return archive[name].astype(np.float64)


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, K, C >= 2) landmarks, and (N, K) visibility where an array of that name is there.

    Raises PosetwinError: bad_keypoints; and what NumPy and zipfile raise for a file that is damaged or no archive.
    """
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array, and is no archive")
        headers = _headers(archive)
        name = _choose(path, headers)
        values = _numbers(path, archive, name, headers[name])
        if values.ndim != 3 or values.shape[2] < 2:
            raise PosetwinError("bad_keypoints", f"{path}: {name} has the shape {values.shape}, not N × K × 2", _HINT)
        beside = next((given for given in _VISIBILITIES if given in headers), None)
        if beside is None:
            return values, None
        visibility = _numbers(path, archive, beside, headers[beside])
    if visibility.shape != values.shape[:2]:
        message = f"{path}: {beside} has the shape {visibility.shape}, not {values.shape[:2]} as {name}"
        raise PosetwinError("bad_keypoints", message, _HINT)
    return values, visibility
