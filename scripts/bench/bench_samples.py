"""Writes a samples.parquet with the columns that pairing needs: `python bench_samples.py FILE NUM_ROWS`."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_GROUP = 100_000
HASH_END = 2**48
NUM_HELD_OUT = 1000

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("visible", pa.int32(), nullable=False),
        pa.field("caption_hash", pa.int64(), nullable=False),
        pa.field("class_hash", pa.int64(), nullable=False),
    ]
)


def group(start: int, end: int, num_rows: int, draw: np.random.Generator) -> pa.Table:
    """Rows `start` to before `end`; every tenth id was left out, and a caption comes three times on the average."""
    rows = np.arange(start, end)
    columns = [
        rows + rows // 9,
        np.where(rows < num_rows - NUM_HELD_OUT, "train", "held_out"),
        draw.integers(1, 2**18, len(rows), dtype=np.int32),
        draw.integers(0, max(num_rows // 3, 1), len(rows)) * 7919 % HASH_END,
        draw.integers(0, 20, len(rows)),
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def main(path: str, num_rows: int) -> None:
    draw = np.random.default_rng(0)
    with pq.ParquetWriter(path, SCHEMA, use_dictionary=["split"]) as writer:
        for start in range(0, num_rows, ROWS_PER_GROUP):
            end = min(start + ROWS_PER_GROUP, num_rows)
            writer.write_table(group(start, end, num_rows, draw))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
