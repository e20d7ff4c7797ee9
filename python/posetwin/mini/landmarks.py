"""Drawing a figure in a given pose: any landmark table that converts to OpenPose-18."""

from __future__ import annotations

import numpy as np

from posetwin.errors import PosetwinError
from posetwin.mini.captions import draw_caption
from posetwin.mini.figure import HAND_RADIUS, Body, bones_scale
from posetwin.mini.look import draw_look
from posetwin.mini.placement import MARGIN
from posetwin.mini.skeleton import ARMS, HEAD_RADIUS, LEGS, LENGTHS, NECK_TO_HEAD, SIDES, TORSO
from posetwin.mini.world import Drawn, draw_scene_name, render

GIVEN_POSE = "given"
_FACE = (0, 14, 15, 16, 17)
_PAD = HEAD_RADIUS * 1.25
# A far side's limbs are drawn behind the torso when the head looks well to one side.
_SIDE_DEPTH = 0.16


def _fill_absent(points: np.ndarray, present: np.ndarray, scale: float) -> np.ndarray:
    """Guess absent joints, so that a figure can be drawn: limbs go on downward, faces look at the viewer."""
    filled, up = points.copy(), np.array([0.0, -1.0])
    hips = filled[[8, 11]].mean(axis=0) if present[[8, 11]].all() else filled[1] + TORSO * scale * -up
    for chains, names in ((ARMS, ("upper_arm", "forearm")), (LEGS, ("thigh", "shin"))):
        for side, chain in chains.items():
            outward = np.array([0.05 * scale * (1 if side == "left" else -1), 0.0])
            root = (filled[1] if chains is ARMS else hips) + outward
            for joint, parent, length in zip(
                chain, (root, *chain[:2]), (0.0, *(LENGTHS[n] for n in names)), strict=True
            ):
                if not present[joint]:
                    start = filled[parent] if isinstance(parent, int) else parent
                    filled[joint] = start - length * scale * up
    if not present[list(_FACE)].all():
        centre = filled[1] + NECK_TO_HEAD * scale * up
        offsets = np.array([(0, 0.14), (-0.42, -0.16), (0.42, -0.16), (-0.97, 0), (0.97, 0)])
        filled[list(_FACE)] = centre + HEAD_RADIUS * scale * offsets
    return filled


def _facing(points: np.ndarray, scale: float) -> float:
    """-1 to 1: to which side of the picture the head looks, by its nose against its ears."""
    centre = points[[16, 17]].mean(axis=0)
    return float(np.clip((points[0, 0] - centre[0]) / (HEAD_RADIUS * scale), -1, 1))


def _toes(points: np.ndarray, scale: float, facing: float) -> np.ndarray:
    """(2, 2) tips of the feet, square to the shins, where the figure looks or outward."""
    tips = []
    for side in SIDES:
        _, knee, ankle = (points[i] for i in LEGS[side])
        outward = (1.0 if side == "left" else -1.0) * (1 - abs(facing)) + facing
        ahead, shin = np.array([outward, 0.45]), ankle - knee
        shin = shin / max(float(np.hypot(*shin)), 1e-9)
        ahead = ahead - 0.7 * (ahead @ shin) * shin
        tips.append(ankle + LENGTHS["foot"] * scale * 0.85 * ahead / max(float(np.hypot(*ahead)), 1e-9))
    return np.stack(tips)


def _depth(facing: float, scale: float) -> np.ndarray:
    """(18,) a guess: who looks to the picture's right shows the right side."""
    near = np.zeros(18)
    near[[*ARMS["right"], *LEGS["right"]]] = _SIDE_DEPTH * facing * scale
    near[[*ARMS["left"], *LEGS["left"]]] = -_SIDE_DEPTH * facing * scale
    return near


def _fit(points: np.ndarray, scale: float) -> tuple[np.ndarray, float]:
    """Scale and centre, so that head, hands and feet are inside the frame; feet near the ground."""
    head = points[list(_FACE)].mean(axis=0)
    low = np.minimum(points.min(axis=0) - HAND_RADIUS * scale, head - _PAD * scale)
    high = np.maximum(points.max(axis=0) + (HAND_RADIUS + 0.03) * scale, head + _PAD * scale)
    room = 1 - 2 * MARGIN
    factor = min(room / float((high - low).max()), 1.2 / scale)
    slack = room - factor * (high - low)
    return MARGIN + slack * np.array([0.5, 0.9]) + factor * (points - low), factor * scale


def pose_body(keypoints: np.ndarray, *, fit: bool = True) -> Body:
    """What to draw for (18, 3) x, y, visibility in any unit, y down; `fit` False: already fractions of the frame.

    Joints of visibility 0 are guessed. Raises PosetwinError: no_visible_keypoint (neither neck nor hips nor a limb).
    """
    given = np.asarray(keypoints, dtype=np.float64)
    points, present = given[:, :2], given[:, 2] > 0
    scale = bones_scale(points, present)
    if not present[1] or not scale > 0:
        raise PosetwinError("no_visible_keypoint", "a figure cannot be drawn without its neck and a limb or the hips")
    points = _fill_absent(points, present, scale)
    if fit:
        points, scale = _fit(points, scale)
    facing = _facing(points, scale)
    return Body(points, _depth(facing, scale), _toes(points, scale, facing), scale)


def draw_pose(keypoints: np.ndarray, seed: int, size: int = 64, *, fit: bool = True) -> Drawn:
    """A figure in the given pose; looks and scene are the seed's. The caption has no pose words.

    keypoints: (18, 3) OpenPose-18 x, y, visibility; see `pose_body`. Raises PosetwinError: no_visible_keypoint.
    """
    rng = np.random.default_rng([seed, 2])
    look, scene, body = draw_look(rng), draw_scene_name(rng), pose_body(keypoints, fit=fit)
    caption = draw_caption(rng, look, scene, None)
    image, mask, drawn = render(rng, body, look, scene, size)
    drawn[np.asarray(keypoints)[:, 2] <= 0, 2] = 0
    return Drawn(image, drawn, mask, caption, {**look.attributes(), "scene": scene, "pose": GIVEN_POSE})
