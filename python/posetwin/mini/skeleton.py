"""The skeleton: bone lengths, limb directions -> joints in three dimensions -> the picture plane.

Body frame: x to the figure's left (the picture's right when she faces the viewer), y down, z forward, lengths in
fractions of the frame for a figure of scale 1, about 0.86 tall. A limb's direction is a pair of degrees `(raise,
toward)`: how far it is raised from hanging straight down (0) over level (90) to straight up (180), and towards where:
0 outward to its own side, 90 forward, 180 across the body, -90 backward. Forearms and shins are given in the same
frame, not relative to the upper limb, so that a posture can be read off its table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

Direction = tuple[float, float]
Vector = tuple[float, float, float]

SIDES = ("left", "right")
LIMBS = ("upper_arm", "forearm", "thigh", "shin")
LENGTHS = {"upper_arm": 0.142, "forearm": 0.128, "thigh": 0.200, "shin": 0.190, "foot": 0.062}
TORSO, NECK_TO_HEAD, HEAD_RADIUS = 0.255, 0.112, 0.072
SHOULDER_HALF, HIP_HALF, SHOULDER_DROP = 0.082, 0.050, 0.012
# How much of the torso's bend the head and the hips share: people look where they go.
HEAD_SHARES_LEAN, HEAD_SHARES_BOW, HIPS_SHARE_LEAN = 0.6, 0.7, 0.6
# OpenPose-18 indices of each limb chain.
ARMS = {"right": (2, 3, 4), "left": (5, 6, 7)}
LEGS = {"right": (8, 9, 10), "left": (11, 12, 13)}
# Largest bend of elbow and knee, degrees.
MAX_FLEXION = 155.0


@dataclass(frozen=True)
class Reach:
    """Where a hand goes instead of by its table: `landmark` plus an offset outward, up and forward of the torso.

    landmark: neck, head, hip, knee (of the hand's own side), or grip: the other hand's wrist.
    """

    landmark: str
    out: float = 0.0
    up: float = 0.0
    forward: float = 0.0


@dataclass(frozen=True)
class Posture:
    """One concrete posture, degrees. limbs: keys like "left_forearm". reaches: hands placed by their target.

    lean: to the picture's right. bow: forward. twist: shoulders against hips, chest to the left side. tilt, nod,
    look: the head's own lean, bow and turn. turn: the whole body's, to the picture's right. elevation: the camera's.
    """

    limbs: dict[str, Direction]
    reaches: dict[str, Reach] = field(default_factory=dict)
    lean: float = 0.0
    bow: float = 0.0
    twist: float = 0.0
    tilt: float = 0.0
    nod: float = 0.0
    look: float = 0.0
    turn: float = 0.0
    elevation: float = 8.0


@dataclass(frozen=True)
class Joints:
    """points: (18, 2) in the picture plane, y down. depth: (18,), larger is nearer. toes: (2, 2), left and right."""

    points: np.ndarray
    depth: np.ndarray
    toes: np.ndarray


def limb_vector(direction: Direction, side: str) -> np.ndarray:
    """(3,) unit vector in the body frame."""
    raised, toward = math.radians(direction[0]), math.radians(direction[1])
    outward = 1.0 if side == "left" else -1.0
    flat = math.sin(raised)
    return np.array([outward * flat * math.cos(toward), math.cos(raised), flat * math.sin(toward)])


def _frame(lean: float, bow: float, turn: float = 0.0) -> np.ndarray:
    """(3, 3) rows left, up, forward of a body part that is turned about its axis, bowed, then leant sideways."""
    cl, sl, cb, sb, ct, st = (f(math.radians(a)) for a in (lean, bow, turn) for f in (math.cos, math.sin))
    up, forward, left = (0.0, -cb, sb), (0.0, sb, cb), (1.0, 0.0, 0.0)
    rows = [
        [ct * a - st * b for a, b in zip(left, forward, strict=True)], up,
        [st * a + ct * b for a, b in zip(left, forward, strict=True)],
    ]  # fmt: skip
    return np.array([[cl * x - sl * y, sl * x + cl * y, z] for x, y, z in rows])


def bend(root: np.ndarray, target: np.ndarray, hint: np.ndarray, upper: float, lower: float) -> list[np.ndarray]:
    """Elbow and wrist of an arm that reaches from `root` towards `target`, the elbow on the side of `hint`."""
    span = target - root
    distance = float(np.linalg.norm(span))
    reach = min(max(distance, 1.02 * abs(upper - lower) + 0.02), 0.999 * (upper + lower))
    along = span / max(distance, 1e-9)
    aside = hint - (hint @ along) * along
    aside /= max(float(np.linalg.norm(aside)), 1e-9)
    forth = (upper**2 - lower**2 + reach**2) / (2 * reach)
    elbow = root + forth * along + math.sqrt(max(upper**2 - forth**2, 0.0)) * aside
    return [elbow, root + reach * along]


def _chain(root: np.ndarray, posture: Posture, side: str, limbs: tuple[str, str]) -> list[np.ndarray]:
    upper, lower = (limb_vector(posture.limbs[f"{side}_{limb}"], side) for limb in limbs)
    middle = root + LENGTHS[limbs[0]] * upper
    return [root, middle, middle + LENGTHS[limbs[1]] * lower]


def _head(neck: np.ndarray, posture: Posture) -> tuple[np.ndarray, np.ndarray]:
    """Centre of the head, and its frame."""
    lean = HEAD_SHARES_LEAN * posture.lean + posture.tilt
    frame = _frame(lean, HEAD_SHARES_BOW * posture.bow + posture.nod, posture.look + 0.5 * posture.twist)
    return neck + NECK_TO_HEAD * frame[1], frame


def _face(centre: np.ndarray, frame: np.ndarray) -> list[np.ndarray]:
    """nose, right eye, left eye, right ear, left ear."""
    offsets = ((0, -0.14, 0.96), (-0.42, 0.16, 0.86), (0.42, 0.16, 0.86), (-0.97, 0.0, 0.0), (0.97, 0.0, 0.0))
    return [centre + HEAD_RADIUS * (np.array(offset) @ frame) for offset in offsets]


def _toe(knee: np.ndarray, ankle: np.ndarray, side: str) -> np.ndarray:
    """Feet point forward and a little outward, square to the shin."""
    ahead = limb_vector((90, 62), side)
    shin = (ankle - knee) / LENGTHS["shin"]
    ahead = ahead - 0.8 * (ahead @ shin) * shin
    return ankle + LENGTHS["foot"] * ahead / np.linalg.norm(ahead)


def _landmarks(neck: np.ndarray, head: np.ndarray, chains: dict[str, list[np.ndarray]], side: str) -> dict:
    leg = chains[f"{side}_leg"]
    return {"neck": neck, "head": head, "hip": leg[0], "knee": leg[1]}


def _reach(arm: list[np.ndarray], target: np.ndarray, posture: Posture, side: str) -> list[np.ndarray]:
    hint = limb_vector(posture.limbs[f"{side}_upper_arm"], side)
    return [arm[0], *bend(arm[0], target, hint, LENGTHS["upper_arm"], LENGTHS["forearm"])]


def _place_hands(
    posture: Posture, neck: np.ndarray, head: np.ndarray, chains: dict[str, list[np.ndarray]], torso: np.ndarray
) -> None:
    # A hand that grips follows the other one, so it comes last.
    for side, reach in sorted(posture.reaches.items(), key=lambda item: item[1].landmark == "grip"):
        other = chains[f"{SIDES[side == 'left']}_arm"][2]
        base = other if reach.landmark == "grip" else _landmarks(neck, head, chains, side)[reach.landmark]
        outward = 1.0 if side == "left" else -1.0
        target = base + np.array([outward * reach.out, reach.up, reach.forward]) @ torso
        chains[f"{side}_arm"] = _reach(chains[f"{side}_arm"], target, posture, side)


def body_joints(posture: Posture) -> tuple[np.ndarray, np.ndarray]:
    """(18, 3) OpenPose-18 joints and (2, 3) toes in the body frame, the middle of the hips at the origin."""
    hips, torso = _frame(HIPS_SHARE_LEAN * posture.lean, 0.0), _frame(posture.lean, posture.bow, posture.twist)
    neck = TORSO * torso[1]
    centre, head = _head(neck, posture)
    shoulders, chains = neck - SHOULDER_DROP * torso[1], {}
    for side, outward in (("left", 1.0), ("right", -1.0)):
        shoulder, hip = shoulders + outward * SHOULDER_HALF * torso[0], outward * HIP_HALF * hips[0]
        chains[f"{side}_arm"] = _chain(shoulder, posture, side, ("upper_arm", "forearm"))
        chains[f"{side}_leg"] = _chain(hip, posture, side, ("thigh", "shin"))
    _place_hands(posture, neck, centre, chains, torso)
    nose, *rest = _face(centre, head)
    limbs = [*chains["right_arm"], *chains["left_arm"], *chains["right_leg"], *chains["left_leg"]]
    toes = [_toe(chains[f"{side}_leg"][1], chains[f"{side}_leg"][2], side) for side in SIDES]
    return np.stack([nose, neck, *limbs, *rest]), np.stack(toes)


def project(points: np.ndarray, turn: float, elevation: float) -> np.ndarray:
    """(…, 3) in the body frame -> (…, 3) picture x, picture y, depth; the camera looks down by `elevation`."""
    ct, st = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    ce, se = math.cos(math.radians(elevation)), math.sin(math.radians(elevation))
    x, z = ct * points[..., 0] + st * points[..., 2], ct * points[..., 2] - st * points[..., 0]
    y = points[..., 1]
    return np.stack([x, ce * y + se * z, ce * z - se * y], axis=-1)


def joints_of(posture: Posture) -> Joints:
    """The posture in the picture plane."""
    body, toes = body_joints(posture)
    seen, tips = (project(p, posture.turn, posture.elevation) for p in (body, toes))
    return Joints(seen[:, :2], seen[:, 2], tips[:, :2])


def flexion(upper: np.ndarray, lower: np.ndarray) -> float:
    """Angle between two limb vectors, degrees: 0 is a straight limb."""
    cosine = upper @ lower / (np.linalg.norm(upper) * np.linalg.norm(lower))
    return math.degrees(math.acos(float(np.clip(cosine, -1, 1))))
