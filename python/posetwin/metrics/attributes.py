"""Whether a picture keeps what its text says, where the mini world's own rules can read it: shirt colour and scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from posetwin.mini.attributes import read_scenes, read_shirts


def attributes_followed(
    images: torch.Tensor, keypoints: torch.Tensor, attributes: Sequence[Mapping[str, str]]
) -> list[dict[str, bool]]:
    """For each picture, which of the given attributes are read as given; the mean over a set is its accuracy.

    images: (B, 3, H, W) in [-1, 1]. keypoints: (B, 18, 2+) px, where the figure is, to find its shirt. attributes: B
    mappings; "shirt" and "scene" are read where they are given.
    """
    if not any({"shirt", "scene"} & given.keys() for given in attributes):
        return [{} for _ in attributes]
    read = {"shirt": read_shirts(images, keypoints[..., :2]), "scene": read_scenes(images)}
    return [
        {name: values[index] == given[name] for name, values in read.items() if name in given}
        for index, given in enumerate(attributes)
    ]
