"""MPII's annotations in the structure of the published file, made with numpy and written by scipy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

EMPTY = np.zeros((0, 0))


def structs(*records: dict[str, Any]) -> np.ndarray:
    """A 1×N struct array; what a record lacks is empty, as MATLAB has it."""
    fields = list(dict.fromkeys(field for record in records for field in record)) or ["x"]
    array = np.empty((1, len(records)), dtype=[(field, object) for field in fields])
    for place, record in enumerate(records):
        for field in fields:
            array[field][0, place] = record.get(field, EMPTY)
    return array


def point(joint: int, x: float, y: float, **fields: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "id": joint, **fields}


def person(points: Iterable[dict[str, Any]] | None, scale: float = 1.0, **fields: Any) -> dict[str, Any]:
    """Without points it is a person of the test set."""
    head = {"x1": 5, "y1": 6, "x2": 7, "y2": 8} if points is not None else {}
    joints = {} if points is None else {"annopoints": structs({"point": structs(*points)})}
    return {**head, **joints, "scale": scale, "objpos": structs({"x": 101, "y": 201}), **fields}


def image(name: str, *people: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "image": structs({"name": name}),
        "annorect": structs(*people) if people else EMPTY,
        "frame_sec": EMPTY,
        "vididx": EMPTY,
        **fields,
    }


def act(name: str) -> dict[str, Any]:
    return {"cat_name": name and "sports", "act_name": name, "act_id": 5 if name else -1}


def write_mat(path: Path, images: list[dict[str, Any]], acts: list[dict[str, Any]] | None = None) -> None:
    release = {
        "annolist": structs(*images),
        "img_train": np.ones((1, len(images))),
        "version": "12",
        "act": structs(*(acts or [act("") for _ in images])).T,
        "video_list": np.array(["x.mp4"], dtype=object),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"RELEASE": structs(release)}, do_compression=True)
