"""Ψ for photos: person detector → rotated square → landmark network → OpenPose-18 in px of the image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import nn

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose.graph import load_graph
from posetwin.keypoints.blazepose.people import MID_HIP, MIN_SCORE, RIM, Person, PersonDetector
from posetwin.keypoints.blazepose.regions import (
    Regions,
    choose,
    crop,
    fineness,
    regions_from_points,
    to_image,
    whole_frames,
)
from posetwin.keypoints.blazepose.weights import PERSON_FILE, find_weights, landmark_file
from posetwin.keypoints.detector import Keypoints
from posetwin.keypoints.layouts import blazepose33_indices

Variant = Literal["lite", "full", "heavy"]

LANDMARK_SIZE = 256
# Two answers whose keypoints are closer on average, as a fraction of the person's extent, are of one person.
SAME_PERSON = 0.1


class Landmarks(NamedTuple):
    """BlazePose's 33 landmarks and, after them, 6 helper points."""

    xy: torch.Tensor  # (B, 39, 2) px of the image
    visibility: torch.Tensor  # (B, 39) in [0, 1]
    score: torch.Tensor  # (B,) in [0, 1]: that a person is there at all


def _as_model_input(image: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise PosetwinError("bad_image", f"expected (H, W, 3) uint8, not {image.shape} {image.dtype}")
    return torch.tensor(image).movedim(-1, 0)[None].to(dtype) / 127.5 - 1


def _distinct(people: list[np.ndarray]) -> list[np.ndarray]:
    """Without those that nobody confirms, and without answers that are another look at a person before them."""
    kept: list[np.ndarray] = []
    for one in people:
        extent = np.ptp(one[:, :2], axis=0).max()
        distances = [np.linalg.norm(one[:, :2] - other[:, :2], axis=1).mean() for other in kept]
        if one[:, 2].any() and all(distance > SAME_PERSON * extent for distance in distances):
            kept.append(one)
    return kept


class BlazePoseDetector(nn.Module):
    """A KeypointDetector. Frozen; in the dtype of its own buffers (float32, or float64 after `.double()`) whatever the
    images or autocast say, for bfloat16 cannot tell pixels of 256 apart.

    Raises PosetwinError: unknown_value, missing_weights, wrong_weights.
    """

    pairs: torch.Tensor

    def __init__(self, variant: Variant = "full", folder: Path | str | None = None) -> None:
        super().__init__()
        if variant not in get_args(Variant):
            raise PosetwinError("unknown_value", f"no BlazePose {variant!r}", f"one of: {', '.join(get_args(Variant))}")
        self.people = PersonDetector(find_weights(PERSON_FILE, folder))
        self.network = load_graph(find_weights(landmark_file(variant), folder))
        self.register_buffer("pairs", torch.tensor(blazepose33_indices()))
        self.eval()

    @property
    def dtype(self) -> torch.dtype:
        return self.people.anchors.dtype

    def _cast(self, images: torch.Tensor) -> torch.Tensor:
        return images.to(self.people.anchors)

    def detect_people(self, image: np.ndarray) -> list[Person]:
        """image: (H, W, 3) uint8 RGB → people in px of it, the best score first; none where no score reaches 0.5.

        Raises PosetwinError: bad_image.
        """
        return self.people(self._cast(_as_model_input(image, self.dtype)))[0]

    def detect_keypoints(self, image: np.ndarray) -> np.ndarray:
        """image: (H, W, 3) uint8 RGB → (18, 3) x, y in px and confidence of the best-scoring person.

        Confidence is 0 throughout where there is no person. Raises PosetwinError: bad_image.
        """
        with torch.no_grad():
            xy, confidence = self(_as_model_input(image, self.dtype))
        return torch.cat([xy[0], confidence[0, :, None]], -1).double().cpu().numpy()

    @torch.no_grad()
    def find_people(self, images: Sequence[np.ndarray], most: int = 3) -> list[list[np.ndarray]]:
        """(H, W, 3) uint8 RGB each, of any sizes → of each its people, the largest first, (18, 3) as detect_keypoints.

        A person is one in whom both networks believe; of each image the `most` largest are asked about, all images
        together. Raises PosetwinError: bad_image.
        """
        if not images:
            return []
        inputs = [self._cast(_as_model_input(image, self.dtype)) for image in images]
        found = [sorted(people, key=lambda one: -one.radius)[:most] for people in self.people.find(inputs)]
        of, people = [i for i, some in enumerate(found) for _ in some], [one for some in found for one in some]
        answers = self._look_at(inputs, of, people) if people else []
        return [
            _distinct([answer for i, answer in zip(of, answers, strict=True) if i == n]) for n in range(len(images))
        ]

    def _look_at(self, inputs: list[torch.Tensor], of: list[int], people: list[Person]) -> list[np.ndarray]:
        """(18, 3) keypoints of each person, who is in the image number `of`; confidence 0 where there is nobody."""
        known = inputs[0].new_tensor(np.stack([one.points for one in people]))
        all_found = torch.ones(len(people), dtype=torch.bool, device=known.device)
        regions = regions_from_points(known[:, MID_HIP], known[:, RIM], all_found)
        each = [Regions(*(part[n : n + 1] for part in regions)) for n in range(len(people))]
        squares = [
            crop((inputs[i] + 1) / 2, one, LANDMARK_SIZE, fineness(float(one.size), LANDMARK_SIZE))
            for i, one in zip(of, each, strict=True)
        ]
        xy, confidence = self._keypoints(self._read(torch.cat(squares), regions), regions)
        return list(torch.cat([xy, confidence[..., None]], -1).double().cpu().numpy())

    @torch.no_grad()
    def find_regions(self, images: torch.Tensor) -> Regions:
        """images: (B, 3, H, W) RGB in [-1, 1] → the square around the best-scoring person of each; no gradient."""
        images = self._cast(images)
        points = [people[0].points if people else None for people in self.people(images)]
        found = torch.tensor([one is not None for one in points], device=images.device)
        known = images.new_tensor(np.stack([np.zeros((4, 2)) if one is None else one for one in points]))
        return choose(found, regions_from_points(known[:, MID_HIP], known[:, RIM], found), whole_frames(images))

    def landmarks(self, images: torch.Tensor, regions: Regions) -> Landmarks:
        """images: (B, 3, H, W) RGB in [-1, 1] → BlazePose's own landmarks, differentiable in the images."""
        with torch.autocast(images.device.type, enabled=False):
            return self._read(crop((self._cast(images) + 1) / 2, regions, LANDMARK_SIZE), regions)

    def _read(self, squares: torch.Tensor, regions: Regions) -> Landmarks:
        """squares: (B, 3, 256, 256) RGB in [0, 1], cut out of the regions."""
        raw, score = self.network(squares, (0, 1))
        raw = raw.unflatten(1, (-1, 5))
        return Landmarks(to_image(raw[..., :2] / LANDMARK_SIZE, regions), raw[..., 3].sigmoid(), score[:, 0])

    def forward(self, images: torch.Tensor, regions: Regions | None = None) -> Keypoints:
        """See KeypointDetector; differentiable in `images` for fixed regions, which are found where none are given.

        Without a person the confidence is 0 and xy is what the network sees in the whole frame: finite, no more.
        """
        with torch.autocast(images.device.type, enabled=False):
            regions = self.find_regions(images) if regions is None else regions
            return self._keypoints(self.landmarks(images, regions), regions)

    def _keypoints(self, marks: Landmarks, regions: Regions) -> Keypoints:
        confidence = marks.visibility[:, self.pairs].amin(-1) * (regions.found & (marks.score >= MIN_SCORE))[:, None]
        return Keypoints(marks.xy[:, self.pairs].mean(-2), confidence)
