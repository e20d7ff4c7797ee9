"""Eq. 9 and 11: one step of the sampler towards the image."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, beside, require_positive, unit_interval, unknown_reading

READINGS = ("ddim", "as-printed")


def sampler_step(
    latents: torch.Tensor,
    noise_pred: torch.Tensor,
    alphas_cumprod: Scalars,
    alphas_cumprod_prev: Scalars,
    reading: str,
) -> torch.Tensor:
    """Z̄_{t-1} = √ᾱ_{t-1}·(Z̄_t - √(1-ᾱ_t) ε_θ)/√ᾱ_t + √(1-ᾱ_{t-1}) ε_θ: (B, …).

    `as-printed` has √(1-ᾱ_t) in the last term. latents, noise_pred: (B, …) Z̄_t, ε_θ. alphas_cumprod: ᾱ_t in (0, 1];
    alphas_cumprod_prev: ᾱ_{t-1} (1 for t = 1); one number or (B,) each.
    Raises PosetwinError: singular_schedule where ᾱ_t = 0, unknown_value.
    """
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    now = require_positive(unit_interval(alphas_cumprod, "alphas_cumprod"), "alphas_cumprod")
    previous = unit_interval(alphas_cumprod_prev, "alphas_cumprod_prev")
    kept, last = (previous / now).sqrt(), previous if reading == "ddim" else now
    # Both parts of ε_θ are joined before they touch float32: near t = T they are huge and nearly cancel.
    added = (1 - last).sqrt() - kept * (1 - now).sqrt()
    return beside(kept, latents) * latents + beside(added, latents) * noise_pred
