"""Latents and token ids of the training set, encoded once for the stages that train in latent space."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file, save_file

from posetwin.mini.architecture import make_vae
from posetwin.mini.data import to_unit, training_set
from posetwin.mini.slices import load_averaged


def load_vae(folder: Path, *, decoder: Literal["vae", "decoder"] = "decoder") -> tuple[Any, int]:
    """The trained VAE, frozen, and its encoder's number of steps.

    decoder: the stage whose decoder is taken; "decoder" falls back to "vae" where that stage has not begun.
    """
    vae: Any = make_vae()
    step = load_averaged("vae", {"vae": vae}, folder)
    if decoder == "decoder":
        load_averaged("decoder", {"decoder": vae.decoder}, folder)
    return vae, step


@torch.no_grad()
def _encode(vae: Any, images: torch.Tensor) -> torch.Tensor:
    layout = torch.channels_last
    vae.to(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16):
        parts = (to_unit(part).contiguous(memory_format=layout) for part in images.split(50))
        return torch.cat([vae.encode(part).latents.float() for part in parts]).contiguous()


def scaling_factor(folder: Path) -> float:
    """The factor that gives latents unit deviation, measured on the first 2,000 training images."""
    vae, _ = load_vae(folder)
    return 1 / _encode(vae, training_set(folder).images[:2000]).std().item()


def training_latents(folder: Path) -> torch.Tensor:
    """(N, 4, 16, 16) float16 latents of unit deviation."""
    vae, step = load_vae(folder)
    path = folder / f"latents-{step}.safetensors"
    if not path.exists():
        latents = _encode(vae, training_set(folder).images) * scaling_factor(folder)
        # Two stages may encode at the same time.
        partial = folder / f"latents-{os.getpid()}.partial"
        save_file({"latents": latents.half()}, partial)
        os.replace(partial, path)
    return load_file(path)["latents"]
