"""From a train job to a trainer: models, data and the journal of events."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from posetwin.adapters.t2i import clone_for_training, in_channels, load_adapter
from posetwin.contracts import TrainJob
from posetwin.data.assembled import read_assembled
from posetwin.data.cache import read_cache
from posetwin.data.journal import append_lines, cut_torn_line
from posetwin.errors import PosetwinError
from posetwin.keypoints.loading import load_detector
from posetwin.models.backbone import load_backbone
from posetwin.training.batches import Batches
from posetwin.training.loop import Emit, Trainer
from posetwin.training.objective import Objective
from posetwin.training.routes import Denoiser
from posetwin.training.steps import Steps
from posetwin.training.world import World


def journaled(emit: Emit, journal: Path, world: World) -> Emit:
    """`emit` that also appends every event of rank 0 to events.jsonl; readers take the last event of each step."""
    if world.is_main:
        cut_torn_line(journal)

    def emit_and_append(event: dict[str, object]) -> None:
        emit(event)
        if world.is_main:
            append_lines(journal, [{**event, "time": time.time()}])

    return emit_and_append


def make_trainer(
    job: TrainJob,
    world: World,
    emit: Emit,
    stop_requested: Callable[[], bool],
    dtype: torch.dtype = torch.float32,
) -> Trainer:
    """`dtype` is for tests that compare numbers of ranks. Raises PosetwinError: refused_combination, missing_weights,
    wrong_weights, missing_file, too_few_samples."""
    spec, folder = job.spec, Path(job.output_dir)
    if spec.train.global_batch_size < world.size:
        raise PosetwinError(
            "refused_combination",
            f"{world.size} ranks cannot share a global batch of {spec.train.global_batch_size}",
            "raise train.global_batch_size or lower train.nproc_per_node",
        )
    backbone = load_backbone(spec.backbone.path, dtype, str(world.device))
    primary = load_adapter(spec.adapter.path, dtype, world.device)
    return Trainer(
        spec=spec,
        objective=Objective(
            Denoiser(backbone, Steps(spec.schedule, spec.method.sampler), spec.method),
            load_detector(spec.detector, world.device),
        ),
        batches=Batches(
            assembled=read_assembled(Path(job.inputs.assemble)),
            cache=read_cache(Path(job.inputs.cache)),
            method=spec.method,
            seed=spec.seed,
            channels=in_channels(primary),
            device=world.device,
            dtype=dtype,
        ),
        secondary=clone_for_training(primary),
        world=world,
        checkpoints=folder / "checkpoints",
        decisions=Path(job.inputs.decisions),
        emit=emit,
        stop_requested=stop_requested,
    )
