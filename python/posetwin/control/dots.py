"""Control maps as the patent's claims describe them: a grey map that is black where a keypoint falls."""

from __future__ import annotations

import numpy as np


def draw_dots(keypoints: np.ndarray, size: int, *, radius: int = 0) -> np.ndarray:
    """Step 2 of the method with style `dots`: 0 where a keypoint falls, 255 elsewhere.

    keypoints: (N, 3) x, y in pixels of the map, visibility; points of visibility 0 are left out, points beyond the
    edge (u itself is off the grid) move to the nearest pixel. radius: pixels around a point that are black too.
    Returns (size, size) uint8. Dots do not tell which joint is which.
    """
    grey = np.full((size, size), 255, dtype=np.uint8)
    rows, columns = np.ogrid[:size, :size]
    for x, y, visibility in np.asarray(keypoints, dtype=np.float64):
        if visibility > 0:
            column, row = (int(np.clip(np.floor(v), 0, size - 1)) for v in (x, y))
            grey[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = 0
    return grey
