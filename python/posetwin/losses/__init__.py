"""The loss terms of the method, one file each, the same names as in orchestrator/losses. Torch alone.

Terms take batches first and return one value per sample, (B,), where nothing else is said.
"""

from __future__ import annotations

from posetwin.losses.control_map import control_map
from posetwin.losses.delta_l import delta_l
from posetwin.losses.keypoint_mask import keypoint_mask
from posetwin.losses.lower_bound import lower_bound
from posetwin.losses.lower_bound_distance import lower_bound_distance
from posetwin.losses.normalize_keypoints import normalize_keypoints
from posetwin.losses.one_step_image import one_step_image
from posetwin.losses.per_step import per_step
from posetwin.losses.pose_bound import pose_bound
from posetwin.losses.pose_residual import pose_residual
from posetwin.losses.primary_noise import primary_noise
from posetwin.losses.q import q
from posetwin.losses.registry import evaluate
from posetwin.losses.sampler_step import sampler_step
from posetwin.losses.scene import scene
from posetwin.losses.score_difference import score_difference
from posetwin.losses.target_pose import target_pose
from posetwin.losses.total import total

__all__ = [
    "control_map",
    "delta_l",
    "evaluate",
    "keypoint_mask",
    "lower_bound",
    "lower_bound_distance",
    "normalize_keypoints",
    "one_step_image",
    "per_step",
    "pose_bound",
    "pose_residual",
    "primary_noise",
    "q",
    "sampler_step",
    "scene",
    "score_difference",
    "target_pose",
    "total",
]
