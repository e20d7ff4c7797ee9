"""Stage `text_to_image`: text encoder and U-Net together, from scratch."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from posetwin.mini.architecture import make_scheduler, make_text_encoder, make_unet
from posetwin.mini.data import training_set
from posetwin.mini.diffusion import drop_captions, noise_error, snr_weight
from posetwin.mini.latents import training_latents
from posetwin.mini.slices import Recipe, train_slice
from posetwin.mini.speed import faster
from posetwin.mini.stages.tokenizer import BOS, EOS, load_tokenizer

# A constant rate until the last quarter: raise `steps` before the rate begins to fall, and a longer run goes on.
RECIPE = Recipe(
    name="text_to_image", seed=44, steps=8000, lr=1e-3, ema=0.999, warmup=200, cooldown=0.25, weight_decay=0.02
)
BATCH = 32
CAPTION_DROPOUT = 0.1


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """(N, L) ids, padded to the tokenizer's length."""
    return tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids


def make_models(tokenizer: CLIPTokenizer) -> tuple[CLIPTextModel, UNet2DConditionModel]:
    """Freshly initialised text encoder and U-Net, from the recipe's seed."""
    torch.manual_seed(RECIPE.seed)
    vocabulary = tokenizer.get_vocab()
    return make_text_encoder(len(vocabulary), vocabulary[BOS], vocabulary[EOS]), make_unet()


def run(folder: Path, deadline: float) -> bool:
    tokenizer, scheduler = load_tokenizer(folder), make_scheduler()
    latents = training_latents(folder)
    ids, empty = token_ids(tokenizer, training_set(folder).captions), token_ids(tokenizer, [""])
    text_encoder, unet = make_models(tokenizer)
    predict = faster(unet)

    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        index = torch.randint(len(latents), (BATCH,), generator=generator)
        timesteps = torch.randint(1000, (BATCH,), generator=generator)
        prompt_ids = drop_captions(ids[index], empty, CAPTION_DROPOUT, generator)
        with torch.autocast("cpu", torch.bfloat16):
            prompt_embeds = text_encoder(prompt_ids).last_hidden_state
            error = noise_error(
                lambda noisy, t: predict(noisy, t, prompt_embeds).sample,
                scheduler, latents[index].float(), timesteps, generator,
            )  # fmt: skip
        return (error * snr_weight(scheduler, timesteps)).mean()

    return train_slice(RECIPE, {"text_encoder": text_encoder, "unet": unet}, loss, folder, deadline)
