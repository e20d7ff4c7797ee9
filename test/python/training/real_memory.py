"""What a real step holds, counted by torch's own means: saved-tensor hooks and the allocator's events."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from posetwin.adapters.t2i import clone_for_training, features_of, load_adapter
from posetwin.keypoints.loading import load_detector
from posetwin.models.backbone import load_backbone
from posetwin.training.batches import Batches
from posetwin.training.frozen import frozen_dtype, hold, watched_by
from posetwin.training.gradient_gate import check_gradients
from posetwin.training.gradient_sides import gradient_sides
from posetwin.training.loop import make_optimizer
from posetwin.training.memory.task import Training, with_steps
from posetwin.training.objective import Objective
from posetwin.training.order import step_t
from posetwin.training.routes import Batch, Denoiser
from posetwin.training.secondary import SecondaryTask
from posetwin.training.steps import Steps
from posetwin.training.world import World

KEYPOINTS = 18


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


class RealStep:
    """The secondary task with loaded models and a random batch."""

    def __init__(self, training: Training) -> None:
        self.training, settings = training, training.train
        full, frozen = torch.float32, frozen_dtype(training.train, torch.float32)
        backbone = hold(load_backbone(training.backbone, frozen), settings)
        adapter, detector = clone_for_training(load_adapter(training.adapter)), load_detector(training.detector)
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
        latents = [torch.randn(samples, *backbone.latent_shape(size)) for _ in range(3)]
        width, length = backbone.unet.config["cross_attention_dim"], backbone.tokenizer.model_max_length
        embeds = [torch.randn(samples, length, width) for _ in range(2)]
        controls, places = torch.rand(samples, 3, size, size), [torch.rand(samples, KEYPOINTS, 2) for _ in range(2)]
        with torch.no_grad():
            features = [feature.clone() for feature in features_of(adapter, controls, 1.0)]
        masks = torch.ones(samples, KEYPOINTS), torch.ones(samples, size, size)
        return Batch(*latents, *embeds, features, controls, *places, *masks)

    @property
    def _t(self) -> int:
        return self.task.objective.denoiser.steps.trainable[0]

    def step(self) -> None:
        trainable = self.task.objective.denoiser.steps.trainable
        number = next(step for step in (1, 2) if step_t(0, step, trainable) == trainable[0])
        self.task.accumulate(self.task.adapter, range(self.training.batch_size), number, 1.0)
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
        """Of the storages that hooks see in a step and that were not there before it."""
        seen: dict[int, torch.Tensor] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            key = tensor.untyped_storage()._cdata
            if key not in self.weights and key not in self.batch:
                # Held to the end, so that no other storage takes its place.
                seen[key] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            self.step()
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
