"""What the text-to-image model and the primary adapter are trained to do: predict the noise (Eq. 12, weight 1)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DDPMScheduler

SNR_CAP = 5.0

Predictor = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def drop_captions(
    token_ids: torch.Tensor, empty: torch.Tensor, share: float, generator: torch.Generator
) -> torch.Tensor:
    """Replace a share of the captions by the empty one, for classifier-free guidance."""
    dropped = torch.rand(len(token_ids), generator=generator) < share
    return torch.where(dropped[:, None], empty, token_ids)


def snr_weight(scheduler: DDPMScheduler, timesteps: torch.Tensor) -> torch.Tensor:
    """Min-SNR weight for noise prediction, min(SNR, 5) / SNR: less weight where hardly any noise is left to see."""
    alphas_cumprod = scheduler.alphas_cumprod[timesteps]
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return snr.clamp(max=SNR_CAP) / snr


def noise_error(
    predict: Predictor,
    scheduler: DDPMScheduler,
    latents: torch.Tensor,
    timesteps: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """(B,) mean squared error of the predicted noise per sample."""
    noise = torch.randn(latents.shape, generator=generator)
    alphas_cumprod = scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    noisy_latents = alphas_cumprod.sqrt() * latents + (1 - alphas_cumprod).sqrt() * noise
    prediction = predict(noisy_latents, timesteps)
    return (prediction.float() - noise).square().mean((1, 2, 3))
