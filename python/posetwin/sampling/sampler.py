"""The one evaluation sampler that text only, primary and secondary share: DDIM with classifier-free guidance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from posetwin.models.backbone import Backbone
from posetwin.sampling.denoise import Features, predict_noise


@dataclass(frozen=True)
class SamplerSettings:
    num_inference_steps: int
    guidance_scale: float


def make_scheduler(backbone: Backbone, num_inference_steps: int) -> DDIMScheduler:
    """DDIM on the backbone's own noise schedule, spacing and all.

    The last step ends on the image itself (ᾱ = 1): where a schedule says otherwise, a little noise would remain.
    """
    scheduler = DDIMScheduler.from_config(backbone.scheduler_config, set_alpha_to_one=True, clip_sample=False)
    assert isinstance(scheduler, DDIMScheduler)
    scheduler.set_timesteps(num_inference_steps)
    return scheduler


@torch.no_grad()
def generate(
    backbone: Backbone, prompts: list[str], features: Features | None, noise: torch.Tensor, settings: SamplerSettings
) -> torch.Tensor:
    """Images for prompts, from the given noise.

    features: one (B, c, h, w) a down block, or None for text only. noise: (B, C, h, w).
    Returns (B, 3, H, W) float32 around [-1, 1] on the CPU, not clamped.
    """
    scheduler = make_scheduler(backbone, settings.num_inference_steps)
    prompt_embeds = backbone.encode_prompt(prompts)
    negative_prompt_embeds = backbone.encode_prompt([""] * len(prompts))
    latents = noise.to(backbone.device, backbone.dtype) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps.tolist():
        noise_pred = predict_noise(
            backbone.unet,
            latents,
            timestep,
            prompt_embeds,
            features,
            settings.guidance_scale,
            negative_prompt_embeds,
        )
        latents = scheduler.step(noise_pred, timestep, latents, return_dict=False)[0]
    return backbone.decode_latents(latents).float().cpu()
