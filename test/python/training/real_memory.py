"""What a real step holds, counted by torch's own means: saved-tensor hooks and the allocator's events.

As a program it prints the table of docs/memory.md; with `--full` of Stable Diffusion 1.5, which takes 9 GB of memory.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.adapter import T2IAdapter
from pydantic import TypeAdapter
from tiny import METHOD, TRAIN, schedule_spec
from torch import nn
from torch.profiler import ProfilerActivity, profile

from posetwin.adapters.t2i import clone_for_training, features_of, load_adapter
from posetwin.keypoints.loading import load_detector
from posetwin.models.backbone import Backbone, load_backbone
from posetwin.training.batches import Batches
from posetwin.training.frozen import frozen_dtype, hold, watched_by
from posetwin.training.gradient_gate import check_gradients
from posetwin.training.gradient_sides import gradient_sides
from posetwin.training.memory.estimate import estimate
from posetwin.training.memory.shells import adapter_shell, backbone_shell
from posetwin.training.memory.task import KEYPOINTS, Training, with_steps
from posetwin.training.objective import Objective
from posetwin.training.order import step_t
from posetwin.training.routes import Batch, Denoiser
from posetwin.training.secondary import SecondaryTask
from posetwin.training.steps import Steps
from posetwin.training.update import make_optimizer
from posetwin.training.world import World

CASES: dict[str, dict[str, Any]] = {
    "1 sample of 64 px": {"batch_size": 1},
    "8 samples of 64 px": {},
    "10 samples of 96 px": {"batch_size": 10, "image_size": 96},
    "8 samples, checkpointing": {"gradient_checkpointing": True},
    "8 samples, bf16": {"mixed_precision": "bf16"},
    "8 samples, bf16, checkpointing": {"mixed_precision": "bf16", "gradient_checkpointing": True},
    "3 parts of 4 samples": {"batch_size": 4, "gradient_accumulation_steps": 3},
    "8 samples, BlazePose": {"detector": {"kind": "blazepose", "variant": "lite"}},
}


# config.json files as the hub has them, and no weights.
MODELS = Path(__file__).parents[2] / "fixtures" / "models"


def full_size(name: str, **changes: Any) -> dict[str, Any]:
    return {"backbone": str(MODELS / name), "adapter": str(MODELS / f"{name}-adapter"), **changes}


FULL_SIZE = {
    "SD 1.5, 1 sample of 256 px": full_size("sd15", batch_size=1, image_size=256),
    "the same, bf16, checkpointing": full_size(
        "sd15", batch_size=1, image_size=256, mixed_precision="bf16", gradient_checkpointing=True
    ),
}


def question(**changes: Any) -> dict[str, Any]:
    """`changes`: fields of `Training`, of its `train` or of its `method`."""
    asked: dict[str, Any] = {
        "stage": "train",
        "backbone": "mini",
        "adapter": "mini",
        "detector": {"kind": "mini"},
        "image_size": 64,
        "schedule": schedule_spec(),
        "method": {**METHOD, **{name: value for name, value in changes.items() if name in METHOD}},
        "train": {**TRAIN, **{name: value for name, value in changes.items() if name in TRAIN}},
        "batch_size": 8,
        "ranks": 1,
    }
    return {**asked, **{name: value for name, value in changes.items() if name in asked}}


def training(**changes: Any) -> Training:
    return TypeAdapter(Training).validate_python(question(**changes))


@dataclass(frozen=True)
class OneBatch:
    """The same random numbers in the place of a gathered batch."""

    batch: Batch

    def gather(self, indices: range) -> Batch:
        return self.batch


def storages(tensors: Iterable[torch.Tensor]) -> dict[int, int]:
    return {tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}


def tensors_of(batch: Batch) -> list[torch.Tensor]:
    return [tensor for value in vars(batch).values() for tensor in (value if isinstance(value, list) else [value])]


def drawn(shell: nn.Module) -> None:
    """Random weights in the place of those that were never loaded."""
    shell.to_empty(device="cpu")
    for parameter in shell.parameters():
        nn.init.normal_(parameter, std=0.02)


def models_of(training: Training, frozen: torch.dtype) -> tuple[Backbone, T2IAdapter]:
    if training.backbone == "mini":
        return load_backbone("mini", frozen), clone_for_training(load_adapter("mini"))
    backbone, adapter = backbone_shell(training.backbone, training.train), adapter_shell(training.adapter)
    for shell in (backbone.unet, backbone.vae, backbone.text_encoder, adapter):
        drawn(shell)
    return backbone, adapter


class RealStep:
    """The secondary task with models that have weights, and a random batch."""

    def __init__(self, training: Training) -> None:
        self.training, settings = training, training.train
        full, frozen = torch.float32, frozen_dtype(training.train, torch.float32)
        loaded, adapter = models_of(training, frozen)
        backbone, detector = hold(loaded, settings, torch.device("cpu")), load_detector(training.detector)
        batch = self._draw(backbone, adapter)
        steps = Steps(training.schedule, training.method)
        denoiser = Denoiser(backbone, with_steps(training, steps.trainable[:2]))
        self.task = SecondaryTask(
            adapter=adapter,
            objective=Objective(denoiser, watched_by(detector, settings)),
            batches=cast(Batches, OneBatch(batch)),
            conditioning_scale=1.0,
            seed=0,
            autocast=None if frozen == full else frozen,
        )
        modules = (backbone.unet, backbone.vae, backbone.text_encoder, cast(nn.Module, detector), adapter)
        weights = storages(tensor for one in modules for tensor in (*one.parameters(), *one.buffers()))
        self.weights, self.batch = weights, storages(tensors_of(batch))
        self.optimizer = make_optimizer(adapter, settings)
        for parameter in adapter.parameters():
            parameter.grad = torch.zeros_like(parameter)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _draw(self, backbone: Any, adapter: Any) -> Batch:
        samples, size = self.training.batch_size, self.training.image_size
        latents, controls = backbone.latent_shape(size), torch.rand(samples, 3, size, size)
        length = 77 if backbone.tokenizer is None else backbone.tokenizer.model_max_length
        embeds = (length, backbone.unet.config["cross_attention_dim"])
        with torch.no_grad():
            features = [feature.clone() for feature in features_of(adapter, controls, 1.0)]
        return Batch(
            latents_a=torch.randn(samples, *latents),
            latents_b=torch.randn(samples, *latents),
            noise=torch.randn(samples, *latents),
            prompt_embeds=torch.randn(samples, *embeds),
            negative_prompt_embeds=torch.randn(samples, *embeds),
            features_a=features,
            controls_b=controls,
            keypoints_a=torch.rand(samples, KEYPOINTS, 2),
            keypoints_b=torch.rand(samples, KEYPOINTS, 2),
            mask=torch.ones(samples, KEYPOINTS),
            scene_mask=torch.ones(samples, size, size),
        )

    @property
    def _t(self) -> int:
        return self.task.objective.denoiser.steps.trainable[0]

    def part(self) -> None:
        trainable = self.task.objective.denoiser.steps.trainable
        number = next(step for step in (1, 2) if step_t(0, step, trainable) == trainable[0])
        self.task.accumulate(self.task.adapter, range(self.training.batch_size), number, 1.0)

    def step(self) -> None:
        for _part in range(self.training.train.gradient_accumulation_steps):
            self.part()
        torch.nn.utils.clip_grad_norm_(self.task.adapter.parameters(), 1.0)
        self.optimizer.step()

    def gate(self) -> None:
        compute = self.task.gate_terms(range(self.training.batch_size), self._t)
        check_gradients(compute, self.task.used_terms, list(self.task.adapter.parameters()), self._t)

    def sides(self) -> None:
        denoiser = replace(self.task.objective.denoiser, steps=with_steps(self.training, [self._t]))
        objective = replace(self.task.objective, denoiser=denoiser)
        gradient_sides(replace(self.task, objective=objective), World(0, 1, torch.device("cpu")))

    def saved_bytes(self) -> int:
        """Of the storages that hooks see in one part of a step and that were not there before it."""
        seen: dict[int, torch.Tensor] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            key = tensor.untyped_storage()._cdata
            if key not in self.weights and key not in self.batch:
                # Held to the end, so that no other storage takes its place.
                seen[key] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            self.part()
        self.optimizer.zero_grad(set_to_none=True)
        return sum(tensor.untyped_storage().nbytes() for tensor in seen.values())

    def standing_bytes(self) -> int:
        """Weights, batch, gradients and the optimiser's state, as they are now."""
        state = [v for values in self.optimizer.state.values() for v in values.values() if isinstance(v, torch.Tensor)]
        gradients = [p.grad for p in self.task.adapter.parameters() if p.grad is not None]
        return sum({**self.weights, **self.batch, **storages(state), **storages(gradients)}.values())


