from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tiny import Stack, ignore

from posetwin.training.set_up import make_trainer
from posetwin.training.world import World

PROGRAM = Path(__file__).parent / "rank_program.py"
PYTHON = Path(__file__).parents[3] / "python"


def make_job(stack: Stack, output: Path) -> dict[str, Any]:
    # Eq. 18 alone: the detector computes in float32, and its rounding is no part of this comparison.
    changes = {"method": {"objective": "score"}, "train": {"max_train_steps": 2, "global_batch_size": 3}}
    return stack.train_job(output, **changes)


def train_on_two_ranks(stack: Stack, output: Path) -> dict[str, torch.Tensor]:
    path = output / "job.json"
    path.write_text(json.dumps(make_job(stack, output)))
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(PYTHON), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *launcher, str(PROGRAM), str(path)], check=True, env=environment)
    return load_file(output / "adapter" / "diffusion_pytorch_model.safetensors")


def train_on_one(stack: Stack, output: Path) -> dict[str, torch.Tensor]:
    world = World(0, 1, torch.device("cpu"))
    trainer = make_trainer(stack.parsed(make_job(stack, output)), world, ignore, lambda: False, dtype=torch.float64)
    trainer.train()
    return trainer.task.adapter.state_dict()


def test_two_ranks_train_the_same_weights_as_one(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    one, two = train_on_one(stack, tmp_path / "one"), train_on_two_ranks(stack, tmp_path / "two")
    start = load_file(Path(stack.models["adapter"]["path"]) / "diffusion_pytorch_model.safetensors")
    assert all(not torch.equal(one[name], start[name].double()) for name in one)
    assert max(float((one[name] - two[name]).abs().max()) for name in one) <= 1e-9
