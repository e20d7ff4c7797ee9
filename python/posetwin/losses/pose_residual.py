"""Eq. 19-21: the pose residual between the two routes."""

from __future__ import annotations

import torch

from posetwin.losses.keypoint_mask import squared_distance
from posetwin.losses.per_sample import unknown_reading

READINGS = ("plain", "absolute", "squared")


def pose_residual(
    pred_keypoints_b: torch.Tensor,
    pred_keypoints_a: torch.Tensor,
    mask: torch.Tensor,
    keypoints_a: torch.Tensor,
    keypoints_b: torch.Tensor,
    reading: str,
) -> torch.Tensor:
    """(B,): `plain` ‖b - a‖² (Eq. 21); with r = ‖b - a‖² - ‖b_0 - a_0‖² of Eq. 20 `absolute` |r|, `squared` r².

    pred_keypoints_b, pred_keypoints_a: (B, N, 2) b and a, found in Z_B,t and Z_A,t. keypoints_a, keypoints_b: (B, N, 2)
    a_0 and b_0 as given. All normalised (Eq. 2). mask: (B, N), 1 where given in A and B.
    Raises PosetwinError: unknown_value, no_visible_keypoint, bad_keypoints.
    """
    if reading not in READINGS:
        raise unknown_reading(reading, READINGS)
    distance = squared_distance(pred_keypoints_b, pred_keypoints_a, mask)
    if reading == "plain":
        return distance
    difference = distance - squared_distance(keypoints_b, keypoints_a, mask)
    return difference.abs() if reading == "absolute" else difference.square()
