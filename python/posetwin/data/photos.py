"""Photos of a folder source: read in any form, the person found, cut to the training square with its keypoints."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posetwin.contracts import FactorResize, Filters, PersonResize, Resize
from posetwin.data.decode import decode_pixels
from posetwin.data.people import TOGETHER, PhotoDetector, find_people, load_finder
from posetwin.data.picture_hash import picture_hash
from posetwin.data.resize import extent_of, fit_to_square, fit_to_square_by_factor, shrink
from posetwin.errors import PosetwinError

__all__ = [
    "Photo",
    "PhotoPerson",
    "PhotoReader",
    "Rejected",
    "fit_to_square",
    "list_photos",
    "read_photo",
    "read_photo_pixels",
]

_ENDING = re.compile(r"\.(jpe?g|png|webp|bmp)$", re.IGNORECASE)
KEYPOINTS = 18
# Decoded pictures that wait for the detector hold no more pixels than this together, but for the last of them.
WAITING_PIXELS = 32_000_000
# Captioners look at 224 px (ViT-GPT2) or 384 px (BLIP) of a picture, whatever the size it is trained at.
OVERVIEW_SIDE = 384
# What makes a picture one to be left out; any other error is not the picture's.
FAULTS = frozenset(
    {"bad_image", "missing_file", "bad_keypoints", "no_person", "several_people"}
    | {"no_visible_keypoint", "too_few_keypoints", "person_too_small"}
)


@dataclass(frozen=True)
class Photo:
    """A picture as its source lists it. name: what messages call it. content: the file's bytes.

    keypoints: (18, 3) as annotated: OpenPose-18 x, y in px of the upright picture (the centre of the first pixel is
    0.5, 0.5; see resize.py), visibility 0, 1 or 2; or None, and the detector finds them. box: (4,) x0, y0, x1, y1 px
    of the annotated person, or None. num_people: in the picture, as annotated; -1 unknown. is_described: whether the
    captioner will want to see all of it.
    """

    name: str
    content: bytes
    detector: PhotoDetector
    keypoints: np.ndarray | None = None
    box: np.ndarray | None = None
    num_people: int = -1
    is_described: bool = False


@dataclass(frozen=True)
class PhotoPerson:
    """image: (S, S, 3) uint8 RGB. keypoints: (18, 3) OpenPose-18 x, y in its px, visibility 2, 1 or (unseen) 0.

    picture_hash: of the whole picture as it was before it was cut, see picture_hash.py. overview: all of the picture,
    (h, w, 3) uint8 of at most OVERVIEW_SIDE px, for whoever describes it; or None.
    """

    image: np.ndarray
    keypoints: np.ndarray
    picture_hash: int
    overview: np.ndarray | None = None


@dataclass(frozen=True)
class Rejected:
    """Why a photo is left out. code: one of FAULTS."""

    code: str
    reason: str


def list_photos(folder: Path) -> list[Path]:
    """The .jpg, .png, .webp and .bmp files below `folder`, in the order of their paths. Raises: missing_file."""
    if not folder.is_dir():
        raise PosetwinError("missing_file", f"{folder} is not a folder")
    files = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names if _ENDING.search(name))
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _read_content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PosetwinError("missing_file", f"{path} does not exist") from error
    except OSError as error:
        raise PosetwinError("bad_image", f"{path} cannot be read: {error}") from error


def read_photo_pixels(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of the file, see decode_pixels. Raises PosetwinError: missing_file, bad_image."""
    return decode_pixels(_read_content(path), str(path))


def _check_numbers(name: str, keypoints: np.ndarray, box: np.ndarray) -> None:
    if keypoints.shape != (KEYPOINTS, 3) or np.shape(box) != (4,):
        problem = f"keypoints of {keypoints.shape} and a box of {np.shape(box)}, not ({KEYPOINTS}, 3) and (4,)"
        raise PosetwinError("bad_keypoints", f"{name}: {problem}")
    if not (np.isfinite(keypoints[keypoints[:, 2] != 0]).all() and np.isfinite(box).all()):
        raise PosetwinError("bad_keypoints", f"{name}: keypoints, or the box of a person, that are no finite numbers")
    if (np.asarray(box)[2:] < np.asarray(box)[:2]).any():
        raise PosetwinError("bad_keypoints", f"{name}: the box of its person ends before it begins")


