"""The stage `index`: what each source of pictures on disk holds, as a table that is read in slices.

index/<n>.parquet has a row for each picture of source n, in the source's own order: the order of the paths or names,
of archives that of their members, of metadata that of the lines. It depends on what the source holds alone, and
reading along it reads each archive from front to back. index/<n>.rejected.jsonl tells what was left out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from posetwin.contracts import Source
from posetwin.data.sources import PictureSource, list_pictures
from posetwin.data.sources.listed import Fault, IndexedPicture
from posetwin.data.sources.names import hash_of, location_of
from posetwin.errors import PosetwinError
from posetwin.moments import at

# A reader of a few rows reads their groups as a whole.
ROW_GROUP = 8192
_GROUP_BYTES = 6

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("start", "length", "row")),
        *(pa.field(name, pa.int64(), nullable=False) for name in ("size_bytes", "modified_ns")),
        pa.field("caption", pa.string(), nullable=False),
        pa.field("has_caption", pa.bool_(), nullable=False),
        pa.field("class", pa.string(), nullable=False),
        pa.field("keypoints", pa.list_(pa.float32())),
        pa.field("box", pa.list_(pa.float32())),
        pa.field("num_people", pa.int32(), nullable=False),
        pa.field("group_hash", pa.int64(), nullable=False),
    ]
)
_AS_THEY_ARE = ("name", "file", "start", "length", "row", "size_bytes", "modified_ns", "caption", "num_people")

Progress = Callable[[int, int, str], None]


def index_path(folder: Path, number: int) -> Path:
    return folder / f"{number}.parquet"


def rejected_path(folder: Path, number: int) -> Path:
    return folder / f"{number}.rejected.jsonl"


def _row(picture: IndexedPicture) -> dict[str, Any]:
    return {
        **{name: getattr(picture, name) for name in _AS_THEY_ARE},
        "has_caption": picture.caption != "",
        "class": picture.class_name,
        "keypoints": None if picture.keypoints is None else picture.keypoints.reshape(-1),
        "box": picture.box,
        "group_hash": hash_of(picture.group or picture.name, _GROUP_BYTES),
    }


def _picture(row: dict[str, Any]) -> IndexedPicture:
    keypoints, box = row["keypoints"], row["box"]
    return IndexedPicture(
        **{name: row[name] for name in _AS_THEY_ARE},
        class_name=row["class"],
        keypoints=None if keypoints is None else np.array(keypoints, dtype=np.float32).reshape(18, 3),
        box=None if box is None else tuple(box),
    )


class _Rejections:
    """Passes pictures through and writes faults down, so that neither are held."""

    def __init__(self, file: TextIO, root: Path) -> None:
        self._file, self._root = file, root

    def left_in(self, entries: Iterable[IndexedPicture | Fault]) -> Iterator[IndexedPicture]:
        for entry in entries:
            if isinstance(entry, Fault):
                source = location_of(self._root, entry.name)
                record = {"id": None, "source": source, "code": entry.code, "reason": entry.reason}
                self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            else:
                yield entry


def _write_rows(path: Path, pictures: Iterator[IndexedPicture], progress: Progress) -> int:
    done = 0
    # Statistics of names and hashes tell nobody anything.
    with pq.ParquetWriter(path, SCHEMA, compression="snappy", write_statistics=False) as writer:
        while rows := [_row(picture) for picture in islice(pictures, ROW_GROUP)]:
            writer.write_table(pa.Table.from_pylist(rows, SCHEMA), row_group_size=ROW_GROUP)
            done += len(rows)
            progress(done, done, "listed pictures")
    return done


def write_index(folder: Path, number: int, source: PictureSource, progress: Progress) -> int:
    """Write <number>.parquet and <number>.rejected.jsonl into `folder`; the number of rows.

    Each is there as a whole or not at all, the table last. How many pictures there will be is not known before:
    `progress` is given those listed so far for both. Raises PosetwinError: as list_pictures.
    """
    final, rejected = index_path(folder, number), rejected_path(folder, number)
    temporary, temporary_rejected = (path.with_name(f".{path.name}.tmp") for path in (final, rejected))
    with temporary_rejected.open("w", encoding="utf-8") as file:
        pictures = _Rejections(file, Path(source.path)).left_in(list_pictures(source))
        count = _write_rows(temporary, pictures, progress)
    at("index_listed", number)
    os.replace(temporary_rejected, rejected)
    os.replace(temporary, final)
    at("index_written", number)
    return count


def index_sources(folder: Path, sources: list[Source], progress: Progress) -> None:
    """List every source of pictures on disk; one whose table is there already is not listed again.

    Raises PosetwinError: as list_pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(sources):
        if isinstance(source, PictureSource) and not index_path(folder, number).is_file():
            write_index(folder, number, source, progress)


class IndexReader:
    """Rows of the table of source `number`, of which one group is held at a time.

    Raises PosetwinError: missing_file, corrupt_file.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._path = index_path(folder, number)
        try:
            self._file = pq.ParquetFile(self._path)
        except FileNotFoundError as error:
            raise PosetwinError("missing_file", f"{self._path} does not exist", "run the stage index again") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise PosetwinError("corrupt_file", f"{self._path} cannot be read as Parquet: {error}") from error
        groups = range(self._file.num_row_groups)
        sizes = [self._file.metadata.row_group(group).num_rows for group in groups]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._group: tuple[int, pa.Table] | None = None

    def __len__(self) -> int:
        return self._file.metadata.num_rows

    def _read_group(self, group: int) -> pa.Table:
        if self._group is None or self._group[0] != group:
            try:
                self._group = group, self._file.read_row_group(group)
            except (pa.ArrowInvalid, OSError) as error:
                raise PosetwinError("corrupt_file", f"{self._path} cannot be read as Parquet: {error}") from error
        return self._group[1]

    def _row_of(self, row: int) -> dict[str, Any]:
        group = int(np.searchsorted(self._ends, row, side="right"))
        start = int(self._ends[group - 1]) if group else 0
        return self._read_group(group).slice(row - start, 1).to_pylist()[0]

    def rows(self, rows: list[int]) -> list[IndexedPicture]:
        """In the order given, which is best ascending: each group is then read once. Raises IndexError."""
        if rows and not 0 <= min(rows) <= max(rows) < len(self):
            raise IndexError(f"{self._path} has {len(self)} rows")
        return [_picture(self._row_of(row)) for row in rows]
