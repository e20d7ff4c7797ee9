"""The figure's body: joints in the picture plane -> parts from back to front -> painted shapes.

Everything is derived from the 18 keypoints, so that landmarks of a photo can be drawn as well as a posture of the
library. Parts are ordered by depth where it is known. Each part is painted twice, first a little larger in a dark
tone of its own colours: the outline that keeps limbs apart from each other and from the scene.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from posetwin.mini.canvas import Canvas, Colour, capsule, hull
from posetwin.mini.look import BOTTOM_COLOURS, HAIRS, LEFT_MARK, SHIRTS, SHOE, Look
from posetwin.mini.skeleton import ARMS, HEAD_RADIUS, LEGS, LENGTHS, SIDES, TORSO

# Radii at scale 1, frame fractions: upper end and lower end of each limb.
RADII = {"upper_arm": (0.036, 0.032), "forearm": (0.032, 0.025), "thigh": (0.050, 0.038), "shin": (0.038, 0.028)}
SHOULDER_RADIUS, CHEST_RADIUS, WAIST_RADIUS, HIP_RADIUS = 0.040, 0.062, 0.056, 0.050
HAND_RADIUS, FOOT_RADIUS, NECK_RADIUS = 0.033, 0.031, 0.026
OUTLINE = 0.0095
BAT_LENGTH, BAT_HANDLE = 0.30, 0.11
BAT_WOOD: Colour = (226, 190, 126)
BAT_GRIP: Colour = (60, 60, 120)
EYE: Colour = (28, 22, 24)

Outline = np.ndarray  # (N, 2) corners of a convex polygon


@dataclass(frozen=True)
class Shape:
    """A convex polygon, or a disc where `outline` has one row; `grown` is the same, larger by the outline's width."""

    outline: Outline
    grown: Outline
    colour: Colour
    radius: float = 0.0


