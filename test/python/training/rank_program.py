"""One of torchrun's ranks: trains a job in float64. Argument: job.json."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from posetwin.adapters.t2i import save_adapter
from posetwin.contracts import TrainJob, parse_job
from posetwin.training.set_up import make_trainer
from posetwin.training.world import joined_world


def main(job_path: Path) -> None:
    job = parse_job(job_path.read_bytes())
    assert isinstance(job, TrainJob)
    torch.set_num_threads(1)
    with joined_world(torch.device("cpu")) as world:
        trainer = make_trainer(job, world, lambda event: None, lambda: False, dtype=torch.float64)
        trainer.train()
        if world.is_main:
            save_adapter(trainer.task.adapter, Path(job.output_dir) / "adapter")


main(Path(sys.argv[1]))
