"""The stage `index`: tables of what sources hold, made once, read by rows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pictures_on_disk import pictures_and_faults, some_keypoints, source_of, touch, write_lines

from posetwin.contracts import MiniSource, Rejected
from posetwin.data import index
from posetwin.data.index import IndexReader, index_sources, write_index
from posetwin.data.sources.opening import read_content
from posetwin.errors import PosetwinError

COLUMNS = {
    "name": "string",
    "file": "string",
    "start": "int64",
    "length": "int64",
    "row": "int64",
    "size_bytes": "int64",
    "modified_ns": "int64",
    "caption": "string",
    "has_caption": "bool",
    "class": "string",
    "keypoints": "list<element: float>",
    "box": "list<element: float>",
    "num_people": "int32",
    "group_hash": "int64",
}


def silent(done: int, total: int, unit: str) -> None: ...


def annotated(root: Path, count: int) -> Any:
    """A folder whose picture k has k bytes, caption and keypoints every other one."""
    for k in range(count):
        touch(root, f"{k:05d}.jpg", content=bytes(k))
    kept = [{"file_name": f"{k:05d}.jpg"} for k in range(count)]
    for k in range(0, count, 2):
        kept[k] |= {"text": f"person {k}", "keypoints": some_keypoints(k)}
    write_lines(root / "metadata.jsonl", *kept)
    return source_of("imagefolder", root)


def table(folder: Path, number: int = 0) -> list[dict[str, Any]]:
    return pq.read_table(folder / f"{number}.parquet").to_pylist()


def rejected(folder: Path, number: int = 0) -> list[dict[str, Any]]:
    lines = (folder / f"{number}.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_table_has_the_agreed_columns(tmp_path: Path) -> None:
    assert write_index(tmp_path, 0, annotated(tmp_path / "source", 3), silent) == 3
    schema = pq.read_schema(tmp_path / "0.parquet")
    assert {field.name: str(field.type) for field in schema} == COLUMNS
    first, second, _ = table(tmp_path)
    assert (first["caption"], first["has_caption"], second["caption"], second["has_caption"]) == (
        "person 0",
        True,
        "",
        False,
    )
    assert first["keypoints"] == np.ravel(some_keypoints(0)).tolist()
    assert (second["keypoints"], second["box"], second["num_people"], second["length"]) == (None, None, -1, -1)
    assert second["size_bytes"] == 1
    assert all(0 <= row["group_hash"] < 2**48 for row in table(tmp_path))


def test_rows_are_read_back_in_any_order_as_they_were_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "ROW_GROUP", 4)
    source = annotated(tmp_path / "source", 11)
    assert write_index(tmp_path, 7, source, silent) == 11
    assert pq.ParquetFile(tmp_path / "7.parquet").num_row_groups == 3
    reader, (listed, _) = IndexReader(tmp_path, 7), pictures_and_faults(source)
    assert len(reader) == 11
    for rows in (list(range(11)), [10, 0, 5, 5, 3], []):
        for row, picture in zip(rows, reader.rows(rows), strict=True):
            for field in ("name", "file", "start", "length", "row", "size_bytes", "modified_ns", "caption"):
                assert getattr(picture, field) == getattr(listed[row], field)
            assert np.array_equal(picture.keypoints, listed[row].keypoints) or picture.keypoints is None
            assert (picture.keypoints is None) == (row % 2 == 1)
            assert read_content(tmp_path / "source", picture) == bytes(row)
    for rows in ([11], [-1], [0, 99]):
        with pytest.raises(IndexError):
            reader.rows(rows)


def test_the_same_source_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "ROW_GROUP", 4)
    source = annotated(tmp_path / "source", 11)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_index(tmp_path / name, 0, source, silent)
    assert (tmp_path / "one" / "0.parquet").read_bytes() == (tmp_path / "two" / "0.parquet").read_bytes()


def test_what_is_left_out_is_written_down_with_its_reason(tmp_path: Path) -> None:
    source = annotated(tmp_path / "source", 2)
    (tmp_path / "source" / "00000.jpg").unlink()
    with (tmp_path / "source" / "metadata.jsonl").open("a") as lines:
        lines.write('{"file_name": "\\udcff.jpg"}\n{"file_name": "../a.jpg"}\n{\n')
    assert write_index(tmp_path, 0, source, silent) == 1
    assert [row["code"] for row in rejected(tmp_path)] == ["missing_file", "bad_name", "unsafe_path", "bad_annotations"]
    assert [Rejected.model_validate(row).id for row in rejected(tmp_path)] == [None] * 4
    assert rejected(tmp_path)[0]["source"] == str(tmp_path / "source" / "00000.jpg")


def test_pictures_of_one_video_have_one_hash_and_others_one_each(tmp_path: Path) -> None:
    from mpii_structs import image, write_mat

    videos = {"a.jpg": 3, "b.jpg": 4, "c.jpg": 3}
    images = [image(name, vididx=video) for name, video in videos.items()]
    write_mat(tmp_path / "mpii" / "mpii.mat", [*images, image("d.jpg"), image("e.jpg")])
    touch(tmp_path / "mpii" / "images", *videos, "d.jpg", "e.jpg")
    write_index(tmp_path, 0, source_of("mpii", tmp_path / "mpii"), silent)
    a, b, c, d, e = (row["group_hash"] for row in table(tmp_path))
    assert a == c
    assert len({a, b, d, e}) == 4


def test_boxes_and_classes_survive(tmp_path: Path) -> None:
    from mpii_structs import act, image, person, write_mat

    write_mat(tmp_path / "mpii" / "mpii.mat", [image("a.jpg", person(None, 2))], [act("curling")])
    touch(tmp_path / "mpii" / "images", "a.jpg")
    write_index(tmp_path, 0, source_of("mpii", tmp_path / "mpii"), silent)
    picture = IndexReader(tmp_path, 0).rows([0])[0]
    assert (picture.class_name, picture.box, picture.num_people) == ("curling", (-100, 0, 300, 400), 1)


def test_only_sources_on_disk_are_listed_and_each_only_once(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    source = annotated(tmp_path / "source", 2)
    sources = [MiniSource(kind="mini", weight=1, poses=None), source, source_of("folder", tmp_path / "source")]
    index_sources(folder, sources, silent)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("1.parquet", "1.rejected.jsonl"),
        *("2.parquet", "2.rejected.jsonl"),
    ]
    before = os.stat(folder / "1.parquet").st_mtime_ns
    (folder / "2.parquet").unlink()
    touch(tmp_path / "source", "new.jpg")
    index_sources(folder, sources, silent)
    assert os.stat(folder / "1.parquet").st_mtime_ns == before
    assert [row["name"] for row in table(folder, 2)] == ["00000.jpg", "00001.jpg", "new.jpg"]


def test_a_listing_that_was_cut_short_leaves_no_table_and_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "ROW_GROUP", 2)
    source = annotated(tmp_path / "source", 5)
    seen = []

    def stop(done: int, total: int, unit: str) -> None:
        seen.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_sources(tmp_path / "index", [source], stop)
    assert seen == [2, 4]
    assert not (tmp_path / "index" / "0.parquet").exists()
    index_sources(tmp_path / "index", [source], silent)
    assert len(table(tmp_path / "index")) == 5
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["0.parquet", "0.rejected.jsonl"]


def test_a_source_without_pictures_gives_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    assert write_index(tmp_path, 0, source_of("folder", tmp_path / "source"), silent) == 0
    assert (len(IndexReader(tmp_path, 0)), IndexReader(tmp_path, 0).rows([]), rejected(tmp_path)) == (0, [], [])


def test_a_table_that_is_missing_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(PosetwinError) as caught:
        IndexReader(tmp_path, 0)
    assert caught.value.code == "missing_file"
    (tmp_path / "0.parquet").write_bytes(b"PAR1")
    with pytest.raises(PosetwinError) as caught:
        IndexReader(tmp_path, 0)
    assert caught.value.code == "corrupt_file"