@dataclass(frozen=True)
class Part:
    """Shapes that are painted together. covers: (a, b, radius) capsules that hide joints of other parts."""

    depth: float
    shapes: list[Shape]
    joints: frozenset[int] = frozenset()
    covers: list[tuple[np.ndarray, np.ndarray, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Body:
    """What is drawn: points (18, 2) frame fractions, depth (18,), toes (2, 2), scale, and the bat's tip or nothing."""

    points: np.ndarray
    depth: np.ndarray
    toes: np.ndarray
    scale: float
    bat: tuple[np.ndarray, np.ndarray] | None = None


def _limb(a: np.ndarray, b: np.ndarray, radii: tuple[float, float], scale: float, colour: Colour) -> Shape:
    ra, rb, o = radii[0] * scale, radii[1] * scale, OUTLINE * scale
    return Shape(capsule(a, b, ra, rb), capsule(a, b, ra + o, rb + o), colour)


def _disc(centre: np.ndarray, radius: float, colour: Colour, scale: float) -> Shape:
    return Shape(centre[None], centre[None], colour, radius * scale)


def _mixed(radii: tuple[float, float], share: float) -> float:
    return radii[0] + share * (radii[1] - radii[0])


def _clothed(
    a: np.ndarray, b: np.ndarray, limb: str, scale: float, cloth: tuple[Colour, float], skin: Colour
) -> list[Shape]:
    """A limb that is clothed over a share of its length, bare beyond."""
    radii, (colour, share) = RADII[limb], cloth
    if share >= 1:
        return [_limb(a, b, radii, scale, colour)]
    if share <= 0:
        return [_limb(a, b, radii, scale, skin)]
    end = a + share * (b - a)
    loose = (radii[0] * 1.04, _mixed(radii, share) * 1.12)
    return [_limb(a, b, radii, scale, skin), _limb(a, end, loose, scale, colour)]


def _leg(body: Body, look: Look, side: str) -> Part:
    hip, knee, ankle = (body.points[i] for i in LEGS[side])
    toe, s = body.toes[SIDES.index(side)], body.scale
    cloth = BOTTOM_COLOURS[look.bottom_colour]
    thigh_share, shin_share = {"trousers": (1.0, 0.86), "shorts": (0.72, 0.0), "skirt": (0.0, 0.0)}[look.bottoms]
    shin = _clothed(knee, ankle, "shin", s, (cloth, shin_share), look.skin)
    thigh = _clothed(hip, knee, "thigh", s, (cloth, thigh_share), look.skin)
    foot = _limb(ankle, toe, (FOOT_RADIUS, FOOT_RADIUS * 0.8), s, LEFT_MARK if side == "left" else SHOE)
    z = body.depth[list(LEGS[side])]
    # The shin goes behind the thigh where it is farther away, as in kneeling.
    shapes = [*shin, foot, *thigh] if z[2] <= z[1] + 0.02 else [*thigh, *shin, foot]
    covers = [(hip, knee, RADII["thigh"][1] * s), (knee, ankle, RADII["shin"][1] * s)]
    return Part(float(z[1:].mean()) - 0.10 * s, shapes, frozenset(LEGS[side]), covers)


def _arm(body: Body, look: Look, side: str) -> Part:
    shoulder, elbow, wrist = (body.points[i] for i in ARMS[side])
    s, shirt = body.scale, SHIRTS[look.shirt]
    upper_share, fore_share = (1.0, 0.88) if look.sleeves == "long" else (0.66, 0.0)
    fore = _clothed(elbow, wrist, "forearm", s, (shirt, fore_share), look.skin)
    upper = _clothed(shoulder, elbow, "upper_arm", s, (shirt, upper_share), look.skin)
    hand = _disc(wrist + 0.12 * (wrist - elbow), HAND_RADIUS, LEFT_MARK if side == "left" else look.skin, s)
    z = body.depth[list(ARMS[side])]
    shapes = [*fore, hand, *upper] if z[2] < z[1] - 0.02 else [*upper, *fore, hand]
    covers = [(shoulder, elbow, RADII["upper_arm"][1] * s), (elbow, wrist, RADII["forearm"][1] * s)]
    covers.append((wrist, wrist, HAND_RADIUS * s))
    return Part(float(z[1:].mean()) + 0.035 * s, shapes, frozenset(ARMS[side]), covers)


def _ring(centres: list[tuple[np.ndarray, float]], grow: float) -> np.ndarray:
    """Convex hull around discs."""
    angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return hull(np.concatenate([centre + (radius + grow) * circle for centre, radius in centres]))


def _hulled(centres: list[tuple[np.ndarray, float]], scale: float, colour: Colour) -> Shape:
    scaled = [(centre, radius * scale) for centre, radius in centres]
    return Shape(_ring(scaled, 0.0), _ring(scaled, OUTLINE * scale), colour)


def _torso(body: Body, look: Look) -> list[Part]:
    p, s = body.points, body.scale
    hips = (p[8] + p[11]) / 2
    chest, waist = p[1] + 0.28 * (hips - p[1]), p[1] + 0.78 * (hips - p[1])
    cloth = BOTTOM_COLOURS[look.bottom_colour]
    seat = [(p[8], HIP_RADIUS), (p[11], HIP_RADIUS), (hips + 0.2 * (waist - hips), WAIST_RADIUS)]
    pelvis = _hulled(seat, s, cloth)
    shoulders = [(p[i] + 0.12 * (p[1] - p[i]), SHOULDER_RADIUS) for i in (2, 5)]
    shirt = _hulled([*shoulders, (chest, CHEST_RADIUS), (waist, WAIST_RADIUS)], s, SHIRTS[look.shirt])
    shapes, z = [pelvis, shirt], float(body.depth[[1, 8, 11]].mean())
    covers = [(chest, waist, CHEST_RADIUS * s), (waist, hips, WAIST_RADIUS * s)]
    parts = [Part(z, shapes, frozenset((1, 2, 5, 8, 11)), covers)]
    if look.bottoms == "skirt":
        hems = [(p[h] + 0.52 * (p[k] - p[h]), 0.052) for h, k in ((8, 9), (11, 12))]
        parts.append(Part(z - 0.02, [_hulled([(waist, WAIST_RADIUS * 0.9), *hems], s, cloth)]))
    return parts


def _upward(body: Body, centre: np.ndarray) -> np.ndarray:
    """From the neck to the middle of the head; away from the hips where these two nearly coincide."""
    up = centre - body.points[1]
    if np.hypot(*up) < 0.5 * HEAD_RADIUS * body.scale:
        up = body.points[1] - (body.points[8] + body.points[11]) / 2
    return up / max(float(np.hypot(*up)), 1e-9)


def _head(body: Body, look: Look) -> list[Part]:
    p, s = body.points, body.scale
    centre, r = (p[16] + p[17]) / 2, HEAD_RADIUS
    up, ahead = _upward(body, centre), p[0] - centre
    z, hair = float(body.depth[[16, 17]].mean()), HAIRS[look.hair]
    crown, face = centre + s * r * 0.2 * up - 0.22 * ahead, centre - s * r * 0.14 * up + 0.24 * ahead
    shapes = [_limb(p[1], centre, (NECK_RADIUS, NECK_RADIUS), s, look.skin), _disc(crown, 1.1 * r, hair, s)]
    shapes.append(_disc(face, 0.86 * r, look.skin, s))
    nearer = body.depth[[14, 15]] > z - 0.2 * r * s
    shapes += [_disc(p[i], 0.17 * r, EYE, s) for i, seen in zip((14, 15), nearer, strict=True) if seen]
    skull = [(centre, centre, 1.05 * r * s)]
    parts = [Part(z + 0.02 * s, shapes, frozenset((0, 14, 15, 16, 17, 1)), skull)]
    return parts + _loose_hair(look, crown, up, ahead, z, s, hair)


def _loose_hair(
    look: Look, crown: np.ndarray, up: np.ndarray, ahead: np.ndarray, z: float, s: float, hair: Colour
) -> list[Part]:
    r, behind = HEAD_RADIUS, crown - 0.35 * ahead
    # Loose hair falls down in the picture, whatever the head does.
    down = np.array([0.0, 1.0])
    if look.hair_style == "long":
        end = behind + 1.75 * r * s * down - 0.25 * ahead
        return [Part(z - 0.06 * s, [_limb(crown, end, (1.08 * r, 0.8 * r), s, hair)])]
    if look.hair_style == "ponytail":
        end = behind - 1.0 * ahead + 1.7 * r * s * down - 0.5 * r * s * up
        return [Part(z - 0.06 * s, [_limb(behind + 0.5 * r * s * up, end, (0.34 * r, 0.26 * r), s, hair)])]
    if look.hair_style == "bun":
        return [Part(z - 0.06 * s, [_disc(crown + 1.2 * r * s * up - 0.4 * ahead, 0.5 * r, hair, s)])]
    return []


def _bat(body: Body) -> list[Part]:
    if body.bat is None:
        return []
    (hand, along), s = body.bat, body.scale
    length = float(np.hypot(*along))
    blade, end = hand + BAT_HANDLE / BAT_LENGTH * along, hand + along
    thin, broad = (0.013, 0.013), (0.026, 0.030 if length > 0.5 * BAT_LENGTH * s else 0.028)
    shapes = [_limb(hand - 0.25 * along, blade, thin, s, BAT_GRIP), _limb(blade, end, broad, s, BAT_WOOD)]
    return [Part(float(body.depth[[4, 7]].max()) + 0.03 * s, shapes, frozenset((4, 7)), [(blade, end, 0.024 * s)])]


def parts_of(body: Body, look: Look) -> list[Part]:
    """All parts from back to front."""
    parts = [_leg(body, look, side) for side in SIDES] + _torso(body, look) + _head(body, look)
    return sorted(parts + _bat(body) + [_arm(body, look, side) for side in SIDES], key=lambda part: part.depth)


def _darker(colour: Colour, rim: Colour) -> Colour:
    r, g, b = (round(0.25 * c + 0.75 * d) for c, d in zip(colour, rim, strict=True))
    return r, g, b


def _fill(canvas: Canvas, shape: Shape, colour: Colour, grow: float, *, grown: bool) -> None:
    if len(shape.outline) == 1:
        x, y = shape.outline[0]
        canvas.disc(x, y, shape.radius + grow * grown, colour, figure=True)
        return
    canvas.polygon(shape.grown if grown else shape.outline, colour, figure=True)


def paint_figure(canvas: Canvas, parts: list[Part], scale: float, rim: Colour) -> None:
    """Paint parts from back to front, each over an outline towards the colour `rim`."""
    for part in parts:
        for shape in part.shapes:
            if shape.colour != EYE:
                _fill(canvas, shape, _darker(shape.colour, rim), OUTLINE * scale, grown=True)
        for shape in part.shapes:
            _fill(canvas, shape, shape.colour, 0.0, grown=False)


def _covered(points: np.ndarray, a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """(N,) whether points lie within `radius` of the segment from a to b."""
    span = b - a
    along = np.clip((points - a) @ span / max(float(span @ span), 1e-12), 0, 1)
    return np.hypot(*(points - a - along[:, None] * span).T) < radius


def visibilities(body: Body, parts: list[Part], look: Look) -> np.ndarray:
    """(18,) 2 = visible, 1 = behind another part, on the far side of the head, or under long hair."""
    hidden = np.zeros(18, dtype=bool)
    centre = float(body.depth[[16, 17]].mean())
    face = [0, 14, 15, 16, 17]
    hidden[face] = body.depth[face] < centre - 0.25 * HEAD_RADIUS * body.scale
    if look.hair_style == "long":
        hidden[[16, 17]] = True
    owner = np.full(18, -1)
    for order, part in enumerate(parts):
        owner[list(part.joints)] = np.maximum(owner[list(part.joints)], order)
    for order, part in enumerate(parts):
        others = np.array([k not in part.joints and owner[k] < order for k in range(18)])
        for a, b, radius in part.covers:
            hidden |= others & _covered(body.points, a, b, radius)
    return np.where(hidden, 1.0, 2.0)


def bones_scale(points: np.ndarray, present: np.ndarray | None = None) -> float:
    """Scale of a figure whose joints are given: of torso and limbs the ones that are least foreshortened; 0: no bone.

    points: (18, 2). present: (18,) bool, joints to go by; all by default.
    """
    seen = np.ones(18, dtype=bool) if present is None else present
    spans = [(points[1] - (points[8] + points[11]) / 2, TORSO)] if seen[[1, 8, 11]].all() else []
    for chains, names in ((ARMS, ("upper_arm", "forearm")), (LEGS, ("thigh", "shin"))):
        for a, b, c in chains.values():
            pairs = ((a, b, names[0]), (b, c, names[1]))
            spans += [(points[j] - points[i], LENGTHS[n]) for i, j, n in pairs if seen[i] and seen[j]]
    return float(np.quantile([np.hypot(*span) / length for span, length in spans], 0.8)) if spans else 0.0
