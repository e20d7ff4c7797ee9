"""Eq. 18 (10, 14-17): the difference of the two routes' scores."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, beside, require_positive, unit_interval


def score_difference(noise_pred_a: torch.Tensor, noise_pred_b: torch.Tensor, alphas_cumprod: Scalars) -> torch.Tensor:
    """1/(1 - ᾱ_t)·‖ε_θ(Z̄_A,t, F_Φ1(A_0)) - ε_θ(Z̄_B,t, F_Φ2(B_0))‖², mean over a latent's elements: (B,).

    noise_pred_a, noise_pred_b: (B, …). alphas_cumprod: ᾱ_t in [0, 1), one number or (B,).
    Raises PosetwinError: singular_schedule where ᾱ_t = 1.
    """
    weight = 1 / require_positive(1 - unit_interval(alphas_cumprod, "alphas_cumprod"), "1 - alphas_cumprod")
    squared = (noise_pred_a - noise_pred_b).square().flatten(1).mean(dim=1)
    return beside(weight, squared) * squared