def _are_enough(detector: PhotoDetector, waiting: Iterable[np.ndarray]) -> bool:
    sizes = [pixels.size // 3 for pixels in waiting]
    return len(sizes) >= TOGETHER[detector] or sum(sizes) > WAITING_PIXELS


def _overlap(box: np.ndarray, person: np.ndarray) -> float:
    """Of a box (4,) and the extent of a person, px²."""
    other = extent_of(person)
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(sides.clip(min=0).prod())


class PhotoReader:
    """Pictures as squares with one person each, or the reasons against them.

    image_size: side S of the squares, px. filters: who is left out. device: where detectors compute.
    """

    def __init__(self, image_size: int, resize: Resize, filters: Filters, device: str = "cpu") -> None:
        self.image_size, self.resize, self.filters, self.device = image_size, resize, filters, device

    def read_people(self, photos: Sequence[Photo]) -> list[PhotoPerson | Rejected]:
        """One answer a photo, in their order. Several wait for a detector together, the others are done one by one.

        Raises PosetwinError: missing_weights, wrong_weights.
        """
        answers: dict[int, PhotoPerson | Rejected] = {}
        waiting: dict[PhotoDetector, dict[int, np.ndarray]] = {}
        for index, photo in enumerate(photos):
            pixels = self._pixels(photo)
            if isinstance(pixels, Rejected):
                answers[index] = pixels
            elif not self._asks_detector(photo):
                answers[index] = self._answer(photo, pixels, None)
            else:
                waiting.setdefault(photo.detector, {})[index] = pixels
                if _are_enough(photo.detector, waiting[photo.detector].values()):
                    answers |= self._ask(photos, waiting.pop(photo.detector))
        for queue in waiting.values():
            answers |= self._ask(photos, queue)
        return [answers[index] for index in range(len(photos))]

    def detect(self, pictures: Sequence[np.ndarray], detector: PhotoDetector) -> list[np.ndarray | None]:
        """(H, W, 3) uint8 each → (18, 3) of the largest person of each, visibility 2 or 0; None where there is none.

        Raises PosetwinError: missing_weights, wrong_weights.
        """
        found: list[np.ndarray | None] = []
        for start in range(0, len(pictures), TOGETHER[detector]):
            people = find_people(load_finder(detector, self.device), pictures[start : start + TOGETHER[detector]])
            found += [some[0] if some else None for some in people]
        return found

    def _asks_detector(self, photo: Photo) -> bool:
        """Where nobody is annotated, and where the people are to be counted that no annotation counts."""
        counts = self.filters.people == "one" and photo.num_people < 0 and photo.detector != "mini"
        return photo.keypoints is None or counts

    def _pixels(self, photo: Photo) -> np.ndarray | Rejected:
        try:
            self._check_annotation(photo)
            return decode_pixels(photo.content, photo.name)
        except PosetwinError as error:
            return Rejected(error.code, error.message)

    def _check_annotation(self, photo: Photo) -> None:
        if self.filters.people == "one" and photo.num_people > 1:
            raise PosetwinError("several_people", f"{photo.name}: {photo.num_people} people are annotated")
        if photo.keypoints is not None:
            _check_numbers(photo.name, np.asarray(photo.keypoints), np.zeros(4) if photo.box is None else photo.box)

    def _ask(self, photos: Sequence[Photo], waiting: dict[int, np.ndarray]) -> dict[int, PhotoPerson | Rejected]:
        name = photos[next(iter(waiting))].detector
        people = find_people(load_finder(name, self.device), list(waiting.values()))
        return {
            index: self._answer(photos[index], pixels, found)
            for (index, pixels), found in zip(waiting.items(), people, strict=True)
        }

    def _answer(self, photo: Photo, pixels: np.ndarray, found: list[np.ndarray] | None) -> PhotoPerson | Rejected:
        """found: the people that the detector sees, the largest first; None where it was not asked."""
        try:
            image, keypoints = self._fit(pixels, *self._person(photo, found))
            self._check_person(keypoints)
        except PosetwinError as error:
            if error.code not in FAULTS:
                raise
            return Rejected(error.code, f"{photo.name}: {error.message}")
        overview = shrink(pixels, OVERVIEW_SIDE) if photo.is_described else None
        return PhotoPerson(image, keypoints, picture_hash(pixels), overview)

    def _person(self, photo: Photo, found: list[np.ndarray] | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Keypoints of the person that is wanted, and their box where it is annotated."""
        if self.filters.people == "one" and photo.num_people < 0 and found is not None and len(found) > 1:
            raise PosetwinError("several_people", f"{len(found)} or more people were found")
        if photo.keypoints is not None:
            return photo.keypoints, photo.box
        if not found:
            raise PosetwinError("no_person", "no person was found")
        box = photo.box
        return (found[0] if box is None else max(found, key=lambda one: _overlap(box, one))), None

    def _fit(self, pixels: np.ndarray, keypoints: np.ndarray, box: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(self.resize, FactorResize):
            return fit_to_square_by_factor(pixels, keypoints, self.image_size, self.resize, box)
        return fit_to_square(pixels, keypoints, self.image_size, box=box)

    def _check_person(self, keypoints: np.ndarray) -> None:
        """keypoints: (18, 3) in the square."""
        low, high = np.split(extent_of(keypoints), 2)
        visible, wanted = int((keypoints[:, 2] > 0).sum()), self.filters.min_keypoints
        if visible < wanted:
            raise PosetwinError("too_few_keypoints", f"{visible} keypoints are visible, {wanted} are wanted")
        share = float((high - low).max()) / self.image_size
        if share < self.filters.min_person:
            message = f"the person takes {share:.3f} of the side, {self.filters.min_person} is wanted"
            raise PosetwinError("person_too_small", message)


# Only a picture without any person is none.
_ANYBODY = Filters(people="any", min_keypoints=1, min_person=0.0, max_hash_distance=-1, num_verified=0)


def read_photo(path: Path, size: int, detector: PhotoDetector) -> PhotoPerson:
    """The photo's largest person in a square of side `size`, by the detector of that name, which is loaded once.

    Raises PosetwinError: missing_weights, wrong_weights, missing_file, bad_image, no_person, no_visible_keypoint.
    """
    reader = PhotoReader(size, PersonResize(kind="person"), _ANYBODY)
    (answer,) = reader.read_people([Photo(str(path), _read_content(path), detector)])
    if isinstance(answer, Rejected):
        raise PosetwinError(answer.code, answer.reason)
    return answer
