"""A picture of any size as a square around its person, the keypoints moved along exactly.

One convention for every coordinate here, as for detectors and control maps: x, y are px from the upper left corner of
the picture, so the pixel in column i spans [i, i + 1) and its centre is i + 0.5. A picture scaled from w to w' columns
then moves x to x · w' / w. Annotations that count pixels (COCO, MPII less 1) enter by `from_pixel_indices`.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from posetwin.contracts import FactorResize
from posetwin.errors import PosetwinError

Rounding = Literal["floor", "round"]
Filter = Literal["bilinear", "nearest", "area", "bicubic", "lanczos"]

FILTERS: dict[Filter, int] = {
    "bilinear": cv2.INTER_LINEAR,
    "nearest": cv2.INTER_NEAREST,
    "area": cv2.INTER_AREA,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
# Free space on each side as a fraction of the person's extent: skull, hands and feet reach beyond the keypoints.
MARGIN = 0.2
# Of a square that is cut out before it is scaled.
MAX_PIXELS = 100_000_000


def from_pixel_indices(keypoints: np.ndarray) -> np.ndarray:
    """(…, 2 or more) x, y that count pixels from 0 → px from the corner: the centres of those pixels."""
    moved = np.array(keypoints, dtype=np.float64)
    moved[..., :2] += 0.5
    return moved


def _whole(length: int, factor: float, rounding: Rounding) -> int:
    # Half to even, as OpenCV makes sizes whole.
    return max(1, math.floor(length / factor) if rounding == "floor" else round(length / factor))


def downsample(image: np.ndarray, factor: float, rounding: Rounding, filter: Filter) -> np.ndarray:
    """Step 1 of the method, as cv2.resize: (H, W, 3) uint8 → (H / factor, W / factor, 3), made whole and at least 1."""
    height, width = (_whole(length, factor, rounding) for length in image.shape[:2])
    if (height, width) == image.shape[:2]:
        return image
    return cv2.resize(image, (width, height), interpolation=FILTERS[filter])


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W, 3) uint8 → no side longer than `side` px, averaged; as it is where none is."""
    height, width = image.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return image
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _downsampled_points(points: np.ndarray, before: np.ndarray, after: np.ndarray, filter: Filter) -> np.ndarray:
    """(…, 2) x, y of a picture of `before` columns and rows → of one of `after`."""
    # INTER_NEAREST shows in pixel i what lies at pixel i · w / w', upper left of the place that the others average.
    offset = 0.5 if filter == "nearest" else 0.0
    return (points - offset) * (after / before) + offset


def _inside(keypoints: np.ndarray, width: float, height: float) -> np.ndarray:
    x, y = keypoints[:, 0], keypoints[:, 1]
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


def seen_inside(keypoints: np.ndarray, width: float, height: float) -> np.ndarray:
    """(N, 3) as float64, visibility 0 where x, y lie outside of a width × height picture; what is not finite is 0."""
    keypoints = np.array(keypoints, dtype=np.float64)
    keypoints[~np.isfinite(keypoints).all(axis=1)] = 0
    keypoints[~_inside(keypoints, width, height), 2] = 0
    return keypoints


def extent_of(keypoints: np.ndarray) -> np.ndarray:
    """(N, 3) → (4,) x0, y0, x1, y1 around those that are visible. Raises PosetwinError: no_visible_keypoint."""
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        raise PosetwinError("no_visible_keypoint", "no keypoint of the person is inside the picture")
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


def _person_box(keypoints: np.ndarray, box: np.ndarray | None, width: float, height: float) -> np.ndarray:
    """(4,) of the person inside a width × height picture; what a given box says beyond it is of no use."""
    if box is None:
        return extent_of(keypoints)
    return np.clip(np.asarray(box, dtype=np.float64), 0, [width, height, width, height])


