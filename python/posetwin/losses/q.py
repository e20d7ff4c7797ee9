"""Eq. 37: Q, which brings the two terms to one scale."""

from __future__ import annotations

import math

import torch

from posetwin.errors import PosetwinError
from posetwin.losses.per_sample import unknown_reading

READINGS = ("expectation", "printed-sum", "per-step")


def q(odds: torch.Tensor, reading: str | float) -> torch.Tensor:
    """`expectation` 2·E_t[α_t/(1-α_t)]; `printed-sum` 2·Σ_t t·α_t/(1-α_t); `per-step` 2α_t/(1-α_t); a number: itself.

    odds: (T,) α_t/(1-α_t), infinite where α_t = 1: such t are left out. Returns a scalar, (T,) under `per-step`.
    Raises PosetwinError: singular_schedule where no t is left, out_of_range unless 0 < Q < ∞, unknown_value.
    """
    usable = odds.isfinite()
    if not bool(usable.any()):
        raise PosetwinError("singular_schedule", "Q is infinite: alphas is 1 at every step", "choose another schedule")
    if reading == "per-step":
        return 2 * odds
    steps = torch.arange(1, odds.numel() + 1, dtype=odds.dtype, device=odds.device)
    if isinstance(reading, str):
        if reading not in READINGS:
            raise unknown_reading(reading, READINGS)
        value = 2 * odds[usable].mean() if reading == "expectation" else 2 * (odds * steps)[usable].sum()
    else:
        value = odds.new_tensor(reading)
    if not 0 < float(value) < math.inf:
        raise PosetwinError("out_of_range", f"Q is {float(value)}", "Q is positive and finite")
    return value
