"""The stages of a run: each a function from its job to the files of its output folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from posetwin.contracts import parse_job
from posetwin.moments import at

# Everything heavy is imported by the stage that needs it: a job that is refused is refused at once.
if TYPE_CHECKING:
    import torch
    from diffusers.models.adapter import T2IAdapter

    from posetwin.contracts import (
        AssembleJob,
        AuditJob,
        BaselineJob,
        CacheJob,
        EvaluateJob,
        FeaturesJob,
        FigureJob,
        IndexJob,
        Job,
        PrimaryJob,
        SampleJob,
        TrainJob,
    )
    from posetwin.sampling.evaluate import Evaluation
    from posetwin.sampling.figure import Painter
    from posetwin.sampling.judge import Judges
    from posetwin.training.loop import Trainer
    from posetwin.training.trackers import Tracker
    from posetwin.training.world import World

Emit = Callable[[dict[str, Any]], None]
Status = Literal["done", "stopped"]


class _Stopped(Exception):
    """Ends a stage between two of its batches."""


@dataclass(frozen=True)
class Context:
    """What every stage is given beside its job."""

    emit: Emit
    device: torch.device
    folder: Path
    stop_requested: Callable[[], bool]

    def started(self, stage: str, resumed_from: int = 0) -> None:
        event = {"type": "started", "stage": stage, "pid": os.getpid(), "device": str(self.device)}
        self.emit({**event, "world_size": int(os.environ.get("WORLD_SIZE", "1")), "resumed_from": resumed_from})

    def progress(self, done: int, total: int, unit: str) -> None:
        """Tells how far the stage is, and leaves it where the process was asked to end."""
        self.emit({"type": "progress", "done": done, "total": total, "unit": unit})
        at("progress", done)
        if self.stop_requested():
            raise _Stopped


def _index(job: IndexJob, context: Context) -> Status:
    from posetwin.data.index import index_sources

    context.started(job.stage)
    index_sources(context.folder, job.spec.sources, context.progress)
    return "done"


def _part_of(text: str) -> tuple[int, int] | None:
    """`2/8` as numbers; None for the whole."""
    if not text:
        return None
    index, count = map(int, text.split("/"))
    return index, count


def _assemble(job: AssembleJob, context: Context) -> Status:
    from posetwin.data.assemble import Assembly, assemble, default_workers

    context.started(job.stage)
    assembly = Assembly(
        folder=context.folder,
        items=Path(job.inputs.items),
        index=Path(job.inputs.index) if job.inputs.index else None,
        dataset=job.spec.dataset,
        device=context.device.type,
        num_threads=job.num_threads,
        num_workers=job.num_workers or default_workers(context.device.type),
        part=_part_of(job.inputs.part),
    )
    assemble(assembly, context.progress)
    return "done"


def _cache(job: CacheJob, context: Context) -> Status:
    from posetwin.data.assembled import read_assembled
    from posetwin.data.cache import write_cache
    from posetwin.models.backbone import load_backbone

    context.started(job.stage)
    backbone = load_backbone(job.spec.backbone.path, device=str(context.device))
    write_cache(context.folder, read_assembled(Path(job.inputs.assemble)), backbone, context.progress)
    return "done"


def _features(job: FeaturesJob, context: Context) -> Status:
    from posetwin.adapters.t2i import load_adapter
    from posetwin.data.assembled import read_assembled
    from posetwin.data.cache import write_features

    context.started(job.stage)
    primary, scale = load_adapter(job.inputs.primary, device=context.device), job.spec.adapter.conditioning_scale
    write_features(context.folder, read_assembled(Path(job.inputs.assemble)), primary, scale, context.progress)
    return "done"


def _save_trained(adapter: T2IAdapter, folder: Path, steps: int) -> str:
    """Write `folder`/adapter, whole or not at all; the sha256 of its weights."""
    from posetwin.adapters.t2i import save_adapter
    from posetwin.data.journal import replace_folder

    temporary = folder / ".adapter.partial"
    digest = save_adapter(adapter, temporary)
    at("adapter_written", steps)
    replace_folder(temporary, folder / "adapter")
    at("adapter_saved", steps)
    return digest


def _train_adapter(job: PrimaryJob | TrainJob, context: Context, make: Callable[[World, Emit], Trainer]) -> Status:
    """Trains among torchrun's ranks; saves the adapter and result.json (TrainResult) when it ended by itself."""
    from posetwin.data.journal import write_json
    from posetwin.training.best import Best
    from posetwin.training.sinks import Sinks
    from posetwin.training.trackers import make_trackers
    from posetwin.training.world import joined_world

    def trackers(resumed_from: int) -> list[Tracker]:
        return make_trackers(job, context.folder, resumed_from)

    with (
        joined_world(context.device, job.rank_timeout_s) as world,
        Sinks(context.emit, context.folder, world, trackers) as emit,
    ):
        logged = Context(emit, context.device, context.folder, context.stop_requested)
        trainer = make(world, emit)
        at("models_loaded", 0)
        outcome, steps = trainer.train(lambda step: logged.started(job.stage, resumed_from=step))
        at("training_done", steps)
        if outcome != "interrupted" and world.is_main:
            adapter = trainer.task.adapter
            result = {
                "steps": steps,
                "stopped_early": outcome == "stopped_early",
                "refused": outcome == "refused",
                "best_step": Best(context.folder / "best").step,
                "adapter": "adapter",
                "adapter_sha256": _save_trained(adapter, context.folder, steps),
                "num_trained_parameters": sum(p.numel() for p in adapter.parameters()),
                "device": str(context.device),
            }
            write_json(context.folder / "result.json", result)
            at("result_written", steps)
    return "stopped" if outcome == "interrupted" else "done"


