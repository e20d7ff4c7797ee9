"""What is easily wrong with a whole source: left and right exchanged in its annotations, red and blue in its pictures.

One picture proves little, so each has a verdict of its own, or none, and a source is warned of when many agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# OpenPose-18 with every left keypoint in the place of its right one, and the reverse.
EXCHANGED = (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16)
SIDED = tuple(index for index, other in enumerate(EXCHANGED) if index != other)
FACE = (0, 14, 15, 16, 17)

# Fewer keypoints that both see decide nothing.
LEAST_KEYPOINTS = 4
# Mean distances as fractions of the person's extent: farther, and the detector looks at something else; ...
SAME_PERSON = 0.15
# ... less apart from each other, and the person stands sideways, where both orders are much the same.
CLEAR_MARGIN = 0.04
# Patches around the keypoints of a face, as a fraction of the person's extent on each side.
PATCH = 0.02
# (R − B) / (R + G + B) of less says nothing of the order of channels: goggles, shade, grey pictures.
LEAST_COLOUR = 0.05
# A source is warned of from this share of the pictures that say anything on, if they are that many.
ALARM, LEAST_PICTURES = 1 / 3, 4


@dataclass(frozen=True)
class Verdict:
    """Of one picture, None where it does not tell."""

    sides_swapped: bool | None
    channels_swapped: bool | None


def sides_look_swapped(annotated: np.ndarray, detected: np.ndarray) -> bool | None:
    """Whether the detector agrees better, and clearly, with the annotation after left and right are exchanged.

    annotated, detected: (18, 3) OpenPose-18 of one picture, x, y in px of it, visibility. None: they show too little in
    common, lie too far apart in either order, or do not differ (a person from the side).
    """
    crossed = detected[list(EXCHANGED)]
    seen = [i for i in SIDED if min(annotated[i, 2], detected[i, 2], crossed[i, 2]) > 0]
    if len(seen) < LEAST_KEYPOINTS:
        return None
    extent = max(float(np.ptp(annotated[annotated[:, 2] > 0, :2], axis=0).max()), 1.0)
    straight, exchanged = (
        float(np.linalg.norm(annotated[seen, :2] - other[seen, :2], axis=1).mean()) / extent
        for other in (detected, crossed)
    )
    better, worse = sorted((straight, exchanged))
    if better > SAME_PERSON or worse - better < CLEAR_MARGIN or worse < 2 * better:
        return None
    return exchanged < straight


def _colour(image: np.ndarray, x: float, y: float, reach: int) -> np.ndarray:
    """(3,) median of the patch around x, y."""
    column, row = int(x), int(y)
    patch = image[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
    return np.median(patch.reshape(-1, 3).astype(np.float64), axis=0)


def _redness(colour: np.ndarray) -> float:
    """(R − B) / (R + G + B), 0 where green is not between them: that is no skin in either order."""
    red, green, blue = colour
    between = min(red, blue) <= green <= max(red, blue)
    return float((red - blue) / max(colour.sum(), 1.0)) if between else 0.0


def channels_look_swapped(image: np.ndarray, keypoints: np.ndarray) -> bool | None:
    """Whether red and blue are exchanged, by the skin of the face: of any tone it has more red than green than blue.

    image: (H, W, 3) uint8. keypoints: (18, 3) x, y in its px, visibility. None: no keypoint of the face is seen, or
    its colours say nothing (grey pictures, masks, deep shade). On 2 photos and 300 drawn figures every picture that
    says something is right in both orders; blue light or a painted face deceives it, so ask several pictures. The
    detectors' confidence does not tell: it is as high in the wrong order as in the right one.
    """
    visible = keypoints[:, 2] > 0
    if not visible[list(FACE)].any():
        return None
    reach = max(1, round(PATCH * float(np.ptp(keypoints[visible, :2], axis=0).max())))
    colours = [_colour(image, float(keypoints[i, 0]), float(keypoints[i, 1]), reach) for i in FACE if visible[i]]
    telling = [redness for colour in colours if abs(redness := _redness(colour)) >= LEAST_COLOUR]
    return sum(telling) < 0 if telling else None


def _warning(verdicts: Sequence[bool | None], of: str, problem: str) -> list[str]:
    telling = [verdict for verdict in verdicts if verdict is not None]
    wrong = sum(telling)
    if len(telling) < LEAST_PICTURES or wrong < ALARM * len(telling):
        return []
    return [f"in {wrong} of {len(telling)} pictures of {of} {problem}"]


def summarise(source: str, verdicts: Sequence[Verdict]) -> list[str]:
    """Warnings of a source as a whole; none where too few pictures tell anything. source: what they call it."""
    sides = [verdict.sides_swapped for verdict in verdicts]
    channels = [verdict.channels_swapped for verdict in verdicts]
    return [
        *_warning(sides, source, "left and right of the annotations look exchanged"),
        *_warning(channels, source, "red and blue look exchanged (BGR instead of RGB)"),
    ]
