"""One call of the U-Net with a pose's features in its encoder: what training and sampling share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

Features = Sequence[torch.Tensor]


def _unet(
    unet: UNet2DConditionModel, latents: torch.Tensor, timestep: float, embeds: torch.Tensor, features: Features | None
) -> torch.Tensor:
    """The U-Net in its own precision; what comes and goes is in that of `latents`."""
    dtype = unet.dtype
    # The U-Net empties the list it is given: every call needs its own.
    residuals = None if features is None else [feature.to(dtype) for feature in features]
    timesteps = torch.full((len(latents),), timestep, device=latents.device, dtype=torch.float32)
    given = (latents.to(dtype), timesteps, embeds.to(dtype))
    output = unet(*given, down_intrablock_additional_residuals=residuals, return_dict=False)
    return output[0].to(latents.dtype)


def predict_noise(
    unet: UNet2DConditionModel,
    latents: torch.Tensor,
    timestep: float,
    prompt_embeds: torch.Tensor,
    features: Features | None,
    guidance_scale: float = 1.0,
    negative_prompt_embeds: torch.Tensor | None = None,
) -> torch.Tensor:
    """ε_θ(Z̄_t, t, τ(y), F_Φ(X_0)), with classifier-free guidance where guidance_scale is not 1.

    latents: (B, C, h, w). timestep: the U-Net's own, may be fractional. prompt_embeds, negative_prompt_embeds:
    (B, L, D). features: one (B, c, h, w) a down block, or None for text only; they enter both halves of guidance.
    Returns (B, C, h, w).
    """
    if guidance_scale == 1 or negative_prompt_embeds is None:
        return _unet(unet, latents, timestep, prompt_embeds, features)
    doubled = None if features is None else [torch.cat([feature, feature]) for feature in features]
    embeds = torch.cat([negative_prompt_embeds, prompt_embeds])
    unconditional, conditional = _unet(unet, torch.cat([latents, latents]), timestep, embeds, doubled).chunk(2)
    return unconditional + guidance_scale * (conditional - unconditional)
