"""Control maps as the patent's claims describe them: a grey map that is black where a keypoint falls."""

from __future__ import annotations

import numpy as np


def draw_dots(keypoints: np.ndarray, size: int, *, radius: int = 0) -> np.ndarray:
    """Step 2 of the method with style `dots`: the term `control_map` for one person in pixels of a square frame.

    keypoints: (N, 3) x, y in pixels of the map, visibility; points of visibility 0 are left out, points beyond the
    edge (u itself is off the grid) move to the nearest pixel. radius: pixels around a point that are black too.
    Returns (size, size) uint8, 0 where a keypoint falls and 255 elsewhere. Dots do not tell which joint is which.
    """
    # Torch is imported where dots are drawn: whoever draws in another style does without.
    import torch

    from posetwin.losses import control_map, normalize_keypoints

    person, centred = torch.tensor(np.asarray(keypoints, dtype=np.float64))[None], (0.0, 0.0)
    fractions = normalize_keypoints(person[..., :2], size, size, centred)
    return control_map(fractions, person[..., 2], size, size, centred, radius, "square")[0].numpy()
