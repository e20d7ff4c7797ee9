"""D of the lower bound: how far the target pose is from what route A shows (audit, points 2 and 3)."""

from __future__ import annotations

import torch

from posetwin.losses.keypoint_mask import squared_distance


def lower_bound_distance(pred_keypoints_a: torch.Tensor, keypoints_b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """‖b_0 - a‖², mean over visible keypoints: (B,); its expectation is D, and L* = Q/(Q + 1)·D.

    pred_keypoints_a: (B, N, 2) a, found in Z_A,t. keypoints_b: (B, N, 2) b_0 as given. Both normalised (Eq. 2).
    mask: (B, N), 1 where given in A and B.
    Raises PosetwinError: no_visible_keypoint, bad_keypoints.
    """
    return squared_distance(keypoints_b, pred_keypoints_a, mask)
