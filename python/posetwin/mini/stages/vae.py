"""Stage `vae`: AutoencoderTiny, 64 px to 16x16x4, with a smooth latent space of unit scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import avg_pool2d

from posetwin.mini.architecture import make_vae
from posetwin.mini.data import to_unit, training_set
from posetwin.mini.slices import Recipe, train_slice

RECIPE = Recipe(name="vae", seed=11, steps=2300, lr=2e-3)
BATCH = 16
LATENT_NOISE = 0.12


def _shape_penalty(latents: torch.Tensor) -> torch.Tensor:
    """Keeps each latent channel near mean 0 and deviation 1, inside the linear part of the decoder's tanh."""
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    return (mean.square() + (deviation - 1).square()).mean()


def reconstruction_error(decoded: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """L1 for sharp edges, L2 for PSNR, L1 at a quarter of the size for flat areas; small parts count more."""
    error = decoded - images
    # Hands, faces and limbs are few pixels but what the method is about; they stand out from their surroundings.
    detail = (images - avg_pool2d(images, 9, 1, 4, count_include_pad=False)).abs().mean(1, keepdim=True)
    weighted = (error.abs() + 2 * error.square()) * (1 + 4 * detail)
    return weighted.mean() + avg_pool2d(error, 4).abs().mean()


def run(folder: Path, deadline: float) -> bool:
    torch.manual_seed(RECIPE.seed)
    vae: Any = make_vae()
    vae.to(memory_format=torch.channels_last)
    data = training_set(folder)

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        index = torch.randint(len(data.images), (BATCH,), generator=generator)
        images = to_unit(data.images[index]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.9 * RECIPE.steps):
            latents = vae.encode(images).latents
            noise = torch.randn(latents.shape, generator=generator) * LATENT_NOISE
            decoded = vae.decode(latents + noise).sample
        return reconstruction_error(decoded.float(), images) + 0.02 * _shape_penalty(latents.float())

    return train_slice(RECIPE, {"vae": vae}, loss, folder, deadline)