def _primary(job: PrimaryJob, context: Context) -> Status:
    from posetwin.training.set_up import make_primary_trainer

    stop = context.stop_requested
    return _train_adapter(job, context, lambda world, emit: make_primary_trainer(job, world, emit, stop))


def _train(job: TrainJob, context: Context) -> Status:
    from posetwin.training.set_up import make_trainer

    stop = context.stop_requested
    return _train_adapter(job, context, lambda world, emit: make_trainer(job, world, emit, stop))


def _audit(job: AuditJob, context: Context) -> Status:
    import torch

    from posetwin.adapters.t2i import load_adapter
    from posetwin.data.journal import write_json
    from posetwin.training.audit import audit
    from posetwin.training.set_up import make_secondary_task

    context.started(job.stage)
    secondary = load_adapter(str(Path(job.inputs.train) / "adapter"), device=context.device)
    task, settings = make_secondary_task(job, context.device, torch.float32, secondary), job.spec.audit
    threshold = job.spec.detection_threshold
    result = audit(task, settings.num_pairs, settings.batch_size, threshold, context.progress)
    write_json(context.folder / "result.json", result.model_dump(mode="json"))
    return "done"


def _judges(job: BaselineJob | EvaluateJob | FigureJob | SampleJob, context: Context) -> Judges:
    from posetwin.keypoints.loading import load_detector
    from posetwin.sampling.judge import Judges

    judge = load_detector(job.spec.judge, context.device)
    detector = load_detector(job.spec.detector, context.device)
    return Judges(judge, detector, job.spec.evaluate.detection_threshold, context.device)


def _evaluation(job: BaselineJob | EvaluateJob, context: Context, adapter: str) -> Evaluation:
    from posetwin.adapters.t2i import load_adapter
    from posetwin.data.assembled import read_assembled
    from posetwin.models.backbone import load_backbone
    from posetwin.sampling.evaluate import Evaluation
    from posetwin.sampling.sampler import SamplerSettings

    context.started(job.stage)
    settings = job.spec.evaluate
    return Evaluation(
        folder=context.folder,
        assembled=read_assembled(Path(job.inputs.assemble)),
        backbone=load_backbone(job.spec.backbone.path, device=str(context.device)),
        adapter=load_adapter(adapter, device=context.device),
        conditioning_scale=job.spec.adapter.conditioning_scale,
        settings=SamplerSettings(settings.num_inference_steps, settings.guidance_scale),
        judges=_judges(job, context),
        seed=job.spec.seed,
        batch_size=settings.batch_size,
    )


