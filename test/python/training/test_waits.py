"""A step is queued on the device and fetched from it once, at its end."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny import Stack, ignore

from posetwin.training import set_up
from posetwin.training.loop import Trainer
from posetwin.training.update import Update
from posetwin.training.world import World

META = torch.device("meta")
METHODS: list[dict[str, Any]] = [
    {},
    {"objective": "patent+scene", "latents": {"source": "noised", "state": "own"}},
    {"objective": "score+pose", "pose_residual": "squared", "normalization_bias": [0.1, 0.2], "image_at_t": "state"},
    {"update": "per-trajectory", "guidance_scale": 2.0},
]


def trainer_of(stack: Stack, output: Path, device: torch.device, method: dict[str, Any]) -> Trainer:
    job = stack.parsed(stack.train_job(output, method=method))
    return set_up.make_trainer(job, World(0, 1, device), ignore, lambda: False)


# Tensors on `meta` have no values: whatever reads one raises, where on a GPU it would wait.
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_forward_and_backward_read_no_value_from_the_device(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: dict[str, Any]
) -> None:
    # It knows no such device, and is not used here.
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: nullcontext())
    trainer = trainer_of(stack, tmp_path, META, method)
    seen = trainer.task.accumulate(trainer.task.adapter, range(2), 1, 0.5)
    norm = torch.nn.utils.clip_grad_norm_(trainer.task.adapter.parameters(), 1.0)
    assert norm.device == META
    assert {value.device for one in seen for value in one.sums.values()} == {META}
    with pytest.raises((NotImplementedError, RuntimeError)):
        norm.item()


def test_a_step_fetches_once(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of(stack, tmp_path, torch.device("cpu"), {})
    fetched, tolist = list[torch.Tensor](), torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: fetched.append(self) or tolist(self))
    trainer._step(1, trainer.task.adapter, Update(trainer.task.adapter, trainer.settings))
    # Six terms, the confidence and the norm.
    assert [tensor.numel() for tensor in fetched] == [8]
