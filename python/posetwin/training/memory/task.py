"""A task of the training loop whose models and batches have shapes and no content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal, NamedTuple, cast

import torch
from diffusers.models.adapter import T2IAdapter
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from posetwin.adapters.t2i import features_of, in_channels
from posetwin.contracts import Detector, Method, ResolvedSchedule, Train
from posetwin.models.backbone import Backbone
from posetwin.training.batches import Batches
from posetwin.training.frozen import frozen_dtype, watched_by
from posetwin.training.memory.ledger import Ledger
from posetwin.training.memory.shells import FULL, adapter_shell, add_conditions, backbone_shell, detector_shell, faked
from posetwin.training.objective import Objective
from posetwin.training.order import step_t
from posetwin.training.primary import PrimaryTask
from posetwin.training.routes import Batch, Denoiser
from posetwin.training.secondary import SecondaryTask
from posetwin.training.steps import Steps

KEYPOINTS = 18
# No training takes so many steps: what waits for a named step (posetwin.moments) never hears of these.
FAR = 10**9
AnyTask = SecondaryTask | PrimaryTask


@dataclass(frozen=True)
class Training:
    """What the memory of a training depends on. stage: `train` is the secondary adapter's, `primary` the primary's.
    batch_size: samples of one part of a rank's share. ranks: of the whole training."""

    stage: Literal["train", "primary"]
    backbone: str
    adapter: str
    detector: Detector
    image_size: int
    schedule: ResolvedSchedule
    method: Method
    train: Train
    batch_size: int
    ranks: int


@dataclass(frozen=True)
class EmptyBatches:
    """In the place of `Batches`. shapes: of one sample, by the names of `Batch`; a list where that holds one."""

    shapes: dict[str, Any]
    ledger: Ledger

    def gather(self, global_indices: range) -> Batch:
        """See `Batches`."""
        made = {name: self._make(shapes, len(global_indices)) for name, shapes in self.shapes.items()}
        for tensors in made.values():
            self.ledger.own("batch", tensors if isinstance(tensors, list) else [tensors])
        return Batch(**made)

    def _make(self, shapes: Any, samples: int) -> Any:
        if isinstance(shapes, list):
            return [self._make(shape, samples) for shape in shapes]
        return torch.empty(samples, *shapes, dtype=FULL)


def batch_shapes(backbone: Backbone, adapter: T2IAdapter, stage: str, size: int) -> dict[str, Any]:
    """Raises PosetwinError: out_of_range."""
    latents, controls = backbone.latent_shape(size), (in_channels(adapter), size, size)
    # As wide as the U-Net wants them: the text encoder does not run here.
    embeds = (backbone.text_encoder.config.max_position_embeddings, backbone.unet.config["cross_attention_dim"])
    with torch.no_grad():
        features = features_of(adapter, torch.empty(1, *controls), 1.0) if stage == "train" else []
    return {
        **dict.fromkeys(("latents_a", "latents_b", "noise"), latents),
        **dict.fromkeys(("prompt_embeds", "negative_prompt_embeds"), embeds),
        "features_a": [tuple(feature.shape[1:]) for feature in features],
        "controls_b": controls,
        **dict.fromkeys(("keypoints_a", "keypoints_b"), (KEYPOINTS, 2)),
        "mask": (KEYPOINTS,),
        "scene_mask": (size, size),
    }


def with_steps(training: Training, chosen: Iterable[int]) -> Steps:
    """The schedule as if only these t could be trained on."""
    kept, schedule = set(chosen), training.schedule
    trainable = [t in kept for t in range(1, len(schedule.trainable) + 1)]
    return Steps(schedule.model_copy(update={"trainable": trainable}), training.method)


def at_first_t(task: SecondaryTask, training: Training) -> SecondaryTask:
    """The same task as if only its first t could be trained on."""
    denoiser = task.denoiser
    steps = with_steps(training, denoiser.steps.trainable[:1])
    return replace(task, objective=replace(task.objective, denoiser=replace(denoiser, steps=steps)))


def step_of_first_t(task: AnyTask) -> int:
    """The number of a step at the task's first t: under `trajectory` a walk over the others leads there."""
    trainable = task.denoiser.steps.trainable
    return next(step for step in count(FAR) if step_t(task.seed, step, trainable) == trainable[0])


def _tensors(module: Any) -> list[torch.Tensor]:
    faked(cast(nn.Module, module))
    return [*module.parameters(), *module.buffers()]


class Empty(NamedTuple):
    """frozen: the tensors of what is not trained."""

    task: AnyTask
    frozen: list[torch.Tensor]


def empty_task(training: Training, mode: FakeTensorMode, ledger: Ledger) -> Empty:
    """As `training.set_up` makes it, on fake tensors of `mode`, all of them in the ledger. Its schedule has two t: each
    needs the same memory, and a walk along a trajectory forgets where it has been.

    Raises PosetwinError: missing_weights, wrong_weights, out_of_range, singular_schedule.
    """
    settings, frozen = training.train, frozen_dtype(training.train, FULL)
    backbone, adapter = backbone_shell(training.backbone, settings), adapter_shell(training.adapter)
    detector = detector_shell(training.detector) if training.stage == "train" else None
    add_conditions(backbone.unet)
    with mode:
        held = (backbone.text_encoder, backbone.unet, backbone.vae, *([] if detector is None else [detector]))
        frozen_tensors = [tensor for module in held for tensor in _tensors(module)]
        ledger.own("frozen", frozen_tensors)
        ledger.own("trained", _tensors(adapter))
        batches = EmptyBatches(batch_shapes(backbone, adapter, training.stage, training.image_size), ledger)
    trainable = Steps(training.schedule, training.method).trainable
    denoiser = Denoiser(backbone, with_steps(training, trainable[:2]))
    shared: dict[str, Any] = {
        "adapter": adapter,
        "batches": cast(Batches, batches),
        "conditioning_scale": 1.0,
        "seed": 0,
        "autocast": None if frozen == FULL else frozen,
    }
    if detector is None:
        task = PrimaryTask(denoiser=denoiser, proportion_empty_prompts=0.0, timestep_sampling="uniform", **shared)
        return Empty(task, frozen_tensors)
    objective = Objective(denoiser, watched_by(detector, settings))
    return Empty(SecondaryTask(objective=objective, **shared), frozen_tensors)
