"""A small assembled set of drawn figures, written with tarfile and pyarrow alone: what docs/datasets.md tells."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from posetwin.control.openpose import draw_openpose
from posetwin.mini.world import sample_world

SCHEMA = pa.schema(
    [
        *((name, pa.int64()) for name in ("id",)),
        *((name, pa.string()) for name in ("split", "source", "class", "caption", "pose", "attributes")),
        ("keypoints", pa.list_(pa.float64())),
        ("visible", pa.int32()),
        ("caption_hash", pa.int64()),
        ("class_hash", pa.int64()),
        ("shard", pa.string()),
        *((name, pa.int64()) for name in ("image_offset", "image_length", "control_offset", "control_length")),
        ("picture_hash", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Figure:
    """image, control: (S, S, 3) uint8 RGB. keypoints: (18, 3)."""

    id: int
    split: str
    image: np.ndarray
    control: np.ndarray
    keypoints: np.ndarray
    caption: str
    attributes: dict[str, str]


def draw_figures(count: int, size: int = 64) -> list[Figure]:
    """Every fifth one is held out."""
    figures = []
    for number in range(count):
        split = "held_out" if number % 5 == 4 else "train"
        drawn = sample_world(number, split=split, size=size)
        control = draw_openpose(drawn.keypoints, size, line_width=0.045)
        figures.append(Figure(number, split, drawn.image, control, drawn.keypoints, drawn.caption, drawn.attributes))
    return figures


def _png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return stream.getvalue()


def _members(figure: Figure) -> dict[str, bytes]:
    described = {"keypoints": figure.keypoints.tolist(), "attributes": figure.attributes}
    return {
        "png": _png(figure.image),
        "control.png": _png(figure.control),
        "txt": figure.caption.encode(),
        "json": json.dumps(described).encode(),
    }


def _write_shard(path: Path, figures: list[Figure]) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for figure in figures:
            for ending, content in _members(figure).items():
                member = tarfile.TarInfo(f"{figure.id:09d}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def _places(folder: Path, shard: str) -> dict[str, tuple[int, int]]:
    with tarfile.open(folder / shard) as tar:
        return {member.name: (member.offset_data, member.size) for member in tar}


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _row(figure: Figure, shard: str, places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    image, control = places[f"{figure.id:09d}.png"], places[f"{figure.id:09d}.control.png"]
    pose = figure.attributes["pose"]
    return {
        "id": figure.id,
        "split": figure.split,
        "source": "mini",
        "class": pose,
        "caption": figure.caption,
        "pose": pose,
        "attributes": json.dumps(figure.attributes),
        "keypoints": figure.keypoints.astype(float).ravel().tolist(),
        "visible": sum(1 << k for k in range(18) if figure.keypoints[k, 2] > 0),
        "caption_hash": _hash(figure.caption),
        "class_hash": _hash(pose),
        "shard": shard,
        "image_offset": image[0],
        "image_length": image[1],
        "control_offset": control[0],
        "control_length": control[1],
        "picture_hash": None,
    }


def _couples(figures: list[Figure]) -> list[dict[str, Any]]:
    couples = []
    for split in ("train", "held_out"):
        ids = [figure.id for figure in figures if figure.split == split]
        couples += [{"a": a, "b": b, "split": split} for a, b in zip(ids, ids[1:], strict=False)]
    return couples


def _manifest(
    folder: Path, figures: list[Figure], shards: dict[str, int], couples: list[dict[str, Any]]
) -> dict[str, Any]:
    def counted(rows: list[str], factor: int = 1) -> dict[str, int]:
        return {split: factor * rows.count(split) for split in ("train", "held_out")}

    def described(name: str) -> dict[str, Any]:
        content = (folder / name).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        return {"name": name, "num_samples": shards[name], "bytes": len(content), "sha256": sha256}

    return {
        "schema_version": 2,
        "seed": 0,
        "image_size": figures[0].image.shape[0],
        "num_samples": counted([figure.split for figure in figures]),
        "num_rejected": {},
        "num_pairs": counted([couple["split"] for couple in couples], 4),
        "train_pairs": "listed",
        "captions": "both",
        "captioned": None,
        "closed_under_swap": True,
        "poses": {
            split: sorted({f.attributes["pose"] for f in figures if f.split == split})
            for split in ("train", "held_out")
        },
        "mean_pose_distance": 0.2,
        "sources": [{"kind": "mini", "path": None, "hash": "0" * 16, "licence": "Apache-2.0"}],
        "shards": [described(name) for name in shards],
        "warnings": [],
    }


def write_set(folder: Path, figures: list[Figure], shard_size: int = 16) -> Path:
    """The whole folder; gives it back."""
    (folder / "shards").mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    shards: dict[str, int] = {}
    for start in range(0, len(figures), shard_size):
        part, name = figures[start : start + shard_size], f"shards/{start // shard_size:06d}.tar"
        _write_shard(folder / name, part)
        places = _places(folder, name)
        rows += [_row(figure, name, places) for figure in part]
        shards[name] = len(part)
    couples = _couples(figures)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), folder / "samples.parquet")
    pairs = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("split", pa.string())])
    pq.write_table(pa.Table.from_pylist(couples, pairs), folder / "pairs.parquet")
    (folder / "rejected.jsonl").write_text("")
    (folder / "manifest.json").write_text(json.dumps(_manifest(folder, figures, shards, couples), indent=2))
    return folder
