"""Pictures are downsampled as OpenCV does, cut or padded to squares, and keypoints stay on what they mark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import downscale_local_mean

from posetwin.contracts import FactorResize
from posetwin.data.resize import Filter, downsample, fit_to_square, fit_to_square_by_factor, from_pixel_indices
from posetwin.errors import PosetwinError

FILTERS: tuple[Filter, ...] = ("bilinear", "nearest", "area", "bicubic", "lanczos")


def _noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3)).astype(np.uint8)


def _resize(factor: float = 4, filter: Filter = "bilinear") -> FactorResize:
    return FactorResize(kind="factor", factor=factor, rounding="floor", filter=filter)


# The kernels as functions of the distance from a pixel centre, in px of the picture: OpenCV does not widen them.
def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(x))


def _keys_cubic(x: np.ndarray, a: float = -0.75) -> np.ndarray:
    """Keys (1981), with the free parameter that OpenCV takes."""
    x = np.abs(x)
    inner, outer = (a + 2) * x**3 - (a + 3) * x**2 + 1, a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, inner, np.where(x < 2, outer, 0))


def _lanczos4(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 4, np.sinc(x) * np.sinc(x / 4), 0)


def _interpolation(length: int, new: int, kernel: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """(new, length) weights: kernel around (i + 0.5) · length / new − 0.5, rows sum to 1, edge pixels repeated."""
    centres = (np.arange(new) + 0.5) * length / new - 0.5
    taps = np.floor(centres)[:, None] + np.arange(-3, 5)
    weights = kernel(taps - centres[:, None])
    matrix = np.zeros((new, length))
    np.add.at(matrix, (np.arange(new)[:, None], taps.clip(0, length - 1).astype(int)), weights)
    return matrix / matrix.sum(axis=1, keepdims=True)


def _areas(length: int, new: int) -> np.ndarray:
    """(new, length) shares of the pixel [i, i + 1) · length / new that each pixel covers."""
    low, high = np.arange(new)[:, None] * length / new, np.arange(1, new + 1)[:, None] * length / new
    covered = np.minimum(high, np.arange(1, length + 1)) - np.maximum(low, np.arange(length))
    return covered.clip(0) * new / length


def _first_pixels(length: int, new: int) -> np.ndarray:
    return np.eye(length)[np.arange(new) * length // new]


MATRICES: dict[Filter, Callable[[int, int], np.ndarray]] = {
    "bilinear": lambda length, new: _interpolation(length, new, _triangle),
    "nearest": _first_pixels,
    "area": _areas,
    "bicubic": lambda length, new: _interpolation(length, new, _keys_cubic),
    "lanczos": lambda length, new: _interpolation(length, new, _lanczos4),
}


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(("height", "width", "factor"), [(64, 48, 4), (53, 31, 4), (40, 60, 1.7), (33, 47, 5.3)])
def test_each_filter_gives_the_values_of_its_kernel(height: int, width: int, factor: float, filter: Filter) -> None:
    """Against weights written down here, in float64; OpenCV rounds its weights to 11 bits."""
    image = _noise(height, width)
    small = downsample(image, factor, "floor", filter)
    rows, columns = (
        MATRICES[filter](length, new) for length, new in zip(image.shape[:2], small.shape[:2], strict=True)
    )
    expected = np.einsum("ij,jkc,lk->ilc", rows, image.astype(float), columns).clip(0, 255)
    assert np.abs(small - expected).max() <= (0 if filter == "nearest" else 1.5)


def test_area_by_a_whole_factor_is_the_local_mean() -> None:
    """Against scikit-image."""
    image = _noise(48, 64)
    expected = downscale_local_mean(image.astype(float), (4, 4, 1))
    assert np.abs(downsample(image, 4, "floor", "area") - expected).max() <= 0.5


def test_bilinear_by_four_is_the_mean_of_the_two_middle_pixels() -> None:
    """One row 0, 40, 80, 120: OpenCV samples at 1.5, between 40 and 80."""
    row = np.array([0, 40, 80, 120], np.uint8)[None, :, None].repeat(3, 2).repeat(4, 0)
    assert downsample(row, 4, "floor", "bilinear").ravel().tolist() == [60, 60, 60]
    assert downsample(row, 4, "floor", "nearest").ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("shape", "factor", "rounding", "expected"),
    [
        ((427, 640), 4, "floor", (106, 160)),
        ((427, 640), 4, "round", (107, 160)),
        ((425, 638), 4, "round", (106, 160)),
        ((10, 14), 4, "round", (2, 4)),  # halves to even, as OpenCV
        ((3, 9), 4, "floor", (1, 2)),
        ((1, 1), 64, "floor", (1, 1)),
        ((20, 30), 1, "floor", (20, 30)),
        ((720, 1280), 1.5, "floor", (480, 853)),
    ],
)
def test_sizes_are_made_whole(shape: tuple[int, int], factor: float, rounding: str, expected: tuple[int, int]) -> None:
    assert downsample(_noise(*shape), factor, rounding, "area").shape == (*expected, 3)


def _spotted(height: int, width: int, keypoints: np.ndarray, spread: float) -> np.ndarray:
    """A bright dot, round and soft, at each keypoint; the pixel in column i is centred at i + 0.5."""
    y, x = (np.arange(length) + 0.5 for length in (height, width))
    light = sum(np.exp(-((x - a) ** 2 + (y[:, None] - b) ** 2) / (2 * spread**2)) for a, b, _ in keypoints)
    return np.round(255 * np.minimum(light, 1))[..., None].repeat(3, -1).astype(np.uint8)


def _centre_of_light(image: np.ndarray, x: float, y: float, reach: int) -> np.ndarray:
    left, top = int(x) - reach, int(y) - reach
    patch = image[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0].astype(float)
    rows, columns = np.indices(patch.shape) + 0.5
    return np.array([(patch * columns).sum() / patch.sum() + left, (patch * rows).sum() / patch.sum() + top])


POINTS = np.array([[150.3, 120.9, 2], [230.0, 150.5, 2], [180.6, 240.2, 2.0]])


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(("height", "width", "factor"), [(384, 512, 4), (383, 511, 4), (384, 512, 3.3), (383, 511, 1)])
def test_a_dot_stays_under_its_keypoint_by_every_filter(height: int, width: int, factor: float, filter: Filter) -> None:
    size = 64 if factor > 3 else 256
    image = _spotted(height, width, POINTS, spread=2 * factor)
    # INTER_NEAREST rounds each place down to a whole pixel of the picture; for a whole factor that is no error.
    tolerance = 0.1 + (1 / factor if filter == "nearest" and (height, factor) != (384, 4) else 0)
    square, moved = fit_to_square_by_factor(image, POINTS, size, _resize(factor, filter))
    assert (moved[:, 2] == 2).all()
    for x, y, _ in moved:
        assert np.abs(_centre_of_light(square, x, y, 6) - (x, y)).max() < tolerance


def test_a_dot_stays_under_its_keypoint_where_the_person_is_scaled() -> None:
    square, moved = fit_to_square(_spotted(384, 512, POINTS, 8), POINTS, 64)
    for x, y, _ in moved:
        assert np.abs(_centre_of_light(square, x, y, 6) - (x, y)).max() < 0.1


def test_annotations_that_count_pixels_become_the_centres_of_those_pixels() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[20, 33] = 255
    keypoints = from_pixel_indices(np.array([[33, 20, 2]]))
    square, moved = fit_to_square_by_factor(image, keypoints, 32, _resize(1))
    x, y = np.floor(moved[0, :2]).astype(int)
    assert square[y, x].tolist() == [255] * 3 and square.sum() == 765
    assert keypoints.tolist() == [[33.5, 20.5, 2]]


def test_where_the_picture_is_larger_a_square_around_the_person_is_cut_out() -> None:
    image, person = _noise(100, 300), np.array([[200.5, 50.5, 2], [210.5, 60.5, 2.0]])
    square, moved = fit_to_square_by_factor(image, person, 64, _resize(1))
    # The person's middle is (205.5, 55.5): columns 174 to 237; rows 24 to 87 of 100 (halves to even).
    assert (square == image[24:88, 174:238]).all()
    assert moved[:, :2].tolist() == [[26.5, 26.5], [36.5, 36.5]]


def test_a_person_at_the_edge_does_not_pull_the_square_out_of_the_picture() -> None:
    image = _noise(100, 300)
    square, moved = fit_to_square_by_factor(image, np.array([[2.5, 98.5, 2]]), 64, _resize(1))
    assert (square == image[36:100, 0:64]).all() and moved.tolist() == [[2.5, 62.5, 2]]


def test_where_the_picture_is_smaller_its_edge_is_repeated_on_both_sides() -> None:
    image = _noise(10, 100)
    square, moved = fit_to_square_by_factor(image, np.array([[50.5, 0.5, 2]]), 32, _resize(1))
    assert (square[11:21] == image[:, 34:66]).all()
    assert (square[:11] == image[0, 34:66]).all() and (square[21:] == image[-1, 34:66]).all()
    assert moved.tolist() == [[16.5, 11.5, 2]]


def test_a_box_of_the_person_decides_where_the_square_lies() -> None:
    image, point = _noise(100, 300), np.array([[200.5, 50.5, 2.0]])
    square, _ = fit_to_square_by_factor(image, point, 64, _resize(1), box=np.array([150, 20, 190, 80]))
    assert (square == image[18:82, 138:202]).all()


def test_keypoints_that_are_cut_off_lose_their_visibility() -> None:
    person = np.array([[20.5, 50.5, 2], [280.5, 50.5, 2], [150.5, 50.5, 1], [-4, 50, 2], [np.nan, 3, 2.0]])
    _, moved = fit_to_square_by_factor(_noise(100, 300), person, 64, _resize(1))
    assert moved[:, 2].tolist() == [0, 0, 1, 0, 0]


def test_no_keypoint_in_the_picture_is_no_visible_keypoint() -> None:
    with pytest.raises(PosetwinError) as caught:
        fit_to_square_by_factor(_noise(20, 20), np.array([[30.0, 3, 2]]), 64, _resize(1))
    assert caught.value.code == "no_visible_keypoint"


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 200), st.integers(1, 200), st.floats(1, 64), st.sampled_from(FILTERS), st.sampled_from([8, 64, 96]),
    st.floats(0, 0.999), st.floats(0, 0.999),
)  # fmt: skip
def test_any_picture_becomes_a_square_that_shows_its_person(
    height: int, width: int, factor: float, filter: Filter, size: int, x: float, y: float
) -> None:
    point = np.array([[x * width, y * height, 2.0]])
    square, moved = fit_to_square_by_factor(_noise(height, width), point, size, _resize(factor, filter))
    assert square.shape == (size, size, 3) and square.dtype == np.uint8
    assert moved[0, 2] == 2


def test_a_line_of_a_million_pixels_is_bad_image() -> None:
    """Padded to a square it would take three terabytes."""
    line = np.zeros((1, 1_000_000, 3), np.uint8)
    with pytest.raises(PosetwinError) as caught:
        fit_to_square(line, np.array([[5, 0.5, 2], [999_990, 0.5, 2]]), 64)
    assert caught.value.code == "bad_image"
    assert fit_to_square(line, np.array([[5, 0.5, 2], [500, 0.5, 2]]), 64)[0].shape == (64, 64, 3)
