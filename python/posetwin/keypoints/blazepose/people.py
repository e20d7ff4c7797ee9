"""BlazePose's person detector: where people are, and the circle around each body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from posetwin.keypoints.blazepose.anchors import INPUT_SIZE, make_anchors
from posetwin.keypoints.blazepose.graph import load_graph

# MediaPipe's values: scores below the first are no person; boxes that overlap more than the second are one person.
MIN_SCORE, MIN_OVERLAP = 0.5, 0.3
# Where Person.points holds the two that make the landmark network's square.
MID_HIP, RIM = 0, 1


@dataclass(frozen=True)
class Person:
    """score: in (0.5, 1). box: (4,) x0, y0, x1, y1 of the face, px. points: (4, 2) px: mid-hip, a point on the circle
    around the whole body, mid-shoulder, a point on the circle around the upper body.
    """

    score: float
    box: np.ndarray
    points: np.ndarray

    @property
    def radius(self) -> float:
        """Of the circle around the whole body, px."""
        return float(np.linalg.norm(self.points[RIM] - self.points[MID_HIP]))


def _letterbox(images: torch.Tensor) -> tuple[torch.Tensor, float, tuple[int, int]]:
    """(B, 3, H, W) in [-1, 1] → the net's square input, black where padded; the square's side, and left, top, in px."""
    height, width = images.shape[-2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    square = F.pad(images, (left, side - width - left, top, side - height - top), value=-1.0)
    size = (INPUT_SIZE, INPUT_SIZE)
    return F.interpolate(square, size, mode="bilinear", align_corners=False, antialias=True), side, (left, top)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of (4,) with each of (N, 4)."""
    extent = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = extent.clip(min=0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(areas - shared, 1e-9)


def _merge(scores: np.ndarray, coordinates: np.ndarray) -> list[Person]:
    """Weighted non-maximum suppression: each person is the mean, by score, of the answers that overlap the best one."""
    people = []
    while len(scores):
        best = int(scores.argmax())
        same = _overlap(coordinates[best, :4], coordinates[:, :4]) > MIN_OVERLAP
        same[best] = True
        mean = np.average(coordinates[same], axis=0, weights=scores[same])
        people.append(Person(float(scores[best]), mean[:4], mean[4:].reshape(4, 2)))
        scores, coordinates = scores[~same], coordinates[~same]
    return people


class PersonDetector(nn.Module):
    """Not differentiable: it only chooses where the landmark network looks."""

    anchors: torch.Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.graph = load_graph(path)
        self.register_buffer("anchors", make_anchors())

    def _decode(self, raw: torch.Tensor) -> torch.Tensor:
        """(B, 2254, 12) centre, extent, four points → (B, 2254, 12) corners, four points; fractions of the square."""
        centre, extent, *points = (raw / INPUT_SIZE).split(2, dim=-1)
        centre = centre + self.anchors
        return torch.cat([centre - extent / 2, centre + extent / 2, *(point + self.anchors for point in points)], -1)

    def _people(self, squares: torch.Tensor, frames: Sequence[tuple[float, tuple[int, int]]]) -> list[list[Person]]:
        """squares: (B, 3, 224, 224). frames: of each its side and its left and top, in px of the image."""
        raw, logits = self.graph(squares, (0, 1))
        sides = raw.new_tensor([side for side, _ in frames]).view(-1, 1, 1)
        corners = raw.new_tensor([corner for _, corner in frames]).repeat(1, 6)[:, None]
        coordinates = (self._decode(raw) * sides - corners).double().cpu().numpy()
        scores = logits[..., 0].sigmoid().double().cpu().numpy()
        likely = scores >= MIN_SCORE
        return [_merge(s[keep], c[keep]) for s, c, keep in zip(scores, coordinates, likely, strict=True)]

    @torch.no_grad()
    def forward(self, images: torch.Tensor) -> list[list[Person]]:
        """images: (B, 3, H, W) RGB in [-1, 1] → for each image its people, the best score first."""
        squares, side, corner = _letterbox(images)
        return self._people(squares, [(side, corner)] * len(images))

    @torch.no_grad()
    def find(self, images: Sequence[torch.Tensor]) -> list[list[Person]]:
        """As forward, together for images (1, 3, H, W) that differ in size; at least one."""
        letters = [_letterbox(image) for image in images]
        return self._people(
            torch.cat([square for square, _, _ in letters]), [(side, corner) for _, side, corner in letters]
        )
