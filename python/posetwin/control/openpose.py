"""Control maps in OpenPose's own drawing: coloured limbs and joints on black, as public pose adapters expect them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from posetwin.keypoints.layouts import OPENPOSE18_COLOURS, OPENPOSE18_LIMBS

SUPERSAMPLING = 4
# controlnet_aux paints limbs at 60 % of their colour, joints at full colour on top of them.
LIMB_BRIGHTNESS = 0.6

Box = list[float]


def _disc(x: float, y: float, radius: float) -> Box:
    return [x - radius, y - radius, x + radius, y + radius]


def _limb(draw: ImageDraw.ImageDraw, ends: np.ndarray, colour: tuple[int, ...], width: float) -> None:
    (ax, ay), (bx, by) = ends.tolist()
    draw.line([(ax, ay), (bx, by)], fill=colour, width=max(1, round(width)))


def draw_openpose(keypoints: np.ndarray, size: int, *, line_width: float = 0.045) -> np.ndarray:
    """The OpenPose drawing of one person.

    keypoints: (18, 3) x, y in pixels of the map, visibility; points of visibility 0 and their limbs are left out.
    size: height and width of the map. line_width: of limbs, and diameter of joints, as a fraction of `size` (OpenPose
    draws 8 of 368 px; small maps need more to keep colours apart). Returns (size, size, 3) uint8 RGB, antialiased.
    """
    side, width = size * SUPERSAMPLING, line_width * size * SUPERSAMPLING
    points, visible = np.asarray(keypoints)[:, :2] * SUPERSAMPLING, np.asarray(keypoints)[:, 2] > 0
    canvas = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(canvas)
    for (a, b), colour in zip(OPENPOSE18_LIMBS, OPENPOSE18_COLOURS, strict=False):
        if visible[a] and visible[b]:
            _limb(draw, points[[a, b]], tuple(int(c * LIMB_BRIGHTNESS) for c in colour), width)
    for (x, y), shown, colour in zip(points.tolist(), visible, OPENPOSE18_COLOURS, strict=True):
        if shown:
            draw.ellipse(_disc(x, y, width / 2), fill=colour)
    return np.array(canvas.resize((size, size), Image.Resampling.BOX))
