"""The training set of the mini models: pictures of the mini world, drawn once and kept in one file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from posetwin.mini.world import empty_scene, sample_world

TRAINING_IMAGES = 48_000
EMPTY_SCENES = 3_000


@dataclass(frozen=True)
class TrainingSet:
    """images (N, 3, 64, 64) uint8; keypoints (N, 18, 3) float32 px and visibility; empty (M, 3, 64, 64) uint8."""

    images: torch.Tensor
    keypoints: torch.Tensor
    empty: torch.Tensor
    captions: list[str]


def _stack(arrays: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def _draw(folder: Path) -> None:
    drawn = [sample_world(seed) for seed in range(TRAINING_IMAGES)]
    tensors = {
        "images": _stack([d.image for d in drawn]),
        "keypoints": torch.from_numpy(np.stack([d.keypoints for d in drawn])).float(),
        "empty": _stack([empty_scene(seed) for seed in range(EMPTY_SCENES)]),
    }
    (folder / "captions.json").write_text(json.dumps([d.caption for d in drawn]))
    save_file(tensors, folder / "data.partial")
    os.replace(folder / "data.partial", folder / "data.safetensors")


def training_set(folder: Path) -> TrainingSet:
    """The training set, drawn on first use (seeds 0 … TRAINING_IMAGES - 1, split "train")."""
    if not (folder / "data.safetensors").exists():
        _draw(folder)
    tensors = load_file(folder / "data.safetensors")
    return TrainingSet(**tensors, captions=json.loads((folder / "captions.json").read_text()))


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """uint8 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1
