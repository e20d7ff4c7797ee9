"""L*: the least value of Eq. 40 (audit, point 2)."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, positive_q


def lower_bound(distance: torch.Tensor, q: Scalars) -> torch.Tensor:
    """min over b of Q‖b - b_0‖² + ‖b - a‖² = Q/(Q + 1)·‖b_0 - a‖², reached at b* = (Q b_0 + a)/(Q + 1).

    distance: (…) ‖b_0 - a‖² of `lower_bound_distance`. q: Q > 0, one number or (…). Returns (…).
    Raises PosetwinError: out_of_range.
    """
    q = positive_q(q)
    return q / (q + 1) * distance
