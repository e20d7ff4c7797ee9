"""Training in slices gives what training in one go gives."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from torch import nn

from posetwin.mini.slices import Recipe, learning_rate, load_averaged, train_slice

RECIPE = Recipe(name="line", seed=5, steps=20, lr=1e-2, warmup=4)
FOREVER = float("inf")


def _model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def _loss(model: nn.Module, stop_after: int | None = None):
    def loss(generator: torch.Generator, step: int) -> torch.Tensor:
        if step == stop_after:
            raise KeyboardInterrupt
        x = torch.randn(8, 3, generator=generator)
        return (model(x) - x[:, :2]).square().mean()

    return loss


def test_a_run_that_was_interrupted_and_resumed_is_bit_equal_to_an_unbroken_one(tmp_path: Path) -> None:
    recipe = Recipe(name="line", seed=5, steps=20, lr=1e-2, warmup=4, save_every=4)
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole, broken = _model(), _model()
    assert train_slice(recipe, {"m": whole}, _loss(whole), tmp_path / "whole", FOREVER)
    try:
        train_slice(recipe, {"m": broken}, _loss(broken, stop_after=10), tmp_path / "broken", FOREVER)
    except KeyboardInterrupt:
        broken = _model()
    assert train_slice(recipe, {"m": broken}, _loss(broken), tmp_path / "broken", FOREVER)
    files = [(tmp_path / run / "line.safetensors").read_bytes() for run in ("whole", "broken")]
    assert files[0] == files[1]


def test_a_slice_ends_at_its_deadline(tmp_path: Path) -> None:
    model = _model()
    assert not train_slice(RECIPE, {"m": model}, _loss(model), tmp_path, time.monotonic() - 1)


def test_averaged_weights_are_loaded_frozen(tmp_path: Path) -> None:
    model, other = _model(), nn.Linear(3, 2)
    train_slice(RECIPE, {"m": model}, _loss(model), tmp_path, FOREVER)
    assert load_averaged("line", {"m": other}, tmp_path) == 20
    assert not other.weight.requires_grad
    assert not torch.equal(other.weight, model.weight)
    assert torch.allclose(other.weight, model.weight, atol=0.1)


def test_the_learning_rate_warms_up_and_falls_to_two_percent() -> None:
    rates = [learning_rate(RECIPE, step) for step in range(21)]
    assert rates[0] < rates[1] < rates[3]
    assert rates[20] == 0.02 * RECIPE.lr


def test_with_a_cooldown_the_learning_rate_stays_until_its_share_of_the_steps_is_left() -> None:
    recipe = Recipe(name="line", seed=5, steps=100, lr=1e-2, warmup=4, cooldown=0.25)
    rates = [learning_rate(recipe, step) for step in range(101)]
    assert rates[4:76] == [1e-2] * 72
    assert rates[75] > rates[80] > rates[99] > rates[100] == pytest.approx(0.02 * 1e-2)


def test_a_longer_run_with_a_cooldown_goes_on_from_a_shorter_one_that_has_not_begun_it() -> None:
    short, long = (Recipe(name="line", seed=5, steps=n, lr=1e-2, warmup=4, cooldown=0.25) for n in (40, 80))
    assert [learning_rate(short, step) for step in range(30)] == [learning_rate(long, step) for step in range(30)]
