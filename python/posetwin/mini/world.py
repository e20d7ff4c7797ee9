"""The mini world: a seed gives a picture of a figure, its exact keypoints, its mask and a caption."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posetwin.errors import PosetwinError
from posetwin.mini.canvas import Canvas
from posetwin.mini.captions import draw_caption
from posetwin.mini.figure import Body, paint_figure, parts_of, visibilities
from posetwin.mini.look import Look, draw_look
from posetwin.mini.placement import place
from posetwin.mini.poses import POSES, Split, draw_posture, draw_random_posture, pose_names
from posetwin.mini.scenes import SCENES, paint_scene, rim_of

# Seeds below this number are for training; evaluation starts here and the two never meet.
EVALUATION_SEED = 1_000_000_000
RANDOM_POSE_SHARE = 0.3
RANDOM_POSE = "random"


@dataclass(frozen=True)
class Drawn:
    """One drawn picture.

    image: (H, W, 3) uint8 RGB. keypoints: (18, 3) float64 in the layout OpenPose-18: x, y in pixels, visibility
    0 absent, 1 covered, 2 visible. mask: (H, W) bool, true on the figure. caption: English. attributes: subject,
    shirt, bottoms, hair, scene, pose ("random" for a posture without a name).
    """

    image: np.ndarray
    keypoints: np.ndarray
    mask: np.ndarray
    caption: str
    attributes: dict[str, str]


def _check(pose: str | None, size: int) -> None:
    if pose is not None and pose not in POSES and pose != RANDOM_POSE:
        raise PosetwinError("unknown_value", f"the mini world has no pose {pose!r}", f"one of: {', '.join(POSES)}")
    if not 64 <= size <= 128:
        raise PosetwinError("out_of_range", f"the mini world draws 64 to 128 pixels, not {size}")


def _draw_pose(rng: np.random.Generator, pose: str | None, split: Split) -> str | None:
    chance, names = rng.random(), pose_names(split)
    choice = names[rng.integers(len(names))]
    if pose is not None:
        return None if pose == RANDOM_POSE else pose
    return None if split == "train" and chance < RANDOM_POSE_SHARE else choice


def draw_scene_name(rng: np.random.Generator) -> str:
    names = list(SCENES)
    return names[rng.integers(len(names))]


def draw_body(rng: np.random.Generator, name: str | None) -> Body:
    """A figure in the named posture, or in a random one, placed in the frame."""
    posture = draw_random_posture(rng) if name is None else draw_posture(rng, name)
    return place(posture, rng, airborne=0.0 if name is None else POSES[name].airborne)


def render(rng: np.random.Generator, body: Body, look: Look, scene: str, size: int) -> tuple[np.ndarray, ...]:
    """(H, W, 3) uint8 picture, (H, W) bool mask and (18, 3) keypoints in pixels."""
    canvas, parts = Canvas(size), parts_of(body, look)
    paint_scene(canvas, scene, rng)
    paint_figure(canvas, parts, body.scale, rim_of(scene))
    image, mask = canvas.shrink()
    return image, mask, np.column_stack([body.points * size, visibilities(body, parts, look)])


def sample_world(seed: int, *, pose: str | None = None, split: Split = "train", size: int = 64) -> Drawn:
    """The picture of this seed: a pure function of its arguments.

    pose: a name of POSES, "random" for any posture within the joint limits, or None to draw one of `split` (a
    training draw is a nameless random posture with probability RANDOM_POSE_SHARE). size: 64 to 128 pixels.
    Raises PosetwinError: unknown_value, out_of_range.
    """
    _check(pose, size)
    rng = np.random.default_rng([seed, 0])
    name, look, scene = _draw_pose(rng, pose, split), draw_look(rng), draw_scene_name(rng)
    caption = draw_caption(rng, look, scene, name)
    body = draw_body(rng, name)
    image, mask, keypoints = render(rng, body, look, scene, size)
    attributes = {**look.attributes(), "scene": scene, "pose": name or RANDOM_POSE}
    return Drawn(image, keypoints, mask, caption, attributes)


def empty_scene(seed: int, *, size: int = 64, scene: str | None = None) -> np.ndarray:
    """(size, size, 3) uint8: a scene without a figure, the negative example of the detectors.

    scene: a name of SCENES, or None to draw one. Raises PosetwinError: unknown_value, out_of_range.
    """
    _check(None, size)
    if scene is not None and scene not in SCENES:
        raise PosetwinError("unknown_value", f"the mini world has no scene {scene!r}", f"one of: {', '.join(SCENES)}")
    rng = np.random.default_rng([seed, 1])
    drawn, canvas = draw_scene_name(rng), Canvas(size)
    paint_scene(canvas, scene or drawn, rng)
    return canvas.shrink()[0]
