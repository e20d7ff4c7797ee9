"""The fixed grid that the person detector's answers are offsets from (MediaPipe's SsdAnchorsCalculator)."""

from __future__ import annotations

import torch

INPUT_SIZE = 224
# (stride in px, anchors per cell): strides 8, 16, 32, 32, 32 with two anchors each, equal strides merged.
GRIDS = ((8, 2), (16, 2), (32, 6))


def _grid(stride: int, per_cell: int) -> torch.Tensor:
    cells = INPUT_SIZE // stride
    centres = (torch.arange(cells) + 0.5) / cells
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1).repeat_interleave(per_cell, dim=0)


def make_anchors() -> torch.Tensor:
    """(2254, 2) x, y of anchor centres as fractions of the detector's square input; every anchor has size 1."""
    return torch.cat([_grid(stride, per_cell) for stride, per_cell in GRIDS])
