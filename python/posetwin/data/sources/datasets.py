"""A folder that Hugging Face `datasets` wrote with save_to_disk, read with pyarrow alone."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from posetwin.contracts import DatasetsSource
from posetwin.data.sources.arrow_bytes import BatchImages
from posetwin.data.sources.listed import Fault, Listed, attempt
from posetwin.data.sources.names import fault_of_path
from posetwin.data.sources.texts import clean_class, clean_text, load_json
from posetwin.errors import PosetwinError

# An Arrow stream ends with a message of length 0.
_END_MARK = b"\0\0\0\0"
_ROWS = 1024
# What pyarrow raises for files that are damaged in one way or another.
_DAMAGED = (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError)


@dataclass(frozen=True)
class _Columns:
    """class_names: of the column of classes, None where there is no such column."""

    image: str
    caption: str | None
    class_column: str | None
    class_names: list[str]


@dataclass(frozen=True)
class _Texts:
    captions: list[Any]
    classes: list[str]


def _object(path: Path) -> dict[str, Any]:
    content = load_json(path)
    if not isinstance(content, dict):
        raise PosetwinError("bad_annotations", f"{path} holds a {type(content).__name__}, not an object")
    return content


def _safe(root: Path, paths: list[str]) -> list[str]:
    fault = next(filter(None, map(fault_of_path, paths)), None)
    if fault is not None:
        raise PosetwinError(fault.code, f"a state.json or dataset_dict.json of {root} names {fault.name}")
    return paths


def _split_folders(root: Path) -> list[str]:
    if (root / "state.json").is_file():
        return [""]
    if not (root / "dataset_dict.json").is_file():
        raise PosetwinError(
            "bad_annotations",
            f"{root} holds neither state.json nor dataset_dict.json, so save_to_disk did not write it",
            'load_dataset(…).save_to_disk("folder") writes one',
        )
    splits = _object(root / "dataset_dict.json").get("splits")
    return _safe(root, [str(split) for split in splits] if isinstance(splits, list) else [])


def _data_files(root: Path, split: str) -> list[str]:
    """The Arrow files of a split, relative to the root. Raises PosetwinError: bad_annotations, unsafe_path."""
    state = root / split / "state.json"
    entries = _object(state).get("_data_files")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PosetwinError("bad_annotations", f"{state} names no _data_files, so save_to_disk did not write it")
    return _safe(root, [posixpath.join(split, str(entry.get("filename"))) for entry in entries])


def _columns(source: DatasetsSource, root: Path, split: str) -> _Columns:
    info = root / split / "dataset_info.json"
    features = (_object(info).get("features") if info.is_file() else None) or {}
    for name, feature in features.items():
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel":
            return _Columns(source.image_column, source.caption_column, name, list(feature.get("names") or []))
    return _Columns(source.image_column, source.caption_column, None, [])


def _refuse_missing(path: Path, schema: pa.Schema, columns: _Columns) -> None:
    for key, column in (("image_column", columns.image), ("caption_column", columns.caption)):
        if column is not None and column not in schema.names:
            hint = f"set dataset.sources.{key}{'' if key == 'image_column' else ', or null where there are none'}"
            raise PosetwinError(
                "unknown_value", f"{path} has the columns {', '.join(schema.names)}, but not {column}", hint
            )


def _caption_of(value: Any) -> str:
    # COCO's captions come as a list for each picture: the first, as there.
    return clean_text(next(iter(value), None) if isinstance(value, list) else value)


def _class_of(columns: _Columns, label: Any) -> str:
    is_known = isinstance(label, int) and 0 <= label < len(columns.class_names)
    return clean_class(columns.class_names[label]) if is_known else ""


def _outside_file(root: Path, path: str) -> str:
    """A path that stands in place of the bytes: relative to the source's folder, or absolute and below it."""
    return os.path.relpath(path, root) if os.path.isabs(path) else path


def _picture(root: Path, name: str, file: str, row: int, images: BatchImages, place: int, texts: _Texts) -> Listed:
    told = Listed(name=name, file=file, caption=_caption_of(texts.captions[place]), class_name=texts.classes[place])
    stored = images.place_of(place)
    if stored is not None:
        return replace(told, start=stored[0], length=stored[1], row=row)
    path = images.path_of(place)
    if not path:
        raise PosetwinError("bad_image", "the row holds no picture")
    return replace(told, file=_outside_file(root, path))


def _values(column: Any) -> list[Any]:
    # Of texts each offset, too.
    column.validate(full=True)
    return column.to_pylist()


def _texts(batch: pa.RecordBatch, columns: _Columns) -> _Texts:
    nothing = [None] * batch.num_rows
    captions = nothing if columns.caption is None else _values(batch.column(columns.caption))
    labels = nothing if columns.class_column is None else _values(batch.column(columns.class_column))
    return _Texts(captions, [_class_of(columns, label) for label in labels])


def _slices(reader: pa.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        # Damage is told here; without it Arrow would read wherever the file points to, or end the process.
        batch.validate()
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)


def _rows(root: Path, file: str, columns: _Columns) -> Iterator[Listed | Fault]:
    with pa.memory_map(str(root / file)) as mapped:
        whole, row = mapped.read_buffer(), 0
        reader = pa.ipc.open_stream(whole)
        _refuse_missing(root / file, reader.schema, columns)
        for batch in _slices(reader):
            images, texts = BatchImages(batch.column(columns.image), whole, root / file), _texts(batch, columns)
            for place in range(batch.num_rows):
                name = f"{file}/{row}"
                yield attempt(name, _picture, root, name, file, row, images, place, texts)
                row += 1
        if whole[-len(_END_MARK) :].to_pybytes() != _END_MARK:
            yield Fault(file, "corrupt_file", "it ends without its end mark: its last rows are missing")


def _rows_or_fault(root: Path, file: str, columns: _Columns) -> Iterator[Listed | Fault]:
    try:
        yield from _rows(root, file, columns)
    except FileNotFoundError:
        yield Fault(file, "missing_file", "state.json names it, but it is not there")
    except _DAMAGED as error:
        yield Fault(file, "corrupt_file", f"it cannot be read as an Arrow stream from here on: {error}")


def list_datasets(source: DatasetsSource) -> Iterator[Listed | Fault]:
    """The rows of every split, in the order of the files; the class is that of the first ClassLabel column.

    Raises PosetwinError: bad_annotations (another kind of folder), unknown_value (no such column), unsafe_path.
    """
    root = Path(source.path)
    for split in _split_folders(root):
        columns = _columns(source, root, split)
        for file in _data_files(root, split):
            yield from _rows_or_fault(root, file, columns)
