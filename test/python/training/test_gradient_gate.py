"""The gradient self-test, on true gradients and on detectors that break them in the ways that public losses do."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny import Stack

from posetwin.contracts import TrainResult
from posetwin.errors import PosetwinError
from posetwin.keypoints.detector import Keypoints
from posetwin.stages import run
from posetwin.training import gradient_gate, set_up
from posetwin.training.gradient_gate import check_gradients, find_fault
from posetwin.training.loop import Trainer
from posetwin.training.secondary import SecondaryTask
from posetwin.training.self_test import is_hopeless
from posetwin.training.world import World

Terms = dict[str, torch.Tensor]
Detect = Callable[[torch.Tensor], Keypoints]


class Lying(torch.autograd.Function):
    """Computes the square and claims another gradient."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.square().sum()

    @staticmethod
    def backward(ctx: object, grad: torch.Tensor) -> torch.Tensor:
        return grad * torch.ones(3)


def check(term: Callable[[torch.Tensor], torch.Tensor]) -> gradient_gate.Tested:
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    [result] = check_gradients(lambda: {"term": term(parameter)}, ("term",), [parameter], t=1)
    return result


def test_a_term_with_a_true_gradient_passes_and_parameters_stay_as_they_were() -> None:
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    before = parameter.detach().clone()
    [result] = check_gradients(lambda: {"term": parameter.square().sum()}, ("term",), [parameter], t=3)
    # ∇‖x‖² = 2x, so its norm is 2·√14, and so is the slope along it.
    assert (result.term, result.t, result.verdict) == ("term", 3, "passes")
    assert result.gradient == pytest.approx(2 * math.sqrt(14), rel=1e-6)
    assert result.finite_difference == pytest.approx(2 * math.sqrt(14), rel=1e-2)
    assert torch.equal(parameter.detach(), before)


def test_tells_a_gradient_that_is_zero_not_finite_or_not_that_of_the_value() -> None:
    assert check(lambda x: (x * 0).sum() + 1).verdict == "dead"
    assert check(lambda x: x.detach().sum()).verdict == "dead"
    assert check(lambda x: (x * math.nan).sum()).verdict == "not_finite"
    assert check(Lying.apply).verdict == "disagrees"


def result_of(term: str, t: int, verdict: Any) -> gradient_gate.Tested:
    return gradient_gate.Tested(term, t, 1.0, 1.0, verdict)


@pytest.mark.parametrize("verdict", ["dead", "disagrees"])
def test_a_term_that_passes_at_one_t_is_let_through_and_one_that_passes_at_none_is_not(verdict: str) -> None:
    assert find_fault([result_of("pose", 1, "passes"), result_of("pose", 9, verdict)]) is None
    fault = find_fault([result_of("pose", 1, "passes"), result_of("scene", 1, verdict), result_of("scene", 9, verdict)])
    assert fault is not None and "scene" in fault and "t = 1" in fault


def test_a_gradient_that_is_not_finite_at_any_t_is_a_fault() -> None:
    assert find_fault([result_of("pose", 1, "passes"), result_of("pose", 9, "not_finite")]) is not None


def detached(detector: Detect) -> Detect:
    """As losses that take keypoints through numpy."""
    return lambda images: Keypoints(detector(images).xy.detach(), detector(images).confidence)


def rounded(detector: Detect) -> Detect:
    """As losses that save a picture before they look at it."""

    def detect(images: torch.Tensor) -> Keypoints:
        pixels = ((images + 1) * 127.5).to(torch.uint8)
        found = detector(pixels.to(images.dtype) / 127.5 - 1)
        # A path to the image remains, so that only the value tells that it carries nothing.
        return Keypoints(found.xy + 0 * images.sum(), found.confidence)

    return detect


def not_a_number(detector: Detect) -> Detect:
    return lambda images: Keypoints(detector(images).xy * math.nan, detector(images).confidence)


def trainer_with(stack: Stack, output: Path, wrap: Callable[[Detect], Detect], emit: Any) -> Trainer:
    job = stack.parsed(stack.train_job(output))
    trainer = set_up.make_trainer(job, World(0, 1, torch.device("cpu")), emit, lambda: False)
    assert isinstance(trainer.task, SecondaryTask)
    object.__setattr__(trainer.task.objective, "detector", wrap(trainer.task.objective.detector))
    return trainer


@pytest.mark.parametrize("wrap", [detached, rounded, not_a_number])
def test_training_refuses_to_start_with_a_detector_that_breaks_the_graph(
    stack: Stack, tmp_path: Path, wrap: Callable[[Detect], Detect]
) -> None:
    events: list[dict[str, Any]] = []
    with pytest.raises(PosetwinError, match="target_pose") as caught:
        trainer_with(stack, tmp_path, wrap, events.append).train()
    assert caught.value.code == "dead_gradient"
    assert "step" not in {event["type"] for event in events}
    assert not (tmp_path / "checkpoints").exists()


def test_a_schedule_without_a_gradient_is_a_result_that_leaves_the_adapter_as_it_was(
    stack: Stack, tmp_path: Path
) -> None:
    job = stack.train_job(tmp_path)
    # One-step images of 10^12 times the noise: AutoencoderTiny's tanh is flat there.
    job["spec"]["schedule"]["alphas_cumprod"] = [1e-24] * 4
    events: list[dict[str, Any]] = []
    run(job, events.append)
    result = TrainResult.model_validate_json((tmp_path / "result.json").read_text())
    assert (result.refused, result.steps) == (True, 0)
    assert [e["code"] for e in events if e["type"] == "warning"] == ["dead_gradient"]
    assert {e["verdict"] for e in events if e["type"] == "gradient_gate"} <= {"dead", "disagrees"}
    before, after = (
        load_file(folder / "diffusion_pytorch_model.safetensors") for folder in (stack.primary, tmp_path / "adapter")
    )
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_every_used_term_is_tested_at_the_first_the_middle_and_the_last_t(stack: Stack, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    task = trainer_with(stack, tmp_path, lambda detector: detector, events.append).task
    assert not is_hopeless(task, range(4), events.append)
    told = [(event["term"], event["t"]) for event in events]
    assert told == [(term, t) for t in (1, 3, 4) for term in ("target_pose", "pose_residual")]


def test_each_rank_tests_its_own_samples(stack: Stack, tmp_path: Path) -> None:
    job = stack.parsed(stack.train_job(tmp_path))
    asked: list[range] = []
    for rank in range(2):
        world = World(rank, 2, torch.device("cpu"))
        trainer = set_up.make_trainer(job, world, lambda event: None, lambda: False)
        original = trainer.task.gate_terms
        record = lambda indices, t, original=original: asked.append(indices) or original(indices, t)  # noqa: E731
        object.__setattr__(trainer.task, "gate_terms", record)
        is_hopeless(trainer.task, trainer._mine(1), lambda event: None)
    assert set(asked) == {range(0, 2), range(2, 4)}
