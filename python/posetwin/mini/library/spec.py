"""What a named posture is, and the few words its tables are written in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from posetwin.mini.skeleton import SIDES, Direction, Reach

Split = Literal["train", "held_out"]
Limbs = dict[str, Direction]

FRONT: tuple[float, float] = (0.0, 22.0)
PROFILE: tuple[float, float] = (78.0, 16.0)
OBLIQUE: tuple[float, float] = (42.0, 20.0)

_RELAXED: Limbs = {"upper_arm": (13, 10), "forearm": (12, 60), "thigh": (6, 0), "shin": (4, -20)}


@dataclass(frozen=True)
class PoseSpec:
    """A named posture. `phrases` are English with {her} and {she} to fill in.

    limbs: degrees (raise, toward), see posetwin.mini.skeleton. reaches: hands with a target. body: lean, bow, twist,
    tilt, nod, look. turns: views, each a mean and a half-width. jitter: half-width of the limbs' raise. mirrored:
    drawn either way around. airborne: frame fractions above the ground. A limb "left_bat" is a cricket bat in the left
    hand.
    """

    split: Split
    phrases: tuple[str, ...]
    limbs: Limbs
    reaches: dict[str, Reach] = field(default_factory=dict)
    body: dict[str, float] = field(default_factory=dict)
    turns: tuple[tuple[float, float], ...] = (FRONT,)
    jitter: float = 8.0
    mirrored: bool = False
    airborne: float = 0.0


def mirror_name(name: str) -> str:
    """left and right exchanged: "waving_left" -> "waving_right"; other names stay."""
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


def arm(side: str, upper: Direction, fore: Direction | None = None) -> Limbs:
    """An arm; straight without a direction of its own for the forearm."""
    return {f"{side}_upper_arm": upper, f"{side}_forearm": fore or upper}


def leg(side: str, thigh: Direction, shin: Direction | None = None) -> Limbs:
    return {f"{side}_thigh": thigh, f"{side}_shin": shin or thigh}


def arms(upper: Direction, fore: Direction | None = None) -> Limbs:
    return arm("left", upper, fore) | arm("right", upper, fore)


def legs(thigh: Direction, shin: Direction | None = None) -> Limbs:
    return leg("left", thigh, shin) | leg("right", thigh, shin)


def posture(*phrases: str, limbs: Limbs, held_out: bool = False, **details: Any) -> PoseSpec:
    """A named posture; limbs that are not given hang relaxed."""
    relaxed = {f"{side}_{limb}": angle for side in SIDES for limb, angle in _RELAXED.items()}
    return PoseSpec("held_out" if held_out else "train", phrases, relaxed | limbs, **details)


def both_sides(
    name: str, *phrases: str, limbs: Limbs, held_out: tuple[str, ...] = (), **details: Any
) -> dict[str, PoseSpec]:
    """`name`_left as written and `name`_right as its mirror; phrases have {side} and {other} to fill in.

    held_out: the sides that are kept from training. Views stay: a turn to either side is drawn for both.
    """
    specs: dict[str, PoseSpec] = {}
    for side, other in (("left", "right"), ("right", "left")):
        words = tuple(p.replace("{side}", side).replace("{other}", other) for p in phrases)
        mine = posture(*words, limbs=limbs, held_out=side in held_out, **details)
        specs[f"{name}_{side}"] = mine if side == "left" else _mirrored(mine)
    return specs


def _mirrored(spec: PoseSpec) -> PoseSpec:
    sideways = ("lean", "twist", "tilt", "look")
    return PoseSpec(
        spec.split, spec.phrases,
        {mirror_name(k): v for k, v in spec.limbs.items()}, {mirror_name(k): v for k, v in spec.reaches.items()},
        {k: -v if k in sideways else v for k, v in spec.body.items()},
        tuple((-mean, spread) for mean, spread in spec.turns),
        spec.jitter, spec.mirrored, spec.airborne,
    )  # fmt: skip
