"""Every loss term in torch against decimals computed by hand, and its properties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posetwin import losses
from posetwin.errors import PosetwinError
from posetwin.losses.registry import TERMS, evaluate, values

GOLDEN = Path(__file__).parents[2] / "golden" / "losses"
CASES = [
    pytest.param(name, case, id=f"{name}-{index}")
    for name in TERMS
    for index, case in enumerate(json.loads((GOLDEN / f"{name}.json").read_text())["cases"])
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_agrees_with_decimals(name: str, case: dict[str, Any]) -> None:
    assert values(name, case["inputs"]) == pytest.approx(case["values"], rel=1e-12, abs=1e-14)
    assert evaluate(name, case["inputs"]) == pytest.approx(sum(case["values"]) / len(case["values"]), rel=1e-12)


def test_has_a_golden_file_for_every_term_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(TERMS)


def test_refuses_what_it_cannot_compute() -> None:
    with pytest.raises(PosetwinError) as unknown:
        evaluate("no_such_term", {})
    assert unknown.value.code == "unknown_value"
    with pytest.raises(PosetwinError) as missing:
        evaluate("delta_l", {})
    assert missing.value.code == "wrong_type"
    with pytest.raises(PosetwinError) as singular:
        evaluate("score_difference", {"noise_pred_a": [[1.0]], "noise_pred_b": [[2.0]], "alphas_cumprod": 1.0})
    assert singular.value.code == "singular_schedule"
    with pytest.raises(PosetwinError) as negative:
        evaluate("q", {"odds": [1.0], "reading": -2.0})
    assert negative.value.code == "out_of_range"


def test_refuses_a_sample_without_a_visible_keypoint_no_visible_keypoint() -> None:
    with pytest.raises(PosetwinError) as caught:
        losses.keypoint_mask(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
    assert caught.value.code == "no_visible_keypoint"


def test_refuses_another_number_of_keypoints_bad_keypoints() -> None:
    with pytest.raises(PosetwinError) as caught:
        losses.target_pose(torch.zeros(1, 17, 2), torch.zeros(1, 18, 2), torch.ones(1, 18))
    assert caught.value.code == "bad_keypoints"


def keypoints(seed: int, count: int = 4) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(3, 6, 2, generator=generator, dtype=torch.float64) for _ in range(count)]


MASK = torch.tensor([[1, 1, 0, 1, 0, 1], [1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=torch.float64)
seeds = st.integers(0, 2**31 - 1)
biases = st.tuples(st.floats(-1, 1), st.floats(-1, 1))


@settings(max_examples=30, deadline=None)
@given(seeds, biases, biases)
def test_distances_do_not_depend_on_b_c_of_eq_2(
    seed: int, first: tuple[float, float], second: tuple[float, float]
) -> None:
    a0, b0, a, b = (points * 64 for points in keypoints(seed))
    found = []
    for bias in (first, second):
        n = [losses.normalize_keypoints(points, 64, 48, bias) for points in (a0, b0, a, b)]
        found.append(
            losses.pose_residual(n[3], n[2], MASK, n[0], n[1], "absolute") + losses.target_pose(n[3], n[1], MASK)
        )
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from(["plain", "absolute", "squared"]))
def test_pose_terms_are_symmetric_under_swap_of_eq_39(seed: int, reading: str) -> None:
    a0, b0, a, b = keypoints(seed)
    torch.testing.assert_close(
        losses.pose_residual(b, a, MASK, a0, b0, reading), losses.pose_residual(a, b, MASK, b0, a0, reading)
    )
    torch.testing.assert_close(losses.delta_l(a0, b0, MASK), losses.delta_l(b0, a0, MASK))


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.1, 10))
def test_pose_terms_scale_with_the_square_and_vanish_at_equality(seed: int, scale: float) -> None:
    a0, b0, *_ = keypoints(seed)
    torch.testing.assert_close(losses.delta_l(scale * a0, scale * b0, MASK), scale**2 * losses.delta_l(a0, b0, MASK))
    assert bool((losses.target_pose(b0, b0, MASK) == 0).all())


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.01, 3000))
def test_eq_40_never_falls_below_the_lower_bound_and_reaches_it_at_b_star(seed: int, q: float) -> None:
    _, b0, a, b = keypoints(seed)
    bound = losses.lower_bound(losses.lower_bound_distance(a, b0, MASK), q)

    def loss(found: torch.Tensor) -> torch.Tensor:
        residual = losses.pose_residual(found, a, MASK, b0, b0, "plain")
        return losses.per_step(losses.target_pose(found, b0, MASK), residual, q)

    assert bool((loss(b) >= bound * (1 - 1e-12)).all())
    torch.testing.assert_close(loss((q * b0 + a) / (q + 1)), bound, rtol=1e-9, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.01, 3000))
def test_the_bound_of_audit_point_3_holds(seed: int, q: float) -> None:
    _, b0, a, b = keypoints(seed)
    target, residual = losses.target_pose(b, b0, MASK), losses.pose_residual(b, a, MASK, b0, b0, "plain")
    bound = losses.pose_bound(losses.per_step(target, residual, q), losses.lower_bound_distance(a, b0, MASK), q)
    assert float(target.mean().sqrt()) <= float(bound) * (1 + 1e-9)


@pytest.mark.parametrize("reading", ["plain", "absolute", "squared"])
def test_gradients_of_the_pose_terms_agree_with_finite_differences(reading: str) -> None:
    a0, b0, a, b = keypoints(7)
    b.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: losses.pose_residual(x, a, MASK, a0, b0, reading), (b,))
    assert torch.autograd.gradcheck(lambda x: losses.target_pose(x, b0, MASK), (b,))


def test_gradients_of_the_latent_and_image_terms_agree_with_finite_differences() -> None:
    generator = torch.Generator().manual_seed(3)
    x, y, z = (torch.randn(2, 3, 2, 2, generator=generator, dtype=torch.float64) for _ in range(3))
    y.requires_grad_(True)
    alphas_cumprod = torch.tensor([0.9, 0.1])
    assert torch.autograd.gradcheck(lambda e: losses.score_difference(x, e, alphas_cumprod), (y,))
    assert torch.autograd.gradcheck(lambda e: losses.one_step_image(x, z, e, alphas_cumprod, "x_t"), (y,))
    assert torch.autograd.gradcheck(lambda e: losses.sampler_step(x, e, alphas_cumprod, 0.95, "ddim"), (y,))
    assert torch.autograd.gradcheck(lambda e: losses.scene(x, e, torch.ones(2, 2, 2), 0.5), (y,))


def test_the_scene_term_gives_image_a_no_gradient() -> None:
    image_a, image_b = torch.rand(1, 3, 2, 2, requires_grad=True), torch.rand(1, 3, 2, 2, requires_grad=True)
    losses.scene(image_a, image_b, torch.ones(1, 2, 2), 0.5).sum().backward()
    assert image_a.grad is None
    assert image_b.grad is not None
