"""Pictures that the adapter paints while it is trained, shared among the ranks."""

from __future__ import annotations

from pathlib import Path

import torch

from posetwin.contracts import Samples
from posetwin.data.images import to_pixels
from posetwin.data.journal import write_png
from posetwin.moments import at
from posetwin.sampling.noise import draw_noise
from posetwin.sampling.sampler import SamplerSettings, generate
from posetwin.training.order import share_of_rank
from posetwin.training.task import Task
from posetwin.training.world import World


@torch.no_grad()
def paint_samples(task: Task, settings: Samples, seed: int, world: World, root: Path, step: int) -> Path:
    """Paint held-out prompts and poses with the adapter as it is, always from the same noise: one PNG a pair under
    `root`/step-000100, which is returned once all ranks are done. Raises PosetwinError: too_few_samples."""
    folder, batches = root / f"step-{step:06d}", task.batches
    folder.mkdir(parents=True, exist_ok=True)
    chosen = batches.choose_held_out(settings.num_images)
    for number in share_of_rank(range(len(chosen)), world.rank, world.size):
        controls, prompt = batches.held_out_pose(chosen[number])
        noise = draw_noise(seed, "samples", [number], batches.cache.latents.shape[1:])
        sampler = SamplerSettings(settings.num_inference_steps, settings.guidance_scale)
        image = generate(task.denoiser.backbone, [prompt], task.features(task.adapter, controls), noise, sampler)
        write_png(folder / f"{number:03d}.png", to_pixels(image)[0])
        at("sample_painted", step)
    world.any(False)
    return folder
