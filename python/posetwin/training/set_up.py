"""From a job to what it needs: models and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers.models.adapter import T2IAdapter

from posetwin.adapters.t2i import clone_for_training, in_channels, load_adapter, reset_weights
from posetwin.contracts import AuditJob, Method, PrimaryJob, Train, TrainJob
from posetwin.data.assembled import Assembled, read_assembled
from posetwin.data.cache import read_cache, read_features
from posetwin.errors import PosetwinError
from posetwin.keypoints.detector import KeypointDetector
from posetwin.keypoints.loading import load_detector
from posetwin.models.backbone import load_backbone
from posetwin.sampling.noise import derived_seed
from posetwin.training.bank import Bank
from posetwin.training.batches import Batches
from posetwin.training.boundary import Boundaries
from posetwin.training.frozen import frozen_dtype, hold, watched_by
from posetwin.training.gradient_sides import gradient_sides
from posetwin.training.loop import Trainer
from posetwin.training.objective import USED_TERMS, Objective
from posetwin.training.primary import PrimaryTask
from posetwin.training.routes import Denoiser
from posetwin.training.secondary import SecondaryTask
from posetwin.training.sinks import Emit
from posetwin.training.steps import Steps
from posetwin.training.world import World

DETECT_BATCH = 32
Stop = Callable[[], bool]
AnyJob = PrimaryJob | TrainJob | AuditJob


@torch.no_grad()
def detect_all(assembled: Assembled, detector: KeypointDetector, device: torch.device) -> torch.Tensor:
    """(N, 18, 2) float64 px: what the detector of the loss finds in every picture of the set."""
    starts, count = range(0, len(assembled), DETECT_BATCH), len(assembled)
    batches = (range(start, min(start + DETECT_BATCH, count)) for start in starts)
    return torch.cat([detector(assembled.images(batch).to(device)).xy.double().cpu() for batch in batches])


def _denoiser(job: AnyJob, dtype: torch.dtype, device: torch.device, settings: Train | None) -> Denoiser:
    """settings: how θ is held while an adapter is trained; None where nothing is."""
    steps = Steps(job.spec.schedule, job.spec.method)
    if settings is None:
        return Denoiser(load_backbone(job.spec.backbone.path, dtype, str(device)), steps)
    home = "cpu" if settings.cpu_offload else str(device)
    backbone = load_backbone(job.spec.backbone.path, frozen_dtype(settings, dtype), home)
    return Denoiser(hold(backbone, settings, device), steps)


def _autocast(settings: Train | None, dtype: torch.dtype) -> torch.dtype | None:
    frozen = dtype if settings is None else frozen_dtype(settings, dtype)
    return None if frozen == dtype else frozen


def _batches(
    job: AnyJob, targets: torch.Tensor | None, features: list[torch.Tensor], primary: T2IAdapter, assembled: Assembled
) -> Batches:
    return Batches(
        assembled=assembled,
        cache=read_cache(Path(job.inputs.cache)),
        features=features,
        targets=assembled.keypoints[..., :2] if targets is None else targets,
        method=job.spec.method,
        seed=job.spec.seed,
        channels=in_channels(primary),
        device=primary.device,
        dtype=primary.dtype,
        captions=assembled.captions if isinstance(job, PrimaryJob) else None,
    )


def make_secondary_task(
    job: TrainJob | AuditJob, device: torch.device, dtype: torch.dtype, secondary: T2IAdapter | None = None
) -> SecondaryTask:
    """secondary: Φ2 as trained so far; without it a copy of Φ1, to be trained.

    Raises PosetwinError: missing_weights, wrong_weights, missing_file, too_few_samples.
    """
    spec, assembled = job.spec, read_assembled(Path(job.inputs.assemble))
    settings = job.spec.train if isinstance(job, TrainJob) else None
    primary = load_adapter(job.inputs.primary, dtype, device)
    detector = load_detector(spec.detector, device, dtype)
    targets = detect_all(assembled, detector, device) if spec.method.target == "detected" else None
    return SecondaryTask(
        adapter=clone_for_training(primary) if secondary is None else secondary,
        objective=Objective(
            _denoiser(job, dtype, device, settings), watched_by(detector, settings) if settings else detector
        ),
        batches=_batches(job, targets, read_features(Path(job.inputs.features)), primary, assembled),
        conditioning_scale=spec.adapter.conditioning_scale,
        seed=spec.seed,
        autocast=_autocast(settings, dtype),
        bank=_bank(settings, spec.method) if settings else None,
    )


def _bank(settings: Train, method: Method) -> Bank | None:
    return Bank(settings.bank_steps, "scene" in USED_TERMS[method.objective]) if settings.bank_steps > 0 else None


def _refuse_more_parts_than_samples(train: Train, world: World) -> None:
    parts = world.size * train.gradient_accumulation_steps
    if train.global_batch_size < parts:
        raise PosetwinError(
            "refused_combination",
            f"a global batch of {train.global_batch_size} cannot be shared by {world.size} ranks in {parts} parts",
            "raise train.global_batch_size, or lower train.nproc_per_node or train.gradient_accumulation_steps",
        )


def make_trainer(
    job: TrainJob, world: World, emit: Emit, stop_requested: Stop, dtype: torch.dtype = torch.float32
) -> Trainer:
    """Of the secondary adapter. `dtype` is for tests that compare numbers of ranks. Raises PosetwinError:
    refused_combination, and what `make_secondary_task` raises."""
    spec, folder = job.spec, Path(job.output_dir)
    _refuse_more_parts_than_samples(spec.train, world)
    task = make_secondary_task(job, world.device, dtype)

    def measure(step: int) -> None:
        for sides in gradient_sides(task, world):
            emit({"type": "gradients", "step": step, **vars(sides)})

    return Trainer(
        task=task,
        settings=spec.train,
        seed=spec.seed,
        world=world,
        folder=folder,
        boundaries=Boundaries(spec.convergence.decision_steps, Path(job.inputs.decisions), measure),
        emit=emit,
        stop_requested=stop_requested,
    )


def make_primary_trainer(
    job: PrimaryJob, world: World, emit: Emit, stop_requested: Stop, dtype: torch.dtype = torch.float32
) -> Trainer:
    """Of the primary adapter (Eq. 12). Raises as `make_trainer`."""
    spec, assembled = job.spec, read_assembled(Path(job.inputs.assemble))
    _refuse_more_parts_than_samples(spec.primary.train, world)
    adapter = clone_for_training(load_adapter(job.inputs.primary, dtype, world.device))
    if spec.primary.start == "scratch":
        reset_weights(adapter, derived_seed(spec.seed, "primary", 0))
    settings = spec.primary.train
    denoiser = _denoiser(job, dtype, world.device, settings)
    return Trainer(
        task=PrimaryTask(
            adapter=adapter,
            denoiser=denoiser,
            batches=_batches(job, None, [], adapter, assembled),
            conditioning_scale=spec.adapter.conditioning_scale,
            seed=spec.seed,
            proportion_empty_prompts=spec.primary.proportion_empty_prompts,
            timestep_sampling=spec.primary.timestep_sampling,
            autocast=_autocast(settings, dtype),
        ),
        settings=settings,
        seed=spec.seed,
        world=world,
        folder=Path(job.output_dir),
        boundaries=None,
        emit=emit,
        stop_requested=stop_requested,
    )
