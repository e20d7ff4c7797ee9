"""Who is in a picture: several at once, by the detector that a source names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from posetwin.data.resize import shrink

PhotoDetector = Literal["lite", "full", "heavy", "mini"]
# (H, W, 3) uint8 pictures of any sizes → of each its people, the largest first, (18, 3) x, y in px and confidence.
FindPeople = Callable[[Sequence[np.ndarray]], list[list[np.ndarray]]]

# A keypoint counts as seen from here on; MediaPipe draws from the same value.
MIN_CONFIDENCE = 0.5
# Finer pictures tell a detector that looks at 256 px nothing more.
DETECTION_SIDE = 1024
# So many pictures are asked about together: more gain nothing on a CPU and keep more of them in memory.
TOGETHER: dict[PhotoDetector, int] = {"lite": 8, "full": 8, "heavy": 8, "mini": 32}


@lru_cache(maxsize=4)
def load_finder(name: PhotoDetector, device: str = "cpu") -> FindPeople:
    """BlazePose of that variant, or the shipped net for drawn figures, in whose pictures there is one or nobody.

    Raises PosetwinError: unknown_value, missing_weights, wrong_weights.
    """
    # Torch is imported where it is asked: pictures with annotations do without.
    if name == "mini":
        from posetwin.keypoints.mini import detect_keypoints, load_mini_detector

        network = load_mini_detector("mini").to(device)
        return lambda images: [[one] for one in detect_keypoints(network, images)]
    from posetwin.keypoints.blazepose import BlazePoseDetector

    return BlazePoseDetector(name).to(device).find_people


def _for_detection(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture, smaller where it is very large, and the factors that bring x, y, confidence back."""
    small = shrink(pixels, DETECTION_SIDE)
    return small, np.array([pixels.shape[1] / small.shape[1], pixels.shape[0] / small.shape[0], 1])


def _as_seen(keypoints: np.ndarray, factors: np.ndarray) -> np.ndarray:
    found = keypoints * factors
    found[:, 2] = np.where(found[:, 2] >= MIN_CONFIDENCE, 2, 0)
    return found


def find_people(find: FindPeople, pictures: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """(H, W, 3) uint8 each → of each picture its people, the largest first: (18, 3) x, y in its px, visibility 2 or 0.

    Somebody of whom no keypoint is seen is nobody. find: as load_finder gives it.
    """
    if not pictures:
        return []
    small = [_for_detection(pixels) for pixels in pictures]
    answers = find([pixels for pixels, _ in small])
    people = [[_as_seen(one, factors) for one in some] for some, (_, factors) in zip(answers, small, strict=True)]
    return [[one for one in some if one[:, 2].any()] for some in people]
