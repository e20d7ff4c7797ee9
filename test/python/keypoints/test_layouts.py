"""Conversions to OpenPose-18, against the layouts' own published orders written out by name."""

from __future__ import annotations

import numpy as np
import pytest

from posetwin.keypoints.layouts import OPENPOSE18, blazepose33_to_openpose18, coco17_to_openpose18

# https://cocodataset.org/#format-data
COCO17 = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
# https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker
MEDIAPIPE33 = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
LAYOUTS = {"coco": (COCO17, coco17_to_openpose18), "mediapipe": (MEDIAPIPE33, blazepose33_to_openpose18)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_joint_comes_from_the_landmark_of_its_name(layout: str) -> None:
    names, convert = LAYOUTS[layout]
    given = np.array([[10.0 * i, 10.0 * i + 1, 2.0] for i in range(len(names))])
    converted = convert(given)
    for joint, name in zip(converted, OPENPOSE18, strict=True):
        if name != "neck":
            assert joint.tolist() == given[names.index(name)].tolist(), name


@pytest.mark.parametrize(("layout", "neck"), [("coco", [55, 56, 0]), ("mediapipe", [115, 116, 0])])
def test_the_neck_is_between_the_shoulders_and_absent_where_one_is(layout: str, neck: list[float]) -> None:
    names, convert = LAYOUTS[layout]
    given = np.array([[[10.0 * i, 10.0 * i + 1, 2.0] for i in range(len(names))]])
    given[0, names.index("left_shoulder"), 2] = 0
    assert convert(given)[0, 1].tolist() == neck
