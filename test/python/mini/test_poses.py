"""The pose library keeps to the skeleton: bone lengths, joint limits, left and right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posetwin.mini.library.spec import mirror_name
from posetwin.mini.poses import (
    POSES,
    draw_posture,
    draw_random_posture,
    mean_posture,
    mirror,
    pose_names,
    within_limits,
)
from posetwin.mini.skeleton import LENGTHS, TORSO, Posture, body_joints, joints_of

MIRRORED_JOINTS = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]
SEEDS = st.integers(0, 2**32)


def drawn(seed: int, name: str) -> Posture:
    rng = np.random.default_rng(seed)
    return draw_random_posture(rng) if name == "random" else draw_posture(rng, name)


@given(SEEDS, st.sampled_from(["random", *POSES]))
@settings(max_examples=60, deadline=None)
def test_bones_keep_their_lengths_in_every_posture(seed: int, name: str) -> None:
    joints, _ = body_joints(drawn(seed, name))
    for chain, limbs in (((2, 3, 4), ("upper_arm", "forearm")), ((11, 12, 13), ("thigh", "shin"))):
        for a, b, limb in zip(chain, chain[1:], limbs, strict=False):
            assert np.linalg.norm(joints[b] - joints[a]) == pytest.approx(LENGTHS[limb], rel=1e-3)
    assert np.linalg.norm(joints[1] - (joints[8] + joints[11]) / 2) == pytest.approx(TORSO, rel=1e-6)


@pytest.mark.parametrize("name", POSES)
def test_named_postures_keep_to_the_joint_limits(name: str) -> None:
    assert within_limits(mean_posture(name))


@given(SEEDS, st.sampled_from(["random", *POSES]))
@settings(max_examples=60, deadline=None)
def test_the_mirror_swaps_left_and_right_and_the_sides_of_the_picture(seed: int, name: str) -> None:
    posture = drawn(seed, name)
    here, there = joints_of(posture).points, joints_of(mirror(posture)).points[MIRRORED_JOINTS]
    np.testing.assert_allclose(there, here * [-1, 1], atol=1e-9)


@pytest.mark.parametrize("name", [name for name in POSES if name.endswith("_left")])
def test_a_name_with_a_side_has_a_twin_that_is_its_mirror(name: str) -> None:
    twin = mirror_name(name)
    here, there = joints_of(mean_posture(name)).points, joints_of(mean_posture(twin)).points
    np.testing.assert_allclose(there[MIRRORED_JOINTS], here * [-1, 1], atol=1e-9)
    assert not POSES[name].mirrored and not POSES[twin].mirrored
    for phrase, other in zip(POSES[name].phrases, POSES[twin].phrases, strict=True):
        assert mirror_name(phrase.replace(" ", "_")).replace("_", " ") == other


def test_a_phrase_belongs_to_one_pose_only() -> None:
    phrases = [phrase for spec in POSES.values() for phrase in spec.phrases]
    assert len(phrases) == len(set(phrases))


def test_a_phrase_names_a_side_only_where_the_pose_has_one() -> None:
    for name, spec in POSES.items():
        if spec.mirrored:
            assert not any(side in phrase.split() for phrase in spec.phrases for side in ("left", "right")), name


def test_the_library_holds_gestures_yoga_and_cricket() -> None:
    names = set(POSES)
    assert {"waving_left", "arms_up", "kneeling", "sitting", "squatting", "downward_dog", "cricket_pull"} <= names
    assert len(pose_names("train")) >= 60 and 5 <= len(pose_names("held_out")) <= 12


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_random_postures_lend_limbs_of_training_poses_only(seed: int) -> None:
    # A held-out posture in training would show here first: its table is never read.
    held_out = {name: POSES.pop(name) for name in pose_names("held_out")}
    try:
        without = draw_random_posture(np.random.default_rng(seed))
    finally:
        POSES.update(held_out)
    assert without == draw_random_posture(np.random.default_rng(seed))
