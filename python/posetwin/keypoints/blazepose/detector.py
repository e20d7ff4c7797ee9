"""Ψ for photos: person detector → rotated square → landmark network → OpenPose-18 in px of the image."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import nn

from posetwin.errors import PosetwinError
from posetwin.keypoints.blazepose.graph import load_graph
from posetwin.keypoints.blazepose.people import MID_HIP, MIN_SCORE, RIM, Person, PersonDetector
from posetwin.keypoints.blazepose.regions import Regions, choose, crop, regions_from_points, to_image, whole_frames
from posetwin.keypoints.blazepose.weights import PERSON_FILE, find_weights, landmark_file
from posetwin.keypoints.detector import Keypoints
from posetwin.keypoints.layouts import blazepose33_indices

Variant = Literal["lite", "full", "heavy"]

LANDMARK_SIZE = 256


class Landmarks(NamedTuple):
    """BlazePose's 33 landmarks and, after them, 6 helper points."""

    xy: torch.Tensor  # (B, 39, 2) px of the image
    visibility: torch.Tensor  # (B, 39) in [0, 1]
    score: torch.Tensor  # (B,) in [0, 1]: that a person is there at all


def _as_model_input(image: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise PosetwinError("bad_image", f"expected (H, W, 3) uint8, not {image.shape} {image.dtype}")
    return torch.tensor(image).movedim(-1, 0)[None].to(dtype) / 127.5 - 1


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
            square = crop((self._cast(images) + 1) / 2, regions, LANDMARK_SIZE)
            raw, score = self.network(square, (0, 1))
        raw = raw.unflatten(1, (-1, 5))
        return Landmarks(to_image(raw[..., :2] / LANDMARK_SIZE, regions), raw[..., 3].sigmoid(), score[:, 0])

    def forward(self, images: torch.Tensor, regions: Regions | None = None) -> Keypoints:
        """See KeypointDetector; differentiable in `images` for fixed regions, which are found where none are given.

        Without a person the confidence is 0 and xy is what the network sees in the whole frame: finite, no more.
        """
        with torch.autocast(images.device.type, enabled=False):
            regions = self.find_regions(images) if regions is None else regions
            marks = self.landmarks(images, regions)
        confidence = marks.visibility[:, self.pairs].amin(-1) * (regions.found & (marks.score >= MIN_SCORE))[:, None]
        return Keypoints(marks.xy[:, self.pairs].mean(-2), confidence)
