from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import Stack, ignore

from posetwin.errors import PosetwinError
from posetwin.keypoints.detector import Keypoints
from posetwin.training import set_up
from posetwin.training.gradient_gate import check_gradients
from posetwin.training.world import World

Terms = dict[str, torch.Tensor]


class Rounding(torch.autograd.Function):
    """Computes the square and claims another gradient."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        return x.square().sum()

    @staticmethod
    def backward(ctx: object, grad: torch.Tensor) -> torch.Tensor:
        return grad * torch.ones(3)


def test_a_term_with_a_true_gradient_passes_and_parameters_stay_as_they_were() -> None:
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    before = parameter.detach().clone()
    check_gradients(lambda: {"term": parameter.square().sum()}, ("term",), [parameter])
    assert torch.equal(parameter.detach(), before)


@pytest.mark.parametrize("factor", [0.0, float("nan")])
def test_a_gradient_that_is_zero_or_not_finite_is_dead_gradient(factor: float) -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    with pytest.raises(PosetwinError) as caught:
        check_gradients(lambda: {"term": (parameter * factor).sum() + 1}, ("term",), [parameter])
    assert caught.value.code == "dead_gradient"


def test_a_gradient_that_is_not_that_of_the_value_is_dead_gradient() -> None:
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    with pytest.raises(PosetwinError) as caught:
        check_gradients(lambda: {"term": Rounding.apply(parameter)}, ("term",), [parameter])
    assert caught.value.code == "dead_gradient"


def test_training_refuses_to_start_with_a_detector_that_leaves_the_graph(stack: Stack, tmp_path: Path) -> None:
    job = stack.parsed(stack.train_job(tmp_path))
    trainer = set_up.make_trainer(job, World(0, 1, torch.device("cpu")), ignore, lambda: False)
    detector = trainer.objective.detector

    def detached(images: torch.Tensor) -> Keypoints:
        found = detector(images)
        return Keypoints(found.xy.detach(), found.confidence)

    object.__setattr__(trainer.objective, "detector", detached)
    with pytest.raises(PosetwinError, match="target_pose") as caught:
        trainer.train()
    assert caught.value.code == "dead_gradient"
