"""How far the pose library is from given poses: the distance of each to its nearest neighbour in the library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from posetwin.mini.figure import bones_scale
from posetwin.mini.poses import POSES, draw_posture, draw_random_posture
from posetwin.mini.skeleton import TORSO, joints_of

_BODY = slice(0, 14)  # nose to ankles; eyes and ears follow the head


@dataclass(frozen=True)
class Neighbours:
    """distance: (N,) mean distance of a joint from its like, torso lengths. name: (N,) the nearest pose's name."""

    distance: np.ndarray
    name: np.ndarray


def normalised(points: np.ndarray) -> np.ndarray:
    """(18, 2) -> (14, 2): hips' middle at the origin, unit a torso's length (as long as the limbs say it is)."""
    centre = (points[8] + points[11]) / 2
    return (points[_BODY] - centre) / max(bones_scale(points) * TORSO, 1e-9)


def library_poses(draws_per_name: int, random_draws: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(N, 14, 2) normalised joints and (N,) names: every named pose, and random ones."""
    rng = np.random.default_rng([seed, 3])
    drawn = [(name, draw_posture(rng, name)) for name in POSES for _ in range(draws_per_name)]
    drawn += [("random", draw_random_posture(rng)) for _ in range(random_draws)]
    return np.stack([normalised(joints_of(p).points) for _, p in drawn]), np.array([name for name, _ in drawn])


def nearest(poses: np.ndarray, library: np.ndarray, names: np.ndarray) -> Neighbours:
    """poses (N, 14, 2) and library (M, 14, 2), both normalised."""
    best, index = np.full(len(poses), np.inf), np.zeros(len(poses), dtype=int)
    for start in range(0, len(library), 512):
        part = library[start : start + 512]
        # The mean of joint distances, not the distance of vectors: one far hand must not hide behind thirteen joints.
        apart = sum(cdist(poses[:, j], part[:, j]) for j in range(poses.shape[1])) / poses.shape[1]
        closest = apart.argmin(1)
        value = apart[np.arange(len(poses)), closest]
        index = np.where(value < best, start + closest, index)
        best = np.minimum(best, value)
    return Neighbours(best, names[index])
