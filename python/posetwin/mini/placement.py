"""Placing a figure in the frame: how large it is and where it stands."""

from __future__ import annotations

import numpy as np

from posetwin.mini.figure import BAT_LENGTH, HAND_RADIUS, Body
from posetwin.mini.skeleton import HEAD_RADIUS, SIDES, Joints, Posture, joints_of, limb_vector, project

MARGIN = 0.035
# A crouching figure is drawn larger than a standing one of the same frame, but no larger than this.
LARGEST = 1.32
_PAD = HEAD_RADIUS * 1.25
_HEAD = (0, 14, 15, 16, 17)
_WRIST = {"right": 4, "left": 7}


def _bat_vector(posture: Posture) -> tuple[int, np.ndarray] | None:
    """The hand's keypoint and the bat's (2,) extent in the picture, at scale 1."""
    for side in SIDES:
        if f"{side}_bat" in posture.limbs:
            along = BAT_LENGTH * limb_vector(posture.limbs[f"{side}_bat"], side)
            return _WRIST[side], project(along, posture.turn, posture.elevation)[:2]
    return None


def _extent(joints: Joints, bat: tuple[int, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
    """Upper left and lower right corner of everything that is drawn, at scale 1."""
    head = joints.points[list(_HEAD)].mean(axis=0)
    limbs = [joints.points, joints.toes]
    if bat is not None:
        limbs.append(joints.points[bat[0]] + bat[1][None])
    points = np.concatenate(limbs)
    low = np.minimum(points.min(axis=0) - HAND_RADIUS, head - _PAD)
    return low, np.maximum(points.max(axis=0) + HAND_RADIUS, head + _PAD)


def place(posture: Posture, rng: np.random.Generator, *, airborne: float = 0.0) -> Body:
    """Scale and shift a posture so that all of it is inside the frame, near the ground."""
    joints, bat = joints_of(posture), _bat_vector(posture)
    low, high = _extent(joints, bat)
    room = 1 - 2 * MARGIN
    largest = min(LARGEST, float(room / (high - low).max()))
    scale = largest * rng.uniform(0.84, 1.0)
    slack = room - scale * (high - low)
    # Feet stay near the ground: only the lowest part of the vertical slack is used.
    drop = 1 - min(0.16, float(slack[1])) * rng.uniform(0, 1) / max(float(slack[1]), 1e-9)
    rise = min(airborne * scale, float(slack[1]) * drop)
    corner = MARGIN + slack * np.array([rng.uniform(0.1, 0.9), drop]) - np.array([0, rise])
    points, toes = (corner + scale * (part - low) for part in (joints.points, joints.toes))
    held = None if bat is None else (points[bat[0]], scale * bat[1])
    return Body(points, scale * joints.depth, toes, scale, held)
