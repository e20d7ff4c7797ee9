"""A plain DDIM sampler with classifier-free guidance, enough to look at what the mini models have learnt."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import DDIMScheduler

from posetwin.models.backbone import Backbone


def initial_noise(backbone: Backbone, count: int, image_size: int, seed: int) -> torch.Tensor:
    """(count, C, H, W) starting noise; picture i has the same noise whatever the count."""
    shape = backbone.latent_shape(image_size)
    return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed + i)) for i in range(count)])


@torch.no_grad()
def sample_images(
    backbone: Backbone,
    prompts: list[str],
    noise: torch.Tensor,
    *,
    adapter_state: list[torch.Tensor] | None = None,
    num_inference_steps: int = 20,
    guidance_scale: float = 3.0,
) -> torch.Tensor:
    """(B, 3, H, W) pictures around [-1, 1]. adapter_state: features of (B, …), which enter both guidance halves."""
    scheduler: Any = DDIMScheduler.from_config(
        backbone.scheduler_config, timestep_spacing="trailing", steps_offset=0, set_alpha_to_one=True
    )
    scheduler.set_timesteps(num_inference_steps)
    embeds = torch.cat([backbone.encode_prompt([""] * len(prompts)), backbone.encode_prompt(prompts)])
    features = None if adapter_state is None else [torch.cat([f, f]) for f in adapter_state]
    latents = noise
    for t in scheduler.timesteps:
        residuals = None if features is None else list(features)
        predicted = backbone.unet(
            torch.cat([latents, latents]), t, embeds, down_intrablock_additional_residuals=residuals
        ).sample
        without, with_text = predicted.chunk(2)
        guided = without + guidance_scale * (with_text - without)
        latents = scheduler.step(guided, t, latents, eta=0.0).prev_sample
    return backbone.decode_latents(latents)
