from __future__ import annotations

import torch

from posetwin.metrics.keypoints import detected_persons, keypoint_error_px, pck

# Three keypoints: 5 px off (3, 4, 5), exact, and 100 px off but absent in the target.
TARGET = torch.tensor([[[0.0, 0.0, 2.0], [10.0, 10.0, 1.0], [0.0, 0.0, 0.0]]])
FOUND = torch.tensor([[[3.0, 4.0, 0.9], [10.0, 10.0, 0.5], [100.0, 0.0, 0.0]]])


def test_the_error_is_the_mean_distance_over_the_targets_visible_keypoints() -> None:
    assert keypoint_error_px(FOUND, TARGET).tolist() == [2.5]


def test_pck_counts_visible_keypoints_within_the_threshold() -> None:
    assert pck(FOUND, TARGET, 4.9).tolist() == [0.5]
    assert pck(FOUND, TARGET, 5.0).tolist() == [1.0]


def test_a_person_is_found_where_the_mean_confidence_reaches_the_threshold() -> None:
    assert detected_persons(FOUND[..., 2].double(), TARGET, 0.69).tolist() == [True]
    assert detected_persons(FOUND[..., 2].double(), TARGET, 0.71).tolist() == [False]


def test_a_target_without_a_visible_keypoint_gives_zero() -> None:
    nothing = TARGET * torch.tensor([1.0, 1.0, 0.0])
    assert keypoint_error_px(FOUND, nothing).tolist() == [0.0]
