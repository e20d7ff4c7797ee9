"""The drawn figure: joint angles -> OpenPose-18 keypoints -> painted shapes.

The figure faces the viewer, so its left is on the image's right. Its left hand and left foot wear magenta (a glove and
a sock): whoever looks at 64 pixels, a person or a detector, can tell left from right even when limbs cross.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import ImageDraw

from posetwin.mini.poses import Angles

Colour = tuple[int, int, int]
Point = tuple[float, float]

SHIRTS: dict[str, Colour] = {
    "red": (205, 35, 40), "blue": (45, 80, 215), "green": (25, 140, 60),
    "yellow": (240, 205, 40), "white": (245, 245, 245), "black": (28, 28, 32),
}  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((60, 70, 140), (105, 75, 50), (95, 95, 100))
SKINS: tuple[Colour, ...] = ((240, 200, 170), (222, 170, 130), (150, 100, 70))
HAIRS: tuple[Colour, ...] = ((70, 42, 22), (25, 22, 22), (205, 160, 70))
LEFT_MARK: Colour = (225, 40, 165)
RIGHT_SHOE: Colour = (30, 28, 30)
EYE: Colour = (25, 20, 20)

# Lengths as fractions of the frame for a figure of scale 1, about 0.85 of the frame tall when standing.
HEAD_RADIUS, NECK_TO_HEAD, TORSO = 0.066, 0.115, 0.25
SHOULDER_HALF, HIP_HALF, SHOULDER_DROP = 0.088, 0.056, 0.012
LENGTHS = {"upper_arm": 0.14, "forearm": 0.13, "thigh": 0.20, "shin": 0.19}
WIDTHS = {"upper_arm": 0.058, "forearm": 0.044, "thigh": 0.074, "shin": 0.06}
HAND_RADIUS, FOOT_RADIUS = 0.033, 0.034
MARGIN = 0.045


@dataclass(frozen=True)
class Look:
    """Everything about the figure that is not its pose."""

    subject: Literal["girl", "boy"]
    shirt: str
    trousers: Colour
    skin: Colour
    hair: Colour


@dataclass(frozen=True)
class Shape:
    """One painted primitive in frame fractions: a thick line with round ends, a disc or a polygon."""

    points: tuple[Point, ...]
    colour: Colour
    width: float = 0.0  # of a line; radius of a disc; unused for a polygon


def draw_look(rng: np.random.Generator) -> Look:
    shirts = list(SHIRTS)
    return Look(
        subject="girl" if rng.random() < 0.6 else "boy",
        shirt=shirts[rng.integers(len(shirts))],
        trousers=TROUSERS[rng.integers(len(TROUSERS))],
        skin=SKINS[rng.integers(len(SKINS))],
        hair=HAIRS[rng.integers(len(HAIRS))],
    )


def _step(start: np.ndarray, degrees: float, length: float, outward: float) -> np.ndarray:
    radians = math.radians(degrees)
    return start + length * np.array([outward * math.sin(radians), math.cos(radians)])


def _chain(root: np.ndarray, angles: Angles, side: str, limbs: tuple[str, str]) -> list[np.ndarray]:
    outward = 1.0 if side == "left" else -1.0
    joint = _step(root, angles[f"{side}_{limbs[0]}"], LENGTHS[limbs[0]], outward)
    return [root, joint, _step(joint, angles[f"{side}_{limbs[1]}"], LENGTHS[limbs[1]], outward)]


def _head(neck: np.ndarray, lean: float, tilt: float) -> list[np.ndarray]:
    """nose, right eye, left eye, right ear, left ear."""
    angle = math.radians(lean + tilt)
    up, right = np.array([math.sin(angle), -math.cos(angle)]), np.array([math.cos(angle), math.sin(angle)])
    centre, r = neck + NECK_TO_HEAD * up, HEAD_RADIUS
    offsets = ((0, -0.18), (-0.42, 0.16), (0.42, 0.16), (-0.95, 0.0), (0.95, 0.0))
    return [centre + r * (x * right + y * up) for x, y in offsets]


def joints_of(angles: Angles) -> np.ndarray:
    """(18, 2) OpenPose-18 joints of a figure of scale 1 whose neck is at the origin, in frame fractions, y down."""
    lean = math.radians(angles["lean"])
    up, right = np.array([math.sin(lean), -math.cos(lean)]), np.array([math.cos(lean), math.sin(lean)])
    neck = np.zeros(2)
    nose, right_eye, left_eye, right_ear, left_ear = _head(neck, angles["lean"], angles["tilt"])
    limbs: list[np.ndarray] = []
    for root, half, pair in (
        (neck - SHOULDER_DROP * up, SHOULDER_HALF, ("upper_arm", "forearm")),
        (neck - TORSO * up, HIP_HALF, ("thigh", "shin")),
    ):
        limbs += _chain(root - half * right, angles, "right", pair) + _chain(root + half * right, angles, "left", pair)
    return np.stack([nose, neck, *limbs, right_eye, left_eye, right_ear, left_ear])


def place(joints: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Scale and shift joints so that the whole figure stands inside the frame; returns joints and the scale used."""
    pad = HEAD_RADIUS * 1.3
    low, high = joints.min(axis=0) - pad, joints.max(axis=0) + HAND_RADIUS
    extent = high - low
    scale = min(rng.uniform(0.84, 1.06), *((1 - 2 * MARGIN) / extent))
    slack = 1 - 2 * MARGIN - scale * extent
    # Feet stay near the ground: only the lower part of the vertical slack is used.
    corner = MARGIN + slack * np.array([rng.uniform(0.15, 0.85), rng.uniform(0.55, 1.0)])
    return corner + scale * (joints - low), float(scale)


