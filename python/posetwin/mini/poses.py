"""The pose library of the mini world: named postures with jitter and mirror, and random ones within joint limits."""

from __future__ import annotations

import math

import numpy as np

from posetwin.mini.library.cricket import CRICKET
from posetwin.mini.library.gestures import GESTURES
from posetwin.mini.library.movements import MOVEMENTS
from posetwin.mini.library.spec import PoseSpec, Split, mirror_name
from posetwin.mini.library.yoga import YOGA
from posetwin.mini.skeleton import LIMBS, MAX_FLEXION, SIDES, Direction, Posture, flexion, limb_vector

__all__ = ["POSES", "PoseSpec", "Split"]

POSES: dict[str, PoseSpec] = GESTURES | MOVEMENTS | YOGA | CRICKET

Range = tuple[float, float]

# Of a random posture's limbs, the share that some named posture of the training split lends.
LENT_SHARE = 0.5


def pose_names(split: Split) -> list[str]:
    """The names of one split, in the library's order."""
    return [name for name, spec in POSES.items() if spec.split == split]


def mirror(posture: Posture) -> Posture:
    """The same posture in a mirror: limbs change sides, everything that leans or turns does so the other way."""
    return Posture(
        limbs={mirror_name(k): v for k, v in posture.limbs.items()},
        reaches={mirror_name(k): v for k, v in posture.reaches.items()},
        lean=-posture.lean, bow=posture.bow, twist=-posture.twist, tilt=-posture.tilt, nod=posture.nod,
        look=-posture.look, turn=-posture.turn, elevation=posture.elevation,
    )  # fmt: skip


def mean_posture(name: str, turn: int = 0, *, mirrored: bool = False) -> Posture:
    """The named posture without jitter, in the first of its views unless `turn` names another."""
    spec = POSES[name]
    posture = Posture(spec.limbs, spec.reaches, **spec.body, turn=spec.turns[turn][0])
    return mirror(posture) if mirrored else posture


def _jittered(rng: np.random.Generator, spec: PoseSpec) -> Posture:
    j = spec.jitter
    shifts = rng.uniform(-1, 1, (len(spec.limbs), 2))
    limbs = {k: (a + j * s, b + 1.3 * j * t) for (k, (a, b)), (s, t) in zip(spec.limbs.items(), shifts, strict=True)}
    mean, spread = spec.turns[rng.integers(len(spec.turns))]
    names = ("lean", "bow", "twist", "tilt", "nod", "look")
    body = {k: spec.body.get(k, 0.0) + w * rng.uniform(-1, 1) for k, w in zip(names, (4, 4, 5, 9, 8, 16), strict=True)}
    turn = mean + spread * rng.uniform(-1, 1)
    return Posture(limbs, spec.reaches, **body, turn=turn, elevation=rng.uniform(2, 16))


def draw_posture(rng: np.random.Generator, name: str) -> Posture:
    """The named posture with its jitter; a posture without a side in its name is mirrored half of the time."""
    spec = POSES[name]
    posture, mirrored = _jittered(rng, spec), rng.random() < 0.5
    return mirror(posture) if spec.mirrored and mirrored else posture


def _bent(rng: np.random.Generator, upper: Direction, side: str, limits: Range, plane: Range) -> Direction:
    """A lower limb that bends off its upper one: by an angle in `limits`, in a plane turned by `plane`, degrees."""
    axis = limb_vector(upper, side)
    outward = 1.0 if side == "left" else -1.0
    fold, angle = math.radians(rng.uniform(*limits)), math.radians(rng.uniform(*plane))
    wanted = np.array([outward * math.cos(angle), -0.25, math.sin(angle)])
    aside = wanted - (wanted @ axis) * axis
    aside /= max(float(np.linalg.norm(aside)), 1e-6)
    x, y, z = math.cos(fold) * axis + math.sin(fold) * aside
    return math.degrees(math.acos(float(np.clip(y, -1, 1)))), math.degrees(math.atan2(z, outward * x))


def _random_arm(rng: np.random.Generator, side: str) -> dict[str, Direction]:
    upper = (rng.uniform(0, 178), rng.uniform(-35, 120))
    return {f"{side}_upper_arm": upper, f"{side}_forearm": _bent(rng, upper, side, (0, 140), (-10, 190))}


def _random_leg(rng: np.random.Generator, side: str) -> dict[str, Direction]:
    thigh = (rng.triangular(0, 5, 100), rng.uniform(-45, 100))
    # Knees fold backward: the shin swings away from where the thigh's front looks.
    return {f"{side}_thigh": thigh, f"{side}_shin": _bent(rng, thigh, side, (0, 125), (-150, -30))}


def _lent(rng: np.random.Generator, limbs: tuple[str, ...], source: str | None = None) -> dict[str, Direction]:
    names = pose_names("train")
    posture = draw_posture(rng, source or names[rng.integers(len(names))])
    return {limb: posture.limbs[limb] for limb in limbs}


def draw_random_posture(rng: np.random.Generator) -> Posture:
    """A posture anywhere within the joint limits: what teaches pose control beyond the named postures."""
    limbs: dict[str, Direction] = {}
    for side in SIDES:
        arm = (f"{side}_upper_arm", f"{side}_forearm")
        limbs |= _lent(rng, arm) if rng.random() < LENT_SHARE else _random_arm(rng, side)
    legs = tuple(f"{side}_{limb}" for side in SIDES for limb in ("thigh", "shin"))
    lent = rng.random() < LENT_SHARE
    limbs |= _lent(rng, legs) if lent else _random_leg(rng, "left") | _random_leg(rng, "right")
    return Posture(
        limbs, lean=rng.normal(0, 16), bow=max(-15.0, rng.normal(8, 22)), twist=rng.uniform(-25, 25),
        tilt=rng.uniform(-12, 12), nod=rng.uniform(-12, 12), look=rng.uniform(-30, 30),
        turn=rng.uniform(-90, 90) if rng.random() < 0.5 else rng.normal(0, 20), elevation=rng.uniform(2, 16),
    )  # fmt: skip


def within_limits(posture: Posture) -> bool:
    """Whether elbows and knees bend no further than joints do."""
    pairs = [(side, LIMBS[i], LIMBS[i + 1]) for side in SIDES for i in (0, 2)]
    bends = [flexion(*(limb_vector(posture.limbs[f"{s}_{limb}"], s) for limb in pair)) for s, *pair in pairs]
    return max(bends) <= MAX_FLEXION
