"""samples.parquet: one row a picture of an assembled set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from posetwin.errors import PosetwinError

SAMPLES = "samples.parquet"
ROWS_A_GROUP = 8192

_TEXTS = ("split", "source", "class", "caption", "pose", "attributes", "shard")
_NUMBERS = ("caption_hash", "class_hash", "image_offset", "image_length", "control_offset", "control_length")

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in _TEXTS),
        pa.field("keypoints", pa.list_(pa.field("item", pa.float64(), nullable=False)), nullable=False),
        pa.field("visible", pa.int32(), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in _NUMBERS),
        pa.field("picture_hash", pa.int64()),
    ]
)
# A reader of one row reads a page of each column, or the row's group; numbers hardly repeat.
WRITING: dict[str, Any] = {
    "use_dictionary": list(_TEXTS),
    "write_page_index": True,
    "data_page_size": 65_536,
    "write_statistics": False,
}


def hash_text(text: str) -> int:
    """48 bits of its SHA-256: equal texts are told by it, and a double holds it exactly."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def visible_bits(keypoints: Iterable[Iterable[float]]) -> int:
    """Bit k is set where keypoint k is seen."""
    return sum(1 << index for index, (_, _, seen) in enumerate(keypoints) if seen > 0)


def sample_row(**fields: Any) -> dict[str, Any]:
    """A row from what is known of a picture; what follows from it is added. keypoints: (18, 3)."""
    keypoints = fields["keypoints"].tolist()
    return {
        **fields,
        "attributes": json.dumps(fields["attributes"], ensure_ascii=False),
        "keypoints": [value for point in keypoints for value in point],
        "visible": visible_bits(keypoints),
        "caption_hash": hash_text(fields["caption"]),
        "class_hash": hash_text(fields["class"]),
    }


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def open_samples(folder: Path) -> pq.ParquetFile:
    """Raises PosetwinError: missing_file, corrupt_file (another file, or another version's)."""
    path = folder / SAMPLES
    if not path.is_file():
        raise PosetwinError("missing_file", f"{path} does not exist", "run the stage that writes it again")
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise PosetwinError("corrupt_file", f"{path} cannot be read: {error}") from error
    if missing := [name for name in SCHEMA.names if name not in file.schema_arrow.names]:
        raise PosetwinError("corrupt_file", f"{path} has no column {', '.join(missing)}")
    return file