def _line(a: np.ndarray, b: np.ndarray, colour: Colour, width: float) -> Shape:
    return Shape(((float(a[0]), float(a[1])), (float(b[0]), float(b[1]))), colour, width)


def _disc(centre: np.ndarray, colour: Colour, radius: float) -> Shape:
    return Shape(((float(centre[0]), float(centre[1])),), colour, radius)


def _leg(joints: np.ndarray, side: str, look: Look, scale: float) -> list[Shape]:
    hip, knee, ankle = joints[[11, 12, 13] if side == "left" else [8, 9, 10]]
    shoe = LEFT_MARK if side == "left" else RIGHT_SHOE
    return [
        _disc(ankle, shoe, FOOT_RADIUS * scale),
        _line(knee, ankle + 0.18 * (knee - ankle), look.trousers, WIDTHS["shin"] * scale),
        _line(hip, knee, look.trousers, WIDTHS["thigh"] * scale),
    ]


def _arm(joints: np.ndarray, side: str, look: Look, scale: float) -> list[Shape]:
    shoulder, elbow, wrist = joints[[5, 6, 7] if side == "left" else [2, 3, 4]]
    return [
        _line(elbow, wrist, look.skin, WIDTHS["forearm"] * scale),
        _line(shoulder, elbow, SHIRTS[look.shirt], WIDTHS["upper_arm"] * scale),
        _disc(wrist, LEFT_MARK if side == "left" else look.skin, HAND_RADIUS * scale),
    ]


def _torso(joints: np.ndarray, look: Look, scale: float) -> list[Shape]:
    shirt, corners = SHIRTS[look.shirt], joints[[2, 5, 11, 8]]
    hip_line = _line(joints[8], joints[11], look.trousers, 0.07 * scale)
    outline = [_line(corners[i], corners[(i + 1) % 4], shirt, 0.045 * scale) for i in (0, 1, 3)]
    return [hip_line, Shape(tuple((float(x), float(y)) for x, y in corners), shirt), *outline]


def _face(joints: np.ndarray, look: Look, scale: float) -> list[Shape]:
    r = HEAD_RADIUS * scale
    neck, centre = joints[1], joints[[16, 17]].mean(axis=0)
    up = (centre - neck) / max(float(np.linalg.norm(centre - neck)), 1e-9)
    across = np.array([-up[1], up[0]])
    shapes = [_disc(centre + 0.22 * r * up, look.hair, 1.12 * r)]
    if look.subject == "girl":
        shapes += [
            _line(centre + s * 0.86 * r * across, centre + s * 0.95 * r * across - 1.25 * r * up, look.hair, 0.62 * r)
            for s in (-1, 1)
        ]
    shapes += [_line(neck, centre, look.skin, 0.8 * r), _disc(centre - 0.12 * r * up, look.skin, 0.9 * r)]
    return shapes + [_disc(joints[i], EYE, 0.19 * r) for i in (14, 15)]


def figure_shapes(joints: np.ndarray, look: Look, scale: float) -> list[Shape]:
    """Shapes from back to front; arms last, so that hands are never hidden."""
    legs = _leg(joints, "right", look, scale) + _leg(joints, "left", look, scale)
    arms = _arm(joints, "right", look, scale) + _arm(joints, "left", look, scale)
    return legs + _torso(joints, look, scale) + _face(joints, look, scale) + arms


def paint(draw: ImageDraw.ImageDraw, shapes: list[Shape], side: int, fill: int | None = None) -> None:
    """Paint shapes on a canvas of `side` pixels, in their own colours or all in the grey value `fill`."""
    for shape in shapes:
        colour = shape.colour if fill is None else fill
        points = [(x * side, y * side) for x, y in shape.points]
        radius = shape.width * side / (1 if len(points) == 1 else 2)
        if len(points) > 2:
            draw.polygon(points, fill=colour)
            continue
        if len(points) == 2:
            draw.line(points, fill=colour, width=max(1, round(2 * radius)))
        for x, y in points:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)


def _covered(point: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> bool:
    along = np.clip(np.dot(point - a, b - a) / max(float(np.dot(b - a, b - a)), 1e-12), 0, 1)
    return float(np.linalg.norm(point - a - along * (b - a))) < radius


def visibilities(joints: np.ndarray, look: Look, scale: float) -> np.ndarray:
    """(18,) 2 = visible, 1 = covered by an arm, or an ear under long hair. Nothing is ever outside the frame."""
    visible = np.full(18, 2.0)
    if look.subject == "girl":
        visible[[16, 17]] = 1
    left, right = (5, 6, 7), (2, 3, 4)
    for arm in (right, left):
        own = set(arm) | (set(left) if arm is right else set())
        for start, end, limb in ((arm[0], arm[1], "upper_arm"), (arm[1], arm[2], "forearm")):
            radius = WIDTHS[limb] * scale / 2
            for k in set(range(18)) - own:
                if _covered(joints[k], joints[start], joints[end], radius):
                    visible[k] = 1
    return visible
