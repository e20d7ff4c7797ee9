"""Eq. 41-42: the image that one step of ε_θ foretells, before the decoder."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, beside, require_positive, unit_interval, unknown_reading

READINGS = ("x_t", "as-printed")


def one_step_image(
    latents: torch.Tensor, noise: torch.Tensor, noise_pred: torch.Tensor, alphas_cumprod: Scalars, reading: str
) -> torch.Tensor:
    """(x_t - √(1-ᾱ_t)·ε_θ)/√ᾱ_t, diffusers' pred_original_sample: (B, …); `as-printed` has ε in the place of x_t.

    latents: (B, …) x_t. noise, noise_pred: (B, …) ε, ε_θ. alphas_cumprod: ᾱ_t in (0, 1], one number or (B,).
    Raises PosetwinError: singular_schedule where ᾱ_t = 0, unknown_value.
    """
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    alpha_cumprod = require_positive(unit_interval(alphas_cumprod, "alphas_cumprod"), "alphas_cumprod")
    start = latents if reading == "x_t" else noise
    return beside(alpha_cumprod.rsqrt(), start) * (start - beside((1 - alpha_cumprod).sqrt(), start) * noise_pred)
