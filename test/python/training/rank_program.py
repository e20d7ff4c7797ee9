"""One of torchrun's ranks: trains jobs one after the other. Arguments: a dtype and a job.json, as often as wanted."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from posetwin.adapters.t2i import save_adapter
from posetwin.contracts import TrainJob, parse_job
from posetwin.training.set_up import make_trainer
from posetwin.training.world import World, joined_world


def train(world: World, dtype: str, job_path: Path) -> None:
    job = parse_job(job_path.read_bytes())
    assert isinstance(job, TrainJob)
    events: list[dict[str, Any]] = []
    trainer = make_trainer(job, world, events.append, lambda: False, dtype=getattr(torch, dtype))
    replace(trainer, boundaries=None).train()
    if world.is_main:
        output = Path(job.output_dir)
        save_adapter(trainer.task.adapter, output / "adapter")
        (output / "steps.json").write_text(json.dumps([event for event in events if event["type"] == "step"]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined_world(torch.device("cpu"), 60.0) as world:
        for dtype, path in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
            train(world, dtype, Path(path))
