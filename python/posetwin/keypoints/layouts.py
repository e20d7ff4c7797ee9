"""Skeleton layouts: joint names, limbs, colours, and conversions between layouts.

OpenPose body-18 is the layout that every dataset, control map and loss of this project uses; other layouts are
converted on entry. Order, limb pairs and palette are OpenPose's own (Cao et al., 2017).
"""

from __future__ import annotations

import numpy as np

OPENPOSE18 = (
    "nose", "neck",
    "right_shoulder", "right_elbow", "right_wrist",
    "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle",
    "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear",
)  # fmt: skip

# The 17 limbs that OpenPose draws, as 0-based index pairs into OPENPOSE18.
OPENPOSE18_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip

OPENPOSE18_COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255),
    (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip

# Where each OpenPose-18 joint is found in another layout; a tuple means the midpoint of two joints.
_FROM_COCO17 = (0, (5, 6), 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
_FROM_BLAZEPOSE33 = (0, (11, 12), 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


def _convert(source: np.ndarray, mapping: tuple[int | tuple[int, int], ...]) -> np.ndarray:
    joints = []
    for entry in mapping:
        if isinstance(entry, int):
            joints.append(source[..., entry, :])
            continue
        first, second = source[..., entry[0], :], source[..., entry[1], :]
        midpoint = (first + second) / 2
        # A midpoint is only as visible as the less visible of its two ends.
        midpoint[..., 2] = np.minimum(first[..., 2], second[..., 2])
        joints.append(midpoint)
    return np.stack(joints, axis=-2)


def coco17_to_openpose18(keypoints: np.ndarray) -> np.ndarray:
    """(…, 17, 3) x, y, visibility → (…, 18, 3); the neck is the midpoint of the shoulders."""
    return _convert(np.asarray(keypoints, dtype=np.float64), _FROM_COCO17)


def blazepose33_to_openpose18(keypoints: np.ndarray) -> np.ndarray:
    """(…, 33, 3) x, y, visibility → (…, 18, 3); the neck is the midpoint of the shoulders."""
    return _convert(np.asarray(keypoints, dtype=np.float64), _FROM_BLAZEPOSE33)


def blazepose33_indices() -> tuple[tuple[int, int], ...]:
    """For each OpenPose-18 joint the pair of BlazePose-33 joints whose mean it is (equal where it is one joint)."""
    return tuple((e, e) if isinstance(e, int) else e for e in _FROM_BLAZEPOSE33)