def _person_square(box: np.ndarray, height: int, width: int, size: int, margin: float) -> tuple[int, int, int]:
    """Left, top and side, px: inside the picture where the person fits, else centred on the person along that axis."""
    extent = float((box[2:] - box[:2]).max())
    short = min(height, width)
    wanted = max(extent * (1 + 2 * margin), min(size, short))
    # The margin gives way before the picture has to be padded, but for the pixel that holds the last keypoint.
    side = math.ceil(max(min(wanted, short), extent + 1))
    corner = (box[:2] + box[2:]) / 2 - side / 2
    room = np.array([width, height]) - side
    left, top = np.where(room >= 0, corner.clip(0, np.maximum(room, 0)), corner).round().astype(int).tolist()
    return left, top, side


def _cut(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """The square of the picture; its edge pixels are repeated where the square reaches beyond."""
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and left + side <= width and top + side <= height:
        return np.ascontiguousarray(image[top : top + side, left : left + side])
    rows = np.arange(top, top + side).clip(0, height - 1)
    columns = np.arange(left, left + side).clip(0, width - 1)
    return image[rows[:, None], columns]


def fit_to_square(
    image: np.ndarray,
    keypoints: np.ndarray,
    size: int,
    *,
    box: np.ndarray | None = None,
    margin: float = MARGIN,
) -> tuple[np.ndarray, np.ndarray]:
    """A square around the person, never stretched, scaled to (size, size, 3) with antialiasing; keypoints with it.

    image: (H, W, 3) uint8. keypoints: (N, 3) x, y in its px, visibility; outside of the picture or of the square it
    becomes 0. box: (4,) x0, y0, x1, y1 px of the person, by default around the visible keypoints. margin: wanted on
    each side, as a fraction of the longer side of the box; where the picture is too small for it the margin shrinks,
    where it is too small for the person its edge is repeated, and where the person is smaller than `size` more of
    the picture is taken rather than magnified. Raises PosetwinError: no_visible_keypoint; bad_image (long and narrow).
    """
    height, width = image.shape[:2]
    keypoints = seen_inside(keypoints, width, height)
    box = _person_box(keypoints, box, width, height)
    left, top, side = _person_square(box, height, width, size, margin)
    if side**2 > MAX_PIXELS:
        # A line of pixels may be millions long; only what has to be padded to a square comes here.
        raise PosetwinError("bad_image", f"a square of {side} px around the person of a {width} × {height} picture")
    cut = Image.fromarray(_cut(image, left, top, side))
    scaled = np.asarray(cut.resize((size, size), Image.Resampling.LANCZOS))
    keypoints[:, :2] = (keypoints[:, :2] - (left, top)) * (size / side)
    return scaled, seen_inside(keypoints, size, size)


def _window(centre: float, length: int, size: int) -> int:
    """Where `size` px of `length` start: around the centre but inside; a picture that is smaller lies in the middle."""
    if length < size:
        return -((size - length) // 2)
    return min(max(round(centre - size / 2), 0), length - size)


def fit_to_square_by_factor(
    image: np.ndarray,
    keypoints: np.ndarray,
    size: int,
    resize: FactorResize,
    box: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Step 1 of the method: downsampled, then cut to (size, size, 3) around the person; keypoints with it.

    Nothing is scaled but by the factor: along an axis where the picture is larger than `size` the rest is cut off,
    where it is smaller its edge is repeated on both sides. keypoints: (N, 3) x, y in px of the picture, visibility;
    outside of the picture or of the square it becomes 0. box: (4,) x0, y0, x1, y1 px of the person, by default around
    the visible keypoints. Raises PosetwinError: no_visible_keypoint.
    """
    before = np.array(image.shape[1::-1])
    keypoints = seen_inside(keypoints, *before)
    box = _person_box(keypoints, box, *before)
    small = downsample(image, resize.factor, resize.rounding, resize.filter)
    after = np.array(small.shape[1::-1])
    keypoints[:, :2] = _downsampled_points(keypoints[:, :2], before, after, resize.filter)
    centre = (box[:2] + box[2:]) / 2 * (after / before)
    left, top = (_window(float(c), int(length), size) for c, length in zip(centre, after, strict=True))
    keypoints[:, :2] -= (left, top)
    return _cut(small, left, top, size), seen_inside(keypoints, size, size)
