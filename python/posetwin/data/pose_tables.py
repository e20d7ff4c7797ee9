"""Tables of poses from a file: the landmarks of a detector or an annotation, converted to OpenPose-18."""

from __future__ import annotations

import csv
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from posetwin.data.pose_csv import read_csv
from posetwin.data.pose_npz import read_npz
from posetwin.errors import PosetwinError
from posetwin.keypoints.layouts import blazepose33_to_openpose18, coco17_to_openpose18

Layout = Literal["auto", "mediapipe-33", "coco-17", "openpose-18"]

_READERS = {".npz": read_npz, ".csv": read_csv}
_LAYOUTS = {33: "mediapipe-33", 17: "coco-17", 18: "openpose-18"}
_CONVERSIONS = {"mediapipe-33": blazepose33_to_openpose18, "coco-17": coco17_to_openpose18, "openpose-18": np.asarray}
# Where an array holds visibility beside x and y: MediaPipe has depth before it.
_VISIBILITY_COLUMN = {"mediapipe-33": 3, "coco-17": 2, "openpose-18": 2}

_DAMAGED = (
    *(OSError, ValueError, SyntaxError, EOFError, KeyError, OverflowError, RuntimeError),
    *(struct.error, zipfile.BadZipFile, zlib.error, csv.Error),
)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, K, C) x, y and what else stands beside them, and (N, K) visibility where the file tells it apart."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PosetwinError("unknown_value", f"{path} is no table of poses", f"one of: {', '.join(_READERS)}")
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except _DAMAGED as error:
        raise PosetwinError("corrupt_file", f"{path} cannot be read: {error}", "see that it is whole") from error


def _layout_of(path: Path, count: int, wanted: Layout) -> str:
    """The layout of rows of `count` landmarks."""
    layout = _LAYOUTS.get(count)
    if layout is None or wanted not in ("auto", layout):
        expected = [f"{number} ({name})" for number, name in _LAYOUTS.items() if wanted in ("auto", name)]
        message = f"{path} has {count} landmarks a row, not {' or '.join(expected)}"
        raise PosetwinError("bad_keypoints", message, "convert the table, or see dataset.sources.layout")
    return layout


def _joints(values: np.ndarray, visibility: np.ndarray | None, layout: str) -> np.ndarray:
    """(N, K, 3) x, y, visibility, the latter 1 where nothing tells it."""
    column = _VISIBILITY_COLUMN[layout]
    if visibility is None:
        visibility = values[..., column] if values.shape[2] > column else np.ones(values.shape[:2])
    return np.concatenate([values[..., :2], visibility[..., None]], axis=-1)


def _refuse_not_finite(path: Path, joints: np.ndarray) -> None:
    faulty = np.argwhere(~np.isfinite(joints))
    if len(faulty):
        row, landmark, column = faulty[0].tolist()
        what, value = ("x", "y", "visibility")[column], joints[row, landmark, column]
        raise PosetwinError(
            "bad_keypoints",
            f"{path}: {what} of landmark {landmark} in row {row} is {value} (both counted from 0)",
            "a landmark that was not found has visibility 0 and any numbers",
        )


def read_pose_table(path: Path, layout: Layout = "auto") -> np.ndarray:
    """(N, 18, 3) OpenPose-18 x, y in the unit of the table, visibility: 0 absent, anything above present.

    Raises PosetwinError: missing_file, unknown_value (another kind of file), corrupt_file, too_few_samples (no row),
    bad_keypoints (other columns or arrays than expected, another number of landmarks, a number that is not finite).
    """
    values, visibility = _read(path)
    if len(values) == 0:
        raise PosetwinError("too_few_samples", f"{path} holds no pose")
    known = _layout_of(path, values.shape[1], layout)
    joints = _joints(values, visibility, known)
    _refuse_not_finite(path, joints)
    return _CONVERSIONS[known](joints)
