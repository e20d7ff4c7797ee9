"""COCO's files against pycocotools' reading of them, and every fault with its code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures_on_disk import pictures_and_faults, source_of, touch

from posetwin.data.sources import list_pictures
from posetwin.data.sources.listed import IndexedPicture
from posetwin.errors import PosetwinError
from posetwin.keypoints.layouts import OPENPOSE18

JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip


def joints(first: float, hidden: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> list[float]:
    """51 numbers, joint k at (first + k, 100 + 2 k)."""
    values: list[float] = []
    for k, name in enumerate(JOINTS):
        values += [0, 0, 0] if name in absent else [first + k, 100 + 2 * k, 1 if name in hidden else 2]
    return values


def person(number: int, image: int, keypoints: list[float], area: float = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": area,
        "bbox": [10, 20, 30.5, 40],
        "num_keypoints": sum(seen > 0 for seen in keypoints[2::3]),
        "keypoints": keypoints,
        "segmentation": [[1, 2, 3, 4, 5, 6]],
        **fields,
    }


def write(folder: Path, names: dict[int, str], people: list[Any], captions: list[Any] | None = None) -> Any:
    """A source of these annotations, the pictures beside them."""
    touch(folder / "images", *names.values())
    images = [{"id": number, "file_name": name, "width": 640, "height": 480} for number, name in names.items()]
    categories = [{"id": 1, "name": "person", "keypoints": list(JOINTS)}]
    content = {"info": {}, "images": images, "annotations": people, "categories": categories}
    (folder / "person_keypoints.json").write_text(json.dumps(content))
    settings = {"annotations": str(folder / "person_keypoints.json")}
    if captions is not None:
        (folder / "captions.json").write_text(json.dumps({"info": {}, "images": images, "annotations": captions}))
        settings["captions"] = str(folder / "captions.json")
    return source_of("coco", folder / "images", **settings)


def only(source: Any) -> IndexedPicture:
    pictures, faults = pictures_and_faults(source)
    assert (len(pictures), faults) == (1, [])
    return pictures[0]


def by_name(keypoints: np.ndarray | None) -> dict[str, list[float]]:
    assert keypoints is not None
    return dict(zip(OPENPOSE18, keypoints.tolist(), strict=True))


NOBODY = [0.0] * 51


def test_the_largest_person_and_the_first_caption_are_those_that_pycocotools_finds(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    names = {7: "b.jpg", 3: "a.jpg", 5: "sub/c.jpg"}
    people = [person(9 + k, [7, 3, 5][k % 3], joints(10 * k), area=[5, 9, 2, 8, 1, 7, 3][k]) for k in range(7)]
    captions = [
        {"id": number, "image_id": [7, 3, 5][number % 3], "caption": f"n. {number}"} for number in range(20, 0, -1)
    ]
    pictures, faults = pictures_and_faults(write(tmp_path, names, people, captions))
    assert faults == []
    read, told = coco.COCO(tmp_path / "person_keypoints.json"), coco.COCO(tmp_path / "captions.json")
    assert [picture.name for picture in pictures] == sorted(names.values())
    for picture in pictures:
        number = next(number for number, entry in read.imgs.items() if entry["file_name"] == picture.name)
        largest = max(read.imgToAnns[number], key=lambda entry: entry["area"])
        assert by_name(picture.keypoints)["nose"][:2] == largest["keypoints"][:2]
        assert picture.num_people == len(read.getAnnIds(imgIds=[number], iscrowd=False))
        assert picture.caption == told.anns[min(told.getAnnIds(imgIds=[number]))]["caption"]
        x, y, width, height = largest["bbox"]
        assert picture.box == (x, y, x + width, y + height)


def test_joints_are_taken_by_name_with_their_visibility(tmp_path: Path) -> None:
    source = write(tmp_path, {1: "a.jpg"}, [person(1, 1, joints(0.5, hidden=("left_ear",), absent=("left_ankle",)))])
    found = by_name(only(source).keypoints)
    for k, name in enumerate(JOINTS):
        if name != "left_ankle":
            assert found[name] == [0.5 + k, 100 + 2 * k, 1 if name == "left_ear" else 2]
    assert found["left_ankle"] == [0, 0, 0]
    # Shoulders are joints 5 and 6.
    assert found["neck"] == [0.5 + 5.5, 100 + 11, 2]


def test_there_is_a_neck_where_both_shoulders_are(tmp_path: Path) -> None:
    hidden = write(tmp_path, {1: "a.jpg"}, [person(1, 1, joints(0, hidden=("left_shoulder",)))])
    assert by_name(only(hidden).keypoints)["neck"] == [5.5, 111, 1]
    absent = write(tmp_path, {1: "a.jpg"}, [person(1, 1, joints(0, absent=("left_shoulder",)))])
    assert by_name(only(absent).keypoints)["neck"][2] == 0


def test_people_without_keypoints_count_but_are_taken_only_where_there_is_no_other(tmp_path: Path) -> None:
    people = [person(1, 1, joints(0), area=5), person(2, 1, NOBODY, area=50)]
    picture = only(write(tmp_path, {1: "a.jpg"}, people))
    assert (by_name(picture.keypoints)["nose"], picture.num_people) == ([0, 100, 2], 2)
    alone = only(write(tmp_path, {1: "a.jpg"}, people[1:]))
    assert (alone.keypoints, alone.num_people, alone.box) == (None, 1, (10, 20, 40.5, 60))


def test_a_crowd_is_several_people_and_nobody_in_particular(tmp_path: Path) -> None:
    crowd = person(2, 1, joints(70), area=5000, iscrowd=1)
    picture = only(write(tmp_path, {1: "a.jpg"}, [person(1, 1, joints(0)), crowd]))
    assert (by_name(picture.keypoints)["nose"], picture.num_people) == ([0, 100, 2], 3)
    alone = only(write(tmp_path, {1: "a.jpg"}, [crowd]))
    assert (alone.keypoints, alone.num_people, alone.box) == (None, 2, None)


def test_a_picture_without_people_is_no_person(tmp_path: Path) -> None:
    source = write(tmp_path, {1: "a.jpg", 2: "b.jpg"}, [person(1, 2, joints(0))], [])
    pictures, faults = pictures_and_faults(source)
    assert ([picture.name for picture in pictures], faults) == (["b.jpg"], [("a.jpg", "no_person")])


def test_faulty_annotations_missing_and_repeated_pictures_are_faults(tmp_path: Path) -> None:
    names = {1: "few.jpg", 2: "nan.jpg", 3: "gone.jpg", 4: "twice.jpg", 5: "twice.jpg", 6: "../up.jpg", 7: "text.jpg"}
    kinds = {1: joints(0)[:48], 2: [float("nan"), *joints(0)[1:]], 7: "left"}
    people = [{**person(k, k, joints(0)), **({"keypoints": kinds[k]} if k in kinds else {})} for k in names]
    people.append(person(8, 8, joints(0)))
    people[-1]["bbox"] = [1, 2, 3]
    source = write(tmp_path, {**names, 8: "box.jpg"}, people)
    (tmp_path / "images" / "gone.jpg").unlink()
    pictures, faults = pictures_and_faults(source)
    assert [picture.name for picture in pictures] == ["twice.jpg"]
    assert dict(faults) == {
        "few.jpg": "bad_keypoints",
        "nan.jpg": "bad_keypoints",
        "text.jpg": "bad_keypoints",
        "gone.jpg": "missing_file",
        "twice.jpg": "duplicate",
        "../up.jpg": "unsafe_path",
        "box.jpg": "bad_annotations",
    }


def test_keypoints_are_left_to_the_detector_where_that_is_wanted(tmp_path: Path) -> None:
    source = write(tmp_path, {1: "a.jpg"}, [person(1, 1, joints(0))])
    picture = only(source.model_copy(update={"keypoints": "detector"}))
    assert (picture.keypoints, picture.num_people, picture.box) == (None, 1, (10, 20, 40.5, 60))


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"images": [1], "annotations": []}',
        b'{"images": []}',
        b'{"images": [], "annotations": [{"image_id": 1, "caption": "a man"}]}',
        b'{"images": [{"id": 1}], "annotations": []}',
        b'{"images": [{"id": [], "file_name": "a"}], "annotations": []}',
        b'{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": {}, "keypoints": []}]}',
    ],
)
def test_a_file_of_another_form_is_bad_annotations(tmp_path: Path, content: bytes) -> None:
    source = write(tmp_path, {1: "a.jpg"}, [])
    (tmp_path / "person_keypoints.json").write_bytes(content)
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source))
    assert caught.value.code == "bad_annotations"


def test_annotations_that_are_not_there_are_missing_file(tmp_path: Path) -> None:
    source = write(tmp_path, {1: "a.jpg"}, [])
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source.model_copy(update={"annotations": str(tmp_path / "none.json")})))
    assert caught.value.code == "missing_file"
