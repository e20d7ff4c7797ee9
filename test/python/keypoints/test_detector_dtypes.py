"""Detectors compute in float32 or float64, whatever the dtype of the images."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from skier import skier_image

from posetwin.contracts import BlazeposeDetector, MiniDetector, MiniJudgeDetector
from posetwin.keypoints.loading import load_detector
from posetwin.keypoints.mini import MiniHourglass, MiniJudge
from posetwin.mini.world import sample_world

CONFIGS = {
    "mini": MiniDetector(kind="mini"),
    "mini-judge": MiniJudgeDetector(kind="mini-judge"),
    "blazepose": BlazeposeDetector(kind="blazepose", variant="lite"),
}
each_detector = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
each_mini = pytest.mark.parametrize("config", list(CONFIGS.values())[:2], ids=list(CONFIGS)[:2])


def pictures(size: int = 64) -> torch.Tensor:
    """(2, 3, size, size) float64 in [-1, 1]."""
    drawn = [torch.tensor(sample_world(seed, size=size).image, dtype=torch.float64) for seed in (1, 4)]
    return torch.stack(drawn).movedim(-1, 1) / 127.5 - 1


@each_detector
def test_in_float64_it_finds_the_same_and_answers_in_float64(config: Any) -> None:
    images = pictures(96)
    exact, usual = load_detector(config, dtype=torch.float64)(images), load_detector(config)(images.float())
    assert exact.xy.dtype == exact.confidence.dtype == torch.float64
    assert usual.xy.dtype == usual.confidence.dtype == torch.float32
    assert torch.allclose(exact.xy, usual.xy.double(), atol=0.01)
    assert not torch.equal(exact.xy, exact.xy.float().double())


def test_blazepose_in_float64_finds_the_person_of_a_photo_where_float32_does() -> None:
    images = torch.tensor(skier_image(), dtype=torch.float64).movedim(-1, 0)[None] / 127.5 - 1
    config = CONFIGS["blazepose"]
    exact, usual = load_detector(config, dtype=torch.float64)(images), load_detector(config)(images)
    assert (exact.confidence > 0.5).all()
    assert torch.allclose(exact.xy, usual.xy.double(), atol=0.01)


@each_detector
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_images_of_any_dtype_are_cast_and_get_their_gradient_back(config: Any, dtype: torch.dtype) -> None:
    detector, images = load_detector(config), pictures().to(dtype).requires_grad_()
    found = detector(images)
    assert found.xy.dtype == torch.float32
    assert torch.equal(found.xy, detector(images.detach().float()).xy)
    (gradient,) = torch.autograd.grad(found.xy.sum(), images)
    assert gradient.dtype == dtype and gradient.isfinite().all() and gradient.abs().max() > 0


@each_detector
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_raised_to_float32(config: Any, dtype: torch.dtype) -> None:
    found = load_detector(config, dtype=dtype)(pictures().to(dtype))
    assert torch.equal(found.xy, load_detector(config)(pictures().to(dtype)).xy)


@pytest.mark.parametrize("network", [MiniHourglass, MiniJudge])
def test_a_mini_net_in_bfloat16_still_takes_its_softmax_in_float32(network: type[MiniHourglass | MiniJudge]) -> None:
    torch.manual_seed(0)
    found = network().to(torch.bfloat16).requires_grad_(False)(pictures())
    assert found.xy.dtype == found.confidence.dtype == torch.float32
    assert not torch.equal(found.xy, found.xy.bfloat16().float())


@each_mini
def test_the_gradient_in_float64_agrees_with_a_finite_difference(config: Any) -> None:
    # Another size than the nets' own, so that the resizing is differentiated too.
    detector, images, step = load_detector(config, dtype=torch.float64), pictures(80).requires_grad_(), 1e-6
    weights = torch.linspace(-1, 1, 72, dtype=torch.float64).view(2, 18, 2)

    def objective(x: torch.Tensor) -> torch.Tensor:
        return (detector(x).xy * weights).sum()

    (gradient,) = torch.autograd.grad(objective(images), images)
    direction = gradient / gradient.norm()
    with torch.no_grad():
        difference = (objective(images + step * direction) - objective(images - step * direction)) / (2 * step)
    assert gradient.norm().item() == pytest.approx(difference.item(), rel=1e-6)
