"""The stages `cache` and `features`: what frozen models make of the assembled set, computed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.adapter import T2IAdapter
from safetensors.torch import save_file

from posetwin.adapters.t2i import features_of, in_channels
from posetwin.data.assembled import Assembled
from posetwin.data.journal import write_atomically, write_json
from posetwin.data.tensor_file import RowWriter, read_tensors
from posetwin.models.backbone import Backbone

BATCH = 32
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Cache:
    """latents: (N, C, h, w). prompt_embeds: (P, L, D), row 0 the empty prompt."""

    latents: torch.Tensor
    prompt_embeds: torch.Tensor
    prompts: dict[str, int]

    def embeds_of(self, prompts: Sequence[str]) -> torch.Tensor:
        """(B, L, D)"""
        return self.prompt_embeds[[self.prompts[prompt] for prompt in prompts]]


@torch.no_grad()
def _encode_prompts(backbone: Backbone, prompts: list[str]) -> torch.Tensor:
    batches = (prompts[start : start + BATCH] for start in range(0, len(prompts), BATCH))
    return torch.cat([backbone.encode_prompt(batch).float().cpu() for batch in batches])


def _rows(shape: Sequence[int], count: int) -> tuple[int, ...]:
    return (count, *shape[1:])


@torch.no_grad()
def _write_rows(
    path: Path,
    assembled: Assembled,
    compute: Callable[[list[int]], dict[str, torch.Tensor]],
    progress: Callable[[int], None],
) -> dict[str, tuple[int, ...]]:
    """`compute` gives the rows of a batch of samples by tensor name; the first sample fixes the shapes."""
    count = len(assembled)
    shapes = {name: _rows(rows.shape, count) for name, rows in compute([0]).items()}
    with RowWriter(path, shapes) as writer:
        for start in range(0, count, BATCH):
            batch = list(range(start, min(start + BATCH, count)))
            for name, rows in compute(batch).items():
                writer.write(name, start, rows)
            progress(batch[-1] + 1)
    return shapes


def write_cache(folder: Path, assembled: Assembled, backbone: Backbone, progress: Progress) -> None:
    """Write latents and prompt_embeds (safetensors), prompts.json and result.json (CacheResult)."""
    count = len(assembled)

    def latents(batch: list[int]) -> dict[str, torch.Tensor]:
        return {"latents": backbone.encode_images(assembled.images(batch))}

    shapes = _write_rows(
        folder / "latents.safetensors", assembled, latents, lambda done: progress(done, count, "images")
    )
    # The empty prompt first: classifier-free guidance needs it. Captions: the primary is trained on each picture's own.
    prompts = list(dict.fromkeys(["", *assembled.prompts, *assembled.captions]))
    prompt_embeds = _encode_prompts(backbone, prompts)
    save_file({"prompt_embeds": prompt_embeds}, folder / "prompt_embeds.safetensors")
    write_atomically(folder / "prompts.json", json.dumps(prompts, ensure_ascii=False).encode())
    result = {
        "num_latents": count,
        "latent_shape": list(shapes["latents"][1:]),
        "prompt_embeds_shape": list(prompt_embeds.shape[1:]),
    }
    write_json(folder / "result.json", result)


def read_cache(folder: Path) -> Cache:
    """Raises PosetwinError: missing_file by way of the stage's own files, OSError where one cannot be read."""
    prompts = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
    return Cache(
        latents=read_tensors(folder / "latents.safetensors")["latents"],
        prompt_embeds=read_tensors(folder / "prompt_embeds.safetensors")["prompt_embeds"],
        prompts={prompt: row for row, prompt in enumerate(prompts)},
    )


def write_features(
    folder: Path, assembled: Assembled, primary: T2IAdapter, conditioning_scale: float, progress: Progress
) -> None:
    """Write the primary's features of every control map (safetensors) and result.json (FeaturesResult)."""
    count, channels = len(assembled), in_channels(primary)

    def features(batch: list[int]) -> dict[str, torch.Tensor]:
        controls = assembled.controls(batch, channels).to(primary.device, primary.dtype)
        return {f"feature_{i}": rows for i, rows in enumerate(features_of(primary, controls, conditioning_scale))}

    shapes = _write_rows(
        folder / "features.safetensors", assembled, features, lambda done: progress(done, count, "images")
    )
    write_json(folder / "result.json", {"feature_shapes": [list(shape[1:]) for shape in shapes.values()]})


def read_features(folder: Path) -> list[torch.Tensor]:
    """One (N, c, h, w) a down block of the U-Net."""
    features = read_tensors(folder / "features.safetensors")
    return [features[f"feature_{i}"] for i in range(len(features))]
