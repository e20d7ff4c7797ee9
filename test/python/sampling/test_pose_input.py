from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from posetwin.contracts import Control
from posetwin.control.openpose import draw_openpose
from posetwin.errors import PosetwinError
from posetwin.mini.world import sample_world
from posetwin.sampling.pose_input import find_named_pose, read_keypoints, read_pose

CONTROL = Control(style="openpose", line_width=0.045, radius=0)
# A person 40 px wide and 80 px tall, its upper left corner at (30, 10) of a 100 × 200 frame.
JOINTS = [[30 + 40 * (i % 2), 10 + 80 * i / 17, 2] for i in range(18)]


def write(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("text", ["waving_left", "waving left", "Waving her left hand", "waving his left hand"])
def test_a_pose_is_found_by_its_name_or_by_its_phrase(text: str) -> None:
    assert find_named_pose(text) == "waving_left"


def test_a_named_pose_scales_with_the_image(tmp_path: Path) -> None:
    small, large = read_pose("standing", 64, CONTROL), read_pose("standing", 512, CONTROL)
    assert small.keypoints is not None and large.keypoints is not None
    np.testing.assert_allclose(large.keypoints[:, :2], 8 * small.keypoints[:, :2])
    assert large.control.shape == (512, 512, 3)


@pytest.mark.parametrize("form", ["list", "nested", "flat", "people"])
def test_every_form_of_keypoints_is_read(tmp_path: Path, form: str) -> None:
    flat = [number for joint in JOINTS for number in joint]
    frame = {"canvas_width": 100, "canvas_height": 200}
    value: Any = {
        "list": JOINTS,
        "nested": {"keypoints": JOINTS},
        "flat": {"keypoints": flat},
        "people": {"people": [{"pose_keypoints_2d": flat}]},
    }[form]
    if isinstance(value, dict):
        # 200 px become 64, and the 100 px of width are centred: 16 px free on each side.
        found = read_keypoints(write(tmp_path, {**value, **frame}), 64)
        np.testing.assert_allclose(found[0], [16 + 30 * 0.32, 10 * 0.32, 2])
    else:
        found = read_keypoints(write(tmp_path, value), 100)
        np.testing.assert_allclose(found, JOINTS)


def test_fractions_are_fractions_of_the_square(tmp_path: Path) -> None:
    joints = [[x / 200, y / 200, v] for x, y, v in JOINTS]
    np.testing.assert_allclose(read_keypoints(write(tmp_path, joints), 400)[0], [60, 20, 2])


def test_a_person_beyond_the_square_is_fitted_without_distortion(tmp_path: Path) -> None:
    found = read_keypoints(write(tmp_path, [[1000 + 10 * x, 10 * y, v] for x, y, v in JOINTS]), 64)
    low, high = found[:, :2].min(axis=0), found[:, :2].max(axis=0)
    np.testing.assert_allclose((low + high) / 2, [32, 32])
    np.testing.assert_allclose(high - low, [0.5 * 0.8 * 64, 0.8 * 64])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "bad_keypoints"),
        (JOINTS[:17], "bad_keypoints"),
        ([[x, y, None] for x, y, _ in JOINTS], "bad_keypoints"),
        ("joints", "bad_keypoints"),
        ({"people": []}, "no_person"),
        ([[x, y, 0] for x, y, _ in JOINTS], "no_visible_keypoint"),
    ],
)
def test_a_file_without_a_usable_person_says_why(tmp_path: Path, value: Any, code: str) -> None:
    with pytest.raises(PosetwinError) as caught:
        read_keypoints(write(tmp_path, value), 64)
    assert caught.value.code == code


def test_a_control_map_is_taken_as_it_is(tmp_path: Path) -> None:
    drawn = draw_openpose(sample_world(0).keypoints, 64)
    path = tmp_path / "map.png"
    Image.fromarray(drawn).save(path)
    given = read_pose(str(path), 64, CONTROL)
    assert given.keypoints is None
    assert np.array_equal(given.control, drawn)


def test_an_unknown_pose_names_the_known_ones() -> None:
    with pytest.raises(PosetwinError) as caught:
        read_pose("flying", 64, CONTROL)
    assert caught.value.code == "unknown_value"
    assert "standing" in (caught.value.hint or "")
