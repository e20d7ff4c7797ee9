"""Eq. 36 and 43: the loss over all steps."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import unknown_reading

READINGS = ("mean", "sum")


def total(losses: torch.Tensor, reading: str) -> torch.Tensor:
    """`mean` E_t[L_t] (Eq. 36) or `sum` Σ_t L_t (Eq. 43) of losses (T,): a scalar.

    Raises PosetwinError: unknown_value.
    """
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    return losses.mean() if reading == "mean" else losses.sum()
