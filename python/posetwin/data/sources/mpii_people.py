"""What both forms of MPII's annotations say of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# `scale` is the height of a person divided by so many px.
SCALE_PX = 200


@dataclass(frozen=True, eq=False)
class MpiiPerson:
    """joints: (16, 3) x, y in 0-based px and visibility 0, 1 or 2, or None. centre: x, y px, or None. scale: 0 where
    it is unknown."""

    joints: np.ndarray | None
    centre: tuple[float, float] | None
    scale: float

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """x0, y0, x1, y1 px: a square as high as the person, around its centre."""
        half = self.scale * SCALE_PX / 2
        if self.centre is None or not 0 < half < np.inf or not np.isfinite(self.centre).all():
            return None
        x, y = self.centre
        return x - half, y - half, x + half, y + half


@dataclass(frozen=True, eq=False)
class MpiiImage:
    """group: the video that the frame is of; empty where it is not told."""

    name: str
    people: list[MpiiPerson]
    class_name: str = ""
    group: str = ""

    @property
    def largest(self) -> MpiiPerson | None:
        """Of the people whose joints are annotated, if there are any; else of all."""
        return max(self.people, key=lambda person: (person.joints is not None, person.scale), default=None)