def _baseline(job: BaselineJob, context: Context) -> Status:
    from posetwin.data.journal import write_json
    from posetwin.sampling.evaluate import evaluate_baseline

    evaluation = _evaluation(job, context, job.inputs.primary)
    result = evaluate_baseline(evaluation, job.spec.evaluate.num_pairs, context.progress)
    write_json(context.folder / "result.json", result.model_dump(mode="json"))
    return "done"


def _evaluate(job: EvaluateJob, context: Context) -> Status:
    from posetwin.data.journal import write_json
    from posetwin.sampling.evaluate import evaluate_secondary

    evaluation = _evaluation(job, context, str(Path(job.inputs.train) / "adapter"))
    result = evaluate_secondary(evaluation, Path(job.inputs.baseline), context.progress)
    write_json(context.folder / "result.json", result.model_dump(mode="json"))
    return "done"


def _painter(job: FigureJob | SampleJob, context: Context) -> Painter:
    from posetwin.adapters.t2i import load_adapter
    from posetwin.models.backbone import load_backbone
    from posetwin.sampling.figure import Painter
    from posetwin.sampling.sampler import SamplerSettings

    spec = job.spec
    return Painter(
        folder=context.folder,
        backbone=load_backbone(spec.backbone.path, device=str(context.device)),
        primary=load_adapter(job.inputs.primary, device=context.device),
        secondary=load_adapter(str(Path(job.inputs.train) / "adapter"), device=context.device),
        conditioning_scale=spec.adapter.conditioning_scale,
        settings=SamplerSettings(spec.evaluate.num_inference_steps, spec.evaluate.guidance_scale),
        judges=_judges(job, context),
        image_size=spec.dataset.image_size,
    )


def _paint(
    job: FigureJob | SampleJob, context: Context, prompt: str, pose: str, seed: int, num_images: int
) -> list[dict[str, Any]]:
    from posetwin.sampling.figure import paint_figures
    from posetwin.sampling.pose_input import read_pose

    context.started(job.stage)
    # The pose first: a mistake in it is told before the models are loaded.
    given = read_pose(pose, job.spec.dataset.image_size, job.spec.dataset.control)
    figures = paint_figures(_painter(job, context), prompt, pose, given, seed, num_images)
    return [figure.model_dump(mode="json") for figure in figures]


def _figures(job: FigureJob, context: Context) -> Status:
    from posetwin.data.journal import write_json

    wanted = job.spec.figures
    figure = _paint(job, context, wanted.prompt, wanted.pose, wanted.seed, 1)[0]
    write_json(context.folder / "result.json", figure)
    return "done"


def _sample(job: SampleJob, context: Context) -> Status:
    from posetwin.data.journal import write_json

    spec = job.spec
    images = _paint(job, context, spec.prompt, spec.pose, spec.seed, spec.num_images)
    write_json(context.folder / "result.json", {"images": images})
    return "done"


_STAGES: dict[str, Callable[[Any, Context], Status]] = {
    "index": _index,
    "assemble": _assemble,
    "cache": _cache,
    "primary": _primary,
    "features": _features,
    "train": _train,
    "audit": _audit,
    "baseline": _baseline,
    "evaluate": _evaluate,
    "figures": _figures,
    "sample": _sample,
}


def _prepare(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> Context:
    from posetwin.device import be_deterministic, resolve_device, use_threads

    device = resolve_device(job.device, int(os.environ.get("LOCAL_RANK", "0")))
    use_threads(job.num_threads, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    be_deterministic(device)
    folder = Path(job.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return Context(emit, device, folder, stop_requested)


def run(job: dict[str, Any], emit: Emit, stop_requested: Callable[[], bool] = lambda: False) -> None:
    """Do the stage that `job` names (a job of contracts/job.ts); tell what happens through `emit`.
    `stop_requested` turns true once the process was asked to end: the stage then saves and ends early.

    Raises PosetwinError: contract_violation for a job of another version, and the codes of the stages.
    """
    began = time.perf_counter()
    parsed = parse_job(json.dumps(job))
    try:
        status = _STAGES[parsed.stage](parsed, _prepare(parsed, emit, stop_requested))
    except _Stopped:
        status = "stopped"
    emit({"type": "finished", "status": status, "seconds": time.perf_counter() - began})
