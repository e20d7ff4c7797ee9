"""First part of Eq. 36 and 40, without Q."""

from __future__ import annotations

import torch

from posetwin.losses.keypoint_mask import squared_distance


def target_pose(pred_keypoints_b: torch.Tensor, keypoints_b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """‖Ψ∘g_b(Z_B,t) - Ψ∘g_b(B_0)‖², mean over visible keypoints: (B,), in squared fractions of the frame.

    pred_keypoints_b: (B, N, 2) b, found in Z_B,t. keypoints_b: (B, N, 2) b_0, those that drew B_0. Both normalised
    (Eq. 2). mask: (B, N), 1 where given in A and B.
    Raises PosetwinError: no_visible_keypoint, bad_keypoints.
    """
    return squared_distance(pred_keypoints_b, keypoints_b, mask)
