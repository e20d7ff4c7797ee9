"""The bench's plain loop and Posetwin's own give the same losses; so does Posetwin without one of its savings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tiny import Stack, T

BENCH = Path(__file__).parents[3] / "scripts" / "bench"
sys.path.insert(0, str(BENCH))

import engine_loop  # noqa: E402 (the bench is no package)
import reference_loop  # noqa: E402

from posetwin.training import frozen  # noqa: E402
from posetwin.training.bank import Bank  # noqa: E402
from posetwin.training.batches import Batches  # noqa: E402
from posetwin.training.secondary import SecondaryTask  # noqa: E402

SOURCES = ["noised", "trajectory"]
STEPS = T + 2


def job_of(stack: Stack, folder: Path, source: str) -> Any:
    method, train = {"latents": {"source": source, "state": "own"}}, {"max_train_steps": STEPS, "bank_steps": T}
    return stack.parsed(stack.train_job(folder, method=method, train=train))


def engine_losses(job: Any, without: str | None = None) -> list[float]:
    losses: list[float] = []
    engine_loop.train(job, without, lambda: None, losses.append)
    return losses


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("routes", ["together", "apart"])
def test_the_plain_loop_has_the_losses_of_the_engine(stack: Stack, tmp_path: Path, source: str, routes: str) -> None:
    losses: list[float] = []
    reference_loop.train(job_of(stack, tmp_path / "plain", source), routes, lambda: None, losses.append)
    assert len(losses) == STEPS
    assert losses == pytest.approx(engine_losses(job_of(stack, tmp_path / "engine", source)), rel=1e-5)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("saving", list(engine_loop.SAVINGS))
def test_what_is_saved_changes_no_loss(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saving: str, source: str
) -> None:
    whole = engine_losses(job_of(stack, tmp_path / "whole", source))
    # The bench replaces these for good; here they come back.
    for owner, name in [(Batches, "gather"), (Bank, "recall"), (SecondaryTask, "_visits"), (frozen, "spare_inputs")]:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    losses = engine_losses(job_of(stack, tmp_path / saving, source), saving)
    assert len(losses) == STEPS
    assert losses == pytest.approx(whole, rel=1e-5)
