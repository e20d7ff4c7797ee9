"""Landmarks from a CSV file, a row a pose."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posetwin.errors import PosetwinError

_NUMBERED = re.compile(r"(?P<axis>[xyzv])_?(?P<landmark>\d+)")
_NAMED = re.compile(r"(?P<landmark>.+)_(?P<axis>x|y|z|v|visibility)")
_HINT = "x0, y0, x1, y1, … or nose_x, nose_y, …; z and v (visibility) beside them where you have them"


@dataclass(frozen=True)
class _Columns:
    """Indices into a row of the file, one a landmark, in their order; `visibility` is empty where there is none."""

    x: list[int]
    y: list[int]
    visibility: list[int]


def _by_axis(header: list[str], pattern: re.Pattern[str]) -> dict[str, dict[str, int]]:
    """Axis → landmark → index of its column."""
    found: dict[str, dict[str, int]] = {"x": {}, "y": {}, "z": {}, "v": {}}
    for index, title in enumerate(header):
        if match := pattern.fullmatch(title.strip().lower()):
            found[match["axis"][0]].setdefault(match["landmark"], index)
    return found


def _columns(path: Path, header: list[str]) -> _Columns:
    """Numbered landmarks come in the order of their numbers, named ones in the order of their columns."""
    axes = _by_axis(header, _NUMBERED)
    order = sorted(axes["x"], key=int)
    if not order:
        axes = _by_axis(header, _NAMED)
        order = list(axes["x"])
    if not order:
        raise PosetwinError("bad_keypoints", f"{path}:1 names no columns of landmarks", _HINT)
    for axis in ("y", "v"):
        unpaired = sorted(axes["x"].keys() ^ axes[axis].keys())
        # Visibility may be missing, but then of all.
        if unpaired and (axis == "y" or axes["v"]):
            message = f"{path}:1 has no pair of columns x and {axis} for landmark {unpaired[0]}"
            raise PosetwinError("bad_keypoints", message, _HINT)
    x, y, visibility = ([axes[axis][landmark] for landmark in order if axes[axis]] for axis in "xyv")
    return _Columns(x, y, visibility)


def _number(path: Path, line: int, title: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        hint = "a landmark that was not found has visibility 0 and any numbers"
        raise PosetwinError("bad_keypoints", f"{path}:{line}: {title.strip()} is {cell!r}, no finite number", hint)
    return number


def _pose(path: Path, line: int, header: list[str], cells: list[str], wanted: list[int]) -> list[float]:
    if len(cells) != len(header):
        message = f"{path}:{line} has {len(cells)} cells, and the header {len(header)}"
        raise PosetwinError("corrupt_file", message, "write the file again")
    return [_number(path, line, header[index], cells[index]) for index in wanted]


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, K, 2) x and y, and (N, K) visibility where there are columns of it; other columns are passed over.

    Raises PosetwinError: bad_keypoints, corrupt_file, both with the line; and what csv raises for what is no text.
    """
    # Spreadsheets begin a file with a byte order mark.
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(rows, None)
        if header is None:
            return np.empty((0, 0, 2)), None
        columns = _columns(path, header)
        wanted = [*columns.x, *columns.y, *columns.visibility]
        # A blank line is no pose.
        poses = [_pose(path, rows.line_num, header, cells, wanted) for cells in rows if cells]
    count = len(columns.x)
    numbers = np.array(poses, dtype=np.float64).reshape(-1, len(wanted) // count, count)
    return numbers[:, :2].swapaxes(1, 2), numbers[:, 2] if columns.visibility else None
