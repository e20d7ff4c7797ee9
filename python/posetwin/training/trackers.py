"""Where the numbers and pictures of a training can be looked at: TensorBoard, always, and Weights & Biases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import numpy as np

from posetwin.contracts import PrimaryJob, TrainJob
from posetwin.data.images import read_pixels
from posetwin.errors import PosetwinError

Scalars = dict[str, float]


class Tracker(Protocol):
    """Of rank 0. A step that is told again, after a resumption, takes the place of what was told of it."""

    def log(self, step: int, scalars: Scalars) -> None: ...

    def show(self, step: int, pictures: list[Path]) -> None:
        """PNG files, one of each sample."""
        ...

    def close(self) -> None: ...


class TensorBoard:
    """resumed_from: what was written of later steps is taken back."""

    def __init__(self, folder: Path, resumed_from: int) -> None:
        # It is slow to import, and of no use to ranks other than the first.
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=resumed_from + 1 if resumed_from else None)

    def log(self, step: int, scalars: Scalars) -> None:
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)

    def show(self, step: int, pictures: list[Path]) -> None:
        images = np.stack([read_pixels(path) for path in pictures])
        self._writer.add_images("samples", images, step, dataformats="NHWC")

    def close(self) -> None:
        self._writer.close()


class WandbRun:
    """One W&B run a stage key, which a resumed training goes on with. `offline` writes a folder for `wandb sync`.

    Each start has a folder of its own: W&B names offline runs by the second and would write over one of the same.
    Raises PosetwinError: missing_package, tracker_failed.
    """

    def __init__(self, job: PrimaryJob | TrainJob, folder: Path, resumed_from: int) -> None:
        assert job.wandb is not None
        try:
            import wandb  # pyright: ignore[reportMissingImports] (may be absent)
        except ImportError as error:
            hint = "pip install wandb, or remove `wandb` from the experiment"
            raise PosetwinError("missing_package", f"tracking with W&B needs wandb: {error}", hint) from error
        self._wandb, own = wandb, folder / "wandb" / f"from-{resumed_from:06d}"
        own.mkdir(parents=True, exist_ok=True)
        try:
            self._run = wandb.init(
                project=job.wandb.project,
                entity=job.wandb.entity,
                mode=job.wandb.mode,
                id=f"{job.stage}-{job.key[:16]}",
                resume="allow",
                dir=own,
                config=json.loads(job.spec.model_dump_json()),
                settings=wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True),
            )
        except Exception as error:
            hint = "`wandb login`, or `wandb: {mode: offline}`"
            raise PosetwinError("tracker_failed", f"W&B did not start: {error}", hint) from error
        # W&B's own counter cannot go back to a step that is done again.
        self._run.define_metric("*", step_metric="step")

    def log(self, step: int, scalars: Scalars) -> None:
        self._run.log({"step": step, **scalars})

    def show(self, step: int, pictures: list[Path]) -> None:
        self._run.log({"step": step, "samples": [self._wandb.Image(str(path)) for path in pictures]})

    def close(self) -> None:
        self._run.finish()


def make_trackers(job: PrimaryJob | TrainJob, folder: Path, resumed_from: int) -> list[Tracker]:
    """What the job asks for. resumed_from: the step that training goes on from."""
    tensorboard = TensorBoard(folder / "tensorboard", resumed_from)
    return [tensorboard] if job.wandb is None else [tensorboard, WandbRun(job, folder, resumed_from)]
