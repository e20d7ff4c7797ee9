"""MPII: the published structure with its traps, the JSON conversions, and forms that are not known."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from mpii_structs import EMPTY, act, image, person, point, structs, write_mat
from pictures_on_disk import pictures_and_faults, source_of, touch
from scipy.io import savemat

from posetwin.data.sources import list_pictures
from posetwin.data.sources.listed import IndexedPicture
from posetwin.errors import PosetwinError
from posetwin.keypoints.layouts import OPENPOSE18

# As the dataset's own page has them.
JOINTS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "upper_neck",
    "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
MAT = "mpii_human_pose_v1_u12_1.mat"


def everyone(first: float = 11, **fields: Any) -> list[dict[str, Any]]:
    """All joints, joint k at (first + k, 21 + k), counted from 1."""
    return [point(joint, first + joint, 21 + joint, **fields) for joint in range(16)]


def listed(root: Path, images: list[dict[str, Any]], acts: list[dict[str, Any]] | None = None) -> list[IndexedPicture]:
    write_mat(root / MAT, images, acts)
    touch(root / "images", *(str(entry["image"]["name"][0, 0]) for entry in images))
    pictures, faults = pictures_and_faults(source_of("mpii", root))
    assert faults == []
    return pictures


def by_name(keypoints: np.ndarray | None) -> dict[str, list[float]]:
    """The keypoints that are there."""
    assert keypoints is not None
    return {name: place.tolist() for name, place in zip(OPENPOSE18, keypoints, strict=True) if place[2] > 0}


def error_of(root: Path, **settings: Any) -> PosetwinError:
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source_of("mpii", root, **settings)))
    return caught.value


def test_thirteen_joints_are_taken_by_name_counted_from_zero(tmp_path: Path) -> None:
    pictures = listed(tmp_path, [image("a.jpg", person(everyone(is_visible=1)))])
    expected = {
        ("neck" if name == "upper_neck" else name): [10 + k, 20 + k, 2]
        for k, name in enumerate(JOINTS)
        if name not in ("pelvis", "thorax", "head_top")
    }
    assert by_name(pictures[0].keypoints) == expected
    assert len(expected) == 13
    assert (pictures[0].name, pictures[0].file) == ("images/a.jpg", "images/a.jpg")


@pytest.mark.parametrize(
    ("told", "visibility"),
    [("1", 2), ("0", 1), ("", 2), (EMPTY, 2), (1, 2), (0, 1), (1.0, 2), (True, 2), (np.uint8(0), 1)],
)
def test_visibility_is_told_in_many_ways(tmp_path: Path, told: Any, visibility: int) -> None:
    pictures = listed(tmp_path, [image("a.jpg", person(everyone(is_visible=told)))])
    assert {place[2] for place in by_name(pictures[0].keypoints).values()} == {visibility}


def test_one_point_alone_missing_points_and_points_without_visibility_are_read(tmp_path: Path) -> None:
    images = [
        image("one.jpg", person([point(10, 5, 6, is_visible="0")])),
        image("some.jpg", person([point(10, 5, 6), point(15, 7.5, 8)])),
        image("none.jpg", person(None, annopoints=EMPTY, x1=3)),
    ]
    none, one, some = listed(tmp_path, images)
    assert by_name(one.keypoints) == {"right_wrist": [4, 5, 1]}
    assert by_name(some.keypoints) == {"right_wrist": [4, 5, 2], "left_wrist": [6.5, 7, 2]}
    assert (none.keypoints, none.num_people) == (None, 1)


def test_of_several_people_the_one_of_the_largest_scale_with_joints_is_taken(tmp_path: Path) -> None:
    people = [person(everyone(1), 0.5), person(everyone(51), 2.5), person(None, 9), person(everyone(71), EMPTY)]
    picture = listed(tmp_path, [image("a.jpg", *people)])[0]
    assert by_name(picture.keypoints)["right_ankle"] == [50, 20, 2]
    assert picture.num_people == 4
    # A person is 200 px high at scale 1; the centre is (101, 201), counted from 1.
    assert picture.box == (100 - 250, 200 - 250, 100 + 250, 200 + 250)


def test_pictures_of_the_test_set_come_without_keypoints(tmp_path: Path) -> None:
    empty, test = listed(tmp_path, [image("test.jpg", person(None, 2)), image("empty.jpg")])
    assert (test.keypoints, test.num_people, test.box) == (None, 1, (-100, 0, 300, 400))
    assert (empty.keypoints, empty.num_people, empty.box) == (None, -1, None)


def test_a_file_of_one_picture_is_no_array_and_read_all_the_same(tmp_path: Path) -> None:
    pictures = listed(tmp_path, [image("a.jpg", person(everyone()))], [act("yoga, Power")])
    assert [picture.class_name for picture in pictures] == ["yoga, Power"]


def test_activities_are_classes_and_videos_are_groups(tmp_path: Path) -> None:
    images = [image("b.jpg", vididx=3), image("a.jpg", vididx=3), image("c.jpg", vididx=12), image("d.jpg")]
    pictures = listed(tmp_path, images, [act("curling"), act(""), act("rock climbing"), act("")])
    assert [(picture.name[7:], picture.class_name) for picture in pictures] == [
        ("a.jpg", ""),
        ("b.jpg", "curling"),
        ("c.jpg", "rock climbing"),
        ("d.jpg", ""),
    ]
    write_mat(tmp_path / MAT, images)
    from posetwin.data.sources.mpii_mat import read_mat

    groups = {entry.name: getattr(entry, "group", None) for entry in read_mat(tmp_path / MAT)}
    assert groups["a.jpg"] == groups["b.jpg"] != groups["c.jpg"]
    assert groups["d.jpg"] == ""


def test_faulty_points_missing_and_repeated_pictures_are_faults(tmp_path: Path) -> None:
    images = [
        image("id.jpg", person([point(16, 1, 1)])),
        image("nan.jpg", person([point(1, np.nan, 1)])),
        image("none.jpg", person([{"x": 1, "id": 1}])),
        image("sight.jpg", person([point(1, 1, 1, is_visible="yes")])),
        image("gone.jpg"),
        image("twice.jpg"),
        image("twice.jpg"),
        image("../up.jpg"),
    ]
    write_mat(tmp_path / MAT, images)
    touch(tmp_path / "images", "id.jpg", "nan.jpg", "none.jpg", "sight.jpg", "twice.jpg", "../up.jpg")
    pictures, faults = pictures_and_faults(source_of("mpii", tmp_path))
    assert [picture.name for picture in pictures] == ["images/twice.jpg"]
    assert {(Path(name).name, code) for name, code in faults} == {
        *((name, "bad_keypoints") for name in ("id.jpg", "nan.jpg", "none.jpg", "sight.jpg")),
        ("gone.jpg", "missing_file"),
        ("twice.jpg", "duplicate"),
        ("up.jpg", "unsafe_path"),
    }


def test_keypoints_of_the_annotations_are_left_to_the_detector_where_that_is_wanted(tmp_path: Path) -> None:
    listed(tmp_path, [image("a.jpg", person(everyone()), person(everyone()))])
    picture = pictures_and_faults(source_of("mpii", tmp_path, keypoints="detector"))[0][0]
    assert (picture.keypoints, picture.num_people, picture.box) == (None, 2, (0, 100, 200, 300))


def test_other_mat_files_are_bad_annotations_naming_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    savemat(tmp_path / MAT, {"jnt_missing": np.zeros(3), "pos_gt_src": np.zeros(3)})
    error = error_of(tmp_path)
    assert (error.code, "jnt_missing, pos_gt_src" in error.message) == ("bad_annotations", True)
    savemat(tmp_path / MAT, {"RELEASE": structs({"images": 3, "version": 12})})
    error = error_of(tmp_path)
    assert (error.code, "images, version" in error.message) == ("bad_annotations", True)


@pytest.mark.parametrize("content", [b"", b"no mat", b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400)])
def test_a_file_that_is_no_mat_or_of_matlab_7_3_is_bad_annotations(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / MAT).write_bytes(content)
    assert error_of(tmp_path).code == "bad_annotations"


def test_a_mat_that_is_cut_anywhere_is_bad_annotations(tmp_path: Path) -> None:
    listed(tmp_path, [image(f"{k}.jpg", person(everyone(is_visible="1"))) for k in range(3)])
    whole = (tmp_path / MAT).read_bytes()
    for size in range(0, len(whole), 97):
        (tmp_path / MAT).write_bytes(whole[:size])
        assert error_of(tmp_path).code == "bad_annotations"


def test_a_mat_that_is_damaged_at_any_byte_is_bad_annotations_or_read(tmp_path: Path) -> None:
    listed(tmp_path, [image(f"{k}.jpg", person(everyone(is_visible="1"))) for k in range(3)])
    whole, random, codes = (tmp_path / MAT).read_bytes(), Random(0), set()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[random.randrange(len(whole))] ^= 1 << random.randrange(8)
        (tmp_path / MAT).write_bytes(damaged)
        try:
            assert len(pictures_and_faults(source_of("mpii", tmp_path))[0]) == 3
        except PosetwinError as error:
            codes.add(error.code)
    assert codes == {"bad_annotations"}


def entry(name: str, first: float = 11, scale: float = 1.0, absent: tuple[int, ...] = ()) -> dict[str, Any]:
    """A person of the JSON conversions; joint k at (first + k, 21 + k), counted from 1."""
    return {
        "image": name,
        "center": [101.0, 201.0],
        "scale": scale,
        "joints": [[-1.0, -1.0] if k in absent else [first + k, 21.0 + k] for k in range(16)],
        "joints_vis": [0 if k in absent else 1 for k in range(16)],
    }


def write_json(root: Path, content: Any, name: str = "annot/train.json") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(content))


def test_json_entries_of_one_picture_are_its_people(tmp_path: Path) -> None:
    touch(tmp_path / "images", "a.jpg", "b.jpg")
    write_json(tmp_path, [entry("b.jpg", 1), entry("a.jpg", 31, 1.5), entry("b.jpg", 41, 2.0, absent=(0, 8))])
    (a, b), faults = pictures_and_faults(source_of("mpii", tmp_path))
    assert faults == []
    assert (a.num_people, b.num_people) == (1, 2)
    assert (a.box, b.box) == ((-50, 50, 250, 350), (-100, 0, 300, 400))
    assert by_name(a.keypoints)["neck"] == [38, 28, 2]
    assert by_name(b.keypoints)["right_knee"] == [41, 21, 2]
    assert not {"neck", "right_ankle"} & set(by_name(b.keypoints))


def test_json_and_mat_of_the_same_people_give_the_same_keypoints(tmp_path: Path) -> None:
    from_mat = listed(tmp_path / "mat", [image("a.jpg", person(everyone(31.5, is_visible="1"), 1.5))])[0]
    touch(tmp_path / "json" / "images", "a.jpg")
    write_json(tmp_path / "json", [entry("a.jpg", 31.5, 1.5)])
    from_json = pictures_and_faults(source_of("mpii", tmp_path / "json"))[0][0]
    assert from_mat.keypoints is not None and from_json.keypoints is not None
    assert from_mat.keypoints.tolist() == from_json.keypoints.tolist()
    assert from_mat.box == from_json.box


def test_json_entries_without_joints_or_with_faulty_ones_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path / "images", "test.jpg", "few.jpg", "nan.jpg", "text.jpg", "centre.jpg")
    test = {"image": "test.jpg", "center": [101, 201], "scale": 1}
    few = {**entry("few.jpg"), "joints": [[1, 1]] * 15}
    nan = {**entry("nan.jpg"), "joints": [[float("nan"), 1]] * 16}
    text = {**entry("text.jpg"), "joints": "left"}
    centre = {**entry("centre.jpg"), "center": [1]}
    write_json(tmp_path, [test, few, nan, text, centre])
    pictures, faults = pictures_and_faults(source_of("mpii", tmp_path))
    assert [(picture.name, picture.keypoints) for picture in pictures] == [("images/test.jpg", None)]
    codes = {Path(name).name: code for name, code in faults}
    assert codes.pop("centre.jpg") == "bad_annotations"
    assert codes == {"few.jpg": "bad_keypoints", "nan.jpg": "bad_keypoints", "text.jpg": "bad_keypoints"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"images": [], "annotations": []}, "images, annotations"),
        ([], "an empty list"),
        ([1], "int"),
        ([{"img_paths": "a.jpg", "joint_self": []}], "img_paths, joint_self"),
        ([{"image": "a.jpg", "joints": []}], "image, joints"),
        ([{"image": "a.jpg", "joints": [[1, 1]] * 17, "joints_vis": [1] * 17}], "17 joints"),
        ([entry("a.jpg"), {"joints": []}], "entry 1"),
    ],
)
def test_other_json_files_are_bad_annotations_naming_what_they_hold(tmp_path: Path, content: Any, found: str) -> None:
    (tmp_path / "images").mkdir()
    write_json(tmp_path, content)
    error = error_of(tmp_path)
    assert (error.code, found in error.message) == ("bad_annotations", True)


def test_annotations_are_found_where_they_come_or_named(tmp_path: Path) -> None:
    touch(tmp_path / "images", "a.jpg", "b.jpg")
    assert error_of(tmp_path).code == "missing_file"
    write_json(tmp_path, [entry("b.jpg")], "annot/valid.json")
    write_json(tmp_path, [entry("a.jpg")], "annot/train.json")
    names = [picture.name for picture in pictures_and_faults(source_of("mpii", tmp_path))[0]]
    assert names == ["images/a.jpg"]
    named = source_of("mpii", tmp_path, annotations="annot/valid.json")
    assert [picture.name for picture in pictures_and_faults(named)[0]] == ["images/b.jpg"]
    write_mat(tmp_path / "mpii_human_pose_v1_u12_2" / MAT, [image("a.jpg"), image("b.jpg")])
    assert len(pictures_and_faults(source_of("mpii", tmp_path))[0]) == 2
    write_mat(tmp_path / "other" / MAT, [image("a.jpg")])
    assert error_of(tmp_path).code == "bad_annotations"
    assert error_of(tmp_path, annotations="annot/none.json").code == "missing_file"
    assert error_of(tmp_path, annotations="images/a.jpg").code == "bad_annotations"


def test_a_folder_without_images_is_missing_file(tmp_path: Path) -> None:
    write_mat(tmp_path / MAT, [image("a.jpg")])
    assert error_of(tmp_path).code == "missing_file"
