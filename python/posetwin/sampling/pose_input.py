"""A pose as a person gives it: a mini-world pose, OpenPose keypoints (.json), a photo, or a control map (.png)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from posetwin.contracts import Control
from posetwin.control.draw import draw_control
from posetwin.data.images import read_pixels
from posetwin.errors import PosetwinError
from posetwin.mini.poses import POSES
from posetwin.mini.world import sample_world

# Every named pose is drawn by this seed and at this size, then scaled: a name means one and the same posture.
NAMED_POSE_SEED, NAMED_POSE_SIZE = 0, 64
# Share of the frame that stays free on each side where a pose of unknown frame is fitted.
FIT_MARGIN = 0.1
JOINTS = 18
PRONOUNS = (("her", "she"), ("his", "he"))


@dataclass(frozen=True)
class PoseInput:
    """control: (S, S, 3) or (S, S) uint8. keypoints: (18, 3) px of that map and visibility; None for a given map."""

    control: np.ndarray
    keypoints: np.ndarray | None


def _matches(name: str, text: str) -> bool:
    phrases = {phrase.format(her=word, she=she) for phrase in POSES[name].phrases for word, she in PRONOUNS}
    return text == name or text.replace(" ", "_") == name or text in phrases


def find_named_pose(text: str) -> str | None:
    """A key of POSES from the key itself, its words, or one of its phrases (`waving her left hand`)."""
    return next((name for name in POSES if _matches(name, text.strip().lower())), None)


def _scaled(keypoints: np.ndarray, factor: float) -> np.ndarray:
    return keypoints * np.array([factor, factor, 1.0])


def _named(name: str, size: int) -> np.ndarray:
    drawn = sample_world(NAMED_POSE_SEED, pose=name, split=POSES[name].split, size=NAMED_POSE_SIZE)
    return _scaled(drawn.keypoints, size / NAMED_POSE_SIZE)


def _bad(path: Path, problem: str) -> PosetwinError:
    forms = '18 lists [x, y, visibility], {"keypoints": …}, or OpenPose\'s people[0].pose_keypoints_2d'
    return PosetwinError("bad_keypoints", f"{path}: {problem}", f"expected {forms}")


def _entry(path: Path, value: Any) -> Any:
    """The list of numbers inside one of the accepted forms."""
    if isinstance(value, dict) and "people" in value:
        people = value["people"]
        if not (isinstance(people, list) and people and isinstance(people[0], dict)):
            raise PosetwinError("no_person", f"{path} holds no person")
        return people[0].get("pose_keypoints_2d")
    return value.get("keypoints") if isinstance(value, dict) else value


def _joints(path: Path, value: Any) -> np.ndarray:
    try:
        joints = np.asarray(_entry(path, value), dtype=np.float64).reshape(-1, 3)
    except (TypeError, ValueError) as error:
        raise _bad(path, "no list of x, y, visibility") from error
    if len(joints) != JOINTS or not np.isfinite(joints).all():
        raise _bad(path, f"{len(joints)} keypoints, or numbers that are not finite")
    if not (joints[:, 2] > 0).any():
        raise PosetwinError("no_visible_keypoint", f"{path}: no keypoint is visible")
    # OpenPose writes a confidence where others write a visibility; either way above zero means present.
    joints[:, 2] = joints[:, 2].clip(0, 2)
    return joints


def _letterboxed(joints: np.ndarray, width: float, height: float, size: int) -> np.ndarray:
    """From a width × height frame to the square, scaled without distortion and centred."""
    factor = size / max(width, height)
    shift = np.array([size - width * factor, size - height * factor, 0.0]) / 2
    return _scaled(joints, factor) + shift


def _fitted(joints: np.ndarray, size: int) -> np.ndarray:
    """The person fills the square but for a margin, whatever the frame was."""
    visible = joints[joints[:, 2] > 0, :2]
    low, high = visible.min(axis=0), visible.max(axis=0)
    factor = size * (1 - 2 * FIT_MARGIN) / max(float((high - low).max()), 1e-6)
    shift = size / 2 - factor * (low + high) / 2
    return _scaled(joints, factor) + np.array([*shift, 0.0])


def _frame(value: Any) -> tuple[float, float] | None:
    """Width and height where the file tells them."""
    names = (("canvas_width", "canvas_height"), ("width", "height"))
    sizes = [(value[w], value[h]) for w, h in names if isinstance(value, dict) and w in value and h in value]
    return (float(sizes[0][0]), float(sizes[0][1])) if sizes else None


def read_keypoints(path: Path, size: int) -> np.ndarray:
    """(18, 3) px of a square of side `size`, and visibility (0: absent).

    Coordinates are pixels of the frame that the file names (canvas_width and canvas_height, or width and height);
    without one, fractions where none exceeds 1, pixels of the square where all lie inside, else the person is fitted.
    Raises PosetwinError: bad_keypoints, no_person, no_visible_keypoint.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _bad(path, f"no JSON: {error}") from error
    joints, frame = _joints(path, value), _frame(value)
    visible = joints[joints[:, 2] > 0, :2]
    if frame is not None:
        return _letterboxed(joints, *frame, size)
    if visible.min() >= 0 and visible.max() <= 1:
        return _scaled(joints, size)
    inside = visible.min() >= 0 and visible.max() <= size
    return joints if inside else _fitted(joints, size)


def _is_control_map(pixels: np.ndarray) -> bool:
    """A drawn map has one flat background, black or white, over most of its area; a photo has not."""
    flat = (pixels == 0).all(axis=-1) | (pixels == 255).all(axis=-1)
    return bool(flat.mean() > 0.5)


def _from_map(pixels: np.ndarray, size: int) -> PoseInput:
    if pixels.shape[0] != pixels.shape[1]:
        raise PosetwinError("bad_image", f"a control map must be square, not {pixels.shape[1]}×{pixels.shape[0]}")
    resized = Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
    return PoseInput(np.asarray(resized), None)


def _photo_keypoints(path: Path, size: int) -> np.ndarray:
    from posetwin.data.photos import read_photo

    return read_photo(path, size, "full").keypoints


def read_pose(pose: str, size: int, control: Control) -> PoseInput:
    """The control map for `pose`, and its keypoints where they are known.

    A .png that is mostly flat black or white is a control map, any other picture a photo whose person BlazePose finds.
    Raises PosetwinError: unknown_value, missing_file, bad_image, bad_keypoints, no_person, no_visible_keypoint.
    """
    path = Path(pose)
    if (name := find_named_pose(pose)) is not None:
        keypoints = _named(name, size)
    elif not path.suffix:
        raise PosetwinError("unknown_value", f"no pose {pose!r}", f"a file, or one of: {', '.join(POSES)}")
    elif path.suffix.lower() == ".json":
        keypoints = read_keypoints(path, size)
    elif path.suffix.lower() == ".png" and _is_control_map(pixels := read_pixels(path)):
        return _from_map(pixels, size)
    else:
        keypoints = _photo_keypoints(path, size)
    return PoseInput(draw_control(keypoints, size, control), keypoints)
