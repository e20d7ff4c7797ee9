"""What being at a value of the loss proves about the pose (audit, point 3)."""

from __future__ import annotations

import torch

from posetwin.losses.lower_bound import lower_bound
from posetwin.losses.per_sample import Scalars


def pose_bound(losses: torch.Tensor, distance: torch.Tensor, q: Scalars) -> torch.Tensor:
    """Upper bound of rms‖b - b_0‖: √E[D/(Q+1)²] + √E[(L - L*)/(Q+1)], a scalar in fractions of the frame.

    L - L* = (Q+1)·E‖b - b*‖² and b* - b_0 = (a - b_0)/(Q+1); the two sides of the triangle add up.
    losses: (T,) L_t of Eq. 40. distance: (T,) D_t = E‖b_0 - a‖². q: Q > 0, one number or (T,).
    """
    excess = (losses - lower_bound(distance, q)) / (q + 1)
    # Below L* lies rounding alone.
    return (distance / (q + 1) ** 2).mean().sqrt() + excess.mean().clamp_min(0).sqrt()
