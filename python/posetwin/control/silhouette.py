"""A figure's outline guessed from its keypoints alone: what the scene term and the drift metric leave out."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from posetwin.keypoints.layouts import OPENPOSE18_LIMBS

# Half the thickness of a limb, and the head's radius, as fractions of the distance from neck to hips.
LIMB_HALF_WIDTH, HEAD_RADIUS = 0.16, 0.32
_TORSO = (2, 5, 11, 8)
_HEAD = (0, 14, 15, 16, 17)


def _torso_length(points: np.ndarray, visible: np.ndarray, size: int) -> float:
    """Neck to the middle of the hips; where they are absent, a quarter of the frame."""
    if not visible[[1, 8, 11]].all():
        return size / 4
    return float(np.linalg.norm(points[1] - points[[8, 11]].mean(axis=0)))


def _thick_line(draw: ImageDraw.ImageDraw, a: np.ndarray, b: np.ndarray, radius: float) -> None:
    draw.line([tuple(a), tuple(b)], fill=1, width=max(1, round(2 * radius)))
    for x, y in (a, b):
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=1)


def silhouette(keypoints: np.ndarray, size: int, dilation: float = 0.0) -> np.ndarray:
    """Limbs thickened in proportion to the figure, torso and head filled.

    keypoints: (18, 3) x, y in pixels of the map, visibility (0 is left out). dilation: pixels added all around.
    Returns (size, size) bool, true on the figure; all false where no keypoint is visible.
    """
    points, visible = np.asarray(keypoints, dtype=np.float64)[:, :2], np.asarray(keypoints)[:, 2] > 0
    torso = _torso_length(points, visible, size)
    radius = LIMB_HALF_WIDTH * torso + dilation
    canvas = Image.new("L", (size, size))
    draw = ImageDraw.Draw(canvas)
    for a, b in OPENPOSE18_LIMBS:
        if visible[a] and visible[b]:
            _thick_line(draw, points[a], points[b], radius)
    if visible[list(_TORSO)].all():
        draw.polygon([tuple(points[i]) for i in _TORSO], fill=1)
    if head := [i for i in _HEAD if visible[i]]:
        centre = points[head].mean(axis=0)
        _thick_line(draw, centre, centre, HEAD_RADIUS * torso + dilation)
    return np.array(canvas, dtype=bool)
