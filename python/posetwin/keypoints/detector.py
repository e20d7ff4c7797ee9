"""The one interface of every Ψ: images in, differentiable keypoints out."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch


class Keypoints(NamedTuple):
    """Keypoints of one person per image, in the layout OpenPose-18."""

    # (B, 18, 2) float32 or float64, as the detector computes: pixels of the given image, x to the right, y down,
    # (0, 0) its upper left corner
    xy: torch.Tensor
    # (B, 18) of the same dtype, in [0, 1]; for reports only, never a mask of a loss
    confidence: torch.Tensor


class KeypointDetector(Protocol):
    """Ψ_δ: frozen, differentiable with respect to the image."""

    def __call__(self, images: torch.Tensor) -> Keypoints:
        """images: (B, 3, H, W) RGB in [-1, 1], any H and W the detector was made for (it resizes by itself).

        Of any float dtype: the detector casts them to its own. Gradients reach them in theirs.
        """
        ...
