"""What the keypoint nets are trained on: drawn pictures spoiled as generated ones are, and empty scenes.

Half of a batch goes through the VAE with noise on its latents; some pictures are blurred or have more or less contrast,
some have a patch of an empty scene pasted over the figure, so that a joint's confidence tells whether it can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import avg_pool2d, interpolate

from posetwin.mini.data import TrainingSet, to_unit

EMPTY_SHARE = 0.12
PATCHED_SHARE = 0.2
MAX_LATENT_NOISE = 0.6


@dataclass(frozen=True)
class Views:
    """images (B, 3, 64, 64) in [-1, 1]; fractions (B, 18, 2) of the frame; present (B, 18) 1 where a joint shows."""

    images: torch.Tensor
    fractions: torch.Tensor
    present: torch.Tensor


def _uniform(shape: tuple[int, ...], generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator)


def _patches(count: int, size: int, generator: torch.Generator) -> torch.Tensor:
    """(B, 4) x0, y0, x1, y1 in pixels; an empty rectangle for most pictures."""
    corner = _uniform((count, 2), generator, 0, 0.75) * size
    extent = _uniform((count, 2), generator, 0.2, 0.6) * size
    chosen = (_uniform((count, 1), generator) < PATCHED_SHARE).float()
    return torch.cat([corner, corner + extent * chosen], dim=1)


def _inside(points: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    return ((points >= low) & (points < high)).all(-1)


def _through_vae(images: torch.Tensor, vae: Any, generator: torch.Generator) -> torch.Tensor:
    latents = vae.encode(images).latents
    amount = _uniform((len(images), 1, 1, 1), generator, 0, MAX_LATENT_NOISE) ** 1.5
    noise = torch.randn(latents.shape, generator=generator)
    # One-step images at early timesteps are noisy at low frequencies too.
    coarse = interpolate(torch.randn((*latents.shape[:2], 4, 4), generator=generator), scale_factor=4.0)
    return vae.decode(latents + amount * (noise + 0.5 * coarse)).sample.float()


def _spoil(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur, contrast (guidance raises it) and grain, each of any strength from none on."""
    amounts = (len(images), 1, 1, 1)
    blurred = avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    images = torch.lerp(images, blurred, _uniform(amounts, generator)) * _uniform(amounts, generator, 0.8, 1.25)
    return images + 0.1 * torch.randn(images.shape, generator=generator) * _uniform(amounts, generator)


@torch.no_grad()
def draw_views(data: TrainingSet, vae: Any, batch: int, generator: torch.Generator) -> Views:
    """A training batch; which picture is spoiled how depends on the generator alone."""
    index = torch.randint(len(data.images), (batch,), generator=generator)
    scenes = to_unit(data.empty[torch.randint(len(data.empty), (batch,), generator=generator)])
    images, keypoints = to_unit(data.images[index]), data.keypoints[index]
    size = images.shape[-1]
    boxes = _patches(batch, size, generator)
    boxes[: int(EMPTY_SHARE * batch)] = torch.tensor([0.0, 0.0, size, size])
    rows = torch.arange(size)
    pixels = torch.stack(torch.meshgrid(rows, rows, indexing="xy"), -1).reshape(1, -1, 2)
    covered = _inside(pixels, boxes).view(batch, 1, size, size)
    images = torch.where(covered, scenes, images)
    with torch.autocast("cpu", torch.bfloat16):
        images = torch.cat([images[::2], _through_vae(images[1::2], vae, generator)])
    order = torch.cat([torch.arange(0, batch, 2), torch.arange(1, batch, 2)])
    images = _spoil(images, generator)
    present = (~_inside(keypoints[..., :2], boxes)).float()
    return Views(images, keypoints[order, :, :2] / size, present[order])
