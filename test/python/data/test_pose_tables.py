"""Tables of landmarks in every form, and every fault of one with its code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from real_data import data_folder

from posetwin.data.pose_tables import Layout, read_pose_table
from posetwin.errors import PosetwinError
from posetwin.mini.coverage import normalised
from posetwin.mini.landmarks import draw_pose, pose_body

# Landmark k of row r lies at (100 r + k, 1000 + k).
RIGHT_WRIST = {33: 16, 17: 10, 18: 4}


def places(rows: int, landmarks: int) -> np.ndarray:
    row, landmark = np.mgrid[:rows, :landmarks]
    return np.stack([100.0 * row + landmark, 1000.0 + landmark], axis=-1)


def with_column(values: np.ndarray, column: Any) -> np.ndarray:
    return np.concatenate([values, np.broadcast_to(column, values.shape[:2])[..., None]], axis=-1)


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "table.npz", **arrays)
    return folder / "table.npz"


def table(folder: Path, text: str) -> Path:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return folder / "table.csv"


def fault(path: Path, layout: Layout = "auto") -> tuple[str, str]:
    with pytest.raises(PosetwinError) as caught:
        read_pose_table(path, layout)
    assert str(path) in caught.value.message
    return caught.value.code, caught.value.message.replace(str(path), "FILE")


@pytest.mark.parametrize("landmarks", [33, 17, 18])
@pytest.mark.parametrize("name", ["keypoints", "kp", "landmarks", "whatever"])
def test_the_number_of_landmarks_tells_the_layout(tmp_path: Path, landmarks: int, name: str) -> None:
    read = read_pose_table(npz(tmp_path, **{name: places(2, landmarks).astype(np.float32)}))
    assert read.shape == (2, 18, 3)
    wrist = RIGHT_WRIST[landmarks]
    assert read[1, 4].tolist() == [100 + wrist, 1000 + wrist, 1]


def test_a_third_column_is_visibility_in_coco_and_openpose(tmp_path: Path) -> None:
    for landmarks in (17, 18):
        seen = np.ones(landmarks)
        seen[RIGHT_WRIST[landmarks]] = 0
        read = read_pose_table(npz(tmp_path, keypoints=with_column(places(1, landmarks), seen)))
        assert read[0, 4, 2] == 0
        assert read[0, 3, 2] == 1


def test_a_third_column_is_depth_in_mediapipe_and_the_fourth_visibility(tmp_path: Path) -> None:
    # Nobody reads the depth: it may be anything.
    deep = with_column(places(1, 33), np.nan)
    assert (read_pose_table(npz(tmp_path, keypoints=deep))[..., 2] == 1).all()
    assert (read_pose_table(npz(tmp_path, keypoints=with_column(deep, 0.25)))[..., 2] == 0.25).all()


@pytest.mark.parametrize("name", ["vis", "visibility"])
def test_an_array_of_visibility_goes_before_a_column(tmp_path: Path, name: str) -> None:
    path = npz(tmp_path, kp=with_column(places(2, 17), 1), **{name: np.full((2, 17), 0.5, dtype=np.float16)})
    assert (read_pose_table(path)[..., 2] == 0.5).all()


def test_texts_and_objects_beside_the_landmarks_are_not_touched(tmp_path: Path) -> None:
    others = {"label": np.array(["squat", "tree"]), "meta": np.array([{"a": 1}, None], dtype=object)}
    cubes = np.array([[[{}]]], dtype=object)
    assert len(read_pose_table(npz(tmp_path, poses=places(2, 18), cubes=cubes, **others))) == 2


@pytest.mark.parametrize(
    "titles",
    [
        "label,{x0},{y0},file",
        "label,{x0},{y0},{z0},file",
        "label,{x0},{y0},{v0},file",
        "label,{x0},{y0},{z0},{v0},file",
    ],
)
@pytest.mark.parametrize("style", ["x0", "x_1", "joint_x"])
def test_columns_are_numbered_or_named_and_others_are_passed_over(tmp_path: Path, titles: str, style: str) -> None:
    before, *axes, after = titles.split(",")

    def title(axis: str, landmark: int) -> str:
        forms = {"x0": f"{axis}{landmark}", "x_1": f"{axis.upper()}_{landmark + 1}", "joint_x": f"j{landmark}_{axis}"}
        return forms[style]

    header = [before, *(title(axis[1], k) for k in range(18) for axis in axes), after]
    numbers = {"x": "{k}.5", "y": "-{k}", "z": "nan", "v": "0"}
    cells = ["tree", *(numbers[axis[1]].format(k=k) for k in range(18) for axis in axes), "a.jpg"]
    read = read_pose_table(table(tmp_path, f"\ufeff{','.join(header)}\n\n{','.join(cells)}\n"))
    assert read.shape == (1, 18, 3)
    assert read[0, 4].tolist() == [4.5, -4, 0 if "{v0}" in axes else 1]


def test_numbered_columns_may_be_sorted_by_name(tmp_path: Path) -> None:
    header = sorted(f"{axis}{k}" for axis in "xy" for k in range(17))
    read = read_pose_table(table(tmp_path, f"{','.join(header)}\n{','.join(title[1:] for title in header)}\n"))
    assert read[0, 4].tolist() == [10, 10, 1]


def test_another_number_of_landmarks_than_the_layouts_is_bad_keypoints(tmp_path: Path) -> None:
    code, message = fault(npz(tmp_path, keypoints=places(2, 21)))
    assert (code, "21 landmarks a row" in message) == ("bad_keypoints", True)
    code, message = fault(npz(tmp_path, keypoints=places(2, 18)), "coco-17")
    assert (code, message) == ("bad_keypoints", "FILE has 18 landmarks a row, not 17 (coco-17)")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_bad_keypoints_with_its_place(tmp_path: Path, value: float) -> None:
    faulty = places(3, 17)
    faulty[2, 5, 1] = value
    code, message = fault(npz(tmp_path, keypoints=faulty))
    assert (code, f"y of landmark 5 in row 2 is {value}" in message) == ("bad_keypoints", True)


@pytest.mark.parametrize("cell", ["nan", "inf", "", "left"])
def test_a_cell_that_is_no_finite_number_is_bad_keypoints_with_line_and_column(tmp_path: Path, cell: str) -> None:
    header = ",".join(f"{axis}{k}" for k in range(17) for axis in "xy")
    good = ",".join(["1"] * 34)
    code, message = fault(table(tmp_path, f"{header}\n{good}\n{cell}{good[1:]}\n"))
    assert (code, message) == ("bad_keypoints", f"FILE:3: x0 is {cell!r}, no finite number")


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({}, "holds no array"),
        ({"a": places(2, 17), "b": places(2, 17)}, "a (2, 17, 2), b (2, 17, 2)"),
        ({"keypoints": places(2, 17)[0]}, "has the shape (17, 2)"),
        ({"keypoints": places(2, 17)[..., :1]}, "has the shape (2, 17, 1)"),
        ({"keypoints": places(2, 17), "vis": np.ones(17)}, "vis has the shape (17,), not (2, 17)"),
        ({"keypoints": places(2, 17).astype(str)}, "keypoints holds no numbers"),
        ({"keypoints": places(2, 17), "vis": np.ones((2, 17), dtype=object)}, "vis holds no numbers"),
    ],
)
def test_arrays_of_another_form_are_bad_keypoints(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    code, message = fault(npz(tmp_path, **arrays))
    assert code == "bad_keypoints"
    assert told in message


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("label,file", "names no columns of landmarks"),
        ("0.5,0.5", "names no columns of landmarks"),
        ("x0,y0,x1", "no pair of columns x and y for landmark 1"),
        ("a_x,a_y,b_x,b_y,b_visibility", "no pair of columns x and v for landmark a"),
    ],
)
def test_a_header_of_another_form_is_bad_keypoints(tmp_path: Path, header: str, told: str) -> None:
    code, message = fault(table(tmp_path, f"{header}\n"))
    assert code == "bad_keypoints"
    assert message.startswith("FILE:1") and told in message


def test_a_table_without_a_row_has_too_few_samples(tmp_path: Path) -> None:
    header = ",".join(f"{axis}{k}" for k in range(17) for axis in "xy")
    assert fault(npz(tmp_path, keypoints=places(0, 17)))[0] == "too_few_samples"
    assert fault(table(tmp_path, ""))[0] == "too_few_samples"
    assert fault(table(tmp_path, f"{header}\n"))[0] == "too_few_samples"


def test_a_row_that_is_cut_short_is_a_corrupt_file_with_its_line(tmp_path: Path) -> None:
    code, message = fault(table(tmp_path, "x0,y0\n1,2\n1\n"))
    assert (code, message) == ("corrupt_file", "FILE:3 has 1 cells, and the header 2")


def test_other_files_are_refused_by_their_ending_and_absent_ones_are_missing(tmp_path: Path) -> None:
    (tmp_path / "poses.json").write_text("[]")
    assert fault(tmp_path / "poses.json")[0] == "unknown_value"
    for name in ("absent.npz", "absent.csv"):
        assert fault(tmp_path / name)[0] == "missing_file"
    (tmp_path / "folder.npz").mkdir()
    assert fault(tmp_path / "folder.npz")[0] == "corrupt_file"


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    code, message = fault(npz(tmp_path, keypoints=np.array([Trap(sprung)], dtype=object)))
    assert (code, "never unpickled" in message) == ("bad_keypoints", True)
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Trap(sprung)))
    assert fault(tmp_path / "raw.npz")[0] == "corrupt_file"
    assert (
        len(read_pose_table(npz(tmp_path, keypoints=places(1, 17), trap=np.array([Trap(sprung)], dtype=object)))) == 1
    )
    assert not sprung.exists()


def test_a_file_that_is_damaged_has_no_other_code_than_ours(tmp_path: Path) -> None:
    """Cut off at every tenth byte, and 300 times with bytes changed at random."""
    whole = npz(tmp_path, keypoints=places(3, 17).astype(np.float32), vis=np.ones((3, 17))).read_bytes()
    rng = np.random.default_rng(0)
    spoiled = [whole[:size] for size in range(0, len(whole) - 1, 10)]
    for _ in range(300):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            changed[place] = rng.integers(0, 256)
        spoiled.append(bytes(changed))
    codes = set()
    for content in spoiled:
        (tmp_path / "spoiled.npz").write_bytes(content)
        try:
            read_pose_table(tmp_path / "spoiled.npz")
        except PosetwinError as error:
            codes.add(error.code)
    assert "corrupt_file" in codes
    assert codes <= {"corrupt_file", "bad_keypoints", "too_few_samples"}
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00x0,y0")
    assert fault(tmp_path / "binary.csv")[0] == "corrupt_file"


def test_real_poses_are_read_and_drawn_as_they_are() -> None:
    poses = read_pose_table(data_folder() / "real_poses33.npz")
    # None raises no_visible_keypoint.
    assert len([pose_body(pose) for pose in poses]) >= 3000
    for seed, pose in enumerate(poses[::500]):
        drawn = draw_pose(pose, seed)
        np.testing.assert_allclose(normalised(drawn.keypoints[:, :2]), normalised(pose[:, :2]), atol=1e-9)
