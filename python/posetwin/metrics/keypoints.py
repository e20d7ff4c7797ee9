"""How well a detected pose fits its target; targets carry the mask: a keypoint counts where its visibility is > 0."""

from __future__ import annotations

import torch


def _distances(detected: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (detected[..., :2] - target[..., :2]).norm(dim=-1)


def _masked_mean(values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    weights = (target[..., 2] > 0).to(values.dtype)
    return (values * weights).sum(-1) / weights.sum(-1).clamp_min(1)


def keypoint_error_px(detected: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean distance over the target's visible keypoints, px.

    detected: (B, K, 2+), target: (B, K, 3) with visibility. Returns (B,); 0 where nothing is visible.
    """
    return _masked_mean(_distances(detected, target), target)


def pck(detected: torch.Tensor, target: torch.Tensor, threshold_px: float) -> torch.Tensor:
    """PCK: share of the target's visible keypoints found within `threshold_px`. Shapes as above; (B,) in [0, 1]."""
    found = (_distances(detected, target) <= threshold_px).to(detected.dtype)
    return _masked_mean(found, target)


def detected_persons(confidence: torch.Tensor, target: torch.Tensor, threshold: float) -> torch.Tensor:
    """A person counts as found where the mean confidence over the target's visible keypoints reaches `threshold`.

    confidence: (B, K) in [0, 1]. Returns (B,) bool; its mean is the detection rate.
    """
    return _masked_mean(confidence, target) >= threshold
