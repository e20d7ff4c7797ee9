"""One chunk of a set: its items become a shard, a table and a record in the journal, in this order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from posetwin.contracts import Dataset, Item
from posetwin.control.draw import draw_control
from posetwin.data.journal import Record, append_lines, read_lines, sync, write_atomically
from posetwin.data.pictures import LeftOut, Made, Picture
from posetwin.data.samples import sample_row, table_of
from posetwin.data.shards import ShardWriter, shard_name
from posetwin.errors import PosetwinError
from posetwin.moments import at

CHUNKS = "chunks"
Make = Callable[[list[Item]], Iterator[tuple[Item, Made]]]


class ChunkRecord(BaseModel):
    """What the journal keeps of a chunk; its file is written last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_items: int
    num_samples: int
    rejected: dict[str, int]
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ChunkFiles:
    """Of chunk `number` in the folder of the set."""

    folder: Path
    number: int

    def _file(self, ending: str) -> Path:
        return self.folder / CHUNKS / f"{self.number:06d}{ending}"

    @property
    def shard(self) -> Path:
        return self.folder / shard_name(self.number)

    @property
    def table(self) -> Path:
        return self._file(".parquet")

    @property
    def rejected(self) -> Path:
        return self._file(".rejected.jsonl")

    def record(self) -> ChunkRecord | None:
        """None unless the chunk is done, with all its files."""
        path = self._file(".json")
        if not (path.is_file() and self.table.is_file() and self.shard.is_file()):
            return None
        try:
            return ChunkRecord.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise PosetwinError("corrupt_file", f"{path} is no record of a chunk: {error}", "remove it") from error

    def write_record(self, record: ChunkRecord) -> None:
        write_atomically(self._file(".json"), record.model_dump_json().encode())

    def faults(self) -> list[Record]:
        return read_lines(self.rejected)


def _png(image: np.ndarray) -> bytes:
    buffer = BytesIO()
    # The highest level takes twice the time and saves a twentieth of the bytes.
    Image.fromarray(image).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _store(shard: ShardWriter, item: Item, picture: Picture, dataset: Dataset) -> dict[str, Any]:
    """Put a picture into the shard: its row of the table. The names are those by which WebDataset groups files."""
    key = f"{item.id:09d}"
    image = shard.add(f"{key}.png", _png(picture.image))
    control = shard.add(
        f"{key}.control.png", _png(draw_control(picture.keypoints, dataset.image_size, dataset.control))
    )
    row = sample_row(
        id=item.id,
        split=item.split,
        source=picture.source,
        **{"class": picture.class_name},
        caption=picture.caption,
        pose=picture.pose,
        attributes=picture.attributes or {},
        keypoints=picture.keypoints,
        shard=f"shards/{shard.path.name}",
        image_offset=image.offset,
        image_length=image.length,
        control_offset=control.offset,
        control_length=control.length,
        picture_hash=picture.hash,
    )
    shard.add(f"{key}.txt", picture.caption.encode())
    shard.add(f"{key}.json", _description(row))
    at("picture_stored", item.id)
    return row


def _description(row: dict[str, Any]) -> bytes:
    """What a reader of the shards alone needs beside picture and caption."""
    told = {"id": row["id"], "split": row["split"], "source": row["source"], "class": row["class"]}
    keypoints = [row["keypoints"][start : start + 3] for start in range(0, len(row["keypoints"]), 3)]
    more = {"pose": row["pose"], "attributes": json.loads(row["attributes"]), "keypoints": keypoints}
    return json.dumps({**told, **more}, ensure_ascii=False).encode()


def _fault(item: Item, left_out: LeftOut) -> Record:
    return {"id": item.id, "source": left_out.source, "code": left_out.code, "reason": left_out.reason}


def make_chunk(
    files: ChunkFiles, items: list[Item], dataset: Dataset, make: Make, tell: Callable[[], None]
) -> ChunkRecord:
    """Make the pictures of a chunk and record it. tell: called after each picture, also one that is left out."""
    at("chunk_started", files.number)
    rows, faults = [], []
    with ShardWriter(files.shard) as shard:
        for item, made in make(items):
            if isinstance(made, LeftOut):
                faults.append(_fault(item, made))
            else:
                rows.append(_store(shard, item, made, dataset))
            tell()
        at("shard_written", files.number)
        size, digest = shard.close()
    at("shard_named", files.number)
    files.table.parent.mkdir(exist_ok=True)
    _write_table(files, rows)
    files.rejected.unlink(missing_ok=True)
    append_lines(files.rejected, faults)
    at("chunk_rejected", files.number)
    record = ChunkRecord(
        num_items=len(items),
        num_samples=len(rows),
        rejected=dict(Counter(fault["code"] for fault in faults)),
        bytes=size,
        sha256=digest,
    )
    files.write_record(record)
    at("chunk_recorded", files.number)
    return record


def _write_table(files: ChunkFiles, rows: list[dict[str, Any]]) -> None:
    pq.write_table(table_of(rows), files.table)
    sync(files.table)
    at("chunk_table", files.number)
