"""A fixed bank of batches: the same ones come again, and route A is computed once for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from killed import assert_bit_equal, collected, last_steps
from tiny import Stack, T, ignore

from posetwin.stages import run
from posetwin.training import set_up
from posetwin.training.bank import Bank, RouteA
from posetwin.training.loop import Trainer
from posetwin.training.objective import Objective, View
from posetwin.training.order import drawn_step, step_t
from posetwin.training.secondary import SecondaryTask
from posetwin.training.world import World

BANK = {"max_train_steps": 2 * T + 2, "checkpointing_steps": T + 1, "bank_steps": T}
READINGS: list[dict[str, Any]] = [
    {},
    {"objective": "patent+scene", "latents": {"source": "noised", "state": "own"}},
    {"objective": "score+pose", "latents": {"source": "trajectory", "state": "a"}},
    {"objective": "score", "latents": {"source": "noised", "state": "b"}, "guidance_scale": 2.0},
]


def trainer_of(stack: Stack, output: Path, dtype: torch.dtype = torch.float32, **changes: dict[str, Any]) -> Trainer:
    job = stack.parsed(stack.train_job(output, **changes))
    return set_up.make_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False, dtype)


def test_every_round_has_the_steps_of_the_first_and_every_cycle_every_t() -> None:
    seed, bank, trainable = 3, 5 * T, range(1, T + 1)
    rounds = [[drawn_step(seed, 1 + r * bank + i, bank, T) for i in range(bank)] for r in range(4)]
    assert rounds[0] == list(range(1, bank + 1))
    assert all(sorted(found) == rounds[0] for found in rounds)
    assert len({tuple(found) for found in rounds}) > 1
    for found in rounds:
        for start in range(0, bank, T):
            assert {step_t(seed, step, trainable) for step in found[start : start + T]} == set(trainable)


def test_without_a_bank_every_step_draws_its_own() -> None:
    assert [drawn_step(3, step, 0, T) for step in (1, 7, 1000)] == [1, 7, 1000]


def compute_always(self: Bank, indices: range, t: int, device: torch.device, compute: Callable[[], RouteA]) -> RouteA:
    found = compute()
    image = found.view.image if self.keeps_images else None
    return RouteA(found.latents, View(found.view.noise_pred, image, found.view.keypoints, found.view.confidence))


@pytest.mark.parametrize("method", READINGS, ids=str)
def test_what_is_remembered_trains_the_same_bits_as_what_is_computed(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: dict[str, Any]
) -> None:
    folders = remembered, computed = tmp_path / "remembered", tmp_path / "computed"
    for folder in folders:
        if folder == computed:
            monkeypatch.setattr(Bank, "recall", compute_always)
        run(stack.train_job(folder, method=method, train=BANK), ignore)
    assert_bit_equal(remembered, computed)
    assert last_steps(remembered) == last_steps(computed)


def test_a_run_that_is_interrupted_in_the_second_round_ends_in_the_same_bits(stack: Stack, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    collected(stack.train_job(whole, train=BANK))
    events: list[dict[str, Any]] = []
    job = stack.train_job(broken, train=BANK)
    run(job, events.append, stop_requested=lambda: sum(e["type"] == "step" for e in events) >= T + 2)
    assert not (broken / "result.json").exists()
    run(job, ignore)
    assert_bit_equal(broken, whole)
    assert last_steps(broken) == last_steps(whole)


def test_route_a_is_computed_once_for_each_batch(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, seen, view_a = trainer_of(stack, tmp_path, train=BANK), list[int](), Objective.view_a
    monkeypatch.setattr("posetwin.training.loop.is_hopeless", lambda *arguments: False)
    monkeypatch.setattr(Objective, "view_a", lambda self, *given: seen.append(given[-1]) or view_a(self, *given))
    assert trainer.train() == ("done", 2 * T + 2)
    assert sorted(seen) == list(range(1, T + 1))


@pytest.mark.parametrize("method", READINGS, ids=str)
def test_a_step_on_a_bank_is_the_step_without_one_to_rounding(
    stack: Stack, tmp_path: Path, method: dict[str, Any]
) -> None:
    gradients = []
    for bank_steps in (0, T):
        train = {"bank_steps": bank_steps}
        task = trainer_of(stack, tmp_path, torch.float64, method=method, train=train).task
        task.accumulate(task.adapter, range(3), 1, 1 / 3)
        gradients.append(torch.cat([p.grad.flatten() for p in task.adapter.parameters() if p.grad is not None]))
    assert float(gradients[0].norm()) > 0
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("objective", "kept"), [("patent", False), ("patent+scene", True)])
def test_images_are_kept_only_where_the_objective_needs_them(
    stack: Stack, tmp_path: Path, objective: str, kept: bool
) -> None:
    job = stack.train_job(tmp_path, method={"objective": objective}, train={**BANK, "max_train_steps": T + 1})
    steps = [event for event in collected(job) if event["type"] == "step"]
    logged = [visit["terms"]["scene"] is not None for step in steps for visit in step["visits"]]
    assert logged == [kept] * (T + 1)


def test_a_training_without_a_bank_keeps_nothing(stack: Stack, tmp_path: Path) -> None:
    task = trainer_of(stack, tmp_path).task
    assert isinstance(task, SecondaryTask)
    assert task.bank is None
