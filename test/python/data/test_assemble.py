"""The stage `assemble` on drawn figures: what it writes, how it goes on, what it leaves out."""

from __future__ import annotations

import errno
import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tiny import DATASET, assemble_job, ignore, write_lines

from posetwin.contracts import AssembleResult, Rejected
from posetwin.control.openpose import draw_openpose
from posetwin.data import assemble as stage
from posetwin.data import pictures
from posetwin.data.shards import ShardWriter
from posetwin.errors import PosetwinError, describe_failure
from posetwin.mini.world import sample_world
from posetwin.stages import run

ITEMS = [{"kind": "mini", "id": 10 + i, "split": "train", "seed": i, "pose": ""} for i in range(5)]
Row = dict[str, Any]


def assemble(folder: Path, items: list[Row], num_workers: int = 1, **dataset: Any) -> list[Row]:
    write_lines(folder / "items.jsonl", items)
    spec = {"seed": 0, "dataset": {**DATASET, **dataset}}
    run({**assemble_job(folder / "items.jsonl", folder / "out", spec), "num_workers": num_workers}, ignore)
    return pq.read_table(folder / "out" / "samples.parquet").to_pylist()


def rejected(folder: Path) -> list[Row]:
    lines = (folder / "out" / "rejected.jsonl").read_text().splitlines()
    return [Rejected.model_validate_json(line).model_dump() for line in lines]


def stored(folder: Path, row: Row, what: str) -> np.ndarray:
    with (folder / "out" / row["shard"]).open("rb") as file:
        file.seek(row[f"{what}_offset"])
        return np.asarray(Image.open(BytesIO(file.read(row[f"{what}_length"]))))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_samples_hold_what_the_mini_world_draws_for_their_seed(tmp_path: Path) -> None:
    rows = assemble(tmp_path, ITEMS)
    assert [row["id"] for row in rows] == [10, 11, 12, 13, 14]
    for item, row in zip(ITEMS, rows, strict=True):
        drawn = sample_world(item["seed"])
        assert row["caption"] == drawn.caption
        assert json.loads(row["attributes"]) == drawn.attributes
        assert row["keypoints"] == drawn.keypoints.ravel().tolist()
        assert row["visible"] == sum(2**k for k in range(18) if drawn.keypoints[k, 2] > 0)
        assert row["class"] == row["pose"] == drawn.attributes["pose"]
        assert np.array_equal(stored(tmp_path, row, "image"), drawn.image)
        control = draw_openpose(drawn.keypoints, 64, line_width=0.045)
        assert np.array_equal(stored(tmp_path, row, "control"), control)


def test_dots_are_grey_maps(tmp_path: Path) -> None:
    [row] = assemble(tmp_path, ITEMS[:1], control={"style": "dots", "line_width": 0.045, "radius": 0})
    grey = stored(tmp_path, row, "control")
    assert grey.shape == (64, 64)
    assert 1 <= (grey == 0).sum() <= 18


def test_a_shard_is_a_plain_tar_of_what_belongs_to_each_picture(tmp_path: Path) -> None:
    [first, *_] = assemble(tmp_path, ITEMS)
    with tarfile.open(tmp_path / "out" / "shards" / "000000.tar", "r:") as tar:
        names = tar.getnames()
        told = json.loads((tar.extractfile("000000010.json") or BytesIO()).read())
        text = (tar.extractfile("000000010.txt") or BytesIO()).read().decode()
    assert names[:4] == ["000000010.png", "000000010.control.png", "000000010.txt", "000000010.json"]
    assert len(names) == 20
    assert text == first["caption"]
    assert [value for point in told["keypoints"] for value in point] == first["keypoints"]


def test_the_result_counts_and_hashes_the_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 2)
    assemble(tmp_path, ITEMS)
    result = AssembleResult.model_validate_json((tmp_path / "out" / "result.json").read_text())
    assert [(shard.name, shard.num_samples) for shard in result.shards] == [
        ("shards/000000.tar", 2),
        ("shards/000001.tar", 2),
        ("shards/000002.tar", 1),
    ]
    for shard in result.shards:
        assert shard.bytes == (tmp_path / "out" / shard.name).stat().st_size
    assert result.num_rejected == {}
    assert not (tmp_path / "out" / "chunks").exists()


def test_processes_side_by_side_write_the_same_bytes_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [{"kind": "mini", "id": i, "split": "train", "seed": i, "pose": ""} for i in range(40)]
    monkeypatch.setattr(stage, "CHUNK", 4)
    monkeypatch.setattr(stage, "DRAWN_A_WORKER", 1)
    assemble(tmp_path / "one", items)
    assemble(tmp_path / "two", items, num_workers=2)
    assert contents(tmp_path / "one" / "out") == contents(tmp_path / "two" / "out")


