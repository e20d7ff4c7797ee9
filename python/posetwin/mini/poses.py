"""The pose library of the mini world: named postures as joint angles with jitter.

Angles are degrees in the picture plane as the viewer sees the figure: 0 hangs straight down, 90 points outward
(to the figure's own side), 180 straight up, negative values cross the body. Forearms and shins are given in the same
frame, not relative to the upper limb, so that a pose can be read off the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Split = Literal["train", "held_out"]
Angle = tuple[float, float]  # mean, half-width of the uniform jitter, degrees
Angles = dict[str, float]

SIDES = ("left", "right")
LIMBS = ("upper_arm", "forearm", "thigh", "shin")

_RELAXED: dict[str, Angle] = {"upper_arm": (16, 13), "forearm": (10, 18), "thigh": (8, 7), "shin": (4, 6)}
_SPREAD: dict[str, Angle] = {"lean": (0, 5), "tilt": (0, 9)}


@dataclass(frozen=True)
class PoseSpec:
    """A named posture. `phrases` are English with {her} and {she} to fill in; joints not in `angles` are relaxed."""

    split: Split
    phrases: tuple[str, ...]
    angles: dict[str, Angle] = field(default_factory=dict)


def _both(**limbs: Angle) -> dict[str, Angle]:
    return {f"{side}_{limb}": angle for side in SIDES for limb, angle in limbs.items()}


def _one(side: str, **limbs: Angle) -> dict[str, Angle]:
    return {f"{side}_{limb}": angle for limb, angle in limbs.items()}


_WAVE = {"upper_arm": (122.0, 22.0), "forearm": (172.0, 30.0)}
_POINT = {"upper_arm": (92.0, 12.0), "forearm": (92.0, 12.0)}
_ON_HIP = {"upper_arm": (46.0, 9.0), "forearm": (-44.0, 10.0)}

POSES: dict[str, PoseSpec] = {
    "standing": PoseSpec("train", ("standing", "standing still")),
    "waving_left": PoseSpec("train", ("waving {her} left hand",), _one("left", **_WAVE)),
    "waving_right": PoseSpec("train", ("waving {her} right hand",), _one("right", **_WAVE)),
    "arms_up": PoseSpec(
        "train", ("with both arms up", "raising both arms"), _both(upper_arm=(152, 16), forearm=(172, 16))
    ),
    "t_pose": PoseSpec("train", ("holding {her} arms out", "in a t-pose"), _both(upper_arm=(90, 10), forearm=(90, 12))),
    "hands_on_hips": PoseSpec("train", ("with {her} hands on {her} hips",), _both(**_ON_HIP)),
    "hands_on_head": PoseSpec(
        "train", ("with {her} hands on {her} head",), _both(upper_arm=(122, 10), forearm=(232, 10))
    ),
    "star_jump": PoseSpec(
        "train",
        ("doing a star jump", "jumping like a star"),
        _both(upper_arm=(128, 12), forearm=(132, 14), thigh=(34, 8), shin=(32, 8)),
    ),
    "lunging_left": PoseSpec(
        "train",
        ("lunging to {her} left",),
        _one("left", thigh=(64, 12), shin=(-2, 12)) | _one("right", thigh=(40, 9), shin=(42, 9)),
    ),
    "kicking_right": PoseSpec(
        "train",
        ("kicking with {her} right leg",),
        _one("right", thigh=(72, 15), shin=(74, 18)) | _both(upper_arm=(50, 20), forearm=(60, 30)),
    ),
    "squatting": PoseSpec(
        "train",
        ("squatting", "squatting down"),
        _both(thigh=(72, 12), shin=(-8, 12), upper_arm=(30, 20), forearm=(-10, 30)),
    ),
    "pointing_right": PoseSpec("train", ("pointing to {her} right",), _one("right", **_POINT)),
    "dancing": PoseSpec(
        "train",
        ("dancing",),
        _one("left", upper_arm=(150, 20), forearm=(205, 20), thigh=(30, 12), shin=(-30, 15)) | _one("right", **_ON_HIP),
    ),
    "warrior": PoseSpec(
        "held_out",
        ("in the warrior pose",),
        _both(upper_arm=(90, 6), forearm=(90, 8))
        | _one("right", thigh=(64, 8), shin=(0, 8))
        | _one("left", thigh=(42, 6), shin=(43, 6)),
    ),
    "tree": PoseSpec(
        "held_out",
        ("in the tree pose",),
        _both(upper_arm=(158, 6), forearm=(196, 6))
        | _one("left", thigh=(58, 8), shin=(-52, 8))
        | _one("right", thigh=(3, 3), shin=(2, 3)),
    ),
    "goddess": PoseSpec(
        "held_out",
        ("in the goddess pose",),
        _both(upper_arm=(90, 8), forearm=(176, 10), thigh=(66, 8), shin=(-2, 6)),
    ),
    "cheering_right": PoseSpec(
        "held_out",
        ("cheering with {her} right arm up",),
        _one("right", upper_arm=(168, 10), forearm=(176, 10)) | _one("left", **_ON_HIP),
    ),
    "cricket_drive": PoseSpec(
        "held_out",
        ("playing a cricket drive",),
        _one("left", upper_arm=(62, 8), forearm=(20, 10), thigh=(44, 8), shin=(4, 8))
        | _one("right", upper_arm=(-12, 8), forearm=(-62, 8), thigh=(26, 6), shin=(30, 6)),
    ),
    "pointing_left": PoseSpec("held_out", ("pointing to {her} left",), _one("left", **_POINT)),
}


def pose_names(split: Split) -> list[str]:
    """The names of one split, in the library's order."""
    return [name for name, spec in POSES.items() if spec.split == split]


def angle_ranges(name: str) -> dict[str, Angle]:
    """Mean and jitter of every joint of the named pose, relaxed joints included, degrees."""
    return _both(**_RELAXED) | _SPREAD | POSES[name].angles


def draw_angles(rng: np.random.Generator, name: str) -> Angles:
    """Joint angles of the named pose with its jitter, degrees."""
    return {joint: mean + width * rng.uniform(-1, 1) for joint, (mean, width) in angle_ranges(name).items()}


def draw_random_angles(rng: np.random.Generator) -> Angles:
    """Joint angles anywhere within the joint limits: what teaches pose control beyond the named postures."""
    angles = {"lean": rng.uniform(-10, 10), "tilt": rng.uniform(-14, 14)}
    for side in SIDES:
        upper, thigh = rng.uniform(-20, 185), rng.uniform(-4, 82)
        angles[f"{side}_upper_arm"], angles[f"{side}_thigh"] = upper, thigh
        # Elbows fold towards the body's midline or hang; knees fold inward only, as seen from the front.
        angles[f"{side}_forearm"] = upper + rng.uniform(-100, 115)
        angles[f"{side}_shin"] = thigh + rng.uniform(-95, 8)
    return angles
