"""The rules that read attributes are right on drawn pictures, whose attributes are known."""

from __future__ import annotations

import pytest
import torch

from posetwin.mini.attributes import read_poses, read_scenes, read_shirts, to_tensor
from posetwin.mini.poses import pose_names
from posetwin.mini.scenes import SCENES
from posetwin.mini.world import EVALUATION_SEED, sample_world

DRAWN = [sample_world(EVALUATION_SEED + i, pose=name) for i, name in enumerate(2 * pose_names("train"))]
KEYPOINTS = torch.stack([torch.from_numpy(d.keypoints[:, :2]).float() for d in DRAWN])


@pytest.mark.parametrize("attribute", ["shirt", "scene", "pose"])
def test_attributes_of_drawn_pictures_are_read_rightly(attribute: str) -> None:
    read = {
        "shirt": lambda: read_shirts(to_tensor(DRAWN), KEYPOINTS),
        "scene": lambda: read_scenes(to_tensor(DRAWN)),
        "pose": lambda: read_poses(KEYPOINTS),
    }[attribute]()
    right = sum(r == d.attributes[attribute] for r, d in zip(read, DRAWN, strict=True))
    assert right / len(DRAWN) > 0.95


def test_a_posture_is_read_whatever_its_size_and_place() -> None:
    assert read_poses(3 * KEYPOINTS[:20] + 11) == read_poses(KEYPOINTS[:20])


def test_grey_noise_is_some_scene_or_other() -> None:
    assert set(read_scenes(torch.zeros(2, 3, 64, 64))) <= set(SCENES)
