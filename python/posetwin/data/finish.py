"""The end of assembling: what is one picture is kept once, and the chunks' tables become one."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from posetwin.contracts import Dataset
from posetwin.data.chunks import CHUNKS, ChunkFiles, ChunkRecord
from posetwin.data.journal import Record, read_lines, sync, write_json
from posetwin.data.picture_hash import find_duplicates
from posetwin.data.samples import ROWS_A_GROUP, SAMPLES, SCHEMA, WRITING
from posetwin.data.shards import SHARDS, shard_name
from posetwin.errors import PosetwinError
from posetwin.moments import at


def _chunks(folder: Path, count: int) -> Iterator[tuple[ChunkFiles, ChunkRecord]]:
    for number in range(count):
        files = ChunkFiles(folder, number)
        record = files.record()
        if record is None:
            raise PosetwinError("bug", f"chunk {number} of {folder} is not done")
        yield files, record


def _column(folder: Path, count: int, name: str) -> pa.ChunkedArray:
    tables = [pq.read_table(files.table, columns=[name]) for files, _ in _chunks(folder, count)]
    return pa.concat_tables(tables).column(name)


class Duplicates:
    """Which rows of all chunks' tables, laid end to end, are another row's picture again."""

    def __init__(self, folder: Path, count: int, max_distance: int) -> None:
        hashes = _column(folder, count, "picture_hash")
        self.known = np.flatnonzero(~np.asarray(hashes.is_null()))
        self.of = np.full(len(hashes), -1, dtype=np.int64)
        if max_distance < 0 or len(self.known) == 0:
            return
        held_out = np.asarray(_column(folder, count, "split")) == "held_out"
        found = find_duplicates(
            np.asarray(hashes.drop_null()).view(np.uint64), max_distance, prefer=held_out[self.known]
        )
        self.of[self.known] = np.where(found < 0, -1, self.known[found])

    def names(self, folder: Path, count: int) -> dict[int, tuple[int, str]]:
        """Row → id and source, of every row that is or has a duplicate."""
        wanted = np.union1d(np.flatnonzero(self.of >= 0), self.of[self.of >= 0])
        names, start = {}, 0
        for files, record in _chunks(folder, count):
            first, end = np.searchsorted(wanted, [start, start + record.num_samples])
            if first < end:
                table = pq.read_table(files.table, columns=["id", "source"]).to_pydict()
                for row in wanted[first:end].tolist():
                    names[row] = table["id"][row - start], table["source"][row - start]
            start += record.num_samples
        return names


def _duplicate_faults(duplicates: Duplicates, folder: Path, count: int) -> list[Record]:
    if not (duplicates.of >= 0).any():
        return []
    names = duplicates.names(folder, count)
    faults = []
    for row in np.flatnonzero(duplicates.of >= 0):
        (id_, source), (_, kept) = names[int(row)], names[int(duplicates.of[row])]
        faults.append({"id": id_, "source": source, "code": "duplicate", "reason": f"the picture is that of {kept}"})
    return faults


def _kept_tables(folder: Path, count: int, kept: np.ndarray) -> Iterator[pa.Table]:
    start = 0
    for files, record in _chunks(folder, count):
        table = pq.read_table(files.table, schema=SCHEMA)
        yield table.filter(pa.array(kept[start : start + record.num_samples]))
        start += record.num_samples


def _write_samples(folder: Path, tables: Iterator[pa.Table]) -> None:
    """In row groups of one size, whatever the size of the chunks."""
    temporary = folder / f".{SAMPLES}.tmp"
    waiting = SCHEMA.empty_table()
    with pq.ParquetWriter(temporary, SCHEMA, **WRITING) as writer:
        for table in tables:
            waiting = pa.concat_tables([waiting, table])
            if len(waiting) >= ROWS_A_GROUP:
                writer.write_table(waiting.slice(0, ROWS_A_GROUP))
                waiting = waiting.slice(ROWS_A_GROUP)
        if len(waiting) > 0:
            writer.write_table(waiting)
    sync(temporary)
    os.replace(temporary, folder / SAMPLES)


def _all_faults(folder: Path, count: int, index: Path | None, last: list[Record]) -> Iterator[Record]:
    for path in sorted(index.glob("*.rejected.jsonl")) if index else ():
        yield from read_lines(path)
    for files, _ in _chunks(folder, count):
        yield from files.faults()
    yield from last


def _write_rejected(folder: Path, faults: Iterator[Record]) -> dict[str, int]:
    codes: Counter[str] = Counter()
    temporary = folder / ".rejected.jsonl.tmp"
    with temporary.open("w", encoding="utf-8") as file:
        for fault in faults:
            codes[fault["code"]] += 1
            file.write(json.dumps(fault, ensure_ascii=False) + "\n")
    sync(temporary)
    os.replace(temporary, folder / "rejected.jsonl")
    return dict(codes)


def _shards(folder: Path, count: int) -> list[dict[str, Any]]:
    return [
        {"name": shard_name(files.number), **record.model_dump(include={"num_samples", "bytes", "sha256"})}
        for files, record in _chunks(folder, count)
    ]


def finish(folder: Path, count: int, index: Path | None, dataset: Dataset, warnings: list[str]) -> None:
    """Write samples.parquet, rejected.jsonl and result.json (AssembleResult) of `count` chunks; remove their tables.

    A picture that is another one again stays in its shard, and is no sample.
    """
    at("chunks_done", count)
    # Of processes that were killed.
    for unfinished in (folder / SHARDS).glob(".*.tmp"):
        unfinished.unlink()
    duplicates = Duplicates(folder, count, dataset.filters.max_hash_distance)
    faults = _duplicate_faults(duplicates, folder, count)
    at("duplicates_found", count)
    _write_samples(folder, _kept_tables(folder, count, duplicates.of < 0))
    at("samples_written", count)
    codes = _write_rejected(folder, _all_faults(folder, count, index, faults))
    at("rejected_written", count)
    write_json(folder / "result.json", {"num_rejected": codes, "shards": _shards(folder, count), "warnings": warnings})
    at("assembled", count)
    shutil.rmtree(folder / CHUNKS)
    at("chunks_removed", count)
