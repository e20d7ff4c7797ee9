"""One loader for every backbone: the shipped mini models and full-size Stable Diffusion folders alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from posetwin.errors import PosetwinError
from posetwin.shipped import checked_folder

PARTS = ("tokenizer", "text_encoder", "vae", "unet", "scheduler")
VAE_CLASSES = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}


@dataclass(frozen=True)
class Backbone:
    """θ of the method with its text encoder and VAE, all frozen and in eval mode. device: where they compute."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    vae: AutoencoderKL | AutoencoderTiny
    unet: UNet2DConditionModel
    scheduler_config: dict[str, Any]
    device: torch.device

    @property
    def dtype(self) -> torch.dtype:
        return self.unet.dtype

    @property
    def vae_scale_factor(self) -> int:
        """Pixels of the image per latent pixel."""
        if isinstance(self.vae, AutoencoderTiny):
            return 2 ** (len(self.vae.config["encoder_block_out_channels"]) - 1)
        return 2 ** (len(self.vae.config["block_out_channels"]) - 1)

    def latent_shape(self, image_size: int) -> tuple[int, int, int]:
        """(channels, height, width) of the latents of a square image. Raises PosetwinError: out_of_range."""
        # One latent pixel must survive all halvings of the U-Net, or its skip connections do not meet.
        step = self.vae_scale_factor * 2 ** (len(self.unet.config["block_out_channels"]) - 1)
        if image_size <= 0 or image_size % step:
            message = f"an image size of {image_size} px does not suit this backbone"
            raise PosetwinError("out_of_range", message, f"use a multiple of {step}")
        side = image_size // self.vae_scale_factor
        return int(self.unet.config["in_channels"]), side, side

    @torch.no_grad()
    def encode_prompt(self, prompts: list[str]) -> torch.Tensor:
        """τ(y): (B, L, D) embeddings, L the tokenizer's model_max_length; longer prompts are cut."""
        # Padded to model_max_length, as Stable Diffusion's text encoder was trained.
        tokens = self.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")
        return self.text_encoder(tokens.input_ids.to(self.device)).last_hidden_state

    @torch.no_grad()
    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) in [-1, 1] -> scaled latents, as the U-Net sees them; the mode of AutoencoderKL's posterior."""
        encoded: Any = self.vae.encode(images.to(self.device, self.dtype))
        latents = encoded.latents if isinstance(self.vae, AutoencoderTiny) else encoded.latent_dist.mode()
        return latents * self.vae.config["scaling_factor"]

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """De: scaled latents -> (B, 3, H, W) images around [-1, 1]; differentiable, not clamped.

        The decoder computes in its own precision, the image comes in that of the latents.
        """
        decoded: Any = self.vae.decode((latents / self.vae.config["scaling_factor"]).to(self.vae.dtype))
        return decoded.sample.to(latents.dtype)


def _folder(path_or_name: str) -> Path:
    if path_or_name == "mini":
        return checked_folder("backbone")
    folder = Path(path_or_name)
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    if missing:
        raise PosetwinError(
            "missing_weights",
            f"{folder} is no diffusers model folder: it lacks {', '.join(missing)}",
            "use `mini`, or the path of a Stable Diffusion folder in diffusers format",
        )
    return folder


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of a model folder. Raises PosetwinError: missing_weights (no such file)."""
    try:
        return json.loads((folder / name).read_text())
    except FileNotFoundError as error:
        raise PosetwinError("missing_weights", f"{folder} has no {name}") from error


def _load_vae(folder: Path, options: dict[str, Any]) -> AutoencoderKL | AutoencoderTiny:
    kind = read_config(folder, "config.json").get("_class_name")
    if kind not in VAE_CLASSES:
        message = f"{folder} holds a VAE of class {kind}"
        raise PosetwinError("wrong_weights", message, f"one of: {', '.join(VAE_CLASSES)}")
    return VAE_CLASSES[kind].from_pretrained(folder, **options)


def _load_text_encoder(folder: Path) -> CLIPTextModel:
    """Raises PosetwinError: wrong_weights. transformers gives weights that it does not find random values, and goes on:
    version 4 does not know the names under which version 5 saves them."""
    loaded: Any = CLIPTextModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    text_encoder, found = loaded
    # Older files lack the positions, which are no weights.
    missing = sorted(name for name in found["missing_keys"] if not name.endswith("position_ids"))
    if missing:
        message = f"{folder} lacks {len(missing)} weights of its text encoder, {missing[0]} for one"
        raise PosetwinError("wrong_weights", message, "save it with the transformers that is installed, or update that")
    return text_encoder


def load_backbone(path_or_name: str, dtype: torch.dtype = torch.float32, device: str = "cpu") -> Backbone:
    """Load `mini` (shipped, its hashes checked) or a folder in diffusers format; nothing is ever downloaded.

    Raises PosetwinError: missing_weights, wrong_weights.
    """
    folder = _folder(path_or_name)
    # low_cpu_mem_usage needs accelerate, which this project does without.
    options: dict[str, Any] = {"torch_dtype": dtype, "local_files_only": True, "low_cpu_mem_usage": False}
    text_encoder = _load_text_encoder(folder / "text_encoder")
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", **options)
    vae = _load_vae(folder / "vae", options)
    modules: tuple[nn.Module, ...] = (text_encoder, unet, vae)
    for module in modules:
        # The dtype here, not as an option of transformers, which renamed that option between versions.
        nn.Module.to(module.requires_grad_(False).eval(), device=device, dtype=dtype)
    return Backbone(
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        text_encoder=text_encoder,
        vae=vae,
        unet=unet,
        scheduler_config=read_config(folder / "scheduler", "scheduler_config.json"),
        device=torch.device(device),
    )
