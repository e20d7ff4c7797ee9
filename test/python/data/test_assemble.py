from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny import DATASET, ignore, make_job, write_lines

from posetwin.contracts import Sample
from posetwin.control.openpose import draw_openpose
from posetwin.data import assemble as room
from posetwin.errors import PosetwinError
from posetwin.mini.world import sample_world
from posetwin.stages import run

ITEMS = [{"kind": "mini", "id": 10 + i, "split": "train", "seed": i, "pose": ""} for i in range(5)]


def assemble(folder: Path, items: list[dict[str, Any]], **dataset: Any) -> list[dict[str, Any]]:
    write_lines(folder / "items.jsonl", items)
    spec = {"seed": 0, "dataset": {**DATASET, **dataset}}
    run(make_job("assemble", folder / "out", {"items": folder / "items.jsonl"}, spec), ignore)
    return [json.loads(line) for line in (folder / "out" / "samples.jsonl").read_text().splitlines()]


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_samples_hold_what_the_mini_world_draws_for_their_seed(tmp_path: Path) -> None:
    samples = assemble(tmp_path, ITEMS)
    assert [sample["id"] for sample in samples] == [10, 11, 12, 13, 14]
    for item, sample in zip(ITEMS, samples, strict=True):
        Sample.model_validate_json(json.dumps(sample))
        drawn = sample_world(item["seed"])
        assert sample["caption"] == drawn.caption
        assert sample["keypoints"] == drawn.keypoints.tolist()
        assert np.array_equal(pixels(tmp_path / "out" / sample["image"]), drawn.image)
        control = draw_openpose(drawn.keypoints, 64, line_width=0.045)
        assert np.array_equal(pixels(tmp_path / "out" / sample["control"]), control)


def test_dots_are_grey_maps(tmp_path: Path) -> None:
    [sample] = assemble(tmp_path, ITEMS[:1], control={"style": "dots", "line_width": 0.045, "radius": 0})
    grey = pixels(tmp_path / "out" / sample["control"])
    assert grey.shape == (64, 64)
    assert 1 <= (grey == 0).sum() <= 18


def test_an_interrupted_stage_goes_on_and_ends_with_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = assemble(tmp_path / "whole", ITEMS)
    monkeypatch.setattr(room, "BATCH", 2)
    assemble(tmp_path / "parts", ITEMS[:2])
    journal = tmp_path / "parts" / "out" / "samples.jsonl"
    # Killed in the middle of the next line.
    journal.write_text(journal.read_text() + '{"id": 12, "spl')
    drawn: list[int] = []
    original = room.sample_world

    def count(seed: int, **options: Any) -> Any:
        drawn.append(seed)
        return original(seed, **options)

    monkeypatch.setattr(room, "sample_world", count)
    assert assemble(tmp_path / "parts", ITEMS) == whole
    assert drawn == [2, 3, 4]


def test_a_photo_that_cannot_be_used_is_listed_and_the_stage_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(item: Any, size: int) -> Any:
        raise PosetwinError("no_person", f"{item.path}: nobody here")

    monkeypatch.setattr(room, "_photographed", nobody)
    photo = {"kind": "folder", "id": 3, "split": "train", "path": "/p.jpg", "caption": "a person", "detector": "lite"}
    samples = assemble(tmp_path, [photo, ITEMS[0]])
    assert [sample["id"] for sample in samples] == [10]
    rejected = json.loads((tmp_path / "out" / "rejected.jsonl").read_text())
    assert rejected == {"id": 3, "source": "/p.jpg", "code": "no_person", "reason": "/p.jpg: nobody here"}


def test_too_many_pictures_that_cannot_be_used_end_the_stage_with_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    common = {"kind": "folder", "split": "train", "caption": "a person", "detector": "lite"}
    photos = [{**common, "id": i, "path": str(tmp_path / name)} for i, name in enumerate(["gone.jpg", "broken.jpg"])]
    assert len(assemble(tmp_path / "half", [*photos, *ITEMS[:2]])) == 2
    for _ in range(2):
        with pytest.raises(PosetwinError, match=r"2 of 3 .*missing_file.*bad_image.*gone\.jpg") as caught:
            assemble(tmp_path / "most", [*photos, ITEMS[0]])
        assert caught.value.code == "too_many_rejected"


def posed(folder: Path, *rows: int, **item: Any) -> list[dict[str, Any]]:
    """Items of a table of two poses in COCO's order: a person, and one whose shoulders nobody saw."""
    joints = sample_world(3, pose="standing").keypoints
    # COCO's 17 are OpenPose's 18 without the neck.
    coco = joints[[0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10]]
    table = np.stack([coco, coco])
    table[1, 5:7, 2] = 0
    folder.mkdir(exist_ok=True)
    np.savez(folder / "table.npz", keypoints=table)
    common = {"kind": "poses", "split": "train", "path": str(folder / "table.npz"), "layout": "auto", **item}
    return [{**common, "id": i, "row": row, "seed": 70 + i} for i, row in enumerate(rows)]


def test_a_row_of_a_table_is_drawn_as_another_figure_for_every_seed(tmp_path: Path) -> None:
    first, again = assemble(tmp_path, posed(tmp_path, 0, 0))
    Sample.model_validate_json(json.dumps(first))
    assert first["source"] == f"{tmp_path / 'table.npz'}, row 0"
    assert first["pose"] == ""
    given, drawn = sample_world(3, pose="standing").keypoints, np.array(first["keypoints"])
    limbs = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    side = [np.ptp(points[limbs, :2], axis=0).max() for points in (given, drawn)]
    moved = [(points[limbs, :2] - points[8, :2]) / s for points, s in zip((given, drawn), side, strict=True)]
    np.testing.assert_allclose(moved[1], moved[0], atol=1e-9)
    assert not np.array_equal(pixels(tmp_path / "out" / first["image"]), pixels(tmp_path / "out" / again["image"]))


def test_a_row_that_cannot_be_drawn_is_listed_and_the_stage_goes_on(tmp_path: Path) -> None:
    samples = assemble(tmp_path / "half", posed(tmp_path / "half", 0, 1))
    assert [sample["id"] for sample in samples] == [0]
    rejected = json.loads((tmp_path / "half" / "out" / "rejected.jsonl").read_text())
    assert rejected["code"] == "no_visible_keypoint"
    assert rejected["source"].endswith("table.npz, row 1")
    with pytest.raises(PosetwinError, match="2 of 3 .*no_visible_keypoint") as caught:
        assemble(tmp_path / "most", posed(tmp_path / "most", 0, 1, 1))
    assert caught.value.code == "too_many_rejected"


def test_a_table_that_is_not_there_ends_the_stage(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError) as caught:
        assemble(tmp_path, posed(tmp_path, 0, path="/nowhere/table.npz"))
    assert caught.value.code == "missing_file"


def test_a_table_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    original = room.read_pose_table

    def count(path: Path, layout: Any) -> Any:
        reads.append(path)
        return original(path, layout)

    monkeypatch.setattr(room, "read_pose_table", count)
    assert len(assemble(tmp_path, posed(tmp_path, 0, 0, 0))) == 3
    assert len(reads) == 1


def test_an_item_of_another_shape_is_a_contract_violation_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError, match=r"items\.jsonl:2") as caught:
        assemble(tmp_path, [ITEMS[0], {"kind": "mini"}])
    assert caught.value.code == "contract_violation"
