"""control_map in torch: the claims' dots. The decimals are compared in test_loss_terms.py."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posetwin.errors import PosetwinError
from posetwin.losses import control_map, normalize_keypoints

Scene = tuple[torch.Tensor, int, int]
biases = st.tuples(st.floats(-1, 1), st.floats(-1, 1))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """(2, N, 2) px in whole hundredths, whole pixels and points beyond the edge among them; width; height."""
    width, height, count = draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.integers(1, 5))

    def place(side: int) -> st.SearchStrategy[float]:
        whole = st.integers(-1, side + 1).map(float)
        return whole | st.integers(-50 * side, 150 * side).map(lambda n: n / 100)

    points = st.lists(st.tuples(place(width), place(height)), min_size=2 * count, max_size=2 * count)
    return torch.tensor(draw(points), dtype=torch.float64).view(2, count, 2), width, height


def drawn(
    scene: Scene, bias: tuple[float, float] = (0.0, 0.0), radius: int = 0, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    pixels, width, height = scene
    fractions = normalize_keypoints(pixels.to(dtype), width, height, bias)
    return control_map(fractions, torch.ones(pixels.shape[:2]), width, height, bias, radius, "image")


@settings(max_examples=60, deadline=None)
@given(scenes(), biases, st.integers(0, 3), st.sampled_from([torch.float64, torch.float32]))
def test_it_does_not_depend_on_b_c_of_eq_2_nor_on_the_precision_of_the_keypoints(
    scene: Scene, bias: tuple[float, float], radius: int, dtype: torch.dtype
) -> None:
    assert torch.equal(drawn(scene, bias, radius, dtype), drawn(scene, radius=radius))


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_it_is_0_at_the_pixels_of_the_keypoints_and_255_elsewhere(scene: Scene) -> None:
    pixels, width, height = scene
    maps = drawn(scene)
    assert maps.dtype == torch.uint8 and maps.shape == (2, height, width)
    assert set(maps.unique().tolist()) <= {0, 255}
    for sample in range(2):
        hit = {(min(max(int(y // 1), 0), height - 1), min(max(int(x // 1), 0), width - 1)) for x, y in pixels[sample]}
        assert {tuple(place) for place in (maps[sample] == 0).nonzero().tolist()} == hit


@settings(max_examples=30, deadline=None)
@given(scenes(), st.integers(0, 3))
def test_it_swaps_with_the_poses_of_a_pair_and_forgets_which_joint_is_which(scene: Scene, radius: int) -> None:
    pixels, width, height = scene
    maps = drawn(scene, radius=radius)
    assert torch.equal(drawn((pixels.flip(0), width, height), radius=radius), maps.flip(0))
    assert torch.equal(drawn((pixels.flip(1), width, height), radius=radius), maps)


@settings(max_examples=30, deadline=None)
@given(scenes(), st.integers(2, 4))
def test_in_a_frame_k_times_as_large_each_dot_lies_in_its_k_by_k_pixels(scene: Scene, k: int) -> None:
    pixels, width, height = scene
    large = drawn((k * pixels, k * width, k * height))
    blocks = large.view(2, height, k, width, k).amin(dim=(2, 4))
    assert torch.equal(blocks, drawn(scene))


@settings(max_examples=30, deadline=None)
@given(scenes(), st.integers(0, 3))
def test_a_square_frame_gives_the_same_under_both_readings(scene: Scene, radius: int) -> None:
    fractions, mask, side = scene[0] / 40, torch.ones(scene[0].shape[:2]), scene[1]
    both = [control_map(fractions, mask, side, side, (0.0, 0.0), radius, reading) for reading in ("square", "image")]
    assert torch.equal(both[0], both[1])


def test_it_leaves_out_what_the_mask_leaves_out() -> None:
    keypoints, mask = torch.tensor([[[0.1, 0.1], [0.6, 0.9]]]), torch.tensor([[0.0, 2.0]])
    assert (control_map(keypoints, mask, 5, 5, (0.0, 0.0), 0, "square") == 0).nonzero().tolist() == [[0, 4, 3]]
    assert bool((control_map(keypoints, 0 * mask, 5, 5, (0.0, 0.0), 0, "square") == 255).all())


@pytest.mark.parametrize(
    ("width", "reading", "joints", "code"),
    [(48, "square", 2, "refused_combination"), (64, "round", 2, "unknown_value"), (64, "square", 3, "bad_keypoints")],
)
def test_it_refuses_with_a_code(width: int, reading: str, joints: int, code: str) -> None:
    with pytest.raises(PosetwinError) as caught:
        control_map(torch.zeros(1, 2, 2), torch.ones(1, joints), width, 64, (0.0, 0.0), 0, reading)
    assert caught.value.code == code
