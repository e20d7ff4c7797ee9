"""Pictures of an assembled set: drawn by the mini world, or read from a source, with keypoints and caption."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from posetwin.contracts import MiniItem, PosesItem
from posetwin.data.pose_tables import Layout, read_pose_table
from posetwin.errors import PosetwinError
from posetwin.mini.landmarks import draw_pose
from posetwin.mini.world import sample_world

# A row that cannot be drawn is listed and left out; any other error ends the stage.
ROW_FAULTS = frozenset({"no_visible_keypoint"})


@dataclass(frozen=True)
class Picture:
    """image: (S, S, 3) uint8 RGB. keypoints: (18, 3) x, y in pixels, visibility."""

    image: np.ndarray
    keypoints: np.ndarray
    caption: str
    source: str
    class_name: str = ""
    pose: str = ""
    attributes: dict[str, str] | None = None
    # of pictures that were read, to find those that are one
    hash: int | None = None


@dataclass(frozen=True)
class LeftOut:
    source: str
    code: str
    reason: str


Made = Picture | LeftOut


def _drawn(item: MiniItem, size: int) -> Picture:
    drawn = sample_world(item.seed, pose=item.pose or None, split=item.split, size=size)
    pose = drawn.attributes["pose"]
    return Picture(drawn.image, drawn.keypoints, drawn.caption, "mini", pose, pose, drawn.attributes)


@cache
def _table(path: str, layout: Layout) -> np.ndarray:
    return read_pose_table(Path(path), layout)


def _posed(item: PosesItem, size: int) -> Made:
    source = f"{item.path}, row {item.row}"
    try:
        drawn = draw_pose(_table(item.path, item.layout)[item.row], item.seed, size)
    except PosetwinError as error:
        if error.code not in ROW_FAULTS:
            raise
        return LeftOut(source, error.code, error.message)
    return Picture(drawn.image, drawn.keypoints, drawn.caption, source, attributes=drawn.attributes)


def _seen(picture: Made) -> Made:
    if isinstance(picture, LeftOut) or (picture.keypoints[:, 2] > 0).any():
        return picture
    return LeftOut(picture.source, "no_visible_keypoint", "no keypoint inside the picture")


def draw_picture(item: MiniItem | PosesItem, size: int) -> Made:
    """What the mini world draws. Raises PosetwinError as sample_world and read_pose_table do."""
    return _seen(_drawn(item, size) if isinstance(item, MiniItem) else _posed(item, size))