def allocated_bytes(run: Callable[[], None]) -> int:
    """The most that torch's allocator gave out at once during `run`, beyond what there was before."""
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    results = cast(Any, recorded.profiler).kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in results if event.name() == "[memory]")
    held = highest = 0
    for _, change in changes:
        held += change
        highest = max(highest, held)
    return highest


@dataclass(frozen=True)
class Compared:
    """Bytes: what is estimated, and what a real step showed: saved to hooks, peak to the allocator."""

    estimated_saved: int
    saved: int
    estimated_peak: int
    peak: int


def compare(**changes: Any) -> Compared:
    asked = training(**changes)
    found, real = estimate(asked), RealStep(asked)
    saved = real.saved_bytes()
    return Compared(found.saved, saved, found.peaks["step"], real.standing_bytes() + allocated_bytes(real.step))


def main(cases: dict[str, dict[str, Any]]) -> None:
    print("| training | saved: estimated | hooks see | off by | peak: estimated | measured | off by |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, changes in cases.items():
        found = compare(**changes)
        pairs = ((found.estimated_saved, found.saved), (found.estimated_peak, found.peak))
        cells = [f"{a / 1e6:.2f} MB | {b / 1e6:.2f} MB | {100 * (a / b - 1):+.1f} %" for a, b in pairs]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(FULL_SIZE if "--full" in sys.argv else CASES)
