"""Any landmark table can be drawn, and the library is near to real poses."""

from __future__ import annotations

import numpy as np
import pytest
from real_data import data_folder

from posetwin.errors import PosetwinError
from posetwin.keypoints.layouts import blazepose33_to_openpose18
from posetwin.mini.coverage import library_poses, nearest, normalised
from posetwin.mini.landmarks import draw_pose
from posetwin.mini.world import EVALUATION_SEED, sample_world


def real_poses() -> tuple[np.ndarray, np.ndarray]:
    """(N, 18, 3) OpenPose-18 in the unit of the file, and (N,) labels."""
    with np.load(data_folder() / "real_poses33.npz") as table:
        visible = np.ones((*table["kp"].shape[:2], 1))
        joints = np.concatenate([table["kp"][..., :2].astype(np.float64), visible], axis=-1)
        return blazepose33_to_openpose18(joints), table["label"]


def test_a_drawn_pose_keeps_the_given_shape_and_stays_in_the_frame() -> None:
    given = sample_world(5, pose="lunging_left").keypoints
    drawn = draw_pose(given * [7, 7, 1], 3, 96)
    assert ((drawn.keypoints[:, :2] > 0) & (drawn.keypoints[:, :2] < 96)).all()
    np.testing.assert_allclose(
        normalised(drawn.keypoints[:, :2]), normalised(given[:, :2]), atol=1e-9
    )  # fmt: skip


def test_a_pose_in_fractions_of_the_frame_stays_where_it_is() -> None:
    given = sample_world(5, pose="standing").keypoints
    drawn = draw_pose(given / [64, 64, 1], 3, 64, fit=False)
    np.testing.assert_allclose(drawn.keypoints[:, :2], given[:, :2])


def test_absent_joints_are_guessed_and_stay_absent() -> None:
    given = sample_world(5, pose="standing").keypoints
    given[[10, 13, 16], 2] = 0
    drawn = draw_pose(given, 3)
    assert (drawn.keypoints[[10, 13, 16], 2] == 0).all()
    assert np.isfinite(drawn.keypoints).all()
    assert drawn.keypoints[13, 1] > drawn.keypoints[12, 1]


def test_a_pose_without_a_neck_cannot_be_drawn() -> None:
    given = sample_world(5).keypoints
    given[1, 2] = 0
    with pytest.raises(PosetwinError) as caught:
        draw_pose(given, 3)
    assert caught.value.code == "no_visible_keypoint"


def test_the_seed_decides_looks_and_scene() -> None:
    given = sample_world(EVALUATION_SEED).keypoints
    assert (draw_pose(given, 1).image == draw_pose(given, 1).image).all()
    assert not (draw_pose(given, 1).image == draw_pose(given, 2).image).all()


def test_a_pose_of_the_library_is_its_own_nearest_neighbour() -> None:
    library, names = library_poses(2, 0)
    found = nearest(library[:10], library, names)
    assert found.distance == pytest.approx(0, abs=1e-9)
    assert (found.name == names[:10]).all()


def test_every_real_pose_can_be_drawn() -> None:
    poses, _ = real_poses()
    for seed, pose in enumerate(poses[::60]):
        drawn = draw_pose(pose, seed)
        assert 0.02 < drawn.mask.mean() < 0.6
        assert (drawn.keypoints[:, :2] > 0).all() and (drawn.keypoints[:, :2] < 64).all()


def test_real_poses_have_a_near_neighbour_in_the_library() -> None:
    poses, labels = real_poses()
    # A quarter of the table is turned upside down or lies with the head below the hips: measured apart.
    upright = poses[:, 0, 1] < poses[:, [8, 11], 1].mean(axis=1)
    found = nearest(np.stack([normalised(p[:, :2]) for p in poses[::4]]), *library_poses(30, 2000))
    median = np.median(found.distance[upright[::4]])
    for label in np.unique(labels):
        chosen = labels[::4] == label
        print(f"{label:26} {np.median(found.distance[chosen]):.2f} torso lengths")
    print(f"upright {median:.2f}, all {np.median(found.distance):.2f}")
    assert median < 0.25
