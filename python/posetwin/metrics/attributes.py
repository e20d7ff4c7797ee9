"""Whether a picture keeps what its text says, where the mini world's own rules can read it: shirt colour and scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from posetwin.mini.attributes import read_scenes, read_shirts


def attributes_followed(
    images: torch.Tensor, keypoints: torch.Tensor, attributes: Sequence[Mapping[str, str]]
) -> dict[str, torch.Tensor]:
    """For each attribute, 1 where it is read as given and 0 where not; the mean over a set is its accuracy.

    images: (B, 3, H, W) in [-1, 1]. keypoints: (B, 18, 2+) px, where the figure is, to find its shirt. attributes: B
    mappings with "shirt" and "scene". Returns "shirt" and "scene", (B,) float32 each.
    """
    read = {"shirt": read_shirts(images, keypoints[..., :2]), "scene": read_scenes(images)}
    return {
        name: torch.tensor([float(value == given[name]) for value, given in zip(values, attributes, strict=True)])
        for name, values in read.items()
    }