def test_parts_made_side_by_side_are_found_done_and_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "CHUNK", 1)
    assemble(tmp_path / "whole", ITEMS)
    spec, folder = {"seed": 0, "dataset": DATASET}, tmp_path / "parts"
    write_lines(folder / "items.jsonl", ITEMS)
    for part in ("1/2", "0/2"):
        job = assemble_job(folder / "items.jsonl", folder / "out", spec)
        run({**job, "inputs": {**job["inputs"], "part": part}}, ignore)
        assert not (folder / "out" / "result.json").exists()
    assert len(list((folder / "out" / "shards").iterdir())) == 5
    monkeypatch.setattr(pictures, "sample_world", None)
    assemble(folder, ITEMS)
    assert contents(folder / "out") == contents(tmp_path / "whole" / "out")


def test_a_chunk_that_is_in_the_journal_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 2)
    whole = assemble(tmp_path / "whole", ITEMS)
    drawn: list[int] = []
    original = pictures.sample_world

    def count(seed: int, **options: Any) -> Any:
        if seed == 3 and seed not in drawn:
            drawn.append(seed)
            raise KeyboardInterrupt
        drawn.append(seed)
        return original(seed, **options)

    monkeypatch.setattr(pictures, "sample_world", count)
    with pytest.raises(KeyboardInterrupt):
        assemble(tmp_path / "parts", ITEMS)
    assert assemble(tmp_path / "parts", ITEMS) == whole
    assert drawn == [0, 1, 2, 3, 2, 3, 4]
    assert contents(tmp_path / "parts" / "out") == contents(tmp_path / "whole" / "out")


def test_a_full_disk_is_told_as_such_and_the_set_goes_on_once_there_is_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "CHUNK", 2)
    whole = assemble(tmp_path / "whole", ITEMS)
    add, left = ShardWriter.add, [9]

    def until_full(self: ShardWriter, name: str, content: bytes) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return add(self, name, content)

    monkeypatch.setattr(ShardWriter, "add", until_full)
    with pytest.raises(OSError) as caught:
        assemble(tmp_path / "full", ITEMS)
    assert describe_failure(caught.value, "worker_failed")["code"] == "disk_full"
    monkeypatch.setattr(ShardWriter, "add", add)
    assert assemble(tmp_path / "full", ITEMS) == whole
    assert contents(tmp_path / "full" / "out") == contents(tmp_path / "whole" / "out")


def test_a_finished_set_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = assemble(tmp_path, ITEMS)
    monkeypatch.setattr(pictures, "sample_world", None)
    assert assemble(tmp_path, ITEMS) == rows


def posed(folder: Path, *rows: int, **item: Any) -> list[Row]:
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
    assert first["source"] == f"{tmp_path / 'table.npz'}, row 0"
    assert first["pose"] == ""
    given, drawn = sample_world(3, pose="standing").keypoints, np.array(first["keypoints"]).reshape(18, 3)
    limbs = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    side = [np.ptp(points[limbs, :2], axis=0).max() for points in (given, drawn)]
    moved = [(points[limbs, :2] - points[8, :2]) / s for points, s in zip((given, drawn), side, strict=True)]
    np.testing.assert_allclose(moved[1], moved[0], atol=1e-9)
    assert not np.array_equal(stored(tmp_path, first, "image"), stored(tmp_path, again, "image"))


def test_a_row_that_cannot_be_drawn_is_listed_and_the_stage_goes_on(tmp_path: Path) -> None:
    rows = assemble(tmp_path / "half", posed(tmp_path / "half", 0, 1))
    assert [row["id"] for row in rows] == [0]
    [fault] = rejected(tmp_path / "half")
    assert (fault["id"], fault["code"]) == (1, "no_visible_keypoint")
    assert fault["source"].endswith("table.npz, row 1")


def test_too_many_pictures_that_cannot_be_used_end_the_stage_also_when_it_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(PosetwinError, match=r"2 of 3 .*no_visible_keypoint.*table\.npz, row 1") as caught:
            assemble(tmp_path, posed(tmp_path, 0, 1, 1))
        assert caught.value.code == "too_many_rejected"


def test_a_table_that_is_not_there_ends_the_stage(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError) as caught:
        assemble(tmp_path, posed(tmp_path, 0, path="/nowhere/table.npz"))
    assert caught.value.code == "missing_file"


def test_an_error_in_another_process_keeps_its_code_and_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "CHUNK", 1)
    monkeypatch.setattr(stage, "DRAWN_A_WORKER", 1)
    with pytest.raises(PosetwinError) as caught:
        assemble(tmp_path, posed(tmp_path, 0, 0, path="/nowhere/table.npz"), num_workers=2)
    assert caught.value.code == "missing_file"


def test_a_table_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    original = pictures.read_pose_table

    def count(path: Path, layout: Any) -> Any:
        reads.append(path)
        return original(path, layout)

    monkeypatch.setattr(pictures, "read_pose_table", count)
    assert len(assemble(tmp_path, posed(tmp_path, 0, 0, 0))) == 3
    assert len(reads) == 1


def test_an_item_of_another_shape_is_a_contract_violation_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError, match=r"items\.jsonl:2") as caught:
        assemble(tmp_path, [ITEMS[0], {"kind": "mini"}])
    assert caught.value.code == "contract_violation"
