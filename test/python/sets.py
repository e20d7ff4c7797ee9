"""Couples and manifest of an assembled set, as TypeScript writes them, for tests of Python alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Couples = list[tuple[int, int]]

MANIFEST: dict[str, Any] = {
    "schema_version": 2,
    "seed": 0,
    "image_size": 64,
    "num_samples": {"train": 6, "held_out": 4},
    "num_rejected": {},
    "num_pairs": {"train": 6, "held_out": 4},
    "train_pairs": "listed",
    "captions": "swap",
    "captioned": None,
    "closed_under_swap": True,
    "poses": {"train": [], "held_out": []},
    "mean_pose_distance": 0.2,
    "sources": [{"kind": "mini", "path": None, "hash": "0", "licence": "Apache-2.0"}],
    "shards": [],
    "warnings": [],
}


def write_couples(folder: Path, train: Couples, held_out: Couples = []) -> None:  # noqa: B006 (never changed)
    """Sample ids, as in pairs.parquet."""
    couples = [*train, *held_out]
    splits = ["train"] * len(train) + ["held_out"] * len(held_out)
    columns = {
        "a": pa.array([a for a, _ in couples], pa.int64()),
        "b": pa.array([b for _, b in couples], pa.int64()),
        "split": pa.array(splits, pa.string()),
    }
    pq.write_table(pa.table(columns), folder / "pairs.parquet")


def write_manifest(folder: Path, **changes: Any) -> None:
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **changes}))
