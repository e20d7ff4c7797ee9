"""Stage `decoder`: the VAE's decoder goes on alone, on latents that no longer move.

The encoder is frozen after the stage `vae`, so that the U-Net can train on its latents at the same time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from posetwin.mini.data import to_unit, training_set
from posetwin.mini.latents import load_vae, scaling_factor, training_latents
from posetwin.mini.slices import Recipe, train_slice
from posetwin.mini.stages.vae import LATENT_NOISE, reconstruction_error

RECIPE = Recipe(name="decoder", seed=12, steps=2400, lr=1.5e-3)
BATCH = 24


def run(folder: Path, deadline: float) -> bool:
    vae: Any = load_vae(folder, decoder="vae")[0]
    decoder = vae.decoder.requires_grad_(True).train().to(memory_format=torch.channels_last)
    data, latents, factor = training_set(folder), training_latents(folder), scaling_factor(folder)

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        index = torch.randint(len(latents), (BATCH,), generator=generator)
        given = latents[index].float() / factor
        noise = torch.randn(given.shape, generator=generator) * LATENT_NOISE
        with torch.autocast("cpu", torch.bfloat16, enabled=step < 0.9 * RECIPE.steps):
            decoded = decoder((given + noise).contiguous(memory_format=torch.channels_last))
        return reconstruction_error(decoded.float(), to_unit(data.images[index]))

    return train_slice(RECIPE, {"decoder": decoder}, loss, folder, deadline)
