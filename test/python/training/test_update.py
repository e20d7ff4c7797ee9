"""What turns gradients into weights: the average, the loss scale of fp16, AdamW in 8 bits, and their state."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from killed import assert_bit_equal, collected, weights
from safetensors.torch import load_file
from tiny import TRAIN, Stack, ignore

from posetwin.contracts import Train
from posetwin.errors import PosetwinError
from posetwin.stages import run
from posetwin.training.update import Update

METHOD = {"objective": "patent+scene", "latents": {"source": "noised", "state": "own"}}
RATE = 0.1


def settings_of(**changes: Any) -> Train:
    return Train.model_validate_json(json.dumps({**TRAIN, "max_grad_norm": 1e9, **changes}))


class Walk:
    """A weight of 1 that follows given gradients. `more` carries it on with all of its state."""

    def __init__(self, **changes: Any) -> None:
        self.module = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.ones_(self.module.weight)
        self.update = Update(self.module, settings_of(**changes))

    @property
    def weight(self) -> float:
        return self.module.weight.item()

    def step(self, gradient: float) -> Walk:
        self.module.weight.grad = torch.full((1, 1), gradient * self.update.loss_scale)
        self.update.clip()
        self.update.step(RATE)
        return self

    def resumed(self, steps: int, **changes: Any) -> Walk:
        other = Walk(**changes)
        other.module.load_state_dict(self.module.state_dict())
        other.update.load_state(self.update.state(), steps)
        return other


def test_the_average_follows_the_recurrence_of_its_definition() -> None:
    walk, expected = Walk(ema_decay=0.5), 1.0
    for number, gradient in enumerate((1.0, -2.0, 0.5, 0.5), start=1):
        walk.step(gradient)
        # (1 + n) / (10 + n) for the n-th after the first, at most the decay that was chosen; the first is the weight.
        decay = min(0.5, number / (9 + number)) if number > 1 else 0.0
        expected = decay * expected + (1 - decay) * walk.weight
        with walk.update.averaged():
            assert walk.weight == pytest.approx(expected, rel=1e-6)
    last = walk.weight
    assert last != pytest.approx(expected)
    walk.update.finish()
    assert walk.weight == pytest.approx(expected, rel=1e-6)


def test_without_an_average_the_weights_are_their_own() -> None:
    walk = Walk().step(1.0)
    before = walk.weight
    with walk.update.averaged():
        assert walk.weight == before
    walk.update.finish()
    assert walk.weight == before


@pytest.mark.parametrize("changes", [{"ema_decay": 0.9}, {"mixed_precision": "fp16"}, {"use_8bit_adam": True}], ids=str)
def test_a_state_that_is_carried_over_goes_on_alike(changes: dict[str, Any]) -> None:
    if "use_8bit_adam" in changes:
        pytest.importorskip("bitsandbytes")
    gradients = (1.0, -2.0, 0.5, 0.25, -1.0)
    whole, broken = Walk(**changes), Walk(**changes)
    for number, gradient in enumerate(gradients):
        whole.step(gradient)
        broken = broken.resumed(number, **changes).step(gradient)
    assert whole.weight == broken.weight
    with whole.update.averaged(), broken.update.averaged():
        assert whole.weight == broken.weight
    left, right = whole.update.state(), broken.update.state()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_a_gradient_that_overflows_in_fp16_is_left_out_and_halves_the_scale() -> None:
    walk = Walk(mixed_precision="fp16").step(1.0)
    weight, scale = walk.weight, walk.update.loss_scale
    walk.step(float("inf"))
    assert (walk.weight, walk.update.loss_scale) == (weight, scale / 2)
    walk.step(1.0)
    assert walk.weight != weight


def test_the_scale_leaves_the_step_as_it_is() -> None:
    plain, scaled = Walk(), Walk(mixed_precision="fp16")
    for gradient in (1.0, -2.0, 0.5):
        assert plain.step(gradient).weight == scaled.step(gradient).weight


def test_gradients_that_are_no_numbers_at_any_scale_have_diverged() -> None:
    walk, seen = Walk(mixed_precision="fp16"), [(3, {"target_pose": 0.5})]
    walk.update.refuse_divergence(1, ("target_pose",), seen, float("inf"))
    while walk.update.loss_scale > 1:
        walk.step(float("nan"))
    with pytest.raises(PosetwinError, match="gradient at t = 3") as caught:
        walk.update.refuse_divergence(1, ("target_pose",), seen, float("inf"))
    assert caught.value.code == "diverged"


def test_without_bitsandbytes_8_bit_adam_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    with pytest.raises(PosetwinError, match="bitsandbytes") as caught:
        Walk(use_8bit_adam=True)
    assert caught.value.code == "missing_package"


def test_8_bit_adam_moves_the_weights_nearly_as_adamw_does(stack: Stack, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    train = {"max_train_steps": 3, "lr_scheduler": "constant", "lr_warmup_steps": 0}
    for name, option in (("plain", False), ("8bit", True)):
        run(stack.train_job(tmp_path / name, method=METHOD, train={**train, "use_8bit_adam": option}), ignore)
    start = load_file(stack.primary / "diffusion_pytorch_model.safetensors")
    moves = [
        torch.cat([(trained[name] - start[name]).flatten() for name in sorted(start)])
        for trained in (weights(tmp_path / "plain"), weights(tmp_path / "8bit"))
    ]
    assert float(torch.nn.functional.cosine_similarity(*moves, dim=0)) > 0.9


@pytest.mark.parametrize(
    "option",
    [{"ema_decay": 0.9}, {"mixed_precision": "fp16"}, {"use_8bit_adam": True}, {"mixed_precision": "bf16"}],
    ids=str,
)
def test_an_interrupted_run_goes_on_to_the_same_bits(
    option: dict[str, Any], stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A CPU takes its time over fp16.
    monkeypatch.setattr("posetwin.training.loop.is_hopeless", lambda *arguments: False)
    if "use_8bit_adam" in option:
        pytest.importorskip("bitsandbytes")
    train = {"max_train_steps": 3, "global_batch_size": 2, "checkpointing_steps": 2, **option}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(stack.train_job(whole, method=METHOD, train=train), ignore)
    job, events = stack.train_job(broken, method=METHOD, train=train), list[dict[str, Any]]()
    run(job, events.append, stop_requested=lambda: any(e["type"] == "step" for e in events))
    assert collected(job)[0]["resumed_from"] == 1
    assert_bit_equal(whole, broken)


def test_the_averaged_weights_are_the_ones_that_are_saved(stack: Stack, tmp_path: Path) -> None:
    train = {"max_train_steps": 4, "checkpointing_steps": 4}
    for name, decay in (("plain", 0.0), ("averaged", 0.9)):
        run(stack.train_job(tmp_path / name, method=METHOD, train={**train, "ema_decay": decay}), ignore)
    checkpoints = [
        load_file(tmp_path / n / "checkpoints/step-000004/adapter.safetensors") for n in ("plain", "averaged")
    ]
    assert all(torch.equal(checkpoints[0][name], checkpoints[1][name]) for name in checkpoints[0])
    plain, averaged = weights(tmp_path / "plain"), weights(tmp_path / "averaged")
    assert any(not torch.equal(plain[name], averaged[name]) for name in plain)
