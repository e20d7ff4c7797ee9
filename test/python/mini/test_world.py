"""The mini world draws exactly what it says it draws."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion

from posetwin.control.silhouette import silhouette
from posetwin.errors import PosetwinError
from posetwin.mini.canvas import Canvas
from posetwin.mini.data import TRAINING_IMAGES
from posetwin.mini.figure import paint_figure, parts_of
from posetwin.mini.look import draw_look
from posetwin.mini.poses import POSES, pose_names
from posetwin.mini.scenes import SCENES, paint_scene, rim_of
from posetwin.mini.world import EVALUATION_SEED, draw_body, empty_scene, sample_world

SEEDS = st.integers(0, 2 * EVALUATION_SEED)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_seed_gives_the_same_picture_whatever_was_drawn_before(seed: int) -> None:
    first = sample_world(seed)
    sample_world(seed + 1)
    again = sample_world(seed)
    assert (first.image == again.image).all() and (first.keypoints == again.keypoints).all()
    assert (first.caption, first.attributes) == (again.caption, again.attributes)


def test_different_seeds_give_different_pictures() -> None:
    assert len({sample_world(seed).image.tobytes() for seed in range(50)}) == 50


@pytest.mark.parametrize("size", [64, 96, 128])
def test_shapes_and_ranges(size: int) -> None:
    drawn = sample_world(3, size=size)
    assert drawn.image.shape == (size, size, 3) and drawn.image.dtype == np.uint8
    assert drawn.keypoints.shape == (18, 3) and drawn.keypoints.dtype == np.float64
    assert drawn.mask.shape == (size, size) and drawn.mask.dtype == bool
    assert set(np.unique(drawn.keypoints[:, 2])) <= {0.0, 1.0, 2.0}


@given(SEEDS, st.sampled_from(["random", *POSES]))
@settings(max_examples=40, deadline=None)
def test_every_keypoint_lies_on_the_figure_and_in_the_frame(seed: int, pose: str) -> None:
    drawn = sample_world(seed, pose=pose)
    points = drawn.keypoints[:, :2]
    assert (points > 0).all() and (points < 64).all()
    near = binary_dilation(drawn.mask, iterations=1)
    assert all(near[int(y), int(x)] for x, y in points)


def test_the_mask_is_where_the_picture_differs_from_its_scene() -> None:
    drawn = sample_world(7, pose="standing")
    assert silhouette(drawn.keypoints, 64, 4)[drawn.mask].mean() > 0.97
    assert 0.05 < drawn.mask.mean() < 0.4


@pytest.mark.parametrize("scene", list(SCENES))
def test_limbs_stand_out_from_every_scene(scene: str) -> None:
    rng = np.random.default_rng(0)
    body = draw_body(rng, "t_pose")
    canvas = Canvas(64)
    paint_scene(canvas, scene, rng)
    before = canvas.shrink()[0].astype(int)
    paint_figure(canvas, parts_of(body, draw_look(rng)), body.scale, rim_of(scene))
    after, mask = canvas.shrink()
    edge = mask & ~binary_erosion(mask)
    assert abs(after.astype(int) - before).sum(-1)[edge].mean() > 80


def test_forearms_are_at_least_four_pixels_wide() -> None:
    drawn = sample_world(3, pose="t_pose", size=64)
    (ex, ey), (wx, wy) = drawn.keypoints[[6, 7], :2]
    column = drawn.mask[:, int((ex + wx) / 2)]
    assert column[int((ey + wy) / 2) - 6 : int((ey + wy) / 2) + 7].sum() >= 4


def test_drawing_speed_is_reported(record_property: Callable[[str, object], None]) -> None:
    started = time.perf_counter()
    for seed in range(50):
        sample_world(seed)
    rate = 50 / (time.perf_counter() - started)
    record_property("images_per_second", round(rate))
    print(f"{rate:.0f} images/s at 64 px")


@pytest.mark.parametrize("seed", range(8))
def test_the_figure_faces_the_viewer_so_that_her_left_is_on_the_right(seed: int) -> None:
    x = sample_world(seed, pose="t_pose").keypoints[:, 0]
    for right, left in ((2, 5), (4, 7), (8, 11), (14, 15), (16, 17)):
        assert x[right] < x[left]


@pytest.mark.parametrize("seed", range(6))
def test_waving_the_left_hand_lifts_the_left_hand(seed: int) -> None:
    drawn = sample_world(seed, pose="waving_left")
    y = drawn.keypoints[:, 1]
    assert y[7] < y[1] < y[4]


@pytest.mark.parametrize("seed", range(6))
def test_the_left_hand_wears_magenta_and_the_right_does_not(seed: int) -> None:
    drawn = sample_world(seed, pose="t_pose", size=128)
    (rx, ry), (lx, ly) = drawn.keypoints[[4, 7], :2].astype(int)
    left, right = drawn.image[ly, lx].astype(int), drawn.image[ry, rx].astype(int)
    assert left[0] > 180 and left[1] < 90 and left[2] > 120
    assert right[1] > 0.35 * right[0]


def test_held_out_poses_are_never_drawn_in_training() -> None:
    drawn = {sample_world(seed).attributes["pose"] for seed in range(1000)}
    assert drawn == {"random", *pose_names("train")}
    assert not drawn & set(pose_names("held_out"))


def test_held_out_words_are_in_no_training_caption() -> None:
    captions = " ".join(sample_world(seed).caption for seed in range(1000))
    for phrase in (phrase for name in pose_names("held_out") for phrase in POSES[name].phrases):
        for her in ("her", "his"):
            assert phrase.format(her=her, she="she") not in captions
    for word in ("warrior", "tree pose", "goddess", "cheering", "cover drive", "half moon"):
        assert word not in captions


def test_the_held_out_split_draws_held_out_poses_only() -> None:
    drawn = {sample_world(seed, split="held_out").attributes["pose"] for seed in range(100)}
    assert drawn == set(pose_names("held_out"))


def test_a_random_posture_has_no_pose_words() -> None:
    words = ("waving", "standing", "arms", "hand", "squatting", "lunging", "kicking", "pointing", "dancing", "pose")
    captions = [sample_world(seed, pose="random").caption for seed in range(100)]
    assert not any(word in caption for caption in captions for word in words)


def test_the_caption_names_the_attributes_it_mentions_rightly() -> None:
    for seed in range(100):
        drawn = sample_world(seed)
        if " shirt" in drawn.caption:
            assert f"{drawn.attributes['shirt']} shirt" in drawn.caption
        if drawn.attributes["subject"] == "boy":
            assert " her " not in drawn.caption


def test_training_and_evaluation_seeds_are_disjoint() -> None:
    assert TRAINING_IMAGES < EVALUATION_SEED


def test_an_empty_scene_holds_no_figure_colours() -> None:
    scenes = np.stack([empty_scene(seed) for seed in range(60)]).reshape(-1, 3).astype(int)
    magenta = (abs(scenes - (225, 40, 165)) < 30).all(axis=1)
    assert scenes.shape[0] == 60 * 64 * 64
    assert not magenta.any()


def test_an_unknown_pose_is_refused() -> None:
    with pytest.raises(PosetwinError) as caught:
        sample_world(0, pose="headstand")
    assert caught.value.code == "unknown_value"


@pytest.mark.parametrize("size", [32, 129])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(PosetwinError) as caught:
        sample_world(0, size=size)
    assert caught.value.code == "out_of_range"
