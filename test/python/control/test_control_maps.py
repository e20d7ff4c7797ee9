"""The control maps are OpenPose's own drawing."""

from __future__ import annotations

import numpy as np
import pytest

from posetwin.control.dots import draw_dots
from posetwin.control.openpose import draw_openpose
from posetwin.control.silhouette import silhouette

# Spread over a 512 px map so that no limb crosses another point.
POINTS = np.array([
    (256, 60), (256, 130), (196, 130), (150, 190), (110, 250), (316, 130), (362, 190), (402, 250),
    (226, 280), (206, 370), (196, 460), (286, 280), (306, 370), (316, 460), (236, 40), (276, 40), (206, 56), (306, 56),
], dtype=np.float64)  # fmt: skip
# Copied from OpenPose's published palette and limb list (1-based), not from the code under test.
PALETTE = {0: (255, 0, 0), 1: (255, 85, 0), 4: (170, 255, 0), 7: (0, 255, 85), 10: (0, 170, 255), 13: (85, 0, 255)}
LIMBS = {(3, 4): (255, 170, 0), (4, 5): (255, 255, 0), (6, 7): (170, 255, 0), (9, 10): (0, 255, 85)}


def _keypoints(visibility: float = 2.0) -> np.ndarray:
    return np.column_stack([POINTS, np.full(18, visibility)])


@pytest.mark.parametrize(("joint", "colour"), PALETTE.items())
def test_a_joint_has_its_palette_colour(joint: int, colour: tuple[int, int, int]) -> None:
    drawn = draw_openpose(_keypoints(), 512)
    x, y = POINTS[joint].astype(int)
    assert tuple(drawn[y, x]) == colour


@pytest.mark.parametrize(("limb", "colour"), LIMBS.items())
def test_a_limb_has_six_tenths_of_its_colour(limb: tuple[int, int], colour: tuple[int, int, int]) -> None:
    drawn = draw_openpose(_keypoints(), 512)
    x, y = POINTS[[limb[0] - 1, limb[1] - 1]].mean(axis=0).astype(int)
    assert tuple(drawn[y, x]) == tuple(int(c * 0.6) for c in colour)


def test_a_point_without_visibility_and_its_limbs_are_left_out() -> None:
    keypoints = _keypoints()
    keypoints[4, 2] = 0
    drawn = draw_openpose(keypoints, 512)
    assert not drawn[250, 110].any()
    assert not drawn[220, 130].any()
    assert drawn[190, 150].any()


def test_nothing_visible_gives_a_black_map() -> None:
    assert not draw_openpose(_keypoints(0.0), 64).any()


def test_dots_are_zero_on_255_and_the_edge_is_clamped() -> None:
    keypoints = np.array([(64.0, 64.0, 2.0), (10.2, 20.9, 1.0), (30.0, 30.0, 0.0)])
    drawn = draw_dots(keypoints, 64)
    assert drawn.dtype == np.uint8
    assert sorted(map(tuple, np.argwhere(drawn == 0).tolist())) == [(20, 10), (63, 63)]
    assert set(np.unique(drawn)) == {0, 255}


def test_a_radius_makes_discs() -> None:
    drawn = draw_dots(np.array([(32.5, 32.5, 2.0)]), 64, radius=1)
    assert int((drawn == 0).sum()) == 5


def test_a_silhouette_covers_its_keypoints_and_grows_with_dilation() -> None:
    keypoints = _keypoints()
    plain, dilated = silhouette(keypoints, 512), silhouette(keypoints, 512, 12)
    rows, columns = POINTS[:, 1].astype(int), POINTS[:, 0].astype(int)
    assert plain[rows, columns].all()
    assert (dilated | ~plain).all()
    assert dilated.sum() > plain.sum()


def test_a_silhouette_of_nothing_is_empty() -> None:
    assert not silhouette(_keypoints(0.0), 64, 3).any()
