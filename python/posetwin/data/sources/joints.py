"""Annotated joints, in whatever form, as OpenPose-18."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posetwin.errors import PosetwinError
from posetwin.keypoints.layouts import coco17_to_openpose18

# For each MPII joint its place in OpenPose-18; pelvis, thorax and head top have none there.
_MPII16 = (10, 9, 8, 11, 12, 13, None, None, 1, None, 4, 3, 2, 5, 6, 7)


def _numbers(values: object, count: int) -> np.ndarray:
    """(count, 3) float32, from rows of three or all in one row."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise PosetwinError("bad_keypoints", f"its keypoints are no numbers: {error}") from error
    if array.shape not in ((count, 3), (count * 3,)):
        shape = "×".join(map(str, array.shape))
        raise PosetwinError("bad_keypoints", f"its keypoints are {shape} numbers, not {count}×3")
    # Beyond float32 is as good as infinite.
    with np.errstate(over="ignore"):
        return array.reshape(count, 3).astype(np.float32)


def _checked(keypoints: np.ndarray) -> np.ndarray:
    if not np.isfinite(keypoints).all():
        joint, column = np.argwhere(~np.isfinite(keypoints))[0].tolist()
        value = keypoints[joint, column]
        raise PosetwinError("bad_keypoints", f"{'xyv'[column]} of keypoint {joint} (from 0) is {value}")
    visibility = keypoints[:, 2]
    if not ((visibility == 0) | (visibility == 1) | (visibility == 2)).all():
        raise PosetwinError("bad_keypoints", "a visibility is none of 0 (absent), 1 (hidden), 2 (seen)")
    # What is absent is nowhere, whatever the file says.
    return np.where(keypoints[:, 2:] > 0, keypoints, np.float32(0))


def openpose18(values: object) -> np.ndarray:
    """(18, 3) float32 of 18×3 or 54 numbers x, y, visibility. Raises PosetwinError: bad_keypoints."""
    return _checked(_numbers(values, 18))


def from_coco17(values: object) -> np.ndarray:
    """(18, 3) float32 of 51 numbers; the neck where both shoulders are. Raises PosetwinError: bad_keypoints."""
    return coco17_to_openpose18(_checked(_numbers(values, 17))).astype(np.float32)


def from_mpii16(values: object) -> np.ndarray:
    """(18, 3) float32 of 16×3 0-based x, y, visibility: 13 joints, no face. Raises PosetwinError: bad_keypoints."""
    joints, keypoints = _checked(_numbers(values, 16)), np.zeros((18, 3), dtype=np.float32)
    for joint, place in zip(joints, _MPII16, strict=True):
        if place is not None:
            keypoints[place] = joint
    return keypoints


def annotated(mode: str, convert: Callable[[object], np.ndarray], values: object) -> np.ndarray | None:
    """The keypoints of a picture, where its source's `keypoints` is `annotations` and there are any."""
    return None if mode == "detector" or values is None else convert(values)
