"""The control map of step 2, in the style that the dataset names."""

from __future__ import annotations

import numpy as np

from posetwin.contracts import Control
from posetwin.control.dots import draw_dots
from posetwin.control.openpose import draw_openpose


def draw_control(keypoints: np.ndarray, size: int, control: Control) -> np.ndarray:
    """keypoints: (18, 3) x, y in px, visibility → uint8, (S, S, 3) for `openpose`, grey (S, S) for `dots`."""
    if control.style == "dots":
        return draw_dots(keypoints, size, radius=control.radius)
    return draw_openpose(keypoints, size, line_width=control.line_width)
