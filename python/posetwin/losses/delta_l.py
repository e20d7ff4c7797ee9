"""Eq. 38: the value that the patent says the loss converges to."""

from __future__ import annotations

import torch

from posetwin.losses.keypoint_mask import squared_distance


def delta_l(keypoints_a: torch.Tensor, keypoints_b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """‖Ψ∘g(B_0) - Ψ∘g(A_0)‖², mean over visible keypoints: (B,); its expectation is ΔL.

    keypoints_a, keypoints_b: (B, N, 2) a_0 and b_0 as given, normalised (Eq. 2). mask: (B, N), 1 where given in both.
    Raises PosetwinError: no_visible_keypoint, bad_keypoints.
    """
    return squared_distance(keypoints_b, keypoints_a, mask)
