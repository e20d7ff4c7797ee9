"""metadata.jsonl: captions, keypoints, and every fault of a line with its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures_on_disk import pictures_and_faults, png, some_keypoints, source_of, touch, write_lines

from posetwin.data.sources import list_pictures
from posetwin.errors import PosetwinError


def faults_of(folder: Path, *records: Any, **settings: Any) -> list[tuple[str, str]]:
    write_lines(folder / "metadata.jsonl", *records)
    return pictures_and_faults(source_of("imagefolder", folder, **settings))[1]


def test_captions_classes_and_keypoints_come_from_the_lines_in_their_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "sub/a.png", "c.png")
    write_lines(
        tmp_path / "metadata.jsonl",
        {"file_name": "sub/a.png", "text": "a man", "conditioning_image": "x.png", "class": "cover_drive"},
        {"file_name": "./b.png", "caption": "a woman", "keypoints": some_keypoints(0.5)},
        {"file_name": "c.png", "keypoints": np.ravel(some_keypoints()).tolist()},
    )
    pictures, faults = pictures_and_faults(source_of("imagefolder", tmp_path))
    assert faults == []
    told = [(picture.name, picture.caption, picture.class_name) for picture in pictures]
    assert told == [("sub/a.png", "a man", "cover drive"), ("b.png", "a woman", ""), ("c.png", "", "")]
    assert pictures[0].keypoints is None
    assert pictures[1].keypoints is not None and pictures[2].keypoints is not None
    assert pictures[1].keypoints.dtype == np.float32
    assert pictures[1].keypoints.tolist() == some_keypoints(0.5)
    assert pictures[2].keypoints.tolist() == some_keypoints()


def test_pictures_are_those_that_datasets_loads(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    records = [{"file_name": f"{k}.png", "text": f"person {k}"} for k in range(3)]
    for split in ("test", "train"):
        touch(tmp_path / split, *(record["file_name"] for record in records), content=png(9))
        write_lines(tmp_path / split / "metadata.jsonl", *records)
    pictures, _ = pictures_and_faults(source_of("imagefolder", tmp_path))
    loaded = datasets.load_dataset("imagefolder", data_dir=str(tmp_path), cache_dir=str(tmp_path / "cache"))
    expected = [
        row for split in ("test", "train") for row in loaded[split].cast_column("image", datasets.Image(decode=False))
    ]
    assert [str(tmp_path / picture.file) for picture in pictures] == [row["image"]["path"] for row in expected]
    assert [picture.caption for picture in pictures] == [row["text"] for row in expected]


def test_a_path_that_leaves_the_folder_is_unsafe_path(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(tmp_path, "x.jpg")
    touch(root, "a/b.jpg")
    names = ["../x.jpg", "a/../../x.jpg", "a/../a/b.jpg", str(tmp_path / "x.jpg"), "C:\\x.jpg", "..\\x.jpg"]
    assert faults_of(root, *({"file_name": name} for name in names)) == [(name, "unsafe_path") for name in names]


def test_a_path_may_lead_through_a_link_that_lies_in_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    touch(tmp_path / "store", "x.jpg")
    (root / "images").symlink_to(tmp_path / "store")
    assert faults_of(root, {"file_name": "images/x.jpg"}) == []


def test_a_missing_picture_a_folder_and_a_second_line_for_one_are_faults(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").mkdir()
    records = [{"file_name": name} for name in ("a.jpg", "b.jpg", "c.jpg", "./a.jpg")]
    expected = [("b.jpg", "bad_image"), ("c.jpg", "missing_file"), ("a.jpg", "duplicate")]
    assert faults_of(tmp_path, *records) == expected


@pytest.mark.parametrize("name", ["\udcff.jpg", "\ud83d.jpg", "a\0.jpg"])
def test_a_name_that_no_file_can_have_is_bad_name(tmp_path: Path, name: str) -> None:
    faults = faults_of(tmp_path, {"file_name": name})
    assert [code for _, code in faults] == ["bad_name"]
    faults[0][0].encode("utf-8")


@pytest.mark.parametrize(
    "keypoints",
    [
        [[0, 0, 2]] * 17,
        [[0, 0]] * 18,
        [[0, float("nan"), 2]] * 18,
        [[float("inf"), 0, 2]] * 18,
        [[1e300, 0, 2]] * 18,
        [[10**400, 0, 2]] * 18,
        [[0, 0, 0.7]] * 18,
        [[0, 0, 3]] * 18,
        [["left", 0, 2]] * 18,
        [[0, 0, 2]] * 17 + [[0, 0]],
        {"nose": [0, 0, 2]},
        [],
        "none",
    ],
)
def test_keypoints_of_another_form_or_not_finite_are_bad_keypoints_unless_nobody_reads_them(
    tmp_path: Path, keypoints: Any
) -> None:
    touch(tmp_path, "a.jpg")
    record = {"file_name": "a.jpg", "keypoints": keypoints}
    assert faults_of(tmp_path, record) == [("a.jpg", "bad_keypoints")]
    assert faults_of(tmp_path, record, keypoints="detector") == []


def test_a_keypoint_outside_of_any_picture_is_kept_and_an_absent_one_is_nowhere(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    write_lines(tmp_path / "metadata.jsonl", {"file_name": "a.jpg", "keypoints": [[-3, 9e6, 1], *[[7, 7, 0]] * 17]})
    keypoints = pictures_and_faults(source_of("imagefolder", tmp_path))[0][0].keypoints
    assert keypoints is not None
    assert keypoints.tolist() == [[-3, 9e6, 1], *[[0, 0, 0]] * 17]


def test_a_line_that_is_no_record_of_a_picture_is_bad_annotations_with_its_number(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    lines = [b"{", b"[]", b"", b'{"text": "who"}', b'{"file_name": 3}', b"\xff", b"[" * 100_000]
    lines.append(b'{"file_name": "a.jpg", "text": 5}')
    (tmp_path / "metadata.jsonl").write_bytes(b"\n".join(lines))
    _, faults = pictures_and_faults(source_of("imagefolder", tmp_path))
    places = [*(f"metadata.jsonl:{number}" for number in (1, 2, 4, 5, 6, 7)), "a.jpg"]
    assert faults == [(place, "bad_annotations") for place in places]


def test_a_folder_without_metadata_is_missing_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source_of("imagefolder", tmp_path)))
    assert caught.value.code == "missing_file"
