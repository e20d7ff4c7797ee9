"""What `datasets` saved to disk against what it reads back, and damaged or other files with their codes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from pictures_on_disk import pictures_and_faults, png, source_of, touch

from posetwin.data.sources import PictureSource, list_pictures
from posetwin.data.sources.opening import read_content
from posetwin.errors import PosetwinError

datasets = pytest.importorskip("datasets")


def dataset(count: int, **columns: Any) -> Any:
    pictures = [{"bytes": png(shade), "path": f"{shade}.png"} for shade in range(count)]
    texts = {"text": [f"person {k}" for k in range(count)]}
    return datasets.Dataset.from_dict({"image": pictures, **texts, **columns}).cast_column("image", datasets.Image())


def read_back(saved: Any) -> list[Any]:
    return list(saved.cast_column("image", datasets.Image(decode=False)))


def error_of(source: PictureSource) -> PosetwinError:
    with pytest.raises(PosetwinError) as caught:
        list(list_pictures(source))
    return caught.value


def arrow_file(root: Path) -> Path:
    return next(root.glob("*.arrow"))


def test_rows_of_several_files_have_the_bytes_and_captions_that_datasets_reads(tmp_path: Path) -> None:
    dataset(25).save_to_disk(tmp_path, num_shards=3)
    pictures, faults = pictures_and_faults(source_of("datasets", tmp_path))
    rows = read_back(datasets.load_from_disk(str(tmp_path)))
    assert (len(pictures), faults) == (25, [])
    assert [picture.caption for picture in pictures] == [row["text"] for row in rows]
    assert [read_content(tmp_path, picture) for picture in pictures] == [row["image"]["bytes"] for row in rows]
    assert len({picture.file for picture in pictures}) == 3
    assert [picture.row for picture in pictures if picture.file == pictures[-1].file] == list(range(8))


def test_every_split_of_a_dict_is_read(tmp_path: Path) -> None:
    datasets.DatasetDict({"train": dataset(4), "test": dataset(2)}).save_to_disk(tmp_path)
    pictures, _ = pictures_and_faults(source_of("datasets", tmp_path))
    assert [picture.file.split("/")[0] for picture in pictures] == ["train"] * 4 + ["test"] * 2
    assert [picture.name for picture in pictures][:2] == [f"{pictures[0].file}/0", f"{pictures[0].file}/1"]
    assert read_content(tmp_path, pictures[5]) == png(1)


def test_a_selection_is_read_as_datasets_reads_it(tmp_path: Path) -> None:
    dataset(9).select([7, 2, 5]).save_to_disk(tmp_path)
    pictures, _ = pictures_and_faults(source_of("datasets", tmp_path))
    assert [read_content(tmp_path, picture) for picture in pictures] == [png(7), png(2), png(5)]


def test_other_columns_may_hold_pictures_and_captions_and_class_labels_are_classes(tmp_path: Path) -> None:
    features = datasets.Features(
        photo=datasets.Image(),
        captions=[datasets.Value("string")],
        label=datasets.ClassLabel(names=["cover_drive", "sweep"]),
    )
    rows = {"photo": [{"bytes": png(3), "path": None}] * 3, "captions": [["a", "b"], [], None], "label": [1, 0, None]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path)
    source = source_of("datasets", tmp_path, image_column="photo", caption_column="captions")
    pictures, _ = pictures_and_faults(source)
    assert [(p.caption, p.class_name) for p in pictures] == [("a", "sweep"), ("", "cover drive"), ("", "")]


def test_a_column_that_is_not_there_or_holds_no_pictures_is_unknown_value(tmp_path: Path) -> None:
    dataset(2, number=[1, 2]).save_to_disk(tmp_path)
    for settings in ({"image_column": "photo"}, {"caption_column": "title"}, {"image_column": "number"}):
        assert error_of(source_of("datasets", tmp_path, **settings)).code == "unknown_value"
    assert len(pictures_and_faults(source_of("datasets", tmp_path, caption_column=None))[0]) == 2


def write_arrow(root: Path, table: pa.Table, compression: str | None = None) -> PictureSource:
    """A folder as save_to_disk leaves it, of any columns."""
    root.mkdir(parents=True, exist_ok=True)
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(str(root / "data-00000-of-00001.arrow"), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=3)
    (root / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
    return source_of("datasets", root, caption_column=None)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_column_of_bytes_alone_is_read_and_an_empty_row_is_bad_image(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"image": pa.array([png(1), None, png(2), png(3), png(4)], kind)})
    pictures, faults = pictures_and_faults(write_arrow(tmp_path, table))
    assert [read_content(tmp_path, picture) for picture in pictures] == [png(1), png(2), png(3), png(4)]
    assert faults == [("data-00000-of-00001.arrow/1", "bad_image")]


def test_paths_in_place_of_bytes_lead_to_files_of_the_folder_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    touch(root, "a.png", "b.png", content=b"12")
    touch(tmp_path, "c.png")
    paths = ["a.png", str(root / "b.png"), "../c.png", str(tmp_path / "c.png"), "d.png", None]
    images = pa.array(
        [{"bytes": None, "path": path} for path in paths], pa.struct({"bytes": pa.binary(), "path": pa.string()})
    )
    pictures, faults = pictures_and_faults(write_arrow(root, pa.table({"image": images})))
    assert [(picture.file, picture.start, picture.length) for picture in pictures] == [
        ("a.png", -1, -1),
        ("b.png", -1, -1),
    ]
    assert [read_content(root, picture) for picture in pictures] == [b"12", b"12"]
    assert [code for _, code in faults] == ["unsafe_path", "unsafe_path", "missing_file", "bad_image"]
    strings, _ = pictures_and_faults(write_arrow(root, pa.table({"image": pa.array(["a.png", "b.png"])})))
    assert [picture.file for picture in strings] == ["a.png", "b.png"]


def test_a_compressed_file_is_unknown_value_with_a_remedy(tmp_path: Path) -> None:
    error = error_of(write_arrow(tmp_path, pa.table({"image": [bytes(1000)] * 9}), "zstd"))
    assert (error.code, error.hint is not None) == ("unknown_value", True)


def test_a_file_that_is_cut_anywhere_keeps_whole_batches_and_is_corrupt_file(tmp_path: Path) -> None:
    source = write_arrow(tmp_path, pa.table({"image": [png(shade) for shade in range(9)]}))
    file = arrow_file(tmp_path)
    whole, counts = file.read_bytes(), set()
    for size in range(0, len(whole), 31):
        file.write_bytes(whole[:size])
        pictures, faults = pictures_and_faults(source)
        assert [read_content(tmp_path, picture) for picture in pictures] == [png(k) for k in range(len(pictures))]
        assert faults == [(file.name, "corrupt_file")]
        counts.add(len(pictures))
    assert counts == {0, 3, 6, 9}


def test_a_file_that_is_not_there_is_missing_file_and_another_kind_of_file_corrupt_file(tmp_path: Path) -> None:
    source = write_arrow(tmp_path, pa.table({"image": [b"1"]}))
    file = arrow_file(tmp_path)
    file.write_bytes(b"PAR1 and what follows")
    assert pictures_and_faults(source)[1] == [(file.name, "corrupt_file")]
    file.unlink()
    assert pictures_and_faults(source)[1] == [(file.name, "missing_file")]


def test_a_state_that_names_a_file_elsewhere_is_unsafe_path(tmp_path: Path) -> None:
    source = write_arrow(tmp_path / "root", pa.table({"image": [b"1"]}))
    (tmp_path / "root" / "state.json").write_text(json.dumps({"_data_files": [{"filename": "../x.arrow"}]}))
    assert error_of(source).code == "unsafe_path"
    (tmp_path / "root" / "state.json").unlink()
    (tmp_path / "root" / "dataset_dict.json").write_text(json.dumps({"splits": ["../root"]}))
    assert error_of(source).code == "unsafe_path"


@pytest.mark.parametrize("state", [None, "{", "[]", '{"_data_files": 3}'])
def test_another_kind_of_folder_is_bad_annotations(tmp_path: Path, state: str | None) -> None:
    if state is not None:
        (tmp_path / "state.json").write_text(state)
    assert error_of(source_of("datasets", tmp_path)).code == "bad_annotations"


def test_damage_at_any_byte_leaves_out_rows_or_the_file_and_never_ends_the_process(tmp_path: Path) -> None:
    images = [{"bytes": png(shade), "path": f"{shade}.png"} for shade in range(9)]
    source = write_arrow(tmp_path, pa.table({"image": images}))
    whole, random, counts = arrow_file(tmp_path).read_bytes(), Random(0), set()
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[random.randrange(len(whole))] = random.choice([0, 255, random.randrange(256)])
        arrow_file(tmp_path).write_bytes(damaged)
        try:
            counts.add(len(pictures_and_faults(source)[0]))
        except PosetwinError as error:
            # The name of the column is damaged.
            assert error.code == "unknown_value"
    assert max(counts) == 9 > min(counts)
