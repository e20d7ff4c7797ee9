"""Eq. 12-13: what the primary adapter is trained with."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, beside, require_positive, unit_interval, unknown_reading

READINGS = ("w(t)", "simple")


def primary_noise(
    noise: torch.Tensor, noise_pred: torch.Tensor, alphas: Scalars, alphas_cumprod: Scalars, reading: str
) -> torch.Tensor:
    """w·‖ε - ε_θ(Z̄_A,t, t, τ(y), F_Φ1(A_0))‖², mean over a latent's elements: (B,).

    w is `w(t)` = (1 - α_t)/(2 α_t (1 - ᾱ_t)), or 1 under `simple`. noise, noise_pred: (B, …). alphas α_t and
    alphas_cumprod ᾱ_t in [0, 1], one number or (B,).
    Raises PosetwinError: singular_schedule where w(t) is infinite, unknown_value.
    """
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    squared = (noise - noise_pred).square().flatten(1).mean(dim=1)
    if reading == "simple":
        return squared
    alpha, alpha_cumprod = unit_interval(alphas, "alphas"), unit_interval(alphas_cumprod, "alphas_cumprod")
    weight = (1 - alpha) / require_positive(2 * alpha * (1 - alpha_cumprod), "alphas (1 - alphas_cumprod)")
    return beside(weight, squared) * squared
