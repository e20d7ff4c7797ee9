"""The rotated square around a person that the landmark network looks at: found, cut out, and mapped back."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

# MediaPipe widens the circle around the body by this factor.
WIDENING = 1.25
# Beyond this many samples along a side for each one kept, a finer grid costs more than it shows.
MAX_SUPERSAMPLING = 4


class Regions(NamedTuple):
    """One square per image, in px of that image; y points down, so a positive angle turns clockwise."""

    centre: torch.Tensor  # (B, 2)
    size: torch.Tensor  # (B,) side, above 0
    angle: torch.Tensor  # (B,) radians from upright
    found: torch.Tensor  # (B,) bool; where False the square is only a stand-in


def regions_from_points(centre: torch.Tensor, rim: torch.Tensor, found: torch.Tensor) -> Regions:
    """centre, rim: (B, 2) px, mid-hip and the point above it on the circle around the whole body."""
    along = rim - centre
    size = (2 * WIDENING * along.norm(dim=-1)).clamp(min=1.0)
    return Regions(centre, size, torch.atan2(along[:, 0], -along[:, 1]), found)


def whole_frames(images: torch.Tensor) -> Regions:
    """The smallest upright square around each of (B, C, H, W), marked as not found."""
    batch, _, height, width = images.shape
    centre = images.new_tensor([width / 2, height / 2]).expand(batch, 2)
    none = torch.zeros(batch, dtype=torch.bool, device=images.device)
    return Regions(centre, images.new_full((batch,), max(height, width)), images.new_zeros(batch), none)


def choose(condition: torch.Tensor, first: Regions, second: Regions) -> Regions:
    """Per image `first` where condition (B,) is true, else `second`."""
    pick = [torch.where(condition.view(-1, *[1] * (a.ndim - 1)), a, b) for a, b in zip(first, second, strict=True)]
    return Regions(*pick)


def to_image(points: torch.Tensor, regions: Regions) -> torch.Tensor:
    """points: (B, …, 2) as fractions of each square → px of the image, differentiable."""
    lead = (-1, *[1] * (points.ndim - 2))
    cos, sin = regions.angle.cos().view(lead), regions.angle.sin().view(lead)
    x, y = (points - 0.5).unbind(-1)
    turned = torch.stack([x * cos - y * sin, x * sin + y * cos], -1)
    return regions.centre.view(*lead, 2) + regions.size.view(*lead, 1) * turned


def fineness(reach: float, side: int) -> int:
    """How many samples along a side for each one kept step over no pixel of `reach` px, up to MAX_SUPERSAMPLING."""
    return min(max(math.ceil(reach / side), 1), MAX_SUPERSAMPLING)


def crop(images: torch.Tensor, regions: Regions, side: int, finer: int | None = None) -> torch.Tensor:
    """images: (B, C, H, W) → (B, C, side, side), differentiable in the images; outside of the image is 0.

    Large images are sampled on a grid `finer` times finer and averaged, so that no pixel of theirs is stepped over.
    Where it is not given it follows from their shape alone, so that an answer does not depend on the rest of its batch.
    """
    height, width = images.shape[-2:]
    finer = fineness(max(height, width), side) if finer is None else finer
    steps = (torch.arange(side * finer, device=images.device, dtype=images.dtype) + 0.5) / (side * finer)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = to_image(torch.stack([x, y], -1).expand(len(images), -1, -1, -1), regions)
    grid = points / images.new_tensor([width, height]) * 2 - 1
    samples = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return F.avg_pool2d(samples, finer) if finer > 1 else samples
