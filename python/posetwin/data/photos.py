"""Photos of a folder source: read in any form, the person found, cut to the training square with its keypoints."""

from __future__ import annotations

import math
import os
import re
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose import BlazePoseDetector, Variant

_ENDING = re.compile(r"\.(jpe?g|png|webp|bmp)$", re.IGNORECASE)
# What Pillow raises for files that are damaged in one way or another; the last two for more pixels than is sane.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, IndexError, TypeError, OverflowError)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

# A keypoint counts as seen from here on; MediaPipe draws from the same value.
MIN_CONFIDENCE = 0.5
# Finer pictures tell a detector that looks at 256 px nothing more.
DETECTION_SIDE = 1024
# Free space on each side as a fraction of the person's extent: skull, hands and feet reach beyond the keypoints.
MARGIN = 0.2


@dataclass(frozen=True)
class PhotoPerson:
    """image: (S, S, 3) uint8 RGB. keypoints: (18, 3) OpenPose-18 x, y in its px, visibility 2 or (unseen) 0."""

    image: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True)
class Rejected:
    """Why a photo is left out. code: missing_file, bad_image, no_person or no_visible_keypoint."""

    code: str
    reason: str


def list_photos(folder: Path) -> list[Path]:
    """The .jpg, .png, .webp and .bmp files below `folder`, in the order of their paths. Raises: missing_file."""
    if not folder.is_dir():
        raise PosetwinError("missing_file", f"{folder} is not a folder")
    files = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names if _ENDING.search(name))
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _has_alpha(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode == "F":
        raise ValueError("pixels are floating point numbers of unknown range")
    if image.mode.startswith("I"):
        # Pillow's own conversion cuts 16-bit values off at 255.
        grey = (np.asarray(image, dtype=np.float64) / 257).round().clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if _has_alpha(image):
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(image.convert("RGB"))


def read_photo_pixels(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright: turned as EXIF says, on white where transparent, the first frame of several.

    Raises PosetwinError: missing_file, bad_image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _to_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except _BOMBS as error:
        raise PosetwinError("bad_image", f"{path} has too many pixels: {error}", "scale it down") from error
    except _DAMAGED as error:
        raise PosetwinError("bad_image", f"{path} cannot be read as a picture: {error}") from error


def _person_box(keypoints: np.ndarray) -> np.ndarray:
    seen = keypoints[keypoints[:, 2] > 0, :2]
    if not len(seen):
        raise PosetwinError("no_visible_keypoint", "no keypoint of the person is inside the photo")
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


def _square(box: np.ndarray, height: int, width: int, size: int, margin: float) -> tuple[int, int, int]:
    """Left, top and side, px: inside the photo where the person fits, else centred on the person along that axis."""
    extent = float((box[2:] - box[:2]).max())
    short = min(height, width)
    wanted = max(extent * (1 + 2 * margin), min(size, short))
    # The margin gives way before the photo has to be padded, but for the pixel that holds the last keypoint.
    side = math.ceil(max(min(wanted, short), extent + 1))
    corner = (box[:2] + box[2:]) / 2 - side / 2
    room = np.array([width, height]) - side
    left, top = np.where(room >= 0, corner.clip(0, np.maximum(room, 0)), corner).round().astype(int).tolist()
    return left, top, side


def _cut(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """The square of the photo; its edge pixels are repeated where the square reaches beyond."""
    height, width = image.shape[:2]
    rows = np.arange(top, top + side).clip(0, height - 1)
    columns = np.arange(left, left + side).clip(0, width - 1)
    return image[rows[:, None], columns]


def _inside(keypoints: np.ndarray, width: float, height: float) -> np.ndarray:
    x, y = keypoints[:, 0], keypoints[:, 1]
    return (x >= 0) & (x < width) & (y >= 0) & (y < height)


def _seen(keypoints: np.ndarray, within: np.ndarray) -> np.ndarray:
    return np.column_stack([keypoints[:, :2], np.where(within, keypoints[:, 2], 0)])


def fit_to_square(
    image: np.ndarray,
    keypoints: np.ndarray,
    size: int,
    *,
    box: np.ndarray | None = None,
    margin: float = MARGIN,
) -> tuple[np.ndarray, np.ndarray]:
    """A square around the person, never stretched, scaled to (size, size, 3) with antialiasing; keypoints with it.

    image: (H, W, 3) uint8. keypoints: (N, 3) x, y in its px, visibility; outside of the photo or of the square it
    becomes 0. box: (4,) x0, y0, x1, y1 px of the person, by default around the visible keypoints. margin: wanted on
    each side, as a fraction of the longer side of the box; where the photo is too small for it the margin shrinks,
    where it is too small for the person its edge is repeated, and where the person is smaller than `size` more of
    the photo is taken rather than magnified. Raises PosetwinError: no_visible_keypoint.
    """
    height, width = image.shape[:2]
    keypoints = _seen(np.asarray(keypoints, dtype=np.float64), _inside(keypoints, width, height))
    left, top, side = _square(_person_box(keypoints) if box is None else np.asarray(box), height, width, size, margin)
    cut = Image.fromarray(_cut(image, left, top, side))
    scaled = np.asarray(cut.resize((size, size), Image.Resampling.LANCZOS))
    moved = (keypoints - np.array([left, top, 0])) * np.array([size / side, size / side, 1])
    return scaled, _seen(moved, _inside(moved, size, size))


def _for_detection(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The photo, smaller where it is very large, and the factors that bring x, y, confidence back."""
    height, width = pixels.shape[:2]
    factor = min(1.0, DETECTION_SIDE / max(height, width))
    new = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = pixels if factor == 1 else np.array(Image.fromarray(pixels).resize(new, Image.Resampling.BOX))
    return small, np.array([width / new[0], height / new[1], 1])


def _find_person(path: Path, detector: BlazePoseDetector, size: int) -> PhotoPerson:
    pixels = read_photo_pixels(path)
    small, factors = _for_detection(pixels)
    keypoints = detector.detect_keypoints(small) * factors
    if not keypoints[:, 2].any():
        raise PosetwinError("no_person", f"{path}: no person was found")
    keypoints[:, 2] = np.where(keypoints[:, 2] >= MIN_CONFIDENCE, 2, 0)
    try:
        return PhotoPerson(*fit_to_square(pixels, keypoints, size))
    except PosetwinError as error:
        raise PosetwinError(error.code, f"{path}: {error.message}", error.hint) from error


def read_person(path: Path, detector: BlazePoseDetector, size: int) -> PhotoPerson | Rejected:
    """The photo's best-scoring person in a square of side `size`, or why the photo cannot be used."""
    try:
        return _find_person(path, detector, size)
    except PosetwinError as error:
        return Rejected(error.code, error.message)


@lru_cache(maxsize=1)
def _detector(variant: Variant) -> BlazePoseDetector:
    return BlazePoseDetector(variant)


def read_photo(path: Path, size: int, variant: Variant) -> PhotoPerson:
    """As read_person, by the detector of that name, which is loaded once.

    Raises PosetwinError: missing_weights, wrong_weights, missing_file, bad_image, no_person, no_visible_keypoint.
    """
    return _find_person(path, _detector(variant), size)
