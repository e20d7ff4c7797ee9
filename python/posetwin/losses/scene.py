"""Our scene term: what [0048] asks for in words."""

from __future__ import annotations

import torch

from posetwin.losses.per_sample import Scalars, beside, unit_interval


def scene(
    image_a: torch.Tensor, image_b: torch.Tensor, scene_mask: torch.Tensor, alphas_cumprod: Scalars
) -> torch.Tensor:
    """√ᾱ_t · mean of |Z_A,t - Z_B,t| over colours and the pixels outside both dilated silhouettes: (B,).

    image_a: (B, C, H, W) in [-1, 1], taken without gradient; image_b: the same with its gradient.
    scene_mask: (B, H, W), 1 where a pixel counts; a sample without any gives 0.
    alphas_cumprod: ᾱ_t in [0, 1], one number or (B,).
    """
    difference = (image_a.detach() - image_b).abs().mean(dim=1)
    pixels = scene_mask.to(difference.dtype)
    mean = (difference * pixels).sum(dim=(1, 2)) / pixels.sum(dim=(1, 2)).clamp_min(1)
    return beside(unit_interval(alphas_cumprod, "alphas_cumprod").sqrt(), mean) * mean
