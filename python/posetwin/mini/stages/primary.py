"""Stage `primary`: the primary T2I-Adapter Φ1 on the frozen U-Net (Eq. 12 with weight 1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from posetwin.control.openpose import draw_openpose
from posetwin.mini.architecture import IMAGE_SIZE, make_adapter, make_scheduler
from posetwin.mini.data import training_set
from posetwin.mini.diffusion import drop_captions, noise_error
from posetwin.mini.latents import training_latents
from posetwin.mini.slices import Recipe, load_averaged, train_slice
from posetwin.mini.speed import plain_attention
from posetwin.mini.stages.text_to_image import make_models, token_ids
from posetwin.mini.stages.tokenizer import load_tokenizer

RECIPE = Recipe(name="primary", seed=55, steps=3000, lr=1.5e-3)
BATCH = 32
CAPTION_DROPOUT = 0.3


def control_images(keypoints: torch.Tensor) -> torch.Tensor:
    """(B, 18, 3) px and visibility -> (B, 3, 64, 64) OpenPose drawings in [0, 1]."""
    maps = np.stack([draw_openpose(k, IMAGE_SIZE) for k in keypoints.double().numpy()])
    return torch.from_numpy(maps).permute(0, 3, 1, 2).float() / 255


def early_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """Cubic sampling, as T2I-Adapter trains: most steps early in sampling (high t), where a pose is decided."""
    return ((1 - torch.rand(count, generator=generator) ** 3) * 1000).long().clamp(0, 999)


def run(folder: Path, deadline: float) -> bool:
    tokenizer, scheduler, data = load_tokenizer(folder), make_scheduler(), training_set(folder)
    latents = training_latents(folder)
    ids, empty = token_ids(tokenizer, data.captions), token_ids(tokenizer, [""])
    text_encoder, unet = make_models(tokenizer)
    load_averaged("text_to_image", {"text_encoder": text_encoder, "unet": plain_attention(unet)}, folder)
    torch.manual_seed(RECIPE.seed)
    adapter = make_adapter()

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        index = torch.randint(len(latents), (BATCH,), generator=generator)
        timesteps = early_timesteps(BATCH, generator)
        prompt_ids = drop_captions(ids[index], empty, CAPTION_DROPOUT, generator)
        with torch.autocast("cpu", torch.bfloat16):
            prompt_embeds = text_encoder(prompt_ids).last_hidden_state
            features = adapter(control_images(data.keypoints[index]))
            error = noise_error(
                lambda noisy, t: unet(
                    noisy, t, prompt_embeds, down_intrablock_additional_residuals=list(features)
                ).sample,
                scheduler, latents[index].float(), timesteps, generator,
            )  # fmt: skip
        return error.mean()

    return train_slice(RECIPE, {"adapter": adapter}, loss, folder, deadline)
