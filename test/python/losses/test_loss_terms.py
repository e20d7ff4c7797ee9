"""Every loss term in torch against decimals computed by hand, and its properties."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

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


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("per_step", {"target_pose": [1.0], "pose_residual": [1.0], "q": -1.0}),
        ("lower_bound", {"distance": [1.0, 1.0], "q": [1.0, 0.0]}),
        ("score_difference", {"noise_pred_a": [[1.0]], "noise_pred_b": [[2.0]], "alphas_cumprod": 1.5}),
        (
            "primary_noise",
            {"noise": [[1.0]], "noise_pred": [[2.0]], "alphas": -0.1, "alphas_cumprod": 0.5, "reading": "w(t)"},
        ),
    ],
)
def test_refuses_a_schedule_or_a_q_that_is_none_out_of_range(name: str, inputs: dict[str, Any]) -> None:
    with pytest.raises(PosetwinError) as caught:
        evaluate(name, inputs)
    assert caught.value.code == "out_of_range"


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

Places = tuple[int, int, int, int]
A0, B0, A, B = range(4)


class KeypointTerm(NamedTuple):
    """compute: of the poses (a_0, b_0, a, b), each (3, 6, 2). degree: the power of their size that it grows with.

    swapped, equal: which pose stands in the place of each for the swap that leaves it as it is, and where it is 0.
    """

    compute: Callable[[list[torch.Tensor]], torch.Tensor]
    degree: int
    swapped: Places
    equal: Places

    def at(self, poses: list[torch.Tensor], places: Places) -> torch.Tensor:
        return self.compute([poses[place] for place in places])


def residual(reading: str) -> Callable[[list[torch.Tensor]], torch.Tensor]:
    return lambda p: losses.pose_residual(p[B], p[A], MASK, p[A0], p[B0], reading)


# What is symmetric in both routes is swapped as Eq. 39 swaps them, the others in the two poses that they compare.
KEYPOINT_TERMS = {
    "target_pose": KeypointTerm(lambda p: losses.target_pose(p[B], p[B0], MASK), 2, (A0, B, A, B0), (A0, B0, A, B0)),
    "pose_residual plain": KeypointTerm(residual("plain"), 2, (B0, A0, B, A), (A0, B0, A, A)),
    "pose_residual absolute": KeypointTerm(residual("absolute"), 2, (B0, A0, B, A), (A0, B0, A0, B0)),
    "pose_residual squared": KeypointTerm(residual("squared"), 4, (B0, A0, B, A), (A0, B0, A0, B0)),
    "delta_l": KeypointTerm(lambda p: losses.delta_l(p[A0], p[B0], MASK), 2, (B0, A0, B, A), (A0, A0, A, B)),
    "lower_bound_distance": KeypointTerm(
        lambda p: losses.lower_bound_distance(p[A], p[B0], MASK), 2, (A0, A, B0, B), (A0, B0, B0, B)
    ),
}
each_keypoint_term = pytest.mark.parametrize("term", KEYPOINT_TERMS.values(), ids=KEYPOINT_TERMS)


@each_keypoint_term
@settings(max_examples=20, deadline=None)
@given(seeds, biases, biases)
def test_a_keypoint_term_does_not_depend_on_b_c_of_eq_2(
    term: KeypointTerm, seed: int, first: tuple[float, float], second: tuple[float, float]
) -> None:
    pixels = [points * 64 for points in keypoints(seed)]
    found = [term.compute([losses.normalize_keypoints(p, 64, 48, bias) for p in pixels]) for bias in (first, second)]
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-12)


@each_keypoint_term
@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_keypoint_term_is_symmetric_under_swap(term: KeypointTerm, seed: int) -> None:
    poses = keypoints(seed)
    torch.testing.assert_close(term.at(poses, term.swapped), term.compute(poses), rtol=1e-12, atol=1e-14)


@each_keypoint_term
@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(0.1, 10))
def test_a_keypoint_term_scales_with_a_power_of_the_keypoints(term: KeypointTerm, seed: int, scale: float) -> None:
    poses = keypoints(seed)
    expected = scale**term.degree * term.compute(poses)
    torch.testing.assert_close(term.compute([scale * p for p in poses]), expected, rtol=1e-9, atol=1e-12)


@each_keypoint_term
@settings(max_examples=20, deadline=None)
@given(seeds)
def test_a_keypoint_term_is_zero_at_equality_and_positive_elsewhere(term: KeypointTerm, seed: int) -> None:
    poses = keypoints(seed)
    assert bool((term.at(poses, term.equal) == 0).all())
    assert bool((term.compute(poses) > 0).all())


@settings(max_examples=20, deadline=None)
@given(seeds, biases, st.floats(0.1, 10))
def test_normalised_keypoints_do_not_depend_on_the_size_of_the_picture(
    seed: int, bias: tuple[float, float], scale: float
) -> None:
    pixels = keypoints(seed)[0] * 64
    torch.testing.assert_close(
        losses.normalize_keypoints(scale * pixels, scale * 64, scale * 48, bias),
        losses.normalize_keypoints(pixels, 64, 48, bias),
        rtol=1e-12,
        atol=1e-14,
    )


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
    for reading in ("x_t", "as-printed"):
        assert torch.autograd.gradcheck(lambda e, r=reading: losses.one_step_image(x, z, e, alphas_cumprod, r), (y,))
    for reading in ("ddim", "as-printed"):
        assert torch.autograd.gradcheck(lambda e, r=reading: losses.sampler_step(x, e, alphas_cumprod, 0.95, r), (y,))
    for reading in ("w(t)", "simple"):
        assert torch.autograd.gradcheck(lambda e, r=reading: losses.primary_noise(x, e, 0.9, alphas_cumprod, r), (y,))
    assert torch.autograd.gradcheck(lambda e: losses.scene(x, e, torch.ones(2, 2, 2), 0.5), (y,))


def test_the_scene_term_gives_image_a_no_gradient() -> None:
    image_a, image_b = torch.rand(1, 3, 2, 2, requires_grad=True), torch.rand(1, 3, 2, 2, requires_grad=True)
    losses.scene(image_a, image_b, torch.ones(1, 2, 2), 0.5).sum().backward()
    assert image_a.grad is None
    assert image_b.grad is not None
