"""Eq. 40: the loss of one step."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, positive_q


def per_step(target_pose: torch.Tensor, pose_residual: torch.Tensor, q: Scalars) -> torch.Tensor:
    """L_t = Q·‖Ψ∘g_b(Z_B,t) - Ψ∘g_b(B_0)‖² + ‖Ψ∘g(Z_B,t) - Ψ∘g(Z_A,t)‖².

    target_pose, pose_residual: (…) the two terms, unweighted. q: Q > 0 (Eq. 37), one number or (…). Returns (…).
    Raises PosetwinError: out_of_range.
    """
    return positive_q(q) * target_pose + pose_residual
